/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may stand between enrollments and what waits for them. Called by core/mdm_stuck.h.
 */
#ifndef MDM_STORE_STUCK_H
#define MDM_STORE_STUCK_H

#include "mdm_store_desired.h"

/** A profile that an enrollment does not have as it should. */
typedef struct mdm_stuck_profile_t {
    apr_int64_t profile;
    const char *name;
    int waits;                    /* a rollout has a version that it does not have: the next six are about that */
    int excluded;                 /* from all assignments of the profile, whatever the others of this name say */
    int held, stopped;            /* until somebody says otherwise */
    int step;                     /* index of the one that the rollout has reached */
    apr_int64_t assignment;
    const char *rollout;          /* as in mdm_assignment_t */
    mdm_desired_state_e state;    /* drifted, failed, blocked */
    mdm_drift_e drift;
    apr_time_t next_at;           /* step of the rollout, or remedy; 0: none */
    const char *text;             /* why the rollout stopped, what the device said, why it is blocked; or NULL */
    apr_time_t since;
} mdm_stuck_profile_t;

typedef struct mdm_stuck_row_t {
    apr_int64_t enrollment;
    const char *enrollment_id;
    mdm_state_e state;
    apr_time_t left_at;
    const char *topic;            /* of the enrollment, or NULL */
    int has_topic;                /* there is a push certificate for it */
    int has_identity;             /* the next two are about it */
    apr_time_t not_after, revoked_at;
    int dead;                     /* the push token */
    apr_time_t pushed_at;         /* last attempt that was answered; 0: none */
    const char *push_reason;
    int repushes, attempts;       /* accepted in a row without a sign of life; failed in a row */
    apr_time_t push_due_at, heard_at;
    apr_int64_t open;             /* commands that it could get now */
    apr_time_t open_since;
    apr_int64_t held;             /* commands that a second person has to approve */
    apr_time_t starts_at;         /* the soonest of those that come later; 0: none */
    const char *not_now;          /* RequestType of one that it has answered NotNow, or NULL */
    apr_array_header_t *profiles; /* mdm_stuck_profile_t: those that wait (exclusions first), then those in trouble,
                                   * oldest first */
} mdm_stuck_row_t;

/** Of at most MDM_QUEUE_CHUNK enrollments, array of mdm_stuck_row_t * in their order. Two statements. */
apr_status_t mdm_store_stuck(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *enrollments, int count);

/** Enrollments worth a look: array of apr_int64_t, at most 2 * `limit`. One statement. */
apr_status_t mdm_store_stuck_candidates(apr_array_header_t **out, mdm_store_t *st, int limit);

#endif
