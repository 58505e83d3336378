/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets of certificates an HTTPS client uses, and the sockets that were opened with each: private to
 * mdm_http.c and its thread.
 */
#ifndef MDM_HTTP_CREDENTIALS_H
#define MDM_HTTP_CREDENTIALS_H

#include "mdm_http.h"

#define MDM_HTTP_SOCKETS_MAX 16

/** The client's CURLM, for mdm_http_both.c. */
void *mdm_http_multi(const mdm_http_t *http);

typedef struct mdm_http_credentials_t {
    struct mdm_http_credentials_t *next;
    apr_pool_t *pool;
    mdm_bytes_t cert, key, ca;   /* copies; the key's is cleansed */
    int handles;                 /* easy handles that point to these bytes, resting ones too */
    int busy;                    /* requests under way */
    int closing;                 /* cut the connections as soon as nothing is under way */
    apr_time_t answered_at;      /* the newest answer to any request of this set */
    int sockets[MDM_HTTP_SOCKETS_MAX];
    int socket_count;
} mdm_http_credentials_t;

typedef struct mdm_http_keyring_t {
    mdm_http_credentials_t *first;
    int count;
} mdm_http_keyring_t;

/** The set with exactly these bytes, made in a subpool of `p` when new. Drops sets that nothing uses. */
mdm_http_credentials_t *mdm_http_credentials_find(mdm_http_keyring_t *ring, const mdm_http_request_t *request,
                                                  apr_pool_t *p);

/** Remember or forget a socket; forgetting looks through all sets. */
void mdm_http_credentials_add_socket(mdm_http_credentials_t *credentials, int fd);
void mdm_http_keyring_forget_socket(mdm_http_keyring_t *ring, int fd);

/** Shut the sockets down. Their owner, curl, finds them dead and closes them. */
void mdm_http_credentials_cut(mdm_http_credentials_t *credentials);

#endif
