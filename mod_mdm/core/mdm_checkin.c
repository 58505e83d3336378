/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check-in endpoint. Authenticate binds a certificate to an enrollment; TokenUpdate makes it reachable;
 * CheckOut ends it. Called by the mdm-checkin handler, any thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_checkin.h"
#include "mdm_crl.h"
#include "mdm_identity.h"
#include "mdm_session.h"

#define TOPIC_PREFIX "com.apple.mgmt."

typedef struct {
    mdm_store_t *st;
    const mdm_site_t *site;
    const mdm_device_t *device;
    const mdm_connect_row_t *row;
    apr_int64_t enrollment;
    int wake;
} message_t;

typedef apr_status_t message_fn(message_t *m);

static const char *text_of(const message_t *m, const char *key)
{
    return mdm_plist_get_string(m->device->message, key);
}

static int is_user_channel(const message_t *m)
{
    return strcmp(m->device->enrollment_id, m->device->device_id) != 0;
}

static apr_status_t event(message_t *m, const char *kind, const char *detail)
{
    return mdm_store_event(m->st, kind, m->row->certificate_user, m->device->source, m->device->enrollment_id,
                           m->row->serial, detail);
}

static mdm_crl_cause_t cause(const message_t *m)
{
    mdm_crl_cause_t c = { m->enrollment, m->device->enrollment_id, m->row->certificate_user, m->device->source };

    return c;
}

static void describe(mdm_enrollment_t *e, const message_t *m)
{
    e->enrollment_id = m->device->enrollment_id;
    e->type = m->device->type;
    e->state = MDM_STATE_PENDING;
    e->topic = text_of(m, "Topic");
    e->serial_number = text_of(m, "SerialNumber");
    e->model = text_of(m, "Model");
    e->model_name = text_of(m, "ModelName");
    e->device_name = text_of(m, "DeviceName");
    e->product_name = text_of(m, "ProductName");
    e->os_version = text_of(m, "OSVersion");
    e->build_version = text_of(m, "BuildVersion");
    e->imei = text_of(m, "IMEI");
    e->meid = text_of(m, "MEID");
    e->user_short_name = m->device->user_short_name;
    e->user_long_name = m->device->user_long_name;
}

/*
 * A certificate that its owner got for one device can be presented with another device's UDID, which is
 * no secret. So an enrollment in force passes to another person's certificate only after its own has
 * been revoked or has expired.
 */
static apr_status_t may_take_over(message_t *m, const mdm_enrollment_t *old)
{
    mdm_certificate_t *current;
    apr_status_t rv;

    if (old->state != MDM_STATE_ENROLLED || m->row->bound_to || !old->certificate || !old->user
        || !m->row->certificate_user || !strcmp(old->user, m->row->certificate_user))
        return APR_SUCCESS;
    rv = mdm_store_certificate_by_fingerprint(&current, m->st, old->certificate);
    if (rv != APR_SUCCESS && rv != MDM_ENOTFOUND)
        return rv;
    if (rv == MDM_ENOTFOUND || current->revoked_at || current->not_after <= mdm_ctx_now(m->st->ctx)) {
        mdm_ctx_clear(m->st->ctx);
        return APR_SUCCESS;
    }
    return mdm_device_refuse(m->st->ctx, m->device,
                             apr_psprintf(m->st->ctx->pool, "the device is enrolled by another person: "
                                          "revoke certificate %s to let it enroll anew", current->serial));
}

/* A renewed identity is bound before its first use: this is the same enrollment then, and loses nothing. */
static int is_renewal(const message_t *m, const mdm_enrollment_t *old)
{
    return (old->state == MDM_STATE_ENROLLED || old->state == MDM_STATE_MISSING) && m->row->bound_to == old->id && old->certificate
        && strcmp(old->certificate, m->device->fingerprint) != 0;
}

static apr_status_t authenticate_again(message_t *m, mdm_enrollment_t *fresh)
{
    mdm_enrollment_t *old;
    apr_status_t rv = mdm_store_enrollment_get(&old, m->st, m->device->enrollment_id);

    if (rv != APR_SUCCESS || (rv = may_take_over(m, old)) != APR_SUCCESS)
        return rv;
    fresh->id = m->enrollment = old->id;
    if (is_renewal(m, old))
        return event(m, "enrollment.renewing", NULL);
    if ((rv = mdm_store_queue_cancel(m->st, old->id, "\"the device has enrolled anew\"")) != APR_SUCCESS
        || (rv = mdm_store_enrollment_reset_users(m->st, old->id)) != APR_SUCCESS
        || (rv = mdm_store_enrollment_authenticate(m->st, fresh)) != APR_SUCCESS)
        return rv;
    return m->row->bound_to ? APR_SUCCESS
                            : mdm_store_certificate_bind(m->st, m->device->fingerprint, old->id);
}

