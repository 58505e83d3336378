/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollments: devices and their user channels. Called by the check-in, the connect path and the API in any
 * thread. Rows are never deleted: history refers to them. Every enrollment has its row in mdm_push from the
 * start.
 */
#include <apr_strings.h>

#include "mdm_store_certificate.h"
#include "mdm_store_enrollment.h"
#include "mdm_store_row.h"

#define TOKEN "mdm_enrollment.push_token"
#define MAGIC "mdm_enrollment.push_magic"
#define UNLOCK "mdm_enrollment.unlock_token"

/* queries have it behind the columns that all have */
#define PEM_COLUMN 27

const char *mdm_state_name(mdm_state_e state)
{
    static const char *const names[] = { "unknown", "pending", "enrolled", "left", "wiped", "unmanaged", "missing" };

    return (unsigned int)state < sizeof(names) / sizeof(names[0]) ? names[state] : names[0];
}

static mdm_enrollment_t *from_row(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_enrollment_t *e = apr_pcalloc(st->ctx->pool, sizeof(*e));

    e->id = mdm_row_number(rows, r, 0);
    e->enrollment_id = MDM_ROW(rows, r, 1);
    e->type = MDM_ROW(rows, r, 2);
    e->parent = mdm_row_number(rows, r, 3);
    e->state = (mdm_state_e)mdm_row_number(rows, r, 4);
    e->user = MDM_ROW(rows, r, 5);
    e->certificate = MDM_ROW(rows, r, 6);
    e->topic = MDM_ROW(rows, r, 7);
    e->token_update_tally = (int)mdm_row_number(rows, r, 8);
    e->created_at = mdm_row_number(rows, r, 9);
    e->enrolled_at = mdm_row_number(rows, r, 10);
    e->left_at = mdm_row_number(rows, r, 11);
    e->last_seen_at = mdm_row_number(rows, r, 12);
    e->last_ip = MDM_ROW(rows, r, 13);
    e->serial_number = MDM_ROW(rows, r, 14);
    e->model = MDM_ROW(rows, r, 15);
    e->model_name = MDM_ROW(rows, r, 16);
    e->device_name = MDM_ROW(rows, r, 17);
    e->product_name = MDM_ROW(rows, r, 18);
    e->os_version = MDM_ROW(rows, r, 19);
    e->build_version = MDM_ROW(rows, r, 20);
    e->imei = MDM_ROW(rows, r, 21);
    e->meid = MDM_ROW(rows, r, 22);
    e->user_short_name = MDM_ROW(rows, r, 23);
    e->user_long_name = MDM_ROW(rows, r, 24);
    e->awaiting_configuration = mdm_row_number(rows, r, 25) != 0;
    e->silent_since = mdm_row_number(rows, r, 26);
    if (rows->columns > PEM_COLUMN)
        e->pem = MDM_ROW(rows, r, PEM_COLUMN);
    return e;
}

apr_status_t mdm_store_enrollment_get(mdm_enrollment_t **out, mdm_store_t *st, const char *enrollment_id)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_ENROLLMENT_GET, &enrollment_id);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "no enrollment %s", enrollment_id);
    *out = from_row(st, rows, 0);
    return APR_SUCCESS;
}

static apr_status_t select_list(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt,
                                const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_enrollment_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_enrollment_t *) = from_row(st, rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_enrollment_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor,
                                       int limit)
{
    const char *args[] = { cursor ? cursor : "", mdm_row_text(st, limit) };

    return select_list(out, st, STMT_ENROLLMENT_LIST, args);
}

apr_status_t mdm_store_enrollment_query(apr_array_header_t **out, mdm_store_t *st, const mdm_enrollment_query_t *q)
{
    const char *enabled = mdm_row_text(st, q->enabled);
    const char *args[] = {
        q->ids, mdm_row_text(st, q->with_certificate), q->cursor ? q->cursor : "", enabled, enabled, q->serials,
        q->serials, q->user_short_names, q->user_short_names, q->types, q->types, mdm_row_text(st, q->limit),
        mdm_row_text(st, q->offset)
    };
    int pgsql = mdm_db_kind(st->db) == MDM_DB_PGSQL;

    if (!strcmp(q->ids, "[]"))
        return select_list(out, st, pgsql ? STMT_ENROLLMENT_QUERY_PGSQL : STMT_ENROLLMENT_QUERY_SQLITE3, args + 1);
    return select_list(out, st, pgsql ? STMT_ENROLLMENT_QUERY_IDS_PGSQL : STMT_ENROLLMENT_QUERY_IDS_SQLITE3, args);
}

