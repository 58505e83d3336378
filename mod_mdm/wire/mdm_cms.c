/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SignedData: signing profiles, checking the Mdm-Signature of requests and the answers of the enrollment over
 * the air. Called in any thread with input from the network. Trusts no chain and reads no trust store: a
 * verified signer is only a certificate whose key signed.
 */
#include <limits.h>
#include <time.h>

#include <apr_strings.h>
#include <apr_tables.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "mdm_cms.h"
#include "mdm_cms_ossl.h"

#define CMS_MAX_BYTES (64 * 1024)
#define DETACHED_MAX_CERTS 4
#define ATTACHED_MAX_CERTS 8
#define MAX_ATTRIBUTES 32
#define BUILT_IN_MIN_BITS 1024

static apr_status_t free_cms(void *baton)
{
    CMS_ContentInfo_free(baton);
    return APR_SUCCESS;
}

/* The certificate that the SignerInfo names; NULL when there is none, or more than one. */
static X509 *named_signer(CMS_SignerInfo *signer_info, STACK_OF(X509) *certs)
{
    X509 *found = NULL;
    int i;

    for (i = 0; i < sk_X509_num(certs); i++) {
        X509 *candidate = sk_X509_value(certs, i);

        if (CMS_SignerInfo_cert_cmp(signer_info, candidate))
            continue;
        if (found)
            return NULL;
        found = candidate;
    }
    return found;
}

static int attribute_is_sane(CMS_SignerInfo *signer_info, int at)
{
    X509_ATTRIBUTE *attribute = CMS_signed_get_attr(signer_info, at);
    const ASN1_OBJECT *object = X509_ATTRIBUTE_get0_object(attribute);
    ASN1_TYPE *value;

    if (X509_ATTRIBUTE_count(attribute) != 1)
        return 0;
    if (CMS_signed_get_attr_by_OBJ(signer_info, object, -1) != at
        || CMS_signed_get_attr_by_OBJ(signer_info, object, at) >= 0)
        return 0;
    if (OBJ_obj2nid(object) != NID_pkcs9_contentType)
        return 1;
    value = X509_ATTRIBUTE_get0_type(attribute, 0);
    return ASN1_TYPE_get(value) == V_ASN1_OBJECT && OBJ_obj2nid(value->value.object) == NID_pkcs7_data;
}

static int is_sha(int nid)
{
    return nid == NID_sha1 || nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
}

static int add_chain(CMS_ContentInfo *cms, const mdm_cert_t *signer, const apr_array_header_t *chain)
{
    int i;

    for (i = 0; chain && i < chain->nelts; i++) {
        X509 *x509 = APR_ARRAY_IDX(chain, i, mdm_cert_t *)->x509;

        if (X509_cmp(x509, signer->x509) && !CMS_add1_cert(cms, x509))
            return 0;
    }
    return 1;
}

static apr_status_t parse(CMS_ContentInfo **cms, mdm_ctx_t *ctx, mdm_bytes_t bytes)
{
    const unsigned char *end = bytes.data;
    CMS_ContentInfo *parsed;

    if (bytes.len > INT_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "the CMS message is too large");
    ERR_clear_error();
    parsed = bytes.len ? d2i_CMS_ContentInfo(NULL, &end, (long)bytes.len) : NULL;
    ERR_clear_error();
    if (!parsed)
        return mdm_fail(ctx, MDM_EINPUT, "not a CMS message");
    apr_pool_cleanup_register(ctx->pool, parsed, free_cms, apr_pool_cleanup_null);
    if (end != bytes.data + bytes.len)
        return mdm_fail(ctx, MDM_EINPUT, "bytes follow the CMS message");
    *cms = parsed;
    return APR_SUCCESS;
}

static int is_signed_data(const CMS_ContentInfo *cms)
{
    return OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed
        && OBJ_obj2nid(CMS_get0_eContentType((CMS_ContentInfo *)cms)) == NID_pkcs7_data;
}

/* What is inside a SignedData; nothing when it is detached. */
static mdm_bytes_t content_of(mdm_ctx_t *ctx, CMS_ContentInfo *cms)
{
    ASN1_OCTET_STRING **content = CMS_get0_content(cms);
    mdm_bytes_t bytes = { NULL, 0 };

    if (!content || !*content)
        return bytes;
    bytes.data = ASN1_STRING_get0_data(*content);
    bytes.len = (apr_size_t)ASN1_STRING_length(*content);
    bytes.data = (const unsigned char *)apr_pstrmemdup(ctx->pool, (const char *)bytes.data, bytes.len);
    return bytes;
}

