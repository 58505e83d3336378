/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of SCEP requests and replies beside enrolling: renewal, polling, fetching certificates and CRLs,
 * pending, the answers of GetCACert and GetNextCACert, several addressees, and old algorithms. Replies are
 * taken apart by the openssl command line.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>
#include <openssl/bn.h>
#include <openssl/err.h>

#include "scep_fixture.h"

static mdm_scep_party_t parties[2];

/* A second CA, "two": its key and certificate become parties[1], those of the first parties[0]. */
static void two_parties(void)
{
    mdm_key_t *two_key;
    mdm_cert_t *two;

    ck_assert_int_eq(mdm_key_generate(&two_key, ctx, 2048), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_make_ca(&two, ctx, two_key, NULL, "Two", 0, apr_time_from_sec(86400)),
                     APR_SUCCESS);
    write_cert("two.pem", two->x509);
    parties[0].cert = ca;
    parties[0].key = ca_key;
    parties[1].cert = two;
    parties[1].key = two_key;
    server.parties = parties;
    server.count = 2;
}

static void is_bytes(mdm_bytes_t found, mdm_bytes_t wanted)
{
    ck_assert_uint_eq(found.len, wanted.len);
    ck_assert_mem_eq(found.data, wanted.data, wanted.len);
}

START_TEST(test_e01_renewal_requests_open)
{
    maker.message_type = "17";
    opens();
    ck_assert_int_eq(request->message_type, MDM_SCEP_RENEWAL_REQ);
    ck_assert_ptr_nonnull(request->csr);
    ck_assert_uint_eq(request->issuer.len + request->subject.len, 0);
    ck_assert_ptr_null(request->serial);
}
END_TEST

START_TEST(test_c26_polls_open)
{
    maker.message_type = "20";
    contents(maker_poll(X509_get_subject_name(ca->x509), X509_get_subject_name(self)));
    opens();
    ck_assert_int_eq(request->message_type, MDM_SCEP_CERT_POLL);
    is_bytes(request->issuer, mdm_cert_subject_der(ctx, ca));
    is_bytes(request->subject, mdm_name_der(X509_get_subject_name(self)));
    ck_assert_ptr_null(request->csr);
    ck_assert_ptr_null(request->serial);
}
END_TEST

START_TEST(test_c27_certificates_are_asked_for)
{
    static const char *const types[] = { "21", "22" };
    apr_size_t i;

    contents(maker_number(X509_get_subject_name(ca->x509), X509_get0_serialNumber(ca->x509)));
    for (i = 0; i < 2; i++) {
        maker.message_type = types[i];
        opens();
        ck_assert_int_eq(request->message_type, atoi(types[i]));
        is_bytes(request->issuer, mdm_cert_subject_der(ctx, ca));
        ck_assert_str_eq(request->serial, mdm_cert_serial(ctx, ca));
        ck_assert_uint_eq(request->subject.len, 0);
        ck_assert_ptr_null(request->csr);
    }
}
END_TEST

/* Serial numbers as mdm_cert_serial writes them; none that could be taken for another's. */
START_TEST(serial_numbers_are_judged)
{
    static const char *const numbers[] = { "00",  "7f", "80",  "0123456789abcdef0123456789abcdef01234567",
                                           "-80", "-1", "0123456789abcdef0123456789abcdef0123456789" };
    apr_size_t i;

    maker.message_type = "21";
    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        BIGNUM *number = NULL;
        ASN1_INTEGER *serial;

        ck_assert_int_gt(BN_hex2bn(&number, numbers[i]), 0);
        serial = BN_to_ASN1_INTEGER(number, NULL);
        contents(maker_number(X509_get_subject_name(ca->x509), serial));
        ASN1_INTEGER_free(serial);
        BN_free(number);
        if (i < 4) {
            opens();
            ck_assert_str_eq(request->serial, numbers[i]);
        } else {
            fails(MDM_SCEP_BAD_MESSAGE_CHECK);
            ck_assert_ptr_null(request->serial);
        }
    }
}
END_TEST

static maker_bytes_t copy_of(const void *data, size_t len)
{
    maker_bytes_t made = { OPENSSL_memdup(data, len), len };

    return made;
}

