/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the directory is synchronised, and by whom: a job with a lease that is renewed while it runs. Runs in the
 * directory's thread. A run has a pool of its own; the database is not held while the directory is waited for.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_directory_parts.h"
#include "mdm_json.h"
#include "mdm_store_job.h"
#include "mdm_store_status.h"

#define SECOND apr_time_from_sec(1)
#define LEASE (120 * SECOND)
#define RENEW (30 * SECOND)
#define RETRY (300 * SECOND)          /* after a failure, at most */
#define REPORT "directory.report"
#define FAILURE "directory.failure"

struct mdm_directory_t {
    mdm_ctx_t *ctx;
    mdm_directory_config_t config;
    apr_pool_t *pool;                 /* of a run */
    apr_time_t next;                  /* look */
    apr_time_t renew_at;
    mdm_store_t *st;                  /* open while a run writes: a thread never holds two */
};

typedef struct {
    mdm_directory_t *d;
    mdm_store_t *st;
    const mdm_job_t *job;
    mdm_directory_run_t *run;
    apr_status_t rv;
} ending_t;

mdm_directory_t *mdm_directory_create(mdm_ctx_t *ctx, const mdm_directory_config_t *config)
{
    mdm_directory_t *d = apr_pcalloc(ctx->pool, sizeof(*d));

    d->ctx = ctx;
    d->config = *config;
    if (apr_pool_create(&d->pool, ctx->pool) != APR_SUCCESS)
        return NULL;
    return d;
}

/* ---- the lease */

/* @return 0 when another node has it: it must think that this one has died */
static int renew(mdm_directory_t *d)
{
    mdm_job_t *job = NULL;
    mdm_store_t *st;
    apr_pool_t *p;
    mdm_ctx_t *ctx;
    apr_status_t rv;

    if (d->st) {
        rv = mdm_store_job_claim(&job, d->st, MDM_DIRECTORY_JOB, d->config.owner, LEASE);
        return rv != APR_SUCCESS || job != NULL;
    }
    if (apr_pool_create(&p, d->pool) != APR_SUCCESS)
        return 1;
    ctx = mdm_ctx_create(p, d->ctx->log);
    if ((rv = d->config.open(&st, ctx, d->config.baton)) == APR_SUCCESS) {
        rv = mdm_store_job_claim(&job, st, MDM_DIRECTORY_JOB, d->config.owner, LEASE);
        d->config.close(st, d->config.baton);
    }
    apr_pool_destroy(p);
    return rv != APR_SUCCESS || job != NULL;
}

static int is_stopping(void *baton)
{
    mdm_directory_t *d = baton;

    return d->config.stopping && d->config.stopping(d->config.baton);
}

static int is_over(void *baton)
{
    mdm_directory_t *d = baton;
    apr_time_t now = apr_time_now();

    if (is_stopping(d))
        return 1;
    if (now < d->renew_at)
        return 0;
    d->renew_at = now + RENEW;
    return !renew(d);
}

/* ---- one run */

static apr_status_t read_groups(mdm_directory_run_t *run, mdm_store_t *st)
{
    apr_pool_t *p = run->ctx->pool;
    apr_array_header_t *kept;
    apr_status_t rv = mdm_store_group_kept(&kept, st);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < kept->nelts; i++) {
        const mdm_group_t *group = APR_ARRAY_IDX(kept, i, mdm_group_t *);
        mdm_directory_group_t *made;

        if (group->kind != MDM_GROUP_DIRECTORY)
            continue;
        made = apr_array_push(run->groups);
        memset(made, 0, sizeof(*made));
        made->group = group;
        made->dn = group->directory ? mdm_ldap_dn(group->directory, p) : NULL;
        made->logins = apr_hash_make(p);
        made->joined = apr_array_make(p, 4, sizeof(const char *));
        made->left = apr_array_make(p, 4, sizeof(const char *));
    }
    return rv;
}

/* What was asked for; nothing when it runs by its schedule. */
static void read_request(mdm_directory_run_t *run, const char *position)
{
    json_t *json;

    if (!position || mdm_json_read(&json, run->ctx, mdm_bytes_of(position)) != APR_SUCCESS)
        return;
    run->requested_by = json_string_value(json_object_get(json, "actor"));
    run->confirmed = json_is_true(json_object_get(json, "confirm"));
}

