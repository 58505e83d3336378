/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Previews. The walk is the fan-out's, batch by batch with a context for each, and only sums are kept. Called by the
 * API; writes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_preview.h"
#include "mdm_store_profile.h"
#include "mdm_store_queue.h"
#include "mdm_store_secret.h"

#define AHEAD 1024

struct mdm_preview_walk_t {
    mdm_store_t *st;              /* whose pool keeps what is told */
    const mdm_preview_request_t *request;
    mdm_preview_t *preview;
    mdm_catalog_t *catalog;
    mdm_render_t *render;
    apr_array_header_t *forced, *cluster;
    apr_array_header_t *ids;      /* apr_int64_t: the page that is walked through */
    int user_scope;
    apr_int64_t profile;          /* that the request is about; 0: a secret */
    mdm_judge_t *judge;           /* of the version that would be installed; or NULL */
};

typedef mdm_preview_walk_t walk_t;

/* ---- the catalog as it would be */

static apr_status_t name_one(walk_t *w, apr_int64_t profile)
{
    mdm_profile_row_t *row;
    apr_status_t rv = mdm_store_profile_by_id(&row, w->st, profile);

    if (rv != APR_SUCCESS)
        return rv;
    w->profile = profile;
    w->user_scope = !strcmp(row->scope, "User");
    APR_ARRAY_PUSH(w->forced, apr_int64_t) = profile;
    return APR_SUCCESS;
}

static apr_status_t name_users_of(walk_t *w, const char *secret)
{
    apr_array_header_t *uses;
    apr_status_t rv = mdm_store_secret_uses(&uses, w->st, secret);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < uses->nelts; i++) {
        apr_int64_t id = APR_ARRAY_IDX(uses, i, mdm_secret_use_t).profile;

        if (w->forced->nelts && APR_ARRAY_IDX(w->forced, w->forced->nelts - 1, apr_int64_t) == id)
            continue;
        APR_ARRAY_PUSH(w->forced, apr_int64_t) = id;
        mdm_catalog_begin_anew(w->catalog, id);
    }
    mdm_render_pretend(w->render, secret);
    return rv;
}

/* What is saved with another scope is for others. */
static void set_scope(walk_t *w, int user_scope)
{
    mdm_catalog_profile_t *p = mdm_catalog_profile(w->catalog, w->profile);

    w->user_scope = user_scope;
    if (p)
        p->user_scope = user_scope;
}

static apr_status_t pretend_content(walk_t *w)
{
    const mdm_preview_request_t *request = w->request;
    apr_status_t rv = name_one(w, request->profile);

    if (rv != APR_SUCCESS)
        return rv;
    set_scope(w, request->user_scope);
    mdm_catalog_put_version(w->catalog, request->profile, request->version, request->detail);
    rv = mdm_catalog_set_version(w->catalog, w->st, request->profile, request->version);
    return rv == APR_SUCCESS ? mdm_render_put(w->render, w->st, request->profile, request->version, request->body) : rv;
}

static apr_status_t pretend(walk_t *w)
{
    const mdm_preview_request_t *request = w->request;
    apr_status_t rv = APR_SUCCESS;

    switch (request->what) {
    case MDM_PREVIEW_ASSIGNMENT:
        if ((rv = name_one(w, request->assignment->profile)) == APR_SUCCESS)
            rv = mdm_catalog_put(w->catalog, w->st, request->assignment);
        break;
    case MDM_PREVIEW_DELETE:
        rv = name_one(w, request->assignment->profile);
        mdm_catalog_drop(w->catalog, request->assignment->id);
        break;
    case MDM_PREVIEW_VERSION:
        if ((rv = name_one(w, request->profile)) == APR_SUCCESS)
            rv = mdm_catalog_set_version(w->catalog, w->st, request->profile, request->version);
        break;
    case MDM_PREVIEW_CONTENT:
        rv = pretend_content(w);
        break;
    case MDM_PREVIEW_ARCHIVE:
        rv = name_one(w, request->profile);
        mdm_catalog_drop_profile(w->catalog, request->profile);
        break;
    case MDM_PREVIEW_MEMBERS:
        w->catalog->moved = request->group;
        w->catalog->moves = apr_hash_make(w->st->ctx->pool);
        w->forced = NULL;
        return APR_SUCCESS;
    default:
        rv = name_users_of(w, request->secret);
    }
    if (rv == APR_SUCCESS)
        rv = mdm_catalog_widen(w->catalog, w->st, (const apr_int64_t *)w->forced->elts, w->forced->nelts);
    if (rv == APR_SUCCESS)
        w->cluster = mdm_catalog_cluster(w->catalog, (const apr_int64_t *)w->forced->elts, w->forced->nelts);
    return rv;
}

