/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where another server hands its devices over: the handler mdm-migration, for as long as an administrator gives it a
 * Location. Signs in as the API does; takes any method, as NanoMDM's does.
 */
#include <apr_strings.h>

#include "mdm_migration.h"
#include "mod_mdm_api.h"
#include "mod_mdm_auth.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"

int mdm_handle_migration(request_rec *r, const mdm_conf_t *conf)
{
    mdm_ctx_t *ctx = mdm_io_ctx(r);
    const mdm_bytes_t nothing = { NULL, 0 };
    mdm_store_t *st = NULL;
    mdm_bytes_t body;
    const char *actor;
    int answer;
    apr_status_t rv = APR_SUCCESS;

    (void)conf;
    if (!mdm_auth_api(&actor, &answer, r))
        return answer;
    if (mdm_api_is_foreign(r))
        rv = mdm_fail(ctx, MDM_EDENIED, "the request comes from another web site");
    if (rv == APR_SUCCESS && (rv = mdm_io_body(&body, ctx, r, MDM_LIMIT_DEFAULT)) == APR_SUCCESS
        && (rv = mdm_dbd_request(&st, ctx, r)) == APR_SUCCESS)
        rv = mdm_migration_take(st, body, actor, r->useragent_ip);
    mdm_io_note(r, ctx, st);
    if (rv == APR_SUCCESS)
        return mdm_io_send(r, HTTP_OK, "text/plain; charset=utf-8", nothing);
    if (rv != MDM_ENOTFOUND)
        return mdm_io_fail(r, ctx, rv);
    /* NanoMDM's word for messages in the wrong order. */
    (void)mdm_io_log_failure(r, ctx, rv);
    return mdm_io_send(r, HTTP_INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8",
                       mdm_bytes_of(apr_pstrcat(r->pool, mdm_ctx_detail(ctx, rv), "\n", NULL)));
}
