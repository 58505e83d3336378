/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a device's answer to the Profile Service. Called by core/mdm_ota.c in any thread; judges the form
 * of what is said, not whether it is true.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_ota_facts.h"

#define FACT_MAX 255
#define UDID_CHARACTERS "0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static apr_status_t read_fact(const char **fact, mdm_ctx_t *ctx, const mdm_plist_t *attributes,
                              const char *key)
{
    const mdm_plist_t *item = mdm_plist_get(attributes, key);

    *fact = NULL;
    if (!item)
        return APR_SUCCESS;
    if (item->type != MDM_PLIST_STRING || item->bytes.len > FACT_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "the device's %s is no text of at most %d bytes", key, FACT_MAX);
    if (item->bytes.len)
        *fact = (const char *)item->bytes.data;
    return APR_SUCCESS;
}

static apr_status_t read_facts(mdm_device_facts_t *facts, mdm_ctx_t *ctx, const mdm_plist_t *attributes)
{
    const struct {
        const char *key;
        const char **fact;
    } wanted[] = {
        { "UDID", &facts->udid }, { "SERIAL", &facts->serial_number }, { "IMEI", &facts->imei },
        { "MEID", &facts->meid }, { "ICCID", &facts->iccid }, { "PRODUCT", &facts->product },
        { "VERSION", &facts->version }, { "DEVICE_NAME", &facts->device_name },
    };
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    for (i = 0; rv == APR_SUCCESS && i < sizeof(wanted) / sizeof(wanted[0]); i++)
        rv = read_fact(wanted[i].fact, ctx, attributes, wanted[i].key);
    if (rv != APR_SUCCESS)
        return rv;
    if (!facts->udid)
        return mdm_fail(ctx, MDM_EINPUT, "the device does not report its UDID");
    /* It becomes the name of an enrollment, where a colon would make a user channel of it. */
    if (facts->udid[strspn(facts->udid, UDID_CHARACTERS)])
        return mdm_fail(ctx, MDM_EINPUT, "the device's UDID is not of letters, digits and hyphens");
    return APR_SUCCESS;
}

/* The device sends the challenge back as it got it; what was a string may come as data. */
static const char *challenge_of(mdm_ctx_t *ctx, const mdm_plist_t *attributes)
{
    mdm_bytes_t bytes;

    if (mdm_plist_get_data(&bytes, attributes, "CHALLENGE"))
        return mdm_utf8_valid(bytes) ? apr_pstrmemdup(ctx->pool, (const char *)bytes.data, bytes.len) : NULL;
    return mdm_plist_get_string(attributes, "CHALLENGE");
}

apr_status_t mdm_ota_read(mdm_device_facts_t *facts, const char **challenge, mdm_ctx_t *ctx,
                          mdm_bytes_t content)
{
    mdm_plist_t *root;
    apr_status_t rv = mdm_plist_read(&root, ctx, content);

    if (rv != APR_SUCCESS)
        return rv;
    if (root->type != MDM_PLIST_DICT)
        return mdm_fail(ctx, MDM_EINPUT, "the device's answer is not a dictionary");
    *challenge = challenge_of(ctx, root);
    return read_facts(facts, ctx, root);
}
