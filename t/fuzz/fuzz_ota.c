/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of a device's answers while it enrolls over the air: a signed message with a property list of
 * facts inside. The first byte of an input says where the rest goes in: M a whole answer, C the contents of a
 * well signed one, F changes (two bytes offset, one byte to flip) to a good one. Keys are made at the start.
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
#include "mdm_ota_facts.h"
#include "seeds.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
             "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\"" \
             " \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const facts[] = { "UDID", "IMEI", "ICCID", "VERSION", "PRODUCT", "SERIAL", "DEVICE_NAME",
                                     "CHALLENGE", "MAC_ADDRESS_EN0" };
static apr_pool_t *root;
static EVP_PKEY *key, *issuer_key;
static X509 *cert, *issuer;
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

/* As devices sign: SHA-1, and the certificate of the issuer along. */
static maker_bytes_t sign(maker_bytes_t content, const EVP_MD *digest, unsigned flags)
{
    BIO *in = BIO_new_mem_buf(content.len ? (const char *)content.data : "", (int)content.len);
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, in, flags | CMS_BINARY | CMS_PARTIAL);
    maker_bytes_t made = { NULL, 0 };
    int len;

    check(cms && CMS_add1_signer(cms, cert, key, digest, flags | CMS_BINARY | CMS_PARTIAL)
          && CMS_add1_cert(cms, issuer) && CMS_final(cms, in, NULL, flags | CMS_BINARY));
    len = i2d_CMS_ContentInfo(cms, &made.data);
    check(len > 0);
    made.len = (size_t)len;
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    return made;
}

static maker_bytes_t text(const char *content)
{
    maker_bytes_t bytes = { (unsigned char *)content, strlen(content) };

    return bytes;
}

static void start(void)
{
    check(apr_initialize() == APR_SUCCESS && apr_pool_create(&root, NULL) == APR_SUCCESS);
    atexit(finish);
    mdm_plist_init();
    issuer_key = maker_key(1024);
    issuer = maker_cert(issuer_key, "Device CA", 0);
    key = maker_key(1024);
    cert = maker_cert(key, "device", 0);
    good = sign(text(HEAD "<dict><key>UDID</key><string>u</string></dict></plist>"), EVP_sha1(), 0);
}

static void read_facts(mdm_ctx_t *ctx, mdm_bytes_t content)
{
    mdm_device_facts_t read = { 0 };
    const char *challenge = NULL;
    apr_status_t rv = mdm_ota_read(&read, &challenge, ctx, content);

    check(rv == APR_SUCCESS || rv == MDM_EINPUT || rv == MDM_EPLIST || rv == MDM_ETOOBIG);
    check(rv != APR_SUCCESS || (read.udid && *read.udid && strlen(read.udid) < 256));
    check(!challenge || mdm_utf8_valid(mdm_bytes_of(challenge)));
    mdm_ctx_clear(ctx);
}

static void read_answer(mdm_ctx_t *ctx, mdm_bytes_t der)
{
    apr_array_header_t *certs;
    mdm_cert_t *signer;
    mdm_bytes_t content, written;
    mdm_plist_t *plist;
    size_t i;
    apr_status_t rv = mdm_cms_verify_attached(&content, &signer, &certs, ctx, der);

    check(ERR_peek_error() == 0);
    if (rv != APR_SUCCESS) {
        check((rv == MDM_EINPUT || rv == MDM_ECMS) && ctx->detail);
        return;
    }
    check(mdm_cert_subject(ctx, signer) != NULL);
    mdm_cert_signed_by(signer, APR_ARRAY_IDX(certs, 0, mdm_cert_t *));
    read_facts(ctx, content);
    rv = mdm_plist_read(&plist, ctx, content);
    if (rv != APR_SUCCESS) {
        check((rv == MDM_EPLIST || rv == MDM_ETOOBIG) && ctx->detail);
        return;
    }
    for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        const char *fact = mdm_plist_get_string(plist, facts[i]);

        check(!fact || mdm_utf8_valid(mdm_bytes_of(fact)));
    }
    check(mdm_plist_write(&written, ctx, plist) == APR_SUCCESS);
}

static void read_content(mdm_ctx_t *ctx, maker_bytes_t content)
{
    maker_bytes_t made = sign(content, EVP_sha256(), CMS_NOATTR);
    mdm_bytes_t der = { made.data, made.len };

    read_answer(ctx, der);
    OPENSSL_free(made.data);
}

