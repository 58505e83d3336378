/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v1/commands: orders in JSON, checked against the table of Apple's commands or as plists of the caller's own, for
 * ids, serial numbers, users and groups; and that table for consoles. Request threads only; nothing waits for APNs,
 * and no body is logged.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_command.h"
#include "mdm_command_json.h"
#include "mdm_command_target.h"
#include "mdm_json.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

#define KEY_MAX 255
#define TARGETS_MAX 100000

static const char *const get_methods[] = { "GET", NULL };
static const char *const post_methods[] = { "POST", NULL };

static const char *const members[] = {
    "command", "command_plist", "targets", "command_uuid", "not_before", "not_after", "priority", "supersede_key",
    "push", "encrypt", "note", NULL
};
static const char *const target_members[] = { "ids", "serials", "users", "groups", NULL };

/* What a request asks for. */
typedef struct {
    mdm_command_t *command;
    const mdm_command_type_t *type;      /* NULL: Apple has no such command that we know of */
    const json_t *json;                  /* the command as it was written; NULL: as a plist */
    mdm_targets_t targets;
    mdm_command_order_t order;
} request_t;

static int refuse(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

/* ---- reading the request */

/* A member; NULL when it is absent or null. */
static const json_t *member(const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);

    return json_is_null(value) ? NULL : value;
}

static apr_status_t read_text(const char **text, mdm_ctx_t *ctx, const json_t *json, const char *name)
{
    const json_t *value = member(json, name);

    *text = json_string_value(value);
    if (value && (!*text || !**text || strlen(*text) > KEY_MAX))
        return mdm_fail(ctx, MDM_EINPUT, "%s: expected a string of 1 to %d bytes", name, KEY_MAX);
    return APR_SUCCESS;
}

static apr_status_t read_time(apr_time_t *at, mdm_ctx_t *ctx, const json_t *json, const char *name)
{
    const json_t *value = member(json, name);

    if (value && (!json_is_string(value) || mdm_time_read(at, json_string_value(value)) != APR_SUCCESS))
        return mdm_fail(ctx, MDM_EINPUT, "%s: expected a time such as 2026-01-31T23:59:59Z", name);
    return APR_SUCCESS;
}

static apr_status_t read_boolean(int *flag, mdm_ctx_t *ctx, const json_t *json, const char *name)
{
    const json_t *value = member(json, name);

    if (value && !json_is_boolean(value))
        return mdm_fail(ctx, MDM_EINPUT, "%s: expected true or false", name);
    if (value)
        *flag = json_is_true(value);
    return APR_SUCCESS;
}

static apr_status_t read_names(apr_array_header_t **names, mdm_ctx_t *ctx, const json_t *json, const char *name)
{
    const json_t *list = member(json, name);
    size_t i;

    if (!list)
        return APR_SUCCESS;
    if (!json_is_array(list) || json_array_size(list) > TARGETS_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "targets.%s: expected an array of at most %d strings", name, TARGETS_MAX);
    *names = apr_array_make(ctx->pool, (int)json_array_size(list) + 1, sizeof(const char *));
    for (i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (!text || !*text || strlen(text) > KEY_MAX)
            return mdm_fail(ctx, MDM_EINPUT, "targets.%s[%d]: expected a string of 1 to %d bytes", name, (int)i,
                            KEY_MAX);
        APR_ARRAY_PUSH(*names, const char *) = text;
    }
    return APR_SUCCESS;
}

static apr_status_t read_targets(mdm_targets_t *t, mdm_api_t *api, const json_t *json)
{
    mdm_ctx_t *ctx = api->ctx;
    json_t *targets = (json_t *)member(json, "targets");
    apr_status_t rv;

    if (!json_is_object(targets))
        return mdm_fail(ctx, MDM_EINPUT, "targets: expected an object with ids, serials, users or groups");
    if ((rv = mdm_api_members(api, "targets", targets, target_members)) != APR_SUCCESS
        || (rv = read_names(&t->ids, ctx, targets, "ids")) != APR_SUCCESS
        || (rv = read_names(&t->serials, ctx, targets, "serials")) != APR_SUCCESS
        || (rv = read_names(&t->users, ctx, targets, "users")) != APR_SUCCESS)
        return rv;
    return read_names(&t->groups, ctx, targets, "groups");
}

static apr_status_t read_order(mdm_command_order_t *o, mdm_api_t *api, const json_t *json)
{
    mdm_ctx_t *ctx = api->ctx;
    const json_t *priority = member(json, "priority");
    int push = 1;
    apr_status_t rv;

    if (priority && (!json_is_integer(priority) || json_integer_value(priority) < -100
                     || json_integer_value(priority) > 100))
        return mdm_fail(ctx, MDM_EINPUT, "priority: expected an integer from -100 to 100");
    o->priority = (int)json_integer_value(priority);
    o->actor = api->actor;
    o->source = api->r->useragent_ip;
    if ((rv = read_time(&o->not_before, ctx, json, "not_before")) != APR_SUCCESS
        || (rv = read_time(&o->not_after, ctx, json, "not_after")) != APR_SUCCESS
        || (rv = read_text(&o->supersede_key, ctx, json, "supersede_key")) != APR_SUCCESS
        || (rv = read_text(&o->note, ctx, json, "note")) != APR_SUCCESS)
        return rv;
    rv = read_boolean(&push, ctx, json, "push");
    o->no_push = !push;
    return rv;
}

