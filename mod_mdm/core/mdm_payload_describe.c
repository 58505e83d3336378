/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of payload types as JSON, for consoles that make forms of it. Called by the API, any thread.
 */
#include <string.h>

#include "mdm_payload_table.h"

/* A schema that contains itself ends here: it is told once. */
#define DEPTH_MAX 8

static void set_since(json_t *json, const char *name, const char *versions, apr_pool_t *p)
{
    if (versions)
        json_object_set_new(json, name, mdm_key_since_json(versions, p));
}

static void set_systems(json_t *json, const char *name, const char *letters)
{
    if (letters)
        json_object_set_new(json, name, mdm_key_systems_json(letters));
}

static json_t *limit_json(const char *text, apr_size_t len, mdm_key_e type, apr_pool_t *p)
{
    if (len == 1 && *text == '-')
        return json_null();
    return mdm_key_value_json(text, len, type == MDM_KEY_REAL ? MDM_KEY_REAL : MDM_KEY_INTEGER, p);
}

/* Of a number its least and most value, of an array how many items. */
static void set_range(json_t *json, const mdm_payload_key_t *key, apr_pool_t *p)
{
    const char *most = key->range ? strchr(key->range, ' ') : NULL;

    if (!most)
        return;
    json_object_set_new(json, "least", limit_json(key->range, (apr_size_t)(most - key->range), key->type, p));
    json_object_set_new(json, "most", limit_json(most + 1, strlen(most + 1), key->type, p));
}

static json_t *keys_json(const mdm_payload_key_t *keys, int depth, apr_pool_t *p)
{
    json_t *json = json_array();

    for (; keys && keys->name; keys++) {
        json_t *key = json_pack("{s:s, s:s, s:b, s:b}", "name", keys->name, "type", mdm_key_type_name(keys->type),
                                "required", keys->required, "secret", keys->secret);

        if (keys->values)
            json_object_set_new(key, "values", mdm_key_values_json(keys->values, keys->type, p));
        set_range(key, keys, p);
        if (keys->preset)
            json_object_set_new(key, "default", mdm_key_value_json(keys->preset, strlen(keys->preset), keys->type, p));
        set_since(key, "since", keys->since, p);
        set_since(key, "deprecated", keys->deprecated, p);
        set_since(key, "removed", keys->removed, p);
        set_systems(key, "supervised", keys->supervised);
        set_systems(key, "not_in_user_enrollment", keys->no_user_enrollment);
        if (keys->keys && depth < DEPTH_MAX)
            json_object_set_new(key, "keys", keys_json(keys->keys, depth + 1, p));
        json_array_append_new(json, key);
    }
    return json;
}

json_t *mdm_payload_type_to_json(const mdm_payload_type_t *type, int brief, apr_pool_t *p)
{
    json_t *json = json_pack("{s:s, s:s, s:o}", "type", type->name, "title", type->title, "since",
                             mdm_key_since_json(type->since, p));

    set_since(json, "deprecated", type->deprecated, p);
    set_since(json, "removed", type->removed, p);
    if (brief)
        return json;
    json_object_set_new(json, "supervised", mdm_key_systems_json(type->supervised));
    json_object_set_new(json, "user_enrollment", mdm_key_systems_json(type->user_enrollment));
    json_object_set_new(json, "single", mdm_key_systems_json(type->single));
    json_object_set_new(json, "macos_channels", mdm_key_channels_json(type->mac));
    json_object_set_new(json, "shared_ipad_channels", mdm_key_channels_json(type->shared_ipad));
    json_object_set_new(json, "other_keys", json_boolean(type->domain));
    json_object_set_new(json, "keys", keys_json(type->keys, 0, p));
    return json;
}
