/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What our table says of a certificate, as an OCSP answer. Called by the mdm-ocsp handler, any thread; keeps
 * nothing and writes nothing.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_authority.h"
#include "mdm_ocsp.h"

/* How long an answer without a nonce may be kept: a revocation is to be known everywhere soon after. */
#define ANSWER_LIFETIME apr_time_from_sec(3600)

apr_status_t mdm_ocsp_open(mdm_ocsp_request_t **request, mdm_ctx_t *ctx, const mdm_site_t *site, mdm_bytes_t der)
{
    apr_array_header_t *cas = apr_array_make(ctx->pool, site->authorities->nelts, sizeof(const mdm_cert_t *));
    int i;

    for (i = 0; i < site->authorities->nelts; i++)
        APR_ARRAY_PUSH(cas, const mdm_cert_t *) = APR_ARRAY_IDX(site->authorities, i, mdm_authority_t *)->cert;
    return mdm_ocsp_read(request, ctx, der, cas);
}

static int signer_of(const mdm_ocsp_request_t *request)
{
    int i;

    for (i = 0; i < mdm_ocsp_count(request); i++) {
        if (mdm_ocsp_issuer(request, i) >= 0)
            return mdm_ocsp_issuer(request, i);
    }
    return -1;
}

/* Certificates from before their issuer was noted count to the oldest authority. */
static int is_of(const mdm_certificate_t *c, const mdm_authority_t *authority, int is_first)
{
    return c->issuer ? !strcmp(c->issuer, authority->fingerprint) : is_first;
}

static apr_status_t look_up(mdm_ocsp_status_t *status, mdm_store_t *st, const char *serial,
                            const mdm_authority_t *authority, int is_first)
{
    mdm_certificate_t *c;
    apr_status_t rv = mdm_store_certificate_by_serial(&c, st, serial);

    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(st->ctx);
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS || !is_of(c, authority, is_first))
        return rv;
    status->status = c->revoked_at ? MDM_OCSP_REVOKED : MDM_OCSP_GOOD;
    status->revoked_at = c->revoked_at;
    status->reason = c->revoked_reason;
    return APR_SUCCESS;
}

apr_status_t mdm_ocsp_handle(mdm_ocsp_reply_t *reply, mdm_store_t *st, const mdm_site_t *site,
                             const mdm_ocsp_request_t *request)
{
    int i, count = mdm_ocsp_count(request), signer = signer_of(request);
    mdm_ocsp_status_t *statuses = apr_pcalloc(st->ctx->pool, sizeof(*statuses) * (apr_size_t)count);
    apr_time_t now = apr_time_from_sec(apr_time_sec(mdm_ctx_now(st->ctx)));
    const mdm_authority_t *authority = signer < 0 ? mdm_authority_present(site, now)
        : APR_ARRAY_IDX(site->authorities, signer, const mdm_authority_t *);
    apr_status_t rv = APR_SUCCESS;

    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        const char *serial = mdm_ocsp_serial(request, i);

        if (serial && signer >= 0 && mdm_ocsp_issuer(request, i) == signer)
            rv = look_up(&statuses[i], st, serial, authority, signer == 0);
    }
    if (rv != APR_SUCCESS)
        return rv;
    reply->has_nonce = mdm_ocsp_has_nonce(request);
    reply->this_update = now;
    reply->next_update = now + (site->crl_lifetime < ANSWER_LIFETIME ? site->crl_lifetime : ANSWER_LIFETIME);
    return mdm_ocsp_answer(&reply->der, st->ctx, request, statuses, authority->cert, authority->key,
                           reply->this_update, reply->next_update);
}
