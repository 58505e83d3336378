/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes SCEP requests as clients do, and as they must not; see scep_maker.h. Test code only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "scep_maker.h"

#define NEED(expression) \
    do { \
        if (!(expression)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expression); \
            ERR_print_errors_fp(stderr); \
            abort(); \
        } \
    } while (0)

static maker_bytes_t take(BIO *bio)
{
    maker_bytes_t bytes;
    char *data;
    long len = BIO_get_mem_data(bio, &data);

    bytes.len = (size_t)len;
    bytes.data = OPENSSL_memdup(data, bytes.len ? bytes.len : 1);
    BIO_free(bio);
    return bytes;
}

static void add_attribute(CMS_SignerInfo *info, const char *oid, int type, const char *value, int len)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);

    NEED(CMS_signed_add1_attr_by_OBJ(info, object, type, value, len < 0 ? (int)strlen(value) : len));
    ASN1_OBJECT_free(object);
}

/* OpenSSL adds no attribute twice, so the second is added under another name and renamed. */
static void add_again(CMS_SignerInfo *info, const char *oid, const char *value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int at;

    add_attribute(info, "1.2.3.4", V_ASN1_PRINTABLESTRING, value, -1);
    at = CMS_signed_get_attr_count(info) - 1;
    NEED(X509_ATTRIBUTE_set1_object(CMS_signed_get_attr(info, at), object));
    ASN1_OBJECT_free(object);
}

static void add_scep_attributes(CMS_SignerInfo *info, const maker_t *maker)
{
    static const char *const type_oid = "2.16.840.1.113733.1.9.2";
    static const char *const nonce_oid = "2.16.840.1.113733.1.9.5";
    static const char *const transaction_oid = "2.16.840.1.113733.1.9.7";
    int type = maker->transaction_id_type ? maker->transaction_id_type : V_ASN1_PRINTABLESTRING;

    if (maker->message_type)
        add_attribute(info, type_oid, V_ASN1_PRINTABLESTRING, maker->message_type, -1);
    if (maker->transaction_id)
        add_attribute(info, transaction_oid, type, maker->transaction_id,
                      maker->transaction_id_len ? maker->transaction_id_len : -1);
    if (maker->nonce)
        add_attribute(info, nonce_oid, V_ASN1_OCTET_STRING, maker->nonce, maker->nonce_len);
    if (maker->how & MAKER_DOUBLE_TRANSACTION)
        add_again(info, transaction_oid, "second");
    if (maker->how & MAKER_DOUBLE_TYPE)
        add_again(info, type_oid, "17");
}

static void add_recipients(CMS_ContentInfo *cms, const maker_t *maker)
{
    unsigned int flags = maker->how & MAKER_RECIPIENT_KEY_ID ? CMS_USE_KEYID : 0;
    CMS_RecipientInfo *info;

    if (maker->how & MAKER_PASSWORD_RECIPIENT) {
        unsigned char *password = (unsigned char *)OPENSSL_strdup("password");

        NEED(CMS_add0_recipient_password(cms, -1, NID_undef, NID_undef, password, -1, NULL));
        return;
    }
    if (maker->how & MAKER_NO_RECIPIENT)
        return;
    if (maker->how & MAKER_OAEP)
        flags |= CMS_KEY_PARAM;
    info = CMS_add1_recipient_cert(cms, maker->recipient, flags);
    NEED(info);
    if (maker->how & MAKER_OAEP)
        NEED(EVP_PKEY_CTX_set_rsa_padding(CMS_RecipientInfo_get0_pkey_ctx(info), RSA_PKCS1_OAEP_PADDING) > 0);
    if (maker->how & MAKER_TWO_RECIPIENTS)
        NEED(CMS_add1_recipient_cert(cms, maker->second, 0));
}

static maker_bytes_t finish(CMS_ContentInfo *cms, maker_bytes_t content, unsigned int flags)
{
    BIO *in = BIO_new_mem_buf(content.len ? (const char *)content.data : "", (int)content.len);
    BIO *out = BIO_new(BIO_s_mem());

    if (flags & CMS_STREAM) {
        NEED(i2d_CMS_bio_stream(out, cms, in, (int)flags));
    } else {
        NEED(CMS_final(cms, in, NULL, flags));
        NEED(i2d_CMS_bio(out, cms));
    }
    BIO_free(in);
    CMS_ContentInfo_free(cms);
    return take(out);
}

static maker_bytes_t make_envelope(const maker_t *maker)
{
    unsigned int flags = CMS_BINARY | (maker->how & MAKER_BER ? CMS_STREAM : CMS_PARTIAL);
    const EVP_CIPHER *cipher = maker->cipher ? maker->cipher : EVP_aes_128_cbc();
    CMS_ContentInfo *cms;

    if (maker->how & MAKER_AUTH_ENVELOPE)
        cipher = EVP_aes_128_gcm();
    cms = CMS_encrypt(NULL, NULL, cipher, flags);
    NEED(cms);
    add_recipients(cms, maker);
    return finish(cms, maker->content, flags);
}

static void add_extra_certs(CMS_ContentInfo *cms, const maker_t *maker)
{
    int i;

    for (i = 0; i < maker->extra_certs; i++) {
        X509 *copy = X509_dup(maker->second);

        ASN1_INTEGER_set(X509_get_serialNumber(copy), 1000 + i);
        NEED(X509_sign(copy, maker->second_key, EVP_sha256()));
        NEED(CMS_add0_cert(cms, copy));
    }
}

