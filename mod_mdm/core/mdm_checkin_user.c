/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User channels: how they begin, and UserAuthenticate, by which a Mac asks about a network user: declined, taken
 * without a password, or taken after one that never crosses the wire. Called by mdm_checkin_handle within its
 * transaction, any thread. Logs no password, digest or AuthToken.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_checkin_message.h"
#include "mdm_drift.h"
#include "mdm_user_digest.h"

#define AUTH_TOKEN_LEN 32

static apr_status_t fresh_user(mdm_enrollment_t *fresh, mdm_message_t *m)
{
    mdm_connect_row_t *device_row;
    apr_status_t rv = mdm_store_checkin(&device_row, m->st, m->device->fingerprint, m->device->device_id);

    if (rv != APR_SUCCESS || (rv = mdm_device_judge(m->st->ctx, m->device, device_row, 0)) != APR_SUCCESS)
        return rv;
    if (device_row->state != MDM_STATE_ENROLLED)
        return mdm_device_refuse(m->st->ctx, m->device, "the device of this user channel is not enrolled");
    mdm_message_describe(fresh, m);
    fresh->parent = device_row->enrollment;
    fresh->user = device_row->certificate_user;
    fresh->certificate = m->device->fingerprint;
    fresh->created_at = mdm_ctx_now(m->st->ctx);
    return APR_SUCCESS;
}

static int is_live(const mdm_message_t *m)
{
    return m->enrollment && m->row->state < MDM_STATE_LEFT;
}

apr_status_t mdm_checkin_open_channel(mdm_message_t *m)
{
    mdm_enrollment_t fresh = { 0 };
    apr_status_t rv;

    if (is_live(m))
        return APR_SUCCESS;
    if ((rv = fresh_user(&fresh, m)) != APR_SUCCESS)
        return rv;
    if (!m->enrollment) {
        fresh.id = m->enrollment = mdm_id_next();
        return mdm_store_enrollment_insert(m->st, &fresh);
    }
    fresh.id = m->enrollment;
    rv = mdm_drift_begun(m->st, m->enrollment);
    return rv == APR_SUCCESS ? mdm_store_enrollment_authenticate(m->st, &fresh) : rv;
}

static void answer_text(mdm_message_t *m, const char *key, const char *text)
{
    mdm_plist_t *dict = mdm_plist_dict(m->st->ctx->pool);

    mdm_plist_set_string(dict, key, text, m->st->ctx->pool);
    m->answer = dict;
}

static apr_status_t admit(mdm_message_t *m, const char *user)
{
    apr_pool_t *p = m->st->ctx->pool;
    unsigned char random[AUTH_TOKEN_LEN];
    const char *token;
    apr_status_t rv = mdm_random(random, sizeof(random));

    if (rv != APR_SUCCESS)
        return mdm_fail(m->st->ctx, rv, "no random bytes for an AuthToken");
    token = mdm_base64url_encode((mdm_bytes_t){ random, sizeof(random) }, p);
    mdm_cleanse(random, sizeof(random));
    if ((rv = mdm_checkin_open_channel(m)) == APR_SUCCESS)
        rv = mdm_store_auth_token_set(m->st, m->enrollment, mdm_sha256_hex(mdm_bytes_of(token), p));
    if (rv == APR_SUCCESS)
        rv = mdm_message_event(m, "user.authenticated", user);
    answer_text(m, "AuthToken", token);
    return rv;
}

static apr_status_t answer_digest(mdm_message_t *m, const char *response)
{
    mdm_ctx_t *ctx = m->st->ctx;
    const char *user;

    if (!response) {
        const char *challenge = mdm_user_digest_challenge(ctx, m->site, m->device->enrollment_id);

        answer_text(m, "DigestChallenge", challenge);
        return challenge ? APR_SUCCESS : mdm_fail(ctx, MDM_ECRYPTO, "no nonce could be made for UserAuthenticate");
    }
    if (mdm_user_digest_verify(&user, ctx, m->site, m->device->enrollment_id, response))
        return admit(m, user);
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0830) "refused a network user of %s: wrong name or password, "
            "or the challenge is too old", m->device->enrollment_id);
    answer_text(m, "AuthToken", "");
    return mdm_message_event(m, "user.refused", NULL);
}

apr_status_t mdm_checkin_user_authenticate(mdm_message_t *m)
{
    const char *response = mdm_message_text(m, "DigestResponse");
    apr_status_t rv;

    if (!mdm_message_is_user(m))
        return mdm_fail(m->st->ctx, MDM_EINPUT, "UserAuthenticate names no user");
    if (!is_live(m)) {
        mdm_enrollment_t fresh = { 0 };

        /* Nobody learns anything who may not speak for this device. */
        if ((rv = fresh_user(&fresh, m)) != APR_SUCCESS)
            return rv;
    }
    switch (m->site->user_authenticate) {
    case MDM_USER_AUTHENTICATE_DIGEST:
        return answer_digest(m, response);
    case MDM_USER_AUTHENTICATE_ZERO_LENGTH:
        if (response)
            return APR_SUCCESS;
        answer_text(m, "DigestChallenge", "");
        if ((rv = mdm_checkin_open_channel(m)) != APR_SUCCESS)
            return rv;
        return mdm_store_auth_token_set(m->st, m->enrollment, NULL);
    default:
        return mdm_fail(m->st->ctx, MDM_EGONE, "network users are not managed");
    }
}
