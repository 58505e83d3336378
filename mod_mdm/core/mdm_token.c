/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GetToken. Called by the check-in, any thread; no statement, nothing kept, and no token in the log.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_pki_sign.h"
#include "mdm_token.h"

#define NAME_MAX_LEN 255
#define SECURITY_TOKEN_MAX 4096

static const char *part(const char *text, apr_pool_t *p)
{
    return mdm_base64url_encode(mdm_bytes_of(text), p);
}

static apr_status_t make_maid(mdm_bytes_t *data, mdm_ctx_t *ctx, const mdm_site_t *site)
{
    apr_pool_t *p = ctx->pool;
    const char *id = mdm_uuid_random(p), *text;
    json_t *claims = mdm_json_object(p);
    mdm_bytes_t signature;
    apr_status_t rv;

    if (!id || !claims)
        return mdm_fail(ctx, MDM_ECRYPTO, "no token could be made");
    mdm_json_set_text(claims, "iss", site->get_token_server_uuid);
    json_object_set_new(claims, "iat", json_integer(apr_time_sec(mdm_ctx_now(ctx))));
    mdm_json_set_text(claims, "jti", id);
    mdm_json_set_text(claims, "service_type", MDM_TOKEN_MAID);
    text = apr_pstrcat(p, part("{\"alg\":\"RS256\",\"typ\":\"JWT\"}", p), ".", part(mdm_json_compact(claims, p), p),
                       NULL);
    if ((rv = mdm_key_sign_rs256(&signature, ctx, site->get_token_key, mdm_bytes_of(text))) != APR_SUCCESS)
        return rv;
    *data = mdm_bytes_of(apr_pstrcat(p, text, ".", mdm_base64url_encode(signature, p), NULL));
    return APR_SUCCESS;
}

static const char *parameter(const mdm_plist_t *params, const char *key, apr_size_t max)
{
    const char *text = mdm_plist_get_string(params, key);

    return text && *text && strlen(text) <= max ? text : NULL;
}

static apr_status_t make_watch(mdm_bytes_t *data, mdm_ctx_t *ctx, const mdm_site_t *site, const mdm_device_t *device)
{
    const mdm_plist_t *params = mdm_plist_get(device->message, "TokenParameters");
    const char *phone = parameter(params, "PhoneUDID", NAME_MAX_LEN);
    const char *watch = parameter(params, "WatchUDID", NAME_MAX_LEN);
    const char *security = parameter(params, "SecurityToken", SECURITY_TOKEN_MAX);
    const char *nonce = mdm_uuid_random(ctx->pool), *sealed;
    json_t *json = mdm_json_object(ctx->pool);
    apr_status_t rv;

    if (!phone || !watch || !security)
        return mdm_fail(ctx, MDM_EINPUT, "GetToken for " MDM_TOKEN_WATCH " lacks PhoneUDID, WatchUDID or SecurityToken "
                        "in its TokenParameters");
    if (strcmp(phone, device->device_id))
        return mdm_device_refuse(ctx, device, "it asks for the pairing token of another phone");
    if (!nonce || !json)
        return mdm_fail(ctx, MDM_ECRYPTO, "no token could be made");
    mdm_json_set_text(json, "phone", phone);
    mdm_json_set_text(json, "watch", watch);
    mdm_json_set_text(json, "security_token", security);
    json_object_set_new(json, "issued_at", json_integer(apr_time_sec(mdm_ctx_now(ctx))));
    mdm_json_set_text(json, "nonce", nonce);
    rv = mdm_seal(&sealed, ctx, site->seal, mdm_bytes_of(mdm_json_compact(json, ctx->pool)), MDM_TOKEN_WATCH);
    if (rv == APR_SUCCESS)
        *data = mdm_bytes_of(sealed);
    return rv;
}

apr_status_t mdm_token_make(mdm_bytes_t *data, mdm_ctx_t *ctx, const mdm_site_t *site, const mdm_device_t *device)
{
    const char *service = mdm_plist_get_string(device->message, "TokenServiceType");
    int maid = service && !strcmp(service, MDM_TOKEN_MAID);

    if (!maid && (!service || strcmp(service, MDM_TOKEN_WATCH)))
        return mdm_fail(ctx, MDM_EINPUT, "GetToken asks for no service that is known here");
    if (!site->get_token_key || !site->get_token_server_uuid) {
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0832) "%s asks for a token for %s, and GetToken is not "
                "set up: set MDMGetTokenKeyFile and MDMGetTokenServerUUID", device->enrollment_id, service);
        return mdm_fail(ctx, MDM_EINPUT, "GetToken is not set up here");
    }
    return maid ? make_maid(data, ctx, site) : make_watch(data, ctx, site, device);
}
