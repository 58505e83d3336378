/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The context of one piece of work and its log lines. Called from everywhere, in any thread; a context
 * is never shared between threads.
 */
#include <stdarg.h>

#include <apr_strings.h>

#include "mdm_ctx.h"

#define LINE_MAX_BYTES 1024

mdm_ctx_t *mdm_ctx_create(apr_pool_t *pool, const mdm_log_t *log)
{
    mdm_ctx_t *ctx = apr_pcalloc(pool, sizeof(*ctx));

    ctx->pool = pool;
    ctx->log = log;
    return ctx;
}

apr_time_t mdm_ctx_now(const mdm_ctx_t *ctx)
{
    return ctx->fixed_now ? ctx->fixed_now : apr_time_now();
}

apr_status_t mdm_fail(mdm_ctx_t *ctx, apr_status_t rv, const char *fmt, ...)
{
    if (!ctx->detail) {
        va_list ap;

        va_start(ap, fmt);
        ctx->detail = apr_pvsprintf(ctx->pool, fmt, ap);
        va_end(ap);
        ctx->status = rv;
    }
    return rv;
}

const char *mdm_ctx_detail(mdm_ctx_t *ctx, apr_status_t rv)
{
    char text[160];

    if (ctx->detail)
        return ctx->detail;
    if (rv > MDM_E_START && rv <= MDM_EGONE)
        return mdm_err_name(rv);
    return apr_pstrdup(ctx->pool, apr_strerror(rv, text, sizeof(text)));
}

const char *mdm_ctx_reason(mdm_ctx_t *ctx, apr_status_t rv)
{
    return rv == MDM_EDB ? "the database is not available" : mdm_ctx_detail(ctx, rv);
}

void mdm_ctx_clear(mdm_ctx_t *ctx)
{
    ctx->status = APR_SUCCESS;
    ctx->detail = NULL;
}

void mdm_log(const mdm_ctx_t *ctx, const char *file, int line, mdm_log_level_e level, apr_status_t rv,
             const char *fmt, ...)
{
    char text[LINE_MAX_BYTES];
    va_list ap;

    if (!ctx->log || !ctx->log->wants(ctx->log, level))
        return;
    va_start(ap, fmt);
    apr_vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    ctx->log->write(ctx->log, level, file, line, rv, text);
}
