/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Push certificates: check one that an administrator uploads, and keep it with its key sealed.
 */
#ifndef MDM_PUSHCERT_H
#define MDM_PUSHCERT_H

#include "mdm_store.h"

/**
 * Check and store a push certificate: PEM of certificate and unencrypted key in any order, also without a
 * line break between the blocks. Replaces the one of the same topic. The topic is the subject's UID.
 * @param stored what is now in force, without the key
 * @return MDM_EINPUT with the reason; MDM_EDB
 */
apr_status_t mdm_pushcert_store(mdm_push_topic_t **stored, mdm_store_t *st, mdm_bytes_t pem,
                                const char *actor, const char *source);

#endif
