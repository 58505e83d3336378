/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property lists shown as JSON, for the API, the status page and stored error chains: data becomes base64
 * text, dates become RFC 3339 texts. One way only.
 */
#ifndef MDM_PLIST_JSON_H
#define MDM_PLIST_JSON_H

#include <jansson.h>

#include "mdm_plist.h"

/** A new reference to the JSON of a plist value; JSON null for NULL. The caller frees it. */
json_t *mdm_plist_to_json(const mdm_plist_t *value, apr_pool_t *p);

/** Compact JSON text in `p`; NULL for NULL. */
const char *mdm_plist_to_json_text(const mdm_plist_t *value, apr_pool_t *p);

#endif
