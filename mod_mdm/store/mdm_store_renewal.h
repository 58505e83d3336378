/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which identities are being renewed, and when each is tried next. Called by the worker of any node: a row is
 * claimed by moving its due_at. A row goes when the new identity has been used.
 */
#ifndef MDM_STORE_RENEWAL_H
#define MDM_STORE_RENEWAL_H

#include "mdm_store_enrollment.h"

typedef struct mdm_renewal_t {
    apr_int64_t enrollment;
    const char *enrollment_id;    /* results only */
    apr_time_t due_at;            /* 0: never again */
    int attempts;
    apr_int64_t command;          /* of the last attempt, 0: none yet */
    int open;                     /* results only: that command waits in the queue */
    mdm_state_e state;            /* of the enrollment; results only */
    apr_time_t issued_at;         /* of the identity to renew; results only */
    apr_time_t not_after;         /* of the same */
    apr_time_t last_at;
    const char *last_error;
} mdm_renewal_t;

/**
 * Enrolled devices whose current identity ends within [from, until) and that have no row here, soonest end
 * first, at most `limit`. Array of mdm_renewal_t *, due_at 0.
 */
apr_status_t mdm_store_renewal_candidates(apr_array_header_t **out, mdm_store_t *st, apr_time_t from,
                                          apr_time_t until, int limit);
/** Plan a renewal. @return MDM_EEXIST without a detail when it is planned already */
apr_status_t mdm_store_renewal_insert(mdm_store_t *st, const mdm_renewal_t *renewal);
/**
 * The planned renewals that are due soonest, at most `limit`, in the order of enrollments, whatever became of
 * these. Array of mdm_renewal_t *.
 */
apr_status_t mdm_store_renewal_due(apr_array_header_t **out, mdm_store_t *st, int limit);
/**
 * Take one: its attempt is written and the next one moved to `next_at`, if its due_at is still the one read.
 * @return MDM_ENOTFOUND without a detail when another node was quicker
 */
apr_status_t mdm_store_renewal_attempt(mdm_store_t *st, const mdm_renewal_t *renewal, apr_int64_t command,
                                       apr_time_t next_at);
/** No more attempts: the identity has expired. As above. */
apr_status_t mdm_store_renewal_end(mdm_store_t *st, const mdm_renewal_t *renewal);
/** The device refused the profile: remember why. */
apr_status_t mdm_store_renewal_failed(mdm_store_t *st, apr_int64_t enrollment, const char *error);
/** The new identity is in use, or the enrollment has ended. */
apr_status_t mdm_store_renewal_forget(mdm_store_t *st, apr_int64_t enrollment);
/** @return MDM_ENOTFOUND when none is planned */
apr_status_t mdm_store_renewal_get(mdm_renewal_t **out, mdm_store_t *st, apr_int64_t enrollment);

/** The current identity of an enrolled device. */
typedef struct mdm_ending_t {
    const char *enrollment_id, *user, *device_name, *serial_number;
    const char *serial;           /* of the certificate */
    apr_time_t issued_at, not_after;
    int attempts;
    apr_time_t due_at, last_at;   /* 0: not planned, not tried */
    const char *last_error;
} mdm_ending_t;

/** Identities that end before `until`, ended ones too, soonest first. Array of mdm_ending_t *. */
apr_status_t mdm_store_renewal_ending(apr_array_header_t **out, mdm_store_t *st, apr_time_t until, int limit);

/**
 * How many of these have expired, have not yet, and are refused again and again (three attempts or more,
 * and an error).
 */
apr_status_t mdm_store_renewal_counts(int *expired, int *expiring, int *refused, mdm_store_t *st,
                                      apr_time_t until);

#endif
