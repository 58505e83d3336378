/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Check-in messages that another MDM server hands over in the name of its devices (NanoMDM's /migration): believed
 * because an administrator sends them, without a certificate. What they make is an enrollment without an identity,
 * which takes the first one that its device shows (MDMRetroactiveIdentity).
 */
#ifndef MDM_MIGRATION_H
#define MDM_MIGRATION_H

#include "mdm_device.h"

/**
 * Take one message: Authenticate, TokenUpdate, SetBootstrapToken, CheckOut; UserAuthenticate and others that change
 * nothing are taken and forgotten. One transaction. An enrollment in force keeps what it has, but for its tokens.
 * @param actor  the administrator
 * @param source client address
 * @return MDM_EPLIST, MDM_EINPUT; MDM_ENOTFOUND when the device has to come before; MDM_EDB
 */
apr_status_t mdm_migration_take(mdm_store_t *st, mdm_bytes_t body, const char *actor, const char *source);

#endif
