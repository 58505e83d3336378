/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS requests by libcurl's multi interface: HTTP/2 only, many streams on few kept connections. Called by
 * the worker's thread; a client never crosses threads. Each request under way has a slot whose easy handle is
 * kept and used again, so that a push costs no set-up. Certificates are told to curl as bytes; what curl
 * compares when it looks for a connection to reuse includes the client certificate: a new one gets a new
 * connection.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <curl/curl.h>

#include "mdm_http_credentials.h"

#define BODY_MAX 4096
#define HEADERS_MAX 16
#define APNS_ID_MAX 64
#define CONNECT_TIMEOUT_MS 10000L
/* A connection may rest this long and be used again: rapid opening and closing counts as abuse. */
#define IDLE_SECONDS_MAX 3600L
/* Sent bytes not acknowledged for so long: the connection is dead, whatever the peer's host says. */
#define UNACKED_MS_MAX 20000

typedef struct slot_t {
    struct slot_t *next;
    mdm_http_t *http;
    CURL *easy;
    mdm_http_credentials_t *credentials;
    mdm_http_request_t request;
    apr_time_t started_at;
    struct curl_slist headers[HEADERS_MAX];
    char error[CURL_ERROR_SIZE];
    char apns_id[APNS_ID_MAX];
    char body[BODY_MAX];
    apr_size_t body_len;
    int overflow;
    int repeated;
} slot_t;

struct mdm_http_t {
    mdm_ctx_t *ctx;
    CURLM *multi;
    mdm_http_keyring_t ring;
    slot_t *slots, *resting;
    int slot_count, made, pending, connections;
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result = CURLE_FAILED_INIT;

static void global_init_once(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- sockets */

static curl_socket_t open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *address)
{
    slot_t *slot = baton;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    unsigned int unacked = UNACKED_MS_MAX;

    (void)purpose;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof(unacked));
    mdm_http_credentials_add_socket(slot->credentials, fd);
    return fd;
}

/* The baton is the client: the slot that opened the socket may serve other certificates by now. */
static int close_socket(void *baton, curl_socket_t fd)
{
    mdm_http_t *http = baton;

    mdm_http_keyring_forget_socket(&http->ring, fd);
    return close(fd);
}

/* ---- certificates */

/* One host may have `connections` for every set of certificates. */
static void limit_connections(mdm_http_t *http)
{
    long most = (long)http->connections * (http->ring.count ? http->ring.count : 1);

    curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, most);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, most);
}

static int set_blob(CURL *easy, CURLoption option, mdm_bytes_t bytes)
{
    struct curl_blob blob = { (void *)bytes.data, bytes.len, CURL_BLOB_NOCOPY };

    return curl_easy_setopt(easy, option, bytes.len ? &blob : NULL) == CURLE_OK;
}

static int use_credentials(slot_t *slot)
{
    mdm_http_t *http = slot->http;
    mdm_http_credentials_t *credentials;
    int known = http->ring.count;

    credentials = mdm_http_credentials_find(&http->ring, &slot->request, http->ctx->pool);
    if (http->ring.count != known)
        limit_connections(http);
    if (slot->credentials == credentials)
        return 1;
    if (slot->credentials)
        slot->credentials->handles--;
    slot->credentials = credentials;
    credentials->handles++;
    return set_blob(slot->easy, CURLOPT_SSLCERT_BLOB, credentials->cert)
        && set_blob(slot->easy, CURLOPT_SSLKEY_BLOB, credentials->key)
        && set_blob(slot->easy, CURLOPT_CAINFO_BLOB, credentials->ca);
}

/* ---- slots */

static size_t take_body(char *data, size_t size, size_t count, void *baton)
{
    slot_t *slot = baton;
    size_t len = size * count, room = BODY_MAX - slot->body_len;

    memcpy(slot->body + slot->body_len, data, len < room ? len : room);
    slot->body_len += len < room ? len : room;
    if (len <= room || slot->request.any_version)
        return len;
    slot->overflow = 1;
    return 0;
}

static size_t take_header(char *data, size_t size, size_t count, void *baton)
{
    slot_t *slot = baton;
    size_t len = size * count, start = sizeof("apns-id:") - 1, n;

    if (len > start && !strncasecmp(data, "apns-id:", start)) {
        while (start < len && data[start] == ' ')
            start++;
        for (n = 0; start + n < len && apr_isgraph(data[start + n]) && n < APNS_ID_MAX - 1; n++)
            slot->apns_id[n] = data[start + n];
        slot->apns_id[n] = '\0';
    }
    return len;
}

static int set_protocols(CURL *easy, int any_version)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, any_version ? "http,https" : "https") == CURLE_OK;
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, any_version ? CURLPROTO_HTTP | CURLPROTO_HTTPS
                                                                  : (long)CURLPROTO_HTTPS) == CURLE_OK;
#endif
}

