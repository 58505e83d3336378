/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mdm_scep_*.c share: a request while it is being opened, and the SignedData that only carries
 * certificates or a CRL. For these files only. Results live in ctx->pool.
 */
#ifndef MDM_SCEP_OSSL_H
#define MDM_SCEP_OSSL_H

#include "mdm_cms_ossl.h"
#include "mdm_scep.h"

typedef struct mdm_scep_opening_t {
    mdm_ctx_t *ctx;
    const mdm_scep_server_t *server;
    CMS_ContentInfo *cms;
    CMS_SignerInfo *signer_info;
    CMS_ContentInfo *envelope;
    mdm_scep_request_t *request;
    mdm_scep_fail_info_e fail_info;
} mdm_scep_opening_t;

/** Say in one sentence why the request is refused. @return rv */
apr_status_t mdm_scep_refuse(mdm_scep_opening_t *o, mdm_scep_fail_info_e fail_info, apr_status_t rv,
                             const char *text);

/**
 * Check the envelope inside the signed message, find the party it is for (sets request->party), and decrypt
 * it into memory that is cleansed with ctx->pool. *sound is 0 when the decryption failed: the content is then
 * what came out, if anything, and it is for the caller to give one answer for this and for content that is
 * not what it should be.
 */
apr_status_t mdm_scep_envelope_open(mdm_bytes_t *content, int *sound, mdm_scep_opening_t *o);

/** Parse the content by the message type into csr, or issuer, subject and serial. @param sound see above */
apr_status_t mdm_scep_content_read(mdm_scep_opening_t *o, mdm_bytes_t content, int sound);

/** SignedData without content and signers: certificates in the given order, or a CRL (RFC 8894 3.4). */
mdm_bytes_t mdm_scep_degenerate(mdm_ctx_t *ctx, const apr_array_header_t *certs, mdm_bytes_t crl);

#endif
