/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalog of assignments. Some hundred profiles and assignments are read in three statements, so that nothing about
 * them need be asked for each enrollment. Called by the fan-out's worker and by previews; keeps nothing between them.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#include "mdm_catalog.h"
#include "mdm_payload_table.h"
#include "mdm_store_profile.h"

#define VERSIONS_MAX 1000         /* the newest of a profile, beside those in use */

/* Key of what is known of a version: both are numbers of one size, so that there is nothing between them. */
typedef struct {
    apr_int64_t profile, version;
} version_t;

mdm_catalog_profile_t *mdm_catalog_profile(const mdm_catalog_t *c, apr_int64_t id)
{
    return apr_hash_get(c->profiles, &id, sizeof(id));
}

static apr_hash_t *targets(const mdm_catalog_t *c, mdm_assignment_kind_e kind)
{
    return c->by_target[kind <= MDM_ASSIGNMENT_ENROLLMENT ? kind : MDM_ASSIGNMENT_UNSET];
}

const apr_array_header_t *mdm_catalog_of(const mdm_catalog_t *c, mdm_assignment_kind_e kind, const char *target)
{
    return apr_hash_get(targets(c, kind), target, APR_HASH_KEY_STRING);
}

/* ---- payloads of which there can be but one */

/* Asked for each enrollment: looks, and allocates nothing. */
static apr_array_header_t *find_single(const mdm_catalog_t *c, apr_int64_t profile, int version)
{
    const version_t key = { profile, version };

    return apr_hash_get(c->single, &key, sizeof(key));
}

static void note_single(mdm_catalog_t *c, apr_int64_t profile, int version, const char *detail)
{
    apr_pool_t *p = c->ctx->pool;
    const version_t key = { profile, version };
    apr_array_header_t *single = apr_array_make(p, 1, sizeof(mdm_catalog_single_t));
    json_t *json = json_loads(detail, 0, NULL), *list = json_object_get(json, "types"), *name;
    size_t i;

    json_array_foreach(list, i, name) {
        const mdm_payload_type_t *type = json_is_string(name) ? mdm_payload_type(json_string_value(name)) : NULL;

        if (type && type->single) {
            mdm_catalog_single_t *s = apr_array_push(single);

            s->slot = type->slot ? type->slot : type->name;
            s->systems = type->single;
        }
    }
    json_decref(json);
    apr_hash_set(c->single, apr_pmemdup(p, &key, sizeof(key)), sizeof(key), single);
}

apr_status_t mdm_catalog_single(const apr_array_header_t **single, mdm_catalog_t *c, mdm_store_t *st,
                                apr_int64_t profile, int version)
{
    mdm_profile_version_t *v;
    apr_status_t rv = APR_SUCCESS;

    *single = find_single(c, profile, version);
    if (!*single && (rv = mdm_store_profile_version_facts(&v, st, profile, version)) == APR_SUCCESS) {
        note_single(c, profile, version, v->detail);
        *single = find_single(c, profile, version);
    }
    return rv;
}

/* ---- clusters: who shares a type, directly or through others */

static int find_root(const int *parents, int i)
{
    while (parents[i] != i)
        i = parents[i];
    return i;
}

static void find_clusters(mdm_catalog_t *c)
{
    apr_pool_t *p = c->ctx->pool;
    apr_hash_t *first = apr_hash_make(p);         /* type -> the first profile that has it */
    int *parents, n = 1, i;
    apr_hash_index_t *hi;

    for (hi = apr_hash_first(p, c->profiles); hi; hi = apr_hash_next(hi))
        ((mdm_catalog_profile_t *)apr_hash_this_val(hi))->cluster = n++;
    parents = apr_palloc(p, sizeof(*parents) * (apr_size_t)n);
    for (i = 0; i < n; i++)
        parents[i] = i;
    for (hi = apr_hash_first(p, c->single); hi; hi = apr_hash_next(hi)) {
        const apr_array_header_t *types = apr_hash_this_val(hi);
        mdm_catalog_profile_t *profile = mdm_catalog_profile(c, ((const version_t *)apr_hash_this_key(hi))->profile);

        for (i = 0; profile && i < types->nelts; i++) {
            const char *type = APR_ARRAY_IDX(types, i, mdm_catalog_single_t).slot;
            mdm_catalog_profile_t *other = apr_hash_get(first, type, APR_HASH_KEY_STRING);

            if (other)
                parents[find_root(parents, profile->cluster)] = find_root(parents, other->cluster);
            else
                apr_hash_set(first, type, APR_HASH_KEY_STRING, profile);
        }
    }
    for (hi = apr_hash_first(p, c->profiles); hi; hi = apr_hash_next(hi)) {
        mdm_catalog_profile_t *profile = apr_hash_this_val(hi);

        profile->cluster = find_root(parents, profile->cluster);
    }
}

