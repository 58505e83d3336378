/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links: one HTTP/2 connection each, for one server and one set of certificates. curl finds the server and connects
 * (names, addresses, what goes first), OpenSSL encrypts, nghttp2 frames; here they are joined. All that is to be sent
 * at a time goes in few writes: that, and no transfer of curl's for each request, is what makes pushes cheap. A link
 * lives as long as its connection; what it has not begun, or has lost, goes to another. Called by mdm_http.c in the
 * client's thread.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "mdm_http_slot.h"
#include "mdm_http_tls.h"

/* A connection may rest this long and be used again: rapid opening and closing counts as abuse. */
#define REST_MAX apr_time_from_sec(3600)
/* Sent bytes not acknowledged for so long: the connection is dead, whatever the peer's host says. */
#define UNACKED_MS_MAX 20000
#define BUFFER 16384
#define FRAME_MAX (16384 + 9)
#define PART 8                       /* what is waiting goes when so much of what may be under way is free */
#define READS_MAX 16                 /* in a row, before others have their turn */

typedef enum { LINK_CONNECTING, LINK_GREETING, LINK_OPEN, LINK_DEAD } link_state_e;

struct mdm_http_link_t {
    struct mdm_http_link_t *next;
    mdm_http_t *http;
    mdm_ctx_t *ctx;                  /* of its own pool */
    mdm_bytes_t cert, key, ca;       /* copies; the key's is cleansed */
    const char *authority;
    link_state_e state;
    int retired;                     /* takes no new requests, and ends with the last */
    int worked;                      /* an answer came */
    int expired;                     /* requests whose time was over, since the last answer */
    CURL *easy;                      /* connects */
    int fd;
    mdm_http_tls_t *tls;
    mdm_h2_t *h2;
    mdm_http_slot_t *waiting, **waiting_end;
    apr_time_t greeted_until, used_at, answered_at;
    char error[CURL_ERROR_SIZE];
    unsigned char out[BUFFER + FRAME_MAX];
    int out_at, out_len;
};

static void requeue(mdm_http_slot_t *slot, const mdm_http_link_t *from);

/* ---- the end of a link */

static void fail(mdm_http_link_t *link, const char *error)
{
    if (link->state == LINK_DEAD)
        return;
    link->state = LINK_DEAD;
    if (error != link->error)
        apr_cpystrn(link->error, error, sizeof(link->error));
}

/* A request that was sent goes once more; one that never was, whenever the link has shown that the way is good. */
static void release(mdm_http_slot_t *slot)
{
    mdm_http_link_t *link = slot->link;
    int sent = slot->stream.h2 != NULL;

    slot->stream.h2 = NULL;
    if (sent ? slot->repeated : !link->worked && !link->retired) {
        mdm_http_slot_finish(slot, link->error);
        return;
    }
    slot->repeated |= sent;
    requeue(slot, link);
}

