/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of one HTTP/2 connection (RFC 9113, by nghttp2): requests and answers there, octets here. It does
 * no input or output: whoever owns the connection carries the octets. Private to mdm_http*.c and their thread.
 */
#ifndef MDM_H2_H
#define MDM_H2_H

#include "mdm_bytes.h"
#include "mdm_ctx.h"

typedef struct mdm_h2_t mdm_h2_t;

/** A request under way: the caller's, and zeroed by the caller before it is first used. It must not move. */
typedef struct mdm_h2_stream_t {
    mdm_h2_t *h2;                    /* NULL: not under way */
    int id;
    mdm_bytes_t body;                /* what is still to be sent of it */
} mdm_h2_stream_t;

/** What comes back, out of mdm_h2_feed or mdm_h2_take. The calls may submit and cancel, nothing else. */
typedef struct mdm_h2_calls_t {
    void (*header)(mdm_h2_stream_t *stream, const char *name, const char *value);
    int (*body)(mdm_h2_stream_t *stream, const unsigned char *data, apr_size_t len);  /* 0: no more is wanted */
    void (*ended)(mdm_h2_stream_t *stream, const char *error);                        /* NULL: the answer is complete */
} mdm_h2_calls_t;

/** A connection in ctx->pool, at its beginning; `calls` must outlive it. */
apr_status_t mdm_h2_create(mdm_h2_t **h2, mdm_ctx_t *ctx, const mdm_h2_calls_t *calls);

/** How many more requests may start now: by the server's limit, one until it has told it, none after GOAWAY. */
int mdm_h2_room(const mdm_h2_t *h2);

/** Requests under way. */
int mdm_h2_active(const mdm_h2_t *h2);

/** No request can start any more: the server is going away, or the numbers of streams are used up. */
int mdm_h2_is_ending(const mdm_h2_t *h2);

/**
 * Start a POST. `headers` are "name: value", NULL-terminated, and copied; the body must stay until the end.
 * @return MDM_EHTTP when nghttp2 refuses it
 */
apr_status_t mdm_h2_submit(mdm_h2_t *h2, mdm_h2_stream_t *stream, const char *authority, const char *path,
                           const char *const *headers, mdm_bytes_t body);

/** The answer is not wanted any more; `ended` does not run. */
void mdm_h2_cancel(mdm_h2_stream_t *stream);

/** Octets from the server. @return NULL, or why the connection cannot go on */
const char *mdm_h2_feed(mdm_h2_t *h2, const unsigned char *data, apr_size_t len);

/**
 * The next frame for the server, valid until the next call; nothing to send: 0 octets.
 * @return NULL, or why the connection cannot go on
 */
const char *mdm_h2_take(const unsigned char **data, apr_size_t *len, mdm_h2_t *h2);

#endif
