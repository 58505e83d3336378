/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is calling: a device by its certificate, an administrator by Apache's authentication or the API key.
 */
#ifndef MOD_MDM_AUTH_H
#define MOD_MDM_AUTH_H

#include "mdm_bytes.h"
#include "mdm_device.h"
#include "mod_mdm_config.h"

/**
 * The certificate that a device has proven to hold: by TLS (mod_ssl), else by a Mdm-Signature over the body.
 * That it is one of ours is not judged here.
 * @param caller all of it is filled in; it lives as long as the request
 * @return MDM_EDENIED when neither proves one; MDM_EINPUT, MDM_ECMS for a bad Mdm-Signature
 */
apr_status_t mdm_auth_device(mdm_caller_t *caller, mdm_ctx_t *ctx, request_rec *r, mdm_bytes_t body);

/**
 * An administrator at the API: whoever Apache authenticated, else the HTTP Basic user nanomdm with
 * the MDMAPIKeyFile's key.
 * @param actor the name, for records
 * @return nonzero when let in; else *answer is the answer that has been sent (401, or 403 when
 *         nothing is set up)
 */
int mdm_auth_api(const char **actor, int *answer, request_rec *r);

#endif
