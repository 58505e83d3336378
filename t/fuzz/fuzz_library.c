/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of what is saved as a profile: a .mobileconfig, signed or not, or, beginning with a brace, a profile
 * written as JSON. It goes the way of a save as far as that needs no database: opened, brought into its stored form,
 * held against Apple's tables and those of devices, shown and compared. Built with libFuzzer, or with t/fuzz/replay.c
 * for "make check".
 */
#include <openssl/cms.h>
#include <openssl/err.h>

#include "../unit/scep_maker.h"
#include "mdm_json.h"
#include "mdm_library_diff.h"
#include "mdm_library_parts.h"
#include "mdm_payload_json.h"
#include "seeds.h"
#include "target.h"

#define IDENTIFIER "org.example.mdm.p.fuzz"
#define HEAD "<plist version=\"1.0\"><dict><key>PayloadType</key><string>Configuration</string>"

static const char *written(mdm_ctx_t *ctx, const mdm_plist_t *tree)
{
    mdm_bytes_t text;

    check(mdm_plist_write(&text, ctx, tree) == APR_SUCCESS);
    return apr_pstrmemdup(ctx->pool, (const char *)text.data, text.len);
}

static void look_at_findings(const apr_array_header_t *findings)
{
    json_t *json = mdm_findings_to_json(findings);
    int i, warned = 0;

    check(findings->nelts <= MDM_FINDINGS_MAX && json_array_size(json) == (size_t)findings->nelts);
    for (i = 0; i < findings->nelts; i++) {
        const mdm_finding_t *one = &APR_ARRAY_IDX(findings, i, mdm_finding_t);
        const json_t *shown = json_array_get(json, (size_t)i);

        check(one->text && mdm_utf8_valid(mdm_bytes_of(one->text)));
        check(!one->key == !json_object_get(shown, "key") && !one->type == !json_object_get(shown, "type"));
        check(one->severity == MDM_FINDING_WARN || (one->severity == MDM_FINDING_REFUSE && !warned));
        warned |= one->severity == MDM_FINDING_WARN;
    }
    check(!mdm_findings_refusal(findings) == (!findings->nelts || APR_ARRAY_IDX(findings, 0, mdm_finding_t).severity
                                              == MDM_FINDING_WARN));
    json_decref(json);
}

static void check_profile(mdm_ctx_t *ctx, const mdm_plist_t *tree)
{
    static const struct {
        const char *type, *product, *version;
        int supervised;
    } devices[] = { { "Device", "iPhone14,2", "17.0", 1 }, { "Device", "MacBookPro18,1", "10.9", 0 },
                    { "User", "Mac13,1", "15.1", -1 }, { "User Enrollment (Device)", "iPad8,1", NULL, 0 },
                    { "Shared iPad", "iPad8,1", "9.3", 1 }, { "Device", "AppleTV14,1", "26", 0 },
                    { "Device", NULL, "9999999999999.1", 0 } };
    size_t i;

    look_at_findings(mdm_payload_check(ctx, tree));
    for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        mdm_payload_target_t target = mdm_payload_target(devices[i].type, devices[i].product, devices[i].version,
                                                         devices[i].supervised);

        look_at_findings(mdm_payload_check_target(ctx, tree, &target));
    }
}

/* Shown as JSON, unless the mask hides something it is the same profile again. */
static void show(mdm_ctx_t *ctx, const mdm_plist_t *tree, int is_of_json)
{
    json_t *json = mdm_json_own(mdm_payload_to_json(tree, ctx->pool), ctx->pool), *again;
    const char *text = mdm_json_compact(json, ctx->pool);
    mdm_plist_t *profile;

    check(text != NULL);
    if (!is_of_json || strstr(text, MDM_PAYLOAD_MASK))
        return;
    check(mdm_payload_from_json(&profile, ctx, json) == APR_SUCCESS);
    again = mdm_json_own(mdm_payload_to_json(profile, ctx->pool), ctx->pool);
    check(!strcmp(mdm_json_compact(again, ctx->pool), text));
}

