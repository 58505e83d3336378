/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which profile is for whom. Written by the API and by the worker that moves rollouts; read by the fan-out
 * (core/mdm_catalog.h), the preview and the API.
 */
#ifndef MDM_STORE_ASSIGNMENT_H
#define MDM_STORE_ASSIGNMENT_H

#include "mdm_store_base.h"

/** The numbers are in the tables. */
typedef enum {
    MDM_ASSIGNMENT_UNSET = 0,
    MDM_ASSIGNMENT_GROUP,         /* target: mdm_group.id */
    MDM_ASSIGNMENT_USER,          /* target: login */
    MDM_ASSIGNMENT_ENROLLMENT     /* target: mdm_enrollment.id */
} mdm_assignment_kind_e;

/** The numbers are in the tables. */
typedef enum {
    MDM_ROLLOUT_NONE = 0,
    MDM_ROLLOUT_RUNNING,          /* the next step comes at rollout_at */
    MDM_ROLLOUT_HELD,             /* the next step comes when somebody says so */
    MDM_ROLLOUT_STOPPED,          /* by failures or by somebody: rollout_reason */
    MDM_ROLLOUT_DONE
} mdm_rollout_state_e;

typedef struct mdm_assignment_t {
    apr_int64_t id, profile;
    int version;                  /* pinned; 0: the current one */
    mdm_assignment_kind_e kind;
    const char *target;
    int exclude;                  /* not for this target, whatever else says */
    int priority;
    const char *rollout;          /* JSON, as mdm_rollout_read takes it; NULL: at once */
    mdm_rollout_state_e rollout_state;
    int rollout_step;             /* index of the step that is reached */
    int rollout_version;          /* that is rolled out */
    int rollout_from;             /* for those whose turn has not come and who have none; 0: nothing */
    apr_time_t rollout_at;        /* when the next step is due; 0: never by itself */
    const char *rollout_reason;
    const char *created_by;
    apr_time_t created_at, changed_at;
    /* results only */
    const char *profile_name;
    const char *target_name;      /* name of the group, login, or enrollment_id; NULL: gone */
} mdm_assignment_t;

/** "group", "user", "enrollment". */
const char *mdm_assignment_kind_name(mdm_assignment_kind_e kind);
/** "none", "running", "held", "stopped", "done". */
const char *mdm_rollout_state_name(mdm_rollout_state_e state);

/**
 * The mark of the last save that could make two assignments stand in each other's way. Two saves that both knew the
 * same mark cannot both be done.
 * @param known "": there has been none
 */
apr_status_t mdm_store_assignment_saved(const char **known, mdm_store_t *st);
/**
 * Set another mark; until the transaction ends nobody else can.
 * @return MDM_ENOTFOUND without a detail when somebody has saved since `known` was read
 */
apr_status_t mdm_store_assignment_save(mdm_store_t *st, const char *known);

apr_status_t mdm_store_assignment_insert(mdm_store_t *st, const mdm_assignment_t *assignment);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_assignment_get(mdm_assignment_t **out, mdm_store_t *st, apr_int64_t id);
/** Of one profile (0: of all), in the order of ids, after `cursor`. Array of mdm_assignment_t *. */
apr_status_t mdm_store_assignment_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t profile,
                                       apr_int64_t cursor, int limit);
/** Those to one target. Array of mdm_assignment_t *. */
apr_status_t mdm_store_assignment_of_target(apr_array_header_t **out, mdm_store_t *st, mdm_assignment_kind_e kind,
                                            const char *target);
/** Of a kind that is rolled out in steps, and where that is not done yet. Array of mdm_assignment_t *. */
apr_status_t mdm_store_assignment_rollouts(apr_array_header_t **out, mdm_store_t *st);
/** Rollouts that have stopped, at most `limit`: id, profile_name and rollout_reason. Array of mdm_assignment_t *. */
apr_status_t mdm_store_assignment_stopped(apr_array_header_t **out, mdm_store_t *st, int limit);
/**
 * Write version, priority and all of the rollout, and a later changed_at than the one that was read.
 * @return MDM_ENOTFOUND when anything of it has been changed by somebody else since it was read, or it is gone
 */
apr_status_t mdm_store_assignment_update(mdm_store_t *st, const mdm_assignment_t *assignment);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_assignment_delete(mdm_store_t *st, apr_int64_t id);

/**
 * How an assignment's rollout goes: for how many enrollments it decided the version that is rolled out, and how many
 * of them have failed after `since`.
 */
apr_status_t mdm_store_assignment_tally(apr_int64_t *reached, apr_int64_t *failed, mdm_store_t *st,
                                        const mdm_assignment_t *assignment, apr_time_t since);

#endif
