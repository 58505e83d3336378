/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The envelope of a SCEP request (RFC 8894 3.2.2): which cipher, for whom, and the one private key operation
 * that opens it. Called by mdm_scep_open.c in any thread. The recipient is checked before any key is used:
 * OpenSSL's decryption is never asked about other kinds of recipients than the one SCEP has.
 */
#include <openssl/err.h>
#include <openssl/objects.h>

#include "mdm_legacy.h"
#include "mdm_scep_ossl.h"

/* OpenSSL has no way to ask an EnvelopedData for its cipher, so its DER is walked (RFC 5652 6.1). */
static int cipher_of(mdm_bytes_t der)
{
    X509_ALGOR *algorithm;
    int nid = NID_undef;

    if (!mdm_der_step(&der, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, 1)
        || !mdm_der_step(&der, V_ASN1_OBJECT, V_ASN1_UNIVERSAL, 0)
        || !mdm_der_step(&der, 0, V_ASN1_CONTEXT_SPECIFIC, 1)
        || !mdm_der_step(&der, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, 1)
        || !mdm_der_step(&der, V_ASN1_INTEGER, V_ASN1_UNIVERSAL, 0))
        return NID_undef;
    mdm_der_step(&der, 0, V_ASN1_CONTEXT_SPECIFIC, 0);
    if (!mdm_der_step(&der, V_ASN1_SET, V_ASN1_UNIVERSAL, 0)
        || !mdm_der_step(&der, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL, 1)
        || !mdm_der_step(&der, V_ASN1_OBJECT, V_ASN1_UNIVERSAL, 0))
        return NID_undef;
    algorithm = d2i_X509_ALGOR(NULL, &der.data, (long)der.len);
    if (algorithm)
        nid = OBJ_obj2nid(algorithm->algorithm);
    X509_ALGOR_free(algorithm);
    ERR_clear_error();
    return nid;
}

static int cipher_is_served(int nid, unsigned legacy)
{
    switch (nid) {
    case NID_aes_128_cbc:
    case NID_aes_192_cbc:
    case NID_aes_256_cbc:
        return 1;
    case NID_des_ede3_cbc:
        return (legacy & MDM_SCEP_LEGACY_DES3) != 0;
    case NID_des_cbc:
        return (legacy & MDM_SCEP_LEGACY_DES) != 0;
    default:
        return 0;
    }
}

/* The only recipient, when it is by issuer and serial and with RSA PKCS#1 (RFC 8894 3.2.2); else NULL. */
static CMS_RecipientInfo *only_recipient(CMS_ContentInfo *envelope)
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
        return NULL;
    return info;
}

static const mdm_scep_party_t *addressed_party(const mdm_scep_server_t *server, CMS_RecipientInfo *info)
{
    int i;

    for (i = 0; info && i < server->count; i++)
        if (CMS_RecipientInfo_ktri_cert_cmp(info, server->parties[i].cert->x509) == 0)
            return &server->parties[i];
    return NULL;
}

static apr_status_t check_envelope(mdm_scep_opening_t *o)
{
    ASN1_OCTET_STRING *content = *CMS_get0_content(o->cms);
    mdm_bytes_t bytes = { ASN1_STRING_get0_data(content), (apr_size_t)ASN1_STRING_length(content) }, der;
    const mdm_scep_party_t *party;
    int nid;

    if (mdm_cms_parse(&o->envelope, o->ctx, bytes) != APR_SUCCESS
        || OBJ_obj2nid(CMS_get0_type(o->envelope)) != NID_pkcs7_enveloped
        || mdm_cms_encode(&der, o->ctx, o->envelope) != APR_SUCCESS)
        return mdm_scep_refuse(o, MDM_SCEP_BAD_REQUEST, MDM_EINPUT,
                               "the SCEP message does not hold an EnvelopedData");
    nid = cipher_of(der);
    if (!cipher_is_served(nid, o->server->legacy))
        return mdm_scep_refuse(o, MDM_SCEP_BAD_ALG, MDM_EINPUT,
                               "the SCEP message is not encrypted by AES-CBC or what MDMSCEPLegacy allows");
    o->request->cipher_nid = nid;
    party = addressed_party(o->server, only_recipient(o->envelope));
    if (!party)
        return mdm_scep_refuse(o, MDM_SCEP_BAD_MESSAGE_CHECK, MDM_ECMS,
                               "the SCEP message is not encrypted to this CA alone by RSA");
    o->request->party = party;
    if (nid == NID_des_cbc)
        return mdm_legacy_parse(&o->envelope, o->ctx, bytes);
    return APR_SUCCESS;
}

apr_status_t mdm_scep_envelope_open(mdm_bytes_t *content, int *sound, mdm_scep_opening_t *o)
{
    const mdm_scep_party_t *party;
    apr_status_t rv = check_envelope(o);
    BIO *out;

    if (rv != APR_SUCCESS)
        return rv;
    party = o->request->party;
    out = BIO_new(BIO_s_mem());
    if (!out)
        return mdm_fail(o->ctx, MDM_ECRYPTO, "out of memory while opening a SCEP message");
    ERR_clear_error();
    o->ctx->rsa_operations++;
    *sound = CMS_decrypt(o->envelope, party->key->pkey, party->cert->x509, NULL, out, CMS_BINARY) == 1;
    ERR_clear_error();
    *content = mdm_bio_bytes(o->ctx, out);
    mdm_pool_cleanse(o->ctx, *content);
    BIO_free(out);
    return APR_SUCCESS;
}
