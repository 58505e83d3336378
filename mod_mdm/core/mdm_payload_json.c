/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles from JSON and to JSON, along the table of payload types, which says what JSON has no type for. Called by
 * the API, any thread. Never shows a secret.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json_plist.h"
#include "mdm_nearest.h"
#include "mdm_payload_check.h"
#include "mdm_payload_json.h"
#include "mdm_payload_reference.h"
#include "mdm_payload_table.h"

/* What has a plain name in JSON. */
static const struct {
    const char *name, *key;
} plain[] = {
    { "display_name", "PayloadDisplayName" }, { "description", "PayloadDescription" },
    { "organization", "PayloadOrganization" }, { "scope", "PayloadScope" },
    { "removal_disallowed", "PayloadRemovalDisallowed" }, { "payloads", "PayloadContent" }
};

#define PLAIN (sizeof(plain) / sizeof(plain[0]))

static const char *key_of(const char *name)
{
    apr_size_t i;

    for (i = 0; i < PLAIN; i++) {
        if (!strcmp(plain[i].name, name))
            return plain[i].key;
    }
    return name;
}

static const char *name_of(const char *key)
{
    apr_size_t i;

    for (i = 0; i < PLAIN; i++) {
        if (!strcmp(plain[i].key, key))
            return plain[i].name;
    }
    return key;
}

/* ---- from JSON */

static apr_status_t build(mdm_plist_t **out, const mdm_json_at_t *at, const mdm_payload_key_t *key,
                          const json_t *json);

/* {"$data": ...} and {"$date": ...} */
static int is_typed(const json_t *json)
{
    return json_object_size(json) == 1 && (json_object_get(json, "$data") || json_object_get(json, "$date"));
}

/* How many values a property list of it would have; a little more than `most` when there are more. */
static apr_size_t count_values(const json_t *json, apr_size_t most)
{
    apr_size_t count = 1, i;
    const char *name;
    json_t *value;

    if (json_is_object(json) && !is_typed(json))
        json_object_foreach((json_t *)json, name, value) {
            if (count > most)
                break;
            count += count_values(value, most - count);
        }
    for (i = 0; i < json_array_size(json) && count <= most; i++)
        count += count_values(json_array_get(json, i), most - count);
    return count;
}

/* All members but `but`, appended to dict. */
static apr_status_t build_members(mdm_plist_t *dict, const mdm_json_at_t *at, const mdm_payload_key_t *keys,
                                  const mdm_payload_key_t *also, const json_t *json, const char *but)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)json, name, value) {
        mdm_json_at_t child = mdm_json_member(at, mdm_nearest_shown(name, at->ctx->pool));
        const mdm_payload_key_t *key = mdm_payload_key(also, name);
        mdm_plist_t *item;
        apr_status_t rv;

        if (but && !strcmp(name, but))
            continue;
        if (!mdm_json_is_writable(name))
            return mdm_fail(at->ctx, MDM_EINPUT, "%s: a key has control characters", mdm_json_where(at));
        if ((rv = build(&item, &child, key ? key : mdm_payload_key(keys, name), value)) != APR_SUCCESS)
            return rv;
        mdm_plist_set(dict, name, item, at->ctx->pool);
    }
    return APR_SUCCESS;
}

static apr_status_t build_items(mdm_plist_t *array, const mdm_json_at_t *at, const mdm_payload_key_t *key,
                                const json_t *json)
{
    size_t n;

    for (n = 0; n < json_array_size(json); n++) {
        mdm_json_at_t child = mdm_json_item(at, n);
        mdm_plist_t *item;
        apr_status_t rv = build(&item, &child, key, json_array_get(json, n));

        if (rv != APR_SUCCESS)
            return rv;
        mdm_plist_append(array, item);
    }
    return APR_SUCCESS;
}

static apr_status_t build_text(mdm_plist_t **out, const mdm_json_at_t *at, const mdm_payload_key_t *key,
                               const json_t *json)
{
    const char *text = json_string_value(json);

    if (!strcmp(text, MDM_PAYLOAD_MASK))
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected the value itself or a reference such as ${secret.NAME}, got "
                        "the mask that is shown in its place", mdm_json_where(at));
    if (key && key->type == MDM_KEY_DATA && !mdm_reference_in_text(text))
        return mdm_json_data(out, at, json);
    if (key && key->type == MDM_KEY_DATE)
        return mdm_json_date(out, at, json);
    return mdm_json_string(out, at, json);
}

