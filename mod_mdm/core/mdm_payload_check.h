/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles held against Apple's tables: what is wrong with one by itself, and what is wrong with it for one device.
 * All is found at once, so that an administrator mends it in one go. Any thread; trees are not changed, values are
 * never shown. A string with a reference such as ${user.mail} in it stands for any text, one that is only
 * ${secret.x:data} for data; numbers, booleans and dates cannot be references.
 */
#ifndef MDM_PAYLOAD_CHECK_H
#define MDM_PAYLOAD_CHECK_H

#include <jansson.h>

#include <apr_tables.h>

#include "mdm_ctx.h"
#include "mdm_plist.h"

#define MDM_FINDINGS_MAX 100
#define MDM_PAYLOADS_MAX 500       /* of one profile */

typedef enum {
    MDM_FINDING_WARN = 1,         /* worth knowing: it will be taken */
    MDM_FINDING_REFUSE            /* no device takes it, or not as it is meant */
} mdm_finding_e;

typedef struct mdm_finding_t {
    mdm_finding_e severity;
    int payload;                  /* index in PayloadContent from 0; -1: the profile itself */
    const char *type;             /* its PayloadType; NULL: the profile itself, or a payload without one */
    const char *key;              /* path: "EAPClientConfiguration.AcceptEAPTypes[1]"; NULL: all of it */
    const char *text;             /* one sentence with all of that in it */
} mdm_finding_t;

/** What is known of a device or of a user's channel on it. All zero: nothing is known. */
typedef struct mdm_payload_target_t {
    char system;                  /* letter as in mdm_key.h; 0: unknown, nothing is found for it */
    const char *os_version;       /* NULL: unknown, no version is judged */
    int supervised;               /* 1 yes, 0 no, -1 unknown: not judged */
    int user_enrollment;          /* its device came by User Enrollment */
    int user_channel;             /* it is a user's channel */
    int shared_ipad;
} mdm_payload_target_t;

/**
 * Check a profile for no device in particular: keys, types, values, what is missing, two payloads where there can be
 * but one, types that are unknown or of the past.
 * @param profile the whole tree, payloads readable; encrypted ones are one refusal
 * @return array of mdm_finding_t, MDM_FINDINGS_MAX at most, refusals first; in ctx->pool; empty: all is well
 */
apr_array_header_t *mdm_payload_check(mdm_ctx_t *ctx, const mdm_plist_t *profile);

/**
 * Check a profile for one device: types and keys that its system or version does not have, that need supervision,
 * that User Enrollment forbids, payloads of the other channel, two payloads where it can have but one. Finds nothing
 * that mdm_payload_check finds.
 * @return as above
 */
apr_array_header_t *mdm_payload_check_target(mdm_ctx_t *ctx, const mdm_plist_t *profile,
                                             const mdm_payload_target_t *target);

/**
 * The target that an enrollment is, from what devices say of themselves.
 * @param type         of the enrollment: "Device", "User", "Shared iPad", "User Enrollment (Device)", "User Enrollment"
 * @param product_name "iPhone14,2", "MacBookPro18,1", ...; NULL: unknown
 * @param os_version   NULL: unknown
 * @param supervised   1, 0 or -1: unknown
 */
mdm_payload_target_t mdm_payload_target(const char *type, const char *product_name, const char *os_version,
                                        int supervised);

/** Whether a finding refuses. @return the first that does, or NULL */
const mdm_finding_t *mdm_findings_refusal(const apr_array_header_t *findings);

/** [{"severity": "refuse" or "warn", "payload": 0, "type": ..., "key": ..., "text": ...}]; the caller frees it. */
json_t *mdm_findings_to_json(const apr_array_header_t *findings);

#endif
