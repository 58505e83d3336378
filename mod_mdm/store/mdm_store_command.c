/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands as they were enqueued: one row, whatever the number of enrollments it goes to, its body sealed
 * once. Called by the API in any thread.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_store_queue.h"
#include "mdm_store_row.h"

#define BODY "mdm_command.body"
#define ORDERER "mdm_command.orderer"

static apr_status_t find(mdm_rows_t **rows, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    apr_status_t rv = mdm_db_select(rows, st->db, stmt, args);

    return rv == APR_SUCCESS && !(*rows)->count ? MDM_ENOTFOUND : rv;
}

/* The INSERT did nothing: whose place was it? */
static apr_status_t name_conflict(mdm_store_t *st, const mdm_command_t *c)
{
    const char *key[] = { c->created_by, c->idempotency_key };
    mdm_rows_t *rows;
    apr_status_t rv = c->idempotency_key ? find(&rows, st, STMT_COMMAND_BY_KEY, key) : MDM_ENOTFOUND;

    if (rv == APR_SUCCESS)
        return mdm_fail(st->ctx, MDM_EEXIST, "the idempotency key has been used");
    if (rv == MDM_ENOTFOUND && (rv = find(&rows, st, STMT_COMMAND_GET, &c->uuid)) == APR_SUCCESS)
        return mdm_fail(st->ctx, MDM_EEXIST, "there is a command with the CommandUUID %s already", c->uuid);
    /* the id was: another try makes another */
    return rv == MDM_ENOTFOUND ? mdm_fail(st->ctx, MDM_ECONFLICT, "the number of a command was taken") : rv;
}

apr_status_t mdm_store_command_insert(mdm_store_t *st, const mdm_command_t *c)
{
    const char *id = mdm_row_text(st, c->id), *body, *orderer = NULL;
    apr_status_t rv = mdm_row_seal(&body, st, mdm_bytes_of(c->body), BODY, id);
    int inserted = 0;

    if (rv == APR_SUCCESS && c->created_by)
        rv = mdm_row_seal(&orderer, st, mdm_bytes_of(c->created_by), ORDERER, id);
    if (rv == APR_SUCCESS) {
        const char *args[] = {
            id, c->uuid, c->request_type, c->created_by, mdm_row_text(st, c->created_at), body,
            mdm_row_text(st, c->delivery), mdm_row_text(st, c->not_before), mdm_row_text(st, c->not_after),
            mdm_row_text(st, c->priority), mdm_row_text(st, c->approval), c->supersede_key, c->idempotency_key,
            c->request_sha256, orderer, c->note
        };

        rv = mdm_db_exec(&inserted, st->db, STMT_COMMAND_INSERT, args);
    }
    return rv == APR_SUCCESS && !inserted ? name_conflict(st, c) : rv;
}

static const char *open_name(mdm_store_t *st, const char *sealed, const char *column, const char *id)
{
    mdm_bytes_t name = { NULL, 0 };

    if (mdm_row_unseal(&name, st, sealed, column, id) != APR_SUCCESS)
        mdm_ctx_clear(st->ctx);
    return name.len ? (const char *)name.data : NULL;
}

apr_status_t mdm_store_command_people(mdm_command_people_t *people, mdm_store_t *st, apr_int64_t id)
{
    const char *number = mdm_row_text(st, id);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_COMMAND_PEOPLE, &number);

    memset(people, 0, sizeof(*people));
    if (rv == APR_SUCCESS && rows->count) {
        people->orderer = open_name(st, MDM_ROW(rows, 0, 0), ORDERER, number);
        people->approver = open_name(st, MDM_ROW(rows, 0, 1), MDM_COLUMN_APPROVER, number);
        people->created_by = MDM_ROW(rows, 0, 2);
        people->note = MDM_ROW(rows, 0, 3);
    }
    return rv;
}

