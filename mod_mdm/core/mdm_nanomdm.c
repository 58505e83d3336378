/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The import from NanoMDM. An identity is taken over as the certificate that NanoMDM bound to the device: devices
 * prove its key with each message as before, whoever issued it. Called by mdmctl alone.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_command.h"
#include "mdm_crl.h"
#include "mdm_device.h"
#include "mdm_identity.h"
#include "mdm_nanomdm.h"
#include "mdm_pki.h"
#include "mdm_pushcert.h"
#include "mdm_store_change.h"
#include "mdm_store_channel.h"
#include "mdm_store_nanomdm.h"

#define PAGE 200
#define LEFT_THERE "\"the device has left the server it came from\""
#define ENDED_THERE "\"the command has ended at the server it came from\""

typedef struct {
    mdm_store_t *st;            /* ours, for the time of one object */
    mdm_nanomdm_counts_t *counts;
    const char *actor;
    const mdm_nanomdm_enrollment_t *e;
    int known, updated, without_identity;
} import_t;

static apr_status_t push_token(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *hex)
{
    return mdm_hex_decode(out, hex, strlen(hex), ctx->pool) == APR_SUCCESS && out->len
        ? APR_SUCCESS : mdm_fail(ctx, MDM_EINPUT, "its push token is not hexadecimal");
}

/* PostgreSQL shows the bytes as "\x..."; a token that cannot be read is better left out than guessed. */
static void unlock_token(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *text)
{
    out->len = 0;
    if (!text)
        return;
    if (strncmp(text, "\\x", 2) ? mdm_base64_decode(out, text, strlen(text), ctx->pool) != APR_SUCCESS
                                : mdm_hex_decode(out, text + 2, strlen(text) - 2, ctx->pool) != APR_SUCCESS)
        out->len = 0;
}

static void describe(mdm_enrollment_t *e, mdm_ctx_t *ctx, const mdm_nanomdm_enrollment_t *from)
{
    mdm_plist_t *message;

    if (from->authenticate && mdm_plist_read(&message, ctx, mdm_bytes_of(from->authenticate)) == APR_SUCCESS)
        mdm_device_describe(e, message);
    else
        mdm_ctx_clear(ctx);
    e->enrollment_id = from->id;
    e->type = from->type;
    e->topic = from->topic;
    if (!e->serial_number)
        e->serial_number = from->serial_number;
    e->user_short_name = from->user_short_name;
    e->user_long_name = from->user_long_name;
    e->created_at = from->created_at;
    e->enrolled_at = from->created_at;
    e->last_seen_at = from->last_seen_at;
}

/* The certificate that the device shows. A renewal it has not used yet is not known there, and comes later. */
static apr_status_t take_identity(const char **fingerprint, mdm_store_t *st, const mdm_nanomdm_enrollment_t *from,
                                  apr_int64_t device)
{
    mdm_certificate_t row, *there;
    mdm_cert_t *cert;
    apr_status_t rv = mdm_cert_from_pem(&cert, st->ctx, mdm_bytes_of(from->identity_cert));

    if (rv != APR_SUCCESS)
        return rv;
    *fingerprint = mdm_cert_fingerprint(st->ctx, cert);
    rv = mdm_store_certificate_by_fingerprint(&there, st, *fingerprint);
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(st->ctx);
        return mdm_identity_record(&row, st, cert, MDM_IDENTITY_ISSUER_UNKNOWN, device);
    }
    return rv != APR_SUCCESS || there->enrollment == device ? rv
        : mdm_fail(st->ctx, MDM_EEXIST, "its certificate is bound to another enrollment here");
}

static apr_status_t take_tokens(mdm_store_t *st, const mdm_nanomdm_enrollment_t *from, apr_int64_t id,
                                const char *fingerprint)
{
    mdm_tokens_t tokens = { 0 };
    apr_status_t rv = push_token(&tokens.push_token, st->ctx, from->token_hex);

    if (rv != APR_SUCCESS)
        return rv;
    tokens.topic = from->topic;
    tokens.push_magic = from->push_magic;
    tokens.certificate = fingerprint;
    if (!strcmp(from->id, from->device_id))
        unlock_token(&tokens.unlock_token, st->ctx, from->unlock_token);
    return mdm_store_enrollment_token_update(st, id, &tokens);
}

