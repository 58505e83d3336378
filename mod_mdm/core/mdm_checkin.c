/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check-in endpoint: which message it is, whether its sender may send it, and its answer. What each message does is
 * in mdm_checkin_*.c. Called by the mdm-checkin handler, any thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_checkin.h"
#include "mdm_checkin_message.h"
#include "mdm_identity.h"
#include "mdm_webhook.h"

#define TYPE_SHOWN 64

const char *mdm_message_text(const mdm_message_t *m, const char *key)
{
    return mdm_plist_get_string(m->device->message, key);
}

int mdm_message_is_user(const mdm_message_t *m)
{
    return strcmp(m->device->enrollment_id, m->device->device_id) != 0;
}

apr_status_t mdm_message_event(mdm_message_t *m, const char *kind, const char *detail)
{
    return mdm_store_event(m->st, kind, m->row->certificate_user, m->device->source, m->device->enrollment_id,
                           m->row->serial, detail);
}

void mdm_message_describe(mdm_enrollment_t *e, const mdm_message_t *m)
{
    mdm_device_describe(e, m->device->message);
    e->enrollment_id = m->device->enrollment_id;
    e->type = m->device->type;
    e->state = MDM_STATE_PENDING;
    e->user_short_name = m->device->user_short_name;
    e->user_long_name = m->device->user_long_name;
}

static const struct {
    const char *type;
    mdm_message_fn *handle;
    int may_be_unbound;     /* the message may come with a certificate nobody has used yet */
    enum { KNOWN, NEW_USER, NEW_DEVICE } may_be_new;    /* of which channel the enrollment need not exist */
    int may_be_over;        /* the enrollment need not be in force: the message itself judges that */
} messages[] = {
    { "Authenticate", mdm_checkin_authenticate, 1, NEW_DEVICE, 1 },
    { "TokenUpdate", mdm_checkin_token_update, 0, NEW_USER, 1 },
    { "CheckOut", mdm_checkin_check_out, 0, KNOWN, 1 },
    { "UserAuthenticate", mdm_checkin_user_authenticate, 0, NEW_USER, 1 },
    { "SetBootstrapToken", mdm_checkin_set_bootstrap_token, 0, KNOWN, 0 },
    { "GetBootstrapToken", mdm_checkin_get_bootstrap_token, 0, KNOWN, 0 },
    { "GetToken", mdm_checkin_get_token, 0, KNOWN, 0 },
    { "DeclarativeManagement", mdm_checkin_declarative, 0, KNOWN, 0 },
    { "ReturnToService", mdm_checkin_return_to_service, 0, KNOWN, 0 },
};

#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

typedef struct {
    mdm_message_t m;
    apr_size_t index;
    const char *topic;              /* of the event for webhooks; NULL: nobody wants it */
    int believed, queued;           /* the certificate may speak; an event has been queued */
} work_t;

/* Its first CheckOut revoked the certificate, and the answer to it may have been lost. */
static int repeats_checkout(const work_t *w)
{
    const mdm_connect_row_t *row = w->m.row;

    return messages[w->index].handle == mdm_checkin_check_out && row->state == MDM_STATE_LEFT && row->enrollment
        && row->bound_to == row->enrollment;
}

static apr_status_t judge(const work_t *w)
{
    const mdm_message_t *m = &w->m;

    if (repeats_checkout(w)) {
        mdm_connect_row_t row = *m->row;

        row.revoked_at = 0;
        return mdm_device_judge(m->st->ctx, m->device, &row, 0);
    }
    if (messages[w->index].handle == mdm_checkin_user_authenticate) {
        mdm_connect_row_t row = *m->row;

        /* It asks for the AuthToken that other messages have to show. */
        row.auth_token = NULL;
        row.enrollment = row.enrollment ? row.enrollment : row.bound_to;
        return mdm_device_judge(m->st->ctx, m->device, &row, 0);
    }
    /* Of a new user channel only the certificate can be judged here; mdm_checkin_open_channel does the rest. */
    if (!m->row->enrollment && mdm_message_is_user(m)) {
        mdm_connect_row_t row = *m->row;

        row.enrollment = row.bound_to;
        return mdm_device_judge(m->st->ctx, m->device, &row, 0);
    }
    return mdm_device_judge(m->st->ctx, m->device, m->row, messages[w->index].may_be_unbound);
}

