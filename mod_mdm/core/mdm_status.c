/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a site in one report. Called by the mdm-status handler and mod_status' page, any thread; a
 * fixed number of statements whatever the number of enrollments.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_authority.h"
#include "mdm_json.h"
#include "mdm_plist_json.h"
#include "mdm_profile_state.h"
#include "mdm_status.h"
#include "mdm_rollout.h"
#include "mdm_unreadable.h"
#include "mdm_stuck.h"

#define DEVICES_SHOWN 20
#define QUEUE_SHOWN 50
#define WARN_DAYS 30

static void set_time(json_t *json, const char *name, apr_time_t at, apr_pool_t *p)
{
    mdm_json_set_text(json, name, mdm_time_plain(at, NULL, p));
}

static const char *plain_time(apr_time_t at, apr_pool_t *p)
{
    return mdm_time_plain(at, NULL, p);
}

static int days_left(mdm_ctx_t *ctx, apr_time_t not_after)
{
    return mdm_time_days_left(not_after, mdm_ctx_now(ctx));
}

static void alert(json_t *alerts, const char *text)
{
    json_array_append_new(alerts, json_string(text));
}

/* Certificates end on a day that is known long before: say so in time, and louder when it is over. */
static void alert_expiry(json_t *alerts, mdm_ctx_t *ctx, const char *what, apr_time_t not_after,
                         const char *remedy)
{
    int days = days_left(ctx, not_after);

    if (not_after <= mdm_ctx_now(ctx))
        alert(alerts, apr_psprintf(ctx->pool, "%s has expired: %s", what, remedy));
    else if (days < WARN_DAYS)
        alert(alerts, apr_psprintf(ctx->pool, "%s expires in %d days: %s", what, days, remedy));
}

static json_t *counts_json(const apr_array_header_t *counts)
{
    json_t *json = json_object();
    int i;

    for (i = 0; i < counts->nelts; i++) {
        const mdm_count_t *c = &APR_ARRAY_IDX(counts, i, mdm_count_t);

        json_object_set_new(json, c->name, json_integer(c->count));
    }
    return json;
}

/* The figures count by state and type; what an administrator asks for first is the state. */
static json_t *states_json(const apr_array_header_t *counts, apr_pool_t *p)
{
    json_t *json = json_object();
    int i;

    for (i = 0; i < counts->nelts; i++) {
        const mdm_count_t *c = &APR_ARRAY_IDX(counts, i, mdm_count_t);
        const char *state = apr_pstrmemdup(p, c->name, strcspn(c->name, " "));

        json_object_set_new(json, state,
                            json_integer(json_integer_value(json_object_get(json, state)) + c->count));
    }
    return json;
}

/* A certificate that signed itself is none of Apple's: good for trying out, useless for waking anybody. */
static void alert_test_certificate(json_t *alerts, mdm_ctx_t *ctx, const mdm_push_topic_t *t)
{
    mdm_cert_t *cert;

    if (mdm_cert_from_pem(&cert, ctx, mdm_bytes_of(t->certificate_pem)) == APR_SUCCESS
        && mdm_cert_is_self_signed(cert))
        alert(alerts, apr_psprintf(ctx->pool, "The push certificate %s is a test certificate: Apple's push "
                                   "service does not take it, real devices cannot be woken.", t->topic));
}

static json_t *topics_json(json_t *alerts, mdm_ctx_t *ctx, const apr_array_header_t *topics)
{
    json_t *json = json_array();
    int i;

    if (!topics->nelts)
        alert(alerts, "There is no push certificate: no device can enroll. Upload one with PUT v1/pushcert "
              "of the API.");
    for (i = 0; i < topics->nelts; i++) {
        const mdm_push_topic_t *t = APR_ARRAY_IDX(topics, i, mdm_push_topic_t *);
        json_t *item = json_pack("{s:s, s:i}", "topic", t->topic, "days_left", days_left(ctx, t->not_after));

        set_time(item, "not_after", t->not_after, ctx->pool);
        json_array_append_new(json, item);
        alert_test_certificate(alerts, ctx, t);
        alert_expiry(alerts, ctx, apr_pstrcat(ctx->pool, "The push certificate ", t->topic, NULL),
                     t->not_after, "renew it with the same Apple Account, or its devices cannot be woken");
    }
    return json;
}

