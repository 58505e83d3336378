/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between two versions of a profile, with the values of secrets masked. Any thread.
 */
#ifndef MDM_LIBRARY_DIFF_H
#define MDM_LIBRARY_DIFF_H

#include <jansson.h>

#include "mdm_plist.h"

/**
 * An array of {"change": "added", "removed" or "changed", "path", "from", "to"}. Both trees are in their stored form,
 * keys in order. Payloads are paired by PayloadIdentifier, not by their place; paths of removed ones have their old
 * place and come last. Values are JSON as mdm_plist_to_json makes it, masked as mdm_payload_masked does.
 * @return the caller frees it
 */
json_t *mdm_library_diff(const mdm_plist_t *from, const mdm_plist_t *to, apr_pool_t *p);

#endif
