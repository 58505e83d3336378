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
    apr_int64_t enrollment;         /* of a TokenUpdate that has been taken, for its tally; else 0 */
} mdm_webhook_event_t;

/**
 * Queue an event for every receiver that wants its topic; without one this costs nothing. One statement for each
 * receiver, in the caller's transaction when there is one.
 * @param queued set to 1 when anything was queued: wake the worker after the commit; else not touched
 * @return MDM_EDB, MDM_ECONFIG
 */
apr_status_t mdm_webhook_note(int *queued, mdm_store_t *st, const mdm_site_t *site, const mdm_webhook_event_t *event);

/** Whether events of this topic, such as "mdm.Connect", exist. */
int mdm_webhook_is_topic(const char *topic);

/** The topic of a check-in message's type, "mdm." before it; NULL: the type makes no events, or nobody wants them. */
const char *mdm_webhook_topic(const mdm_site_t *site, const char *message_type);

/** Whether any receiver of the site wants this topic. */
int mdm_webhook_wanted(const mdm_site_t *site, const char *topic);

/** The body of an event, compact JSON as NanoMDM has it. @param tally token_update_tally, 0: none */
apr_status_t mdm_webhook_body(mdm_bytes_t *body, mdm_ctx_t *ctx, const mdm_webhook_event_t *event, int tally);

/** The URL of a receiver for people: without name and password, query and fragment. */
const char *mdm_webhook_shown(const char *url, apr_pool_t *p);

/** Give up what is too old or too much, and what no receiver of the site is meant by. */
apr_status_t mdm_webhook_sweep(mdm_store_t *st, const mdm_site_t *site);

typedef struct mdm_webhook_t mdm_webhook_t;

typedef struct mdm_webhook_config_t {
    /* Lend a store for ctx; NULL baton allowed. `close` gives it back before ctx->pool goes. */
    apr_status_t (*open)(mdm_store_t **st, mdm_ctx_t *ctx, void *baton);
    void (*close)(mdm_store_t *st, void *baton);
    void *baton;
    const mdm_site_t *site;
    const char *owner;               /* names this process among all that share the database */
    int concurrency;                 /* at most so many requests under way for one receiver */
} mdm_webhook_config_t;

/**
 * Make a sender in ctx->pool. `http` must live longer; its `streams` are no fewer than concurrency x receivers.
 * `config` is copied, not what it points to.
 */
apr_status_t mdm_webhook_create(mdm_webhook_t **webhook, mdm_ctx_t *ctx, mdm_http_t *http,
                                const mdm_webhook_config_t *config);

/** One turn, as mdm_push_turn. @param woken nonzero: events may have come @return when to call again */
apr_time_t mdm_webhook_turn(mdm_webhook_t *webhook, int woken);

/** Before the end: write down what has ended and give the other claims back. */
void mdm_webhook_stop(mdm_webhook_t *webhook);

#endif