static apr_status_t authenticate(message_t *m)
{
    mdm_enrollment_t fresh = { 0 };
    apr_status_t rv;

    if (is_user_channel(m))
        return mdm_fail(m->st->ctx, MDM_EINPUT, "Authenticate came on a user channel");
    describe(&fresh, m);
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
    return rv == APR_SUCCESS ? event(m, "enrollment.authenticated", fresh.serial_number) : rv;
}

/* The first word on a user channel: its enrollment hangs below the device's, whose certificate it shares. */
static apr_status_t add_user_channel(message_t *m)
{
    mdm_connect_row_t *device_row;
    mdm_enrollment_t fresh = { 0 };
    apr_status_t rv = mdm_store_connect(&device_row, m->st, m->device->fingerprint, m->device->device_id,
                                        NULL, 1);

    if (rv != APR_SUCCESS || (rv = mdm_device_judge(m->st->ctx, m->device, device_row, 0)) != APR_SUCCESS)
        return rv;
    if (device_row->state != MDM_STATE_ENROLLED)
        return mdm_device_refuse(m->st->ctx, m->device, "the device of this user channel is not enrolled");
    describe(&fresh, m);
    fresh.id = m->enrollment = mdm_id_next();
    fresh.parent = device_row->enrollment;
    fresh.user = device_row->certificate_user;
    fresh.certificate = m->device->fingerprint;
    fresh.created_at = mdm_ctx_now(m->st->ctx);
    return mdm_store_enrollment_insert(m->st, &fresh);
}

static apr_status_t read_tokens(mdm_tokens_t *tokens, const message_t *m)
{
    memset(tokens, 0, sizeof(*tokens));
    tokens->topic = text_of(m, "Topic");
    tokens->push_magic = text_of(m, "PushMagic");
    tokens->certificate = m->device->fingerprint;
    if (!tokens->topic || !tokens->push_magic || !*tokens->push_magic
        || !mdm_plist_get_data(&tokens->push_token, m->device->message, "Token") || !tokens->push_token.len)
        return mdm_fail(m->st->ctx, MDM_EINPUT, "TokenUpdate lacks Topic, PushMagic or Token");
    if (!is_user_channel(m))
        mdm_plist_get_data(&tokens->unlock_token, m->device->message, "UnlockToken");
    return APR_SUCCESS;
}

/* A device that goes on with its identity replaces none: least of all a renewed one it has yet to use. */
static int keeps_identity(const message_t *m)
{
    return (m->row->state == MDM_STATE_ENROLLED || m->row->state == MDM_STATE_MISSING) && m->row->certificate
        && !strcmp(m->row->certificate, m->device->fingerprint);
}

static apr_status_t token_update(message_t *m)
{
    mdm_tokens_t tokens;
    apr_status_t rv = read_tokens(&tokens, m);

    if (rv != APR_SUCCESS)
        return rv;
    if (m->row->state >= MDM_STATE_LEFT && m->row->state != MDM_STATE_MISSING)
        return mdm_device_refuse(m->st->ctx, m->device,
                                 "the device is not managed any more, it has to enroll");
    if (!m->enrollment && (rv = add_user_channel(m)) != APR_SUCCESS)
        return rv;
    if ((rv = mdm_store_enrollment_token_update(m->st, m->enrollment, &tokens)) != APR_SUCCESS)
        return rv;
    if (!is_user_channel(m) && !keeps_identity(m)) {
        mdm_crl_cause_t why = cause(m);

        rv = mdm_crl_supersede(m->st, &why, m->device->fingerprint);
        if (rv == APR_SUCCESS)
            rv = mdm_store_renewal_forget(m->st, m->enrollment);
        if (rv == APR_SUCCESS && m->row->state == MDM_STATE_ENROLLED)
            rv = event(m, "enrollment.renewed", NULL);
    }
    if (rv == APR_SUCCESS && m->row->next) {
        m->wake = 1;
        rv = mdm_store_push_want_one(m->st, m->enrollment, mdm_ctx_now(m->st->ctx));
    }
    if (rv == APR_SUCCESS && m->row->state != MDM_STATE_ENROLLED) {
        rv = event(m, m->row->state == MDM_STATE_MISSING ? "enrollment.returned" : "enrollment.enrolled", NULL);
        if (rv == APR_SUCCESS && m->row->certificate_session && !is_user_channel(m))
            rv = mdm_store_session_done(m->st, m->row->certificate_session, m->enrollment);
    }
    return rv;
}

