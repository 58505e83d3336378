/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time SCEP challenges: 160 random bits, known to the store by their SHA-256 only. Any thread.
 */
#ifndef MDM_CHALLENGE_H
#define MDM_CHALLENGE_H

#include "mdm_store.h"

#define MDM_CHALLENGE_SCEP "scep"

/**
 * Make and store a challenge for one SCEP request.
 * @param text        the challenge, to be handed to the one who enrolls; never logged
 * @param user        login of the person it is for, NULL for an administrator's
 * @param common_name the CN its request must have, NULL for any
 * @param lifetime    microseconds from now
 * @return MDM_ECRYPTO, MDM_EDB
 */
apr_status_t mdm_challenge_new(const char **text, mdm_store_t *st, const char *user, const char *common_name,
                               apr_interval_time_t lifetime);

/** Use a challenge up inside the caller's transaction; as mdm_store_challenge_use. A NULL text is refused. */
apr_status_t mdm_challenge_use(mdm_challenge_t **challenge, mdm_store_t *st, const char *text,
                               const char *common_name);

#endif
