/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups: listed, shown, deleted; static ones made, filled and emptied. Those of rules and of the directory are made in
 * mod_mdm_api_groups_rule.c. Request threads only; every change is an event of the audit trail, in its transaction.
 */
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_json_plist.h"
#include "mdm_nearest.h"
#include "mdm_refusal.h"
#include "mod_mdm_api.h"
#include "mod_mdm_api_groups.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

#define NAME_MAX_BYTES 127

static const char *const reading[] = { "GET", NULL };
static const char *const writing[] = { "POST", NULL };
static const char *const all[] = { "GET", "PUT", "DELETE", NULL };
static const char *const changing[] = { "PUT", "DELETE", NULL };
static const char *const listing[] = { "GET", "PUT", NULL };

typedef struct {
    mdm_api_t *api;
    const char *name, *member;
    apr_array_header_t *ids;      /* const char *: whom to put in */
    int replace, changed;
} change_t;

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

int mdm_api_group_refuse(mdm_api_t *api, const char *name, apr_status_t rv)
{
    return fail(api, mdm_refusal_of(api->ctx, rv, "group", name));
}

static json_t *group_json(const mdm_group_t *g, apr_pool_t *p)
{
    json_t *json = json_pack("{s:s, s:s, s:I}", "name", g->name, "kind", mdm_group_kind_name(g->kind), "members",
                             (json_int_t)g->members);
    json_t *rule = g->rule ? json_loads(g->rule, 0, NULL) : NULL;

    if (rule)
        json_object_set_new(json, "rule", rule);
    mdm_json_set_text(json, "directory", g->directory);
    if (g->moving)
        json_object_set_new(json, "moving", json_true());
    mdm_json_set_text(json, "created_by", g->created_by);
    mdm_json_set_text(json, "created_at", mdm_api_time(g->created_at, p));
    mdm_json_set_text(json, "changed_by", g->changed_by);
    mdm_json_set_text(json, "changed_at", mdm_api_time(g->changed_at, p));
    mdm_json_set_text(json, "synced_at", mdm_api_time(g->synced_at, p));
    return json;
}

static int list(mdm_api_t *api)
{
    int limit, i;
    apr_array_header_t *groups;
    json_t *json, *items;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS)
        rv = mdm_store_group_list(&groups, api->st, mdm_api_query(api, "cursor"), limit);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    json = json_object();
    items = json_array();
    for (i = 0; i < groups->nelts; i++)
        json_array_append_new(items, group_json(APR_ARRAY_IDX(groups, i, mdm_group_t *), api->r->pool));
    json_object_set_new(json, "groups", items);
    if (groups->nelts == limit)
        mdm_json_set_text(json, "next_cursor", APR_ARRAY_IDX(groups, limit - 1, mdm_group_t *)->name);
    return mdm_api_json(api, HTTP_OK, json);
}

int mdm_api_group_show(mdm_api_t *api, const char *name, int status)
{
    mdm_group_t *group;
    apr_status_t rv = mdm_store_group_get(&group, api->st, name);

    return rv == APR_SUCCESS ? mdm_api_json(api, status, group_json(group, api->r->pool)) : fail(api, rv);
}

static int show_members(mdm_api_t *api, const char *name)
{
    int limit, i;
    apr_array_header_t *members;
    mdm_group_t *group;
    json_t *json, *items;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS)
        rv = mdm_store_group_get(&group, api->st, name);
    if (rv == APR_SUCCESS)
        rv = mdm_store_member_list(&members, api->st, group->id, mdm_api_query(api, "cursor"), limit);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    json = json_pack("{s:s}", "name", name);
    items = json_array();
    for (i = 0; i < members->nelts; i++) {
        const mdm_member_t *m = &APR_ARRAY_IDX(members, i, mdm_member_t);
        json_t *item = json_pack("{s:s, s:s}", "enrollment_id", m->enrollment_id, "state", mdm_state_name(m->state));

        mdm_json_set_text(item, "added_at", mdm_api_time(m->added_at, api->r->pool));
        mdm_json_set_text(item, "reason", m->reason);
        json_array_append_new(items, item);
    }
    json_object_set_new(json, "members", items);
    if (members->nelts == limit)
        mdm_json_set_text(json, "next_cursor", APR_ARRAY_IDX(members, limit - 1, mdm_member_t).enrollment_id);
    return mdm_api_json(api, HTTP_OK, json);
}

