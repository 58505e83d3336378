/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP messages that are wrong, each in one part: they must be refused with the failInfo that says so, or
 * without a reply, and never harm. Keys are made when the test runs.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>

#include "scep_fixture.h"

START_TEST(test_c05_c06_other_types_are_refused)
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

START_TEST(test_c20_c21_weak_algorithms_are_refused)
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

START_TEST(test_c22_unfit_keys_are_refused)
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

START_TEST(test_c14_broken_csrs_are_refused)
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

START_TEST(test_c23_c24_c25_messages_without_identity_are_no_messages)
{
    static const char long_text[300] = "";
    char text[300];

    maker.transaction_id = NULL;
    is_no_message(message());
    maker.transaction_id = "";
    is_no_message(message());
    maker.transaction_id = "'; DROP TABLE certificates; --";
    is_no_message(message());
    maker.transaction_id = "<b>\r\n";
    is_no_message(message());
    maker.transaction_id = "t\xc3\xa4";
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

START_TEST(test_c31_c32_signers_are_counted)
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

START_TEST(test_c18_envelopes_are_checked)
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
START_TEST(test_c19_decryption_failures_look_alike)
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

START_TEST(test_c16_c17_broken_signatures_are_bad_message_checks)
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

START_TEST(test_d30_other_input_is_no_message)
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

START_TEST(test_d31_d32_cut_and_flipped_messages_do_no_harm)
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

/* A request with so many alternative names, made by the command line. */
static maker_bytes_t csr_with_names(int count)
{
    mdm_bytes_t der;
    maker_bytes_t made;

    oracle_run(apr_psprintf(ctx->pool, "(printf '[req]\\ndistinguished_name=d\\nreq_extensions=e\\n"
                            "[d]\\n[e]\\n"
                            "basicConstraints=critical,CA:TRUE\\nextendedKeyUsage=serverAuth,codeSigning\\n"
                            "subjectAltName=@n\\n[n]\\n';"
                            "seq %d | sed 's/.*/DNS.&=host&.example.org/') > many.conf;"
                            "openssl req -new -config many.conf -key self.key -subj /CN=many -outform DER"
                            " -out many.der", count));
    der = oracle_read("many.der");
    made.data = OPENSSL_memdup(der.data, der.len);
    made.len = der.len;
    return made;
}

START_TEST(test_c11_c12_d34_extensions_are_left_out)
{
    const char *text;

    contents(csr_with_names(20));
    opens();
    reply();
    text = oracle_run("openssl x509 -in out.pem -noout -text");
    ck_assert_int_eq(oracle_count(text, "DNS:"), 0);
    oracle_has(text, "CA:FALSE");
    oracle_has(text, "TLS Web Client Authentication\n");
    ck_assert_int_eq(oracle_count(text, "TLS Web Server Authentication"), 0);
    ck_assert_int_eq(oracle_count(text, "Code Signing"), 0);
    contents(csr_with_names(2000));
    fails(MDM_SCEP_BAD_MESSAGE_CHECK);
}
END_TEST

START_TEST(test_d34_names_are_refused_or_encoded)
{
    static const char *const refused[] = { "a\r\nb", "a\tb", "\x7f", "\x1b[31m" };
    char *text = apr_palloc(ctx->pool, 60001);
    apr_size_t i;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        contents(maker_csr(key, refused[i], NULL, NULL));
        fails(MDM_SCEP_BAD_REQUEST);
        ck_assert_ptr_null(request->csr);
    }
    memset(text, 'a', 60000);
    text[60000] = '\0';
    contents(maker_csr(key, text, NULL, NULL));
    fails(MDM_SCEP_BAD_MESSAGE_CHECK);
    text[15000] = '\0';
    contents(maker_csr(key, text, NULL, NULL));
    fails(MDM_SCEP_BAD_REQUEST);
    contents(maker_csr(key, "<b>&'\"\\,+;#=", NULL, NULL));
    opens();
    ck_assert_str_eq(mdm_csr_common_name(ctx, request->csr), "<b>&'\"\\,+;#=");
    reply();
    oracle_has(oracle_run("openssl x509 -in out.pem -noout -subject -nameopt utf8,sep_comma_plus"),
               "subject=CN=<b>&'\"\\,+;#=");
}
END_TEST

static Suite *hostile_suite(void)
{
    Suite *suite = suite_create("scep_hostile");
    TCase *tcase = tcase_create("scep_hostile");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, scep_start, scep_end);
    tcase_add_test(tcase, test_c05_c06_other_types_are_refused);
    tcase_add_test(tcase, test_c20_c21_weak_algorithms_are_refused);
    tcase_add_test(tcase, test_c22_unfit_keys_are_refused);
    tcase_add_test(tcase, test_c14_broken_csrs_are_refused);
    tcase_add_test(tcase, test_c23_c24_c25_messages_without_identity_are_no_messages);
    tcase_add_test(tcase, test_c31_c32_signers_are_counted);
    tcase_add_test(tcase, test_c18_envelopes_are_checked);
    tcase_add_test(tcase, test_c19_decryption_failures_look_alike);
    tcase_add_test(tcase, test_c16_c17_broken_signatures_are_bad_message_checks);
    tcase_add_test(tcase, test_d30_other_input_is_no_message);
    tcase_add_test(tcase, test_d31_d32_cut_and_flipped_messages_do_no_harm);
    tcase_add_test(tcase, test_c11_c12_d34_extensions_are_left_out);
    tcase_add_test(tcase, test_d34_names_are_refused_or_encoded);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(hostile_suite());
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
