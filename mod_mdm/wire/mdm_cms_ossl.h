/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMS parsing that mdm_cms.c and mdm_scep_open.c share: hostile SignedData with one signer. For files of
 * this floor only. Results live in ctx->pool.
 */
#ifndef MDM_CMS_OSSL_H
#define MDM_CMS_OSSL_H

#include <openssl/cms.h>

#include "mdm_pki_ossl.h"

/** Parse one ContentInfo, BER or DER, that is all of `bytes`, at most 64 kB. @return MDM_EINPUT */
apr_status_t mdm_cms_parse(CMS_ContentInfo **cms, mdm_ctx_t *ctx, mdm_bytes_t bytes);

/**
 * The only SignerInfo of a SignedData over type data, and the one certificate among at most `max_certs` in it
 * that it names. Nothing is proven yet. @return MDM_EINPUT
 */
apr_status_t mdm_cms_only_signer(CMS_SignerInfo **signer_info, mdm_cert_t **signer, mdm_ctx_t *ctx,
                                 CMS_ContentInfo *cms, int max_certs);

/** The digest of the SignerInfo when the signature is RSA PKCS#1 with that same digest; else NID_undef. */
int mdm_cms_digest(CMS_SignerInfo *signer_info);

/** Whether each signed attribute is there once with one value, and contentType, if any, says data. */
int mdm_cms_attributes_are_sane(CMS_SignerInfo *signer_info);

/** Check the only signature with `signer`'s key; `content` NULL when it is inside. @return 1 when it holds */
int mdm_cms_signature_holds(CMS_ContentInfo *cms, CMS_SignerInfo *signer_info, const mdm_cert_t *signer,
                            const mdm_bytes_t *content);

/** EnvelopedData to one recipient named by issuer and serial, RSA PKCS#1, DER. @return MDM_ECRYPTO */
apr_status_t mdm_cms_envelop(mdm_bytes_t *der, mdm_ctx_t *ctx, mdm_bytes_t content,
                             const mdm_cert_t *recipient, const EVP_CIPHER *cipher);

/** Encode in DER into ctx->pool. @return MDM_ECRYPTO */
apr_status_t mdm_cms_encode(mdm_bytes_t *der, mdm_ctx_t *ctx, const CMS_ContentInfo *cms);

#endif
