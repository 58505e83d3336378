/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of CMS signatures, detached as in Mdm-Signature and with their content inside, and of PEM
 * files. The first byte of an input says where the rest goes in: S a detached signature over the text
 * "content", F changes (two bytes offset, one byte to flip) to a good one, A a signature with its content, G
 * changes to a good one, P a PEM text. A signature that holds must not hold over other content. Keys are made
 * at the start.
 * Built with libFuzzer, or with t/fuzz/replay.c for "make check".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <openssl/cms.h>
#include <openssl/err.h>

#include "../unit/der_surgery.h"
#include "../unit/scep_maker.h"
#include "mdm_cms.h"
#include "seeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static apr_pool_t *root;
static EVP_PKEY *key;
static X509 *cert;
static maker_bytes_t good, attached;

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

static maker_bytes_t sign(const char *content, const EVP_MD *digest, unsigned flags)
{
    BIO *in = BIO_new_mem_buf(content, -1);
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, in, flags | CMS_BINARY | CMS_PARTIAL);
    maker_bytes_t made = { NULL, 0 };
    int len;

    check(cms && CMS_add1_signer(cms, cert, key, digest, flags | CMS_BINARY | CMS_PARTIAL)
          && CMS_final(cms, in, NULL, flags | CMS_BINARY));
    len = i2d_CMS_ContentInfo(cms, &made.data);
    check(len > 0);
    made.len = (size_t)len;
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    return made;
}

static void start(void)
{
    check(apr_initialize() == APR_SUCCESS && apr_pool_create(&root, NULL) == APR_SUCCESS);
    atexit(finish);
    key = maker_key(2048);
    cert = maker_cert(key, "signer", 0);
    good = sign("content", EVP_sha256(), CMS_DETACHED);
    attached = sign("content", EVP_sha256(), 0);
}

static void verify_attached(mdm_ctx_t *ctx, mdm_bytes_t der)
{
    apr_array_header_t *certs;
    mdm_bytes_t content, found;
    mdm_cert_t *signer;
    apr_status_t rv = mdm_cms_verify_attached(&content, &signer, &certs, ctx, der);
    int i;

    check(ERR_peek_error() == 0);
    if (rv != APR_SUCCESS) {
        check((rv == MDM_EINPUT || rv == MDM_ECMS) && ctx->detail);
        mdm_cms_content(&content, ctx, der);
        check(ERR_peek_error() == 0);
        return;
    }
    check(certs->nelts >= 1 && certs->nelts <= 8 && !content.data[content.len]);
    check(mdm_cert_subject(ctx, signer) && strlen(mdm_cert_key_sha256(ctx, signer)) == 64);
    for (i = 0; i < certs->nelts; i++)
        mdm_cert_signed_by(signer, APR_ARRAY_IDX(certs, i, mdm_cert_t *));
    check(mdm_cms_content(&found, ctx, der) == APR_SUCCESS && found.len == content.len
          && !memcmp(found.data, content.data, content.len));
}

static void verify(mdm_ctx_t *ctx, mdm_bytes_t der)
{
    mdm_cms_signature_t signature;
    apr_status_t rv = mdm_cms_verify_detached(&signature, ctx, der, mdm_bytes_of("content"));

    check(ERR_peek_error() == 0);
    if (rv != APR_SUCCESS) {
        check((rv == MDM_EINPUT || rv == MDM_ECMS) && ctx->detail);
        return;
    }
    check(mdm_cert_subject(ctx, signature.signer)
          && strlen(mdm_cert_fingerprint(ctx, signature.signer)) == 64);
    check(mdm_cms_verify_detached(&signature, ctx, der, mdm_bytes_of("Content")) == MDM_ECMS);
}

