/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, certificates and requests: what our code makes is judged by the openssl command line, what that
 * makes is read by our code. Keys are made when the test runs.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* RSA objects, to make public keys without private ones */

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <apr_tables.h>
#include <check.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "mdm_pki.h"
#include "oracle.h"

#define DAY apr_time_from_sec(86400)

static mdm_ctx_t *ctx;
static mdm_key_t *ca_key;
static mdm_cert_t *ca;

static void start(void)
{
    const char *pem;

    ctx = oracle_start();
    ck_assert_int_eq(mdm_key_generate(&ca_key, ctx, 2048), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_make_ca(&ca, ctx, ca_key, "Bücher & Söhne", "Device CA", 0, 3650 * DAY),
                     APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_to_pem(&pem, ctx, ca), APR_SUCCESS);
    oracle_write("ca.pem", mdm_bytes_of(pem));
}

static const char *run(const char *command)
{
    return oracle_run(command);
}

/* A request made by the command line; `more` goes to `openssl req`. */
static mdm_bytes_t make_csr(const char *bits, const char *more)
{
    run(apr_psprintf(ctx->pool, "test -f %s.key || openssl genrsa -out %s.key %s; cp %s.key dev.key;"
                     "openssl req -new -key dev.key -outform DER -utf8 -out dev.csr %s", bits, bits, bits,
                     bits, more));
    return oracle_read("dev.csr");
}

static mdm_csr_t *good_csr(const char *more)
{
    mdm_csr_t *csr = NULL;
    int weak = 1;

    ck_assert_int_eq(mdm_csr_from_der(&csr, &weak, ctx, make_csr("2048", more)), APR_SUCCESS);
    ck_assert_int_eq(weak, 0);
    return csr;
}

static int refused(mdm_bytes_t der)
{
    mdm_csr_t *csr = NULL;
    int weak = 0;

    mdm_ctx_clear(ctx);
    ck_assert_int_eq(mdm_csr_from_der(&csr, &weak, ctx, der), MDM_EINPUT);
    ck_assert_ptr_null(csr);
    ck_assert_ptr_nonnull(ctx->detail);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return weak;
}

static mdm_cert_t *issue(const mdm_csr_t *csr, apr_time_t from, apr_time_t to)
{
    mdm_issue_t how = { csr, ca, ca_key, from, to, NULL, NULL };
    mdm_cert_t *cert = NULL;
    const char *pem;

    ck_assert_int_eq(mdm_cert_issue(&cert, ctx, &how), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_to_pem(&pem, ctx, cert), APR_SUCCESS);
    oracle_write("dev.pem", mdm_bytes_of(pem));
    return cert;
}

START_TEST(test_a07_a08_ca_is_what_scep_needs)
{
    const char *text = run("openssl x509 -in ca.pem -noout -text -nameopt RFC2253,-esc_msb,utf8");

    oracle_has(text, "Version: 3");
    oracle_has(text, "Signature Algorithm: sha256WithRSAEncryption");
    oracle_has(text, "Subject: CN=Device CA,O=Bücher & Söhne");
    oracle_has(text, "Issuer: CN=Device CA,O=Bücher & Söhne");
    oracle_has(text, "X509v3 Basic Constraints: critical\n                CA:TRUE, pathlen:0");
    oracle_has(text, "X509v3 Key Usage: critical\n"
                     "                Digital Signature, Key Encipherment, Certificate Sign, CRL Sign");
    oracle_has(text, "X509v3 Subject Key Identifier");
    oracle_has(run("openssl verify -CAfile ca.pem ca.pem"), "ca.pem: OK");
    ck_assert_int_eq(mdm_cert_is_ca(ca), 1);
    ck_assert_int_eq(mdm_cert_is_self_signed(ca), 1);
    ck_assert_str_eq(mdm_cert_subject(ctx, ca), "CN=Device CA,O=Bücher & Söhne");
    ck_assert_str_eq(mdm_cert_common_name(ctx, ca), "Device CA");
    ck_assert_ptr_null(mdm_cert_uid(ctx, ca));
    ck_assert(mdm_cert_not_before(ca) < apr_time_now());
    ck_assert(mdm_cert_not_after(ca) > apr_time_now() + 3649 * DAY);
}
END_TEST

