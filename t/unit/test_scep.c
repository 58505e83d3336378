/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP messages. Requests come from scep_maker (and, for Apple's encoding, in BER); replies are taken apart
 * by the openssl command line. Keys are made when the test runs.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* RSA_METHOD, to count private operations */

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "mdm_pki_ossl.h"
#include "mdm_scep.h"
#include "oracle.h"
#include "scep_maker.h"

#define NONCE "0123456789abcdef"

static mdm_ctx_t *ctx;
static mdm_key_t *ca_key;
static mdm_cert_t *ca;
static EVP_PKEY *key;
static X509 *self;
static maker_t maker;
static mdm_scep_request_t *request;
static mdm_scep_fail_info_e fail_info;

static void write_pem(const char *name, X509 *cert, EVP_PKEY *private)
{
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert(cert ? PEM_write_bio_X509(bio, cert)
                   : PEM_write_bio_PKCS8PrivateKey(bio, private, NULL, NULL, 0, NULL, NULL));
    oracle_write(name, mdm_bio_bytes(ctx, bio));
    BIO_free(bio);
}

static void start(void)
{
    ctx = oracle_start();
    ck_assert_int_eq(mdm_key_generate(&ca_key, ctx, 2048), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_make_ca(&ca, ctx, ca_key, "Org", "Device CA", apr_time_from_sec(86400)),
                     APR_SUCCESS);
    write_pem("ca.pem", ca->x509, NULL);
    key = maker_key(2048);
    self = maker_cert(key, "self", 30);
    write_pem("self.pem", self, NULL);
    write_pem("self.key", NULL, key);
    memset(&maker, 0, sizeof(maker));
    maker.signer = self;
    maker.key = key;
    maker.recipient = ca->x509;
    maker.message_type = "19";
    maker.transaction_id = "T+/=1 ";
    maker.nonce = NONCE;
    maker.nonce_len = 16;
    maker.content = maker_csr(key, "device", "sesame", NULL);
    fail_info = (mdm_scep_fail_info_e)99;
}

static void end(void)
{
    OPENSSL_free(maker.content.data);
    X509_free(maker.second);
    EVP_PKEY_free(maker.second_key);
    X509_free(self);
    EVP_PKEY_free(key);
    oracle_end();
}

static mdm_bytes_t message(void)
{
    maker_bytes_t made = maker_message(&maker);
    mdm_bytes_t bytes = { apr_pmemdup(ctx->pool, made.data, made.len), made.len };

    OPENSSL_free(made.data);
    return bytes;
}

static apr_status_t open_bytes(mdm_bytes_t bytes)
{
    apr_status_t rv;

    mdm_ctx_clear(ctx);
    request = NULL;
    rv = mdm_scep_open(&request, &fail_info, ctx, bytes, ca, ca_key);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert(rv == APR_SUCCESS || ctx->detail);
    return rv;
}

static void opens(void)
{
    apr_status_t rv = open_bytes(message());

    ck_assert_msg(rv == APR_SUCCESS, "%s", mdm_ctx_detail(ctx, rv));
}

/* The message must be refused in a signed reply with this failInfo. */
static void fails(int expected)
{
    apr_status_t rv = open_bytes(message());

    ck_assert(rv == MDM_EINPUT || rv == MDM_ECMS);
    ck_assert_msg(request != NULL, "%s", mdm_ctx_detail(ctx, rv));
    ck_assert_msg((int)fail_info == expected, "failInfo %d: %s", (int)fail_info, mdm_ctx_detail(ctx, rv));
}

/* The message must be refused without a reply. */
static void is_no_message(mdm_bytes_t bytes)
{
    ck_assert_int_eq(open_bytes(bytes), MDM_EINPUT);
    ck_assert_ptr_null(request);
}

static mdm_cert_t *issue(void)
{
    apr_time_t now = apr_time_now();
    mdm_issue_t how = { request->csr, ca, ca_key, now, now + apr_time_from_sec(3600) };
    mdm_cert_t *cert;

    ck_assert_int_eq(mdm_cert_issue(&cert, ctx, &how), APR_SUCCESS);
    return cert;
}

/* Issue, reply, and have the command line open the reply; out.pem holds what was in it. */
static mdm_cert_t *reply(void)
{
    mdm_cert_t *issued = issue();
    mdm_bytes_t der;

    ck_assert_int_eq(mdm_scep_reply_success(&der, ctx, request, issued, ca, ca_key), APR_SUCCESS);
    oracle_write("reply.der", der);
    oracle_run("openssl cms -verify -inform DER -in reply.der -CAfile ca.pem -purpose any -binary"
               " -out env.der");
    oracle_run("openssl cms -decrypt -inform DER -in env.der -inkey self.key -recip self.pem -binary"
               " -out in.der");
    oracle_run("openssl pkcs7 -inform DER -in in.der -print_certs -out out.pem");
    return issued;
}

static const char *reply_text(void)
{
    return oracle_run("openssl cms -cmsout -print -inform DER -in reply.der");
}

START_TEST(request_is_opened)
{
    opens();
    ck_assert_int_eq(request->message_type, MDM_SCEP_PKCS_REQ);
    ck_assert_str_eq(request->transaction_id, "T+/=1 ");
    ck_assert_uint_eq(request->sender_nonce.len, 16);
    ck_assert_mem_eq(request->sender_nonce.data, NONCE, 16);
    ck_assert_int_eq(request->digest_nid, NID_sha256);
    ck_assert_int_eq(request->cipher_nid, NID_aes_128_cbc);
    ck_assert_int_eq(X509_cmp(request->signer->x509, self), 0);
    ck_assert_int_eq(mdm_csr_same_key(request->csr, request->signer), 1);
    ck_assert_str_eq(mdm_csr_challenge(ctx, request->csr), "sesame");
    ck_assert_str_eq(mdm_csr_common_name(ctx, request->csr), "device");
    ck_assert_uint_eq(strlen(request->sha256), 64);
}
END_TEST

/* The printed value lines of a signed attribute of reply.der. */
static const char *attribute(const char *oid)
{
    return oracle_run(apr_psprintf(ctx->pool, "openssl asn1parse -inform DER -in reply.der | grep -A2 ':%s$'",
                                   oid));
}

START_TEST(success_is_readable)
{
    const char *text, *serial;

    opens();
    serial = mdm_cert_serial(ctx, reply());
    oracle_has(oracle_run("openssl x509 -in out.pem -noout -serial | tr A-F a-f"),
               apr_pstrcat(ctx->pool, "serial=", serial, "\n", NULL));
    ck_assert_int_eq(oracle_count((const char *)oracle_read("out.pem").data, "BEGIN CERT"), 1);
    oracle_has(oracle_run("openssl verify -purpose sslclient -CAfile ca.pem out.pem"), "OK");
    oracle_has(attribute("2.16.840.1.113733.1.9.2"), "PRINTABLESTRING   :3\n");
    oracle_has(attribute("2.16.840.1.113733.1.9.3"), "PRINTABLESTRING   :0\n");
    oracle_has(attribute("2.16.840.1.113733.1.9.7"), "PRINTABLESTRING   :T+/=1 \n");
    oracle_has(attribute("2.16.840.1.113733.1.9.6"), "OCTET STRING      :0123456789abcdef\n");
    oracle_has(attribute("2.16.840.1.113733.1.9.5"), " l=  16 prim: OCTET STRING");
    text = reply_text();
    ck_assert_int_eq(oracle_count(text, "2.16.840.1.113733.1.9."), 5);
    oracle_has(text, "object: contentType");
    oracle_has(text, "object: messageDigest");
    oracle_has(text, "signatureAlgorithm: \n          algorithm: rsaEncryption");
    ck_assert_int_eq(oracle_count(text, "signatureAlgorithm: \n"), 1);
    oracle_has(text, "digestAlgorithm: \n          algorithm: sha256 (");
    ck_assert_ptr_null(strstr(oracle_run("openssl asn1parse -inform DER -in reply.der"), "l=inf"));
    text = oracle_run("openssl cms -cmsout -print -inform DER -in env.der");
    ck_assert_int_eq(oracle_count(text, "d.ktri"), 1);
    oracle_has(text, "issuer: CN=self\n");
    oracle_has(text, "algorithm: aes-128-cbc");
    oracle_has(text, "algorithm: rsaEncryption");
    text = oracle_run("openssl cms -cmsout -print -inform DER -in in.der");
    oracle_has(text, "eContent: <ABSENT>");
    oracle_has(text, "signerInfos:\n      <EMPTY>");
    ck_assert_ptr_null(strstr(oracle_run("openssl asn1parse -inform DER -in env.der"), "l=inf"));
    ck_assert_ptr_null(strstr(oracle_run("openssl asn1parse -inform DER -in in.der"), "l=inf"));
}
END_TEST

/* The signed attributes of reply.der must stand in the order of their encodings (DER SET OF). */
static void attributes_are_sorted(void)
{
    static const char *const program =
        "import sys\n"
        "def element(b, at):\n"
        "    n = b[at + 1]; head = 2\n"
        "    if n & 0x80:\n"
        "        head += n & 0x7f; n = int.from_bytes(b[at + 2:at + head], 'big')\n"
        "    return b[at], b[at + head:at + head + n], b[at:at + head + n], at + head + n\n"
        "def children(b):\n"
        "    at = 0; found = []\n"
        "    while at < len(b):\n"
        "        tag, value, whole, at = element(b, at); found.append((tag, value, whole))\n"
        "    return found\n"
        "message = element(open('reply.der', 'rb').read(), 0)[1]\n"
        "signed = children(children(children(message)[1][1])[0][1])\n"
        "signer = children(children(signed[-1][1])[0][1])\n"
        "attributes = [c for c in signer if c[0] == 0xa0][0]\n"
        "encodings = [c[2] for c in children(attributes[1])]\n"
        "assert len(encodings) >= 7 and encodings == sorted(encodings)\n";

    oracle_write("sorted.py", mdm_bytes_of(program));
    oracle_run("python3 sorted.py");
}

START_TEST(attributes_are_in_order)
{
    opens();
    reply();
    attributes_are_sorted();
}
END_TEST

START_TEST(nonces_and_serials_are_fresh)
{
    const char *nonce, *serial;

    opens();
    serial = mdm_cert_serial(ctx, reply());
    nonce = attribute("2.16.840.1.113733.1.9.5");
    opens();
    ck_assert_str_ne(serial, mdm_cert_serial(ctx, reply()));
    ck_assert_str_ne(strrchr(nonce, ':'), strrchr(attribute("2.16.840.1.113733.1.9.5"), ':'));
}
END_TEST

static mdm_bytes_t failure(mdm_scep_fail_info_e why, const char *text)
{
    mdm_bytes_t der;

    ck_assert_int_eq(mdm_scep_reply_failure(&der, ctx, request, why, text, ca, ca_key), APR_SUCCESS);
    return der;
}

START_TEST(failure_is_readable)
{
    const char *text;
    mdm_bytes_t der;

    opens();
    der = failure(MDM_SCEP_BAD_REQUEST, "Nicht möglich");
    oracle_write("reply.der", der);
    oracle_run("openssl cms -verify -inform DER -in reply.der -CAfile ca.pem -purpose any"
               " -content /dev/null");
    attributes_are_sorted();
    text = reply_text();
    oracle_has(text, "eContent: <ABSENT>");
    oracle_has(attribute("2.16.840.1.113733.1.9.3"), "PRINTABLESTRING   :2\n");
    oracle_has(attribute("2.16.840.1.113733.1.9.4"), "PRINTABLESTRING   :2\n");
    oracle_has(attribute("2.16.840.1.113733.1.9.7"), "PRINTABLESTRING   :T+/=1 \n");
    oracle_has(attribute("1.3.6.1.5.5.7.24.1"), "UTF8STRING        :Nicht möglich\n");
    der = failure(MDM_SCEP_BAD_ALG, NULL);
    oracle_write("reply.der", der);
    oracle_has(attribute("2.16.840.1.113733.1.9.4"), "PRINTABLESTRING   :0\n");
    ck_assert_ptr_null(strstr(reply_text(), "1.3.6.1.5.5.7.24.1"));
}
END_TEST

START_TEST(stronger_algorithms_are_answered_alike)
{
    maker.cipher = EVP_aes_256_cbc();
    maker.digest = EVP_sha512();
    opens();
    reply();
    oracle_has(oracle_run("openssl cms -cmsout -print -inform DER -in env.der"), "algorithm: aes-256-cbc");
    oracle_has(reply_text(), "digestAlgorithm: \n          algorithm: sha512 (");
    maker.cipher = EVP_aes_192_cbc();
    maker.digest = EVP_sha384();
    opens();
    reply();
    oracle_has(oracle_run("openssl cms -cmsout -print -inform DER -in env.der"), "algorithm: aes-192-cbc");
    oracle_has(reply_text(), "digestAlgorithm: \n          algorithm: sha384 (");
}
END_TEST

START_TEST(ber_is_read)
{
    mdm_bytes_t bytes;

    maker.how = MAKER_BER;
    bytes = message();
    oracle_write("ber.der", bytes);
    oracle_has(oracle_run("openssl asn1parse -inform DER -in ber.der"), "l=inf");
    ck_assert_int_eq(open_bytes(bytes), APR_SUCCESS);
    ck_assert_int_eq(request->cipher_nid, NID_aes_128_cbc);
    reply();
    maker.how = MAKER_BER | MAKER_KEY_ID;
    opens();
}
END_TEST

START_TEST(every_served_type_opens)
{
    static const char *const others[] = { "20", "21", "22" };
    apr_size_t i;

    maker.message_type = "17";
    opens();
    ck_assert_int_eq(request->message_type, MDM_SCEP_RENEWAL_REQ);
    ck_assert_ptr_nonnull(request->csr);
    for (i = 0; i < 3; i++) {
        maker.message_type = others[i];
        opens();
        ck_assert_int_eq(request->message_type, atoi(others[i]));
        ck_assert_ptr_null(request->csr);
    }
}
END_TEST

START_TEST(other_types_are_refused)
{
    static const char *const types[] = { "0", "1",   "2",   "3",    "16", "18", "23",   "99",
                                         "-1", "x", "019", "19 ", "",   "+9", "1900", "0x13" };
    apr_size_t i;

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        maker.message_type = types[i];
        fails(MDM_SCEP_BAD_REQUEST);
        ck_assert_int_eq(request->message_type, 0);
    }
    maker.message_type = NULL;
    fails(MDM_SCEP_BAD_REQUEST);
    maker.message_type = "19";
    maker.how = MAKER_DOUBLE_TYPE;
    fails(MDM_SCEP_BAD_REQUEST);
}
END_TEST

