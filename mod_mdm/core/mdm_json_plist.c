/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON values made values of property lists. Called by what reads commands and profiles written as JSON, any thread.
 * Never makes text itself, never shows a value.
 */
#include <apr_strings.h>

#include "mdm_json_plist.h"
#include "mdm_nearest.h"

mdm_json_at_t mdm_json_member(const mdm_json_at_t *at, const char *name)
{
    mdm_json_at_t child = *at;

    child.path = *at->path ? apr_pstrcat(at->ctx->pool, at->path, ".", name, NULL) : name;
    child.depth++;
    return child;
}

mdm_json_at_t mdm_json_item(const mdm_json_at_t *at, size_t n)
{
    mdm_json_at_t child = *at;

    child.path = apr_psprintf(at->ctx->pool, "%s[%d]", at->path, (int)n);
    child.depth++;
    return child;
}

const char *mdm_json_where(const mdm_json_at_t *at)
{
    return *at->path ? at->path : at->whole;
}

const char *mdm_json_kind(const json_t *json)
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

apr_status_t mdm_json_expected(const mdm_json_at_t *at, const char *what, const json_t *json)
{
    return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected %s, got %s", mdm_json_where(at), what, mdm_json_kind(json));
}

/* XML cannot carry every character, and says so only when all is written: here the key is still known. */
int mdm_json_is_writable(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    for (; *c; c++) {
        if ((*c < 0x20 && *c != '\t' && *c != '\n' && *c != '\r')
            || (*c == 0xEF && c[1] == 0xBF && (c[2] == 0xBE || c[2] == 0xBF)))
            return 0;
    }
    return 1;
}

apr_status_t mdm_json_string(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json)
{
    const char *text = json_string_value(json);

    if (!text)
        return mdm_json_expected(at, "a string", json);
    if (!mdm_json_is_writable(text))
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected a string without control characters", mdm_json_where(at));
    *out = mdm_plist_string(text, at->ctx->pool);
    return APR_SUCCESS;
}

apr_status_t mdm_json_data(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json)
{
    mdm_bytes_t bytes;

    if (!json_is_string(json))
        return mdm_json_expected(at, "base64 data as a string", json);
    if (mdm_base64_decode(&bytes, json_string_value(json), json_string_length(json), at->ctx->pool) != APR_SUCCESS)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected base64 data, got a string that is none",
                        mdm_json_where(at));
    *out = mdm_plist_data(bytes, at->ctx->pool);
    return APR_SUCCESS;
}

static mdm_plist_t *node(mdm_plist_type_e type, apr_pool_t *p)
{
    mdm_plist_t *value = apr_pcalloc(p, sizeof(*value));

    value->type = type;
    return value;
}

apr_status_t mdm_json_date(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json)
{
    apr_time_t date;

    if (!json_is_string(json) || mdm_time_read(&date, json_string_value(json)) != APR_SUCCESS)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s: expected a date such as 2026-01-31T23:59:59Z", mdm_json_where(at));
    *out = node(MDM_PLIST_DATE, at->ctx->pool);
    (*out)->date = date;
    return APR_SUCCESS;
}

mdm_plist_t *mdm_json_real(double value, apr_pool_t *p)
{
    mdm_plist_t *real = node(MDM_PLIST_REAL, p);

    real->real = value;
    return real;
}

apr_status_t mdm_json_dict(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json)
{
    mdm_plist_t *dict = mdm_plist_dict(at->ctx->pool);
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)json, name, value) {
        mdm_json_at_t child = mdm_json_member(at, mdm_nearest_shown(name, at->ctx->pool));
        mdm_plist_t *item;
        apr_status_t rv;

        if (!mdm_json_is_writable(name))
            return mdm_fail(at->ctx, MDM_EINPUT, "%s: a key has control characters", mdm_json_where(at));
        if ((rv = mdm_json_any(&item, &child, value)) != APR_SUCCESS)
            return rv;
        mdm_plist_set(dict, name, item, at->ctx->pool);
    }
    *out = dict;
    return APR_SUCCESS;
}

static apr_status_t any_array(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json)
{
    size_t n;

    *out = mdm_plist_array(at->ctx->pool);
    for (n = 0; n < json_array_size(json); n++) {
        mdm_json_at_t child = mdm_json_item(at, n);
        mdm_plist_t *item;
        apr_status_t rv = mdm_json_any(&item, &child, json_array_get(json, n));

        if (rv != APR_SUCCESS)
            return rv;
        mdm_plist_append(*out, item);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_json_any(mdm_plist_t **out, const mdm_json_at_t *at, const json_t *json)
{
    const json_t *only;

    if (at->depth > MDM_JSON_DEPTH_MAX)
        return mdm_fail(at->ctx, MDM_EINPUT, "%s is nested deeper than %d levels", at->whole, MDM_JSON_DEPTH_MAX);
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        if (json_object_size(json) == 1 && (only = json_object_get(json, "$data")) != NULL)
            return mdm_json_data(out, at, only);
        if (json_object_size(json) == 1 && (only = json_object_get(json, "$date")) != NULL)
            return mdm_json_date(out, at, only);
        return mdm_json_dict(out, at, json);
    case JSON_ARRAY:
        return any_array(out, at, json);
    case JSON_STRING:
        return mdm_json_string(out, at, json);
    case JSON_INTEGER:
        *out = mdm_plist_integer(json_integer_value(json), at->ctx->pool);
        return APR_SUCCESS;
    case JSON_REAL:
        *out = mdm_json_real(json_real_value(json), at->ctx->pool);
        return APR_SUCCESS;
    case JSON_NULL:
        return mdm_json_expected(at, "a value", json);
    default:
        *out = mdm_plist_boolean(json_is_true(json), at->ctx->pool);
        return APR_SUCCESS;
    }
}
