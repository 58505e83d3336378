/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMS that no honest client sends: each has broken some server. Each must be refused, by a signed failure or
 * without a reply, in less than five seconds, and a good message must open after it. Keys are made when the
 * test runs.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "der_surgery.h"
#include "scep_fixture.h"

#define LIMIT apr_time_from_sec(5)

static const der_path_t digest_algorithms = DER_DIGEST_ALGORITHMS, content = DER_CONTENT,
                        certificate = DER_CERTIFICATE, certificates = DER_CERTIFICATES,
                        signer_infos = DER_SIGNER_INFOS, attributes = DER_SIGNED_ATTRIBUTES,
                        recipients = DER_RECIPIENTS, recipient = DER_RECIPIENT;

/* Bytes that live as long as the test. */
static maker_bytes_t kept(maker_bytes_t made)
{
    maker_bytes_t copy = { apr_pmemdup(ctx->pool, made.data, made.len), made.len };

    free(made.data);
    return copy;
}

static maker_bytes_t bytes_of(const char *text, size_t len)
{
    maker_bytes_t bytes = { (unsigned char *)apr_pmemdup(ctx->pool, text, len), len };

    return bytes;
}

static maker_bytes_t replace(maker_bytes_t where, const int *path, maker_bytes_t with)
{
    return kept(der_replace(where, path, with));
}

/* A good message, and the envelope of one. */
static maker_bytes_t good(void)
{
    mdm_bytes_t made = message();

    return bytes_of((const char *)made.data, made.len);
}

static maker_bytes_t good_envelope(void)
{
    maker_bytes_t string = der_at(good(), content);

    string.data += 4;
    string.len -= 4;
    ck_assert_int_eq(string.data[0], 0x30);
    return string;
}

/* Open it within the limit, then a good one. @return whether a signed reply can be built */
static int refused(maker_bytes_t bad)
{
    mdm_bytes_t bytes = { bad.data, bad.len };
    apr_time_t before = apr_time_now();
    apr_status_t rv = open_bytes(bytes);
    int answerable = request != NULL;
    maker_bytes_t envelope = maker.envelope, none = { NULL, 0 };
    unsigned int how = maker.how;
    mdm_bytes_t der;

    ck_assert(rv == MDM_EINPUT || rv == MDM_ECMS);
    ck_assert_int_lt(apr_time_now() - before, LIMIT);
    if (answerable)
        ck_assert_int_eq(mdm_scep_reply_failure(&der, ctx, request, fail_info, mdm_ctx_detail(ctx, rv)),
                         APR_SUCCESS);
    maker.envelope = none;
    maker.how = 0;
    opens();
    maker.envelope = envelope;
    maker.how = how;
    return answerable;
}

static void is_not_answered(maker_bytes_t bad)
{
    ck_assert_int_eq(refused(bad), 0);
}

static void is_answered(maker_bytes_t bad, mdm_scep_fail_info_e expected)
{
    mdm_bytes_t bytes = { bad.data, bad.len };

    ck_assert_int_eq(refused(bad), 1);
    open_bytes(bytes);
    ck_assert_msg(fail_info == expected, "failInfo %d: %s", (int)fail_info, ctx->detail);
}

/* A good signature around this envelope. */
static void envelope_is_answered(maker_bytes_t envelope, mdm_scep_fail_info_e expected)
{
    maker_bytes_t none = { NULL, 0 }, bad;

    maker.envelope = envelope;
    bad = good();
    maker.envelope = none;
    is_answered(bad, expected);
}

START_TEST(test_d01_no_digest_algorithms)
{
    is_answered(replace(good(), digest_algorithms, bytes_of("\x31\0", 2)), MDM_SCEP_BAD_MESSAGE_CHECK);
}
END_TEST

/* The AlgorithmIdentifier at the path without its parameters. */
static maker_bytes_t bare_algorithm(maker_bytes_t where, const int *path)
{
    static const der_path_t first = { 0, -1 };

    return kept(der_wrap(0x30, der_at(der_at(where, path), first)));
}

