/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of the fan-out. What it reads of enrollments it reads and locks in its transaction; the catalog, templates
 * and secrets may be older, but for what a change is about: who changes them meanwhile leaves a change that is worked
 * off after.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_fanout_step.h"
#include "mdm_fanout_write.h"
#include "mdm_group.h"
#include "mdm_store_change.h"
#include "mdm_store_profile.h"
#include "mdm_store_secret.h"
#include "mdm_unreadable.h"

#define AHEAD 1024                /* enrollments found at once */

/* A step under way; its own context keeps the memory of many steps within bounds. */
typedef struct {
    mdm_fanout_work_t *work;
    mdm_store_t st;
    mdm_change_t *change;         /* NULL: marks */
    const apr_int64_t *ids;
    int count, last;
    mdm_db_work_fn *transaction;
    int looked, queued, lost;     /* out */
} step_t;

mdm_fanout_work_t *mdm_fanout_work(mdm_store_t *st)
{
    mdm_fanout_work_t *work = apr_pcalloc(st->ctx->pool, sizeof(*work));

    work->st = st;
    return work;
}

/* What this process has read is worth nothing once another has gone on: the lease is renewed before anything else. */
static apr_status_t hold_and_do(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    const mdm_fanout_work_t *work = s->work;
    apr_status_t rv = work->job ? mdm_store_job_renew(&s->st, work->job, work->lease) : APR_SUCCESS;

    s->lost = rv == MDM_EGONE;
    return rv == APR_SUCCESS ? s->transaction(s, db) : rv;
}

/* What is known is old: it is read anew before a next step. */
static void forget(mdm_fanout_work_t *work)
{
    work->change = 0;
    work->catalog = NULL;
    work->ids = NULL;
}

/* @return MDM_EGONE when another process has done it, or has the job */
static apr_status_t run_step(step_t *s, mdm_db_work_fn *transaction)
{
    mdm_store_t *st = s->work->st;
    mdm_ctx_t *ctx;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, st->ctx->pool);
    ctx = mdm_ctx_create(p, st->ctx->log);
    ctx->fixed_now = st->ctx->fixed_now;
    s->st = *st;
    s->st.ctx = ctx;
    s->transaction = transaction;
    (void)mdm_db_use(st->db, ctx);
    rv = mdm_db_transact(st->db, hold_and_do, s);
    (void)mdm_db_use(st->db, st->ctx);
    if (rv == APR_SUCCESS)
        mdm_unreadable_tell(st->ctx, s->work->render);
    s->work->lost = rv == MDM_EGONE && s->lost;
    if (rv != APR_SUCCESS && rv != MDM_EGONE)
        rv = mdm_fail(st->ctx, rv, "%s", mdm_ctx_detail(ctx, rv));
    apr_pool_destroy(p);
    return rv;
}

static apr_status_t read_catalog(mdm_fanout_work_t *work)
{
    if (work->catalog)
        return APR_SUCCESS;
    work->render = mdm_render_create(work->st);
    return mdm_catalog_load(&work->catalog, work->st);
}

static apr_status_t bring_up_to_date(step_t *s, const apr_int64_t *ids, int count, int *changed)
{
    mdm_fanout_work_t *work = s->work;
    mdm_effect_batch_t *batch;
    apr_array_header_t *items;
    apr_status_t rv = mdm_effect_batch(&batch, &s->st, work->catalog, ids, count, s->change ? work->cluster : NULL, 1);

    if (rv == APR_SUCCESS)
        rv = mdm_plan_make(&items, &s->st, work->render, batch, s->change ? work->forced : NULL);
    if (rv == APR_SUCCESS)
        rv = mdm_fanout_write(changed, &s->queued, &s->st, s->change ? s->change->id : 0, items);
    return rv == APR_SUCCESS ? mdm_unreadable_note(&s->st, work->render) : rv;
}

/* ---- marks */

static apr_status_t do_recheck(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    apr_array_header_t *marks, *moved;
    apr_int64_t ids[MDM_QUEUE_CHUNK];
    apr_status_t rv = mdm_store_recheck_due(&marks, &s->st, MDM_QUEUE_CHUNK);
    int i, changed;

    (void)db;
    s->looked = s->queued = 0;
    if (rv != APR_SUCCESS || !marks->nelts)
        return rv;
    for (i = 0; i < marks->nelts; i++)
        ids[i] = APR_ARRAY_IDX(marks, i, mdm_recheck_t).enrollment;
    /* first, so that who marks them from now on waits until this is done, and his mark stays */
    rv = mdm_store_recheck_done(&s->st, (const mdm_recheck_t *)marks->elts, marks->nelts);
    if (rv == APR_SUCCESS)
        rv = mdm_group_settle(&moved, &s->st, ids, marks->nelts);
    /* a channel may have been looked at before its device moved */
    if (rv == APR_SUCCESS && moved->nelts)
        rv = mdm_store_recheck_channels(&s->st, (const apr_int64_t *)moved->elts, moved->nelts, ids, marks->nelts);
    if (rv == APR_SUCCESS)
        rv = bring_up_to_date(s, ids, marks->nelts, &changed);
    s->looked = marks->nelts;
    return rv;
}

