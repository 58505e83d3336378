/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of certification requests. The first byte of an input says where the rest goes in, so that the
 * request's own signature can be passed: R a whole request, F changes (two bytes offset, one byte to flip) to
 * a good one, S the subject and A the attributes of a well signed one, P a PEM text. Keys are made at the
 * start. Whatever is taken must make a certificate with the same key and subject, and pass through PEM. Built
 * with libFuzzer, or with t/fuzz/replay.c for "make check".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <openssl/err.h>

#include "../unit/der_surgery.h"
#include "../unit/scep_maker.h"
#include "mdm_pki.h"
#include "seeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const der_path_t info = { 0, -1 }, subject = { 0, 1, -1 }, attributes = { 0, 3, -1 },
                        signature = { 2, -1 };
static apr_pool_t *root;
static mdm_key_t *ca_key;
static mdm_cert_t *ca;
static EVP_PKEY *key;
static maker_bytes_t good;

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
    key = maker_key(2048);
    good = maker_csr(key, "device", "challenge", NULL);
}

/* A copy with another part, signed again. */
static maker_bytes_t with_part(const int *path, maker_bytes_t part)
{
    maker_bytes_t draft = der_replace(good, path, part), tbs = der_at(draft, info), made;
    unsigned char bits[257] = { 0 };
    maker_bytes_t value = { bits, sizeof(bits) }, wrapped;
    size_t len = sizeof(bits) - 1;
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    check(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) == 1
          && EVP_DigestSign(md, bits + 1, &len, tbs.data, tbs.len) == 1);
    EVP_MD_CTX_free(md);
    wrapped = der_wrap(0x03, value);
    made = der_replace(draft, signature, wrapped);
    free(wrapped.data);
    free(draft.data);
    return made;
}

static void look_at(mdm_ctx_t *ctx, const mdm_csr_t *csr)
{
    apr_time_t now = apr_time_now();
    mdm_issue_t how = { csr, ca, ca_key, now, now + apr_time_from_sec(60), "http://a/crl", "http://a/ocsp" };
    const char *challenge = mdm_csr_challenge(ctx, csr), *pem;
    mdm_bytes_t csr_name = mdm_csr_subject_der(ctx, csr), cert_name;
    mdm_cert_t *cert, *again;
    mdm_csr_t *kept;
    mdm_bytes_t der;

    check(!challenge || strlen(challenge) <= 256);
    check(mdm_csr_subject(ctx, csr) != NULL);
    mdm_csr_common_name(ctx, csr);
    check(mdm_cert_issue(&cert, ctx, &how) == APR_SUCCESS);
    check(mdm_csr_same_key(csr, cert) && mdm_csr_same_subject(csr, cert));
    cert_name = mdm_cert_subject_der(ctx, cert);
    check(csr_name.len == cert_name.len && !memcmp(csr_name.data, cert_name.data, cert_name.len));
    check(mdm_cert_to_der(&der, ctx, cert) == APR_SUCCESS);
    check(mdm_cert_from_der(&again, ctx, der) == APR_SUCCESS);
    check(!strcmp(mdm_cert_key_sha256(ctx, again), mdm_csr_key_sha256(ctx, csr)));
    check(mdm_cert_signed_by(again, ca) && mdm_csr_same_key(csr, again));
    check(mdm_csr_to_pem(&pem, ctx, csr) == APR_SUCCESS);
    check(mdm_csr_from_pem(&kept, ctx, mdm_bytes_of(pem)) == APR_SUCCESS);
    check(ERR_peek_error() == 0);
}

static void read_csr(mdm_ctx_t *ctx, mdm_bytes_t der)
{
    mdm_csr_t *csr;
    int weak = 0;
    apr_status_t rv = mdm_csr_from_der(&csr, &weak, ctx, der);

    check(ERR_peek_error() == 0);
    if (rv == APR_SUCCESS)
        look_at(ctx, csr);
    else
        check(rv == MDM_EINPUT && ctx->detail);
}

static void read_with_part(mdm_ctx_t *ctx, const int *path, mdm_bytes_t part)
{
    maker_bytes_t bytes = { (unsigned char *)part.data, part.len };
    maker_bytes_t made = with_part(path, bytes);
    mdm_bytes_t der = { made.data, made.len };

    read_csr(ctx, der);
    free(made.data);
}

