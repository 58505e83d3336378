/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what should hold to what is to be done. Nothing is rendered that cannot have changed. Called by the fan-out and
 * by previews with the same arguments; writes nothing.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_plan.h"

typedef struct {
    mdm_store_t *st;
    mdm_render_t *render;
    const mdm_effect_batch_t *batch;
    const apr_array_header_t *forced;
    apr_array_header_t *items;
    apr_array_header_t *values;   /* mdm_values_t, read when the first is needed */
} work_t;

static int is_live(const mdm_desired_t *row)
{
    return row && row->state >= MDM_DESIRED_PENDING && row->state <= MDM_DESIRED_REMOVING;
}

/* What is wanted now is there, or on its way. */
static int is_settled(const mdm_desired_t *row)
{
    return row && row->state >= MDM_DESIRED_PENDING && row->state <= MDM_DESIRED_FAILED;
}

static int is_forced(const work_t *w, apr_int64_t profile)
{
    int i;

    for (i = 0; w->forced && i < w->forced->nelts; i++) {
        if (APR_ARRAY_IDX(w->forced, i, apr_int64_t) == profile)
            return 1;
    }
    return 0;
}

/* It was to go and has not: the device refuses that, or lists it all the same. */
static int is_failed_removal(const mdm_desired_t *row)
{
    return row->state == MDM_DESIRED_FAILED && !row->version;
}

/* It goes; a removal that has failed has its remedies, and nothing else until something is said about its profile. */
static int is_going(const work_t *w, const mdm_desired_t *row)
{
    return row->state == MDM_DESIRED_REMOVING || (is_failed_removal(row) && !is_forced(w, row->profile));
}

/* What was found by a list was never handed out. */
static int may_be_there(const mdm_desired_t *row)
{
    return mdm_desired_is_held(row) || is_failed_removal(row);
}

static mdm_plan_item_t *add(work_t *w, mdm_plan_e action, const mdm_effect_of_t *of, const mdm_effect_t *effect,
                            const mdm_desired_t *row)
{
    mdm_plan_item_t *item = apr_array_push(w->items);

    memset(item, 0, sizeof(*item));
    item->action = action;
    item->of = of;
    item->profile = effect ? effect->profile->id : row->profile;
    item->of_profile = effect ? effect->profile : NULL;
    item->row = row;
    item->effect = effect;
    if (effect) {
        item->version = effect->version;
        item->assignment = effect->entry->assignment->id;
        item->reason = effect->reason;
    }
    return item;
}

static void note(work_t *w, const mdm_effect_of_t *of, const mdm_effect_t *effect, const mdm_desired_t *row)
{
    /* one that is blocked says by what */
    const char *reason = row->state == MDM_DESIRED_BLOCKED ? row->reason : effect->reason;

    if (row->version != effect->version || row->assignment != effect->entry->assignment->id
        || strcmp(row->reason, reason))
        add(w, MDM_PLAN_NOTE, of, effect, row)->reason = reason;
}

static void block(work_t *w, const mdm_effect_of_t *of, const mdm_effect_t *effect, const mdm_desired_t *row,
                  const char *reason)
{
    if (!row || row->state != MDM_DESIRED_BLOCKED || row->version != effect->version
        || row->assignment != effect->entry->assignment->id || strcmp(row->reason, reason))
        add(w, MDM_PLAN_BLOCK, of, effect, row)->reason = reason;
}

static apr_status_t values_of(const mdm_values_t **out, work_t *w, const mdm_effect_of_t *of)
{
    apr_status_t rv = APR_SUCCESS;

    if (!w->values)
        rv = mdm_render_values(&w->values, w->render, w->st, w->batch->all);
    if (rv == APR_SUCCESS)
        *out = &APR_ARRAY_IDX(w->values, of - (const mdm_effect_of_t *)w->batch->all->elts, mdm_values_t);
    return rv;
}

/* One profile that nobody can make must not hold up all others. */
static int is_hopeless(apr_status_t rv)
{
    return rv == MDM_EPLIST || rv == MDM_EINPUT || rv == MDM_ETOOBIG || rv == MDM_ENOTFOUND;
}

static apr_status_t give_up(work_t *w, const mdm_effect_of_t *of, const mdm_effect_t *effect, const mdm_desired_t *row,
                            apr_status_t rv)
{
    const char *reason = apr_pstrdup(w->st->ctx->pool, mdm_ctx_detail(w->st->ctx, rv));

    mdm_ctx_clear(w->st->ctx);
    block(w, of, effect, row, reason);
    return APR_SUCCESS;
}

