/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From JSON to the tree of a command, along the table. Whatever is wrong is told with the path of its key, so that
 * a typing error is found before a device finds it. Called by the API in any thread; never makes text itself, never
 * shows a value: it may be a password.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "mdm_command_json.h"
#include "mdm_command_rules.h"
#include "mdm_plist.h"

#define UUID_MAX 127
#define NAME_SHOWN 60
#define DEPTH_MAX 32

/* Where we are. */
typedef struct {
    mdm_ctx_t *ctx;
    const char *type;             /* RequestType */
    const char *path;             /* "Settings[1].DeviceName"; empty: the command itself */
    int depth;
} at_t;

static apr_status_t build(mdm_plist_t **out, const at_t *at, const mdm_command_key_t *key, const json_t *json);

static const char *where(const at_t *at)
{
    return *at->path ? at->path : at->type;
}

static at_t below(const at_t *at, const char *name)
{
    at_t child = *at;

    child.path = *at->path ? apr_pstrcat(at->ctx->pool, at->path, ".", name, NULL) : name;
    child.depth++;
    return child;
}

static at_t item_of(const at_t *at, size_t n)
{
    at_t child = *at;

    child.path = apr_psprintf(at->ctx->pool, "%s[%d]", at->path, (int)n);
    child.depth++;
    return child;
}

static const char *kind_of(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number with a fraction";
    case JSON_NULL: return "null";
    default: return "a boolean";
    }
}

static apr_status_t expected(const at_t *at, const char *what, const json_t *json)
{
    return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected %s, got %s", where(at), what, kind_of(json));
}

/* ---- did you mean */

static int min3(int a, int b, int c)
{
    int least = a < b ? a : b;

    return least < c ? least : c;
}

/* How many letters differ (Levenshtein), upper and lower case being the same; names only, which are short. */
static int distance(const char *a, const char *b)
{
    int row[NAME_SHOWN + 1], n = (int)strlen(b), i, j;

    if (n > NAME_SHOWN || strlen(a) > NAME_SHOWN)
        return NAME_SHOWN;
    for (j = 0; j <= n; j++)
        row[j] = j;
    for (i = 1; a[i - 1]; i++) {
        int corner = row[0];

        row[0] = i;
        for (j = 1; j <= n; j++) {
            int above = row[j];

            row[j] = min3(above + 1, row[j - 1] + 1, corner + (strncasecmp(a + i - 1, b + j - 1, 1) != 0));
            corner = above;
        }
    }
    return row[n];
}

typedef struct {
    const char *wanted, *best;
    int distance;
} guess_t;

static void guess(guess_t *g, const char *name)
{
    int d = distance(g->wanted, name);

    if (d < g->distance) {
        g->distance = d;
        g->best = name;
    }
}

static guess_t guess_of(const char *wanted)
{
    guess_t g = { wanted, NULL, strlen(wanted) < 5 ? 2 : 4 };

    return g;
}

static const char *hint(const guess_t *g, apr_pool_t *p)
{
    return g->best ? apr_pstrcat(p, "; did you mean ", g->best, "?", NULL) : "";
}

/* A name out of the request, for a message. */
static const char *shown(const char *name, apr_pool_t *p)
{
    return strlen(name) <= NAME_SHOWN ? name : apr_pstrcat(p, apr_pstrndup(p, name, NAME_SHOWN), "...", NULL);
}

static apr_status_t unknown_key(const at_t *at, const mdm_command_key_t *keys, const char *name)
{
    guess_t g = guess_of(name);

    for (; keys && keys->name; keys++)
        guess(&g, keys->name);
    if (!*at->path) {
        for (keys = mdm_command_common; keys->name; keys++)
            guess(&g, keys->name);
    }
    return mdm_fail(at->ctx, MDM_EINPUT, "%s: unknown key %s%s", where(at), shown(name, at->ctx->pool),
                    hint(&g, at->ctx->pool));
}

/* ---- single values */

static mdm_plist_t *node(mdm_plist_type_e type, apr_pool_t *p)
{
    mdm_plist_t *value = apr_pcalloc(p, sizeof(*value));

    value->type = type;
    return value;
}

