/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands written as JSON: checked against the table of Apple's commands, and made a property list. Called by the
 * API, any thread.
 */
#ifndef MDM_COMMAND_JSON_H
#define MDM_COMMAND_JSON_H

#include <jansson.h>

#include "mdm_command_table.h"
#include "mdm_store.h"

/**
 * Make a command of {"RequestType": ..., key: value ...}. Data are base64 texts; within dictionaries of any keys
 * {"$data": base64} and {"$date": RFC 3339} stand for data and dates. Unknown keys are refused, keys that are
 * missing get their default where sending it says no more than leaving it out.
 * `delivery` is set for ClearPasscode without a token and for a return to service without profiles.
 * @param uuid CommandUUID; NULL: a random one
 * @return MDM_EINPUT with the path of the key and what was expected there; values are never shown
 */
apr_status_t mdm_command_from_json(mdm_command_t **command, mdm_ctx_t *ctx, const json_t *json, const char *uuid);

/** What a console needs to know of a command, as JSON; the caller frees it. `brief`: without its keys. */
json_t *mdm_command_type_to_json(const mdm_command_type_t *type, int brief, apr_pool_t *p);

/**
 * What a command, its queries and its settings need that is not among the `rights` of MDMAccessRights: array of const
 * char *, a warning each.
 * @param command as mdm_command_from_json took it; NULL: only its type is known
 */
apr_array_header_t *mdm_command_lacks(const mdm_command_type_t *type, const json_t *command, int rights, apr_pool_t *p);

#endif
