/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns of the fan-out, with rests between them. While there is work one process holds the lease of the job and renews
 * it in each step; when it dies another goes on where the last transaction ended. Runs in the worker's thread.
 */
#include <apr_strings.h>

#include "mdm_fanout.h"
#include "mdm_fanout_step.h"
#include "mdm_store_job.h"
#include "mdm_unreadable.h"

#define SECOND apr_time_from_sec(1)
#define TURN (SECOND / 10)        /* of work before pushes get their turn */
#define RESTS 2                   /* so many times as long as a turn took: devices' requests are to notice little */
#define LEASE (10 * SECOND)
#define LOOK (2 * SECOND)         /* for work that another node has been told of and does not do */
#define ROLLOUTS (10 * SECOND)    /* between looks for failures of those under way */

struct mdm_fanout_t {
    mdm_ctx_t *ctx;
    mdm_fanout_config_t config;
    apr_time_t next;              /* turn */
    apr_time_t rest;              /* until then not even for those who call */
    apr_time_t rollouts;          /* next look at them */
    int begun;                    /* this process has looked at what did not open before it */
};

mdm_fanout_t *mdm_fanout_create(mdm_ctx_t *ctx, const mdm_fanout_config_t *config)
{
    mdm_fanout_t *fanout = apr_pcalloc(ctx->pool, sizeof(*fanout));

    fanout->ctx = ctx;
    fanout->config = *config;
    return fanout;
}

/* Marks and changes take turns: a long change does not keep a new device waiting. */
static apr_status_t do_both(int *more, mdm_fanout_work_t *work)
{
    int marks = 0, changes = 0;
    apr_status_t rv = mdm_fanout_recheck(&marks, work);

    if (rv == APR_SUCCESS && !work->lost)
        rv = mdm_fanout_change(&changes, work);
    *more = marks || changes;
    return rv;
}

static apr_status_t move_rollouts(mdm_fanout_t *fanout, mdm_store_t *st, apr_time_t due_at, int *moved)
{
    apr_time_t now = mdm_ctx_now(st->ctx);
    apr_status_t rv;

    *moved = 0;
    if ((!due_at || due_at > now) && apr_time_now() < fanout->rollouts)
        return APR_SUCCESS;
    rv = mdm_rollout_turn(moved, st);
    fanout->rollouts = apr_time_now() + ROLLOUTS;
    return rv;
}

static apr_status_t work_off(mdm_store_t *st, const mdm_job_t *job, int *more, int *queued)
{
    apr_time_t end = apr_time_now() + TURN;
    mdm_fanout_work_t *work = mdm_fanout_work(st);
    apr_status_t rv;

    work->job = job;
    work->lease = LEASE;
    do {
        rv = do_both(more, work);
    } while (rv == APR_SUCCESS && *more && apr_time_now() < end);
    if (work->queued)
        *queued = 1;
    mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_DEBUG, 0, MDMNO(1074) "fan-out: a turn with %d statements, %d commands "
            "queued", mdm_db_statements(st->db), work->queued);
    return rv;
}

/* One statement when there is nothing to do, but for the first time. */
static apr_status_t look(mdm_fanout_t *fanout, mdm_store_t *st, int *queued, apr_time_t *next)
{
    apr_int64_t change, recheck;
    apr_time_t rollout_at, now = mdm_ctx_now(st->ctx), began = apr_time_now();
    mdm_job_t *job;
    int more = 0, moved;
    apr_status_t rv = fanout->begun ? APR_SUCCESS : mdm_unreadable_again(st);

    *next = now + LOOK;
    fanout->begun |= rv == APR_SUCCESS;
    if (rv == APR_SUCCESS)
        rv = mdm_store_batch_work(&change, &recheck, &rollout_at, st);
    if (rv != APR_SUCCESS)
        return rv;
    if (rollout_at && rollout_at < *next)
        *next = rollout_at > now ? rollout_at : now + SECOND;
    if (!change && !recheck && (!rollout_at || rollout_at > now) && apr_time_now() < fanout->rollouts)
        return APR_SUCCESS;
    rv = mdm_store_job_claim(&job, st, MDM_FANOUT_JOB, fanout->config.owner, LEASE);
    if (rv != APR_SUCCESS || !job) {
        *next = now + SECOND;
        return rv;
    }
    rv = move_rollouts(fanout, st, rollout_at, &moved);
    if (rv == APR_SUCCESS && (change || recheck || moved))
        rv = work_off(st, job, &more, queued);
    if (rv == APR_SUCCESS && !more)
        rv = mdm_store_job_advance(st, job, 0, NULL);
    if (more)
        fanout->rest = *next = apr_time_now() + RESTS * (apr_time_now() - began);
    return rv;
}

apr_time_t mdm_fanout_turn(mdm_fanout_t *fanout, int woken, int *queued)
{
    apr_pool_t *p;
    mdm_ctx_t *ctx;
    mdm_store_t *st;
    apr_time_t next = 0;
    apr_status_t rv;

    if (apr_time_now() < fanout->rest)
        return fanout->rest;
    if (!woken && apr_time_now() < fanout->next)
        return fanout->next;
    apr_pool_create(&p, fanout->ctx->pool);
    ctx = mdm_ctx_create(p, fanout->ctx->log);
    ctx->fixed_now = fanout->ctx->fixed_now;
    if ((rv = fanout->config.open(&st, ctx, fanout->config.baton)) == APR_SUCCESS) {
        rv = look(fanout, st, queued, &next);
        fanout->config.close(st, fanout->config.baton);
    }
    if (rv != APR_SUCCESS)
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(1073) "fan-out of what should hold: %s; tried again",
                mdm_ctx_detail(ctx, rv));
    fanout->next = rv == APR_SUCCESS ? next : apr_time_now() + LOOK;
    apr_pool_destroy(p);
    return fanout->next;
}

apr_status_t mdm_fanout_run(mdm_store_t *st, int steps)
{
    mdm_fanout_work_t *work = mdm_fanout_work(st);
    apr_status_t rv = APR_SUCCESS;
    int more = 1, done;

    for (done = 0; rv == APR_SUCCESS && more && (!steps || done < steps); done++)
        rv = do_both(&more, work);
    return rv;
}
