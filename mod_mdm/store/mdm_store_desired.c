/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of what should hold, read and changed one by one: by the delivery, the answers of devices, the API. Who writes
 * names the command that he knows, so nobody writes over news. Called in any thread.
 */
#include <string.h>

#include "mdm_store_desired.h"
#include "mdm_store_row.h"

static const char *const state_names[] = { "unset", "pending", "sent", "acked", "verified", "drifted", "failed",
                                           "blocked", "removing", "removed", "gone" };
static const char *const drift_names[] = { "none", "stale", "missing", "drifted", "extra", "flags" };

const char *mdm_desired_name(mdm_desired_state_e state)
{
    return state_names[state <= MDM_DESIRED_GONE ? state : MDM_DESIRED_UNSET];
}

mdm_desired_state_e mdm_desired_of_name(const char *name)
{
    mdm_desired_state_e state;

    for (state = MDM_DESIRED_PENDING; state <= MDM_DESIRED_GONE; state++) {
        if (!strcmp(state_names[state], name))
            return state;
    }
    return MDM_DESIRED_UNSET;
}

const char *mdm_drift_name(mdm_drift_e drift)
{
    return drift_names[drift <= MDM_DRIFT_FLAGS ? drift : MDM_DRIFT_NONE];
}

int mdm_desired_is_held(const mdm_desired_t *d)
{
    return d->sent_uuid && d->state != MDM_DESIRED_REMOVED && d->state != MDM_DESIRED_GONE;
}

static mdm_desired_t *read_row(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
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
    d->drift = (mdm_drift_e)mdm_row_number(rows, r, 9);
    d->tries = (int)mdm_row_number(rows, r, 10);
    d->next_try_at = mdm_row_number(rows, r, 11);
    d->first_failed_at = mdm_row_number(rows, r, 12);
    d->changed_at = mdm_row_number(rows, r, 13);
    d->verified_at = mdm_row_number(rows, r, 14);
    d->error = MDM_ROW(rows, r, 15);
    d->name = MDM_ROW(rows, r, 16);
    d->identifier = MDM_ROW(rows, r, 17);
    d->scope = MDM_ROW(rows, r, 18);
    d->enrollment_id = MDM_ROW(rows, r, 19);
    return d;
}

static apr_status_t list_rows(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_desired_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_desired_t *) = read_row(st, rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_desired_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);

    return list_rows(out, st, STMT_DESIRED_LIST, &id);
}

apr_status_t mdm_store_desired_by_command(mdm_desired_t **out, mdm_store_t *st, apr_int64_t enrollment,
                                          apr_int64_t command)
{
    const char *args[] = { mdm_row_text(st, enrollment), mdm_row_text(st, command) };
    apr_array_header_t *rows;
    apr_status_t rv = list_rows(&rows, st, STMT_DESIRED_BY_COMMAND, args);

    if (rv == APR_SUCCESS && !rows->nelts)
        return MDM_ENOTFOUND;
    if (rv == APR_SUCCESS)
        *out = APR_ARRAY_IDX(rows, 0, mdm_desired_t *);
    return rv;
}

apr_status_t mdm_store_desired_page(apr_array_header_t **out, mdm_store_t *st, apr_int64_t profile,
                                    mdm_desired_state_e state, const char *cursor, int limit)
{
    const char *args[] = { mdm_row_text(st, profile), mdm_row_text(st, state ? state : MDM_DESIRED_PENDING),
                           mdm_row_text(st, state ? state : MDM_DESIRED_GONE), cursor, mdm_row_text(st, limit) };

    return list_rows(out, st, STMT_DESIRED_PAGE, args);
}

