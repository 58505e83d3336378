/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a profile's tree to the file a device installs: payloads encrypted to that device's identity, the
 * whole signed by the site. Called by the enrollment pages, the Profile Service and the connect path, any
 * thread. One RSA operation with a private key: the signature. Never keeps or logs what is in a profile.
 */
#include <string.h>

#include "mdm_profile.h"

/* A second node for the same value: a node is linked into its container, and that is another's. */
static mdm_plist_t *alias(const mdm_plist_t *item, apr_pool_t *p)
{
    mdm_plist_t *copy = mdm_plist_dict(p);

    *copy = *item;
    copy->key = NULL;
    copy->next = NULL;
    return copy;
}

static apr_status_t encrypt(mdm_plist_t **out, mdm_ctx_t *ctx, const mdm_plist_t *root,
                            const mdm_plist_t *content, const mdm_cert_t *recipient, mdm_cipher_e cipher)
{
    mdm_plist_t *sealed = mdm_plist_dict(ctx->pool);
    const mdm_plist_t *item;
    mdm_bytes_t text, der;
    apr_status_t rv = mdm_plist_write(&text, ctx, content);

    if (rv != APR_SUCCESS || (rv = mdm_cms_encrypt(&der, ctx, text, recipient, cipher)) != APR_SUCCESS)
        return rv;
    for (item = root->first; item; item = item->next) {
        if (item != content && strcmp(item->key, "IsEncrypted")
            && strcmp(item->key, "EncryptedPayloadContent"))
            mdm_plist_set(sealed, item->key, alias(item, ctx->pool), ctx->pool);
    }
    mdm_plist_set_boolean(sealed, "IsEncrypted", 1, ctx->pool);
    mdm_plist_set_data(sealed, "EncryptedPayloadContent", der, ctx->pool);
    *out = sealed;
    return APR_SUCCESS;
}

static const mdm_plist_t *payloads_of(const mdm_plist_t *root)
{
    const mdm_plist_t *content = mdm_plist_get(root, "PayloadContent");

    return content && content->type == MDM_PLIST_ARRAY ? content : NULL;
}

apr_status_t mdm_profile_seal_for(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_site_t *site,
                                  const mdm_plist_t *root, const mdm_cert_t *recipient)
{
    const mdm_plist_t *content = payloads_of(root);
    mdm_plist_t *sealed;
    mdm_bytes_t text;
    apr_status_t rv;

    if (recipient && content && site->profile_cipher != MDM_CIPHER_UNSET) {
        if ((rv = encrypt(&sealed, ctx, root, content, recipient, site->profile_cipher)) != APR_SUCCESS)
            return rv;
        root = sealed;
    }
    if ((rv = mdm_plist_write(&text, ctx, root)) != APR_SUCCESS)
        return rv;
    return mdm_cms_sign(der, ctx, text, site->signer, site->signer_key, site->signer_chain);
}

void mdm_profile_open(mdm_plist_t **root, mdm_ctx_t *ctx, mdm_bytes_t bytes)
{
    mdm_bytes_t text;
    mdm_plist_t *read;

    *root = NULL;
    /* an XML text begins with "<", a byte order mark or a blank; DER and BER begin with a SEQUENCE */
    if (!bytes.len || (bytes.data[0] == 0x30 && mdm_cms_content(&text, ctx, bytes) != APR_SUCCESS)) {
        mdm_ctx_clear(ctx);
        return;
    }
    if (mdm_plist_read(&read, ctx, bytes.data[0] == 0x30 ? text : bytes) == APR_SUCCESS
        && !mdm_plist_get_boolean(read, "IsEncrypted", 0) && payloads_of(read))
        *root = read;
    mdm_ctx_clear(ctx);
}
