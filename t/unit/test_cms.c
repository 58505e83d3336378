/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed profiles and Mdm-Signature: what our code signs is verified by the openssl command line, what that
 * signs is verified by our code. Keys are made when the test runs.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>
#include <check.h>
#include <openssl/err.h>

#include "mdm_cms.h"
#include "oracle.h"

#define DAY apr_time_from_sec(86400)

static mdm_ctx_t *ctx;
static mdm_key_t *key;
static mdm_cert_t *cert;

static void write_cert(const char *name, const mdm_cert_t *which)
{
    const char *pem;

    ck_assert_int_eq(mdm_cert_to_pem(&pem, ctx, which), APR_SUCCESS);
    oracle_write(name, mdm_bytes_of(pem));
}

static void start(void)
{
    mdm_bytes_t pem;

    ctx = oracle_start();
    ck_assert_int_eq(mdm_key_generate(&key, ctx, 2048), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_make_ca(&cert, ctx, key, "Org", "Signer", 0, DAY), APR_SUCCESS);
    write_cert("cert.pem", cert);
    ck_assert_int_eq(mdm_key_to_pem(&pem, ctx, key), APR_SUCCESS);
    oracle_write("key.pem", pem);
}

/* Sign body.bin with the command line; `more` are options. */
static mdm_bytes_t sign(const char *more)
{
    oracle_run(apr_psprintf(ctx->pool, "openssl cms -sign -binary -in body.bin -signer cert.pem"
                            " -inkey key.pem -outform DER -out sig.der %s", more));
    return oracle_read("sig.der");
}

static mdm_cms_signature_t signature;

static apr_status_t check(mdm_bytes_t der, mdm_bytes_t content)
{
    apr_status_t rv;

    memset(&signature, 0, sizeof(signature));
    mdm_ctx_clear(ctx);
    rv = mdm_cms_verify_detached(&signature, ctx, der, content);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    if (rv == APR_SUCCESS)
        ck_assert_str_eq(mdm_cert_fingerprint(ctx, signature.signer), mdm_cert_fingerprint(ctx, cert));
    else
        ck_assert(ctx->detail && !signature.signer);
    return rv;
}

static mdm_bytes_t body(const char *data, apr_size_t len)
{
    mdm_bytes_t bytes = { (const unsigned char *)data, len };

    oracle_write("body.bin", bytes);
    return bytes;
}

START_TEST(signed_content_verifies)
{
    mdm_bytes_t content = { (const unsigned char *)"a\r\nb\nc\0d\xff", 9 }, der, out;
    const char *text;

    ck_assert_int_eq(mdm_cms_sign(&der, ctx, content, cert, key, NULL), APR_SUCCESS);
    oracle_write("signed.der", der);
    oracle_run("openssl cms -verify -binary -inform DER -in signed.der -CAfile cert.pem -purpose any"
               " -out out.bin");
    out = oracle_read("out.bin");
    ck_assert_uint_eq(out.len, content.len);
    ck_assert_mem_eq(out.data, content.data, content.len);
    oracle_run("openssl smime -verify -binary -inform DER -in signed.der -CAfile cert.pem -purpose any");
    text = oracle_run("openssl cms -cmsout -print -inform DER -in signed.der");
    oracle_has(text, "object: contentType");
    oracle_has(text, "object: messageDigest");
    oracle_has(text, "object: signingTime");
    ck_assert_ptr_null(strstr(text, "object: S/MIME Capabilities"));
    oracle_has(text, "digestAlgorithm: \n          algorithm: sha256 (");
    ck_assert_int_eq(oracle_count(text, "d.certificate:"), 1);
    ck_assert_ptr_null(strstr(oracle_run("openssl asn1parse -inform DER -in signed.der"), "l=inf"));
}
END_TEST

