/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of what should hold as the answers of devices see them: compared with a list of profiles as a whole, tried again
 * for many enrollments at once, checked in rounds. Called by core/mdm_drift.h and core/mdm_remedy.h; any thread.
 */
#ifndef MDM_STORE_DRIFT_H
#define MDM_STORE_DRIFT_H

#include "mdm_store_desired.h"
#include "mdm_store_job.h"
#include "mdm_store_queue.h"

/* The fact that tells of the enrollment profile; no such fact: it is there. Its source is "ProfileList". */
#define MDM_DRIFT_ENROLLMENT_FACT "ProfileList.EnrollmentProfile"
#define MDM_DRIFT_MISSING_PROFILE "\"missing\""

/** A profile of the library that should hold for an enrollment, should not any more, or is there without that. */
typedef struct mdm_drift_row_t {
    mdm_desired_t d;              /* version -1: it has no row yet; with profile, name and identifier */
    int open;                     /* its command is in the queue still */
    const char *detail;           /* JSON of the version, as in mdm_profile_version_t */
    int changed;                  /* for mdm_store_drift_put */
} mdm_drift_row_t;

/**
 * All of them, and what was told of the enrollment profile last. One statement.
 * @param out   array of mdm_drift_row_t
 * @param alarm JSON, as the fact has it; NULL: it was there
 */
apr_status_t mdm_store_drift_rows(apr_array_header_t **out, const char **alarm, mdm_store_t *st,
                                  apr_int64_t enrollment);

/**
 * Write state, drift, tries, next_try_at, first_failed_at, verified_at and error of those that are marked as changed,
 * with no command under way; rows that are not there yet are made, to be removed. What somebody else has changed since
 * it was read stays as it is. One statement for 32 rows, none for none.
 * @param rows array of mdm_drift_row_t
 */
apr_status_t mdm_store_drift_put(mdm_store_t *st, apr_int64_t enrollment, const apr_array_header_t *rows);

/**
 * A ProfileList for this enrollment, unless one waits already. One statement, two when it is queued.
 * @param command what is queued; its id 0: one waits already
 */
apr_status_t mdm_store_drift_look(mdm_command_t *command, mdm_store_t *st, apr_int64_t enrollment);

/**
 * The remedies of a profile that are due begin: pending or removing, with this command, one more try.
 * @param count MDM_QUEUE_CHUNK at most; @param changed so many were due still
 */
apr_status_t mdm_store_remedy(int *changed, mdm_store_t *st, apr_int64_t profile, apr_int64_t command,
                              const apr_int64_t *enrollments, int count);

/** How many enrollments there are, of any state. */
apr_status_t mdm_store_check_size(apr_int64_t *size, mdm_store_t *st);

/**
 * Queue a ProfileList for the enrollments among the next MDM_QUEUE_CHUNK for which anything should hold, and that have
 * sent none since `before` and wait for none.
 * @param cursor in: 0 to start; out: where to go on, 0 at the end
 * @param looked so many enrollments were passed
 * @param ids    array of const char * (enrollment ids): whom it was queued for
 */
apr_status_t mdm_store_check_queue(apr_array_header_t **ids, int *looked, apr_int64_t *cursor, mdm_store_t *st,
                                   mdm_command_t *command, apr_time_t before);

/** What is wrong, counted. One statement. */
typedef struct mdm_trouble_t {
    apr_int64_t drifted, failed, blocked;
    apr_int64_t no_enrollment_profile;    /* devices whose list lacks it */
    apr_int64_t other_enrollment_profile; /* devices that are managed by one that is not this site's */
} mdm_trouble_t;

apr_status_t mdm_store_trouble(mdm_trouble_t *trouble, mdm_store_t *st);

/** Rows that are drifted, failed or blocked, at most `limit`. Array of mdm_desired_t * with name and enrollment_id. */
apr_status_t mdm_store_troubled(apr_array_header_t **out, mdm_store_t *st, int limit);

#endif
