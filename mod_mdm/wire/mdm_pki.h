/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, certificates and certification requests (RFC 5280, RFC 2986) over OpenSSL. The objects are opaque and
 * freed with the pool that was current when they were made (ctx->pool). They are read-only after their making
 * and may then be shared by threads.
 */
#ifndef MDM_PKI_H
#define MDM_PKI_H

#include <apr_tables.h>

#include "mdm_bytes.h"
#include "mdm_ctx.h"

typedef struct mdm_key_t mdm_key_t;      /* a private key */
typedef struct mdm_cert_t mdm_cert_t;    /* an X.509 certificate */
typedef struct mdm_csr_t mdm_csr_t;      /* a PKCS#10 request */

#define MDM_SERIAL_HEX_LEN 32            /* our serials are 128 bits */

/** Make an RSA key of `bits` (2048 or more). @return MDM_ECRYPTO */
apr_status_t mdm_key_generate(mdm_key_t **key, mdm_ctx_t *ctx, int bits);

/** Read an unencrypted PEM private key out of `pem` (other PEM blocks are passed over). @return MDM_EINPUT */
apr_status_t mdm_key_from_pem(mdm_key_t **key, mdm_ctx_t *ctx, mdm_bytes_t pem);

/** PKCS#8 PEM, not encrypted, cleansed with ctx->pool: for sealing and for files of mode 0600. */
apr_status_t mdm_key_to_pem(mdm_bytes_t *pem, mdm_ctx_t *ctx, const mdm_key_t *key);

/** The first certificate in `pem`. @return MDM_EINPUT when there is none or it is malformed */
apr_status_t mdm_cert_from_pem(mdm_cert_t **cert, mdm_ctx_t *ctx, mdm_bytes_t pem);

/** All certificates in `pem`, in order. @param certs array of mdm_cert_t *; @return MDM_EINPUT when none */
apr_status_t mdm_certs_from_pem(apr_array_header_t **certs, mdm_ctx_t *ctx, mdm_bytes_t pem);

apr_status_t mdm_cert_from_der(mdm_cert_t **cert, mdm_ctx_t *ctx, mdm_bytes_t der);
apr_status_t mdm_cert_to_der(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_cert_t *cert);
apr_status_t mdm_cert_to_pem(const char **pem, mdm_ctx_t *ctx, const mdm_cert_t *cert);

/** Serial number as lower-case hex, without sign or leading zero octets beyond one pair. */
const char *mdm_cert_serial(mdm_ctx_t *ctx, const mdm_cert_t *cert);

/** SHA-256 of the DER as lower-case hex: the name under which the store knows a certificate. */
const char *mdm_cert_fingerprint(mdm_ctx_t *ctx, const mdm_cert_t *cert);

/** SHA-256 of the SubjectPublicKeyInfo (DER) as lower-case hex. */
const char *mdm_cert_key_sha256(mdm_ctx_t *ctx, const mdm_cert_t *cert);

/** SHA-1 of the DER, 20 bytes: what Apple's SCEP payload calls CAFingerprint. */
mdm_bytes_t mdm_cert_sha1(mdm_ctx_t *ctx, const mdm_cert_t *cert);

/** DER of the subject's name, of the issuer's name; the bytes live as long as the certificate. */
mdm_bytes_t mdm_cert_subject_der(mdm_ctx_t *ctx, const mdm_cert_t *cert);
mdm_bytes_t mdm_cert_issuer_der(mdm_ctx_t *ctx, const mdm_cert_t *cert);

/** Subject as one line, RFC 2253, escaped for display; multi-byte kept as UTF-8. */
const char *mdm_cert_subject(mdm_ctx_t *ctx, const mdm_cert_t *cert);

/** The only commonName of the subject, UTF-8; NULL when there is none, several, or a NUL inside. */
const char *mdm_cert_common_name(mdm_ctx_t *ctx, const mdm_cert_t *cert);

/** The UID (0.9.2342.19200300.100.1.1) of the subject: the topic of a push certificate; NULL when absent. */
const char *mdm_cert_uid(mdm_ctx_t *ctx, const mdm_cert_t *cert);

apr_time_t mdm_cert_not_before(const mdm_cert_t *cert);
apr_time_t mdm_cert_not_after(const mdm_cert_t *cert);

/** Whether issuer and subject are the same name and the signature is its own. */
int mdm_cert_is_self_signed(const mdm_cert_t *cert);

/**
 * Whether `issuer` signed `cert`: its subject is the certificate's issuer and the signature is of its key.
 * Neither times nor extensions nor the strength of key and digest are judged.
 */
