/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a certificate says: names, times, serial, fingerprint, whose key. Any thread, also on certificates
 * that threads share: what OpenSSL computes late of those from files was computed when they were read.
 */
#include <string.h>

#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "mdm_pki_ossl.h"

/* Bits and bytes and the like are no text, though OpenSSL would convert some of them. */
static int is_character_string(const ASN1_STRING *string)
{
    switch (ASN1_STRING_type(string)) {
    case V_ASN1_UTF8STRING:
    case V_ASN1_PRINTABLESTRING:
    case V_ASN1_T61STRING:
    case V_ASN1_IA5STRING:
    case V_ASN1_UNIVERSALSTRING:
    case V_ASN1_BMPSTRING:
    case V_ASN1_NUMERICSTRING:
    case V_ASN1_VISIBLESTRING:
        return 1;
    default:
        return 0;
    }
}

char *mdm_asn1_text(mdm_ctx_t *ctx, const ASN1_STRING *string)
{
    unsigned char *utf8 = NULL;
    char *text = NULL;
    int len;

    if (!string || !is_character_string(string))
        return NULL;
    ERR_clear_error();
    len = ASN1_STRING_to_UTF8(&utf8, string);
    ERR_clear_error();
    if (len < 0)
        return NULL;
    if (!memchr(utf8, '\0', (size_t)len))
        text = apr_pstrmemdup(ctx->pool, (const char *)utf8, (apr_size_t)len);
    OPENSSL_clear_free(utf8, (size_t)len);
    return text;
}

const char *mdm_name_line(mdm_ctx_t *ctx, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const char *line = "";

    ERR_clear_error();
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
        line = (const char *)mdm_bio_bytes(ctx, bio).data;
    ERR_clear_error();
    BIO_free(bio);
    return line;
}

const char *mdm_name_only(mdm_ctx_t *ctx, const X509_NAME *name, int nid)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);

    if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0)
        return NULL;
    return mdm_asn1_text(ctx, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

int mdm_der_step(mdm_bytes_t *at, int tag, int class, int into)
{
    const unsigned char *p = at->data;
    int found_tag, found_class;
    long len = 0;

    if (!at->len || (ASN1_get_object(&p, &len, &found_tag, &found_class, (long)at->len) & 0x81)
        || found_tag != tag || found_class != class)
        return 0;
    if (into)
        at->len = (apr_size_t)len;
    else
        at->len -= (apr_size_t)(p - at->data) + (apr_size_t)len;
    at->data = into ? p : p + len;
    return 1;
}

mdm_bytes_t mdm_name_der(const X509_NAME *name)
{
    mdm_bytes_t der = { NULL, 0 };
    const unsigned char *data = NULL;
    size_t len = 0;

    if (X509_NAME_get0_der(name, &data, &len)) {
        der.data = data;
        der.len = len;
    }
    return der;
}

const char *mdm_pubkey_sha256(mdm_ctx_t *ctx, X509_PUBKEY *pubkey)
{
    unsigned char *data = NULL;
    mdm_bytes_t der;
    const char *hex;
    int len;

    ERR_clear_error();
    len = i2d_X509_PUBKEY(pubkey, &data);
    ERR_clear_error();
    der.data = data;
    der.len = len > 0 ? (apr_size_t)len : 0;
    hex = mdm_sha256_hex(der, ctx->pool);
    OPENSSL_free(data);
    return hex;
}

const char *mdm_cert_serial(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert->x509);
    mdm_bytes_t bytes = { ASN1_STRING_get0_data(serial), (apr_size_t)ASN1_STRING_length(serial) };

    while (bytes.len > 1 && !bytes.data[0]) {
        bytes.data++;
        bytes.len--;
    }
    return bytes.len ? mdm_hex_encode(bytes, ctx->pool) : "00";
}

const char *mdm_cert_fingerprint(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    return mdm_sha256_hex(cert->der, ctx->pool);
}

const char *mdm_cert_key_sha256(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    return mdm_pubkey_sha256(ctx, X509_get_X509_PUBKEY(cert->x509));
}

mdm_bytes_t mdm_cert_sha1(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    unsigned char *digest = apr_pcalloc(ctx->pool, SHA_DIGEST_LENGTH);
    mdm_bytes_t bytes = { digest, SHA_DIGEST_LENGTH };

    SHA1(cert->der.data, cert->der.len, digest);
    ERR_clear_error();
    return bytes;
}

mdm_bytes_t mdm_cert_subject_der(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    (void)ctx;
    return mdm_name_der(X509_get_subject_name(cert->x509));
}

mdm_bytes_t mdm_cert_issuer_der(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    (void)ctx;
    return mdm_name_der(X509_get_issuer_name(cert->x509));
}

const char *mdm_cert_subject(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    return mdm_name_line(ctx, X509_get_subject_name(cert->x509));
}

const char *mdm_cert_common_name(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    return mdm_name_only(ctx, X509_get_subject_name(cert->x509), NID_commonName);
}

const char *mdm_cert_uid(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    return mdm_name_only(ctx, X509_get_subject_name(cert->x509), NID_userId);
}

apr_time_t mdm_cert_not_before(const mdm_cert_t *cert)
{
    return cert->not_before;
}

apr_time_t mdm_cert_not_after(const mdm_cert_t *cert)
{
    return cert->not_after;
}

int mdm_cert_signed_by(const mdm_cert_t *cert, const mdm_cert_t *issuer)
{
    EVP_PKEY *pkey;
    int is;

    ERR_clear_error();
    pkey = X509_get0_pubkey(issuer->x509);
    is = pkey && X509_NAME_cmp(X509_get_issuer_name(cert->x509), X509_get_subject_name(issuer->x509)) == 0
        && X509_verify(cert->x509, pkey) == 1;
    ERR_clear_error();
    return is;
}

int mdm_cert_is_self_signed(const mdm_cert_t *cert)
{
    return mdm_cert_signed_by(cert, cert);
}

int mdm_cert_has_key(const mdm_cert_t *cert, const mdm_key_t *key)
{
    int has;

    ERR_clear_error();
    has = X509_check_private_key(cert->x509, key->pkey) == 1;
    ERR_clear_error();
    return has;
}

int mdm_cert_is_ca(const mdm_cert_t *cert)
{
    uint32_t flags = X509_get_extension_flags(cert->x509);

    ERR_clear_error();
    return !(flags & EXFLAG_INVALID) && (flags & EXFLAG_CA)
        && (X509_get_key_usage(cert->x509) & KU_KEY_CERT_SIGN);
}
