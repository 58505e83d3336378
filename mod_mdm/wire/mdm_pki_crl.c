/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a revocation list: one RSA private operation, the rest is proportional to its length. Called by
 * core/mdm_crl.c, in any thread; knows no database.
 */
#include <string.h>

#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "mdm_pki_crl.h"
#include "mdm_pki_ossl.h"

static const struct {
    const char *name;
    int code;
} reasons[] = {
    { "unspecified", CRL_REASON_UNSPECIFIED },
    { "keyCompromise", CRL_REASON_KEY_COMPROMISE },
    { "cACompromise", CRL_REASON_CA_COMPROMISE },
    { "affiliationChanged", CRL_REASON_AFFILIATION_CHANGED },
    { "superseded", CRL_REASON_SUPERSEDED },
    { "cessationOfOperation", CRL_REASON_CESSATION_OF_OPERATION },
    { "privilegeWithdrawn", CRL_REASON_PRIVILEGE_WITHDRAWN },
    { "aACompromise", CRL_REASON_AA_COMPROMISE },
};

int mdm_crl_reason(const char *name)
{
    size_t i;

    for (i = 0; name && i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (!strcmp(reasons[i].name, name))
            return reasons[i].code;
    }
    return -1;
}

static ASN1_TIME *time_of(apr_time_t at)
{
    return ASN1_TIME_adj(NULL, (time_t)apr_time_sec(at), 0, 0);
}

static int set_serial(X509_REVOKED *revoked, const char *hex)
{
    ASN1_INTEGER *serial = NULL;
    BIGNUM *number = NULL;
    int ok = *hex && *hex != '-' && BN_hex2bn(&number, hex) == (int)strlen(hex)
        && (serial = BN_to_ASN1_INTEGER(number, NULL)) != NULL && X509_REVOKED_set_serialNumber(revoked, serial);

    ASN1_INTEGER_free(serial);
    BN_free(number);
    return ok;
}

static int set_reason(X509_REVOKED *revoked, const char *name)
{
    int code = mdm_crl_reason(name), ok;
    ASN1_ENUMERATED *value;

    if (code <= 0)
        return 1;
    value = ASN1_ENUMERATED_new();
    ok = value && ASN1_ENUMERATED_set(value, code)
        && X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, value, 0, 0) == 1;
    ASN1_ENUMERATED_free(value);
    return ok;
}

static int add_entry(X509_CRL *crl, const mdm_crl_entry_t *entry)
{
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_TIME *at = time_of(entry->at);
    int ok = revoked && at && set_serial(revoked, entry->serial) && X509_REVOKED_set_revocationDate(revoked, at)
        && set_reason(revoked, entry->reason) && X509_CRL_add0_revoked(crl, revoked);

    ASN1_TIME_free(at);
    if (!ok)
        X509_REVOKED_free(revoked);
    return ok;
}

static int set_times(X509_CRL *crl, const mdm_crl_how_t *how)
{
    ASN1_TIME *from = time_of(how->this_update), *to = time_of(how->next_update);
    int ok = from && to && X509_CRL_set1_lastUpdate(crl, from) && X509_CRL_set1_nextUpdate(crl, to);

    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return ok;
}

static int add_number(X509_CRL *crl, apr_int64_t number)
{
    ASN1_INTEGER *value = ASN1_INTEGER_new();
    int ok = value && ASN1_INTEGER_set_int64(value, number)
        && X509_CRL_add1_ext_i2d(crl, NID_crl_number, value, 0, 0) == 1;

    ASN1_INTEGER_free(value);
    return ok;
}

static int add_key_id(X509_CRL *crl, X509 *ca)
{
    X509V3_CTX v3;
    X509_EXTENSION *extension;
    int ok;

    X509V3_set_ctx(&v3, ca, NULL, NULL, crl, 0);
    X509V3_set_ctx_nodb(&v3);
    extension = X509V3_EXT_conf_nid(NULL, &v3, NID_authority_key_identifier,
                                    X509_get0_subject_key_id(ca) ? "keyid:always" : "issuer:always");
    ok = extension && X509_CRL_add_ext(crl, extension, -1);
    X509_EXTENSION_free(extension);
    return ok;
}

static int fill(X509_CRL *crl, const mdm_crl_how_t *how)
{
    int i;

    if (!X509_CRL_set_version(crl, X509_CRL_VERSION_2)
        || !X509_CRL_set_issuer_name(crl, X509_get_subject_name(how->ca->x509)) || !set_times(crl, how)
        || !add_key_id(crl, how->ca->x509) || !add_number(crl, how->number))
        return 0;
    for (i = 0; i < how->entries->nelts; i++) {
        if (!add_entry(crl, &APR_ARRAY_IDX(how->entries, i, mdm_crl_entry_t)))
            return 0;
    }
    return 1;
}

apr_status_t mdm_crl_make(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_crl_how_t *how)
{
    X509_CRL *crl = X509_CRL_new();
    unsigned char *bytes = NULL;
    int len = 0;

    ERR_clear_error();
    ctx->rsa_operations++;
    if (crl && fill(crl, how) && X509_CRL_sign(crl, how->ca_key->pkey, EVP_sha256()) > 0)
        len = i2d_X509_CRL(crl, &bytes);
    ERR_clear_error();
    X509_CRL_free(crl);
    if (len <= 0)
        return mdm_fail(ctx, MDM_ECRYPTO, "making a revocation list failed");
    der->data = apr_pmemdup(ctx->pool, bytes, (apr_size_t)len);
    der->len = (apr_size_t)len;
    OPENSSL_free(bytes);
    return APR_SUCCESS;
}
