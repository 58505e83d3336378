/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening SCEP requests: every byte is hostile until the signature and the envelope hold, and the contents
 * stay so. Called by core in any thread, once a request. Order matters: sizes and shapes first, then the
 * cheap public key operation, the private key last and once. Never decides who may have a certificate.
 */
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "mdm_cms_ossl.h"
#include "mdm_scep.h"
#include "mdm_scep_oid.h"

#define MESSAGE_MAX_BYTES (64 * 1024)
#define TEXT_MAX_BYTES (2 * MESSAGE_MAX_BYTES)
#define TRANSACTION_MAX_BYTES 255
#define NONCE_MAX_BYTES 64
#define MAX_CERTS 4

/* A request while it is being opened. */
typedef struct {
    mdm_ctx_t *ctx;
    CMS_ContentInfo *cms;
    CMS_SignerInfo *signer_info;
    CMS_ContentInfo *envelope;
    mdm_scep_request_t *request;
    mdm_scep_fail_info_e fail_info;
} opening_t;

/* The value of the only attribute `oid`, when it is there once, with one value of the ASN.1 type. */
static const ASN1_STRING *only_attribute(const opening_t *o, const char *oid, int type)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    X509_ATTRIBUTE *attribute = NULL;
    int at = object ? CMS_signed_get_attr_by_OBJ(o->signer_info, object, -1) : -1;

    if (at >= 0 && CMS_signed_get_attr_by_OBJ(o->signer_info, object, at) < 0)
        attribute = CMS_signed_get_attr(o->signer_info, at);
    ASN1_OBJECT_free(object);
    if (!attribute || X509_ATTRIBUTE_count(attribute) != 1)
        return NULL;
    return X509_ATTRIBUTE_get0_data(attribute, 0, type, NULL);
}

/* What a PrintableString may hold, and four characters that clients put there all the same. */
static int is_printable(const unsigned char *data, int len)
{
    int i;

    for (i = 0; i < len; i++)
        if (data[i] > 0x7e || !data[i] || (!apr_isalnum(data[i]) && !strchr(" '()+,-./:=?_@*&", data[i])))
            return 0;
    return 1;
}

static const char *read_transaction_id(opening_t *o)
{
    const ASN1_STRING *value = only_attribute(o, MDM_SCEP_OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING);
    const unsigned char *data = value ? ASN1_STRING_get0_data(value) : NULL;
    int len = value ? ASN1_STRING_length(value) : 0;

    if (len < 1 || len > TRANSACTION_MAX_BYTES || !is_printable(data, len))
        return NULL;
    return apr_pstrmemdup(o->ctx->pool, (const char *)data, (apr_size_t)len);
}

static mdm_bytes_t read_sender_nonce(opening_t *o)
{
    const ASN1_STRING *value = only_attribute(o, MDM_SCEP_OID_SENDER_NONCE, V_ASN1_OCTET_STRING);
    int len = value ? ASN1_STRING_length(value) : 0;
    mdm_bytes_t nonce = { NULL, 0 };

    if (len < 1 || len > NONCE_MAX_BYTES)
        return nonce;
    nonce.data = apr_pmemdup(o->ctx->pool, ASN1_STRING_get0_data(value), (apr_size_t)len);
    nonce.len = (apr_size_t)len;
    return nonce;
}

/* The types that are served, in the only spelling each has; 0 for anything else. */
static int read_message_type(opening_t *o)
{
    static const struct {
        const char *text;
        int type;
    } types[] = {
        { "17", MDM_SCEP_RENEWAL_REQ }, { "19", MDM_SCEP_PKCS_REQ }, { "20", MDM_SCEP_CERT_POLL },
        { "21", MDM_SCEP_GET_CERT },    { "22", MDM_SCEP_GET_CRL },
    };
    const ASN1_STRING *value = only_attribute(o, MDM_SCEP_OID_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING);
    apr_size_t i;

    if (!value || ASN1_STRING_length(value) != 2)
        return 0;
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!memcmp(ASN1_STRING_get0_data(value), types[i].text, 2))
            return types[i].type;
    return 0;
}

/* What a reply needs. */
static apr_status_t identify(opening_t *o, mdm_bytes_t message)
{
    mdm_scep_request_t *request = apr_pcalloc(o->ctx->pool, sizeof(*request));
    mdm_cert_t *signer;
    apr_status_t rv;

    if (message.len > MESSAGE_MAX_BYTES)
        return mdm_fail(o->ctx, MDM_EINPUT, "the SCEP message is over %d bytes", MESSAGE_MAX_BYTES);
    rv = mdm_cms_parse(&o->cms, o->ctx, message);
    if (rv == APR_SUCCESS)
        rv = mdm_cms_only_signer(&o->signer_info, &signer, o->ctx, o->cms, MAX_CERTS);
    if (rv != APR_SUCCESS)
        return rv;
    request->signer = signer;
    request->transaction_id = read_transaction_id(o);
    request->sender_nonce = read_sender_nonce(o);
    if (!request->transaction_id)
        return mdm_fail(o->ctx, MDM_EINPUT, "the SCEP message has no usable transactionID");
    if (!request->sender_nonce.len)
        return mdm_fail(o->ctx, MDM_EINPUT, "the SCEP message has no usable senderNonce");
    request->message_type = read_message_type(o);
    request->digest_nid = mdm_cms_digest(o->signer_info);
    request->sha256 = mdm_sha256_hex(message, o->ctx->pool);
    o->request = request;
    return APR_SUCCESS;
}