static void close_socket(mdm_http_link_t *link)
{
    if (link->easy) {
        curl_multi_remove_handle(link->http->multi, link->easy);
        curl_easy_cleanup(link->easy);
        link->easy = NULL;
    }
    if (link->tls && link->fd >= 0)
        mdm_http_tls_end(link->tls);
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

static apr_status_t destroy_link(void *baton)
{
    mdm_http_link_t *link = baton;

    mdm_cleanse((void *)link->key.data, link->key.len);
    return APR_SUCCESS;
}

/* Not out of nghttp2's calls: the connection must not end under them. */
static void bury(mdm_http_link_t *link)
{
    mdm_http_t *http = link->http;
    int i;

    close_socket(link);
    for (i = 0; i < http->made; i++) {
        if (http->slots[i].link == link)
            release(&http->slots[i]);
    }
    apr_pool_destroy(link->ctx->pool);
}

/* ---- answers */

static void take_header(mdm_h2_stream_t *stream, const char *name, const char *value)
{
    mdm_http_slot_header((mdm_http_slot_t *)stream, name, strlen(name), value);
}

static int take_body(mdm_h2_stream_t *stream, const unsigned char *data, apr_size_t len)
{
    return mdm_http_slot_body((mdm_http_slot_t *)stream, data, len);
}

static void take_end(mdm_h2_stream_t *stream, const char *error)
{
    mdm_http_slot_t *slot = (mdm_http_slot_t *)stream;
    mdm_http_link_t *link = slot->link;
    char why[MDM_HTTP_ERROR_MAX];

    if (!error && slot->status >= 200) {
        link->worked = 1;
        link->expired = 0;
        link->answered_at = apr_time_now();
        mdm_http_slot_finish(slot, NULL);
        return;
    }
    if (!slot->repeated) {
        slot->repeated = 1;
        requeue(slot, link);
        return;
    }
    apr_snprintf(why, sizeof(why), "the server broke the request off: %s", error ? error : "no status");
    mdm_http_slot_finish(slot, why);
}

static const mdm_h2_calls_t calls = { take_header, take_body, take_end };

/* ---- octets */

static void flush(mdm_http_link_t *link)
{
    while (link->out_at < link->out_len) {
        int count = mdm_http_tls_write(link->tls, link->out + link->out_at, link->out_len - link->out_at);

        if (count < 0)
            fail(link, mdm_http_tls_error(link->tls));
        if (count <= 0)
            return;
        link->out_at += count;
    }
    link->out_at = link->out_len = 0;
}

static void send_frames(mdm_http_link_t *link)
{
    const unsigned char *frame;
    const char *error;
    apr_size_t len;

    while (link->state == LINK_OPEN) {
        flush(link);
        if (link->out_len || link->state != LINK_OPEN)
            return;
        do {
            error = mdm_h2_take(&frame, &len, link->h2);
            if (len)
                memcpy(link->out + link->out_len, frame, len);
            link->out_len += (int)len;
        } while (!error && len && link->out_len < BUFFER);
        if (!link->out_len && !error)
            return;
        if (error) {
            flush(link);
            fail(link, error);
        }
    }
}

static void receive(mdm_http_link_t *link)
{
    unsigned char in[BUFFER];
    const char *error;
    int i, count;

    for (i = 0; i < READS_MAX && link->state == LINK_OPEN; i++) {
        count = mdm_http_tls_read(link->tls, in, sizeof(in));
        if (count < 0)
            fail(link, mdm_http_tls_error(link->tls));
        if (count <= 0)
            return;
        error = mdm_h2_feed(link->h2, in, (apr_size_t)count);
        if (error) {
            send_frames(link);
            fail(link, error);
        }
    }
}

/* ---- requests */

static void append(mdm_http_link_t *link, mdm_http_slot_t *slot)
{
    slot->link = link;
    if (slot->request.urgent && link->waiting) {
        slot->next = link->waiting;
        link->waiting = slot;
        return;
    }
    slot->next = NULL;
    *link->waiting_end = slot;
    link->waiting_end = &slot->next;
}

static void take_out(mdm_http_link_t *link, mdm_http_slot_t *slot)
{
    mdm_http_slot_t **at;

    for (at = &link->waiting; *at && *at != slot; at = &(*at)->next)
        continue;
    if (!*at)
        return;
    *at = slot->next;
    if (!slot->next)
        link->waiting_end = at;
}

/* One by one in the place of each that ends, requests would cost a write here and a read there each. */
static int worth_sending(const mdm_http_link_t *link, int room)
{
    return link->waiting && (link->waiting->request.urgent || room * PART >= mdm_h2_active(link->h2));
}

static void submit_waiting(mdm_http_link_t *link)
{
    int room = link->retired ? 0 : mdm_h2_room(link->h2);

    if (!worth_sending(link, room))
        return;
    while (room-- > 0 && link->waiting) {
        mdm_http_slot_t *slot = link->waiting;
        const mdm_http_request_t *request = &slot->request;
        const char *path = strchr(request->url + sizeof("https://") - 1, '/');

        take_out(link, slot);
        link->used_at = slot->started_at;
        if (mdm_h2_submit(link->h2, &slot->stream, link->authority, path ? path : "/", request->headers, request->body))
            mdm_http_slot_finish(slot, "nghttp2 refuses the request");
    }
}

/* Those that have not begun need another connection. */
static void retire(mdm_http_link_t *link)
{
    link->retired = 1;
    while (link->waiting) {
        mdm_http_slot_t *slot = link->waiting;

        take_out(link, slot);
        requeue(slot, link);
    }
}

/* ---- connecting */

static int open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *address)
{
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    unsigned int unacked = UNACKED_MS_MAX;

    (void)baton;
    (void)purpose;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof(unacked));
    return fd;
}

/* curl only connects: for it there is neither TLS nor HTTP. @return NULL, or why not */
static const char *connect_link(mdm_http_link_t *link, const char *host, const char *port)
{
    CURL *easy = link->easy = curl_easy_init();
    CURLcode bad = CURLE_OK;
    const char *url = apr_psprintf(link->ctx->pool, "http://%s:%s/", host, port);

    if (!easy)
        return "libcurl gives no handle";
    bad |= curl_easy_setopt(easy, CURLOPT_URL, url);
    bad |= curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
    bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)apr_time_as_msec(MDM_HTTP_CONNECT_TIMEOUT));
    bad |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, link->error);
    if (bad != CURLE_OK || curl_multi_add_handle(link->http->multi, easy) != CURLM_OK)
        return "libcurl refuses to connect";
    return NULL;
}