apr_status_t mdm_fanout_recheck(int *more, mdm_fanout_work_t *work)
{
    step_t s = { work, { 0 }, NULL, NULL, 0, 0, NULL, 0, 0, 0 };
    apr_status_t rv = read_catalog(work);

    if (rv == APR_SUCCESS)
        rv = run_step(&s, do_recheck);
    *more = rv == APR_SUCCESS && s.looked;
    work->queued += rv == APR_SUCCESS ? s.queued : 0;
    if (work->lost) {
        forget(work);
        return APR_SUCCESS;
    }
    return rv;
}

/* ---- a group's rule has changed: who joins or leaves is marked */

static apr_status_t do_sweep(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    mdm_change_t to = *s->change;
    mdm_group_sweep_t sweep = { 0 };
    apr_status_t rv;

    (void)db;
    sweep.group = apr_atoi64(to.object);
    sweep.position = to.position;
    if ((rv = mdm_group_sweep(&sweep, &s->st)) != APR_SUCCESS)
        return rv;
    to.position = sweep.position;
    to.looked += sweep.looked;
    to.changed += sweep.joined + sweep.left;
    to.finished_at = sweep.done ? mdm_ctx_now(s->st.ctx) : 0;
    s->looked = (int)to.looked;
    s->last = sweep.done;
    rv = mdm_store_change_move(&s->st, &to, s->change->position);
    return rv == MDM_ENOTFOUND ? MDM_EGONE : rv;
}

/* ---- a profile or a secret has changed */

static apr_status_t name_profiles(mdm_fanout_work_t *work, const mdm_change_t *change)
{
    mdm_store_t *st = work->st;
    apr_array_header_t *uses;
    apr_status_t rv;
    int i;

    work->forced = apr_array_make(st->ctx->pool, 4, sizeof(apr_int64_t));
    if (!strcmp(change->kind, MDM_CHANGE_PROFILE))
        APR_ARRAY_PUSH(work->forced, apr_int64_t) = apr_atoi64(change->object);
    else if ((rv = mdm_store_secret_uses(&uses, st, change->object)) != APR_SUCCESS)
        return rv;
    else
        for (i = 0; i < uses->nelts; i++) {
            apr_int64_t id = APR_ARRAY_IDX(uses, i, mdm_secret_use_t).profile;

            if (!work->forced->nelts || APR_ARRAY_IDX(work->forced, work->forced->nelts - 1, apr_int64_t) != id)
                APR_ARRAY_PUSH(work->forced, apr_int64_t) = id;
        }
    /* who was blocked by what goes now can have his */
    rv = mdm_catalog_widen(work->catalog, st, (const apr_int64_t *)work->forced->elts, work->forced->nelts);
    work->cluster = mdm_catalog_cluster(work->catalog, (const apr_int64_t *)work->forced->elts, work->forced->nelts);
    return rv;
}

static int has_rollout(const mdm_catalog_t *catalog, apr_int64_t profile)
{
    int i;

    for (i = 0; i < catalog->entries->nelts; i++) {
        const mdm_catalog_entry_t *entry = APR_ARRAY_IDX(catalog->entries, i, const mdm_catalog_entry_t *);

        if (entry->rollout && entry->profile->id == profile)
            return 1;
    }
    return 0;
}

static apr_status_t do_restart(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    mdm_fanout_work_t *work = s->work;
    int anew = !strcmp(s->change->kind, MDM_CHANGE_SECRET), i;
    apr_status_t rv = APR_SUCCESS;

    (void)db;
    for (i = 0; rv == APR_SUCCESS && i < work->forced->nelts; i++) {
        const mdm_catalog_profile_t *p = mdm_catalog_profile(work->catalog,
                                                             APR_ARRAY_IDX(work->forced, i, apr_int64_t));

        if (p && has_rollout(work->catalog, p->id))
            rv = mdm_rollout_restart(&s->st, p->id, p->version, anew);
    }
    return rv;
}

/* Before the first step rollouts begin again: whoever's turn has not come is passed over. */
static apr_status_t begin(step_t *s)
{
    mdm_fanout_work_t *work = s->work;
    int i, any = 0;
    apr_status_t rv;

    for (i = 0; i < work->forced->nelts; i++)
        any |= has_rollout(work->catalog, APR_ARRAY_IDX(work->forced, i, apr_int64_t));
    if (s->change->position || !any)
        return APR_SUCCESS;
    if ((rv = run_step(s, do_restart)) != APR_SUCCESS)
        return rv;
    work->catalog = NULL;
    return read_catalog(work);
}

