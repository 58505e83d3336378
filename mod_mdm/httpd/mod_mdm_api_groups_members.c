/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other members of a static group would do, before it has them. Request threads only; writes nothing.
 */
#include <stdlib.h>

#include <apr_strings.h>

#include "mdm_refusal.h"
#include "mod_mdm_api_groups.h"

#define PAGE 1000

typedef struct {
    apr_int64_t enrollment;
    mdm_group_move_t move;
} moved_t;

typedef struct {
    mdm_api_t *api;
    mdm_group_preview_t preview;
    apr_hash_t *wanted;           /* enrollment_id -> itself; whoever is a member already is taken out */
    apr_array_header_t *moved;    /* moved_t */
} trial_t;

static apr_status_t read_wanted(trial_t *t, const json_t *list)
{
    mdm_ctx_t *ctx = t->api->ctx;
    const json_t *id;
    size_t i;

    t->wanted = apr_hash_make(ctx->pool);
    if (!json_is_array(list))
        return mdm_fail(ctx, MDM_EINPUT, "members must be a list of enrollment ids");
    json_array_foreach(list, i, id) {
        if (!json_is_string(id))
            return mdm_fail(ctx, MDM_EINPUT, "members must be a list of enrollment ids, and [%d] is none", (int)i);
        apr_hash_set(t->wanted, json_string_value(id), APR_HASH_KEY_STRING, json_string_value(id));
    }
    return APR_SUCCESS;
}

static apr_status_t add_move(trial_t *t, const char *enrollment_id, int joins)
{
    mdm_api_t *api = t->api;
    mdm_enrollment_t *e;
    moved_t *m;
    apr_status_t rv = mdm_store_enrollment_get(&e, api->st, enrollment_id);

    if (rv != APR_SUCCESS)
        return mdm_refusal_missing(api->ctx, rv, "members", "leave out those that are not enrolled");
    m = apr_array_push(t->moved);
    m->enrollment = e->id;
    m->move.enrollment_id = e->enrollment_id;
    m->move.reason = apr_pstrcat(api->ctx->pool, joins ? "put in by " : "taken out by ", api->actor, NULL);
    m->move.joins = joins;
    t->preview.joins += joins;
    t->preview.leaves += !joins;
    return APR_SUCCESS;
}

static apr_status_t compare(trial_t *t)
{
    apr_array_header_t *members;
    const char *cursor = NULL;
    apr_hash_index_t *hi;
    apr_status_t rv;
    int i;

    do {
        rv = mdm_store_member_list(&members, t->api->st, t->preview.group, cursor, PAGE);
        for (i = 0; rv == APR_SUCCESS && i < members->nelts; i++) {
            cursor = APR_ARRAY_IDX(members, i, mdm_member_t).enrollment_id;
            if (apr_hash_get(t->wanted, cursor, APR_HASH_KEY_STRING)) {
                apr_hash_set(t->wanted, cursor, APR_HASH_KEY_STRING, NULL);
                t->preview.stays++;
            }
            else
                rv = add_move(t, cursor, 0);
        }
    } while (rv == APR_SUCCESS && members->nelts == PAGE);
    for (hi = apr_hash_first(t->api->ctx->pool, t->wanted); rv == APR_SUCCESS && hi; hi = apr_hash_next(hi))
        rv = add_move(t, apr_hash_this_key(hi), 1);
    return rv;
}

static int by_enrollment(const void *a, const void *b)
{
    apr_int64_t one = ((const moved_t *)a)->enrollment, two = ((const moved_t *)b)->enrollment;

    return one < two ? -1 : one > two;
}

static apr_status_t tell(trial_t *t, mdm_preview_members_t *members)
{
    mdm_group_preview_t *preview = &t->preview;
    apr_status_t rv = APR_SUCCESS;
    int i;

    qsort(t->moved->elts, (size_t)t->moved->nelts, sizeof(moved_t), by_enrollment);
    preview->moves = apr_array_make(t->api->ctx->pool, 16, sizeof(mdm_group_move_t));
    for (i = 0; rv == APR_SUCCESS && i < t->moved->nelts; i++) {
        const moved_t *m = &APR_ARRAY_IDX(t->moved, i, moved_t);

        rv = mdm_preview_members_move(members, m->enrollment, m->move.joins);
        if (m->enrollment <= preview->after)
            continue;
        if (preview->moves->nelts < preview->limit)
            APR_ARRAY_PUSH(preview->moves, mdm_group_move_t) = m->move;
        else
            preview->more = 1;
    }
    return rv;
}

static apr_status_t find_static(trial_t *t, const char *name)
{
    mdm_group_t *group;
    apr_status_t rv = mdm_store_group_get(&group, t->api->st, name);

    if (rv == APR_SUCCESS && group->kind != MDM_GROUP_STATIC)
        return mdm_fail(t->api->ctx, MDM_EEXIST, "the group %s is of kind %s: members can be tried on a static group "
                        "only; try a rule", name, mdm_group_kind_name(group->kind));
    if (rv == APR_SUCCESS)
        t->preview.group = group->id;
    return rv;
}

int mdm_api_group_preview_members(mdm_api_t *api, const char *name, const json_t *json, int limit)
{
    trial_t t = { api, { 0 }, NULL, NULL };
    mdm_preview_members_t *members;
    apr_status_t rv = json_object_size(json) == 1 ? read_wanted(&t, json_object_get(json, "members"))
        : mdm_fail(api->ctx, MDM_EINPUT, "members: a preview of members has no other member: leave the rest out");

    t.preview.limit = limit;
    t.moved = apr_array_make(api->ctx->pool, 16, sizeof(moved_t));
    if (rv == APR_SUCCESS)
        rv = find_static(&t, name);
    if (rv == APR_SUCCESS)
        rv = mdm_api_group_after(&t.preview.after, api);
    if (rv == APR_SUCCESS)
        rv = compare(&t);
    if (rv == APR_SUCCESS)
        rv = mdm_preview_members_begin(&members, api->st, t.preview.group);
    if (rv == APR_SUCCESS)
        rv = tell(&t, members);
    return rv == APR_SUCCESS ? mdm_api_group_show_preview(api, name, &t.preview, members)
        : mdm_api_group_refuse(api, name, rv);
}