static apr_status_t check_out(message_t *m)
{
    mdm_crl_cause_t why = cause(m);
    apr_status_t rv;

    if (m->row->state == MDM_STATE_LEFT)
        return APR_SUCCESS;
    rv = mdm_store_queue_cancel(m->st, m->enrollment, "\"the device has checked out\"");
    if (rv == APR_SUCCESS)
        rv = mdm_store_enrollment_close(m->st, m->enrollment, MDM_STATE_LEFT);
    if (rv == APR_SUCCESS && !is_user_channel(m))
        rv = mdm_crl_revoke_enrollment(m->st, &why, "cessationOfOperation");
    if (rv == APR_SUCCESS && !is_user_channel(m))
        rv = mdm_store_renewal_forget(m->st, m->enrollment);
    return rv == APR_SUCCESS ? event(m, "enrollment.left", NULL) : rv;
}

static apr_status_t user_authenticate(message_t *m)
{
    return mdm_fail(m->st->ctx, MDM_EGONE, "network users are not managed");
}

static const struct {
    const char *type;
    message_fn *handle;
    int may_be_unbound;     /* the message may come with a certificate nobody has used yet */
    int may_be_new;         /* the enrollment need not exist */
} messages[] = {
    { "Authenticate", authenticate, 1, 1 },
    { "TokenUpdate", token_update, 0, 0 },
    { "CheckOut", check_out, 0, 0 },
    { "UserAuthenticate", user_authenticate, 0, 1 },
};

#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

typedef struct {
    message_t m;
    apr_size_t index;
} work_t;

/* Its first CheckOut revoked the certificate, and the answer to it may have been lost. */
static int repeats_checkout(const work_t *w)
{
    const mdm_connect_row_t *row = w->m.row;

    return messages[w->index].handle == check_out && row->state == MDM_STATE_LEFT && row->enrollment
        && row->bound_to == row->enrollment;
}

static apr_status_t judge(const work_t *w)
{
    const message_t *m = &w->m;

    if (repeats_checkout(w)) {
        mdm_connect_row_t row = *m->row;

        row.revoked_at = 0;
        return mdm_device_judge(m->st->ctx, m->device, &row, 0);
    }

    /* Of a new user channel only the certificate can be judged here; add_user_channel does the rest. */
    if (!m->row->enrollment && is_user_channel(m)) {
        mdm_connect_row_t row = *m->row;

        row.enrollment = row.bound_to;
        return mdm_device_judge(m->st->ctx, m->device, &row, 0);
    }
    return mdm_device_judge(m->st->ctx, m->device, m->row, messages[w->index].may_be_unbound);
}

static apr_status_t work(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    message_t *m = &w->m;
    mdm_connect_row_t *row;
    apr_status_t rv;

    (void)db;
    rv = mdm_store_connect(&row, m->st, m->device->fingerprint, m->device->enrollment_id, NULL, 0);
    if (rv == APR_SUCCESS)
        rv = mdm_identity_meet(&row, m->st, m->site, m->device, NULL, 0);
    if (rv != APR_SUCCESS)
        return rv;
    m->row = row;
    m->enrollment = row->enrollment;
    if ((rv = judge(w)) != APR_SUCCESS)
        return rv;
    if (!row->enrollment && !messages[w->index].may_be_new && !is_user_channel(m))
        return mdm_device_refuse(m->st->ctx, m->device, "there is no such enrollment");
    return messages[w->index].handle(m);
}

apr_status_t mdm_checkin_handle(mdm_checkin_answer_t *answer, mdm_store_t *st, const mdm_site_t *site,
                                mdm_bytes_t body, const mdm_caller_t *caller)
{
    work_t w = { { st, site, NULL, NULL, 0, 0 }, 0 };
    mdm_device_t *device;
    const char *type;
    apr_status_t rv = mdm_device_read(&device, st->ctx, body, caller);

    if (rv != APR_SUCCESS)
        return rv;
    type = mdm_plist_get_string(device->message, "MessageType");
    memset(answer, 0, sizeof(*answer));
    if (!type)
        return mdm_fail(st->ctx, MDM_EINPUT, "the message has no MessageType");
    while (w.index < MESSAGES && strcmp(messages[w.index].type, type))
        w.index++;
    if (w.index == MESSAGES)
        return mdm_fail(st->ctx, MDM_EINPUT, "this MessageType is not known here");
    w.m.device = device;
    rv = mdm_db_transact(st->db, work, &w);
    if (rv == APR_SUCCESS)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0230) "%s of %s, certificate %s", type,
                device->enrollment_id, w.m.row->serial);
    answer->enrollment = w.m.enrollment;
    answer->wake = w.m.wake;
    return rv;
}