/* ---- what devices will not do with it */

static apr_status_t make_judge(walk_t *w)
{
    mdm_catalog_profile_t *p = mdm_catalog_profile(w->catalog, w->profile);
    const mdm_assignment_t *a = w->request->what == MDM_PREVIEW_ASSIGNMENT ? w->request->assignment : NULL;
    mdm_profile_version_t *v;
    mdm_plist_t *tree;
    apr_status_t rv;

    if (!p || w->request->what == MDM_PREVIEW_DELETE || w->request->what == MDM_PREVIEW_ARCHIVE || (a && a->exclude))
        return APR_SUCCESS;
    if (w->request->what == MDM_PREVIEW_CONTENT) {
        if ((rv = mdm_plist_read(&tree, w->st->ctx, w->request->body)) == APR_SUCCESS)
            w->judge = mdm_judge_create(w->st->ctx, tree, w->preview->warnings);
        return rv;
    }
    rv = mdm_store_profile_version_get(&v, w->st, p->id, a && a->version ? a->version : p->version);
    if (rv == MDM_ECRYPTO) {      /* that it would be blocked is told with the others */
        mdm_ctx_clear(w->st->ctx);
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS && (rv = mdm_plist_read(&tree, w->st->ctx, v->body)) == APR_SUCCESS)
        w->judge = mdm_judge_create(w->st->ctx, tree, w->preview->warnings);
    if (rv == APR_SUCCESS && w->request->what == MDM_PREVIEW_VERSION) {
        const char *scope = mdm_plist_get_string(tree, "PayloadScope");

        set_scope(w, scope && !strcmp(scope, "User"));
    }
    return rv;
}

static apr_status_t warn(walk_t *w, mdm_store_t *st, const apr_array_header_t *items)
{
    apr_array_header_t *ofs = apr_array_make(st->ctx->pool, items->nelts, sizeof(const mdm_effect_of_t *));
    int i;

    for (i = 0; i < items->nelts; i++) {
        const mdm_plan_item_t *item = &APR_ARRAY_IDX(items, i, mdm_plan_item_t);

        if (item->profile == w->profile && item->action <= MDM_PLAN_REPLACE)
            APR_ARRAY_PUSH(ofs, const mdm_effect_of_t *) = item->of;
    }
    return mdm_judge_some(w->judge, st, ofs);
}

/* ---- sums */

static void note_tie(walk_t *w, const mdm_effect_of_t *of, const mdm_effect_t *effect)
{
    if (!effect->blocker || (effect->profile->id != w->profile && effect->blocker->profile->id != w->profile)
        || effect->blocker->assignment->priority != effect->entry->assignment->priority)
        return;
    if (!w->preview->ties++)
        w->preview->tie = apr_psprintf(w->st->ctx->pool, "%s is to have the profiles %s and %s, both with priority %d, "
                                       "and there can be but one of them: %s", of->enrollment->enrollment_id,
                                       effect->blocker->profile->name, effect->profile->name,
                                       effect->entry->assignment->priority, effect->reason);
}