static void read_changed(mdm_ctx_t *ctx, mdm_bytes_t changes)
{
    unsigned char *copy = apr_pmemdup(ctx->pool, good.data, good.len);
    mdm_bytes_t der = { copy, good.len };

    for (; changes.len >= 3; changes.data += 3, changes.len -= 3)
        copy[((size_t)changes.data[0] << 8 | changes.data[1]) % good.len] ^= changes.data[2];
    read_answer(ctx, der);
}

static void use_bytes(fuzz_use_t *use, char where, maker_bytes_t bytes)
{
    const maker_bytes_t first = { (unsigned char *)&where, 1 };
    maker_bytes_t seed = der_join(first, bytes);

    use(seed.data, seed.len);
    free(seed.data);
}

static void seed_contents(fuzz_use_t *use)
{
    static const char *const contents[] = {
        HEAD "<dict><key>UDID</key><string>0123456789abcdef0123456789abcdef01234567</string>"
             "<key>SERIAL</key><string>C02</string><key>PRODUCT</key><string>iPhone1,1</string>"
             "<key>VERSION</key><string>22A1</string><key>IMEI</key><string>12 345678 901234 5</string>"
             "<key>CHALLENGE</key><string>c</string></dict></plist>",
        HEAD "<dict><key>UDID</key><data>dWRpZA==</data></dict></plist>",
        HEAD "<dict><key>CHALLENGE</key><data>Yw==</data><key>UDID</key><string>u</string></dict></plist>",
        HEAD "<dict><key>UDID</key><integer>7</integer></dict></plist>",
        HEAD "<dict><key>UDID</key><string>a</string><key>UDID</key><string>b</string></dict></plist>",
        HEAD "<dict><key>UDID</key><string>&lt;script&gt;</string></dict></plist>",
        HEAD "<dict><key>DEVICE_NAME</key><string>J\xc3\xb6rg\xe2\x80\x99s</string></dict></plist>",
        HEAD "<dict><key>UDID</key><string>\xff</string></dict></plist>",
        HEAD "<dict><key>UDID</key><string>a&#0;b</string></dict></plist>",
        HEAD "<dict><key>UDID</key></dict></plist>",
        HEAD "<dict/></plist>",
        HEAD "<array><string>UDID</string></array></plist>",
        HEAD "<string>UDID</string></plist>",
        ("<!DOCTYPE plist [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><plist><dict><key>UDID</key>"
         "<string>&a;</string></dict></plist>"),
        "bplist00\xd0\x08", "{\"UDID\":\"u\"}", "UDID=u", "", "<plist>", "\xef\xbb\xbf<plist><dict/></plist>",
    };
    const EVP_MD *const digests[] = { EVP_sha1(), EVP_sha256(), EVP_sha512(), EVP_md5() };
    static const unsigned flags[] = { 0, CMS_NOATTR, CMS_NOCERTS, CMS_DETACHED };
    maker_bytes_t made;
    size_t i;

    for (i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        use_bytes(use, 'C', text(contents[i]));
        made = sign(text(contents[i]), digests[i % 4], flags[i / 4 % 4]);
        use_bytes(use, 'M', made);
        OPENSSL_free(made.data);
    }
}

static void seed_surgery(fuzz_use_t *use)
{
    static const der_path_t paths[] = { DER_DIGEST_ALGORITHMS, DER_CONTENT, DER_CERTIFICATE, DER_CERTIFICATES,
                                        DER_SIGNER_INFOS, DER_SIGNED_ATTRIBUTES, { 1, 0, 2, -1 } };
    static unsigned char set[] = { 0x31, 0 }, null[] = { 5, 0 };
    static const maker_bytes_t with[] = { { set, 0 }, { set, 2 }, { null, 2 } };
    size_t i, j;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        for (j = 0; j < sizeof(with) / sizeof(with[0]); j++) {
            maker_bytes_t made = der_replace(good, paths[i], with[j]);

            use_bytes(use, 'M', made);
            free(made.data);
        }
    }
    use_bytes(use, 'M', good);
}

void fuzz_seeds(fuzz_use_t *use)
{
    if (!root)
        start();
    seed_contents(use);
    seed_surgery(use);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mdm_bytes_t rest = { data + 1, size - 1 };
    maker_bytes_t bytes = { (unsigned char *)rest.data, rest.len };
    mdm_ctx_t *ctx;
    apr_pool_t *pool;

    if (!root)
        start();
    if (!size)
        return 0;
    check(apr_pool_create(&pool, root) == APR_SUCCESS);
    ctx = mdm_ctx_create(pool, NULL);
    if (data[0] == 'M')
        read_answer(ctx, rest);
    else if (data[0] == 'C')
        read_content(ctx, bytes);
    else if (data[0] == 'F')
        read_changed(ctx, rest);
    apr_pool_destroy(pool);
    return 0;
}
