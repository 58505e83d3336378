/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One piece of work: a request, a turn of the worker, a command line. It carries the pool that owns all
 * results, the log sink, the clock, and the detail of the first failure. A context belongs to one thread
 * and lives as long as its pool.
 */
#ifndef MDM_CTX_H
#define MDM_CTX_H

#include <apr_pools.h>
#include <apr_time.h>

#include "mdm_err.h"
#include "mdm_log.h"

typedef struct mdm_ctx_t {
    apr_pool_t *pool;        /* owns every result made on behalf of this context */
    const mdm_log_t *log;    /* NULL: log nothing */
    apr_time_t fixed_now;    /* 0: the real clock; tests set it */
    apr_status_t status;     /* of the first failure since mdm_ctx_clear */
    const char *detail;      /* its sentence: what, which object, what to do; never a secret */
    int rsa_operations;      /* private-key operations so far: they are what a request costs most */
} mdm_ctx_t;

/** Make a context in `pool`; `log` may be NULL and must outlive the context. */
mdm_ctx_t *mdm_ctx_create(apr_pool_t *pool, const mdm_log_t *log);

/** Microseconds since 1970 UTC: the real clock unless the context has a fixed one. */
apr_time_t mdm_ctx_now(const mdm_ctx_t *ctx);

/**
 * Note a failure and return its code, so that callers write `return mdm_fail(ctx, MDM_EINPUT, "...")`.
 * Only the first detail is kept: it is the closest to the cause.
 * @param rv  the code; never APR_SUCCESS
 * @param fmt printf-like, APR's formatter; no secrets, no line breaks needed
 * @return rv
 */
apr_status_t mdm_fail(mdm_ctx_t *ctx, apr_status_t rv, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/** The sentence of the first failure, or APR's text for `rv` when nobody gave one. */
const char *mdm_ctx_detail(mdm_ctx_t *ctx, apr_status_t rv);

/**
 * The same for who asked. What a database says of its troubles is for the error log: it can name hosts, users and
 * files.
 */
const char *mdm_ctx_reason(mdm_ctx_t *ctx, apr_status_t rv);

/** Forget a failure that has been dealt with, so that the next one is reported afresh. */
void mdm_ctx_clear(mdm_ctx_t *ctx);

#endif
