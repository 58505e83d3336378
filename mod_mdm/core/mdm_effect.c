/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From assignments to what should hold for each enrollment of a batch. Called by the fan-out, previews and the API; the
 * same in all of them, so that a preview tells what will be.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_effect.h"
#include "mdm_payload_check.h"
#include "mdm_store_queue.h"

typedef struct {
    mdm_store_t *st;
    mdm_catalog_t *catalog;
    const apr_array_header_t *profiles;   /* of these alone, or NULL */
    apr_hash_t *groups;           /* enrollment id -> array of apr_int64_t */
    apr_hash_t *disabled;         /* login -> "": what excludes them holds all the same */
} look_t;

/* What applies to one enrollment for one profile. */
typedef struct {
    mdm_catalog_profile_t *profile;
    apr_array_header_t *entries;  /* const mdm_catalog_entry_t *: includes */
    const mdm_catalog_entry_t *excluded;  /* the first that excludes it, or NULL */
} claim_t;

static apr_pool_t *pool_of(const look_t *k)
{
    return k->st->ctx->pool;
}

/* ---- reading a batch */

static apr_status_t read_devices(apr_hash_t **out, look_t *k, const apr_array_header_t *enrollments)
{
    apr_int64_t ids[MDM_QUEUE_CHUNK];
    apr_array_header_t *devices;
    apr_status_t rv = APR_SUCCESS;
    int i, n = 0;

    *out = apr_hash_make(pool_of(k));
    for (i = 0; i < enrollments->nelts; i++) {
        const mdm_enrollment_t *e = APR_ARRAY_IDX(enrollments, i, const mdm_enrollment_t *);

        if (e->parent)
            ids[n++] = e->parent;
    }
    if (n)
        rv = mdm_store_batch_enrollments(&devices, k->st, ids, n);
    for (i = 0; rv == APR_SUCCESS && n && i < devices->nelts; i++) {
        const mdm_enrollment_t *e = APR_ARRAY_IDX(devices, i, const mdm_enrollment_t *);

        apr_hash_set(*out, &e->id, sizeof(e->id), e);
    }
    return rv;
}

static void put_group(look_t *k, apr_int64_t enrollment, apr_int64_t group)
{
    apr_array_header_t *groups = apr_hash_get(k->groups, &enrollment, sizeof(enrollment));

    if (!groups) {
        groups = apr_array_make(pool_of(k), 8, sizeof(apr_int64_t));
        apr_hash_set(k->groups, apr_pmemdup(pool_of(k), &enrollment, sizeof(enrollment)), sizeof(enrollment), groups);
    }
    APR_ARRAY_PUSH(groups, apr_int64_t) = group;
}

/* Who would join the group whose members would be others; whoever leaves it is passed over above. */
static void move_members(look_t *k, const apr_int64_t *ids, int count)
{
    int i;

    for (i = 0; i < count && k->catalog->moves; i++) {
        const char *moves = apr_hash_get(k->catalog->moves, &ids[i], sizeof(ids[i]));

        if (moves && !strcmp(moves, MDM_CATALOG_JOINS))
            put_group(k, ids[i], k->catalog->moved);
    }
}

static int leaves(const look_t *k, const mdm_membership_t *m)
{
    return k->catalog->moves && m->group == k->catalog->moved
           && apr_hash_get(k->catalog->moves, &m->enrollment, sizeof(m->enrollment));
}

static apr_status_t read_groups(look_t *k, const apr_array_header_t *all)
{
    apr_int64_t ids[2 * MDM_QUEUE_CHUNK];
    apr_array_header_t *list;
    apr_status_t rv;
    int i, n = 0;

    k->groups = apr_hash_make(pool_of(k));
    for (i = 0; i < all->nelts; i++) {
        const mdm_effect_of_t *of = &APR_ARRAY_IDX(all, i, mdm_effect_of_t);

        ids[n++] = of->enrollment->id;
        if (of->device != of->enrollment)
            ids[n++] = of->device->id;
    }
    rv = mdm_store_batch_memberships(&list, k->st, ids, n);
    for (i = 0; rv == APR_SUCCESS && i < list->nelts; i++) {
        const mdm_membership_t *m = &APR_ARRAY_IDX(list, i, mdm_membership_t);

        if (!leaves(k, m))
            put_group(k, m->enrollment, m->group);
    }
    if (rv == APR_SUCCESS)
        move_members(k, ids, n);
    return rv;
}

