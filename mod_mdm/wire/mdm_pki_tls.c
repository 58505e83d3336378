/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate, key and chain out of a TLS server context. Called by the parent alone, before any thread
 * exists: looking through a context's certificates moves its current one, which is put back.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "mdm_pki_ossl.h"
#include "mdm_pki_tls.h"

static int rank(const EVP_PKEY *pkey)
{
    int type = pkey ? EVP_PKEY_get_base_id(pkey) : EVP_PKEY_NONE;

    return type == EVP_PKEY_RSA ? 2 : type == EVP_PKEY_EC ? 1 : 0;
}

/* Make the best certificate with a key the current one. @return whether there is any */
static int select_best(SSL_CTX *tls)
{
    X509 *best = NULL;
    int best_rank = 0, more;

    for (more = SSL_CTX_set_current_cert(tls, SSL_CERT_SET_FIRST); more == 1;
         more = SSL_CTX_set_current_cert(tls, SSL_CERT_SET_NEXT)) {
        int found = SSL_CTX_get0_certificate(tls) ? rank(SSL_CTX_get0_privatekey(tls)) : 0;

        if (found > best_rank) {
            best_rank = found;
            best = SSL_CTX_get0_certificate(tls);
        }
    }
    return best && SSL_CTX_select_current_cert(tls, best) == 1;
}

static apr_status_t adopt_certificate(mdm_cert_t **cert, mdm_ctx_t *ctx, X509 *x509)
{
    return X509_up_ref(x509) ? mdm_cert_adopt(cert, ctx, x509)
                             : mdm_fail(ctx, MDM_ECRYPTO, "a certificate of the web server cannot be held");
}

static apr_status_t adopt_chain(apr_array_header_t **out, mdm_ctx_t *ctx, SSL_CTX *tls)
{
    apr_array_header_t *chain = apr_array_make(ctx->pool, 4, sizeof(mdm_cert_t *));
    STACK_OF(X509) *stack = NULL;
    apr_status_t rv = APR_SUCCESS;
    int i;

    SSL_CTX_get0_chain_certs(tls, &stack);
    if (!stack)
        SSL_CTX_get_extra_chain_certs(tls, &stack);
    for (i = 0; rv == APR_SUCCESS && i < sk_X509_num(stack); i++) {
        mdm_cert_t *cert = NULL;

        rv = adopt_certificate(&cert, ctx, sk_X509_value(stack, i));
        if (rv == APR_SUCCESS && !mdm_cert_is_self_signed(cert))
            APR_ARRAY_PUSH(chain, mdm_cert_t *) = cert;
    }
    *out = chain;
    return rv;
}

static apr_status_t adopt_current(mdm_cert_t **cert, mdm_key_t **key, apr_array_header_t **chain,
                                  mdm_ctx_t *ctx,
                                  SSL_CTX *tls)
{
    EVP_PKEY *pkey = SSL_CTX_get0_privatekey(tls);
    apr_status_t rv = adopt_certificate(cert, ctx, SSL_CTX_get0_certificate(tls));

    if (rv != APR_SUCCESS)
        return rv;
    if (!EVP_PKEY_up_ref(pkey))
        return mdm_fail(ctx, MDM_ECRYPTO, "the key of the web server cannot be held");
    *key = mdm_key_adopt(ctx, pkey);
    return adopt_chain(chain, ctx, tls);
}

apr_status_t mdm_tls_identity(mdm_cert_t **cert, mdm_key_t **key, apr_array_header_t **chain, mdm_ctx_t *ctx,
                              struct ssl_ctx_st *tls)
{
    X509 *before;
    apr_status_t rv = MDM_ENOTFOUND;

    ERR_clear_error();
    before = SSL_CTX_get0_certificate(tls);
    if (select_best(tls))
        rv = adopt_current(cert, key, chain, ctx, tls);
    if (before)
        SSL_CTX_select_current_cert(tls, before);
    ERR_clear_error();
    return rv;
}
