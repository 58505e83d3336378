/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other servers are told about a device's request besides the device: a number of its own and the parameters of
 * its URL. Request threads, after the certificate is proven; costs nothing where nobody is told.
 */
#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#include "mod_mdm_auth.h"
#include "mod_mdm_config.h"
#include "mod_mdm_log.h"

#define TRACE_BYTES 8

static const char *decode(char *text, apr_pool_t *p)
{
    const char *value = apr_punescape_url(p, text, NULL, NULL, 1);

    return value && mdm_utf8_valid(mdm_bytes_of(value)) ? value : NULL;
}

/* The first value of a name counts; what is no text is left out. */
static const apr_table_t *read_params(const char *args, apr_pool_t *p)
{
    apr_table_t *params = apr_table_make(p, 4);
    char *copy = apr_pstrdup(p, args), *pair, *last;

    for (pair = apr_strtok(copy, "&", &last); pair; pair = apr_strtok(NULL, "&", &last)) {
        char *equals = strchr(pair, '=');
        const char *name, *value;

        if (equals)
            *equals++ = '\0';
        name = decode(pair, p);
        value = equals ? decode(equals, p) : "";
        if (name && value && !apr_table_get(params, name))
            apr_table_setn(params, name, value);
    }
    return params;
}

apr_status_t mdm_auth_trace(mdm_caller_t *caller, mdm_ctx_t *ctx, request_rec *r)
{
    const mdm_site_t *site = mdm_config_of(r->server)->site;
    unsigned char random[TRACE_BYTES];
    mdm_bytes_t bytes = { random, sizeof(random) };

    if (!site->webhooks && !site->declarative_url && mdm_config_dir(r)->device_auth != 1)
        return APR_SUCCESS;
    if (mdm_random(random, sizeof(random)) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_ECRYPTO, "there are no random numbers for a trace id");
    caller->trace_id = mdm_hex_encode(bytes, ctx->pool);
    caller->url_params = r->args ? read_params(r->args, ctx->pool) : NULL;
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, MDMNO(0948) "trace id %s", caller->trace_id);
    return APR_SUCCESS;
}
