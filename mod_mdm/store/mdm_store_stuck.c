/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may stand between enrollments and what waits for them, read for many at once. Any thread; decides nothing.
 */
#include <apr_hash.h>

#include "mdm_store_row.h"
#include "mdm_store_stuck.h"

/* mdm_rollout_state_e, as it is in the table. */
#define ROLLOUT_HELD 2
#define ROLLOUT_STOPPED 3

static mdm_stuck_row_t *read_row(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_stuck_row_t *s = apr_pcalloc(st->ctx->pool, sizeof(*s));
    apr_time_t seen = mdm_row_number(rows, r, 14), token = mdm_row_number(rows, r, 15);

    s->enrollment = mdm_row_number(rows, r, 0);
    s->enrollment_id = MDM_ROW(rows, r, 1);
    s->state = (mdm_state_e)mdm_row_number(rows, r, 2);
    s->left_at = mdm_row_number(rows, r, 3);
    s->topic = MDM_ROW(rows, r, 4);
    s->has_topic = MDM_ROW(rows, r, 5) != NULL;
    s->has_identity = MDM_ROW(rows, r, 6) != NULL;
    s->not_after = mdm_row_number(rows, r, 6);
    s->revoked_at = mdm_row_number(rows, r, 7);
    s->dead = mdm_row_number(rows, r, 8) != 0;
    s->pushed_at = mdm_row_number(rows, r, 9);
    s->push_reason = MDM_ROW(rows, r, 10);
    s->repushes = (int)mdm_row_number(rows, r, 11);
    s->attempts = (int)mdm_row_number(rows, r, 12);
    s->push_due_at = mdm_row_number(rows, r, 13);
    s->heard_at = seen > token ? seen : token;
    s->open = mdm_row_number(rows, r, 16);
    s->open_since = mdm_row_number(rows, r, 17);
    s->held = mdm_row_number(rows, r, 18);
    s->starts_at = mdm_row_number(rows, r, 19);
    s->not_now = MDM_ROW(rows, r, 20);
    s->profiles = apr_array_make(st->ctx->pool, 1, sizeof(mdm_stuck_profile_t));
    return s;
}

static void read_profile(mdm_stuck_profile_t *p, const mdm_rows_t *rows, int r)
{
    p->waits = mdm_row_number(rows, r, 1) <= 1;
    p->excluded = mdm_row_number(rows, r, 1) == 0;
    p->name = MDM_ROW(rows, r, 2);
    p->held = p->waits && mdm_row_number(rows, r, 3) == ROLLOUT_HELD;
    p->stopped = p->waits && mdm_row_number(rows, r, 3) == ROLLOUT_STOPPED;
    p->step = p->waits ? (int)mdm_row_number(rows, r, 4) : 0;
    p->state = p->waits ? MDM_DESIRED_UNSET : (mdm_desired_state_e)mdm_row_number(rows, r, 3);
    p->drift = p->waits ? MDM_DRIFT_NONE : (mdm_drift_e)mdm_row_number(rows, r, 4);
    p->next_at = mdm_row_number(rows, r, 5);
    p->text = MDM_ROW(rows, r, 6);
    p->since = mdm_row_number(rows, r, 7);
    p->assignment = mdm_row_number(rows, r, 8);
    p->rollout = MDM_ROW(rows, r, 9);
    p->profile = mdm_row_number(rows, r, 10);
}

static apr_status_t add_profiles(apr_array_header_t *found, mdm_store_t *st, const char *const *ids)
{
    const char *args[2 * MDM_ROW_CHUNK];
    mdm_rows_t *rows;
    apr_status_t rv;
    int i, r;

    mdm_row_chunk(args, ids, MDM_ROW_CHUNK);
    mdm_row_chunk(args + MDM_ROW_CHUNK, ids, MDM_ROW_CHUNK);
    rv = mdm_db_select(&rows, st->db, STMT_STUCK_PROFILES, args);
    for (i = r = 0; rv == APR_SUCCESS && i < found->nelts; i++) {
        mdm_stuck_row_t *s = APR_ARRAY_IDX(found, i, mdm_stuck_row_t *);

        while (r < rows->count && mdm_row_number(rows, r, 0) < s->enrollment)
            r++;
        for (; r < rows->count && mdm_row_number(rows, r, 0) == s->enrollment; r++)
            read_profile(apr_array_push(s->profiles), rows, r);
    }
    return rv;
}

apr_status_t mdm_store_stuck(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *enrollments, int count)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx)), *args[3 + MDM_ROW_CHUNK] = { now, now, now };
    mdm_rows_t *rows;
    apr_status_t rv;
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++)
        args[3 + i] = i < count ? mdm_row_text(st, enrollments[i]) : NULL;
    if ((rv = mdm_db_select(&rows, st->db, STMT_STUCK, args)) != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_stuck_row_t *));
    for (i = 0; i < rows->count; i++)
        APR_ARRAY_PUSH(*out, mdm_stuck_row_t *) = read_row(st, rows, i);
    return rows->count ? add_profiles(*out, st, args + 3) : APR_SUCCESS;
}

apr_status_t mdm_store_stuck_candidates(apr_array_header_t **out, mdm_store_t *st, int limit)
{
    const char *most = mdm_row_text(st, limit), *args[] = { most, most };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_STUCK_CANDIDATES, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(apr_int64_t));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, apr_int64_t) = mdm_row_number(rows, r, 0);
    return APR_SUCCESS;
}