START_TEST(chain_is_included_once)
{
    apr_array_header_t *chain = apr_array_make(ctx->pool, 2, sizeof(mdm_cert_t *));
    mdm_cert_t *other;
    mdm_bytes_t der;

    ck_assert_int_eq(mdm_cert_make_ca(&other, ctx, key, NULL, "Other", 0, DAY), APR_SUCCESS);
    APR_ARRAY_PUSH(chain, mdm_cert_t *) = cert;
    APR_ARRAY_PUSH(chain, mdm_cert_t *) = other;
    ck_assert_int_eq(mdm_cms_sign(&der, ctx, mdm_bytes_of(""), cert, key, chain), APR_SUCCESS);
    oracle_write("signed.der", der);
    oracle_run("openssl cms -verify -binary -inform DER -in signed.der -CAfile cert.pem -purpose any");
    ck_assert_int_eq(oracle_count(oracle_run("openssl cms -cmsout -print -inform DER -in signed.der"),
                                  "d.certificate:"), 2);
}
END_TEST

START_TEST(wrong_key_does_not_sign)
{
    mdm_key_t *other;
    mdm_bytes_t der;

    ck_assert_int_eq(mdm_key_generate(&other, ctx, 2048), APR_SUCCESS);
    ck_assert_int_eq(mdm_cms_sign(&der, ctx, mdm_bytes_of("x"), cert, other, NULL), MDM_ECRYPTO);
}
END_TEST

START_TEST(elliptic_keys_sign_profiles)
{
    mdm_key_t *ec;
    mdm_cert_t *leaf;
    mdm_bytes_t der;

    oracle_run("openssl ecparam -name prime256v1 -genkey -out ec.key;"
               "openssl req -x509 -key ec.key -subj /CN=ec -out ec.pem");
    ck_assert_int_eq(mdm_key_from_pem(&ec, ctx, oracle_read("ec.key")), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_from_pem(&leaf, ctx, oracle_read("ec.pem")), APR_SUCCESS);
    ck_assert_int_eq(mdm_cms_sign(&der, ctx, mdm_bytes_of("profile"), leaf, ec, NULL), APR_SUCCESS);
    oracle_write("signed.der", der);
    oracle_has(oracle_run("openssl cms -verify -inform DER -in signed.der -CAfile ec.pem -purpose any"),
               "profile");
}
END_TEST

START_TEST(detached_signatures_verify)
{
    mdm_bytes_t content = body("<?xml?>\r\n\0binary\n", 17);

    ck_assert_int_eq(check(sign(""), content), APR_SUCCESS);
    ck_assert_int_eq(check(sign(""), content), APR_SUCCESS);
    ck_assert(!signature.sha1 && llabs((long long)(signature.signed_at - apr_time_now())) < apr_time_from_sec(60));
    ck_assert_int_eq(check(sign("-md sha1"), content), APR_SUCCESS);
    ck_assert(signature.sha1 && signature.signed_at);
    ck_assert_int_eq(check(sign("-md sha384"), content), APR_SUCCESS);
    ck_assert_int_eq(check(sign("-md sha512"), content), APR_SUCCESS);
    ck_assert_int_eq(check(sign("-keyid"), content), APR_SUCCESS);
    ck_assert_int_eq(check(sign("-noattr"), content), APR_SUCCESS);
    ck_assert(!signature.sha1 && !signature.signed_at);
    sign("");
    oracle_run("python3 -c \"b = open('sig.der', 'rb').read(); n = 2 + (b[1] & 127);"
               "open('ber', 'wb').write(b'\\x30\\x80' + b[n:] + b'\\0\\0')\"");
    ck_assert_int_eq(check(oracle_read("ber"), content), APR_SUCCESS);
    oracle_run("openssl smime -sign -binary -in body.bin -signer cert.pem -inkey key.pem -outform DER"
               " -out p7.der");
    ck_assert_int_eq(check(oracle_read("p7.der"), content), APR_SUCCESS);
    content = body("", 0);
    ck_assert_int_eq(check(sign(""), content), APR_SUCCESS);
}
END_TEST

