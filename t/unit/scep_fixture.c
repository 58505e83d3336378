/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CA, a client and a well-formed request, made anew for each test of SCEP; see scep_fixture.h. Test code
 * only.
 */
#include <string.h>

#include <apr_strings.h>
#include <check.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "scep_fixture.h"

mdm_ctx_t *ctx;
mdm_key_t *ca_key;
mdm_cert_t *ca;
EVP_PKEY *key;
X509 *self;
maker_t maker;
mdm_scep_request_t *request;
mdm_scep_fail_info_e fail_info;
mdm_scep_server_t server;

static mdm_scep_party_t party;

void write_cert(const char *name, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert(PEM_write_bio_X509(bio, cert));
    oracle_write(name, mdm_bio_bytes(ctx, bio));
    BIO_free(bio);
}

void write_key(const char *name, EVP_PKEY *private)
{
    BIO *bio = BIO_new(BIO_s_mem());

    ck_assert(PEM_write_bio_PKCS8PrivateKey(bio, private, NULL, NULL, 0, NULL, NULL));
    oracle_write(name, mdm_bio_bytes(ctx, bio));
    BIO_free(bio);
}

void scep_start(void)
{
    ctx = oracle_start();
    ck_assert_int_eq(mdm_key_generate(&ca_key, ctx, 2048), APR_SUCCESS);
    ck_assert_int_eq(mdm_cert_make_ca(&ca, ctx, ca_key, "Org", "Device CA", 0, apr_time_from_sec(86400)),
                     APR_SUCCESS);
    write_cert("ca.pem", ca->x509);
    party.cert = ca;
    party.key = ca_key;
    server.parties = &party;
    server.count = 1;
    server.legacy = 0;
    key = maker_key(2048);
    self = maker_cert(key, "self", 30);
    write_cert("self.pem", self);
    write_key("self.key", key);
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

void scep_end(void)
{
    OPENSSL_free(maker.content.data);
    X509_free(maker.second);
    EVP_PKEY_free(maker.second_key);
    X509_free(self);
    EVP_PKEY_free(key);
    oracle_end();
}

mdm_bytes_t message(void)
{
    maker_bytes_t made = maker_message(&maker);
    mdm_bytes_t bytes = { apr_pmemdup(ctx->pool, made.data, made.len), made.len };

    OPENSSL_free(made.data);
    return bytes;
}

apr_status_t open_bytes(mdm_bytes_t bytes)
{
    apr_status_t rv;

    mdm_ctx_clear(ctx);
    request = NULL;
    rv = mdm_scep_open(&request, &fail_info, ctx, bytes, &server);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert(rv == APR_SUCCESS || ctx->detail);
    return rv;
}

void contents(maker_bytes_t content)
{
    OPENSSL_free(maker.content.data);
    maker.content = content;
}

void opens(void)
{
    apr_status_t rv = open_bytes(message());

    ck_assert_msg(rv == APR_SUCCESS, "%s", mdm_ctx_detail(ctx, rv));
}

/* The message must be refused in a signed reply with this failInfo. */
void fails(int expected)
{
    apr_status_t rv = open_bytes(message());

    ck_assert(rv == MDM_EINPUT || rv == MDM_ECMS);
    ck_assert_msg(request != NULL, "%s", mdm_ctx_detail(ctx, rv));
    ck_assert_msg((int)fail_info == expected, "failInfo %d: %s", (int)fail_info, mdm_ctx_detail(ctx, rv));
}

/* The message must be refused without a reply. */
void is_no_message(mdm_bytes_t bytes)
{
    ck_assert_int_eq(open_bytes(bytes), MDM_EINPUT);
    ck_assert_ptr_null(request);
}

mdm_cert_t *issue(void)
{
    apr_time_t now = apr_time_now();
    mdm_issue_t how = { request->csr, ca, ca_key, now, now + apr_time_from_sec(3600), NULL, NULL };
    mdm_cert_t *cert;

    ck_assert_int_eq(mdm_cert_issue(&cert, ctx, &how), APR_SUCCESS);
    return cert;
}

void open_reply(mdm_bytes_t der, const char *signer)
{
    oracle_write("reply.der", der);
    oracle_run(apr_psprintf(ctx->pool, "openssl cms -verify -inform DER -in reply.der -CAfile %s.pem"
                            " -purpose any -binary -out env.der", signer));
    oracle_run("openssl cms -decrypt -inform DER -in env.der -inkey self.key -recip self.pem -binary"
               " -out in.der");
}

mdm_cert_t *reply(void)
{
    mdm_cert_t *issued = issue();
    mdm_bytes_t der;

    ck_assert_int_eq(mdm_scep_reply_success(&der, ctx, request, issued), APR_SUCCESS);
    open_reply(der, "ca");
    oracle_run("openssl pkcs7 -inform DER -in in.der -print_certs -out out.pem");
    return issued;
}
