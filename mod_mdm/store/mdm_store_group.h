/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of enrollments: names under which commands are ordered and profiles assigned. Members of a static group are
 * put in by hand; those of rule and directory groups by core/mdm_group.h.
 */
#ifndef MDM_STORE_GROUP_H
#define MDM_STORE_GROUP_H

#include "mdm_store_enrollment.h"

typedef enum {
    MDM_GROUP_UNSET = 0,
    MDM_GROUP_STATIC,
    MDM_GROUP_RULE,
    MDM_GROUP_DIRECTORY
} mdm_group_kind_e;

/** Enrollments per step of a sweep: the number in STMT_GROUP_PAGE. */
#define MDM_GROUP_STEP 512

typedef struct mdm_group_t {
    apr_int64_t id;
    const char *name, *created_by;
    apr_time_t created_at;
    apr_int64_t members;
    mdm_group_kind_e kind;
    const char *rule;             /* JSON, of a rule group */
    const char *directory;        /* distinguished name, of a directory group */
    const char *changed_by;
    apr_time_t changed_at;
    apr_time_t synced_at;         /* of a directory group; 0: not since it got this distinguished name */
    int moving;                   /* a change of it is still on its way through the enrollments */
} mdm_group_t;

typedef struct mdm_member_t {
    const char *enrollment_id, *reason;
    apr_time_t added_at;
    mdm_state_e state;
} mdm_member_t;

/** @param made 1, or 0 when there was one of this name */
apr_status_t mdm_store_group_insert(int *made, mdm_store_t *st, const mdm_group_t *group);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_group_get(mdm_group_t **out, mdm_store_t *st, const char *name);
/** In order of names, after `cursor` (NULL: from the start). Array of mdm_group_t *. */
apr_status_t mdm_store_group_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit);
/** With its members. Two statements. */
apr_status_t mdm_store_group_delete(mdm_store_t *st, apr_int64_t group);
/**
 * Add members, MDM_QUEUE_CHUNK per statement and one more for each chunk to find those that do not exist.
 * @param unknown array of const char *: ids of no enrollment
 */
apr_status_t mdm_store_member_add(apr_array_header_t **unknown, mdm_store_t *st, apr_int64_t group, const char *reason,
                                  const char *const *enrollment_ids, int count);
/** @return MDM_ENOTFOUND when it is none */
apr_status_t mdm_store_member_remove(mdm_store_t *st, apr_int64_t group, const char *enrollment_id);
apr_status_t mdm_store_member_clear(mdm_store_t *st, apr_int64_t group);
/** In the order in which the enrollments were made, after the enrollment_id `cursor`. Array of mdm_member_t. */
apr_status_t mdm_store_member_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t group, const char *cursor,
                                   int limit);

#endif
