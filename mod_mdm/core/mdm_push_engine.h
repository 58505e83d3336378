/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of a push engine share: mdm_push.c (turns), mdm_push_claim.c and mdm_push_record.c (the database),
 * mdm_push_send.c (APNs). Private to mdm_push*.c and the worker's thread.
 */
#ifndef MDM_PUSH_ENGINE_H
#define MDM_PUSH_ENGINE_H

#include <apr_hash.h>

#include "mdm_push_topic.h"

#define MDM_PUSH_CLAIMED_MAX 2000    /* in memory */

struct mdm_push_t {
    mdm_ctx_t *ctx;
    mdm_http_t *http;
    mdm_push_config_t config;
    mdm_push_topics_t topics;
    apr_hash_t *newest;              /* enrollment id -> its newest entry that is ready or under way */
    mdm_push_entries_t ended;
    mdm_push_counts_t counts;
    apr_time_t look_at;              /* the next look at the database */
    apr_time_t newest_at;            /* the last claim of the newest */
    int crowded;                     /* the last claim left some that are due */
    int overtake;                    /* somebody has wished since */
    apr_time_t ended_at;             /* when the first of `ended` ended */
    apr_time_t database_retry_at;
    int database_down;
};

static inline apr_time_t mdm_push_earlier(apr_time_t a, apr_time_t b)
{
    return a < b ? a : b;
}

/* ---- mdm_push_claim.c */

/** A context with the engine's time and log in a pool of its own, which the caller destroys. */
mdm_ctx_t *mdm_push_scratch(const mdm_push_t *push);

/** What a visit to the database has come to: the first failure and the first success after it are logged. */
void mdm_push_visited(mdm_push_t *push, mdm_ctx_t *ctx, apr_status_t rv);

/** Whether there is room for more in memory, and a use for it. */
int mdm_push_may_claim(const mdm_push_t *push, apr_time_t now);

/** Claim what is due, the longest due or the newest first, and enlist it. Failures are logged and tried again. */
void mdm_push_claim(mdm_push_t *push, int newest);

/* ---- mdm_push_record.c */

/** Write down all that has ended, in one transaction, and forget it; when that fails it stays. */
void mdm_push_write_down(mdm_push_t *push);

/* ---- mdm_push_send.c */

/** Put a claimed entry among the ready ones of its topic, or behind its predecessor that is under way. */
void mdm_push_enlist(mdm_push_entry_t *entry);

/** Start what may be started. */
void mdm_push_start_ready(mdm_push_t *push);

#endif
