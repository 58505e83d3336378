/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How open commands end without an answer, and how old ones are forgotten: cancelled, decided, over their time.
 * Called by the API (any thread) and the housekeeper, never in a device's request. Everything is set-based: first the
 * result rows, then the open rows that have one.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_store_push.h"
#include "mdm_store_queue.h"
#include "mdm_store_row.h"

#define START_STEP MDM_ROW_CHUNK

static apr_status_t list_of(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(const char *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, const char *) = MDM_ROW(rows, r, 0);
    return APR_SUCCESS;
}

/* ---- by a person */

apr_status_t mdm_store_command_cancel(int *cancelled, mdm_store_t *st, apr_int64_t command, const char *enrollment_id,
                                      const char *reason)
{
    const char *id = mdm_row_text(st, command);
    const char *args[] = { reason, mdm_row_text(st, mdm_ctx_now(st->ctx)), id, enrollment_id };
    apr_status_t rv = mdm_db_exec(cancelled, st->db, enrollment_id ? STMT_QUEUE_CANCEL_ONE_RESULT
                                  : STMT_QUEUE_CANCEL_COMMAND_RESULTS, args);

    return rv == APR_SUCCESS && *cancelled ? mdm_db_exec(NULL, st->db, STMT_QUEUE_CANCEL_COMMAND, &id) : rv;
}

apr_status_t mdm_store_queue_clear(int *cancelled, mdm_store_t *st, const char *enrollment_id, const char *reason)
{
    const char *args[] = { reason, mdm_row_text(st, mdm_ctx_now(st->ctx)), enrollment_id };
    apr_status_t rv = mdm_db_exec(cancelled, st->db, STMT_QUEUE_CLEAR_RESULTS, args);

    return rv == APR_SUCCESS && *cancelled ? mdm_db_exec(NULL, st->db, STMT_QUEUE_CLEAR, &enrollment_id) : rv;
}

apr_status_t mdm_store_queue_unsent_by(apr_array_header_t **out, mdm_store_t *st, const char *created_by)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_QUEUE_UNSENT_BY, &created_by);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count + 1, sizeof(mdm_queue_unsent_t));
    for (r = 0; r < rows->count; r++) {
        mdm_queue_unsent_t *row = apr_array_push(*out);

        row->command = mdm_row_number(rows, r, 0);
        row->uuid = MDM_ROW(rows, r, 1);
        row->enrollment_id = MDM_ROW(rows, r, 2);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_command_sent(apr_array_header_t **out, mdm_store_t *st, apr_int64_t command, int limit)
{
    const char *args[] = { mdm_row_text(st, command), mdm_row_text(st, limit) };

    return list_of(out, st, STMT_QUEUE_SENT_OF_COMMAND, args);
}

apr_status_t mdm_store_queue_sent_list(apr_array_header_t **out, mdm_store_t *st, const char *enrollment_id, int limit)
{
    const char *args[] = { enrollment_id, mdm_row_text(st, limit) };

    return list_of(out, st, STMT_QUEUE_SENT_OF_ENROLLMENT, args);
}

apr_status_t mdm_store_command_decide(mdm_store_t *st, apr_int64_t id, mdm_approval_e approval, const char *by)
{
    const char *number = mdm_row_text(st, id), *sealed = NULL;
    const char *args[] = { mdm_row_text(st, approval), by, mdm_row_text(st, mdm_ctx_now(st->ctx)), NULL, number };
    apr_status_t rv = approval != MDM_APPROVAL_GIVEN ? APR_SUCCESS
                      : mdm_row_seal(&sealed, st, mdm_bytes_of(by), MDM_COLUMN_APPROVER, number);

    args[3] = sealed;
    return rv == APR_SUCCESS ? mdm_row_change(st, STMT_COMMAND_DECIDE, args) : rv;
}

apr_status_t mdm_store_command_hold(mdm_store_t *st, apr_int64_t id, const char *orderer, const char *request_type)
{
    const char *number = mdm_row_text(st, id), *args[] = { orderer, request_type, number };
    apr_status_t rv = mdm_db_exec(NULL, st->db, STMT_COMMAND_HOLD, args);

    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_QUEUE_HOLD, &number) : rv;
}

apr_status_t mdm_store_queue_release(int *released, mdm_store_t *st, apr_int64_t command)
{
    const char *id = mdm_row_text(st, command);

    return mdm_db_exec(released, st->db, STMT_QUEUE_RELEASE, &id);
}

