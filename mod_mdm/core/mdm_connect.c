/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connect endpoint and the rules of the queue: serving does not finish, only an answer does;
 * NotNow keeps a command for later; an answer to what is not open disturbs nothing; what cannot be delivered
 * is withdrawn, and what nobody has approved is held. Called by the mdm-connect handler, any thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_approval.h"
#include "mdm_command.h"
#include "mdm_connect.h"
#include "mdm_crl.h"
#include "mdm_delivery.h"
#include "mdm_drift.h"
#include "mdm_identity.h"
#include "mdm_facts.h"
#include "mdm_plist_json.h"
#include "mdm_renewal.h"
#include "mdm_webhook.h"

#define STATUS_MAX 64
#define UUID_MAX 127
#define ASIDE_MAX 10             /* commands in one request that turn out to be undeliverable or unapproved */

typedef struct {
    mdm_store_t *st;
    const mdm_site_t *site;
    const mdm_device_t *device;
    mdm_connect_row_t *row, asked;    /* asked: as it was found; a transaction that is run again starts from it */
    const char *status;
    mdm_bytes_t body;
    int finished, late;               /* late: the command had been ended without this answer */
    const char *why;                  /* a command is withdrawn */
} report_t;

static int is_notnow(const char *status)
{
    return !strcmp(status, "NotNow");
}

/* Who ordered the erase and why goes into the trail, as far as it is known. */
static apr_status_t note_wiped(const report_t *r)
{
    mdm_command_people_t people;
    apr_status_t rv = mdm_store_command_people(&people, r->st, r->row->answered_id);

    return rv != APR_SUCCESS ? rv
           : mdm_store_event(r->st, "enrollment.wiped", people.orderer ? people.orderer : people.created_by,
                             r->device->source, r->device->device_id,
                             mdm_plist_get_string(r->device->message, "CommandUUID"), people.note);
}

/* An acknowledged erase is the last word of a device, on any channel: nothing may reach what comes up on it next. */
static apr_status_t close_wiped(report_t *r)
{
    mdm_crl_cause_t cause = { r->row->parent ? r->row->parent : r->row->enrollment, r->device->device_id,
                              r->row->certificate_user, r->device->source };
    apr_status_t rv = mdm_drift_pause(r->st);

    if (rv == APR_SUCCESS)
        rv = mdm_drift_closed(r->st, cause.enrollment);
    if (rv == APR_SUCCESS)
        rv = mdm_store_enrollment_close(r->st, cause.enrollment, MDM_STATE_WIPED);
    if (rv == APR_SUCCESS)
        rv = mdm_store_queue_cancel(r->st, cause.enrollment, "\"the device has been erased\"");
    if (rv == APR_SUCCESS)
        rv = mdm_crl_revoke_enrollment(r->st, &cause, "cessationOfOperation");
    if (rv == APR_SUCCESS)
        rv = mdm_store_renewal_forget(r->st, cause.enrollment);
    if (rv == APR_SUCCESS)
        rv = note_wiped(r);
    return rv;
}

/* What follows from an answer beyond its result, all or nothing of it: bits of one number. */
enum {
    MEANS_RENEWAL_REFUSED = 1,
    MEANS_DESIRED = 2,            /* it tells how far what should hold is */
    MEANS_FACTS = 4,
    MEANS_WIPED = 8
};

static int meaning_of(const report_t *r)
{
    const mdm_connect_row_t *row = r->row;
    int acknowledged = !strcmp(r->status, "Acknowledged");

    return (row->answered_delivery == MDM_DELIVERY_RENEWAL && !acknowledged ? MEANS_RENEWAL_REFUSED : 0)
         | (mdm_drift_wanted(row->answered_delivery) ? MEANS_DESIRED : 0)
         | (acknowledged && mdm_facts_wanted(row->answered_type) ? MEANS_FACTS : 0)
         | (acknowledged && row->answered_type && !strcmp(row->answered_type, "EraseDevice") ? MEANS_WIPED : 0);
}

static apr_status_t understand(report_t *r)
{
    const mdm_plist_t *chain = mdm_plist_get(r->device->message, "ErrorChain");
    int meaning = meaning_of(r);
    apr_status_t rv = APR_SUCCESS;

    r->row->answered = r->row->answered_id;
    if (meaning & MEANS_RENEWAL_REFUSED)
        rv = mdm_renewal_refused(r->st, r->row->enrollment, chain);
    if (rv == APR_SUCCESS && (meaning & MEANS_DESIRED))
        rv = mdm_drift_answered(r->st, r->site, r->row, r->device, r->status, chain, NULL);
    if (rv == APR_SUCCESS && (meaning & MEANS_FACTS))
        rv = mdm_facts_take(r->st, r->site, r->row, r->device);
    return rv == APR_SUCCESS && (meaning & MEANS_WIPED) ? close_wiped(r) : rv;
}

