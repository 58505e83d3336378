/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of wake-ups, written down in few statements. Called by mdm_push.c in the worker's thread.
 */
#include "mdm_push_engine.h"

#define REPUSHES_MAX 40                           /* counted no further */

/* When a device that does not come is woken again, after so many pushes that it has not followed. */
static apr_time_t again_at(const mdm_push_t *push, int repushes)
{
    apr_interval_time_t gap = push->config.retry_first;

    if (!gap)
        return 0;
    while (repushes-- > 0 && gap < push->config.retry_max)
        gap *= 2;
    return mdm_ctx_now(push->ctx) + (gap < push->config.retry_max ? gap : push->config.retry_max);
}

static int repushes_of(const mdm_push_entry_t *entry)
{
    return entry->job->repushes < REPUSHES_MAX ? entry->job->repushes : REPUSHES_MAX;
}

/* Those that wait for their devices equally long go together. */
static apr_status_t write_sent(mdm_push_t *push, mdm_store_t *st)
{
    apr_int64_t *ids = apr_palloc(st->ctx->pool, (apr_size_t)push->ended.count * sizeof(*ids));
    mdm_push_entry_t *entry;
    apr_status_t rv = APR_SUCCESS;
    int repushes, left = push->ended.count, n;

    for (repushes = 0; rv == APR_SUCCESS && left > 0 && repushes <= REPUSHES_MAX; repushes++) {
        n = 0;
        for (entry = push->ended.first; entry; entry = entry->next) {
            if (repushes_of(entry) != repushes)
                continue;
            left--;
            if (entry->outcome == MDM_APNS_SENT && !entry->superseded)
                ids[n++] = entry->job->enrollment;
        }
        if (n)
            rv = mdm_store_push_done(st, push->config.owner, ids, n, again_at(push, repushes), repushes + 1);
    }
    return rv;
}

typedef struct write_baton_t {
    mdm_push_t *push;
    mdm_store_t *st;
} write_baton_t;

static apr_status_t write_ended(void *baton, mdm_db_t *db)
{
    write_baton_t *write = baton;
    const char *owner = write->push->config.owner;
    mdm_push_entry_t *entry;
    apr_status_t rv = write_sent(write->push, write->st);

    (void)db;
    for (entry = write->push->ended.first; entry && rv == APR_SUCCESS; entry = entry->next) {
        if (entry->superseded)
            continue;
        if (entry->outcome == MDM_APNS_TOKEN_DEAD)
            rv = mdm_store_push_dead(write->st, owner, entry->job->enrollment, entry->reason);
        else if (entry->outcome != MDM_APNS_SENT)
            rv = mdm_store_push_failed(write->st, owner, entry->job->enrollment, entry->due_at, entry->reason);
    }
    return rv;
}

static void forget_ended(mdm_push_t *push)
{
    mdm_push_entry_t *entry;

    while ((entry = mdm_push_entries_take(&push->ended)) != NULL) {
        if (entry->outcome == MDM_APNS_SENT)
            push->counts.sent++;
        else if (entry->outcome == MDM_APNS_TOKEN_DEAD)
            push->counts.dead++;
        else
            push->counts.failed++;
        if (entry->due_at && !entry->superseded)
            push->look_at = mdm_push_earlier(push->look_at, entry->due_at);
        mdm_push_entry_free(entry);
    }
}

void mdm_push_write_down(mdm_push_t *push)
{
    write_baton_t baton = { push, NULL };
    mdm_ctx_t *ctx = mdm_push_scratch(push);
    apr_status_t rv = push->config.open(&baton.st, ctx, push->config.baton);

    if (rv == APR_SUCCESS) {
        apr_time_t due_at = 0;

        rv = mdm_db_transact(baton.st->db, write_ended, &baton);
        /* A wish that came while its predecessor was under way is due now. */
        if (rv == APR_SUCCESS && mdm_store_push_next_due(&due_at, baton.st) == APR_SUCCESS && due_at)
            push->look_at = mdm_push_earlier(push->look_at, due_at);
        push->config.close(baton.st, push->config.baton);
    }
    mdm_push_visited(push, ctx, rv);
    if (rv == APR_SUCCESS)
        forget_ended(push);
    apr_pool_destroy(ctx->pool);
}
