/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own routes: who is enrolled, what waits for them, what became of a command. Read only.
 */
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_plist.h"
#include "mdm_plist_json.h"
#include "mdm_status.h"
#include "mdm_stuck.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

static const char *const methods[] = { "GET", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

static json_t *enrollment_json(const mdm_enrollment_t *e, apr_pool_t *p)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "enrollment_id", e->enrollment_id);
    mdm_json_set_text(json, "type", e->type);
    mdm_json_set_text(json, "state", mdm_state_name(e->state));
    mdm_json_set_text(json, "user", e->user);
    if (e->awaiting_configuration)
        json_object_set_new(json, "awaiting_configuration", json_true());
    mdm_json_set_text(json, "topic", e->topic);
    mdm_json_set_text(json, "serial_number", e->serial_number);
    mdm_json_set_text(json, "model", e->model);
    mdm_json_set_text(json, "model_name", e->model_name);
    mdm_json_set_text(json, "device_name", e->device_name);
    mdm_json_set_text(json, "product_name", e->product_name);
    mdm_json_set_text(json, "os_version", e->os_version);
    mdm_json_set_text(json, "build_version", e->build_version);
    mdm_json_set_text(json, "imei", e->imei);
    mdm_json_set_text(json, "meid", e->meid);
    mdm_json_set_text(json, "user_short_name", e->user_short_name);
    mdm_json_set_text(json, "user_long_name", e->user_long_name);
    json_object_set_new(json, "token_update_tally", json_integer(e->token_update_tally));
    mdm_json_set_text(json, "created_at", mdm_api_time(e->created_at, p));
    mdm_json_set_text(json, "enrolled_at", mdm_api_time(e->enrolled_at, p));
    mdm_json_set_text(json, "left_at", mdm_api_time(e->left_at, p));
    mdm_json_set_text(json, "last_seen_at", mdm_api_time(e->last_seen_at, p));
    mdm_json_set_text(json, "last_ip", e->last_ip);
    return json;
}

static int list_enrollments(mdm_api_t *api)
{
    apr_array_header_t *list;
    json_t *json, *items;
    int i, limit;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS)
        rv = mdm_store_enrollment_list(&list, api->st, mdm_api_query(api, "cursor"), limit);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    json = json_object();
    items = json_array();
    for (i = 0; i < list->nelts; i++)
        json_array_append_new(items,
                              enrollment_json(APR_ARRAY_IDX(list, i, mdm_enrollment_t *), api->r->pool));
    json_object_set_new(json, "enrollments", items);
    if (list->nelts == limit)
        mdm_json_set_text(json, "next_cursor",
                          APR_ARRAY_IDX(list, limit - 1, mdm_enrollment_t *)->enrollment_id);
    return mdm_api_json(api, HTTP_OK, json);
}

static void hide(json_t *dict, const char *name)
{
    if (json_object_get(dict, name))
        json_object_set_new(dict, name, json_string("in escrow"));
}

/* The device's answer as JSON. What went into escrow leaves it where the audit trail says so, not here. */
static json_t *response_json(mdm_api_t *api, const char *response)
{
    mdm_plist_t *root;
    json_t *json;

    if (!response || mdm_plist_read(&root, api->ctx, mdm_bytes_of(response)) != APR_SUCCESS) {
        mdm_ctx_clear(api->ctx);
        return json_null();
    }
    json = mdm_plist_to_json(root, api->r->pool);
    hide(json, "ActivationLockBypassCode");
    hide(json_object_get(json, "SecurityInfo"), "FDE_PersonalRecoveryKeyCMS");
    hide(json_object_get(json, "RotateResult"), "EncryptedNewRecoveryKey");
    return json;
}

static json_t *item_json(mdm_api_t *api, const mdm_queue_item_t *item)
{
    apr_pool_t *p = api->r->pool;
    json_t *json = json_object();

    mdm_json_set_text(json, "enrollment_id", item->enrollment_id);
    mdm_json_set_text(json, "command_uuid", item->uuid);
    mdm_json_set_text(json, "request_type", item->request_type);
    mdm_json_set_text(json, "status", item->state);
    json_object_set_new(json, "tries", json_integer(item->tries));
    mdm_json_set_text(json, "queued_at", mdm_api_time(item->queued_at, p));
    mdm_json_set_text(json, "sent_at", mdm_api_time(item->sent_at, p));
    mdm_json_set_text(json, "finished_at", mdm_api_time(item->finished_at, p));
    if (item->priority)
        json_object_set_new(json, "priority", json_integer(item->priority));
    mdm_json_set_text(json, "not_before", mdm_api_time(item->not_before, p));
    mdm_json_set_text(json, "not_after", mdm_api_time(item->not_after, p));
    if (item->error_chain) {
        json_t *chain = json_loads(item->error_chain, JSON_DECODE_ANY, NULL);

        json_object_set_new(json, "error_chain", chain ? chain : json_string(item->error_chain));
    }
    if (item->response)
        json_object_set_new(json, "response", response_json(api, item->response));
    return json;
}

static json_t *items_json(mdm_api_t *api, const apr_array_header_t *list)
{
    json_t *items = json_array();
    int i;

    for (i = 0; i < list->nelts; i++)
        json_array_append_new(items, item_json(api, APR_ARRAY_IDX(list, i, mdm_queue_item_t *)));
    return items;
}