START_TEST(weak_algorithms_are_refused)
{
    maker.digest = EVP_sha1();
    fails(MDM_SCEP_BAD_ALG);
    maker.digest = EVP_md5();
    fails(MDM_SCEP_BAD_ALG);
    maker.digest = EVP_sha224();
    fails(MDM_SCEP_BAD_ALG);
    maker.digest = NULL;
    maker.cipher = EVP_des_ede3_cbc();
    fails(MDM_SCEP_BAD_ALG);
    maker.cipher = EVP_camellia_128_cbc();
    fails(MDM_SCEP_BAD_ALG);
    maker.cipher = NULL;
    OPENSSL_free(maker.content.data);
    maker.content = maker_csr(key, "device", "sesame", EVP_md5());
    fails(MDM_SCEP_BAD_ALG);
}
END_TEST

START_TEST(unfit_keys_are_refused)
{
    EVP_PKEY *weak = maker_key(1024);
    X509 *cert = maker_cert(weak, "weak", 0);

    maker.signer = cert;
    maker.key = weak;
    fails(MDM_SCEP_BAD_REQUEST);
    maker.signer = self;
    maker.key = key;
    OPENSSL_free(maker.content.data);
    maker.content = maker_csr(weak, "device", "sesame", NULL);
    fails(MDM_SCEP_BAD_REQUEST);
    X509_free(cert);
    EVP_PKEY_free(weak);
}
END_TEST

