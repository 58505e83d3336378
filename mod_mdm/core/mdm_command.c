/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands on their way in. Called by the mdm-api handler, any thread; the network is the worker's business.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_command.h"
#include "mdm_plist.h"

#define UUID_MAX 127
#define REQUEST_TYPE_MAX 63

typedef struct {
    mdm_store_t *st;
    const char *const *ids;
    int count;
    apr_array_header_t *targets;
} wake_t;

apr_status_t mdm_command_read(mdm_command_t **command, mdm_ctx_t *ctx, mdm_bytes_t body)
{
    mdm_command_t *c = apr_pcalloc(ctx->pool, sizeof(*c));
    mdm_plist_t *root;
    apr_status_t rv = mdm_plist_read(&root, ctx, body);

    if (rv != APR_SUCCESS)
        return rv;
    c->uuid = mdm_plist_get_string(root, "CommandUUID");
    c->request_type = mdm_plist_get_string(mdm_plist_get(root, "Command"), "RequestType");
    if (!c->uuid || !*c->uuid || !c->request_type || !*c->request_type)
        return mdm_fail(ctx, MDM_EINPUT, "the command lacks CommandUUID or Command.RequestType");
    if (strlen(c->uuid) > UUID_MAX || strlen(c->request_type) > REQUEST_TYPE_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "CommandUUID is longer than %d or RequestType longer than %d bytes",
                        UUID_MAX, REQUEST_TYPE_MAX);
    if ((rv = mdm_plist_text_of(&body, ctx, body, root)) != APR_SUCCESS)
        return rv;
    c->body = apr_pstrmemdup(ctx->pool, (const char *)body.data, body.len);
    *command = c;
    return APR_SUCCESS;
}

int mdm_command_is_destructive(const char *request_type)
{
    static const char *const types[] = {
        "ClearPasscode", "ClearRestrictionsPassword", "DeleteUser", "DeviceLock", "EraseDevice", "LogOutUser",
        "RemoveApplication", "RemoveMedia", "RemoveProfile", "RemoveProvisioningProfile", "RestartDevice",
        "RotateFileVaultKey", "SetFirmwarePassword", "SetRecoveryLock", "ShutDownDevice", "UnlockUserAccount"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!strcmp(types[i], request_type))
            return 1;
    }
    return 0;
}

static apr_status_t wake(void *baton, mdm_db_t *db)
{
    wake_t *w = baton;

    (void)db;
    return mdm_store_push_want(&w->targets, w->st, mdm_ctx_now(w->st->ctx), w->ids, w->count);
}

apr_status_t mdm_command_wake(apr_array_header_t **targets, mdm_store_t *st,
                              const char *const *enrollment_ids, int count)
{
    wake_t w = { st, enrollment_ids, count, NULL };
    apr_status_t rv = mdm_db_transact(st->db, wake, &w);

    *targets = w.targets;
    return rv;
}
