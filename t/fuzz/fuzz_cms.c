/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of Mdm-Signature and of PEM files. The first byte of an input says where the rest goes in: S
 * a detached signature over the text "content", F changes (two bytes offset, one byte to flip) to a good
 * one, P a PEM text. A signature that holds must not hold over other content. Keys are made at the start.
 * Built with libFuzzer, or with t/fuzz/replay.c for "make check".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_tables.h>
#include <openssl/cms.h>
#include <openssl/err.h>

#include "../unit/scep_maker.h"
#include "mdm_cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static apr_pool_t *root;
static unsigned char *good;
static size_t good_len;

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
    EVP_PKEY *key = maker_key(2048);
    X509 *cert = maker_cert(key, "signer", 0);
    BIO *content = BIO_new_mem_buf("content", -1);
    CMS_ContentInfo *cms = CMS_sign(cert, key, NULL, content, CMS_BINARY | CMS_DETACHED);
    int len = i2d_CMS_ContentInfo(cms, &good);

    check(len > 0 && apr_initialize() == APR_SUCCESS && apr_pool_create(&root, NULL) == APR_SUCCESS);
    atexit(finish);
    good_len = (size_t)len;
    CMS_ContentInfo_free(cms);
    BIO_free(content);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void verify(mdm_ctx_t *ctx, mdm_bytes_t der)
{
    mdm_cert_t *signer;
    apr_status_t rv = mdm_cms_verify_detached(&signer, ctx, der, mdm_bytes_of("content"));

    check(ERR_peek_error() == 0);
    if (rv != APR_SUCCESS) {
        check((rv == MDM_EINPUT || rv == MDM_ECMS) && ctx->detail);
        return;
    }
    check(mdm_cert_subject(ctx, signer) && strlen(mdm_cert_fingerprint(ctx, signer)) == 64);
    check(mdm_cms_verify_detached(&signer, ctx, der, mdm_bytes_of("Content")) == MDM_ECMS);
}

static void verify_changed(mdm_ctx_t *ctx, mdm_bytes_t changes)
{
    unsigned char *copy = apr_palloc(ctx->pool, good_len);
    mdm_bytes_t der = { copy, good_len };

    memcpy(copy, good, good_len);
    for (; changes.len >= 3; changes.data += 3, changes.len -= 3)
        copy[((size_t)changes.data[0] << 8 | changes.data[1]) % good_len] ^= changes.data[2];
    verify(ctx, der);
}

static void read_pem(mdm_ctx_t *ctx, mdm_bytes_t pem)
{
    apr_array_header_t *certs;
    mdm_cert_t *cert;
    mdm_key_t *key;
    mdm_bytes_t out;

    if (mdm_key_from_pem(&key, ctx, pem) == APR_SUCCESS)
        mdm_key_to_pem(&out, ctx, key);
    if (mdm_certs_from_pem(&certs, ctx, pem) == APR_SUCCESS) {
        check(certs->nelts > 0 && mdm_cert_from_pem(&cert, ctx, pem) == APR_SUCCESS);
        check(mdm_cert_to_der(&out, ctx, cert) == APR_SUCCESS && out.len > 0);
    }
    check(ERR_peek_error() == 0);
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
        verify_changed(ctx, rest);
    else if (data[0] == 'P')
        read_pem(ctx, rest);
    apr_pool_destroy(pool);
    return 0;
}