START_TEST(broken_csrs_are_refused)
{
    maker.content.data[maker.content.len - 1] ^= 1;
    fails(MDM_SCEP_BAD_REQUEST);
    maker.content.data[maker.content.len - 1] ^= 1;
    maker.content.len--;
    fails(MDM_SCEP_BAD_MESSAGE_CHECK);
    maker.content.len = 0;
    fails(MDM_SCEP_BAD_MESSAGE_CHECK);
}
END_TEST

START_TEST(messages_without_identity_are_no_messages)
{
    static const char long_text[300] = "";
    char text[300];

    maker.transaction_id = NULL;
    is_no_message(message());
    maker.transaction_id = "";
    is_no_message(message());
    maker.transaction_id = "a\0b";
    maker.transaction_id_len = 3;
    is_no_message(message());
    memset(text, 't', sizeof(text));
    maker.transaction_id = text;
    maker.transaction_id_len = 256;
    is_no_message(message());
    maker.transaction_id_len = 255;
    opens();
    maker.transaction_id_type = V_ASN1_OCTET_STRING;
    is_no_message(message());
    maker.transaction_id_type = 0;
    maker.how = MAKER_DOUBLE_TRANSACTION;
    is_no_message(message());
    maker.how = 0;
    maker.nonce = NULL;
    is_no_message(message());
    maker.nonce = long_text;
    maker.nonce_len = 0;
    is_no_message(message());
    maker.nonce_len = 65;
    is_no_message(message());
    maker.nonce_len = 64;
    opens();
    ck_assert_uint_eq(request->sender_nonce.len, 64);
    maker.how = MAKER_NO_ATTRIBUTES;
    is_no_message(message());
}
END_TEST

