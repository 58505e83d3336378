/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a site in one report: what the status page shows, in HTML, as "Key: value" lines, and as JSON.
 */
#ifndef MDM_STATUS_H
#define MDM_STATUS_H

#include <jansson.h>

#include "mdm_site.h"
#include "mdm_store.h"

/**
 * Make the report. With a failed database it still tells the alerts that need none.
 * @param st  NULL when the database is away
 * @param why the sentence that says why it is away; NULL when it is there
 * @return a new reference: {"alerts": [text], "enrollments": {name: count}, "open_commands": {age: count},
 *         "pushes": {...}, "pushes_due": n, "certificates": {...}, "ca": {...}, "push_certificates": [...],
 *         "devices": [...], "identities": {name: count}, "ending_identities": [...], "profiles": {state: count},
 *         "stuck": [...], "passcodes": {name: count}, "passcodes_not_compliant": [...]}
 */
json_t *mdm_status_report(mdm_ctx_t *ctx, mdm_store_t *st, const mdm_site_t *site, const char *why);

/**
 * One enrollment with its open commands, its profiles, its facts of over-the-air enrollment and its last
 * DeviceInformation.
 * @param json a new reference
 * @return MDM_ENOTFOUND, MDM_EDB
 */
apr_status_t mdm_status_enrollment(json_t **json, mdm_store_t *st, const mdm_site_t *site,
                                   const char *enrollment_id);

/**
 * What a device said of itself in over-the-air enrollment; null for what it did not report.
 * @param facts a new reference; NULL when it did not enroll that way
 */
apr_status_t mdm_status_facts(json_t **facts, mdm_store_t *st, apr_int64_t enrollment);

/** A part of the report cannot be made: an alert, and a line of the log with what the database said. */
void mdm_status_failed(json_t *alerts, mdm_ctx_t *ctx, const char *what, apr_status_t rv);

typedef const char *mdm_status_time_fn(apr_time_t at, apr_pool_t *p);

/**
 * The identity of an enrollment, and how its renewal goes.
 * @param identity a new reference; NULL when it has none
 * @param time     how times are written; NULL: as in the report
 */
apr_status_t mdm_status_identity(json_t **identity, mdm_store_t *st, const mdm_enrollment_t *enrollment,
                                 mdm_status_time_fn *time);

/** Add to a report the counts of identities that end ("identities") and the soonest ("ending_identities"). */
void mdm_status_identities(json_t *report, json_t *alerts, mdm_store_t *st, const mdm_site_t *site);

/**
 * Add to a report how many devices do not comply with the passcode policy of their profiles ("passcodes"), the first of
 * them ("passcodes_not_compliant") and the alert.
 */
void mdm_status_passcodes(json_t *report, json_t *alerts, mdm_store_t *st);
/**
 * Add to an enrollment whether its passcode complies ("passcode"), where it said so, and "alerts" when it does not.
 * @return MDM_EDB
 */
apr_status_t mdm_status_passcode(json_t *json, mdm_store_t *st, const mdm_enrollment_t *enrollment);

/**
 * Add to a report how far the profiles are that were changed last ("profile_versions"): {"profile", "version",
 * "installed": {version: count}, "waiting", "failed", "drifted", "blocked", "removing"} of each; {"profile", "version",
 * "more_than"} of one with too many rows to count. For people, not for every look of a monitor.
 */
void mdm_status_profiles(json_t *report, mdm_store_t *st);

/** What an administrator has to know of an enrollment in this state, such as why its commands wait, or NULL. */
const char *mdm_status_hint(const mdm_enrollment_t *enrollment, const mdm_reach_t *reach, const mdm_site_t *site,
                            apr_pool_t *p);

#endif