/* What each type carries is carried by no other, and by nothing that is cut, longer, or loosely encoded. */
START_TEST(contents_match_their_type)
{
    static const char *const types[] = { "19", "20", "21", "22" };
    maker_bytes_t good[3], bad;
    size_t type, kind;

    good[0] = maker_csr(key, "device", NULL, NULL);
    good[1] = maker_poll(X509_get_subject_name(ca->x509), X509_get_subject_name(self));
    good[2] = maker_number(X509_get_subject_name(ca->x509), X509_get0_serialNumber(self));
    for (type = 0; type < 4; type++) {
        maker.message_type = types[type];
        for (kind = 0; kind < 3; kind++) {
            contents(copy_of(good[kind].data, good[kind].len));
            if (kind == type || (kind == 2 && type == 3))
                opens();
            else
                fails(MDM_SCEP_BAD_MESSAGE_CHECK);
        }
    }
    for (kind = 0; kind < 3; kind++) {
        maker.message_type = types[kind];
        contents(copy_of(good[kind].data, good[kind].len - 1));
        fails(MDM_SCEP_BAD_MESSAGE_CHECK);
        bad.data = OPENSSL_zalloc(good[kind].len + 1);
        bad.len = good[kind].len + 1;
        memcpy(bad.data, good[kind].data, good[kind].len);
        contents(bad);
        fails(MDM_SCEP_BAD_MESSAGE_CHECK);
        if (kind) {
            memmove(bad.data + 3, bad.data + 2, good[kind].len - 2);
            bad.data[2] = bad.data[1];
            bad.data[1] = 0x81;
            fails(MDM_SCEP_BAD_MESSAGE_CHECK);
            bad.data[1] = 0x80;
            fails(MDM_SCEP_BAD_MESSAGE_CHECK);
        }
        OPENSSL_free(good[kind].data);
    }
}
END_TEST

START_TEST(names_are_bounded)
{
    X509_NAME *name = X509_NAME_new();
    int i;

    maker.message_type = "20";
    for (i = 0; i < 21; i++) {
        ck_assert(X509_NAME_add_entry_by_NID(name, NID_organizationalUnitName, MBSTRING_UTF8,
                                             (const unsigned char *)"unit", -1, -1, 0));
        if (i < 19)
            continue;
        contents(maker_poll(name, X509_get_subject_name(self)));
        if (i == 19)
            opens();
        else
            fails(MDM_SCEP_BAD_MESSAGE_CHECK);
    }
    X509_NAME_free(name);
}
END_TEST

START_TEST(test_c30_crl_travels_in_its_field)
{
    mdm_bytes_t der, crl;
    const char *text;

    write_key("ca.key", ca_key->pkey);
    oracle_run("touch index; echo 01 > number; printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index\\n"
               "crlnumber=number\\ndefault_md=sha256\\n' > ca.conf;"
               "openssl ca -config ca.conf -gencrl -cert ca.pem -keyfile ca.key -crldays 7 -out crl.pem &&"
               "openssl crl -in crl.pem -outform DER -out crl.der");
    crl = oracle_read("crl.der");
    maker.message_type = "22";
    contents(maker_number(X509_get_subject_name(ca->x509), X509_get0_serialNumber(self)));
    opens();
    ck_assert_int_eq(mdm_scep_reply_crl(&der, ctx, request, crl), APR_SUCCESS);
    open_reply(der, "ca");
    text = oracle_run("openssl cms -cmsout -print -inform DER -in in.der");
    ck_assert_int_eq(oracle_count(text, "d.crl:"), 1);
    ck_assert_int_eq(oracle_count(text, "d.certificate:"), 0);
    oracle_has(text, "eContent: <ABSENT>");
    oracle_run("openssl pkcs7 -inform DER -in in.der -print_certs -out out.pem &&"
               "openssl crl -in out.pem -CAfile ca.pem -noout");
}
END_TEST

START_TEST(pending_has_no_envelope)
{
    const char *text;
    mdm_bytes_t der;

    opens();
    ck_assert_int_eq(mdm_scep_reply_pending(&der, ctx, request), APR_SUCCESS);
    oracle_write("reply.der", der);
    oracle_run("openssl cms -verify -inform DER -in reply.der -CAfile ca.pem -purpose any -out content;"
               "test ! -s content");
    text = oracle_run("openssl cms -cmsout -print -inform DER -in reply.der");
    ck_assert_ptr_null(strstr(text, "2.16.840.1.113733.1.9.4"));
    text = oracle_run("openssl asn1parse -inform DER -in reply.der | grep -A2 ':2.16.840.1.113733.1.9.3$'");
    oracle_has(text, "PRINTABLESTRING   :3\n");
}
END_TEST

