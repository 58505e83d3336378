/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SignedData that signs nothing and carries certificates or a CRL (RFC 8894 3.4): inside replies, and what
 * GetCACert and GetNextCACert answer. Called in any thread. Written out by hand: OpenSSL sorts the
 * certificates by their bytes, and some clients take the first for the one that matters.
 */
#include <string.h>


#include "mdm_cms.h"
#include "mdm_scep_ossl.h"

/* The constant parts of such a SignedData (RFC 5652 5.1), DER. */
static const unsigned char signed_data_oid[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
                                                 0x01, 0x07, 0x02 };
static const unsigned char head[] = { 0x02, 0x01, 0x01, 0x31, 0x00, 0x30, 0x0b, 0x06, 0x09,
                                      0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01 };
static const unsigned char no_signers[] = { 0x31, 0x00 };

static void put(unsigned char **at, const void *data, apr_size_t len)
{
    memcpy(*at, data, len);
    *at += len;
}

static int size_of(int tag, int len)
{
    return len ? ASN1_object_size(1, len, tag) : 0;
}

mdm_bytes_t mdm_scep_degenerate(mdm_ctx_t *ctx, const apr_array_header_t *certs, mdm_bytes_t crl)
{
    int certs_len = 0, inner, outer, whole, i;
    unsigned char *data, *at;
    mdm_bytes_t der;

    for (i = 0; certs && i < certs->nelts; i++)
        certs_len += (int)APR_ARRAY_IDX(certs, i, const mdm_cert_t *)->der.len;
    inner = (int)sizeof(head) + size_of(0, certs_len) + size_of(1, (int)crl.len) + (int)sizeof(no_signers);
    outer = ASN1_object_size(1, inner, V_ASN1_SEQUENCE);
    whole = (int)sizeof(signed_data_oid) + ASN1_object_size(1, outer, 0);
    der.len = (apr_size_t)ASN1_object_size(1, whole, V_ASN1_SEQUENCE);
    der.data = data = at = apr_palloc(ctx->pool, der.len);
    ASN1_put_object(&at, 1, whole, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    put(&at, signed_data_oid, sizeof(signed_data_oid));
    ASN1_put_object(&at, 1, outer, 0, V_ASN1_CONTEXT_SPECIFIC);
    ASN1_put_object(&at, 1, inner, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    put(&at, head, sizeof(head));
    if (certs_len)
        ASN1_put_object(&at, 1, certs_len, 0, V_ASN1_CONTEXT_SPECIFIC);
    for (i = 0; certs && i < certs->nelts; i++) {
        mdm_bytes_t cert = APR_ARRAY_IDX(certs, i, const mdm_cert_t *)->der;

        put(&at, cert.data, cert.len);
    }
    if (crl.len) {
        ASN1_put_object(&at, 1, (int)crl.len, 1, V_ASN1_CONTEXT_SPECIFIC);
        put(&at, crl.data, crl.len);
    }
    put(&at, no_signers, sizeof(no_signers));
    return der;
}

apr_status_t mdm_scep_certificates(mdm_bytes_t *der, mdm_ctx_t *ctx, const apr_array_header_t *certs)
{
    const mdm_bytes_t no_crl = { NULL, 0 };

    if (!certs->nelts)
        return mdm_fail(ctx, MDM_EINPUT, "no certificate to hand out");
    *der = mdm_scep_degenerate(ctx, certs, no_crl);
    return APR_SUCCESS;
}

apr_status_t mdm_scep_next_ca(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_cert_t *next,
                              const mdm_scep_party_t *party)
{
    apr_array_header_t *certs = apr_array_make(ctx->pool, 1, sizeof(const mdm_cert_t *));
    mdm_bytes_t inside;
    apr_status_t rv;

    APR_ARRAY_PUSH(certs, const mdm_cert_t *) = next;
    rv = mdm_scep_certificates(&inside, ctx, certs);
    return rv == APR_SUCCESS ? mdm_cms_sign(der, ctx, inside, party->cert, party->key, NULL) : rv;
}
