/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private keys, and the reading and writing of keys and certificates. Called by the parent and mdmctl for
 * files, by any thread for certificates from the network. Never reads a file and never logs; failure details
 * never hold OpenSSL's own text, which may quote input.
 */
#include <limits.h>
#include <string.h>
#include <time.h>

#include <apr_strings.h>
#include <apr_tables.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "mdm_pki_ossl.h"

#define EXPONENT_MAX_BITS 33

static apr_status_t free_pkey(void *baton)
{
    EVP_PKEY_free(baton);
    return APR_SUCCESS;
}

static apr_status_t free_x509(void *baton)
{
    X509_free(baton);
    return APR_SUCCESS;
}

static apr_status_t cleanse_bytes(void *baton)
{
    mdm_bytes_t *bytes = baton;

    mdm_cleanse((void *)bytes->data, bytes->len);
    return APR_SUCCESS;
}

static int ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

/* NULL when the block is no private key, does not parse, or is encrypted (then *encrypted is set). */
static EVP_PKEY *key_of_block(const char *name, const char *header, const unsigned char *data, long len,
                              int *encrypted)
{
    if (!ends_with(name, "PRIVATE KEY"))
        return NULL;
    if (!strncmp(name, "ENCRYPTED", 9) || strstr(header, "ENCRYPTED")) {
        *encrypted = 1;
        return NULL;
    }
    return d2i_AutoPrivateKey(NULL, &data, len);
}

static EVP_PKEY *find_key(BIO *bio, int *encrypted)
{
    EVP_PKEY *pkey = NULL;
    char *name, *header;
    unsigned char *data;
    long len;

    while (!pkey && PEM_read_bio(bio, &name, &header, &data, &len)) {
        pkey = key_of_block(name, header, data, len, encrypted);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)len);
    }
    return pkey;
}

static int asn1_time(apr_time_t *out, const ASN1_TIME *time)
{
    struct tm tm;

    if (!time || !ASN1_TIME_to_tm(time, &tm))
        return 0;
    *out = apr_time_from_sec((apr_time_t)timegm(&tm));
    return 1;
}

static int at_end_of_pem(void)
{
    unsigned long error = ERR_peek_last_error();

    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* Certificates from files are shared by threads: OpenSSL shall have nothing left to compute late. */
static apr_status_t adopt_shared(mdm_cert_t **cert, mdm_ctx_t *ctx, X509 *x509)
{
    apr_status_t rv = mdm_cert_adopt(cert, ctx, x509);

    if (rv == APR_SUCCESS)
        X509_check_purpose(x509, -1, 0);
    ERR_clear_error();
    return rv;
}

/* Read certificates until the text ends or `max` are there. */
static apr_status_t read_certs(apr_array_header_t *certs, mdm_ctx_t *ctx, mdm_bytes_t pem, int max)
{
    apr_status_t rv = APR_SUCCESS;
    BIO *bio = mdm_bio_of(pem);
    X509 *x509;
    int clean;

    if (!bio)
        return mdm_fail(ctx, MDM_EINPUT, "the PEM text is too large");
    ERR_clear_error();
    while (rv == APR_SUCCESS && certs->nelts < max && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        mdm_cert_t *cert = NULL;

        rv = adopt_shared(&cert, ctx, x509);
        if (rv == APR_SUCCESS)
            APR_ARRAY_PUSH(certs, mdm_cert_t *) = cert;
    }
    clean = certs->nelts == max || at_end_of_pem();
    ERR_clear_error();
    BIO_free(bio);
    if (rv != APR_SUCCESS)
        return rv;
    if (!clean)
        return mdm_fail(ctx, MDM_EINPUT, "certificate %d of the PEM text is malformed", certs->nelts + 1);
    if (!certs->nelts)
        return mdm_fail(ctx, MDM_EINPUT, "no certificate in the PEM text");
    return APR_SUCCESS;
}

BIO *mdm_bio_of(mdm_bytes_t bytes)
{
    const void *data = bytes.len ? (const void *)bytes.data : "";

    return bytes.len > INT_MAX ? NULL : BIO_new_mem_buf(data, (int)bytes.len);
}

mdm_bytes_t mdm_bio_bytes(mdm_ctx_t *ctx, BIO *bio)
{
    mdm_bytes_t bytes;
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    bytes.len = len > 0 ? (apr_size_t)len : 0;
    bytes.data = (unsigned char *)apr_pstrmemdup(ctx->pool, bytes.len ? data : "", bytes.len);
    return bytes;
}

void mdm_pool_cleanse(mdm_ctx_t *ctx, mdm_bytes_t bytes)
{
    apr_pool_cleanup_register(ctx->pool, apr_pmemdup(ctx->pool, &bytes, sizeof(bytes)), cleanse_bytes,
                              apr_pool_cleanup_null);
}

int mdm_rsa_fits(const EVP_PKEY *pkey)
{
    BIGNUM *e = NULL;
    int bits, fits;

    if (!pkey || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA) {
        ERR_clear_error();
        return 0;
    }
    bits = EVP_PKEY_get_bits(pkey);
    fits = bits >= MDM_RSA_MIN_BITS && bits <= MDM_RSA_MAX_BITS
        && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) && BN_is_odd(e) && !BN_is_one(e)
        && BN_num_bits(e) <= EXPONENT_MAX_BITS;
    BN_free(e);
    ERR_clear_error();
    return fits;
}

mdm_key_t *mdm_key_adopt(mdm_ctx_t *ctx, EVP_PKEY *pkey)
{
    mdm_key_t *key = apr_pcalloc(ctx->pool, sizeof(*key));

    key->pkey = pkey;
    apr_pool_cleanup_register(ctx->pool, pkey, free_pkey, apr_pool_cleanup_null);
    return key;
}

