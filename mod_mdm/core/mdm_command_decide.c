/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions about commands: cancel, approve, deny. What a device has got cannot be taken back, and its answer counts
 * even when its open row has been ended meanwhile (core/mdm_connect.c). What should hold is not given up with a command
 * (core/mdm_remedy.c). Called by the API, any thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_approval.h"
#include "mdm_command_decide.h"
#include "mdm_drift.h"
#include "mdm_plist_json.h"
#include "mdm_remedy.h"
#include "mdm_store_desired.h"

#define SENT_SHOWN 100

typedef struct {
    mdm_store_t *st;
    mdm_decision_t *decision;
    const char *uuid, *enrollment_id;
    int approve;
} work_t;

static const char *text(const work_t *w, const char *verb)
{
    return apr_pstrcat(w->st->ctx->pool, verb, " by ", w->decision->actor, NULL);
}

static const char *reason(const work_t *w, const char *verb)
{
    apr_pool_t *p = w->st->ctx->pool;

    return mdm_plist_to_json_text(mdm_plist_string(text(w, verb), p), p);
}

/* Why it was ended says nothing of the profile: its tries are not counted. */
static apr_time_t next_try(const work_t *w)
{
    const mdm_site_t *site = w->decision->site;

    return site ? mdm_remedy_next(site, 0, 0, mdm_ctx_now(w->st->ctx)) : 0;
}

static apr_status_t end(const work_t *w, const mdm_command_t *c, const char *verb)
{
    int *count = &w->decision->count;
    apr_status_t rv = mdm_store_command_cancel(count, w->st, c->id, w->enrollment_id, reason(w, verb));

    return rv == APR_SUCCESS && *count && mdm_drift_wanted(c->delivery)
           ? mdm_store_desired_cancelled(w->st, c->id, text(w, verb), next_try(w)) : rv;
}

static apr_status_t cancel(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    mdm_decision_t *d = w->decision;
    mdm_command_t *c;
    apr_array_header_t *sent;
    apr_status_t rv = mdm_store_command_get(&c, w->st, w->uuid);

    (void)db;
    if (rv != APR_SUCCESS
        || (rv = end(w, c, "cancelled")) != APR_SUCCESS
        || (rv = mdm_store_command_sent(&sent, w->st, c->id, SENT_SHOWN)) != APR_SUCCESS)
        return rv;
    d->sent = sent;
    if (!d->count)
        return mdm_fail(w->st->ctx, MDM_EEXIST, "nothing can be taken back of the command %s: it %s", w->uuid,
                        sent->nelts ? "has been handed out" : "is not open there any more");
    return mdm_store_event(w->st, "command.cancelled", d->actor, d->source, w->enrollment_id, w->uuid,
                           apr_psprintf(w->st->ctx->pool, "%s, for %d enrollments", c->request_type, d->count));
}

apr_status_t mdm_command_cancel(mdm_decision_t *decision, mdm_store_t *st, const char *uuid, const char *enrollment_id)
{
    work_t w = { st, decision, uuid, enrollment_id, 0 };
    apr_status_t rv = mdm_db_transact(st->db, cancel, &w);

    if (rv == APR_SUCCESS)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0882) "%s cancels command %s for %d enrollments",
                decision->actor, uuid, decision->count);
    return rv;
}

static apr_status_t clear(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    mdm_decision_t *d = w->decision;
    mdm_enrollment_t *e;
    apr_array_header_t *sent;
    apr_status_t rv = mdm_store_enrollment_get(&e, w->st, w->enrollment_id);

    (void)db;
    if (rv != APR_SUCCESS
        || (rv = mdm_store_queue_clear(&d->count, w->st, w->enrollment_id, reason(w, "cancelled"))) != APR_SUCCESS
        || (d->count && (rv = mdm_store_desired_cleared(w->st, w->enrollment_id, text(w, "cancelled"), next_try(w))))
        || (rv = mdm_store_queue_sent_list(&sent, w->st, w->enrollment_id, SENT_SHOWN)) != APR_SUCCESS)
        return rv;
    d->sent = sent;
    if (!d->count && sent->nelts)
        return mdm_fail(w->st->ctx, MDM_EEXIST, "nothing can be taken back of %s: all has been handed out",
                        w->enrollment_id);
    return !d->count ? APR_SUCCESS
           : mdm_store_event(w->st, "queue.cleared", d->actor, d->source, w->enrollment_id, NULL,
                             apr_psprintf(w->st->ctx->pool, "%d commands", d->count));
}

