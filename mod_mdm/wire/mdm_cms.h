/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMS (RFC 5652) as MDM needs it: signed profiles, and the Mdm-Signature header. SCEP's messages are in
 * mdm_scep. Uses OpenSSL's CMS_ functions only. Any thread.
 */
#ifndef MDM_CMS_H
#define MDM_CMS_H

#include "mdm_pki.h"

/**
 * Sign `content` as SignedData with the content inside, DER, SHA-256, contentType, messageDigest and
 * signingTime attributes, signer certificate included.
 * @param chain array of mdm_cert_t * to include as well, or NULL
 * @return MDM_ECRYPTO
 */
apr_status_t mdm_cms_sign(mdm_bytes_t *der, mdm_ctx_t *ctx, mdm_bytes_t content, const mdm_cert_t *cert,
                          const mdm_key_t *key, const apr_array_header_t *chain);

/* What a signature that holds says. Whether it is good enough is the caller's to judge. */
typedef struct mdm_cms_signature_t {
    mdm_cert_t *signer;        /* its certificate, which is proven to hold the key that signed, and nothing more */
    int sha1;                  /* the digest is SHA-1 */
    apr_time_t signed_at;      /* signingTime, the signer's own word; 0: it does not say */
} mdm_cms_signature_t;

/**
 * Check a detached SignedData over exactly `content`. Whether the signer is one of ours is the caller's next
 * question. Exactly one SignerInfo, RSA or ECDSA (P-256, P-384, P-521), digest SHA-1, SHA-256, SHA-384 or SHA-512; a
 * signingTime is a time.
 * @return MDM_EINPUT when it is not such a SignedData, MDM_ECMS when the signature does not hold
 */
apr_status_t mdm_cms_verify_detached(mdm_cms_signature_t *signature, mdm_ctx_t *ctx, mdm_bytes_t der,
                                     mdm_bytes_t content);

/**
 * Check a SignedData that carries its content (BER or DER, at most 64 kB), as mdm_cms_verify_detached does;
 * but the signer's key is RSA, from 1024 bits on, as in the identities that Apple builds into devices.
 * @param content what was signed
 * @param certs   array of mdm_cert_t *: all certificates in it (at most 8), the signer's too
 */
apr_status_t mdm_cms_verify_attached(mdm_bytes_t *content, mdm_cert_t **signer, apr_array_header_t **certs,
                                     mdm_ctx_t *ctx, mdm_bytes_t der);

/**
 * The content of a SignedData of any size, taken on trust: nothing is verified.
 * @return MDM_EINPUT when it is none
 */
apr_status_t mdm_cms_content(mdm_bytes_t *content, mdm_ctx_t *ctx, mdm_bytes_t der);

typedef enum {
    MDM_CIPHER_UNSET = 0,
    MDM_CIPHER_AES_256_CBC,
    MDM_CIPHER_DES3_CBC
} mdm_cipher_e;

/** Whether mdm_cms_encrypt can encrypt to this certificate: those of elliptic curves only sign. */
int mdm_cms_may_receive(const mdm_cert_t *cert);

/**
 * Encrypt `content` to one certificate as EnvelopedData, DER, naming it by issuer and serial.
 * @return MDM_EINPUT when its key is not RSA of 2048 to 8192 bits, MDM_ECRYPTO
 */
apr_status_t mdm_cms_encrypt(mdm_bytes_t *der, mdm_ctx_t *ctx, mdm_bytes_t content,
                             const mdm_cert_t *recipient, mdm_cipher_e cipher);

#endif