static apr_status_t store_report(void *baton, mdm_db_t *db)
{
    report_t *r = baton;
    mdm_ctx_t *ctx = r->st->ctx;
    mdm_result_t result = { 0 };
    mdm_bytes_t text;
    apr_status_t rv;

    (void)db;
    *r->row = r->asked;
    r->late = 0;
    if (is_notnow(r->status)) {
        rv = mdm_store_queue_notnow(r->st, r->row->enrollment, r->row->answered);
        if (rv == APR_SUCCESS)
            rv = mdm_store_push_want_one(r->st, r->row->enrollment, mdm_ctx_now(ctx) + r->site->notnow_retry);
        return rv;
    }
    result.enrollment = r->row->enrollment;
    result.command = r->row->answered_id;
    result.status = r->status;
    result.error_chain = mdm_plist_to_json_text(mdm_plist_get(r->device->message, "ErrorChain"), ctx->pool);
    if ((rv = mdm_plist_text_of(&text, ctx, r->body, r->device->message)) != APR_SUCCESS)
        return rv;
    result.response = apr_pstrmemdup(ctx->pool, (const char *)text.data, text.len);
    r->finished = 0;
    rv = r->row->answered ? mdm_store_queue_finish(&r->finished, r->st, &result) : APR_SUCCESS;
    if (rv == APR_SUCCESS && !r->finished) {
        rv = mdm_store_result_late(&r->finished, r->st, &result);
        r->late = r->finished;
    }
    return rv == APR_SUCCESS && r->finished ? understand(r) : rv;
}

static apr_status_t read_report(report_t *r, const char **uuid)
{
    mdm_ctx_t *ctx = r->st->ctx;

    r->status = mdm_plist_get_string(r->device->message, "Status");
    *uuid = mdm_plist_get_string(r->device->message, "CommandUUID");
    if (!r->status || !*r->status || strlen(r->status) > STATUS_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "the message has no Status");
    if (!strcmp(r->status, "Idle"))
        *uuid = NULL;
    else if (!*uuid || !**uuid || strlen(*uuid) > UUID_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "the report has no CommandUUID");
    return APR_SUCCESS;
}

static apr_status_t judge(const report_t *r)
{
    mdm_ctx_t *ctx = r->st->ctx;
    apr_status_t rv = mdm_device_judge(ctx, r->device, r->row, 0);

    if (rv != APR_SUCCESS)
        return rv;
    if (r->row->state >= MDM_STATE_LEFT)
        return mdm_device_refuse(ctx, r->device, "the device is not managed any more, it has to enroll");
    return APR_SUCCESS;
}

static apr_status_t ignore(const report_t *r, const char *uuid)
{
    mdm_log(r->st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0,
            MDMNO(0220) "%s reports %s for command %s, which is not open: ignored",
            r->device->enrollment_id, r->status, uuid);
    return APR_SUCCESS;
}

static apr_status_t act(report_t *r, const char *uuid)
{
    mdm_ctx_t *ctx = r->st->ctx;
    apr_status_t rv;

    if (!uuid)
        return r->row->has_notnow ? mdm_store_queue_new_session(r->st, r->row->enrollment) : APR_SUCCESS;
    if (!r->row->answered && (!r->row->answered_id || is_notnow(r->status)))
        return ignore(r, uuid);
    rv = is_notnow(r->status) || meaning_of(r) ? mdm_db_transact(r->st->db, store_report, r)
                                               : store_report(r, r->st->db);
    if (rv != APR_SUCCESS)
        return rv;
    if (!r->finished && !is_notnow(r->status))
        return ignore(r, uuid);
    if (r->late)
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_NOTICE, 0, MDMNO(0881) "%s answers %s to %s %s, which had been cancelled, "
                "superseded or had expired by then: the answer counts", r->device->enrollment_id, r->status,
                r->row->answered_type, uuid);
    else
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0221) "%s: %s %s is %s", r->device->enrollment_id,
                r->row->answered_type, uuid, r->status);
    return APR_SUCCESS;
}

/* What webhooks are told is stored with what it tells; a report that could not be stored is told all the same. */
typedef struct {
    report_t *r;
    const char *uuid;
    int queued;
} told_t;

static apr_status_t tell(told_t *t)
{
    mdm_webhook_event_t event = { "mdm.Connect", t->r->device, 0 };

    return mdm_webhook_note(&t->queued, t->r->st, t->r->site, &event);
}

static apr_status_t act_and_tell(void *baton, mdm_db_t *db)
{
    told_t *t = baton;
    apr_status_t rv = act(t->r, t->uuid);

    (void)db;
    return rv == APR_SUCCESS ? tell(t) : rv;
}

static apr_status_t act_told(int *wake, report_t *r, const char *uuid)
{
    told_t t = { r, uuid, 0 };
    apr_status_t rv;

    if (!mdm_webhook_wanted(r->site, "mdm.Connect"))
        return act(r, uuid);
    if (!uuid && !r->row->has_notnow)
        rv = tell(&t);
    else
        rv = mdm_db_transact(r->st->db, act_and_tell, &t);
    if (rv != APR_SUCCESS && rv != MDM_EDB && tell(&t) != APR_SUCCESS)
        rv = MDM_EDB;
    *wake = t.queued;
    return rv;
}

