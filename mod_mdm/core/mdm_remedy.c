/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remedies and checks. Both are set-based: the rows that are due are read by index, one command serves all enrollments
 * of a profile, and what a turn does is bounded, so that a fleet that drifts at once is mended over time. Runs in the
 * worker's thread, in the housekeeper's turns; waits for nothing but the database.
 */
#include <stdio.h>
#include <stdlib.h>

#include <apr_strings.h>

#include "mdm_plist.h"
#include "mdm_remedy.h"
#include "mdm_drift.h"
#include "mdm_store_drift.h"

#define ACTOR "profile-check"

static apr_interval_time_t some_of(apr_interval_time_t limit)
{
    apr_uint64_t number = 0;

    if (limit <= 0 || mdm_random((unsigned char *)&number, sizeof(number)) != APR_SUCCESS)
        return 0;
    return (apr_interval_time_t)(number % (apr_uint64_t)limit);
}

apr_time_t mdm_remedy_next(const mdm_site_t *site, int tries, int removal, apr_time_t now)
{
    apr_interval_time_t wait;

    if (!site->profile_retry || tries >= site->profile_retry->nelts)
        return 0;
    if (removal && !tries)
        return now;
    wait = APR_ARRAY_IDX(site->profile_retry, removal ? tries - 1 : tries, apr_interval_time_t);
    return now + wait + some_of(wait / 8);
}

apr_interval_time_t mdm_remedy_calm(const mdm_site_t *site)
{
    apr_interval_time_t longest = 0;
    int i;

    for (i = 0; site->profile_retry && i < site->profile_retry->nelts; i++) {
        apr_interval_time_t wait = APR_ARRAY_IDX(site->profile_retry, i, apr_interval_time_t);

        longest = wait > longest ? wait : longest;
    }
    return longest;
}

/* ---- commands */

static apr_status_t make(mdm_command_t **out, mdm_store_t *st, const char *request_type, const char *identifier,
                         mdm_delivery_e delivery)
{
    apr_pool_t *p = st->ctx->pool;
    mdm_plist_t *root = mdm_plist_dict(p), *inner = mdm_plist_set(root, "Command", mdm_plist_dict(p), p);
    mdm_command_t *command = apr_pcalloc(p, sizeof(*command));
    mdm_bytes_t body;
    apr_status_t rv;

    command->id = mdm_id_next();
    command->uuid = mdm_uuid_random(p);
    if (!command->uuid)
        return mdm_fail(st->ctx, MDM_ECRYPTO, "no random bytes for a command");
    mdm_plist_set_string(inner, "Identifier", identifier, p);
    mdm_plist_set_string(inner, "RequestType", request_type, p);
    mdm_plist_set_string(root, "CommandUUID", command->uuid, p);
    if ((rv = mdm_plist_write(&body, st->ctx, root)) != APR_SUCCESS)
        return rv;
    command->request_type = request_type;
    command->body = apr_pstrmemdup(p, (const char *)body.data, body.len);
    command->created_by = ACTOR;
    command->created_at = mdm_ctx_now(st->ctx);
    command->delivery = delivery;
    *out = command;
    return APR_SUCCESS;
}

apr_status_t mdm_remedy_list(mdm_command_t **command, mdm_store_t *st)
{
    apr_status_t rv = make(command, st, "ProfileList", NULL, MDM_DELIVERY_PROFILE_LIST);

    if (rv == APR_SUCCESS)
        (*command)->priority = MDM_DRIFT_LIST_PRIORITY;
    return rv;
}

/* ---- remedies */

/* Enrollments of one profile that need the same. */
typedef struct {
    mdm_store_t *st;
    const mdm_desired_t *first;
    apr_int64_t enrollments[MDM_QUEUE_CHUNK];
    const char *names[MDM_QUEUE_CHUNK];
    int count;
} lot_t;

static int belongs(const lot_t *lot, const mdm_desired_t *d)
{
    return d->profile == lot->first->profile && !d->version == !lot->first->version;
}

static apr_status_t order(lot_t *lot)
{
    mdm_store_t *st = lot->st;
    const mdm_desired_t *d = lot->first;
    apr_array_header_t *ignored, *full;
    mdm_command_t *command;
    int changed = 0;
    apr_status_t rv = d->version ? make(&command, st, "InstallProfile", NULL, MDM_DELIVERY_PROFILE)
                                 : make(&command, st, "RemoveProfile", d->identifier, MDM_DELIVERY_PROFILE_REMOVAL);

    if (rv != APR_SUCCESS)
        return rv;
    command->supersede_key = apr_psprintf(st->ctx->pool, "profile:%" APR_INT64_T_FMT, d->profile);
    rv = mdm_store_remedy(&changed, st, d->profile, command->id, lot->enrollments, lot->count);
    if (rv == APR_SUCCESS && changed != lot->count)
        return MDM_ECONFLICT;     /* somebody has said otherwise since: look again */
    if (rv == APR_SUCCESS)
        rv = mdm_store_command_insert(st, command);
    if (rv == APR_SUCCESS)
        rv = mdm_store_queue_place(&ignored, &full, st, command, 0, lot->names, lot->count);
    if (rv == APR_SUCCESS)
        rv = mdm_store_push_want(&ignored, st, mdm_ctx_now(st->ctx), lot->names, lot->count);
    return rv;
}

