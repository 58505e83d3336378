/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSP: requests made by the openssl command line are read by our code, our answers are judged by it. What is
 * no request is refused, wherever it is cut.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>
#include <openssl/err.h>

#include "mdm_pki_crl.h"
#include "mdm_pki_ocsp.h"
#include "oracle.h"

#define DAY apr_time_from_sec(86400)
#define OK(call) ck_assert_int_eq(call, APR_SUCCESS)

static mdm_ctx_t *ctx;
static mdm_key_t *keys[2];
static apr_array_header_t *cas;

static void start(void)
{
    static const char *const files[] = { "ca.pem", "next.pem" };
    mdm_cert_t *cert;
    const char *pem;
    int i;

    ctx = oracle_start();
    cas = apr_array_make(ctx->pool, 2, sizeof(mdm_cert_t *));
    for (i = 0; i < 2; i++) {
        OK(mdm_key_generate(&keys[i], ctx, 2048));
        OK(mdm_cert_make_ca(&cert, ctx, keys[i], "Example", "Device CA", 0, 3650 * DAY));
        OK(mdm_cert_to_pem(&pem, ctx, cert));
        oracle_write(files[i], mdm_bytes_of(pem));
        APR_ARRAY_PUSH(cas, mdm_cert_t *) = cert;
    }
}

static mdm_bytes_t asked(const char *options)
{
    oracle_run(apr_psprintf(ctx->pool, "openssl ocsp -reqout asked.der %s", options));
    return oracle_read("asked.der");
}

static mdm_ocsp_request_t *good(mdm_bytes_t der)
{
    mdm_ocsp_request_t *request = NULL;

    OK(mdm_ocsp_read(&request, ctx, der, cas));
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return request;
}

static void refused(mdm_bytes_t der)
{
    mdm_ocsp_request_t *request = NULL;

    mdm_ctx_clear(ctx);
    ck_assert_int_eq(mdm_ocsp_read(&request, ctx, der, cas), MDM_EINPUT);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}

START_TEST(requests_are_read)
{
    static const char *const digests[] = { "-sha1", "-sha256", "-sha384", "-sha512" };
    mdm_ocsp_request_t *request;
    size_t i;

    for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        request = good(asked(apr_psprintf(ctx->pool, "%s -issuer next.pem -serial 0xabcdef0123", digests[i])));
        ck_assert_int_eq(mdm_ocsp_count(request), 1);
        ck_assert_int_eq(mdm_ocsp_issuer(request, 0), 1);
        ck_assert_str_eq(mdm_ocsp_serial(request, 0), "abcdef0123");
        ck_assert_int_eq(mdm_ocsp_has_nonce(request), 1);
    }
    request = good(asked("-no_nonce -issuer ca.pem -serial 5 -serial 0xff -md5 -serial 7"));
    ck_assert_int_eq(mdm_ocsp_count(request), 3);
    ck_assert_int_eq(mdm_ocsp_has_nonce(request), 0);
    ck_assert_str_eq(mdm_ocsp_serial(request, 0), "05");
    ck_assert_str_eq(mdm_ocsp_serial(request, 1), "ff");
    ck_assert_int_eq(mdm_ocsp_issuer(request, 1), 0);
    ck_assert_int_eq(mdm_ocsp_issuer(request, 2), -1);
}
END_TEST

START_TEST(serial_numbers_no_certificate_has_are_none)
{
    mdm_ocsp_request_t *request = good(asked("-issuer ca.pem -serial -5 -serial "
                                             "0x7f0000000000000000000000000000000000000000 -serial 0"));

    ck_assert_ptr_null(mdm_ocsp_serial(request, 0));
    ck_assert_ptr_null(mdm_ocsp_serial(request, 1));
    ck_assert_str_eq(mdm_ocsp_serial(request, 2), "00");
}
END_TEST