/* What is the same for every request of the handle's life. */
static int prepare_easy(slot_t *slot)
{
    CURL *easy = slot->easy;
    CURLcode bad = CURLE_OK;

    bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
    bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    bad |= curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, IDLE_SECONDS_MAX);
    bad |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BODY_MAX);
    bad |= curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, slot);
    bad |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    bad |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, slot->http);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot);
    bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error);
    bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
    bad |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
    return bad == CURLE_OK;
}

static slot_t *take_slot(mdm_http_t *http)
{
    slot_t *slot = http->resting;

    if (slot) {
        http->resting = slot->next;
        return slot;
    }
    if (http->made == http->slot_count)
        return NULL;
    slot = &http->slots[http->made];
    slot->http = http;
    slot->easy = curl_easy_init();
    if (!slot->easy || !prepare_easy(slot)) {
        curl_easy_cleanup(slot->easy);
        slot->easy = NULL;
        return NULL;
    }
    http->made++;
    return slot;
}

static void rest_slot(slot_t *slot)
{
    slot->next = slot->http->resting;
    slot->http->resting = slot;
}

/* curl only reads the list, so its nodes can be ours. A name without a value keeps curl's own header away. */
static int set_headers(slot_t *slot, const char *const *headers)
{
    int n = 0;

    slot->headers[n++].data = (char *)"Accept:";
    for (; *headers; headers++) {
        if (n == HEADERS_MAX)
            return 0;
        slot->headers[n - 1].next = &slot->headers[n];
        slot->headers[n++].data = (char *)*headers;
    }
    slot->headers[n - 1].next = NULL;
    return curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, slot->headers) == CURLE_OK;
}

static int set_request(slot_t *slot)
{
    const mdm_http_request_t *request = &slot->request;
    CURL *easy = slot->easy;
    const char *body = request->body.len ? (const char *)request->body.data : "";
    CURLcode bad = CURLE_OK;

    bad |= curl_easy_setopt(easy, CURLOPT_URL, request->url);
    /* Whoever may speak HTTP/1 must not wait to see whether a connection can be shared. */
    bad |= curl_easy_setopt(easy, CURLOPT_PIPEWAIT, request->any_version ? 0L : 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
    bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(request->timeout));
    return bad == CURLE_OK && set_protocols(easy, request->any_version) && set_headers(slot, request->headers);
}

/* ---- answers */

static void read_answer(mdm_http_answer_t *answer, slot_t *slot, CURLcode result)
{
    long status = 0, version = 0;
    curl_off_t retry_after = 0;

    memset(answer, 0, sizeof(*answer));
    answer->retry_after = -1;
    if (result != CURLE_OK && !slot->overflow) {
        answer->error = slot->error[0] ? slot->error : curl_easy_strerror(result);
        return;
    }
    curl_easy_getinfo(slot->easy, CURLINFO_HTTP_VERSION, &version);
    if (version != CURL_HTTP_VERSION_2_0 && !slot->request.any_version) {
        answer->error = "the server answered by HTTP/1; HTTP/2 is needed";
        return;
    }
    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(slot->easy, CURLINFO_RETRY_AFTER, &retry_after);
    answer->status = (int)status;
    answer->body.data = (unsigned char *)slot->body;
    answer->body.len = slot->body_len;
    answer->apns_id = slot->apns_id[0] ? slot->apns_id : NULL;
    if (retry_after > 0)
        answer->retry_after = retry_after > 86400 ? 86400L : (long)retry_after;
}

static void begin(slot_t *slot)
{
    slot->body_len = 0;
    slot->overflow = 0;
    slot->apns_id[0] = slot->error[0] = '\0';
}

/* The peer closed the connection, as it may at any time: the request goes once more, on another one. */
static int repeat(mdm_http_t *http, slot_t *slot, CURLcode result)
{
    int lost = result == CURLE_HTTP2 || result == CURLE_HTTP2_STREAM || result == CURLE_SEND_ERROR
        || result == CURLE_RECV_ERROR || result == CURLE_GOT_NOTHING || result == CURLE_PARTIAL_FILE;

    if (!lost || slot->repeated || slot->overflow)
        return 0;
    slot->repeated = 1;
    begin(slot);
    return curl_multi_add_handle(http->multi, slot->easy) == CURLM_OK;
}

static void finish(mdm_http_t *http, CURL *easy, CURLcode result)
{
    mdm_http_request_t request;
    mdm_http_answer_t answer;
    mdm_http_credentials_t *credentials;
    slot_t *slot = NULL;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
    curl_multi_remove_handle(http->multi, easy);
    if (repeat(http, slot, result))
        return;
    read_answer(&answer, slot, result);
    credentials = slot->credentials;
    if (answer.status)
        credentials->answered_at = apr_time_now();
    /* No answer to anybody while this one waited: not one slow stream, but a dead connection. */
    else if (result == CURLE_OPERATION_TIMEDOUT && credentials->answered_at <= slot->started_at
             && !slot->request.any_version)
        mdm_http_credentials_cut(credentials);
    http->pending--;
    if (!--credentials->busy && credentials->closing)
        mdm_http_credentials_cut(credentials);
    request = slot->request;
    request.done(request.baton, &answer);
    rest_slot(slot);
}

