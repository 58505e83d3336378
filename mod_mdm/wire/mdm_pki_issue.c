/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making certificates: the CA's own (mdmctl, quick start) and device identities (any thread). One RSA private
 * operation each. What goes into a certificate is decided here; of a request only key and subject are taken.
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "mdm_pki_ca.h"
#include "mdm_pki_ossl.h"

#define SERIAL_BYTES 16
#define BACKDATE apr_time_from_sec(10 * 60)

typedef struct {
    int nid;
    const char *value;
} extension_t;

/* Everything about a certificate before it is signed. */
typedef struct {
    const X509_NAME *subject;
    EVP_PKEY *subject_key;
    X509 *issuer;                /* NULL: itself */
    EVP_PKEY *issuer_key;
    apr_time_t not_before, not_after;
    const extension_t *extensions;
    apr_size_t extensions_len;
    const char *crl_url, *ocsp_url;
} draft_t;

/* 16 octets always: the sign bit is clear and the bit below it set, so the number is never short or zero. */
static int set_serial(X509 *x509)
{
    unsigned char bytes[SERIAL_BYTES];
    BIGNUM *number;
    int ok;

    if (mdm_random(bytes, sizeof(bytes)) != APR_SUCCESS)
        return 0;
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40);
    number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    BN_free(number);
    return ok;
}

static int set_time(ASN1_TIME *out, apr_time_t when)
{
    apr_time_t seconds = when / APR_USEC_PER_SEC;

    if (when % APR_USEC_PER_SEC < 0)
        seconds--;
    return ASN1_TIME_adj(out, (time_t)seconds, 0, 0) != NULL;
}

static int add_extension(X509 *x509, X509V3_CTX *v3, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, v3, nid, value);
    int ok = extension && X509_add_ext(x509, extension, -1);

    X509_EXTENSION_free(extension);
    return ok;
}

static int add_extensions(X509 *x509, const draft_t *draft)
{
    X509V3_CTX v3;
    apr_size_t i;

    X509V3_set_ctx(&v3, draft->issuer ? draft->issuer : x509, x509, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&v3);
    for (i = 0; i < draft->extensions_len; i++)
        if (!add_extension(x509, &v3, draft->extensions[i].nid, draft->extensions[i].value))
            return 0;
    if (!draft->issuer)
        return 1;
    return add_extension(x509, &v3, NID_authority_key_identifier,
                         X509_get0_subject_key_id(draft->issuer) ? "keyid:always" : "issuer:always");
}

static GENERAL_NAME *uri_name(const char *url)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *uri = ASN1_IA5STRING_new();

    if (!name || !uri || !ASN1_STRING_set(uri, url, -1)) {
        ASN1_IA5STRING_free(uri);
        GENERAL_NAME_free(name);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, GEN_URI, uri);
    return name;
}

/* A distribution point with the only name `url`; NULL when out of memory. */
static DIST_POINT *crl_point(const char *url)
{
    DIST_POINT *point = DIST_POINT_new();
    GENERAL_NAME *name = uri_name(url);
    DIST_POINT_NAME *where = point ? point->distpoint = DIST_POINT_NAME_new() : NULL;

    if (where) {
        where->type = 0;
        where->name.fullname = GENERAL_NAMES_new();
    }
    if (name && where && where->name.fullname && sk_GENERAL_NAME_push(where->name.fullname, name))
        return point;
    GENERAL_NAME_free(name);
    DIST_POINT_free(point);
    return NULL;
}

/* Built by hand: in the text form that OpenSSL parses, a comma in a URL would begin another value. */
static int add_crl_url(X509 *x509, const char *url)
{
    CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
    DIST_POINT *point = crl_point(url);
    int ok = points && point && sk_DIST_POINT_push(points, point);

    if (ok)
        ok = X509_add1_ext_i2d(x509, NID_crl_distribution_points, points, 0, X509V3_ADD_APPEND) == 1;
    else
        DIST_POINT_free(point);
    CRL_DIST_POINTS_free(points);
    return ok;
}

static int add_ocsp_url(X509 *x509, const char *url)
{
    AUTHORITY_INFO_ACCESS *access = AUTHORITY_INFO_ACCESS_new();
    ACCESS_DESCRIPTION *description = ACCESS_DESCRIPTION_new();
    GENERAL_NAME *name = uri_name(url);
    int ok = access && description && name && sk_ACCESS_DESCRIPTION_push(access, description);

    if (ok) {
        ASN1_OBJECT_free(description->method);
        description->method = OBJ_nid2obj(NID_ad_OCSP);
        GENERAL_NAME_free(description->location);
        description->location = name;
        ok = X509_add1_ext_i2d(x509, NID_info_access, access, 0, X509V3_ADD_APPEND) == 1;
    } else {
        ACCESS_DESCRIPTION_free(description);
        GENERAL_NAME_free(name);
    }
    AUTHORITY_INFO_ACCESS_free(access);
    return ok;
}

static int fill(X509 *x509, const draft_t *draft)
{
    const X509_NAME *issuer = draft->issuer ? X509_get_subject_name(draft->issuer) : draft->subject;

    return X509_set_version(x509, X509_VERSION_3) && set_serial(x509)
        && X509_set_subject_name(x509, draft->subject)
        && X509_set_issuer_name(x509, issuer) && X509_set_pubkey(x509, draft->subject_key)
        && set_time(X509_getm_notBefore(x509), draft->not_before)
        && set_time(X509_getm_notAfter(x509), draft->not_after) && add_extensions(x509, draft)
        && (!draft->crl_url || add_crl_url(x509, draft->crl_url))
        && (!draft->ocsp_url || add_ocsp_url(x509, draft->ocsp_url));
}