static json_t *enrollment_json(const mdm_enrollment_t *e, apr_pool_t *p)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "enrollment_id", e->enrollment_id);
    mdm_json_set_text(json, "type", e->type);
    mdm_json_set_text(json, "state", mdm_state_name(e->state));
    mdm_json_set_text(json, "user", e->user);
    mdm_json_set_text(json, "device_name", e->device_name);
    mdm_json_set_text(json, "model", e->product_name ? e->product_name : e->model);
    mdm_json_set_text(json, "serial_number", e->serial_number);
    mdm_json_set_text(json, "os_version", e->os_version);
    set_time(json, "enrolled_at", e->enrolled_at, p);
    set_time(json, "last_seen_at", e->last_seen_at, p);
    mdm_json_set_text(json, "last_ip", e->last_ip);
    return json;
}

/* What the device itself said about itself, last. */
static void add_device_information(json_t *json, mdm_store_t *st, const char *enrollment_id)
{
    mdm_queue_item_t *item;
    mdm_plist_t *root;

    if (mdm_store_result_latest(&item, st, enrollment_id, "DeviceInformation") == APR_SUCCESS
        && item->response
        && mdm_plist_read(&root, st->ctx, mdm_bytes_of(item->response)) == APR_SUCCESS) {
        json_object_set_new(json, "device_information",
                            mdm_plist_to_json(mdm_plist_get(root, "QueryResponses"), st->ctx->pool));
        set_time(json, "device_information_at", item->finished_at, st->ctx->pool);
    }
    mdm_ctx_clear(st->ctx);
}

static json_t *devices_json(mdm_store_t *st)
{
    json_t *json = json_array();
    apr_array_header_t *list;
    int i;

    if (mdm_store_enrollment_newest(&list, st, DEVICES_SHOWN) != APR_SUCCESS)
        return json;
    for (i = 0; i < list->nelts; i++) {
        const mdm_enrollment_t *e = APR_ARRAY_IDX(list, i, mdm_enrollment_t *);
        json_t *item = enrollment_json(e, st->ctx->pool);

        add_device_information(item, st, e->enrollment_id);
        json_array_append_new(json, item);
    }
    return json;
}

void mdm_status_failed(json_t *alerts, mdm_ctx_t *ctx, const char *what, apr_status_t rv)
{
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(0111) "%s: %s", what, mdm_ctx_detail(ctx, rv));
    json_array_append_new(alerts, json_sprintf("%s: %s", what, mdm_ctx_reason(ctx, rv)));
    mdm_ctx_clear(ctx);
}

static void add_figures(json_t *report, json_t *alerts, mdm_store_t *st)
{
    mdm_figures_t *f;
    apr_status_t rv = mdm_store_figures(&f, st);

    if (rv != APR_SUCCESS) {
        mdm_status_failed(alerts, st->ctx, "Enrollments and commands cannot be counted", rv);
        return;
    }
    json_object_set_new(report, "enrollments", states_json(f->enrollments, st->ctx->pool));
    json_object_set_new(report, "open_commands", counts_json(f->open_commands));
    json_object_set_new(report, "pushes", counts_json(f->pushes));
    json_object_set_new(report, "pushes_due", json_integer(f->pushes_due));
    json_object_set_new(report, "certificates", counts_json(f->certificates));
    json_object_set_new(report, "push_certificates", topics_json(alerts, st->ctx, f->topics));
    json_object_set_new(report, "devices", devices_json(st));
}

static const mdm_authority_t *oldest(const mdm_site_t *site)
{
    return APR_ARRAY_IDX(site->authorities, 0, mdm_authority_t *);
}

