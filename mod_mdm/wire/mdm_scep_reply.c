/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building SCEP replies (CertRep, RFC 8894 3.3.2). Called by core in any thread, once a request; one RSA
 * private operation each. Always DER, always signed by the CA; the signatureAlgorithm is rsaEncryption,
 * which old clients insist on and new ones take.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "mdm_cms_ossl.h"
#include "mdm_scep.h"
#include "mdm_scep_oid.h"

#define NONCE_BYTES 16

/* RFC 8894 3.2.1.3 */
#define STATUS_SUCCESS "0"
#define STATUS_FAILURE "2"

/* What tells one reply from another. */
typedef struct {
    mdm_bytes_t content;         /* the envelope; no bytes in a failure */
    const char *status;
    const char *fail_info;       /* NULL in a success */
    const char *fail_info_text;  /* may be NULL */
} reply_t;

static const EVP_MD *digest_for(const mdm_scep_request_t *request)
{
    switch (request->digest_nid) {
    case NID_sha512:
        return EVP_sha512();
    case NID_sha384:
        return EVP_sha384();
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
                               const reply_t *reply, const mdm_cert_t *ca, const mdm_key_t *key)
{
    unsigned int flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL | (reply->content.len ? 0 : CMS_DETACHED);
    BIO *in = mdm_bio_of(reply->content);
    CMS_SignerInfo *signer_info = NULL;
    CMS_ContentInfo *cms;
    apr_status_t rv = MDM_ECRYPTO;

    ERR_clear_error();
    ctx->rsa_operations++;
    cms = in ? CMS_sign(NULL, NULL, NULL, NULL, flags) : NULL;
    if (cms)
        signer_info = CMS_add1_signer(cms, ca->x509, key->pkey, digest_for(request), flags);
    if (signer_info && add_attributes(signer_info, request, reply) && CMS_final(cms, in, NULL, flags))
        rv = mdm_cms_encode(der, ctx, cms);
    ERR_clear_error();
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    return rv == APR_SUCCESS ? rv : mdm_fail(ctx, rv, "signing the SCEP reply failed");
}

/* SignedData without content and signers that holds the certificate and nothing else (RFC 8894 3.4). */
static apr_status_t wrap_certificate(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    CMS_ContentInfo *cms;
    apr_status_t rv = MDM_ECRYPTO;

    ERR_clear_error();
    cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_DETACHED);
    if (cms && CMS_add1_cert(cms, cert->x509))
        rv = mdm_cms_encode(der, ctx, cms);
    ERR_clear_error();
    CMS_ContentInfo_free(cms);
    return rv;
}

static apr_status_t encrypt(mdm_bytes_t *der, mdm_ctx_t *ctx, mdm_bytes_t plain,
                            const mdm_scep_request_t *request)
{
    STACK_OF(X509) *recipients = sk_X509_new_null();
    BIO *in = mdm_bio_of(plain);
    CMS_ContentInfo *cms = NULL;
    apr_status_t rv = MDM_ECRYPTO;

    ERR_clear_error();
    if (in && recipients && sk_X509_push(recipients, request->signer->x509))
        cms = CMS_encrypt(recipients, in, cipher_for(request), CMS_BINARY);
    if (cms)
        rv = mdm_cms_encode(der, ctx, cms);
    ERR_clear_error();
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    sk_X509_free(recipients);
    return rv;
}

apr_status_t mdm_scep_reply_success(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request,
                                    const mdm_cert_t *issued)
{
    reply_t reply = { { NULL, 0 }, STATUS_SUCCESS, NULL, NULL };
    mdm_bytes_t wrapped;

    if (wrap_certificate(&wrapped, ctx, issued) != APR_SUCCESS
        || encrypt(&reply.content, ctx, wrapped, request) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_ECRYPTO, "encrypting the SCEP reply failed");
    return sign_reply(der, ctx, request, &reply, request->party->cert, request->party->key);
}

apr_status_t mdm_scep_reply_failure(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_scep_request_t *request,
                                    mdm_scep_fail_info_e fail_info, const char *text)
{
    const char digit[] = { (char)('0' + fail_info), '\0' };
    reply_t reply = { { NULL, 0 }, STATUS_FAILURE, digit, text };

    return sign_reply(der, ctx, request, &reply, request->party->cert, request->party->key);
}