/* Only users to whom something is assigned are asked for. */
static apr_status_t read_disabled(look_t *k, const apr_array_header_t *all)
{
    const char *logins[MDM_QUEUE_CHUNK];
    apr_array_header_t *list;
    apr_status_t rv;
    int i, n = 0;

    k->disabled = apr_hash_make(pool_of(k));
    for (i = 0; i < all->nelts && i < MDM_QUEUE_CHUNK; i++) {
        const char *login = APR_ARRAY_IDX(all, i, mdm_effect_of_t).enrollment->user;

        if (login && mdm_catalog_of(k->catalog, MDM_ASSIGNMENT_USER, login))
            logins[n++] = login;
    }
    if (!n || (rv = mdm_store_batch_users(&list, k->st, logins, n)) != APR_SUCCESS)
        return n ? rv : APR_SUCCESS;
    for (i = 0; i < list->nelts; i++) {
        const mdm_batch_user_t *user = &APR_ARRAY_IDX(list, i, mdm_batch_user_t);

        if (user->disabled)
            apr_hash_set(k->disabled, user->login, APR_HASH_KEY_STRING, "");
    }
    return APR_SUCCESS;
}

static int is_wanted(const look_t *k, apr_int64_t profile)
{
    int low = 0, high = k->profiles ? k->profiles->nelts - 1 : -1;

    while (low <= high) {
        int middle = (low + high) / 2;
        apr_int64_t id = APR_ARRAY_IDX(k->profiles, middle, apr_int64_t);

        if (id == profile)
            return 1;
        if (id < profile)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return !k->profiles;
}

static apr_status_t read_rows(look_t *k, const apr_array_header_t *all, int lock)
{
    apr_int64_t ids[MDM_QUEUE_CHUNK];
    apr_array_header_t *rows;
    const apr_array_header_t *some = k->profiles && k->profiles->nelts <= MDM_QUEUE_CHUNK ? k->profiles : NULL;
    apr_status_t rv;
    int i, at = 0;

    for (i = 0; i < all->nelts; i++)
        ids[i] = APR_ARRAY_IDX(all, i, mdm_effect_of_t).enrollment->id;
    rv = mdm_store_desired_many(&rows, k->st, ids, all->nelts, some ? (const apr_int64_t *)some->elts : NULL,
                                some ? some->nelts : 0, lock);
    for (i = 0; rv == APR_SUCCESS && i < rows->nelts; i++) {
        const mdm_desired_t *row = APR_ARRAY_IDX(rows, i, const mdm_desired_t *);

        while (at < all->nelts && ids[at] < row->enrollment)
            at++;
        if (is_wanted(k, row->profile))
            apr_hash_set(APR_ARRAY_IDX(all, at, mdm_effect_of_t).rows, &row->profile, sizeof(row->profile), row);
    }
    return rv;
}

/* ---- what applies */

static void claim(apr_hash_t *claims, const look_t *k, const mdm_effect_of_t *of, mdm_assignment_kind_e kind,
                  const char *target)
{
    const apr_array_header_t *entries = target ? mdm_catalog_of(k->catalog, kind, target) : NULL;
    int i;

    for (i = 0; entries && i < entries->nelts; i++) {
        const mdm_catalog_entry_t *entry = APR_ARRAY_IDX(entries, i, const mdm_catalog_entry_t *);
        claim_t *c;

        if (!is_wanted(k, entry->profile->id) || entry->profile->user_scope != (of->enrollment->parent != 0))
            continue;
        c = apr_hash_get(claims, &entry->profile->id, sizeof(entry->profile->id));
        if (!c) {
            c = apr_pcalloc(pool_of(k), sizeof(*c));
            c->profile = entry->profile;
            c->entries = apr_array_make(pool_of(k), 2, sizeof(const mdm_catalog_entry_t *));
            apr_hash_set(claims, &entry->profile->id, sizeof(entry->profile->id), c);
        }
        if (entry->assignment->exclude)
            c->excluded = c->excluded ? c->excluded : entry;
        else if (kind != MDM_ASSIGNMENT_USER || !apr_hash_get(k->disabled, target, APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(c->entries, const mdm_catalog_entry_t *) = entry;
    }
}

static void claim_by_id(apr_hash_t *claims, const look_t *k, const mdm_effect_of_t *of, const mdm_enrollment_t *e)
{
    const apr_array_header_t *groups = apr_hash_get(k->groups, &e->id, sizeof(e->id));
    int i;

    claim(claims, k, of, MDM_ASSIGNMENT_ENROLLMENT, apr_psprintf(pool_of(k), "%" APR_INT64_T_FMT, e->id));
    for (i = 0; groups && i < groups->nelts; i++)
        claim(claims, k, of, MDM_ASSIGNMENT_GROUP,
              apr_psprintf(pool_of(k), "%" APR_INT64_T_FMT, APR_ARRAY_IDX(groups, i, apr_int64_t)));
}

/* The first decides. */
static int by_weight(const void *a, const void *b)
{
    const mdm_assignment_t *one = (*(const mdm_catalog_entry_t *const *)a)->assignment;
    const mdm_assignment_t *two = (*(const mdm_catalog_entry_t *const *)b)->assignment;

    if (one->priority != two->priority)
        return one->priority > two->priority ? -1 : 1;
    if (one->kind != two->kind)
        return one->kind > two->kind ? -1 : 1;
    return one->id < two->id ? -1 : one->id > two->id;
}

static const char *reason_of(const mdm_catalog_entry_t *entry, apr_pool_t *p)
{
    const mdm_assignment_t *a = entry->assignment;

    return a->kind == MDM_ASSIGNMENT_GROUP ? apr_psprintf(p, "member of the group %s",
                                                          a->target_name ? a->target_name : a->target)
           : a->kind == MDM_ASSIGNMENT_USER ? apr_psprintf(p, "device of the user %s", a->target)
           : "named by the assignment";
}

/* What he has or is getting; also what cannot be made now and is there, unless he would get an earlier version. */
static int is_kept(const mdm_desired_t *row, const mdm_assignment_t *waits)
{
    if (!row || !row->version)
        return 0;
    return (row->state >= MDM_DESIRED_PENDING && row->state <= MDM_DESIRED_FAILED)
           || (row->state == MDM_DESIRED_BLOCKED && mdm_desired_is_held(row) && !waits->rollout_from);
}

/* Whoever's turn has not come keeps what he has; it is nothing new for him that another assignment decides. */
static void decide(mdm_effect_t *effect, const mdm_effect_of_t *of, const claim_t *c, apr_pool_t *p)
{
    const mdm_desired_t *row = apr_hash_get(of->rows, &c->profile->id, sizeof(c->profile->id));
    const mdm_catalog_entry_t *waits = NULL, *entry = NULL;
    int i;

    qsort(c->entries->elts, (size_t)c->entries->nelts, sizeof(const mdm_catalog_entry_t *), by_weight);
    for (i = 0; i < c->entries->nelts; i++) {
        entry = APR_ARRAY_IDX(c->entries, i, const mdm_catalog_entry_t *);
        if (!entry->rollout || mdm_rollout_is_reached(entry->rollout, entry->assignment, of->enrollment->id))
            break;
        waits = waits ? waits : entry;
    }
    effect->profile = c->profile;
    if (i < c->entries->nelts) {
        const mdm_assignment_t *a = entry->assignment;

        effect->entry = entry;
        effect->version = entry->rollout ? a->rollout_version : a->version ? a->version : c->profile->version;
    }
    else {
        effect->entry = waits;
        effect->kept = is_kept(row, waits->assignment);
        effect->version = effect->kept ? row->version : waits->assignment->rollout_from;
    }
    effect->reason = reason_of(effect->entry, p);
}

/* ---- payloads of which there can be but one */

static int by_effect(const void *a, const void *b)
{
    return by_weight(&((const mdm_effect_t *)a)->entry, &((const mdm_effect_t *)b)->entry);
}

/* Of a device that does not say what it is anything may be true. */
static int counts(const mdm_catalog_single_t *single, char system)
{
    return !system || strchr(single->systems, system) != NULL;
}

static void take_slots(apr_hash_t *taken, mdm_effect_t *effect, const apr_array_header_t *single, char system,
                       apr_pool_t *p)
{
    int i;

    for (i = 0; i < single->nelts && !effect->blocker; i++) {
        const mdm_catalog_single_t *s = &APR_ARRAY_IDX(single, i, mdm_catalog_single_t);
        const mdm_effect_t *other = counts(s, system) ? apr_hash_get(taken, s->slot, APR_HASH_KEY_STRING) : NULL;

        if (!other)
            continue;
        effect->blocker = other->entry;
        effect->reason = apr_psprintf(p, "the profile %s comes first with priority %d: there can be but one payload %s",
                                      other->profile->name, other->entry->assignment->priority, s->slot);
    }
    for (i = 0; i < single->nelts && !effect->blocker; i++) {
        const mdm_catalog_single_t *s = &APR_ARRAY_IDX(single, i, mdm_catalog_single_t);

        if (counts(s, system))
            apr_hash_set(taken, s->slot, APR_HASH_KEY_STRING, effect);
    }
}

static apr_status_t settle_conflicts(look_t *k, const mdm_effect_of_t *of)
{
    apr_array_header_t *effects = of->effects;
    apr_hash_t *taken = apr_hash_make(pool_of(k));
    char system = mdm_payload_target(of->enrollment->type, of->device->product_name, NULL, -1).system;
    int i;

    qsort(effects->elts, (size_t)effects->nelts, sizeof(mdm_effect_t), by_effect);
    for (i = 0; i < effects->nelts; i++) {
        mdm_effect_t *effect = &APR_ARRAY_IDX(effects, i, mdm_effect_t);
        const apr_array_header_t *single;
        apr_status_t rv;

        if (!effect->version)
            continue;
        if ((rv = mdm_catalog_single(&single, k->catalog, k->st, effect->profile->id, effect->version)) != APR_SUCCESS)
            return rv;
        take_slots(taken, effect, single, system, pool_of(k));
    }
    return APR_SUCCESS;
}

static apr_status_t find_effects(look_t *k, mdm_effect_of_t *of)
{
    apr_pool_t *p = pool_of(k);
    apr_hash_t *claims = apr_hash_make(p);
    apr_hash_index_t *hi;

    claim_by_id(claims, k, of, of->enrollment);
    if (of->device != of->enrollment)
        claim_by_id(claims, k, of, of->device);
    claim(claims, k, of, MDM_ASSIGNMENT_USER, of->enrollment->user);
    for (hi = apr_hash_first(p, claims); hi; hi = apr_hash_next(hi)) {
        const claim_t *c = apr_hash_this_val(hi);

        if (c->excluded)
            apr_hash_set(of->excluded, &c->profile->id, sizeof(c->profile->id),
                         apr_pstrcat(p, "excluded: ", reason_of(c->excluded, p), NULL));
        else if (c->entries->nelts) {
            mdm_effect_t *effect = apr_array_push(of->effects);

            memset(effect, 0, sizeof(*effect));
            decide(effect, of, c, p);
        }
    }
    return settle_conflicts(k, of);
}

/* ---- the whole */

static void sort_out(mdm_effect_batch_t *batch, const apr_array_header_t *enrollments, const apr_hash_t *devices,
                     const apr_int64_t *ids, int count, apr_pool_t *p)
{
    int i, at = 0;

    for (i = 0; i < enrollments->nelts; i++) {
        const mdm_enrollment_t *e = APR_ARRAY_IDX(enrollments, i, const mdm_enrollment_t *);
        mdm_effect_of_t *of;

        if (e->state != MDM_STATE_ENROLLED)
            continue;
        of = apr_array_push(batch->all);
        of->enrollment = e;
        of->device = e->parent ? apr_hash_get((apr_hash_t *)devices, &e->parent, sizeof(e->parent)) : NULL;
        of->device = of->device ? of->device : e;
        of->rows = apr_hash_make(p);
        of->excluded = apr_hash_make(p);
        of->effects = apr_array_make(p, 8, sizeof(mdm_effect_t));
    }
    for (i = 0; i < count; i++) {
        while (at < batch->all->nelts && APR_ARRAY_IDX(batch->all, at, mdm_effect_of_t).enrollment->id < ids[i])
            at++;
        if (at == batch->all->nelts || APR_ARRAY_IDX(batch->all, at, mdm_effect_of_t).enrollment->id != ids[i])
            APR_ARRAY_PUSH(batch->absent, apr_int64_t) = ids[i];
    }
}

apr_status_t mdm_effect_batch(mdm_effect_batch_t **out, mdm_store_t *st, mdm_catalog_t *catalog,
                              const apr_int64_t *ids, int count, const apr_array_header_t *profiles, int lock)
{
    look_t k = { st, catalog, profiles, NULL, NULL };
    mdm_effect_batch_t *batch = apr_pcalloc(st->ctx->pool, sizeof(*batch));
    apr_array_header_t *enrollments;
    apr_hash_t *devices;
    apr_status_t rv = mdm_store_batch_enrollments(&enrollments, st, ids, count);
    int i;

    batch->all = apr_array_make(st->ctx->pool, count, sizeof(mdm_effect_of_t));
    batch->absent = apr_array_make(st->ctx->pool, 1, sizeof(apr_int64_t));
    *out = batch;
    if (rv != APR_SUCCESS || (rv = read_devices(&devices, &k, enrollments)) != APR_SUCCESS)
        return rv;
    sort_out(batch, enrollments, devices, ids, count, st->ctx->pool);
    if (!batch->all->nelts)
        return APR_SUCCESS;
    if ((rv = read_rows(&k, batch->all, lock)) != APR_SUCCESS || (rv = read_groups(&k, batch->all)) != APR_SUCCESS
        || (rv = read_disabled(&k, batch->all)) != APR_SUCCESS)
        return rv;
    for (i = 0; rv == APR_SUCCESS && i < batch->all->nelts; i++)
        rv = find_effects(&k, &APR_ARRAY_IDX(batch->all, i, mdm_effect_of_t));
    return rv;
}
