/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP messages (RFC 8894): open a request, build the reply. Formats only: who may have a certificate is
 * decided in core/mdm_pkioperation. Any thread.
 */
#ifndef MDM_SCEP_H
#define MDM_SCEP_H

#include "mdm_pki.h"

/* RFC 8894 3.2.1.2 */
typedef enum {
    MDM_SCEP_CERT_REP = 3,
    MDM_SCEP_RENEWAL_REQ = 17,
    MDM_SCEP_PKCS_REQ = 19,
    MDM_SCEP_CERT_POLL = 20,
    MDM_SCEP_GET_CERT = 21,
    MDM_SCEP_GET_CRL = 22
} mdm_scep_message_type_e;

/* RFC 8894 3.2.1.4.5; the values on the wire. */
typedef enum {
    MDM_SCEP_BAD_ALG = 0,
    MDM_SCEP_BAD_MESSAGE_CHECK = 1,
    MDM_SCEP_BAD_REQUEST = 2,
    MDM_SCEP_BAD_TIME = 3,
    MDM_SCEP_BAD_CERT_ID = 4
} mdm_scep_fail_info_e;

/* Whom clients encrypt to, and who signs the replies: a CA, or an RA in its place. */
typedef struct mdm_scep_party_t {
    const mdm_cert_t *cert;
    const mdm_key_t *key;
} mdm_scep_party_t;

/* What old clients may use beyond AES and SHA-2 (MDMSCEPLegacy). */
#define MDM_SCEP_LEGACY_DES  1
#define MDM_SCEP_LEGACY_DES3 2
#define MDM_SCEP_LEGACY_SHA1 4

typedef struct mdm_scep_server_t {
    const mdm_scep_party_t *parties;  /* the present one first; during a roll-over others are good too */
    int count;
    unsigned legacy;                  /* MDM_SCEP_LEGACY_... */
} mdm_scep_server_t;

typedef struct mdm_scep_request_t {
    int message_type;                 /* one of mdm_scep_message_type_e, never CERT_REP */
    const char *transaction_id;       /* 1 to 255 letters, digits, and blank '()+,-./:=?_@*& */
    mdm_bytes_t sender_nonce;         /* 1 to 64 bytes */
    const mdm_cert_t *signer;         /* holds the key that signed the message; the reply is for it */
    const mdm_scep_party_t *party;    /* the one addressed, else the server's first: signs the reply */
    const mdm_csr_t *csr;             /* PKCSReq and RenewalReq, checked by mdm_csr_from_der; else NULL */
    mdm_bytes_t issuer;               /* CertPoll, GetCert, GetCRL: DER of the issuer's name; else empty */
    mdm_bytes_t subject;              /* CertPoll: DER of the subject's name; else empty */
    const char *serial;               /* GetCert, GetCRL: as mdm_cert_serial writes it; else NULL */
    int digest_nid, cipher_nid;       /* of the request; the reply uses no weaker ones */
    const char *sha256;               /* of the whole message, hex: recognises a retry */
} mdm_scep_request_t;

/**
 * Open a pkiMessage of at most 64 kB (BER or DER; RFC 8894 3.2). In this order: parse, one SignerInfo and
 * its certificate in the message (at most 4), transaction id and nonce, digest on the allow-list (SHA-256,
 * SHA-384, SHA-512, and what `server` allows; all else is badAlg), signer key RSA 2048 to 8192 bits,
 * signature over the attributes, attributes present once and well formed, messageType known, envelope with
 * cipher AES-128/192/256-CBC or what `server` allows (else badAlg) and exactly one KeyTransRecipientInfo
 * naming one party by issuer and serial with rsaEncryption; decrypt (one RSA private operation) and parse
 * what the message type carries. All decryption failures look the same.
 * @param request   set as soon as a signed reply can be built (signer, transaction id and nonce are known),
 * also when the result is not success: then it serves mdm_scep_reply_failure only, nothing in it is proven
 * and message_type may be 0. NULL when no CertRep can be built (HTTP 400)
 * @param fail_info set when the result is not success and *request is set
 * @return APR_SUCCESS; MDM_EINPUT, MDM_ECMS otherwise with a sentence
 */
apr_status_t mdm_scep_open(mdm_scep_request_t **request, mdm_scep_fail_info_e *fail_info, mdm_ctx_t *ctx,
                           mdm_bytes_t message, const mdm_scep_server_t *server);

/**
 * CertRep SUCCESS (RFC 8894 3.3.2.1): the issued certificate, alone, encrypted to the request's signer;
 * signed with contentType, messageDigest, messageType, pkiStatus, transactionID, senderNonce,
 * recipientNonce; DER.
 */
apr_status_t mdm_scep_reply_success(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request,
                                    const mdm_cert_t *issued);

/** The same with a CRL (DER) in the crls field, and no certificate (RFC 8894 3.3.4). */
apr_status_t mdm_scep_reply_crl(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request,
                                mdm_bytes_t crl);

/** CertRep PENDING (RFC 8894 3.3.2.3) without content. */
apr_status_t mdm_scep_reply_pending(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request);

/** CertRep FAILURE (RFC 8894 3.3.2.2) without content. @param text failInfoText, no secrets; NULL for none */
apr_status_t mdm_scep_reply_failure(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request,
                                    mdm_scep_fail_info_e fail_info, const char *text);

/** Certificates in a SignedData without content and signers: GetCACert with an RA (RFC 8894 4.2.1.2). */
apr_status_t mdm_scep_certificates(mdm_bytes_t *der, mdm_ctx_t *ctx, const apr_array_header_t *certs);

/** GetNextCACert (RFC 8894 4.7.1): such a SignedData of `next` inside one signed by `party`. */
apr_status_t mdm_scep_next_ca(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_cert_t *next,
                              const mdm_scep_party_t *party);

/**
 * The base64 text of a GET PKIOperation's message parameter, already percent-decoded; blanks stand for plus
 * signs and line breaks are passed over (Apple and others send it raw).
 * @return MDM_EINPUT
 */
apr_status_t mdm_scep_message_from_text(mdm_bytes_t *message, mdm_ctx_t *ctx, const char *text);

#endif