/* Not read back from its DER: the search for the key's decoder costs a third of the signature again. */
static apr_status_t sign_draft(mdm_cert_t **cert, mdm_ctx_t *ctx, const draft_t *draft)
{
    X509 *x509 = X509_new();
    int made;

    ERR_clear_error();
    ctx->rsa_operations++;
    made = x509 && fill(x509, draft) && X509_sign(x509, draft->issuer_key, EVP_sha256()) > 0;
    ERR_clear_error();
    if (made)
        return mdm_cert_adopt(cert, ctx, x509);
    X509_free(x509);
    return mdm_fail(ctx, MDM_ECRYPTO, "making a certificate failed");
}

static int add_name(X509_NAME *name, int nid, const char *text)
{
    return X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0);
}

apr_status_t mdm_cert_make_ca(mdm_cert_t **cert, mdm_ctx_t *ctx, const mdm_key_t *key,
                              const char *organization, const char *common_name,
                              apr_time_t not_before, apr_interval_time_t lifetime)
{
    static const extension_t extensions[] = {
        { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
        { NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature,keyEncipherment" },
        { NID_subject_key_identifier, "hash" },
    };
    apr_time_t start = not_before ? not_before : mdm_ctx_now(ctx);
    X509_NAME *name;
    draft_t draft = { NULL, key->pkey, NULL, key->pkey, not_before ? start : start - BACKDATE,
                      start + lifetime, extensions, 3, NULL, NULL };
    apr_status_t rv;
    int named;

    if (!mdm_rsa_fits(key->pkey))
        return mdm_fail(ctx, MDM_EINPUT, "a CA needs an RSA key of %d to %d bits", MDM_RSA_MIN_BITS,
                        MDM_RSA_MAX_BITS);
    if (lifetime <= 0 || !common_name || !*common_name)
        return mdm_fail(ctx, MDM_EINPUT, "a CA needs a common name and a lifetime");
    ERR_clear_error();
    name = X509_NAME_new();
    named = name && (!organization || !*organization || add_name(name, NID_organizationName, organization))
        && add_name(name, NID_commonName, common_name);
    ERR_clear_error();
    draft.subject = name;
    rv = named ? sign_draft(cert, ctx, &draft)
               : mdm_fail(ctx, MDM_EINPUT, "the names of a CA are UTF-8 of 1 to 64 characters");
    X509_NAME_free(name);
    return rv;
}

static apr_status_t check_ca(mdm_ctx_t *ctx, const mdm_issue_t *how)
{
    apr_time_t now = mdm_ctx_now(ctx);

    if (now < how->ca->not_before)
        return mdm_fail(ctx, MDM_ECONFIG, "the CA certificate is not valid yet: check this machine's clock");
    if (now >= how->ca->not_after)
        return mdm_fail(ctx, MDM_ECONFIG, "the CA certificate has expired: make a new one (mdmctl ca init)");
    if (!mdm_cert_is_ca(how->ca))
        return mdm_fail(ctx, MDM_ECONFIG, "the CA certificate may not sign certificates");
    if (!mdm_rsa_fits(how->ca_key->pkey) || !mdm_cert_has_key(how->ca, how->ca_key))
        return mdm_fail(ctx, MDM_ECONFIG, "the CA key is not the RSA key of the CA certificate");
    return APR_SUCCESS;
}

apr_status_t mdm_cert_issue(mdm_cert_t **cert, mdm_ctx_t *ctx, const mdm_issue_t *how)
{
    static const extension_t extensions[] = {
        { NID_basic_constraints, "critical,CA:FALSE" },
        { NID_key_usage, "critical,digitalSignature,keyEncipherment" },
        { NID_ext_key_usage, "clientAuth" },
        { NID_subject_key_identifier, "hash" },
    };
    apr_time_t not_after = how->not_after < how->ca->not_after ? how->not_after : how->ca->not_after;
    draft_t draft = { how->csr->subject, how->csr->pkey,
                      how->ca->x509, how->ca_key->pkey, how->not_before, not_after, extensions, 4,
                      how->crl_url, how->ocsp_url };
    apr_status_t rv = check_ca(ctx, how);

    if (rv != APR_SUCCESS)
        return rv;
    if (how->not_before >= not_after)
        return mdm_fail(ctx, MDM_EINPUT, "the certificate would end before it begins");
    return sign_draft(cert, ctx, &draft);
}

apr_status_t mdm_cert_make_ra(mdm_cert_t **cert, mdm_ctx_t *ctx, const mdm_ra_t *how)
{
    static const extension_t extensions[] = {
        { NID_basic_constraints, "critical,CA:FALSE" },
        { NID_key_usage, "critical,digitalSignature,keyEncipherment" },
        { NID_subject_key_identifier, "hash" },
    };
    mdm_issue_t ca = { NULL, how->ca, how->ca_key, 0, 0, NULL, NULL };
    apr_time_t now = mdm_ctx_now(ctx), end = now + how->lifetime;
    X509_NAME *name;
    draft_t draft = { NULL, how->key->pkey, how->ca->x509, how->ca_key->pkey, now - BACKDATE,
                      end < how->ca->not_after ? end : how->ca->not_after, extensions, 3, NULL, NULL };
    apr_status_t rv = check_ca(ctx, &ca);
    int named;

    if (rv != APR_SUCCESS)
        return rv;
    ERR_clear_error();
    name = X509_NAME_new();
    named = name && (!how->organization || add_name(name, NID_organizationName, how->organization))
        && add_name(name, NID_commonName, how->common_name);
    ERR_clear_error();
    draft.subject = name;
    rv = named ? sign_draft(cert, ctx, &draft)
               : mdm_fail(ctx, MDM_EINPUT, "the names of an RA are UTF-8 of 1 to 64 characters");
    X509_NAME_free(name);
    return rv;
}
