/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which identities are being renewed, and when each is tried next. Called by the worker of any node: a row is
 * claimed by moving its due_at. A row goes when the new identity has been used.
 */
#ifndef MDM_STORE_RENEWAL_H
#define MDM_STORE_RENEWAL_H

#include "mdm_store_base.h"

typedef struct mdm_renewal_t {
    apr_int64_t enrollment;
    const char *enrollment_id;    /* results only */
    apr_time_t due_at;
    int attempts;
    apr_int64_t command;          /* of the last attempt, 0: none yet */
    apr_time_t not_after;         /* of the identity to renew */
    apr_time_t last_at;
    const char *last_error;
} mdm_renewal_t;

/**
 * Enrolled devices whose current identity ends before `not_after` and that have no row here, soonest end first,
 * at most `limit`. Array of mdm_renewal_t *, due_at 0.
 */
apr_status_t mdm_store_renewal_candidates(apr_array_header_t **out, mdm_store_t *st, apr_time_t not_after,
                                          int limit);
/** Plan a renewal. @return MDM_EEXIST when another node has planned it */
apr_status_t mdm_store_renewal_insert(mdm_store_t *st, const mdm_renewal_t *renewal);
/** Planned renewals due by now, soonest first, at most `limit`. Array of mdm_renewal_t *. */
apr_status_t mdm_store_renewal_due(apr_array_header_t **out, mdm_store_t *st, int limit);
/**
 * Take one: its attempt is written and the next one moved to `next_at`, if its due_at is still the one read.
 * @return MDM_ENOTFOUND when another node was quicker
 */
apr_status_t mdm_store_renewal_attempt(mdm_store_t *st, const mdm_renewal_t *renewal, apr_int64_t command,
                                       apr_time_t next_at);
/** The device refused the profile: remember why. */
apr_status_t mdm_store_renewal_failed(mdm_store_t *st, apr_int64_t enrollment, const char *error);
/** The new identity is in use, or the enrollment has ended. */
apr_status_t mdm_store_renewal_forget(mdm_store_t *st, apr_int64_t enrollment);

#endif
