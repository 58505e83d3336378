/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a device's message comes from. The transport (TLS or Mdm-Signature) has proven the
 * certificate's key; the store knows the certificate; here the two are held against the identifiers
 * in the body. Any thread, no statement.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_device.h"

#define ID_MAX 255
#define TEXT_MAX 1024           /* of what a device says of itself; databases index some of it */
/* On a Shared iPad every user has this UserID; the person is told by UserShortName. */
#define SHARED_IPAD_USER "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"

static void name_user(mdm_device_t *d, mdm_ctx_t *ctx, const char *id, const char *user, const char *type)
{
    d->type = type;
    d->enrollment_id = apr_pstrcat(ctx->pool, id, ":", user, NULL);
    d->user_short_name = mdm_plist_get_string(d->message, "UserShortName");
    d->user_long_name = mdm_plist_get_string(d->message, "UserLongName");
}

static const char *text_of(const mdm_device_t *d, const char *key)
{
    const char *text = mdm_plist_get_string(d->message, key);

    return text && *text ? text : NULL;
}

/* A key of another type is no key that is absent: without its UserID a user's message would be the device's. */
static apr_status_t check_string(const mdm_device_t *d, mdm_ctx_t *ctx, const char *key)
{
    const mdm_plist_t *item = mdm_plist_get(d->message, key);

    if (!item || item->type == MDM_PLIST_STRING)
        return APR_SUCCESS;
    return mdm_fail(ctx, MDM_EINPUT, "the %s is no string", key);
}

static apr_status_t check_identifiers(const mdm_device_t *d, mdm_ctx_t *ctx)
{
    static const char *const keys[] = {
        "UDID", "EnrollmentID", "UserID", "EnrollmentUserID", "UserShortName", "UserLongName"
    };
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]) && rv == APR_SUCCESS; i++)
        rv = check_string(d, ctx, keys[i]);
    return rv;
}

static apr_status_t identify(mdm_device_t *d, mdm_ctx_t *ctx)
{
    const char *udid = text_of(d, "UDID"), *enrollment = text_of(d, "EnrollmentID");
    const char *user = mdm_plist_get_string(d->message, udid ? "UserID" : "EnrollmentUserID");
    const char *short_name = mdm_plist_get_string(d->message, "UserShortName");

    d->device_id = d->enrollment_id = udid ? udid : enrollment;
    d->type = udid ? "Device" : "User Enrollment (Device)";
    if (!d->device_id)
        return mdm_fail(ctx, MDM_EINPUT, "the message has neither UDID nor EnrollmentID");
    /* A colon makes the name of a user channel, which is somebody else's. */
    if (strchr(d->device_id, ':'))
        return mdm_fail(ctx, MDM_EINPUT, "the %s has a colon", udid ? "UDID" : "EnrollmentID");
    if (user && udid && !strcmp(user, SHARED_IPAD_USER)) {
        if (!short_name || !*short_name)
            return mdm_fail(ctx, MDM_EINPUT, "a Shared iPad's user channel lacks UserShortName");
        name_user(d, ctx, udid, short_name, "Shared iPad");
    } else if (user && *user) {
        name_user(d, ctx, d->device_id, user, udid ? "User" : "User Enrollment");
    }
    if (strlen(d->enrollment_id) > ID_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "the identifiers are longer than %d bytes", ID_MAX);
    return APR_SUCCESS;
}

