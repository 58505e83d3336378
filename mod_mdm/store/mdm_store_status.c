/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of the status page. These few statements count whole tables or indexes: for people and
 * monitoring, never in a device's request.
 */
#include <apr_strings.h>

#include "mdm_store_enrollment.h"
#include "mdm_store_row.h"
#include "mdm_store_status.h"

#define DAY apr_time_from_sec(86400)

static void add(apr_array_header_t *counts, const char *name, apr_int64_t count)
{
    mdm_count_t *c = apr_array_push(counts);

    c->name = name;
    c->count = count;
}

static apr_status_t enrollments(mdm_figures_t *f, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FIGURES_ENROLLMENTS, NULL);
    int r;

    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++)
        add(f->enrollments,
            apr_pstrcat(st->ctx->pool, mdm_state_name((mdm_state_e)mdm_row_number(rows, r, 0)), " ",
                        MDM_ROW(rows, r, 1), NULL),
            mdm_row_number(rows, r, 2));
    return rv;
}

static apr_status_t open_commands(mdm_figures_t *f, mdm_store_t *st)
{
    static const char *const names[] = { "under 1 hour", "1 hour to 1 day", "1 to 7 days", "over 7 days" };
    apr_time_t now = mdm_ctx_now(st->ctx);
    const char *hour = mdm_row_text(st, now - DAY / 24), *day = mdm_row_text(st, now - DAY);
    const char *week = mdm_row_text(st, now - 7 * DAY);
    const char *args[] = { hour, hour, day, day, week, week };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FIGURES_QUEUE, args);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < 4; i++)
        add(f->open_commands, names[i], mdm_row_number(rows, 0, i));
    return rv;
}

static apr_status_t pushes(mdm_figures_t *f, mdm_store_t *st)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FIGURES_PUSHES, NULL);
    int r;

    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++)
        add(f->pushes, MDM_ROW(rows, r, 0), mdm_row_number(rows, r, 1));
    if (rv == APR_SUCCESS)
        rv = mdm_db_select(&rows, st->db, STMT_FIGURES_DUE, &now);
    if (rv == APR_SUCCESS)
        f->pushes_due = mdm_row_number(rows, 0, 0);
    return rv;
}

static apr_status_t certificates(mdm_figures_t *f, mdm_store_t *st)
{
    static const char *const names[] = {
        "expired", "under 30 days", "30 to 90 days", "over 90 days", "revoked"
    };
    apr_time_t now = mdm_ctx_now(st->ctx);
    const char *today = mdm_row_text(st, now), *soon = mdm_row_text(st, now + 30 * DAY);
    const char *later = mdm_row_text(st, now + 90 * DAY);
    const char *args[] = { today, today, soon, soon, later, later };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FIGURES_CERTIFICATES, args);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < 5; i++)
        add(f->certificates, names[i], mdm_row_number(rows, 0, i));
    return rv;
}

apr_status_t mdm_store_figures(mdm_figures_t **out, mdm_store_t *st)
{
    mdm_figures_t *f = apr_pcalloc(st->ctx->pool, sizeof(*f));
    apr_status_t rv;

    f->enrollments = apr_array_make(st->ctx->pool, 8, sizeof(mdm_count_t));
    f->open_commands = apr_array_make(st->ctx->pool, 4, sizeof(mdm_count_t));
    f->pushes = apr_array_make(st->ctx->pool, 8, sizeof(mdm_count_t));
    f->certificates = apr_array_make(st->ctx->pool, 5, sizeof(mdm_count_t));
    rv = enrollments(f, st);
    if (rv == APR_SUCCESS)
        rv = open_commands(f, st);
    if (rv == APR_SUCCESS)
        rv = pushes(f, st);
    if (rv == APR_SUCCESS)
        rv = certificates(f, st);
    if (rv == APR_SUCCESS)
        rv = mdm_store_push_topic_list(&f->topics, st);
    *out = f;
    return rv;
}

apr_status_t mdm_store_issuers(apr_array_header_t **out, mdm_store_t *st)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FIGURES_ISSUERS, &now);
    int r;

    *out = apr_array_make(st->ctx->pool, 4, sizeof(mdm_count_t));
    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++)
        add(*out, MDM_ROW(rows, r, 0) ? MDM_ROW(rows, r, 0) : "", mdm_row_number(rows, r, 1));
    return rv;
}

apr_status_t mdm_store_passcodes(apr_array_header_t **out, apr_int64_t *count, mdm_store_t *st, int limit)
{
    const char *most = mdm_row_text(st, limit);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FIGURES_PASSCODES, &most);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *count = rows->count ? mdm_row_number(rows, 0, 3) : 0;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_passcode_t));
    for (r = 0; r < rows->count; r++) {
        mdm_passcode_t *one = apr_array_push(*out);

        one->enrollment_id = MDM_ROW(rows, r, 0);
        one->login = MDM_ROW(rows, r, 1);
        one->since = mdm_row_number(rows, r, 2);
    }
    return APR_SUCCESS;
}
