/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an enrollment begins, becomes reachable and ends: Authenticate binds a certificate to it, TokenUpdate makes it
 * reachable, CheckOut ends it. Called by mdm_checkin_handle within its transaction, any thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_checkin_message.h"
#include "mdm_crl.h"
#include "mdm_drift.h"
#include "mdm_session.h"
#include "mdm_store_change.h"

#define TOPIC_PREFIX "com.apple.mgmt."

static mdm_crl_cause_t cause(const mdm_message_t *m)
{
    mdm_crl_cause_t c = { m->enrollment, m->device->enrollment_id, m->row->certificate_user, m->device->source };

    return c;
}

/* A renewed identity is bound before its first use: this is the same enrollment then, and loses nothing. */
static int is_renewal(const mdm_message_t *m, const mdm_enrollment_t *old)
{
    return (old->state == MDM_STATE_ENROLLED || old->state == MDM_STATE_MISSING) && m->row->bound_to == old->id
        && old->certificate && strcmp(old->certificate, m->device->fingerprint) != 0;
}

static apr_status_t authenticate_again(mdm_message_t *m, mdm_enrollment_t *fresh)
{
    mdm_enrollment_t *old;
    apr_status_t rv = mdm_store_enrollment_get(&old, m->st, m->device->enrollment_id);

    if (rv != APR_SUCCESS || (rv = mdm_checkin_may_take_over(m, old)) != APR_SUCCESS)
        return rv;
    fresh->id = m->enrollment = old->id;
    if (is_renewal(m, old))
        return mdm_message_event(m, "enrollment.renewing", NULL);
    if ((rv = mdm_drift_pause(m->st)) != APR_SUCCESS
        || (rv = mdm_store_queue_cancel(m->st, old->id, "\"the device has enrolled anew\"")) != APR_SUCCESS
        || (rv = mdm_store_facts_forget(m->st, old->id)) != APR_SUCCESS
        || (rv = mdm_drift_begun(m->st, old->id)) != APR_SUCCESS
        || (rv = mdm_store_enrollment_reset_users(m->st, old->id, fresh->user)) != APR_SUCCESS
        || (rv = mdm_store_enrollment_authenticate(m->st, fresh)) != APR_SUCCESS)
        return rv;
    return m->row->bound_to ? APR_SUCCESS
                            : mdm_store_certificate_bind(m->st, m->device->fingerprint, old->id);
}

apr_status_t mdm_checkin_authenticate(mdm_message_t *m)
{
    mdm_enrollment_t fresh = { 0 };
    apr_status_t rv;

    if (mdm_message_is_user(m))
        return mdm_fail(m->st->ctx, MDM_EINPUT, "Authenticate came on a user channel");
    mdm_message_describe(&fresh, m);
    if (!fresh.topic || strncmp(fresh.topic, TOPIC_PREFIX, strlen(TOPIC_PREFIX)))
        return mdm_fail(m->st->ctx, MDM_EINPUT, "Authenticate lacks a Topic that starts with " TOPIC_PREFIX);
    if (!m->row->bound_to && m->row->certificate_session
        && (rv = mdm_session_admit(m->st, m->row->certificate_session, m->device->fingerprint,
                                   m->device->device_id, fresh.serial_number)) != APR_SUCCESS)
        return rv;
    fresh.user = m->row->certificate_user;
    fresh.certificate = m->device->fingerprint;
    fresh.created_at = mdm_ctx_now(m->st->ctx);
    if (m->row->enrollment) {
        rv = authenticate_again(m, &fresh);
    } else {
        fresh.id = m->enrollment = mdm_id_next();
        rv = mdm_store_enrollment_insert(m->st, &fresh);
        if (rv == APR_SUCCESS)
            rv = mdm_store_certificate_bind(m->st, m->device->fingerprint, fresh.id);
    }
    return rv == APR_SUCCESS ? mdm_message_event(m, "enrollment.authenticated", fresh.serial_number) : rv;
}

static apr_status_t read_tokens(mdm_tokens_t *tokens, const mdm_message_t *m)
{
    memset(tokens, 0, sizeof(*tokens));
    tokens->topic = mdm_message_text(m, "Topic");
    tokens->push_magic = mdm_message_text(m, "PushMagic");
    tokens->certificate = m->device->fingerprint;
    if (!tokens->topic || !tokens->push_magic || !*tokens->push_magic
        || !mdm_plist_get_data(&tokens->push_token, m->device->message, "Token") || !tokens->push_token.len)
        return mdm_fail(m->st->ctx, MDM_EINPUT, "TokenUpdate lacks Topic, PushMagic or Token");
    tokens->awaiting_configuration = mdm_plist_get_boolean(m->device->message, "AwaitingConfiguration", 0);
    return mdm_message_is_user(m) ? APR_SUCCESS
                                  : mdm_device_data(&tokens->unlock_token, m->st->ctx, m->device, "UnlockToken");
}