START_TEST(ca_names_are_checked)
{
    mdm_cert_t *cert = NULL;
    char name[66];

    memset(name, 'x', 65);
    name[65] = '\0';
    ck_assert_int_eq(mdm_cert_make_ca(&cert, ctx, ca_key, NULL, name, 0, DAY), MDM_EINPUT);
    ck_assert_int_eq(mdm_cert_make_ca(&cert, ctx, ca_key, NULL, "", 0, DAY), MDM_EINPUT);
    ck_assert_int_eq(mdm_cert_make_ca(&cert, ctx, ca_key, NULL, "\xff\xfe", 0, DAY), MDM_EINPUT);
    ck_assert_int_eq(mdm_cert_make_ca(&cert, ctx, ca_key, NULL, "x", 0, 0), MDM_EINPUT);
    ck_assert_int_eq(mdm_cert_make_ca(&cert, ctx, ca_key, NULL, "Only", 0, DAY), APR_SUCCESS);
    ck_assert_str_eq(mdm_cert_subject(ctx, cert), "CN=Only");
}
END_TEST

START_TEST(keys_pass_through_pem)
{
    mdm_key_t *other = NULL;
    mdm_bytes_t pem;

    ck_assert_int_eq(mdm_key_to_pem(&pem, ctx, ca_key), APR_SUCCESS);
    oracle_write("ca.key", pem);
    oracle_has((const char *)pem.data, "-----BEGIN PRIVATE KEY-----");
    oracle_has(run("openssl rsa -in ca.key -check -noout"), "RSA key ok");
    run("openssl rsa -in ca.key -traditional -out old.key; cat ca.pem old.key ca.pem > both.pem");
    ck_assert_int_eq(mdm_key_from_pem(&other, ctx, oracle_read("both.pem")), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_has_key(ca, other), 1);
    run("openssl ecparam -name prime256v1 -genkey -out ec.key");
    ck_assert_int_eq(mdm_key_from_pem(&other, ctx, oracle_read("ec.key")), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_has_key(ca, other), 0);
    ck_assert_int_eq(mdm_key_generate(&other, ctx, 1024), MDM_EINPUT);
    ck_assert_int_eq(mdm_key_generate(&other, ctx, 16384), MDM_EINPUT);
}
END_TEST

START_TEST(bad_keys_are_named)
{
    static const char *const modern =
        "openssl genrsa 2048 | openssl pkcs8 -topk8 -passout pass:x -out enc.key";
    static const char *const old = "openssl genrsa -traditional -aes128 -passout pass:x -out enc.key 2048";
    mdm_key_t *key = NULL;

    run(modern);
    ck_assert_int_eq(mdm_key_from_pem(&key, ctx, oracle_read("enc.key")), MDM_EINPUT);
    oracle_has(mdm_ctx_detail(ctx, MDM_EINPUT), "encrypted");
    mdm_ctx_clear(ctx);
    run(old);
    ck_assert_int_eq(mdm_key_from_pem(&key, ctx, oracle_read("enc.key")), MDM_EINPUT);
    oracle_has(mdm_ctx_detail(ctx, MDM_EINPUT), "encrypted");
    mdm_ctx_clear(ctx);
    ck_assert_int_eq(mdm_key_from_pem(&key, ctx, oracle_read("ca.pem")), MDM_EINPUT);
    oracle_has(mdm_ctx_detail(ctx, MDM_EINPUT), "no usable private key");
    ck_assert_int_eq(mdm_key_from_pem(&key, ctx, mdm_bytes_of("")), MDM_EINPUT);
    ck_assert_int_eq(mdm_key_from_pem(&key, ctx, mdm_bytes_of(NULL)), MDM_EINPUT);
    ck_assert_ptr_null(key);
}
END_TEST

