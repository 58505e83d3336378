/* SPDX-License-Identifier: Apache-2.0 */
/*
 * v1/escrowkeyunlock: Apple's answer to a bypass code of Activation Lock, passed through with its status, its body and
 * its Content-Type. Request threads; waits for Apple.
 */
#include <http_protocol.h>

#include "mdm_escrow_unlock.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

static const char *const methods[] = { "POST", NULL };

/* httpd knows no words for other statuses, and would say 500 in their place. */
static int known_status(int status)
{
    return status == HTTP_INTERNAL_SERVER_ERROR
        || ap_index_of_response(status) != ap_index_of_response(HTTP_INTERNAL_SERVER_ERROR);
}

int mdm_api_escrow_unlock(mdm_api_t *api)
{
    mdm_fetched_t apple;
    const char *type;
    mdm_bytes_t form;
    apr_status_t rv;
    int sent;

    if (!mdm_io_method(&sent, api->r, methods))
        return sent;
    if ((rv = mdm_io_body(&form, api->ctx, api->r, MDM_ESCROW_UNLOCK_FORM_MAX)) == APR_SUCCESS
        && (rv = mdm_api_store(api)) == APR_SUCCESS)
        rv = mdm_escrow_unlock(&apple, api->st, api->conf->site, form, api->actor, api->r->useragent_ip);
    if (rv != APR_SUCCESS)
        return mdm_api_error(api, rv == MDM_EINPUT ? HTTP_BAD_REQUEST : HTTP_INTERNAL_SERVER_ERROR, rv);
    type = apr_table_get(apple.headers, "Content-Type");
    mdm_io_note(api->r, api->ctx, api->st);
    return mdm_io_send(api->r, known_status(apple.status) ? apple.status : HTTP_BAD_GATEWAY,
                       type ? type : "application/octet-stream", apple.body);
}
