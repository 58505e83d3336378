/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What should hold for enrollments, and how far it is: one row for each enrollment and profile. The fan-out
 * (core/mdm_fanout.h) says what should hold, the delivery what was handed out, the answers and lists of devices what
 * became of it. A row is changed by who has its present command; a newer command takes it from him.
 */
#ifndef MDM_STORE_DESIRED_H
#define MDM_STORE_DESIRED_H

#include "mdm_store_enrollment.h"

/** The numbers are in the tables. */
typedef enum {
    MDM_DESIRED_UNSET = 0,
    MDM_DESIRED_PENDING,          /* an install is queued */
    MDM_DESIRED_SENT,             /* the device has got it */
    MDM_DESIRED_ACKED,            /* the device has said that it is installed */
    MDM_DESIRED_VERIFIED,         /* a ProfileList has shown it */
    MDM_DESIRED_DRIFTED,          /* it was there and is not as it should be any more */
    MDM_DESIRED_FAILED,           /* the device has refused it */
    MDM_DESIRED_BLOCKED,          /* cannot be sent: `reason` says why */
    MDM_DESIRED_REMOVING,         /* should go: no ProfileList without it has come yet */
    MDM_DESIRED_REMOVED,          /* is gone, or was never there */
    MDM_DESIRED_GONE              /* the device is gone */
} mdm_desired_state_e;

/** What the last ProfileList said against it; the numbers are in the tables. */
typedef enum {
    MDM_DRIFT_NONE = 0,
    MDM_DRIFT_STALE,              /* there, with another PayloadUUID */
    MDM_DRIFT_MISSING,            /* should be there and has never been seen there */
    MDM_DRIFT_DRIFTED,            /* was there and is not any more */
    MDM_DRIFT_EXTRA,              /* there and should not be */
    MDM_DRIFT_FLAGS               /* there; RemovalDisallowed or IsEncrypted differ */
} mdm_drift_e;

typedef struct mdm_desired_t {
    apr_int64_t enrollment, profile;
    int version;                  /* of the profile; 0: none, it is to go */
    const char *want_uuid;        /* PayloadUUID of the content that should be there; NULL: none, or blocked */
    const char *sent_uuid;        /* that was handed out last; NULL: none, or gone since */
    mdm_desired_state_e state;
    apr_int64_t assignment;       /* that decided; 0: none does any more */
    const char *reason;
    apr_int64_t command;          /* the install or removal under way, 0: none */
    mdm_drift_e drift;
    int tries;                    /* remedies so far */
    apr_time_t next_try_at;       /* 0: none is due */
    apr_time_t first_failed_at, changed_at, verified_at;
    const char *error;            /* what the device said */
    /* results only */
    const char *name, *identifier, *scope;    /* of the profile */
    const char *enrollment_id;    /* of lists by profile */
} mdm_desired_t;

/** So many enrollments have a profile in this state and version. */
typedef struct mdm_desired_figure_t {
    const char *name;             /* of the profile */
    int current;                  /* its version */
    int uncounted;                /* there are too many rows to count them; the rest is 0 */
    mdm_desired_state_e state;    /* MDM_DESIRED_UNSET: nobody has or gets it */
    int version;                  /* that should hold; 0: none, it is to go */
    apr_int64_t count;
} mdm_desired_figure_t;

/**
 * The `profiles` profiles that were changed last and are meant for somebody: array of mdm_desired_figure_t by profile,
 * newest version first; what is removed is not counted. One statement.
 * @param most a profile with more rows than this is not counted
 */
apr_status_t mdm_store_desired_figures(apr_array_header_t **out, mdm_store_t *st, int profiles, int most);

/** "pending", "sent", "acked", "verified", "drifted", "failed", "blocked", "removing", "removed", "gone". */
const char *mdm_desired_name(mdm_desired_state_e state);
/** The state of such a name; MDM_DESIRED_UNSET for none. */
mdm_desired_state_e mdm_desired_of_name(const char *name);
/** "none", "stale", "missing", "drifted", "extra", "flags". */
const char *mdm_drift_name(mdm_drift_e drift);
/** Whether the device may have it now. */
int mdm_desired_is_held(const mdm_desired_t *d);

/** All rows of an enrollment, with names and identifiers, by name. Array of mdm_desired_t *. One statement. */
apr_status_t mdm_store_desired_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t enrollment);

/** The row whose present command this is, with name and identifier. @return MDM_ENOTFOUND without a detail: none is */
apr_status_t mdm_store_desired_by_command(mdm_desired_t **out, mdm_store_t *st, apr_int64_t enrollment,
                                          apr_int64_t command);