apr_status_t mdm_store_command_counts(apr_array_header_t **out, mdm_store_t *st, apr_int64_t command)
{
    const char *id = mdm_row_text(st, command), *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)), id, id };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_COMMAND_COUNTS, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_state_count_t));
    for (r = 0; r < rows->count; r++) {
        mdm_state_count_t *count = apr_array_push(*out);

        count->state = MDM_ROW(rows, r, 0);
        count->count = mdm_row_number(rows, r, 1);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_command_kinds(apr_array_header_t **out, mdm_store_t *st, apr_int64_t command)
{
    const char *id = mdm_row_text(st, command);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_COMMAND_KINDS, &id);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_device_kind_t));
    for (r = 0; r < rows->count; r++) {
        mdm_device_kind_t *kind = apr_array_push(*out);

        kind->type = MDM_ROW(rows, r, 0);
        kind->product_name = MDM_ROW(rows, r, 1);
        kind->os_version = MDM_ROW(rows, r, 2);
        kind->supervised = MDM_ROW(rows, r, 3) ? !strcmp(MDM_ROW(rows, r, 3), "true") : -1;
        kind->enrollment_id = MDM_ROW(rows, r, 4);
        kind->count = mdm_row_number(rows, r, 5);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_command_held(apr_array_header_t **out, mdm_store_t *st, apr_int64_t cursor, int limit)
{
    const char *args[] = { mdm_row_text(st, cursor), mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_COMMAND_HELD, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_command_t *));
    for (r = 0; r < rows->count; r++) {
        mdm_command_t *c = apr_pcalloc(st->ctx->pool, sizeof(*c));

        c->uuid = MDM_ROW(rows, r, 0);
        c->request_type = MDM_ROW(rows, r, 1);
        c->created_by = MDM_ROW(rows, r, 2);
        c->created_at = mdm_row_number(rows, r, 3);
        c->not_before = mdm_row_number(rows, r, 4);
        c->not_after = mdm_row_number(rows, r, 5);
        c->priority = (int)mdm_row_number(rows, r, 6);
        c->id = mdm_row_number(rows, r, 7);
        c->note = MDM_ROW(rows, r, 9);
        c->approval = MDM_APPROVAL_WANTED;
        APR_ARRAY_PUSH(*out, mdm_command_t *) = c;
    }
    return APR_SUCCESS;
}

/* ---- by time */

apr_status_t mdm_store_queue_edges(apr_time_t *start, apr_time_t *end, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_QUEUE_EDGES, NULL);

    int r;

    *start = *end = 0;
    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++)
        *(mdm_row_number(rows, r, 0) ? end : start) = mdm_row_number(rows, r, 1);
    return rv;
}

apr_status_t mdm_store_queue_start(int *started, int *more, mdm_store_t *st)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx)), *due[] = { now, mdm_row_text(st, START_STEP) };
    const char *args[1 + 2 * START_STEP] = { now }, *names[START_STEP];
    apr_array_header_t *ignored;
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_QUEUE_STARTING, due);
    int r, wakes = 0;

    *started = 0;
    *more = 0;
    if (rv != APR_SUCCESS || !rows->count)
        return rv;
    *more = rows->count == START_STEP;
    for (r = 0; r < rows->count; r++) {
        args[1 + 2 * r] = MDM_ROW(rows, r, 0);
        args[2 + 2 * r] = MDM_ROW(rows, r, 1);
        if (!mdm_row_number(rows, r, 3) && (!wakes || strcmp(names[wakes - 1], MDM_ROW(rows, r, 2))))
            names[wakes++] = MDM_ROW(rows, r, 2);
    }
    rv = mdm_db_exec(started, st->db, STMT_QUEUE_START, args);
    return rv == APR_SUCCESS && wakes ? mdm_store_push_want(&ignored, st, mdm_ctx_now(st->ctx), names, wakes) : rv;
}

apr_status_t mdm_store_queue_expire(int *expired, mdm_store_t *st)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx)), *most = mdm_row_text(st, MDM_QUEUE_STEP);
    const char *result[] = { "\"not answered in its time\"", now, now, most }, *row[] = { now, most };
    apr_status_t rv = mdm_db_exec(expired, st->db, STMT_QUEUE_EXPIRE_RESULTS, result);

    return rv == APR_SUCCESS && *expired ? mdm_db_exec(NULL, st->db, STMT_QUEUE_EXPIRE, row) : rv;
}

apr_status_t mdm_store_result_prune(int *pruned, mdm_store_t *st, apr_time_t before)
{
    /* What ended before then was ordered before then: their ids lead there without an index of times. */
    const char *args[] = { mdm_row_text(st, mdm_id_at(before)), mdm_row_text(st, before),
                           mdm_row_text(st, MDM_QUEUE_STEP) };

    return mdm_db_exec(pruned, st->db, STMT_RESULT_PRUNE, args);
}

apr_status_t mdm_store_command_prune(int *pruned, apr_int64_t *next, mdm_store_t *st, apr_int64_t cursor,
                                     apr_time_t before)
{
    const char *from = mdm_row_text(st, cursor), *window[] = { from, mdm_row_text(st, MDM_QUEUE_STEP) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_COMMAND_WINDOW, window);

    *pruned = 0;
    *next = 0;
    if (rv != APR_SUCCESS || !mdm_row_number(rows, 0, 2))
        return rv;
    if (mdm_row_number(rows, 0, 2) == MDM_QUEUE_STEP && mdm_row_number(rows, 0, 1) < before)
        *next = mdm_row_number(rows, 0, 0);
    {
        const char *args[] = { from, MDM_ROW(rows, 0, 0), mdm_row_text(st, before) };

        return mdm_db_exec(pruned, st->db, STMT_COMMAND_PRUNE, args);
    }
}