static apr_status_t take_bootstrap_token(mdm_store_t *st, const mdm_nanomdm_enrollment_t *from, apr_int64_t id)
{
    mdm_bytes_t token;

    if (!from->bootstrap_token || strcmp(from->id, from->device_id))
        return APR_SUCCESS;
    if (mdm_base64_decode(&token, from->bootstrap_token, strlen(from->bootstrap_token), st->ctx->pool) != APR_SUCCESS)
        return mdm_fail(st->ctx, MDM_EINPUT, "its bootstrap token is not base64");
    return mdm_store_bootstrap_token_set(st, id, token);
}

/*
 * What a device or user channel is that is disabled there. Only the next Authenticate of its device disables a user
 * channel of an enabled one, so it comes back by its own TokenUpdate; a device between its two messages does, too.
 */
static mdm_state_e state_of(const mdm_nanomdm_enrollment_t *from, const mdm_enrollment_t *device)
{
    int begun = device ? device->state == MDM_STATE_ENROLLED || device->state == MDM_STATE_PENDING : from->enrolling;

    return from->enabled ? MDM_STATE_ENROLLED : begun ? MDM_STATE_PENDING : MDM_STATE_LEFT;
}

static apr_status_t place(mdm_enrollment_t *e, mdm_store_t *st, const mdm_nanomdm_enrollment_t *from)
{
    mdm_enrollment_t *device = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (strcmp(from->id, from->device_id))
        rv = mdm_store_enrollment_get(&device, st, from->device_id);
    if (rv == APR_SUCCESS) {
        e->parent = device ? device->id : 0;
        e->certificate = device ? device->certificate : e->certificate;
        e->state = state_of(from, device);
    }
    return rv;
}

/* An import is no new enrollment: what waits for the device goes out still, but for what end_answered ends. */
static apr_status_t put_row(mdm_store_t *st, mdm_enrollment_t *e, const mdm_enrollment_t *there)
{
    mdm_enrollment_t row = *e;

    row.state = MDM_STATE_PENDING;
    return there ? mdm_store_enrollment_replace(st, &row) : mdm_store_enrollment_insert(st, &row);
}

/* An older identity ends, and one that has left gets nothing any more. */
static apr_status_t end_the_old(mdm_store_t *st, const mdm_enrollment_t *e, const char *actor)
{
    mdm_crl_cause_t cause = { e->id, e->enrollment_id, actor, NULL };
    apr_status_t rv = APR_SUCCESS;

    if (!e->parent && e->certificate)
        rv = mdm_crl_supersede(st, &cause, e->certificate);
    if (rv == APR_SUCCESS && e->state == MDM_STATE_LEFT)
        rv = mdm_store_queue_cancel(st, e->id, LEFT_THERE);
    return rv;
}

static apr_status_t take_state(mdm_store_t *st, const mdm_nanomdm_enrollment_t *from, const mdm_enrollment_t *e)
{
    apr_status_t rv = APR_SUCCESS;

    if (e->state == MDM_STATE_ENROLLED)
        rv = take_tokens(st, from, e->id, e->certificate);
    /* rules and assignments are for it, too */
    if (rv == APR_SUCCESS && e->state == MDM_STATE_ENROLLED)
        rv = mdm_store_recheck(st, e->id);
    if (rv == APR_SUCCESS)
        rv = take_bootstrap_token(st, from, e->id);
    if (rv == APR_SUCCESS && e->state == MDM_STATE_LEFT)
        rv = mdm_store_enrollment_close(st, e->id, MDM_STATE_LEFT);
    return rv != APR_SUCCESS ? rv
        : mdm_store_enrollment_imported(st, e->id, from->token_update_tally, from->last_seen_at);
}