static apr_status_t plan_wanted(work_t *w, const mdm_effect_of_t *of, const mdm_effect_t *effect,
                                const mdm_desired_t *row)
{
    apr_int64_t profile = effect->profile->id;
    const mdm_template_t *template;
    const mdm_values_t *values = NULL;
    const char *uuid, *missing;
    int same = is_settled(row) && row->version == effect->version;
    apr_status_t rv;

    if (effect->kept || (same && w->forced && !is_forced(w, profile))) {
        note(w, of, effect, row);
        return APR_SUCCESS;
    }
    if ((rv = mdm_render_template(&template, w->render, w->st, profile, effect->version)) != APR_SUCCESS)
        return is_hopeless(rv) ? give_up(w, of, effect, row, rv) : rv;
    if (same && !w->forced && !mdm_template_depends(template)) {
        note(w, of, effect, row);
        return APR_SUCCESS;
    }
    if (mdm_template_depends(template) && (rv = values_of(&values, w, of)) != APR_SUCCESS)
        return rv;
    rv = mdm_render_uuid(&uuid, &missing, w->render, w->st, profile, effect->version, values);
    if (rv != APR_SUCCESS)
        return is_hopeless(rv) ? give_up(w, of, effect, row, rv) : rv;
    if (missing)
        block(w, of, effect, row, missing);
    else if (is_settled(row) && row->want_uuid && !strcmp(row->want_uuid, uuid))
        note(w, of, effect, row);
    else
        add(w, row && mdm_desired_is_held(row) ? MDM_PLAN_REPLACE : MDM_PLAN_INSTALL, of, effect,
            row)->want_uuid = uuid;
    return APR_SUCCESS;
}

static const char *why_unwanted(const mdm_effect_of_t *of, const mdm_effect_t *effect, apr_int64_t profile)
{
    const char *excluded = apr_hash_get(of->excluded, &profile, sizeof(profile));

    return effect ? "its turn in the rollout has not come" : excluded ? excluded : "it is not assigned any more";
}

static void plan_unwanted(work_t *w, const mdm_effect_of_t *of, const mdm_effect_t *effect, const mdm_desired_t *row)
{
    mdm_plan_item_t *item;

    if (effect && !effect->version && !is_live(row))
        (void)add(w, MDM_PLAN_WAIT, of, effect, row);
    if (!is_live(row) || is_going(w, row))
        return;
    item = add(w, may_be_there(row) ? MDM_PLAN_REMOVE : MDM_PLAN_WITHDRAW, of, effect, row);
    item->version = 0;
    item->reason = why_unwanted(of, effect, row->profile);
    if (!effect)
        item->assignment = 0;
}

/* The device can have but one of its kind, and another comes first. */
static void plan_blocked(work_t *w, const mdm_effect_of_t *of, const mdm_effect_t *effect, const mdm_desired_t *row)
{
    if (row && is_going(w, row))
        return;
    if (row && may_be_there(row))
        add(w, MDM_PLAN_REMOVE, of, effect, row)->version = 0;
    else
        block(w, of, effect, row, effect->reason);
}

static apr_status_t plan_one(work_t *w, const mdm_effect_of_t *of)
{
    apr_pool_t *p = w->st->ctx->pool;
    apr_hash_t *seen = apr_hash_make(p);
    apr_hash_index_t *hi;
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < of->effects->nelts; i++) {
        const mdm_effect_t *effect = &APR_ARRAY_IDX(of->effects, i, mdm_effect_t);
        const mdm_desired_t *row = apr_hash_get(of->rows, &effect->profile->id, sizeof(effect->profile->id));

        apr_hash_set(seen, &effect->profile->id, sizeof(effect->profile->id), "");
        if (!effect->version)
            plan_unwanted(w, of, effect, row);
        else if (effect->blocker)
            plan_blocked(w, of, effect, row);
        else
            rv = plan_wanted(w, of, effect, row);
    }
    for (hi = apr_hash_first(p, of->rows); rv == APR_SUCCESS && hi; hi = apr_hash_next(hi)) {
        const mdm_desired_t *row = apr_hash_this_val(hi);

        if (!apr_hash_get(seen, &row->profile, sizeof(row->profile)))
            plan_unwanted(w, of, NULL, row);
    }
    return rv;
}

apr_status_t mdm_plan_make(apr_array_header_t **items, mdm_store_t *st, mdm_render_t *render,
                           const mdm_effect_batch_t *batch, const apr_array_header_t *forced)
{
    work_t w = { st, render, batch, forced, NULL, NULL };
    apr_status_t rv = APR_SUCCESS;
    int i;

    w.items = *items = apr_array_make(st->ctx->pool, batch->all->nelts, sizeof(mdm_plan_item_t));
    for (i = 0; rv == APR_SUCCESS && i < batch->all->nelts; i++)
        rv = plan_one(&w, &APR_ARRAY_IDX(batch->all, i, mdm_effect_of_t));
    return rv;
}
