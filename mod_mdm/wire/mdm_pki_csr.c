/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certification requests (PKCS#10, RFC 2986): reading hostile ones, and what they say. Called by
 * wire/mdm_scep_open.c and core, any thread. Looks at key, subject and challenge only; the extensions a
 * request asks for are never read.
 */
#include <string.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>

#include "mdm_pki_ossl.h"

#define CSR_MAX_BYTES (16 * 1024)
#define SUBJECT_MAX_RDNS 20
#define SUBJECT_MAX_CHARACTERS 256
#define CHALLENGE_MAX_BYTES 256

static apr_status_t free_req(void *baton)
{
    X509_REQ_free(baton);
    return APR_SUCCESS;
}

/* SHA-1 is good enough to prove possession of the key, and old devices use it. */
static int algorithm_is_fit(const X509_REQ *req)
{
    int digest = NID_undef, key = NID_undef;

    if (!OBJ_find_sigid_algs(X509_REQ_get_signature_nid(req), &digest, &key) || key != NID_rsaEncryption)
        return 0;
    return digest == NID_sha1 || digest == NID_sha224 || digest == NID_sha256 || digest == NID_sha384
        || digest == NID_sha512;
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

/* Cheap checks first: the signature is only computed with a key of sane size. */
static apr_status_t check_request(mdm_ctx_t *ctx, X509_REQ *req, int *weak)
{
    EVP_PKEY *pkey = X509_REQ_get0_pubkey(req);
    apr_status_t rv;
    int holds;

    if (X509_REQ_get_version(req) != X509_REQ_VERSION_1)
        return mdm_fail(ctx, MDM_EINPUT, "the certification request is not of version 1");
    if (!mdm_rsa_fits(pkey))
        return mdm_fail(ctx, MDM_EINPUT, "the certification request is not for an RSA key of %d to %d bits",
                        MDM_RSA_MIN_BITS, MDM_RSA_MAX_BITS);
    if (!algorithm_is_fit(req)) {
        *weak = 1;
        return mdm_fail(ctx, MDM_EINPUT, "the certification request is not signed by RSA with SHA-1 or -2");
    }
    rv = check_subject(ctx, X509_REQ_get_subject_name(req));
    if (rv != APR_SUCCESS)
        return rv;
    holds = X509_REQ_verify(req, pkey) == 1;
    if (!holds)
        return mdm_fail(ctx, MDM_EINPUT, "the certification request's own signature is wrong");
    return APR_SUCCESS;
}

X509_REQ *mdm_csr_parse(mdm_bytes_t der)
{
    const unsigned char *end = der.data;
    X509_REQ *req = NULL;

    ERR_clear_error();
    if (der.len && der.len <= CSR_MAX_BYTES)
        req = d2i_X509_REQ(NULL, &end, (long)der.len);
    if (req && end != der.data + der.len) {
        X509_REQ_free(req);
        req = NULL;
    }
    ERR_clear_error();
    return req;
}

apr_status_t mdm_csr_adopt(mdm_csr_t **csr, int *weak, mdm_ctx_t *ctx, X509_REQ *req)
{
    mdm_csr_t *made = apr_pcalloc(ctx->pool, sizeof(*made));
    apr_status_t rv;

    *weak = 0;
    made->req = req;
    apr_pool_cleanup_register(ctx->pool, req, free_req, apr_pool_cleanup_null);
    ERR_clear_error();
    rv = check_request(ctx, req, weak);
    ERR_clear_error();
    if (rv == APR_SUCCESS)
        *csr = made;
    return rv;
}

apr_status_t mdm_csr_from_der(mdm_csr_t **csr, int *weak, mdm_ctx_t *ctx, mdm_bytes_t der)
{
    X509_REQ *req;

    *weak = 0;
    if (der.len > CSR_MAX_BYTES)
        return mdm_fail(ctx, MDM_EINPUT, "the certification request is over %d bytes", CSR_MAX_BYTES);
    req = mdm_csr_parse(der);
    if (!req)
        return mdm_fail(ctx, MDM_EINPUT, "not a DER certification request");
    return mdm_csr_adopt(csr, weak, ctx, req);
}

apr_status_t mdm_csr_to_pem(const char **pem, mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int ok;

    ERR_clear_error();
    ok = bio && PEM_write_bio_X509_REQ(bio, csr->req);
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

const char *mdm_csr_key_sha256(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    return mdm_pubkey_sha256(ctx, X509_REQ_get_X509_PUBKEY(csr->req));
}

mdm_bytes_t mdm_csr_subject_der(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    (void)ctx;
    return mdm_name_der(X509_REQ_get_subject_name(csr->req));
}

const char *mdm_csr_challenge(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    int at = X509_REQ_get_attr_by_NID(csr->req, NID_pkcs9_challengePassword, -1);
    X509_ATTRIBUTE *attribute;
    ASN1_TYPE *value;
    char *text;

    if (at < 0 || X509_REQ_get_attr_by_NID(csr->req, NID_pkcs9_challengePassword, at) >= 0)
        return NULL;
    attribute = X509_REQ_get_attr(csr->req, at);
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
    return mdm_name_only(ctx, X509_REQ_get_subject_name(csr->req), NID_commonName);
}

const char *mdm_csr_subject(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    return mdm_name_line(ctx, X509_REQ_get_subject_name(csr->req));
}

int mdm_csr_same_key(const mdm_csr_t *csr, const mdm_cert_t *cert)
{
    EVP_PKEY *theirs = X509_get0_pubkey(cert->x509);
    int same;

    ERR_clear_error();
    same = theirs && EVP_PKEY_eq(X509_REQ_get0_pubkey(csr->req), theirs) == 1;
    ERR_clear_error();
    return same;
}

int mdm_csr_same_subject(const mdm_csr_t *csr, const mdm_cert_t *cert)
{
    mdm_bytes_t a = mdm_name_der(X509_REQ_get_subject_name(csr->req));
    mdm_bytes_t b = mdm_name_der(X509_get_subject_name(cert->x509));

    return a.len && a.len == b.len && !memcmp(a.data, b.data, a.len);
}
