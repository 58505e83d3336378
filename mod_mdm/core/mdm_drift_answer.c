/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to installs and removals of profiles, and the list that follows them: one for all that a session brought. And
 * what becomes of the rows when an enrollment ends or begins. Called in the transaction of a device's message, any
 * thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_drift.h"
#include "mdm_fanout.h"
#include "mdm_remedy.h"
#include "mdm_store_change.h"
#include "mdm_store_drift.h"
#include "mdm_store_push.h"

#define TEXTS_MAX 4                   /* of an ErrorChain, the outermost first */
#define ERROR_MAX 500                 /* bytes */

int mdm_drift_wanted(mdm_delivery_e delivery)
{
    return delivery == MDM_DELIVERY_PROFILE || delivery == MDM_DELIVERY_PROFILE_REMOVAL;
}

static const char *cut(const char *text, apr_size_t max, apr_pool_t *p)
{
    apr_size_t len = strlen(text);

    if (len <= max)
        return text;
    for (len = max; len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
        ;
    return apr_pstrmemdup(p, text, len);
}

/* The words of the device, those in English first: what it could not do, then why. */
static const char *chain_text(const mdm_plist_t *chain, apr_pool_t *p)
{
    const mdm_plist_t *one = chain && chain->type == MDM_PLIST_ARRAY ? chain->first : NULL;
    const char *text = NULL;
    int count;

    for (count = 0; one && count < TEXTS_MAX; one = one->next, count++) {
        const mdm_plist_t *code = mdm_plist_get(one, "ErrorCode");
        const char *domain = mdm_plist_get_string(one, "ErrorDomain");
        const char *said = mdm_plist_get_string(one, "USEnglishDescription");

        if (!said)
            said = mdm_plist_get_string(one, "LocalizedDescription");
        if (!said)
            said = "no reason given";
        text = apr_pstrcat(p, text ? text : "", text ? "; " : "", said, NULL);
        if (domain && code && code->type == MDM_PLIST_INTEGER)
            text = apr_psprintf(p, "%s (%s %" APR_INT64_T_FMT ")", text, domain, code->integer);
    }
    return text ? cut(text, ERROR_MAX, p) : "the device gave no reason";
}

static apr_status_t refused(mdm_store_t *st, const mdm_site_t *site, mdm_desired_t *d, const mdm_device_t *device,
                            const char *why)
{
    apr_time_t now = mdm_ctx_now(st->ctx);
    apr_int64_t command = d->command;
    apr_status_t rv;

    d->state = MDM_DESIRED_FAILED;
    d->command = 0;
    d->error = why;
    d->first_failed_at = d->first_failed_at ? d->first_failed_at : now;
    d->next_try_at = mdm_remedy_next(site, d->tries, 0, now);
    rv = mdm_store_desired_update(st, d, command);
    if (rv != APR_SUCCESS)
        return rv == MDM_ENOTFOUND ? APR_SUCCESS : rv;
    mdm_log(st->ctx, MDM_LOG_MARK, d->next_try_at ? MDM_LOG_NOTICE : MDM_LOG_WARNING, 0, MDMNO(1102) "%s: profile %s "
            "has failed, %s: %s", device->enrollment_id, d->name,
            d->next_try_at ? "it is tried again" : "it is given up", why);
    return d->next_try_at ? APR_SUCCESS
        : mdm_store_event(st, "profile.failed", NULL, device->source, device->enrollment_id, d->identifier, why);
}

/* It may have been cancelled meanwhile: then it was to be tried again. */
static apr_status_t acknowledged(mdm_store_t *st, mdm_desired_t *d)
{
    apr_int64_t command = d->command;
    apr_status_t rv;

    d->state = d->version > 0 ? MDM_DESIRED_ACKED : MDM_DESIRED_REMOVING;
    d->command = 0;
    d->next_try_at = 0;
    d->error = NULL;
    rv = mdm_store_desired_update(st, d, command);
    return rv == MDM_ENOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t mdm_drift_answered(mdm_store_t *st, const mdm_site_t *site, mdm_connect_row_t *row,
                                const mdm_device_t *device, const char *status, const mdm_plist_t *chain,
                                const char *why)
{
    apr_int64_t command = why ? row->next : row->answered_id;
    mdm_desired_t *d;
    apr_status_t rv = mdm_store_desired_by_command(&d, st, row->enrollment, command);

    if (rv != APR_SUCCESS)
        return rv == MDM_ENOTFOUND ? APR_SUCCESS : rv;
    if (strcmp(status, "Acknowledged"))
        rv = refused(st, site, d, device, why ? cut(why, ERROR_MAX, st->ctx->pool)
                                              : chain_text(chain, st->ctx->pool));
    else
        rv = acknowledged(st, d);
    /* a removal that is refused may be of what is gone already: the list tells */
    if (rv == APR_SUCCESS && !why && (!strcmp(status, "Acknowledged") || !d->version))
        rv = mdm_drift_look(st, row, device);
    return rv;
}

apr_status_t mdm_drift_look(mdm_store_t *st, mdm_connect_row_t *row, const mdm_device_t *device)
{
    mdm_command_t *command;
    apr_status_t rv = mdm_remedy_list(&command, st);

    if (rv == APR_SUCCESS)
        rv = mdm_store_drift_look(command, st, row->enrollment);
    if (rv != APR_SUCCESS || !command->id)
        return rv;
    mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_DEBUG, 0, MDMNO(1103) "%s is asked for its profiles by %s",
            device->enrollment_id, command->uuid);
    if (!row->next) {
        row->next = command->id;
        row->next_uuid = command->uuid;
        row->next_body = command->body;
        row->next_delivery = command->delivery;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_drift_pause(mdm_store_t *st)
{
    return mdm_store_job_await(st, MDM_FANOUT_JOB);
}

apr_status_t mdm_drift_closed(mdm_store_t *st, apr_int64_t enrollment)
{
    return mdm_store_desired_close(st, enrollment);
}

apr_status_t mdm_drift_returned(mdm_store_t *st, apr_int64_t enrollment)
{
    mdm_command_t *command;
    int rows;
    apr_status_t rv = mdm_store_desired_return(&rows, st, enrollment);

    if (rv == APR_SUCCESS && rows)
        rv = mdm_remedy_list(&command, st);
    if (rv == APR_SUCCESS && rows)
        rv = mdm_store_drift_look(command, st, enrollment);
    return rv == APR_SUCCESS && rows ? mdm_store_push_want_one(st, enrollment, mdm_ctx_now(st->ctx)) : rv;
}

apr_status_t mdm_drift_begun(mdm_store_t *st, apr_int64_t enrollment)
{
    apr_status_t rv = mdm_store_desired_forget(st, enrollment);

    return rv == APR_SUCCESS ? mdm_store_recheck_forget(st, enrollment) : rv;
}
