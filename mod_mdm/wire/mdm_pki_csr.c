/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certification requests (PKCS#10, RFC 2986): reading hostile ones, and what they say. Called by
 * wire/mdm_scep_content.c and core, any thread. Looks at key, subject and challenge only; the extensions a
 * request asks for are never read. OpenSSL's own X509_REQ is not used: it searches all its decoders for the
 * key at each parsing and each copy, which together would cost more than signing a certificate.
 */
#include <string.h>

#include <apr_strings.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>

#include "mdm_pki_ossl.h"

#define CSR_MAX_BYTES (16 * 1024)
#define SUBJECT_MAX_RDNS 20
#define SUBJECT_MAX_CHARACTERS 256
#define CHALLENGE_MAX_BYTES 256

typedef struct {
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *key;
} spki_t;

typedef struct {
    ASN1_INTEGER *version;
    X509_NAME *subject;
    spki_t *spki;
    STACK_OF(X509_ATTRIBUTE) *attributes;
} csr_info_t;

typedef struct mdm_csr_asn1_t {
    csr_info_t *info;
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *signature;
} csr_asn1_t;

ASN1_SEQUENCE(spki_t) = {
    ASN1_SIMPLE(spki_t, algorithm, X509_ALGOR),
    ASN1_SIMPLE(spki_t, key, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(spki_t)

ASN1_SEQUENCE(csr_info_t) = {
    ASN1_SIMPLE(csr_info_t, version, ASN1_INTEGER),
    ASN1_SIMPLE(csr_info_t, subject, X509_NAME),
    ASN1_SIMPLE(csr_info_t, spki, spki_t),
    ASN1_IMP_SET_OF_OPT(csr_info_t, attributes, X509_ATTRIBUTE, 0),
} static_ASN1_SEQUENCE_END(csr_info_t)

ASN1_SEQUENCE(csr_asn1_t) = {
    ASN1_SIMPLE(csr_asn1_t, info, csr_info_t),
    ASN1_SIMPLE(csr_asn1_t, algorithm, X509_ALGOR),
    ASN1_SIMPLE(csr_asn1_t, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(csr_asn1_t)

static apr_status_t free_asn1(void *baton)
{
    ASN1_item_free(baton, ASN1_ITEM_rptr(csr_asn1_t));
    return APR_SUCCESS;
}

static apr_status_t free_pkey(void *baton)
{
    EVP_PKEY_free(baton);
    return APR_SUCCESS;
}

/* The RSA key; NULL when it is of another kind or malformed. */
static EVP_PKEY *read_key(const spki_t *spki)
{
    const unsigned char *at = ASN1_STRING_get0_data(spki->key), *end = at + ASN1_STRING_length(spki->key);
    EVP_PKEY *pkey = NULL;

    if (OBJ_obj2nid(spki->algorithm->algorithm) == NID_rsaEncryption)
        pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)(end - at));
    if (pkey && at != end) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    ERR_clear_error();
    return pkey;
}

/* SHA-1 is good enough to prove possession of the key, and old devices use it. */
static const EVP_MD *signature_digest(const csr_asn1_t *asn1)
{
    int signature = OBJ_obj2nid(asn1->algorithm->algorithm), digest = NID_undef, key = NID_undef;

    if (!OBJ_find_sigid_algs(signature, &digest, &key) || key != NID_rsaEncryption)
        return NULL;
    if (digest != NID_sha1 && digest != NID_sha224 && digest != NID_sha256 && digest != NID_sha384
        && digest != NID_sha512)
        return NULL;
    return EVP_get_digestbynid(digest);
}

/* The signature is over the bytes of the first part as they came. */
static int signature_holds(const mdm_csr_t *csr, EVP_PKEY *pkey, const EVP_MD *digest)
{
    const ASN1_BIT_STRING *signature = csr->asn1->signature;
    mdm_bytes_t first = csr->der, rest;
    EVP_MD_CTX *md;
    int holds;

    if (!mdm_der_step(&first, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, 1))
        return 0;
    rest = first;
    if (!mdm_der_step(&rest, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, 0) || (signature->flags & 0x07))
        return 0;
    md = EVP_MD_CTX_new();
    holds = md && EVP_DigestVerifyInit(md, NULL, digest, NULL, pkey) == 1
        && EVP_DigestVerify(md, ASN1_STRING_get0_data(signature), (size_t)ASN1_STRING_length(signature),
                            first.data, (size_t)(rest.data - first.data)) == 1;
    EVP_MD_CTX_free(md);
    return holds;
}

/* Characters of a UTF-8 text; -1 when a control character is among them. */
static int count_characters(const char *text)
{
    int n = 0;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == 0x7f)
            return -1;
        if ((c & 0xc0) != 0x80)
            n++;
    }
    return n;
}

static apr_status_t check_subject(mdm_ctx_t *ctx, const X509_NAME *name)
{
    int n = X509_NAME_entry_count(name), i;

    if (n < 1)
        return mdm_fail(ctx, MDM_EINPUT, "the certification request has no subject");
    if (n > SUBJECT_MAX_RDNS)
        return mdm_fail(ctx, MDM_EINPUT, "the requested subject has %d names, over %d", n, SUBJECT_MAX_RDNS);
    for (i = 0; i < n; i++) {
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
        const char *text = mdm_asn1_text(ctx, value);
        int length = text ? count_characters(text) : -1;

        if (length < 0)
            return mdm_fail(ctx, MDM_EINPUT, "name %d of the requested subject is not clean text", i + 1);
        if (length > SUBJECT_MAX_CHARACTERS)
            return mdm_fail(ctx, MDM_EINPUT, "name %d of the requested subject has over %d characters", i + 1,
                            SUBJECT_MAX_CHARACTERS);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_csr_parse(mdm_csr_t **csr, mdm_ctx_t *ctx, mdm_bytes_t der)
{
    const unsigned char *end = der.data;
    csr_asn1_t *asn1 = NULL;
    mdm_csr_t *made;

    if (der.len > CSR_MAX_BYTES)
        return mdm_fail(ctx, MDM_EINPUT, "the certification request is over %d bytes", CSR_MAX_BYTES);
    ERR_clear_error();
    if (der.len)
        asn1 = (csr_asn1_t *)ASN1_item_d2i(NULL, &end, (long)der.len, ASN1_ITEM_rptr(csr_asn1_t));
    ERR_clear_error();
    if (asn1)
        apr_pool_cleanup_register(ctx->pool, asn1, free_asn1, apr_pool_cleanup_null);
    if (!asn1 || end != der.data + der.len)
        return mdm_fail(ctx, MDM_EINPUT, "not a DER certification request");
    made = apr_pcalloc(ctx->pool, sizeof(*made));
    made->asn1 = asn1;
    made->der.data = apr_pmemdup(ctx->pool, der.data, der.len);
    made->der.len = der.len;
    mdm_pool_cleanse(ctx, made->der);
    made->subject = asn1->info->subject;
    made->pkey = read_key(asn1->info->spki);
    if (made->pkey)
        apr_pool_cleanup_register(ctx->pool, made->pkey, free_pkey, apr_pool_cleanup_null);
    *csr = made;
    return APR_SUCCESS;
}

/* The key to check with: the same one out of the certificate, where OpenSSL has made it ready already. */
static EVP_PKEY *ready_key(const mdm_csr_t *csr, const mdm_cert_t *holder)
{
    EVP_PKEY *theirs = holder ? X509_get0_pubkey(holder->x509) : NULL;

    if (theirs && EVP_PKEY_get_base_id(theirs) == EVP_PKEY_RSA
        && !ASN1_STRING_cmp(csr->asn1->info->spki->key, X509_get0_pubkey_bitstr(holder->x509)))
        return theirs;
    return csr->pkey;
}

/* Cheap checks first: the signature is only computed with a key of sane size. */
apr_status_t mdm_csr_judge(int *weak, mdm_ctx_t *ctx, const mdm_csr_t *csr, const mdm_cert_t *holder)
{
    const ASN1_INTEGER *version = csr->asn1->info->version;
    const EVP_MD *digest = signature_digest(csr->asn1);
    apr_status_t rv;
    int holds;

    *weak = 0;
    if (ASN1_INTEGER_get(version) != X509_REQ_VERSION_1)
        return mdm_fail(ctx, MDM_EINPUT, "the certification request is not of version 1");
    if (!mdm_rsa_fits(csr->pkey))
        return mdm_fail(ctx, MDM_EINPUT, "the certification request is not for an RSA key of %d to %d bits",
                        MDM_RSA_MIN_BITS, MDM_RSA_MAX_BITS);
    if (!digest) {
        *weak = 1;
        return mdm_fail(ctx, MDM_EINPUT, "the certification request is not signed by RSA with SHA-1 or -2");
    }
    rv = check_subject(ctx, csr->subject);
    if (rv != APR_SUCCESS)
        return rv;
    ERR_clear_error();
    holds = signature_holds(csr, ready_key(csr, holder), digest);
    ERR_clear_error();
    if (!holds)
        return mdm_fail(ctx, MDM_EINPUT, "the certification request's own signature is wrong");
    return APR_SUCCESS;
}

apr_status_t mdm_csr_from_der(mdm_csr_t **csr, int *weak, mdm_ctx_t *ctx, mdm_bytes_t der)
{
    mdm_csr_t *made;
    apr_status_t rv = mdm_csr_parse(&made, ctx, der);

    *weak = 0;
    if (rv == APR_SUCCESS)
        rv = mdm_csr_judge(weak, ctx, made, NULL);
    if (rv == APR_SUCCESS)
        *csr = made;
    return rv;
}

apr_status_t mdm_csr_to_pem(const char **pem, mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int ok;

    ERR_clear_error();
    ok = bio && PEM_write_bio(bio, PEM_STRING_X509_REQ, "", csr->der.data, (long)csr->der.len) > 0;
    ERR_clear_error();
    if (ok)
        *pem = (const char *)mdm_bio_bytes(ctx, bio).data;
    BIO_free(bio);
    return ok ? APR_SUCCESS : mdm_fail(ctx, MDM_ECRYPTO, "writing a certification request as PEM failed");
}

apr_status_t mdm_csr_from_pem(mdm_csr_t **csr, mdm_ctx_t *ctx, mdm_bytes_t pem)
{
    BIO *bio = mdm_bio_of(pem);
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    mdm_bytes_t der = { NULL, 0 };
    int is_csr, weak;
    long len = 0;

    ERR_clear_error();
    is_csr = bio && PEM_read_bio(bio, &name, &header, &data, &len)
        && (!strcmp(name, PEM_STRING_X509_REQ) || !strcmp(name, PEM_STRING_X509_REQ_OLD));
    if (is_csr) {
        der.data = (const unsigned char *)apr_pstrmemdup(ctx->pool, (const char *)data, (apr_size_t)len);
        der.len = (apr_size_t)len;
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    BIO_free(bio);
    ERR_clear_error();
    if (!is_csr)
        return mdm_fail(ctx, MDM_EINPUT, "no certification request in the PEM text");
    return mdm_csr_from_der(csr, &weak, ctx, der);
}

/* As the certificate will hold the key, which may differ from how the request spells it. */
const char *mdm_csr_key_sha256(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    unsigned char *data = NULL;
    mdm_bytes_t der;
    const char *hex;
    int len;

    ERR_clear_error();
    len = i2d_PUBKEY(csr->pkey, &data);
    ERR_clear_error();
    der.data = data;
    der.len = len > 0 ? (apr_size_t)len : 0;
    hex = mdm_sha256_hex(der, ctx->pool);
    OPENSSL_free(data);
    return hex;
}

mdm_bytes_t mdm_csr_subject_der(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    (void)ctx;
    return mdm_name_der(csr->subject);
}

const char *mdm_csr_challenge(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    const STACK_OF(X509_ATTRIBUTE) *attributes = csr->asn1->info->attributes;
    int at = attributes ? X509at_get_attr_by_NID(attributes, NID_pkcs9_challengePassword, -1) : -1;
    X509_ATTRIBUTE *attribute;
    ASN1_TYPE *value;
    char *text;

    if (at < 0 || X509at_get_attr_by_NID(attributes, NID_pkcs9_challengePassword, at) >= 0)
        return NULL;
    attribute = X509at_get_attr(attributes, at);
    if (X509_ATTRIBUTE_count(attribute) != 1)
        return NULL;
    value = X509_ATTRIBUTE_get0_type(attribute, 0);
    if (!value || !ASN1_TYPE_get(value) || ASN1_TYPE_get(value) == V_ASN1_BOOLEAN
        || ASN1_TYPE_get(value) == V_ASN1_NULL || ASN1_TYPE_get(value) == V_ASN1_OBJECT)
        return NULL;
    text = mdm_asn1_text(ctx, value->value.asn1_string);
    if (!text)
        return NULL;
    mdm_pool_cleanse(ctx, mdm_bytes_of(text));
    return strlen(text) <= CHALLENGE_MAX_BYTES ? text : NULL;
}

const char *mdm_csr_common_name(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    return mdm_name_only(ctx, csr->subject, NID_commonName);
}

const char *mdm_csr_subject(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    return mdm_name_line(ctx, csr->subject);
}

int mdm_csr_same_key(const mdm_csr_t *csr, const mdm_cert_t *cert)
{
    const ASN1_BIT_STRING *mine = csr->asn1->info->spki->key, *other = X509_get0_pubkey_bitstr(cert->x509);
    EVP_PKEY *theirs;
    int same;

    ERR_clear_error();
    theirs = X509_get0_pubkey(cert->x509);
    same = theirs && EVP_PKEY_get_base_id(theirs) == EVP_PKEY_RSA
        && (!ASN1_STRING_cmp(mine, other) || EVP_PKEY_eq(csr->pkey, theirs) == 1);
    ERR_clear_error();
    return same;
}

int mdm_csr_same_subject(const mdm_csr_t *csr, const mdm_cert_t *cert)
{
    mdm_bytes_t a = mdm_name_der(csr->subject);
    mdm_bytes_t b = mdm_name_der(X509_get_subject_name(cert->x509));

    return a.len && a.len == b.len && !memcmp(a.data, b.data, a.len);
}
