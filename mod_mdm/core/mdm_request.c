/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manual approval of SCEP requests: one transaction for the decision and its event. Any thread; touches no key
 * and issues nothing.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_request.h"

#define ID_DIGITS 18

typedef struct {
    mdm_store_t *st;
    apr_int64_t id;
    mdm_request_state_e state;
    const char *actor, *source;
    mdm_request_t *row;
} decision_t;

static apr_status_t work(void *baton, mdm_db_t *db)
{
    decision_t *d = baton;
    mdm_ctx_t *ctx = d->st->ctx;
    apr_status_t rv = mdm_store_request_get(&d->row, d->st, d->id);

    (void)db;
    if (rv != APR_SUCCESS)
        return rv;
    rv = mdm_store_request_decide(d->st, d->id, d->state, d->actor);
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(ctx);
        return mdm_fail(ctx, MDM_EEXIST, "request %" APR_INT64_T_FMT " has been decided already: it is %s",
                        d->id, mdm_request_state_name(d->row->state));
    }
    if (rv != APR_SUCCESS)
        return rv;
    d->row->state = d->state;
    d->row->decided_at = mdm_ctx_now(ctx);
    d->row->decided_by = d->actor;
    return mdm_store_event(d->st, d->state == MDM_REQUEST_APPROVED ? "request.approved" : "request.denied",
                           d->actor, d->source, NULL, apr_psprintf(ctx->pool, "%" APR_INT64_T_FMT, d->id),
                           d->row->subject);
}

apr_status_t mdm_request_decide(mdm_request_t **out, mdm_store_t *st, apr_int64_t id, mdm_request_state_e state,
                                const char *actor, const char *source)
{
    decision_t d = { st, id, state, actor, source, NULL };
    apr_status_t rv = mdm_db_transact(st->db, work, &d);

    if (rv != APR_SUCCESS)
        return rv;
    mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0711) "SCEP: request %" APR_INT64_T_FMT
            " %s by %s: %s", id, mdm_request_state_name(state), actor, d.row->subject);
    if (out)
        *out = d.row;
    return APR_SUCCESS;
}

apr_int64_t mdm_request_id(const char *text)
{
    apr_size_t len = text ? strlen(text) : 0;

    if (!len || len > ID_DIGITS + 1 || strspn(text, "0123456789") != len)
        return 0;
    return apr_atoi64(text);
}
