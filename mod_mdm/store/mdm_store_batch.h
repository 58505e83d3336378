/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be known of many enrollments at a time, and which enrollments something concerns: for the fan-out and the
 * preview, which walk enrollments in the order of their ids.
 */
#ifndef MDM_STORE_BATCH_H
#define MDM_STORE_BATCH_H

#include "mdm_store_assignment.h"
#include "mdm_store_enrollment.h"

/** Enrollments by id, MDM_QUEUE_CHUNK at most, in any state, in the order of ids. Array of mdm_enrollment_t *. */
apr_status_t mdm_store_batch_enrollments(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *ids, int count);

/** The enrolled user channels of some devices, MDM_QUEUE_CHUNK at most, in order. Array of apr_int64_t. */
apr_status_t mdm_store_batch_channels(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *devices, int count);

typedef struct mdm_membership_t {
    apr_int64_t enrollment, group;
} mdm_membership_t;

/** Their groups. Array of mdm_membership_t. */
apr_status_t mdm_store_batch_memberships(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *ids, int count);

typedef struct mdm_batch_fact_t {
    apr_int64_t enrollment;
    const char *name, *value;     /* JSON */
} mdm_batch_fact_t;

/** Some of their facts, one statement for MDM_QUEUE_CHUNK names. Array of mdm_batch_fact_t. */
apr_status_t mdm_store_batch_facts(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *ids, int count,
                                   const char *const *names, int name_count);

/* What a profile may say of a person. */
typedef struct mdm_batch_user_t {
    const char *login, *display_name, *email;
    const char *attributes;       /* JSON */
    int disabled;
} mdm_batch_user_t;

/** Persons by login, MDM_QUEUE_CHUNK at most. Array of mdm_batch_user_t. */
apr_status_t mdm_store_batch_users(apr_array_header_t **out, mdm_store_t *st, const char *const *logins, int count);

/* A profile that is assigned to somebody. */
typedef struct mdm_batch_profile_t {
    apr_int64_t id;
    const char *name, *identifier, *scope;
    int version;                  /* the current one */
} mdm_batch_profile_t;

/** All profiles that are assigned. Array of mdm_batch_profile_t. */
apr_status_t mdm_store_batch_profiles(apr_array_header_t **out, mdm_store_t *st);

typedef struct mdm_batch_version_t {
    apr_int64_t profile;
    int version;
    const char *detail;           /* as mdm_profile_version_t.detail */
} mdm_batch_version_t;

/** The versions that are current, pinned or rolled out. Array of mdm_batch_version_t. */
apr_status_t mdm_store_batch_versions(apr_array_header_t **out, mdm_store_t *st);

/* Each of these finds ids of enrolled enrollments after `after`, in order, at most `limit`: arrays of apr_int64_t. */

/** Whom a profile is assigned to, and who has it or should have had it. @param user_scope with the user channels */
apr_status_t mdm_store_batch_of_profile(apr_array_header_t **out, mdm_store_t *st, apr_int64_t profile, int user_scope,
                                        apr_int64_t after, int limit);
/** For whom any of some profiles should hold. One statement for each profile. */
apr_status_t mdm_store_batch_of_holders(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *profiles,
                                        int count, apr_int64_t after, int limit);
/** The target of an assignment, with the user channels of its devices. */
apr_status_t mdm_store_batch_of_target(apr_array_header_t **out, mdm_store_t *st, mdm_assignment_kind_e kind,
                                       const char *target, apr_int64_t after, int limit);

/** What waits for the fan-out: the oldest change and mark, 0: none, and when a rollout's next step is due, 0: never. */
apr_status_t mdm_store_batch_work(apr_int64_t *change, apr_int64_t *recheck, apr_time_t *rollout_at, mdm_store_t *st);

#endif
