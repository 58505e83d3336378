/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits for the receivers of events, for administrators: one object per MDMWebhookURL. Request threads; reads
 * only, and tells nothing of what the events say.
 */
#include "mdm_json.h"
#include "mdm_store_webhook.h"
#include "mdm_webhook.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

static const char *const reading[] = { "GET", NULL };

static json_t *sink_json(const mdm_webhook_sink_t *sink, const mdm_webhook_status_t *status, apr_pool_t *p)
{
    json_t *json = json_object(), *topics = json_array();
    int i;

    mdm_json_set_text(json, "id", sink->id);
    mdm_json_set_text(json, "url", mdm_webhook_shown(sink->url, p));
    for (i = 0; sink->topics && i < sink->topics->nelts; i++)
        json_array_append_new(topics, json_string(APR_ARRAY_IDX(sink->topics, i, const char *)));
    if (sink->topics)
        json_object_set(json, "topics", topics);
    json_decref(topics);
    json_object_set_new(json, "waiting", json_integer((json_int_t)status->waiting));
    mdm_json_set_text(json, "oldest", mdm_api_time(status->oldest, p));
    mdm_json_set_text(json, "last_error", status->last_error);
    return json;
}

int mdm_api_webhooks(mdm_api_t *api)
{
    const apr_array_header_t *sinks = api->conf->site->webhooks;
    json_t *json, *items;
    apr_status_t rv;
    int sent, i;

    if (!mdm_io_method(&sent, api->r, reading))
        return sent;
    if ((rv = mdm_api_store(api)) != APR_SUCCESS)
        return mdm_api_error(api, mdm_io_status(rv), rv);
    items = mdm_json_own(json_array(), api->r->pool);
    for (i = 0; sinks && i < sinks->nelts; i++) {
        const mdm_webhook_sink_t *sink = &APR_ARRAY_IDX(sinks, i, mdm_webhook_sink_t);
        mdm_webhook_status_t status = { 0 };

        if ((rv = mdm_store_webhook_status(&status, api->st, sink->id)) != APR_SUCCESS)
            return mdm_api_error(api, mdm_io_status(rv), rv);
        json_array_append_new(items, sink_json(sink, &status, api->r->pool));
    }
    json = json_object();
    json_object_set(json, "webhooks", items);
    return mdm_api_json(api, HTTP_OK, json);
}
