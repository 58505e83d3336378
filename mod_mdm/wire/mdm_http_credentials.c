/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sets of certificates an HTTPS client uses. Called by mdm_http.c only, in the client's
 * thread. Equal bytes are one set, so that requests with the same push certificate share
 * connections and one copy of the key.
 */
#include <string.h>
#include <sys/socket.h>

#include <apr_strings.h>

#include "mdm_http_credentials.h"

static apr_status_t cleanse_key(void *baton)
{
    mdm_http_credentials_t *credentials = baton;

    mdm_cleanse((void *)credentials->key.data, credentials->key.len);
    return APR_SUCCESS;
}

static mdm_bytes_t copy_bytes(mdm_bytes_t bytes, apr_pool_t *p)
{
    mdm_bytes_t copy = { apr_pmemdup(p, bytes.data, bytes.len), bytes.len };

    return copy;
}

static int same_bytes(mdm_bytes_t a, mdm_bytes_t b)
{
    return a.len == b.len && (!a.len || !memcmp(a.data, b.data, a.len));
}

static void drop_unused(mdm_http_keyring_t *ring)
{
    mdm_http_credentials_t **at = &ring->first;

    while (*at) {
        mdm_http_credentials_t *credentials = *at;

        if (credentials->handles || credentials->socket_count) {
            at = &credentials->next;
            continue;
        }
        *at = credentials->next;
        ring->count--;
        apr_pool_destroy(credentials->pool);
    }
}

mdm_http_credentials_t *mdm_http_credentials_find(mdm_http_keyring_t *ring, const mdm_http_request_t *request,
                                                  apr_pool_t *p)
{
    mdm_http_credentials_t *found;
    apr_pool_t *own;

    for (found = ring->first; found; found = found->next) {
        if (same_bytes(found->cert, request->client_pem) && same_bytes(found->key, request->client_key_pem)
            && same_bytes(found->ca, request->ca_pem))
            return found;
    }
    drop_unused(ring);
    apr_pool_create(&own, p);
    found = apr_pcalloc(own, sizeof(*found));
    found->pool = own;
    found->cert = copy_bytes(request->client_pem, own);
    found->key = copy_bytes(request->client_key_pem, own);
    found->ca = copy_bytes(request->ca_pem, own);
    apr_pool_cleanup_register(own, found, cleanse_key, apr_pool_cleanup_null);
    found->next = ring->first;
    ring->first = found;
    ring->count++;
    return found;
}

void mdm_http_credentials_add_socket(mdm_http_credentials_t *credentials, int fd)
{
    if (credentials->socket_count < MDM_HTTP_SOCKETS_MAX)
        credentials->sockets[credentials->socket_count++] = fd;
}

void mdm_http_keyring_forget_socket(mdm_http_keyring_t *ring, int fd)
{
    mdm_http_credentials_t *credentials;
    int i;

    for (credentials = ring->first; credentials; credentials = credentials->next) {
        for (i = 0; i < credentials->socket_count; i++) {
            if (credentials->sockets[i] == fd)
                credentials->sockets[i--] = credentials->sockets[--credentials->socket_count];
        }
    }
}

void mdm_http_credentials_cut(mdm_http_credentials_t *credentials)
{
    int i;

    for (i = 0; i < credentials->socket_count; i++)
        (void)shutdown(credentials->sockets[i], SHUT_RDWR);
}
