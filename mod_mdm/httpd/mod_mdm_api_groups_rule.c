/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups that make themselves: by a rule or by the directory. Saved here, and shown before they are saved. Request
 * threads only; who is in them is found out by core/mdm_group.c.
 */
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_json_plist.h"
#include "mdm_nearest.h"
#include "mdm_refusal.h"
#include "mod_mdm_api_groups.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

#define BODY_MAX (4 * MDM_RULE_BYTES_MAX)

typedef struct {
    mdm_api_t *api;
    mdm_group_save_t save;
} saving_t;

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

static apr_status_t read_json(json_t **json, mdm_api_t *api, apr_off_t most)
{
    mdm_bytes_t body;
    apr_status_t rv = mdm_io_body(&body, api->ctx, api->r, most);

    if (rv != APR_SUCCESS)
        return rv;
    if (body.len)
        return mdm_json_read(json, api->ctx, body);
    *json = mdm_json_object(api->r->pool);
    return APR_SUCCESS;
}

static apr_status_t read_kind(mdm_api_group_body_t *out, mdm_api_t *api, const json_t *json)
{
    const json_t *kind = json_object_get(json, "kind"), *directory = json_object_get(json, "directory");
    const json_t *rule = json_object_get(json, "rule");
    mdm_ctx_t *ctx = api->ctx;

    out->kind = kind ? mdm_group_kind_of(json_is_string(kind) ? json_string_value(kind) : "") : MDM_GROUP_STATIC;
    if (!out->kind)
        return mdm_fail(ctx, MDM_EINPUT, "kind must be static, rule or directory, not %s", json_is_string(kind)
                        ? mdm_nearest_shown(json_string_value(kind), ctx->pool) : mdm_json_kind(kind));
    if (out->kind == MDM_GROUP_RULE && !rule)
        return mdm_fail(ctx, MDM_EINPUT, "rule is missing: a group of kind rule has one, such as "
                        "{\"user.title\": \"Nurse\"}");
    if (out->kind != MDM_GROUP_RULE && rule)
        return mdm_fail(ctx, MDM_EINPUT, "rule: a group of kind %s has none: give it the kind rule, or leave it out",
                        mdm_group_kind_name(out->kind));
    if (out->kind == MDM_GROUP_DIRECTORY && !directory)
        return mdm_fail(ctx, MDM_EINPUT, "directory is missing: a group of kind directory has the distinguished name "
                        "of its entry there");
    if (out->kind != MDM_GROUP_DIRECTORY && directory)
        return mdm_fail(ctx, MDM_EINPUT, "directory: a group of kind %s has none: give it the kind directory, or "
                        "leave it out", mdm_group_kind_name(out->kind));
    if (directory && !json_is_string(directory))
        return mdm_fail(ctx, MDM_EINPUT, "directory must be a distinguished name, not %s", mdm_json_kind(directory));
    out->directory = json_string_value(directory);
    return APR_SUCCESS;
}

apr_status_t mdm_api_group_body(mdm_api_group_body_t *out, mdm_api_t *api)
{
    static const char *const known[] = { "kind", "rule", "directory", NULL };
    json_t *json;
    apr_status_t rv = read_json(&json, api, BODY_MAX);

    memset(out, 0, sizeof(*out));
    if (rv == APR_SUCCESS)
        rv = mdm_api_members(api, NULL, json, known);
    if (rv == APR_SUCCESS)
        rv = read_kind(out, api, json);
    if (rv == APR_SUCCESS && out->kind == MDM_GROUP_RULE)
        rv = mdm_rule_of(&out->rule, api->ctx, json_object_get(json, "rule"));
    return rv;
}

static apr_status_t save(void *baton, mdm_db_t *db)
{
    saving_t *s = baton;

    (void)db;
    return mdm_group_save(&s->save, s->api->st);
}

int mdm_api_group_put(mdm_api_t *api, const char *name, const mdm_api_group_body_t *body)
{
    saving_t s = { api, { name, body->kind, body->rule, body->directory, api->actor, api->r->useragent_ip, 0, 0 } };
    apr_status_t rv = mdm_db_transact(api->st->db, save, &s);

    if (rv != APR_SUCCESS)
        return mdm_api_group_refuse(api, name, rv);
    if (s.save.changed)
        mdm_worker_wake();
    return mdm_api_group_show(api, name, s.save.made ? HTTP_CREATED : HTTP_OK);
}

/* ---- previews */

