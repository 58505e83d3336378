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

/** "static", "rule", "directory". */
const char *mdm_group_kind_name(mdm_group_kind_e kind);
/** @return MDM_GROUP_UNSET for none of them */
mdm_group_kind_e mdm_group_kind_of(const char *name);

/** @param made 1, or 0 when there was one of this name */
apr_status_t mdm_store_group_insert(int *made, mdm_store_t *st, const mdm_group_t *group);
/** rule, directory, changed_by, changed_at and synced_at, by id. @return MDM_ENOTFOUND */
apr_status_t mdm_store_group_update(mdm_store_t *st, const mdm_group_t *group);
/**
 * Make sure that a directory group is there until the transaction ends, and has this distinguished name now.
 * @return MDM_ENOTFOUND
 */
apr_status_t mdm_store_group_hold(mdm_store_t *st, apr_int64_t group, const char *directory);
/**
 * A directory group has been compared with the directory, unless it has another distinguished name since.
 * @return MDM_ENOTFOUND when it has, or is gone
 */
apr_status_t mdm_store_group_synced(mdm_store_t *st, apr_int64_t group, const char *directory);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_group_get(mdm_group_t **out, mdm_store_t *st, const char *name);
/**
 * For who is going to change its members or to delete it, in a transaction: nobody else does until that ends. Without
 * members and moving.
 * @return MDM_ENOTFOUND
 */
apr_status_t mdm_store_group_lock(mdm_group_t **out, mdm_store_t *st, const char *name);
/** For who refers to it, in a transaction: it is not deleted until that ends. @return MDM_ENOTFOUND without a detail */
apr_status_t mdm_store_group_stays(mdm_store_t *st, apr_int64_t id);
/** Without members and moving. @return MDM_ENOTFOUND */
apr_status_t mdm_store_group_by_id(mdm_group_t **out, mdm_store_t *st, apr_int64_t id);
/** Rule and directory groups in the order of ids, without members and moving. Array of mdm_group_t *. */
apr_status_t mdm_store_group_kept(apr_array_header_t **out, mdm_store_t *st);
/** Names of profiles that are assigned to a group, or of which it is left out, `limit` at most: const char *. */
apr_status_t mdm_store_group_profiles(apr_array_header_t **out, mdm_store_t *st, apr_int64_t group, int limit);
/** Facts that concern a group when they change, in place of those before: a statement for each, and one. */
apr_status_t mdm_store_group_watch(mdm_store_t *st, apr_int64_t group, const apr_array_header_t *facts);
/** In order of names, after `cursor` (NULL: from the start). Array of mdm_group_t *. */
apr_status_t mdm_store_group_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit);
/** With its members, its watched facts and what the directory said of it. Four statements. */
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

/** One row of a rule or directory group. */
typedef struct mdm_member_row_t {
    apr_int64_t group, enrollment;
    const char *reason;
} mdm_member_row_t;

/** What rule and directory groups some enrollments are in, MDM_QUEUE_CHUNK at most. Array of mdm_member_row_t. */
apr_status_t mdm_store_member_kept(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *enrollments,
                                   int count);
/** Write members, or other reasons of those there are; each once. One statement for every 32. */
apr_status_t mdm_store_member_put(mdm_store_t *st, const mdm_member_row_t *rows, int count);
/** Take members out of one group. One statement for every MDM_QUEUE_CHUNK. */
apr_status_t mdm_store_member_drop(mdm_store_t *st, apr_int64_t group, const apr_int64_t *enrollments, int count);

#endif
