/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The renewal of identities. Planning gives each a time of its own, so that a fleet that enrolled in one hour
 * does not renew in one. One command serves all that are due together; what each device gets is made when it
 * fetches it (core/mdm_delivery.c). Runs in the worker's thread, in turns between pushes; waits for nothing
 * but the database.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_command.h"
#include "mdm_renewal.h"

#define MINUTE apr_time_from_sec(60)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define TURN (apr_time_from_sec(1) / 5)   /* of work before pushes get their turn */
#define PLAN_BATCH 500
#define ERROR_SHOWN 200

struct mdm_renewer_t {
    mdm_ctx_t *ctx;
    mdm_renewer_config_t config;
    apr_time_t next;        /* turn */
    int planning;           /* a round of planning is under way */
    apr_time_t planned;     /* so far it got in the order of not_after; 0: it begins */
};

typedef struct {
    mdm_renewer_t *renewer;
    mdm_store_t *st;
    apr_array_header_t *list;       /* mdm_renewal_t * */
    int done;
    apr_array_header_t *names;      /* const char *: whom the command goes to */
    apr_array_header_t *wakes;      /* const char *: whom to wake */
} batch_t;

static apr_interval_time_t least(apr_interval_time_t a, apr_interval_time_t b)
{
    return a < b ? a : b;
}

static apr_interval_time_t random_up_to(apr_interval_time_t limit)
{
    apr_uint64_t number = 0;

    if (limit <= 0 || mdm_random((unsigned char *)&number, sizeof(number)) != APR_SUCCESS)
        return 0;
    return (apr_interval_time_t)(number % (apr_uint64_t)limit);
}

apr_interval_time_t mdm_renewal_before(const mdm_site_t *site, apr_time_t issued_at, apr_time_t not_after)
{
    apr_interval_time_t lifetime = not_after > issued_at ? not_after - issued_at : 0;

    /* What is always in its time would be renewed without end. */
    return site->renew_before ? least(site->renew_before, lifetime / 10 * 9) : lifetime / 3;
}

/* ---- planning */

static apr_time_t first_attempt(const mdm_site_t *site, const mdm_renewal_t *r, apr_time_t now)
{
    apr_interval_time_t before = mdm_renewal_before(site, r->issued_at, r->not_after);
    apr_interval_time_t left = r->not_after - now;

    return left < least(DAY, before / 8) ? now : now + random_up_to(least(before / 8, left / 4));
}

static apr_status_t plan_batch(void *baton, mdm_db_t *db)
{
    batch_t *b = baton;
    const mdm_site_t *site = b->renewer->config.site;
    apr_time_t now = mdm_ctx_now(b->st->ctx);
    int i;

    (void)db;
    b->done = 0;
    for (i = 0; i < b->list->nelts; i++) {
        mdm_renewal_t *r = APR_ARRAY_IDX(b->list, i, mdm_renewal_t *);
        apr_status_t rv;

        if (r->not_after - now > mdm_renewal_before(site, r->issued_at, r->not_after))
            continue;
        r->due_at = first_attempt(site, r, now);
        rv = mdm_store_renewal_insert(b->st, r);
        if (rv != APR_SUCCESS && rv != MDM_EEXIST)
            return rv;
        b->done += rv == APR_SUCCESS;
    }
    return APR_SUCCESS;
}

static apr_status_t plan(mdm_renewer_t *renewer, mdm_store_t *st)
{
    const mdm_site_t *site = renewer->config.site;
    batch_t b = { renewer, st, NULL, 0, NULL, NULL };
    apr_time_t now = mdm_ctx_now(st->ctx), from = renewer->planned ? renewer->planned : now;
    apr_interval_time_t before = site->renew_before ? site->renew_before : site->identity_lifetime / 3;
    apr_status_t rv = mdm_store_renewal_candidates(&b.list, st, from, now + before, PLAN_BATCH);

    if (rv == APR_SUCCESS && b.list->nelts)
        rv = mdm_db_transact(st->db, plan_batch, &b);
    if (rv != APR_SUCCESS)
        return rv;
    renewer->planning = b.list->nelts == PLAN_BATCH;
    renewer->planned = renewer->planning ? APR_ARRAY_IDX(b.list, PLAN_BATCH - 1, mdm_renewal_t *)->not_after : 0;
    if (renewer->planning && !b.done)
        renewer->planned++;
    if (b.done)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0821) "%d renewals of identities planned",
                b.done);
    return APR_SUCCESS;
}

