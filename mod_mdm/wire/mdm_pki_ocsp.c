/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading OCSP requests and signing answers, one RSA private operation each. Called by core/mdm_ocsp.c, in any
 * thread. Every byte of a request is a stranger's; its signature, which proves nothing here, is not looked at.
 */
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "mdm_pki_crl.h"
#include "mdm_pki_ocsp.h"
#include "mdm_pki_ossl.h"

#define NONCE_MAX 32
#define SERIAL_MAX 20

typedef struct {
    OCSP_CERTID *id;              /* part of the request */
    int issuer;
    const char *serial;
} asked_t;

struct mdm_ocsp_request_t {
    OCSP_REQUEST *req;
    apr_array_header_t *asked;
    int has_nonce;
};

static apr_status_t free_request(void *data)
{
    OCSP_REQUEST_free(data);
    return APR_SUCCESS;
}

/* The extension's value is an OCTET STRING of its own. */
static int nonce_fits(X509_EXTENSION *extension)
{
    ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension), *nonce;
    const unsigned char *at = ASN1_STRING_get0_data(value), *end = at + ASN1_STRING_length(value);
    int fits;

    nonce = d2i_ASN1_OCTET_STRING(NULL, &at, ASN1_STRING_length(value));
    fits = nonce && at == end && ASN1_STRING_length(nonce) >= 1 && ASN1_STRING_length(nonce) <= NONCE_MAX;
    ASN1_OCTET_STRING_free(nonce);
    return fits;
}

static int extensions_fit(mdm_ocsp_request_t *r)
{
    int i, count = OCSP_REQUEST_get_ext_count(r->req);

    for (i = 0; i < count; i++) {
        X509_EXTENSION *extension = OCSP_REQUEST_get_ext(r->req, i);

        if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_id_pkix_OCSP_Nonce) {
            if (r->has_nonce++ || !nonce_fits(extension))
                return 0;
        } else if (X509_EXTENSION_get_critical(extension)) {
            return 0;
        }
    }
    return 1;
}

static int has_critical_extension(OCSP_ONEREQ *one)
{
    return OCSP_ONEREQ_get_ext_by_critical(one, 1, -1) >= 0;
}

