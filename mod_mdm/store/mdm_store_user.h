/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Persons, by the login that Apache or the directory knows them by, and who is in which group of the directory. What
 * may be written, and what it sets in motion, is decided in core/mdm_person.h and core/mdm_directory.h.
 */
#ifndef MDM_STORE_USER_H
#define MDM_STORE_USER_H

#include <apr_hash.h>

#include "mdm_store_base.h"

/** The mdm_job of synchronising; its position is what was asked for, as JSON. */
#define MDM_DIRECTORY_JOB "directory"

#define MDM_USER_FOLDED 3               /* forms of a login that cover its cases */

typedef struct mdm_user_t {
    const char *login;
    const char *display_name, *email;   /* NULL: not known */
    const char *attributes;             /* JSON object in order of names: texts, or arrays of texts; "{}" for none */
    const char *source;                 /* who said so last: sign-in, api, csv, mdmctl, directory */
    int disabled;
    const char *disabled_by;            /* the source that disabled the person; NULL: is not disabled */
    apr_time_t created_at, changed_at;
    apr_time_t synced_at;               /* last found in the directory; 0: never, or not any more */
} mdm_user_t;

/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_user_get(mdm_user_t **out, mdm_store_t *st, const char *login);

/**
 * Several at once, MDM_QUEUE_CHUNK logins per statement.
 * @param by_login login -> mdm_user_t *, of those that there are
 */
apr_status_t mdm_store_user_get_many(apr_hash_t **by_login, mdm_store_t *st, const char *const *logins, int count);

/** The same for who is going to change them, in a transaction: nobody else does until it ends. */
apr_status_t mdm_store_user_lock_many(apr_hash_t **by_login, mdm_store_t *st, const char *const *logins, int count);

/**
 * The record of who signs in, and those of whoever is disabled and has the same login but for case and spaces.
 * @param folded what LOWER(TRIM(login)) of these may be, as mdm_person_fold says
 * @param lock   nonzero: as mdm_store_user_lock_many
 */
apr_status_t mdm_store_user_alike(apr_hash_t **by_login, mdm_store_t *st, const char *login,
                                  const char *const folded[MDM_USER_FOLDED], int lock);

/**
 * In order of logins, after `cursor` (NULL: from the start).
 * @param disabled 1: only those who are; 0: only those who are not; -1: all
 * @param out array of mdm_user_t *
 */
apr_status_t mdm_store_user_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit,
                                 int disabled);

/** A new person. @param made 1, or 0 when there is one by now: nothing is written then */
apr_status_t mdm_store_user_insert(int *made, mdm_store_t *st, const mdm_user_t *user);

/** In place of what there was; created_at stays what it was. @return MDM_ENOTFOUND */
apr_status_t mdm_store_user_update(mdm_store_t *st, const mdm_user_t *user);

/** All who have been found in the directory have been so again now. One statement. */
apr_status_t mdm_store_user_seen(mdm_store_t *st);

/** These have not been found any more: synced_at becomes 0. One statement for every MDM_QUEUE_CHUNK. */
apr_status_t mdm_store_user_lost(mdm_store_t *st, const char *const *logins, int count);

/** Who is in a group, as it was last synchronised, in order: array of const char *. */
apr_status_t mdm_store_directory_members(apr_array_header_t **out, mdm_store_t *st, apr_int64_t group);

/** Put logins into a group. One statement for each; those who are in it stay. */
apr_status_t mdm_store_directory_join(mdm_store_t *st, apr_int64_t group, const char *const *logins, int count);

/** Take logins out of a group. One statement for every MDM_QUEUE_CHUNK. */
apr_status_t mdm_store_directory_leave(mdm_store_t *st, apr_int64_t group, const char *const *logins, int count);

/** What was last written of a synchronisation ("directory.report", "directory.failure"...). @param out NULL: nothing */
apr_status_t mdm_store_directory_note_get(const char **out, mdm_store_t *st, const char *name);
/** @param value "" when there is nothing to say any more */
apr_status_t mdm_store_directory_note_put(mdm_store_t *st, const char *name, const char *value);

/** How the job of synchronising is: one statement. */
typedef struct mdm_directory_job_t {
    apr_time_t due_at;
    int running;
} mdm_directory_job_t;

apr_status_t mdm_store_directory_job(mdm_directory_job_t *out, mdm_store_t *st);

/**
 * Ask for a synchronisation now. Two statements.
 * @param position what the next run finds as its position
 * @return MDM_EEXIST when one is under way
 */
apr_status_t mdm_store_directory_ask(mdm_store_t *st, const char *position);

#endif