START_TEST(test_d02_key_agreement_without_parameters)
{
    static const der_path_t algorithm = { 1, 0, 1, 0, 3, -1 };
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    X509 *cert = maker_cert(ec, "ec", 0), *rsa = maker.recipient;
    maker_bytes_t envelope;

    maker.recipient = cert;
    envelope = good_envelope();
    maker.recipient = rsa;
    ck_assert_int_eq(der_at(envelope, recipient).data[0], 0xa1);
    envelope_is_answered(envelope, MDM_SCEP_BAD_MESSAGE_CHECK);
    envelope_is_answered(replace(envelope, algorithm, bare_algorithm(envelope, algorithm)),
                         MDM_SCEP_BAD_MESSAGE_CHECK);
    X509_free(cert);
    EVP_PKEY_free(ec);
}
END_TEST

START_TEST(test_d03_oaep_without_parameters)
{
    static const der_path_t algorithm = { 1, 0, 1, 0, 2, -1 };
    maker_bytes_t envelope;

    maker.how = MAKER_OAEP;
    envelope = good_envelope();
    maker.how = 0;
    envelope_is_answered(envelope, MDM_SCEP_BAD_MESSAGE_CHECK);
    envelope_is_answered(replace(envelope, algorithm, bare_algorithm(envelope, algorithm)),
                         MDM_SCEP_BAD_MESSAGE_CHECK);
}
END_TEST

START_TEST(test_d04_password_recipient)
{
    maker_bytes_t envelope;

    maker.how = MAKER_PASSWORD_RECIPIENT;
    envelope = good_envelope();
    maker.how = 0;
    ck_assert_int_eq(der_at(envelope, recipient).data[0], 0xa3);
    envelope_is_answered(envelope, MDM_SCEP_BAD_MESSAGE_CHECK);
}
END_TEST

/* The envelope with its recipient so many times. */
static maker_bytes_t multiplied(maker_bytes_t envelope, int times)
{
    maker_bytes_t one = der_at(envelope, recipient), all = { NULL, 0 };

    while (times--)
        all = kept(der_join(all, one));
    return replace(envelope, recipients, kept(der_wrap(0x31, all)));
}

START_TEST(test_d05_d06_recipients_are_counted)
{
    maker_bytes_t envelope = good_envelope();

    envelope_is_answered(multiplied(envelope, 0), MDM_SCEP_BAD_MESSAGE_CHECK);
    envelope_is_answered(multiplied(envelope, 2), MDM_SCEP_BAD_MESSAGE_CHECK);
    envelope_is_answered(multiplied(envelope, 150), MDM_SCEP_BAD_MESSAGE_CHECK);
    maker.envelope = multiplied(envelope, 1000);
    is_not_answered(good());
}
END_TEST

START_TEST(test_d07_d10_something_is_absent)
{
    static const der_path_t info = { 1, 0, 2, -1 };

    is_not_answered(replace(good(), signer_infos, bytes_of("\x31\0", 2)));
    is_not_answered(replace(good(), certificates, bytes_of("\xa0\0", 2)));
    is_not_answered(replace(good(), certificates, bytes_of("", 0)));
    is_not_answered(replace(good(), attributes, bytes_of("\xa0\0", 2)));
    is_not_answered(replace(good(), attributes, bytes_of("", 0)));
    is_answered(replace(good(), info, bytes_of("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", 13)),
                MDM_SCEP_BAD_REQUEST);
    is_answered(replace(good(), content, bytes_of("\x04\0", 2)), MDM_SCEP_BAD_MESSAGE_CHECK);
}
END_TEST