static void compare(mdm_ctx_t *ctx, const mdm_plist_t *tree)
{
    static const char other[] = HEAD "<key>PayloadContent</key><array><dict><key>PayloadType</key>"
        "<string>com.apple.wifi.managed</string><key>Password</key><string>old</string></dict></array></dict></plist>";
    mdm_plist_t *from;
    json_t *same = mdm_library_diff(tree, tree, ctx->pool), *there, *back;

    check(mdm_library_open(&from, ctx, mdm_bytes_of(other)) == APR_SUCCESS);
    check(mdm_library_normalise(from, ctx, IDENTIFIER) == APR_SUCCESS);
    there = mdm_library_diff(from, tree, ctx->pool);
    back = mdm_library_diff(tree, from, ctx->pool);
    check(json_array_size(same) == 0 && !json_array_size(there) == !json_array_size(back));
    json_decref(same);
    json_decref(there);
    json_decref(back);
}

/* @param is_of_json it was written as JSON */
static void save(mdm_ctx_t *ctx, mdm_plist_t *tree, int is_of_json)
{
    mdm_site_t site = { .profile_identifier = "org.example.mdm" };
    const char *identifier, *stored;
    mdm_template_t *t;
    mdm_plist_t *read;
    apr_status_t rv;

    check_profile(ctx, tree);
    show(ctx, tree, is_of_json);
    if ((rv = mdm_library_normalise(tree, ctx, IDENTIFIER)) != APR_SUCCESS) {
        check_refusal(ctx, rv);
        return;
    }
    identifier = mdm_plist_get_string(tree, "PayloadIdentifier");
    if (identifier && (rv = mdm_library_identifier(ctx, &site, "fuzz", identifier)) != APR_SUCCESS)
        check_refusal(ctx, rv);
    stored = written(ctx, tree);
    check(mdm_plist_read(&read, ctx, mdm_bytes_of(stored)) == APR_SUCCESS);
    check(mdm_library_normalise(read, ctx, IDENTIFIER) == APR_SUCCESS && !strcmp(written(ctx, read), stored));
    check_profile(ctx, tree);
    show(ctx, tree, 0);
    compare(ctx, tree);
    check(mdm_plist_write(&(mdm_bytes_t){ NULL, 0 }, ctx, mdm_payload_masked(tree, ctx->pool)) == APR_SUCCESS);
    rv = mdm_template_of(&t, ctx, 1, tree);
    if (rv != APR_SUCCESS)
        check_refusal(ctx, rv);
    else
        check(mdm_library_detail(ctx, tree, t, mdm_payload_check(ctx, tree)) != NULL);
}

static void use_bytes(fuzz_use_t *use, char *text, unsigned flags)
{
    EVP_PKEY *key = maker_key(2048);
    X509 *cert = maker_cert(key, "signer", 0);
    BIO *in = BIO_new_mem_buf(text, -1);
    CMS_ContentInfo *cms = CMS_sign(cert, key, NULL, in, flags | CMS_BINARY);
    unsigned char *der = NULL;
    int len = i2d_CMS_ContentInfo(cms, &der);

    check(len > 0);
    use(der, (size_t)len);
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    X509_free(cert);
    EVP_PKEY_free(key);
}

void fuzz_seeds(fuzz_use_t *use)
{
    static char profile[] = HEAD "<key>PayloadContent</key><array><dict><key>PayloadType</key>"
        "<string>com.apple.wifi.managed</string><key>SSID_STR</key><string>a</string></dict></array></dict></plist>";
    static char none[] = "<plist><string>a</string></plist>";

    use_bytes(use, profile, 0);
    use_bytes(use, profile, CMS_NOATTR | CMS_NOCERTS);
    use_bytes(use, profile, CMS_DETACHED);
    use_bytes(use, none, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mdm_bytes_t bytes = { data, size };
    int is_json = size && *data == '{';
    mdm_ctx_t *ctx = target_ctx();
    mdm_plist_t *tree;
    json_t *json;
    apr_status_t rv;

    if (!is_json)
        rv = mdm_library_open(&tree, ctx, bytes);
    else if ((rv = mdm_json_read(&json, ctx, bytes)) == APR_SUCCESS)
        rv = mdm_payload_from_json(&tree, ctx, json);
    check(ERR_peek_error() == 0);
    if (rv != APR_SUCCESS)
        check_refusal(ctx, rv);
    else
        save(ctx, tree, is_json);
    apr_pool_destroy(ctx->pool);
    return 0;
}