static int compare(const void *a, const void *b)
{
    const mdm_desired_t *x = *(const mdm_desired_t *const *)a, *y = *(const mdm_desired_t *const *)b;

    if (x->profile != y->profile)
        return x->profile < y->profile ? -1 : 1;
    if (!x->version != !y->version)
        return x->version ? -1 : 1;
    return x->enrollment < y->enrollment ? -1 : x->enrollment > y->enrollment;
}

typedef struct {
    mdm_store_t *st;
    int done;
} step_t;

static apr_status_t remedy(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    apr_array_header_t *due;
    apr_status_t rv = mdm_store_desired_due(&due, s->st, mdm_ctx_now(s->st->ctx), MDM_QUEUE_CHUNK);
    int i = 0;

    (void)db;
    s->done = rv == APR_SUCCESS ? due->nelts : 0;
    if (rv == APR_SUCCESS)
        qsort(due->elts, (size_t)due->nelts, sizeof(mdm_desired_t *), compare);
    while (rv == APR_SUCCESS && i < due->nelts) {
        lot_t lot = { s->st, APR_ARRAY_IDX(due, i, mdm_desired_t *), { 0 }, { NULL }, 0 };

        for (; i < due->nelts && belongs(&lot, APR_ARRAY_IDX(due, i, mdm_desired_t *)); i++, lot.count++) {
            lot.enrollments[lot.count] = APR_ARRAY_IDX(due, i, mdm_desired_t *)->enrollment;
            lot.names[lot.count] = APR_ARRAY_IDX(due, i, mdm_desired_t *)->enrollment_id;
        }
        rv = order(&lot);
    }
    return rv;
}

apr_status_t mdm_remedy_step(int *done, mdm_store_t *st)
{
    step_t s = { st, 0 };
    apr_status_t rv = mdm_db_transact(st->db, remedy, &s);

    *done = rv == APR_SUCCESS ? s.done : 0;
    return rv;
}

/* ---- checks */

typedef struct {
    mdm_store_t *st;
    mdm_check_round_t round;
    apr_time_t before;                /* who has listed since needs no check */
    int queued;
} check_t;

static apr_status_t check(void *baton, mdm_db_t *db)
{
    check_t *c = baton;
    mdm_check_round_t round = c->round;
    apr_array_header_t *ids, *ignored;
    mdm_command_t *command;
    int looked;
    apr_status_t rv = mdm_remedy_list(&command, c->st);

    (void)db;
    c->queued = 0;
    if (rv == APR_SUCCESS)
        rv = mdm_store_check_queue(&ids, &looked, &round.cursor, c->st, command, c->before);
    if (rv == APR_SUCCESS && ids->nelts)
        rv = mdm_store_push_want(&ignored, c->st, mdm_ctx_now(c->st->ctx), (const char *const *)ids->elts, ids->nelts);
    if (rv != APR_SUCCESS)
        return rv;
    c->queued = ids->nelts;
    round.looked = round.cursor ? round.looked + looked : round.size;    /* cursor 0: all have been passed */
    c->round = round;
    return APR_SUCCESS;
}

apr_status_t mdm_check_step(mdm_check_round_t *round, int *queued, mdm_store_t *st, const mdm_site_t *site)
{
    apr_time_t now = mdm_ctx_now(st->ctx);
    check_t c = { st, *round, now - site->profile_check / 2, 0 };
    apr_status_t rv = APR_SUCCESS;

    if (!c.round.cursor) {
        c.round.started_at = now;
        c.round.looked = 0;
        rv = mdm_store_check_size(&c.round.size, st);
    }
    if (rv == APR_SUCCESS)
        rv = mdm_db_transact(st->db, check, &c);
    if (rv == APR_SUCCESS) {
        *round = c.round;
        *queued = c.queued;
    }
    return rv;
}

apr_time_t mdm_check_due(const mdm_check_round_t *round, const mdm_site_t *site)
{
    double part = round->size > 0 ? (double)round->looked / (double)round->size : 1.0;

    return round->started_at + (apr_interval_time_t)((double)site->profile_check * (part < 1.0 ? part : 1.0));
}

const char *mdm_check_text(const mdm_check_round_t *round, apr_pool_t *p)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT " %" APR_INT64_T_FMT " %" APR_INT64_T_FMT " %" APR_INT64_T_FMT,
                        round->started_at, round->cursor, round->size, round->looked);
}

mdm_check_round_t mdm_check_read(const char *text)
{
    mdm_check_round_t round = { 0, 0, 0, 0 };
    apr_int64_t *const parts[] = { &round.started_at, &round.cursor, &round.size, &round.looked };
    char *end = NULL;
    int i;

    for (i = 0; text && i < 4; i++, text = end)
        *parts[i] = apr_strtoi64(text, &end, 10);
    return round;
}
