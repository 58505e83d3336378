/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EnvelopedData (RFC 5652 section 6) to one certificate: profiles that only one device can open. Called in
 * any thread, also by the worker. Public keys only; SCEP opens and makes its envelopes in mdm_scep_*.c.
 */
#include <openssl/err.h>

#include "mdm_cms.h"
#include "mdm_cms_ossl.h"

static const EVP_CIPHER *cipher_of(mdm_cipher_e cipher)
{
    return cipher == MDM_CIPHER_DES3_CBC ? EVP_des_ede3_cbc() : EVP_aes_256_cbc();
}

apr_status_t mdm_cms_envelop(mdm_bytes_t *der, mdm_ctx_t *ctx, mdm_bytes_t content,
                             const mdm_cert_t *recipient, const EVP_CIPHER *cipher)
{
    STACK_OF(X509) *recipients;
    BIO *in = mdm_bio_of(content);
    CMS_ContentInfo *cms = NULL;
    apr_status_t rv = MDM_ECRYPTO;

    ERR_clear_error();
    recipients = sk_X509_new_null();
    if (in && recipients && sk_X509_push(recipients, recipient->x509))
        cms = CMS_encrypt(recipients, in, cipher, CMS_BINARY);
    if (cms)
        rv = mdm_cms_encode(der, ctx, cms);
    ERR_clear_error();
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    sk_X509_free(recipients);
    return rv == APR_SUCCESS ? rv : mdm_fail(ctx, rv, "encrypting to a certificate failed");
}

int mdm_cms_may_receive(const mdm_cert_t *cert)
{
    return mdm_rsa_fits(X509_get0_pubkey(cert->x509));
}

apr_status_t mdm_cms_encrypt(mdm_bytes_t *der, mdm_ctx_t *ctx, mdm_bytes_t content,
                             const mdm_cert_t *recipient, mdm_cipher_e cipher)
{
    if (!mdm_cms_may_receive(recipient))
        return mdm_fail(ctx, MDM_EINPUT, "the certificate to encrypt to has no RSA key of %d to %d bits",
                        MDM_RSA_MIN_BITS, MDM_RSA_MAX_BITS);
    return mdm_cms_envelop(der, ctx, content, recipient, cipher_of(cipher));
}