/* The first is the one that some clients take; it must stay the first though OpenSSL would sort it away. */
START_TEST(test_a06_certificates_keep_their_order)
{
    apr_array_header_t *certs = apr_array_make(ctx->pool, 2, sizeof(const mdm_cert_t *));
    const char *text, *first;
    mdm_bytes_t der;
    int turn;

    two_parties();
    for (turn = 0; turn < 2; turn++) {
        apr_array_clear(certs);
        APR_ARRAY_PUSH(certs, const mdm_cert_t *) = parties[turn].cert;
        APR_ARRAY_PUSH(certs, const mdm_cert_t *) = parties[1 - turn].cert;
        ck_assert_int_eq(mdm_scep_certificates(&der, ctx, certs), APR_SUCCESS);
        oracle_write("certs.der", der);
        text = oracle_run("openssl pkcs7 -inform DER -in certs.der -print_certs -noout");
        first = strstr(text, "subject=");
        first = apr_pstrmemdup(ctx->pool, first, strcspn(first, "\n"));
        oracle_has(first, turn ? "CN = Two" : "CN = Device CA");
        ck_assert_int_eq(oracle_count(text, "subject="), 2);
        text = oracle_run("openssl cms -cmsout -print -inform DER -in certs.der");
        oracle_has(text, "eContentType: pkcs7-data");
        oracle_has(text, "signerInfos:\n      <EMPTY>");
    }
    apr_array_clear(certs);
    ck_assert_int_eq(mdm_scep_certificates(&der, ctx, certs), MDM_EINPUT);
}
END_TEST

START_TEST(test_a10_next_ca_is_vouched_for)
{
    mdm_bytes_t der;

    two_parties();
    ck_assert_int_eq(mdm_scep_next_ca(&der, ctx, parties[1].cert, &parties[0]), APR_SUCCESS);
    oracle_write("next.der", der);
    oracle_run("openssl cms -verify -inform DER -in next.der -CAfile ca.pem -purpose any -binary"
               " -out in.der");
    oracle_run("openssl pkcs7 -inform DER -in in.der -print_certs | openssl x509 > out.pem");
    oracle_run("openssl x509 -in out.pem -outform DER -out out.der");
    is_bytes(oracle_read("out.der"), parties[1].cert->der);
}
END_TEST

/* Around a roll-over clients address either CA; the one addressed answers, the first whoever is not clear. */
START_TEST(the_party_addressed_answers)
{
    mdm_bytes_t der;

    two_parties();
    opens();
    ck_assert_ptr_eq(request->party, &parties[0]);
    maker.recipient = parties[1].cert->x509;
    opens();
    ck_assert_ptr_eq(request->party, &parties[1]);
    ck_assert_int_eq(mdm_scep_reply_success(&der, ctx, request, issue()), APR_SUCCESS);
    open_reply(der, "two");
    maker.second_key = maker_key(2048);
    maker.second = maker_cert(maker.second_key, "second", 0);
    maker.recipient = maker.second;
    fails(MDM_SCEP_BAD_MESSAGE_CHECK);
    ck_assert_ptr_eq(request->party, &parties[0]);
}
END_TEST

static void uses(const char *file, const char *algorithm)
{
    oracle_has(oracle_run(apr_psprintf(ctx->pool, "openssl cms -cmsout -print -inform DER -in %s", file)),
               algorithm);
}

START_TEST(test_b22_old_ciphers_are_opted_in)
{
    maker.cipher = EVP_des_ede3_cbc();
    fails(MDM_SCEP_BAD_ALG);
    server.legacy = MDM_SCEP_LEGACY_DES | MDM_SCEP_LEGACY_SHA1;
    fails(MDM_SCEP_BAD_ALG);
    server.legacy = MDM_SCEP_LEGACY_DES3;
    opens();
    ck_assert_int_eq(request->cipher_nid, NID_des_ede3_cbc);
    reply();
    uses("env.der", "algorithm: des-ede3-cbc");
}
END_TEST

