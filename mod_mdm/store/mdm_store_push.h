/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Push certificates by topic, and one wanted wake-up per enrollment. Called by the API, the connect path and
 * the worker of any process and machine: rows are claimed with a lease.
 */
#ifndef MDM_STORE_PUSH_H
#define MDM_STORE_PUSH_H

#include "mdm_store_base.h"

typedef struct mdm_push_topic_t {
    const char *topic;
    const char *certificate_pem;
    mdm_bytes_t key_pem;          /* only from mdm_store_push_topic_get; sealed in the table */
    apr_time_t not_before, not_after, uploaded_at;
    int generation;               /* + 1 at each upload: a sender knows that its copy is stale */
} mdm_push_topic_t;

/**
 * Keep a certificate in place of the topic's present one. Wake-ups of the topic that pause after a failure
 * are due at once: the certificate may have been the reason. Three statements at most.
 */
apr_status_t mdm_store_push_topic_put(mdm_store_t *st, const mdm_push_topic_t *topic);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_push_topic_get(mdm_push_topic_t **out, mdm_store_t *st, const char *topic);
/** All topics, newest upload first, without keys. Array of mdm_push_topic_t *. */
apr_status_t mdm_store_push_topic_list(apr_array_header_t **out, mdm_store_t *st);

/** Enrolled devices of a topic. */
typedef struct mdm_topic_devices_t {
    const char *topic;
    apr_int64_t devices;
} mdm_topic_devices_t;

/** Enrolled devices by topic, those without any left out. Array of mdm_topic_devices_t. */
apr_status_t mdm_store_topic_devices(apr_array_header_t **out, mdm_store_t *st);

/**
 * Note the stage that the warnings of a topic's certificate have reached.
 * @param reached 1 when it is news: nobody has noted it before, on no node
 */
apr_status_t mdm_store_topic_stage(int *reached, mdm_store_t *st, const char *topic, const char *stage);

/** Why an enrollment cannot be woken now, for the API; NULL reason: it can. */
typedef struct mdm_push_target_t {
    const char *enrollment_id;
    apr_int64_t enrollment;       /* 0: unknown */
    const char *problem;          /* sentence, or NULL */
    const char *apns_id;          /* lower-case UUID of the wake-up wanted now; NULL with a problem */
} mdm_push_target_t;

/**
 * Want a wake-up at `due_at` for the enrollments named, chunked. Rows are one per enrollment, so wishes
 * coalesce: an earlier due_at wins, but a wake-up that failed keeps its pause, since APNs asked for it. The
 * apns_id is derived from (enrollment, wish); a wish that nobody has claimed yet is joined, and keeps its
 * apns_id. Two statements per MDM_QUEUE_CHUNK ids.
 * @param targets array of mdm_push_target_t, one per id, in the order given
 */
apr_status_t mdm_store_push_want(apr_array_header_t **targets, mdm_store_t *st, apr_time_t due_at,
                                 const char *const *enrollment_ids, int count);
/** The same without a word about each; one statement per MDM_QUEUE_CHUNK ids. */
apr_status_t mdm_store_push_want_all(mdm_store_t *st, apr_time_t due_at, const char *const *enrollment_ids, int count);
/** What mdm_store_push_want would tell, without wanting anything: the apns_id is that of the newest wake-up. */
apr_status_t mdm_store_push_targets(apr_array_header_t **targets, mdm_store_t *st, const char *const *enrollment_ids,
                                    int count);
/** The same for one enrollment by id; used after NotNow and TokenUpdate. Nothing is reported. */
apr_status_t mdm_store_push_want_one(mdm_store_t *st, apr_int64_t enrollment, apr_time_t due_at);

typedef struct mdm_push_job_t {
    apr_int64_t enrollment;
    const char *enrollment_id;
    const char *topic;
    mdm_bytes_t token;
    apr_time_t token_at;          /* of the newest TokenUpdate with this token; 0: unknown */
    const char *magic;
    const char *apns_id;
    int attempts;                 /* failed ones so far */
    apr_time_t due_at;            /* 0: nobody asked, it repeats one that the device has not followed */
    int repushes;                 /* accepted ones in a row that the device has not followed */
} mdm_push_job_t;

/**
 * Claim due wake-ups for `owner` until `lease_until`: one UPDATE, one SELECT. A claimed row is nobody else's
 * until then. Repetitions for devices whose work is gone by now are dropped; one UPDATE more then.
 * @param jobs   array of mdm_push_job_t
 * @param newest 1: of more than `limit` those that became due last, not first
 */
apr_status_t mdm_store_push_claim(apr_array_header_t **jobs, mdm_store_t *st, const char *owner,
                                  apr_time_t lease_until, int limit, int newest);
/** When the next wake-up is due, a claimed one at the end of its lease; 0: none. */
apr_status_t mdm_store_push_next_due(apr_time_t *due_at, mdm_store_t *st);
/**
 * Sent: nothing is wanted any more, unless somebody has wanted again since the claim. A device with work that it can
 * get now is woken again at `again_at` (0: never), by a new wish. Chunked; ids of enrollments.
 * @param repushes how many in a row they have not followed, this one included
 */
apr_status_t mdm_store_push_done(mdm_store_t *st, const char *owner, const apr_int64_t *enrollments, int count,
                                 apr_time_t again_at, int repushes);
/** Not sent: due again at `due_at` (0: not wanted any more), attempts + 1, with APNs' or our reason. */
apr_status_t mdm_store_push_failed(mdm_store_t *st, const char *owner, apr_int64_t enrollment,
                                   apr_time_t due_at, const char *reason);
/** The token is dead: nothing is wanted until the next TokenUpdate. */
apr_status_t mdm_store_push_dead(mdm_store_t *st, const char *owner, apr_int64_t enrollment,
                                 const char *reason);

/**
 * Give back all claims of `owner`, so that others need not wait for their leases to end: a sender that stops.
 */
apr_status_t mdm_store_push_release(mdm_store_t *st, const char *owner);

#endif
