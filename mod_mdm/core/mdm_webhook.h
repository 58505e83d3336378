/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events for the receivers that the site names (MDMWebhookURL): NanoMDM's bodies, queued in the database in the
 * transaction of what they tell, sent by the worker: at least once, in order for each enrollment and receiver, with
 * bounded retries that hold up nobody else.
 */
#ifndef MDM_WEBHOOK_H
#define MDM_WEBHOOK_H

#include "mdm_device.h"
#include "mdm_http.h"

/** What an event adds to the message itself. */
typedef struct mdm_webhook_event_t {
    const char *topic;              /* "mdm.Authenticate", "mdm.Connect", ... */
    const mdm_device_t *device;
    apr_int64_t enrollment;         /* 0: not known here; orders the events */
    const char *parent_id;          /* enrollment_id of the device of a user channel, else NULL */
    int token_update_tally;         /* TokenUpdate only, else 0 */
} mdm_webhook_event_t;

/**
 * Queue an event for every receiver that wants its topic; without one this costs nothing. One statement for each
 * receiver, in the caller's transaction when there is one.
 * @param queued set to 1 when anything was queued: wake the worker after the commit; else not touched
 * @return MDM_EDB, MDM_ECONFIG
 */
apr_status_t mdm_webhook_note(int *queued, mdm_store_t *st, const mdm_site_t *site, const mdm_webhook_event_t *event);

/** Whether any receiver of the site wants this topic. */
int mdm_webhook_wanted(const mdm_site_t *site, const char *topic);

typedef struct mdm_webhook_t mdm_webhook_t;

typedef struct mdm_webhook_config_t {
    /* Lend a store for ctx; NULL baton allowed. `close` gives it back before ctx->pool goes. */
    apr_status_t (*open)(mdm_store_t **st, mdm_ctx_t *ctx, void *baton);
    void (*close)(mdm_store_t *st, void *baton);
    void *baton;
    const mdm_site_t *site;
    const char *owner;               /* names this process among all that share the database */
    int concurrency;                 /* at most so many requests under way */
} mdm_webhook_config_t;

/** Make a sender in ctx->pool. `http` must live longer. `config` is copied, not what it points to. */
apr_status_t mdm_webhook_create(mdm_webhook_t **webhook, mdm_ctx_t *ctx, mdm_http_t *http,
                                const mdm_webhook_config_t *config);

/** One turn, as mdm_push_turn. @param woken nonzero: events may have come @return when to call again */
apr_time_t mdm_webhook_turn(mdm_webhook_t *webhook, int woken);

/** Before the end: write down what has ended and give the other claims back. */
void mdm_webhook_stop(mdm_webhook_t *webhook);

#endif
