/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS requests, many at once. Called by the worker's thread; a client never crosses threads. Requests that want
 * HTTP/2 go by links, which hold one connection for each server and set of certificates; the others are transfers of
 * libcurl. Here are the slots that all requests have, their answers, and the wait for everything.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <curl/curl.h>

#include "mdm_http_slot.h"

#define LINKS_MAX 64                /* that are waited for; a shorter wait serves what is beyond */
#define RETRY_AFTER_MAX 86400L

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result = CURLE_FAILED_INIT;

static void global_init_once(void)
{
    global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* ---- slots */

static mdm_http_slot_t *take_slot(mdm_http_t *http)
{
    mdm_http_slot_t *slot = http->resting;

    if (slot) {
        http->resting = slot->next;
        return slot;
    }
    if (http->made == http->slot_count)
        return NULL;
    slot = &http->slots[http->made++];
    slot->http = http;
    return slot;
}

static void rest_slot(mdm_http_slot_t *slot)
{
    slot->link = NULL;
    slot->next = slot->http->resting;
    slot->http->resting = slot;
}

void mdm_http_slot_begin(mdm_http_slot_t *slot)
{
    slot->status = 0;
    slot->body_len = 0;
    slot->retry_after = -1;
    slot->apns_id[0] = slot->error[0] = '\0';
}

/* ---- answers */

static void take_apns_id(mdm_http_slot_t *slot, const char *value)
{
    apr_size_t n;

    for (n = 0; apr_isgraph(value[n]) && n < MDM_HTTP_APNS_ID_MAX - 1; n++)
        slot->apns_id[n] = value[n];
    slot->apns_id[n] = '\0';
}

/* Seconds, or a date. */
static long read_retry_after(const char *value)
{
    apr_int64_t seconds;
    time_t date;

    if (apr_isdigit(value[0]))
        seconds = apr_atoi64(value);
    else if ((date = curl_getdate(value, NULL)) != -1)
        seconds = (apr_int64_t)date - apr_time_sec(apr_time_now());
    else
        return -1;
    if (seconds <= 0)
        return -1;
    return seconds > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : (long)seconds;
}

void mdm_http_slot_header(mdm_http_slot_t *slot, const char *name, apr_size_t name_len, const char *value)
{
    if (name_len == 7 && !strncasecmp(name, ":status", 7))
        slot->status = atoi(value);
    else if (name_len == 7 && !strncasecmp(name, "apns-id", 7))
        take_apns_id(slot, value);
    else if (name_len == 11 && !strncasecmp(name, "retry-after", 11))
        slot->retry_after = read_retry_after(value);
}

int mdm_http_slot_body(mdm_http_slot_t *slot, const void *data, apr_size_t len)
{
    apr_size_t room = MDM_HTTP_BODY_MAX - slot->body_len;

    memcpy(slot->body + slot->body_len, data, len < room ? len : room);
    slot->body_len += len < room ? len : room;
    return len <= room;
}

static void read_answer(mdm_http_answer_t *answer, mdm_http_slot_t *slot, const char *error)
{
    memset(answer, 0, sizeof(*answer));
    answer->retry_after = -1;
    if (error) {
        answer->error = error;
        return;
    }
    answer->status = slot->status;
    answer->body.data = (unsigned char *)slot->body;
    answer->body.len = slot->body_len;
    answer->apns_id = slot->apns_id[0] ? slot->apns_id : NULL;
    answer->retry_after = slot->retry_after;
}

void mdm_http_slot_finish(mdm_http_slot_t *slot, const char *error)
{
    mdm_http_request_t request = slot->request;
    mdm_http_answer_t answer;

    if (error)
        apr_cpystrn(slot->error, error, sizeof(slot->error));
    read_answer(&answer, slot, error ? slot->error : NULL);
    slot->http->pending--;
    slot->http->finished++;
    slot->link = NULL;
    request.done(request.baton, &answer);
    rest_slot(slot);
}

/* ---- the client */

static apr_status_t destroy_http(void *baton)
{
    mdm_http_t *http = baton;
    int i;

    mdm_http_links_destroy(http);
    for (i = 0; i < http->made; i++)
        mdm_http_any_destroy(&http->slots[i]);
    curl_multi_cleanup(http->multi);
    return APR_SUCCESS;
}

apr_status_t mdm_http_global_init(mdm_ctx_t *ctx)
{
    pthread_once(&global_once, global_init_once);
    if (global_result != CURLE_OK)
        return mdm_fail(ctx, MDM_ECONFIG, "libcurl does not start: %s", curl_easy_strerror(global_result));
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
    made->deadline = APR_INT64_MAX;
    made->multi = curl_multi_init();
    if (!made->multi)
        return mdm_fail(ctx, MDM_EHTTP, "libcurl gives no multi handle");
    /* As a pre-cleanup it runs while the links' pools are still there. */
    apr_pool_pre_cleanup_register(ctx->pool, made, destroy_http);
    *http = made;
    return APR_SUCCESS;
}

apr_status_t mdm_http_start(mdm_http_t *http, const mdm_http_request_t *request)
{
    mdm_http_slot_t *slot;
    apr_status_t rv;

    if (strncmp(request->url, "https://", 8) && !(request->any_version && !strncmp(request->url, "http://", 7)))
        return mdm_fail(http->ctx, MDM_EINPUT, "only https addresses can be asked");
    slot = take_slot(http);
    if (!slot)
        return MDM_ETOOBIG;
    slot->request = *request;
    slot->repeated = 0;
    mdm_http_slot_begin(slot);
    rv = request->any_version ? mdm_http_any_start(slot) : mdm_http_link_start(slot);
    if (rv != APR_SUCCESS) {
        rest_slot(slot);
        return mdm_fail(http->ctx, MDM_EHTTP, "libcurl refuses the request");
    }
    http->pending++;
    return APR_SUCCESS;
}

int mdm_http_pending(const mdm_http_t *http)
{
    return http->pending;
}

static CURLMcode turn(mdm_http_t *http)
{
    CURLMsg *message;
    CURLMcode bad;
    int left, running;

    bad = curl_multi_perform(http->multi, &running);
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;

        if (message->msg == CURLMSG_DONE && !mdm_http_link_connected(http, easy, result))
            mdm_http_any_ended(easy, result);
    }
    mdm_http_links_expire(http, apr_time_now());
    mdm_http_links_run(http);
    return bad;
}

apr_status_t mdm_http_run(mdm_http_t *http, apr_interval_time_t wait, int wake_fd)
{
    struct curl_waitfd fds[LINKS_MAX + 1] = { { wake_fd, CURL_WAIT_POLLIN, 0 } };
    apr_int64_t finished = http->finished;
    unsigned n = wake_fd >= 0;
    CURLMcode bad = turn(http);

    if (bad == CURLM_OK && http->finished == finished && wait > 0) {
        apr_time_t now = apr_time_now();

        if (http->deadline - now < wait)
            wait = http->deadline > now ? http->deadline - now + apr_time_from_msec(1) : 0;
        n += mdm_http_link_fds(fds + n, LINKS_MAX, http);
        bad = curl_multi_poll(http->multi, fds, n, (int)apr_time_as_msec(wait), NULL);
        if (bad == CURLM_OK)
            bad = turn(http);
    }
    if (bad != CURLM_OK)
        return mdm_fail(http->ctx, MDM_EHTTP, "libcurl: %s", curl_multi_strerror(bad));
    return APR_SUCCESS;
}

void mdm_http_forget_connections(mdm_http_t *http)
{
    mdm_http_links_retire(http);
}
