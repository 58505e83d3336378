/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bare signature over some bytes, for formats that are no CMS (JWT). Any thread.
 */
#ifndef MDM_PKI_SIGN_H
#define MDM_PKI_SIGN_H

#include "mdm_pki.h"

/** Whether the key is RSA of 2048 bits or more. */
int mdm_key_is_rsa(const mdm_key_t *key);

/** RSASSA-PKCS1-v1_5 with SHA-256 (RS256 of RFC 7518). @return MDM_EINPUT when the key is no RSA key; MDM_ECRYPTO */
apr_status_t mdm_key_sign_rs256(mdm_bytes_t *signature, mdm_ctx_t *ctx, const mdm_key_t *key, mdm_bytes_t data);

#endif