/* ---- changes */

static apr_status_t note(const change_t *c, const char *kind, const char *detail)
{
    mdm_api_t *api = c->api;

    return mdm_store_event(api->st, kind, api->actor, api->r->useragent_ip, c->member, c->name, detail);
}

static apr_status_t make(void *baton, mdm_db_t *db)
{
    change_t *c = baton;
    mdm_group_t group = { 0 }, *found;
    apr_status_t rv;

    (void)db;
    group.id = mdm_id_next();
    group.name = c->name;
    group.created_by = c->api->actor;
    group.kind = MDM_GROUP_STATIC;
    rv = mdm_store_group_insert(&c->changed, c->api->st, &group);
    if (rv != APR_SUCCESS || c->changed)
        return rv == APR_SUCCESS ? note(c, "group.created", NULL) : rv;
    if ((rv = mdm_store_group_get(&found, c->api->st, c->name)) != APR_SUCCESS || found->kind == MDM_GROUP_STATIC)
        return rv;
    return mdm_fail(c->api->ctx, MDM_EEXIST, "the group %s is of kind %s and stays so: delete it first, or take "
                    "another name", c->name, mdm_group_kind_name(found->kind));
}

static apr_status_t drop(void *baton, mdm_db_t *db)
{
    change_t *c = baton;
    apr_status_t rv = mdm_group_remove(c->api->st, c->name);

    (void)db;
    return rv == APR_SUCCESS ? note(c, "group.deleted", NULL) : rv;
}

/* The group whose members are named, for this transaction alone; nobody is put into the others by hand. */
static apr_status_t lock_static(mdm_group_t **out, const change_t *c)
{
    apr_status_t rv = mdm_store_group_lock(out, c->api->st, c->name);

    if (rv != APR_SUCCESS || (*out)->kind == MDM_GROUP_STATIC)
        return rv;
    return mdm_fail(c->api->ctx, MDM_EEXIST, "%s decides who is in the group %s: nobody is put in or taken out by "
                    "hand; change it there, or use a static group",
                    (*out)->kind == MDM_GROUP_RULE ? "its rule" : "the directory", c->name);
}

/* Who was in, and who will be, is to be looked at again. */
static apr_status_t fill(void *baton, mdm_db_t *db)
{
    change_t *c = baton;
    mdm_ctx_t *ctx = c->api->ctx;
    const char *const *ids = (const char *const *)c->ids->elts;
    apr_array_header_t *unknown;
    mdm_group_t *group;
    apr_status_t rv = lock_static(&group, c);

    (void)db;
    if (rv == APR_SUCCESS && c->replace)
        rv = mdm_store_recheck_members(c->api->st, group->id);
    if (rv == APR_SUCCESS && c->replace)
        rv = mdm_store_member_clear(c->api->st, group->id);
    if (rv == APR_SUCCESS)
        rv = mdm_store_recheck_ids(c->api->st, ids, c->ids->nelts);
    if (rv == APR_SUCCESS)
        rv = mdm_store_member_add(&unknown, c->api->st, group->id, apr_pstrcat(ctx->pool, "put in by ", c->api->actor,
                                  NULL), ids, c->ids->nelts);
    if (rv != APR_SUCCESS)
        return rv;
    if (unknown->nelts)
        return mdm_fail(ctx, MDM_ENOTFOUND, "the group %s is not changed: there is no enrollment %s (%d of them): "
                        "leave out those that are not enrolled", c->name,
                        mdm_nearest_shown(APR_ARRAY_IDX(unknown, 0, const char *), ctx->pool), unknown->nelts);
    return note(c, c->replace ? "group.filled" : "group.joined", apr_psprintf(ctx->pool, "%d", c->ids->nelts));
}

static apr_status_t take_out(void *baton, mdm_db_t *db)
{
    change_t *c = baton;
    mdm_group_t *group;
    apr_status_t rv = lock_static(&group, c);

    (void)db;
    if (rv == APR_SUCCESS)
        rv = mdm_store_member_remove(c->api->st, group->id, c->member);
    if (rv == MDM_ENOTFOUND)
        return mdm_fail(c->api->ctx, rv, "%s is not in the group %s", c->member, c->name);
    if (rv == APR_SUCCESS)
        rv = mdm_store_recheck_ids(c->api->st, &c->member, 1);
    return rv == APR_SUCCESS ? note(c, "group.left", NULL) : rv;
}

