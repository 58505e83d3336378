/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and the devices that they are for.
 */
#ifndef MDM_COMMAND_TARGET_H
#define MDM_COMMAND_TARGET_H

#include "mdm_command_table.h"
#include "mdm_store.h"

#define MDM_COMMAND_DOUBTS_MAX 20

/**
 * Why devices that a command waits for may not take it, by what they have said of themselves: sentences for people, one
 * for devices that are alike, the most frequent first. One statement. What devices have not said is in no doubt.
 * @param doubts const char *, MDM_COMMAND_DOUBTS_MAX at most, in the context's pool
 */
apr_status_t mdm_command_doubts(apr_array_header_t **doubts, mdm_store_t *st, const mdm_command_type_t *type,
                                const mdm_command_t *command);

#endif