START_TEST(signers_are_counted)
{
    mdm_cert_t *issued;

    maker.second_key = maker_key(2048);
    maker.second = maker_cert(maker.second_key, "second", 0);
    maker.how = MAKER_TWO_SIGNERS;
    is_no_message(message());
    maker.how = MAKER_NO_CERT;
    is_no_message(message());
    maker.extra_certs = 1;
    is_no_message(message());
    maker.how = 0;
    maker.extra_certs = 4;
    is_no_message(message());
    maker.extra_certs = 3;
    opens();
    issued = reply();
    ck_assert_int_eq(mdm_csr_same_key(request->csr, issued), 1);
    oracle_run("openssl cms -cmsout -print -inform DER -in env.der > env.txt;"
               "test $(grep -c d.ktri env.txt) = 1");
}
END_TEST

START_TEST(envelopes_are_checked)
{
    static const unsigned int wrong[] = { MAKER_NO_RECIPIENT, MAKER_TWO_RECIPIENTS, MAKER_RECIPIENT_KEY_ID,
                                          MAKER_PASSWORD_RECIPIENT, MAKER_OAEP };
    apr_size_t i;

    maker.second_key = maker_key(2048);
    maker.second = maker_cert(maker.second_key, "second", 0);
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        maker.how = wrong[i];
        fails(MDM_SCEP_BAD_MESSAGE_CHECK);
    }
    maker.how = 0;
    maker.recipient = maker.second;
    fails(MDM_SCEP_BAD_MESSAGE_CHECK);
    maker.recipient = ca->x509;
    maker.how = MAKER_INNER_DATA;
    fails(MDM_SCEP_BAD_REQUEST);
    maker.how = MAKER_AUTH_ENVELOPE;
    fails(MDM_SCEP_BAD_REQUEST);
    maker.how = MAKER_NO_CONTENT;
    fails(MDM_SCEP_BAD_REQUEST);
}
END_TEST

