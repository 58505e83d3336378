/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the same kind are judged once, however many there are. Called by the API through previews and saves.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_judge.h"
#include "mdm_store_queue.h"

#define NOTES_MAX 20              /* different sentences */

struct mdm_judge_t {
    mdm_ctx_t *ctx;
    const mdm_plist_t *tree;
    apr_array_header_t *notes;
    apr_hash_t *kinds;            /* kind of device -> apr_array_header_t of mdm_finding_t */
};

/* ---- notes */

static mdm_judge_note_t *place_of(apr_array_header_t *notes, mdm_finding_e severity)
{
    int i;

    if (notes->nelts < NOTES_MAX)
        return apr_array_push(notes);
    for (i = notes->nelts - 1; severity == MDM_FINDING_REFUSE && i >= 0; i--) {
        mdm_judge_note_t *n = &APR_ARRAY_IDX(notes, i, mdm_judge_note_t);

        if (n->severity != MDM_FINDING_REFUSE)
            return n;
    }
    return NULL;
}

void mdm_judge_note(apr_array_header_t *notes, mdm_finding_e severity, const char *text, apr_pool_t *p)
{
    mdm_judge_note_t *n = NULL;
    int i;

    for (i = 0; i < notes->nelts && !n; i++) {
        if (!strcmp(APR_ARRAY_IDX(notes, i, mdm_judge_note_t).text, text))
            n = &APR_ARRAY_IDX(notes, i, mdm_judge_note_t);
    }
    if (!n) {
        if (!(n = place_of(notes, severity)))
            return;
        n->severity = severity;
        n->text = apr_pstrdup(p, text);
        n->count = 0;
    }
    n->count++;
}

static void add_json(json_t *list, const apr_array_header_t *notes, int refusals)
{
    int i;

    for (i = 0; i < notes->nelts; i++) {
        const mdm_judge_note_t *n = &APR_ARRAY_IDX(notes, i, mdm_judge_note_t);
        json_t *one;

        if ((n->severity == MDM_FINDING_REFUSE) != refusals)
            continue;
        one = json_pack("{s:s, s:I}", "text", n->text, "enrollments", (json_int_t)n->count);
        if (n->severity)
            json_object_set_new(one, "severity", json_string(refusals ? "refuse" : "warn"));
        json_array_append_new(list, one);
    }
}

json_t *mdm_judge_notes_json(const apr_array_header_t *notes)
{
    json_t *list = json_array();

    add_json(list, notes, 1);
    add_json(list, notes, 0);
    return list;
}

/* ---- one kind of device */

mdm_judge_t *mdm_judge_create(mdm_ctx_t *ctx, const mdm_plist_t *tree, apr_array_header_t *notes)
{
    mdm_judge_t *j = apr_pcalloc(ctx->pool, sizeof(*j));

    j->ctx = ctx;
    j->tree = tree;
    j->notes = notes;
    j->kinds = apr_hash_make(ctx->pool);
    return j;
}

static int is_among(const apr_array_header_t *findings, const char *text)
{
    int i;

    for (i = 0; i < findings->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(findings, i, mdm_finding_t).text, text))
            return 1;
    }
    return 0;
}

/* What would be found if it were not supervised: silence about it would read as "all is well". */
static void add_unknown(mdm_judge_t *j, apr_array_header_t *findings, mdm_payload_target_t target)
{
    const apr_array_header_t *more;
    const char *first = NULL;
    mdm_finding_t *made;
    int i, count = 0;

    target.supervised = 0;
    more = mdm_payload_check_target(j->ctx, j->tree, &target);
    for (i = 0; i < more->nelts; i++) {
        const char *text = APR_ARRAY_IDX(more, i, mdm_finding_t).text;

        if (is_among(findings, text))
            continue;
        first = first ? first : text;
        count++;
    }
    if (!first)
        return;
    made = apr_array_push(findings);
    memset(made, 0, sizeof(*made));
    made->severity = MDM_FINDING_WARN;
    made->payload = -1;
    made->text = apr_psprintf(j->ctx->pool, "supervision of the device is not known: ask it for IsSupervised with a "
                              "DeviceInformation. Without supervision: %s%s", first,
                              count > 1 ? apr_psprintf(j->ctx->pool, " (and %d more)", count - 1) : "");
}

/* @param p need not live longer than the call */
static const apr_array_header_t *judge(mdm_judge_t *j, const mdm_effect_of_t *of, int supervised, apr_pool_t *p)
{
    const mdm_enrollment_t *d = of->device;
    const char *key = apr_psprintf(p, "%s|%s|%s|%d", of->enrollment->type, d->product_name ? d->product_name : "",
                                   d->os_version ? d->os_version : "", supervised);
    apr_array_header_t *findings = apr_hash_get(j->kinds, key, APR_HASH_KEY_STRING);
    mdm_payload_target_t target;

    if (findings)
        return findings;
    target = mdm_payload_target(of->enrollment->type, d->product_name, d->os_version, supervised);
    findings = mdm_payload_check_target(j->ctx, j->tree, &target);
    if (supervised < 0)
        add_unknown(j, findings, target);
    apr_hash_set(j->kinds, apr_pstrdup(j->ctx->pool, key), APR_HASH_KEY_STRING, findings);
    return findings;
}

