/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders: one command for many enrollments, in one transaction. What is asked twice under one key is done once,
 * whichever node it reaches: the command's row is inserted first, and who comes second waits there for the first.
 * Called by the API in any thread; the network is the worker's business. Bodies are never logged.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_approval.h"
#include "mdm_command.h"

#define REFUSED_SHOWN 5
#define KEY_MAX 255

typedef struct {
    mdm_store_t *st;
    const mdm_site_t *site;
    mdm_command_t *command;
    const mdm_targets_t *targets;
    const mdm_command_order_t *order;
    int as_given;                   /* ids keep their order, and none may be there twice */
    mdm_command_outcome_t *outcome;
    int superseded;
} work_t;

static int count_of(const apr_array_header_t *list)
{
    return list ? list->nelts : 0;
}

static const char *shown(mdm_ctx_t *ctx, const apr_array_header_t *names)
{
    const char *text = "";
    int i;

    for (i = 0; i < names->nelts && i < REFUSED_SHOWN; i++)
        text = apr_pstrcat(ctx->pool, text, i ? ", " : "", APR_ARRAY_IDX(names, i, const char *), NULL);
    return names->nelts > REFUSED_SHOWN ? apr_pstrcat(ctx->pool, text, ", ...", NULL) : text;
}

/* ---- whom */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort_out(apr_array_header_t *ids)
{
    const char **id = (const char **)ids->elts;
    int i, kept = 0;

    qsort(id, (size_t)ids->nelts, sizeof(*id), by_bytes);
    for (i = 0; i < ids->nelts; i++) {
        if (!kept || strcmp(id[i], id[kept - 1]))
            id[kept++] = id[i];
    }
    ids->nelts = kept;
}

static apr_status_t resolve(apr_array_header_t **out, work_t *w)
{
    const mdm_targets_t *t = w->targets;
    const struct { mdm_targets_e kind; const apr_array_header_t *names; const char *what; } named[] = {
        { MDM_TARGETS_SERIAL, t->serials, "serial number " }, { MDM_TARGETS_USER, t->users, "user " },
        { MDM_TARGETS_GROUP, t->groups, "group " }
    };
    mdm_ctx_t *ctx = w->st->ctx;
    apr_array_header_t *ids = apr_array_make(ctx->pool, count_of(t->ids) + 1, sizeof(const char *));
    apr_array_header_t *nobody = apr_array_make(ctx->pool, 1, sizeof(const char *));
    apr_size_t i;
    int n;

    if (t->ids)
        apr_array_cat(ids, t->ids);
    for (i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        apr_array_header_t *missing = apr_array_make(ctx->pool, 1, sizeof(const char *));
        apr_status_t rv = mdm_store_targets(ids, missing, w->st, named[i].kind,
                                            named[i].names ? (const char *const *)named[i].names->elts : NULL,
                                            count_of(named[i].names));

        if (rv != APR_SUCCESS)
            return rv;
        for (n = 0; n < missing->nelts; n++)
            APR_ARRAY_PUSH(nobody, const char *) =
                apr_pstrcat(ctx->pool, named[i].what, APR_ARRAY_IDX(missing, n, const char *), NULL);
    }
    if (nobody->nelts)
        return mdm_fail(ctx, MDM_EINPUT, "nothing was queued: there is no enrolled device of %s (%d of them)",
                        shown(ctx, nobody), nobody->nelts);
    if (!w->as_given)
        sort_out(ids);
    *out = ids;
    return APR_SUCCESS;
}

/* ---- the transaction */