apr_status_t mdm_command_clear(mdm_decision_t *decision, mdm_store_t *st, const char *enrollment_id)
{
    work_t w = { st, decision, NULL, enrollment_id, 0 };
    apr_status_t rv = mdm_db_transact(st->db, clear, &w);

    if (rv == APR_SUCCESS)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0883) "%s cancels %d commands of %s", decision->actor,
                decision->count, enrollment_id);
    return rv;
}

static apr_status_t may_decide(const work_t *w, const mdm_command_t *c)
{
    mdm_ctx_t *ctx = w->st->ctx;

    if (c->approval == MDM_APPROVAL_NONE)
        return mdm_fail(ctx, MDM_EEXIST, "the command %s needs no approval", w->uuid);
    if (c->approval != MDM_APPROVAL_WANTED)
        return mdm_fail(ctx, MDM_EEXIST, "%s has %s the command %s already", c->decided_by,
                        c->approval == MDM_APPROVAL_GIVEN ? "approved" : "denied", w->uuid);
    return mdm_approval_may_decide(ctx, c, w->decision->actor, w->approve);
}

static apr_status_t release(const work_t *w, const mdm_command_t *c)
{
    apr_array_header_t *ids, *ignored;
    apr_status_t rv = mdm_store_queue_release(&w->decision->count, w->st, c->id);

    if (rv == APR_SUCCESS)
        rv = mdm_store_command_enrollments(&ids, w->st, c->id);
    if (rv != APR_SUCCESS || !w->decision->count)
        return rv;
    return c->not_before > mdm_ctx_now(w->st->ctx) ? APR_SUCCESS
           : mdm_store_push_want(&ignored, w->st, mdm_ctx_now(w->st->ctx), (const char *const *)ids->elts, ids->nelts);
}

static apr_status_t decide(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    mdm_decision_t *d = w->decision;
    mdm_command_t *c;
    apr_status_t rv = mdm_store_command_get(&c, w->st, w->uuid);

    (void)db;
    if (rv != APR_SUCCESS || (rv = may_decide(w, c)) != APR_SUCCESS)
        return rv;
    rv = mdm_store_command_decide(w->st, c->id, w->approve ? MDM_APPROVAL_GIVEN : MDM_APPROVAL_DENIED, d->actor);
    if (rv == MDM_ENOTFOUND)
        return mdm_fail(w->st->ctx, MDM_EEXIST, "somebody else has decided at this moment");
    if (rv == APR_SUCCESS)
        rv = w->approve ? release(w, c) : end(w, c, "denied");
    if (rv == APR_SUCCESS && !d->count)
        return mdm_fail(w->st->ctx, MDM_EEXIST, "the command %s waits nowhere any more: it has been cancelled or has "
                        "expired, or its devices have left", w->uuid);
    return rv != APR_SUCCESS ? rv
           : mdm_store_event(w->st, w->approve ? "command.approved" : "command.denied", d->actor, d->source, NULL,
                             w->uuid, apr_psprintf(w->st->ctx->pool, "%s, for %d enrollments, ordered by %s",
                                                   c->request_type, d->count, c->created_by));
}

apr_status_t mdm_command_decide(mdm_decision_t *decision, mdm_store_t *st, const char *uuid, int approve)
{
    work_t w = { st, decision, uuid, NULL, approve };
    apr_status_t rv = mdm_db_transact(st->db, decide, &w);

    if (rv == APR_SUCCESS)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_NOTICE, 0, MDMNO(0884) "%s %s command %s for %d enrollments",
                decision->actor, approve ? "approves" : "denies", uuid, decision->count);
    return rv;
}
