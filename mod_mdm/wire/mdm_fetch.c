/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request by libcurl's easy interface, waited for. Called by request threads for servers that the
 * administrator has named. Each call makes its own handle: nothing is shared, and a call costs a connection.
 * Never follows a redirect, never asks a proxy, never takes more of an answer than the caller allows.
 */
#include <string.h>
#include <sys/socket.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "mdm_fetch.h"
#include "mdm_http.h"

#define CONNECT_TIMEOUT_MS 10000L
#define TIMEOUT_DEFAULT apr_time_from_sec(30)
/* All header lines of an answer together. */
#define HEADERS_MAX 65536

typedef struct fetch_t {
    mdm_ctx_t *ctx;
    const mdm_fetch_t *request;
    CURL *easy;
    struct curl_slist *headers;
    apr_table_t *answer_headers;
    unsigned char *body;
    apr_size_t body_len, body_room, headers_len;
    int too_big;
    char error[CURL_ERROR_SIZE];
} fetch_t;

/* ---- what curl asks back */

/* A program that httpd starts meanwhile must not inherit the connection. */
static curl_socket_t open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *address)
{
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)baton;
    (void)purpose;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t take_body(char *data, size_t size, size_t count, void *baton)
{
    fetch_t *f = baton;
    apr_size_t len = size * count;

    if (len > f->request->answer_max - f->body_len) {
        f->too_big = 1;
        return 0;
    }
    if (len > f->body_room - f->body_len) {
        apr_size_t room = f->body_room * 2 > f->body_len + len ? f->body_room * 2 : f->body_len + len;
        unsigned char *more = apr_palloc(f->ctx->pool, room);

        if (f->body_len)
            memcpy(more, f->body, f->body_len);
        f->body = more;
        f->body_room = room;
    }
    memcpy(f->body + f->body_len, data, len);
    f->body_len += len;
    return len;
}

/* A status line starts afresh: what an interim answer said does not count. */
static size_t take_header(char *data, size_t size, size_t count, void *baton)
{
    fetch_t *f = baton;
    apr_size_t len = size * count, end = len;
    char *line, *value;

    f->headers_len += len;
    if (f->headers_len > HEADERS_MAX) {
        f->too_big = 1;
        return 0;
    }
    while (end && strchr("\r\n \t", data[end - 1]))
        end--;
    line = apr_pstrmemdup(f->ctx->pool, data, end);
    if (!strncmp(line, "HTTP/", 5))
        apr_table_clear(f->answer_headers);
    else if ((value = strchr(line, ':')) != NULL) {
        *value++ = '\0';
        apr_table_addn(f->answer_headers, line, value + strspn(value, " \t"));
    }
    return len;
}

/* ---- the request */

static int set_blob(CURL *easy, CURLoption option, mdm_bytes_t bytes)
{
    struct curl_blob blob = { (void *)bytes.data, bytes.len, CURL_BLOB_NOCOPY };

    return !bytes.len || curl_easy_setopt(easy, option, &blob) == CURLE_OK;
}

static int set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS)) == CURLE_OK;
#endif
}

static int add_header(fetch_t *f, const char *line)
{
    struct curl_slist *longer = curl_slist_append(f->headers, line);

    if (longer)
        f->headers = longer;
    return longer != NULL;
}

/* A name without a value keeps curl's own header away. */
static int set_headers(fetch_t *f)
{
    const char *const *header = f->request->headers;
    int typed = 0;

    for (; header && *header; header++) {
        typed |= !strncasecmp(*header, "Content-Type:", 13);
        if (strpbrk(*header, "\r\n") || !add_header(f, *header))
            return 0;
    }
    return add_header(f, "Expect:") && (typed || add_header(f, "Content-Type:"))
        && curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers) == CURLE_OK;
}

static int set_method(fetch_t *f)
{
    const mdm_fetch_t *request = f->request;
    CURLcode bad = CURLE_OK;

    if (!strcmp(request->method, "GET") && !request->body.len)
        return curl_easy_setopt(f->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    bad |= curl_easy_setopt(f->easy, CURLOPT_POST, 1L);
    bad |= curl_easy_setopt(f->easy, CURLOPT_CUSTOMREQUEST, request->method);
    bad |= curl_easy_setopt(f->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    bad |= curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, request->body.len ? (const char *)request->body.data : "");
    return bad == CURLE_OK;
}

static int set_transport(fetch_t *f)
{
    apr_interval_time_t timeout = f->request->timeout > 0 ? f->request->timeout : TIMEOUT_DEFAULT;
    CURL *easy = f->easy;
    CURLcode bad = CURLE_OK;

    bad |= curl_easy_setopt(easy, CURLOPT_URL, f->request->url);
    bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
    bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)apr_time_as_msec(timeout) + 1);
    bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, f);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, f);
    bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, f->error);
    return bad == CURLE_OK && set_protocols(easy)
        && set_blob(easy, CURLOPT_SSLCERT_BLOB, f->request->client_pem)
        && set_blob(easy, CURLOPT_SSLKEY_BLOB, f->request->client_key_pem)
        && set_blob(easy, CURLOPT_CAINFO_BLOB, f->request->ca_pem);
}

/* The host of the address for messages: the path or query may hold what is nobody's business. */
static const char *host_of(const char *url, apr_pool_t *p)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    const char *result = "the server";

    if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK
        && curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        result = apr_pstrdup(p, host);
    curl_free(host);
    curl_url_cleanup(parts);
    return result;
}

static apr_status_t perform(mdm_fetched_t *answer, fetch_t *f)
{
    const char *host = host_of(f->request->url, f->ctx->pool);
    CURLcode result;
    long status = 0;

    if (!set_transport(f) || !set_method(f) || !set_headers(f))
        return mdm_fail(f->ctx, MDM_EHTTP, "the request for %s cannot be set up", host);
    result = curl_easy_perform(f->easy);
    if (f->too_big)
        return mdm_fail(f->ctx, MDM_ETOOBIG, "%s answers with more than %" APR_SIZE_T_FMT " bytes", host,
                        f->request->answer_max);
    if (result != CURLE_OK)
        return mdm_fail(f->ctx, MDM_EHTTP, "%s: %s", host, f->error[0] ? f->error : curl_easy_strerror(result));
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 999)
        return mdm_fail(f->ctx, MDM_EHTTP, "%s answers with no HTTP status", host);
    answer->status = (int)status;
    answer->headers = f->answer_headers;
    answer->body.data = f->body_len ? f->body : (const unsigned char *)"";
    answer->body.len = f->body_len;
    return APR_SUCCESS;
}

apr_status_t mdm_fetch(mdm_fetched_t *answer, mdm_ctx_t *ctx, const mdm_fetch_t *request)
{
    fetch_t f = { .ctx = ctx, .request = request };
    apr_status_t rv = mdm_http_global_init(ctx);

    if (rv != APR_SUCCESS)
        return rv;
    f.easy = curl_easy_init();
    if (!f.easy)
        return mdm_fail(ctx, MDM_EHTTP, "libcurl gives no handle");
    f.answer_headers = apr_table_make(ctx->pool, 12);
    rv = perform(answer, &f);
    curl_easy_cleanup(f.easy);
    curl_slist_free_all(f.headers);
    return rv;
}