/* The command line makes and opens single DES with the legacy provider; our process must not have it. */
static void send_des(const char *content)
{
    mdm_bytes_t bytes;

    oracle_run(apr_psprintf(ctx->pool, "openssl cms -encrypt -provider legacy -provider default -binary"
                            " -in %s -des-cbc -outform DER -out made.der ca.pem", content));
    bytes = oracle_read("made.der");
    maker.envelope.data = (unsigned char *)bytes.data;
    maker.envelope.len = bytes.len;
}

START_TEST(test_c21_single_des_is_opted_in)
{
    mdm_bytes_t csr = { maker.content.data, maker.content.len }, der;
    EVP_CIPHER *des;
    mdm_cert_t *issued;

    oracle_write("csr.der", csr);
    send_des("csr.der");
    fails(MDM_SCEP_BAD_ALG);
    server.legacy = MDM_SCEP_LEGACY_DES3;
    fails(MDM_SCEP_BAD_ALG);
    server.legacy = MDM_SCEP_LEGACY_DES;
    opens();
    ck_assert_int_eq(request->cipher_nid, NID_des_cbc);
    ck_assert_str_eq(mdm_csr_challenge(ctx, request->csr), "sesame");
    issued = issue();
    ck_assert_int_eq(mdm_scep_reply_success(&der, ctx, request, issued), APR_SUCCESS);
    oracle_write("reply.der", der);
    oracle_run("openssl cms -verify -inform DER -in reply.der -CAfile ca.pem -purpose any -binary"
               " -out env.der &&"
               "openssl cms -decrypt -provider legacy -provider default -inform DER -in env.der"
               " -inkey self.key -recip self.pem -binary -out in.der &&"
               "openssl pkcs7 -inform DER -in in.der -print_certs | openssl x509 -outform DER -out out.der");
    uses("env.der", "algorithm: des-cbc");
    is_bytes(oracle_read("out.der"), issued->der);
    des = EVP_CIPHER_fetch(NULL, "DES-CBC", NULL);
    ck_assert_ptr_null(des);
    ERR_clear_error();
    oracle_write("junk", mdm_bytes_of("junk"));
    send_des("junk");
    fails(MDM_SCEP_BAD_MESSAGE_CHECK);
}
END_TEST

START_TEST(test_c20_sha1_is_opted_in)
{
    mdm_bytes_t der;

    maker.digest = EVP_sha1();
    fails(MDM_SCEP_BAD_ALG);
    ck_assert_int_eq(mdm_scep_reply_failure(&der, ctx, request, fail_info, NULL), APR_SUCCESS);
    oracle_write("reply.der", der);
    uses("reply.der", "digestAlgorithm: \n          algorithm: sha256 (");
    server.legacy = MDM_SCEP_LEGACY_DES | MDM_SCEP_LEGACY_DES3;
    fails(MDM_SCEP_BAD_ALG);
    server.legacy = MDM_SCEP_LEGACY_SHA1;
    opens();
    reply();
    uses("reply.der", "digestAlgorithm: \n          algorithm: sha1 (");
    contents(maker_csr(key, "device", "sesame", EVP_sha1()));
    opens();
    maker.digest = EVP_md5();
    fails(MDM_SCEP_BAD_ALG);
}
END_TEST

static Suite *kinds_suite(void)
{
    Suite *suite = suite_create("scep_kinds");
    TCase *tcase = tcase_create("scep_kinds");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, scep_start, scep_end);
    tcase_add_test(tcase, test_e01_renewal_requests_open);
    tcase_add_test(tcase, test_c26_polls_open);
    tcase_add_test(tcase, test_c27_certificates_are_asked_for);
    tcase_add_test(tcase, serial_numbers_are_judged);
    tcase_add_test(tcase, contents_match_their_type);
    tcase_add_test(tcase, names_are_bounded);
    tcase_add_test(tcase, test_c30_crl_travels_in_its_field);
    tcase_add_test(tcase, pending_has_no_envelope);
    tcase_add_test(tcase, test_a06_certificates_keep_their_order);
    tcase_add_test(tcase, test_a10_next_ca_is_vouched_for);
    tcase_add_test(tcase, the_party_addressed_answers);
    tcase_add_test(tcase, test_b22_old_ciphers_are_opted_in);
    tcase_add_test(tcase, test_c21_single_des_is_opted_in);
    tcase_add_test(tcase, test_c20_sha1_is_opted_in);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(kinds_suite());
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