static int may_begin(const work_t *w)
{
    int user = mdm_message_is_user(&w->m);

    /* Authenticate says itself what is wrong with it on a user channel. */
    return messages[w->index].may_be_new == NEW_DEVICE || (messages[w->index].may_be_new == NEW_USER && user);
}

static apr_status_t note(work_t *w, apr_int64_t enrollment)
{
    mdm_webhook_event_t event = { w->topic, w->m.device, enrollment };

    return mdm_webhook_note(&w->queued, w->m.st, w->m.site, &event);
}

static apr_status_t work(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    mdm_message_t *m = &w->m;
    mdm_connect_row_t *row;
    apr_status_t rv;

    (void)db;
    rv = mdm_store_checkin(&row, m->st, m->device->fingerprint, m->device->enrollment_id);
    if (rv == APR_SUCCESS)
        rv = mdm_identity_meet(&row, m->st, m->site, m->device, NULL, 0);
    if (rv != APR_SUCCESS)
        return rv;
    m->row = row;
    m->enrollment = row->enrollment;
    if ((rv = judge(w)) != APR_SUCCESS)
        return rv;
    if (!row->enrollment && !may_begin(w))
        return mdm_device_refuse(m->st->ctx, m->device, "there is no such enrollment");
    if (row->state >= MDM_STATE_LEFT && !messages[w->index].may_be_over)
        return mdm_device_refuse(m->st->ctx, m->device, "the device is not managed any more, it has to enroll");
    w->believed = 1;
    rv = messages[w->index].handle(m);
    return rv == APR_SUCCESS && w->topic ? note(w, m->enrollment) : rv;
}

/* A message that could not be obeyed is told all the same, after its own transaction is undone. */
static apr_status_t note_failure(work_t *w, apr_status_t failure)
{
    mdm_ctx_t *ctx = w->m.st->ctx;
    mdm_ctx_t kept = *ctx;
    apr_status_t rv;

    if (!w->topic || !w->believed || failure == MDM_EDB)
        return failure;
    rv = note(w, 0);
    if (rv != APR_SUCCESS)
        return rv;
    ctx->status = kept.status;
    ctx->detail = kept.detail;
    return failure;
}

/* What it says goes into the log: short, and without what could be mistaken for something else. */
static const char *shown(const char *type, apr_pool_t *p)
{
    char *text = apr_pstrndup(p, type, TYPE_SHOWN), *c;

    for (c = text; *c; c++) {
        if (*c <= ' ' || *c > '~')
            *c = '?';
    }
    return text;
}

static apr_status_t find(work_t *w, const mdm_device_t *device)
{
    mdm_ctx_t *ctx = w->m.st->ctx;
    const char *type = mdm_plist_get_string(device->message, "MessageType");

    if (!type)
        return mdm_fail(ctx, MDM_EINPUT, "the message has no MessageType");
    while (w->index < MESSAGES && strcmp(messages[w->index].type, type))
        w->index++;
    if (w->index == MESSAGES)
        return mdm_fail(ctx, MDM_EINPUT, "the MessageType \"%s\" is not known here", shown(type, ctx->pool));
    w->m.device = device;
    return APR_SUCCESS;
}

apr_status_t mdm_checkin_handle(mdm_checkin_answer_t *answer, mdm_store_t *st, const mdm_site_t *site,
                                mdm_bytes_t body, const mdm_caller_t *caller)
{
    work_t w = { { 0 }, 0, NULL, 0, 0 };
    mdm_device_t *device;
    apr_status_t rv = mdm_device_read(&device, st->ctx, body, caller);

    memset(answer, 0, sizeof(*answer));
    w.m.st = st;
    w.m.site = site;
    if (rv != APR_SUCCESS || (rv = find(&w, device)) != APR_SUCCESS)
        return rv;
    w.topic = mdm_webhook_topic(site, messages[w.index].type);
    rv = mdm_db_transact(st->db, work, &w);
    if (rv == MDM_EDENIED)
        rv = mdm_identity_refused(st, device);
    else if (rv != APR_SUCCESS)
        rv = note_failure(&w, rv);
    if (rv == APR_SUCCESS)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0230) "%s of %s, certificate %s",
                messages[w.index].type, device->enrollment_id, w.m.row->serial);
    answer->enrollment = w.m.enrollment;
    answer->wake = w.m.wake || w.queued;
    answer->declarative = w.m.declarative;
    return rv == APR_SUCCESS && w.m.answer ? mdm_plist_write(&answer->body, st->ctx, w.m.answer) : rv;
}