static void start_run(mdm_directory_run_t *run, mdm_directory_t *d, mdm_ctx_t *ctx)
{
    memset(run, 0, sizeof(*run));
    run->ctx = ctx;
    run->site = d->config.site;
    run->stopping = is_stopping;
    run->look = is_over;
    run->baton = d;
    run->started = mdm_ctx_now(ctx);
    run->id = mdm_id_next();
    run->groups = apr_array_make(ctx->pool, 4, sizeof(mdm_directory_group_t));
    run->changes = apr_array_make(ctx->pool, 256, sizeof(mdm_person_change_t));
    run->by_login = apr_hash_make(ctx->pool);
    run->by_dn = apr_hash_make(ctx->pool);
    run->notes = apr_array_make(ctx->pool, 4, sizeof(const char *));
    run->missing = apr_array_make(ctx->pool, 4, sizeof(const char *));
}

static apr_status_t end_well(ending_t *e)
{
    apr_status_t rv = mdm_store_directory_note_put(e->st, REPORT, mdm_directory_report(e->run));

    if (rv == APR_SUCCESS)
        rv = mdm_store_directory_note_put(e->st, FAILURE, "");
    if (rv == APR_SUCCESS)
        rv = mdm_directory_kept_end(e->st);
    return rv == APR_SUCCESS ? mdm_store_event(e->st, "directory.synced", e->run->requested_by ? e->run->requested_by
                                               : "directory", NULL, NULL, e->run->site->url.uri,
                                               mdm_directory_sentence(e->run)) : rv;
}

/* The first failure after a success is an event; those that follow are in the log. */
static apr_status_t end_badly(ending_t *e, const char *why)
{
    json_t *json = mdm_json_object(e->st->ctx->pool);
    const char *before;
    apr_status_t rv = mdm_store_directory_note_get(&before, e->st, FAILURE);

    json_object_set_new(json, "run", json_integer(e->run->id));
    mdm_json_set_text(json, "at", mdm_time_text(e->run->started, e->st->ctx->pool));
    mdm_json_set_text(json, "error", why);
    if (rv == APR_SUCCESS)
        rv = mdm_store_directory_note_put(e->st, FAILURE, mdm_json_compact(json, e->st->ctx->pool));
    if (rv != APR_SUCCESS || before)
        return rv;
    return mdm_store_event(e->st, "directory.failed", e->run->requested_by ? e->run->requested_by : "directory", NULL,
                           NULL, e->run->site->url.uri, why);
}

static apr_status_t end_work(void *baton, mdm_db_t *db)
{
    ending_t *e = baton;
    apr_interval_time_t wait = e->run->site->interval;
    apr_status_t rv;

    (void)db;
    if (e->rv != APR_SUCCESS && wait > RETRY)
        wait = RETRY;
    if (e->rv == APR_EINTR)
        return mdm_store_job_advance(e->st, e->job, mdm_ctx_now(e->st->ctx), e->job->position);
    rv = e->rv == APR_SUCCESS ? end_well(e) : end_badly(e, mdm_ctx_detail(e->run->ctx, e->rv));
    return rv == APR_SUCCESS ? mdm_store_job_advance(e->st, e->job, mdm_ctx_now(e->st->ctx) + wait, NULL) : rv;
}

static void say_result(const mdm_directory_run_t *run, apr_status_t rv)
{
    const char *uri = run->site->url.uri;

    if (rv == APR_SUCCESS)
        mdm_log(run->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(1001) "synchronised with %s: %s", uri,
                mdm_directory_sentence(run));
    else if (rv == APR_EINTR)
        mdm_log(run->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(1002) "the synchronisation with %s is broken off, "
                "since the server stops or another has taken it over", uri);
    else
        mdm_log(run->ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(1003) "no synchronisation with the directory: %s",
                mdm_ctx_detail(run->ctx, rv));
}

/* A context of its own for the end, so that the run's failure is still there to be told. */
static void end_run(mdm_directory_t *d, mdm_directory_run_t *run, const mdm_job_t *job, apr_status_t result)
{
    ending_t e = { d, NULL, job, run, result };
    mdm_ctx_t *ctx = mdm_ctx_create(d->pool, d->ctx->log);
    apr_status_t rv = d->config.open(&e.st, ctx, d->config.baton);

    say_result(run, result);
    if (rv == APR_SUCCESS) {
        rv = mdm_db_transact(e.st->db, end_work, &e);
        d->config.close(e.st, d->config.baton);
    }
    if (rv != APR_SUCCESS)
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(1004) "the report of a synchronisation cannot be stored: %s",
                mdm_ctx_detail(ctx, rv));
    if (mdm_directory_moved(run) && d->config.changed)
        d->config.changed(d->config.baton);
}

