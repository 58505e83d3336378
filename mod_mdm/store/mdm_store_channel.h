/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device or a user channel leaves with the server beside its push tokens: bootstrap token, proof of a network
 * user's password, the wait for configuration. Called by the check-in.
 */
#ifndef MDM_STORE_CHANNEL_H
#define MDM_STORE_CHANNEL_H

#include "mdm_store_base.h"

/** Keep a device's bootstrap token, sealed; no bytes: forget it. */
apr_status_t mdm_store_bootstrap_token_set(mdm_store_t *st, apr_int64_t id, mdm_bytes_t token);

/** The bootstrap token of an enrollment; none gives no bytes. */
apr_status_t mdm_store_bootstrap_token_get(mdm_bytes_t *token, mdm_store_t *st, apr_int64_t id);

/** From now on each message of this user channel has to bear the AuthToken with this SHA-256; NULL: none. */
apr_status_t mdm_store_auth_token_set(mdm_store_t *st, apr_int64_t id, const char *sha256);

/** Whether the device waits in Setup Assistant. */
apr_status_t mdm_store_awaiting_configuration_set(mdm_store_t *st, apr_int64_t id, int awaiting);

#endif