/* A CA that ends is no trouble once the next one is there in time. */
static void alert_authorities(json_t *alerts, mdm_ctx_t *ctx, const mdm_site_t *site)
{
    apr_time_t now = mdm_ctx_now(ctx);
    const mdm_authority_t *present = mdm_authority_present(site, now), *next = mdm_authority_next(site, now);
    apr_time_t end = mdm_cert_not_after(present->cert);

    if (!next || mdm_cert_not_before(next->cert) >= end)
        alert_expiry(alerts, ctx, "The identity CA", end, "no device can get an identity after that; run "
                     "mdmctl ca next, then restart httpd gracefully");
    if (present != oldest(site) && mdm_cert_not_after(oldest(site)->cert) <= now)
        alert(alerts, "The old identity CA has expired: run mdmctl ca retire, then restart httpd gracefully");
    if (site->ra)
        alert_expiry(alerts, ctx, "The RA certificate", mdm_cert_not_after(site->ra),
                     "no device can get an identity after that; make a new one with mdmctl ca ra");
}

/* Signed by a CA of the site, profiles are not shown as verified anyhow. */
static void alert_signer(json_t *alerts, mdm_ctx_t *ctx, const mdm_site_t *site)
{
    if (!mdm_authority_find(site, mdm_cert_fingerprint(ctx, site->signer)))
        alert_expiry(alerts, ctx, "The certificate that signs profiles", mdm_cert_not_after(site->signer),
                     "devices will not show profiles as verified; renew it, then restart httpd gracefully");
}

json_t *mdm_status_report(mdm_ctx_t *ctx, mdm_store_t *st, const mdm_site_t *site, const char *why)
{
    json_t *report = json_object(), *alerts = json_array(), *ca;
    const mdm_cert_t *present = mdm_authority_present(site, mdm_ctx_now(ctx))->cert;
    apr_time_t ca_end = mdm_cert_not_after(present);

    mdm_json_set_text(report, "version", MDM_VERSION);
    set_time(report, "time", mdm_ctx_now(ctx), ctx->pool);
    mdm_json_set_text(report, "organization", site->organization);
    json_object_set_new(report, "alerts", alerts);
    if (why)
        alert(alerts, apr_pstrcat(ctx->pool, "The database is not available: ", why, NULL));
    alert_authorities(alerts, ctx, site);
    alert_signer(alerts, ctx, site);
    if (st)
        add_figures(report, alerts, st);
    if (json_object_get(report, "enrollments"))
        mdm_status_identities(report, alerts, st, site);
    if (json_object_get(report, "enrollments"))
        mdm_profile_state_report(report, alerts, st, site);
    if (json_object_get(report, "enrollments"))
        mdm_status_passcodes(report, alerts, st);
    if (json_object_get(report, "enrollments"))
        mdm_rollout_alerts(alerts, st);
    if (json_object_get(report, "enrollments"))
        mdm_unreadable_alerts(alerts, st);
    ca = json_pack("{s:s, s:i}", "subject", mdm_cert_subject(ctx, present), "days_left",
                   days_left(ctx, ca_end));
    set_time(ca, "not_after", ca_end, ctx->pool);
    if (mdm_authority_next(site, mdm_ctx_now(ctx)))
        set_time(ca, "next_from", mdm_cert_not_before(mdm_authority_next(site, mdm_ctx_now(ctx))->cert),
                 ctx->pool);
    json_object_set_new(report, "ca", ca);
    return report;
}

static void set_fact(json_t *facts, const char *name, const char *value)
{
    if (value)
        mdm_json_set_text(facts, name, value);
    else
        json_object_set_new(facts, name, json_null());
}

apr_status_t mdm_status_facts(json_t **facts, mdm_store_t *st, apr_int64_t enrollment)
{
    mdm_session_t *session;
    apr_status_t rv = mdm_store_session_of_enrollment(&session, st, enrollment);

    *facts = NULL;
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(st->ctx);
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS)
        return rv;
    *facts = json_object();
    set_fact(*facts, "udid", session->facts.udid);
    set_fact(*facts, "serial_number", session->facts.serial_number);
    set_fact(*facts, "imei", session->facts.imei);
    set_fact(*facts, "meid", session->facts.meid);
    set_fact(*facts, "iccid", session->facts.iccid);
    set_fact(*facts, "product", session->facts.product);
    set_fact(*facts, "os_build", session->facts.version);
    set_fact(*facts, "device_name", session->facts.device_name);
    return APR_SUCCESS;
}

