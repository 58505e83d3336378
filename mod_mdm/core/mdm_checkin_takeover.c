/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may take over an enrollment that is in force. UDIDs and serial numbers are no secrets: a certificate that
 * somebody got for one device can be presented with another device's name. Called by Authenticate within its
 * transaction, any thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_challenge.h"
#include "mdm_checkin_message.h"

/* Whether the device has no identity left that could be stolen from it. */
static apr_status_t is_free(int *free, const char **serial, mdm_message_t *m, const mdm_enrollment_t *old)
{
    mdm_certificate_t *current;
    apr_status_t rv;

    *free = 1;
    if (old->state != MDM_STATE_ENROLLED || !old->certificate)
        return APR_SUCCESS;
    rv = mdm_store_certificate_by_fingerprint(&current, m->st, old->certificate);
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(m->st->ctx);
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS) {
        *free = current->revoked_at || current->not_after <= mdm_ctx_now(m->st->ctx);
        *serial = current->serial;
    }
    return rv;
}

static int names(const char *common_name, const char *name)
{
    return common_name && name && !strcmp(common_name, name);
}

/* A challenge that its maker bound to the name of this device is his word that this device may enroll anew. */
static apr_status_t is_meant(int *meant, mdm_message_t *m, const mdm_enrollment_t *old)
{
    mdm_certificate_t *mine;
    mdm_challenge_t *challenge;
    apr_status_t rv = mdm_store_certificate_by_fingerprint(&mine, m->st, m->device->fingerprint);

    *meant = 0;
    if (rv != APR_SUCCESS)
        return rv;
    if (!mine->challenge) {
        *meant = !old->user;    /* of another CA, which answers for whom it certifies; but not for our people */
        return APR_SUCCESS;
    }
    rv = mdm_store_challenge_get(&challenge, m->st, mine->challenge);
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(m->st->ctx);
        return APR_SUCCESS;
    }
    if (rv == APR_SUCCESS)
        *meant = names(challenge->common_name, m->device->device_id)
                 || names(challenge->common_name, old->serial_number);
    return rv;
}

/*
 * Over the air the device has proven itself which one it is: mdm_session_admit has held its UDID against this one. And
 * an invitation for its serial number is an administrator's word, as a challenge is.
 */
static apr_status_t is_vouched_for(int *yes, mdm_message_t *m, const mdm_enrollment_t *old)
{
    mdm_session_t *session;
    mdm_invitation_t *invitation;
    apr_status_t rv;

    *yes = 0;
    if (!m->row->certificate_session)
        return APR_SUCCESS;
    rv = mdm_store_session_get(&session, m->st, m->row->certificate_session);
    if (rv != APR_SUCCESS || (*yes = session->facts.udid != NULL) || !session->invitation)
        return rv;
    rv = mdm_store_invitation_get(&invitation, m->st, session->invitation);
    if (rv == APR_SUCCESS)
        *yes = names(invitation->serial_number, old->serial_number);
    return rv;
}

apr_status_t mdm_checkin_may_take_over(mdm_message_t *m, const mdm_enrollment_t *old)
{
    const char *user = m->row->certificate_user, *serial = NULL;
    mdm_ctx_t *ctx = m->st->ctx;
    apr_status_t rv;
    int yes;

    if (m->row->bound_to || (user && old->user && !strcmp(old->user, user)))
        return APR_SUCCESS;
    if ((rv = is_free(&yes, &serial, m, old)) != APR_SUCCESS || yes)
        return rv;
    if (user && old->user)
        return mdm_device_refuse(ctx, m->device, apr_psprintf(ctx->pool, "the device is enrolled by another person: "
                                                              "revoke certificate %s to let it enroll anew", serial));
    if ((rv = is_meant(&yes, m, old)) != APR_SUCCESS || yes
        || (rv = is_vouched_for(&yes, m, old)) != APR_SUCCESS || yes)
        return rv;
    return mdm_device_refuse(ctx, m->device,
                             apr_psprintf(ctx->pool, "the device is enrolled, and the challenge of the new certificate "
                                          "was not made for it: revoke certificate %s to let it enroll anew, or make a "
                                          "challenge with its UDID as subject", serial));
}