static apr_status_t read_command(mdm_command_t **out, mdm_store_t *st, const mdm_rows_t *rows)
{
    mdm_command_t *c = apr_pcalloc(st->ctx->pool, sizeof(*c));
    mdm_bytes_t body;
    apr_status_t rv = mdm_row_unseal(&body, st, MDM_ROW(rows, 0, 5), BODY, MDM_ROW(rows, 0, 0));

    c->id = mdm_row_number(rows, 0, 0);
    c->uuid = MDM_ROW(rows, 0, 1);
    c->request_type = MDM_ROW(rows, 0, 2);
    c->created_by = MDM_ROW(rows, 0, 3);
    c->created_at = mdm_row_number(rows, 0, 4);
    c->body = (const char *)body.data;
    c->delivery = (mdm_delivery_e)mdm_row_number(rows, 0, 6);
    c->not_before = mdm_row_number(rows, 0, 7);
    c->not_after = mdm_row_number(rows, 0, 8);
    c->priority = (int)mdm_row_number(rows, 0, 9);
    c->approval = (mdm_approval_e)mdm_row_number(rows, 0, 10);
    c->decided_by = MDM_ROW(rows, 0, 11);
    c->decided_at = mdm_row_number(rows, 0, 12);
    c->supersede_key = MDM_ROW(rows, 0, 13);
    c->idempotency_key = MDM_ROW(rows, 0, 14);
    c->request_sha256 = MDM_ROW(rows, 0, 15);
    c->orderer = open_name(st, MDM_ROW(rows, 0, 16), ORDERER, MDM_ROW(rows, 0, 0));
    c->note = MDM_ROW(rows, 0, 17);
    *out = c;
    return rv;
}

apr_status_t mdm_store_command_get(mdm_command_t **out, mdm_store_t *st, const char *uuid)
{
    mdm_rows_t *rows;
    apr_status_t rv = find(&rows, st, STMT_COMMAND_GET, &uuid);

    if (rv == MDM_ENOTFOUND)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "no command %s", uuid);
    return rv == APR_SUCCESS ? read_command(out, st, rows) : rv;
}

apr_status_t mdm_store_command_by_key(mdm_command_t **out, mdm_store_t *st, const char *created_by,
                                      const char *idempotency_key)
{
    const char *args[] = { created_by, idempotency_key };
    mdm_rows_t *rows;
    apr_status_t rv = find(&rows, st, STMT_COMMAND_BY_KEY, args);

    return rv == APR_SUCCESS ? read_command(out, st, rows) : rv;
}

apr_status_t mdm_store_command_enrollments(apr_array_header_t **out, mdm_store_t *st, apr_int64_t command)
{
    const char *id = mdm_row_text(st, command), *both[] = { id, id };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_COMMAND_ENROLLMENTS, both);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(const char *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, const char *) = MDM_ROW(rows, r, 0);
    return APR_SUCCESS;
}

apr_status_t mdm_store_targets(apr_array_header_t *ids, apr_array_header_t *missing, mdm_store_t *st,
                               mdm_targets_e kind, const char *const *names, int count)
{
    static const mdm_stmt_e stmts[] = { STMT_TARGETS_SERIAL, STMT_TARGETS_USER, STMT_TARGETS_GROUP };
    apr_hash_t *found = apr_hash_make(st->ctx->pool);
    mdm_row_names_t sorted;
    int done, n, i;

    mdm_row_names(&sorted, st, names, count);
    for (done = 0; done < sorted.count; done += n) {
        const char *args[MDM_ROW_CHUNK];
        mdm_rows_t *rows;
        apr_status_t rv;

        n = sorted.count - done < MDM_ROW_CHUNK ? sorted.count - done : MDM_ROW_CHUNK;
        mdm_row_chunk(args, sorted.names + done, n);
        if ((rv = mdm_db_select(&rows, st->db, stmts[kind], args)) != APR_SUCCESS)
            return rv;
        for (i = 0; i < rows->count; i++) {
            apr_hash_set(found, MDM_ROW(rows, i, 0), APR_HASH_KEY_STRING, "");
            APR_ARRAY_PUSH(ids, const char *) = MDM_ROW(rows, i, 1);
        }
    }
    for (i = 0; i < sorted.count; i++) {
        if (!apr_hash_get(found, sorted.names[i], APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(missing, const char *) = sorted.names[i];
    }
    return APR_SUCCESS;
}

/* Columns of the members; held is the first of held, not_before. */
static const char *open_state(mdm_store_t *st, const mdm_rows_t *rows, int r, int notnow, int sent_at, int held)
{
    if (mdm_row_number(rows, r, held))
        return "held";
    if (mdm_row_number(rows, r, held + 1) > mdm_ctx_now(st->ctx))
        return "scheduled";
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
        item->state = MDM_ROW(rows, r, 7) ? MDM_ROW(rows, r, 7) : open_state(st, rows, r, 3, 6, 12);
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
        item->state = open_state(st, rows, r, 2, 5, 6);
        item->not_before = mdm_row_number(rows, r, 7);
        item->not_after = mdm_row_number(rows, r, 8);
        item->priority = (int)mdm_row_number(rows, r, 9);
        item->tries = (int)mdm_row_number(rows, r, 3);
        item->queued_at = mdm_row_number(rows, r, 4);
        item->sent_at = mdm_row_number(rows, r, 5);
        APR_ARRAY_PUSH(*out, mdm_queue_item_t *) = item;
    }
    return APR_SUCCESS;
}