static apr_status_t refuse(opening_t *o, mdm_scep_fail_info_e fail_info, apr_status_t rv, const char *text)
{
    o->fail_info = fail_info;
    return mdm_fail(o->ctx, rv, "%s", text);
}

static apr_status_t check_signature(opening_t *o)
{
    int digest = o->request->digest_nid;

    if (digest != NID_sha256 && digest != NID_sha384 && digest != NID_sha512)
        return refuse(o, MDM_SCEP_BAD_ALG, MDM_EINPUT, "the SCEP message is not signed by RSA with SHA-2");
    if (!mdm_rsa_fits(X509_get0_pubkey(o->request->signer->x509)))
        return refuse(o, MDM_SCEP_BAD_REQUEST, MDM_EINPUT, "the signer's key is not RSA, 2048 to 8192 bits");
    if (CMS_is_detached(o->cms))
        return refuse(o, MDM_SCEP_BAD_REQUEST, MDM_EINPUT, "the SCEP message has no content");
    if (!mdm_cms_attributes_are_sane(o->signer_info))
        return refuse(o, MDM_SCEP_BAD_REQUEST, MDM_EINPUT, "the signed attributes are doubled or wrong");
    if (!mdm_cms_signature_holds(o->cms, o->signer_info, o->request->signer, NULL))
        return refuse(o, MDM_SCEP_BAD_MESSAGE_CHECK, MDM_ECMS, "the SCEP message's signature does not hold");
    if (!o->request->message_type)
        return refuse(o, MDM_SCEP_BAD_REQUEST, MDM_EINPUT, "this messageType is not served");
    return APR_SUCCESS;
}

/* Go into, or over, the element at *at, which must have the tag. */
static int step(mdm_bytes_t *at, int tag, int class, int into)
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

/* OpenSSL has no way to ask an EnvelopedData for its cipher, so its DER is walked (RFC 5652 6.1). */
static int cipher_of(mdm_bytes_t der)
{
    X509_ALGOR *algorithm;
    int nid = NID_undef;

    if (!step(&der, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, 1) || !step(&der, V_ASN1_OBJECT, V_ASN1_UNIVERSAL, 0)
        || !step(&der, 0, V_ASN1_CONTEXT_SPECIFIC, 1) || !step(&der, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, 1)
        || !step(&der, V_ASN1_INTEGER, V_ASN1_UNIVERSAL, 0))
        return NID_undef;
    step(&der, 0, V_ASN1_CONTEXT_SPECIFIC, 0);
    if (!step(&der, V_ASN1_SET, V_ASN1_UNIVERSAL, 0) || !step(&der, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, 1)
        || !step(&der, V_ASN1_OBJECT, V_ASN1_UNIVERSAL, 0))
        return NID_undef;
    algorithm = d2i_X509_ALGOR(NULL, &der.data, (long)der.len);
    if (algorithm)
        nid = OBJ_obj2nid(algorithm->algorithm);
    X509_ALGOR_free(algorithm);
    ERR_clear_error();
    return nid;
}

/* Whether there is one recipient: this certificate by issuer and serial, with RSA PKCS#1 (RFC 8894 3.2.2). */
static int is_for(CMS_ContentInfo *envelope, const mdm_cert_t *recipient)
{
    STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(envelope);
    CMS_RecipientInfo *info = sk_CMS_RecipientInfo_value(infos, 0);
    ASN1_OCTET_STRING *key_id = NULL;
    ASN1_INTEGER *serial = NULL;
    X509_NAME *issuer = NULL;
    X509_ALGOR *algorithm = NULL;

    if (sk_CMS_RecipientInfo_num(infos) != 1 || CMS_RecipientInfo_type(info) != CMS_RECIPINFO_TRANS
        || !CMS_RecipientInfo_ktri_get0_algs(info, NULL, NULL, &algorithm) || !algorithm
        || OBJ_obj2nid(algorithm->algorithm) != NID_rsaEncryption
        || !CMS_RecipientInfo_ktri_get0_signer_id(info, &key_id, &issuer, &serial) || key_id)
        return 0;
    return CMS_RecipientInfo_ktri_cert_cmp(info, recipient->x509) == 0;
}

