/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mdm-crl Location: the revocation list of the CA that issues now, or of the one whose fingerprint is the
 * last part of the path. Open to everybody, any request thread; costs one statement while the list is fresh.
 */
#include <ctype.h>

#include <http_protocol.h>

#include "mdm_crl.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"

/* A list may be revoked upon at any time, so caches are not to keep it for its whole life. */
#define CACHED_MAX apr_time_from_sec(3600)

static const char *const methods[] = { "GET", NULL };

static int is_fingerprint(const char *text)
{
    apr_size_t len = 0;

    while (isxdigit((unsigned char)text[len]) && !isupper((unsigned char)text[len]))
        len++;
    return !text[len] && len == 2 * MDM_SHA256_LEN;
}

static apr_status_t choose(const mdm_authority_t **authority, mdm_ctx_t *ctx, const request_rec *r,
                           const mdm_site_t *site)
{
    const char *last = strrchr(r->uri, '/');

    if (!last || !is_fingerprint(last + 1)) {
        *authority = mdm_authority_present(site, mdm_ctx_now(ctx));
        return APR_SUCCESS;
    }
    *authority = mdm_authority_find(site, last + 1);
    return *authority ? APR_SUCCESS : mdm_fail(ctx, MDM_ENOTFOUND, "no CA of this site has this fingerprint");
}

static apr_interval_time_t kept_for(const mdm_crl_row_t *row, apr_time_t now)
{
    apr_interval_time_t half = (row->next_update - now) / 2;

    return half < 0 ? 0 : half > CACHED_MAX ? CACHED_MAX : half;
}

int mdm_handle_crl(request_rec *r, const mdm_conf_t *conf)
{
    const mdm_authority_t *authority;
    mdm_crl_row_t *row;
    mdm_store_t *st = NULL;
    mdm_ctx_t *ctx;
    apr_status_t rv;
    int answer;

    if (!mdm_io_method(&answer, r, methods))
        return answer;
    ctx = mdm_io_ctx(r);
    if ((rv = choose(&authority, ctx, r, conf->site)) == APR_SUCCESS
        && (rv = mdm_dbd_request(&st, ctx, r)) == APR_SUCCESS)
        rv = mdm_crl_get_row(&row, st, conf->site, authority);
    mdm_io_note(r, ctx, st);
    if (rv != APR_SUCCESS)
        return mdm_io_fail(r, ctx, rv);
    return mdm_io_send_cached(r, "application/pkix-crl", row->der, row->this_update,
                              kept_for(row, mdm_ctx_now(ctx)));
}
