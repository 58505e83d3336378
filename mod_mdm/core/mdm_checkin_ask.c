/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Check-in messages by which an enrolled device leaves something with the server or asks for something: bootstrap
 * token, tokens for other services, Return to Service, declarations. Called by mdm_checkin_handle within its
 * transaction, any thread. No secret is logged.
 */
#include <apr_strings.h>

#include "mdm_checkin_message.h"
#include "mdm_return_to_service.h"
#include "mdm_token.h"

static apr_status_t need_device(const mdm_message_t *m, const char *type)
{
    return mdm_message_is_user(m) ? mdm_fail(m->st->ctx, MDM_EINPUT, "%s came on a user channel", type) : APR_SUCCESS;
}

static apr_status_t note_awaiting(mdm_message_t *m)
{
    const mdm_plist_t *awaiting = mdm_plist_get(m->device->message, "AwaitingConfiguration");

    if (!awaiting || awaiting->type != MDM_PLIST_BOOLEAN)
        return APR_SUCCESS;
    return mdm_store_awaiting_configuration_set(m->st, m->enrollment, awaiting->integer != 0);
}

apr_status_t mdm_checkin_set_bootstrap_token(mdm_message_t *m)
{
    mdm_bytes_t token;
    apr_status_t rv = need_device(m, "SetBootstrapToken");

    if (rv != APR_SUCCESS || (rv = mdm_device_data(&token, m->st->ctx, m->device, "BootstrapToken")) != APR_SUCCESS
        || (rv = mdm_store_bootstrap_token_set(m->st, m->enrollment, token)) != APR_SUCCESS
        || (rv = note_awaiting(m)) != APR_SUCCESS)
        return rv;
    return mdm_message_event(m, token.len ? "bootstrap_token.stored" : "bootstrap_token.removed", NULL);
}

apr_status_t mdm_checkin_get_bootstrap_token(mdm_message_t *m)
{
    mdm_plist_t *dict = mdm_plist_dict(m->st->ctx->pool);
    mdm_bytes_t token;
    apr_status_t rv = need_device(m, "GetBootstrapToken");

    if (rv != APR_SUCCESS || (rv = note_awaiting(m)) != APR_SUCCESS
        || (rv = mdm_store_bootstrap_token_get(&token, m->st, m->enrollment)) != APR_SUCCESS || !token.len)
        return rv;
    mdm_plist_set_data(dict, "BootstrapToken", token, m->st->ctx->pool);
    m->answer = dict;
    return APR_SUCCESS;
}

apr_status_t mdm_checkin_get_token(mdm_message_t *m)
{
    mdm_plist_t *dict = mdm_plist_dict(m->st->ctx->pool);
    mdm_bytes_t data;
    apr_status_t rv = mdm_token_make(&data, m->st->ctx, m->site, m->device);

    if (rv != APR_SUCCESS)
        return rv;
    mdm_plist_set_data(dict, "TokenData", data, m->st->ctx->pool);
    m->answer = dict;
    return mdm_message_event(m, "token.issued", mdm_message_text(m, "TokenServiceType"));
}

apr_status_t mdm_checkin_return_to_service(mdm_message_t *m)
{
    apr_pool_t *p = m->st->ctx->pool;
    mdm_plist_t *dict = mdm_plist_dict(p), *service;
    apr_status_t rv = need_device(m, "ReturnToService");

    if (rv != APR_SUCCESS
        || (rv = mdm_return_to_service_make(&service, m->st, m->site, m->device->enrollment_id)) != APR_SUCCESS)
        return rv;
    mdm_plist_set(dict, "ReturnToService", service, p);
    m->answer = dict;
    return mdm_message_event(m, "enrollment.returning_to_service", NULL);
}

apr_status_t mdm_checkin_declarative(mdm_message_t *m)
{
    return mdm_declarative_read(&m->declarative, m->st->ctx, m->site, m->device);
}
