/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v1/pushcerts: every topic that has a certificate or that enrolled devices use. Read only, any request thread.
 */
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_pushcert.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

static const char *const methods[] = { "GET", NULL };

static json_t *topic_json(const mdm_pushcert_t *p, mdm_ctx_t *ctx)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "topic", p->topic);
    if (p->certificate) {
        apr_time_t end = p->certificate->not_after;

        mdm_json_set_text(json, "not_after", mdm_api_time(end, ctx->pool));
        json_object_set_new(json, "days_left", json_integer(mdm_time_days_left(end, mdm_ctx_now(ctx))));
    } else {
        json_object_set_new(json, "not_after", json_null());
        json_object_set_new(json, "days_left", json_null());
    }
    json_object_set_new(json, "devices", json_integer(p->devices));
    return json;
}

int mdm_api_pushcerts(mdm_api_t *api)
{
    json_t *list, *json;
    apr_array_header_t *topics;
    apr_status_t rv;
    int sent, i;

    if (!mdm_io_method(&sent, api->r, methods))
        return sent;
    if ((rv = mdm_api_store(api)) == APR_SUCCESS)
        rv = mdm_pushcert_list(&topics, api->st);
    if (rv != APR_SUCCESS)
        return mdm_api_error(api, HTTP_INTERNAL_SERVER_ERROR, rv);
    json = json_object();
    list = json_array();
    for (i = 0; i < topics->nelts; i++)
        json_array_append_new(list, topic_json(&APR_ARRAY_IDX(topics, i, mdm_pushcert_t), api->ctx));
    json_object_set_new(json, "push_certificates", list);
    return mdm_api_json(api, HTTP_OK, json);
}
