/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file that Apple's push certificate portal takes. Called by mdmctl; reads and writes no file itself.
 */
#include <apr_strings.h>

#include "mdm_pki_request.h"
#include "mdm_plist.h"
#include "mdm_pushcert_request.h"

static const mdm_cert_t *at(const apr_array_header_t *certs, int i)
{
    return APR_ARRAY_IDX(certs, i, const mdm_cert_t *);
}

/* Apple says nothing better than "invalid" to a chain that does not hold. */
static apr_status_t check_chain(mdm_ctx_t *ctx, const apr_array_header_t *vendor, const mdm_key_t *key)
{
    int i, last = vendor->nelts - 1;

    if (!mdm_cert_has_key(at(vendor, 0), key))
        return mdm_fail(ctx, MDM_EINPUT, "the vendor key does not belong to the vendor certificate");
    for (i = 0; i < last; i++) {
        if (!mdm_cert_signed_by(at(vendor, i), at(vendor, i + 1)))
            return mdm_fail(ctx, MDM_EINPUT, "the chain is not in order: %s has not signed %s",
                            mdm_cert_subject(ctx, at(vendor, i + 1)), mdm_cert_subject(ctx, at(vendor, i)));
    }
    if (!mdm_cert_is_self_signed(at(vendor, last)))
        return mdm_fail(ctx, MDM_EINPUT, "the chain ends with %s, which is no root: give the certificates up to "
                        "Apple's root with --chain", mdm_cert_subject(ctx, at(vendor, last)));
    if (mdm_cert_not_after(at(vendor, 0)) <= mdm_ctx_now(ctx))
        return mdm_fail(ctx, MDM_EINPUT, "the vendor certificate has expired");
    return APR_SUCCESS;
}

apr_status_t mdm_pushcert_request(const char **text, mdm_ctx_t *ctx, mdm_bytes_t csr, const apr_array_header_t *vendor,
                                  const mdm_key_t *vendor_key)
{
    apr_pool_t *p = ctx->pool;
    mdm_plist_t *dict = mdm_plist_dict(p);
    const char *chain = "", *pem;
    mdm_bytes_t signature, xml;
    apr_status_t rv;
    int i;

    if ((rv = check_chain(ctx, vendor, vendor_key)) != APR_SUCCESS
        || (rv = mdm_key_sign_sha256(&signature, ctx, vendor_key, csr)) != APR_SUCCESS)
        return rv;
    for (i = 0; i < vendor->nelts; i++) {
        if ((rv = mdm_cert_to_pem(&pem, ctx, at(vendor, i))) != APR_SUCCESS)
            return rv;
        chain = apr_pstrcat(p, chain, pem, NULL);
    }
    mdm_plist_set_string(dict, "PushCertCertificateChain", chain, p);
    mdm_plist_set_string(dict, "PushCertRequestCSR", mdm_base64_encode(csr, p), p);
    mdm_plist_set_string(dict, "PushCertSignature", mdm_base64_encode(signature, p), p);
    if ((rv = mdm_plist_write(&xml, ctx, dict)) != APR_SUCCESS)
        return rv;
    *text = mdm_base64_encode(xml, p);
    return APR_SUCCESS;
}
