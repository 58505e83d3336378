/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit trail, and the figures of the status page.
 */
#ifndef MDM_STORE_STATUS_H
#define MDM_STORE_STATUS_H

#include "mdm_store_push.h"

/** Append to the audit trail. @param kind dotted word such as "enrollment.enrolled"; others may be NULL */
apr_status_t mdm_store_event(mdm_store_t *st, const char *kind, const char *actor, const char *source_ip,
                             const char *enrollment_id, const char *object, const char *detail);

typedef struct mdm_count_t {
    const char *name;
    apr_int64_t count;
} mdm_count_t;

typedef struct mdm_figures_t {
    apr_array_header_t *enrollments;   /* mdm_count_t by state name and type: "enrolled Device" */
    apr_array_header_t *open_commands; /* mdm_count_t by age: "under 1 hour", "1 hour to 1 day",
                                          "1 to 7 days", "over 7 days" */
    apr_array_header_t *pushes;        /* mdm_count_t by last reason ("Success", "Unregistered", ...) */
    apr_int64_t pushes_due;            /* wanted and due now */
    apr_array_header_t *certificates;  /* mdm_count_t by days left, those not replaced: "expired",
                                          "under 30 days", "30 to 90 days", "over 90 days", "revoked" */
    apr_array_header_t *topics;        /* mdm_push_topic_t * */
} mdm_figures_t;

/** The figures of the status page: a fixed number of statements. */
apr_status_t mdm_store_figures(mdm_figures_t **out, mdm_store_t *st);

/** A device whose passcode does not comply with its profiles. */
typedef struct mdm_passcode_t {
    const char *enrollment_id, *login;
    apr_time_t since;
} mdm_passcode_t;

/** How many enrolled devices said so last, and `limit` of them, the newest first. Array of mdm_passcode_t. */
apr_status_t mdm_store_passcodes(apr_array_header_t **out, apr_int64_t *count, mdm_store_t *st, int limit);

/**
 * Identities in force (not replaced, not revoked, not expired) by the fingerprint of the CA that issued
 * them; the name is empty for those that were issued before that was noted. Array of mdm_count_t.
 */
apr_status_t mdm_store_issuers(apr_array_header_t **out, mdm_store_t *st);

#endif
