/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenSSL objects inside mdm_pki's opaque types, and the helpers that mdm_pki_*.c, mdm_cms.c and
 * mdm_scep_*.c share. For files of this floor only (and their unit programs); nobody else includes it.
 * OpenSSL's error queue is per thread and shared with mod_ssl: whoever calls OpenSSL clears it before and
 * leaves it empty.
 */
#ifndef MDM_PKI_OSSL_H
#define MDM_PKI_OSSL_H

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "mdm_pki.h"

struct mdm_key_t {
    EVP_PKEY *pkey;
};

struct mdm_cert_t {
    X509 *x509;
    mdm_bytes_t der;
    apr_time_t not_before, not_after;
};

struct mdm_csr_t {
    mdm_bytes_t der;
    struct mdm_csr_asn1_t *asn1;
    X509_NAME *subject;          /* inside asn1 */
    EVP_PKEY *pkey;              /* NULL when it is no RSA key */
};

#define MDM_RSA_MIN_BITS 2048
#define MDM_RSA_MAX_BITS 8192

/** Wrap `pkey`, whose reference passes to ctx->pool. */
mdm_key_t *mdm_key_adopt(mdm_ctx_t *ctx, EVP_PKEY *pkey);

/**
 * Wrap `x509`, whose reference passes to ctx->pool, also on failure. What OpenSSL computes of its extensions
 * it does at first use, under a lock. @return MDM_EINPUT when its times or encoding are unusable
 */
apr_status_t mdm_cert_adopt(mdm_cert_t **cert, mdm_ctx_t *ctx, X509 *x509);

/**
 * Whether the key is plain RSA of 2048 to 8192 bits with a public exponent of at most 33 bits; NULL is not.
 * Leaves the error queue empty, also of what getting the key left there.
 */
int mdm_rsa_fits(const EVP_PKEY *pkey);

/** Read one PKCS#10 that is all of `der`, by its shape alone. @return MDM_EINPUT */
apr_status_t mdm_csr_parse(mdm_csr_t **csr, mdm_ctx_t *ctx, mdm_bytes_t der);

/**
 * Judge what mdm_csr_parse has read, as mdm_csr_from_der does.
 * @param holder a certificate that may hold the same key, which saves work; or NULL
 * @return MDM_EINPUT
 */
apr_status_t mdm_csr_judge(int *weak, mdm_ctx_t *ctx, const mdm_csr_t *csr, const mdm_cert_t *holder);

/** Go into, or over, the element at *at, which must have the tag and a definite length. @return whether */
int mdm_der_step(mdm_bytes_t *at, int tag, int class, int into);

/** SHA-256 of the key's SubjectPublicKeyInfo as lower-case hex. */
const char *mdm_pubkey_sha256(mdm_ctx_t *ctx, X509_PUBKEY *pubkey);

/** The DER of a name, not copied. */
mdm_bytes_t mdm_name_der(const X509_NAME *name);

/** The name as one line, RFC 2253, escaped; an empty text when OpenSSL cannot print it. */
const char *mdm_name_line(mdm_ctx_t *ctx, const X509_NAME *name);

/** The only entry `nid` of the name in UTF-8; NULL when there is none, several, or a NUL inside. */
const char *mdm_name_only(mdm_ctx_t *ctx, const X509_NAME *name, int nid);

/** A character string of any ASN.1 type as UTF-8 in ctx->pool; NULL when it is none or has a NUL inside. */
char *mdm_asn1_text(mdm_ctx_t *ctx, const ASN1_STRING *string);

/** A read-only BIO over the bytes, which must outlive it; NULL when out of memory or over INT_MAX. */
BIO *mdm_bio_of(mdm_bytes_t bytes);

/** Copy what a memory BIO holds into ctx->pool, NUL-terminated beyond its length. */
mdm_bytes_t mdm_bio_bytes(mdm_ctx_t *ctx, BIO *bio);

/** Have the bytes overwritten when ctx->pool goes. */
void mdm_pool_cleanse(mdm_ctx_t *ctx, mdm_bytes_t bytes);

#endif