START_TEST(other_content_does_not_verify)
{
    mdm_bytes_t content = body("line\n", 5), der = sign("");

    ck_assert_int_eq(check(der, mdm_bytes_of("line\n")), APR_SUCCESS);
    ck_assert_int_eq(check(der, mdm_bytes_of("line\r\n")), MDM_ECMS);
    ck_assert_int_eq(check(der, mdm_bytes_of("line")), MDM_ECMS);
    ck_assert_int_eq(check(der, mdm_bytes_of("")), MDM_ECMS);
    ck_assert_int_eq(check(sign("-noattr"), mdm_bytes_of("Line\n")), MDM_ECMS);
    ck_assert_int_eq(check(sign(""), content), APR_SUCCESS);
}
END_TEST

START_TEST(unfit_signatures_are_refused)
{
    mdm_bytes_t content = body("x", 1), der = sign(""), longer;

    longer.data = (const unsigned char *)apr_pstrmemdup(ctx->pool, (const char *)der.data, der.len);
    longer.len = der.len + 1;
    ck_assert_int_eq(check(longer, content), MDM_EINPUT);
    ck_assert_int_eq(check(content, content), MDM_EINPUT);
    ck_assert_int_eq(check(mdm_bytes_of(""), content), MDM_EINPUT);
    ck_assert_int_eq(check(sign("-nodetach"), content), MDM_EINPUT);
    ck_assert_int_eq(check(sign("-nocerts"), content), MDM_EINPUT);
    ck_assert_int_eq(check(sign("-md md5"), content), MDM_EINPUT);
    ck_assert_int_eq(check(sign("-econtent_type 1.2.840.113549.1.9.16.1.4"), content), MDM_EINPUT);
    ck_assert_int_eq(check(sign("-keyopt rsa_padding_mode:pss"), content), MDM_EINPUT);
    oracle_run("openssl cms -encrypt -in body.bin -outform DER -out env.der cert.pem");
    ck_assert_int_eq(check(oracle_read("env.der"), content), MDM_EINPUT);
    oracle_run("openssl genrsa -out k2 2048; openssl req -x509 -key k2 -subj /CN=2 -out c2;");
    ck_assert_int_eq(check(sign("-signer c2 -inkey k2"), content), MDM_EINPUT);
    oracle_run("openssl genrsa -out k3 1024; openssl req -x509 -key k3 -subj /CN=3 -out c3;"
               "openssl cms -sign -in body.bin -binary -signer c3 -inkey k3 -outform DER -out weak.der;"
               "openssl ecparam -name secp256k1 -genkey -out k4;"
               "openssl req -x509 -key k4 -subj /CN=4 -out c4;"
               "openssl cms -sign -in body.bin -binary -signer c4 -inkey k4 -outform DER -out ec.der");
    ck_assert_int_eq(check(oracle_read("weak.der"), content), MDM_EINPUT);
    ck_assert_int_eq(check(oracle_read("ec.der"), content), MDM_EINPUT);
    oracle_run("openssl genpkey -algorithm ed25519 -out k6;"
               "openssl req -x509 -key k6 -subj /CN=6 -out c6; openssl cms -sign -in body.bin -binary -signer c6"
               " -inkey k6 -outform DER -out ed.der || cp weak.der ed.der");
    ck_assert_int_eq(check(oracle_read("ed.der"), content), MDM_EINPUT);
}
END_TEST

/* As hardware makes the keys of identities from ACME. */
START_TEST(elliptic_signatures_verify)
{
    static const char *const curves[] = { "prime256v1", "secp384r1", "secp521r1" };
    static const char *const digests[] = { "sha1", "sha256", "sha384", "sha512" };
    mdm_bytes_t content = body("<?xml?>\r\n\0binary\n", 17);
    apr_size_t c, d;

    for (c = 0; c < sizeof(curves) / sizeof(curves[0]); c++) {
        oracle_run(apr_psprintf(ctx->pool, "openssl ecparam -name %s -genkey -out k; "
                                "openssl req -x509 -key k -subj /CN=ec -out c", curves[c]));
        for (d = 0; d < sizeof(digests) / sizeof(digests[0]); d++) {
            oracle_run(apr_psprintf(ctx->pool, "openssl cms -sign -in body.bin -binary -signer c -inkey k -md %s"
                                    " -outform DER -out ec.der", digests[d]));
            mdm_ctx_clear(ctx);
            ck_assert_int_eq(mdm_cms_verify_detached(&signature, ctx, oracle_read("ec.der"), content), APR_SUCCESS);
            ck_assert(signature.signed_at && signature.sha1 == !strcmp(digests[d], "sha1"));
            ck_assert(!mdm_cms_may_receive(signature.signer));
            ck_assert_int_eq(check(oracle_read("ec.der"), mdm_bytes_of("other")), MDM_ECMS);
        }
    }
    ck_assert(mdm_cms_may_receive(cert));
}
END_TEST

