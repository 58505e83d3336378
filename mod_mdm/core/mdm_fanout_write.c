/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writing half of the fan-out. Items that become the same are written together, in the order of enrollments; the
 * body of an install is made at its delivery, so one command serves thousands. Called in the fan-out's transactions and
 * for remedies; decides nothing.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_fanout_write.h"
#include "mdm_plist.h"
#include "mdm_store_profile.h"

/* A removal goes before the installs of the same time: what comes may need the place of what goes. */
#define PRIORITY_REMOVAL 1

/* ---- commands */

static apr_status_t write_body(mdm_command_t *c, mdm_store_t *st, apr_int64_t profile, int removes)
{
    apr_pool_t *p = st->ctx->pool;
    mdm_plist_t *root = mdm_plist_dict(p), *command = mdm_plist_set(root, "Command", mdm_plist_dict(p), p);
    mdm_profile_row_t *row;
    mdm_bytes_t body;
    apr_status_t rv;

    mdm_plist_set_string(command, "RequestType", c->request_type, p);
    if (removes) {
        if ((rv = mdm_store_profile_by_id(&row, st, profile)) != APR_SUCCESS)
            return rv;
        mdm_plist_set_string(command, "Identifier", row->identifier, p);
    }
    mdm_plist_set_string(root, "CommandUUID", c->uuid, p);
    if ((rv = mdm_plist_write(&body, st->ctx, root)) != APR_SUCCESS)
        return rv;
    c->body = apr_pstrmemdup(p, (const char *)body.data, body.len);
    return APR_SUCCESS;
}

apr_status_t mdm_fanout_command(mdm_command_t **out, mdm_store_t *st, apr_int64_t profile, int removes, const char *key)
{
    mdm_command_t *c = apr_pcalloc(st->ctx->pool, sizeof(*c));
    apr_status_t rv = key ? mdm_store_command_by_key(out, st, MDM_FANOUT_ACTOR, key) : MDM_ENOTFOUND;

    if (rv != MDM_ENOTFOUND)
        return rv;
    c->id = mdm_id_next();
    c->uuid = mdm_uuid_random(st->ctx->pool);
    if (!c->uuid)
        return mdm_fail(st->ctx, MDM_ECRYPTO, "no random bytes for a command");
    c->request_type = removes ? "RemoveProfile" : "InstallProfile";
    c->delivery = removes ? MDM_DELIVERY_PROFILE_REMOVAL : MDM_DELIVERY_PROFILE;
    c->priority = removes ? PRIORITY_REMOVAL : 0;
    c->created_by = MDM_FANOUT_ACTOR;
    c->created_at = mdm_ctx_now(st->ctx);
    c->supersede_key = apr_psprintf(st->ctx->pool, "profile:%" APR_INT64_T_FMT, profile);
    c->idempotency_key = key;
    if ((rv = write_body(c, st, profile, removes)) == APR_SUCCESS)
        rv = mdm_store_command_insert(st, c);
    *out = c;
    /* somebody else does the same work at this moment: all of it is looked at again */
    return rv == MDM_EEXIST ? MDM_ECONFLICT : rv;
}

/* ---- items that become the same */

static int is_order(mdm_plan_e action)
{
    return action <= MDM_PLAN_REMOVE;
}

static int is_install(mdm_plan_e action)
{
    return action == MDM_PLAN_INSTALL || action == MDM_PLAN_REPLACE;
}

static int by_group(const void *a, const void *b)
{
    const mdm_plan_item_t *one = *(const mdm_plan_item_t *const *)a, *two = *(const mdm_plan_item_t *const *)b;
    int one_kind = is_install(one->action) ? MDM_PLAN_INSTALL : one->action;
    int two_kind = is_install(two->action) ? MDM_PLAN_INSTALL : two->action;

    if (one->profile != two->profile)
        return one->profile < two->profile ? -1 : 1;
    if (one_kind != two_kind)
        return one_kind < two_kind ? -1 : 1;
    if (one->version != two->version)
        return one->version < two->version ? -1 : 1;
    if (one->assignment != two->assignment)
        return one->assignment < two->assignment ? -1 : 1;
    return one->of < two->of ? -1 : one->of > two->of;
}

static int is_same_group(const mdm_plan_item_t *one, const mdm_plan_item_t *two)
{
    return one->profile == two->profile && one->version == two->version && one->assignment == two->assignment
        && (one->action == two->action || (is_install(one->action) && is_install(two->action)));
}

static mdm_desired_state_e state_after(mdm_plan_e action)
{
    switch (action) {
    case MDM_PLAN_REMOVE:
        return MDM_DESIRED_REMOVING;
    case MDM_PLAN_WITHDRAW:
        return MDM_DESIRED_REMOVED;
    case MDM_PLAN_BLOCK:
        return MDM_DESIRED_BLOCKED;
    case MDM_PLAN_NOTE:
    case MDM_PLAN_WAIT:
        return MDM_DESIRED_UNSET;
    default:
        return MDM_DESIRED_PENDING;
    }
}

/* An older command about the profile waits, and the device has not been given it. */
static int has_waiting(const mdm_desired_t *row)
{
    return row && row->command && (row->state == MDM_DESIRED_PENDING || row->state == MDM_DESIRED_REMOVING);
}

