/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is settled about a binary property list before libplist sees it. Called by mdm_plist_binary.c alone;
 * pure, any thread.
 */
#ifndef MDM_PLIST_PREFLIGHT_H
#define MDM_PLIST_PREFLIGHT_H

#include <apr_tables.h>

#include "mdm_bytes.h"

/**
 * Walk a bplist00 from its root as its reader will, each object as often as it is referred to: every offset, count
 * and reference within bounds, no types but those of the XML form, texts that XML can carry, at most
 * MDM_PLIST_MAX_DEPTH containers within each other, MDM_PLIST_MAX_NODES keys and values, MDM_PLIST_MAX_BYTES of
 * texts and data. Takes time in proportion to these limits, whatever the references are.
 * @param dates apr_time_t of each date in the order of the walk, whole seconds
 * @param nodes how many keys and values
 * @return NULL, or a sentence that says what is wrong
 */
const char *mdm_plist_preflight(apr_array_header_t **dates, apr_size_t *nodes, mdm_bytes_t bytes, apr_pool_t *p);

#endif
