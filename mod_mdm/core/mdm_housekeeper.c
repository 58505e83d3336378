/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The housekeeper: a list of jobs, each done in small transactions until its turn is over, and gone on with in the
 * next. Runs in the worker's thread, in turns between pushes; waits for nothing but the database.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_housekeeper.h"
#include "mdm_remedy.h"
#include "mdm_silence.h"
#include "mdm_store_drift.h"

#define SECOND apr_time_from_sec(1)
#define MINUTE apr_time_from_sec(60)
#define HOUR (60 * MINUTE)
#define TURN (SECOND / 5)                   /* of work before pushes get their turn */
#define LEASE MINUTE
#define LOOK (5 * SECOND)                   /* for edges that another node's people made */

struct mdm_housekeeper_t {
    mdm_ctx_t *ctx;
    mdm_housekeeper_config_t config;
    apr_time_t next;                        /* turn */
    apr_time_t looked;                      /* for edges */
};

typedef struct {
    mdm_housekeeper_t *keeper;
    mdm_store_t *st;
    apr_time_t end;                         /* of this turn */
    int *queued;
    int count, more;
} turn_t;

/* ---- commands come into their time, and run out of it */

static apr_status_t start_step(void *baton, mdm_db_t *db)
{
    turn_t *t = baton;

    (void)db;
    return mdm_store_queue_start(&t->count, &t->more, t->st);
}

static apr_status_t expire_step(void *baton, mdm_db_t *db)
{
    turn_t *t = baton;
    apr_status_t rv = mdm_store_queue_expire(&t->count, t->st);

    (void)db;
    t->more = t->count == MDM_QUEUE_STEP;
    return rv;
}

static apr_status_t repeat(turn_t *t, mdm_db_work_fn *step, int *total)
{
    apr_status_t rv;

    *total = 0;
    do {
        rv = mdm_db_transact(t->st->db, step, t);
        *total += rv == APR_SUCCESS ? t->count : 0;
    } while (rv == APR_SUCCESS && t->more && apr_time_now() < t->end);
    return rv;
}

static apr_status_t do_edges(turn_t *t)
{
    int started, expired;
    apr_status_t rv = repeat(t, start_step, &started);

    if (started)
        *t->queued = 1;
    if (rv == APR_SUCCESS)
        rv = repeat(t, expire_step, &expired);
    if (rv == APR_SUCCESS && (started || expired))
        mdm_log(t->st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0885) "%d queued commands have come into their time, "
                "%d have expired", started, expired);
    return rv;
}

static apr_status_t edges(turn_t *t, apr_time_t *next)
{
    apr_time_t now = mdm_ctx_now(t->st->ctx), start, end;
    mdm_job_t *job;
    apr_status_t rv = mdm_store_queue_edges(&start, &end, t->st);

    *next = now + LOOK;
    if (rv != APR_SUCCESS)
        return rv;
    if ((start && start <= now) || (end && end <= now)) {
        *next = now + SECOND;
        rv = mdm_store_job_claim(&job, t->st, "edges", t->keeper->config.owner, LEASE);
        if (rv != APR_SUCCESS || !job)
            return rv;
        rv = do_edges(t);
        *next = now;
        return rv == APR_SUCCESS ? mdm_store_job_advance(t->st, job, 0, NULL) : rv;
    }
    if (start && start < *next)
        *next = start;
    if (end && end < *next)
        *next = end;
    return APR_SUCCESS;
}

/* ---- history */

static apr_status_t prune_commands(turn_t *t, apr_time_t before, apr_int64_t *cursor, int *total)
{
    apr_status_t rv;

    do {
        rv = mdm_store_command_prune(&t->count, cursor, t->st, *cursor, before);
        *total += rv == APR_SUCCESS ? t->count : 0;
    } while (rv == APR_SUCCESS && *cursor && apr_time_now() < t->end);
    return rv;
}

static apr_status_t prune_facts(turn_t *t, apr_time_t before, int *total)
{
    apr_status_t rv;

    do {
        rv = mdm_store_facts_prune(&t->count, t->st, before, MDM_QUEUE_STEP);
        *total += rv == APR_SUCCESS ? t->count : 0;
        t->more = rv == APR_SUCCESS && t->count == MDM_QUEUE_STEP;
    } while (t->more && apr_time_now() < t->end);
    return rv;
}