/* A plist of the caller's own: its bytes are what devices get. */
static apr_status_t read_plist(mdm_command_t **command, mdm_ctx_t *ctx, const json_t *json)
{
    const json_t *text = member(json, "command_plist");
    mdm_bytes_t body;

    if (member(json, "command") || member(json, "command_uuid"))
        return mdm_fail(ctx, MDM_EINPUT, "command_plist: has a CommandUUID of its own, so that command and "
                        "command_uuid must not be given");
    if (!json_is_string(text)
        || mdm_base64_decode(&body, json_string_value(text), json_string_length(text), ctx->pool) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_EINPUT, "command_plist: expected base64 data as a string");
    return mdm_command_read(command, ctx, body);
}

static apr_status_t read_command(request_t *q, mdm_ctx_t *ctx, const json_t *json)
{
    const char *uuid;
    int encrypt = 1;
    apr_status_t rv = read_text(&uuid, ctx, json, "command_uuid");

    if (rv == APR_SUCCESS)
        rv = read_boolean(&encrypt, ctx, json, "encrypt");
    if (rv == APR_SUCCESS && member(json, "command_plist"))
        rv = read_plist(&q->command, ctx, json);
    else if (rv == APR_SUCCESS && !member(json, "command"))
        rv = mdm_fail(ctx, MDM_EINPUT, "command: expected an object with RequestType and its keys");
    else if (rv == APR_SUCCESS)
        rv = mdm_command_from_json(&q->command, ctx, member(json, "command"), uuid);
    if (rv != APR_SUCCESS)
        return rv;
    q->type = mdm_command_type(q->command->request_type);
    q->json = member(json, "command");
    if (encrypt && !strcmp(q->command->request_type, "InstallProfile"))
        q->command->delivery = MDM_DELIVERY_ENCRYPT;
    return APR_SUCCESS;
}

static apr_status_t read_key(mdm_command_order_t *o, mdm_api_t *api, mdm_bytes_t body)
{
    const char *key = apr_table_get(api->r->headers_in, "Idempotency-Key"), *c;

    if (!key)
        return APR_SUCCESS;
    for (c = key; *c > ' ' && *c < 0x7F; c++)
        ;
    if (*c || c == key || c - key > KEY_MAX)
        return mdm_fail(api->ctx, MDM_EINPUT, "Idempotency-Key: expected 1 to %d printable characters without spaces",
                        KEY_MAX);
    o->idempotency_key = key;
    o->request_sha256 = mdm_sha256_hex(body, api->r->pool);
    return APR_SUCCESS;
}

/* Ids of user channels have two parts. */
static int is_user_channel(const char *id)
{
    return strchr(id, ':') != NULL;
}

static apr_status_t check_channels(mdm_ctx_t *ctx, const request_t *q)
{
    const apr_array_header_t *ids = q->targets.ids;
    int i;

    if (!q->type || mdm_command_has_channel(q->type, 1))
        return APR_SUCCESS;
    for (i = 0; ids && i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);

        if (is_user_channel(id))
            return mdm_fail(ctx, MDM_EINPUT, "targets.ids[%d]: %s is a user channel, and %s is for devices only", i, id,
                            q->type->name);
    }
    return APR_SUCCESS;
}

static apr_status_t read_request(request_t *q, mdm_api_t *api, mdm_bytes_t body)
{
    json_t *json;
    apr_status_t rv = mdm_json_read(&json, api->ctx, body);

    if (rv != APR_SUCCESS || (rv = mdm_api_members(api, NULL, json, members)) != APR_SUCCESS
        || (rv = read_command(q, api->ctx, json)) != APR_SUCCESS
        || (rv = read_targets(&q->targets, api, json)) != APR_SUCCESS
        || (rv = read_order(&q->order, api, json)) != APR_SUCCESS
        || (rv = read_key(&q->order, api, body)) != APR_SUCCESS)
        return rv;
    return check_channels(api->ctx, q);
}

/* ---- what may go wrong, by what is known here */

static void warn(json_t *warnings, apr_pool_t *p, const char *form, const char *a, const char *b)
{
    json_array_append_new(warnings, json_string(apr_psprintf(p, form, a, b)));
}

static void warn_of_channels(json_t *warnings, const request_t *q, const apr_array_header_t *ids, apr_pool_t *p)
{
    int i;

    for (i = 0; ids && i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);

        if (!mdm_command_has_channel(q->type, is_user_channel(id)))
            warn(warnings, p, is_user_channel(id) ? "%s is a user channel, and %s is for devices only"
                              : "%s is a device, and %s is for user channels only", id, q->type->name);
    }
}