/* A second certificate with the signer's name and serial but another key must not be taken for it. */
START_TEST(twin_certificates_do_not_verify)
{
    mdm_bytes_t content = body("x", 1);

    oracle_run("openssl req -x509 -key key.pem -subj /CN=twin -set_serial 5 -out a.pem;"
               "openssl genrsa -out b.key 2048;"
               "openssl req -x509 -key b.key -subj /CN=twin -set_serial 5 -out b.pem;"
               "openssl cms -sign -binary -in body.bin -signer a.pem -inkey key.pem -certfile b.pem"
               " -outform DER -out both.der");
    ck_assert_int_eq(check(oracle_read("both.der"), content), MDM_EINPUT);
}
END_TEST

START_TEST(flipped_bits_do_no_harm)
{
    mdm_bytes_t content = body("x", 1), good = sign(""), bytes;
    unsigned char *data = apr_pmemdup(ctx->pool, good.data, good.len);
    apr_size_t i;
    int held = 0;

    bytes.data = data;
    for (bytes.len = 0; bytes.len < good.len; bytes.len += 1 + good.len / 64)
        ck_assert_int_eq(check(bytes, content), MDM_EINPUT);
    bytes.len = good.len;
    for (i = 0; i < 512; i++) {
        apr_size_t at = i * good.len / 512;

        data[at] ^= (unsigned char)(1 << i % 8);
        mdm_ctx_clear(ctx);
        held += mdm_cms_verify_detached(&signature, ctx, bytes, content) == APR_SUCCESS;
        data[at] ^= (unsigned char)(1 << i % 8);
    }
    ck_assert_int_lt(held, 400); /* bits of the certificate itself are for others to judge */
    ck_assert_int_eq(check(good, content), APR_SUCCESS);
}
END_TEST

/* Check a message with its content inside; *content is set when it holds. */
static apr_status_t check_attached(mdm_bytes_t *content, mdm_bytes_t der)
{
    mdm_cert_t *signer = NULL;
    apr_array_header_t *certs = NULL;
    apr_status_t rv;

    mdm_ctx_clear(ctx);
    rv = mdm_cms_verify_attached(content, &signer, &certs, ctx, der);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    if (rv == APR_SUCCESS) {
        ck_assert_int_ge(certs->nelts, 1);
        ck_assert(signer && content->data && !content->data[content->len]);
    } else {
        ck_assert(ctx->detail && !signer && !certs);
    }
    return rv;
}

static void is_content(mdm_bytes_t found, mdm_bytes_t wanted)
{
    ck_assert_uint_eq(found.len, wanted.len);
    ck_assert_mem_eq(found.data, wanted.data, wanted.len);
}

START_TEST(attached_signatures_verify)
{
    mdm_bytes_t content = body("<?xml?>\r\n\0binary\n", 17), found;

    ck_assert_int_eq(check_attached(&found, sign("-nodetach")), APR_SUCCESS);
    is_content(found, content);
    ck_assert_int_eq(check_attached(&found, sign("-nodetach -md sha1")), APR_SUCCESS);
    ck_assert_int_eq(check_attached(&found, sign("-nodetach -noattr")), APR_SUCCESS);
    is_content(found, content);
    ck_assert_int_eq(check_attached(&found, sign("-nodetach -stream -indef")), APR_SUCCESS);
    oracle_has(oracle_run("openssl asn1parse -inform DER -in sig.der"), "l=inf");
    is_content(found, content);
    ck_assert_int_eq(mdm_cms_content(&found, ctx, sign("-nodetach")), APR_SUCCESS);
    is_content(found, content);
    content = body("", 0);
    ck_assert_int_eq(check_attached(&found, sign("-nodetach")), APR_SUCCESS);
    ck_assert_uint_eq(found.len, 0);
}
END_TEST