/* The envelope of a good message, to be spoiled. */
static maker_bytes_t envelope(void)
{
    mdm_bytes_t bytes;
    maker_bytes_t copy;

    oracle_write("good.der", message());
    oracle_run("openssl cms -verify -noverify -inform DER -in good.der -binary -out env.der");
    bytes = oracle_read("env.der");
    copy.data = apr_pmemdup(ctx->pool, bytes.data, bytes.len);
    copy.len = bytes.len;
    return copy;
}

/* Wrong RSA padding, wrong content padding and contents that are no request cannot be told apart. */
START_TEST(decryption_failures_look_alike)
{
    maker_bytes_t good = envelope();
    size_t encrypted_key, i;
    const char *detail;

    oracle_run("openssl asn1parse -inform DER -in env.der | grep 'l= 256 prim: OCTET' | cut -d: -f1"
               " > at.txt");
    encrypted_key = (size_t)atol((const char *)oracle_read("at.txt").data);
    ck_assert_uint_gt(encrypted_key, 0);
    maker.envelope = good;
    opens();
    good.data[good.len - 1] ^= 0x55;
    fails(MDM_SCEP_BAD_MESSAGE_CHECK);
    detail = apr_pstrdup(ctx->pool, ctx->detail);
    good.data[good.len - 1] ^= 0x55;
    for (i = 0; i < 40; i++) {
        good.data[encrypted_key + 100 + i] ^= 0x55;
        fails(MDM_SCEP_BAD_MESSAGE_CHECK);
        ck_assert_str_eq(ctx->detail, detail);
        good.data[encrypted_key + 100 + i] ^= 0x55;
    }
    maker.envelope.len = 0;
    maker.content.len -= 40;
    fails(MDM_SCEP_BAD_MESSAGE_CHECK);
    ck_assert_str_eq(ctx->detail, detail);
    maker.content.len += 40;
}
END_TEST

