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

#include "mdm_scep_oid.h"
#include "mdm_scep_ossl.h"

#define MESSAGE_MAX_BYTES (64 * 1024)
#define TEXT_MAX_BYTES (2 * MESSAGE_MAX_BYTES)
#define TRANSACTION_MAX_BYTES 255
#define NONCE_MAX_BYTES 64
#define MAX_CERTS 4

/* The value of the only attribute `oid`, when it is there once, with one value of the ASN.1 type. */
static const ASN1_STRING *only_attribute(const mdm_scep_opening_t *o, const char *oid, int type)
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

static const char *read_transaction_id(mdm_scep_opening_t *o)
{
    const ASN1_STRING *value = only_attribute(o, MDM_SCEP_OID_TRANSACTION_ID, V_ASN1_PRINTABLESTRING);
    const unsigned char *data = value ? ASN1_STRING_get0_data(value) : NULL;
    int len = value ? ASN1_STRING_length(value) : 0;

    if (len < 1 || len > TRANSACTION_MAX_BYTES || !is_printable(data, len))
        return NULL;
    return apr_pstrmemdup(o->ctx->pool, (const char *)data, (apr_size_t)len);
}

static mdm_bytes_t read_sender_nonce(mdm_scep_opening_t *o)
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
static int read_message_type(mdm_scep_opening_t *o)
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

/* NID_undef when it is not on the allow-list: the reply must not use it either. */
static int served_digest(const mdm_scep_opening_t *o)
{
    int digest = mdm_cms_digest(o->signer_info);

    if (digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512)
        return digest;
    return digest == NID_sha1 && (o->server->legacy & MDM_SCEP_LEGACY_SHA1) ? digest : NID_undef;
}

apr_status_t mdm_scep_refuse(mdm_scep_opening_t *o, mdm_scep_fail_info_e fail_info, apr_status_t rv,
                             const char *text)
{
    o->fail_info = fail_info;
    return mdm_fail(o->ctx, rv, "%s", text);
}

/* What a reply needs. */
static apr_status_t identify(mdm_scep_opening_t *o, mdm_bytes_t message)
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
    request->digest_nid = served_digest(o);
    request->party = &o->server->parties[0];
    request->sha256 = mdm_sha256_hex(message, o->ctx->pool);
    o->request = request;
    return APR_SUCCESS;
}

static apr_status_t check_signature(mdm_scep_opening_t *o)
{
    if (o->request->digest_nid == NID_undef)
        return mdm_scep_refuse(o, MDM_SCEP_BAD_ALG, MDM_EINPUT,
                               "the SCEP message is not signed by RSA with SHA-2");
    if (!mdm_rsa_fits(X509_get0_pubkey(o->request->signer->x509)))
        return mdm_scep_refuse(o, MDM_SCEP_BAD_REQUEST, MDM_EINPUT,
                               "the signer's key is not RSA, 2048 to 8192 bits");
    if (CMS_is_detached(o->cms))
        return mdm_scep_refuse(o, MDM_SCEP_BAD_REQUEST, MDM_EINPUT, "the SCEP message has no content");
    if (!mdm_cms_attributes_are_sane(o->signer_info))
        return mdm_scep_refuse(o, MDM_SCEP_BAD_REQUEST, MDM_EINPUT,
                               "the signed attributes are doubled or wrong");
    if (!mdm_cms_signature_holds(o->cms, o->signer_info, o->request->signer, NULL))
        return mdm_scep_refuse(o, MDM_SCEP_BAD_MESSAGE_CHECK, MDM_ECMS,
                               "the SCEP message's signature does not hold");
    if (!o->request->message_type)
        return mdm_scep_refuse(o, MDM_SCEP_BAD_REQUEST, MDM_EINPUT, "this messageType is not served");
    return APR_SUCCESS;
}

apr_status_t mdm_scep_open(mdm_scep_request_t **request, mdm_scep_fail_info_e *fail_info, mdm_ctx_t *ctx,
                           mdm_bytes_t message, const mdm_scep_server_t *server)
{
    mdm_scep_opening_t o = { ctx, server, NULL, NULL, NULL, NULL, MDM_SCEP_BAD_REQUEST };
    mdm_bytes_t content = { NULL, 0 };
    int sound = 0;
    apr_status_t rv;

    *request = NULL;
    rv = identify(&o, message);
    ERR_clear_error();
    if (rv != APR_SUCCESS)
        return rv;
    *request = o.request;
    rv = check_signature(&o);
    if (rv == APR_SUCCESS)
        rv = mdm_scep_envelope_open(&content, &sound, &o);
    if (rv == APR_SUCCESS)
        rv = mdm_scep_content_read(&o, content, sound);
    ERR_clear_error();
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