START_TEST(certificates_pass_through)
{
    apr_array_header_t *certs;
    mdm_cert_t *cert = NULL;
    mdm_bytes_t der, longer;

    run("openssl x509 -in ca.pem -outform DER -out ca.der; openssl genrsa -out x.key 2048;"
        "openssl req -x509 -key x.key -subj /CN=Second -out second.pem;"
        "cat ca.pem x.key second.pem > many.pem;"
        "printf -- '-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n' > cut.pem;"
        "cat ca.pem cut.pem > half.pem");
    ck_assert_int_eq(mdm_cert_to_der(&der, ctx, ca), APR_SUCCESS);
    ck_assert_uint_eq(der.len, oracle_read("ca.der").len);
    ck_assert_mem_eq(der.data, oracle_read("ca.der").data, der.len);
    ck_assert_int_eq(mdm_cert_from_der(&cert, ctx, der), APR_SUCCESS);
    ck_assert_int_eq(mdm_certs_from_pem(&certs, ctx, oracle_read("many.pem")), APR_SUCCESS);
    ck_assert_int_eq(certs->nelts, 2);
    ck_assert_str_eq(mdm_cert_common_name(ctx, APR_ARRAY_IDX(certs, 1, mdm_cert_t *)), "Second");
    ck_assert_int_eq(mdm_cert_is_ca(APR_ARRAY_IDX(certs, 1, mdm_cert_t *)), 1);
    ck_assert_int_eq(mdm_cert_from_pem(&cert, ctx, oracle_read("half.pem")), APR_SUCCESS);
    ck_assert_int_eq(mdm_certs_from_pem(&certs, ctx, oracle_read("half.pem")), MDM_EINPUT);
    ck_assert_int_eq(mdm_cert_from_pem(&cert, ctx, oracle_read("x.key")), MDM_EINPUT);
    longer.data = (const unsigned char *)apr_pstrmemdup(ctx->pool, (const char *)der.data, der.len);
    longer.len = der.len + 1;
    ck_assert_int_eq(mdm_cert_from_der(&cert, ctx, longer), MDM_EINPUT);
    der.len--;
    ck_assert_int_eq(mdm_cert_from_der(&cert, ctx, der), MDM_EINPUT);
}
END_TEST

/* Compare one output of `openssl x509` with our text. */
static void same_as(const char *command, const char *ours)
{
    char *theirs = apr_pstrdup(ctx->pool, run(command));

    theirs[strcspn(theirs, "\n")] = '\0';
    ck_assert_str_eq(theirs, ours);
}

START_TEST(accessors_agree_with_openssl)
{
    static const char *const subject = "/UID=com.apple.mgmt.External.5e2b/CN=Push, \\\"x\\\" <1>/O=a+b/C=DE";
    mdm_cert_t *cert = NULL;

    run(apr_psprintf(ctx->pool, "openssl genrsa -out p.key 2048; openssl req -x509 -key p.key -days 30"
                     " -set_serial 0x00ff01 -subj '%s' -out p.pem", subject));
    ck_assert_int_eq(mdm_cert_from_pem(&cert, ctx, oracle_read("p.pem")), APR_SUCCESS);
    ck_assert_str_eq(mdm_cert_uid(ctx, cert), "com.apple.mgmt.External.5e2b");
    ck_assert_str_eq(mdm_cert_serial(ctx, cert), "ff01");
    same_as("openssl x509 -in p.pem -noout -subject -nameopt RFC2253 | sed s/subject=//",
            mdm_cert_subject(ctx, cert));
    same_as("openssl x509 -in p.pem -noout -fingerprint -sha256 | sed 's/.*=//;s/://g' | tr A-F a-f",
            mdm_cert_fingerprint(ctx, cert));
    same_as("date +%s -d \"$(openssl x509 -in p.pem -noout -enddate | sed 's/.*=//')\"",
            apr_psprintf(ctx->pool, "%" APR_TIME_T_FMT, apr_time_sec(mdm_cert_not_after(cert))));
    same_as("date +%s -d \"$(openssl x509 -in p.pem -noout -startdate | sed 's/.*=//')\"",
            apr_psprintf(ctx->pool, "%" APR_TIME_T_FMT, apr_time_sec(mdm_cert_not_before(cert))));
    run("openssl req -x509 -key p.key -subj /CN=one/CN=two -out p.pem -set_serial 0");
    ck_assert_int_eq(mdm_cert_from_pem(&cert, ctx, oracle_read("p.pem")), APR_SUCCESS);
    ck_assert_ptr_null(mdm_cert_common_name(ctx, cert));
    ck_assert_str_eq(mdm_cert_serial(ctx, cert), "00");
}
END_TEST

