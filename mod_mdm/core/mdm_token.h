/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens that devices ask for (GetToken): proof for Apple's servers that a Managed Apple Account signs in on a managed
 * device, and the pairing token that a watch brings to its own enrollment.
 */
#ifndef MDM_TOKEN_H
#define MDM_TOKEN_H

#include "mdm_device.h"

#define MDM_TOKEN_MAID "com.apple.maid"
#define MDM_TOKEN_WATCH "com.apple.watch.pairing"

/**
 * Make the TokenData that the message asks for. com.apple.maid: a JWT (RS256) with iss, iat, jti and service_type.
 * com.apple.watch.pairing: phone, watch, SecurityToken, time and a nonce, sealed with the site's key: only this site
 * can make or read one, and its reader can tell a replay by the nonce.
 * @return MDM_EINPUT, with a log line, when GetToken is not configured; for an unknown service, for parameters that are
 * missing; MDM_EDENIED when the watch is paired with another phone than the one that asks; MDM_ECRYPTO
 */
apr_status_t mdm_token_make(mdm_bytes_t *data, mdm_ctx_t *ctx, const mdm_site_t *site, const mdm_device_t *device);

#endif