apr_status_t mdm_key_generate(mdm_key_t **key, mdm_ctx_t *ctx, int bits)
{
    EVP_PKEY *pkey;

    if (bits < MDM_RSA_MIN_BITS || bits > MDM_RSA_MAX_BITS)
        return mdm_fail(ctx, MDM_EINPUT, "an RSA key has %d to %d bits here, not %d", MDM_RSA_MIN_BITS,
                        MDM_RSA_MAX_BITS, bits);
    ERR_clear_error();
    pkey = EVP_RSA_gen((unsigned int)bits);
    ERR_clear_error();
    if (!pkey)
        return mdm_fail(ctx, MDM_ECRYPTO, "making an RSA key of %d bits failed", bits);
    *key = mdm_key_adopt(ctx, pkey);
    return APR_SUCCESS;
}

apr_status_t mdm_key_from_pem(mdm_key_t **key, mdm_ctx_t *ctx, mdm_bytes_t pem)
{
    BIO *bio = mdm_bio_of(pem);
    EVP_PKEY *pkey;
    int encrypted = 0;

    if (!bio)
        return mdm_fail(ctx, MDM_EINPUT, "the PEM text is too large");
    ERR_clear_error();
    pkey = find_key(bio, &encrypted);
    ERR_clear_error();
    BIO_free(bio);
    if (!pkey && encrypted)
        return mdm_fail(ctx, MDM_EINPUT, "the private key is encrypted: store it without a passphrase");
    if (!pkey)
        return mdm_fail(ctx, MDM_EINPUT, "no usable private key in the PEM text");
    *key = mdm_key_adopt(ctx, pkey);
    return APR_SUCCESS;
}

apr_status_t mdm_key_to_pem(mdm_bytes_t *pem, mdm_ctx_t *ctx, const mdm_key_t *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int ok;

    ERR_clear_error();
    ok = bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL);
    ERR_clear_error();
    if (ok) {
        *pem = mdm_bio_bytes(ctx, bio);
        mdm_pool_cleanse(ctx, *pem);
    }
    BIO_free(bio);
    return ok ? APR_SUCCESS : mdm_fail(ctx, MDM_ECRYPTO, "writing a private key as PEM failed");
}

apr_status_t mdm_cert_adopt(mdm_cert_t **cert, mdm_ctx_t *ctx, X509 *x509)
{
    mdm_cert_t *made = apr_pcalloc(ctx->pool, sizeof(*made));
    unsigned char *der, *end;
    int len;

    apr_pool_cleanup_register(ctx->pool, x509, free_x509, apr_pool_cleanup_null);
    made->x509 = x509;
    if (!asn1_time(&made->not_before, X509_get0_notBefore(x509))
        || !asn1_time(&made->not_after, X509_get0_notAfter(x509)))
        return mdm_fail(ctx, MDM_EINPUT, "the certificate's validity is not a pair of times");
    len = i2d_X509(x509, NULL);
    if (len <= 0)
        return mdm_fail(ctx, MDM_EINPUT, "the certificate cannot be encoded");
    der = end = apr_palloc(ctx->pool, (apr_size_t)len);
    i2d_X509(x509, &end);
    made->der.data = der;
    made->der.len = (apr_size_t)len;
    ERR_clear_error();
    *cert = made;
    return APR_SUCCESS;
}

apr_status_t mdm_cert_from_pem(mdm_cert_t **cert, mdm_ctx_t *ctx, mdm_bytes_t pem)
{
    apr_array_header_t *certs = apr_array_make(ctx->pool, 1, sizeof(mdm_cert_t *));
    apr_status_t rv = read_certs(certs, ctx, pem, 1);

    if (rv == APR_SUCCESS)
        *cert = APR_ARRAY_IDX(certs, 0, mdm_cert_t *);
    return rv;
}

apr_status_t mdm_certs_from_pem(apr_array_header_t **certs, mdm_ctx_t *ctx, mdm_bytes_t pem)
{
    *certs = apr_array_make(ctx->pool, 4, sizeof(mdm_cert_t *));
    return read_certs(*certs, ctx, pem, INT_MAX);
}

apr_status_t mdm_cert_from_der(mdm_cert_t **cert, mdm_ctx_t *ctx, mdm_bytes_t der)
{
    const unsigned char *end = der.data;
    X509 *x509;

    ERR_clear_error();
    x509 = der.len && der.len <= LONG_MAX ? d2i_X509(NULL, &end, (long)der.len) : NULL;
    ERR_clear_error();
    if (!x509)
        return mdm_fail(ctx, MDM_EINPUT, "not a DER certificate");
    if (end != der.data + der.len) {
        X509_free(x509);
        return mdm_fail(ctx, MDM_EINPUT, "bytes follow the DER certificate");
    }
    return adopt_shared(cert, ctx, x509);
}

apr_status_t mdm_cert_to_der(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    der->data = apr_pmemdup(ctx->pool, cert->der.data, cert->der.len);
    der->len = cert->der.len;
    return APR_SUCCESS;
}

apr_status_t mdm_cert_to_pem(const char **pem, mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int ok;

    ERR_clear_error();
    ok = bio && PEM_write_bio_X509(bio, cert->x509);
    ERR_clear_error();
    if (ok)
        *pem = (const char *)mdm_bio_bytes(ctx, bio).data;
    BIO_free(bio);
    return ok ? APR_SUCCESS : mdm_fail(ctx, MDM_ECRYPTO, "writing a certificate as PEM failed");
}