/* A device that goes on with its identity replaces none: least of all a renewed one it has yet to use. */
static int keeps_identity(const mdm_message_t *m)
{
    return (m->row->state == MDM_STATE_ENROLLED || m->row->state == MDM_STATE_MISSING) && m->row->certificate
        && !strcmp(m->row->certificate, m->device->fingerprint);
}

/* Devices report their topic whatever we hold; without its certificate they are never woken. */
static apr_status_t begin(mdm_message_t *m, const mdm_tokens_t *tokens)
{
    int returns = m->row->state == MDM_STATE_MISSING;
    mdm_push_topic_t *topic;
    apr_status_t rv = mdm_store_push_topic_get(&topic, m->st, tokens->topic);

    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(m->st->ctx);
        mdm_log(m->st->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0831) "%s can not be woken: there is no push "
                "certificate for its topic %.100s, upload it", m->device->enrollment_id, tokens->topic);
    } else if (rv != APR_SUCCESS) {
        return rv;
    }
    if (returns && (rv = mdm_drift_returned(m->st, m->enrollment)) != APR_SUCCESS)
        return rv;
    if ((rv = mdm_store_recheck(m->st, m->enrollment)) != APR_SUCCESS)
        return rv;
    m->wake = 1;
    return mdm_message_event(m, returns ? "enrollment.returned" : "enrollment.enrolled", NULL);
}

/* A user channel has no Authenticate: this is its first word, also after it checked out. */
static int begins_channel(const mdm_message_t *m)
{
    return mdm_message_is_user(m) && (!m->enrollment || m->row->state == MDM_STATE_LEFT);
}

apr_status_t mdm_checkin_token_update(mdm_message_t *m)
{
    mdm_tokens_t tokens;
    apr_status_t rv = read_tokens(&tokens, m);

    if (rv != APR_SUCCESS)
        return rv;
    if (begins_channel(m))
        rv = mdm_checkin_open_channel(m);
    else if (m->row->state >= MDM_STATE_LEFT && m->row->state != MDM_STATE_MISSING)
        rv = mdm_device_refuse(m->st->ctx, m->device, "the device is not managed any more, it has to enroll");
    if (rv != APR_SUCCESS)
        return rv;
    if ((rv = mdm_store_enrollment_token_update(m->st, m->enrollment, &tokens)) != APR_SUCCESS)
        return rv;
    if (!mdm_message_is_user(m) && !keeps_identity(m)) {
        mdm_crl_cause_t why = cause(m);

        rv = mdm_crl_supersede(m->st, &why, m->device->fingerprint);
        if (rv == APR_SUCCESS)
            rv = mdm_store_renewal_forget(m->st, m->enrollment);
        if (rv == APR_SUCCESS && m->row->state == MDM_STATE_ENROLLED)
            rv = mdm_message_event(m, "enrollment.renewed", NULL);
    }
    if (rv == APR_SUCCESS && m->row->has_work) {
        m->wake = 1;
        rv = mdm_store_push_want_one(m->st, m->enrollment, mdm_ctx_now(m->st->ctx));
    }
    if (rv == APR_SUCCESS && m->row->state != MDM_STATE_ENROLLED) {
        rv = begin(m, &tokens);
        if (rv == APR_SUCCESS && m->row->certificate_session && !mdm_message_is_user(m))
            rv = mdm_store_session_done(m->st, m->row->certificate_session, m->enrollment);
    }
    return rv;
}

apr_status_t mdm_checkin_check_out(mdm_message_t *m)
{
    mdm_crl_cause_t why = cause(m);
    apr_status_t rv;

    if (m->row->state == MDM_STATE_LEFT)
        return APR_SUCCESS;
    rv = mdm_drift_pause(m->st);
    if (rv == APR_SUCCESS)
        rv = mdm_drift_closed(m->st, m->enrollment);
    if (rv == APR_SUCCESS)
        rv = mdm_store_enrollment_close(m->st, m->enrollment, MDM_STATE_LEFT);
    if (rv == APR_SUCCESS)
        rv = mdm_store_queue_cancel(m->st, m->enrollment, "\"the device has checked out\"");
    if (rv == APR_SUCCESS && !mdm_message_is_user(m))
        rv = mdm_crl_revoke_enrollment(m->st, &why, "cessationOfOperation");
    if (rv == APR_SUCCESS && !mdm_message_is_user(m))
        rv = mdm_store_renewal_forget(m->st, m->enrollment);
    return rv == APR_SUCCESS ? mdm_message_event(m, "enrollment.left", NULL) : rv;
}

