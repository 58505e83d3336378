/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of a property list's simple values, and the keys of its dictionaries. Called by mdm_plist_read.c and
 * mdm_plist_binary.c alone; pure, any thread.
 */
#ifndef MDM_PLIST_VALUE_H
#define MDM_PLIST_VALUE_H

#include "mdm_plist.h"

/**
 * Read the text of an element into `value`, whose type is set: STRING as it is, DATA from base64, INTEGER in
 * decimal within 64 bits, REAL in decimal and finite, DATE as YYYY-MM-DDThh:mm:ssZ, BOOLEAN without any text.
 * White space around numbers and dates is skipped.
 * @param text need not end in NUL; copied
 * @return NULL, or a sentence that says what is wrong, without the text
 */
const char *mdm_plist_value_read(mdm_plist_t *value, const char *text, apr_size_t len, apr_pool_t *p);

/** Whether all keys of a dictionary differ. @return NULL, or a sentence that says what is wrong */
const char *mdm_plist_value_check_keys(const mdm_plist_t *dict);

#endif