static void add_signers(CMS_ContentInfo *cms, const maker_t *maker, unsigned int flags)
{
    const EVP_MD *digest = maker->digest ? maker->digest : EVP_sha256();
    CMS_SignerInfo *info;

    if (maker->how & MAKER_NO_CERT)
        flags |= CMS_NOCERTS;
    if (maker->how & MAKER_KEY_ID)
        flags |= CMS_USE_KEYID;
    if (maker->how & MAKER_NO_ATTRIBUTES)
        flags |= CMS_NOATTR;
    info = CMS_add1_signer(cms, maker->signer, maker->key, digest, flags);
    NEED(info);
    if (!(maker->how & MAKER_NO_ATTRIBUTES))
        add_scep_attributes(info, maker);
    if (maker->how & MAKER_TWO_SIGNERS) {
        info = CMS_add1_signer(cms, maker->second, maker->second_key, digest, flags);
        NEED(info);
        add_scep_attributes(info, maker);
    }
}

maker_bytes_t maker_message(const maker_t *maker)
{
    unsigned int flags = CMS_BINARY | CMS_NOSMIMECAP | CMS_PARTIAL;
    maker_bytes_t envelope = maker->envelope, message;
    CMS_ContentInfo *cms;

    if (!envelope.len)
        envelope = maker->how & MAKER_INNER_DATA ? maker->content : make_envelope(maker);
    if (maker->how & MAKER_NO_CONTENT)
        flags |= CMS_DETACHED;
    if (maker->how & MAKER_BER)
        flags |= CMS_STREAM;
    cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
    NEED(cms);
    add_signers(cms, maker, flags);
    add_extra_certs(cms, maker);
    message = finish(cms, envelope, flags);
    if (envelope.data != maker->envelope.data && envelope.data != maker->content.data)
        OPENSSL_free(envelope.data);
    return message;
}

static int add_name(X509_NAME *name, const char *text)
{
    /* given as the type of the result, the text is taken as it is, however long */
    return X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING, (const unsigned char *)text, -1, -1, 0);
}

EVP_PKEY *maker_key(int bits)
{
    EVP_PKEY *key = EVP_RSA_gen((unsigned int)bits);

    NEED(key);
    return key;
}

X509 *maker_cert(EVP_PKEY *key, const char *common_name, long offset)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_NAME_new();
    X509_EXTENSION *extension;
    X509V3_CTX v3;

    NEED(add_name(name, common_name));
    NEED(X509_set_version(cert, X509_VERSION_3) && X509_set_subject_name(cert, name)
         && X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key));
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
    X509_gmtime_adj(X509_getm_notBefore(cert), offset);
    X509_gmtime_adj(X509_getm_notAfter(cert), offset + 86400);
    X509V3_set_ctx(&v3, cert, cert, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&v3);
    extension = X509V3_EXT_conf_nid(NULL, &v3, NID_subject_key_identifier, "hash");
    NEED(extension && X509_add_ext(cert, extension, -1));
    NEED(X509_sign(cert, key, EVP_sha256()));
    X509_EXTENSION_free(extension);
    X509_NAME_free(name);
    return cert;
}

maker_bytes_t maker_csr(EVP_PKEY *key, const char *common_name, const char *challenge, const EVP_MD *digest)
{
    X509_REQ *req = X509_REQ_new();
    X509_NAME *name = X509_NAME_new();
    BIO *out = BIO_new(BIO_s_mem());

    NEED(add_name(name, common_name));
    NEED(X509_REQ_set_subject_name(req, name) && X509_REQ_set_pubkey(req, key));
    if (challenge)
        NEED(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_UTF8,
                                       (const unsigned char *)challenge, -1));
    NEED(X509_REQ_sign(req, key, digest ? digest : EVP_sha256()));
    NEED(i2d_X509_REQ_bio(out, req));
    X509_NAME_free(name);
    X509_REQ_free(req);
    return take(out);
}

/* A SEQUENCE of what two encoders give. */
static maker_bytes_t sequence(unsigned char *first, int first_len, unsigned char *second, int second_len)
{
    int inner = first_len + second_len;
    maker_bytes_t made = { NULL, (size_t)ASN1_object_size(1, inner, V_ASN1_SEQUENCE) };
    unsigned char *at;

    NEED(first_len > 0 && second_len > 0);
    made.data = at = OPENSSL_malloc(made.len);
    ASN1_put_object(&at, 1, inner, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(at, first, (size_t)first_len);
    memcpy(at + first_len, second, (size_t)second_len);
    OPENSSL_free(first);
    OPENSSL_free(second);
    return made;
}

maker_bytes_t maker_poll(const X509_NAME *issuer, const X509_NAME *subject)
{
    unsigned char *a = NULL, *b = NULL;
    int a_len = i2d_X509_NAME(issuer, &a), b_len = i2d_X509_NAME(subject, &b);

    return sequence(a, a_len, b, b_len);
}

maker_bytes_t maker_number(const X509_NAME *issuer, const ASN1_INTEGER *serial)
{
    unsigned char *a = NULL, *b = NULL;
    int a_len = i2d_X509_NAME(issuer, &a), b_len = i2d_ASN1_INTEGER(serial, &b);

    return sequence(a, a_len, b, b_len);
}