static apr_status_t prune_changes(turn_t *t, apr_time_t before)
{
    apr_status_t rv;

    do {
        rv = mdm_store_change_prune(&t->count, t->st, before);
        t->more = rv == APR_SUCCESS && t->count == MDM_QUEUE_STEP;
    } while (t->more && apr_time_now() < t->end);
    return rv;
}

static apr_status_t history(turn_t *t)
{
    apr_time_t now = mdm_ctx_now(t->st->ctx), before = now - t->keeper->config.site->history_lifetime;
    apr_int64_t cursor;
    mdm_job_t *job;
    int results = 0, commands = 0, facts = 0;
    apr_status_t rv = mdm_store_job_claim(&job, t->st, "history", t->keeper->config.owner, LEASE);

    if (rv != APR_SUCCESS || !job)
        return rv;
    cursor = job->position ? apr_atoi64(job->position) : 0;
    do {
        rv = mdm_store_result_prune(&t->count, t->st, before);
        results += rv == APR_SUCCESS ? t->count : 0;
        t->more = t->count == MDM_QUEUE_STEP;
    } while (rv == APR_SUCCESS && t->more && apr_time_now() < t->end);
    if (rv == APR_SUCCESS && !t->more) {
        rv = prune_commands(t, before, &cursor, &commands);
        t->more = cursor != 0;
    }
    if (rv == APR_SUCCESS && !t->more)
        rv = prune_facts(t, before, &facts);
    if (rv == APR_SUCCESS && !t->more)
        rv = prune_changes(t, before);
    if (rv != APR_SUCCESS)
        return rv;
    if (results || commands || facts)
        mdm_log(t->st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0886) "history: %d results, %d commands and %d "
                "earlier values of facts are forgotten", results, commands, facts);
    return mdm_store_job_advance(t->st, job, t->more ? now + SECOND : now + HOUR,
                                 cursor ? apr_psprintf(t->st->ctx->pool, "%" APR_INT64_T_FMT, cursor) : NULL);
}

/* ---- silent devices */

static apr_status_t silence(turn_t *t)
{
    const mdm_site_t *site = t->keeper->config.site;
    mdm_silence_counts_t counts = { 0, 0, 0 };
    apr_time_t now = mdm_ctx_now(t->st->ctx);
    apr_int64_t cursor;
    mdm_job_t *job;
    apr_status_t rv = mdm_store_job_claim(&job, t->st, "silence", t->keeper->config.owner, LEASE);

    if (rv != APR_SUCCESS || !job)
        return rv;
    cursor = job->position ? apr_atoi64(job->position) : 0;
    do {
        rv = mdm_silence_sweep(&counts, &cursor, t->st, site);
    } while (rv == APR_SUCCESS && cursor && apr_time_now() < t->end);
    if (counts.silent || counts.heard || counts.missing)
        mdm_log(t->st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0911) "%d devices have fallen silent, %d were heard "
                "of again, %d are missing", counts.silent, counts.heard, counts.missing);
    if (rv != APR_SUCCESS)
        return rv;
    return mdm_store_job_advance(t->st, job, cursor ? now : now + mdm_silence_every(site),
                                 cursor ? apr_psprintf(t->st->ctx->pool, "%" APR_INT64_T_FMT, cursor) : NULL);
}

/* ---- profiles */

static apr_status_t do_remedies(turn_t *t, int *total)
{
    apr_status_t rv;

    do {
        rv = mdm_remedy_step(&t->count, t->st);
        *total += t->count;
    } while (rv == APR_SUCCESS && t->count == MDM_QUEUE_CHUNK && *total < MDM_REMEDY_TURN && apr_time_now() < t->end);
    return rv;
}