apr_array_header_t *mdm_catalog_cluster(const mdm_catalog_t *c, const apr_int64_t *profiles, int count)
{
    apr_pool_t *p = c->ctx->pool;
    apr_array_header_t *ids = apr_array_make(p, count + 8, sizeof(apr_int64_t));
    apr_hash_index_t *hi;
    int i;

    for (i = 0; i < count; i++) {
        if (!mdm_catalog_profile(c, profiles[i]))
            APR_ARRAY_PUSH(ids, apr_int64_t) = profiles[i];
    }
    for (hi = apr_hash_first(p, c->profiles); hi; hi = apr_hash_next(hi)) {
        const mdm_catalog_profile_t *profile = apr_hash_this_val(hi);

        for (i = 0; i < count; i++) {
            const mdm_catalog_profile_t *asked = mdm_catalog_profile(c, profiles[i]);

            if (asked && asked->cluster == profile->cluster) {
                APR_ARRAY_PUSH(ids, apr_int64_t) = profile->id;
                break;
            }
        }
    }
    qsort(ids->elts, (size_t)ids->nelts, sizeof(apr_int64_t), mdm_id_compare);
    return ids;
}

/* ---- filling */

static void begin_targets(mdm_catalog_t *c)
{
    int kind;

    for (kind = MDM_ASSIGNMENT_UNSET; kind <= MDM_ASSIGNMENT_ENROLLMENT; kind++)
        c->by_target[kind] = apr_hash_make(c->ctx->pool);
}

static mdm_catalog_profile_t *add_profile(mdm_catalog_t *c, apr_int64_t id, const char *name, const char *identifier,
                                          const char *scope, int version)
{
    mdm_catalog_profile_t *profile = apr_pcalloc(c->ctx->pool, sizeof(*profile));

    profile->id = id;
    profile->name = name;
    profile->identifier = identifier;
    profile->user_scope = !strcmp(scope, "User");
    profile->version = version;
    apr_hash_set(c->profiles, &profile->id, sizeof(profile->id), profile);
    return profile;
}

static apr_status_t add_entry(mdm_catalog_t *c, mdm_assignment_t *a, mdm_catalog_profile_t *profile)
{
    apr_pool_t *p = c->ctx->pool;
    mdm_catalog_entry_t *entry = apr_pcalloc(p, sizeof(*entry));
    apr_array_header_t *list = apr_hash_get(targets(c, a->kind), a->target, APR_HASH_KEY_STRING);

    entry->assignment = a;
    entry->profile = profile;
    if (a->rollout) {
        apr_status_t rv;

        entry->rollout = apr_palloc(p, sizeof(*entry->rollout));
        if ((rv = mdm_rollout_of(entry->rollout, c->ctx, a->rollout)) != APR_SUCCESS)
            return rv;
    }
    if (!list) {
        list = apr_array_make(p, 4, sizeof(mdm_catalog_entry_t *));
        apr_hash_set(targets(c, a->kind), a->target, APR_HASH_KEY_STRING, list);
    }
    APR_ARRAY_PUSH(list, mdm_catalog_entry_t *) = entry;
    APR_ARRAY_PUSH(c->entries, mdm_catalog_entry_t *) = entry;
    return APR_SUCCESS;
}

static apr_status_t load_assignments(mdm_catalog_t *c, mdm_store_t *st)
{
    apr_array_header_t *list;
    apr_status_t rv = mdm_store_assignment_list(&list, st, 0, 0, APR_INT32_MAX);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < list->nelts; i++) {
        mdm_assignment_t *a = APR_ARRAY_IDX(list, i, mdm_assignment_t *);
        mdm_catalog_profile_t *profile = mdm_catalog_profile(c, a->profile);

        if (profile)
            rv = add_entry(c, a, profile);
    }
    return rv;
}

apr_status_t mdm_catalog_load(mdm_catalog_t **out, mdm_store_t *st)
{
    apr_pool_t *p = st->ctx->pool;
    mdm_catalog_t *c = apr_pcalloc(p, sizeof(*c));
    apr_array_header_t *profiles, *versions;
    apr_status_t rv = mdm_store_batch_profiles(&profiles, st);
    int i;

    c->ctx = st->ctx;
    c->entries = apr_array_make(p, 64, sizeof(mdm_catalog_entry_t *));
    c->profiles = apr_hash_make(p);
    begin_targets(c);
    c->single = apr_hash_make(p);
    if (rv != APR_SUCCESS || (rv = mdm_store_batch_versions(&versions, st)) != APR_SUCCESS)
        return rv;
    for (i = 0; i < profiles->nelts; i++) {
        const mdm_batch_profile_t *row = &APR_ARRAY_IDX(profiles, i, mdm_batch_profile_t);

        (void)add_profile(c, row->id, row->name, row->identifier, row->scope, row->version);
    }
    for (i = 0; i < versions->nelts; i++) {
        const mdm_batch_version_t *row = &APR_ARRAY_IDX(versions, i, mdm_batch_version_t);

        note_single(c, row->profile, row->version, row->detail);
    }
    find_clusters(c);
    *out = c;
    return load_assignments(c, st);
}