/* What a device answers with: its built-in key has 1024 bits, SHA-1, and its issuers may come along. */
START_TEST(built_in_identities_sign)
{
    apr_array_header_t *certs;
    mdm_cert_t *signer, *issuer;
    mdm_bytes_t found;

    body("answer", 6);
    oracle_run("openssl genrsa -out dca.key 1024"
               " && openssl req -x509 -key dca.key -sha1 -subj '/CN=Device CA' -out dca.pem"
               " && openssl genrsa -out d.key 1024 && openssl req -new -key d.key -subj /CN=device -out d.csr"
               " && openssl x509 -req -in d.csr -CA dca.pem -CAkey dca.key -set_serial 9 -sha1 -out d.pem"
               " && openssl cms -sign -binary -nodetach -in body.bin -signer d.pem -inkey d.key -md sha1"
               " -certfile dca.pem -outform DER -out sig.der");
    ck_assert_int_eq(mdm_cms_verify_attached(&found, &signer, &certs, ctx, oracle_read("sig.der")),
                     APR_SUCCESS);
    is_content(found, mdm_bytes_of("answer"));
    ck_assert_str_eq(mdm_cert_common_name(ctx, signer), "device");
    ck_assert_int_eq(certs->nelts, 2);
    ck_assert_int_eq(mdm_cert_from_pem(&issuer, ctx, oracle_read("dca.pem")), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_signed_by(signer, issuer), 1);
    ck_assert_int_eq(mdm_cert_signed_by(issuer, issuer), 1);
    ck_assert_int_eq(mdm_cert_signed_by(signer, signer), 0);
    ck_assert_int_eq(mdm_cert_signed_by(issuer, signer), 0);
    oracle_run("openssl genrsa -out x.key 2048;"
               "openssl req -x509 -key x.key -subj '/CN=Device CA' -out x.pem");
    ck_assert_int_eq(mdm_cert_from_pem(&issuer, ctx, oracle_read("x.pem")), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_signed_by(signer, issuer), 0);
}
END_TEST

START_TEST(unfit_attached_signatures_are_refused)
{
    mdm_bytes_t found, changed, good, whole = body("content here", 12);
    unsigned char *at;

    ck_assert_int_eq(check_attached(&found, sign("")), MDM_EINPUT);
    ck_assert_int_eq(mdm_cms_content(&found, ctx, sign("")), MDM_EINPUT);
    ck_assert_int_eq(check_attached(&found, whole), MDM_EINPUT);
    ck_assert_int_eq(mdm_cms_content(&found, ctx, whole), MDM_EINPUT);
    ck_assert_int_eq(check_attached(&found, sign("-nodetach -nocerts")), MDM_EINPUT);
    ck_assert_int_eq(check_attached(&found, sign("-nodetach -md md5")), MDM_EINPUT);
    ck_assert_int_eq(check_attached(&found, sign("-nodetach -keyopt rsa_padding_mode:pss")), MDM_EINPUT);
    oracle_run("openssl genrsa -out k2 2048; openssl req -x509 -key k2 -subj /CN=2 -out c2;"
               "openssl genrsa -out k3 512; openssl req -x509 -key k3 -subj /CN=3 -out c3;"
               "openssl cms -sign -nodetach -in body.bin -binary -signer c3 -inkey k3 -outform DER"
               " -out weak.der;"
               "for i in 1 2 3 4 5 6 7 8; do openssl req -x509 -key k2 -subj /CN=more$i; done > more.pem");
    ck_assert_int_eq(check_attached(&found, sign("-nodetach -signer c2 -inkey k2")), MDM_EINPUT);
    ck_assert_int_eq(check_attached(&found, oracle_read("weak.der")), MDM_EINPUT);
    ck_assert_int_eq(check_attached(&found, sign("-nodetach -certfile more.pem")), MDM_EINPUT);
    good = sign("-nodetach");
    changed.data = at = apr_pmemdup(ctx->pool, good.data, good.len);
    changed.len = good.len;
    while (memcmp(at, "content here", 12))
        at++;
    *at ^= 1;
    ck_assert_int_eq(check_attached(&found, changed), MDM_ECMS);
    ck_assert_int_eq(mdm_cms_content(&found, ctx, changed), APR_SUCCESS);
}
END_TEST

