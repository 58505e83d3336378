/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bare RSA signatures over OpenSSL. Called by whoever makes a JWT, in any thread; keeps nothing.
 */
#include <openssl/err.h>
#include <openssl/evp.h>

#include "mdm_pki_ossl.h"
#include "mdm_pki_sign.h"

int mdm_key_is_rsa(const mdm_key_t *key)
{
    int fits = EVP_PKEY_is_a(key->pkey, "RSA") && EVP_PKEY_get_bits(key->pkey) >= MDM_RSA_MIN_BITS;

    ERR_clear_error();
    return fits;
}

apr_status_t mdm_key_sign_rs256(mdm_bytes_t *signature, mdm_ctx_t *ctx, const mdm_key_t *key, mdm_bytes_t data)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    size_t len = 0;
    unsigned char *out;
    int done;

    if (!mdm_key_is_rsa(key)) {
        EVP_MD_CTX_free(md);
        return mdm_fail(ctx, MDM_EINPUT, "the signing key is no RSA key of %d bits or more", MDM_RSA_MIN_BITS);
    }
    ERR_clear_error();
    done = md && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key->pkey) == 1
           && EVP_DigestSign(md, NULL, &len, data.data, data.len) == 1;
    out = done ? apr_palloc(ctx->pool, len) : NULL;
    done = done && EVP_DigestSign(md, out, &len, data.data, data.len) == 1;
    EVP_MD_CTX_free(md);
    ERR_clear_error();
    ctx->rsa_operations++;
    if (!done)
        return mdm_fail(ctx, MDM_ECRYPTO, "OpenSSL could not sign");
    signature->data = out;
    signature->len = len;
    return APR_SUCCESS;
}