/* Whether text is among those of "a|b|c". */
static int is_listed(const char *values, const char *text)
{
    apr_size_t len = strlen(text);
    const char *v = values;

    while (v) {
        const char *bar = strchr(v, '|');

        if (len == (bar ? (apr_size_t)(bar - v) : strlen(v)) && !strncmp(v, text, len))
            return 1;
        v = bar ? bar + 1 : NULL;
    }
    return 0;
}

static const char *listing(const char *values, apr_pool_t *p)
{
    const char *text = "", *bar;

    while ((bar = strchr(values, '|')) != NULL) {
        text = apr_pstrcat(p, text, *text ? ", " : "", apr_pstrmemdup(p, values, (apr_size_t)(bar - values)), NULL);
        values = bar + 1;
    }
    return *text ? apr_pstrcat(p, "one of ", text, ", ", values, NULL) : values;
}

static apr_status_t unlisted(const at_t *at, const char *values)
{
    return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected %s", where(at), listing(values, at->ctx->pool));
}

/* XML cannot carry every character, and says so only when all is written: here the key is still known. */
static int is_writable(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    for (; *c; c++) {
        if ((*c < 0x20 && *c != '\t' && *c != '\n' && *c != '\r')
            || (*c == 0xEF && c[1] == 0xBF && (c[2] == 0xBE || c[2] == 0xBF)))
            return 0;
    }
    return 1;
}

static apr_status_t build_string(mdm_plist_t **out, const at_t *at, const char *values, const json_t *json)
{
    const char *text = json_string_value(json);

    if (!text)
        return expected(at, "a string", json);
    if (values && !is_listed(values, text))
        return unlisted(at, values);
    if (!is_writable(text))
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected a string without control characters", where(at));
    *out = mdm_plist_string(text, at->ctx->pool);
    return APR_SUCCESS;
}

static apr_status_t build_query(mdm_plist_t **out, const at_t *at, const json_t *json)
{
    const char *text = json_string_value(json);
    const mdm_command_query_t *query;
    guess_t g;

    if (!text)
        return expected(at, "a string", json);
    g = guess_of(text);
    for (query = mdm_command_queries; query->name; query++) {
        if (!strcmp(query->name, text)) {
            *out = mdm_plist_string(text, at->ctx->pool);
            return APR_SUCCESS;
        }
        guess(&g, query->name);
    }
    return mdm_fail(at->ctx, MDM_EINPUT, "%s: there is no query %s%s", where(at), shown(text, at->ctx->pool),
                    hint(&g, at->ctx->pool));
}

static apr_status_t build_integer(mdm_plist_t **out, const at_t *at, const char *values, const json_t *json)
{
    if (!json_is_integer(json))
        return expected(at, "an integer", json);
    if (values && !is_listed(values, apr_psprintf(at->ctx->pool, "%" APR_INT64_T_FMT,
                                                   (apr_int64_t)json_integer_value(json))))
        return unlisted(at, values);
    /* no key of the table is a number below 0 */
    if (json_integer_value(json) < 0)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected an integer from 0", where(at));
    *out = mdm_plist_integer(json_integer_value(json), at->ctx->pool);
    return APR_SUCCESS;
}

static apr_status_t build_data(mdm_plist_t **out, const at_t *at, const json_t *json)
{
    mdm_bytes_t bytes;

    if (!json_is_string(json))
        return expected(at, "base64 data as a string", json);
    if (mdm_base64_decode(&bytes, json_string_value(json), json_string_length(json), at->ctx->pool) != APR_SUCCESS)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected base64 data, got a string that is none", where(at));
    *out = mdm_plist_data(bytes, at->ctx->pool);
    return APR_SUCCESS;
}

/* ---- values of any kind, in dictionaries that belong to an app */

static apr_status_t build_date(mdm_plist_t **out, const at_t *at, const json_t *json)
{
    apr_time_t date;

    if (!json_is_string(json) || mdm_time_read(&date, json_string_value(json)) != APR_SUCCESS)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected a date such as 2026-01-31T23:59:59Z", where(at));
    *out = node(MDM_PLIST_DATE, at->ctx->pool);
    (*out)->date = date;
    return APR_SUCCESS;
}

