/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests in, answers out: bodies with a limit, answers that no cache keeps, and the one table that turns
 * the core's codes into HTTP statuses. What sends gives the request's database connection back first: a client may
 * take as long as it likes to read. Any request thread.
 */
#ifndef MOD_MDM_IO_H
#define MOD_MDM_IO_H

#include "mdm_bytes.h"
#include "mdm_store.h"
#include "mod_mdm_config.h"

#define MDM_LIMIT_DEFAULT (4 * 1024 * 1024)
#define MDM_LIMIT_SCEP 65536

/** The context of a request; its pool is r->pool, its log the request's. */
mdm_ctx_t *mdm_io_ctx(request_rec *r);

/**
 * Read the whole body, whatever the method and the transfer coding.
 * @param limit in bytes, unless the Location has an MDMLimitRequestBody
 * @return MDM_ETOOBIG beyond the limit; MDM_EINPUT for a content coding nobody undid; APR's code when the
 *         client broke off
 */
apr_status_t mdm_io_body(mdm_bytes_t *body, mdm_ctx_t *ctx, request_rec *r, apr_off_t limit);

/** The HTTP status of a code; 500 for those that have no place in an answer. */
int mdm_io_status(apr_status_t rv);

/** Send an answer that is not to be cached. @param type Content-Type; @return what a handler returns */
int mdm_io_send(request_rec *r, int status, const char *type, mdm_bytes_t body);

/**
 * Send an answer that caches may keep for `max_age`, or 304 when the client has it. Its ETag is made of its
 * bytes. @param modified Last-Modified; @return what a handler returns
 */
int mdm_io_send_cached(request_rec *r, const char *type, mdm_bytes_t body, apr_time_t modified,
                       apr_interval_time_t max_age);

/**
 * Answer a failure: log its sentence once (own faults as errors, others' as info), and send it as plain text
 * with the status of mdm_io_status; 503 comes with Retry-After.
 */
int mdm_io_fail(request_rec *r, mdm_ctx_t *ctx, apr_status_t rv);

/** The same without the body: for callers whose answers have a form of their own. */
int mdm_io_log_failure(request_rec *r, mdm_ctx_t *ctx, apr_status_t rv);

/** Whether the method is among those named ("GET", ..., NULL). If not, sends 405 with Allow: *answer. */
int mdm_io_method(int *answer, request_rec *r, const char *const *allowed);

/**
 * The first query parameter of this name, percent-decoded.
 * @param plus nonzero: a plus sign is a space, as forms write it
 * @return NULL when there is none or it is no UTF-8 text
 */
const char *mdm_io_query(request_rec *r, const char *name, int plus);

/** Leave figures of the request for log formats: the notes mdm-statements and mdm-rsa. */
void mdm_io_note(request_rec *r, const mdm_ctx_t *ctx, const mdm_store_t *st);

#endif