/* Such keys have identities of ACME: hardware makes no others. */
static int is_nist_curve(const EVP_PKEY *pkey)
{
    char name[32] = "";
    size_t len;
    int nid;

    if (!pkey || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_EC)
        return 0;
    nid = EVP_PKEY_get_group_name(pkey, name, sizeof(name), &len) ? OBJ_sn2nid(name) : NID_undef;
    ERR_clear_error();
    return nid == NID_X9_62_prime256v1 || nid == NID_secp384r1 || nid == NID_secp521r1;
}

/* The identities that Apple builds into devices have RSA keys of 1024 bits, and its old device CA too. */
static int key_may_sign(const mdm_cert_t *signer, int attached)
{
    EVP_PKEY *pkey = X509_get0_pubkey(signer->x509);

    if (mdm_rsa_fits(pkey) || (!attached && is_nist_curve(pkey)))
        return 1;
    return attached && pkey && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA
        && EVP_PKEY_get_bits(pkey) >= BUILT_IN_MIN_BITS && EVP_PKEY_get_bits(pkey) < MDM_RSA_MIN_BITS;
}

/* That there is but one such attribute has been seen to before. */
static int read_signing_time(apr_time_t *at, CMS_SignerInfo *signer_info)
{
    int where = CMS_signed_get_attr_by_NID(signer_info, NID_pkcs9_signingTime, -1), is_time;
    const ASN1_TYPE *value;
    struct tm tm;

    *at = 0;
    if (where < 0)
        return 1;
    ERR_clear_error();
    value = X509_ATTRIBUTE_get0_type(CMS_signed_get_attr(signer_info, where), 0);
    is_time = value && (ASN1_TYPE_get(value) == V_ASN1_UTCTIME || ASN1_TYPE_get(value) == V_ASN1_GENERALIZEDTIME)
        && ASN1_TIME_to_tm(value->value.asn1_string, &tm);
    ERR_clear_error();
    if (is_time)
        *at = apr_time_from_sec((apr_time_t)timegm(&tm));
    return is_time;
}

/* The digest, and by what kind of key: RSA with PKCS #1 v1.5, or ECDSA. @return NID_undef for anything else */
static int digest_by(CMS_SignerInfo *signer_info, int *key)
{
    X509_ALGOR *digest_algorithm = NULL, *signature_algorithm = NULL;
    const ASN1_OBJECT *object;
    int digest, signature, signature_digest = NID_undef;

    CMS_SignerInfo_get0_algs(signer_info, NULL, NULL, &digest_algorithm, &signature_algorithm);
    X509_ALGOR_get0(&object, NULL, NULL, digest_algorithm);
    digest = OBJ_obj2nid(object);
    X509_ALGOR_get0(&object, NULL, NULL, signature_algorithm);
    signature = OBJ_obj2nid(object);
    *key = NID_rsaEncryption;
    if (signature == NID_rsaEncryption)
        return digest;
    if (!OBJ_find_sigid_algs(signature, &signature_digest, key) || signature_digest != digest)
        return NID_undef;
    return *key == NID_rsaEncryption || *key == NID_X9_62_id_ecPublicKey ? digest : NID_undef;
}

/* @param content NULL when it is inside */
static apr_status_t check_signature(mdm_cms_signature_t *signature, mdm_ctx_t *ctx, CMS_ContentInfo *cms,
                                    const mdm_bytes_t *content)
{
    mdm_cert_t **signer = &signature->signer;
    CMS_SignerInfo *signer_info;
    int digest, key;
    apr_status_t rv = mdm_cms_only_signer(&signer_info, signer, ctx, cms,
                                          content ? DETACHED_MAX_CERTS : ATTACHED_MAX_CERTS);

    if (rv != APR_SUCCESS)
        return rv;
    if (content && !CMS_is_detached(cms))
        return mdm_fail(ctx, MDM_EINPUT, "the signature is not detached");
    if (!content && CMS_is_detached(cms))
        return mdm_fail(ctx, MDM_EINPUT, "the signed message has no content");
    digest = content ? digest_by(signer_info, &key) : mdm_cms_digest(signer_info);
    if (!is_sha(digest))
        return mdm_fail(ctx, MDM_EINPUT, "the signature is not RSA%s with SHA-1 or SHA-2", content ? " or ECDSA" : "");
    if (!key_may_sign(*signer, !content))
        return mdm_fail(ctx, MDM_EINPUT, "the signer's key is not RSA of %d to %d bits%s",
                        content ? MDM_RSA_MIN_BITS : BUILT_IN_MIN_BITS, MDM_RSA_MAX_BITS,
                        content ? " or on P-256, P-384 or P-521" : "");
    if (!mdm_cms_attributes_are_sane(signer_info))
        return mdm_fail(ctx, MDM_EINPUT, "the signed attributes are doubled or wrong");
    if (!read_signing_time(&signature->signed_at, signer_info))
        return mdm_fail(ctx, MDM_EINPUT, "the signature's signingTime is no time");
    signature->sha1 = digest == NID_sha1;
    if (!mdm_cms_signature_holds(cms, signer_info, *signer, content))
        return mdm_fail(ctx, MDM_ECMS, "the signature does not hold over the content");
    return APR_SUCCESS;
}

