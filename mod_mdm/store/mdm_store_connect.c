/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one SELECT of a device's message, in three forms: a device that reports nothing costs no look-up of a command,
 * and one that checks in none of the next one either. Runs in every request of every device: index look-ups only, and
 * nothing is unsealed unless there is a command to serve.
 */
#include <apr_strings.h>

#include "mdm_store_connect.h"
#include "mdm_store_row.h"

static apr_status_t open_body(mdm_connect_row_t *row, mdm_store_t *st, const char *id, const char *sealed)
{
    mdm_bytes_t body;
    apr_status_t rv = mdm_row_unseal(&body, st, sealed, "mdm_command.body", id);

    if (rv == APR_SUCCESS)
        row->next_body = (const char *)body.data;
    return rv;
}

/* The columns that all three statements begin with. */
static void read_identity(mdm_connect_row_t *row, const mdm_rows_t *rows)
{
    row->certificate_known = 1;
    row->serial = MDM_ROW(rows, 0, 0);
    row->bound_to = mdm_row_number(rows, 0, 1);
    row->not_after = mdm_row_number(rows, 0, 2);
    row->revoked_at = mdm_row_number(rows, 0, 3);
    row->replaced_by = MDM_ROW(rows, 0, 4);
    row->certificate_user = MDM_ROW(rows, 0, 5);
    row->certificate_session = mdm_row_number(rows, 0, 6);
    row->enrollment = mdm_row_number(rows, 0, 7);
    row->parent = mdm_row_number(rows, 0, 8);
    row->state = (mdm_state_e)mdm_row_number(rows, 0, 9);
    row->last_seen_at = mdm_row_number(rows, 0, 10);
    row->certificate = MDM_ROW(rows, 0, 11);
}

apr_status_t mdm_store_checkin(mdm_connect_row_t **out, mdm_store_t *st, const char *fingerprint,
                               const char *enrollment_id)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx)), *args[] = { now, now, enrollment_id, fingerprint };
    mdm_connect_row_t *row = apr_pcalloc(st->ctx->pool, sizeof(*row));
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_CHECKIN, args);

    *out = row;
    if (rv != APR_SUCCESS || !rows->count)
        return rv;
    read_identity(row, rows);
    row->auth_token = MDM_ROW(rows, 0, 12);
    row->has_work = (int)mdm_row_number(rows, 0, 13);
    return APR_SUCCESS;
}

apr_status_t mdm_store_connect(mdm_connect_row_t **out, mdm_store_t *st, const char *fingerprint,
                               const char *enrollment_id, const char *answered_uuid, int skip_notnow)
{
    const char *most_notnow = skip_notnow ? "0" : "1", *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *report[] = { enrollment_id, answered_uuid, most_notnow, now, now, fingerprint };
    const char *idle[] = { enrollment_id, most_notnow, now, now, fingerprint };
    mdm_connect_row_t *row = apr_pcalloc(st->ctx->pool, sizeof(*row));
    int next = answered_uuid ? 17 : 13;     /* the column of n.id */
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, answered_uuid ? STMT_CONNECT : STMT_CONNECT_IDLE,
                                    answered_uuid ? report : idle);

    if (rv != APR_SUCCESS)
        return rv;
    *out = row;
    if (!rows->count)
        return APR_SUCCESS;
    read_identity(row, rows);
    row->has_notnow = (int)mdm_row_number(rows, 0, 12);
    row->answered = answered_uuid ? mdm_row_number(rows, 0, 13) : 0;
    row->answered_id = answered_uuid ? mdm_row_number(rows, 0, 14) : 0;
    row->answered_type = row->answered_id ? MDM_ROW(rows, 0, 15) : NULL;
    row->answered_delivery = (mdm_delivery_e)(row->answered_id ? mdm_row_number(rows, 0, 16) : 0);
    row->next = mdm_row_number(rows, 0, next);
    row->has_work = row->next != 0;
    row->next_uuid = MDM_ROW(rows, 0, next + 1);
    row->next_delivery = (mdm_delivery_e)mdm_row_number(rows, 0, next + 3);
    row->auth_token = MDM_ROW(rows, 0, next + 4);
    row->next_type = MDM_ROW(rows, 0, next + 5);
    row->next_outlived = (int)mdm_row_number(rows, 0, next + 6);
    return row->next ? open_body(row, st, MDM_ROW(rows, 0, next), MDM_ROW(rows, 0, next + 2)) : APR_SUCCESS;
}
