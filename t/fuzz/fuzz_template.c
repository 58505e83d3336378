/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of profiles with references in them. An input is a whole property list (it begins with "<" or "bplist"),
 * or a text that stands at a key of a payload. A first line in braces tells the values: {"login", "display_name",
 * "email", "attributes": {}, "serial", "user": true when the enrollment is of a user's channel, "facts": {},
 * "secrets": {}}. What is rendered must be written, read again and have the same PayloadUUID; the template must stay
 * as it was. Built with libFuzzer, or with t/fuzz/replay.c for "make check".
 */
#include <stdio.h>
#include <unistd.h>

#include "mdm_json.h"
#include "mdm_payload_reference.h"
#include "mdm_template.h"
#include "target.h"

#define PROFILE APR_INT64_C(4711)

static const char usual[] =
    "{\"login\": \"anna\", \"display_name\": \"Anna <&> \xc3\x84horn\", \"email\": \"anna@example.org\","
    " \"attributes\": {\"title\": \"Nurse\", \"phone\": [\"1\", \"2\"], \"level\": 7}, \"serial\": \"C02X\","
    " \"facts\": {\"WiFiMAC\": \"\\\"00:11\\\"\"},"
    " \"secrets\": {\"wifi\": \"tr0mbone ${user.login}\", \"blob\": \"AAEC/w==\", \"bell\": \"\\u0007\"}}";

static const mdm_seal_t *seal_of_ours(void)
{
    static apr_pool_t *pool;
    static mdm_seal_t *seal;
    char folder[] = "/tmp/fuzz-template-XXXXXX";
    const char *file;
    mdm_ctx_t *ctx;

    if (seal)
        return seal;
    check(apr_pool_create(&pool, NULL) == APR_SUCCESS && mkdtemp(folder));
    ctx = mdm_ctx_create(pool, NULL);
    file = apr_pstrcat(pool, folder, "/key", NULL);
    check(mdm_seal_create(ctx, file) == APR_SUCCESS && mdm_seal_read(&seal, ctx, file) == APR_SUCCESS);
    check(!unlink(file) && !rmdir(folder));
    return seal;
}

static const char *text_of(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static apr_hash_t *hash_of(const json_t *json, const char *name, int as_bytes, apr_pool_t *p)
{
    apr_hash_t *hash = apr_hash_make(p);
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(json, name), key, value) {
        mdm_bytes_t *bytes = apr_palloc(p, sizeof(*bytes));

        *bytes = mdm_bytes_of(json_string_value(value));
        if (json_is_string(value))
            apr_hash_set(hash, key, APR_HASH_KEY_STRING, as_bytes ? (const void *)bytes : bytes->data);
    }
    return hash;
}

static mdm_values_t values_of(const json_t *json, apr_pool_t *p)
{
    mdm_values_t values = { 0 };
    mdm_enrollment_t *device = apr_pcalloc(p, sizeof(*device)), *channel = apr_pcalloc(p, sizeof(*channel));

    device->enrollment_id = "UDID-7";
    device->type = "Device";
    device->serial_number = text_of(json, "serial");
    channel->enrollment_id = "UDID-7:USER-1";
    channel->type = "User";
    values.seal = seal_of_ours();
    values.login = text_of(json, "login");
    values.display_name = text_of(json, "display_name");
    values.email = text_of(json, "email");
    values.attributes = json_object_get(json, "attributes");
    values.enrollment = json_is_true(json_object_get(json, "user")) ? channel : device;
    values.device = values.enrollment == channel ? device : NULL;
    values.facts = hash_of(json, "facts", 0, p);
    values.secrets = hash_of(json, "secrets", 1, p);
    return values;
}

static const char *written(mdm_ctx_t *ctx, const mdm_plist_t *tree)
{
    mdm_bytes_t text;

    check(mdm_plist_write(&text, ctx, tree) == APR_SUCCESS);
    return apr_pstrmemdup(ctx->pool, (const char *)text.data, text.len);
}

