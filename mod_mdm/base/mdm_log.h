/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the core's log lines go: a sink that the border installs (ap_log_error in httpd, stderr in mdmctl).
 * The levels are httpd's. Lines carry their own id ("MDM0123: "), unique in the tree. Never log keys,
 * challenges, tokens, PushMagic, passwords or bodies.
 */
#ifndef MDM_LOG_H
#define MDM_LOG_H

#include <apr_errno.h>
#include <apr_pools.h>

typedef enum {
    MDM_LOG_CRIT = 2,
    MDM_LOG_ERR = 3,
    MDM_LOG_WARNING = 4,
    MDM_LOG_NOTICE = 5,
    MDM_LOG_INFO = 6,
    MDM_LOG_DEBUG = 7
} mdm_log_level_e;

/* The id of a log line; build/check-logids.sh keeps them unique. */
#define MDMNO(n) "MDM" #n ": "

typedef struct mdm_log_t mdm_log_t;
struct mdm_log_t {
    /* Write one line. `text` is complete; `rv` is APR_SUCCESS when there is no code to show. */
    void (*write)(const mdm_log_t *log, mdm_log_level_e level, const char *file, int line, apr_status_t rv,
                  const char *text);
    /* Whether lines of this level are wanted; lets callers skip the formatting. */
    int (*wants)(const mdm_log_t *log, mdm_log_level_e level);
    void *baton;
};

#define MDM_LOG_MARK __FILE__, __LINE__

struct mdm_ctx_t;

/** Log through the context's sink; does nothing without one. `fmt` starts with MDMNO(nnnn). */
void mdm_log(const struct mdm_ctx_t *ctx, const char *file, int line, mdm_log_level_e level, apr_status_t rv,
             const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif
