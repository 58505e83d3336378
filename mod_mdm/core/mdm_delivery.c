/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands on their way out: most as they were enqueued, profiles encrypted to the device that fetches them,
 * renewals made at the last moment, so that their challenge is fresh; passcodes cleared with the token that only the
 * device of the enrollment has given; erases with what the device needs to return. Called by the connect path, any
 * thread. Profiles, challenges and tokens are never logged.
 */
#include <string.h>

#include "mdm_delivery.h"
#include "mdm_delivery_profile.h"
#include "mdm_profile.h"
#include "mdm_return_to_service.h"

/* *cert is NULL for an identity that nothing can be encrypted to, as devices bring it from another server's ACME. */
static apr_status_t find_recipient(mdm_cert_t **cert, mdm_store_t *st, const mdm_device_t *device)
{
    mdm_certificate_t *row;
    apr_status_t rv = mdm_store_certificate_by_fingerprint(&row, st, device->fingerprint);

    if (rv == APR_SUCCESS)
        rv = mdm_cert_from_pem(cert, st->ctx, mdm_bytes_of(row->pem));
    if (rv == APR_SUCCESS && !mdm_cms_may_receive(*cert))
        *cert = NULL;
    return rv;
}

static mdm_plist_t *find(mdm_plist_t *dict, const char *key)
{
    mdm_plist_t *item = dict && dict->type == MDM_PLIST_DICT ? dict->first : NULL;

    while (item && strcmp(item->key, key))
        item = item->next;
    return item;
}

static apr_status_t encrypt_profile(mdm_bytes_t *body, mdm_store_t *st, const mdm_site_t *site,
                                    const mdm_device_t *device)
{
    mdm_plist_t *root, *payload, *profile;
    mdm_cert_t *cert;
    apr_status_t rv = mdm_plist_read(&root, st->ctx, *body);

    if (rv != APR_SUCCESS)
        return rv;
    payload = find(find(root, "Command"), "Payload");
    if (!payload || payload->type != MDM_PLIST_DATA)
        return APR_SUCCESS;
    mdm_profile_open(&profile, st->ctx, payload->bytes);
    if (!profile)
        return APR_SUCCESS;
    if ((rv = find_recipient(&cert, st, device)) != APR_SUCCESS || !cert
        || (rv = mdm_profile_seal_for(&payload->bytes, st->ctx, site, profile, cert)) != APR_SUCCESS)
        return rv;
    return mdm_plist_write(body, st->ctx, root);
}

static apr_status_t make_renewal(mdm_bytes_t *body, mdm_store_t *st, const mdm_site_t *site,
                                 const mdm_device_t *device, const mdm_connect_row_t *row)
{
    apr_pool_t *p = st->ctx->pool;
    mdm_plist_t *root = mdm_plist_dict(p), *command, *profile;
    mdm_profile_request_t request = { 0 };
    mdm_enrollment_t *e;
    mdm_renewal_t *planned;
    mdm_cert_t *cert;
    mdm_bytes_t der;
    apr_status_t rv = mdm_store_renewal_get(&planned, st, row->enrollment);

    /* The device has its new identity, and only its acknowledgement is missing: no second one. */
    if (rv == MDM_ENOTFOUND || (rv == APR_SUCCESS && planned->command != row->next)) {
        mdm_ctx_clear(st->ctx);
        return mdm_fail(st->ctx, MDM_EGONE, "the identity has been renewed");
    }
    if (rv == APR_SUCCESS)
        rv = mdm_store_enrollment_get(&e, st, device->enrollment_id);
    if (rv != APR_SUCCESS || (rv = find_recipient(&cert, st, device)) != APR_SUCCESS)
        return rv;
    request.user = e->user;
    request.enrollment = e->id;
    request.topic = e->topic;
    if ((rv = mdm_profile_enrollment(&profile, st, site, &request)) != APR_SUCCESS
        || (rv = mdm_profile_seal_for(&der, st->ctx, site, profile, cert)) != APR_SUCCESS)
        return rv;
    command = mdm_plist_set(root, "Command", mdm_plist_dict(p), p);
    mdm_plist_set_data(command, "Payload", der, p);
    mdm_plist_set_string(command, "RequestType", "InstallProfile", p);
    mdm_plist_set_string(root, "CommandUUID", row->next_uuid, p);
    return mdm_plist_write(body, st->ctx, root);
}

/* The use of a token is on record before the device has it. */
static apr_status_t add_unlock_token(mdm_bytes_t *body, mdm_store_t *st, const mdm_device_t *device,
                                     const mdm_connect_row_t *row)
{
    mdm_plist_t *root, *command;
    mdm_bytes_t token;
    apr_status_t rv = mdm_plist_read(&root, st->ctx, *body);

    if (rv != APR_SUCCESS)
        return rv;
    command = find(root, "Command");
    if (!command || command->type != MDM_PLIST_DICT || find(command, "UnlockToken"))
        return APR_SUCCESS;
    rv = mdm_store_unlock_token(&token, st, row->enrollment);
    if (rv == MDM_ENOTFOUND || (rv == APR_SUCCESS && !token.len))
        return mdm_fail(st->ctx, MDM_EGONE, "this enrollment has given no unlock token: its passcode cannot be "
                        "cleared");
    if (rv == APR_SUCCESS)
        rv = mdm_store_event(st, "unlock_token.used", NULL, device->source, device->enrollment_id, row->next_uuid,
                             NULL);
    if (rv != APR_SUCCESS)
        return rv;
    mdm_plist_set_data(command, "UnlockToken", token, st->ctx->pool);
    return mdm_plist_write(body, st->ctx, root);
}

/* What the command says itself stays as it is. */
static apr_status_t add_return_to_service(mdm_bytes_t *body, mdm_store_t *st, const mdm_site_t *site,
                                          const mdm_device_t *device, const mdm_connect_row_t *row)
{
    mdm_plist_t *root, *service, *made, *value, *next;
    apr_status_t rv = mdm_plist_read(&root, st->ctx, *body);

    if (rv != APR_SUCCESS)
        return rv;
    service = find(find(root, "Command"), "ReturnToService");
    if (row->parent || !service || !mdm_plist_get_boolean(service, "Enabled", 0))
        return APR_SUCCESS;
    rv = mdm_return_to_service_make(&made, st, site, device->enrollment_id);
    if (rv == APR_SUCCESS)
        rv = mdm_store_event(st, "return_to_service.given", NULL, device->source, device->enrollment_id, row->next_uuid,
                             NULL);
    if (rv != APR_SUCCESS)
        return rv;
    for (value = made->first; value; value = next) {
        next = value->next;
        value->next = NULL;
        if (!find(service, value->key))
            mdm_plist_set(service, value->key, value, st->ctx->pool);
    }
    return mdm_plist_write(body, st->ctx, root);
}

apr_status_t mdm_delivery_make(mdm_bytes_t *body, mdm_store_t *st, const mdm_site_t *site,
                               const mdm_device_t *device, const mdm_connect_row_t *row)
{
    *body = mdm_bytes_of(row->next_body);
    if (row->next_delivery == MDM_DELIVERY_RENEWAL)
        return make_renewal(body, st, site, device, row);
    if (row->next_delivery == MDM_DELIVERY_UNLOCK_TOKEN)
        return add_unlock_token(body, st, device, row);
    if (row->next_delivery == MDM_DELIVERY_RETURN_TO_SERVICE)
        return add_return_to_service(body, st, site, device, row);
    if (row->next_delivery == MDM_DELIVERY_PROFILE)
        return mdm_delivery_profile(body, st, site, device, row);
    if (row->next_delivery == MDM_DELIVERY_PROFILE_REMOVAL)
        return mdm_delivery_profile_removal(body, st, row);
    /* A user channel's profile goes to the user's process, which cannot use the device's key. */
    if (row->next_delivery == MDM_DELIVERY_ENCRYPT && !row->parent
        && site->profile_cipher != MDM_CIPHER_UNSET)
        return encrypt_profile(body, st, site, device);
    return APR_SUCCESS;
}