static void read_changed(mdm_ctx_t *ctx, mdm_bytes_t changes)
{
    unsigned char *copy = apr_pmemdup(ctx->pool, good.data, good.len);
    mdm_bytes_t der = { copy, good.len };

    for (; changes.len >= 3; changes.data += 3, changes.len -= 3)
        copy[((size_t)changes.data[0] << 8 | changes.data[1]) % good.len] ^= changes.data[2];
    read_csr(ctx, der);
}

static void read_pem(mdm_ctx_t *ctx, mdm_bytes_t pem)
{
    mdm_csr_t *csr;

    if (mdm_csr_from_pem(&csr, ctx, pem) == APR_SUCCESS)
        look_at(ctx, csr);
    check(ERR_peek_error() == 0);
}

static void use_bytes(fuzz_use_t *use, char where, maker_bytes_t bytes)
{
    const maker_bytes_t first = { (unsigned char *)&where, 1 };
    maker_bytes_t seed = der_join(first, bytes);

    use(seed.data, seed.len);
    free(seed.data);
}

static void seed_requests(fuzz_use_t *use)
{
    const EVP_MD *const digests[] = { EVP_sha1(), EVP_sha224(), EVP_sha256(), EVP_sha384(), EVP_sha512(),
                                      EVP_md5() };
    static const char *const names[] = { "d", "a b", "<b>", "a\r\nb", "\x7f", "ü", "a,b+c=d;e#\"" };
    EVP_PKEY *weak = maker_key(1024), *ec = EVP_EC_gen("P-256");
    EVP_PKEY *const keys[] = { weak, ec };
    maker_bytes_t made;
    size_t i;

    for (i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
        made = maker_csr(key, "device", "challenge", digests[i]);
        use_bytes(use, 'R', made);
        OPENSSL_free(made.data);
    }
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        made = maker_csr(key, names[i], i % 2 ? names[i] : NULL, NULL);
        use_bytes(use, 'R', made);
        use_bytes(use, 'S', der_at(made, subject));
        use_bytes(use, 'A', der_at(made, attributes));
        OPENSSL_free(made.data);
    }
    for (i = 0; i < 2; i++) {
        made = maker_csr(keys[i], "device", NULL, NULL);
        use_bytes(use, 'R', made);
        OPENSSL_free(made.data);
        EVP_PKEY_free(keys[i]);
    }
}

/* Each element gone, and with another in its place. */
static void seed_surgery(fuzz_use_t *use)
{
    static const der_path_t paths[] = { { 0, -1 }, { 0, 0, -1 }, { 0, 1, -1 }, { 0, 1, 0, -1 }, { 0, 2, -1 },
                                        { 0, 2, 0, -1 }, { 0, 2, 1, -1 }, { 0, 3, -1 }, { 0, 3, 0, -1 },
                                        { 0, 3, 0, 1, -1 }, { 1, -1 }, { 2, -1 } };
    static unsigned char set[] = { 0x31, 0 }, null[] = { 5, 0 };
    static const maker_bytes_t with[] = { { set, 0 }, { set, 2 }, { null, 2 } };
    size_t i, j;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        for (j = 0; j < sizeof(with) / sizeof(with[0]); j++) {
            maker_bytes_t made = der_replace(good, paths[i], with[j]);

            use_bytes(use, 'R', made);
            free(made.data);
        }
    }
}

void fuzz_seeds(fuzz_use_t *use)
{
    if (!root)
        start();
    seed_requests(use);
    seed_surgery(use);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mdm_bytes_t rest = { data + 1, size - 1 };
    mdm_ctx_t *ctx;
    apr_pool_t *pool;

    if (!root)
        start();
    if (!size)
        return 0;
    check(apr_pool_create(&pool, root) == APR_SUCCESS);
    ctx = mdm_ctx_create(pool, NULL);
    if (data[0] == 'R')
        read_csr(ctx, rest);
    else if (data[0] == 'F')
        read_changed(ctx, rest);
    else if (data[0] == 'S')
        read_with_part(ctx, subject, rest);
    else if (data[0] == 'A')
        read_with_part(ctx, attributes, rest);
    else if (data[0] == 'P')
        read_pem(ctx, rest);
    apr_pool_destroy(pool);
    return 0;
}
