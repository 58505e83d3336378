/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the push engine knows about each topic: its certificate, whether the way to APNs is open, and the jobs that
 * wait for it. Private to mdm_push*.c and the worker's thread.
 */
#ifndef MDM_PUSH_TOPIC_H
#define MDM_PUSH_TOPIC_H

#include "mdm_push_entry.h"

struct mdm_push_topic_state_t {
    mdm_push_topic_state_t *next;
    apr_pool_t *pool;                /* the name */
    apr_pool_t *certificate_pool;    /* certificate and key; cleared when a newer one is loaded */
    const char *name;
    int generation;                  /* of the certificate loaded, 0: none */
    mdm_bytes_t certificate, key;
    apr_time_t not_after;
    const char *problem;             /* reason word: nothing of this topic can go; NULL: it can */
    char refusal[72];                /* the problem when it is APNs' word */
    const char *sentence;            /* the problem for the log */
    apr_time_t problem_until;        /* try again then; 0: when another certificate comes */
    apr_time_t logged_at;
    apr_time_t hold_until;           /* APNs does not answer or is overloaded: start nothing before */
    int failures;                    /* holds in a row */
    int open;                        /* an answer came since the last failure: many may be under way at once */
    int under_way;
    apr_time_t pace_at;              /* the next may start then, when a rate is set */
    mdm_push_entries_t ready;
};

typedef struct mdm_push_topics_t {
    mdm_push_topic_state_t *first;
    apr_pool_t *pool;
    int real_apns;                   /* the base URL is Apple's: test certificates are not shown there */
} mdm_push_topics_t;

/** The state of a topic, made when new. */
mdm_push_topic_state_t *mdm_push_topic_find(mdm_push_topics_t *topics, const char *name);

/**
 * Load every certificate that is newer than the copy in memory, note what is missing. One SELECT, and one more for each
 * changed topic.
 */
apr_status_t mdm_push_topics_refresh(mdm_push_topics_t *topics, mdm_store_t *st);

/** Whether the topic cannot go now; clears a problem whose time is over. Logs it, once in ten minutes. */
int mdm_push_topic_blocked(mdm_push_topic_state_t *topic, const mdm_ctx_t *ctx);

/** APNs refuses the topic or its certificate. */
void mdm_push_topic_refused(mdm_push_topic_state_t *topic, const mdm_ctx_t *ctx, const char *reason);

/** No answer (status 0) or an overloaded service: wait before the next try, longer each time. */
void mdm_push_topic_hold(mdm_push_topic_state_t *topic, const mdm_ctx_t *ctx, const mdm_apns_result_t *result);

/** Half to whole of base * 2^n, at most `cap`: spread out, so that many failed at once do not come back at once. */
apr_interval_time_t mdm_push_backoff(int n, apr_interval_time_t cap);

/** Whether the rate (per second, 0: none) lets one more start now; if so, it is counted. */
int mdm_push_topic_pace(mdm_push_topic_state_t *topic, apr_time_t now, int rate);

/** When the rate lets the next one start. */
apr_time_t mdm_push_topic_paced_until(const mdm_push_topic_state_t *topic, int rate);

/** How long a blocked topic's jobs wait. */
#define MDM_PUSH_BLOCKED_WAIT apr_time_from_sec(15 * 60)

#endif