/* What is of another type than the key is made as it is: mdm_payload_check tells. */
static apr_status_t build(mdm_plist_t **out, const mdm_json_at_t *at, const mdm_payload_key_t *key,
                          const json_t *json)
{
    const mdm_payload_key_t *keys = key ? key->keys : NULL;

    if (at->depth > MDM_JSON_DEPTH_MAX)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s is nested deeper than %d levels", at->whole, MDM_JSON_DEPTH_MAX);
    if (json_is_string(json))
        return build_text(out, at, key, json);
    if (json_is_integer(json) && key && key->type == MDM_KEY_REAL) {
        *out = mdm_json_real((double)json_integer_value(json), at->ctx->pool);
        return APR_SUCCESS;
    }
    if (json_is_object(json) && !is_typed(json)) {
        *out = mdm_plist_dict(at->ctx->pool);
        return build_members(*out, at, key && key->type == MDM_KEY_DICT ? keys : NULL, NULL, json, NULL);
    }
    if (json_is_array(json)) {
        *out = mdm_plist_array(at->ctx->pool);
        return build_items(*out, at, key && key->type == MDM_KEY_ARRAY ? keys : NULL, json);
    }
    return mdm_json_any(out, at, json);
}

static apr_status_t build_payload(mdm_plist_t *dict, const mdm_json_at_t *at, const json_t *json)
{
    /* a payload may have a key "type" itself */
    const char *called = json_object_get(json, "PayloadType") ? "PayloadType" : "type";
    const char *name = json_string_value(json_object_get(json, called));
    const mdm_payload_type_t *type = name ? mdm_payload_type(name) : NULL;

    if (!json_is_object(json))
        return mdm_json_expected(at, "an object", json);
    if (!name)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: the key %s is missing (string)", mdm_json_where(at), called);
    if (!mdm_json_is_writable(name))
        return mdm_fail(at->ctx, MDM_EINPUT, "%s.%s: expected a string without control characters",
                        mdm_json_where(at), called);
    mdm_plist_set_string(dict, "PayloadType", name, at->ctx->pool);
    return build_members(dict, at, type ? type->keys : NULL, mdm_payload_common, json, called);
}

static apr_status_t build_payloads(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json)
{
    size_t n;

    if (!json_is_array(json))
        return mdm_json_expected(at, "an array", json);
    if (json_array_size(json) > MDM_PAYLOADS_MAX)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected %d payloads at most", mdm_json_where(at), MDM_PAYLOADS_MAX);
    *out = mdm_plist_array(at->ctx->pool);
    for (n = 0; n < json_array_size(json); n++) {
        mdm_json_at_t child = mdm_json_item(at, n);
        apr_status_t rv = build_payload(mdm_plist_append(*out, mdm_plist_dict(at->ctx->pool)), &child,
                                        json_array_get(json, n));

        if (rv != APR_SUCCESS)
            return rv;
    }
    return APR_SUCCESS;
}

static apr_status_t unknown_member(const mdm_json_at_t *at, const char *name)
{
    mdm_nearest_t nearest = mdm_nearest_of(name);
    const mdm_payload_key_t *key;
    apr_size_t i;

    for (i = 0; i < PLAIN; i++)
        mdm_nearest_try(&nearest, plain[i].name);
    for (key = mdm_payload_profile; key->name; key++)
        mdm_nearest_try(&nearest, key->name);
    return mdm_fail(at->ctx, MDM_EINPUT, "%s: unknown key %s%s", mdm_json_where(at),
                    mdm_nearest_shown(name, at->ctx->pool), mdm_nearest_hint(&nearest, at->ctx->pool));
}

static apr_status_t build_member(mdm_plist_t *root, const mdm_json_at_t *at, const char *name, const json_t *value)
{
    const char *name_of_key = key_of(name);
    const mdm_payload_key_t *key = mdm_payload_key(mdm_payload_profile, name_of_key);
    mdm_json_at_t child = mdm_json_member(at, mdm_nearest_shown(name, at->ctx->pool));
    mdm_plist_t *item = NULL;
    apr_status_t rv;

    if (!key)
        return unknown_member(at, name);
    if (mdm_plist_get(root, name_of_key))
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: %s and %s are the same", mdm_json_where(at), name_of(name_of_key),
                        name_of_key);
    rv = !strcmp(name_of_key, "PayloadContent") ? build_payloads(&item, &child, value)
         : build(&item, &child, key, value);
    if (rv == APR_SUCCESS)
        mdm_plist_set(root, name_of_key, item, at->ctx->pool);
    return rv;
}

apr_status_t mdm_payload_from_json(mdm_plist_t **profile, mdm_ctx_t *ctx, const json_t *json)
{
    mdm_json_at_t at = { ctx, "profile", "", 0 };
    mdm_plist_t *root = mdm_plist_dict(ctx->pool);
    const char *name;
    json_t *value;
    apr_status_t rv;

    if (!json_is_object(json))
        return mdm_json_expected(&at, "an object", json);
    if (!json_object_get(json, "payloads") && !json_object_get(json, "PayloadContent"))
        return mdm_fail(ctx, MDM_EINPUT, "profile: the key payloads is missing (array)");
    /* before any is made: a value takes many times the room that it has in the text */
    if (count_values(json, MDM_PLIST_MAX_NODES) > MDM_PLIST_MAX_NODES)
        return mdm_fail(ctx, MDM_ETOOBIG, "a profile has at most %d values", MDM_PLIST_MAX_NODES);
    json_object_foreach((json_t *)json, name, value) {
        if (strcmp(name, "note") && (rv = build_member(root, &at, name, value)) != APR_SUCCESS)
            return rv;
    }
    if (!mdm_plist_get(root, "PayloadType"))
        mdm_plist_set_string(root, "PayloadType", "Configuration", ctx->pool);
    *profile = root;
    return APR_SUCCESS;
}