static void synchronise(mdm_directory_t *d, mdm_ctx_t *ctx, const mdm_job_t *job, mdm_directory_run_t *run)
{
    mdm_store_t *st;
    apr_status_t rv = mdm_directory_fetch(run);

    if (rv == APR_SUCCESS && (rv = d->config.open(&st, ctx, d->config.baton)) == APR_SUCCESS) {
        d->st = st;
        rv = mdm_directory_apply(run, st);
        d->st = NULL;
        d->config.close(st, d->config.baton);
    }
    end_run(d, run, job, rv);
}

static apr_status_t claim(mdm_job_t **job, mdm_directory_run_t *run, mdm_directory_t *d, mdm_ctx_t *ctx)
{
    mdm_store_t *st;
    apr_status_t rv = d->config.open(&st, ctx, d->config.baton);

    if (rv != APR_SUCCESS)
        return rv;
    rv = mdm_store_job_claim(job, st, MDM_DIRECTORY_JOB, d->config.owner, LEASE);
    if (rv == APR_SUCCESS && *job) {
        start_run(run, d, ctx);
        read_request(run, (*job)->position);
        if ((rv = read_groups(run, st)) == APR_SUCCESS)
            rv = mdm_directory_kept(&run->broken_off, st);
    }
    d->config.close(st, d->config.baton);
    return rv;
}

apr_time_t mdm_directory_turn(mdm_directory_t *d)
{
    mdm_directory_run_t run;
    mdm_job_t *job = NULL;
    mdm_ctx_t *ctx;
    apr_status_t rv;

    if (apr_time_now() < d->next)
        return d->next;
    apr_pool_clear(d->pool);
    ctx = mdm_ctx_create(d->pool, d->ctx->log);
    d->renew_at = apr_time_now() + RENEW;
    rv = claim(&job, &run, d, ctx);
    if (rv == APR_SUCCESS && job)
        synchronise(d, ctx, job, &run);
    else if (rv != APR_SUCCESS)
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(1005) "the database cannot be asked whether a "
                "synchronisation is due: %s", mdm_ctx_detail(ctx, rv));
    apr_pool_clear(d->pool);
    return d->next = apr_time_now() + d->config.look;
}

/* ---- the API's side */

apr_status_t mdm_directory_ask(mdm_store_t *st, const char *actor, int confirm)
{
    json_t *json = mdm_json_object(st->ctx->pool);

    mdm_json_set_text(json, "actor", actor);
    json_object_set_new(json, "confirm", json_boolean(confirm));
    return mdm_store_directory_ask(st, mdm_json_compact(json, st->ctx->pool));
}

static apr_status_t add_note(json_t *json, const char *member, mdm_store_t *st, const char *name)
{
    const char *text;
    json_t *note;
    apr_status_t rv = mdm_store_directory_note_get(&text, st, name);

    if (rv == APR_SUCCESS && text && (rv = mdm_json_read(&note, st->ctx, mdm_bytes_of(text))) == APR_SUCCESS)
        json_object_set(json, member, note);
    return rv;
}

apr_status_t mdm_directory_show(json_t **out, mdm_store_t *st)
{
    json_t *json = json_object(), *kept;
    mdm_directory_job_t job;
    apr_status_t rv = mdm_store_directory_job(&job, st);

    json_object_set_new(json, "running", json_boolean(job.running));
    mdm_json_set_text(json, "next_at", job.due_at ? mdm_time_text(job.due_at, st->ctx->pool) : NULL);
    if (rv == APR_SUCCESS)
        rv = add_note(json, "report", st, REPORT);
    if (rv == APR_SUCCESS)
        rv = add_note(json, "failure", st, FAILURE);
    if (rv == APR_SUCCESS && (rv = mdm_directory_kept(&kept, st)) == APR_SUCCESS && kept && !job.running)
        json_object_set(json, "broken_off", kept);
    if (rv == APR_SUCCESS)
        *out = json;
    else
        json_decref(json);
    return rv;
}