apr_status_t mdm_store_enrollment_newest(apr_array_header_t **out, mdm_store_t *st, int limit)
{
    const char *args[] = { mdm_row_text(st, limit) };

    return select_list(out, st, STMT_ENROLLMENT_NEWEST, args);
}

apr_status_t mdm_store_enrollment_insert(mdm_store_t *st, const mdm_enrollment_t *e)
{
    const char *id = mdm_row_text(st, e->id);
    const char *args[] = {
        id, e->enrollment_id, e->type, mdm_row_text(st, e->parent), mdm_row_text(st, e->state), e->user,
        e->certificate, e->topic, mdm_row_text(st, e->token_update_tally), mdm_row_text(st, e->created_at),
        mdm_row_text(st, e->enrolled_at), mdm_row_text(st, e->left_at), mdm_row_text(st, e->last_seen_at),
        e->last_ip, e->serial_number, e->model, e->model_name, e->device_name, e->product_name, e->os_version,
        e->build_version, e->imei, e->meid, e->user_short_name, e->user_long_name
    };
    apr_status_t rv = mdm_db_exec(NULL, st->db, STMT_ENROLLMENT_INSERT, args);

    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_PUSH_INSERT, &id) : rv;
}

static apr_status_t forget_pushes(mdm_store_t *st, apr_int64_t id, apr_int64_t device)
{
    const char *args[] = { mdm_row_text(st, id), mdm_row_text(st, device) };

    return mdm_db_exec(NULL, st->db, STMT_PUSH_FORGET, args);
}

/* Rule and directory groups hold who is enrolled or missing, with the user channels. */
static apr_status_t leave_groups(mdm_store_t *st, apr_int64_t id)
{
    const char *row = mdm_row_text(st, id), *args[] = { row, row };

    return mdm_db_exec(NULL, st->db, STMT_MEMBER_CLOSE, args);
}

/* at: when it began anew; NULL: it did not, and what was ordered for it before stays good */
static apr_status_t replace(mdm_store_t *st, const mdm_enrollment_t *e, const char *at)
{
    const char *args[] = {
        e->type, mdm_row_text(st, e->parent), e->user, e->certificate, e->topic, e->serial_number, e->model,
        e->model_name, e->device_name, e->product_name, e->os_version, e->build_version, e->imei, e->meid,
        e->user_short_name, e->user_long_name, at, mdm_row_text(st, e->id)
    };
    apr_status_t rv = mdm_row_change(st, STMT_ENROLLMENT_AUTHENTICATE, args);

    if (rv == MDM_ENOTFOUND)
        return mdm_fail(st->ctx, rv, "no enrollment with the id %" APR_INT64_T_FMT, e->id);
    return rv == APR_SUCCESS ? forget_pushes(st, e->id, 0) : rv;
}

apr_status_t mdm_store_enrollment_authenticate(mdm_store_t *st, const mdm_enrollment_t *e)
{
    apr_status_t rv = replace(st, e, mdm_row_text(st, mdm_ctx_now(st->ctx)));

    return rv == APR_SUCCESS ? leave_groups(st, e->id) : rv;
}

apr_status_t mdm_store_enrollment_replace(mdm_store_t *st, const mdm_enrollment_t *e)
{
    return replace(st, e, NULL);
}

static apr_status_t make_unmanaged(mdm_store_t *st, const mdm_enrollment_t *e)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *args[] = {
        e->user, e->certificate, now, now, e->last_ip, e->serial_number, e->device_name, e->product_name,
        e->build_version, e->imei, e->meid, mdm_row_text(st, e->id)
    };
    apr_status_t rv = mdm_row_change(st, STMT_ENROLLMENT_UNMANAGED, args);

    return rv == APR_SUCCESS ? mdm_store_certificate_bind(st, e->certificate, e->id) : rv;
}