START_TEST(answers_are_what_openssl_believes)
{
    static const mdm_ocsp_status_t statuses[] = {
        { MDM_OCSP_GOOD, 0, NULL },
        { MDM_OCSP_REVOKED, apr_time_from_sec(1700000000), "cessationOfOperation" },
        { MDM_OCSP_REVOKED, apr_time_from_sec(1700000000), "unspecified" },
        { MDM_OCSP_REVOKED, apr_time_from_sec(1700000000), NULL },
        { MDM_OCSP_UNKNOWN, 0, NULL },
    };
    apr_time_t now = apr_time_now();
    mdm_ocsp_request_t *request = good(asked("-issuer ca.pem -serial 1 -serial 2 -serial 3 -serial 4 -serial 5"));
    mdm_bytes_t der;
    const char *text;
    int before = ctx->rsa_operations;

    OK(mdm_ocsp_answer(&der, ctx, request, statuses, APR_ARRAY_IDX(cas, 0, mdm_cert_t *), keys[0], now,
                       now + DAY));
    ck_assert_int_eq(ctx->rsa_operations - before, 1);
    oracle_write("answer.der", der);
    text = oracle_run("openssl ocsp -reqin asked.der -respin answer.der -CAfile ca.pem -resp_text");
    oracle_has(text, "Response verify OK");
    ck_assert_int_eq(oracle_count(text, "Cert Status: good"), 1);
    ck_assert_int_eq(oracle_count(text, "Cert Status: revoked"), 3);
    ck_assert_int_eq(oracle_count(text, "Cert Status: unknown"), 1);
    ck_assert_int_eq(oracle_count(text, "Revocation Time: Nov 14 22:13:20 2023 GMT"), 3);
    ck_assert_int_eq(oracle_count(text, "Revocation Reason: cessationOfOperation (0x5)"), 1);
    ck_assert_int_eq(oracle_count(text, "Revocation Reason:"), 1);
    ck_assert_int_eq(oracle_count(text, "WARNING"), 0);
}
END_TEST

START_TEST(wherever_it_is_cut_or_grown_it_is_refused)
{
    mdm_bytes_t whole = asked("-issuer ca.pem -serial 1 -serial 2"), part;
    unsigned char *bent = apr_pmemdup(ctx->pool, whole.data, whole.len + 1);
    mdm_ocsp_request_t *request;
    apr_size_t i;

    for (i = 0; i < whole.len; i++) {
        part.data = memcpy(malloc(i + 1), whole.data, i);
        part.len = i;
        refused(part);
        free((void *)part.data);
    }
    part.data = bent;
    part.len = whole.len + 1;
    refused(part);
    part.len = whole.len;
    for (i = 0; i < 8 * whole.len; i++) {
        bent[i / 8] ^= (unsigned char)(1 << i % 8);
        mdm_ctx_clear(ctx);
        if (mdm_ocsp_read(&request, ctx, part, cas) == APR_SUCCESS)
            ck_assert_int_ge(mdm_ocsp_count(request), 1);
        bent[i / 8] ^= (unsigned char)(1 << i % 8);
    }
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(more_than_16_certificates_are_refused)
{
    const char *options = "-issuer ca.pem";
    int i;

    for (i = 0; i < MDM_OCSP_MAX_CERTIFICATES; i++)
        options = apr_pstrcat(ctx->pool, options, " -serial 7", NULL);
    ck_assert_int_eq(mdm_ocsp_count(good(asked(options))), MDM_OCSP_MAX_CERTIFICATES);
    refused(asked(apr_pstrcat(ctx->pool, options, " -serial 7", NULL)));
}
END_TEST

START_TEST(a_signed_request_is_a_request)
{
    oracle_run("openssl req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.pem -subj /CN=asker");
    ck_assert_int_eq(mdm_ocsp_count(good(asked("-issuer ca.pem -serial 9 -signer own.pem -signkey own.key"))), 1);
}
END_TEST

START_TEST(errors_are_what_they_say)
{
    static const char *const names[] = { NULL, "malformedrequest", "internalerror", "trylater" };
    int i;

    for (i = MDM_OCSP_MALFORMED_REQUEST; i <= MDM_OCSP_TRY_LATER; i++) {
        oracle_write("answer.der", mdm_ocsp_error((mdm_ocsp_error_e)i));
        oracle_has(oracle_run("openssl ocsp -respin answer.der -noverify || true"), names[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ocsp");
    TCase *group = tcase_create("ocsp");
    SRunner *runner;
    int failed;

    tcase_set_timeout(group, 120);
    tcase_add_checked_fixture(group, start, oracle_end);
    tcase_add_test(group, requests_are_read);
    tcase_add_test(group, serial_numbers_no_certificate_has_are_none);
    tcase_add_test(group, answers_are_what_openssl_believes);
    tcase_add_test(group, wherever_it_is_cut_or_grown_it_is_refused);
    tcase_add_test(group, more_than_16_certificates_are_refused);
    tcase_add_test(group, a_signed_request_is_a_request);
    tcase_add_test(group, errors_are_what_they_say);
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