/* A device says nothing when a right is missing in its profile: it refuses, or leaves values out. */
static void add_texts(json_t *warnings, const apr_array_header_t *texts)
{
    int i;

    for (i = 0; i < texts->nelts; i++)
        json_array_append_new(warnings, json_string(APR_ARRAY_IDX(texts, i, const char *)));
}

/* The order stands: what cannot be said of it any more is left out. */
static void warn_of_devices(json_t *warnings, mdm_api_t *api, const request_t *q, const mdm_command_outcome_t *o)
{
    apr_array_header_t *doubts;

    if (mdm_command_doubts(&doubts, api->st, q->type, o->command) == APR_SUCCESS)
        add_texts(warnings, doubts);
    else
        mdm_ctx_clear(api->ctx);
}

static json_t *warnings_of(mdm_api_t *api, const request_t *q, const mdm_command_outcome_t *o)
{
    apr_pool_t *p = api->r->pool;
    json_t *warnings = json_array();

    if (!q->type) {
        warn(warnings, p, "%s is no command that this server knows%s", q->command->request_type, "");
        return warnings;
    }
    add_texts(warnings, mdm_command_lacks(q->type, q->json, api->conf->site->access_rights, p));
    warn_of_channels(warnings, q, o->enrollments, p);
    warn_of_devices(warnings, api, q, o);
    return warnings;
}

/* ---- answers */

static int answer(mdm_api_t *api, const request_t *q, const mdm_command_outcome_t *o)
{
    json_t *json = json_object(), *ids = json_array(), *warnings = warnings_of(api, q, o);
    int i, failed;

    mdm_json_set_text(json, "command_uuid", o->command->uuid);
    mdm_json_set_text(json, "request_type", o->command->request_type);
    mdm_json_set_text(json, "state", o->held ? "held" : "queued");
    if (o->repeated)
        json_object_set_new(json, "repeated", json_true());
    for (i = 0; o->enrollments && i < o->enrollments->nelts; i++)
        json_array_append_new(ids, json_string(APR_ARRAY_IDX(o->enrollments, i, const char *)));
    json_object_set_new(json, "enrollments", ids);
    if (o->targets)
        json_object_set_new(json, "status", mdm_api_targets(o->targets, &failed, api->r->pool));
    if (json_array_size(warnings))
        json_object_set(json, "warnings", warnings);
    json_decref(warnings);
    return mdm_api_json(api, o->repeated ? HTTP_OK : HTTP_CREATED, json);
}

/* Forms of foreign pages can send text, but not this type. */
static int is_json(request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    apr_size_t len = type ? strcspn(type, "; \t") : 0;

    return len == 16 && !ap_cstr_casecmpn(type, "application/json", 16);
}

static int order(mdm_api_t *api)
{
    request_t q = { 0 };
    mdm_command_outcome_t outcome;
    mdm_bytes_t body;
    apr_status_t rv = mdm_io_body(&body, api->ctx, api->r, MDM_LIMIT_DEFAULT);

    if (rv != APR_SUCCESS)
        return mdm_io_fail(api->r, api->ctx, rv);
    if (!is_json(api->r))
        return mdm_api_error(api, HTTP_UNSUPPORTED_MEDIA_TYPE,
                             mdm_fail(api->ctx, MDM_EINPUT, "the Content-Type is not application/json"));
    if ((rv = read_request(&q, api, body)) != APR_SUCCESS || (rv = mdm_api_store(api)) != APR_SUCCESS)
        return refuse(api, rv);
    rv = mdm_command_order(&outcome, api->st, api->conf->site, q.command, &q.targets, &q.order);
    if (rv != APR_SUCCESS)
        return refuse(api, rv);
    /* what waits for its time is news too: the worker looks when to wake up */
    if (!outcome.repeated && !outcome.held && (outcome.targets || q.order.not_before))
        mdm_worker_wake();
    return answer(api, &q, &outcome);
}

/* ---- the table */

static int list_types(mdm_api_t *api)
{
    const mdm_command_type_t *type;
    json_t *list = json_array();
    int n;

    for (n = 0; (type = mdm_command_type_at(n)) != NULL; n++)
        json_array_append_new(list, mdm_command_type_to_json(type, 1, api->r->pool));
    return mdm_api_json(api, HTTP_OK, json_pack("{s:o}", "types", list));
}

static int show_type(mdm_api_t *api, const char *name)
{
    const mdm_command_type_t *type = mdm_command_type(name);

    if (!type)
        return refuse(api, mdm_fail(api->ctx, MDM_ENOTFOUND, "there is no command of this RequestType"));
    return mdm_api_json(api, HTTP_OK, mdm_command_type_to_json(type, 0, api->r->pool));
}

int mdm_api_commands(mdm_api_t *api)
{
    int sent;

    if (!api->path && api->r->method_number == M_GET)
        return mdm_api_commands_held(api);
    if (!api->path)
        return mdm_io_method(&sent, api->r, post_methods) ? order(api) : sent;
    if (strcmp(api->path, "types") && strncmp(api->path, "types/", 6))
        return mdm_api_command(api);
    if (!mdm_io_method(&sent, api->r, get_methods))
        return sent;
    return api->path[5] ? show_type(api, api->path + 6) : list_types(api);
}