static void look_at_references(const mdm_template_t *t)
{
    const apr_array_header_t *all = mdm_template_references(t);
    const mdm_template_uses_t *uses = mdm_template_uses(t);
    int i;

    check(all->nelts <= MDM_TEMPLATE_REFERENCES_MAX);
    check(uses->user->nelts + uses->device->nelts + uses->secrets->nelts <= all->nelts);
    check(uses->facts->nelts <= uses->device->nelts);
    check(mdm_template_depends(t) == (uses->user->nelts || uses->device->nelts));
    for (i = 0; i < all->nelts; i++) {
        const mdm_reference_t *one = APR_ARRAY_IDX(all, i, const mdm_reference_t *);

        check(one->kind != MDM_REFERENCE_UNSET && *one->name && strlen(one->name) <= MDM_TEMPLATE_NAME_MAX);
        check(one->path && *one->path);
    }
}

static void render(mdm_ctx_t *ctx, const mdm_template_t *t, const mdm_values_t *values)
{
    mdm_plist_t *made, *read;
    const char *uuid, *again;
    const char *text;
    apr_status_t rv = mdm_template_render(&made, &uuid, ctx, t, values);

    if (rv != APR_SUCCESS) {
        check(rv == MDM_ENOTFOUND || rv == MDM_ETOOBIG);
        check_refusal(ctx, rv);
        return;
    }
    text = written(ctx, made);
    check(!strcmp(mdm_plist_get_string(made, "PayloadUUID"), uuid) && strlen(uuid) == 36);
    check(mdm_template_render(&made, &again, ctx, t, values) == APR_SUCCESS && !strcmp(again, uuid));
    check(!strcmp(written(ctx, made), text));
    if (strlen(text) > MDM_PLIST_MAX_BYTES)
        return;
    check(mdm_plist_read(&read, ctx, mdm_bytes_of(text)) == APR_SUCCESS);
    check(mdm_template_uuid(&again, ctx, values->seal, PROFILE, read) == APR_SUCCESS && !strcmp(again, uuid));
}

static apr_status_t use(mdm_ctx_t *ctx, const mdm_plist_t *tree, const mdm_values_t *values)
{
    const char *before = written(ctx, tree);
    mdm_template_t *t;
    apr_status_t rv = mdm_template_of(&t, ctx, PROFILE, tree);

    if (rv != APR_SUCCESS) {
        check_refusal(ctx, rv);
        return rv;
    }
    look_at_references(t);
    render(ctx, t, values);
    if ((rv = mdm_template_check(ctx, t)) != APR_SUCCESS)
        check_refusal(ctx, rv);
    check(!strcmp(written(ctx, tree), before));
    return mdm_template_references(t)->nelts ? MDM_EEXIST : APR_SUCCESS;
}

static void use_list(mdm_ctx_t *ctx, mdm_bytes_t bytes, const mdm_values_t *values)
{
    mdm_plist_t *tree;
    apr_status_t rv = mdm_plist_read(&tree, ctx, bytes);

    if (rv != APR_SUCCESS)
        check_refusal(ctx, rv);
    else
        use(ctx, tree, values);
}

/* What the checks of profiles call a reference has to be one here. */
static void use_text(mdm_ctx_t *ctx, mdm_bytes_t bytes, const mdm_values_t *values)
{
    const char *text = apr_pstrmemdup(ctx->pool, (const char *)bytes.data, bytes.len);
    mdm_plist_t *tree = mdm_plist_dict(ctx->pool), *payload;
    apr_status_t rv;

    if (!mdm_plist_is_text(bytes))
        return;
    payload = mdm_plist_append(mdm_plist_set(tree, "PayloadContent", mdm_plist_array(ctx->pool), ctx->pool),
                               mdm_plist_dict(ctx->pool));
    mdm_plist_set_string(payload, "K", text, ctx->pool);
    rv = use(ctx, tree, values);
    if (rv == APR_SUCCESS || rv == MDM_EEXIST)
        check(mdm_reference_in_text(text) == (rv == MDM_EEXIST));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mdm_bytes_t rest = { data, size }, first = mdm_bytes_of(usual);
    mdm_ctx_t *ctx = target_ctx();
    json_t *json = NULL;
    mdm_values_t values;

    if (size && *data == '{')
        first = target_cut(&rest, "\n");
    mdm_json_read(&json, ctx, first);
    mdm_ctx_clear(ctx);
    values = values_of(json, ctx->pool);
    if (rest.len && (*rest.data == '<' || (rest.len > 6 && !memcmp(rest.data, "bplist", 6))))
        use_list(ctx, rest, &values);
    else
        use_text(ctx, rest, &values);
    apr_pool_destroy(ctx->pool);
    return 0;
}
