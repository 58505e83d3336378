/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few routes of MicroMDM that NanoCMD and KMFDDM use when started for it, for the user "micromdm" with the same
 * key: a command for one enrollment, a push, an emptied queue. That user gets nothing else, and these routes are nobody
 * else's, because below v1/commands/ the API has its own commands. Request threads only.
 */
#include <apr_strings.h>

#include "mdm_command.h"
#include "mdm_json.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

static const char *const command_methods[] = { "POST", "PUT", "DELETE", NULL };
static const char *const push_methods[] = { "GET", "POST", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, rv == MDM_EINPUT || rv == MDM_EPLIST ? HTTP_BAD_REQUEST
                         : rv == MDM_ENOTFOUND ? HTTP_NOT_FOUND
                         : rv == MDM_EEXIST ? HTTP_CONFLICT : HTTP_INTERNAL_SERVER_ERROR, rv);
}

static int queued(mdm_api_t *api, const mdm_command_t *command, mdm_bytes_t body)
{
    return mdm_api_json(api, HTTP_CREATED,
                        json_pack("{s:{s:s, s:s, s:{s:s}, s:s}}", "payload", "udid", api->path, "command_uuid",
                                  command->uuid, "command", "request_type", command->request_type, "payload",
                                  mdm_base64_encode(body, api->r->pool)));
}

/* Queued is queued: whether the device can be woken now is not told, as there. */
static int enqueue(mdm_api_t *api)
{
    const char *const ids[] = { api->path };
    apr_array_header_t *targets;
    mdm_command_t *command;
    mdm_bytes_t body;
    apr_status_t rv = mdm_io_body(&body, api->ctx, api->r, MDM_LIMIT_DEFAULT);

    if (rv == APR_SUCCESS && (rv = mdm_command_read(&command, api->ctx, body)) == APR_SUCCESS
        && (rv = mdm_api_delivery(command, api)) == APR_SUCCESS && (rv = mdm_api_store(api)) == APR_SUCCESS)
        rv = mdm_command_enqueue(&targets, api->st, api->conf->site, command, ids, 1, 1, api->actor);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    mdm_worker_wake();
    return queued(api, command, body);
}

static int commands(mdm_api_t *api)
{
    int answer;

    if (!mdm_io_method(&answer, api->r, command_methods))
        return answer;
    return api->r->method_number == M_DELETE ? mdm_api_queue_clear(api, api->path) : enqueue(api);
}

static int push(mdm_api_t *api)
{
    const char *const ids[] = { api->path };
    const mdm_push_target_t *target;
    apr_array_header_t *targets;
    apr_status_t rv;
    int answer;

    if (!mdm_io_method(&answer, api->r, push_methods))
        return answer;
    if ((rv = mdm_api_store(api)) == APR_SUCCESS)
        rv = mdm_command_wake(&targets, api->st, ids, 1);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    target = &APR_ARRAY_IDX(targets, 0, mdm_push_target_t);
    if (target->problem)
        return mdm_api_error(api, HTTP_INTERNAL_SERVER_ERROR, mdm_fail(api->ctx, MDM_EINPUT, "%s", target->problem));
    mdm_worker_wake();
    return mdm_api_json(api, HTTP_OK, json_pack("{s:s, s:s}", "status", "success", "push_notification_id",
                                                target->apns_id));
}

int mdm_api_micromdm(mdm_api_t *api)
{
    static const struct {
        const char *mark;
        int (*handle)(mdm_api_t *api);
    } known[] = { { "/v1/commands/", commands }, { "/push/", push } };
    const char *at;
    apr_size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if ((at = strstr(api->r->uri, known[i].mark)) != NULL && at[strlen(known[i].mark)]) {
            api->path = at + strlen(known[i].mark);
            return known[i].handle(api);
        }
    return mdm_api_error(api, HTTP_FORBIDDEN,
                         mdm_fail(api->ctx, MDM_EDENIED, "the user micromdm has v1/commands/ID and push/ID alone"));
}
