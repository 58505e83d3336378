/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assignments as administrators make, change and end them: read from JSON, checked, saved with their event and the
 * change that the fan-out works off. Call mdm_worker_wake after it. Any request thread.
 */
#ifndef MDM_ASSIGN_H
#define MDM_ASSIGN_H

#include "mdm_preview.h"

#define MDM_ASSIGN_PRIORITY_MAX 1000

/** Who asks. */
typedef struct mdm_assign_actor_t {
    const char *actor, *source_ip;
} mdm_assign_actor_t;

/**
 * Read a new assignment: profile, one of group, user and enrollment by name, and optionally version, exclude, priority,
 * rollout. Not saved.
 * @return MDM_EINPUT, MDM_ENOTFOUND naming member and object
 */
apr_status_t mdm_assign_read(mdm_assignment_t **out, mdm_store_t *st, const json_t *json);

/**
 * Read one, and what of it is to be other: version (null: the current one), priority, rollout (null: at once). Not
 * saved.
 * @return MDM_EINPUT, MDM_ENOTFOUND naming member and object
 */
apr_status_t mdm_assign_read_change(mdm_assignment_t **out, mdm_store_t *st, apr_int64_t id, const json_t *json);

/**
 * Read what a preview is asked for: a new assignment, {"assignment": id} with what is to be other of it,
 * {"delete": id}, {"archive": profile}, {"profile", "version"} or {"secret"}.
 * @return MDM_EINPUT, MDM_ENOTFOUND naming member and object
 */
apr_status_t mdm_assign_read_preview(mdm_preview_request_t *out, mdm_store_t *st, const json_t *json);

/** Of those {"assignment": id} and {"archive": profile}. */
apr_status_t mdm_assign_read_edit(mdm_preview_request_t *out, mdm_store_t *st, const json_t *json);

/**
 * With what a save of that which was previewed would be refused, as mdm_assign_save refuses it with MDM_EEXIST; NULL:
 * with nothing.
 */
apr_status_t mdm_assign_foresee(const char **refusal, mdm_store_t *st, const mdm_preview_request_t *request,
                                const mdm_preview_t *preview);

/**
 * Save a new one, which gets its id.
 * @param warnings what devices will not do with it, as mdm_preview_t.warnings; found among the first thousand or so
 * @return MDM_EEXIST when the profile has an assignment to that target already, or when some enrollment would have two
 *         profiles of which it can have but one with the same priority: nothing is stored
 */
apr_status_t mdm_assign_save(const apr_array_header_t **warnings, mdm_store_t *st, mdm_assignment_t *assignment,
                             const mdm_assign_actor_t *actor);

/**
 * Change one: what mdm_assign_read_change reads, of the assignment as it is when it is saved. Whatever others have said
 * of it meanwhile stays.
 * @return as mdm_assign_read_change and mdm_assign_save
 */
apr_status_t mdm_assign_change(const apr_array_header_t **warnings, mdm_store_t *st, apr_int64_t id,
                               const json_t *change, const mdm_assign_actor_t *actor);

/** @return MDM_ENOTFOUND */
apr_status_t mdm_assign_delete(mdm_store_t *st, apr_int64_t id, const mdm_assign_actor_t *actor);

/** As the API shows it; the caller frees it. */
json_t *mdm_assign_json(const mdm_assignment_t *assignment, apr_pool_t *p);

#endif
