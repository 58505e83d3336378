/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request to another server, waited for: what a request thread asks of servers that the administrator has
 * named (declarative management, Activation Lock). Redirects are not followed and no proxy is used; TLS is verified.
 * Only mdm_fetch.c and mdm_http.c include curl. Any thread; nothing is kept between calls.
 */
#ifndef MDM_FETCH_H
#define MDM_FETCH_H

#include <apr_tables.h>

#include "mdm_bytes.h"
#include "mdm_ctx.h"

typedef struct mdm_fetch_t {
    const char *method;              /* "GET", "PUT", "POST" */
    const char *url;                 /* http or https */
    const char *const *headers;      /* "name: value", NULL-terminated; NULL: none */
    mdm_bytes_t body;                /* sent when it has bytes */
    mdm_bytes_t client_pem;          /* client certificate (chain) in PEM, or empty */
    mdm_bytes_t client_key_pem;
    mdm_bytes_t ca_pem;              /* trusted CAs in PEM; empty: the system's */
    apr_interval_time_t timeout;     /* whole request */
    apr_size_t answer_max;           /* largest body taken, bytes */
} mdm_fetch_t;

typedef struct mdm_fetched_t {
    int status;                      /* HTTP status */
    apr_table_t *headers;            /* of the answer */
    mdm_bytes_t body;
} mdm_fetched_t;

/**
 * Send a request and wait for its answer, which is ctx->pool's. Any HTTP status is a success.
 * @return MDM_EHTTP with curl's words and the host, without path or query; MDM_ETOOBIG for a body over answer_max
 */
apr_status_t mdm_fetch(mdm_fetched_t *answer, mdm_ctx_t *ctx, const mdm_fetch_t *request);

#endif
