/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lists that devices answer: profiles, certificates, applications, updates, users. For mdm_facts.c, and for the
 * API, which asks for the kinds.
 */
#ifndef MDM_FACTS_ITEMS_H
#define MDM_FACTS_ITEMS_H

#include <jansson.h>

#include "mdm_device.h"

#define MDM_FACTS_ITEMS_MAX 5000      /* of one answer */
#define MDM_FACTS_VALUE_MAX 65536     /* bytes of JSON */
#define MDM_FACTS_IDENTIFIER_MAX 512

/** Whether the answer to this RequestType is a list of items. */
int mdm_facts_items_wanted(const char *request_type);

/** The kind of item ("profile") at a place of the list of kinds, with its RequestType; NULL beyond the end. */
const char *mdm_facts_items_kind(const char **request_type, int index);

/** As mdm_facts_take, for such a RequestType. */
apr_status_t mdm_facts_items_take(mdm_store_t *st, const mdm_site_t *site, const mdm_connect_row_t *row,
                                  const mdm_device_t *device);

/** Compact text of a value, keys in order: equal values are equal texts. Takes the reference. NULL: none. */
const char *mdm_facts_json(json_t *json, apr_pool_t *p);

/** The command that was answered, its dictionary "Command"; NULL when it cannot be read. */
const mdm_plist_t *mdm_facts_command(mdm_ctx_t *ctx, const char *body);

#endif