/* The group there is, or none; 0 then. A static one has no rule to be tried. */
static apr_status_t find_group(apr_int64_t *id, mdm_api_t *api, const char *name)
{
    mdm_group_t *group;
    apr_status_t rv = mdm_store_group_get(&group, api->st, name);

    *id = 0;
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(api->ctx);
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS && group->kind != MDM_GROUP_RULE)
        return mdm_fail(api->ctx, MDM_EEXIST, "the group %s is of kind %s and stays so: try the rule on a group of "
                        "kind rule, or on a new name", name, mdm_group_kind_name(group->kind));
    if (rv == APR_SUCCESS)
        *id = group->id;
    return rv;
}

apr_status_t mdm_api_group_after(apr_int64_t *after, mdm_api_t *api)
{
    const char *cursor = mdm_api_query(api, "cursor");
    mdm_enrollment_t *enrollment;
    apr_status_t rv;

    *after = 0;
    if (!cursor)
        return APR_SUCCESS;
    rv = mdm_store_enrollment_get(&enrollment, api->st, cursor);
    if (rv == APR_SUCCESS)
        *after = enrollment->id;
    return mdm_refusal_missing(api->ctx, rv, "cursor", "give the next_cursor of the page before, or none");
}

static json_t *moves_json(const mdm_group_preview_t *preview, int joins)
{
    json_t *items = json_array(), *item;
    int i;

    for (i = 0; i < preview->moves->nelts; i++) {
        const mdm_group_move_t *move = &APR_ARRAY_IDX(preview->moves, i, mdm_group_move_t);

        if (move->joins != joins)
            continue;
        item = json_object();
        mdm_json_set_text(item, "enrollment_id", move->enrollment_id);
        mdm_json_set_text(item, "reason", move->reason);
        json_array_append_new(items, item);
    }
    return json_pack("{s:I, s:o}", "count", (json_int_t)(joins ? preview->joins : preview->leaves), "enrollments",
                     items);
}

int mdm_api_group_show_preview(mdm_api_t *api, const char *name, const mdm_group_preview_t *preview,
                               mdm_preview_members_t *members)
{
    const apr_array_header_t *moves = preview->moves;
    json_t *json = json_pack("{s:s, s:o, s:o, s:I}", "name", name, "joins", moves_json(preview, 1), "leaves",
                             moves_json(preview, 0), "stays", (json_int_t)preview->stays);
    mdm_preview_t *effect;
    apr_status_t rv = mdm_preview_members_end(&effect, members);

    if (rv != APR_SUCCESS) {
        json_decref(json);
        return fail(api, rv);
    }
    json_object_set_new(json, "effect", mdm_preview_json(effect));
    if (preview->more)
        mdm_json_set_text(json, "next_cursor", APR_ARRAY_IDX(moves, moves->nelts - 1, mdm_group_move_t).enrollment_id);
    return mdm_api_json(api, HTTP_OK, json);
}

int mdm_api_group_preview(mdm_api_t *api, const char *name)
{
    static const char *const known[] = { "kind", "rule", "members", NULL };
    mdm_group_preview_t preview = { 0 };
    mdm_preview_members_t *members;
    const json_t *kind;
    mdm_rule_t *rule;
    json_t *json;
    apr_status_t rv = mdm_api_limit(&preview.limit, api);

    if (rv != APR_SUCCESS)
        return fail(api, rv);
    if ((rv = read_json(&json, api, MDM_LIMIT_DEFAULT)) != APR_SUCCESS
        || (rv = mdm_api_members(api, NULL, json, known)) != APR_SUCCESS)
        return mdm_api_group_refuse(api, name, rv);
    if (json_object_get(json, "members"))
        return mdm_api_group_preview_members(api, name, json, preview.limit);
    kind = json_object_get(json, "kind");
    if (kind && (!json_is_string(kind) || mdm_group_kind_of(json_string_value(kind)) != MDM_GROUP_RULE))
        rv = mdm_fail(api->ctx, MDM_EINPUT, "kind must be rule, or left out: only a rule can be tried");
    else if (!json_object_get(json, "rule"))
        rv = mdm_fail(api->ctx, MDM_EINPUT, "rule is missing: give the one to be tried");
    else
        rv = mdm_rule_of(&rule, api->ctx, json_object_get(json, "rule"));
    if (rv != APR_SUCCESS)
        return mdm_api_group_refuse(api, name, rv);
    rv = find_group(&preview.group, api, name);
    if (rv == APR_SUCCESS)
        rv = mdm_api_group_after(&preview.after, api);
    preview.rule = rule;
    if (rv == APR_SUCCESS)
        rv = mdm_preview_members_begin(&members, api->st, preview.group);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    preview.moved = mdm_preview_members_move;
    preview.baton = members;
    rv = mdm_group_preview(&preview, api->st);
    return rv == APR_SUCCESS ? mdm_api_group_show_preview(api, name, &preview, members) : fail(api, rv);
}