apr_status_t mdm_judge_some(mdm_judge_t *j, mdm_store_t *st, const apr_array_header_t *ofs)
{
    static const char *const names[] = { "IsSupervised" };
    apr_int64_t ids[MDM_QUEUE_CHUNK];
    apr_hash_t *supervised = apr_hash_make(st->ctx->pool);
    apr_array_header_t *facts;
    apr_status_t rv;
    int i, f;

    for (i = 0; i < ofs->nelts; i++)
        ids[i] = APR_ARRAY_IDX(ofs, i, const mdm_effect_of_t *)->device->id;
    if (!i || (rv = mdm_store_batch_facts(&facts, st, ids, i, names, 1)) != APR_SUCCESS)
        return i ? rv : APR_SUCCESS;
    for (i = 0; i < facts->nelts; i++) {
        const mdm_batch_fact_t *fact = &APR_ARRAY_IDX(facts, i, mdm_batch_fact_t);

        apr_hash_set(supervised, &fact->enrollment, sizeof(fact->enrollment), fact->value);
    }
    for (i = 0; i < ofs->nelts; i++) {
        const mdm_effect_of_t *of = APR_ARRAY_IDX(ofs, i, const mdm_effect_of_t *);
        const char *value = apr_hash_get(supervised, &of->device->id, sizeof(of->device->id));
        const apr_array_header_t *findings = judge(j, of, value ? !strcmp(value, "true") : -1,
                                                   st->ctx->pool);

        for (f = 0; f < findings->nelts; f++) {
            const mdm_finding_t *finding = &APR_ARRAY_IDX(findings, f, mdm_finding_t);

            mdm_judge_note(j->notes, finding->severity, finding->text, j->ctx->pool);
        }
    }
    return APR_SUCCESS;
}

/* ---- all that follow a profile */

/* A pinned version stays what it is, and what is blocked does not get there. */
static int follows(const mdm_effect_of_t *of, apr_int64_t profile)
{
    int i;

    for (i = 0; i < of->effects->nelts; i++) {
        const mdm_effect_t *effect = &APR_ARRAY_IDX(of->effects, i, mdm_effect_t);

        if (effect->profile->id == profile)
            return !effect->blocker && !effect->entry->assignment->version;
    }
    return 0;
}

static apr_status_t do_batch(mdm_judge_t *j, mdm_store_t *st, mdm_catalog_t *catalog, apr_int64_t profile,
                             const apr_int64_t *ids, int count)
{
    mdm_store_t step = *st;
    const apr_array_header_t *cluster = mdm_catalog_cluster(catalog, &profile, 1);
    apr_array_header_t *ofs;
    mdm_effect_batch_t *batch;
    apr_pool_t *p;
    apr_status_t rv;
    int i;

    apr_pool_create(&p, st->ctx->pool);
    step.ctx = mdm_ctx_create(p, st->ctx->log);
    step.ctx->fixed_now = st->ctx->fixed_now;
    (void)mdm_db_use(step.db, step.ctx);
    rv = mdm_effect_batch(&batch, &step, catalog, ids, count, cluster, 0);
    ofs = apr_array_make(p, count, sizeof(const mdm_effect_of_t *));
    for (i = 0; rv == APR_SUCCESS && i < batch->all->nelts; i++) {
        const mdm_effect_of_t *of = &APR_ARRAY_IDX(batch->all, i, mdm_effect_of_t);

        if (follows(of, profile))
            APR_ARRAY_PUSH(ofs, const mdm_effect_of_t *) = of;
    }
    if (rv == APR_SUCCESS)
        rv = mdm_judge_some(j, &step, ofs);
    (void)mdm_db_use(step.db, st->ctx);
    if (rv != APR_SUCCESS)
        rv = mdm_fail(st->ctx, rv, "%s", mdm_ctx_detail(step.ctx, rv));
    apr_pool_destroy(p);
    return rv;
}

apr_status_t mdm_judge_profile(apr_array_header_t **notes, mdm_store_t *st, const mdm_profile_row_t *profile,
                               mdm_bytes_t body)
{
    int user_scope = !strcmp(profile->scope, "User"), done, n;
    mdm_catalog_profile_t *assigned;
    mdm_catalog_t *catalog;
    apr_array_header_t *ids;
    mdm_plist_t *tree;
    mdm_judge_t *j;
    apr_status_t rv = mdm_catalog_load(&catalog, st);

    *notes = apr_array_make(st->ctx->pool, 2, sizeof(mdm_judge_note_t));
    if (rv != APR_SUCCESS || !(assigned = mdm_catalog_profile(catalog, profile->id))
        || (rv = mdm_plist_read(&tree, st->ctx, body)) != APR_SUCCESS
        || (rv = mdm_store_batch_of_profile(&ids, st, profile->id, user_scope, 0, MDM_JUDGE_LOOKS)) != APR_SUCCESS)
        return rv;
    assigned->user_scope = user_scope;            /* a version that is only checked may change it */
    j = mdm_judge_create(st->ctx, tree, *notes);
    for (done = 0; rv == APR_SUCCESS && done < ids->nelts; done += n) {
        n = ids->nelts - done < MDM_QUEUE_CHUNK ? ids->nelts - done : MDM_QUEUE_CHUNK;
        rv = do_batch(j, st, catalog, profile->id, (const apr_int64_t *)ids->elts + done, n);
    }
    return rv;
}