static apr_status_t build_any(mdm_plist_t **out, const at_t *at, const json_t *json);

static apr_status_t build_any_dict(mdm_plist_t **out, const at_t *at, const json_t *json)
{
    mdm_plist_t *dict = mdm_plist_dict(at->ctx->pool);
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)json, name, value) {
        at_t child = below(at, shown(name, at->ctx->pool));
        mdm_plist_t *item;
        apr_status_t rv;

        if (!is_writable(name))
            return mdm_fail(at->ctx, MDM_EINPUT, "%s: a key has control characters", where(at));
        if ((rv = build_any(&item, &child, value)) != APR_SUCCESS)
            return rv;
        mdm_plist_set(dict, name, item, at->ctx->pool);
    }
    *out = dict;
    return APR_SUCCESS;
}

static apr_status_t build_any_array(mdm_plist_t **out, const at_t *at, const json_t *json)
{
    size_t n;

    *out = mdm_plist_array(at->ctx->pool);
    for (n = 0; n < json_array_size(json); n++) {
        at_t child = item_of(at, n);
        mdm_plist_t *item;
        apr_status_t rv = build_any(&item, &child, json_array_get(json, n));

        if (rv != APR_SUCCESS)
            return rv;
        mdm_plist_append(*out, item);
    }
    return APR_SUCCESS;
}

