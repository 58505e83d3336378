/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apple's binary property lists (bplist00) into our tree. Called by mdm_plist_read.c alone; any thread.
 */
#ifndef MDM_PLIST_BINARY_H
#define MDM_PLIST_BINARY_H

#include "mdm_plist.h"

/** Whether these bytes are meant to be a binary property list. */
int mdm_plist_is_binary(mdm_bytes_t bytes);

/**
 * Read such a list with the limits of mdm_plist_read: keys count as values do.
 * @return NULL, or a sentence that says what is wrong, without values
 */
const char *mdm_plist_binary_read(mdm_plist_t **root, mdm_bytes_t bytes, apr_pool_t *p);

#endif