static apr_status_t withdraw(void *baton, mdm_db_t *db)
{
    report_t *r = baton;
    mdm_result_t result = { 0 };
    apr_status_t rv;
    int finished;

    (void)db;
    result.enrollment = r->row->enrollment;
    result.command = r->row->next;
    result.status = "Cancelled";
    result.error_chain = mdm_plist_to_json_text(mdm_plist_string(r->why, r->st->ctx->pool), r->st->ctx->pool);
    rv = mdm_store_queue_finish(&finished, r->st, &result);
    if (rv == APR_SUCCESS && r->row->next_delivery == MDM_DELIVERY_RENEWAL)
        rv = mdm_store_renewal_failed(r->st, r->row->enrollment, r->why);
    if (rv == APR_SUCCESS && mdm_drift_wanted(r->row->next_delivery))
        rv = mdm_drift_answered(r->st, r->site, r->row, r->device, result.status, NULL, r->why);
    return rv;
}

/* What can never be delivered must not hold up what comes after it. */
static int is_hopeless(apr_status_t rv)
{
    return rv == MDM_EINPUT || rv == MDM_EPLIST || rv == MDM_ECONFIG || rv == MDM_EGONE;
}

/* One that may not go out now or never; `rv` says which. */
static apr_status_t set_aside(report_t *r, apr_status_t rv, const mdm_command_t *held)
{
    mdm_ctx_t *ctx = r->st->ctx;

    r->why = apr_pstrdup(ctx->pool, mdm_ctx_detail(ctx, rv));
    mdm_ctx_clear(ctx);
    if (rv == MDM_EDENIED)
        return mdm_approval_hold(r->st, held, r->device->enrollment_id, r->device->source);
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0820) "command %s for %s is withdrawn: %s",
            r->row->next_uuid, r->device->enrollment_id, r->why);
    return mdm_db_transact(r->st->db, withdraw, r);
}

/* An order that was being stored while the device enrolled anew was not there yet to be cancelled. */
static apr_status_t check_generation(const report_t *r)
{
    if (!r->row->next_outlived || !mdm_command_is_destructive(r->row->next_type))
        return APR_SUCCESS;
    return mdm_fail(r->st->ctx, MDM_EGONE, "the device has enrolled anew since it was ordered");
}

static apr_status_t make_next(mdm_bytes_t *body, mdm_command_t *held, const report_t *r)
{
    apr_status_t rv = check_generation(r);

    if (rv == APR_SUCCESS)
        rv = mdm_approval_check(held, r->st, r->site, r->row);
    return rv == APR_SUCCESS ? mdm_delivery_make(body, r->st, r->site, r->device, r->row) : rv;
}

static apr_status_t hand_out(report_t *r, mdm_connect_answer_t *answer, const char *uuid)
{
    mdm_connect_row_t *row;
    int aside;

    for (aside = 0; r->row->next && aside < ASIDE_MAX; aside++) {
        mdm_command_t held;
        mdm_bytes_t body;
        apr_status_t rv = make_next(&body, &held, r);

        if (rv == APR_SUCCESS) {
            answer->command = r->row->next;
            answer->body = body;
        }
        if (rv != MDM_EDENIED && !is_hopeless(rv))
            return rv;
        if ((rv = set_aside(r, rv, &held)) != APR_SUCCESS
            || (rv = mdm_store_connect(&row, r->st, r->device->fingerprint, r->device->enrollment_id, uuid,
                                       is_notnow(r->status))) != APR_SUCCESS)
            return rv;
        r->row = row;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_connect_handle(mdm_connect_answer_t *answer, mdm_store_t *st, const mdm_site_t *site,
                                mdm_bytes_t body, const mdm_caller_t *caller)
{
    report_t r = { st, site, NULL, NULL, { 0 }, NULL, body, 0, 0, NULL };
    mdm_device_t *device;
    mdm_connect_row_t *row;
    const char *uuid;
    apr_status_t rv;

    memset(answer, 0, sizeof(*answer));
    if ((rv = mdm_device_read(&device, st->ctx, body, caller)) != APR_SUCCESS)
        return rv;
    r.device = device;
    if ((rv = read_report(&r, &uuid)) != APR_SUCCESS)
        return rv;
    rv = mdm_store_connect(&row, st, device->fingerprint, device->enrollment_id, uuid, is_notnow(r.status));
    if (rv == APR_SUCCESS)
        rv = mdm_identity_meet(&row, st, site, device, uuid, is_notnow(r.status));
    if (rv != APR_SUCCESS)
        return rv;
    r.row = row;
    r.asked = *row;
    if ((rv = judge(&r)) == MDM_EDENIED)
        return mdm_identity_refused(st, device);
    if (rv != APR_SUCCESS || (rv = act_told(&answer->wake, &r, uuid)) != APR_SUCCESS)
        return rv;
    answer->enrollment = row->enrollment;
    return r.finished && (meaning_of(&r) & MEANS_WIPED) ? APR_SUCCESS : hand_out(&r, answer, uuid);
}
