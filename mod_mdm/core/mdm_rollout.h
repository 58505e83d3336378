/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rollouts: an assignment that reaches its enrollments in steps, 1 %, 5 %, 20 %, all. Who is in which step depends on
 * the enrollment and the profile alone, so that it is the same on every node, at every look, and before the assignment
 * is saved. A new version or a
 * new secret begins again with the first step; those whose turn has not come keep what they have. Too many failures
 * stop it, with one event.
 */
#ifndef MDM_ROLLOUT_H
#define MDM_ROLLOUT_H

#include <jansson.h>

#include "mdm_store_assignment.h"

#define MDM_ROLLOUT_STEPS_MAX 20

typedef struct mdm_rollout_t {
    int steps[MDM_ROLLOUT_STEPS_MAX];   /* percent, growing, the last one 100 */
    int count;
    apr_interval_time_t hold;     /* between two steps; 0: until somebody says so */
    int stop_at;                  /* more failures than so many percent stop it; -1: never */
    apr_time_t since;             /* resumed, or begun anew, then: failures before do not count any more */
} mdm_rollout_t;

/**
 * Read {"steps": [1, 5, 20, 100], "hold": "1h", "stop_at": 5}; hold (as mdm_time_span takes it) and stop_at may be
 * absent.
 * @return MDM_EINPUT naming the member and what it may be
 */
apr_status_t mdm_rollout_read(mdm_rollout_t *out, mdm_ctx_t *ctx, const json_t *json);

/** The same of the text in the table. */
apr_status_t mdm_rollout_of(mdm_rollout_t *out, mdm_ctx_t *ctx, const char *text);

/** Whether the turn of an enrollment has come. */
int mdm_rollout_is_reached(const mdm_rollout_t *rollout, const mdm_assignment_t *assignment, apr_int64_t enrollment);

/** Begin with the first step, for this version of the profile. The row is not written. */
void mdm_rollout_begin(mdm_assignment_t *assignment, const mdm_rollout_t *rollout, int version, apr_time_t now);

/** The same for another content of what may be the same version: what has failed with the one before does not count. */
void mdm_rollout_begin_anew(mdm_assignment_t *assignment, mdm_rollout_t *rollout, int version, apr_time_t now,
                            apr_pool_t *p);

/**
 * What a change of a profile means for its rollouts: they begin again when there is another version to roll out, or,
 * with `anew`, in any case. In a transaction. One statement, and one for each that begins.
 * @param current its current version
 */
apr_status_t mdm_rollout_restart(mdm_store_t *st, apr_int64_t profile, int current, int anew);

/**
 * Look at all rollouts that are under way: stop those with too many failures, take the next step where it is due. Each
 * in a transaction, with an event, and with a change for the fan-out. Logs what it did.
 * @param moved how many took a step
 */
apr_status_t mdm_rollout_turn(int *moved, mdm_store_t *st);

/** Add a sentence for each rollout that failures have stopped to the alerts of a report. One statement. */
void mdm_rollout_alerts(json_t *alerts, mdm_store_t *st);

typedef enum { MDM_ROLLOUT_ADVANCE = 1, MDM_ROLLOUT_STOP, MDM_ROLLOUT_RESUME } mdm_rollout_action_e;

/**
 * What an administrator says of a rollout: the next step now, stop, go on. In a transaction, with an event.
 * @return MDM_ENOTFOUND; MDM_EEXIST when it is not in the state for that, with the state and what to do
 */
apr_status_t mdm_rollout_act(mdm_store_t *st, apr_int64_t assignment, mdm_rollout_action_e action, const char *actor,
                             const char *source_ip);

#endif
