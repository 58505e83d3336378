/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named secrets: given, given anew, listed, deleted; a value goes in and never comes out. Request threads only.
 */
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_library.h"
#include "mdm_refusal.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

/* every byte of a value may be an escape of six */
#define BODY_MAX (6 * MDM_SECRET_VALUE_MAX + 4096)

static const char *const reading[] = { "GET", NULL };
static const char *const all[] = { "GET", "PUT", "DELETE", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

static json_t *generation_json(mdm_api_t *api, const mdm_secret_t *secret)
{
    json_t *json = json_pack("{s:i}", "generation", secret->generation);

    mdm_json_set_text(json, "created_by", secret->created_by);
    mdm_json_set_text(json, "created_at", mdm_api_time(secret->created_at, api->r->pool));
    mdm_json_set_text(json, "retired_at", mdm_api_time(secret->retired_at, api->r->pool));
    return json;
}

static int list(mdm_api_t *api)
{
    apr_array_header_t *secrets;
    json_t *json, *items;
    int limit, i;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv != APR_SUCCESS
        || (rv = mdm_store_secret_list(&secrets, api->st, mdm_api_query(api, "cursor"), limit)) != APR_SUCCESS)
        return fail(api, rv);
    items = json_array();
    for (i = 0; i < secrets->nelts; i++) {
        const mdm_secret_t *secret = &APR_ARRAY_IDX(secrets, i, mdm_secret_t);
        json_t *item = json_pack("{s:s}", "name", secret->name);

        json_object_update_new(item, generation_json(api, secret));
        json_object_set_new(item, "profiles", json_integer(secret->profiles));
        json_array_append_new(items, item);
    }
    json = json_pack("{s:o}", "secrets", items);
    if (secrets->nelts == limit)
        mdm_json_set_text(json, "next_cursor", APR_ARRAY_IDX(secrets, limit - 1, mdm_secret_t).name);
    return mdm_api_json(api, HTTP_OK, json);
}

static json_t *uses_json(const apr_array_header_t *uses)
{
    json_t *items = json_array();
    int i;

    for (i = 0; i < uses->nelts; i++) {
        const mdm_secret_use_t *use = &APR_ARRAY_IDX(uses, i, mdm_secret_use_t);

        json_array_append_new(items, json_pack("{s:s, s:i, s:b}", "profile", use->name, "version", use->version,
                                               "current", use->current));
    }
    return items;
}

static int show(mdm_api_t *api, const char *name)
{
    apr_array_header_t *generations, *uses;
    int enrollments, i;
    json_t *json, *items;
    apr_status_t rv = mdm_store_secret_generations(&generations, api->st, name);

    if (rv != APR_SUCCESS || (rv = mdm_store_secret_uses(&uses, api->st, name)) != APR_SUCCESS
        || (rv = mdm_store_secret_enrollments(&enrollments, api->st, name)) != APR_SUCCESS)
        return fail(api, rv);
    items = json_array();
    for (i = 0; i < generations->nelts; i++)
        json_array_append_new(items, generation_json(api, &APR_ARRAY_IDX(generations, i, mdm_secret_t)));
    json = json_pack("{s:s, s:i, s:o, s:o, s:i}", "name", name, "generation",
                     APR_ARRAY_IDX(generations, 0, mdm_secret_t).generation, "generations", items, "used_by",
                     uses_json(uses), "enrollments", enrollments);
    return mdm_api_json(api, HTTP_OK, json);
}

static mdm_library_request_t request_of(mdm_api_t *api, const char *name)
{
    mdm_library_request_t request = { 0 };

    request.name = name;
    request.actor = api->actor;
    request.source_ip = api->r->useragent_ip;
    return request;
}

static apr_status_t read_value(mdm_bytes_t *value, mdm_api_t *api)
{
    mdm_bytes_t body;
    json_t *json;
    const json_t *text;
    apr_status_t rv = mdm_io_body(&body, api->ctx, api->r, BODY_MAX);

    if (rv != APR_SUCCESS || (rv = mdm_json_read(&json, api->ctx, body)) != APR_SUCCESS)
        return rv;
    text = json_object_get(json, "value");
    if (json_object_size(json) != 1 || !json_is_string(text))
        return mdm_fail(api->ctx, MDM_EINPUT, "the body must be {\"value\": a text}, with no other member");
    value->data = (const unsigned char *)json_string_value(text);
    value->len = json_string_length(text);
    return APR_SUCCESS;
}

static int rotate(mdm_api_t *api, const char *name)
{
    mdm_library_request_t request = request_of(api, name);
    mdm_library_secret_t made;
    json_t *json;
    apr_status_t rv = read_value(&request.body, api);

    if (rv == APR_SUCCESS)
        rv = mdm_library_rotate(&made, api->st, &request);
    if (rv != APR_SUCCESS)
        return fail(api, mdm_refusal_of(api->ctx, rv, "secret", name));
    if (made.made && made.uses->nelts)
        mdm_worker_wake();
    json = json_pack("{s:s, s:i, s:s, s:o, s:i}", "name", name, "generation", made.generation, "outcome",
                     !made.made ? "unchanged" : made.generation == 1 ? "created" : "changed", "used_by",
                     uses_json(made.uses), "enrollments", made.enrollments);
    return mdm_api_json(api, made.made && made.generation == 1 ? HTTP_CREATED : HTTP_OK, json);
}

static int forget(mdm_api_t *api, const char *name)
{
    mdm_library_request_t request = request_of(api, name);
    apr_status_t rv = mdm_library_forget_secret(api->st, &request);

    if (rv != APR_SUCCESS)
        return fail(api, rv);
    return mdm_io_send(api->r, HTTP_NO_CONTENT, NULL, mdm_bytes_of(""));
}

int mdm_api_secrets(mdm_api_t *api)
{
    apr_status_t rv = api->path ? mdm_library_name(api->ctx, "secret", api->path) : APR_SUCCESS;
    int sent;

    if (rv != APR_SUCCESS || (rv = mdm_api_store(api)) != APR_SUCCESS)
        return fail(api, rv);
    if (!mdm_io_method(&sent, api->r, api->path ? all : reading))
        return sent;
    if (!api->path)
        return list(api);
    if (api->r->method_number == M_PUT)
        return rotate(api, api->path);
    return api->r->method_number == M_DELETE ? forget(api, api->path) : show(api, api->path);
}
