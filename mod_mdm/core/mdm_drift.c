/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of profiles against what should hold, by PayloadIdentifier. What is there as it should be is verified; what is
 * not, other, or too much waits for its remedy (core/mdm_remedy.c). Profiles of others are reported by the items of the
 * enrollment and never touched; the enrollment profile is never removed here, its absence is told once. Called in the
 * transaction of a device's answer, any thread.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <jansson.h>

#include "mdm_drift.h"
#include "mdm_facts_items.h"
#include "mdm_remedy.h"
#include "mdm_store_drift.h"

#define MDM_PAYLOAD "com.apple.mdm"
#define TOLD_MAX 2000                 /* bytes of an event's detail */

/* One list on its way through. */
typedef struct {
    mdm_store_t *st;
    mdm_ctx_t *ctx;
    const mdm_site_t *site;
    const mdm_connect_row_t *row;
    const mdm_device_t *device;
    apr_hash_t *listed;               /* by identifier: const mdm_plist_t * */
    const char *manager;              /* identifier of the profile that holds the MDM payload, or NULL */
    apr_array_header_t *rows;         /* mdm_drift_row_t */
    const char *found, *repaired, *failed;    /* what to tell, or NULL */
    int changed;
} comparing_t;

/* Whether the device says that it is managed; -1: it does not say. */
static int is_managed(const mdm_plist_t *entry)
{
    return mdm_plist_get_boolean(entry, "IsManaged", -1);
}

static int manages(const mdm_plist_t *entry)
{
    const mdm_plist_t *payloads = mdm_plist_get(entry, "PayloadContent"), *one;

    for (one = payloads && payloads->type == MDM_PLIST_ARRAY ? payloads->first : NULL; one; one = one->next) {
        const char *type = mdm_plist_get_string(one, "PayloadType");

        if (type && !strcmp(type, MDM_PAYLOAD))
            return 1;
    }
    return 0;
}

static void read_list(comparing_t *c, const mdm_plist_t *list)
{
    const mdm_plist_t *entry;
    int count = 0;

    c->listed = apr_hash_make(c->ctx->pool);
    for (entry = list->first; entry && count < MDM_FACTS_ITEMS_MAX; entry = entry->next, count++) {
        const char *identifier = mdm_plist_get_string(entry, "PayloadIdentifier");

        if (!identifier || !*identifier || strlen(identifier) > MDM_FACTS_IDENTIFIER_MAX
            || apr_hash_get(c->listed, identifier, APR_HASH_KEY_STRING))
            continue;
        apr_hash_set(c->listed, identifier, APR_HASH_KEY_STRING, entry);
        if (manages(entry))
            c->manager = identifier;
    }
}

static int is_enrollment_profile(const comparing_t *c, const char *identifier)
{
    return (c->site->profile_identifier && !strcmp(identifier, c->site->profile_identifier))
        || (c->manager && !strcmp(identifier, c->manager));
}

/* ---- what is wanted */

static int wants_removal_disallowed(const char *detail)
{
    json_t *json = detail ? json_loads(detail, 0, NULL) : NULL;
    int wanted = json ? json_is_true(json_object_get(json, "removal_disallowed")) : 0;

    json_decref(json);
    return wanted;
}

static int flags_differ(const comparing_t *c, const mdm_drift_row_t *row, const mdm_plist_t *entry)
{
    int encrypted = c->site->profile_cipher != MDM_CIPHER_UNSET && !c->row->parent;

    return mdm_plist_get_boolean(entry, "PayloadRemovalDisallowed", 0) != wants_removal_disallowed(row->detail)
        || mdm_plist_get_boolean(entry, "IsEncrypted", 0) != encrypted;
}

/* A command that is in the queue still will be answered: until then the list is about what was before it. */
static int is_under_way(const mdm_drift_row_t *row)
{
    return row->d.command && row->open;
}

/* One that a person has ended is known to have failed, and tried again. */
static int is_lost(const mdm_drift_row_t *row)
{
    return row->d.command && !row->open && row->d.state != MDM_DESIRED_FAILED;
}

/* ---- what becomes of it */

