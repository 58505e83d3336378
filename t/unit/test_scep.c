/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP messages that are right. Requests come from scep_maker (and, for Apple's encoding, in BER); replies
 * are taken apart by the openssl command line. Keys are made when the test runs.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* RSA_METHOD, to count private operations */

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>
#include <openssl/rsa.h>

#include "scep_fixture.h"

static const char *reply_text(void)
{
    return oracle_run("openssl cms -cmsout -print -inform DER -in reply.der");
}

START_TEST(test_b01_request_is_opened)
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

START_TEST(test_b02_b06_b08_b10_success_is_readable)
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

START_TEST(test_b07_attributes_are_in_order)
{
    opens();
    reply();
    attributes_are_sorted();
}
END_TEST

START_TEST(test_b27_nonces_and_serials_are_fresh)
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

    ck_assert_int_eq(mdm_scep_reply_failure(&der, ctx, request, why, text), APR_SUCCESS);
    return der;
}

START_TEST(failure_is_readable)
{
    const char *text;
    mdm_bytes_t der;

    opens();
    der = failure(MDM_SCEP_BAD_REQUEST, "Nicht möglich");
    oracle_write("reply.der", der);
    oracle_run("openssl cms -verify -inform DER -in reply.der -CAfile ca.pem -purpose any -out content;"
               "test ! -s content");
    attributes_are_sorted();
    text = reply_text();
    ck_assert_ptr_null(strstr(text, "eContent: <ABSENT>"));
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

START_TEST(test_b21_stronger_algorithms_are_answered_alike)
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

START_TEST(test_b20_ber_is_read)
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

START_TEST(test_b17_b18_get_messages_are_repaired)
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
static mdm_scep_party_t counting;

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
    counting.cert = ca;
    counting.key = ca_key = counting_key(method);
    server.parties = &counting;
    ck_assert_int_eq(open_bytes(bytes), APR_SUCCESS);
    ck_assert_int_eq(private_operations, 1);
    issued = issue();
    ck_assert_int_eq(private_operations, 2);
    ck_assert_int_eq(mdm_scep_reply_success(&der, ctx, request, issued), APR_SUCCESS);
    ck_assert_int_eq(private_operations, 3);
    failure(MDM_SCEP_BAD_ALG, NULL);
    ck_assert_int_eq(private_operations, 4);
    maker.message_type = "21";
    contents(maker_number(X509_get_subject_name(ca->x509), X509_get0_serialNumber(self)));
    opens();
    ck_assert_int_eq(private_operations, 5);
}
END_TEST

static Suite *scep_suite(void)
{
    Suite *suite = suite_create("scep");
    TCase *tcase = tcase_create("scep");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, scep_start, scep_end);
    tcase_add_test(tcase, test_b01_request_is_opened);
    tcase_add_test(tcase, test_b02_b06_b08_b10_success_is_readable);
    tcase_add_test(tcase, test_b07_attributes_are_in_order);
    tcase_add_test(tcase, test_b27_nonces_and_serials_are_fresh);
    tcase_add_test(tcase, failure_is_readable);
    tcase_add_test(tcase, test_b21_stronger_algorithms_are_answered_alike);
    tcase_add_test(tcase, test_b20_ber_is_read);
    tcase_add_test(tcase, test_b17_b18_get_messages_are_repaired);
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