START_TEST(test_b11_b13_b14_issued_certificate_is_a_client_identity)
{
    apr_time_t now = apr_time_now();
    mdm_csr_t *csr = good_csr("-subj '/CN=A0000000-1111/O=Ünï/OU=x/OU=y'"
                              " -addext subjectAltName=DNS:evil.example -addext extendedKeyUsage=serverAuth"
                              " -addext basicConstraints=critical,CA:TRUE");
    mdm_cert_t *cert = issue(csr, now - 10 * 60 * APR_USEC_PER_SEC, now + 365 * DAY);
    const char *text = run("openssl x509 -in dev.pem -noout -text");

    oracle_has(run("openssl verify -x509_strict -purpose sslclient -CAfile ca.pem dev.pem"), "dev.pem: OK");
    oracle_has(text, "Version: 3");
    oracle_has(text, "Signature Algorithm: sha256WithRSAEncryption");
    oracle_has(text, "X509v3 Basic Constraints: critical\n                CA:FALSE");
    oracle_has(text, "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment\n");
    oracle_has(text, "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n");
    oracle_has(text, "X509v3 Subject Key Identifier");
    oracle_has(text, "X509v3 Authority Key Identifier");
    ck_assert_int_eq(oracle_count(text, "X509v3 "), 6); /* five, and the line X509v3 extensions */
    ck_assert_ptr_null(strstr(text, "evil"));
    ck_assert_uint_eq(strlen(mdm_cert_serial(ctx, cert)), MDM_SERIAL_HEX_LEN);
    ck_assert(mdm_cert_serial(ctx, cert)[0] >= '4' && mdm_cert_serial(ctx, cert)[0] <= '7');
    ck_assert_int_eq(mdm_csr_same_key(csr, cert), 1);
    ck_assert_int_eq(mdm_csr_same_subject(csr, cert), 1);
    ck_assert_int_eq(mdm_csr_same_key(csr, ca), 0);
    ck_assert_int_eq(mdm_csr_same_subject(csr, ca), 0);
    ck_assert_int_eq(mdm_cert_is_ca(cert), 0);
    ck_assert_int_eq(mdm_cert_is_self_signed(cert), 0);
    ck_assert_str_ne(mdm_cert_serial(ctx, cert), mdm_cert_serial(ctx, issue(csr, now, now + DAY)));
}
END_TEST

/* Subjects in unusual string types and order must come back byte for byte. */
START_TEST(test_b12_subject_bytes_are_copied)
{
    static const char *const config =
        "[req]\ndistinguished_name=dn\nprompt=no\nstring_mask=pkix\n"
        "[dn]\n0.OU=second\nCN=d\xc3\xa4\nC=DE\n1.OU=z\n";
    mdm_csr_t *csr;
    mdm_cert_t *cert;

    oracle_write("req.cnf", mdm_bytes_of(config));
    csr = good_csr("-config req.cnf");
    cert = issue(csr, apr_time_now(), apr_time_now() + DAY);
    ck_assert_int_eq(mdm_csr_same_subject(csr, cert), 1);
    run("openssl req -inform DER -in dev.csr -noout -subject -nameopt multiline,show_type > a.txt;"
        "openssl x509 -in dev.pem -noout -subject -nameopt multiline,show_type > b.txt; cmp a.txt b.txt && "
        "grep -q BMPSTRING a.txt && grep -q PRINTABLESTRING a.txt");
}
END_TEST

START_TEST(test_b15_validity_is_cut_and_encoded)
{
    mdm_csr_t *csr = good_csr("-subj /CN=d");
    mdm_cert_t *cert = issue(csr, apr_time_now(), apr_time_now() + 40000 * DAY);
    mdm_issue_t how = { csr, ca, ca_key, 0, 0, NULL, NULL };

    ck_assert(mdm_cert_not_after(cert) == mdm_cert_not_after(ca));
    cert = issue(csr, -1, apr_time_now() + DAY);
    ck_assert(mdm_cert_not_before(cert) == -APR_USEC_PER_SEC);
    oracle_has(run("openssl x509 -in dev.pem -noout -startdate"), "Dec 31 23:59:59 1969 GMT");
    how.not_before = how.not_after = apr_time_now();
    ck_assert_int_eq(mdm_cert_issue(&cert, ctx, &how), MDM_EINPUT);
    ck_assert_int_eq(mdm_cert_make_ca(&ca, ctx, ca_key, NULL, "Long", 0, 20000 * DAY), APR_SUCCESS);
    cert = issue(csr, apr_time_now(), mdm_cert_not_after(ca));
    ck_assert(mdm_cert_not_after(cert) > apr_time_from_sec(2524608000LL));
    oracle_has(run("openssl asn1parse -in dev.pem"), "GENERALIZEDTIME");
}
END_TEST