/**
 * Rows of a profile in the order of enrollments, after the enrollment_id `cursor` (NULL: from the start).
 * @param state only these; MDM_DESIRED_UNSET: all
 * @return array of mdm_desired_t * with enrollment_id
 */
apr_status_t mdm_store_desired_page(apr_array_header_t **out, mdm_store_t *st, apr_int64_t profile,
                                    mdm_desired_state_e state, const char *cursor, int limit);

typedef struct mdm_desired_count_t {
    mdm_desired_state_e state;
    int version;
    apr_int64_t count;
} mdm_desired_count_t;

/** How many enrollments are in which state with which version. Array of mdm_desired_count_t. */
apr_status_t mdm_store_desired_counts(apr_array_header_t **out, mdm_store_t *st, apr_int64_t profile);

/** Rows whose next remedy is due, soonest first. Array of mdm_desired_t * with name, identifier, enrollment_id. */
apr_status_t mdm_store_desired_due(apr_array_header_t **out, mdm_store_t *st, apr_time_t now, int limit);

/**
 * Write sent_uuid, state, command, drift, tries, next_try_at, first_failed_at, verified_at and error of a row, and that
 * it has changed now.
 * @param command its command as it was read
 * @return MDM_ENOTFOUND when it has another by now: nothing is written
 */
apr_status_t mdm_store_desired_update(mdm_store_t *st, const mdm_desired_t *row, apr_int64_t command);

/**
 * An install is handed out: want_uuid and sent_uuid become `uuid`, the state "sent".
 * @return MDM_ENOTFOUND when `command` is not its command any more
 */
apr_status_t mdm_store_desired_sent(mdm_store_t *st, const mdm_desired_t *row, const char *uuid);

/** It turned out at its delivery that it cannot be sent. @return as mdm_store_desired_sent */
apr_status_t mdm_store_desired_block(mdm_store_t *st, const mdm_desired_t *row, const char *reason);

/**
 * Commands were cancelled, in this transaction: the rows that wait for them have failed, with `error`, until the next
 * try. One statement, over the enrollments with a result of the command.
 * @param next_try_at 0: it is not tried again
 */
apr_status_t mdm_store_desired_cancelled(mdm_store_t *st, apr_int64_t command, const char *error,
                                         apr_time_t next_try_at);

/** The same for all commands of one enrollment. */
apr_status_t mdm_store_desired_cleared(mdm_store_t *st, const char *enrollment_id, const char *error,
                                       apr_time_t next_try_at);

/** An enrollment has gone: its rows and those of its user channels are "gone", nothing is under way. One statement. */
apr_status_t mdm_store_desired_close(mdm_store_t *st, apr_int64_t enrollment);

/**
 * A missing enrollment is back, and may have what it had: rows that are "gone" become "acked" where the content that
 * should hold had been handed out; the others are forgotten. Not those of its user channels. Two statements.
 * @param rows so many there were
 */
apr_status_t mdm_store_desired_return(int *rows, mdm_store_t *st, apr_int64_t enrollment);

/** Forget the rows of an enrollment and of its user channels. One statement. */
apr_status_t mdm_store_desired_forget(mdm_store_t *st, apr_int64_t enrollment);

/* ---- for the fan-out */

/**
 * The rows of at most MDM_QUEUE_CHUNK enrollments, by enrollment and profile, nobody else's until the transaction ends
 * when `lock` is set. Error text and times are left out.
 * @param profiles of these alone, MDM_QUEUE_CHUNK at most; NULL: of all
 * @return array of mdm_desired_t *
 */
apr_status_t mdm_store_desired_many(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *enrollments,
                                    int count, const apr_int64_t *profiles, int profile_count, int lock);

/** One of the rows that mdm_store_desired_put writes. */
typedef struct mdm_desired_put_t {
    apr_int64_t enrollment;
    const char *want_uuid, *reason;
} mdm_desired_put_t;

/**
 * Write what should hold: profile, version, state, assignment and command of `values` for many enrollments. State
 * MDM_DESIRED_UNSET: only version, assignment and reason change, and the state is kept. One statement for 16 rows.
 * @param rows each enrollment once
 */
apr_status_t mdm_store_desired_put(mdm_store_t *st, const mdm_desired_t *values, const mdm_desired_put_t *rows,
                                   int count);

/**
 * End the commands about a profile that wait for enrollments and were not sent, with the status "Superseded": at most
 * MDM_QUEUE_CHUNK enrollments. Two statements; one when there are none.
 * @param command that takes their place, 0: none
 * @param reason  JSON
 */
apr_status_t mdm_store_desired_supersede(mdm_store_t *st, apr_int64_t profile, apr_int64_t command, const char *reason,
                                         const apr_int64_t *enrollments, int count);

#endif
