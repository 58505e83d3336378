/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What certificates and requests say of keys, names and addresses, and requests kept as PEM: judged by the
 * openssl command line. Keys are made when the test runs.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>
#include <openssl/err.h>

#include "mdm_pki.h"
#include "oracle.h"

#define DAY apr_time_from_sec(86400)
#define CRL_URL "http://mdm.example.org/crl?a=1,b=2;c"
#define OCSP_URL "http://mdm.example.org/ocsp,x"

static mdm_ctx_t *ctx;
static mdm_key_t *ca_key;
static mdm_cert_t *ca;
static mdm_csr_t *csr;

static void write_cert(const char *name, const mdm_cert_t *cert)
{
    const char *pem;

    ck_assert_int_eq(mdm_cert_to_pem(&pem, ctx, cert), APR_SUCCESS);
    oracle_write(name, mdm_bytes_of(pem));
}

static void start(void)
{
    int weak;

    ctx = oracle_start();
    ck_assert_int_eq(mdm_key_generate(&ca_key, ctx, 2048), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_make_ca(&ca, ctx, ca_key, "Org", "Device CA", 0, 3650 * DAY), APR_SUCCESS);
    write_cert("ca.pem", ca);
    oracle_run("openssl genrsa -out dev.key 2048; openssl req -new -key dev.key -subj '/O=x/CN=device'"
               " -outform DER -out dev.csr");
    ck_assert_int_eq(mdm_csr_from_der(&csr, &weak, ctx, oracle_read("dev.csr")), APR_SUCCESS);
}

static mdm_cert_t *issue(const char *crl_url, const char *ocsp_url)
{
    apr_time_t now = apr_time_now();
    mdm_issue_t how = { csr, ca, ca_key, now, now + DAY, crl_url, ocsp_url };
    mdm_cert_t *cert;

    ck_assert_int_eq(mdm_cert_issue(&cert, ctx, &how), APR_SUCCESS);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    write_cert("dev.pem", cert);
    return cert;
}

START_TEST(addresses_are_in_the_certificate)
{
    const char *text;

    issue(CRL_URL, OCSP_URL);
    oracle_run("openssl verify -CAfile ca.pem dev.pem");
    text = oracle_run("openssl x509 -in dev.pem -noout -text");
    oracle_has(text, "CRL Distribution Points: \n"
                     "                Full Name:\n                  URI:" CRL_URL "\n");
    oracle_has(text, "Authority Information Access: \n                OCSP - URI:" OCSP_URL "\n");
    ck_assert_int_eq(oracle_count(text, "URI:"), 2);
    issue(CRL_URL, NULL);
    ck_assert_int_eq(oracle_count(oracle_run("openssl x509 -in dev.pem -noout -text"), "URI:"), 1);
    oracle_has(oracle_run("openssl x509 -in dev.pem -noout -ocsp_uri; echo end"), "end");
    issue(NULL, OCSP_URL);
    ck_assert_str_eq(oracle_run("openssl x509 -in dev.pem -noout -ocsp_uri"), OCSP_URL "\n");
    issue(NULL, NULL);
    ck_assert_int_eq(oracle_count(oracle_run("openssl x509 -in dev.pem -noout -text"), "URI:"), 0);
}
END_TEST

START_TEST(keys_have_one_hash)
{
    mdm_cert_t *cert = issue(NULL, NULL);
    const char *hash = mdm_csr_key_sha256(ctx, csr);

    ck_assert_str_eq(hash, mdm_cert_key_sha256(ctx, cert));
    ck_assert_str_ne(hash, mdm_cert_key_sha256(ctx, ca));
    oracle_has(oracle_run("openssl rsa -in dev.key -pubout -outform DER 2>/dev/null | openssl sha256"), hash);
}
END_TEST

START_TEST(thumbprints_agree)
{
    const char *command = "openssl x509 -in ca.pem -outform DER | openssl sha1";
    mdm_bytes_t sha1 = mdm_cert_sha1(ctx, ca);

    ck_assert_uint_eq(sha1.len, 20);
    oracle_has(oracle_run(command), mdm_hex_encode(sha1, ctx->pool));
}
END_TEST

START_TEST(names_are_bytes)
{
    mdm_cert_t *cert = issue(NULL, NULL);
    mdm_bytes_t subject = mdm_cert_subject_der(ctx, cert), issuer = mdm_cert_issuer_der(ctx, cert), name;

    oracle_run("openssl asn1parse -in dev.pem -noout -strparse"
               " $(openssl asn1parse -in dev.pem | grep 'd=2.*SEQUENCE' | sed -n 4p | cut -d: -f1)"
               " -out subject.der");
    name = oracle_read("subject.der");
    ck_assert_uint_eq(subject.len, name.len);
    ck_assert_mem_eq(subject.data, name.data, name.len);
    name = mdm_csr_subject_der(ctx, csr);
    ck_assert_uint_eq(subject.len, name.len);
    ck_assert_mem_eq(subject.data, name.data, name.len);
    name = mdm_cert_subject_der(ctx, ca);
    ck_assert_uint_eq(issuer.len, name.len);
    ck_assert_mem_eq(issuer.data, name.data, name.len);
}
END_TEST

START_TEST(requests_are_kept)
{
    const char *pem;
    mdm_csr_t *again;
    char *spoiled;

    ck_assert_int_eq(mdm_csr_to_pem(&pem, ctx, csr), APR_SUCCESS);
    oracle_write("kept.pem", mdm_bytes_of(pem));
    oracle_run("openssl req -in kept.pem -verify -noout");
    oracle_run("openssl req -in kept.pem -outform DER | cmp - dev.csr");
    ck_assert_int_eq(mdm_csr_from_pem(&again, ctx, mdm_bytes_of(pem)), APR_SUCCESS);
    ck_assert_str_eq(mdm_csr_key_sha256(ctx, again), mdm_csr_key_sha256(ctx, csr));
    ck_assert_str_eq(mdm_csr_subject(ctx, again), mdm_csr_subject(ctx, csr));
    spoiled = apr_pstrdup(ctx->pool, pem);
    spoiled[strlen(spoiled) / 2] ^= 1;
    ck_assert_int_eq(mdm_csr_from_pem(&again, ctx, mdm_bytes_of(spoiled)), MDM_EINPUT);
    ck_assert_int_eq(mdm_csr_from_pem(&again, ctx, mdm_bytes_of("")), MDM_EINPUT);
    ck_assert_int_eq(mdm_csr_from_pem(&again, ctx, oracle_read("ca.pem")), MDM_EINPUT);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

static Suite *facts_suite(void)
{
    Suite *suite = suite_create("pki_facts");
    TCase *tcase = tcase_create("pki_facts");

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, start, oracle_end);
    tcase_add_test(tcase, addresses_are_in_the_certificate);
    tcase_add_test(tcase, keys_have_one_hash);
    tcase_add_test(tcase, thumbprints_agree);
    tcase_add_test(tcase, names_are_bytes);
    tcase_add_test(tcase, requests_are_kept);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(facts_suite());
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