static apr_status_t build_any(mdm_plist_t **out, const at_t *at, const json_t *json)
{
    const json_t *only;

    if (at->depth > DEPTH_MAX)
        return mdm_fail(at->ctx, MDM_EINPUT, "the command is nested deeper than %d levels", DEPTH_MAX);
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        if (json_object_size(json) == 1 && (only = json_object_get(json, "$data")) != NULL)
            return build_data(out, at, only);
        if (json_object_size(json) == 1 && (only = json_object_get(json, "$date")) != NULL)
            return build_date(out, at, only);
        return build_any_dict(out, at, json);
    case JSON_ARRAY:
        return build_any_array(out, at, json);
    case JSON_STRING:
        return build_string(out, at, NULL, json);
    case JSON_INTEGER:
        *out = mdm_plist_integer(json_integer_value(json), at->ctx->pool);
        return APR_SUCCESS;
    case JSON_REAL:
        *out = node(MDM_PLIST_REAL, at->ctx->pool);
        (*out)->real = json_real_value(json);
        return APR_SUCCESS;
    case JSON_NULL:
        return expected(at, "a value", json);
    default:
        *out = mdm_plist_boolean(json_is_true(json), at->ctx->pool);
        return APR_SUCCESS;
    }
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
static apr_status_t build_members(mdm_plist_t *dict, const at_t *at, const mdm_command_key_t *keys,
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
        at_t child = below(at, key->name);
        mdm_plist_t *item;
        apr_status_t rv;

        if (!given && key->required)
            return mdm_fail(at->ctx, MDM_EINPUT, "%s: the key %s is missing (%s)", where(at), key->name,
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

static apr_status_t build_dict(mdm_plist_t **out, const at_t *at, const mdm_command_key_t *key, const json_t *json)
{
    if (!json_is_object(json))
        return expected(at, "an object", json);
    if (!key->keys)
        return build_any_dict(out, at, json);
    *out = mdm_plist_dict(at->ctx->pool);
    return build_members(*out, at, key->keys, json, NULL);
}

static apr_status_t build_variant(mdm_plist_t **out, const at_t *at, const mdm_command_key_t *key, const json_t *json)
{
    const char *item = json_string_value(json_object_get(json, "Item"));
    const mdm_command_key_t *variant = item ? mdm_command_key(key->keys, item) : NULL, *known;

    if (!json_is_object(json))
        return expected(at, "an object", json);
    if (!item)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: the key Item is missing (string)", where(at));
    if (!variant) {
        guess_t g = guess_of(item);

        for (known = key->keys; known->name; known++)
            guess(&g, known->name);
        return mdm_fail(at->ctx, MDM_EINPUT, "%s.Item: there is no setting %s%s", where(at),
                        shown(item, at->ctx->pool), hint(&g, at->ctx->pool));
    }
    *out = mdm_plist_dict(at->ctx->pool);
    mdm_plist_set_string(*out, "Item", variant->name, at->ctx->pool);
    return build_members(*out, at, variant->keys, json, "Item");
}

static apr_status_t build_array(mdm_plist_t **out, const at_t *at, const mdm_command_key_t *key, const json_t *json)
{
    size_t n;

    if (!json_is_array(json))
        return expected(at, "an array", json);
    if (key->required && !json_array_size(json) && at->depth == 1)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected at least one item", where(at));
    *out = mdm_plist_array(at->ctx->pool);
    for (n = 0; n < json_array_size(json); n++) {
        at_t child = item_of(at, n);
        mdm_plist_t *item;
        apr_status_t rv = build(&item, &child, key->keys, json_array_get(json, n));

        if (rv != APR_SUCCESS)
            return rv;
        mdm_plist_append(*out, item);
    }
    return APR_SUCCESS;
}

static apr_status_t build(mdm_plist_t **out, const at_t *at, const mdm_command_key_t *key, const json_t *json)
{
    switch (key->type) {
    case MDM_KEY_INTEGER:
        return build_integer(out, at, key->values, json);
    case MDM_KEY_BOOLEAN:
        if (!json_is_boolean(json))
            return expected(at, "true or false", json);
        *out = mdm_plist_boolean(json_is_true(json), at->ctx->pool);
        return APR_SUCCESS;
    case MDM_KEY_DATA:
        return build_data(out, at, json);
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
    guess_t g;
    int n;

    if (!json_is_object(json))
        return mdm_fail(ctx, MDM_EINPUT, "command: expected an object, got %s", kind_of(json));
    if (!name)
        return mdm_fail(ctx, MDM_EINPUT, "command: the key RequestType is missing (string)");
    if ((*type = mdm_command_type(name)) != NULL)
        return APR_SUCCESS;
    g = guess_of(name);
    for (n = 0; mdm_command_type_at(n); n++)
        guess(&g, mdm_command_type_at(n)->name);
    return mdm_fail(ctx, MDM_EINPUT, "RequestType: there is no command %s%s", shown(name, ctx->pool),
                    hint(&g, ctx->pool));
}

static apr_status_t check_uuid(mdm_ctx_t *ctx, const char *uuid)
{
    const unsigned char *c = (const unsigned char *)uuid;

    /* a line end comes back as another one */
    while (*c >= 0x20 && *c != 0x7F)
        c++;
    if (*c || !*uuid || strlen(uuid) > UUID_MAX || !is_writable(uuid))
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
    at_t at = { ctx, NULL, "", 0 };
    apr_status_t rv = find_type(&type, ctx, json);

    if (rv != APR_SUCCESS || (uuid && (rv = check_uuid(ctx, uuid)) != APR_SUCCESS))
        return rv;
    at.type = c->request_type = type->name;
    if ((c->uuid = uuid ? uuid : mdm_uuid_random(ctx->pool)) == NULL)
        return mdm_fail(ctx, MDM_ECRYPTO, "there are no random bytes for a CommandUUID");
    mdm_plist_set_string(dict, "RequestType", type->name, ctx->pool);
    if ((rv = build_members(dict, &at, type->keys, json, "RequestType")) != APR_SUCCESS)
        return rv;
    if ((value = json_object_get(json, mdm_command_common->name)) != NULL) {
        at_t child = below(&at, mdm_command_common->name);

        if ((rv = build(&tether, &child, mdm_command_common, value)) != APR_SUCCESS)
            return rv;
        mdm_plist_set(dict, mdm_command_common->name, tether, ctx->pool);
    }
    if ((rv = mdm_command_rules(c, ctx, dict)) != APR_SUCCESS || (rv = write_body(c, ctx, dict)) != APR_SUCCESS)
        return rv;
    *command = c;
    return APR_SUCCESS;
}
