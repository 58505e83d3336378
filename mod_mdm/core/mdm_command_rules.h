/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules between the keys of a command, and how it is delivered. For mdm_command_json.c.
 */
#ifndef MDM_COMMAND_RULES_H
#define MDM_COMMAND_RULES_H

#include "mdm_plist.h"
#include "mdm_store.h"

/**
 * Check what the table cannot say of a Command dictionary whose keys and types are right; sets command->delivery.
 * @return MDM_EINPUT
 */
apr_status_t mdm_command_rules(mdm_command_t *command, mdm_ctx_t *ctx, const mdm_plist_t *dict);

#endif