static const char *add_to(comparing_t *c, const char *told, const char *what, const char *identifier)
{
    const char *text = apr_pstrcat(c->ctx->pool, told ? told : "", told ? ", " : "", identifier, what ? ": " : "",
                                   what, NULL);

    return strlen(text) <= TOLD_MAX ? text : told;
}

static void settle(comparing_t *c, mdm_drift_row_t *row, mdm_drift_e drift)
{
    mdm_desired_t *d = &row->d;
    mdm_desired_state_e state = d->version > 0 ? MDM_DESIRED_VERIFIED : MDM_DESIRED_REMOVED;

    if (d->state == state && d->drift == drift)
        return;
    if (d->state == MDM_DESIRED_DRIFTED || d->state == MDM_DESIRED_FAILED || (d->drift && d->drift != MDM_DRIFT_FLAGS))
        c->repaired = add_to(c, c->repaired, NULL, d->identifier);
    if (drift)
        c->found = add_to(c, c->found, mdm_drift_name(drift), d->identifier);
    if (state == MDM_DESIRED_VERIFIED && d->state != state)
        d->verified_at = mdm_ctx_now(c->ctx);
    if (state == MDM_DESIRED_REMOVED)
        d->tries = 0;
    d->state = state;
    d->drift = drift;
    d->next_try_at = d->first_failed_at = 0;
    d->error = NULL;
    row->changed = c->changed = 1;
}

/* How often it was tried counts until it has been well for longer than any of the waits. */
static void forgive(comparing_t *c, mdm_desired_t *d)
{
    if (d->state == MDM_DESIRED_VERIFIED && mdm_ctx_now(c->ctx) - d->changed_at > mdm_remedy_calm(c->site))
        d->tries = 0;
}

static void go_astray(comparing_t *c, mdm_drift_row_t *row, mdm_drift_e drift)
{
    mdm_desired_t *d = &row->d;
    apr_time_t now = mdm_ctx_now(c->ctx);
    int removal = d->version <= 0;

    forgive(c, d);
    d->drift = drift;
    d->state = removal ? MDM_DESIRED_REMOVING : MDM_DESIRED_DRIFTED;
    d->next_try_at = mdm_remedy_next(c->site, d->tries, removal, now);
    d->first_failed_at = d->first_failed_at ? d->first_failed_at : now;
    if (!d->next_try_at) {
        d->state = MDM_DESIRED_FAILED;
        d->error = apr_psprintf(c->ctx->pool, "%s after %d remedies%s%s", mdm_drift_name(drift), d->tries,
                                d->error ? "; before that: " : "", d->error ? d->error : "");
        c->failed = add_to(c, c->failed, NULL, d->identifier);
    }
    c->found = add_to(c, c->found, mdm_drift_name(drift), d->identifier);
    row->changed = c->changed = 1;
}

static void judge_wanted(comparing_t *c, mdm_drift_row_t *row, const mdm_plist_t *entry)
{
    mdm_desired_t *d = &row->d;
    const char *uuid = mdm_plist_get_string(entry, "PayloadUUID");
    mdm_drift_e drift = entry ? MDM_DRIFT_STALE : d->verified_at ? MDM_DRIFT_DRIFTED : MDM_DRIFT_MISSING;

    if (uuid && d->want_uuid && !strcmp(uuid, d->want_uuid)) {
        settle(c, row, flags_differ(c, row, entry) ? MDM_DRIFT_FLAGS : MDM_DRIFT_NONE);
        return;
    }
    /* one that waits for its turn has no command yet, one that has failed or drifted waits for its remedy */
    if (d->state == MDM_DESIRED_ACKED || d->state == MDM_DESIRED_VERIFIED || is_lost(row)
        || (d->state == MDM_DESIRED_SENT && !d->command) || (d->state == MDM_DESIRED_DRIFTED && !d->next_try_at))
        go_astray(c, row, drift);
}

/* What a person has installed himself is his, whatever its identifier. */
static void judge_unwanted(comparing_t *c, mdm_drift_row_t *row, const mdm_plist_t *entry)
{
    mdm_desired_t *d = &row->d;

    if (!entry || !is_managed(entry)) {
        if (d->version >= 0)
            settle(c, row, MDM_DRIFT_NONE);
    } else if (!d->next_try_at && d->state != MDM_DESIRED_FAILED) {
        go_astray(c, row, MDM_DRIFT_EXTRA);
    }
}

