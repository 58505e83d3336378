/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes findings while a profile is walked. For mdm_payload_check.c and mdm_payload_target.c.
 */
#ifndef MDM_PAYLOAD_FINDING_H
#define MDM_PAYLOAD_FINDING_H

#include "mdm_payload_check.h"
#include "mdm_payload_table.h"

/** Where we are in a profile, and what was found so far. */
typedef struct mdm_payload_look_t {
    mdm_ctx_t *ctx;
    apr_array_header_t *findings; /* mdm_finding_t */
    int payload;                  /* as in mdm_finding_t */
    const char *type;
} mdm_payload_look_t;

mdm_payload_look_t mdm_payload_look(mdm_ctx_t *ctx);

/** Note that something is wrong with a key, or, NULL, with all of the payload. When there is enough, a
 * refusal takes the place of a warning, and a warning is left out. */
void mdm_payload_find(mdm_payload_look_t *look, mdm_finding_e severity, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** Whether one more would be noted: what is costly to say need not be said else. */
int mdm_payload_has_room(const mdm_payload_look_t *look, mdm_finding_e severity);

/** The path of a member, or of the n-th item from 0, below `path`; NULL: the top. */
const char *mdm_payload_member(const mdm_payload_look_t *look, const char *path, const char *name);
const char *mdm_payload_item(const mdm_payload_look_t *look, const char *path, int n);

/** The findings, refusals first. */
apr_array_header_t *mdm_payload_found(const mdm_payload_look_t *look);

/** Go on to the next payload of a profile, NULL: the first. @return NULL behind the last */
const mdm_plist_t *mdm_payload_next(mdm_payload_look_t *look, const mdm_plist_t *profile, const mdm_plist_t *payload);

/** How versions such as "i7.0 m10.9" read for people: "iOS 7.0, macOS 10.9"; those with "-" are left out. */
const char *mdm_payload_versions(const char *versions, apr_pool_t *p);

#endif