static apr_status_t adopt_certs(apr_array_header_t *certs, mdm_ctx_t *ctx, CMS_ContentInfo *cms)
{
    STACK_OF(X509) *stack;
    apr_status_t rv = APR_SUCCESS;
    int i;

    ERR_clear_error();
    stack = CMS_get1_certs(cms);
    for (i = 0; rv == APR_SUCCESS && i < sk_X509_num(stack); i++) {
        X509 *x509 = sk_X509_value(stack, i);
        mdm_cert_t *cert = NULL;

        rv = X509_up_ref(x509) ? mdm_cert_adopt(&cert, ctx, x509) : MDM_ECRYPTO;
        APR_ARRAY_PUSH(certs, mdm_cert_t *) = cert;
    }
    sk_X509_pop_free(stack, X509_free);
    ERR_clear_error();
    return rv;
}

apr_status_t mdm_cms_parse(CMS_ContentInfo **cms, mdm_ctx_t *ctx, mdm_bytes_t bytes)
{
    if (bytes.len > CMS_MAX_BYTES)
        return mdm_fail(ctx, MDM_EINPUT, "the CMS message is over %d bytes", CMS_MAX_BYTES);
    return parse(cms, ctx, bytes);
}

apr_status_t mdm_cms_only_signer(CMS_SignerInfo **signer_info, mdm_cert_t **signer, mdm_ctx_t *ctx,
                                 CMS_ContentInfo *cms, int max_certs)
{
    STACK_OF(CMS_SignerInfo) *infos;
    STACK_OF(X509) *certs;
    X509 *x509 = NULL;
    int n;

    if (!is_signed_data(cms))
        return mdm_fail(ctx, MDM_EINPUT, "the CMS message is not SignedData over plain data");
    infos = CMS_get0_SignerInfos(cms);
    if (sk_CMS_SignerInfo_num(infos) != 1)
        return mdm_fail(ctx, MDM_EINPUT, "the CMS message does not have exactly one signer");
    *signer_info = sk_CMS_SignerInfo_value(infos, 0);
    ERR_clear_error();
    certs = CMS_get1_certs(cms);
    n = certs ? sk_X509_num(certs) : 0;
    if (n <= max_certs)
        x509 = named_signer(*signer_info, certs);
    if (x509 && !X509_up_ref(x509))
        x509 = NULL;
    sk_X509_pop_free(certs, X509_free);
    ERR_clear_error();
    if (n > max_certs)
        return mdm_fail(ctx, MDM_EINPUT, "the CMS message holds over %d certificates", max_certs);
    if (!x509)
        return mdm_fail(ctx, MDM_EINPUT, "the CMS message does not hold its signer's certificate");
    return mdm_cert_adopt(signer, ctx, x509);
}

int mdm_cms_digest(CMS_SignerInfo *signer_info)
{
    int key, digest = digest_by(signer_info, &key);

    return key == NID_rsaEncryption ? digest : NID_undef;
}

int mdm_cms_attributes_are_sane(CMS_SignerInfo *signer_info)
{
    int n = CMS_signed_get_attr_count(signer_info), i;

    if (n > MAX_ATTRIBUTES)
        return 0;
    for (i = 0; i < n; i++)
        if (!attribute_is_sane(signer_info, i))
            return 0;
    return 1;
}