apr_status_t mdm_store_desired_counts(apr_array_header_t **out, mdm_store_t *st, apr_int64_t profile)
{
    const char *id = mdm_row_text(st, profile);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_DESIRED_COUNTS, &id);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_desired_count_t));
    for (r = 0; r < rows->count; r++) {
        mdm_desired_count_t *c = apr_array_push(*out);

        c->state = (mdm_desired_state_e)mdm_row_number(rows, r, 0);
        c->version = (int)mdm_row_number(rows, r, 1);
        c->count = mdm_row_number(rows, r, 2);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_desired_figures(apr_array_header_t **out, mdm_store_t *st, int profiles, int most)
{
    const char *args[] = { mdm_row_text(st, most), mdm_row_text(st, profiles) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FIGURES_PROFILES, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_desired_figure_t));
    for (r = 0; r < rows->count; r++) {
        mdm_desired_figure_t *f = apr_array_push(*out);

        f->name = MDM_ROW(rows, r, 0);
        f->current = (int)mdm_row_number(rows, r, 1);
        f->uncounted = (int)mdm_row_number(rows, r, 2);
        f->state = (mdm_desired_state_e)mdm_row_number(rows, r, 3);
        f->version = (int)mdm_row_number(rows, r, 4);
        f->count = f->state ? mdm_row_number(rows, r, 5) : 0;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_desired_due(apr_array_header_t **out, mdm_store_t *st, apr_time_t now, int limit)
{
    const char *args[] = { mdm_row_text(st, now), mdm_row_text(st, limit) };

    return list_rows(out, st, STMT_DESIRED_DUE, args);
}

apr_status_t mdm_store_desired_update(mdm_store_t *st, const mdm_desired_t *d, apr_int64_t command)
{
    const char *args[] = {
        d->sent_uuid, mdm_row_text(st, d->state), mdm_row_text(st, d->command), mdm_row_text(st, d->drift),
        mdm_row_text(st, d->tries), mdm_row_text(st, d->next_try_at), mdm_row_text(st, d->first_failed_at),
        mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, d->verified_at), d->error,
        mdm_row_text(st, d->enrollment), mdm_row_text(st, d->profile), mdm_row_text(st, command)
    };

    return mdm_row_change(st, STMT_DESIRED_UPDATE, args);
}

apr_status_t mdm_store_desired_sent(mdm_store_t *st, const mdm_desired_t *d, const char *uuid)
{
    const char *args[] = { uuid, uuid, mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, d->enrollment),
                           mdm_row_text(st, d->profile), mdm_row_text(st, d->command), mdm_row_text(st, d->version) };

    return mdm_row_change(st, STMT_DESIRED_SENT, args);
}

apr_status_t mdm_store_desired_block(mdm_store_t *st, const mdm_desired_t *d, const char *reason)
{
    const char *args[] = { reason, mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, d->enrollment),
                           mdm_row_text(st, d->profile), mdm_row_text(st, d->command), mdm_row_text(st, d->version) };

    return mdm_row_change(st, STMT_DESIRED_BLOCK, args);
}

apr_status_t mdm_store_desired_cancelled(mdm_store_t *st, apr_int64_t command, const char *error,
                                         apr_time_t next_try_at)
{
    const char *id = mdm_row_text(st, command), *args[] = {
        error, mdm_row_text(st, next_try_at), mdm_row_text(st, mdm_ctx_now(st->ctx)), id, id
    };

    return mdm_db_exec(NULL, st->db, STMT_DESIRED_CANCELLED, args);
}

apr_status_t mdm_store_desired_cleared(mdm_store_t *st, const char *enrollment_id, const char *error,
                                       apr_time_t next_try_at)
{
    const char *args[] = { error, mdm_row_text(st, next_try_at), mdm_row_text(st, mdm_ctx_now(st->ctx)),
                           enrollment_id };

    return mdm_db_exec(NULL, st->db, STMT_DESIRED_CLEARED, args);
}

apr_status_t mdm_store_desired_close(mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment), *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)), id, id };

    return mdm_db_exec(NULL, st->db, STMT_DESIRED_CLOSE, args);
}

apr_status_t mdm_store_desired_return(int *rows, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, enrollment) };
    int forgotten, kept = 0;
    apr_status_t rv = mdm_db_exec(&forgotten, st->db, STMT_DESIRED_RETURN_FORGET, args + 1);

    if (rv == APR_SUCCESS)
        rv = mdm_db_exec(&kept, st->db, STMT_DESIRED_RETURN, args);
    *rows = rv == APR_SUCCESS ? forgotten + kept : 0;
    return rv;
}

apr_status_t mdm_store_desired_forget(mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment), *args[] = { id, id };

    return mdm_db_exec(NULL, st->db, STMT_DESIRED_FORGET, args);
}
