/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From JSON to the tree of a command, along the table. Whatever is wrong is told with the path of its key, so that
 * a typing error is found before a device finds it. Called by the API in any thread; never makes text itself, never
 * shows a value: it may be a password.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_command_json.h"
#include "mdm_command_rules.h"
#include "mdm_json_plist.h"
#include "mdm_nearest.h"

#define UUID_MAX 127

static apr_status_t build(mdm_plist_t **out, const mdm_json_at_t *at, const mdm_command_key_t *key,
                          const json_t *json);

static apr_status_t unknown_key(const mdm_json_at_t *at, const mdm_command_key_t *keys, const char *name)
{
    mdm_nearest_t g = mdm_nearest_of(name);

    for (; keys && keys->name; keys++)
        mdm_nearest_try(&g, keys->name);
    if (!*at->path) {
        for (keys = mdm_command_common; keys->name; keys++)
            mdm_nearest_try(&g, keys->name);
    }
    return mdm_fail(at->ctx, MDM_EINPUT, "%s: unknown key %s%s", mdm_json_where(at),
                    mdm_nearest_shown(name, at->ctx->pool), mdm_nearest_hint(&g, at->ctx->pool));
}

/* ---- single values */

static apr_status_t unlisted(const mdm_json_at_t *at, const char *values)
{
    return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected %s", mdm_json_where(at),
                    mdm_key_listing(values, at->ctx->pool));
}

static apr_status_t build_string(mdm_plist_t **out, const mdm_json_at_t *at, const char *values,
                                 const json_t *json)
{
    if (values && json_is_string(json) && !mdm_key_is_listed(values, json_string_value(json)))
        return unlisted(at, values);
    return mdm_json_string(out, at, json);
}

static apr_status_t build_query(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json)
{
    const char *text = json_string_value(json);
    const mdm_command_query_t *query;
    mdm_nearest_t g;

    if (!text)
        return mdm_json_expected(at, "a string", json);
    for (query = mdm_command_queries; query->name; query++) {
        if (!strcmp(query->name, text)) {
            *out = mdm_plist_string(text, at->ctx->pool);
            return APR_SUCCESS;
        }
    }
    g = mdm_nearest_of(text);
    for (query = mdm_command_queries; query->name; query++)
        mdm_nearest_try(&g, query->name);
    return mdm_fail(at->ctx, MDM_EINPUT, "%s: there is no query %s%s", mdm_json_where(at),
                    mdm_nearest_shown(text, at->ctx->pool), mdm_nearest_hint(&g, at->ctx->pool));
}

static apr_status_t build_integer(mdm_plist_t **out, const mdm_json_at_t *at, const char *values,
                                  const json_t *json)
{
    if (!json_is_integer(json))
        return mdm_json_expected(at, "an integer", json);
    if (values && !mdm_key_is_listed(values, apr_psprintf(at->ctx->pool, "%" APR_INT64_T_FMT,
                                                          (apr_int64_t)json_integer_value(json))))
        return unlisted(at, values);
    /* no key of the table is a number below 0 */
    if (json_integer_value(json) < 0)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected an integer from 0", mdm_json_where(at));
    *out = mdm_plist_integer(json_integer_value(json), at->ctx->pool);
    return APR_SUCCESS;
}

/* ---- dictionaries and arrays of the table */

/*
 * Only defaults that are as old as their command are filled in: a device need not know a later key, and it never
 * sees one that nobody asked for. In Settings and in attributes of apps there are none at all: there a key that is
 * left out leaves things as they are.
 */
static void fill(mdm_plist_t *dict, const mdm_command_key_t *key, apr_pool_t *p)
{
    if (!key->fill)
        return;
    if (key->type == MDM_KEY_BOOLEAN)
        mdm_plist_set_boolean(dict, key->name, !strcmp(key->fill, "true"), p);
    else if (key->type == MDM_KEY_INTEGER)
        mdm_plist_set_integer(dict, key->name, apr_atoi64(key->fill), p);
    else
        mdm_plist_set_string(dict, key->name, key->fill, p);
}

static const char *type_words(mdm_key_e type)
{
    switch (type) {
    case MDM_KEY_INTEGER: return "integer";
    case MDM_KEY_BOOLEAN: return "boolean";
    case MDM_KEY_DATA: return "base64 data";
    case MDM_KEY_DICT: case MDM_KEY_VARIANT: return "object";
    case MDM_KEY_ARRAY: return "array";
    default: return "string";
    }
}

