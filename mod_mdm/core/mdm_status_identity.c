/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the reports tell about the identities of devices: which end, how their renewal goes, and that
 * somebody has to act where it does not. Called by the status page and the API, any thread; two statements.
 */
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_renewal.h"
#include "mdm_status.h"

#define SHOWN 50

static const char *plain_time(apr_time_t at, apr_pool_t *p)
{
    return mdm_time_plain(at, NULL, p);
}

static void set_renewal(json_t *json, int attempts, apr_time_t due_at, apr_time_t last_at, const char *error,
                        mdm_status_time_fn *time, apr_pool_t *p)
{
    json_object_set_new(json, "attempts", json_integer(attempts));
    mdm_json_set_text(json, "next_attempt_at", time(due_at, p));
    mdm_json_set_text(json, "last_attempt_at", time(last_at, p));
    mdm_json_set_text(json, "last_error", error);
}

static json_t *ending_json(mdm_ctx_t *ctx, const mdm_ending_t *ending)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "enrollment_id", ending->enrollment_id);
    mdm_json_set_text(json, "device_name", ending->device_name);
    mdm_json_set_text(json, "serial_number", ending->serial_number);
    mdm_json_set_text(json, "user", ending->user);
    mdm_json_set_text(json, "certificate", ending->serial);
    mdm_json_set_text(json, "not_after", plain_time(ending->not_after, ctx->pool));
    json_object_set_new(json, "expired", json_boolean(ending->not_after <= mdm_ctx_now(ctx)));
    if (ending->due_at)
        set_renewal(json, ending->attempts, ending->due_at, ending->last_at, ending->last_error, plain_time,
                    ctx->pool);
    return json;
}

static void alert(json_t *alerts, int count, const char *one, const char *many)
{
    if (count)
        json_array_append_new(alerts, json_sprintf("%d %s", count, count == 1 ? one : many));
}

static apr_status_t add(json_t *report, json_t *alerts, mdm_store_t *st, const mdm_site_t *site)
{
    mdm_ctx_t *ctx = st->ctx;
    apr_time_t until = mdm_ctx_now(ctx)
        + (site->renew_before ? site->renew_before : site->identity_lifetime / 3);
    apr_array_header_t *list;
    int expired, expiring, refused, i;
    json_t *items;
    apr_status_t rv = mdm_store_renewal_counts(&expired, &expiring, &refused, st, until);

    if (rv != APR_SUCCESS || (rv = mdm_store_renewal_ending(&list, st, until, SHOWN)) != APR_SUCCESS)
        return rv;
    json_object_set_new(report, "identities", json_pack("{s:i, s:i, s:i}", "expired", expired, "expiring",
                                                        expiring, "renewal refused", refused));
    items = json_array();
    for (i = 0; i < list->nelts; i++)
        json_array_append_new(items, ending_json(ctx, APR_ARRAY_IDX(list, i, const mdm_ending_t *)));
    json_object_set_new(report, "ending_identities", items);
    alert(alerts, expired,
          "device has an expired identity and cannot connect any more: it has to enroll again",
          "devices have an expired identity and cannot connect any more: they have to enroll again");
    alert(alerts, refused, "device refuses again and again to renew its identity: see its last error",
          "devices refuse again and again to renew their identity: see their last errors");
    return APR_SUCCESS;
}

void mdm_status_identities(json_t *report, json_t *alerts, mdm_store_t *st, const mdm_site_t *site)
{
    apr_status_t rv = add(report, alerts, st, site);

    if (rv != APR_SUCCESS)
        mdm_status_failed(alerts, st->ctx, "The identities cannot be looked up", rv);
}

apr_status_t mdm_status_identity(json_t **identity, mdm_store_t *st, const mdm_enrollment_t *enrollment,
                                 mdm_status_time_fn *time)
{
    apr_pool_t *p = st->ctx->pool;
    mdm_certificate_t *cert;
    mdm_renewal_t *renewal;
    apr_status_t rv = enrollment->certificate
        ? mdm_store_certificate_by_fingerprint(&cert, st, enrollment->certificate) : MDM_ENOTFOUND;

    *identity = NULL;
    if (!time)
        time = plain_time;
    if (rv == APR_SUCCESS) {
        *identity = json_pack("{s:s}", "certificate", cert->serial);
        mdm_json_set_text(*identity, "issued_at", time(cert->issued_at, p));
        mdm_json_set_text(*identity, "not_after", time(cert->not_after, p));
        rv = mdm_store_renewal_get(&renewal, st, enrollment->id);
    }
    if (rv == APR_SUCCESS) {
        json_t *json = json_object();

        set_renewal(json, renewal->attempts, renewal->due_at, renewal->last_at, renewal->last_error, time, p);
        json_object_set_new(*identity, "renewal", json);
    }
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(st->ctx);
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS) {
        json_decref(*identity);
        *identity = NULL;
    }
    return rv;
}
