/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assignments. Called by the API and the worker; decides nothing about who gets what.
 */
#include "mdm_store_assignment.h"
#include "mdm_store_row.h"

const char *mdm_assignment_kind_name(mdm_assignment_kind_e kind)
{
    static const char *const names[] = { "unset", "group", "user", "enrollment" };

    return names[kind <= MDM_ASSIGNMENT_ENROLLMENT ? kind : MDM_ASSIGNMENT_UNSET];
}

const char *mdm_rollout_state_name(mdm_rollout_state_e state)
{
    static const char *const names[] = { "none", "running", "held", "stopped", "done" };

    return names[state <= MDM_ROLLOUT_DONE ? state : MDM_ROLLOUT_NONE];
}

apr_status_t mdm_store_assignment_saved(const char **known, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_ASSIGNMENT_SAVED, NULL);

    *known = rv == APR_SUCCESS && rows->count ? MDM_ROW(rows, 0, 0) : "";
    return rv;
}

apr_status_t mdm_store_assignment_save(mdm_store_t *st, const char *known)
{
    const char *args[] = { mdm_row_text(st, mdm_id_next()), known };

    return mdm_row_change(st, STMT_ASSIGNMENT_SAVE, args);
}

apr_status_t mdm_store_assignment_insert(mdm_store_t *st, const mdm_assignment_t *a)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *args[] = {
        mdm_row_text(st, a->id), mdm_row_text(st, a->profile), mdm_row_text(st, a->version), mdm_row_text(st, a->kind),
        a->target, mdm_row_text(st, a->exclude), mdm_row_text(st, a->priority), a->rollout,
        mdm_row_text(st, a->rollout_state), mdm_row_text(st, a->rollout_step), mdm_row_text(st, a->rollout_version),
        mdm_row_text(st, a->rollout_from), mdm_row_text(st, a->rollout_at), a->rollout_reason, a->created_by, now, now
    };

    return mdm_db_exec(NULL, st->db, STMT_ASSIGNMENT_INSERT, args);
}

static mdm_assignment_t *read_assignment(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_assignment_t *a = apr_pcalloc(st->ctx->pool, sizeof(*a));

    a->id = mdm_row_number(rows, r, 0);
    a->profile = mdm_row_number(rows, r, 1);
    a->version = (int)mdm_row_number(rows, r, 2);
    a->kind = (mdm_assignment_kind_e)mdm_row_number(rows, r, 3);
    a->target = MDM_ROW(rows, r, 4);
    a->exclude = (int)mdm_row_number(rows, r, 5);
    a->priority = (int)mdm_row_number(rows, r, 6);
    a->rollout = MDM_ROW(rows, r, 7);
    a->rollout_state = (mdm_rollout_state_e)mdm_row_number(rows, r, 8);
    a->rollout_step = (int)mdm_row_number(rows, r, 9);
    a->rollout_version = (int)mdm_row_number(rows, r, 10);
    a->rollout_from = (int)mdm_row_number(rows, r, 11);
    a->rollout_at = mdm_row_number(rows, r, 12);
    a->rollout_reason = MDM_ROW(rows, r, 13);
    a->created_by = MDM_ROW(rows, r, 14);
    a->created_at = mdm_row_number(rows, r, 15);
    a->changed_at = mdm_row_number(rows, r, 16);
    a->profile_name = MDM_ROW(rows, r, 17);
    a->target_name = MDM_ROW(rows, r, 18);
    return a;
}

static apr_status_t list_assignments(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt,
                                     const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_assignment_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_assignment_t *) = read_assignment(st, rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_assignment_get(mdm_assignment_t **out, mdm_store_t *st, apr_int64_t id)
{
    const char *args[] = { mdm_row_text(st, id) };
    apr_array_header_t *list;
    apr_status_t rv = list_assignments(&list, st, STMT_ASSIGNMENT_GET, args);

    if (rv == APR_SUCCESS && !list->nelts)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no assignment %s", args[0]);
    if (rv == APR_SUCCESS)
        *out = APR_ARRAY_IDX(list, 0, mdm_assignment_t *);
    return rv;
}

apr_status_t mdm_store_assignment_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t profile,
                                       apr_int64_t cursor, int limit)
{
    const char *of[] = { mdm_row_text(st, profile), mdm_row_text(st, cursor), mdm_row_text(st, limit) };

    return list_assignments(out, st, profile ? STMT_ASSIGNMENT_LIST : STMT_ASSIGNMENT_LIST_ALL, profile ? of : of + 1);
}

apr_status_t mdm_store_assignment_of_target(apr_array_header_t **out, mdm_store_t *st, mdm_assignment_kind_e kind,
                                            const char *target)
{
    const char *args[] = { mdm_row_text(st, kind), target };

    return list_assignments(out, st, STMT_ASSIGNMENT_OF_TARGET, args);
}

apr_status_t mdm_store_assignment_rollouts(apr_array_header_t **out, mdm_store_t *st)
{
    return list_assignments(out, st, STMT_ASSIGNMENT_ROLLOUTS, NULL);
}

apr_status_t mdm_store_assignment_stopped(apr_array_header_t **out, mdm_store_t *st, int limit)
{
    const char *args[] = { mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_ASSIGNMENT_STOPPED, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_assignment_t *));
    for (r = 0; r < rows->count; r++) {
        mdm_assignment_t *a = apr_pcalloc(st->ctx->pool, sizeof(*a));

        a->id = mdm_row_number(rows, r, 0);
        a->profile_name = MDM_ROW(rows, r, 1);
        a->rollout_reason = MDM_ROW(rows, r, 2);
        APR_ARRAY_PUSH(*out, mdm_assignment_t *) = a;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_assignment_update(mdm_store_t *st, const mdm_assignment_t *a)
{
    /* two changes in the same moment, or of nodes whose clocks differ, have different times all the same */
    apr_time_t now = mdm_ctx_now(st->ctx), later = now > a->changed_at ? now : a->changed_at + 1;
    const char *args[] = {
        mdm_row_text(st, a->version), mdm_row_text(st, a->priority), a->rollout, mdm_row_text(st, a->rollout_state),
        mdm_row_text(st, a->rollout_step), mdm_row_text(st, a->rollout_version), mdm_row_text(st, a->rollout_from),
        mdm_row_text(st, a->rollout_at), a->rollout_reason, mdm_row_text(st, later),
        mdm_row_text(st, a->id), mdm_row_text(st, a->changed_at)
    };

    return mdm_row_change(st, STMT_ASSIGNMENT_UPDATE, args);
}

apr_status_t mdm_store_assignment_delete(mdm_store_t *st, apr_int64_t id)
{
    const char *args[] = { mdm_row_text(st, id) };
    apr_status_t rv = mdm_row_change(st, STMT_ASSIGNMENT_DELETE, args);

    return rv == MDM_ENOTFOUND ? mdm_fail(st->ctx, rv, "there is no assignment %s", args[0]) : rv;
}

apr_status_t mdm_store_assignment_tally(apr_int64_t *reached, apr_int64_t *failed, mdm_store_t *st,
                                        const mdm_assignment_t *a, apr_time_t since)
{
    const char *args[] = { mdm_row_text(st, since), mdm_row_text(st, a->profile),
                           mdm_row_text(st, a->id), mdm_row_text(st, a->rollout_version) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_ASSIGNMENT_TALLY, args);

    if (rv == APR_SUCCESS) {
        *reached = mdm_row_number(rows, 0, 0);
        *failed = mdm_row_number(rows, 0, 1);
    }
    return rv;
}
