/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client for many small POSTs at once: over one HTTP/2 connection to APNs for each certificate (libnghttp2), or to
 * any HTTP server (libcurl's multi interface). One client belongs to one thread (the worker's).
 */
#ifndef MDM_HTTP_H
#define MDM_HTTP_H

#include "mdm_bytes.h"
#include "mdm_ctx.h"

typedef struct mdm_http_t mdm_http_t;
typedef struct mdm_http_answer_t mdm_http_answer_t;

/** One request; url, headers and body must stay until `done` has run, certificates are copied. */
typedef struct mdm_http_request_t {
    const char *url;                 /* https only, unless any_version */
    const char *const *headers;      /* "name: value", NULL-terminated */
    mdm_bytes_t body;
    mdm_bytes_t client_pem;          /* client certificate (chain) in PEM, or empty */
    mdm_bytes_t client_key_pem;
    mdm_bytes_t ca_pem;              /* trusted CAs in PEM; empty: the system's store */
    int urgent;                      /* HTTP/2: before the others that wait for the server's limit of streams */
    int any_version;                 /* http: too, HTTP/1.1 or 2, no client certificate; any length of answer */
    apr_interval_time_t timeout;     /* whole request */
    void (*done)(void *baton, const mdm_http_answer_t *answer);
    void *baton;
} mdm_http_request_t;

struct mdm_http_answer_t {
    int status;                      /* HTTP status, 0 when there was no answer */
    const char *error;               /* why there was none, else NULL */
    mdm_bytes_t body;                /* first 4 kB; valid during the callback only */
    const char *apns_id;             /* response header or NULL; valid during the callback only */
    long retry_after;                /* seconds, -1 when absent */
};

/**
 * Once per process before any thread uses curl. Safe to repeat.
 * @return MDM_ECONFIG when curl does not start
 */
apr_status_t mdm_http_global_init(mdm_ctx_t *ctx);

/**
 * Make a client in ctx->pool; freed with it.
 * @param connections at most so many connections per host for requests of any version; HTTP/2 needs one for each
 *                    host and client certificate, and another while one goes away
 * @param streams     at most so many requests under way
 */
apr_status_t mdm_http_create(mdm_http_t **http, mdm_ctx_t *ctx, int connections, int streams);

/**
 * Start a request; `done` runs in a later mdm_http_run. When the connection is lost before the answer, it is
 * sent once more: the receiver must bear that. @return MDM_ETOOBIG when `streams` are under way already
 */
apr_status_t mdm_http_start(mdm_http_t *http, const mdm_http_request_t *request);

/** How many requests are under way. */
int mdm_http_pending(const mdm_http_t *http);

/**
 * Move all requests on; wait at most `wait` for the network or for `wake_fd` (-1: none) to become readable.
 * Runs the `done` of every request that ended. The caller drains wake_fd.
 */
apr_status_t mdm_http_run(mdm_http_t *http, apr_interval_time_t wait, int wake_fd);

/**
 * The same for a second client of the same thread beside it: one wait for both, so that neither's limit of
 * connections is the other's.
 */
apr_status_t mdm_http_run_both(mdm_http_t *http, mdm_http_t *second, apr_interval_time_t wait, int wake_fd);

/** Close the HTTP/2 connections, each when what is under way on it has ended. */
void mdm_http_forget_connections(mdm_http_t *http);

#endif
