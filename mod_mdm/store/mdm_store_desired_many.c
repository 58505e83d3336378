/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of what should hold, read and written many at a time: for the fan-out, in its transactions. PostgreSQL locks
 * what is read, in the order of the rows; SQLite has one writer anyway.
 */
#include <apr_strings.h>

#include "mdm_store_desired.h"
#include "mdm_store_row.h"

/* Rows per statement, and columns of each, as sql/queries.desired.sql has them. */
#define PUT_ROWS 16
#define PUT_COLUMNS 3

static void put_numbers(const char **args, mdm_store_t *st, const apr_int64_t *numbers, int count)
{
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++)
        args[i] = i < count ? mdm_row_text(st, numbers[i]) : NULL;
}

static mdm_stmt_e many_stmt(mdm_store_t *st, int some, int lock)
{
    if (lock && mdm_db_kind(st->db) == MDM_DB_PGSQL)
        return some ? STMT_DESIRED_SOME_PGSQL : STMT_DESIRED_MANY_PGSQL;
    return some ? STMT_DESIRED_SOME : STMT_DESIRED_MANY;
}

apr_status_t mdm_store_desired_many(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *enrollments,
                                    int count, const apr_int64_t *profiles, int profile_count, int lock)
{
    const char *args[2 * MDM_ROW_CHUNK];
    mdm_rows_t *rows;
    apr_status_t rv;
    int r;

    put_numbers(args, st, enrollments, count);
    put_numbers(args + MDM_ROW_CHUNK, st, profiles, profiles ? profile_count : 0);
    rv = mdm_db_select(&rows, st->db, many_stmt(st, profiles != NULL, lock), args);
    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_desired_t *));
    for (r = 0; r < rows->count; r++) {
        mdm_desired_t *d = apr_pcalloc(st->ctx->pool, sizeof(*d));

        d->enrollment = mdm_row_number(rows, r, 0);
        d->profile = mdm_row_number(rows, r, 1);
        d->version = (int)mdm_row_number(rows, r, 2);
        d->want_uuid = MDM_ROW(rows, r, 3);
        d->sent_uuid = MDM_ROW(rows, r, 4);
        d->state = (mdm_desired_state_e)mdm_row_number(rows, r, 5);
        d->assignment = mdm_row_number(rows, r, 6);
        d->reason = MDM_ROW(rows, r, 7);
        d->command = mdm_row_number(rows, r, 8);
        APR_ARRAY_PUSH(*out, mdm_desired_t *) = d;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_desired_put(mdm_store_t *st, const mdm_desired_t *values, const mdm_desired_put_t *rows,
                                   int count)
{
    const char *args[6 + PUT_ROWS * PUT_COLUMNS] = {
        mdm_row_text(st, values->profile), mdm_row_text(st, values->version), mdm_row_text(st, values->state),
        mdm_row_text(st, values->assignment), mdm_row_text(st, values->command), mdm_row_text(st, mdm_ctx_now(st->ctx))
    };
    apr_status_t rv = APR_SUCCESS;
    int done, i;

    for (done = 0; rv == APR_SUCCESS && done < count; done += PUT_ROWS) {
        for (i = 0; i < PUT_ROWS; i++) {
            const mdm_desired_put_t *row = done + i < count ? &rows[done + i] : NULL;
            const char **to = args + 6 + i * PUT_COLUMNS;

            to[0] = row ? mdm_row_text(st, row->enrollment) : NULL;
            to[1] = row ? row->want_uuid : NULL;
            to[2] = row ? row->reason : NULL;
        }
        rv = mdm_db_exec(NULL, st->db, STMT_DESIRED_PUT, args);
    }
    return rv;
}

apr_status_t mdm_store_desired_supersede(mdm_store_t *st, apr_int64_t profile, apr_int64_t command, const char *reason,
                                         const apr_int64_t *enrollments, int count)
{
    const char *args[4 + MDM_ROW_CHUNK] = {
        reason, mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, command),
        apr_psprintf(st->ctx->pool, "profile:%" APR_INT64_T_FMT, profile)
    };
    int ended = 0;
    apr_status_t rv;

    put_numbers(args + 4, st, enrollments, count);
    rv = mdm_db_exec(&ended, st->db, STMT_DESIRED_SUPERSEDE_RESULTS, args);
    return rv == APR_SUCCESS && ended ? mdm_db_exec(NULL, st->db, STMT_DESIRED_SUPERSEDE, args + 4) : rv;
}