/* Also where nothing is to be done: the one that comes second may be blocked by the other already. */
static void note_ties(walk_t *w, const mdm_effect_batch_t *batch)
{
    int i, n;

    for (i = 0; i < batch->all->nelts; i++) {
        const mdm_effect_of_t *of = &APR_ARRAY_IDX(batch->all, i, mdm_effect_of_t);

        for (n = 0; n < of->effects->nelts; n++)
            note_tie(w, of, &APR_ARRAY_IDX(of->effects, n, mdm_effect_t));
    }
}

static void sum_up(walk_t *w, const apr_array_header_t *items)
{
    mdm_preview_t *preview = w->preview;
    int i;

    for (i = 0; i < items->nelts; i++) {
        const mdm_plan_item_t *item = &APR_ARRAY_IDX(items, i, mdm_plan_item_t);
        apr_array_header_t *named = preview->named[item->action];

        if (item->action == MDM_PLAN_BLOCK)
            mdm_judge_note(preview->blocked, 0, item->reason, w->st->ctx->pool);
        if (preview->counts[item->action]++ < MDM_PREVIEW_NAMED)
            APR_ARRAY_PUSH(named, const char *) = apr_pstrdup(w->st->ctx->pool, item->of->enrollment->enrollment_id);
    }
}

/* ---- the walk */

/* A step of the walk has a context of its own, and its memory ends with it. */
static void begin_step(mdm_store_t *step, const walk_t *w)
{
    apr_pool_t *p;

    apr_pool_create(&p, w->st->ctx->pool);
    *step = *w->st;
    step->ctx = mdm_ctx_create(p, w->st->ctx->log);
    step->ctx->fixed_now = w->st->ctx->fixed_now;
    (void)mdm_db_use(step->db, step->ctx);
}

static apr_status_t end_step(mdm_store_t *step, const walk_t *w, apr_status_t rv)
{
    (void)mdm_db_use(step->db, w->st->ctx);
    if (rv != APR_SUCCESS)
        rv = mdm_fail(w->st->ctx, rv, "%s", mdm_ctx_detail(step->ctx, rv));
    apr_pool_destroy(step->ctx->pool);
    return rv;
}

static apr_status_t do_batch(walk_t *w, const apr_int64_t *ids, int count)
{
    mdm_store_t step;
    mdm_effect_batch_t *batch;
    apr_array_header_t *items;
    apr_status_t rv;

    begin_step(&step, w);
    rv = mdm_effect_batch(&batch, &step, w->catalog, ids, count, w->cluster, 0);
    if (rv == APR_SUCCESS)
        rv = mdm_plan_make(&items, &step, w->render, batch, w->forced);
    if (rv == APR_SUCCESS && w->judge)
        rv = warn(w, &step, items);
    if (rv == APR_SUCCESS) {
        note_ties(w, batch);
        sum_up(w, items);
    }
    w->preview->looked += count;
    return end_step(&step, w, rv);
}

static apr_status_t find(apr_array_header_t **ids, const walk_t *w, mdm_store_t *st, apr_int64_t after)
{
    const mdm_assignment_t *a = w->request->assignment;

    if (w->request->what == MDM_PREVIEW_SECRET)
        return mdm_store_batch_of_holders(ids, st, (const apr_int64_t *)w->forced->elts, w->forced->nelts, after,
                                          AHEAD);
    if (!a)
        return mdm_store_batch_of_profile(ids, st, w->profile, w->user_scope, after, AHEAD);
    return mdm_store_batch_of_target(ids, st, a->kind, a->target, after, AHEAD);
}

static apr_status_t turn_page(walk_t *w, apr_int64_t after)
{
    mdm_store_t step;
    apr_array_header_t *ids;
    apr_status_t rv;

    begin_step(&step, w);
    rv = find(&ids, w, &step, after);
    apr_array_clear(w->ids);
    if (rv == APR_SUCCESS)
        apr_array_cat(w->ids, ids);
    return end_step(&step, w, rv);
}

