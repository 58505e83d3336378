/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST v1/enrollments/query, in the shape that NanoMDM's pull request 269 proposes: a filter, and what of an enrollment
 * shall be told. Request threads only; read only.
 */
#include <stdlib.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

#define BODY_MAX (1 << 20)

static const char *const methods[] = { "POST", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

static apr_status_t read_texts(const char **out, mdm_api_t *api, const char *key, const json_t *list)
{
    const json_t *text;
    size_t i;
    char *dump;

    if (!json_is_array(list))
        return mdm_fail(api->ctx, MDM_EINPUT, "filter: %s is not an array of texts", key);
    json_array_foreach((json_t *)list, i, text) {
        if (!json_is_string(text))
            return mdm_fail(api->ctx, MDM_EINPUT, "filter: %s has something at %d that is no text", key, (int)i);
    }
    dump = json_dumps(list, JSON_COMPACT);
    if (!dump)
        return mdm_fail(api->ctx, APR_ENOMEM, "no memory for the filter");
    *out = apr_pstrdup(api->r->pool, dump);
    free(dump);
    return APR_SUCCESS;
}

static apr_status_t read_filter(mdm_enrollment_query_t *out, mdm_api_t *api, json_t *json)
{
    static const char *const known[] = { "ids", "serials", "user_short_names", "types", "enabled", NULL };
    const char **const lists[] = { &out->ids, &out->serials, &out->user_short_names, &out->types };
    const json_t *value;
    size_t i;
    apr_status_t rv;

    if (!json_is_object(json))
        return mdm_fail(api->ctx, MDM_EINPUT, "filter is not an object");
    if ((rv = mdm_api_members(api, "filter", json, known)) != APR_SUCCESS)
        return rv;
    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        value = json_object_get(json, known[i]);
        if (value && !json_is_null(value) && (rv = read_texts(lists[i], api, known[i], value)) != APR_SUCCESS)
            return rv;
    }
    value = json_object_get(json, "enabled");
    if (!value || json_is_null(value))
        return APR_SUCCESS;
    if (!json_is_boolean(value))
        return mdm_fail(api->ctx, MDM_EINPUT, "filter: enabled is neither true nor false");
    out->enabled = json_is_true(value);
    return APR_SUCCESS;
}

static apr_status_t read_options(mdm_enrollment_query_t *out, mdm_api_t *api, json_t *json)
{
    static const char *const known[] = { "include_device_cert", "include_unlock_token", NULL };
    const json_t *value;
    int i;
    apr_status_t rv;

    if (!json_is_object(json))
        return mdm_fail(api->ctx, MDM_EINPUT, "options is not an object");
    if ((rv = mdm_api_members(api, "options", json, known)) != APR_SUCCESS)
        return rv;
    for (i = 0; known[i]; i++) {
        value = json_object_get(json, known[i]);
        if (value && !json_is_boolean(value))
            return mdm_fail(api->ctx, MDM_EINPUT, "options: %s is neither true nor false", known[i]);
    }
    if (json_is_true(json_object_get(json, "include_unlock_token")))
        return mdm_fail(api->ctx, MDM_EINPUT, "options: an unlock token is not listed; ClearPasscode is ordered "
                        "without it, and v1/enrollments/<id>/escrow tells who has seen it");
    out->with_certificate = json_is_true(json_object_get(json, "include_device_cert"));
    return APR_SUCCESS;
}

static apr_status_t read_query(mdm_enrollment_query_t *q, mdm_api_t *api)
{
    static const char *const known[] = { "filter", "options", NULL };
    json_t *json, *filter, *options;
    mdm_bytes_t body;
    apr_status_t rv;

    q->ids = q->serials = q->user_short_names = q->types = "[]";
    q->enabled = -1;
    q->cursor = mdm_api_query(api, "cursor");
    if ((rv = mdm_api_limit(&q->limit, api)) != APR_SUCCESS
        || (rv = mdm_api_number(&q->offset, api, "offset", 0, APR_INT32_MAX)) != APR_SUCCESS
        || (rv = mdm_io_body(&body, api->ctx, api->r, BODY_MAX)) != APR_SUCCESS || !body.len
        || (rv = mdm_json_read(&json, api->ctx, body)) != APR_SUCCESS
        || (rv = mdm_api_members(api, NULL, json, known)) != APR_SUCCESS)
        return rv;
    filter = json_object_get(json, "filter");
    options = json_object_get(json, "options");
    if (filter && !json_is_null(filter) && (rv = read_filter(q, api, filter)) != APR_SUCCESS)
        return rv;
    return options && !json_is_null(options) ? read_options(q, api, options) : APR_SUCCESS;
}

static json_t *enrollment_json(mdm_api_t *api, const mdm_enrollment_t *e)
{
    json_t *json = json_object(), *device = json_object(), *user;

    mdm_json_set_text(json, "id", e->enrollment_id);
    mdm_json_set_text(json, "type", e->type);
    mdm_json_set_text(device, "device_cert", e->pem);
    mdm_json_set_text(device, "serial_number", e->serial_number);
    json_object_set_new(json, "device", device);
    if (e->user_short_name || e->user_long_name) {
        user = json_object();
        mdm_json_set_text(user, "user_short_name", e->user_short_name);
        mdm_json_set_text(user, "user_long_name", e->user_long_name);
        json_object_set_new(json, "user", user);
    }
    json_object_set_new(json, "enabled", json_boolean(e->state == MDM_STATE_ENROLLED));
    json_object_set_new(json, "token_update_tally", json_integer(e->token_update_tally));
    mdm_json_set_text(json, "last_seen", mdm_api_time(e->last_seen_at, api->r->pool));
    return json;
}

int mdm_api_enrollments_query(mdm_api_t *api)
{
    mdm_enrollment_query_t q = { 0 };
    apr_array_header_t *found;
    json_t *json, *list;
    apr_status_t rv;
    int sent, i;

    if (!mdm_io_method(&sent, api->r, methods))
        return sent;
    if ((rv = read_query(&q, api)) != APR_SUCCESS || (rv = mdm_api_store(api)) != APR_SUCCESS
        || (rv = mdm_store_enrollment_query(&found, api->st, &q)) != APR_SUCCESS)
        return fail(api, rv);
    list = json_array();
    for (i = 0; i < found->nelts; i++)
        json_array_append_new(list, enrollment_json(api, APR_ARRAY_IDX(found, i, mdm_enrollment_t *)));
    json = json_pack("{s:o}", "enrollments", list);
    if (found->nelts == q.limit)
        mdm_json_set_text(json, "next_cursor", APR_ARRAY_IDX(found, i - 1, mdm_enrollment_t *)->enrollment_id);
    return mdm_api_json(api, HTTP_OK, json);
}
