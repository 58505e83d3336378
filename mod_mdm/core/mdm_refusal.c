/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sentences of refusals put together. Called by what reads requests, in any thread; looks at nothing but the sentence.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_nearest.h"
#include "mdm_refusal.h"

static int is_of_the_request(apr_status_t rv)
{
    return rv == MDM_EINPUT || rv == MDM_EPLIST || rv == MDM_ETOOBIG || rv == MDM_ENOTFOUND;
}

apr_status_t mdm_refusal_of(mdm_ctx_t *ctx, apr_status_t rv, const char *kind, const char *name)
{
    const char *object, *why;

    if (!is_of_the_request(rv))
        return rv;
    object = name ? apr_pstrcat(ctx->pool, kind, " \"", mdm_nearest_shown(name, ctx->pool), "\": ", NULL)
                  : apr_pstrcat(ctx->pool, kind, ": ", NULL);
    why = mdm_ctx_detail(ctx, rv);
    if (!strncmp(why, object, strlen(object)))
        return rv;
    mdm_ctx_clear(ctx);
    return mdm_fail(ctx, rv, "%s%s", object, why);
}

apr_status_t mdm_refusal_missing(mdm_ctx_t *ctx, apr_status_t rv, const char *key, const char *remedy)
{
    const char *why;

    if (rv != MDM_ENOTFOUND)
        return rv;
    why = mdm_ctx_detail(ctx, rv);
    mdm_ctx_clear(ctx);
    return mdm_fail(ctx, rv, "%s: %s: %s", key, why, remedy);
}
