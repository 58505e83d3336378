/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a certificate of another CA may identify a device. Called by core/mdm_identity.c, any thread; reads no
 * system trust store and asks nobody about revocation.
 */
#ifndef MDM_PKI_VERIFY_H
#define MDM_PKI_VERIFY_H

#include "mdm_pki.h"

/**
 * Verify a client certificate at the time `at`: a chain of good signatures to one of `cas`, each of which is trusted
 * itself, all within their dates, digests and keys of 80 bits of security or more, clientAuth where an extended key
 * usage is given, no CA.
 * @param cas    array of mdm_cert_t *
 * @param issuer fingerprint of the CA certificate that issued it
 * @return MDM_EDENIED with the reason
 */
apr_status_t mdm_cert_verify_client(const char **issuer, mdm_ctx_t *ctx, const mdm_cert_t *cert,
                                    const apr_array_header_t *cas, apr_time_t at);

#endif
