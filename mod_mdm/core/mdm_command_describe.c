/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of commands as JSON, for consoles that make forms of it and for tests that send everything; and the rights
 * that a command needs of it. Called by
 * the API, any thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_command.h"
#include "mdm_command_json.h"

/* What Apple's systems have no user channel on is not spelt out: there it is the device channel. */
static json_t *needs_json(const mdm_command_type_t *type)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "supervised", mdm_key_systems_json(type->supervised),
                     "automated_enrollment", mdm_key_systems_json(type->ade), "user_enrollment",
                     mdm_key_systems_json(type->user_enrollment), "macos_channels", mdm_key_channels_json(type->mac),
                     "shared_ipad_channels", mdm_key_channels_json(type->shared_ipad), "shared_ipad_only",
                     type->shared_only);
}

static json_t *values_json(const mdm_command_key_t *key, apr_pool_t *p)
{
    json_t *json = mdm_key_values_json(key->values, key->type, p);
    const mdm_command_query_t *query;

    for (query = mdm_command_queries; key->type == MDM_KEY_QUERY && query->name; query++)
        json_array_append_new(json, json_string(query->name));
    return json;
}

static json_t *queries_json(apr_pool_t *p)
{
    const mdm_command_query_t *query;
    json_t *json = json_array();

    for (query = mdm_command_queries; query->name; query++) {
        json_t *one = json_pack("{s:s, s:i}", "name", query->name, "access_right", query->right);

        if (query->since)
            json_object_set_new(one, "since", mdm_key_since_json(query->since, p));
        json_array_append_new(json, one);
    }
    return json;
}

static json_t *keys_json(const mdm_command_key_t *keys, apr_pool_t *p)
{
    json_t *json = json_array();

    for (; keys && keys->name; keys++) {
        json_t *key = json_pack("{s:s, s:s, s:b}", "name", keys->name, "type", mdm_key_type_name(keys->type),
                                "required", keys->required);

        if (keys->values || keys->type == MDM_KEY_QUERY)
            json_object_set_new(key, "values", values_json(keys, p));
        if (keys->type == MDM_KEY_QUERY)
            json_object_set_new(key, "queries", queries_json(p));
        if (keys->right)
            json_object_set_new(key, "access_right", json_integer(keys->right));
        if (keys->fill)
            json_object_set_new(key, "default", mdm_key_value_json(keys->fill, strlen(keys->fill), keys->type, p));
        if (keys->since)
            json_object_set_new(key, "since", mdm_key_since_json(keys->since, p));
        if (keys->supervised)
            json_object_set_new(key, "supervised", mdm_key_systems_json(keys->supervised));
        if (keys->keys)
            json_object_set_new(key, "keys", keys_json(keys->keys, p));
        json_array_append_new(json, key);
    }
    return json;
}

json_t *mdm_command_type_to_json(const mdm_command_type_t *type, int brief, apr_pool_t *p)
{
    json_t *json = json_pack("{s:s, s:o, s:i, s:b}", "request_type", type->name, "since",
                             mdm_key_since_json(type->since, p), "access_right", type->right, "destructive",
                             mdm_command_is_destructive(type->name));

    if (brief)
        return json;
    json_object_update_new(json, needs_json(type));
    json_object_set_new(json, "keys", keys_json(type->keys, p));
    return json;
}

/* ---- rights */

typedef struct {
    apr_array_header_t *warnings;
    apr_pool_t *p;
    int rights;                   /* those that the profile asks for */
} lacks_t;

static void look(lacks_t *l, const char *what, int right)
{
    if (right & ~l->rights)
        APR_ARRAY_PUSH(l->warnings, const char *) =
            apr_psprintf(l->p, "%s needs the access right %d, which MDMAccessRights does not ask for", what, right);
}

static int right_of_query(const char *name)
{
    const mdm_command_query_t *query = mdm_command_queries;

    while (query->name && strcmp(query->name, name))
        query++;
    return query->right;
}

/* Of queries and settings each may need a right of its own. */
static void look_at_parts(lacks_t *l, const mdm_command_key_t *list, const json_t *parts)
{
    const mdm_command_key_t *item = list->keys;
    size_t i;

    for (i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        const char *name = json_string_value(item->type == MDM_KEY_QUERY ? part : json_object_get(part, "Item"));
        const mdm_command_key_t *setting = item->type == MDM_KEY_VARIANT && name ? mdm_command_key(item->keys, name)
                                           : NULL;

        if (name && item->type == MDM_KEY_QUERY)
            look(l, name, right_of_query(name));
        else if (setting)
            look(l, name, setting->right);
    }
}

apr_array_header_t *mdm_command_lacks(const mdm_command_type_t *type, const json_t *command, int rights, apr_pool_t *p)
{
    lacks_t l = { apr_array_make(p, 2, sizeof(const char *)), p, rights };
    const mdm_command_key_t *key;

    look(&l, type->name, type->right);
    for (key = type->keys; key && key->name; key++) {
        if (key->type == MDM_KEY_ARRAY)
            look_at_parts(&l, key, json_object_get(command, key->name));
    }
    return l.warnings;
}