/* ---- attempts */

static apr_time_t next_attempt(const mdm_site_t *site, const mdm_renewal_t *r, apr_time_t now)
{
    static const apr_interval_time_t steps[] = { HOUR, 6 * HOUR, DAY };
    apr_interval_time_t step = least(steps[r->attempts < 2 ? r->attempts : 2],
                                     mdm_renewal_before(site, r->issued_at, r->not_after) / 8);

    if (step < apr_time_from_sec(1))
        step = apr_time_from_sec(1);
    return now + step + random_up_to(step / 8);
}

static apr_status_t insert_command(mdm_store_t *st, apr_int64_t id)
{
    apr_pool_t *p = st->ctx->pool;
    mdm_plist_t *root = mdm_plist_dict(p);
    mdm_command_t command = { 0 };
    mdm_bytes_t body;
    apr_status_t rv;

    command.id = id;
    command.uuid = mdm_uuid_random(p);
    if (!command.uuid)
        return mdm_fail(st->ctx, MDM_ECRYPTO, "no random bytes for a command");
    command.request_type = "InstallProfile";
    /* without the payload, which is of each device its own */
    mdm_plist_set_string(mdm_plist_set(root, "Command", mdm_plist_dict(p), p), "RequestType",
                         command.request_type, p);
    mdm_plist_set_string(root, "CommandUUID", command.uuid, p);
    if ((rv = mdm_plist_write(&body, st->ctx, root)) != APR_SUCCESS)
        return rv;
    command.body = apr_pstrmemdup(p, (const char *)body.data, body.len);
    command.created_by = "renewal";
    command.created_at = mdm_ctx_now(st->ctx);
    command.delivery = MDM_DELIVERY_RENEWAL;
    return mdm_store_command_insert(st, &command);
}

/* A command that waits in the queue is the attempt: its device needs to be woken, no second one. */
static apr_status_t claim(batch_t *b, const mdm_renewal_t *r, apr_int64_t command)
{
    apr_time_t now = mdm_ctx_now(b->st->ctx);
    apr_status_t rv;

    if (r->state != MDM_STATE_ENROLLED)
        return mdm_store_renewal_forget(b->st, r->enrollment);
    if (r->not_after <= now) {
        rv = mdm_store_renewal_end(b->st, r);
        return rv == MDM_ENOTFOUND ? APR_SUCCESS : rv;
    }
    rv = mdm_store_renewal_attempt(b->st, r, r->open ? r->command : command,
                                   next_attempt(b->renewer->config.site, r, now));
    if (rv != APR_SUCCESS)
        return rv == MDM_ENOTFOUND ? APR_SUCCESS : rv;
    APR_ARRAY_PUSH(b->wakes, const char *) = r->enrollment_id;
    if (r->open)
        return APR_SUCCESS;
    APR_ARRAY_PUSH(b->names, const char *) = r->enrollment_id;
    return mdm_store_event(b->st, "identity.renewal", "renewal", NULL, r->enrollment_id, NULL,
                           apr_psprintf(b->st->ctx->pool, "attempt %d", r->attempts + 1));
}

static apr_status_t attempt_batch(void *baton, mdm_db_t *db)
{
    batch_t *b = baton;
    apr_pool_t *p = b->st->ctx->pool;
    apr_int64_t command = mdm_id_next();
    apr_array_header_t *ignored;
    apr_status_t rv = APR_SUCCESS;
    int i;

    (void)db;
    b->names = apr_array_make(p, b->list->nelts, sizeof(const char *));
    b->wakes = apr_array_make(p, b->list->nelts, sizeof(const char *));
    for (i = 0; rv == APR_SUCCESS && i < b->list->nelts; i++)
        rv = claim(b, APR_ARRAY_IDX(b->list, i, mdm_renewal_t *), command);
    if (rv == APR_SUCCESS && b->names->nelts) {
        rv = insert_command(b->st, command);
        if (rv == APR_SUCCESS)
            rv = mdm_store_queue_add(&ignored, b->st, command, 0, (const char *const *)b->names->elts,
                                     b->names->nelts);
    }
    if (rv == APR_SUCCESS && b->wakes->nelts)
        rv = mdm_store_push_want(&ignored, b->st, mdm_ctx_now(b->st->ctx),
                                 (const char *const *)b->wakes->elts, b->wakes->nelts);
    return rv;
}