START_TEST(unfit_cas_do_not_issue)
{
    mdm_csr_t *csr = good_csr("-subj /CN=d");
    mdm_issue_t how = { csr, ca, ca_key, apr_time_now(), apr_time_now() + DAY, NULL, NULL };
    mdm_cert_t *cert = NULL;
    mdm_key_t *other;

    ctx->fixed_now = mdm_cert_not_after(ca);
    ck_assert_int_eq(mdm_cert_issue(&cert, ctx, &how), MDM_ECONFIG);
    ctx->fixed_now = mdm_cert_not_before(ca) - 1;
    ck_assert_int_eq(mdm_cert_issue(&cert, ctx, &how), MDM_ECONFIG);
    ctx->fixed_now = 0;
    ck_assert_int_eq(mdm_key_generate(&other, ctx, 2048), APR_SUCCESS);
    how.ca_key = other;
    ck_assert_int_eq(mdm_cert_issue(&cert, ctx, &how), MDM_ECONFIG);
    how.ca = issue(csr, apr_time_now(), apr_time_now() + DAY);
    ck_assert_int_eq(mdm_key_from_pem(&other, ctx, oracle_read("dev.key")), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_issue(&cert, ctx, &how), MDM_ECONFIG);
    ck_assert_ptr_null(cert);
}
END_TEST

/* A request with the attribute lines given. */
static const char *challenge_of(const char *attributes)
{
    const char *config = apr_psprintf(ctx->pool, "[req]\ndistinguished_name=dn\nprompt=no\nattributes=at\n"
                                      "string_mask=%s\n[dn]\nCN=d\n[at]\n%s\n",
                                      strchr(attributes, 'M') ? "MASK:2" : "utf8only", attributes);

    oracle_write("req.cnf", mdm_bytes_of(config));
    return mdm_csr_challenge(ctx, good_csr("-config req.cnf"));
}

START_TEST(test_b23_b24_challenge_is_read)
{
    ck_assert_str_eq(challenge_of("challengePassword=sesame-1"), "sesame-1");
    ck_assert_str_eq(challenge_of("challengePassword=s\xc3\xa4same"), "s\xc3\xa4same");
    ck_assert_str_eq(challenge_of("challengePassword=printable.M"), "printable.M");
    ck_assert_str_eq(challenge_of("unstructuredName=first\nchallengePassword=after"), "after");
    ck_assert_ptr_null(challenge_of("unstructuredName=none"));
    ck_assert_str_eq(mdm_csr_common_name(ctx, good_csr("-subj /O=x/CN=name")), "name");
    ck_assert_str_eq(mdm_csr_subject(ctx, good_csr("-subj /O=x/CN=name")), "CN=name,O=x");
}
END_TEST

static int add_attribute(X509_REQ *req, int nid, int type, const char *value, int len)
{
    return X509_REQ_add1_attr_by_NID(req, nid, type, (const unsigned char *)value, len);
}

/* What the command line cannot make: the challenge `times` times, of any type and bytes. */
static const char *odd_challenge(int type, const char *value, int len, int times)
{
    X509_REQ *req = X509_REQ_new();
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509_NAME *name = X509_NAME_new();
    unsigned char *der = NULL;
    mdm_csr_t *csr = NULL;
    mdm_bytes_t bytes;
    int weak;

    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"d", -1, -1, 0);
    X509_REQ_set_subject_name(req, name);
    X509_REQ_set_pubkey(req, key);
    ck_assert_int_eq(add_attribute(req, NID_pkcs9_challengePassword, type, value, len), 1);
    if (times > 1) { /* OpenSSL adds no attribute twice, but lets one be renamed */
        ck_assert_int_eq(add_attribute(req, NID_pkcs9_unstructuredName, type, value, len), 1);
        X509_ATTRIBUTE_set1_object(X509_REQ_get_attr(req, 1), OBJ_nid2obj(NID_pkcs9_challengePassword));
    }
    X509_REQ_sign(req, key, EVP_sha256());
    bytes.len = (apr_size_t)i2d_X509_REQ(req, &der);
    bytes.data = der;
    ck_assert_int_eq(mdm_csr_from_der(&csr, &weak, ctx, bytes), APR_SUCCESS);
    OPENSSL_free(der);
    X509_NAME_free(name);
    EVP_PKEY_free(key);
    X509_REQ_free(req);
    return mdm_csr_challenge(ctx, csr);
}

