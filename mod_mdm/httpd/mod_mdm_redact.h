/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What httpd's logs and its server-status page must not show of our requests: the tokens of invitations, which
 * are in paths and so in Referer headers, and the messages of SCEP, which are in query strings. Request threads.
 */
#ifndef MOD_MDM_REDACT_H
#define MOD_MDM_REDACT_H

#include <httpd.h>

/** `text` with "..." in the place of each token and message; `text` itself when there is none. NULL stays NULL. */
const char *mdm_redact(const char *text, apr_pool_t *p);

/** The hook post_read_request: the request line and the Referer header, as soon as they are there. */
int mdm_redact_request(request_rec *r);

/** The hook log_transaction, before the access log is written: the path and the query string, and all of it again. */
int mdm_redact_log(request_rec *r);

#endif