apr_status_t mdm_store_enrollment_unmanaged(mdm_store_t *st, mdm_enrollment_t *e)
{
    mdm_enrollment_t *old;
    apr_status_t rv = mdm_store_enrollment_get(&old, st, e->enrollment_id);

    if (rv == APR_SUCCESS) {
        e->id = old->id;
        if (old->state == MDM_STATE_PENDING || old->state == MDM_STATE_ENROLLED) {
            e->state = old->state;
            return APR_SUCCESS;
        }
        rv = leave_groups(st, e->id);
    } else if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(st->ctx);
        e->id = mdm_id_next();
        e->state = MDM_STATE_UNMANAGED;
        e->created_at = mdm_ctx_now(st->ctx);
        rv = mdm_store_enrollment_insert(st, e);
    }
    return rv == APR_SUCCESS ? make_unmanaged(st, e) : rv;
}

apr_status_t mdm_store_enrollment_reset_users(mdm_store_t *st, apr_int64_t device, const char *user)
{
    const char *args[] = { user, mdm_row_text(st, device) };
    int affected = 0;
    apr_status_t rv = mdm_db_exec(&affected, st->db, STMT_ENROLLMENT_RESET_USERS, args);

    return rv == APR_SUCCESS && affected ? forget_pushes(st, 0, device) : rv;
}

apr_status_t mdm_store_enrollment_token_update(mdm_store_t *st, apr_int64_t id, const mdm_tokens_t *tokens)
{
    const char *row = mdm_row_text(st, id), *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *token, *magic, *unlock = NULL;
    apr_status_t rv = mdm_row_seal(&token, st, tokens->push_token, TOKEN, row);

    if (rv == APR_SUCCESS)
        rv = mdm_row_seal(&magic, st, mdm_bytes_of(tokens->push_magic), MAGIC, row);
    if (rv == APR_SUCCESS && tokens->unlock_token.len)
        rv = mdm_row_seal(&unlock, st, tokens->unlock_token, UNLOCK, row);
    if (rv == APR_SUCCESS) {
        const char *args[] = { now, now, tokens->topic, token, magic, unlock, tokens->certificate,
                               tokens->awaiting_configuration ? "1" : "0", row };

        rv = mdm_row_change(st, STMT_ENROLLMENT_TOKEN_UPDATE, args);
    }
    return rv != MDM_ENOTFOUND ? rv : mdm_fail(st->ctx, rv, "no enrollment with the id %s", row);
}

apr_status_t mdm_store_enrollment_close(mdm_store_t *st, apr_int64_t id, mdm_state_e state)
{
    const char *row = mdm_row_text(st, id);
    const char *args[] = { mdm_row_text(st, state), mdm_row_text(st, mdm_ctx_now(st->ctx)), row, row };
    int missing = state == MDM_STATE_MISSING;
    apr_status_t rv = mdm_row_change(st, missing ? STMT_ENROLLMENT_MISS : STMT_ENROLLMENT_CLOSE, args);

    if (rv == MDM_ENOTFOUND)
        return mdm_fail(st->ctx, rv, "no enrollment with the id %s", row);
    if (rv == APR_SUCCESS && !missing)
        rv = leave_groups(st, id);
    return rv == APR_SUCCESS ? forget_pushes(st, id, id) : rv;
}

apr_status_t mdm_store_enrollment_imported(mdm_store_t *st, apr_int64_t id, int token_update_tally,
                                           apr_time_t last_seen_at)
{
    const char *args[] = { mdm_row_text(st, token_update_tally), mdm_row_text(st, last_seen_at), mdm_row_text(st, id) };

    return mdm_db_exec(NULL, st->db, STMT_ENROLLMENT_IMPORTED, args);
}

apr_status_t mdm_store_enrollment_seen(mdm_store_t *st, apr_int64_t id, apr_time_t at, const char *ip)
{
    const char *when = mdm_row_text(st, at);
    const char *args[] = { when, ip, mdm_row_text(st, id), when };

    return mdm_db_exec(NULL, st->db, STMT_ENROLLMENT_SEEN, args);
}