/* Keys go in the table's order. `but`: a member that was seen to already. */
static apr_status_t build_members(mdm_plist_t *dict, const mdm_json_at_t *at, const mdm_command_key_t *keys,
                                  const json_t *json, const char *but)
{
    const mdm_command_key_t *key;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)json, name, value) {
        if ((!but || strcmp(name, but)) && !mdm_command_key(keys, name)
            && (*at->path || !mdm_command_key(mdm_command_common, name)))
            return unknown_key(at, keys, name);
    }
    for (key = keys; key && key->name; key++) {
        const json_t *given = json_object_get(json, key->name);
        mdm_json_at_t child = mdm_json_member(at, key->name);
        mdm_plist_t *item;
        apr_status_t rv;

        if (!given && key->required)
            return mdm_fail(at->ctx, MDM_EINPUT, "%s: the key %s is missing (%s)", mdm_json_where(at), key->name,
                            type_words(key->type));
        if (!given) {
            fill(dict, key, at->ctx->pool);
            continue;
        }
        if ((rv = build(&item, &child, key, given)) != APR_SUCCESS)
            return rv;
        mdm_plist_set(dict, key->name, item, at->ctx->pool);
    }
    return APR_SUCCESS;
}

static apr_status_t build_dict(mdm_plist_t **out, const mdm_json_at_t *at, const mdm_command_key_t *key,
                               const json_t *json)
{
    if (!json_is_object(json))
        return mdm_json_expected(at, "an object", json);
    if (!key->keys)
        return mdm_json_dict(out, at, json);
    *out = mdm_plist_dict(at->ctx->pool);
    return build_members(*out, at, key->keys, json, NULL);
}

static apr_status_t build_variant(mdm_plist_t **out, const mdm_json_at_t *at, const mdm_command_key_t *key,
                                  const json_t *json)
{
    const char *item = json_string_value(json_object_get(json, "Item"));
    const mdm_command_key_t *variant = item ? mdm_command_key(key->keys, item) : NULL, *known;

    if (!json_is_object(json))
        return mdm_json_expected(at, "an object", json);
    if (!item)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: the key Item is missing (string)", mdm_json_where(at));
    if (!variant) {
        mdm_nearest_t g = mdm_nearest_of(item);

        for (known = key->keys; known->name; known++)
            mdm_nearest_try(&g, known->name);
        return mdm_fail(at->ctx, MDM_EINPUT, "%s.Item: there is no setting %s%s", mdm_json_where(at),
                        mdm_nearest_shown(item, at->ctx->pool), mdm_nearest_hint(&g, at->ctx->pool));
    }
    *out = mdm_plist_dict(at->ctx->pool);
    mdm_plist_set_string(*out, "Item", variant->name, at->ctx->pool);
    return build_members(*out, at, variant->keys, json, "Item");
}

static apr_status_t build_array(mdm_plist_t **out, const mdm_json_at_t *at, const mdm_command_key_t *key,
                                const json_t *json)
{
    size_t n;

    if (!json_is_array(json))
        return mdm_json_expected(at, "an array", json);
    if (key->required && !json_array_size(json) && at->depth == 1)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected at least one item", mdm_json_where(at));
    *out = mdm_plist_array(at->ctx->pool);
    for (n = 0; n < json_array_size(json); n++) {
        mdm_json_at_t child = mdm_json_item(at, n);
        mdm_plist_t *item;
        apr_status_t rv = build(&item, &child, key->keys, json_array_get(json, n));

        if (rv != APR_SUCCESS)
            return rv;
        mdm_plist_append(*out, item);
    }
    return APR_SUCCESS;
}

static apr_status_t build(mdm_plist_t **out, const mdm_json_at_t *at, const mdm_command_key_t *key,
                          const json_t *json)
{
    switch (key->type) {
    case MDM_KEY_INTEGER:
        return build_integer(out, at, key->values, json);
    case MDM_KEY_BOOLEAN:
        if (!json_is_boolean(json))
            return mdm_json_expected(at, "true or false", json);
        *out = mdm_plist_boolean(json_is_true(json), at->ctx->pool);
        return APR_SUCCESS;
    case MDM_KEY_DATA:
        return mdm_json_data(out, at, json);
    case MDM_KEY_DICT:
        return build_dict(out, at, key, json);
    case MDM_KEY_ARRAY:
        return build_array(out, at, key, json);
    case MDM_KEY_VARIANT:
        return build_variant(out, at, key, json);
    case MDM_KEY_QUERY:
        return build_query(out, at, json);
    default:
        return build_string(out, at, key->values, json);
    }
}

