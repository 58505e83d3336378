/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands as they were enqueued: one row, whatever the number of enrollments it goes to, its body sealed
 * once. Called by the API in any thread.
 */
#include <apr_strings.h>

#include "mdm_store_queue.h"
#include "mdm_store_row.h"

#define BODY "mdm_command.body"

apr_status_t mdm_store_command_insert(mdm_store_t *st, const mdm_command_t *c)
{
    const char *id = mdm_row_text(st, c->id), *body;
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_COMMAND_TAKEN, &c->uuid);

    /* of two who look at the same time the unique index stops one, whose transaction runs again */
    if (rv == APR_SUCCESS && rows->count)
        return mdm_fail(st->ctx, MDM_EEXIST, "there is a command with the CommandUUID %s already", c->uuid);
    if (rv == APR_SUCCESS)
        rv = mdm_row_seal(&body, st, mdm_bytes_of(c->body), BODY, id);
    if (rv == APR_SUCCESS) {
        const char *args[] = {
            id, c->uuid, c->request_type, c->created_by, mdm_row_text(st, c->created_at), body,
            mdm_row_text(st, c->delivery)
        };

        rv = mdm_db_exec(NULL, st->db, STMT_COMMAND_INSERT, args);
    }
    return rv;
}

apr_status_t mdm_store_command_get(mdm_command_t **out, mdm_store_t *st, const char *uuid)
{
    mdm_command_t *c = apr_pcalloc(st->ctx->pool, sizeof(*c));
    mdm_bytes_t body;
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_COMMAND_GET, &uuid);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "no command %s", uuid);
    c->id = mdm_row_number(rows, 0, 0);
    c->uuid = MDM_ROW(rows, 0, 1);
    c->request_type = MDM_ROW(rows, 0, 2);
    c->created_by = MDM_ROW(rows, 0, 3);
    c->created_at = mdm_row_number(rows, 0, 4);
    c->delivery = (mdm_delivery_e)mdm_row_number(rows, 0, 6);
    rv = mdm_row_unseal(&body, st, MDM_ROW(rows, 0, 5), BODY, MDM_ROW(rows, 0, 0));
    c->body = (const char *)body.data;
    *out = c;
    return rv;
}

static const char *open_state(const mdm_rows_t *rows, int r, int notnow, int sent_at)
{
    if (mdm_row_number(rows, r, notnow))
        return "notnow";
    return mdm_row_number(rows, r, sent_at) ? "sent" : "queued";
}

apr_status_t mdm_store_command_states(apr_array_header_t **out, mdm_store_t *st, const char *uuid,
                                      const char *cursor, int limit)
{
    const char *most = mdm_row_text(st, limit), *none = mdm_row_text(st, cursor ? APR_INT64_MAX : 0);
    const char *args[] = { uuid, cursor, none, most, uuid, cursor, none, most, most };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_COMMAND_STATES, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_queue_item_t *));
    for (r = 0; r < rows->count && rv == APR_SUCCESS; r++) {
        mdm_queue_item_t *item = apr_pcalloc(st->ctx->pool, sizeof(*item));

        item->uuid = uuid;
        item->enrollment_id = MDM_ROW(rows, r, 1);
        item->request_type = MDM_ROW(rows, r, 2);
        item->tries = (int)mdm_row_number(rows, r, 4);
        item->queued_at = mdm_row_number(rows, r, 5);
        item->sent_at = mdm_row_number(rows, r, 6);
        item->state = MDM_ROW(rows, r, 7) ? MDM_ROW(rows, r, 7) : open_state(rows, r, 3, 6);
        item->finished_at = mdm_row_number(rows, r, 8);
        item->error_chain = MDM_ROW(rows, r, 9);
        rv = mdm_store_response_open(&item->response, st, MDM_ROW(rows, r, 10), MDM_ROW(rows, r, 0),
                                     MDM_ROW(rows, r, 11));
        APR_ARRAY_PUSH(*out, mdm_queue_item_t *) = item;
    }
    return rv;
}

apr_status_t mdm_store_queue_list(apr_array_header_t **out, mdm_store_t *st, const char *enrollment_id,
                                  int limit)
{
    const char *args[] = { enrollment_id, mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_QUEUE_LIST, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_queue_item_t *));
    for (r = 0; r < rows->count; r++) {
        mdm_queue_item_t *item = apr_pcalloc(st->ctx->pool, sizeof(*item));

        item->uuid = MDM_ROW(rows, r, 0);
        item->request_type = MDM_ROW(rows, r, 1);
        item->enrollment_id = enrollment_id;
        item->state = open_state(rows, r, 2, 5);
        item->tries = (int)mdm_row_number(rows, r, 3);
        item->queued_at = mdm_row_number(rows, r, 4);
        item->sent_at = mdm_row_number(rows, r, 5);
        APR_ARRAY_PUSH(*out, mdm_queue_item_t *) = item;
    }
    return APR_SUCCESS;
}
