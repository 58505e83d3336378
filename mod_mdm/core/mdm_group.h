/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in rule groups and directory groups, kept up to date: a few enrollments against all groups (settle), all
 * enrollments against one group (sweep), and what a rule would do before it is saved (preview). Such groups hold
 * enrollments that are enrolled or missing; a user channel counts with its device's facts and with its own login, or
 * its device's. Static groups are never touched. Called in the transaction of the caller, any thread.
 */
#ifndef MDM_GROUP_H
#define MDM_GROUP_H

#include "mdm_rule.h"
#include "mdm_store_group.h"

/**
 * Bring the membership of some enrollments in all rule and directory groups up to date: who joins is written with the
 * reason, who leaves is taken out, a reason that has changed is written anew. One statement when there are no such
 * groups, else at most five, and one for every 32 rows written and for every group that is left.
 * @param count   MDM_QUEUE_CHUNK at most
 * @param changed array of apr_int64_t in order: those that joined or left any group, out of `enrollments`
 * @return MDM_EDB, MDM_ECONFLICT
 */
apr_status_t mdm_group_settle(apr_array_header_t **changed, mdm_store_t *st, const apr_int64_t *enrollments, int count);

/** A step of a change of kind MDM_CHANGE_GROUP. */
typedef struct mdm_group_sweep_t {
    apr_int64_t group;
    apr_int64_t position;         /* the last enrollment that is done, 0 at first; moved by the step */
    int looked;                   /* out, of this step alone: enrollments looked at */
    int joined, left;
    int done;                     /* there is nobody behind: the sweep is over */
} mdm_group_sweep_t;

/**
 * Look at the next MDM_SUBJECT_PAGE enrollments: joins and leaves are written, and those enrollments marked
 * (mdm_store_recheck_many). Two statements, one for the facts of every 64, and the writes. A group that has gone, or is
 * static, is done at once.
 * @return MDM_EDB, MDM_ECONFLICT
 */
apr_status_t mdm_group_sweep(mdm_group_sweep_t *sweep, mdm_store_t *st);

/** One that would join or leave. */
typedef struct mdm_group_move_t {
    const char *enrollment_id, *reason;
    int joins;                    /* 0: it would leave */
} mdm_group_move_t;

/** Told of one that would join or leave; a failure ends the preview. */
typedef apr_status_t mdm_group_moved_fn(void *baton, apr_int64_t enrollment, int joins);

/** What a rule would do. */
typedef struct mdm_group_preview_t {
    apr_int64_t group;            /* 0: one that is still to be made */
    const mdm_rule_t *rule;
    apr_int64_t after;            /* name only those behind this enrollment */
    int limit;                    /* and only so many */
    apr_int64_t looked, joins, leaves, stays;       /* out: of all, whatever is named */
    apr_array_header_t *moves;    /* out: mdm_group_move_t, in the order of enrollments */
    int more;                     /* out: there are others behind the last that is named */
    mdm_group_moved_fn *moved;    /* called for all who move, in the order of enrollments; or NULL */
    void *baton;
} mdm_group_preview_t;

/**
 * Find out who would join and leave, by the code of the sweep, without a write. Takes as long as a sweep and as little
 * memory as one step of it.
 * @return MDM_EDB
 */
apr_status_t mdm_group_preview(mdm_group_preview_t *preview, mdm_store_t *st);

/** A rule or directory group to be made, or to be changed. */
typedef struct mdm_group_save_t {
    const char *name;
    mdm_group_kind_e kind;
    const mdm_rule_t *rule;       /* of a rule group */
    const char *directory;        /* distinguished name, of a directory group */
    const char *actor, *source_ip;
    int made, changed;            /* out: it is new; it is other than it was */
} mdm_group_save_t;

/**
 * Write a group, the facts it looks at, the event and, for a rule, the change that lets it be swept. The same again
 * changes nothing. Call it in a transaction.
 * @return MDM_EEXIST when there is a group of this name and another kind; MDM_EINPUT
 */
apr_status_t mdm_group_save(mdm_group_save_t *save, mdm_store_t *st);

/**
 * The entry of a directory group has been read, and mdm_directory_member says who is in it. For the first time, or
 * after it became another entry, everybody is looked at (a change of kind MDM_CHANGE_GROUP); later only who is marked.
 * Until then nobody joins or leaves it. Call it in the transaction that wrote those rows.
 * @param group as mdm_store_group_kept gave it
 * @return MDM_ENOTFOUND when it is gone or of another entry by now: write nothing then
 */
apr_status_t mdm_group_synced(mdm_store_t *st, const mdm_group_t *group);

/**
 * Remove a group, with its members. Call it in a transaction.
 * @return MDM_ENOTFOUND; MDM_EEXIST naming the profiles that are assigned to it
 */
apr_status_t mdm_group_remove(mdm_store_t *st, const char *name);

#endif
