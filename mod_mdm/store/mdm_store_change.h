/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be looked at again because something has changed: marks on single enrollments, and changes that have to
 * be walked through all the enrollments they concern. Written in the transaction of what changed; worked off by the
 * fan-out (core/mdm_fanout.h), which its writers wake after their commit.
 */
#ifndef MDM_STORE_CHANGE_H
#define MDM_STORE_CHANGE_H

#include "mdm_store_base.h"

/* The kinds of mdm_change_t, as they are in the table and in the API. */
#define MDM_CHANGE_GROUP "group"       /* object: mdm_group.id; its rule or its directory entry */
#define MDM_CHANGE_PROFILE "profile"   /* object: mdm_profile.id; its current version, its assignments, its archiving */
#define MDM_CHANGE_SECRET "secret"     /* object: mdm_secret.name; a new generation */

typedef struct mdm_change_t {
    apr_int64_t id;
    const char *kind, *object, *actor;
    apr_time_t created_at;
    apr_int64_t position;         /* the last enrollment that is done */
    apr_int64_t looked;           /* enrollments looked at so far */
    apr_int64_t changed;          /* of them so many for which something changed */
    apr_time_t finished_at;       /* 0: under way */
    const char *name;             /* of the group, profile or secret; NULL: gone; not from mdm_store_change_next */
} mdm_change_t;

/** A mark: an enrollment and the name of the newest call that marked it, unique and in the order of time. */
typedef struct mdm_recheck_t {
    apr_int64_t enrollment, since;
} mdm_recheck_t;

/** Look at this enrollment again, and at its user channels when it is a device. One statement. */
apr_status_t mdm_store_recheck(mdm_store_t *st, apr_int64_t enrollment);

/** The same for many ids of rows, MDM_QUEUE_CHUNK per statement. */
apr_status_t mdm_store_recheck_many(mdm_store_t *st, const apr_int64_t *enrollments, int count);

/** The same by enrollment_id; unknown ones are passed over. */
apr_status_t mdm_store_recheck_ids(mdm_store_t *st, const char *const *enrollment_ids, int count);

/**
 * The user channels of some devices, without those in `seen`; MDM_QUEUE_CHUNK of each at most. Ids that are of no
 * device are passed over. One statement.
 */
apr_status_t mdm_store_recheck_channels(mdm_store_t *st, const apr_int64_t *devices, int count,
                                        const apr_int64_t *seen, int seen_count);

/** All enrollments of a user, with the user channels of his devices. One statement. */
apr_status_t mdm_store_recheck_user(mdm_store_t *st, const char *login);

/** The same of many users, MDM_QUEUE_CHUNK per statement. */
apr_status_t mdm_store_recheck_users(mdm_store_t *st, const char *const *logins, int count);

/** An enrollment, and the user channels of a device, if any of the facts named is looked at by a group or a profile. */
apr_status_t mdm_store_recheck_facts(mdm_store_t *st, apr_int64_t enrollment, const char *const *names, int count);

/** All members of a group, with the user channels of devices. One statement; before they are taken out. */
apr_status_t mdm_store_recheck_members(mdm_store_t *st, apr_int64_t group);

/** The marks that are oldest, at most `limit`, in the order of enrollments. Array of mdm_recheck_t. One statement. */
apr_status_t mdm_store_recheck_due(apr_array_header_t **out, mdm_store_t *st, int limit);

/** Take away marks that have been looked at, MDM_QUEUE_CHUNK at most; what was marked again since then stays. */
apr_status_t mdm_store_recheck_done(mdm_store_t *st, const mdm_recheck_t *marks, int count);

/** Forget the marks of an enrollment and of its user channels. One statement. */
apr_status_t mdm_store_recheck_forget(mdm_store_t *st, apr_int64_t enrollment);

/** Note a change that has to be walked. @param actor may be NULL */
apr_status_t mdm_store_change_add(mdm_store_t *st, const char *kind, const char *object, const char *actor);

/** The oldest change under way. @param out NULL: none is */
apr_status_t mdm_store_change_next(mdm_change_t **out, mdm_store_t *st);

/**
 * Wait until all transactions that may not have seen a change have ended: a device that tells of a fact meanwhile finds
 * that nobody looks at it, and the change would find its earlier value. Two seconds at most: then it is somebody else's
 * long transaction, or a device that gets no mark until it tells of that fact again. Outside any transaction; one
 * statement in PostgreSQL when nobody writes, none in SQLite, where writers wait for each other.
 */
apr_status_t mdm_store_change_settle(mdm_store_t *st);

/**
 * Write down how far a change is.
 * @param from the position it was read with
 * @return MDM_ENOTFOUND when it has been moved or finished by somebody else since
 */
apr_status_t mdm_store_change_move(mdm_store_t *st, const mdm_change_t *change, apr_int64_t from);

/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_change_get(mdm_change_t **out, mdm_store_t *st, apr_int64_t id);

/** The newest first, before the id `cursor` (0: from the newest). Array of mdm_change_t *. */
apr_status_t mdm_store_change_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t cursor, int limit);

/** Work that waits: changes under way and marks. One statement. */
apr_status_t mdm_store_change_backlog(apr_int64_t *changes, apr_int64_t *rechecks, mdm_store_t *st);

/** Forget changes that were finished before this time, MDM_QUEUE_STEP at most. */
apr_status_t mdm_store_change_prune(int *pruned, mdm_store_t *st, apr_time_t before);

#endif
