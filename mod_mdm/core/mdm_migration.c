/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollments by hearsay. Called by the mdm-migration handler, any thread. Nothing here looks at certificates, makes
 * events for webhooks or wakes anybody.
 */
#include <string.h>

#include "mdm_migration.h"
#include "mdm_store_change.h"
#include "mdm_store_channel.h"

typedef struct {
    mdm_store_t *st;
    const mdm_device_t *device;
    const char *actor, *source;
} message_t;

typedef apr_status_t message_fn(message_t *m);

static int is_user_channel(const message_t *m)
{
    return strcmp(m->device->enrollment_id, m->device->device_id) != 0;
}

static apr_status_t find(mdm_enrollment_t **e, message_t *m, const char *enrollment_id)
{
    apr_status_t rv = mdm_store_enrollment_get(e, m->st, enrollment_id);

    if (rv == MDM_ENOTFOUND) {
        *e = NULL;
        mdm_ctx_clear(m->st->ctx);
        return APR_SUCCESS;
    }
    return rv;
}

static void describe(mdm_enrollment_t *e, const message_t *m)
{
    mdm_device_describe(e, m->device->message);
    e->enrollment_id = m->device->enrollment_id;
    e->type = m->device->type;
    e->state = MDM_STATE_PENDING;
    e->user_short_name = m->device->user_short_name;
    e->user_long_name = m->device->user_long_name;
    e->created_at = mdm_ctx_now(m->st->ctx);
}

static apr_status_t authenticate(message_t *m)
{
    mdm_enrollment_t fresh = { 0 }, *old;
    apr_status_t rv = find(&old, m, m->device->enrollment_id);

    if (rv != APR_SUCCESS || (old && old->state == MDM_STATE_ENROLLED))
        return rv;
    describe(&fresh, m);
    fresh.id = old ? old->id : mdm_id_next();
    fresh.user = old ? old->user : NULL;
    rv = old ? mdm_store_enrollment_authenticate(m->st, &fresh) : mdm_store_enrollment_insert(m->st, &fresh);
    return rv != APR_SUCCESS ? rv : mdm_store_event(m->st, "enrollment.imported", m->actor, m->source,
                                                    fresh.enrollment_id, fresh.serial_number, NULL);
}

static apr_status_t add_user_channel(mdm_enrollment_t **made, message_t *m)
{
    mdm_enrollment_t *e = apr_pcalloc(m->st->ctx->pool, sizeof(*e)), *device;
    apr_status_t rv = mdm_store_enrollment_get(&device, m->st, m->device->device_id);

    if (rv == MDM_ENOTFOUND)
        return mdm_fail(m->st->ctx, rv, "the device %s of this user channel is not here yet", m->device->device_id);
    if (rv != APR_SUCCESS)
        return rv;
    describe(e, m);
    e->id = mdm_id_next();
    e->parent = device->id;
    e->user = device->user;
    e->certificate = device->certificate;
    *made = e;
    return mdm_store_enrollment_insert(m->st, e);
}

static apr_status_t find_or_add(mdm_enrollment_t **e, message_t *m)
{
    apr_status_t rv = find(e, m, m->device->enrollment_id);

    if (rv != APR_SUCCESS || *e)
        return rv;
    if (is_user_channel(m))
        return add_user_channel(e, m);
    return mdm_fail(m->st->ctx, MDM_ENOTFOUND, "Authenticate of %s has to come first", m->device->enrollment_id);
}

static apr_status_t token_update(message_t *m)
{
    mdm_tokens_t tokens = { 0 };
    mdm_enrollment_t *e;
    apr_status_t rv;

    tokens.topic = mdm_plist_get_string(m->device->message, "Topic");
    tokens.push_magic = mdm_plist_get_string(m->device->message, "PushMagic");
    if (!tokens.topic || !tokens.push_magic || !*tokens.push_magic
        || !mdm_plist_get_data(&tokens.push_token, m->device->message, "Token") || !tokens.push_token.len)
        return mdm_fail(m->st->ctx, MDM_EINPUT, "TokenUpdate lacks Topic, PushMagic or Token");
    if (!is_user_channel(m)
        && (rv = mdm_device_data(&tokens.unlock_token, m->st->ctx, m->device, "UnlockToken")) != APR_SUCCESS)
        return rv;
    if ((rv = find_or_add(&e, m)) != APR_SUCCESS)
        return rv;
    rv = mdm_store_enrollment_token_update(m->st, e->id, &tokens);
    return rv == APR_SUCCESS ? mdm_store_recheck(m->st, e->id) : rv;
}

static apr_status_t set_bootstrap_token(message_t *m)
{
    mdm_bytes_t token;
    mdm_enrollment_t *e;
    apr_status_t rv = mdm_device_data(&token, m->st->ctx, m->device, "BootstrapToken");

    if (rv == APR_SUCCESS)
        rv = find_or_add(&e, m);
    return rv == APR_SUCCESS ? mdm_store_bootstrap_token_set(m->st, e->id, token) : rv;
}

static apr_status_t check_out(message_t *m)
{
    mdm_enrollment_t *e;
    apr_status_t rv = find(&e, m, m->device->enrollment_id);

    if (rv != APR_SUCCESS || !e || e->state >= MDM_STATE_LEFT)
        return rv;
    rv = mdm_store_queue_cancel(m->st, e->id, "\"the device has checked out of the server it came from\"");
    return rv == APR_SUCCESS ? mdm_store_enrollment_close(m->st, e->id, MDM_STATE_LEFT) : rv;
}

static apr_status_t ignore(message_t *m)
{
    (void)m;
    return APR_SUCCESS;
}

static const struct {
    const char *type;
    message_fn *handle;
} messages[] = {
    { "Authenticate", authenticate },
    { "TokenUpdate", token_update },
    { "SetBootstrapToken", set_bootstrap_token },
    { "CheckOut", check_out },
    { "UserAuthenticate", ignore },
    { "GetBootstrapToken", ignore },
    { "DeclarativeManagement", ignore },
    { "GetToken", ignore },
};

#define MESSAGES (sizeof(messages) / sizeof(messages[0]))

typedef struct {
    message_t m;
    message_fn *handle;
} work_t;

static apr_status_t work(void *baton, mdm_db_t *db)
{
    work_t *w = baton;

    (void)db;
    return w->handle(&w->m);
}

apr_status_t mdm_migration_take(mdm_store_t *st, mdm_bytes_t body, const char *actor, const char *source)
{
    mdm_caller_t caller = { 0 };
    work_t w = { { st, NULL, actor, source }, NULL };
    mdm_device_t *device;
    const char *type;
    apr_size_t i;
    apr_status_t rv;

    caller.source = source;
    if ((rv = mdm_device_read(&device, st->ctx, body, &caller)) != APR_SUCCESS)
        return rv;
    type = mdm_plist_get_string(device->message, "MessageType");
    for (i = 0; type && i < MESSAGES && !w.handle; i++) {
        if (!strcmp(messages[i].type, type))
            w.handle = messages[i].handle;
    }
    if (!w.handle)
        return mdm_fail(st->ctx, MDM_EINPUT, "the message has no MessageType that is known here");
    w.m.device = device;
    rv = mdm_db_transact(st->db, work, &w);
    if (rv == APR_SUCCESS)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0961) "%s of %s taken over for %s", type,
                device->enrollment_id, actor);
    return rv;
}