int mdm_cms_signature_holds(CMS_ContentInfo *cms, CMS_SignerInfo *signer_info, const mdm_cert_t *signer,
                            const mdm_bytes_t *content)
{
    unsigned int flags = CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN | CMS_BINARY;
    BIO *in = content ? mdm_bio_of(*content) : NULL, *out = BIO_new(BIO_s_null());
    int holds = 0;

    ERR_clear_error();
    if (out && (in || !content)) {
        CMS_SignerInfo_set1_signer_cert(signer_info, signer->x509);
        holds = CMS_verify(cms, NULL, NULL, in, out, flags) == 1;
    }
    ERR_clear_error();
    BIO_free(in);
    BIO_free(out);
    return holds;
}

apr_status_t mdm_cms_encode(mdm_bytes_t *der, mdm_ctx_t *ctx, const CMS_ContentInfo *cms)
{
    unsigned char *data, *end;
    int len;

    ERR_clear_error();
    len = i2d_CMS_ContentInfo(cms, NULL);
    if (len > 0) {
        data = end = apr_palloc(ctx->pool, (apr_size_t)len);
        len = i2d_CMS_ContentInfo(cms, &end);
        der->data = data;
        der->len = (apr_size_t)len;
    }
    ERR_clear_error();
    return len > 0 ? APR_SUCCESS : mdm_fail(ctx, MDM_ECRYPTO, "encoding a CMS message failed");
}

apr_status_t mdm_cms_sign(mdm_bytes_t *der, mdm_ctx_t *ctx, mdm_bytes_t content, const mdm_cert_t *cert,
                          const mdm_key_t *key, const apr_array_header_t *chain)
{
    unsigned int flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
    BIO *in = mdm_bio_of(content);
    CMS_ContentInfo *cms;
    apr_status_t rv = MDM_ECRYPTO;

    ERR_clear_error();
    ctx->rsa_operations++;
    cms = in ? CMS_sign(NULL, NULL, NULL, NULL, flags) : NULL;
    if (cms && CMS_add1_signer(cms, cert->x509, key->pkey, EVP_sha256(), flags) && add_chain(cms, cert, chain)
        && CMS_final(cms, in, NULL, flags))
        rv = mdm_cms_encode(der, ctx, cms);
    ERR_clear_error();
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    if (rv != APR_SUCCESS)
        return mdm_fail(ctx, rv, "signing a CMS message failed: does the key belong to the certificate?");
    return APR_SUCCESS;
}

apr_status_t mdm_cms_verify_detached(mdm_cms_signature_t *signature, mdm_ctx_t *ctx, mdm_bytes_t der,
                                     mdm_bytes_t content)
{
    mdm_cms_signature_t read = { NULL, 0, 0 };
    CMS_ContentInfo *cms;
    apr_status_t rv = mdm_cms_parse(&cms, ctx, der);

    if (rv == APR_SUCCESS)
        rv = check_signature(&read, ctx, cms, &content);
    if (rv == APR_SUCCESS)
        *signature = read;
    return rv;
}

apr_status_t mdm_cms_verify_attached(mdm_bytes_t *content, mdm_cert_t **signer, apr_array_header_t **certs,
                                     mdm_ctx_t *ctx, mdm_bytes_t der)
{
    apr_array_header_t *all = apr_array_make(ctx->pool, ATTACHED_MAX_CERTS, sizeof(mdm_cert_t *));
    mdm_cms_signature_t read = { NULL, 0, 0 };
    CMS_ContentInfo *cms;
    apr_status_t rv = mdm_cms_parse(&cms, ctx, der);

    if (rv == APR_SUCCESS)
        rv = check_signature(&read, ctx, cms, NULL);
    if (rv == APR_SUCCESS)
        rv = adopt_certs(all, ctx, cms);
    if (rv != APR_SUCCESS)
        return rv;
    *content = content_of(ctx, cms);
    *signer = read.signer;
    *certs = all;
    return APR_SUCCESS;
}

apr_status_t mdm_cms_content(mdm_bytes_t *content, mdm_ctx_t *ctx, mdm_bytes_t der)
{
    CMS_ContentInfo *cms;
    apr_status_t rv = parse(&cms, ctx, der);

    if (rv != APR_SUCCESS)
        return rv;
    if (!is_signed_data(cms) || CMS_is_detached(cms))
        return mdm_fail(ctx, MDM_EINPUT, "the CMS message is not SignedData with plain data inside");
    *content = content_of(ctx, cms);
    return APR_SUCCESS;
}