static const char *last_sign(const mdm_enrollment_t *e, apr_pool_t *p)
{
    return e->silent_since <= 1 ? "Never heard of"
        : apr_pstrcat(p, "Not heard of since ", mdm_time_plain(e->silent_since, NULL, p), NULL);
}

const char *mdm_status_hint(const mdm_enrollment_t *e, const mdm_reach_t *reach, const mdm_site_t *site, apr_pool_t *p)
{
    if (e->state == MDM_STATE_UNMANAGED)
        return apr_pstrcat(p, "Configured without management: nothing can be sent to it. For newer "
                           "settings its owner has to enroll again at ", site->enroll_url, NULL);
    if (e->state == MDM_STATE_MISSING)
        return apr_pstrcat(p, last_sign(e, p), ", and APNs calls its push token dead: most likely it is not managed "
                           "any more. Its open commands were cancelled. It returns with its next TokenUpdate, or when "
                           "its owner enrolls again at ", site->enroll_url, NULL);
    if (e->state != MDM_STATE_ENROLLED)
        return NULL;
    if (reach->dead)
        return apr_psprintf(p, "APNs calls its push token dead (%s): it cannot be woken until its next TokenUpdate",
                            reach->last_reason ? reach->last_reason : "Unregistered");
    return e->silent_since ? apr_pstrcat(p, last_sign(e, p), ": it is off, without network, or not managed any more. "
                                         "Commands wait for it", NULL) : NULL;
}

apr_status_t mdm_status_enrollment(json_t **out, mdm_store_t *st, const mdm_site_t *site,
                                   const char *enrollment_id)
{
    mdm_enrollment_t *e;
    apr_array_header_t *queue;
    json_t *json, *items, *facts, *identity, *profiles;
    mdm_reach_t reach;
    mdm_stuck_t stuck;
    apr_status_t rv;
    int i;

    if ((rv = mdm_store_enrollment_get(&e, st, enrollment_id)) != APR_SUCCESS
        || (rv = mdm_store_reach(&reach, st, e->id)) != APR_SUCCESS
        || (rv = mdm_store_queue_list(&queue, st, enrollment_id, QUEUE_SHOWN)) != APR_SUCCESS
        || (rv = mdm_status_facts(&facts, st, e->id)) != APR_SUCCESS)
        return rv;
    mdm_json_own(facts, st->ctx->pool);
    if ((rv = mdm_status_identity(&identity, st, e, NULL)) != APR_SUCCESS
        || (rv = mdm_stuck_one(&stuck, st, site, e->id)) != APR_SUCCESS
        || (rv = mdm_profile_state_of(&profiles, st, site, e, plain_time)) != APR_SUCCESS)
        return rv;
    json = enrollment_json(e, st->ctx->pool);
    mdm_json_set_text(json, "hint", mdm_status_hint(e, &reach, site, st->ctx->pool));
    mdm_json_set_text(json, "stuck", stuck.text);
    json_object_set_new(json, "profiles", profiles);
    if (facts)
        json_object_set(json, "device_facts", facts);
    if (identity)
        json_object_set_new(json, "identity", identity);
    if ((rv = mdm_status_passcode(json, st, e)) != APR_SUCCESS) {
        json_decref(json);
        return rv;
    }
    add_device_information(json, st, enrollment_id);
    items = json_array();
    for (i = 0; i < queue->nelts; i++) {
        const mdm_queue_item_t *item = APR_ARRAY_IDX(queue, i, mdm_queue_item_t *);
        json_t *command = json_pack("{s:s, s:s, s:s}", "command_uuid", item->uuid, "request_type",
                                    item->request_type, "state", item->state);

        set_time(command, "queued_at", item->queued_at, st->ctx->pool);
        json_array_append_new(items, command);
    }
    json_object_set_new(json, "open_commands", items);
    *out = json;
    return APR_SUCCESS;
}
