/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Return to Service: an erased device joins the Wi-Fi, enrolls and is set up without a person. The enrollment profile
 * is signed, and never encrypted: the erase takes the key it could be encrypted to. Its identity is a new one, as after
 * any erase, and its challenge is good for this device only. Called by the delivery of commands and the check-in, any
 * thread; logs nothing, since all of it is secret.
 */
#include "mdm_profile.h"
#include "mdm_return_to_service.h"

static apr_status_t add_profile(mdm_plist_t *dict, mdm_store_t *st, const mdm_site_t *site,
                                const mdm_enrollment_t *e)
{
    mdm_profile_request_t request = { 0 };
    mdm_plist_t *profile;
    mdm_bytes_t der;
    apr_status_t rv;

    request.user = e->user;
    request.common_name = e->enrollment_id;
    request.topic = e->topic;
    if ((rv = mdm_profile_enrollment(&profile, st, site, &request)) != APR_SUCCESS
        || (rv = mdm_profile_seal_for(&der, st->ctx, site, profile, NULL)) != APR_SUCCESS)
        return rv;
    mdm_plist_set_data(dict, "MDMProfileData", der, st->ctx->pool);
    return APR_SUCCESS;
}

apr_status_t mdm_return_to_service_make(mdm_plist_t **dict, mdm_store_t *st, const mdm_site_t *site,
                                        const char *enrollment_id)
{
    apr_pool_t *p = st->ctx->pool;
    mdm_plist_t *made = mdm_plist_dict(p);
    mdm_enrollment_t *e;
    mdm_bytes_t token;
    apr_status_t rv = mdm_store_enrollment_get(&e, st, enrollment_id);

    if (rv != APR_SUCCESS || (rv = mdm_store_bootstrap_token_get(&token, st, e->id)) != APR_SUCCESS)
        return rv;
    mdm_plist_set_boolean(made, "Enabled", 1, p);
    mdm_plist_set_data(made, "WiFiProfileData", site->return_to_service_wifi, p);
    if (site->return_to_service_profile && (rv = add_profile(made, st, site, e)) != APR_SUCCESS)
        return rv;
    mdm_plist_set_data(made, "BootstrapToken", token, p);
    *dict = made;
    return APR_SUCCESS;
}