static void judge(comparing_t *c, mdm_drift_row_t *row)
{
    const mdm_desired_t *d = &row->d;
    const mdm_plist_t *entry = apr_hash_get(c->listed, d->identifier, APR_HASH_KEY_STRING);

    if (d->state == MDM_DESIRED_GONE || d->state == MDM_DESIRED_BLOCKED || is_under_way(row)
        || is_enrollment_profile(c, d->identifier))
        return;
    if (d->version > 0)
        judge_wanted(c, row, entry);
    else
        judge_unwanted(c, row, entry);
}

/* ---- what is told */

static apr_status_t tell(comparing_t *c)
{
    const char *kind = c->failed ? "profile.failed" : c->found ? "profile.drifted" : "profile.repaired";
    const char *detail = c->found ? c->found : c->repaired;

    if (!detail)
        return APR_SUCCESS;
    mdm_log(c->ctx, MDM_LOG_MARK, c->failed ? MDM_LOG_WARNING : MDM_LOG_NOTICE, 0, MDMNO(1100) "%s: profiles %s: %s",
            c->device->enrollment_id, c->failed ? "are given up" : c->found ? "differ from what should hold"
            : "are as they should be again", detail);
    return mdm_store_event(c->st, kind, NULL, c->device->source, c->device->enrollment_id, c->failed, detail);
}

/* What the device says of the enrollment profile, as the fact has it; NULL: it is there. */
static const char *enrollment_profile(const comparing_t *c, int managed_only)
{
    const char *own = c->site->profile_identifier;

    if (c->row->parent || !own || apr_hash_get(c->listed, own, APR_HASH_KEY_STRING))
        return NULL;
    if (c->manager)
        return mdm_facts_json(json_string(c->manager), c->ctx->pool);
    return managed_only ? NULL : MDM_DRIFT_MISSING_PROFILE;
}

static apr_status_t watch_enrollment_profile(comparing_t *c, const char *alarm, const char *before)
{
    mdm_fact_t fact = { MDM_DRIFT_ENROLLMENT_FACT, alarm, NULL, 0, 0 };
    apr_array_header_t *changes;
    apr_status_t rv;

    if (before ? alarm && !strcmp(alarm, before) : !alarm)
        return APR_SUCCESS;
    changes = apr_array_make(c->ctx->pool, 1, sizeof(fact));
    APR_ARRAY_PUSH(changes, mdm_fact_t) = fact;
    rv = mdm_store_facts_change(c->st, c->row->enrollment, "ProfileList", changes);
    if (rv != APR_SUCCESS)
        return rv;
    if (alarm)
        mdm_log(c->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(1101) "%s lists no enrollment profile %s%s%s: it may "
                "have left management, or be managed through another profile", c->device->enrollment_id,
                c->site->profile_identifier, c->manager ? " but " : "", c->manager ? c->manager : "");
    return mdm_store_event(c->st, alarm ? "enrollment_profile.missing" : "enrollment_profile.returned", NULL,
                           c->device->source, c->device->enrollment_id, c->manager, NULL);
}

apr_status_t mdm_drift_list(mdm_store_t *st, const mdm_site_t *site, const mdm_connect_row_t *row,
                            const mdm_device_t *device, const mdm_plist_t *list, int managed_only)
{
    comparing_t c = { st, st->ctx, site, row, device, NULL, NULL, NULL, NULL, NULL, NULL, 0 };
    const char *before;
    apr_status_t rv = mdm_store_drift_rows(&c.rows, &before, st, row->enrollment);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    read_list(&c, list);
    for (i = 0; i < c.rows->nelts; i++)
        judge(&c, &APR_ARRAY_IDX(c.rows, i, mdm_drift_row_t));
    if (c.changed && (rv = mdm_store_drift_put(st, row->enrollment, c.rows)) != APR_SUCCESS)
        return rv;
    if ((rv = tell(&c)) != APR_SUCCESS)
        return rv;
    return watch_enrollment_profile(&c, enrollment_profile(&c, managed_only), before);
}