static int show_queue(mdm_api_t *api, const char *id)
{
    apr_array_header_t *list;
    mdm_enrollment_t *enrollment;
    int limit;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS)
        rv = mdm_store_enrollment_get(&enrollment, api->st, id);
    if (rv == APR_SUCCESS)
        rv = mdm_store_queue_list(&list, api->st, id, limit);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    return mdm_api_json(api, HTTP_OK,
                        json_pack("{s:s, s:o}", "enrollment_id", id, "commands", items_json(api, list)));
}

static json_t *push_json(const mdm_reach_t *reach, apr_pool_t *p)
{
    json_t *json = json_pack("{s:b, s:i}", "dead", reach->dead, "repushes", reach->repushes);

    mdm_json_set_text(json, "last_at", mdm_api_time(reach->last_at, p));
    mdm_json_set_text(json, "last_reason", reach->last_reason);
    mdm_json_set_text(json, "due_at", mdm_api_time(reach->due_at, p));
    return json;
}

static int show_enrollment(mdm_api_t *api, const char *id)
{
    mdm_reach_t reach;
    mdm_stuck_t stuck;
    mdm_enrollment_t *enrollment;
    mdm_queue_item_t *info;
    json_t *json, *facts, *identity;
    apr_status_t rv = mdm_store_enrollment_get(&enrollment, api->st, id);

    if (rv == APR_SUCCESS)
        rv = mdm_store_reach(&reach, api->st, enrollment->id);
    if (rv == APR_SUCCESS)
        rv = mdm_status_facts(&facts, api->st, enrollment->id);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    mdm_json_own(facts, api->r->pool);
    if ((rv = mdm_status_identity(&identity, api->st, enrollment, mdm_api_time)) != APR_SUCCESS
        || (rv = mdm_stuck_one(&stuck, api->st, api->conf->site, enrollment->id)) != APR_SUCCESS)
        return fail(api, rv);
    mdm_json_own(identity, api->r->pool);
    rv = mdm_store_result_latest(&info, api->st, id, "DeviceInformation");
    if (rv != APR_SUCCESS && rv != MDM_ENOTFOUND)
        return fail(api, rv);
    json = enrollment_json(enrollment, api->r->pool);
    mdm_json_set_text(json, "hint", mdm_status_hint(enrollment, &reach, api->conf->site, api->r->pool));
    if (enrollment->silent_since > 1
        && (enrollment->state == MDM_STATE_ENROLLED || enrollment->state == MDM_STATE_MISSING))
        mdm_json_set_text(json, "silent_since", mdm_api_time(enrollment->silent_since, api->r->pool));
    mdm_json_set_text(json, "stuck", stuck.text);
    mdm_json_set_text(json, "stuck_reason", mdm_stuck_name(stuck.reason));
    json_object_set_new(json, "push", push_json(&reach, api->r->pool));
    if (facts)
        json_object_set(json, "device_facts", facts);
    if (identity)
        json_object_set(json, "identity", identity);
    if (rv == APR_SUCCESS)
        json_object_set_new(json, "device_information", item_json(api, info));
    return mdm_api_json(api, HTTP_OK, json);
}

int mdm_api_enrollments(mdm_api_t *api)
{
    static const char queue[] = "/queue";
    apr_size_t len = api->path ? strlen(api->path) : 0;
    apr_status_t rv;
    int sent;

    if (api->r->method_number == M_DELETE && len > sizeof(queue) - 1
        && !strcmp(api->path + len - (sizeof(queue) - 1), queue))
        return mdm_api_queue_clear(api, apr_pstrmemdup(api->r->pool, api->path, len - (sizeof(queue) - 1)));
    if ((len && (mdm_api_facts(&sent, api) || mdm_api_states(&sent, api))) || !mdm_io_method(&sent, api->r, methods))
        return sent;
    if ((rv = mdm_api_store(api)) != APR_SUCCESS)
        return fail(api, rv);
    if (!len)
        return list_enrollments(api);
    if (len > sizeof(queue) - 1 && !strcmp(api->path + len - (sizeof(queue) - 1), queue))
        return show_queue(api, apr_pstrmemdup(api->r->pool, api->path, len - (sizeof(queue) - 1)));
    return show_enrollment(api, api->path);
}

int mdm_api_command(mdm_api_t *api)
{
    mdm_command_t *command;
    apr_array_header_t *states;
    json_t *json, *counts;
    int sent, limit;
    apr_status_t rv;

    if (mdm_api_command_verb(&sent, api) || !mdm_io_method(&sent, api->r, methods))
        return sent;
    if ((rv = mdm_api_limit(&limit, api)) == APR_SUCCESS && (rv = mdm_api_store(api)) == APR_SUCCESS
        && (rv = mdm_store_command_get(&command, api->st, api->path)) == APR_SUCCESS)
        rv = mdm_store_command_states(&states, api->st, api->path, mdm_api_query(api, "cursor"), limit);
    if (rv == APR_SUCCESS)
        rv = mdm_api_command_counts(&counts, api, command);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    json = json_pack("{s:s, s:s}", "command_uuid", command->uuid, "request_type", command->request_type);
    mdm_json_set_text(json, "created_by", command->created_by);
    mdm_json_set_text(json, "created_at", mdm_api_time(command->created_at, api->r->pool));
    mdm_api_command_members(json, command, api->r->pool);
    json_object_set_new(json, "counts", counts);
    json_object_set_new(json, "enrollments", items_json(api, states));
    if (states->nelts == limit)
        mdm_json_set_text(json, "next_cursor",
                          APR_ARRAY_IDX(states, limit - 1, mdm_queue_item_t *)->enrollment_id);
    return mdm_api_json(api, HTTP_OK, json);
}