START_TEST(broken_signatures_are_bad_message_checks)
{
    mdm_bytes_t good = message(), bytes = { apr_pmemdup(ctx->pool, good.data, good.len), good.len };
    unsigned char *data = (unsigned char *)bytes.data;
    apr_size_t i;

    data[bytes.len - 1] ^= 1;
    ck_assert_int_eq(open_bytes(bytes), MDM_ECMS);
    ck_assert_int_eq(fail_info, MDM_SCEP_BAD_MESSAGE_CHECK);
    data[bytes.len - 1] ^= 1;
    for (i = 0; i < bytes.len && memcmp(data + i, NONCE, 16); i++)
        ;
    data[i] ^= 1;
    ck_assert_int_eq(open_bytes(bytes), MDM_ECMS);
    ck_assert_int_eq(fail_info, MDM_SCEP_BAD_MESSAGE_CHECK);
    data[i] ^= 1;
    ck_assert_int_eq(open_bytes(bytes), APR_SUCCESS);
}
END_TEST

START_TEST(other_input_is_no_message)
{
    mdm_bytes_t good = message(), bytes;
    unsigned char *data = apr_pcalloc(ctx->pool, 70000);

    memcpy(data, good.data, good.len);
    bytes.data = data;
    bytes.len = good.len + 1;
    is_no_message(bytes);
    bytes.len = 70000;
    is_no_message(bytes);
    bytes.len = 0;
    is_no_message(bytes);
    oracle_write("good.der", good);
    oracle_run("openssl cms -verify -noverify -inform DER -in good.der -binary -out env.der");
    is_no_message(oracle_read("env.der"));
    oracle_run("openssl crl2pkcs7 -nocrl -certfile ca.pem -outform DER -out deg.der");
    is_no_message(oracle_read("deg.der"));
    memset(data, 0x30, 40000);
    for (bytes.len = 0; bytes.len < 40000; bytes.len += 2)
        memcpy(data + bytes.len, "\x30\x80", 2);
    is_no_message(bytes);
}
END_TEST

START_TEST(cut_and_flipped_messages_do_no_harm)
{
    mdm_bytes_t good = message(), bytes = good;
    unsigned char *data;
    apr_size_t i;

    for (bytes.len = 0; bytes.len < good.len; bytes.len += 1 + good.len / 64)
        is_no_message(bytes);
    bytes.len = good.len;
    bytes.data = data = apr_pmemdup(ctx->pool, good.data, good.len);
    for (i = 0; i < 256; i++) {
        apr_size_t at = i * good.len / 256;
        apr_status_t rv;

        data[at] ^= (unsigned char)(1 << i % 8);
        rv = open_bytes(bytes);
        ck_assert_msg(rv == MDM_EINPUT || rv == MDM_ECMS || (rv == APR_SUCCESS && request), "byte %d",
                      (int)at);
        data[at] ^= (unsigned char)(1 << i % 8);
    }
}
END_TEST

