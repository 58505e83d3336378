/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading .mobileconfig files. Called by the loading and the checking of the configuration, in the parent;
 * what is read is shared by all threads afterwards and never changed.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "mdm_cms.h"
#include "mdm_payloads.h"
#include "mdm_plist.h"

static apr_status_t bad(mdm_ctx_t *ctx, const char *file, const char *why)
{
    return mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, why);
}

static int is_text(mdm_bytes_t bytes)
{
    apr_size_t at = bytes.len >= 3 && !memcmp(bytes.data, "\xef\xbb\xbf", 3) ? 3 : 0;

    while (at < bytes.len && memchr(" \t\r\n", bytes.data[at], 4))
        at++;
    return at < bytes.len && bytes.data[at] == '<';
}

static apr_status_t open_profile(mdm_plist_t **root, mdm_ctx_t *ctx, const char *file, mdm_bytes_t bytes)
{
    mdm_bytes_t text = bytes;
    apr_status_t rv = is_text(bytes) ? APR_SUCCESS : mdm_cms_content(&text, ctx, bytes);

    if (rv == APR_SUCCESS)
        rv = mdm_plist_read(root, ctx, text);
    if (rv != APR_SUCCESS) {
        const char *why = mdm_ctx_detail(ctx, rv);

        mdm_ctx_clear(ctx);
        return bad(ctx, file, why);
    }
    return APR_SUCCESS;
}

static int has_uuid(const apr_array_header_t *payloads, const char *uuid)
{
    int i;

    for (i = 0; i < payloads->nelts; i++) {
        const char *other = mdm_plist_get_string(APR_ARRAY_IDX(payloads, i, mdm_plist_t *), "PayloadUUID");

        if (other && !strcasecmp(other, uuid))
            return 1;
    }
    return 0;
}

static apr_status_t add(apr_array_header_t *payloads, mdm_ctx_t *ctx, const char *file, mdm_plist_t *payload)
{
    const char *type = mdm_plist_get_string(payload, "PayloadType");
    const char *uuid = mdm_plist_get_string(payload, "PayloadUUID");

    if (!type || !uuid || !mdm_plist_get_string(payload, "PayloadIdentifier"))
        return bad(ctx, file, "a payload has no PayloadType, PayloadIdentifier or PayloadUUID");
    if (!strcmp(type, "com.apple.mdm"))
        return bad(ctx, file, "it has an MDM payload, which only this server makes: take the file out of "
                   "MDMConfigurationProfileFile to manage devices");
    if (has_uuid(payloads, uuid))
        return bad(ctx, file, apr_psprintf(ctx->pool, "two payloads have the PayloadUUID %s", uuid));
    APR_ARRAY_PUSH(payloads, mdm_plist_t *) = payload;
    return APR_SUCCESS;
}

apr_status_t mdm_payloads_read(apr_array_header_t *payloads, mdm_ctx_t *ctx, const char *file,
                               mdm_bytes_t bytes)
{
    mdm_plist_t *root, *payload;
    const mdm_plist_t *content;
    const char *type;
    apr_status_t rv = open_profile(&root, ctx, file, bytes);

    if (rv != APR_SUCCESS)
        return rv;
    type = mdm_plist_get_string(root, "PayloadType");
    if (!type || strcmp(type, "Configuration"))
        return bad(ctx, file, "no configuration profile: its PayloadType is not Configuration");
    content = mdm_plist_get(root, "PayloadContent");
    if (!content || content->type != MDM_PLIST_ARRAY || !content->first)
        return bad(ctx, file, "no payloads that can be read: give a profile that is not encrypted");
    for (payload = content->first; rv == APR_SUCCESS && payload; payload = payload->next)
        rv = add(payloads, ctx, file, payload);
    return rv;
}
