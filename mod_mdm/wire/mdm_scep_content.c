/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is inside the envelope of a SCEP request (RFC 8894 3.3): a certification request, or the names and the
 * number of a certificate. Called by mdm_scep_open.c in any thread. Never looks a certificate up.
 */
#include <apr_strings.h>
#include <openssl/err.h>

#include "mdm_scep_ossl.h"

#define CONTENT_MAX_BYTES (16 * 1024)
#define NAME_MAX_BYTES (8 * 1024)
#define NAME_MAX_ENTRIES 20
#define SERIAL_MAX_BYTES 20

/* Go into the outermost SEQUENCE, which must be all there is, with its length in the shortest form. */
static int enter_whole(mdm_bytes_t *at)
{
    mdm_bytes_t whole = *at;

    return mdm_der_step(at, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, 1)
        && at->data + at->len == whole.data + whole.len
        && (apr_size_t)ASN1_object_size(1, (int)at->len, V_ASN1_SEQUENCE) == whole.len;
}

/* The DER of the name at *at, in ctx->pool; no bytes when there is none. */
static mdm_bytes_t take_name(mdm_bytes_t *at, mdm_ctx_t *ctx)
{
    const unsigned char *end = at->data;
    mdm_bytes_t der = { NULL, 0 };
    X509_NAME *name = at->len <= CONTENT_MAX_BYTES ? d2i_X509_NAME(NULL, &end, (long)at->len) : NULL;
    apr_size_t len = name ? (apr_size_t)(end - at->data) : 0;

    if (name && len <= NAME_MAX_BYTES && X509_NAME_entry_count(name) <= NAME_MAX_ENTRIES) {
        der.data = apr_pmemdup(ctx->pool, at->data, len);
        der.len = len;
        at->data = end;
        at->len -= len;
    }
    X509_NAME_free(name);
    ERR_clear_error();
    return der;
}

/* The positive number at *at as lower-case hex; NULL when there is none. */
static const char *take_serial(mdm_bytes_t *at, mdm_ctx_t *ctx)
{
    const unsigned char *end = at->data;
    ASN1_INTEGER *number = d2i_ASN1_INTEGER(NULL, &end, (long)at->len);
    const char *hex = NULL;
    mdm_bytes_t bytes;

    if (number && ASN1_STRING_type(number) == V_ASN1_INTEGER) {
        bytes.data = ASN1_STRING_get0_data(number);
        bytes.len = (apr_size_t)ASN1_STRING_length(number);
        if (bytes.len && bytes.len <= SERIAL_MAX_BYTES && (bytes.data[0] || bytes.len == 1))
            hex = mdm_hex_encode(bytes, ctx->pool);
        at->len -= (apr_size_t)(end - at->data);
        at->data = end;
    }
    ASN1_INTEGER_free(number);
    ERR_clear_error();
    return hex;
}

/* IssuerAndSubject (RFC 8894 3.3.3) */
static int read_poll(mdm_scep_request_t *request, mdm_ctx_t *ctx, mdm_bytes_t at)
{
    if (!enter_whole(&at))
        return 0;
    request->issuer = take_name(&at, ctx);
    if (request->issuer.len)
        request->subject = take_name(&at, ctx);
    return request->subject.len && !at.len;
}

/* IssuerAndSerialNumber (RFC 8894 3.3.4) */
static int read_number(mdm_scep_request_t *request, mdm_ctx_t *ctx, mdm_bytes_t at)
{
    if (!enter_whole(&at))
        return 0;
    request->issuer = take_name(&at, ctx);
    if (request->issuer.len)
        request->serial = take_serial(&at, ctx);
    return request->serial && !at.len;
}

/* Whether the bytes have the outer form of what the type carries. A request is parsed, but not judged. */
static int read_shape(mdm_csr_t **csr, mdm_scep_opening_t *o, mdm_bytes_t content)
{
    switch (o->request->message_type) {
    case MDM_SCEP_PKCS_REQ:
    case MDM_SCEP_RENEWAL_REQ:
        return mdm_csr_parse(csr, o->ctx, content) == APR_SUCCESS;
    case MDM_SCEP_CERT_POLL:
        return content.len <= CONTENT_MAX_BYTES && read_poll(o->request, o->ctx, content);
    case MDM_SCEP_GET_CERT:
    case MDM_SCEP_GET_CRL:
        return content.len <= CONTENT_MAX_BYTES && read_number(o->request, o->ctx, content);
    default:
        return 0;
    }
}

/*
 * One answer for a wrong key, a wrong padding and contents that are not what they should be: who asks often
 * learns nothing about the RSA decryption. OpenSSL goes on with a random key when the RSA padding is wrong,
 * because a certificate is given.
 */
apr_status_t mdm_scep_content_read(mdm_scep_opening_t *o, mdm_bytes_t content, int sound)
{
    mdm_csr_t *csr = NULL;
    int shaped = read_shape(&csr, o, content), weak = 0;
    apr_status_t rv;

    if (!shaped || !sound) {
        mdm_ctx_clear(o->ctx);
        o->request->issuer.len = o->request->subject.len = 0;
        o->request->serial = NULL;
        return mdm_scep_refuse(o, MDM_SCEP_BAD_MESSAGE_CHECK, MDM_ECMS,
                               "the envelope does not open to what its messageType carries");
    }
    if (!csr)
        return APR_SUCCESS;
    rv = mdm_csr_judge(&weak, o->ctx, csr, o->request->signer);
    if (rv != APR_SUCCESS)
        o->fail_info = weak ? MDM_SCEP_BAD_ALG : MDM_SCEP_BAD_REQUEST;
    else
        o->request->csr = csr;
    return rv;
}
