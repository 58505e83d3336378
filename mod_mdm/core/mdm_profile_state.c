/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How profiles are on devices, as JSON. Called by the API and the status page, any thread; a fixed number of statements
 * whatever the number of enrollments.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_facts_items.h"
#include "mdm_json.h"
#include "mdm_profile_state.h"
#include "mdm_status.h"
#include "mdm_store_drift.h"
#include "mdm_store_stuck.h"
#include "mdm_stuck.h"

#define MDM_PAYLOAD "com.apple.mdm"
#define SHOWN 20

static void set_flag(json_t *json, const char *name, const json_t *value)
{
    json_object_set_new(json, name, json_is_boolean(value) ? json_copy((json_t *)value) : json_null());
}

/* What the device says of a profile that it holds. */
static json_t *observed_json(const mdm_item_t *item, json_t *detail)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "uuid", json_string_value(json_object_get(detail, "PayloadUUID")));
    mdm_json_set_text(json, "display_name", item->name);
    set_flag(json, "managed", json_object_get(detail, "IsManaged"));
    set_flag(json, "encrypted", json_object_get(detail, "IsEncrypted"));
    set_flag(json, "removal_disallowed", json_object_get(detail, "PayloadRemovalDisallowed"));
    json_object_set(json, "payload_types", json_object_get(detail, "PayloadTypes"));
    return json;
}

json_t *mdm_profile_state_row(const mdm_desired_t *d, mdm_status_time_fn *time, apr_pool_t *p)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "enrollment_id", d->enrollment_id);
    if (!d->enrollment_id) {
        mdm_json_set_text(json, "profile", d->name);
        mdm_json_set_text(json, "identifier", d->identifier);
    }
    json_object_set_new(json, "version", json_integer(d->version));
    mdm_json_set_text(json, "state", mdm_desired_name(d->state));
    mdm_json_set_text(json, "reason", d->reason);
    mdm_json_set_text(json, "drift", d->drift ? mdm_drift_name(d->drift) : NULL);
    mdm_json_set_text(json, "want_uuid", d->want_uuid);
    mdm_json_set_text(json, "error", d->error);
    json_object_set_new(json, "tries", json_integer(d->tries));
    mdm_json_set_text(json, "next_try_at", time(d->next_try_at, p));
    mdm_json_set_text(json, "first_failed_at", time(d->first_failed_at, p));
    mdm_json_set_text(json, "changed_at", time(d->changed_at, p));
    mdm_json_set_text(json, "verified_at", time(d->verified_at, p));
    return json;
}

/* ---- one enrollment */

typedef struct {
    mdm_store_t *st;
    const mdm_site_t *site;
    apr_hash_t *desired;              /* by identifier: json_t * of its row */
    json_t *others;
    const char *enrollment_profile;
} showing_t;

static int manages(const json_t *detail)
{
    const json_t *types = json_object_get(detail, "PayloadTypes");
    size_t i;

    for (i = 0; i < json_array_size(types); i++) {
        if (!strcmp(json_string_value(json_array_get(types, i)), MDM_PAYLOAD))
            return 1;
    }
    return 0;
}

static const char *kind_of(const showing_t *s, const mdm_item_t *item, const json_t *detail)
{
    const json_t *managed = json_object_get(detail, "IsManaged");

    if (manages(detail) || (s->site->profile_identifier && !strcmp(item->identifier, s->site->profile_identifier)))
        return "enrollment";
    return json_is_true(managed) ? "foreign" : json_is_false(managed) ? "unmanaged" : "unknown";
}

static void show_item(showing_t *s, const mdm_item_t *item)
{
    json_t *detail = json_loads(item->detail, 0, NULL), *json, *row;
    const char *kind = kind_of(s, item, detail);

    row = apr_hash_get(s->desired, item->identifier, APR_HASH_KEY_STRING);
    json = observed_json(item, detail);
    if (!strcmp(kind, "enrollment"))
        s->enrollment_profile = item->identifier;
    if (row) {
        json_object_set_new(row, "observed", json);
    } else {
        mdm_json_set_text(json, "identifier", item->identifier);
        mdm_json_set_text(json, "kind", kind);
        json_array_append_new(s->others, json);
    }
    json_decref(detail);
}