/* The authority's host for TLS (an IPv6 address without its brackets), host and port for curl. */
static const char *prepare(mdm_http_link_t *link)
{
    char *host = apr_pstrdup(link->ctx->pool, link->authority), *colon = strrchr(host, ':'), *bare;
    const char *port = "443";
    apr_size_t len;

    if (colon && !strchr(colon, ']')) {
        *colon = '\0';
        port = colon + 1;
    }
    if (!host[0] || strchr(host, '@') || strspn(port, "0123456789") != strlen(port))
        return "the address has no host";
    bare = apr_pstrdup(link->ctx->pool, host + (host[0] == '['));
    len = strlen(bare);
    if (len && bare[len - 1] == ']')
        bare[len - 1] = '\0';
    if (mdm_http_tls_create(&link->tls, link->ctx, bare, link->cert, link->key, link->ca) != APR_SUCCESS)
        return link->ctx->detail;
    return connect_link(link, host, port);
}

/* The socket becomes ours: curl closes the number that it knows, the connection stays. */
static int take_socket(mdm_http_link_t *link)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    curl_easy_getinfo(link->easy, CURLINFO_ACTIVESOCKET, &fd);
    link->fd = fd == CURL_SOCKET_BAD ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    curl_multi_remove_handle(link->http->multi, link->easy);
    curl_easy_cleanup(link->easy);
    link->easy = NULL;
    return link->fd >= 0;
}

int mdm_http_link_connected(mdm_http_t *http, void *easy, int result)
{
    mdm_http_link_t *link = http->links;

    while (link && link->easy != easy)
        link = link->next;
    if (!link)
        return 0;
    if (result != CURLE_OK)
        fail(link, link->error[0] ? link->error : curl_easy_strerror((CURLcode)result));
    else if (!take_socket(link) || mdm_http_tls_attach(link->tls, link->ctx, link->fd) != APR_SUCCESS)
        fail(link, "the connection gives no socket");
    else
        link->state = LINK_GREETING;
    link->greeted_until = apr_time_now() + MDM_HTTP_CONNECT_TIMEOUT;
    return 1;
}

static void greet(mdm_http_link_t *link)
{
    int done = mdm_http_tls_handshake(link->tls);

    if (done < 0)
        fail(link, mdm_http_tls_error(link->tls));
    else if (!done && apr_time_now() > link->greeted_until)
        fail(link, "the server does not finish the TLS handshake");
    if (done <= 0)
        return;
    if (!mdm_http_tls_is_h2(link->tls))
        fail(link, "the server answered by HTTP/1; HTTP/2 is needed");
    else if (mdm_h2_create(&link->h2, link->ctx, &calls) != APR_SUCCESS)
        fail(link, link->ctx->detail);
    else
        link->state = LINK_OPEN;
}

/* ---- links by their keys */

static int same_bytes(mdm_bytes_t a, mdm_bytes_t b)
{
    return a.len == b.len && (!a.len || a.data == b.data || !memcmp(a.data, b.data, a.len));
}

static mdm_bytes_t copy_bytes(mdm_bytes_t bytes, apr_pool_t *p)
{
    mdm_bytes_t copy = { apr_pmemdup(p, bytes.data, bytes.len), bytes.len };

    return copy;
}

typedef struct key_t {
    mdm_bytes_t cert, key, ca;
    const char *authority;
    apr_size_t authority_len;
} link_key_t;

static mdm_http_link_t *make_link(mdm_http_t *http, const link_key_t *key)
{
    mdm_http_link_t *link;
    const char *error;
    apr_pool_t *p;

    apr_pool_create(&p, http->ctx->pool);
    link = apr_pcalloc(p, sizeof(*link));
    link->ctx = mdm_ctx_create(p, NULL);
    link->http = http;
    link->fd = -1;
    link->waiting_end = &link->waiting;
    link->cert = copy_bytes(key->cert, p);
    link->key = copy_bytes(key->key, p);
    link->ca = copy_bytes(key->ca, p);
    link->authority = apr_pstrmemdup(p, key->authority, key->authority_len);
    link->used_at = apr_time_now();
    apr_pool_cleanup_register(p, link, destroy_link, apr_pool_cleanup_null);
    link->next = http->links;
    http->links = link;
    error = prepare(link);
    if (error)
        fail(link, error);
    return link;
}

