/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of OCSP requests: the whole input is one. Whatever is taken must be answered, and OpenSSL must find
 * in the answer what was asked, the nonce, and a signature that holds. Keys are made at the start. Built with
 * libFuzzer, or with t/fuzz/replay.c for "make check".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "mdm_pki_ocsp.h"
#include "mdm_pki_ossl.h"
#include "seeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static apr_pool_t *root;
static mdm_key_t *ca_key;
static mdm_cert_t *ca;
static apr_array_header_t *cas;

static void check(int holds)
{
    if (!holds)
        abort();
}

/* Leak checkers do not look into APR's pools. */
static void finish(void)
{
    apr_pool_destroy(root);
}

static void start(void)
{
    mdm_ctx_t *ctx;

    check(apr_initialize() == APR_SUCCESS && apr_pool_create(&root, NULL) == APR_SUCCESS);
    atexit(finish);
    ctx = mdm_ctx_create(root, NULL);
    check(mdm_key_generate(&ca_key, ctx, 2048) == APR_SUCCESS);
    check(mdm_cert_make_ca(&ca, ctx, ca_key, NULL, "Fuzz CA", 0, apr_time_from_sec(86400)) == APR_SUCCESS);
    cas = apr_array_make(root, 1, sizeof(mdm_cert_t *));
    APR_ARRAY_PUSH(cas, mdm_cert_t *) = ca;
}

static void judge(mdm_bytes_t der, mdm_bytes_t asked, int count)
{
    const unsigned char *at = der.data, *from = asked.data;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &from, (long)asked.len);
    OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
    STACK_OF(X509) *trusted = sk_X509_new_null();

    check(basic && request && at == der.data + der.len && sk_X509_push(trusted, ca->x509) > 0);
    check(OCSP_basic_verify(basic, trusted, NULL, OCSP_TRUSTOTHER | OCSP_NOCHECKS) == 1);
    check(OCSP_resp_count(basic) == count && OCSP_check_nonce(request, basic) > 0);
    sk_X509_free(trusted);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    OCSP_REQUEST_free(request);
    ERR_clear_error();
}

static void answer(mdm_ctx_t *ctx, const mdm_ocsp_request_t *request, mdm_bytes_t asked)
{
    int i, count = mdm_ocsp_count(request);
    mdm_ocsp_status_t *statuses = apr_pcalloc(ctx->pool, sizeof(*statuses) * (apr_size_t)count);
    apr_time_t now = apr_time_now();
    mdm_bytes_t der;

    check(count >= 1 && count <= MDM_OCSP_MAX_CERTIFICATES);
    for (i = 0; i < count; i++) {
        const char *serial = mdm_ocsp_serial(request, i);

        check(!serial || (strlen(serial) >= 2 && strlen(serial) <= 40));
        check(mdm_ocsp_issuer(request, i) >= -1 && mdm_ocsp_issuer(request, i) <= 0);
        statuses[i].status = (mdm_ocsp_status_e)(i % 3);
        statuses[i].revoked_at = now;
        statuses[i].reason = i % 2 ? "superseded" : NULL;
    }
    check(mdm_ocsp_answer(&der, ctx, request, statuses, ca, ca_key, now, now + APR_USEC_PER_SEC) == APR_SUCCESS);
    check(ERR_peek_error() == 0);
    judge(der, asked, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mdm_bytes_t asked = { data, size };
    mdm_ocsp_request_t *request;
    apr_pool_t *pool;
    mdm_ctx_t *ctx;
    apr_status_t rv;

    if (!root)
        start();
    check(apr_pool_create(&pool, root) == APR_SUCCESS);
    ctx = mdm_ctx_create(pool, NULL);
    rv = mdm_ocsp_read(&request, ctx, asked, cas);
    check(ERR_peek_error() == 0);
    if (rv == APR_SUCCESS)
        answer(ctx, request, asked);
    else
        check(rv == MDM_EINPUT && ctx->detail);
    apr_pool_destroy(pool);
    return 0;
}

static void use_request(fuzz_use_t *use, OCSP_REQUEST *request)
{
    unsigned char *der = NULL;
    int len = i2d_OCSP_REQUEST(request, &der), cut;

    check(len > 0);
    use(der, (size_t)len);
    for (cut = 0; cut < len; cut += 1 + len / 64)
        use(der, (size_t)cut);
    OPENSSL_free(der);
    OCSP_REQUEST_free(request);
}

static OCSP_REQUEST *request_for(const EVP_MD *md, long serial, int count)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();

    check(request && ASN1_INTEGER_set(number, serial));
    while (count--)
        check(OCSP_request_add0_id(request, OCSP_cert_id_new(md, X509_get_subject_name(ca->x509),
                                                             X509_get0_pubkey_bitstr(ca->x509), number)) != NULL);
    ASN1_INTEGER_free(number);
    return request;
}

void fuzz_seeds(fuzz_use_t *use)
{
    const EVP_MD *const digests[] = { EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512(), EVP_md5() };
    static const int counts[] = { 0, 1, 2, 16, 17 }, nonces[] = { 1, 16, 32, 33, 200 };
    OCSP_REQUEST *request;
    size_t i;

    if (!root)
        start();
    for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
        use_request(use, request_for(digests[i], 4711, 1));
    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        use_request(use, request_for(EVP_sha1(), -1 + (long)i, counts[i]));
    for (i = 0; i < sizeof(nonces) / sizeof(nonces[0]); i++) {
        request = request_for(EVP_sha256(), 5, 1);
        check(OCSP_request_add1_nonce(request, NULL, nonces[i]));
        use_request(use, request);
    }
    ERR_clear_error();
}