static apr_status_t show_items(showing_t *s, json_t *out, const mdm_enrollment_t *e, mdm_status_time_fn *time)
{
    apr_array_header_t *items, *sources;
    apr_time_t listed_at = 0;
    apr_status_t rv = mdm_store_items_list(&items, s->st, e->id, "profile", NULL, MDM_FACTS_ITEMS_MAX);
    int i;

    if (rv == APR_SUCCESS)
        rv = mdm_store_facts_sources(&sources, s->st, e->id);
    if (rv != APR_SUCCESS)
        return rv;
    for (i = 0; i < items->nelts; i++)
        show_item(s, &APR_ARRAY_IDX(items, i, mdm_item_t));
    for (i = 0; i < sources->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(sources, i, mdm_fact_t).source, "ProfileList"))
            listed_at = APR_ARRAY_IDX(sources, i, mdm_fact_t).changed_at;
    }
    mdm_json_set_text(out, "listed_at", time(listed_at, s->st->ctx->pool));
    if (listed_at && !e->parent)
        mdm_json_set_text(out, "enrollment_profile", s->enrollment_profile ? s->enrollment_profile : "missing");
    return APR_SUCCESS;
}

apr_status_t mdm_profile_state_of(json_t **out, mdm_store_t *st, const mdm_site_t *site, const mdm_enrollment_t *e,
                                  mdm_status_time_fn *time)
{
    showing_t s = { st, site, apr_hash_make(st->ctx->pool), NULL, NULL };
    json_t *json = mdm_json_object(st->ctx->pool), *list = json_array();
    apr_array_header_t *rows;
    apr_status_t rv = mdm_store_desired_list(&rows, st, e->id);
    int i;

    json_object_set_new(json, "profiles", list);
    json_object_set_new(json, "others", s.others = json_array());
    mdm_json_set_text(json, "enrollment_id", e->enrollment_id);
    for (i = 0; rv == APR_SUCCESS && i < rows->nelts; i++) {
        const mdm_desired_t *d = APR_ARRAY_IDX(rows, i, mdm_desired_t *);
        json_t *row = mdm_profile_state_row(d, time, st->ctx->pool);

        json_array_append_new(list, row);
        apr_hash_set(s.desired, d->identifier, APR_HASH_KEY_STRING, row);
    }
    if (rv == APR_SUCCESS && (e->state == MDM_STATE_ENROLLED || e->state == MDM_STATE_MISSING))
        rv = show_items(&s, json, e, time);
    *out = rv == APR_SUCCESS ? json_incref(json) : NULL;
    return rv;
}

/* ---- the report */

static void alert(json_t *alerts, apr_int64_t count, const char *one, const char *many)
{
    if (count)
        json_array_append_new(alerts, json_sprintf("%" JSON_INTEGER_FORMAT " %s", (json_int_t)count,
                                                   count == 1 ? one : many));
}

static void tell(json_t *report, json_t *alerts, const mdm_trouble_t *t)
{
    json_object_set_new(report, "profiles", json_pack("{s:I, s:I, s:I}", "drifted", (json_int_t)t->drifted, "failed",
                                                      (json_int_t)t->failed, "blocked", (json_int_t)t->blocked));
    alert(alerts, t->failed, "profile has failed on a device: see what the device said",
          "profiles have failed on devices: see what the devices said");
    alert(alerts, t->drifted, "profile is not on its device as it should be: it is installed again",
          "profiles are not on their devices as they should be: they are installed again");
    alert(alerts, t->no_enrollment_profile,
          "device lists no enrollment profile: it may have left management",
          "devices list no enrollment profile: they may have left management");
    alert(alerts, t->other_enrollment_profile, "device is managed by an enrollment profile that is not this site's",
          "devices are managed by enrollment profiles that are not this site's");
}

static apr_status_t add_stuck(json_t *report, mdm_store_t *st, const mdm_site_t *site)
{
    apr_array_header_t *ids, *found;
    json_t *list;
    apr_status_t rv = mdm_store_stuck_candidates(&ids, st, SHOWN);
    int i;

    if (rv == APR_SUCCESS)
        rv = mdm_stuck_find(&found, st, site, (const apr_int64_t *)ids->elts, ids->nelts);
    if (rv != APR_SUCCESS)
        return rv;
    list = json_array();
    for (i = 0; i < found->nelts; i++) {
        const mdm_stuck_t *s = &APR_ARRAY_IDX(found, i, mdm_stuck_t);
        json_t *json = json_pack("{s:s, s:s, s:s}", "enrollment_id", s->enrollment_id, "reason",
                                 mdm_stuck_name(s->reason), "text", s->text);

        mdm_json_set_text(json, "since", mdm_time_plain(s->since, NULL, st->ctx->pool));
        json_array_append_new(list, json);
    }
    json_object_set_new(report, "stuck", list);
    return APR_SUCCESS;
}

void mdm_profile_state_report(json_t *report, json_t *alerts, mdm_store_t *st, const mdm_site_t *site)
{
    mdm_trouble_t trouble;
    apr_status_t rv = mdm_store_trouble(&trouble, st);

    if (rv == APR_SUCCESS) {
        tell(report, alerts, &trouble);
        rv = add_stuck(report, st, site);
    }
    if (rv != APR_SUCCESS)
        mdm_status_failed(alerts, st->ctx, "The state of profiles cannot be looked up", rv);
}
