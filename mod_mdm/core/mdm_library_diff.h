/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles of the library shown: as JSON, and as what differs between two versions. Values of keys that hold secrets
 * are masked, references to secrets are shown as they are written. Any thread.
 */
#ifndef MDM_LIBRARY_DIFF_H
#define MDM_LIBRARY_DIFF_H

#include <jansson.h>

#include "mdm_plist.h"

/* In the place of a value that is not shown. */
#define MDM_LIBRARY_MASK "********"

/** A profile as JSON; the pool owns it. Dates and data are texts (data: base64). */
json_t *mdm_library_show(const mdm_plist_t *profile, apr_pool_t *p);

/**
 * What differs: an array, owned by the pool, of {"change": "added", "removed" or "changed", "path", "from", "to"} in
 * the order of `to`, what was removed at the end. Payloads are paired by PayloadIdentifier, not by their place.
 */
json_t *mdm_library_diff(const mdm_plist_t *from, const mdm_plist_t *to, apr_pool_t *p);

/** Whether the value of a key of a payload of this type is a secret. @param path below the payload */
int mdm_library_is_secret(const char *payload_type, const char *path);

#endif
