/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a person gets the enrollment profile. Who the person is, Apache has found out (any authentication
 * module); a Location that asks nobody is closed, never an open door.
 */
#include <apr_strings.h>

#include "mdm_profile.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"

static const char *const methods[] = { "GET", NULL };

static int refuse(request_rec *r)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, MDMNO(0140) "enrollment is closed: nobody is signed in; let "
                  "Apache authenticate this Location (AuthType, Require valid-user)");
    return mdm_io_send(r, HTTP_FORBIDDEN, "text/plain; charset=utf-8",
                       mdm_bytes_of("Enrollment needs a sign-in, and this server asks for none. Tell its "
                                    "administrator.\n"));
}

int mdm_handle_enroll(request_rec *r, const mdm_conf_t *conf)
{
    mdm_ctx_t *ctx;
    mdm_store_t *st = NULL;
    mdm_profile_request_t request = { 0 };
    mdm_plist_t *root;
    mdm_bytes_t profile;
    apr_status_t rv;
    int answer;

    if (!mdm_io_method(&answer, r, methods))
        return answer;
    if (!r->user || !*r->user)
        return refuse(r);
    request.user = r->user;
    ctx = mdm_io_ctx(r);
    if ((rv = mdm_dbd_request(&st, ctx, r)) == APR_SUCCESS)
        rv = mdm_profile_enrollment(&root, st, conf->site, &request);
    if (rv == APR_SUCCESS)
        rv = mdm_profile_seal_for(&profile, ctx, conf->site, root, NULL);
    mdm_io_note(r, ctx, st);
    if (rv != APR_SUCCESS)
        return mdm_io_fail(r, ctx, rv);
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0141) "enrollment profile for %s", r->user);
    apr_table_setn(r->headers_out, "Content-Disposition", "attachment; filename=\"enroll.mobileconfig\"");
    return mdm_io_send(r, HTTP_OK, "application/x-apple-aspen-config", profile);
}
