/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certification requests of our own, and plain signatures over bytes: what it takes to get a push certificate.
 * Called by mdmctl.
 */
#ifndef MDM_PKI_REQUEST_H
#define MDM_PKI_REQUEST_H

#include "mdm_pki.h"

/**
 * Make a DER PKCS#10 signed with SHA-256.
 * @param organization O of the subject, or NULL; @param common_name CN
 * @return MDM_EINPUT when a name is empty, over 64 characters or not UTF-8; MDM_ECRYPTO
 */
apr_status_t mdm_csr_make(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_key_t *key, const char *organization,
                          const char *common_name);

/** RSA (PKCS#1 v1.5) with SHA-256 over `data`. @return MDM_EINPUT for another kind of key; MDM_ECRYPTO */
apr_status_t mdm_key_sign_sha256(mdm_bytes_t *signature, mdm_ctx_t *ctx, const mdm_key_t *key, mdm_bytes_t data);

#endif
