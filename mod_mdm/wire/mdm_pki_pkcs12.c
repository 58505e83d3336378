/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Importing a CA: what its certificate may be used for, encrypted PEM keys, PKCS#12. Called by mdmctl as
 * root, and by the parent while it loads a site. Passwords are never logged, and never part of a failure's
 * detail.
 */
#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "mdm_pki_ca.h"
#include "mdm_pki_ossl.h"

static int give_password(char *buffer, int size, int writing, void *baton)
{
    const mdm_bytes_t *password = baton;

    (void)writing;
    if (size < 0 || password->len > (apr_size_t)size)
        return -1;
    memcpy(buffer, password->data, password->len);
    return (int)password->len;
}

static apr_status_t push(apr_array_header_t *certs, mdm_ctx_t *ctx, X509 *x509)
{
    mdm_cert_t *cert;
    apr_status_t rv = mdm_cert_adopt(&cert, ctx, x509);

    if (rv == APR_SUCCESS)
        APR_ARRAY_PUSH(certs, mdm_cert_t *) = cert;
    return rv;
}

static PKCS12 *parse(mdm_bytes_t der)
{
    const unsigned char *end = der.data;

    return der.len && der.len <= LONG_MAX ? d2i_PKCS12(NULL, &end, (long)der.len) : NULL;
}

int mdm_cert_allows(const mdm_cert_t *cert, int uses)
{
    uint32_t usage = X509_get_key_usage(cert->x509);
    int allowed = (!(uses & MDM_USE_SIGN) || (usage & KU_DIGITAL_SIGNATURE))
        && (!(uses & MDM_USE_DECRYPT) || (usage & KU_KEY_ENCIPHERMENT));

    ERR_clear_error();
    return allowed;
}

int mdm_cert_is_rsa(const mdm_cert_t *cert)
{
    return mdm_rsa_fits(X509_get0_pubkey(cert->x509));
}

const char *mdm_cert_organization(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    return mdm_name_only(ctx, X509_get_subject_name(cert->x509), NID_organizationName);
}

apr_status_t mdm_key_from_encrypted_pem(mdm_key_t **key, mdm_ctx_t *ctx, mdm_bytes_t pem,
                                        mdm_bytes_t password)
{
    BIO *bio = mdm_bio_of(pem);
    EVP_PKEY *pkey;

    ERR_clear_error();
    pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_password, &password) : NULL;
    ERR_clear_error();
    BIO_free(bio);
    if (!pkey)
        return mdm_fail(ctx, MDM_EINPUT, "no private key can be read with this password");
    *key = mdm_key_adopt(ctx, pkey);
    return APR_SUCCESS;
}

apr_status_t mdm_pkcs12_read(mdm_key_t **key, apr_array_header_t **out, mdm_ctx_t *ctx, mdm_bytes_t der,
                             mdm_bytes_t password)
{
    apr_array_header_t *certs = apr_array_make(ctx->pool, 4, sizeof(mdm_cert_t *));
    STACK_OF(X509) *others = NULL;
    EVP_PKEY *pkey = NULL;
    X509 *own = NULL;
    PKCS12 *file;
    apr_status_t rv = APR_SUCCESS;
    int parsed;

    ERR_clear_error();
    file = parse(der);
    parsed = file && PKCS12_parse(file, (const char *)password.data, &pkey, &own, &others);
    PKCS12_free(file);
    if (pkey)
        *key = mdm_key_adopt(ctx, pkey);
    if (own)
        rv = push(certs, ctx, own);
    while (rv == APR_SUCCESS && sk_X509_num(others) > 0)
        rv = push(certs, ctx, sk_X509_shift(others));
    sk_X509_pop_free(others, X509_free);
    ERR_clear_error();
    if (rv != APR_SUCCESS)
        return rv;
    if (!file || !parsed)
        return mdm_fail(ctx, MDM_EINPUT, "%s", file ? "the password is wrong, or the file uses ciphers that "
                        "are no longer safe: make it anew with openssl pkcs12 -export"
                            : "not a PKCS#12 file");
    if (!pkey || !own)
        return mdm_fail(ctx, MDM_EINPUT, "the PKCS#12 file holds no key with its certificate");
    *out = certs;
    return APR_SUCCESS;
}