static mdm_http_link_t *find_link(mdm_http_t *http, const link_key_t *key)
{
    mdm_http_link_t *link;

    for (link = http->links; link; link = link->next) {
        if (!link->retired && link->state != LINK_DEAD && same_bytes(link->cert, key->cert)
            && same_bytes(link->key, key->key) && same_bytes(link->ca, key->ca)
            && strlen(link->authority) == key->authority_len
            && !strncmp(link->authority, key->authority, key->authority_len))
            return link;
    }
    return make_link(http, key);
}

/* The link it was on has the copies: the owner may have other certificates by now. */
static void requeue(mdm_http_slot_t *slot, const mdm_http_link_t *from)
{
    link_key_t key = { from->cert, from->key, from->ca, from->authority, strlen(from->authority) };

    mdm_http_slot_begin(slot);
    append(find_link(slot->http, &key), slot);
}

apr_status_t mdm_http_link_start(mdm_http_slot_t *slot)
{
    const mdm_http_request_t *request = &slot->request;
    const char *authority = request->url + sizeof("https://") - 1;
    link_key_t key = { request->client_pem, request->client_key_pem, request->ca_pem, authority,
                       strcspn(authority, "/?#") };

    slot->started_at = apr_time_now();
    slot->deadline = slot->started_at + request->timeout;
    if (slot->deadline < slot->http->deadline)
        slot->http->deadline = slot->deadline;
    append(find_link(slot->http, &key), slot);
    return APR_SUCCESS;
}

/* ---- all links */

static void run(mdm_http_link_t *link)
{
    if (link->state == LINK_GREETING)
        greet(link);
    if (link->state != LINK_OPEN)
        return;
    receive(link);
    if (link->state != LINK_OPEN)
        return;
    if (mdm_h2_is_ending(link->h2) || (!mdm_h2_active(link->h2) && apr_time_now() - link->used_at > REST_MAX))
        retire(link);
    submit_waiting(link);
    send_frames(link);
    if (link->retired && link->state == LINK_OPEN && !mdm_h2_active(link->h2))
        fail(link, "the connection was given up");
}

void mdm_http_links_run(mdm_http_t *http)
{
    mdm_http_link_t *link, **at;

    for (link = http->links; link; link = link->next)
        run(link);
    for (at = &http->links; *at;) {
        link = *at;
        if (link->state != LINK_DEAD) {
            at = &link->next;
            continue;
        }
        *at = link->next;
        bury(link);
        /* What it leaves may have made new ones. */
        at = &http->links;
    }
}

/*
 * Of time that is over for one request: nobody had an answer while it waited, or this is the second since the last
 * answer, so the connection is dead; one alone may have been unlucky.
 */
static void expire(mdm_http_slot_t *slot, apr_time_t now)
{
    mdm_http_link_t *link = slot->link;
    char error[MDM_HTTP_ERROR_MAX];

    apr_snprintf(error, sizeof(error), "no answer within %" APR_TIME_T_FMT " ms",
                 apr_time_as_msec(now - slot->started_at));
    if (slot->stream.h2)
        mdm_h2_cancel(&slot->stream);
    else
        take_out(link, slot);
    if (link->state == LINK_OPEN && (++link->expired > 1 || link->answered_at <= slot->started_at))
        fail(link, "the server does not answer");
    mdm_http_slot_finish(slot, error);
}

void mdm_http_links_expire(mdm_http_t *http, apr_time_t now)
{
    int i;

    if (now < http->deadline)
        return;
    http->deadline = APR_INT64_MAX;
    for (i = 0; i < http->made; i++) {
        mdm_http_slot_t *slot = &http->slots[i];

        if (slot->link && slot->deadline <= now)
            expire(slot, now);
        if (slot->link && slot->deadline < http->deadline)
            http->deadline = slot->deadline;
    }
}

void mdm_http_links_retire(mdm_http_t *http)
{
    mdm_http_link_t *link, *next;

    for (link = http->links; link; link = next) {
        next = link->next;
        if (link->state == LINK_OPEN)
            retire(link);
    }
}

void mdm_http_links_destroy(mdm_http_t *http)
{
    mdm_http_link_t *link;

    for (link = http->links; link; link = link->next)
        close_socket(link);
    http->links = NULL;
}

unsigned mdm_http_link_fds(void *fds, unsigned max, const mdm_http_t *http)
{
    struct curl_waitfd *list = fds;
    const mdm_http_link_t *link;
    unsigned n = 0;

    for (link = http->links; link && n < max; link = link->next) {
        if (link->fd < 0)
            continue;
        list[n].fd = link->fd;
        list[n].events = CURL_WAIT_POLLIN;
        if (link->state == LINK_GREETING ? mdm_http_tls_wants_write(link->tls) : link->out_len > 0)
            list[n].events |= CURL_WAIT_POLLOUT;
        list[n++].revents = 0;
    }
    return n;
}
