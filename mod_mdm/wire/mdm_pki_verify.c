/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The chain of a device identity to the CAs that an administrator has named. Runs in request threads, but only for
 * certificates that the database does not know.
 */
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "mdm_pki_ossl.h"
#include "mdm_pki_verify.h"

/* OpenSSL's level of 80 bits: no MD5 or SHA-1 in signatures, RSA from 1024 bits on. */
#define AUTH_LEVEL 1
#define MAX_DEPTH 4

static X509_STORE *make_store(const apr_array_header_t *cas)
{
    X509_STORE *store = X509_STORE_new();
    int i;

    for (i = 0; store && i < cas->nelts; i++) {
        if (!X509_STORE_add_cert(store, APR_ARRAY_IDX(cas, i, mdm_cert_t *)->x509)) {
            X509_STORE_free(store);
            return NULL;
        }
    }
    return store;
}

static int is_for_clients(X509 *x509)
{
    return X509_get_extended_key_usage(x509) & (XKU_SSL_CLIENT | XKU_ANYEKU);
}

static const char *fingerprint_of(mdm_ctx_t *ctx, X509 *x509)
{
    unsigned char *data = NULL;
    int len = i2d_X509(x509, &data);
    mdm_bytes_t der = { data, len > 0 ? (apr_size_t)len : 0 };
    const char *hex = mdm_sha256_hex(der, ctx->pool);

    OPENSSL_free(data);
    return hex;
}

/* @return NULL, or why not */
static const char *verify(const char **issuer, mdm_ctx_t *ctx, X509_STORE_CTX *work, X509_STORE *store, X509 *x509,
                          apr_time_t at)
{
    X509_VERIFY_PARAM *param;
    STACK_OF(X509) *chain;

    if (!work || !store || !X509_STORE_CTX_init(work, store, x509, NULL))
        return "no memory to verify a certificate";
    param = X509_STORE_CTX_get0_param(work);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(param, (time_t)apr_time_sec(at));
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    X509_VERIFY_PARAM_set_depth(param, MAX_DEPTH);
    if (X509_verify_cert(work) != 1)
        return X509_verify_cert_error_string(X509_STORE_CTX_get_error(work));
    chain = X509_STORE_CTX_get0_chain(work);
    if (sk_X509_num(chain) < 2 || (X509_get_extension_flags(x509) & EXFLAG_CA))
        return "it is no certificate of a device";
    *issuer = fingerprint_of(ctx, sk_X509_value(chain, 1));
    return is_for_clients(x509) ? NULL : "its extended key usage lacks clientAuth";
}

apr_status_t mdm_cert_verify_client(const char **issuer, mdm_ctx_t *ctx, const mdm_cert_t *cert,
                                    const apr_array_header_t *cas, apr_time_t at)
{
    X509_STORE_CTX *work;
    X509_STORE *store;
    const char *wrong;

    ERR_clear_error();
    work = X509_STORE_CTX_new();
    store = make_store(cas);
    wrong = verify(issuer, ctx, work, store, cert->x509, at);
    X509_STORE_CTX_free(work);
    X509_STORE_free(store);
    ERR_clear_error();
    return wrong ? mdm_fail(ctx, MDM_EDENIED, "the certificate is of no CA that is trusted here: %s", wrong)
                 : APR_SUCCESS;
}