static apr_status_t remedies(turn_t *t, apr_time_t *next)
{
    apr_time_t now = mdm_ctx_now(t->st->ctx);
    apr_array_header_t *due;
    mdm_job_t *job;
    int total = 0;
    apr_status_t rv = mdm_store_desired_due(&due, t->st, now, 1);

    if (rv != APR_SUCCESS || !due->nelts)
        return rv;
    rv = mdm_store_job_claim(&job, t->st, "profile-remedy", t->keeper->config.owner, LEASE);
    if (rv != APR_SUCCESS || !job)
        return rv;
    rv = do_remedies(t, &total);
    if (total) {
        *t->queued = 1;
        mdm_log(t->st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(1104) "%d profiles that are not as they should be are "
                "installed or removed again", total);
    }
    if (*next > now + SECOND)
        *next = now + SECOND;
    return rv == APR_SUCCESS ? mdm_store_job_advance(t->st, job, now + SECOND, NULL) : rv;
}

static apr_status_t checks(turn_t *t, apr_time_t *next)
{
    const mdm_site_t *site = t->keeper->config.site;
    mdm_check_round_t round;
    apr_time_t now = mdm_ctx_now(t->st->ctx), due;
    mdm_job_t *job;
    int queued, total = 0;
    apr_status_t rv;

    if (site->profile_check <= 0)
        return APR_SUCCESS;
    rv = mdm_store_job_claim(&job, t->st, "profile-check", t->keeper->config.owner, LEASE);
    if (rv != APR_SUCCESS || !job)
        return rv;
    round = mdm_check_read(job->position);
    /* what a restart has missed is made up for step by step, in turns */
    while (rv == APR_SUCCESS && mdm_check_due(&round, site) <= now && apr_time_now() < t->end) {
        rv = mdm_check_step(&round, &queued, t->st, site);
        total += rv == APR_SUCCESS ? queued : 0;
    }
    if (total) {
        *t->queued = 1;
        mdm_log(t->st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(1105) "%d devices are asked for their profiles",
                total);
    }
    if (rv != APR_SUCCESS)
        return rv;
    due = mdm_check_due(&round, site);
    if (due < *next)
        *next = due;
    return mdm_store_job_advance(t->st, job, due, mdm_check_text(&round, t->st->ctx->pool));
}

/* ---- the turn */

mdm_housekeeper_t *mdm_housekeeper_create(mdm_ctx_t *ctx, const mdm_housekeeper_config_t *config)
{
    mdm_housekeeper_t *keeper = apr_pcalloc(ctx->pool, sizeof(*keeper));

    keeper->ctx = ctx;
    keeper->config = *config;
    return keeper;
}

apr_time_t mdm_housekeeper_turn(mdm_housekeeper_t *keeper, int *queued)
{
    turn_t t = { keeper, NULL, apr_time_now() + TURN, queued, 0, 0 };
    apr_time_t now = apr_time_now(), next = 0;
    apr_pool_t *p;
    mdm_ctx_t *ctx;
    apr_status_t rv;

    /* what was queued just now may have an edge that nobody has seen; a flood of orders costs a look per second */
    if (*queued && keeper->next > keeper->looked + SECOND)
        keeper->next = keeper->looked + SECOND;
    if (now < keeper->next)
        return keeper->next;
    keeper->looked = now;
    apr_pool_create(&p, keeper->ctx->pool);
    ctx = mdm_ctx_create(p, keeper->ctx->log);
    ctx->fixed_now = keeper->ctx->fixed_now;
    if ((rv = keeper->config.open(&t.st, ctx, keeper->config.baton)) == APR_SUCCESS) {
        rv = edges(&t, &next);
        if (rv == APR_SUCCESS)
            rv = history(&t);
        if (rv == APR_SUCCESS)
            rv = silence(&t);
        if (rv == APR_SUCCESS)
            rv = remedies(&t, &next);
        if (rv == APR_SUCCESS)
            rv = checks(&t, &next);
        keeper->config.close(t.st, keeper->config.baton);
    }
    if (rv != APR_SUCCESS)
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0887) "housekeeping: %s; tried again",
                mdm_ctx_detail(ctx, rv));
    apr_pool_destroy(p);
    keeper->next = rv == APR_SUCCESS && next > now ? next : now + SECOND / 4;
    if (rv != APR_SUCCESS)
        keeper->next = now + 10 * SECOND;
    return keeper->next;
}
