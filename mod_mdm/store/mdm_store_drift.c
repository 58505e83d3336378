/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of what should hold, read as a whole and written in few statements. Who writes here has read before, and writes
 * over nothing that has changed since. Called in any thread.
 */
#include <string.h>

#include "mdm_store_drift.h"
#include "mdm_store_row.h"

/* Rows of STMT_DRIFT_PUT. */
#define PUT_ROWS 32
#define PUT_COLUMNS 9
#define PUT_HEAD 2

static void read_row(mdm_drift_row_t *row, const mdm_rows_t *rows, int r)
{
    mdm_desired_t *d = &row->d;

    memset(row, 0, sizeof(*row));
    d->profile = mdm_row_number(rows, r, 0);
    d->identifier = MDM_ROW(rows, r, 1);
    d->name = MDM_ROW(rows, r, 2);
    d->version = (int)mdm_row_number(rows, r, 3);
    d->want_uuid = MDM_ROW(rows, r, 4);
    d->state = (mdm_desired_state_e)mdm_row_number(rows, r, 5);
    d->drift = (mdm_drift_e)mdm_row_number(rows, r, 6);
    d->command = mdm_row_number(rows, r, 7);
    row->open = mdm_row_number(rows, r, 8) != 0;
    d->tries = (int)mdm_row_number(rows, r, 9);
    d->next_try_at = mdm_row_number(rows, r, 10);
    d->first_failed_at = mdm_row_number(rows, r, 11);
    d->changed_at = mdm_row_number(rows, r, 12);
    d->verified_at = mdm_row_number(rows, r, 13);
    d->error = MDM_ROW(rows, r, 14);
    row->detail = MDM_ROW(rows, r, 15);
}

apr_status_t mdm_store_drift_rows(apr_array_header_t **out, const char **alarm, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment), *args[] = { id, id, id };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_DRIFT_ROWS, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *alarm = NULL;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_drift_row_t));
    for (r = 0; r < rows->count; r++) {
        if (mdm_row_number(rows, r, 0))
            read_row(apr_array_push(*out), rows, r);
        else
            *alarm = MDM_ROW(rows, r, 2);
    }
    return APR_SUCCESS;
}

static void put_args(const char **args, mdm_store_t *st, const mdm_desired_t *d, const char *now)
{
    args[0] = mdm_row_text(st, d->profile);
    args[1] = mdm_row_text(st, d->state);
    args[2] = mdm_row_text(st, d->drift);
    args[3] = mdm_row_text(st, d->tries);
    args[4] = mdm_row_text(st, d->next_try_at);
    args[5] = mdm_row_text(st, d->first_failed_at);
    args[6] = mdm_row_text(st, d->verified_at);
    args[7] = d->error;
    args[8] = d->version < 0 ? now : mdm_row_text(st, d->changed_at);
}

apr_status_t mdm_store_drift_put(mdm_store_t *st, apr_int64_t enrollment, const apr_array_header_t *rows)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *args[PUT_HEAD + PUT_ROWS * PUT_COLUMNS + 1] = {
        mdm_row_text(st, enrollment), "on the device without being assigned"
    };
    mdm_desired_t none = { 0 };
    apr_status_t rv = APR_SUCCESS;
    int i, filled = 0, end = rows->nelts;

    args[PUT_HEAD + PUT_ROWS * PUT_COLUMNS] = now;
    for (i = 0; rv == APR_SUCCESS && i < end; i++) {
        const mdm_drift_row_t *row = &APR_ARRAY_IDX(rows, i, mdm_drift_row_t);

        if (row->changed)
            put_args(args + PUT_HEAD + filled++ * PUT_COLUMNS, st, &row->d, now);
        if (filled == PUT_ROWS || (filled && i == end - 1)) {
            for (; filled < PUT_ROWS; filled++)
                put_args(args + PUT_HEAD + filled * PUT_COLUMNS, st, &none, now);
            rv = mdm_db_exec(NULL, st->db, STMT_DRIFT_PUT, args);
            filled = 0;
        }
    }
    return rv;
}

apr_status_t mdm_store_drift_look(mdm_command_t *command, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *args[] = { mdm_row_text(st, command->id), mdm_row_text(st, command->priority),
                           mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, enrollment) };
    int queued = 0;
    apr_status_t rv = mdm_db_exec(&queued, st->db, STMT_DRIFT_LOOK, args);

    if (rv == APR_SUCCESS && queued)
        return mdm_store_command_insert(st, command);
    command->id = 0;
    return rv;
}