static apr_status_t check_texts(const mdm_device_t *d, mdm_ctx_t *ctx)
{
    static const char *const keys[] = {
        "Topic", "SerialNumber", "Model", "ModelName", "DeviceName", "ProductName", "OSVersion", "BuildVersion", "IMEI",
        "MEID", "UserShortName", "UserLongName"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *text = mdm_plist_get_string(d->message, keys[i]);
        apr_status_t rv = check_string(d, ctx, keys[i]);

        if (rv != APR_SUCCESS)
            return rv;
        if (text && strlen(text) > TEXT_MAX)
            return mdm_fail(ctx, MDM_EINPUT, "the %s is longer than %d bytes", keys[i], TEXT_MAX);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_device_read(mdm_device_t **device, mdm_ctx_t *ctx, mdm_bytes_t body, const mdm_caller_t *caller)
{
    mdm_device_t *d = apr_pcalloc(ctx->pool, sizeof(*d));
    mdm_plist_t *root;
    apr_status_t rv = mdm_plist_read(&root, ctx, body);

    if (rv != APR_SUCCESS)
        return rv;
    if (root->type != MDM_PLIST_DICT)
        return mdm_fail(ctx, MDM_EINPUT, "the message is not a dictionary");
    d->message = root;
    d->body = body;
    d->caller = caller;
    d->fingerprint = caller->fingerprint;
    d->source = caller->source;
    *device = d;
    if ((rv = check_identifiers(d, ctx)) == APR_SUCCESS)
        rv = identify(d, ctx);
    return rv == APR_SUCCESS && mdm_plist_get(root, "MessageType") ? check_texts(d, ctx) : rv;
}

apr_status_t mdm_device_data(mdm_bytes_t *data, mdm_ctx_t *ctx, const mdm_device_t *device, const char *key)
{
    *data = (mdm_bytes_t){ NULL, 0 };
    if (mdm_plist_get_data(data, device->message, key) || !mdm_plist_get(device->message, key))
        return APR_SUCCESS;
    return mdm_fail(ctx, MDM_EINPUT, "the %s is no data", key);
}

void mdm_device_describe(mdm_enrollment_t *e, const mdm_plist_t *message)
{
    e->topic = mdm_plist_get_string(message, "Topic");
    e->serial_number = mdm_plist_get_string(message, "SerialNumber");
    e->model = mdm_plist_get_string(message, "Model");
    e->model_name = mdm_plist_get_string(message, "ModelName");
    e->device_name = mdm_plist_get_string(message, "DeviceName");
    e->product_name = mdm_plist_get_string(message, "ProductName");
    e->os_version = mdm_plist_get_string(message, "OSVersion");
    e->build_version = mdm_plist_get_string(message, "BuildVersion");
    e->imei = mdm_plist_get_string(message, "IMEI");
    e->meid = mdm_plist_get_string(message, "MEID");
}

apr_status_t mdm_device_refuse(mdm_ctx_t *ctx, const mdm_device_t *device, const char *why)
{
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0,
            MDMNO(0210) "refused a message of %s with certificate %.16s...: %s", device->enrollment_id,
            device->fingerprint, why);
    return mdm_fail(ctx, MDM_EDENIED, "%s", why);
}

/* A network user's channel is as good as the password behind it. */
static int shows_auth_token(const mdm_device_t *device, const mdm_connect_row_t *row, apr_pool_t *p)
{
    const char *token = mdm_plist_get_string(device->message, "AuthToken");

    return !row->auth_token || (token && mdm_equal(mdm_sha256_hex(mdm_bytes_of(token), p), row->auth_token));
}

apr_status_t mdm_device_judge(mdm_ctx_t *ctx, const mdm_device_t *device, const mdm_connect_row_t *row,
                              int unbound)
{
    apr_int64_t device_enrollment = row->parent ? row->parent : row->enrollment;

    if (!row->certificate_known)
        return mdm_device_refuse(ctx, device, "the certificate was not issued by this server");
    if (row->replaced_by)
        return mdm_device_refuse(ctx, device, "the certificate has been replaced by a newer one");
    if (row->revoked_at)
        return mdm_device_refuse(ctx, device, "the certificate is revoked");
    if (row->not_after <= mdm_ctx_now(ctx))
        return mdm_device_refuse(ctx, device, "the certificate has expired");
    if (!row->bound_to)
        return unbound ? APR_SUCCESS
                       : mdm_device_refuse(ctx, device, "the certificate has not sent Authenticate");
    if (row->bound_to != device_enrollment)
        return mdm_device_refuse(ctx, device, "the certificate is bound to another enrollment");
    if (!shows_auth_token(device, row, ctx->pool))
        return mdm_device_refuse(ctx, device,
                                 "the user has not signed in: the AuthToken of its UserAuthenticate is missing");
    return APR_SUCCESS;
}
