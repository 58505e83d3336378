/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollment sessions by the hash of their browser's cookie. Made at the sign-in, moved on by SCEP, the
 * Profile Service and the check-in, read by the pages; a state never goes back, and the cookie itself never
 * comes here.
 */
#include <apr_strings.h>

#include "mdm_store_row.h"
#include "mdm_store_session.h"

const char *mdm_session_state_name(mdm_session_state_e state)
{
    static const char *const names[] = {
        "unset", "signed-in", "offered", "described", "identified", "delivered", "done"
    };

    return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : names[0];
}

static mdm_session_t *from_row(mdm_store_t *st, const mdm_rows_t *rows)
{
    mdm_session_t *s = apr_pcalloc(st->ctx->pool, sizeof(*s));

    s->id = mdm_row_number(rows, 0, 0);
    s->sha256 = MDM_ROW(rows, 0, 1);
    s->state = (mdm_session_state_e)mdm_row_number(rows, 0, 2);
    s->method = (mdm_session_method_e)mdm_row_number(rows, 0, 3);
    s->user = MDM_ROW(rows, 0, 4);
    s->invitation = mdm_row_number(rows, 0, 5);
    s->common_name = MDM_ROW(rows, 0, 6);
    s->certificate = MDM_ROW(rows, 0, 7);
    s->enrollment = mdm_row_number(rows, 0, 8);
    s->source_ip = MDM_ROW(rows, 0, 9);
    s->created_at = mdm_row_number(rows, 0, 10);
    s->changed_at = mdm_row_number(rows, 0, 11);
    s->expires_at = mdm_row_number(rows, 0, 12);
    s->facts.udid = MDM_ROW(rows, 0, 13);
    s->facts.serial_number = MDM_ROW(rows, 0, 14);
    s->facts.imei = MDM_ROW(rows, 0, 15);
    s->facts.meid = MDM_ROW(rows, 0, 16);
    s->facts.iccid = MDM_ROW(rows, 0, 17);
    s->facts.product = MDM_ROW(rows, 0, 18);
    s->facts.version = MDM_ROW(rows, 0, 19);
    s->facts.device_name = MDM_ROW(rows, 0, 20);
    return s;
}

static apr_status_t get(mdm_session_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no such enrollment session, or it has expired");
    *out = from_row(st, rows);
    return APR_SUCCESS;
}

apr_status_t mdm_store_session_insert(mdm_store_t *st, const mdm_session_t *s)
{
    const mdm_device_facts_t *f = &s->facts;
    const char *args[] = {
        mdm_row_text(st, s->id), s->sha256, mdm_row_text(st, s->state), mdm_row_text(st, s->method), s->user,
        mdm_row_text(st, s->invitation), s->common_name, s->certificate, mdm_row_text(st, s->enrollment),
        s->source_ip, mdm_row_text(st, s->created_at), mdm_row_text(st, s->changed_at),
        mdm_row_text(st, s->expires_at), f->udid, f->serial_number, f->imei, f->meid, f->iccid, f->product,
        f->version, f->device_name
    };

    return mdm_db_exec(NULL, st->db, STMT_SESSION_INSERT, args);
}

apr_status_t mdm_store_session_get(mdm_session_t **out, mdm_store_t *st, apr_int64_t id)
{
    const char *args[] = { mdm_row_text(st, id) };

    return get(out, st, STMT_SESSION_GET, args);
}

apr_status_t mdm_store_session_by_sha256(mdm_session_t **out, mdm_store_t *st, const char *sha256)
{
    const char *args[] = { sha256, mdm_row_text(st, mdm_ctx_now(st->ctx)) };

    return get(out, st, STMT_SESSION_BY_SHA256, args);
}

apr_status_t mdm_store_session_of_enrollment(mdm_session_t **out, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *args[] = { mdm_row_text(st, enrollment) };

    return get(out, st, STMT_SESSION_OF_ENROLLMENT, args);
}

apr_status_t mdm_store_session_advance(mdm_store_t *st, apr_int64_t id, mdm_session_state_e from,
                                       mdm_session_state_e state)
{
    const char *args[] = {
        mdm_row_text(st, state), mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, id),
        mdm_row_text(st, from ? from : state)
    };

    return mdm_row_change(st, from ? STMT_SESSION_ADVANCE : STMT_SESSION_RAISE, args);
}

apr_status_t mdm_store_session_describe(mdm_store_t *st, apr_int64_t id, const mdm_device_facts_t *f)
{
    const char *args[] = {
        f->udid, f->serial_number, f->imei, f->meid, f->iccid, f->product, f->version, f->device_name,
        mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, id)
    };

    return mdm_row_change(st, STMT_SESSION_DESCRIBE, args);
}

apr_status_t mdm_store_session_identify(mdm_store_t *st, apr_int64_t id, const char *fingerprint)
{
    const char *args[] = { fingerprint, mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, id) };

    return mdm_db_exec(NULL, st->db, STMT_SESSION_IDENTIFY, args);
}

apr_status_t mdm_store_session_done(mdm_store_t *st, apr_int64_t id, apr_int64_t enrollment)
{
    const char *args[] = {
        mdm_row_text(st, enrollment), mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, id)
    };

    return mdm_db_exec(NULL, st->db, STMT_SESSION_DONE, args);
}

apr_status_t mdm_store_session_prune(mdm_store_t *st, apr_time_t before)
{
    const char *args[] = { mdm_row_text(st, before) };

    return mdm_db_exec(NULL, st->db, STMT_SESSION_PRUNE, args);
}
