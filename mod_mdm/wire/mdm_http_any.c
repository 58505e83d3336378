/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests by any version of HTTP: each is a transfer of libcurl's multi interface. Called by mdm_http.c in the
 * client's thread. A slot's easy handle is kept and used again.
 */
#include <string.h>
#include <sys/socket.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "mdm_http_slot.h"

#define HEADERS_MAX 16
#define REST_SECONDS_MAX 3600L

struct mdm_http_any_t {
    CURL *easy;
    struct curl_slist headers[HEADERS_MAX];
    char error[CURL_ERROR_SIZE];
};

static int open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *address)
{
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)baton;
    (void)purpose;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t take_body(char *data, size_t size, size_t count, void *baton)
{
    (void)mdm_http_slot_body(baton, data, size * count);
    return size * count;
}

static size_t take_header(char *data, size_t size, size_t count, void *baton)
{
    size_t len = size * count, name, end = len;
    char value[MDM_HTTP_APNS_ID_MAX];

    for (name = 0; name < len && data[name] != ':'; name++)
        continue;
    while (end > name && (data[end - 1] == '\r' || data[end - 1] == '\n'))
        end--;
    if (name < end) {
        size_t start = name + 1;

        while (start < end && data[start] == ' ')
            start++;
        apr_cpystrn(value, data + start, end - start < sizeof(value) ? end - start + 1 : sizeof(value));
        mdm_http_slot_header(baton, data, name, value);
    }
    return len;
}

static int set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) == CURLE_OK;
#endif
}

/* What is the same for every request of the handle's life. */
static int prepare(mdm_http_slot_t *slot)
{
    CURL *easy = slot->any->easy;
    CURLcode bad = CURLE_OK;

    bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
    bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)apr_time_as_msec(MDM_HTTP_CONNECT_TIMEOUT));
    bad |= curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, REST_SECONDS_MAX);
    bad |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
    bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot);
    bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->any->error);
    bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
    bad |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
    return bad == CURLE_OK && set_protocols(easy);
}

/*
 * Not before a request goes by curl: to keep to its limits curl closes connections that rest, and that is what a link's
 * is to it until the link has taken the socket. Two links that connect at once would lose one.
 */
static void limit(mdm_http_t *http)
{
    if (http->limited)
        return;
    http->limited = 1;
    curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)http->slot_count);
    curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)http->connections);
    curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)http->connections);
}

static int make(mdm_http_slot_t *slot)
{
    if (slot->any)
        return 1;
    slot->any = apr_pcalloc(slot->http->ctx->pool, sizeof(*slot->any));
    slot->any->easy = curl_easy_init();
    return slot->any->easy && prepare(slot);
}

/* curl only reads the list, so its nodes can be ours. A name without a value keeps curl's own header away. */
static int set_headers(mdm_http_any_t *any, const char *const *headers)
{
    int n = 0;

    any->headers[n++].data = (char *)"Accept:";
    for (; *headers; headers++) {
        if (n == HEADERS_MAX)
            return 0;
        any->headers[n - 1].next = &any->headers[n];
        any->headers[n++].data = (char *)*headers;
    }
    any->headers[n - 1].next = NULL;
    return curl_easy_setopt(any->easy, CURLOPT_HTTPHEADER, any->headers) == CURLE_OK;
}

apr_status_t mdm_http_any_start(mdm_http_slot_t *slot)
{
    const mdm_http_request_t *request = &slot->request;
    struct curl_blob ca = { (void *)request->ca_pem.data, request->ca_pem.len, CURL_BLOB_COPY };
    CURLcode bad = CURLE_OK;
    CURL *easy;

    if (!make(slot))
        return MDM_EHTTP;
    limit(slot->http);
    easy = slot->any->easy;
    slot->any->error[0] = '\0';
    bad |= curl_easy_setopt(easy, CURLOPT_URL, request->url);
    bad |= curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, ca.len ? &ca : NULL);
    bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
    bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.len ? (const char *)request->body.data : "");
    bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(request->timeout));
    if (bad != CURLE_OK || !set_headers(slot->any, request->headers)
        || curl_multi_add_handle(slot->http->multi, easy) != CURLM_OK)
        return MDM_EHTTP;
    return APR_SUCCESS;
}

/* The peer closed the connection, as it may at any time: the request goes once more, on another one. */
static int repeat(mdm_http_slot_t *slot, CURLcode result)
{
    int lost = result == CURLE_HTTP2 || result == CURLE_HTTP2_STREAM || result == CURLE_SEND_ERROR
        || result == CURLE_RECV_ERROR || result == CURLE_GOT_NOTHING || result == CURLE_PARTIAL_FILE;

    if (!lost || slot->repeated)
        return 0;
    slot->repeated = 1;
    mdm_http_slot_begin(slot);
    slot->any->error[0] = '\0';
    return curl_multi_add_handle(slot->http->multi, slot->any->easy) == CURLM_OK;
}

void mdm_http_any_ended(void *easy, int result)
{
    mdm_http_slot_t *slot = NULL;
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
    curl_multi_remove_handle(slot->http->multi, easy);
    if (repeat(slot, (CURLcode)result))
        return;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    slot->status = (int)status;
    if (result == CURLE_OK)
        mdm_http_slot_finish(slot, NULL);
    else
        mdm_http_slot_finish(slot, slot->any->error[0] ? slot->any->error : curl_easy_strerror((CURLcode)result));
}

void mdm_http_any_destroy(mdm_http_slot_t *slot)
{
    if (!slot->any)
        return;
    curl_multi_remove_handle(slot->http->multi, slot->any->easy);
    curl_easy_cleanup(slot->any->easy);
}