START_TEST(test_d11_d13_content_of_another_kind)
{
    static const der_path_t type = { 1, 0, 2, 0, -1 }, outer = { 0, -1 };
    static const char signed_data[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    static const char enveloped_data[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";

    is_not_answered(replace(good(), type, bytes_of(signed_data, 11)));
    is_not_answered(replace(good(), outer, bytes_of(enveloped_data, 11)));
    is_not_answered(replace(good(), outer, bytes_of("\x06\x01\x2a", 3)));
    maker.how = MAKER_AUTH_ENVELOPE;
    is_answered(good(), MDM_SCEP_BAD_REQUEST);
    maker.how = MAKER_INNER_DATA;
    is_answered(good(), MDM_SCEP_BAD_REQUEST);
    maker.how = 0;
    envelope_is_answered(good(), MDM_SCEP_BAD_REQUEST);
}
END_TEST

/* Levels of the tag, opened and never closed, and some that are closed. */
START_TEST(test_d14_40000_levels)
{
    static const char *const tags[] = { "\x30\x80", "\xa0\x80", "\x24\x80", "\x31\x80" };
    maker_bytes_t levels = { apr_palloc(ctx->pool, 80000), 0 }, envelope = good_envelope();
    apr_size_t i, n;
    int level;

    for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        for (n = 0; n < 40000; n++)
            memcpy(levels.data + 2 * n, tags[i], 2);
        levels.len = 80000;
        is_not_answered(levels);
        levels.len = 60000;
        is_not_answered(levels);
        memset(levels.data + 30000, 0, 30000);
        is_not_answered(levels);
        levels.len = 50000;
        is_not_answered(replace(good(), certificate, levels));
        refused(replace(good(), content, levels));
        envelope_is_answered(replace(envelope, recipient, levels), MDM_SCEP_BAD_REQUEST);
    }
    levels.len = 0;
    for (level = 0; level < 200; level++)
        levels = kept(der_wrap(0x30, levels));
    is_not_answered(levels);
}
END_TEST

START_TEST(test_d15_d16_lengths_lie)
{
    static const unsigned char lies[] = { 0x00, 0x01, 0x7f, 0x80, 0x81, 0x83, 0x84, 0x88, 0xff };
    maker_bytes_t bad = good(), longer = kept(der_join(bad, bytes_of("\0", 1)));
    unsigned char *length = der_at(bad, digest_algorithms).data + 1, right = *length;
    apr_size_t i;

    is_not_answered(longer);
    is_not_answered(kept(der_join(bad, bad)));
    for (i = 0; i < sizeof(lies); i++) {
        *length = lies[i];
        refused(bad);
    }
    *length = right;
    bad.data[2] ^= 0x7f;
    is_not_answered(bad);
    bad.data[2] ^= 0x7f;
    memcpy(bad.data, "\x30\x84\x7f\xff\xff\xff", 6);
    is_not_answered(bad);
    memcpy(bad.data, "\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff", 10);
    is_not_answered(bad);
}
END_TEST

/* The signed attribute with the object identifier; children: the type, then the set of values. */
static int attribute_number(maker_bytes_t where, const char *oid, size_t len)
{
    int i;

    for (i = 0; i < 7; i++) {
        const der_path_t type = { 1, 0, 4, 0, 3, i, 0, -1 };
        maker_bytes_t found = der_at(where, type);

        if (found.len == len && !memcmp(found.data, oid, len))
            return i;
    }
    ck_abort_msg("no such attribute");
    return -1;
}

START_TEST(test_d17_d19_attributes_are_odd)
{
    static const char transaction[] = "\x06\x0a\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x07";
    static const char digest[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04";
    static const char type[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03";
    maker_bytes_t bad = good(), all = der_at(bad, attributes), inside = { all.data + 3, all.len - 3 };
    const der_path_t transaction_values = { 1, 0, 4, 0, 3, attribute_number(bad, transaction, 12), 1, -1 };
    const der_path_t digest_values = { 1, 0, 4, 0, 3, attribute_number(bad, digest, 11), 1, -1 };
    const der_path_t type_values = { 1, 0, 4, 0, 3, attribute_number(bad, type, 11), 1, -1 };

    ck_assert_int_eq(all.data[1], 0x81);
    is_not_answered(replace(bad, attributes, kept(der_wrap(0xa0, kept(der_join(inside, inside))))));
    is_not_answered(replace(bad, transaction_values, bytes_of("\x31\0", 2)));
    is_not_answered(replace(bad, transaction_values, bytes_of("\x31\x03\x02\x01\x07", 5)));
    is_not_answered(replace(bad, transaction_values, bytes_of("\x31\x06\x13\x01\x61\x13\x01\x62", 8)));
    is_answered(replace(bad, digest_values, bytes_of("\x31\0", 2)), MDM_SCEP_BAD_REQUEST);
    is_answered(replace(bad, digest_values, bytes_of("\x31\x03\x02\x01\x07", 5)), MDM_SCEP_BAD_MESSAGE_CHECK);
    is_answered(replace(bad, type_values, bytes_of("\x31\0", 2)), MDM_SCEP_BAD_REQUEST);
    is_answered(replace(bad, type_values, bytes_of("\x31\x03\x02\x01\x07", 5)), MDM_SCEP_BAD_REQUEST);
    maker.how = MAKER_DOUBLE_TRANSACTION;
    bad = good();
    maker.how = 0;
    is_not_answered(bad);
}
END_TEST

START_TEST(test_d20_d24_other_junk)
{
    maker_bytes_t random = { apr_palloc(ctx->pool, 2000), 2000 };
    const char *const files[] = { "ca.pem", "ca.der", "crl.p7", "text.p7", "digest.p7", "encrypted.p7" };
    apr_size_t i;

    oracle_run("openssl x509 -in ca.pem -outform DER -out ca.der;"
               "openssl crl2pkcs7 -nocrl -certfile ca.pem -outform DER -out crl.p7;"
               "openssl cms -data_create -in ca.pem -outform DER -out text.p7;"
               "openssl cms -digest_create -in ca.pem -outform DER -out digest.p7;"
               "openssl cms -EncryptedData_encrypt -in ca.pem -outform DER -aes128"
               " -secretkey 000102030405060708090A0B0C0D0E0F -out encrypted.p7");
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        mdm_bytes_t bytes = oracle_read(files[i]);
        maker_bytes_t junk = bytes_of((const char *)bytes.data, bytes.len);

        is_not_answered(junk);
        envelope_is_answered(junk, MDM_SCEP_BAD_REQUEST);
        is_not_answered(replace(good(), certificate, junk));
    }
    for (i = 0; i < 50; i++) {
        mdm_random(random.data, random.len);
        is_not_answered(random);
        random.data[0] = 0x30;
        is_not_answered(random);
    }
}
END_TEST

/* A certificate of the signer's name and number with a key of 16 kbit: computing with it is what costs. */
START_TEST(test_d25_signer_key_of_16_kbit)
{
    static const der_path_t bits = { 0, 6, -1 };
    static const unsigned char algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                               0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
    maker_bytes_t number = { apr_palloc(ctx->pool, 2049), 2049 }, key_bytes, junk;
    maker_bytes_t bad = good(), cert = der_at(bad, certificate);
    const maker_bytes_t exponents[] = { bytes_of("\x02\x03\x01\0\x01", 5),
                                        kept(der_wrap(0x02, number)) };
    apr_size_t i;

    mdm_random(number.data, number.len);
    number.data[0] = 0;
    number.data[1] |= 0x80;
    number.data[2048] |= 1;
    for (i = 0; i < 2; i++) {
        key_bytes = kept(der_wrap(0x30, kept(der_join(kept(der_wrap(0x02, number)), exponents[i]))));
        key_bytes = kept(der_wrap(0x03, kept(der_join(bytes_of("\0", 1), key_bytes))));
        junk = kept(der_join(bytes_of((const char *)algorithm, sizeof(algorithm)), key_bytes));
        junk = replace(cert, bits, kept(der_wrap(0x30, junk)));
        is_answered(replace(bad, certificate, junk), MDM_SCEP_BAD_REQUEST);
    }
    is_not_answered(replace(bad, certificate, replace(cert, bits, bytes_of("\x30\0", 2))));
}
END_TEST

static Suite *junk_suite(void)
{
    Suite *suite = suite_create("scep_junk");
    TCase *tcase = tcase_create("scep_junk");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, scep_start, scep_end);
    tcase_add_test(tcase, test_d01_no_digest_algorithms);
    tcase_add_test(tcase, test_d02_key_agreement_without_parameters);
    tcase_add_test(tcase, test_d03_oaep_without_parameters);
    tcase_add_test(tcase, test_d04_password_recipient);
    tcase_add_test(tcase, test_d05_d06_recipients_are_counted);
    tcase_add_test(tcase, test_d07_d10_something_is_absent);
    tcase_add_test(tcase, test_d11_d13_content_of_another_kind);
    tcase_add_test(tcase, test_d14_40000_levels);
    tcase_add_test(tcase, test_d15_d16_lengths_lie);
    tcase_add_test(tcase, test_d17_d19_attributes_are_odd);
    tcase_add_test(tcase, test_d20_d24_other_junk);
    tcase_add_test(tcase, test_d25_signer_key_of_16_kbit);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(junk_suite());
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