apr_status_t mdm_store_remedy(int *changed, mdm_store_t *st, apr_int64_t profile, apr_int64_t command,
                              const apr_int64_t *enrollments, int count)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *args[4 + MDM_ROW_CHUNK] = { mdm_row_text(st, command), now, mdm_row_text(st, profile), now };
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++)
        args[4 + i] = i < count ? mdm_row_text(st, enrollments[i]) : NULL;
    return mdm_db_exec(changed, st->db, STMT_REMEDY, args);
}

apr_status_t mdm_store_check_size(apr_int64_t *size, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_CHECK_SIZE, NULL);

    *size = rv == APR_SUCCESS ? mdm_row_number(rows, 0, 0) : 0;
    return rv;
}

static apr_status_t queue_window(apr_array_header_t *ids, mdm_store_t *st, mdm_command_t *command, const char *from,
                                 const char *end, apr_time_t before)
{
    const char *id = mdm_row_text(st, command->id);
    const char *args[] = { id, mdm_row_text(st, command->priority), mdm_row_text(st, mdm_ctx_now(st->ctx)), from, end,
                           mdm_row_text(st, before) };
    mdm_rows_t *rows;
    int queued = 0, r;
    apr_status_t rv = mdm_db_exec(&queued, st->db, STMT_CHECK_QUEUE, args);

    if (rv == APR_SUCCESS && !queued)
        return rv;
    if (rv == APR_SUCCESS)
        rv = mdm_store_command_insert(st, command);
    if (rv == APR_SUCCESS)
        rv = mdm_db_select(&rows, st->db, STMT_CHECK_QUEUED, &id);
    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++)
        APR_ARRAY_PUSH(ids, const char *) = MDM_ROW(rows, r, 0);
    return rv;
}

apr_status_t mdm_store_check_queue(apr_array_header_t **ids, int *looked, apr_int64_t *cursor, mdm_store_t *st,
                                   mdm_command_t *command, apr_time_t before)
{
    const char *from = mdm_row_text(st, *cursor), *window[] = { from, mdm_row_text(st, MDM_QUEUE_CHUNK) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_CHECK_WINDOW, window);

    if (rv != APR_SUCCESS)
        return rv;
    *ids = apr_array_make(st->ctx->pool, 1, sizeof(const char *));
    *looked = (int)mdm_row_number(rows, 0, 1);
    *cursor = *looked == MDM_QUEUE_CHUNK ? mdm_row_number(rows, 0, 0) : 0;
    return *looked ? queue_window(*ids, st, command, from, MDM_ROW(rows, 0, 0), before) : APR_SUCCESS;
}

apr_status_t mdm_store_trouble(mdm_trouble_t *trouble, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_DRIFT_TROUBLE, NULL);
    int r;

    memset(trouble, 0, sizeof(*trouble));
    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++) {
        apr_int64_t what = mdm_row_number(rows, r, 0), count = mdm_row_number(rows, r, 1);

        if (what == MDM_DESIRED_DRIFTED)
            trouble->drifted = count;
        else if (what == MDM_DESIRED_FAILED)
            trouble->failed = count;
        else if (what == MDM_DESIRED_BLOCKED)
            trouble->blocked = count;
        else if (what == 101)
            trouble->no_enrollment_profile = count;
        else
            trouble->other_enrollment_profile = count;
    }
    return rv;
}

apr_status_t mdm_store_troubled(apr_array_header_t **out, mdm_store_t *st, int limit)
{
    const char *most = mdm_row_text(st, limit);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_DRIFT_TROUBLED, &most);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_desired_t *));
    for (r = 0; r < rows->count; r++) {
        mdm_desired_t *d = apr_pcalloc(st->ctx->pool, sizeof(*d));

        d->enrollment_id = MDM_ROW(rows, r, 0);
        d->name = MDM_ROW(rows, r, 1);
        d->state = (mdm_desired_state_e)mdm_row_number(rows, r, 2);
        d->drift = (mdm_drift_e)mdm_row_number(rows, r, 3);
        d->changed_at = mdm_row_number(rows, r, 4);
        d->error = MDM_ROW(rows, r, 5);
        d->next_try_at = mdm_row_number(rows, r, 6);
        d->reason = MDM_ROW(rows, r, 7);
        APR_ARRAY_PUSH(*out, mdm_desired_t *) = d;
    }
    return APR_SUCCESS;
}
