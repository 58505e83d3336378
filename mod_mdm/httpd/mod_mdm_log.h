/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's log lines in httpd's error log, with the module's LogLevel.
 */
#ifndef MOD_MDM_LOG_H
#define MOD_MDM_LOG_H

#include "mdm_ctx.h"
#include "mod_mdm.h"

/** A sink that writes for a request (with its client address), or for a server. Lives in p. */
const mdm_log_t *mdm_log_for_request(request_rec *r, apr_pool_t *p);
const mdm_log_t *mdm_log_for_server(server_rec *s, apr_pool_t *p);

#endif
