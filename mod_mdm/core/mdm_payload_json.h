/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles written as JSON, and shown as JSON:
 * {"display_name", "description", "organization", "scope": "System" or "User", "removal_disallowed",
 *  "payloads": [{"type": "com.apple.wifi.managed", key: value ...}]}
 * Other keys of the profile, and those of payloads, have Apple's names; a payload with a key "type" of its own has its
 * type in "PayloadType". Any thread.
 */
#ifndef MDM_PAYLOAD_JSON_H
#define MDM_PAYLOAD_JSON_H

#include <jansson.h>

#include "mdm_ctx.h"
#include "mdm_plist.h"

#define MDM_PAYLOAD_MASK "********"

/**
 * Make a profile of its JSON. Types are as the table has them: data are base64 texts, dates RFC 3339; where the table
 * allows anything, {"$data": base64} and {"$date": RFC 3339} stand for them. What is missing of identifiers, UUIDs and
 * versions stays so, as in a file. Whether keys and values are right is for mdm_payload_check to say; refused here is
 * what no property list can be made of.
 * @return MDM_EINPUT with the path of the key and what was expected there; values are never shown. MDM_ETOOBIG for more
 *         than MDM_PLIST_MAX_NODES values
 */
apr_status_t mdm_payload_from_json(mdm_plist_t **profile, mdm_ctx_t *ctx, const json_t *json);

/**
 * The JSON of a profile, in the form that mdm_payload_from_json takes; the caller frees it. Values of keys that hold
 * secrets (by the table, and by their names where it knows no better) become MDM_PAYLOAD_MASK unless they are
 * references.
 */
json_t *mdm_payload_to_json(const mdm_plist_t *profile, apr_pool_t *p);

/** A copy of the profile's tree with secrets masked in the same way, data becoming a string; shares the rest. */
mdm_plist_t *mdm_payload_masked(const mdm_plist_t *profile, apr_pool_t *p);

#endif
