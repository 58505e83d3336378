/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox of events for webhooks. A claim moves due_at to the end of the lease: a row whose claimer died is due
 * again then. A claimed or paused row holds up those behind it by being there. Put in by request threads, claimed by
 * the worker; any process, any machine.
 */
#include "mdm_store_row.h"
#include "mdm_store_webhook.h"

#define BODY "mdm_webhook_outbox.body"

apr_status_t mdm_store_webhook_put(mdm_store_t *st, const mdm_webhook_row_t *row)
{
    const char *id = mdm_row_text(st, mdm_id_next()), *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *args[] = { id, row->sink, mdm_row_text(st, row->channel), row->topic, NULL, now, now };
    apr_status_t rv = mdm_row_seal(&args[4], st, row->body, BODY, id);

    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_WEBHOOK_INSERT, args) : rv;
}

apr_status_t mdm_store_webhook_tally(int *tally, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_WEBHOOK_TALLY, &id);

    if (rv == APR_SUCCESS)
        *tally = rows->count ? (int)mdm_row_number(rows, 0, 0) : 0;
    return rv;
}

/* columns: id, channel, topic, body, created_at, attempts */
static apr_status_t read_row(mdm_webhook_row_t *row, mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    row->id = mdm_row_number(rows, r, 0);
    row->channel = mdm_row_number(rows, r, 1);
    row->topic = MDM_ROW(rows, r, 2);
    row->created_at = mdm_row_number(rows, r, 4);
    row->attempts = (int)mdm_row_number(rows, r, 5);
    return mdm_row_unseal(&row->body, st, MDM_ROW(rows, r, 3), BODY, MDM_ROW(rows, r, 0));
}

/* What was sealed with a key that is gone can never be sent, and must not hold up what comes after it. */
static apr_status_t drop_unreadable(mdm_store_t *st, const mdm_webhook_row_t *row, const char *owner, apr_status_t rv)
{
    mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(0940) "an event %s for webhooks is dropped: %s", row->topic,
            mdm_ctx_detail(st->ctx, rv));
    mdm_ctx_clear(st->ctx);
    return mdm_store_webhook_done(st, owner, &row->id, 1);
}

apr_status_t mdm_store_webhook_claim(apr_array_header_t **out, mdm_store_t *st, const char *sink, const char *owner,
                                     apr_time_t lease_until, int limit)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx)), *until = mdm_row_text(st, lease_until);
    const char *lease = mdm_row_text(st, mdm_id_next());
    const char *take[] = { until, owner, lease, sink, now, mdm_row_text(st, limit), now };
    const char *taken[] = { sink, until, owner, lease };
    mdm_rows_t *rows;
    int affected = 0, r;
    apr_status_t rv = mdm_db_exec(&affected, st->db, STMT_WEBHOOK_CLAIM, take);

    *out = apr_array_make(st->ctx->pool, affected + 1, sizeof(mdm_webhook_row_t));
    if (rv != APR_SUCCESS || !affected
        || (rv = mdm_db_select(&rows, st->db, STMT_WEBHOOK_CLAIMED, taken)) != APR_SUCCESS)
        return rv;
    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++) {
        mdm_webhook_row_t row = { 0 };

        row.sink = sink;
        if ((rv = read_row(&row, st, rows, r)) == APR_SUCCESS)
            APR_ARRAY_PUSH(*out, mdm_webhook_row_t) = row;
        else
            rv = drop_unreadable(st, &row, owner, rv);
    }
    return rv;
}

static apr_status_t select_number(apr_int64_t *number, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);

    if (rv == APR_SUCCESS)
        *number = rows->count ? mdm_row_number(rows, 0, 0) : 0;
    return rv;
}

apr_status_t mdm_store_webhook_next_due(apr_time_t *due_at, mdm_store_t *st, const char *sink)
{
    return select_number(due_at, st, STMT_WEBHOOK_NEXT_DUE, &sink);
}

apr_status_t mdm_store_webhook_done(mdm_store_t *st, const char *owner, const apr_int64_t *ids, int count)
{
    const char *args[1 + MDM_ROW_CHUNK] = { owner };
    apr_status_t rv = APR_SUCCESS;
    int done, i;

    for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_ROW_CHUNK) {
        for (i = 0; i < MDM_ROW_CHUNK; i++)
            args[1 + i] = done + i < count ? mdm_row_text(st, ids[done + i]) : NULL;
        rv = mdm_db_exec(NULL, st->db, STMT_WEBHOOK_DONE, args);
    }
    return rv;
}

apr_status_t mdm_store_webhook_failed(mdm_store_t *st, const char *owner, const mdm_webhook_row_t *row,
                                      apr_time_t due_at, const char *error)
{
    const char *due = mdm_row_text(st, due_at), *id = mdm_row_text(st, row->id);
    const char *failed[] = { due, error, id, owner };
    const char *follow[] = { due, row->sink, mdm_row_text(st, row->channel), id, due };
    int affected = 0;
    apr_status_t rv = mdm_db_exec(&affected, st->db, STMT_WEBHOOK_FAILED, failed);

    return rv == APR_SUCCESS && affected ? mdm_db_exec(NULL, st->db, STMT_WEBHOOK_FOLLOW, follow) : rv;
}

apr_status_t mdm_store_webhook_release(mdm_store_t *st, const char *sink, const char *owner)
{
    const char *args[] = { sink, owner };

    return mdm_db_exec(NULL, st->db, STMT_WEBHOOK_RELEASE, args);
}

apr_status_t mdm_store_webhook_expire(int *dropped, mdm_store_t *st, const char *sink, apr_time_t created_before)
{
    const char *args[] = { sink, mdm_row_text(st, created_before) };

    return mdm_db_exec(dropped, st->db, STMT_WEBHOOK_EXPIRE, args);
}

apr_status_t mdm_store_webhook_crowd(apr_time_t *created_at, mdm_store_t *st, const char *sink, int most)
{
    const char *args[] = { sink, mdm_row_text(st, most) };

    return select_number(created_at, st, STMT_WEBHOOK_CROWD, args);
}

apr_status_t mdm_store_webhook_next_sink(const char **sink, mdm_store_t *st, const char *after)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_WEBHOOK_NEXT_SINK, &after);

    if (rv == APR_SUCCESS)
        *sink = rows->count ? MDM_ROW(rows, 0, 0) : NULL;
    return rv;
}

apr_status_t mdm_store_webhook_forget(int *dropped, mdm_store_t *st, const char *sink, apr_time_t due_before)
{
    const char *args[] = { sink, mdm_row_text(st, due_before) };

    return mdm_db_exec(dropped, st->db, STMT_WEBHOOK_FORGET, args);
}

apr_status_t mdm_store_webhook_status(mdm_webhook_status_t *status, mdm_store_t *st, const char *sink)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_WEBHOOK_STATUS, &sink);

    if (rv != APR_SUCCESS)
        return rv;
    status->waiting = mdm_row_number(rows, 0, 0);
    status->oldest = mdm_row_number(rows, 0, 1);
    rv = mdm_db_select(&rows, st->db, STMT_WEBHOOK_LAST_ERROR, &sink);
    if (rv == APR_SUCCESS)
        status->last_error = rows->count ? MDM_ROW(rows, 0, 0) : NULL;
    return rv;
}