static apr_status_t attempt(mdm_renewer_t *renewer, mdm_store_t *st, int *more, int *queued)
{
    batch_t b = { renewer, st, NULL, 0, NULL, NULL };
    apr_status_t rv = mdm_store_renewal_due(&b.list, st, MDM_QUEUE_CHUNK);

    if (rv != APR_SUCCESS || !b.list->nelts)
        return rv;
    if ((rv = mdm_db_transact(st->db, attempt_batch, &b)) != APR_SUCCESS)
        return rv;
    *more = b.list->nelts == MDM_QUEUE_CHUNK;
    if (b.wakes->nelts) {
        *queued = 1;
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0822) "renewal of identities: %d profiles "
                "queued, %d devices to wake", b.names->nelts, b.wakes->nelts);
    }
    return APR_SUCCESS;
}

/* ---- turns */

mdm_renewer_t *mdm_renewer_create(mdm_ctx_t *ctx, const mdm_renewer_config_t *config)
{
    mdm_renewer_t *renewer = apr_pcalloc(ctx->pool, sizeof(*renewer));

    renewer->ctx = ctx;
    renewer->config = *config;
    return renewer;
}

static apr_status_t work(mdm_renewer_t *renewer, int *more, int *queued)
{
    apr_time_t end = apr_time_now() + TURN;
    apr_status_t rv = APR_SUCCESS;

    do {
        apr_pool_t *p;
        mdm_ctx_t *ctx;
        mdm_store_t *st;

        *more = 0;
        apr_pool_create(&p, renewer->ctx->pool);
        ctx = mdm_ctx_create(p, renewer->ctx->log);
        ctx->fixed_now = renewer->ctx->fixed_now;
        if ((rv = renewer->config.open(&st, ctx, renewer->config.baton)) == APR_SUCCESS) {
            if (renewer->planning)
                rv = plan(renewer, st);
            if (rv == APR_SUCCESS)
                rv = attempt(renewer, st, more, queued);
            renewer->config.close(st, renewer->config.baton);
        }
        if (rv != APR_SUCCESS)
            mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0823) "renewal of identities: %s; tried "
                    "again", mdm_ctx_detail(ctx, rv));
        *more |= renewer->planning;
        apr_pool_destroy(p);
    } while (rv == APR_SUCCESS && *more && apr_time_now() < end);
    return rv;
}

apr_time_t mdm_renewer_turn(mdm_renewer_t *renewer, int *queued)
{
    apr_interval_time_t interval = least(MINUTE, renewer->config.site->identity_lifetime / 100);
    apr_time_t now = apr_time_now();
    apr_status_t rv;
    int more = 0;

    if (now < renewer->next)
        return renewer->next;
    if (interval < apr_time_from_sec(1) / 4)
        interval = apr_time_from_sec(1) / 4;
    renewer->planning = 1;
    rv = work(renewer, &more, queued);
    renewer->next = rv == APR_SUCCESS && more ? apr_time_now() : apr_time_now() + interval;
    return renewer->next;
}

/* ---- answers */

apr_status_t mdm_renewal_refused(mdm_store_t *st, apr_int64_t enrollment, const mdm_plist_t *chain)
{
    const mdm_plist_t *first = chain && chain->type == MDM_PLIST_ARRAY ? chain->first : NULL;
    const char *why = mdm_plist_get_string(first, "USEnglishDescription");

    if (!why)
        why = mdm_plist_get_string(first, "LocalizedDescription");
    if (!why)
        why = "the device gave no reason";
    if (strlen(why) > ERROR_SHOWN) {
        apr_size_t len = ERROR_SHOWN;

        while (len && ((unsigned char)why[len] & 0xc0) == 0x80)
            len--;
        why = apr_pstrmemdup(st->ctx->pool, why, len);
    }
    return mdm_store_renewal_failed(st, enrollment, why);
}
