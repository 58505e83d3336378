/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of HTTP/2 answers: what a server sends to a client with four requests at most. An input is steps of one
 * byte each, with what they need behind it: 0 start a request, 1 take what there is to send, 2 octets as they are,
 * 3 a frame of any type, 4 headers, 5 data, 6 cancel a request, 7 settings. Nothing that comes back may be of a request
 * that is not under way. Built with libFuzzer, or with t/fuzz/replay.c for "make check".
 */
#include "mdm_h2.h"
#include "target.h"

#define STREAMS 4
#define WANTED 300                /* octets of an answer that are wanted */
#define CANCEL_IN_HEADER 1        /* what a step wants of the calls; bits */
#define SUBMIT_IN_END 2

typedef struct {
    mdm_h2_stream_t stream;       /* the first member: the calls get its address */
    apr_size_t got;
} request_t;

/* The calls have no other way to it. */
static struct {
    mdm_h2_t *h2;
    request_t requests[STREAMS];
    int under_way, started, in_calls;
} now;

static mdm_bytes_t take_octets(mdm_bytes_t *rest, apr_size_t len)
{
    mdm_bytes_t part = { rest->data, len < rest->len ? len : rest->len };

    rest->data += part.len;
    rest->len -= part.len;
    return part;
}

static int take_one(mdm_bytes_t *rest)
{
    mdm_bytes_t part = take_octets(rest, 1);

    return part.len ? *part.data : 0;
}

/* ---- what comes back */

static void start_request(mdm_bytes_t body)
{
    static const char *const headers[] = { "apns-topic: com.apple.mgmt.External.1", "apns-id:1", "bare", NULL };
    int i = 0;

    while (i < STREAMS && now.requests[i].stream.h2)
        i++;
    if (i == STREAMS || !mdm_h2_room(now.h2))
        return;
    now.requests[i].got = 0;
    if (mdm_h2_submit(now.h2, &now.requests[i].stream, "api.push.apple.com", "/3/device/00", headers, body)
        == APR_SUCCESS) {
        now.under_way++;
        now.started++;
    }
}

static void cancel(mdm_h2_stream_t *stream)
{
    now.under_way -= stream->h2 != NULL;
    mdm_h2_cancel(stream);
    check(!stream->h2);
}

static void on_header(mdm_h2_stream_t *stream, const char *name, const char *value)
{
    check(stream->h2 == now.h2 && strlen(name) + strlen(value) < 1024 * 1024);
    if (now.in_calls & CANCEL_IN_HEADER)
        cancel(stream);
}

static int on_body(mdm_h2_stream_t *stream, const unsigned char *data, apr_size_t len)
{
    request_t *request = (request_t *)stream;
    apr_size_t i;

    check(stream->h2 == now.h2);
    for (i = 0; i < len; i++)
        request->got += data[i] != 0xff;
    return request->got <= WANTED;
}

static void on_end(mdm_h2_stream_t *stream, const char *error)
{
    check(!stream->h2 && (!error || *error));
    now.under_way--;
    if (now.in_calls & SUBMIT_IN_END)
        start_request(mdm_bytes_of("{}"));
}

/* ---- what the server sends */

/* In an allocation of its own, so that nothing past its end is read unseen; in two parts. */
static const char *feed(const unsigned char *data, apr_size_t len, apr_size_t first)
{
    const char *error = NULL;
    unsigned char *exact;

    if (first > len)
        first = len;
    exact = malloc(first + 1);
    check(exact != NULL);
    memcpy(exact, data, first);
    if (first)
        error = mdm_h2_feed(now.h2, exact, first);
    free(exact);
    return error || first == len ? error : feed(data + first, len - first, len - first);
}

static const char *feed_frame(int type, int flags, int id, mdm_bytes_t payload, apr_size_t first)
{
    unsigned char frame[9 + 255 + 1] = { 0, (unsigned char)(payload.len >> 8), (unsigned char)payload.len,
                                         (unsigned char)type, (unsigned char)flags, 0, 0, 0, (unsigned char)id };

    if (payload.len)
        memcpy(frame + 9, payload.data, payload.len);
    return feed(frame, 9 + payload.len, first);
}

static const char *any_frame(mdm_bytes_t *rest)
{
    int type = take_one(rest), flags = take_one(rest), id = take_one(rest);
    apr_size_t len = (apr_size_t)take_one(rest);

    return feed_frame(type, flags, id, take_octets(rest, len), (apr_size_t)type);
}

/* HEADERS whose first field is the :status 200 of the static table, or what the input says. */
static const char *headers_frame(mdm_bytes_t *rest)
{
    int how = take_one(rest), id = 2 * (how & 7) + 1;
    apr_size_t len = (apr_size_t)(how >> 4);
    unsigned char block[32];
    mdm_bytes_t payload = { block, 1 }, more = take_octets(rest, len);

    block[0] = 0x88;
    if (more.len)
        memcpy(block + 1, more.data, more.len);
    payload.len += more.len;
    return feed_frame(1, 4 | (how >> 3 & 1), id, payload, 20);
}

static const char *data_frame(mdm_bytes_t *rest)
{
    int how = take_one(rest);
    apr_size_t len = (apr_size_t)take_one(rest);

    return feed_frame(0, how >> 3 & 1, 2 * (how & 7) + 1, take_octets(rest, len), 9);
}

static const char *settings_frame(mdm_bytes_t *rest)
{
    unsigned char setting[6] = { 0, (unsigned char)take_one(rest), 0, 0, 0, (unsigned char)take_one(rest) };
    mdm_bytes_t payload = { setting, 6 };

    return feed_frame(4, 0, 0, payload, 4);
}

static const char *send_all(void)
{
    const unsigned char *data;
    const char *error;
    apr_size_t len, i;
    int sum = 0;

    do {
        error = mdm_h2_take(&data, &len, now.h2);
        for (i = 0; i < len; i++)
            sum += data[i];
    } while (!error && len);
    check(sum >= 0);
    return error;
}

static const char *step(mdm_bytes_t *rest)
{
    int what = take_one(rest);

    now.in_calls = what >> 6;
    switch (what & 7) {
    case 0:
        start_request(take_octets(rest, (apr_size_t)(what >> 3)));
        return NULL;
    case 1:
        return send_all();
    case 2:
        what = take_one(rest);
        return feed(rest->data, take_octets(rest, (apr_size_t)what).len, (apr_size_t)what / 2);
    case 3:
        return any_frame(rest);
    case 4:
        return headers_frame(rest);
    case 5:
        return data_frame(rest);
    case 6:
        cancel(&now.requests[what >> 3 & 3].stream);
        return NULL;
    default:
        return settings_frame(rest);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const mdm_h2_calls_t calls = { on_header, on_body, on_end };
    mdm_bytes_t rest = { data, size };
    mdm_ctx_t *ctx = target_ctx();
    const char *error = NULL;

    memset(&now, 0, sizeof(now));
    check(mdm_h2_create(&now.h2, ctx, &calls) == APR_SUCCESS);
    while (!error && rest.len) {
        error = step(&rest);
        check(!error || *error);
        check(now.under_way >= 0 && now.under_way <= STREAMS);
        check(mdm_h2_active(now.h2) >= now.under_way && mdm_h2_active(now.h2) <= now.started);
        check(mdm_h2_room(now.h2) >= 0 && (!mdm_h2_is_ending(now.h2) || !mdm_h2_room(now.h2)));
    }
    apr_pool_destroy(ctx->pool);
    return 0;
}