/* The key or the CommandUUID was taken. */
static apr_status_t look_back(work_t *w)
{
    mdm_ctx_t *ctx = w->st->ctx;
    const mdm_command_order_t *o = w->order;
    mdm_command_t *earlier;
    apr_status_t rv;

    if (!o->idempotency_key)
        return MDM_EEXIST;
    rv = mdm_store_command_by_key(&earlier, w->st, o->actor, o->idempotency_key);
    if (rv != APR_SUCCESS)
        return rv == MDM_ENOTFOUND ? MDM_EEXIST : rv;
    mdm_ctx_clear(ctx);
    if (!earlier->request_sha256 || !o->request_sha256 || strcmp(earlier->request_sha256, o->request_sha256))
        return mdm_fail(ctx, MDM_EEXIST, "%s has used the Idempotency-Key %s for another request already: it became "
                        "the command %s", o->actor, o->idempotency_key, earlier->uuid);
    w->outcome->repeated = 1;
    w->outcome->command = earlier;
    w->outcome->held = earlier->approval == MDM_APPROVAL_WANTED;
    if ((rv = mdm_store_command_enrollments(&w->outcome->enrollments, w->st, earlier->id)) == APR_SUCCESS
        && !o->no_push)
        rv = mdm_store_push_targets(&w->outcome->targets, w->st,
                                    (const char *const *)w->outcome->enrollments->elts,
                                    w->outcome->enrollments->nelts);
    return rv;
}

static apr_status_t place(work_t *w, const apr_array_header_t *ids)
{
    mdm_ctx_t *ctx = w->st->ctx;
    int limit = w->site ? w->site->queue_limit : 0;
    apr_array_header_t *refused, *full;
    apr_status_t rv = mdm_store_queue_place(&refused, &full, w->st, w->command, limit,
                                            (const char *const *)ids->elts, ids->nelts);

    if (rv != APR_SUCCESS)
        return rv;
    if (refused->nelts)
        return mdm_fail(ctx, MDM_EINPUT, "nothing was queued: not enrolled, unknown or named twice: %s (%d of them)",
                        shown(ctx, refused), refused->nelts);
    if (full->nelts)
        return mdm_fail(ctx, MDM_EFULL, "nothing was queued: %d commands are open already for %s (%d of them); "
                        "cancel some, or see to these devices (MDMQueueLimit)", limit, shown(ctx, full), full->nelts);
    return APR_SUCCESS;
}

static apr_status_t carry_out(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    mdm_store_t *st = w->st;
    mdm_command_t *c = w->command;
    apr_time_t now = mdm_ctx_now(st->ctx);
    apr_array_header_t *ids = NULL;
    apr_status_t rv;

    (void)db;
    memset(w->outcome, 0, sizeof(*w->outcome));
    c->id = mdm_id_next();
    rv = mdm_store_command_insert(st, c);
    if (rv == MDM_EEXIST)
        return look_back(w);
    if (rv != APR_SUCCESS || (rv = resolve(&ids, w)) != APR_SUCCESS || (rv = place(w, ids)) != APR_SUCCESS)
        return rv;
    w->outcome->command = c;
    w->outcome->enrollments = ids;
    w->outcome->held = c->approval == MDM_APPROVAL_WANTED;
    if (c->supersede_key)
        rv = mdm_store_queue_supersede(&w->superseded, st, c);
    if (rv == APR_SUCCESS && w->outcome->held)
        rv = mdm_store_event(st, "command.held", w->order->actor, w->order->source,
                             ids->nelts == 1 ? APR_ARRAY_IDX(ids, 0, const char *) : NULL, c->uuid,
                             c->note ? apr_pstrcat(st->ctx->pool, c->request_type, ": ", c->note, NULL)
                                     : c->request_type);
    if (rv == APR_SUCCESS && !w->order->no_push && !w->outcome->held && c->not_before <= now)
        rv = mdm_store_push_want(&w->outcome->targets, st, now, (const char *const *)ids->elts, ids->nelts);
    return rv;
}

/* ---- before it */