START_TEST(get_messages_are_repaired)
{
    mdm_bytes_t out;

    ck_assert_int_eq(mdm_scep_message_from_text(&out, ctx, "+/ +\r\n/+8="), APR_SUCCESS);
    ck_assert_uint_eq(out.len, 5);
    ck_assert_mem_eq(out.data, "\xfb\xff\xbe\xff\xef", 5);
    ck_assert_int_eq(mdm_scep_message_from_text(&out, ctx, ""), MDM_EINPUT);
    ck_assert_int_eq(mdm_scep_message_from_text(&out, ctx, NULL), MDM_EINPUT);
    ck_assert_int_eq(mdm_scep_message_from_text(&out, ctx, "a-_="), MDM_EINPUT);
    ck_assert_int_eq(mdm_scep_message_from_text(&out, ctx, "abc"), MDM_EINPUT);
}
END_TEST

static int private_operations;

static int count_encrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
    private_operations++;
    return RSA_meth_get_priv_enc(RSA_PKCS1_OpenSSL())(len, from, to, rsa, padding);
}

static int count_decrypt(int len, const unsigned char *from, unsigned char *to, RSA *rsa, int padding)
{
    private_operations++;
    return RSA_meth_get_priv_dec(RSA_PKCS1_OpenSSL())(len, from, to, rsa, padding);
}

static apr_status_t free_method(void *method)
{
    RSA_meth_free(method);
    return APR_SUCCESS;
}

/* The CA's key again, with a method that counts. */
static mdm_key_t *counting_key(RSA_METHOD *method)
{
    RSA *rsa = EVP_PKEY_get1_RSA(ca_key->pkey);
    RSA *copy = RSAPrivateKey_dup(rsa);
    EVP_PKEY *pkey = EVP_PKEY_new();

    RSA_free(rsa);
    RSA_meth_set_priv_enc(method, count_encrypt);
    RSA_meth_set_priv_dec(method, count_decrypt);
    RSA_set_method(copy, method);
    EVP_PKEY_assign_RSA(pkey, copy);
    return mdm_key_adopt(ctx, pkey);
}

START_TEST(three_private_operations_a_request)
{
    RSA_METHOD *method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    mdm_bytes_t bytes = message(), der;
    mdm_cert_t *issued;

    apr_pool_cleanup_register(ctx->pool, method, free_method, apr_pool_cleanup_null);
    ca_key = counting_key(method);
    ck_assert_int_eq(open_bytes(bytes), APR_SUCCESS);
    ck_assert_int_eq(private_operations, 1);
    issued = issue();
    ck_assert_int_eq(private_operations, 2);
    ck_assert_int_eq(mdm_scep_reply_success(&der, ctx, request, issued, ca, ca_key), APR_SUCCESS);
    ck_assert_int_eq(private_operations, 3);
    failure(MDM_SCEP_BAD_ALG, NULL);
    ck_assert_int_eq(private_operations, 4);
    maker.message_type = "21";
    opens();
    ck_assert_int_eq(private_operations, 4);
}
END_TEST

static Suite *scep_suite(void)
{
    Suite *suite = suite_create("scep");
    TCase *tcase = tcase_create("scep");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, request_is_opened);
    tcase_add_test(tcase, success_is_readable);
    tcase_add_test(tcase, attributes_are_in_order);
    tcase_add_test(tcase, nonces_and_serials_are_fresh);
    tcase_add_test(tcase, failure_is_readable);
    tcase_add_test(tcase, stronger_algorithms_are_answered_alike);
    tcase_add_test(tcase, ber_is_read);
    tcase_add_test(tcase, every_served_type_opens);
    tcase_add_test(tcase, other_types_are_refused);
    tcase_add_test(tcase, weak_algorithms_are_refused);
    tcase_add_test(tcase, unfit_keys_are_refused);
    tcase_add_test(tcase, broken_csrs_are_refused);
    tcase_add_test(tcase, messages_without_identity_are_no_messages);
    tcase_add_test(tcase, signers_are_counted);
    tcase_add_test(tcase, envelopes_are_checked);
    tcase_add_test(tcase, decryption_failures_look_alike);
    tcase_add_test(tcase, broken_signatures_are_bad_message_checks);
    tcase_add_test(tcase, other_input_is_no_message);
    tcase_add_test(tcase, cut_and_flipped_messages_do_no_harm);
    tcase_add_test(tcase, get_messages_are_repaired);
    tcase_add_test(tcase, three_private_operations_a_request);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(scep_suite());
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
