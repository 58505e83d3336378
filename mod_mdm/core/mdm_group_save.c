/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule and directory groups made, changed and deleted: the row, what it looks at, the event, and the change that lets
 * the fan-out sweep it, in one transaction of the caller. Any thread; who joins and leaves is found out in
 * mdm_group.c.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_group.h"
#include "mdm_nearest.h"
#include "mdm_store_change.h"
#include "mdm_store_status.h"

#define DIRECTORY_BYTES_MAX 1024
#define PROFILES_NAMED 10

static int same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static apr_status_t check(const mdm_group_save_t *save, mdm_store_t *st)
{
    const char *c = save->directory;

    if (save->kind == MDM_GROUP_RULE && save->rule)
        return APR_SUCCESS;
    if (save->kind != MDM_GROUP_DIRECTORY || !c)
        return mdm_fail(st->ctx, MDM_EINPUT, "the group %s needs %s", save->name,
                        save->kind == MDM_GROUP_RULE ? "a rule" : "the distinguished name of a directory group");
    while ((unsigned char)*c >= ' ' && *c != 0x7f)
        c++;
    if (*c || strlen(save->directory) > DIRECTORY_BYTES_MAX || !strchr(save->directory, '='))
        return mdm_fail(st->ctx, MDM_EINPUT, "directory: \"%s\" is no distinguished name, such as "
                        "\"cn=nurses,ou=groups,dc=example,dc=org\", of at most %d bytes",
                        mdm_nearest_shown(save->directory, st->ctx->pool), DIRECTORY_BYTES_MAX);
    return APR_SUCCESS;
}

static apr_status_t find(mdm_group_t **out, const mdm_group_save_t *save, mdm_store_t *st)
{
    apr_status_t rv = mdm_store_group_get(out, st, save->name);

    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(st->ctx);
        *out = NULL;
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS && (*out)->kind != save->kind)
        return mdm_fail(st->ctx, MDM_EEXIST, "the group %s is of kind %s and stays so: delete it first, or take "
                        "another name", save->name, mdm_group_kind_name((*out)->kind));
    return rv;
}

static apr_status_t write_group(mdm_group_save_t *save, mdm_store_t *st, mdm_group_t *group)
{
    apr_status_t rv;

    group->rule = save->rule ? mdm_rule_text(save->rule) : NULL;
    group->directory = save->directory;
    if (!save->made) {
        group->changed_by = save->actor;
        group->changed_at = mdm_ctx_now(st->ctx);
        group->synced_at = 0;
        return mdm_store_group_update(st, group);
    }
    group->id = mdm_id_next();
    group->name = save->name;
    group->kind = save->kind;
    group->created_by = save->actor;
    rv = mdm_store_group_insert(&save->made, st, group);
    return rv == APR_SUCCESS && !save->made ? MDM_ECONFLICT : rv;
}

static apr_status_t let_sweep(mdm_store_t *st, const mdm_group_t *group, const char *actor)
{
    return mdm_store_change_add(st, MDM_CHANGE_GROUP, apr_psprintf(st->ctx->pool, "%" APR_INT64_T_FMT, group->id),
                                actor);
}

apr_status_t mdm_group_save(mdm_group_save_t *save, mdm_store_t *st)
{
    apr_array_header_t *none = apr_array_make(st->ctx->pool, 1, sizeof(const char *));
    mdm_group_t *group, fresh = { 0 };
    apr_status_t rv = check(save, st);

    save->made = save->changed = 0;
    if (rv == APR_SUCCESS)
        rv = find(&group, save, st);
    if (rv != APR_SUCCESS)
        return rv;
    save->made = !group;
    save->changed = !group || !same(group->rule, save->rule ? mdm_rule_text(save->rule) : NULL)
        || !same(group->directory, save->directory);
    if (!save->changed)
        return APR_SUCCESS;
    if (!group)
        group = &fresh;
    rv = write_group(save, st, group);
    if (rv == APR_SUCCESS)
        rv = mdm_store_group_watch(st, group->id, save->rule ? mdm_rule_watches(save->rule) : none);
    if (rv == APR_SUCCESS)
        rv = mdm_store_event(st, save->made ? "group.created" : "group.changed", save->actor, save->source_ip, NULL,
                             save->name, save->rule ? mdm_rule_text(save->rule) : save->directory);
    return rv == APR_SUCCESS && save->rule ? let_sweep(st, group, save->actor) : rv;
}

apr_status_t mdm_group_synced(mdm_store_t *st, const mdm_group_t *group)
{
    apr_status_t rv = mdm_store_group_synced(st, group->id, group->directory);

    if (rv == MDM_ENOTFOUND)
        return mdm_fail(st->ctx, rv, "the group %s is gone, or of another entry of the directory", group->name);
    return rv == APR_SUCCESS && !group->synced_at ? let_sweep(st, group, "directory") : rv;
}

apr_status_t mdm_group_remove(mdm_store_t *st, const char *name)
{
    apr_array_header_t *profiles;
    mdm_group_t *group;
    const char *names = "";
    int i;
    apr_status_t rv = mdm_store_group_lock(&group, st, name);

    if (rv == APR_SUCCESS)
        rv = mdm_store_group_profiles(&profiles, st, group->id, PROFILES_NAMED + 1);
    if (rv != APR_SUCCESS)
        return rv;
    if (!profiles->nelts)
        return mdm_store_group_delete(st, group->id);
    for (i = 0; i < profiles->nelts; i++)
        names = apr_pstrcat(st->ctx->pool, names, i ? ", " : "",
                            i < PROFILES_NAMED ? APR_ARRAY_IDX(profiles, i, const char *) : "and others", NULL);
    return mdm_fail(st->ctx, MDM_EEXIST, "the group %s is the target of assignments of %s: delete those first", name,
                    names);
}