static apr_status_t find_enrollments(mdm_fanout_work_t *work, const mdm_change_t *change)
{
    apr_int64_t profile = apr_atoi64(change->object);
    mdm_profile_row_t *row;
    apr_status_t rv;

    if (!strcmp(change->kind, MDM_CHANGE_SECRET))
        rv = mdm_store_batch_of_holders(&work->ids, work->st, (const apr_int64_t *)work->forced->elts,
                                        work->forced->nelts, change->position, AHEAD);
    else if ((rv = mdm_store_profile_by_id(&row, work->st, profile)) == APR_SUCCESS)
        rv = mdm_store_batch_of_profile(&work->ids, work->st, profile, !strcmp(row->scope, "User"), change->position,
                                        AHEAD);
    if (rv != APR_SUCCESS)
        return rv;
    work->change = change->id;
    work->position = change->position;
    work->at = 0;
    work->last = work->ids->nelts < AHEAD;
    return APR_SUCCESS;
}

static apr_status_t do_change(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    mdm_change_t to = *s->change;
    int changed = 0;
    apr_status_t rv = APR_SUCCESS;

    (void)db;
    s->queued = 0;
    if (s->count)
        rv = bring_up_to_date(s, s->ids, s->count, &changed);
    if (rv != APR_SUCCESS)
        return rv;
    to.position = s->count ? s->ids[s->count - 1] : to.position;
    to.looked += s->count;
    to.changed += changed;
    to.finished_at = s->last ? mdm_ctx_now(s->st.ctx) : 0;
    rv = mdm_store_change_move(&s->st, &to, s->change->position);
    return rv == MDM_ENOTFOUND ? MDM_EGONE : rv;
}

static apr_status_t prepare(step_t *s)
{
    mdm_fanout_work_t *work = s->work;
    apr_status_t rv;

    /* What was read before the change was there may be from before it; and who has moved it may have done more. */
    if (work->change != s->change->id || work->position != s->change->position)
        forget(work);
    rv = read_catalog(work);
    if (rv == APR_SUCCESS && work->change != s->change->id) {
        if ((rv = name_profiles(work, s->change)) != APR_SUCCESS || (rv = begin(s)) != APR_SUCCESS)
            return rv;
        work->ids = NULL;
    }
    if (rv == APR_SUCCESS && (!work->ids || (work->at == work->ids->nelts && !work->last)))
        rv = find_enrollments(work, s->change);
    if (rv != APR_SUCCESS)
        return rv;
    s->ids = (const apr_int64_t *)work->ids->elts + work->at;
    s->count = work->ids->nelts - work->at < MDM_QUEUE_CHUNK ? work->ids->nelts - work->at : MDM_QUEUE_CHUNK;
    s->last = work->last && work->at + s->count == work->ids->nelts;
    return APR_SUCCESS;
}

static void tell(mdm_store_t *st, apr_int64_t id)
{
    mdm_change_t *done;

    if (mdm_store_change_get(&done, st, id) == APR_SUCCESS)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(1072) "change of %s %s is done: %" APR_INT64_T_FMT
                " enrollments looked at, changed for %" APR_INT64_T_FMT, done->kind, done->object, done->looked,
                done->changed);
    else
        mdm_ctx_clear(st->ctx);
}

apr_status_t mdm_fanout_change(int *more, mdm_fanout_work_t *work)
{
    step_t s = { work, { 0 }, NULL, NULL, 0, 0, NULL, 0, 0, 0 };
    int sweeps;
    apr_status_t rv = mdm_store_change_next(&s.change, work->st);

    *more = rv == APR_SUCCESS && s.change;
    if (!*more)
        return rv;
    if (!s.change->position)
        rv = mdm_store_change_settle(work->st);
    sweeps = !strcmp(s.change->kind, MDM_CHANGE_GROUP);
    if (rv == APR_SUCCESS && !sweeps)
        rv = prepare(&s);
    if (rv == APR_SUCCESS)
        rv = run_step(&s, sweeps ? do_sweep : do_change);
    if (rv == MDM_EGONE) {
        forget(work);
        mdm_ctx_clear(work->st->ctx);
        *more = !work->lost;
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS)
        return rv;
    work->position = s.count ? s.ids[s.count - 1] : work->position;
    work->at += s.count;
    work->queued += s.queued;
    if (s.last) {
        work->change = 0;
        tell(work->st, s.change->id);
    }
    return APR_SUCCESS;
}