static const EVP_MD *digest_of(const ASN1_OBJECT *algorithm)
{
    switch (OBJ_obj2nid(algorithm)) {
    case NID_sha1:
        return EVP_sha1();
    case NID_sha256:
        return EVP_sha256();
    case NID_sha384:
        return EVP_sha384();
    case NID_sha512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

static int issued_by(OCSP_CERTID *id, const EVP_MD *md, const ASN1_INTEGER *serial, const mdm_cert_t *ca)
{
    OCSP_CERTID *own = OCSP_cert_id_new(md, X509_get_subject_name(ca->x509),
                                        X509_get0_pubkey_bitstr(ca->x509), serial);
    int is = own && OCSP_id_issuer_cmp(own, id) == 0;

    OCSP_CERTID_free(own);
    return is;
}

static const char *serial_text(mdm_ctx_t *ctx, const ASN1_INTEGER *serial)
{
    mdm_bytes_t bytes = { ASN1_STRING_get0_data(serial), (apr_size_t)ASN1_STRING_length(serial) };

    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || !bytes.len || bytes.len > SERIAL_MAX)
        return NULL;
    return mdm_hex_encode(bytes, ctx->pool);
}

static void note(asked_t *asked, mdm_ctx_t *ctx, OCSP_CERTID *id, const apr_array_header_t *cas)
{
    ASN1_OBJECT *algorithm = NULL;
    ASN1_INTEGER *serial = NULL;
    const EVP_MD *md;
    int i;

    asked->id = id;
    asked->issuer = -1;
    OCSP_id_get0_info(NULL, &algorithm, NULL, &serial, id);
    asked->serial = serial_text(ctx, serial);
    md = digest_of(algorithm);
    for (i = 0; md && i < cas->nelts && asked->issuer < 0; i++) {
        if (issued_by(id, md, serial, APR_ARRAY_IDX(cas, i, const mdm_cert_t *)))
            asked->issuer = i;
    }
}

static apr_status_t look_into(mdm_ocsp_request_t *r, mdm_ctx_t *ctx, const apr_array_header_t *cas)
{
    int i, count = OCSP_request_onereq_count(r->req);

    if (count < 1 || count > MDM_OCSP_MAX_CERTIFICATES)
        return mdm_fail(ctx, MDM_EINPUT, "an OCSP request asks for 1 to %d certificates",
                        MDM_OCSP_MAX_CERTIFICATES);
    if (!extensions_fit(r))
        return mdm_fail(ctx, MDM_EINPUT, "the OCSP request has a nonce that is not 1 to %d octets, or a critical "
                        "extension", NONCE_MAX);
    r->asked = apr_array_make(ctx->pool, count, sizeof(asked_t));
    for (i = 0; i < count; i++) {
        OCSP_ONEREQ *one = OCSP_request_onereq_get0(r->req, i);

        if (has_critical_extension(one))
            return mdm_fail(ctx, MDM_EINPUT, "the OCSP request has a critical extension");
        note(&APR_ARRAY_PUSH(r->asked, asked_t), ctx, OCSP_onereq_get0_id(one), cas);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_ocsp_read(mdm_ocsp_request_t **request, mdm_ctx_t *ctx, mdm_bytes_t der,
                           const apr_array_header_t *cas)
{
    mdm_ocsp_request_t *r = apr_pcalloc(ctx->pool, sizeof(*r));
    const unsigned char *at = der.data;
    apr_status_t rv;

    if (der.len > MDM_OCSP_MAX_BYTES)
        return mdm_fail(ctx, MDM_EINPUT, "the OCSP request is larger than %d bytes", MDM_OCSP_MAX_BYTES);
    ERR_clear_error();
    r->req = d2i_OCSP_REQUEST(NULL, &at, (long)der.len);
    if (r->req)
        apr_pool_cleanup_register(ctx->pool, r->req, free_request, apr_pool_cleanup_null);
    rv = r->req && at == der.data + der.len
        ? look_into(r, ctx, cas) : mdm_fail(ctx, MDM_EINPUT, "the body is no OCSP request in DER");
    ERR_clear_error();
    *request = r;
    return rv;
}

int mdm_ocsp_count(const mdm_ocsp_request_t *request)
{
    return request->asked->nelts;
}

int mdm_ocsp_issuer(const mdm_ocsp_request_t *request, int i)
{
    return APR_ARRAY_IDX(request->asked, i, asked_t).issuer;
}

const char *mdm_ocsp_serial(const mdm_ocsp_request_t *request, int i)
{
    return APR_ARRAY_IDX(request->asked, i, asked_t).serial;
}

int mdm_ocsp_has_nonce(const mdm_ocsp_request_t *request)
{
    return request->has_nonce;
}

typedef struct {
    ASN1_TIME *from, *to;
} period_t;

static int add_status(OCSP_BASICRESP *basic, OCSP_CERTID *id, const mdm_ocsp_status_t *s, const period_t *period)
{
    static const int codes[] = { V_OCSP_CERTSTATUS_UNKNOWN, V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED };
    int reason = mdm_crl_reason(s->reason), ok;
    ASN1_TIME *at = NULL;

    if (s->status == MDM_OCSP_REVOKED)
        at = ASN1_TIME_adj(NULL, (time_t)apr_time_sec(s->revoked_at), 0, 0);
    ok = OCSP_basic_add1_status(basic, id, codes[s->status], reason > 0 ? reason : OCSP_REVOKED_STATUS_NOSTATUS,
                                at, period->from, period->to) != NULL;
    ASN1_TIME_free(at);
    return ok;
}

static int fill(OCSP_BASICRESP *basic, const mdm_ocsp_request_t *request, const mdm_ocsp_status_t *statuses,
                const period_t *period)
{
    int i;

    for (i = 0; i < request->asked->nelts; i++) {
        if (!add_status(basic, APR_ARRAY_IDX(request->asked, i, asked_t).id, &statuses[i], period))
            return 0;
    }
    return !request->has_nonce || OCSP_copy_nonce(basic, request->req) == 1;
}

static int encode(mdm_bytes_t *der, mdm_ctx_t *ctx, OCSP_BASICRESP *basic)
{
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    unsigned char *bytes = NULL;
    int len = response ? i2d_OCSP_RESPONSE(response, &bytes) : 0;

    OCSP_RESPONSE_free(response);
    if (len <= 0)
        return 0;
    der->data = apr_pmemdup(ctx->pool, bytes, (apr_size_t)len);
    der->len = (apr_size_t)len;
    OPENSSL_free(bytes);
    return 1;
}

/* The CA's certificate goes along: mod_ssl, for one, looks for the signer nowhere else. */
apr_status_t mdm_ocsp_answer(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_ocsp_request_t *request,
                             const mdm_ocsp_status_t *statuses, const mdm_cert_t *ca, const mdm_key_t *ca_key,
                             apr_time_t this_update, apr_time_t next_update)
{
    period_t period = { ASN1_TIME_adj(NULL, (time_t)apr_time_sec(this_update), 0, 0),
                        ASN1_TIME_adj(NULL, (time_t)apr_time_sec(next_update), 0, 0) };
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    int ok;

    ERR_clear_error();
    ctx->rsa_operations++;
    ok = basic && period.from && period.to && fill(basic, request, statuses, &period)
        && OCSP_basic_sign(basic, ca->x509, ca_key->pkey, EVP_sha256(), NULL, OCSP_RESPID_KEY)
        && encode(der, ctx, basic);
    ERR_clear_error();
    OCSP_BASICRESP_free(basic);
    ASN1_TIME_free(period.from);
    ASN1_TIME_free(period.to);
    return ok ? APR_SUCCESS : mdm_fail(ctx, MDM_ECRYPTO, "making an OCSP answer failed");
}

mdm_bytes_t mdm_ocsp_error(mdm_ocsp_error_e error)
{
    static const unsigned char answers[][5] = {
        { 0x30, 3, 0x0a, 1, MDM_OCSP_MALFORMED_REQUEST },
        { 0x30, 3, 0x0a, 1, MDM_OCSP_INTERNAL_ERROR },
        { 0x30, 3, 0x0a, 1, MDM_OCSP_TRY_LATER },
    };
    mdm_bytes_t bytes = { answers[error - MDM_OCSP_MALFORMED_REQUEST], sizeof(answers[0]) };

    return bytes;
}