static int finish_all(mdm_http_t *http)
{
    CURLMsg *message;
    int left, count = 0;

    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        finish(http, message->easy_handle, message->data.result);
        count++;
    }
    return count;
}

static apr_status_t destroy_http(void *baton)
{
    mdm_http_t *http = baton;
    int i;

    for (i = 0; i < http->made; i++) {
        curl_multi_remove_handle(http->multi, http->slots[i].easy);
        curl_easy_cleanup(http->slots[i].easy);
    }
    curl_multi_cleanup(http->multi);
    return APR_SUCCESS;
}

apr_status_t mdm_http_global_init(mdm_ctx_t *ctx)
{
    const curl_version_info_data *version;

    pthread_once(&global_once, global_init_once);
    if (global_result != CURLE_OK)
        return mdm_fail(ctx, MDM_ECONFIG, "libcurl does not start: %s", curl_easy_strerror(global_result));
    version = curl_version_info(CURLVERSION_NOW);
    if (!(version->features & CURL_VERSION_HTTP2))
        return mdm_fail(ctx, MDM_ECONFIG, "libcurl %s has no HTTP/2, which APNs demands: install one that "
                        "has it", version->version);
    return APR_SUCCESS;
}

apr_status_t mdm_http_create(mdm_http_t **http, mdm_ctx_t *ctx, int connections, int streams)
{
    mdm_http_t *made = apr_pcalloc(ctx->pool, sizeof(*made));
    apr_status_t rv = mdm_http_global_init(ctx);

    if (rv != APR_SUCCESS)
        return rv;
    made->ctx = ctx;
    made->connections = connections;
    made->slot_count = streams;
    made->slots = apr_pcalloc(ctx->pool, (apr_size_t)streams * sizeof(*made->slots));
    made->multi = curl_multi_init();
    if (!made->multi)
        return mdm_fail(ctx, MDM_EHTTP, "libcurl gives no multi handle");
    /* As a pre-cleanup it runs while the subpools with the certificates are still there. */
    apr_pool_pre_cleanup_register(ctx->pool, made, destroy_http);
    curl_multi_setopt(made->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(made->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)streams);
    limit_connections(made);
    *http = made;
    return APR_SUCCESS;
}

apr_status_t mdm_http_start(mdm_http_t *http, const mdm_http_request_t *request)
{
    slot_t *slot;

    if (strncmp(request->url, "https://", 8) && !(request->any_version && !strncmp(request->url, "http://", 7)))
        return mdm_fail(http->ctx, MDM_EINPUT, "only https addresses can be asked");
    slot = take_slot(http);
    if (!slot && http->made < http->slot_count)
        return mdm_fail(http->ctx, MDM_EHTTP, "libcurl gives no handle");
    if (!slot)
        return MDM_ETOOBIG;
    slot->request = *request;
    begin(slot);
    slot->repeated = 0;
    slot->started_at = apr_time_now();
    if (!use_credentials(slot) || !set_request(slot)
        || curl_multi_add_handle(http->multi, slot->easy) != CURLM_OK) {
        rest_slot(slot);
        return mdm_fail(http->ctx, MDM_EHTTP, "libcurl refuses the request");
    }
    slot->credentials->busy++;
    slot->credentials->closing = 0;
    http->pending++;
    return APR_SUCCESS;
}

int mdm_http_pending(const mdm_http_t *http)
{
    return http->pending;
}

apr_status_t mdm_http_run(mdm_http_t *http, apr_interval_time_t wait, int wake_fd)
{
    struct curl_waitfd wake = { wake_fd, CURL_WAIT_POLLIN, 0 };
    CURLMcode bad;
    int running;

    bad = curl_multi_perform(http->multi, &running);
    if (bad == CURLM_OK && !finish_all(http) && wait > 0) {
        bad = curl_multi_poll(http->multi, &wake, wake_fd >= 0, (int)apr_time_as_msec(wait), NULL);
        if (bad == CURLM_OK)
            bad = curl_multi_perform(http->multi, &running);
        (void)finish_all(http);
    }
    if (bad != CURLM_OK)
        return mdm_fail(http->ctx, MDM_EHTTP, "libcurl: %s", curl_multi_strerror(bad));
    return APR_SUCCESS;
}

void *mdm_http_multi(const mdm_http_t *http)
{
    return http->multi;
}

void mdm_http_forget_connections(mdm_http_t *http)
{
    mdm_http_credentials_t *credentials;

    for (credentials = http->ring.first; credentials; credentials = credentials->next) {
        credentials->closing = 1;
        if (!credentials->busy)
            mdm_http_credentials_cut(credentials);
    }
}