START_TEST(test_c02_odd_challenges_are_none)
{
    char longest[257];

    memset(longest, 'c', sizeof(longest));
    ck_assert_str_eq(odd_challenge(V_ASN1_IA5STRING, "ia5", 3, 1), "ia5");
    ck_assert_str_eq(odd_challenge(V_ASN1_PRINTABLESTRING, "p", 1, 1), "p");
    ck_assert_str_eq(odd_challenge(V_ASN1_BMPSTRING, "\0b\0m", 4, 1), "bm");
    ck_assert_int_eq(strlen(odd_challenge(V_ASN1_UTF8STRING, longest, 256, 1)), 256);
    ck_assert_ptr_null(odd_challenge(V_ASN1_UTF8STRING, longest, 257, 1));
    ck_assert_ptr_null(odd_challenge(V_ASN1_UTF8STRING, "two", 3, 2));
    ck_assert_ptr_null(odd_challenge(V_ASN1_UTF8STRING, "a\0b", 3, 1));
    ck_assert_ptr_null(odd_challenge(V_ASN1_UTF8STRING, "\xff\xfe", 2, 1));
    ck_assert_ptr_null(odd_challenge(V_ASN1_OCTET_STRING, "octets", 6, 1));
    ck_assert_ptr_null(odd_challenge(V_ASN1_BIT_STRING, "bits", 4, 1));
}
END_TEST

static apr_size_t find(mdm_bytes_t in, const char *bytes, apr_size_t len)
{
    apr_size_t at;

    for (at = 0; at + len <= in.len; at++)
        if (!memcmp(in.data + at, bytes, len))
            return at;
    ck_abort_msg("not there");
    return 0;
}

START_TEST(unfit_requests_are_refused)
{
    mdm_bytes_t der = make_csr("2048", "-subj /CN=d");
    unsigned char *data = apr_pmemdup(ctx->pool, der.data, der.len + 1);
    mdm_bytes_t changed = { data, der.len };

    data[der.len - 1] ^= 1;
    ck_assert_int_eq(refused(changed), 0);
    data[der.len - 1] ^= 1;
    changed.len++;
    ck_assert_int_eq(refused(changed), 0);
    changed.len -= 2;
    ck_assert_int_eq(refused(changed), 0);
    changed.len++;
    data[find(der, "\x02\x01\x00", 3) + 2] = 1; /* version 2 */
    ck_assert_int_eq(refused(changed), 0);
    data[find(der, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9) + 8] = 3; /* no key algorithm */
    ck_assert_int_eq(refused(changed), 0);
    ck_assert_int_eq(refused(mdm_bytes_of("")), 0);
    ck_assert_int_eq(refused(make_csr("1024", "-subj /CN=d")), 0);
    ck_assert_int_eq(refused(make_csr("2048", "-subj /CN=d -md5")), 1);
    ck_assert_int_eq(refused(make_csr("2048", "-subj /CN=d -sigopt rsa_padding_mode:pss")), 1);
    ck_assert_int_eq(refused(make_csr("2048", "-subj /")), 0);
    good_csr("-subj /CN=d -sha1");
    run("openssl ecparam -name prime256v1 -genkey -out ec.key;"
        "openssl req -new -key ec.key -subj /CN=d -outform DER -out ec.csr");
    ck_assert_int_eq(refused(oracle_read("ec.csr")), 0);
}
END_TEST

