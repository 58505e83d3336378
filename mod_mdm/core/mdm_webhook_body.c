/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events as receivers made for NanoMDM read them, and their way into the outbox. Called by the check-in and connect
 * paths, any thread, in the transaction of what is told.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_store_webhook.h"
#include "mdm_webhook.h"

#define CONNECT "mdm.Connect"
#define TOKEN_UPDATE "mdm.TokenUpdate"

static const char *const topics[] = {
    "mdm.Authenticate", TOKEN_UPDATE, "mdm.CheckOut", "mdm.UserAuthenticate", "mdm.SetBootstrapToken",
    "mdm.GetBootstrapToken", "mdm.DeclarativeManagement", "mdm.GetToken", CONNECT
};

static int sink_wants(const mdm_webhook_sink_t *sink, const char *topic)
{
    int i;

    for (i = 0; sink->topics && i < sink->topics->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(sink->topics, i, const char *), topic))
            return 1;
    }
    return !sink->topics;
}

int mdm_webhook_wanted(const mdm_site_t *site, const char *topic)
{
    int i;

    for (i = 0; site->webhooks && i < site->webhooks->nelts; i++) {
        if (sink_wants(&APR_ARRAY_IDX(site->webhooks, i, mdm_webhook_sink_t), topic))
            return 1;
    }
    return 0;
}

int mdm_webhook_is_topic(const char *topic)
{
    apr_size_t i;

    for (i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        if (!strcmp(topics[i], topic))
            return 1;
    }
    return 0;
}

const char *mdm_webhook_topic(const mdm_site_t *site, const char *message_type)
{
    apr_size_t i;

    for (i = 0; site->webhooks && i < sizeof(topics) / sizeof(topics[0]); i++) {
        if (!strcmp(topics[i] + strlen("mdm."), message_type) && strcmp(topics[i], CONNECT))
            return mdm_webhook_wanted(site, topics[i]) ? topics[i] : NULL;
    }
    return NULL;
}

static const char *created_at(mdm_ctx_t *ctx)
{
    apr_time_t now = mdm_ctx_now(ctx);
    const char *text = mdm_time_text(now, ctx->pool);

    return apr_psprintf(ctx->pool, "%.*s.%06dZ", (int)strlen(text) - 1, text, (int)apr_time_usec(now));
}

static json_t *ids_json(const mdm_device_t *device)
{
    json_t *ids = json_object();

    mdm_json_set_text(ids, "id", device->enrollment_id);
    mdm_json_set_text(ids, "type", device->type);
    if (strcmp(device->enrollment_id, device->device_id) != 0)
        mdm_json_set_text(ids, "parent_id", device->device_id);
    return ids;
}

static json_t *params_json(const apr_table_t *table)
{
    const apr_array_header_t *all = apr_table_elts(table);
    json_t *params = json_object();
    int i;

    for (i = 0; i < all->nelts; i++) {
        const apr_table_entry_t *entry = &APR_ARRAY_IDX(all, i, apr_table_entry_t);

        mdm_json_set_text(params, entry->key, entry->val);
    }
    return params;
}

static void set_sent(json_t *json, const mdm_device_t *device, const char *name, const char *key)
{
    const char *text = mdm_plist_get_string(device->message, key);

    if (text && *text)
        mdm_json_set_text(json, name, text);
}

static json_t *message_json(mdm_ctx_t *ctx, const mdm_webhook_event_t *event, int tally)
{
    const mdm_device_t *device = event->device;
    const apr_table_t *params = device->caller->url_params;
    json_t *json = json_object();

    set_sent(json, device, "udid", "UDID");
    set_sent(json, device, "enrollment_id", "EnrollmentID");
    if (!strcmp(event->topic, CONNECT)) {
        set_sent(json, device, "status", "Status");
        set_sent(json, device, "command_uuid", "CommandUUID");
    }
    if (params && !apr_is_empty_table(params))
        json_object_set_new(json, "url_params", params_json(params));
    mdm_json_set_text(json, "raw_payload", mdm_base64_encode(device->body, ctx->pool));
    if (tally)
        json_object_set_new(json, "token_update_tally", json_integer(tally));
    json_object_set_new(json, "ids", ids_json(device));
    return json;
}

apr_status_t mdm_webhook_body(mdm_bytes_t *body, mdm_ctx_t *ctx, const mdm_webhook_event_t *event, int tally)
{
    json_t *json = mdm_json_object(ctx->pool);
    const char *text;

    mdm_json_set_text(json, "topic", event->topic);
    mdm_json_set_text(json, "event_id", event->device->caller->trace_id);
    mdm_json_set_text(json, "created_at", created_at(ctx));
    json_object_set_new(json, strcmp(event->topic, CONNECT) ? "checkin_event" : "acknowledge_event",
                        message_json(ctx, event, tally));
    text = mdm_json_compact(json, ctx->pool);
    if (!text)
        return mdm_fail(ctx, MDM_EINPUT, "an event could not be written as JSON");
    *body = mdm_bytes_of(text);
    return APR_SUCCESS;
}

/* Events of one enrollment share a number, also those from before it is known here. */
static apr_int64_t channel_of(const mdm_device_t *device, apr_pool_t *p)
{
    const char *hex = mdm_sha256_hex(mdm_bytes_of(device->enrollment_id), p);

    return apr_strtoi64(apr_pstrmemdup(p, hex, 15), NULL, 16);
}

apr_status_t mdm_webhook_note(int *queued, mdm_store_t *st, const mdm_site_t *site, const mdm_webhook_event_t *event)
{
    mdm_webhook_row_t row = { 0 };
    int tally = 0, i;
    apr_status_t rv = APR_SUCCESS;

    if (!mdm_webhook_wanted(site, event->topic))
        return APR_SUCCESS;
    if (event->enrollment && !strcmp(event->topic, TOKEN_UPDATE))
        rv = mdm_store_webhook_tally(&tally, st, event->enrollment);
    if (rv == APR_SUCCESS)
        rv = mdm_webhook_body(&row.body, st->ctx, event, tally);
    row.channel = channel_of(event->device, st->ctx->pool);
    row.topic = event->topic;
    for (i = 0; rv == APR_SUCCESS && i < site->webhooks->nelts; i++) {
        const mdm_webhook_sink_t *sink = &APR_ARRAY_IDX(site->webhooks, i, mdm_webhook_sink_t);

        row.sink = sink->id;
        if (sink_wants(sink, event->topic))
            rv = mdm_store_webhook_put(st, &row);
    }
    if (rv == APR_SUCCESS)
        *queued = 1;
    return rv;
}
