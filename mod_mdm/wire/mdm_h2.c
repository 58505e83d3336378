/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 by nghttp2. Called by mdm_http_link.c in the client's thread. Streams are the caller's memory: each knows the
 * connection and the number it is under way with, and what nghttp2 says of any other is not heard.
 */
#include <string.h>

#include <apr_strings.h>
#include <nghttp2/nghttp2.h>

#include "mdm_h2.h"

#define FIELDS_MAX 20

struct mdm_h2_t {
    nghttp2_session *session;
    const mdm_h2_calls_t *calls;
    int active, limits_known, going;
};

static mdm_h2_stream_t *stream_of(mdm_h2_t *h2, int id)
{
    mdm_h2_stream_t *stream = nghttp2_session_get_stream_user_data(h2->session, id);

    return stream && stream->h2 == h2 && stream->id == id ? stream : NULL;
}

/* ---- what nghttp2 calls */

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *baton)
{
    mdm_h2_t *h2 = baton;

    (void)session;
    if (frame->hd.type == NGHTTP2_SETTINGS && !(frame->hd.flags & NGHTTP2_FLAG_ACK))
        h2->limits_known = 1;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        h2->going = 1;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *baton)
{
    mdm_h2_t *h2 = baton;
    mdm_h2_stream_t *stream = stream_of(h2, frame->hd.stream_id);

    (void)session;
    (void)name_len;
    (void)value_len;
    (void)flags;
    if (stream)
        h2->calls->header(stream, (const char *)name, (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len, void *baton)
{
    mdm_h2_t *h2 = baton;
    mdm_h2_stream_t *stream = stream_of(h2, id);

    (void)session;
    (void)flags;
    if (!stream || h2->calls->body(stream, data, len))
        return 0;
    mdm_h2_cancel(stream);
    h2->calls->ended(stream, NULL);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *baton)
{
    mdm_h2_t *h2 = baton;
    mdm_h2_stream_t *stream = stream_of(h2, id);

    (void)session;
    h2->active--;
    if (!stream)
        return 0;
    stream->h2 = NULL;
    h2->calls->ended(stream, code == NGHTTP2_NO_ERROR ? NULL : nghttp2_http2_strerror(code));
    return 0;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *baton)
{
    mdm_h2_stream_t *stream = source->ptr;
    size_t len;

    (void)session;
    if (stream->h2 != baton || stream->id != id)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    len = stream->body.len < room ? stream->body.len : room;
    memcpy(buffer, stream->body.data, len);
    stream->body.data += len;
    stream->body.len -= len;
    if (!stream->body.len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

/* ---- a connection */

static apr_status_t destroy(void *baton)
{
    mdm_h2_t *h2 = baton;

    nghttp2_session_del(h2->session);
    return APR_SUCCESS;
}

static int make_session(mdm_h2_t *h2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int bad = nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&option);

    if (!bad) {
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_option_set_no_closed_streams(option, 1);
        bad = nghttp2_session_client_new2(&h2->session, callbacks, h2, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return !bad;
}

apr_status_t mdm_h2_create(mdm_h2_t **h2, mdm_ctx_t *ctx, const mdm_h2_calls_t *calls)
{
    static const nghttp2_settings_entry settings[] = { { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 } };
    mdm_h2_t *made = apr_pcalloc(ctx->pool, sizeof(*made));

    made->calls = calls;
    if (!make_session(made))
        return mdm_fail(ctx, MDM_EHTTP, "no memory for an HTTP/2 connection");
    apr_pool_cleanup_register(ctx->pool, made, destroy, apr_pool_cleanup_null);
    if (nghttp2_submit_settings(made->session, NGHTTP2_FLAG_NONE, settings, 1))
        return mdm_fail(ctx, MDM_EHTTP, "no memory for an HTTP/2 connection");
    *h2 = made;
    return APR_SUCCESS;
}

int mdm_h2_is_ending(const mdm_h2_t *h2)
{
    return h2->going || !nghttp2_session_check_request_allowed(h2->session);
}

int mdm_h2_room(const mdm_h2_t *h2)
{
    apr_int64_t most;

    if (mdm_h2_is_ending(h2))
        return 0;
    most = nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    if (!h2->limits_known)
        most = 1;
    return most > h2->active ? (int)(most < APR_INT32_MAX ? most : APR_INT32_MAX) - h2->active : 0;
}

int mdm_h2_active(const mdm_h2_t *h2)
{
    return h2->active;
}

static void put(nghttp2_nv *field, const char *name, apr_size_t name_len, const char *value)
{
    field->name = (uint8_t *)name;
    field->namelen = name_len;
    field->value = (uint8_t *)value;
    field->valuelen = strlen(value);
    field->flags = NGHTTP2_NV_FLAG_NONE;
}

/* What differs from request to request would only push the rest out of the server's table of fields. */
static void put_line(nghttp2_nv *field, const char *line)
{
    apr_size_t len = strcspn(line, ":");
    const char *value = line[len] ? line + len + 1 : "";

    put(field, line, len, value + strspn(value, " "));
    if (len == strlen("apns-id") && !strncasecmp(line, "apns-id", len))
        field->flags = NGHTTP2_NV_FLAG_NO_INDEX;
}

apr_status_t mdm_h2_submit(mdm_h2_t *h2, mdm_h2_stream_t *stream, const char *authority, const char *path,
                           const char *const *headers, mdm_bytes_t body)
{
    nghttp2_data_provider provider = { { .ptr = stream }, read_body };
    nghttp2_nv fields[FIELDS_MAX];
    char length[24];
    size_t n = 0;
    int id;

    apr_snprintf(length, sizeof(length), "%" APR_SIZE_T_FMT, body.len);
    put(&fields[n++], ":method", 7, "POST");
    put(&fields[n++], ":scheme", 7, "https");
    put(&fields[n++], ":authority", 10, authority);
    put(&fields[n++], ":path", 5, path);
    put(&fields[n++], "content-length", 14, length);
    for (; *headers; headers++) {
        if (n == FIELDS_MAX)
            return MDM_EHTTP;
        put_line(&fields[n++], *headers);
    }
    id = nghttp2_submit_request(h2->session, NULL, fields, n, body.len ? &provider : NULL, stream);
    if (id < 0)
        return MDM_EHTTP;
    stream->h2 = h2;
    stream->id = id;
    stream->body = body;
    h2->active++;
    return APR_SUCCESS;
}

void mdm_h2_cancel(mdm_h2_stream_t *stream)
{
    mdm_h2_t *h2 = stream->h2;

    if (!h2)
        return;
    stream->h2 = NULL;
    (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
}

const char *mdm_h2_feed(mdm_h2_t *h2, const unsigned char *data, apr_size_t len)
{
    ssize_t taken = nghttp2_session_mem_recv(h2->session, data, len);

    return taken < 0 ? nghttp2_strerror((int)taken) : NULL;
}

const char *mdm_h2_take(const unsigned char **data, apr_size_t *len, mdm_h2_t *h2)
{
    ssize_t count = nghttp2_session_mem_send(h2->session, data);

    *len = count > 0 ? (apr_size_t)count : 0;
    if (count < 0)
        return nghttp2_strerror((int)count);
    if (!count && !nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session))
        return "the server ended the connection";
    return NULL;
}