static apr_status_t check_envelope(opening_t *o, const mdm_cert_t *recipient)
{
    ASN1_OCTET_STRING *content = *CMS_get0_content(o->cms);
    mdm_bytes_t bytes = { ASN1_STRING_get0_data(content), (apr_size_t)ASN1_STRING_length(content) }, der;
    int nid;

    if (mdm_cms_parse(&o->envelope, o->ctx, bytes) != APR_SUCCESS
        || OBJ_obj2nid(CMS_get0_type(o->envelope)) != NID_pkcs7_enveloped
        || mdm_cms_encode(&der, o->ctx, o->envelope) != APR_SUCCESS)
        return refuse(o, MDM_SCEP_BAD_REQUEST, MDM_EINPUT, "the SCEP message does not hold an EnvelopedData");
    nid = o->request->cipher_nid = cipher_of(der);
    if (nid != NID_aes_128_cbc && nid != NID_aes_192_cbc && nid != NID_aes_256_cbc)
        return refuse(o, MDM_SCEP_BAD_ALG, MDM_EINPUT, "the SCEP message is not encrypted by AES-CBC");
    if (!is_for(o->envelope, recipient))
        return refuse(o, MDM_SCEP_BAD_MESSAGE_CHECK, MDM_ECMS,
                      "the SCEP message is not encrypted to this CA alone by RSA");
    return APR_SUCCESS;
}

/*
 * One answer for a wrong key, a wrong padding and contents that are no request: who asks often learns
 * nothing about the RSA decryption. OpenSSL goes on with a random key when the RSA padding is wrong,
 * because a certificate is given.
 */
static apr_status_t decrypt(mdm_bytes_t *content, opening_t *o, const mdm_cert_t *recipient,
                            const mdm_key_t *key)
{
    BIO *out = BIO_new(BIO_s_mem());
    mdm_bytes_t bytes = { NULL, 0 };
    int ok;

    ERR_clear_error();
    o->ctx->rsa_operations++;
    ok = out && CMS_decrypt(o->envelope, key->pkey, recipient->x509, NULL, out, CMS_BINARY) == 1;
    ERR_clear_error();
    if (out)
        bytes = mdm_bio_bytes(o->ctx, out);
    mdm_pool_cleanse(o->ctx, bytes);
    BIO_free(out);
    if (!mdm_csr_shaped(bytes) || !ok)
        return refuse(o, MDM_SCEP_BAD_MESSAGE_CHECK, MDM_ECMS,
                      "the envelope does not open to a certification request");
    *content = bytes;
    return APR_SUCCESS;
}

static apr_status_t read_csr(opening_t *o, const mdm_cert_t *recipient, const mdm_key_t *key)
{
    mdm_bytes_t content;
    mdm_csr_t *csr;
    int weak = 0;
    apr_status_t rv = decrypt(&content, o, recipient, key);

    if (rv != APR_SUCCESS)
        return rv;
    rv = mdm_csr_from_der(&csr, &weak, o->ctx, content);
    if (rv != APR_SUCCESS) {
        o->fail_info = weak ? MDM_SCEP_BAD_ALG : MDM_SCEP_BAD_REQUEST;
        return rv;
    }
    o->request->csr = csr;
    return APR_SUCCESS;
}

static int carries_csr(const mdm_scep_request_t *request)
{
    return request->message_type == MDM_SCEP_PKCS_REQ || request->message_type == MDM_SCEP_RENEWAL_REQ;
}

apr_status_t mdm_scep_open(mdm_scep_request_t **request, mdm_scep_fail_info_e *fail_info, mdm_ctx_t *ctx,
                           mdm_bytes_t message, const mdm_scep_server_t *server)
{
    const mdm_cert_t *recipient = server->parties[0].cert;
    const mdm_key_t *key = server->parties[0].key;
    opening_t o = { ctx, NULL, NULL, NULL, NULL, MDM_SCEP_BAD_REQUEST };
    apr_status_t rv;

    *request = NULL;
    rv = identify(&o, message);
    ERR_clear_error();
    if (rv != APR_SUCCESS)
        return rv;
    o.request->party = &server->parties[0];
    *request = o.request;
    rv = check_signature(&o);
    if (rv == APR_SUCCESS)
        rv = check_envelope(&o, recipient);
    if (rv == APR_SUCCESS && carries_csr(o.request))
        rv = read_csr(&o, recipient, key);
    *fail_info = o.fail_info;
    return rv;
}

apr_status_t mdm_scep_message_from_text(mdm_bytes_t *message, mdm_ctx_t *ctx, const char *text)
{
    apr_size_t len = text ? strlen(text) : 0, i;
    char *repaired;

    if (!len || len > TEXT_MAX_BYTES)
        return mdm_fail(ctx, MDM_EINPUT, "the message parameter is empty or over %d bytes", TEXT_MAX_BYTES);
    repaired = apr_pstrmemdup(ctx->pool, text, len);
    for (i = 0; i < len; i++)
        if (repaired[i] == ' ')
            repaired[i] = '+';
    if (mdm_base64_decode(message, repaired, len, ctx->pool) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_EINPUT, "the message parameter is not base64");
    return APR_SUCCESS;
}
