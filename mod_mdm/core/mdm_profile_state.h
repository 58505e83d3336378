/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How profiles are on devices, as JSON for the API and the status page: what should hold beside what the device has
 * listed, and what else is there. Any thread; writes nothing.
 */
#ifndef MDM_PROFILE_STATE_H
#define MDM_PROFILE_STATE_H

#include <jansson.h>

#include "mdm_status.h"
#include "mdm_store_desired.h"

/**
 * The profiles of an enrollment: {"enrollment_id", "listed_at", "enrollment_profile", "profiles": [...], "others":
 * [...]}. What a device that has left once listed is not shown. Three statements.
 * @param json a new reference
 * @param time how times are written
 */
apr_status_t mdm_profile_state_of(json_t **json, mdm_store_t *st, const mdm_site_t *site,
                                  const mdm_enrollment_t *enrollment, mdm_status_time_fn *time);

/** A row of what should hold, with its profile or its enrollment as far as it has them. A new reference. */
json_t *mdm_profile_state_row(const mdm_desired_t *row, mdm_status_time_fn *time, apr_pool_t *p);

/** Add to a report "profiles" (counts), "stuck" (the first of those that are) and the alerts about them. */
void mdm_profile_state_report(json_t *report, json_t *alerts, mdm_store_t *st, const mdm_site_t *site);

#endif
