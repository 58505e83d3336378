/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rendering templates, and the PayloadUUID that names the result. Called by the fan-out for every enrollment and
 * profile that a change may concern, and by the delivery, in any thread: what it costs is what it makes anew.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_template_parts.h"

#define PAYLOAD_UUID "PayloadUUID"
/* of all values put into one profile together */
#define VALUES_MAX (MDM_PLIST_MAX_BYTES / 2)

typedef struct {
    mdm_ctx_t *ctx;
    const mdm_values_t *values;
    apr_size_t spent;
} rendering_t;

static mdm_plist_t *copy_of(const mdm_plist_t *node, apr_pool_t *p)
{
    mdm_plist_t *made = apr_pmemdup(p, node, sizeof(*node));

    made->next = NULL;
    return made;
}

static apr_status_t value_of(mdm_bytes_t *value, rendering_t *r, const mdm_template_part_t *part)
{
    const char *why;
    apr_status_t rv;

    *value = part->text;
    if (!part->reference)
        return APR_SUCCESS;
    if ((rv = mdm_template_value(value, &why, r->values, part->reference, r->ctx->pool)) != APR_SUCCESS)
        return mdm_fail(r->ctx, rv, "%s", why);
    r->spent += value->len;
    if (r->spent > VALUES_MAX)
        return mdm_fail(r->ctx, MDM_ETOOBIG, "the values for the profile have more than %d bytes", VALUES_MAX);
    return APR_SUCCESS;
}

static apr_status_t render_text(mdm_plist_t *made, rendering_t *r, const apr_array_header_t *parts)
{
    mdm_bytes_t *values = apr_palloc(r->ctx->pool, sizeof(*values) * (apr_size_t)parts->nelts);
    apr_size_t len = 0;
    apr_status_t rv;
    char *text;
    int i;

    for (i = 0; i < parts->nelts; i++) {
        if ((rv = value_of(&values[i], r, &APR_ARRAY_IDX(parts, i, mdm_template_part_t))) != APR_SUCCESS)
            return rv;
        len += values[i].len;
    }
    made->bytes.data = (const unsigned char *)(text = apr_palloc(r->ctx->pool, len + 1));
    made->bytes.len = len;
    for (i = 0; i < parts->nelts; i++) {
        if (values[i].len)
            memcpy(text, values[i].data, values[i].len);
        text += values[i].len;
    }
    *text = '\0';
    if (APR_ARRAY_IDX(parts, 0, mdm_template_part_t).reference
        && APR_ARRAY_IDX(parts, 0, mdm_template_part_t).reference->data)
        made->type = MDM_PLIST_DATA;
    return APR_SUCCESS;
}

static apr_status_t render_spot(mdm_plist_t **out, rendering_t *r, const mdm_template_spot_t *spot);

/* A container anew: items with references are rendered, the others shared. */
static apr_status_t render_items(mdm_plist_t *made, rendering_t *r, const mdm_plist_t *from,
                                 const apr_array_header_t *inner)
{
    const mdm_plist_t *item;
    int at = 0;

    made->first = made->last = NULL;
    made->count = 0;
    for (item = from->first; item; item = item->next) {
        const mdm_template_spot_t *spot = inner && at < inner->nelts
            ? APR_ARRAY_IDX(inner, at, const mdm_template_spot_t *) : NULL;
        mdm_plist_t *copy;
        apr_status_t rv;

        if (!spot || spot->node != item)
            copy = copy_of(item, r->ctx->pool);
        else if (at++, (rv = render_spot(&copy, r, spot)) != APR_SUCCESS)
            return rv;
        mdm_plist_append(made, copy);
    }
    return APR_SUCCESS;
}

static apr_status_t render_spot(mdm_plist_t **out, rendering_t *r, const mdm_template_spot_t *spot)
{
    *out = copy_of(spot->node, r->ctx->pool);
    return spot->parts ? render_text(*out, r, spot->parts) : render_items(*out, r, spot->node, spot->inner);
}

/* The tree without its PayloadUUID; items are linked anew, so that `root` stays as it is. */
static mdm_plist_t *without_uuid(const mdm_plist_t *root, apr_pool_t *p)
{
    mdm_plist_t *made = copy_of(root, p);
    const mdm_plist_t *item;

    made->first = made->last = NULL;
    made->count = 0;
    for (item = root->first; item; item = item->next) {
        if (strcmp(item->key, PAYLOAD_UUID))
            mdm_plist_append(made, copy_of(item, p));
    }
    return made;
}

/* What the HMAC is over: the name of its use, the profile, the text, parted by NULs. */
static mdm_bytes_t keyed(apr_int64_t profile, mdm_bytes_t text, apr_pool_t *p)
{
    char head[48];
    int len = apr_snprintf(head, sizeof(head), "profile%c%" APR_INT64_T_FMT, '\0', profile) + 1;
    unsigned char *all = apr_palloc(p, (apr_size_t)len + text.len);
    mdm_bytes_t bytes = { all, (apr_size_t)len + text.len };

    memcpy(all, head, (apr_size_t)len);
    memcpy(all + len, text.data, text.len);
    return bytes;
}

apr_status_t mdm_template_uuid(const char **uuid, mdm_ctx_t *ctx, const mdm_seal_t *seal, apr_int64_t profile,
                               const mdm_plist_t *rendered)
{
    unsigned char mac[MDM_SHA256_LEN];
    mdm_bytes_t text;
    apr_status_t rv = mdm_plist_write(&text, ctx, without_uuid(rendered, ctx->pool));

    if (rv != APR_SUCCESS)
        return rv;
    if (!seal)
        return mdm_fail(ctx, MDM_ECONFIG, "the PayloadUUID of a profile needs the sealing key");
    if (mdm_seal_mac(mac, seal, keyed(profile, text, ctx->pool)) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_ECRYPTO, "no HMAC for the PayloadUUID of a profile");
    *uuid = mdm_uuid_from(mac, ctx->pool);
    return APR_SUCCESS;
}

apr_status_t mdm_template_render(mdm_plist_t **profile, const char **uuid, mdm_ctx_t *ctx, const mdm_template_t *t,
                                 const mdm_values_t *values)
{
    rendering_t r = { ctx, values, 0 };
    mdm_plist_t *made = (mdm_plist_t *)t->root;
    const char *name;
    apr_status_t rv = t->top ? render_spot(&made, &r, t->top) : APR_SUCCESS;

    if (rv != APR_SUCCESS || (rv = mdm_template_uuid(&name, ctx, values->seal, t->profile, made)) != APR_SUCCESS)
        return rv;
    made = without_uuid(made, ctx->pool);
    mdm_plist_set_string(made, PAYLOAD_UUID, name, ctx->pool);
    *profile = made;
    if (uuid)
        *uuid = name;
    return APR_SUCCESS;
}
