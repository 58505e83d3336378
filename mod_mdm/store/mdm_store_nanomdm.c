/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELECTs on NanoMDM's tables. Only mdmctl comes here, with a connection of its own to that database.
 */
#include "mdm_store_nanomdm.h"
#include "mdm_store_row.h"

static void read_enrollment(mdm_nanomdm_enrollment_t *e, const mdm_rows_t *rows, int r)
{
    e->id = MDM_ROW(rows, r, 0);
    e->device_id = MDM_ROW(rows, r, 1);
    e->type = MDM_ROW(rows, r, 2);
    e->topic = MDM_ROW(rows, r, 3);
    e->push_magic = MDM_ROW(rows, r, 4);
    e->token_hex = MDM_ROW(rows, r, 5);
    e->enabled = (int)mdm_row_number(rows, r, 6);
    e->token_update_tally = (int)mdm_row_number(rows, r, 7);
    e->last_seen_at = mdm_row_number(rows, r, 8);
    e->created_at = mdm_row_number(rows, r, 9);
    e->identity_cert = MDM_ROW(rows, r, 10);
    e->serial_number = MDM_ROW(rows, r, 11);
    e->unlock_token = MDM_ROW(rows, r, 12);
    e->authenticate = MDM_ROW(rows, r, 13);
    e->bootstrap_token = MDM_ROW(rows, r, 14);
    e->user_short_name = MDM_ROW(rows, r, 15);
    e->user_long_name = MDM_ROW(rows, r, 16);
    e->enrolling = (int)mdm_row_number(rows, r, 17);
}

apr_status_t mdm_store_nanomdm_enrollments(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit)
{
    const char *args[] = { cursor, mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_NANOMDM_ENROLLMENTS, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count + 1, sizeof(mdm_nanomdm_enrollment_t));
    for (r = 0; r < rows->count; r++)
        read_enrollment(apr_array_push(*out), rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_nanomdm_topics(apr_array_header_t **out, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_NANOMDM_TOPICS, NULL);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count + 1, sizeof(mdm_nanomdm_topic_t));
    for (r = 0; r < rows->count; r++) {
        mdm_nanomdm_topic_t *topic = apr_array_push(*out);

        topic->topic = MDM_ROW(rows, r, 0);
        topic->cert_pem = MDM_ROW(rows, r, 1);
        topic->key_pem = MDM_ROW(rows, r, 2);
    }
    return APR_SUCCESS;
}

static apr_status_t texts(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count + 1, sizeof(const char *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, const char *) = MDM_ROW(rows, r, 0);
    return APR_SUCCESS;
}

apr_status_t mdm_store_nanomdm_open(apr_array_header_t **uuids, mdm_store_t *st)
{
    return texts(uuids, st, STMT_NANOMDM_OPEN, NULL);
}

apr_status_t mdm_store_nanomdm_command(mdm_nanomdm_command_t *out, mdm_store_t *st, const char *uuid)
{
    const char *args[] = { uuid };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_NANOMDM_COMMAND, args);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "NanoMDM has no command %s", uuid);
    out->uuid = uuid;
    out->body = MDM_ROW(rows, 0, 0);
    return mdm_store_nanomdm_waiting(&out->enrollment_ids, st, uuid);
}

apr_status_t mdm_store_nanomdm_waiting(apr_array_header_t **out, mdm_store_t *st, const char *uuid)
{
    return texts(out, st, STMT_NANOMDM_WAITING, &uuid);
}