static apr_status_t check(mdm_ctx_t *ctx, const mdm_command_order_t *o, const mdm_targets_t *t)
{
    if (!count_of(t->ids) && !count_of(t->serials) && !count_of(t->users) && !count_of(t->groups))
        return mdm_fail(ctx, MDM_EINPUT, "the command is for nobody: name enrollments, serial numbers, users or "
                        "groups");
    if (o->priority < -100 || o->priority > 100)
        return mdm_fail(ctx, MDM_EINPUT, "the priority %d is not between -100 and 100", o->priority);
    if (o->not_after && (o->not_after <= o->not_before || o->not_after <= mdm_ctx_now(ctx)))
        return mdm_fail(ctx, MDM_EINPUT, "not_after is in the past, or not later than not_before");
    if ((o->supersede_key && strlen(o->supersede_key) > KEY_MAX)
        || (o->idempotency_key && strlen(o->idempotency_key) > KEY_MAX))
        return mdm_fail(ctx, MDM_EINPUT, "the idempotency key or the supersede key is longer than %d bytes", KEY_MAX);
    return APR_SUCCESS;
}

static void fill(mdm_command_t *c, mdm_ctx_t *ctx, const mdm_site_t *site, const mdm_command_order_t *o)
{
    int destructive = mdm_command_is_destructive(c->request_type);
    apr_time_t now = mdm_ctx_now(ctx);

    c->created_by = o->actor;
    c->created_at = now;
    c->not_before = o->not_before > now ? o->not_before : 0;
    c->not_after = o->not_after;
    if (!c->not_after && destructive && site && site->destructive_lifetime)
        c->not_after = (c->not_before ? c->not_before : now) + site->destructive_lifetime;
    c->priority = o->priority;
    c->approval = mdm_approval_needed(site, c->request_type) ? MDM_APPROVAL_WANTED : MDM_APPROVAL_NONE;
    /* what must not be superseded has no key by which it could be found */
    c->supersede_key = destructive ? NULL : o->supersede_key;
    c->note = o->note;
    c->idempotency_key = o->idempotency_key;
    c->request_sha256 = o->idempotency_key ? o->request_sha256 : NULL;
}

static apr_status_t run(work_t *w)
{
    mdm_ctx_t *ctx = w->st->ctx;
    const mdm_command_order_t *o = w->order;
    const mdm_command_t *c = w->command;
    apr_status_t rv = mdm_db_transact(w->st->db, carry_out, w);

    if (rv != APR_SUCCESS)
        return rv;
    if (w->outcome->repeated)
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0880) "%s asks again for %s %s: nothing is done", o->actor,
                w->outcome->command->request_type, w->outcome->command->uuid);
    else
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0240) "%s %s queued for %d enrollments by %s%s%s",
                c->request_type, c->uuid, w->outcome->enrollments->nelts, o->actor,
                w->outcome->held ? ", held until another person approves" : "",
                w->superseded ? ", older ones superseded" : "");
    return APR_SUCCESS;
}

apr_status_t mdm_command_order(mdm_command_outcome_t *outcome, mdm_store_t *st, const mdm_site_t *site,
                               mdm_command_t *command, const mdm_targets_t *targets, const mdm_command_order_t *order)
{
    work_t w = { st, site, command, targets, order, 0, outcome, 0 };
    apr_status_t rv = check(st->ctx, order, targets);

    memset(outcome, 0, sizeof(*outcome));
    if (rv != APR_SUCCESS)
        return rv;
    fill(command, st->ctx, site, order);
    return run(&w);
}

apr_status_t mdm_command_enqueue(apr_array_header_t **targets, mdm_store_t *st, const mdm_site_t *site,
                                 mdm_command_t *command, const char *const *enrollment_ids, int count, int wake,
                                 const char *actor)
{
    mdm_targets_t whom = { 0 };
    mdm_command_order_t order = { 0 };
    mdm_command_outcome_t outcome = { 0 };
    work_t w = { st, site, command, &whom, &order, 1, &outcome, 0 };
    apr_status_t rv;
    int i;

    whom.ids = apr_array_make(st->ctx->pool, count, sizeof(const char *));
    for (i = 0; i < count; i++)
        APR_ARRAY_PUSH(whom.ids, const char *) = enrollment_ids[i];
    order.no_push = !wake;
    order.actor = actor;
    fill(command, st->ctx, site, &order);
    rv = run(&w);
    *targets = outcome.targets;
    return rv;
}
