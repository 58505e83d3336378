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
 * The certificate that a device has proven to hold: by TLS (mod_ssl), else to a proxy that is believed
 * (MDMClientCertHeader), else by a Mdm-Signature over the body. That it is one of ours is not judged here.
 * @param caller all of it is filled in; it lives as long as the request
 * @param body   its data NULL: the body is not read, so a signature must come without one
 * @return MDM_EINPUT, logged, when nothing proves one
 */
apr_status_t mdm_auth_device(mdm_caller_t *caller, mdm_ctx_t *ctx, request_rec *r, mdm_bytes_t body);

/**
 * The certificate in MDMClientCertHeader, URL-encoded PEM or RFC 9440; no bytes when there is no such header.
 * @return MDM_EINPUT when it is anything but one certificate
 */
apr_status_t mdm_auth_header(mdm_bytes_t *der, mdm_ctx_t *ctx, request_rec *r);

/** The hook post_read_request: MDMClientCertHeader goes out of requests that no listed proxy has sent. */
int mdm_auth_strip(request_rec *r);

/**
 * The hook access_checker: where MDMDeviceAuth is On only enrolled devices get in, and whoever serves the Location,
 * as a proxy does, is told which one in X-Enrollment-ID. Refuses with 400, never with 401.
 */
int mdm_auth_location(request_rec *r);

/**
 * An administrator at the API: whoever Apache authenticated, else the HTTP Basic user nanomdm with
 * the MDMAPIKeyFile's key.
 * @param actor the name, for records
 * @return nonzero when let in; else *answer is the answer that has been sent (401, or 403 when
 *         nothing is set up)
 */
int mdm_auth_api(const char **actor, int *answer, request_rec *r);

/** Whether a client of MicroMDM's signs in: the user "micromdm" with the API key. For mod_mdm_api_micromdm.c. */
int mdm_auth_micromdm(const char **actor, request_rec *r);

/**
 * Give the caller a trace id, logged at info, and the parameters of the URL; nothing when neither webhooks nor a
 * declarative management server of this site, nor MDMDeviceAuth here, hand them on.
 */
apr_status_t mdm_auth_trace(mdm_caller_t *caller, mdm_ctx_t *ctx, request_rec *r);

#endif