static apr_status_t walk(walk_t *w)
{
    apr_array_header_t *ids = w->ids = apr_array_make(w->st->ctx->pool, AHEAD, sizeof(apr_int64_t));
    apr_int64_t after = 0;
    apr_status_t rv;
    int done, n;

    do {
        if ((rv = turn_page(w, after)) != APR_SUCCESS)
            return rv;
        for (done = 0; rv == APR_SUCCESS && done < ids->nelts; done += n) {
            if (w->request->looks && w->preview->looked >= w->request->looks)
                return APR_SUCCESS;
            n = ids->nelts - done < MDM_QUEUE_CHUNK ? ids->nelts - done : MDM_QUEUE_CHUNK;
            rv = do_batch(w, (const apr_int64_t *)ids->elts + done, n);
        }
        if (ids->nelts)
            after = APR_ARRAY_IDX(ids, ids->nelts - 1, apr_int64_t);
    } while (rv == APR_SUCCESS && ids->nelts == AHEAD);
    return rv;
}

apr_status_t mdm_preview_begin(mdm_preview_walk_t **out, mdm_catalog_t **catalog, mdm_store_t *st,
                               const mdm_preview_request_t *request)
{
    apr_pool_t *p = st->ctx->pool;
    walk_t *w = apr_pcalloc(p, sizeof(*w));
    apr_status_t rv;
    int i;

    w->st = st;
    w->request = request;
    w->preview = apr_pcalloc(p, sizeof(*w->preview));
    for (i = 0; i <= MDM_PLAN_WAIT; i++)
        w->preview->named[i] = apr_array_make(p, 8, sizeof(const char *));
    w->preview->blocked = apr_array_make(p, 2, sizeof(mdm_judge_note_t));
    w->preview->warnings = apr_array_make(p, 2, sizeof(mdm_judge_note_t));
    w->forced = apr_array_make(p, 4, sizeof(apr_int64_t));
    w->render = mdm_render_create(st);
    *out = w;
    if ((rv = mdm_catalog_load(&w->catalog, st)) == APR_SUCCESS && (rv = pretend(w)) == APR_SUCCESS)
        rv = make_judge(w);
    *catalog = w->catalog;
    return rv;
}

apr_status_t mdm_preview_look(mdm_preview_walk_t *w, const apr_int64_t *enrollments, int count)
{
    return do_batch(w, enrollments, count);
}

mdm_preview_t *mdm_preview_found(mdm_preview_walk_t *w)
{
    return w->preview;
}

apr_status_t mdm_preview_run(mdm_preview_t **out, mdm_store_t *st, const mdm_preview_request_t *request)
{
    mdm_catalog_t *catalog;
    walk_t *w;
    apr_status_t rv = mdm_preview_begin(&w, &catalog, st, request);

    if (rv == APR_SUCCESS)
        rv = walk(w);
    *out = w->preview;
    return rv;
}

/* ---- as JSON */

json_t *mdm_preview_json(const mdm_preview_t *preview)
{
    static const char *const names[] = { NULL, "install", "replace", "remove", "withdraw", "blocked", NULL, "waiting" };
    json_t *json = json_pack("{s:I}", "looked", (json_int_t)preview->looked);
    int action, i;

    for (action = MDM_PLAN_INSTALL; action <= MDM_PLAN_WAIT; action++) {
        const apr_array_header_t *named = preview->named[action];
        json_t *ids;

        if (!names[action])
            continue;
        ids = json_array();
        for (i = 0; i < named->nelts; i++)
            json_array_append_new(ids, json_string(APR_ARRAY_IDX(named, i, const char *)));
        json_object_set_new(json, names[action], json_pack("{s:I, s:o}", "count", (json_int_t)preview->counts[action],
                                                           "enrollments", ids));
    }
    json_object_set_new(json, "reasons", mdm_judge_notes_json(preview->blocked));
    json_object_set_new(json, "warnings", mdm_judge_notes_json(preview->warnings));
    if (preview->ties)
        json_object_set_new(json, "conflict", json_pack("{s:s, s:I}", "text", preview->tie, "enrollments",
                                                        (json_int_t)preview->ties));
    return json;
}
