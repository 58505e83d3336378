/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why an enrollment does not get what waits for it: one sentence, derived when it is asked for and stored nowhere. The
 * first reason that holds is the answer, since the later ones follow from it. Any thread.
 */
#ifndef MDM_STUCK_H
#define MDM_STUCK_H

#include "mdm_site.h"
#include "mdm_store.h"

/** In the order in which they are looked for. */
typedef enum {
    MDM_STUCK_NOT = 0,
    MDM_STUCK_LEFT,               /* not enrolled (any more): left, wiped, missing, never managed, not finished */
    MDM_STUCK_IDENTITY,           /* its certificate has expired or is revoked */
    MDM_STUCK_TOPIC,              /* there is no push certificate for its topic */
    MDM_STUCK_TOKEN,              /* APNs calls its push token dead */
    MDM_STUCK_PUSH,               /* APNs has not taken the push */
    MDM_STUCK_SILENT,             /* pushed, and not heard of since */
    MDM_STUCK_NOT_NOW,            /* it has answered NotNow */
    MDM_STUCK_WAITING,            /* for an approval, a time, or its turn in a rollout */
    MDM_STUCK_ERROR               /* a profile has failed, cannot be made, or has drifted */
} mdm_stuck_e;

/** "left", "identity", "topic", "token", "push", "silent", "not_now", "waiting", "error"; NULL for none. */
const char *mdm_stuck_name(mdm_stuck_e reason);

typedef struct mdm_stuck_t {
    const char *enrollment_id;
    mdm_stuck_e reason;
    const char *text;             /* the sentence */
    apr_time_t since;             /* 0: not known */
} mdm_stuck_t;

/**
 * Those of at most MDM_QUEUE_CHUNK enrollments that are stuck. Two statements.
 * @param out array of mdm_stuck_t
 */
apr_status_t mdm_stuck_find(apr_array_header_t **out, mdm_store_t *st, const mdm_site_t *site,
                            const apr_int64_t *enrollments, int count);

/** Of one enrollment; reason MDM_STUCK_NOT when it is not. Two statements. */
apr_status_t mdm_stuck_one(mdm_stuck_t *out, mdm_store_t *st, const mdm_site_t *site, apr_int64_t enrollment);

#endif