static apr_status_t read_ids(change_t *c)
{
    mdm_ctx_t *ctx = c->api->ctx;
    mdm_bytes_t body;
    json_t *json, *id;
    size_t i;
    apr_status_t rv = mdm_io_body(&body, ctx, c->api->r, MDM_LIMIT_DEFAULT);

    if (rv != APR_SUCCESS)
        return rv;
    json = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    if (json)
        mdm_json_own(json, ctx->pool);
    if (!json_is_array(json))
        return mdm_fail(ctx, MDM_EINPUT, "the body must be a JSON list of enrollment ids");
    json_array_foreach(json, i, id) {
        if (!json_is_string(id))
            return mdm_fail(ctx, MDM_EINPUT, "[%d] of the body must be an enrollment id, not %s", (int)i,
                            mdm_json_kind(id));
        APR_ARRAY_PUSH(c->ids, const char *) = json_string_value(id);
    }
    return APR_SUCCESS;
}

static int change(change_t *c, mdm_db_work_fn *work, int status)
{
    apr_status_t rv = mdm_db_transact(c->api->st->db, work, c);

    if (rv != APR_SUCCESS)
        return fail(c->api, rv);
    mdm_worker_wake();
    if (work == drop)
        return mdm_io_send(c->api->r, HTTP_NO_CONTENT, NULL, mdm_bytes_of(""));
    return mdm_api_group_show(c->api, c->name, work == make && c->changed ? HTTP_CREATED : status);
}

static int serve_members(change_t *c)
{
    mdm_api_t *api = c->api;
    apr_status_t rv;
    int sent;

    if (!mdm_io_method(&sent, api->r, c->member ? changing : listing))
        return sent;
    if (api->r->method_number == M_GET)
        return show_members(api, c->name);
    if (api->r->method_number == M_DELETE)
        return change(c, take_out, HTTP_OK);
    c->replace = !c->member;
    if (c->member)
        APR_ARRAY_PUSH(c->ids, const char *) = c->member;
    else if ((rv = read_ids(c)) != APR_SUCCESS)
        return mdm_api_group_refuse(api, c->name, rv);
    return change(c, fill, HTTP_OK);
}

int mdm_api_groups(mdm_api_t *api)
{
    change_t c = { api, NULL, NULL, NULL, 0, 0 };
    char *name = apr_pstrdup(api->r->pool, api->path ? api->path : ""), *rest = strchr(name, '/');
    mdm_api_group_body_t body;
    apr_status_t rv;
    int sent;

    c.ids = apr_array_make(api->r->pool, 8, sizeof(const char *));
    c.name = name;
    if (rest)
        *rest++ = '\0';
    if (api->path && (!*name || strlen(name) > NAME_MAX_BYTES))
        return mdm_api_group_refuse(api, name, mdm_fail(api->ctx, MDM_EINPUT, "the name must have 1 to %d bytes",
                                                        NAME_MAX_BYTES));
    if ((rv = mdm_api_store(api)) != APR_SUCCESS)
        return fail(api, rv);
    if (!api->path)
        return mdm_io_method(&sent, api->r, reading) ? list(api) : sent;
    if (rest && !strncmp(rest, "members", 7) && (!rest[7] || (rest[7] == '/' && rest[8]))) {
        c.member = rest[7] ? rest + 8 : NULL;
        return serve_members(&c);
    }
    if (rest && !strcmp(rest, "preview"))
        return mdm_io_method(&sent, api->r, writing) ? mdm_api_group_preview(api, name) : sent;
    if (rest)
        return fail(api, mdm_fail(api->ctx, MDM_ENOTFOUND, "a group has members and a preview, and nothing else"));
    if (!mdm_io_method(&sent, api->r, all))
        return sent;
    if (api->r->method_number == M_GET)
        return mdm_api_group_show(api, name, HTTP_OK);
    if (api->r->method_number == M_DELETE)
        return change(&c, drop, HTTP_OK);
    rv = mdm_api_group_body(&body, api);
    if (rv != APR_SUCCESS)
        return mdm_api_group_refuse(api, name, rv);
    return body.kind == MDM_GROUP_STATIC ? change(&c, make, HTTP_OK) : mdm_api_group_put(api, name, &body);
}
