/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: take one from an administrator, queue it for enrollments, ask for their wake-up.
 */
#ifndef MDM_COMMAND_H
#define MDM_COMMAND_H

#include "mdm_store.h"

/**
 * Read a command plist as NanoMDM takes it: CommandUUID and Command.RequestType are
 * looked at, the bytes are kept.
 * @return MDM_EPLIST, MDM_EINPUT
 */
apr_status_t mdm_command_read(mdm_command_t **command, mdm_ctx_t *ctx, mdm_bytes_t body);

/**
 * Store a command, queue it for all the enrollments named and want their wake-up, in one
 * transaction: all or nothing.
 * @param targets array of mdm_push_target_t, one per id in the order given; NULL when `wake` is 0
 * @param actor   who asks, for the record
 * @return MDM_EEXIST when the CommandUUID is taken; MDM_EINPUT naming the enrollments that cannot
 *         have it; MDM_EDB
 */
apr_status_t mdm_command_enqueue(apr_array_header_t **targets, mdm_store_t *st, mdm_command_t *command,
                                 const char *const *enrollment_ids, int count, int wake, const char *actor);

/** Want a wake-up now, in a transaction of its own; targets as above. */
apr_status_t mdm_command_wake(apr_array_header_t **targets, mdm_store_t *st,
                              const char *const *enrollment_ids, int count);

#endif