int mdm_cert_signed_by(const mdm_cert_t *cert, const mdm_cert_t *issuer);

/** Whether `key` is the private key of `cert`. */
int mdm_cert_has_key(const mdm_cert_t *cert, const mdm_key_t *key);

/** Whether the certificate may sign others: basicConstraints CA, and keyCertSign where keyUsage is given. */
int mdm_cert_is_ca(const mdm_cert_t *cert);

/**
 * Make a self-signed CA certificate that is its own SCEP recipient: RSA, SHA-256, basicConstraints CA
 * pathlen 0, keyUsage keyCertSign cRLSign digitalSignature keyEncipherment, SKI, random serial (RFC 8894
 * 2.1.2).
 * @param not_before 0: ten minutes ago, for clocks that differ
 * @param organization O of the subject, or NULL; @param common_name CN
 * @return MDM_EINPUT when a name is empty, over 64 characters or not UTF-8; MDM_ECRYPTO
 */
apr_status_t mdm_cert_make_ca(mdm_cert_t **cert, mdm_ctx_t *ctx, const mdm_key_t *key,
                              const char *organization, const char *common_name,
                              apr_time_t not_before, apr_interval_time_t lifetime);

/** What an identity certificate shall be; everything not named here is fixed by mdm_cert_issue. */
typedef struct mdm_issue_t {
    const mdm_csr_t *csr;            /* gives the key and the subject (bytes unchanged) */
    const mdm_cert_t *ca;
    const mdm_key_t *ca_key;
    apr_time_t not_before, not_after; /* not_after is cut to the CA's own */
    const char *crl_url, *ocsp_url;  /* cRLDistributionPoints, authorityInfoAccess; ASCII; NULL: left out */
} mdm_issue_t;

/**
 * Issue a client identity: v3, SHA-256, CA:FALSE critical, keyUsage digitalSignature + keyEncipherment
 * critical, EKU clientAuth, SKI, AKI, random positive serial of 16 octets. No extension is taken from the
 * request.
 * @return MDM_EINPUT when the times leave nothing, MDM_ECONFIG when the CA is out of date, no CA, or its key
 * is another's, MDM_ECRYPTO
 */
apr_status_t mdm_cert_issue(mdm_cert_t **cert, mdm_ctx_t *ctx, const mdm_issue_t *how);

/**
 * Read a DER PKCS#10 of at most 16 kB and check it: RSA 2048 to 8192 bits, own signature good, not by MD5
 * or weaker, subject of at most 20 RDNs of at most 256 characters each, no NUL inside.
 * Control characters in names are refused like NUL.
 * @return MDM_EINPUT; *weak is set to 1 when it is the signature algorithm that is not allowed (SCEP badAlg;
 * a key of another size or kind is a badRequest)
 */
apr_status_t mdm_csr_from_der(mdm_csr_t **csr, int *weak, mdm_ctx_t *ctx, mdm_bytes_t der);

/** Keep a request, and read it again as mdm_csr_from_der does. @return MDM_EINPUT, MDM_ECRYPTO */
apr_status_t mdm_csr_to_pem(const char **pem, mdm_ctx_t *ctx, const mdm_csr_t *csr);
apr_status_t mdm_csr_from_pem(mdm_csr_t **csr, mdm_ctx_t *ctx, mdm_bytes_t pem);

/** As mdm_cert_key_sha256 and mdm_cert_subject_der. */
const char *mdm_csr_key_sha256(mdm_ctx_t *ctx, const mdm_csr_t *csr);
mdm_bytes_t mdm_csr_subject_der(mdm_ctx_t *ctx, const mdm_csr_t *csr);

/**
 * The only challengePassword (1.2.840.113549.1.9.7), UTF-8; NULL when absent, doubled, over 256 bytes or
 * with a NUL.
 */
const char *mdm_csr_challenge(mdm_ctx_t *ctx, const mdm_csr_t *csr);

/** As mdm_cert_common_name and mdm_cert_subject. */
const char *mdm_csr_common_name(mdm_ctx_t *ctx, const mdm_csr_t *csr);
const char *mdm_csr_subject(mdm_ctx_t *ctx, const mdm_csr_t *csr);

/**
 * Whether request and certificate hold the same public key; whether they hold the same subject, byte for
 * byte.
 */
int mdm_csr_same_key(const mdm_csr_t *csr, const mdm_cert_t *cert);
int mdm_csr_same_subject(const mdm_csr_t *csr, const mdm_cert_t *cert);

#endif
