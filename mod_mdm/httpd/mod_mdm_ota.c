/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where devices post their signed answers to the Profile Service, below the mdm-enroll Location. Called by
 * its handler in any request thread. No person signs in here: the signature says who it is, whatever the type
 * of the body.
 */
#include <string.h>

#include <http_protocol.h>

#include "mdm_ota.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"

#define OTA_LIMIT 65536

static const char *const methods[] = { "POST", NULL };

static int send_back(request_rec *r, const mdm_conf_t *conf)
{
    apr_table_setn(r->headers_out, "Location", conf->site->enroll_url);
    return mdm_io_send(r, HTTP_MOVED_PERMANENTLY, "text/plain; charset=utf-8",
                       mdm_bytes_of("This device has its profile already.\n"));
}

/* The answers carry challenges. */
static apr_status_t need_https(mdm_ctx_t *ctx, request_rec *r)
{
    return !strcmp(ap_http_scheme(r), "https")
        ? APR_SUCCESS : mdm_fail(ctx, MDM_EDENIED, "devices are enrolled by https only");
}

int mdm_ota_handle(request_rec *r, const mdm_conf_t *conf)
{
    mdm_ota_answer_t answer = { { NULL, 0 }, NULL, 0, 0 };
    mdm_ctx_t *ctx;
    mdm_store_t *st = NULL;
    mdm_bytes_t message;
    apr_status_t rv;
    int status;

    if (!mdm_io_method(&status, r, methods))
        return status;
    ctx = mdm_io_ctx(r);
    if ((rv = need_https(ctx, r)) == APR_SUCCESS
        && (rv = mdm_io_body(&message, ctx, r, OTA_LIMIT)) == APR_SUCCESS
        && (rv = mdm_dbd_request(&st, ctx, r)) == APR_SUCCESS)
        rv = mdm_ota_answer(&answer, st, conf->site, message, r->useragent_ip);
    mdm_io_note(r, ctx, st);
    if (rv != APR_SUCCESS)
        return mdm_io_fail(r, ctx, rv);
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0800) "over-the-air enrollment of %s, phase %d%s",
            answer.user, answer.phase, answer.delivered_before ? ", once more" : "");
    if (answer.delivered_before)
        return send_back(r, conf);
    return mdm_io_send(r, HTTP_OK, "application/x-apple-aspen-config", answer.profile);
}