/* ---- what was, beside what is */

static apr_status_t widen(mdm_catalog_t *c, mdm_store_t *st, apr_int64_t profile)
{
    apr_array_header_t *versions;
    mdm_profile_row_t *row;
    apr_status_t rv = APR_SUCCESS;
    int i;

    if (!mdm_catalog_profile(c, profile)) {
        if ((rv = mdm_store_profile_by_id(&row, st, profile)) != APR_SUCCESS)
            return rv;
        (void)add_profile(c, row->id, row->name, row->identifier, row->scope, row->version);
    }
    rv = mdm_store_profile_version_list(&versions, st, profile, 0, VERSIONS_MAX);
    for (i = 0; rv == APR_SUCCESS && i < versions->nelts; i++) {
        const mdm_profile_version_t *v = APR_ARRAY_IDX(versions, i, const mdm_profile_version_t *);

        if (!find_single(c, profile, v->version))
            note_single(c, profile, v->version, v->detail);
    }
    return rv;
}

apr_status_t mdm_catalog_widen(mdm_catalog_t *c, mdm_store_t *st, const apr_int64_t *profiles, int count)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < count; i++)
        rv = widen(c, st, profiles[i]);
    find_clusters(c);
    return rv;
}

/* ---- as a save would change it */

static void drop(mdm_catalog_t *c, apr_int64_t assignment, apr_int64_t profile)
{
    apr_array_header_t *entries = c->entries;
    int i;

    c->entries = apr_array_make(c->ctx->pool, entries->nelts, sizeof(mdm_catalog_entry_t *));
    begin_targets(c);
    for (i = 0; i < entries->nelts; i++) {
        const mdm_catalog_entry_t *entry = APR_ARRAY_IDX(entries, i, mdm_catalog_entry_t *);

        if (entry->assignment->id != assignment && entry->profile->id != profile)
            (void)add_entry(c, entry->assignment, entry->profile);
    }
}

void mdm_catalog_drop(mdm_catalog_t *c, apr_int64_t assignment)
{
    drop(c, assignment, 0);
}

void mdm_catalog_drop_profile(mdm_catalog_t *c, apr_int64_t profile)
{
    drop(c, 0, profile);
}

void mdm_catalog_put_version(mdm_catalog_t *c, apr_int64_t profile, int version, const char *detail)
{
    note_single(c, profile, version, detail);
}

apr_status_t mdm_catalog_put(mdm_catalog_t *c, mdm_store_t *st, const mdm_assignment_t *assignment)
{
    mdm_assignment_t *a = apr_pmemdup(c->ctx->pool, assignment, sizeof(*a));
    mdm_catalog_profile_t *profile = mdm_catalog_profile(c, a->profile);
    const apr_array_header_t *types;
    mdm_profile_row_t *row;
    apr_status_t rv;

    mdm_catalog_drop(c, a->id);
    if (!profile) {
        if ((rv = mdm_store_profile_by_id(&row, st, a->profile)) != APR_SUCCESS)
            return rv;
        profile = add_profile(c, row->id, row->name, row->identifier, row->scope, row->version);
    }
    rv = mdm_catalog_single(&types, c, st, profile->id, a->version ? a->version : profile->version);
    if (rv == APR_SUCCESS)
        rv = add_entry(c, a, profile);
    find_clusters(c);
    return rv;
}

static void begin_anew(mdm_catalog_t *c, apr_int64_t profile, int anew)
{
    int i;

    for (i = 0; i < c->entries->nelts; i++) {
        mdm_catalog_entry_t *entry = APR_ARRAY_IDX(c->entries, i, mdm_catalog_entry_t *);
        mdm_assignment_t *a = entry->assignment;
        int version = a->version ? a->version : entry->profile->version;

        if (!entry->rollout || a->profile != profile)
            continue;
        if (anew)
            mdm_rollout_begin_anew(a, entry->rollout, version, mdm_ctx_now(c->ctx), c->ctx->pool);
        else if (version != a->rollout_version)
            mdm_rollout_begin(a, entry->rollout, version, mdm_ctx_now(c->ctx));
    }
}

apr_status_t mdm_catalog_set_version(mdm_catalog_t *c, mdm_store_t *st, apr_int64_t profile, int version)
{
    mdm_catalog_profile_t *p = mdm_catalog_profile(c, profile);
    const apr_array_header_t *types;
    apr_status_t rv;

    if (!p)
        return APR_SUCCESS;
    if ((rv = mdm_catalog_single(&types, c, st, profile, version)) != APR_SUCCESS)
        return rv;
    p->version = version;
    begin_anew(c, profile, 0);
    find_clusters(c);
    return APR_SUCCESS;
}

void mdm_catalog_begin_anew(mdm_catalog_t *c, apr_int64_t profile)
{
    begin_anew(c, profile, 1);
}
