/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client and the requests it has under way: private to mdm_http*.c and the client's thread. Each request has a slot,
 * which is kept and used again. Requests of HTTP/2 only go by links (mdm_http_link.c), the others by curl
 * (mdm_http_any.c).
 */
#ifndef MDM_HTTP_SLOT_H
#define MDM_HTTP_SLOT_H

#include "mdm_h2.h"
#include "mdm_http.h"

#define MDM_HTTP_BODY_MAX 4096
#define MDM_HTTP_ERROR_MAX 256
#define MDM_HTTP_APNS_ID_MAX 64
#define MDM_HTTP_CONNECT_TIMEOUT apr_time_from_sec(10)

typedef struct mdm_http_link_t mdm_http_link_t;
typedef struct mdm_http_any_t mdm_http_any_t;

typedef struct mdm_http_slot_t {
    mdm_h2_stream_t stream;          /* the first member: by it a link knows the slot */
    struct mdm_http_slot_t *next;    /* of the resting, or of a link's waiting */
    mdm_http_t *http;
    mdm_http_link_t *link;           /* NULL: rests, or goes by curl */
    mdm_http_any_t *any;             /* what curl needs; made when first needed */
    mdm_http_request_t request;
    apr_time_t started_at, deadline; /* of links only: curl keeps its own */
    int repeated;                    /* sent once more */
    /* the answer */
    int status;
    long retry_after;
    apr_size_t body_len;
    char error[MDM_HTTP_ERROR_MAX];
    char apns_id[MDM_HTTP_APNS_ID_MAX];
    char body[MDM_HTTP_BODY_MAX];
} mdm_http_slot_t;

struct mdm_http_t {
    mdm_ctx_t *ctx;
    void *multi;                     /* CURLM */
    mdm_http_link_t *links;
    mdm_http_slot_t *slots, *resting;
    int slot_count, made, pending;
    int connections, limited;        /* at most so many per host, by curl; it has been told */
    apr_int64_t finished;
    apr_time_t deadline;             /* no request by a link has an earlier one */
};

/** Empty the answer, for a first or a second try. */
void mdm_http_slot_begin(mdm_http_slot_t *slot);

/** One field of the answer, or a piece of its body; @return 0 when no more of the body is wanted. */
void mdm_http_slot_header(mdm_http_slot_t *slot, const char *name, apr_size_t name_len, const char *value);
int mdm_http_slot_body(mdm_http_slot_t *slot, const void *data, apr_size_t len);

/** The request is over: tell its owner, and let the slot rest. @param error NULL: there is an answer */
void mdm_http_slot_finish(mdm_http_slot_t *slot, const char *error);

/* ---- by curl: any version of HTTP */

/** @return MDM_EHTTP */
apr_status_t mdm_http_any_start(mdm_http_slot_t *slot);

/** A transfer of the multi handle has ended; `easy` is its CURL. */
void mdm_http_any_ended(void *easy, int result);

/** Give back what curl has of a slot. */
void mdm_http_any_destroy(mdm_http_slot_t *slot);

/** For mdm_http_both.c: fill `fds` (struct curl_waitfd) with the sockets of all links. @return how many */
unsigned mdm_http_link_fds(void *fds, unsigned max, const mdm_http_t *http);

/* ---- by links: HTTP/2 only */

/** Queue the request on the link of its certificates and server, which is made when there is none. @return MDM_EHTTP */
apr_status_t mdm_http_link_start(mdm_http_slot_t *slot);

/** Move all links on. */
void mdm_http_links_run(mdm_http_t *http);

/** Connecting of a link has ended; `easy` is its CURL. @return 0 when it is no link's */
int mdm_http_link_connected(mdm_http_t *http, void *easy, int result);

/** End the requests whose time is over. */
void mdm_http_links_expire(mdm_http_t *http, apr_time_t now);

/** No new requests; what is under way may end. */
void mdm_http_links_retire(mdm_http_t *http);

/** At the client's end: no request is told. */
void mdm_http_links_destroy(mdm_http_t *http);

#endif