static apr_status_t supersede(mdm_store_t *st, const mdm_command_t *c, const mdm_plan_item_t *const *items, int count)
{
    const char *why = "\"the profile is not to be there any more\"";
    apr_int64_t ids[MDM_QUEUE_CHUNK];
    int i, n = 0;

    for (i = 0; i < count && n < MDM_QUEUE_CHUNK; i++) {
        if (has_waiting(items[i]->row) && (!c || items[i]->row->command != c->id))
            ids[n++] = items[i]->of->enrollment->id;
    }
    if (!n)
        return APR_SUCCESS;
    if (c)
        why = apr_psprintf(st->ctx->pool, "\"a newer command took its place: %s\"", c->uuid);
    return mdm_store_desired_supersede(st, items[0]->profile, c ? c->id : 0, why, ids, n);
}

static apr_status_t queue(mdm_store_t *st, const mdm_command_t *c, const mdm_plan_item_t *const *items, int count)
{
    apr_array_header_t *ids = apr_array_make(st->ctx->pool, count, sizeof(const char *)), *refused, *full;
    apr_status_t rv;
    int i;

    for (i = 0; i < count; i++) {
        /* the same work begun before: the command waits there already */
        if (!items[i]->row || items[i]->row->command != c->id)
            APR_ARRAY_PUSH(ids, const char *) = items[i]->of->enrollment->enrollment_id;
    }
    if (!ids->nelts)
        return APR_SUCCESS;
    rv = mdm_store_queue_place(&refused, &full, st, c, 0, (const char *const *)ids->elts, ids->nelts);
    if (rv == APR_SUCCESS && refused->nelts)
        return mdm_fail(st->ctx, MDM_ECONFLICT, "%s has left meanwhile", APR_ARRAY_IDX(refused, 0, const char *));
    return rv;
}

static apr_status_t put(mdm_store_t *st, const mdm_command_t *c, const mdm_plan_item_t *const *items, int count)
{
    mdm_desired_put_t *rows = apr_pcalloc(st->ctx->pool, sizeof(*rows) * (apr_size_t)count);
    mdm_desired_t values = { 0 };
    int i;

    values.profile = items[0]->profile;
    values.version = items[0]->version;
    values.assignment = items[0]->assignment;
    values.state = state_after(items[0]->action);
    values.command = c ? c->id : 0;
    for (i = 0; i < count; i++) {
        rows[i].enrollment = items[i]->of->enrollment->id;
        rows[i].want_uuid = items[i]->want_uuid;
        rows[i].reason = items[i]->reason;
    }
    return mdm_store_desired_put(st, &values, rows, count);
}

static apr_status_t write_group(mdm_store_t *st, apr_int64_t change, const mdm_plan_item_t *const *items, int count)
{
    mdm_command_t *c = NULL;
    int removes = items[0]->action == MDM_PLAN_REMOVE;
    apr_status_t rv = APR_SUCCESS;

    if (is_order(items[0]->action))
        rv = mdm_fanout_command(&c, st, items[0]->profile, removes, !change ? NULL
                                : apr_psprintf(st->ctx->pool, "change:%" APR_INT64_T_FMT ":%" APR_INT64_T_FMT ":%s",
                                               change, items[0]->profile, removes ? "remove" : "install"));
    if (rv == APR_SUCCESS)
        rv = put(st, c, items, count);
    if (rv == APR_SUCCESS && c)
        rv = queue(st, c, items, count);
    return rv == APR_SUCCESS && items[0]->action != MDM_PLAN_NOTE ? supersede(st, c, items, count) : rv;
}

/* ---- the whole */

static apr_status_t wake(mdm_store_t *st, const apr_array_header_t *items)
{
    apr_array_header_t *ids = apr_array_make(st->ctx->pool, items->nelts, sizeof(const char *));
    const mdm_effect_of_t *last = NULL;
    int i;

    for (i = 0; i < items->nelts; i++) {
        const mdm_plan_item_t *item = &APR_ARRAY_IDX(items, i, mdm_plan_item_t);

        if (!is_order(item->action) || item->of == last)
            continue;
        last = item->of;
        APR_ARRAY_PUSH(ids, const char *) = last->enrollment->enrollment_id;
    }
    return mdm_store_push_want_all(st, mdm_ctx_now(st->ctx), (const char *const *)ids->elts, ids->nelts);
}

static void count(int *changed, int *queued, const apr_array_header_t *items)
{
    const mdm_effect_of_t *last = NULL;
    int i;

    *changed = *queued = 0;
    for (i = 0; i < items->nelts; i++) {
        const mdm_plan_item_t *item = &APR_ARRAY_IDX(items, i, mdm_plan_item_t);

        *queued += is_order(item->action);
        if (item->action < MDM_PLAN_NOTE && item->of != last) {
            (*changed)++;
            last = item->of;
        }
    }
}

apr_status_t mdm_fanout_write(int *changed, int *queued, mdm_store_t *st, apr_int64_t change,
                              const apr_array_header_t *items)
{
    const mdm_plan_item_t **sorted = apr_palloc(st->ctx->pool, sizeof(*sorted) * (apr_size_t)(items->nelts + 1));
    apr_status_t rv = APR_SUCCESS;
    int i, n = 0, from;

    count(changed, queued, items);
    for (i = 0; i < items->nelts; i++) {
        if (APR_ARRAY_IDX(items, i, mdm_plan_item_t).action != MDM_PLAN_WAIT)
            sorted[n++] = &APR_ARRAY_IDX(items, i, mdm_plan_item_t);
    }
    qsort(sorted, (size_t)n, sizeof(*sorted), by_group);
    for (from = 0; rv == APR_SUCCESS && from < n; from = i) {
        for (i = from + 1; i < n && is_same_group(sorted[from], sorted[i]); i++)
            continue;
        rv = write_group(st, change, sorted + from, i - from);
    }
    return rv == APR_SUCCESS && *queued ? wake(st, items) : rv;
}