START_TEST(only_the_recipient_decrypts)
{
    static const struct {
        mdm_cipher_e cipher;
        const char *name;
    } ciphers[] = { { MDM_CIPHER_AES_256_CBC, "aes-256-cbc" }, { MDM_CIPHER_DES3_CBC, "des-ede3-cbc" },
                    { MDM_CIPHER_UNSET, "aes-256-cbc" } };
    mdm_bytes_t content = { (const unsigned char *)"plist\0\r\nend", 12 }, der;
    const char *text;
    mdm_cert_t *unfit;
    apr_size_t i;
    int status;

    oracle_run("openssl genrsa -out o.key 2048; openssl req -x509 -key o.key -subj /CN=other -out o.pem");
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(mdm_cms_encrypt(&der, ctx, content, cert, ciphers[i].cipher), APR_SUCCESS);
        oracle_write("env.der", der);
        oracle_run("openssl cms -decrypt -binary -inform DER -in env.der -inkey key.pem -recip cert.pem"
                   " -out out.bin");
        is_content(oracle_read("out.bin"), content);
        oracle_try(&status, "openssl cms -decrypt -binary -inform DER -in env.der -inkey o.key -recip o.pem");
        ck_assert_int_ne(status, 0);
        text = oracle_run("openssl cms -cmsout -print -inform DER -in env.der");
        oracle_has(text, ciphers[i].name);
        ck_assert_int_eq(oracle_count(text, "d.ktri:"), 1);
        oracle_has(text, "algorithm: rsaEncryption");
        ck_assert_ptr_null(strstr(oracle_run("openssl asn1parse -inform DER -in env.der"), "l=inf"));
    }
    oracle_run("openssl genrsa -out w.key 1024; openssl req -x509 -key w.key -subj /CN=weak -out w.pem");
    ck_assert_int_eq(mdm_cert_from_pem(&unfit, ctx, oracle_read("w.pem")), APR_SUCCESS);
    ck_assert_int_eq(mdm_cms_encrypt(&der, ctx, content, unfit, MDM_CIPHER_AES_256_CBC), MDM_EINPUT);
    ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

static Suite *cms_suite(void)
{
    Suite *suite = suite_create("cms");
    TCase *tcase = tcase_create("cms");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, start, oracle_end);
    tcase_add_test(tcase, signed_content_verifies);
    tcase_add_test(tcase, chain_is_included_once);
    tcase_add_test(tcase, wrong_key_does_not_sign);
    tcase_add_test(tcase, elliptic_keys_sign_profiles);
    tcase_add_test(tcase, detached_signatures_verify);
    tcase_add_test(tcase, other_content_does_not_verify);
    tcase_add_test(tcase, unfit_signatures_are_refused);
    tcase_add_test(tcase, elliptic_signatures_verify);
    tcase_add_test(tcase, twin_certificates_do_not_verify);
    tcase_add_test(tcase, flipped_bits_do_no_harm);
    tcase_add_test(tcase, attached_signatures_verify);
    tcase_add_test(tcase, built_in_identities_sign);
    tcase_add_test(tcase, unfit_attached_signatures_are_refused);
    tcase_add_test(tcase, only_the_recipient_decrypts);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(cms_suite());
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
