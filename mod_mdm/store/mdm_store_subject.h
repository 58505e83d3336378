/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom groups are made of: enrollments together with their users, many at a time. Called by core/mdm_group.c in any
 * thread.
 */
#ifndef MDM_STORE_SUBJECT_H
#define MDM_STORE_SUBJECT_H

#include <apr_hash.h>

#include "mdm_store_enrollment.h"

/** Enrollments per page: the number in STMT_SUBJECT_PAGE. */
#define MDM_SUBJECT_PAGE 512

/** Of a user channel, columns and facts are those of its device. What is not known is NULL. */
typedef struct mdm_subject_t {
    apr_int64_t enrollment;
    apr_int64_t device;           /* whose facts it has: the enrollment itself, or the device of a user channel */
    const char *enrollment_id, *type;
    mdm_state_e state;
    const char *login;            /* its own, or its device's */
    const char *serial_number, *model, *model_name, *product_name, *device_name, *os_version, *build_version, *imei;
    int known;                    /* there is a user of this login: the next four are its */
    const char *display_name, *email, *attributes;
    int disabled;
    int member;                   /* of the group of the page */
    const char *reason;           /* why, as it is written down */
    int listed;                   /* the directory has its user in the group of the page */
} mdm_subject_t;

/**
 * The next enrollments that are, or should be, looked at for a group: those enrolled or missing, and its members.
 * @param group 0: of none, so that there are no members
 * @param out   array of mdm_subject_t in the order of enrollments, MDM_SUBJECT_PAGE at most
 */
apr_status_t mdm_store_subject_page(apr_array_header_t **out, mdm_store_t *st, apr_int64_t group, apr_int64_t after);

/** Some enrollments, MDM_QUEUE_CHUNK at most, without member, reason and listed. */
apr_status_t mdm_store_subject_many(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *enrollments,
                                    int count);

/**
 * Facts of devices: a statement for every MDM_QUEUE_CHUNK devices and names; none without names.
 * @param out by &device (apr_int64_t): apr_hash_t * of name -> JSON text
 */
apr_status_t mdm_store_subject_facts(apr_hash_t **out, mdm_store_t *st, const apr_array_header_t *subjects,
                                     const char *const *names, int count);

/** One login that the directory has in a group. */
typedef struct mdm_listed_t {
    apr_int64_t group;
    const char *login;
} mdm_listed_t;

/** In which directory groups the users of MDM_QUEUE_CHUNK subjects at most are. Array of mdm_listed_t. */
apr_status_t mdm_store_subject_listed(apr_array_header_t **out, mdm_store_t *st, const apr_array_header_t *subjects);

#endif