/* Who heard of it last knows it best: what is here and was heard of later there is brought up to date. */
static apr_status_t take_enrollment(void *baton, mdm_db_t *db)
{
    import_t *i = baton;
    mdm_store_t *st = i->st;
    mdm_enrollment_t e = { 0 }, *there = NULL;
    apr_status_t rv = mdm_store_enrollment_get(&there, st, i->e->id);

    (void)db;
    i->known = rv == APR_SUCCESS;
    i->updated = i->known && i->e->last_seen_at > there->last_seen_at;
    if ((i->known && !i->updated) || (!i->known && rv != MDM_ENOTFOUND))
        return rv;
    mdm_ctx_clear(st->ctx);
    describe(&e, st->ctx, i->e);
    e.id = i->known ? there->id : mdm_id_next();
    e.user = i->known ? there->user : NULL;
    e.certificate = i->known ? there->certificate : NULL;
    if ((rv = place(&e, st, i->e)) != APR_SUCCESS)
        return rv;
    i->without_identity = !e.parent && !i->e->identity_cert;
    if (!e.parent && i->e->identity_cert && (rv = take_identity(&e.certificate, st, i->e, e.id)) != APR_SUCCESS)
        return rv;
    if ((rv = put_row(st, &e, i->known ? there : NULL)) != APR_SUCCESS
        || (rv = take_state(st, i->e, &e)) != APR_SUCCESS
        || (i->known && (rv = end_the_old(st, &e, i->actor)) != APR_SUCCESS))
        return rv;
    return mdm_store_event(st, "enrollment.imported", i->actor, NULL, i->e->id, NULL, NULL);
}

/* What one object cannot do is said and counted; the database being away ends everything. */
static apr_status_t forgive(import_t *i, apr_status_t rv, const char *what, const char *name)
{
    if (rv == APR_SUCCESS || rv == MDM_EDB)
        return rv;
    mdm_log(i->st->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0960) "%s %s of NanoMDM is left out: %s", what, name,
            mdm_ctx_detail(i->st->ctx, rv));
    mdm_ctx_clear(i->st->ctx);
    i->counts->refused++;
    return APR_SUCCESS;
}

static apr_status_t take_one(import_t *i, const mdm_nanomdm_enrollment_t *e)
{
    apr_status_t rv;

    i->e = e;
    rv = mdm_db_transact(i->st->db, take_enrollment, i);
    if (rv == APR_SUCCESS) {
        i->counts->known += i->known;
        i->counts->updated += i->updated;
        i->counts->enrollments += !i->known;
        i->counts->left += !i->known && !e->enabled;
        i->counts->without_identity += !i->known && i->without_identity;
    }
    return forgive(i, rv, "enrollment", e->id);
}

apr_status_t mdm_nanomdm_enrollments(mdm_nanomdm_counts_t *counts, const char **cursor, mdm_store_t *st,
                                     mdm_store_t *from, const char *actor)
{
    import_t i = { st, counts, actor, NULL, 0, 0, 0 };
    apr_array_header_t *page;
    apr_status_t rv = mdm_store_nanomdm_enrollments(&page, from, *cursor, PAGE);
    int n;

    *cursor = NULL;
    for (n = 0; rv == APR_SUCCESS && n < page->nelts; n++) {
        const mdm_nanomdm_enrollment_t *e = &APR_ARRAY_IDX(page, n, mdm_nanomdm_enrollment_t);

        rv = take_one(&i, e);
        *cursor = page->nelts == PAGE ? e->id : NULL;
    }
    return rv;
}

