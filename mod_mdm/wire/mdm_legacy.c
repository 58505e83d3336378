/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library context of OpenSSL's with the default and the legacy provider, for single DES; see mdm_legacy.h.
 * Made at the first message that needs it, in the process that serves it (a child of httpd's, any thread),
 * and kept until that process ends. The default context never gets the legacy provider.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>

#include "mdm_legacy.h"

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static OSSL_LIB_CTX *library;

static void load(void)
{
    OSSL_LIB_CTX *made = OSSL_LIB_CTX_new();

    if (made && OSSL_PROVIDER_load(made, "default") && OSSL_PROVIDER_load(made, "legacy"))
        library = made;
    else
        OSSL_LIB_CTX_free(made);
}

static OSSL_LIB_CTX *legacy_library(mdm_ctx_t *ctx)
{
    int ran;

    ERR_clear_error();
    ran = CRYPTO_THREAD_run_once(&once, load);
    ERR_clear_error();
    if (ran && library)
        return library;
    mdm_fail(ctx, MDM_ECRYPTO,
             "OpenSSL's legacy provider cannot be loaded: MDMSCEPLegacy des needs legacy.so");
    return NULL;
}

static apr_status_t free_cms(void *baton)
{
    CMS_ContentInfo_free(baton);
    return APR_SUCCESS;
}

apr_status_t mdm_legacy_parse(CMS_ContentInfo **cms, mdm_ctx_t *ctx, mdm_bytes_t bytes)
{
    OSSL_LIB_CTX *use = legacy_library(ctx);
    CMS_ContentInfo *made, *parsed;

    if (!use)
        return MDM_ECRYPTO;
    ERR_clear_error();
    made = CMS_ContentInfo_new_ex(use, NULL);
    parsed = made ? d2i_CMS_ContentInfo(&made, &bytes.data, (long)bytes.len) : NULL;
    ERR_clear_error();
    if (!parsed)
        return mdm_fail(ctx, MDM_EINPUT, "not a CMS message");
    apr_pool_cleanup_register(ctx->pool, parsed, free_cms, apr_pool_cleanup_null);
    *cms = parsed;
    return APR_SUCCESS;
}

apr_status_t mdm_legacy_envelop(mdm_bytes_t *der, mdm_ctx_t *ctx, mdm_bytes_t content,
                                const mdm_cert_t *recipient)
{
    OSSL_LIB_CTX *use = legacy_library(ctx);
    STACK_OF(X509) *recipients;
    CMS_ContentInfo *cms = NULL;
    apr_status_t rv = MDM_ECRYPTO;
    BIO *in;

    if (!use)
        return MDM_ECRYPTO;
    ERR_clear_error();
    in = mdm_bio_of(content);
    recipients = sk_X509_new_null();
    if (in && recipients && sk_X509_push(recipients, recipient->x509))
        cms = CMS_encrypt_ex(recipients, in, EVP_des_cbc(), CMS_BINARY, use, NULL);
    if (cms)
        rv = mdm_cms_encode(der, ctx, cms);
    ERR_clear_error();
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    sk_X509_free(recipients);
    return rv == APR_SUCCESS ? rv : mdm_fail(ctx, rv, "encrypting to a certificate by DES failed");
}
