/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that nobody will take any more: too old, too many, or for a receiver that is not configured now. Called by the
 * sender now and then, in the worker's thread; sends nothing.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_store.h"
#include "mdm_store_webhook.h"
#include "mdm_webhook.h"

#define CROWD_MAX 1000000                            /* events that wait for one receiver */

static apr_status_t expire(mdm_store_t *st, const mdm_site_t *site, const mdm_webhook_sink_t *sink)
{
    apr_time_t before = mdm_ctx_now(st->ctx) - site->webhook_lifetime, crowd = 0;
    const char *shown = mdm_webhook_shown(sink->url, st->ctx->pool), *why;
    int dropped = 0;
    apr_status_t rv = mdm_store_webhook_crowd(&crowd, st, sink->id, CROWD_MAX);

    before = crowd > before ? crowd : before;
    if (rv == APR_SUCCESS)
        rv = mdm_store_webhook_expire(&dropped, st, sink->id, before);
    if (rv != APR_SUCCESS || !dropped)
        return rv;
    why = apr_psprintf(st->ctx->pool, "%d events from before %s are given up: %s", dropped,
                       mdm_time_text(before, st->ctx->pool),
                       before == crowd ? "too many wait" : "they have waited for MDMWebhookLifetime");
    mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0946) "webhook %s: %s", shown, why);
    return mdm_store_event(st, "webhook.given_up", NULL, NULL, NULL, sink->id,
                           apr_pstrcat(st->ctx->pool, shown, ": ", why, NULL));
}

static int is_ours(const mdm_site_t *site, const char *id)
{
    int i;

    for (i = 0; site->webhooks && i < site->webhooks->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(site->webhooks, i, mdm_webhook_sink_t).id, id))
            return 1;
    }
    return 0;
}

static apr_status_t forget_others(mdm_store_t *st, const mdm_site_t *site)
{
    const char *id = "";
    apr_status_t rv;

    while ((rv = mdm_store_webhook_next_sink(&id, st, id)) == APR_SUCCESS && id) {
        int dropped = 0;

        if (!is_ours(site, id))
            rv = mdm_store_webhook_forget(&dropped, st, id, mdm_ctx_now(st->ctx) - site->webhook_lifetime);
        if (rv != APR_SUCCESS)
            return rv;
        if (dropped)
            mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0947) "%d events for the webhook %s are "
                    "dropped: no MDMWebhookURL names it any more", dropped, id);
    }
    return rv;
}

const char *mdm_webhook_shown(const char *url, apr_pool_t *p)
{
    const char *start = strstr(url, "://"), *at;
    apr_size_t len = strcspn(url, "?#");

    start = start ? start + 3 : url;
    at = memchr(start, '@', strcspn(start, "/?#"));
    return apr_pstrcat(p, apr_pstrmemdup(p, url, (apr_size_t)(start - url)),
                       apr_pstrmemdup(p, at ? at + 1 : start, len - (apr_size_t)((at ? at + 1 : start) - url)), NULL);
}

apr_status_t mdm_webhook_sweep(mdm_store_t *st, const mdm_site_t *site)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && site->webhooks && i < site->webhooks->nelts; i++)
        rv = expire(st, site, &APR_ARRAY_IDX(site->webhooks, i, mdm_webhook_sink_t));
    return rv == APR_SUCCESS ? forget_others(st, site) : rv;
}