/* A request for a public key that nobody has: making one of 8200 bits takes too long. */
static mdm_bytes_t csr_for(int bits, const char *exponent)
{
    X509_REQ *req = X509_REQ_new();
    EVP_PKEY *signing = EVP_RSA_gen(2048), *pkey = EVP_PKEY_new();
    RSA *rsa = RSA_new();
    BIGNUM *n = BN_new(), *e = NULL;
    unsigned char *der = NULL;
    mdm_bytes_t bytes;

    BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
    BN_hex2bn(&e, exponent);
    ck_assert(RSA_set0_key(rsa, n, e, NULL) && EVP_PKEY_assign_RSA(pkey, rsa));
    ck_assert(X509_REQ_set_pubkey(req, pkey) && X509_REQ_sign(req, signing, EVP_sha256()));
    bytes.len = (apr_size_t)i2d_X509_REQ(req, &der);
    bytes.data = apr_pmemdup(ctx->pool, der, bytes.len);
    OPENSSL_free(der);
    EVP_PKEY_free(signing);
    EVP_PKEY_free(pkey);
    X509_REQ_free(req);
    return bytes;
}

START_TEST(unusual_rsa_keys_are_refused)
{
    static const struct {
        int bits;
        const char *exponent;
    } keys[] = { { 2047, "10001" }, { 8193, "10001" }, { 16384, "10001" }, { 2048, "1" }, { 2048, "10000" },
                 { 2048, "2000000001" } };
    apr_size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        ck_assert_int_eq(refused(csr_for(keys[i].bits, keys[i].exponent)), 0);
        oracle_has(ctx->detail, "not for an RSA key");
    }
    refused(csr_for(8192, "3"));
    oracle_has(ctx->detail, "no subject"); /* the key has passed */
}
END_TEST

static mdm_bytes_t csr_with_names(const char *names)
{
    const char *config = apr_psprintf(ctx->pool, "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\n%s\n",
                                      names);

    oracle_write("req.cnf", mdm_bytes_of(config));
    return make_csr("2048", "-config req.cnf");
}

START_TEST(hostile_subjects_are_refused)
{
    char name[400];
    const char *names = "";
    mdm_csr_t *csr = NULL;
    int weak, i;

    memset(name, 'n', sizeof(name));
    memcpy(name, "title=", 6);
    name[6 + 64] = '\0';
    for (i = 0; i < 20; i++)
        names = apr_psprintf(ctx->pool, "%s%d.%s\n", names, i, name);
    ck_assert_int_eq(mdm_csr_from_der(&csr, &weak, ctx, csr_with_names(names)), APR_SUCCESS);
    ck_assert_ptr_null(mdm_csr_common_name(ctx, csr));
    ck_assert_int_eq(refused(csr_with_names(apr_pstrcat(ctx->pool, names, "CN=over\n", NULL))), 0);
    memset(name, 'n', sizeof(name));
    memcpy(name, "DC=", 3);
    name[3 + 257] = '\0';
    ck_assert_int_eq(refused(csr_with_names(name)), 0);
    ck_assert_int_eq(refused(csr_with_names("CN=line\\nbreak")), 0);
    ck_assert_int_eq(refused(csr_with_names("CN=\"tab\tinside\"")), 0);
}
END_TEST

static Suite *pki_suite(void)
{
    Suite *suite = suite_create("pki");
    TCase *tcase = tcase_create("pki");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, start, oracle_end);
    tcase_add_test(tcase, test_a07_a08_ca_is_what_scep_needs);
    tcase_add_test(tcase, ca_names_are_checked);
    tcase_add_test(tcase, keys_pass_through_pem);
    tcase_add_test(tcase, bad_keys_are_named);
    tcase_add_test(tcase, certificates_pass_through);
    tcase_add_test(tcase, accessors_agree_with_openssl);
    tcase_add_test(tcase, test_b11_b13_b14_issued_certificate_is_a_client_identity);
    tcase_add_test(tcase, test_b12_subject_bytes_are_copied);
    tcase_add_test(tcase, test_b15_validity_is_cut_and_encoded);
    tcase_add_test(tcase, unfit_cas_do_not_issue);
    tcase_add_test(tcase, test_b23_b24_challenge_is_read);
    tcase_add_test(tcase, test_c02_odd_challenges_are_none);
    tcase_add_test(tcase, unfit_requests_are_refused);
    tcase_add_test(tcase, unusual_rsa_keys_are_refused);
    tcase_add_test(tcase, hostile_subjects_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(pki_suite());
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
