/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that Apple's push certificate portal takes: a request that an MDM vendor has signed.
 */
#ifndef MDM_PUSHCERT_REQUEST_H
#define MDM_PUSHCERT_REQUEST_H

#include "mdm_pki.h"

/**
 * Sign a request as a vendor and pack it for the upload.
 * @param csr    DER
 * @param vendor the vendor's certificate first, then its chain up to a root: array of mdm_cert_t *
 * @return MDM_EINPUT when the key is not the vendor's, or one of the chain has not signed the one before it
 */
apr_status_t mdm_pushcert_request(const char **text, mdm_ctx_t *ctx, mdm_bytes_t csr, const apr_array_header_t *vendor,
                                  const mdm_key_t *vendor_key);

#endif
