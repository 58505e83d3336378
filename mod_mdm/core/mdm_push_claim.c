/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is due, claimed out of the database. Called by mdm_push.c in the worker's thread.
 */
#include "mdm_push_engine.h"

#define DATABASE_RETRY apr_time_from_sec(1)
#define LOOK_AGAIN apr_time_from_msec(50)
#define NEWEST_MAX 16                             /* at a time: most of the way stays the crowd's */

/* ---- visits to the database */

mdm_ctx_t *mdm_push_scratch(const mdm_push_t *push)
{
    mdm_ctx_t *ctx;
    apr_pool_t *p;

    apr_pool_create(&p, push->ctx->pool);
    ctx = mdm_ctx_create(p, push->ctx->log);
    ctx->fixed_now = push->ctx->fixed_now;
    return ctx;
}

static void failed(mdm_push_t *push, mdm_ctx_t *ctx, apr_status_t rv)
{
    push->database_retry_at = mdm_ctx_now(push->ctx) + DATABASE_RETRY;
    if (push->database_down)
        return;
    push->database_down = 1;
    mdm_log(push->ctx, MDM_LOG_MARK, MDM_LOG_ERR, APR_SUCCESS, MDMNO(0611) "pushes wait for the database, which "
            "is tried each second: %s", mdm_ctx_detail(ctx, rv));
}

void mdm_push_visited(mdm_push_t *push, mdm_ctx_t *ctx, apr_status_t rv)
{
    if (rv != APR_SUCCESS) {
        failed(push, ctx, rv);
        return;
    }
    if (push->database_down)
        mdm_log(push->ctx, MDM_LOG_MARK, MDM_LOG_NOTICE, APR_SUCCESS,
                MDMNO(0612) "the database answers again, pushes go on");
    push->database_down = 0;
}

/* ---- claiming */

/* No more than what goes within the lease. */
static int claim_max(const mdm_push_t *push)
{
    int paced = push->config.rate ? push->config.rate * 10 : MDM_PUSH_CLAIM_MAX;

    return paced < MDM_PUSH_CLAIM_MAX ? paced : MDM_PUSH_CLAIM_MAX;
}

static void take_jobs(mdm_push_t *push, mdm_push_batch_t *batch, const apr_array_header_t *jobs)
{
    int i;

    batch->entries = jobs->nelts;
    push->counts.claimed += jobs->nelts;
    for (i = 0; i < jobs->nelts; i++) {
        mdm_push_entry_t *entry = apr_pcalloc(batch->pool, sizeof(*entry));

        entry->push = push;
        entry->batch = batch;
        entry->job = &APR_ARRAY_IDX(jobs, i, mdm_push_job_t);
        entry->topic = mdm_push_topic_find(&push->topics, entry->job->topic ? entry->job->topic : "");
        mdm_push_enlist(entry);
    }
}

static apr_status_t claim_batch(mdm_push_t *push, mdm_push_batch_t *batch, mdm_store_t *st)
{
    int limit = batch->newest ? NEWEST_MAX : claim_max(push);
    apr_time_t now = mdm_ctx_now(push->ctx), due_at = 0;
    apr_array_header_t *jobs;
    apr_status_t rv;

    batch->lease_until = now + MDM_PUSH_LEASE;
    rv = mdm_store_push_claim(&jobs, st, push->config.owner, batch->lease_until, limit, batch->newest);
    if (rv != APR_SUCCESS)
        return rv;
    /* After the claim, so that no job is judged by an older list of topics. When it fails, the leases end. */
    if (jobs->nelts)
        rv = mdm_push_topics_refresh(&push->topics, st);
    if (rv != APR_SUCCESS)
        return rv;
    take_jobs(push, batch, jobs);
    if (batch->newest)
        return APR_SUCCESS;
    push->look_at = now;
    push->crowded = jobs->nelts == limit;
    if (push->crowded)
        return APR_SUCCESS;
    push->look_at = now + push->config.interval;
    rv = mdm_store_push_next_due(&due_at, st);
    if (rv == APR_SUCCESS && due_at)
        push->look_at = mdm_push_earlier(push->look_at, due_at > now ? due_at : now + LOOK_AGAIN);
    return rv;
}

void mdm_push_claim(mdm_push_t *push, int newest)
{
    mdm_ctx_t *ctx = mdm_push_scratch(push);
    mdm_push_batch_t *batch = apr_pcalloc(ctx->pool, sizeof(*batch));
    mdm_store_t *st = NULL;
    apr_status_t rv = push->config.open(&st, ctx, push->config.baton);

    batch->pool = ctx->pool;
    batch->newest = newest;
    if (rv == APR_SUCCESS) {
        rv = claim_batch(push, batch, st);
        push->config.close(st, push->config.baton);
    }
    mdm_push_visited(push, ctx, rv);
    if (!batch->entries)
        apr_pool_destroy(batch->pool);
}

int mdm_push_may_claim(const mdm_push_t *push, apr_time_t now)
{
    const mdm_push_topic_state_t *topic;
    int open = 0, claimed = push->counts.under_way + push->ended.count;

    for (topic = push->topics.first; topic; topic = topic->next) {
        claimed += topic->ready.count;
        if (now >= topic->hold_until)
            open += topic->ready.count;
    }
    return open < push->config.concurrency && (!push->config.rate || open <= push->config.rate)
        && claimed < MDM_PUSH_CLAIMED_MAX;
}