static mdm_bytes_t changed(mdm_ctx_t *ctx, maker_bytes_t from, mdm_bytes_t changes)
{
    unsigned char *copy = apr_pmemdup(ctx->pool, from.data, from.len);
    mdm_bytes_t der = { copy, from.len };

    for (; changes.len >= 3; changes.data += 3, changes.len -= 3)
        copy[((size_t)changes.data[0] << 8 | changes.data[1]) % from.len] ^= changes.data[2];
    return der;
}

static void read_pem(mdm_ctx_t *ctx, mdm_bytes_t pem)
{
    apr_array_header_t *certs;
    mdm_cert_t *first;
    mdm_key_t *read;
    mdm_bytes_t out;

    if (mdm_key_from_pem(&read, ctx, pem) == APR_SUCCESS)
        mdm_key_to_pem(&out, ctx, read);
    if (mdm_certs_from_pem(&certs, ctx, pem) == APR_SUCCESS) {
        check(certs->nelts > 0 && mdm_cert_from_pem(&first, ctx, pem) == APR_SUCCESS);
        check(mdm_cert_to_der(&out, ctx, first) == APR_SUCCESS && out.len > 0);
    }
    check(ERR_peek_error() == 0);
}

static void use_bytes(fuzz_use_t *use, char where, maker_bytes_t bytes)
{
    const maker_bytes_t first = { (unsigned char *)&where, 1 };
    maker_bytes_t seed = der_join(first, bytes);

    use(seed.data, seed.len);
    free(seed.data);
}

/* Good in all variants that there are; each as what it is, and as what it is not. */
static void seed_variants(fuzz_use_t *use)
{
    static const unsigned flags[] = { 0, CMS_NOATTR, CMS_USE_KEYID, CMS_NOCERTS, CMS_NOSMIMECAP };
    const EVP_MD *const digests[] = { EVP_sha256(), EVP_sha1(), EVP_sha384(), EVP_sha512(), EVP_md5() };
    maker_bytes_t made;
    size_t i, j;

    for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        for (j = 0; j < sizeof(digests) / sizeof(digests[0]); j++) {
            made = sign("content", digests[j], flags[i]);
            use_bytes(use, 'A', made);
            OPENSSL_free(made.data);
            made = sign("content", digests[j], flags[i] | CMS_DETACHED);
            use_bytes(use, 'S', made);
            OPENSSL_free(made.data);
        }
    }
    use_bytes(use, 'S', attached);
    use_bytes(use, 'A', good);
}

static void seed_surgery(fuzz_use_t *use)
{
    static const der_path_t paths[] = { DER_DIGEST_ALGORITHMS, DER_CONTENT, DER_CERTIFICATE, DER_CERTIFICATES,
                                        DER_SIGNER_INFOS, DER_SIGNED_ATTRIBUTES, { 0, -1 }, { 1, -1 },
                                        { 1, 0, 2, -1 }, { 1, 0, 4, 0, 5, -1 } };
    static unsigned char set[] = { 0x31, 0 }, null[] = { 5, 0 }, open_sequence[] = { 0x30, 0x80, 0, 0 };
    static const maker_bytes_t with[] = { { set, 0 }, { set, 2 }, { null, 2 }, { open_sequence, 4 } };
    size_t i, j;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        for (j = 0; j < sizeof(with) / sizeof(with[0]); j++) {
            maker_bytes_t made = der_replace(attached, paths[i], with[j]);

            use_bytes(use, 'A', made);
            free(made.data);
        }
    }
}

void fuzz_seeds(fuzz_use_t *use)
{
    if (!root)
        start();
    seed_variants(use);
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
    if (data[0] == 'S')
        verify(ctx, rest);
    else if (data[0] == 'F')
        verify(ctx, changed(ctx, good, rest));
    else if (data[0] == 'A')
        verify_attached(ctx, rest);
    else if (data[0] == 'G')
        verify_attached(ctx, changed(ctx, attached, rest));
    else if (data[0] == 'P')
        read_pem(ctx, rest);
    apr_pool_destroy(pool);
    return 0;
}
