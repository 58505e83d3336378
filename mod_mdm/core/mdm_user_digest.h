/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords of network users by HTTP Digest (RFC 2617, without qop), as UserAuthenticate uses it: a htdigest file, a
 * challenge that nobody has to remember, the check of a response.
 */
#ifndef MDM_USER_DIGEST_H
#define MDM_USER_DIGEST_H

#include "mdm_site.h"

#define MDM_USER_DIGEST_FILE_MAX (16 * 1024 * 1024)

/**
 * Whether the bytes are an htdigest file of one realm: lines user:realm:HA1, none of them with quotes or backslashes
 * in the realm. @return MDM_ECONFIG with the line that is not
 */
apr_status_t mdm_user_digest_check(mdm_ctx_t *ctx, const char *file, mdm_bytes_t bytes);

/**
 * The value of DigestChallenge. Its nonce is the time, and a MAC under the site's key over time, realm and
 * enrollment. @return NULL when OpenSSL fails or the file is empty
 */
const char *mdm_user_digest_challenge(mdm_ctx_t *ctx, const mdm_site_t *site, const char *enrollment_id);

/**
 * Whether a DigestResponse proves a password of the file, for a nonce of ours that is not older than five minutes.
 * @param user who it is: the name in the file
 */
int mdm_user_digest_verify(const char **user, mdm_ctx_t *ctx, const mdm_site_t *site, const char *enrollment_id,
                           const char *response);

#endif
