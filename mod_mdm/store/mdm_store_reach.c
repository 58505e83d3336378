/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Silence and wake-ups of enrollments. Devices are walked by their ids in bounded steps, so that a look at a hundred
 * thousand of them holds up nobody. Any thread.
 */
#include "mdm_store_reach.h"
#include "mdm_store_row.h"

static mdm_silence_t from_row(const mdm_rows_t *rows, int r)
{
    mdm_silence_t s = { 0 };
    apr_time_t seen = mdm_row_number(rows, r, 2), token = mdm_row_number(rows, r, 3);

    s.enrollment = mdm_row_number(rows, r, 0);
    s.enrollment_id = MDM_ROW(rows, r, 1);
    s.heard_at = seen > token ? seen : token;
    s.silent_since = mdm_row_number(rows, r, 4);
    s.dead = mdm_row_number(rows, r, 5) != 0;
    return s;
}

apr_status_t mdm_store_silence_find(apr_array_header_t **out, apr_int64_t *cursor, mdm_store_t *st, apr_time_t before,
                                    int step)
{
    const char *from = mdm_row_text(st, *cursor), *limit = mdm_row_text(st, step), *then = mdm_row_text(st, before);
    const char *range[] = { from, limit }, *find[] = { from, NULL, then, then, then, then, limit };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_SILENCE_RANGE, range);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, 0, sizeof(mdm_silence_t));
    *cursor = rows->count ? mdm_row_number(rows, 0, 0) : 0;
    if (!*cursor)
        return APR_SUCCESS;
    find[1] = mdm_row_text(st, *cursor);
    rv = mdm_db_select(&rows, st->db, STMT_SILENCE_FIND, find);
    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_silence_t) = from_row(rows, r);
    return rv;
}

apr_status_t mdm_store_silence_begin(int *noted, mdm_store_t *st, apr_int64_t enrollment, apr_time_t since,
                                     apr_time_t before)
{
    const char *then = mdm_row_text(st, before);
    const char *args[] = { mdm_row_text(st, since), mdm_row_text(st, enrollment), then, then };

    *noted = 0;
    return mdm_db_exec(noted, st->db, STMT_SILENCE_BEGIN, args);
}

apr_status_t mdm_store_silence_end(int *noted, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);

    *noted = 0;
    return mdm_db_exec(noted, st->db, STMT_SILENCE_END, &id);
}

apr_status_t mdm_store_reach(mdm_reach_t *reach, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);
    mdm_reach_t none = { 0 };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_REACH, &id);

    *reach = none;
    if (rv != APR_SUCCESS || !rows->count)
        return rv;
    reach->last_at = mdm_row_number(rows, 0, 0);
    reach->last_reason = MDM_ROW(rows, 0, 1);
    reach->dead = mdm_row_number(rows, 0, 2) != 0;
    reach->due_at = mdm_row_number(rows, 0, 3);
    reach->repushes = (int)mdm_row_number(rows, 0, 4);
    return APR_SUCCESS;
}