/* ---- to JSON */

static json_t *value_json(const mdm_plist_t *value, const mdm_payload_key_t *key, apr_pool_t *p);

static void set_members(json_t *json, const mdm_plist_t *dict, const mdm_payload_key_t *keys,
                        const mdm_payload_key_t *also, apr_pool_t *p)
{
    const mdm_plist_t *item;

    for (item = dict->first; item; item = item->next) {
        const mdm_payload_key_t *key = mdm_payload_key(also, item->key);

        json_object_set_new(json, item->key, value_json(item, key ? key : mdm_payload_key(keys, item->key), p));
    }
}

/* As text where the key says what it is, else in words that say so. */
static json_t *typed_json(const char *name, const char *text, int is_known)
{
    return is_known ? json_string(text) : json_pack("{s:s}", name, text ? text : "");
}

static json_t *value_json(const mdm_plist_t *value, const mdm_payload_key_t *key, apr_pool_t *p)
{
    const mdm_payload_key_t *keys = key ? key->keys : NULL;
    const mdm_plist_t *item;
    json_t *json;

    switch (value->type) {
    case MDM_PLIST_DICT:
        json = json_object();
        set_members(json, value, key && key->type == MDM_KEY_DICT ? keys : NULL, NULL, p);
        return json;
    case MDM_PLIST_ARRAY:
        json = json_array();
        for (item = value->first; item; item = item->next)
            json_array_append_new(json, value_json(item, key && key->type == MDM_KEY_ARRAY ? keys : NULL, p));
        return json;
    case MDM_PLIST_DATA:
        return typed_json("$data", mdm_base64_encode(value->bytes, p), key && key->type == MDM_KEY_DATA);
    case MDM_PLIST_DATE:
        return typed_json("$date", mdm_time_text(value->date, p), key && key->type == MDM_KEY_DATE);
    case MDM_PLIST_INTEGER:
        return json_integer(value->integer);
    case MDM_PLIST_REAL:
        return json_real(value->real);
    case MDM_PLIST_BOOLEAN:
        return json_boolean(value->integer);
    default:
        return json_stringn((const char *)value->bytes.data, value->bytes.len);
    }
}

/* What a profile or a payload has anyway. */
static void drop_usual(json_t *json, const char *key, const json_t *usual)
{
    const json_t *value = json_object_get(json, key);

    if (value && json_equal(value, usual))
        json_object_del(json, key);
}

static json_t *payload_json(const mdm_plist_t *payload, apr_pool_t *p)
{
    const char *name = mdm_plist_get_string(payload, "PayloadType");
    const mdm_payload_type_t *type = name ? mdm_payload_type(name) : NULL;
    json_t *json = json_object(), *one = json_integer(1);
    int is_short = name && !mdm_plist_get(payload, "type");

    if (is_short)
        json_object_set_new(json, "type", json_string(name));
    if (payload->type == MDM_PLIST_DICT)
        set_members(json, payload, type ? type->keys : NULL, mdm_payload_common, p);
    if (is_short)
        json_object_del(json, "PayloadType");
    drop_usual(json, "PayloadVersion", one);
    json_decref(one);
    return json;
}

json_t *mdm_payload_to_json(const mdm_plist_t *profile, apr_pool_t *p)
{
    const mdm_plist_t *masked = mdm_payload_masked(profile, p), *item, *payload;
    json_t *json = json_object(), *payloads = json_array();
    json_t *one = json_integer(1), *kind = json_string("Configuration");

    for (item = masked->first; item; item = item->next) {
        if (strcmp(item->key, "PayloadContent") && strcmp(item->key, "PayloadUUID"))
            json_object_set_new(json, name_of(item->key),
                                value_json(item, mdm_payload_key(mdm_payload_profile, item->key), p));
    }
    item = mdm_plist_get(masked, "PayloadContent");
    for (payload = item && item->type == MDM_PLIST_ARRAY ? item->first : NULL; payload; payload = payload->next)
        json_array_append_new(payloads, payload_json(payload, p));
    drop_usual(json, "PayloadVersion", one);
    drop_usual(json, "PayloadType", kind);
    json_decref(one);
    json_decref(kind);
    json_object_set_new(json, "payloads", payloads);
    return json;
}
