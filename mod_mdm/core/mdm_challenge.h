/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time challenges: 160 random bits, known to the store by their SHA-256 only. A challenge says what it is
 * for (its kind) and is bound to whom and what its maker names. Any thread.
 */
#ifndef MDM_CHALLENGE_H
#define MDM_CHALLENGE_H

#include "mdm_store.h"

/** Pays for one certificate over SCEP. */
#define MDM_CHALLENGE_SCEP "scep"
/** Ties a device's answer to the Profile Service to the person who signed in. */
#define MDM_CHALLENGE_PROFILE_SERVICE "profile-service"

/**
 * Make and store a challenge. Now and then also takes away some of those that ended over a day ago.
 * @param text     40 hex digits, to be handed to the one who enrolls; never logged
 * @param wanted   its kind, user, common_name, invitation, session and enrollment; the rest is not looked at
 * @param lifetime microseconds from now
 * @return MDM_ECRYPTO, MDM_EDB
 */
apr_status_t mdm_challenge_make(const char **text, mdm_store_t *st, const mdm_challenge_t *wanted,
                                apr_interval_time_t lifetime);

/** The thin form: a challenge of MDM_CHALLENGE_SCEP, bound to a person and a CN, or to neither (NULL). */
apr_status_t mdm_challenge_new(const char **text, mdm_store_t *st, const char *user, const char *common_name,
                               apr_interval_time_t lifetime);

/**
 * Use a challenge up inside the caller's transaction; as mdm_store_challenge_use. A NULL text is refused.
 * @param kind what it is presented for: MDM_CHALLENGE_...
 */
apr_status_t mdm_challenge_use(mdm_challenge_t **challenge, mdm_store_t *st, const char *kind,
                               const char *text, const char *common_name);

#endif
