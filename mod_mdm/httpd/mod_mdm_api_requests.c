/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP requests that wait for an administrator: listed, shown, approved, denied. Request threads only; the
 * certificate is issued when the client asks next.
 */
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_request.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

static const char *const reading[] = { "GET", NULL };
static const char *const deciding[] = { "POST", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

/* Ids are texts: 63 bits are more than a number in JSON holds everywhere. */
static const char *id_text(const mdm_request_t *request, apr_pool_t *p)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT, request->id);
}

static json_t *request_json(const mdm_request_t *request, apr_pool_t *p)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "id", id_text(request, p));
    mdm_json_set_text(json, "state", mdm_request_state_name(request->state));
    mdm_json_set_text(json, "subject", request->subject);
    mdm_json_set_text(json, "user", request->user);
    mdm_json_set_text(json, "transaction_id", request->transaction_id);
    mdm_json_set_text(json, "key_sha256", request->key_sha256);
    mdm_json_set_text(json, "source_ip", request->source_ip);
    mdm_json_set_text(json, "created_at", mdm_api_time(request->created_at, p));
    mdm_json_set_text(json, "decided_at", mdm_api_time(request->decided_at, p));
    mdm_json_set_text(json, "decided_by", request->decided_by);
    mdm_json_set_text(json, "certificate", request->certificate);
    return json;
}

static int list(mdm_api_t *api)
{
    const char *name = mdm_api_query(api, "state"), *cursor = mdm_api_query(api, "cursor");
    mdm_request_state_e state = mdm_request_state_of(name);
    apr_array_header_t *found;
    json_t *json, *items;
    int limit, i;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS && name && state == MDM_REQUEST_UNSET)
        rv = mdm_fail(api->ctx, MDM_EINPUT, "state must be pending, approved, denied or issued");
    if (rv == APR_SUCCESS)
        rv = mdm_store_request_list(&found, api->st, state, mdm_request_id(cursor), limit);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    json = json_object();
    items = json_array();
    for (i = 0; i < found->nelts; i++)
        json_array_append_new(items, request_json(APR_ARRAY_IDX(found, i, mdm_request_t *), api->r->pool));
    json_object_set_new(json, "requests", items);
    if (found->nelts == limit)
        mdm_json_set_text(json, "next_cursor",
                          id_text(APR_ARRAY_IDX(found, limit - 1, mdm_request_t *), api->r->pool));
    return mdm_api_json(api, HTTP_OK, json);
}

static int show(mdm_api_t *api, apr_int64_t id)
{
    mdm_request_t *request;
    apr_status_t rv = mdm_store_request_get(&request, api->st, id);

    return rv == APR_SUCCESS ? mdm_api_json(api, HTTP_OK, request_json(request, api->r->pool)) : fail(api, rv);
}

static int decide(mdm_api_t *api, apr_int64_t id, mdm_request_state_e state)
{
    mdm_request_t *request;
    apr_status_t rv = mdm_request_decide(&request, api->st, id, state, api->actor, api->r->useragent_ip);

    return rv == APR_SUCCESS ? mdm_api_json(api, HTTP_OK, request_json(request, api->r->pool)) : fail(api, rv);
}

int mdm_api_requests(mdm_api_t *api)
{
    char *id = apr_pstrdup(api->r->pool, api->path ? api->path : ""), *verb = strchr(id, '/');
    mdm_request_state_e state = MDM_REQUEST_UNSET;
    int sent;
    apr_status_t rv;

    if (verb) {
        *verb++ = '\0';
        state = !strcmp(verb, "approve") ? MDM_REQUEST_APPROVED
              : !strcmp(verb, "deny") ? MDM_REQUEST_DENIED : MDM_REQUEST_UNSET;
    }
    if ((api->path && !mdm_request_id(id)) || (verb && state == MDM_REQUEST_UNSET))
        return fail(api, mdm_fail(api->ctx, MDM_ENOTFOUND, "there is no such request, or nothing of that name "
                                  "to be done with it"));
    if (!mdm_io_method(&sent, api->r, verb ? deciding : reading))
        return sent;
    if ((rv = mdm_api_store(api)) != APR_SUCCESS)
        return fail(api, rv);
    if (!api->path)
        return list(api);
    return verb ? decide(api, mdm_request_id(id), state) : show(api, mdm_request_id(id));
}
