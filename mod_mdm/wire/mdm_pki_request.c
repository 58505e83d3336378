/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making certification requests, and signing bytes. Called by mdmctl through core/mdm_pushcert_request.c; one thread.
 * Writes no file and never shows a key.
 */
#include <string.h>

#include <apr_strings.h>
#include <openssl/err.h>

#include "mdm_pki_ossl.h"
#include "mdm_pki_request.h"

static int add_name(X509_NAME *name, const char *field, const char *value)
{
    return !value || X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0);
}

static int fill(X509_REQ *request, const mdm_key_t *key, const char *organization, const char *common_name)
{
    X509_NAME *name = X509_REQ_get_subject_name(request);

    return X509_REQ_set_version(request, X509_REQ_VERSION_1) && X509_REQ_set_pubkey(request, key->pkey)
        && add_name(name, "O", organization) && add_name(name, "CN", common_name);
}

static apr_status_t encode(mdm_bytes_t *der, mdm_ctx_t *ctx, X509_REQ *request, const mdm_key_t *key)
{
    unsigned char *data = NULL;
    int len = X509_REQ_sign(request, key->pkey, EVP_sha256()) > 0 ? i2d_X509_REQ(request, &data) : -1;

    ctx->rsa_operations++;
    if (len <= 0)
        return mdm_fail(ctx, MDM_ECRYPTO, "signing a certification request failed");
    der->data = apr_pmemdup(ctx->pool, data, (apr_size_t)len);
    der->len = (apr_size_t)len;
    OPENSSL_free(data);
    return APR_SUCCESS;
}

apr_status_t mdm_csr_make(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_key_t *key, const char *organization,
                          const char *common_name)
{
    X509_REQ *request;
    apr_status_t rv;

    ERR_clear_error();
    request = X509_REQ_new();
    if (!request)
        return mdm_fail(ctx, MDM_ECRYPTO, "no memory for a certification request");
    rv = fill(request, key, organization, common_name)
        ? encode(der, ctx, request, key)
        : mdm_fail(ctx, MDM_EINPUT, "the name of the organization is empty, too long or not UTF-8");
    X509_REQ_free(request);
    ERR_clear_error();
    return rv;
}

apr_status_t mdm_key_sign_sha256(mdm_bytes_t *signature, mdm_ctx_t *ctx, const mdm_key_t *key, mdm_bytes_t data)
{
    size_t len = (size_t)EVP_PKEY_get_size(key->pkey);
    unsigned char *out;
    EVP_MD_CTX *md;
    int done;

    if (EVP_PKEY_get_base_id(key->pkey) != EVP_PKEY_RSA)
        return mdm_fail(ctx, MDM_EINPUT, "the key that signs is not RSA");
    out = apr_palloc(ctx->pool, len);
    ERR_clear_error();
    md = EVP_MD_CTX_new();
    done = md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key->pkey) == 1
        && EVP_DigestSign(md, out, &len, data.data, data.len) == 1;
    EVP_MD_CTX_free(md);
    ERR_clear_error();
    ctx->rsa_operations++;
    if (!done)
        return mdm_fail(ctx, MDM_ECRYPTO, "signing failed");
    signature->data = out;
    signature->len = len;
    return APR_SUCCESS;
}