/* ---- the whole */

static apr_status_t find_type(const mdm_command_type_t **type, mdm_ctx_t *ctx, const json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "RequestType"));
    mdm_nearest_t g;
    int n;

    if (!json_is_object(json))
        return mdm_fail(ctx, MDM_EINPUT, "command: expected an object, got %s", mdm_json_kind(json));
    if (!name)
        return mdm_fail(ctx, MDM_EINPUT, "command: the key RequestType is missing (string)");
    if ((*type = mdm_command_type(name)) != NULL)
        return APR_SUCCESS;
    g = mdm_nearest_of(name);
    for (n = 0; mdm_command_type_at(n); n++)
        mdm_nearest_try(&g, mdm_command_type_at(n)->name);
    return mdm_fail(ctx, MDM_EINPUT, "RequestType: there is no command %s%s", mdm_nearest_shown(name, ctx->pool),
                    mdm_nearest_hint(&g, ctx->pool));
}

static apr_status_t check_uuid(mdm_ctx_t *ctx, const char *uuid)
{
    const unsigned char *c = (const unsigned char *)uuid;

    /* a line end comes back as another one */
    while (*c >= 0x20 && *c != 0x7F)
        c++;
    if (*c || !*uuid || strlen(uuid) > UUID_MAX || !mdm_json_is_writable(uuid))
        return mdm_fail(ctx, MDM_EINPUT, "command_uuid: expected 1 to %d printable characters", UUID_MAX);
    return APR_SUCCESS;
}

static apr_status_t write_body(mdm_command_t *c, mdm_ctx_t *ctx, mdm_plist_t *dict)
{
    mdm_plist_t *root = mdm_plist_dict(ctx->pool);
    mdm_bytes_t text;
    apr_status_t rv;

    mdm_plist_set(root, "Command", dict, ctx->pool);
    mdm_plist_set_string(root, "CommandUUID", c->uuid, ctx->pool);
    if ((rv = mdm_plist_write(&text, ctx, root)) != APR_SUCCESS)
        return rv;
    if (text.len > MDM_PLIST_MAX_BYTES)
        return mdm_fail(ctx, MDM_ETOOBIG, "the command is larger than %d bytes", MDM_PLIST_MAX_BYTES);
    c->body = apr_pstrmemdup(ctx->pool, (const char *)text.data, text.len);
    return APR_SUCCESS;
}

apr_status_t mdm_command_from_json(mdm_command_t **command, mdm_ctx_t *ctx, const json_t *json, const char *uuid)
{
    mdm_command_t *c = apr_pcalloc(ctx->pool, sizeof(*c));
    mdm_plist_t *dict = mdm_plist_dict(ctx->pool), *tether;
    const mdm_command_type_t *type;
    const json_t *value;
    mdm_json_at_t at = { ctx, NULL, "", 0 };
    apr_status_t rv = find_type(&type, ctx, json);

    if (rv != APR_SUCCESS || (uuid && (rv = check_uuid(ctx, uuid)) != APR_SUCCESS))
        return rv;
    at.whole = c->request_type = type->name;
    if ((c->uuid = uuid ? uuid : mdm_uuid_random(ctx->pool)) == NULL)
        return mdm_fail(ctx, MDM_ECRYPTO, "there are no random bytes for a CommandUUID");
    mdm_plist_set_string(dict, "RequestType", type->name, ctx->pool);
    if ((rv = build_members(dict, &at, type->keys, json, "RequestType")) != APR_SUCCESS)
        return rv;
    if ((value = json_object_get(json, mdm_command_common->name)) != NULL) {
        mdm_json_at_t child = mdm_json_member(&at, mdm_command_common->name);

        if ((rv = build(&tether, &child, mdm_command_common, value)) != APR_SUCCESS)
            return rv;
        mdm_plist_set(dict, mdm_command_common->name, tether, ctx->pool);
    }
    if ((rv = mdm_command_rules(c, ctx, dict)) != APR_SUCCESS || (rv = write_body(c, ctx, dict)) != APR_SUCCESS)
        return rv;
    *command = c;
    return APR_SUCCESS;
}