static apr_status_t take_topic(import_t *i, const mdm_nanomdm_topic_t *topic)
{
    const char *pem = apr_pstrcat(i->st->ctx->pool, topic->cert_pem, "\n", topic->key_pem, NULL);
    mdm_push_topic_t *stored;
    apr_status_t rv = mdm_store_push_topic_get(&stored, i->st, topic->topic);

    if (rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(i->st->ctx);
    rv = mdm_pushcert_store(&stored, i->st, mdm_bytes_of(pem), i->actor, NULL);
    i->counts->topics += rv == APR_SUCCESS;
    return rv;
}

apr_status_t mdm_nanomdm_topics(mdm_nanomdm_counts_t *counts, mdm_store_t *st, mdm_store_t *from, const char *actor)
{
    import_t i = { st, counts, actor, NULL, 0, 0, 0 };
    apr_array_header_t *topics;
    apr_status_t rv = mdm_store_nanomdm_topics(&topics, from);
    int n;

    for (n = 0; rv == APR_SUCCESS && n < topics->nelts; n++) {
        const mdm_nanomdm_topic_t *topic = &APR_ARRAY_IDX(topics, n, mdm_nanomdm_topic_t);

        rv = forgive(&i, take_topic(&i, topic), "the push certificate", topic->topic);
    }
    return rv;
}

/* Of those who wait, the ones that can have it here. */
static apr_status_t still_enrolled(apr_array_header_t **ids, mdm_store_t *st, const apr_array_header_t *waiting)
{
    int n;

    *ids = apr_array_make(st->ctx->pool, waiting->nelts + 1, sizeof(const char *));
    for (n = 0; n < waiting->nelts; n++) {
        const char *id = APR_ARRAY_IDX(waiting, n, const char *);
        mdm_enrollment_t *e;
        apr_status_t rv = mdm_store_enrollment_get(&e, st, id);

        if (rv != APR_SUCCESS && rv != MDM_ENOTFOUND)
            return rv;
        mdm_ctx_clear(st->ctx);
        if (rv == APR_SUCCESS && e->state == MDM_STATE_ENROLLED)
            APR_ARRAY_PUSH(*ids, const char *) = id;
    }
    return APR_SUCCESS;
}

/* mdmctl knows no directives, and what has waited there without an end must not wait here without one. */
static apr_status_t take_command(import_t *i, const mdm_nanomdm_command_t *open)
{
    const mdm_site_t defaults = { .destructive_lifetime = MDM_DESTRUCTIVE_LIFETIME };
    apr_array_header_t *ids, *ignored;
    mdm_command_t *command;
    apr_status_t rv = mdm_store_command_get(&command, i->st, open->uuid);

    if (rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(i->st->ctx);
    if ((rv = still_enrolled(&ids, i->st, open->enrollment_ids)) != APR_SUCCESS || !ids->nelts)
        return rv;
    if ((rv = mdm_command_read(&command, i->st->ctx, mdm_bytes_of(open->body))) == APR_SUCCESS)
        rv = mdm_command_enqueue(&ignored, i->st, &defaults, command, (const char *const *)ids->elts, ids->nelts,
                                 0, i->actor);
    if (rv == APR_SUCCESS) {
        i->counts->commands++;
        i->counts->waiting += ids->nelts;
    }
    return rv;
}

static int compare_ids(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

typedef struct {
    mdm_store_t *st;
    const mdm_queue_unsent_t *row;
    int ended;
} end_t;

static apr_status_t end_one(void *baton, mdm_db_t *db)
{
    end_t *e = baton;

    (void)db;
    return mdm_store_command_cancel(&e->ended, e->st, e->row->command, e->row->enrollment_id, ENDED_THERE);
}

/* What an import before this one brought and waits here, but not there any more, must not be handed out again. */
static apr_status_t end_answered(import_t *i, mdm_store_t *from)
{
    apr_array_header_t *unsent, *waiting = NULL;
    apr_status_t rv = mdm_store_queue_unsent_by(&unsent, i->st, i->actor);
    const char *uuid = "";
    int n;

    for (n = 0; rv == APR_SUCCESS && n < unsent->nelts; n++) {
        end_t e = { i->st, &APR_ARRAY_IDX(unsent, n, mdm_queue_unsent_t), 0 };

        if (strcmp(uuid, e.row->uuid) && (rv = mdm_store_nanomdm_waiting(&waiting, from, e.row->uuid)) != APR_SUCCESS)
            break;
        uuid = e.row->uuid;
        if (bsearch(e.row->enrollment_id, waiting->elts, (size_t)waiting->nelts, sizeof(const char *), compare_ids))
            continue;
        rv = mdm_db_transact(i->st->db, end_one, &e);
        i->counts->ended += rv == APR_SUCCESS ? e.ended : 0;
    }
    return rv;
}

apr_status_t mdm_nanomdm_commands(mdm_nanomdm_counts_t *counts, mdm_store_t *st, mdm_store_t *from, const char *actor)
{
    import_t i = { st, counts, actor, NULL, 0, 0, 0 };
    apr_array_header_t *uuids;
    apr_status_t rv = end_answered(&i, from);
    int n;

    if (rv == APR_SUCCESS)
        rv = mdm_store_nanomdm_open(&uuids, from);
    for (n = 0; rv == APR_SUCCESS && n < uuids->nelts; n++) {
        mdm_nanomdm_command_t open = { 0 };
        const char *uuid = APR_ARRAY_IDX(uuids, n, const char *);

        if ((rv = mdm_store_nanomdm_command(&open, from, uuid)) == APR_SUCCESS)
            rv = forgive(&i, take_command(&i, &open), "command", uuid);
    }
    return rv;
}
