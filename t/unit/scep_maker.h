/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A SCEP client's side of the message format, right and wrong, built on OpenSSL alone: for
 * t/unit/test_scep.c and t/fuzz/fuzz_scep.c. Shares no code with mod_mdm. Memory is OpenSSL's; failures
 * abort.
 */
#ifndef SCEP_MAKER_H
#define SCEP_MAKER_H

#include <stddef.h>

#include <openssl/cms.h>

typedef struct {
    unsigned char *data;
    size_t len;
} maker_bytes_t;

/* What to do differently from a well-behaved client; bits. */
enum {
    MAKER_BER = 1,               /* indefinite lengths, octet strings in chunks */
    MAKER_KEY_ID = 2,            /* name the signer by subjectKeyIdentifier */
    MAKER_NO_CERT = 4,           /* leave the signer's certificate out */
    MAKER_TWO_SIGNERS = 8,
    MAKER_NO_CONTENT = 16,
    MAKER_NO_RECIPIENT = 32,
    MAKER_TWO_RECIPIENTS = 64,
    MAKER_RECIPIENT_KEY_ID = 128,
    MAKER_PASSWORD_RECIPIENT = 256,
    MAKER_NO_ATTRIBUTES = 512,
    MAKER_DOUBLE_TRANSACTION = 1024,
    MAKER_DOUBLE_TYPE = 2048,
    MAKER_INNER_DATA = 4096,     /* the content is not an envelope but the bare request */
    MAKER_AUTH_ENVELOPE = 8192,  /* AuthEnvelopedData, AES-GCM */
    MAKER_OAEP = 16384
};

typedef struct {
    X509 *signer, *recipient, *second; /* second: another certificate, or the second signer or recipient */
    EVP_PKEY *key, *second_key;
    const EVP_MD *digest;              /* NULL: SHA-256 */
    const EVP_CIPHER *cipher;          /* NULL: AES-128-CBC */
    const char *message_type;          /* NULL: not sent */
    const char *transaction_id;        /* NULL: not sent */
    int transaction_id_type, transaction_id_len; /* 0: PrintableString; strlen */
    const char *nonce;                 /* NULL: not sent */
    int nonce_len;
    maker_bytes_t content;             /* what goes into the envelope */
    maker_bytes_t envelope;            /* instead of an envelope around content, when it has bytes */
    int extra_certs;                   /* copies of `second` with other serials */
    unsigned int how;
} maker_t;

/** A key and a self-signed certificate for it, valid for a day; `offset` seconds from now. */
EVP_PKEY *maker_key(int bits);
X509 *maker_cert(EVP_PKEY *key, const char *common_name, long offset);

/** A DER PKCS#10 with the challenge (NULL: none), signed with `digest`. */
maker_bytes_t maker_csr(EVP_PKEY *key, const char *common_name, const char *challenge, const EVP_MD *digest);

/** IssuerAndSubject for CertPoll, IssuerAndSerialNumber for GetCert and GetCRL. */
maker_bytes_t maker_poll(const X509_NAME *issuer, const X509_NAME *subject);
maker_bytes_t maker_number(const X509_NAME *issuer, const ASN1_INTEGER *serial);

/** The whole message. */
maker_bytes_t maker_message(const maker_t *maker);

#endif
