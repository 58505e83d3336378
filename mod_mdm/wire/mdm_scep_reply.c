/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building SCEP replies (CertRep, RFC 8894 3.3.2). Called by core in any thread, once a request; one RSA
 * private operation each. Always DER, always signed by the CA or RA addressed; the signatureAlgorithm is
 * rsaEncryption, which old clients insist on and new ones take.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "mdm_cms.h"
#include "mdm_legacy.h"
#include "mdm_scep_oid.h"
#include "mdm_scep_ossl.h"

#define NONCE_BYTES 16

/* RFC 8894 3.2.1.3 */
#define STATUS_SUCCESS "0"
#define STATUS_FAILURE "2"
#define STATUS_PENDING "3"

/* What tells one reply from another. */
typedef struct {
    mdm_bytes_t content;         /* the envelope; no bytes unless it is a success */
    const char *status;
    const char *fail_info;       /* NULL unless it is a failure */
    const char *fail_info_text;  /* may be NULL */
} reply_t;

static const EVP_MD *digest_for(const mdm_scep_request_t *request)
{
    switch (request->digest_nid) {
    case NID_sha512:
        return EVP_sha512();
    case NID_sha384:
        return EVP_sha384();
    case NID_sha1:
        return EVP_sha1();
    default:
        return EVP_sha256();
    }
}

static const EVP_CIPHER *cipher_for(const mdm_scep_request_t *request)
{
    switch (request->cipher_nid) {
    case NID_aes_256_cbc:
        return EVP_aes_256_cbc();
    case NID_aes_192_cbc:
        return EVP_aes_192_cbc();
    case NID_des_ede3_cbc:
        return EVP_des_ede3_cbc();
    default:
        return EVP_aes_128_cbc();
    }
}

static int add_bytes(CMS_SignerInfo *signer_info, const char *oid, int type, mdm_bytes_t value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int ok = object && CMS_signed_add1_attr_by_OBJ(signer_info, object, type, value.data, (int)value.len);

    ASN1_OBJECT_free(object);
    return ok;
}

static int add_text(CMS_SignerInfo *signer_info, const char *oid, int type, const char *value)
{
    return !value || add_bytes(signer_info, oid, type, mdm_bytes_of(value));
}

static int add_attributes(CMS_SignerInfo *signer_info, const mdm_scep_request_t *request,
                          const reply_t *reply)
{
    unsigned char data[NONCE_BYTES];
    mdm_bytes_t nonce = { data, sizeof(data) };

    return mdm_random(data, sizeof(data)) == APR_SUCCESS
        && add_text(signer_info, MDM_SCEP_OID_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING, "3")
        && add_text(signer_info, MDM_SCEP_OID_PKI_STATUS, V_ASN1_PRINTABLESTRING, reply->status)
        && add_text(signer_info, MDM_SCEP_OID_FAIL_INFO, V_ASN1_PRINTABLESTRING, reply->fail_info)
        && add_text(signer_info, MDM_SCEP_OID_FAIL_INFO_TEXT, V_ASN1_UTF8STRING, reply->fail_info_text)
        && add_text(signer_info, MDM_SCEP_OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING, request->transaction_id)
        && add_bytes(signer_info, MDM_SCEP_OID_SENDER_NONCE, V_ASN1_OCTET_STRING, nonce)
        && add_bytes(signer_info, MDM_SCEP_OID_RECIPIENT_NONCE, V_ASN1_OCTET_STRING, request->sender_nonce);
}

static apr_status_t sign_reply(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request,
                               const reply_t *reply)
{
    const mdm_scep_party_t *party = request->party;
    /* Without an envelope the content is empty, not absent: certmonger takes what is absent for a fault. */
    unsigned int flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
    BIO *in = mdm_bio_of(reply->content);
    CMS_SignerInfo *signer_info = NULL;
    CMS_ContentInfo *cms;
    apr_status_t rv = MDM_ECRYPTO;

    ERR_clear_error();
    ctx->rsa_operations++;
    cms = in ? CMS_sign(NULL, NULL, NULL, NULL, flags) : NULL;
    if (cms)
        signer_info = CMS_add1_signer(cms, party->cert->x509, party->key->pkey, digest_for(request), flags);
    if (signer_info && add_attributes(signer_info, request, reply) && CMS_final(cms, in, NULL, flags))
        rv = mdm_cms_encode(der, ctx, cms);
    ERR_clear_error();
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    return rv == APR_SUCCESS ? rv : mdm_fail(ctx, rv, "signing the SCEP reply failed");
}

/* @param certs, crl what goes into the SignedData in the envelope; NULL or no bytes: not this */
static apr_status_t reply_with(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request,
                               const apr_array_header_t *certs, mdm_bytes_t crl)
{
    reply_t reply = { { NULL, 0 }, STATUS_SUCCESS, NULL, NULL };
    mdm_bytes_t inside = mdm_scep_degenerate(ctx, certs, crl);
    apr_status_t rv;

    if (request->cipher_nid == NID_des_cbc)
        rv = mdm_legacy_envelop(&reply.content, ctx, inside, request->signer);
    else
        rv = mdm_cms_envelop(&reply.content, ctx, inside, request->signer, cipher_for(request));
    return rv == APR_SUCCESS ? sign_reply(der, ctx, request, &reply) : rv;
}

apr_status_t mdm_scep_reply_success(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request,
                                    const mdm_cert_t *issued)
{
    const mdm_bytes_t no_crl = { NULL, 0 };
    apr_array_header_t *certs = apr_array_make(ctx->pool, 1, sizeof(const mdm_cert_t *));

    APR_ARRAY_PUSH(certs, const mdm_cert_t *) = issued;
    return reply_with(der, ctx, request, certs, no_crl);
}

apr_status_t mdm_scep_reply_crl(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request,
                                mdm_bytes_t crl)
{
    return reply_with(der, ctx, request, NULL, crl);
}

apr_status_t mdm_scep_reply_pending(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request)
{
    reply_t reply = { { NULL, 0 }, STATUS_PENDING, NULL, NULL };

    return sign_reply(der, ctx, request, &reply);
}

apr_status_t mdm_scep_reply_failure(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request,
                                    mdm_scep_fail_info_e fail_info, const char *text)
{
    const char digit[] = { (char)('0' + fail_info), '\0' };
    reply_t reply = { { NULL, 0 }, STATUS_FAILURE, digit, text };

    return sign_reply(der, ctx, request, &reply);
}
