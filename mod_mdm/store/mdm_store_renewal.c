/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renewals of identities. Written by the worker, by the answers of devices and their check-in; read by the
 * status page and the API. Never decides when something is due: core/mdm_renewal.c does.
 */
#include <stdlib.h>

#include "mdm_store_renewal.h"
#include "mdm_store_row.h"

apr_status_t mdm_store_renewal_candidates(apr_array_header_t **out, mdm_store_t *st, apr_time_t from,
                                          apr_time_t until, int limit)
{
    const char *args[] = { mdm_row_text(st, from), mdm_row_text(st, until), mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_RENEWAL_CANDIDATES, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_renewal_t *));
    for (r = 0; r < rows->count; r++) {
        mdm_renewal_t *renewal = apr_pcalloc(st->ctx->pool, sizeof(*renewal));

        renewal->enrollment = mdm_row_number(rows, r, 0);
        renewal->enrollment_id = MDM_ROW(rows, r, 1);
        renewal->issued_at = mdm_row_number(rows, r, 2);
        renewal->not_after = mdm_row_number(rows, r, 3);
        APR_ARRAY_PUSH(*out, mdm_renewal_t *) = renewal;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_renewal_insert(mdm_store_t *st, const mdm_renewal_t *renewal)
{
    const char *args[] = { mdm_row_text(st, renewal->due_at), mdm_row_text(st, renewal->not_after),
                           mdm_row_text(st, renewal->enrollment) };
    apr_status_t rv = mdm_row_change(st, STMT_RENEWAL_INSERT, args);

    /* of two who look at the same time the key stops one, whose transaction runs again */
    return rv == MDM_ENOTFOUND ? MDM_EEXIST : rv;
}

static mdm_renewal_t *read_renewal(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_renewal_t *renewal = apr_pcalloc(st->ctx->pool, sizeof(*renewal));

    renewal->enrollment = mdm_row_number(rows, r, 0);
    renewal->enrollment_id = MDM_ROW(rows, r, 1);
    renewal->due_at = mdm_row_number(rows, r, 2);
    renewal->attempts = (int)mdm_row_number(rows, r, 3);
    renewal->command = mdm_row_number(rows, r, 4);
    renewal->issued_at = mdm_row_number(rows, r, 5);
    renewal->not_after = mdm_row_number(rows, r, 6);
    renewal->last_at = mdm_row_number(rows, r, 7);
    renewal->last_error = MDM_ROW(rows, r, 8);
    renewal->open = (int)mdm_row_number(rows, r, 9);
    renewal->state = (mdm_state_e)mdm_row_number(rows, r, 10);
    return renewal;
}

/* Nodes that lock rows in the same order do not wait for each other in a circle. */
static int by_enrollment(const void *a, const void *b)
{
    apr_int64_t one = (*(mdm_renewal_t *const *)a)->enrollment, two = (*(mdm_renewal_t *const *)b)->enrollment;

    return one < two ? -1 : one > two;
}

apr_status_t mdm_store_renewal_due(apr_array_header_t **out, mdm_store_t *st, int limit)
{
    const char *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_RENEWAL_DUE, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_renewal_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_renewal_t *) = read_renewal(st, rows, r);
    qsort((*out)->elts, (apr_size_t)(*out)->nelts, sizeof(mdm_renewal_t *), by_enrollment);
    return APR_SUCCESS;
}

apr_status_t mdm_store_renewal_attempt(mdm_store_t *st, const mdm_renewal_t *renewal, apr_int64_t command,
                                       apr_time_t next_at)
{
    const char *args[] = { mdm_row_text(st, command), mdm_row_text(st, mdm_ctx_now(st->ctx)),
                           mdm_row_text(st, next_at), mdm_row_text(st, renewal->enrollment),
                           mdm_row_text(st, renewal->due_at) };

    return mdm_row_change(st, STMT_RENEWAL_ATTEMPT, args);
}

apr_status_t mdm_store_renewal_end(mdm_store_t *st, const mdm_renewal_t *renewal)
{
    const char *args[] = { mdm_row_text(st, renewal->enrollment), mdm_row_text(st, renewal->due_at) };

    return mdm_row_change(st, STMT_RENEWAL_END, args);
}

apr_status_t mdm_store_renewal_failed(mdm_store_t *st, apr_int64_t enrollment, const char *error)
{
    const char *args[] = { error, mdm_row_text(st, enrollment) };

    return mdm_db_exec(NULL, st->db, STMT_RENEWAL_FAILED, args);
}

apr_status_t mdm_store_renewal_forget(mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);

    return mdm_db_exec(NULL, st->db, STMT_RENEWAL_FORGET, &id);
}

apr_status_t mdm_store_renewal_get(mdm_renewal_t **out, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_RENEWAL_GET, &id);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "no renewal is planned");
    *out = read_renewal(st, rows, 0);
    return APR_SUCCESS;
}

apr_status_t mdm_store_renewal_ending(apr_array_header_t **out, mdm_store_t *st, apr_time_t until, int limit)
{
    const char *args[] = { mdm_row_text(st, until), mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_RENEWAL_ENDING, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_ending_t *));
    for (r = 0; r < rows->count; r++) {
        mdm_ending_t *ending = apr_pcalloc(st->ctx->pool, sizeof(*ending));

        ending->enrollment_id = MDM_ROW(rows, r, 0);
        ending->user = MDM_ROW(rows, r, 1);
        ending->device_name = MDM_ROW(rows, r, 2);
        ending->serial_number = MDM_ROW(rows, r, 3);
        ending->serial = MDM_ROW(rows, r, 4);
        ending->issued_at = mdm_row_number(rows, r, 5);
        ending->not_after = mdm_row_number(rows, r, 6);
        ending->attempts = (int)mdm_row_number(rows, r, 7);
        ending->due_at = mdm_row_number(rows, r, 8);
        ending->last_at = mdm_row_number(rows, r, 9);
        ending->last_error = MDM_ROW(rows, r, 10);
        APR_ARRAY_PUSH(*out, mdm_ending_t *) = ending;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_renewal_counts(int *expired, int *expiring, int *refused, mdm_store_t *st,
                                      apr_time_t until)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx)), *args[] = { now, now, mdm_row_text(st, until) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_RENEWAL_COUNTS, args);

    if (rv != APR_SUCCESS)
        return rv;
    *expired = (int)mdm_row_number(rows, 0, 0);
    *expiring = (int)mdm_row_number(rows, 0, 1);
    *refused = (int)mdm_row_number(rows, 0, 2);
    return APR_SUCCESS;
}
