/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests in, answers out. The only place that knows which HTTP status a code of the core means, and the
 * only one that logs failed requests.
 */
#include <apr_escape.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include "mod_mdm_alarm.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_io.h"
#include "mod_mdm_log.h"
#include "mod_mdm_redact.h"

#define READ_BLOCK 8192
#define RETRY_AFTER_SECONDS "30"

static const struct {
    apr_status_t code;
    int status;
} statuses[] = {
    { MDM_EPLIST, HTTP_BAD_REQUEST },
    { MDM_EINPUT, HTTP_BAD_REQUEST },
    { MDM_ECMS, HTTP_FORBIDDEN },
    { MDM_EDENIED, HTTP_FORBIDDEN },
    { MDM_ENOTFOUND, HTTP_NOT_FOUND },
    { MDM_EEXIST, HTTP_CONFLICT },
    { MDM_EGONE, HTTP_GONE },
    { MDM_ETOOBIG, HTTP_REQUEST_ENTITY_TOO_LARGE },
    { MDM_EFULL, HTTP_TOO_MANY_REQUESTS },
    { MDM_EDB, HTTP_SERVICE_UNAVAILABLE },
    { MDM_ECONFLICT, HTTP_SERVICE_UNAVAILABLE },
    { MDM_ESCHEMA, HTTP_SERVICE_UNAVAILABLE },
    { MDM_ECONFIG, HTTP_SERVICE_UNAVAILABLE },
    { MDM_EHTTP, HTTP_BAD_GATEWAY },
};

mdm_ctx_t *mdm_io_ctx(request_rec *r)
{
    return mdm_ctx_create(r->pool, mdm_log_for_request(r, r->pool));
}

int mdm_io_status(apr_status_t rv)
{
    apr_size_t i;

    for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].code == rv)
            return statuses[i].status;
    }
    return HTTP_INTERNAL_SERVER_ERROR;
}

static apr_status_t too_big(mdm_ctx_t *ctx, request_rec *r, apr_off_t limit)
{
    /* What is left of the body stays unread, so the connection cannot carry another request. */
    r->connection->keepalive = AP_CONN_CLOSE;
    return mdm_fail(ctx, MDM_ETOOBIG, "the request body is larger than %" APR_OFF_T_FMT " bytes", limit);
}

typedef struct {
    unsigned char *data;
    apr_size_t len, room;
} buffer_t;

static void buffer_add(buffer_t *b, const char *data, apr_size_t len, apr_pool_t *p)
{
    if (b->len + len + 1 > b->room) {
        apr_size_t room = b->room ? b->room : READ_BLOCK;
        unsigned char *bigger;

        while (room < b->len + len + 1)
            room *= 2;
        bigger = apr_palloc(p, room);
        if (b->len)
            memcpy(bigger, b->data, b->len);
        b->data = bigger;
        b->room = room;
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

/* One brigade into the buffer; *end is set at the end of the body. */
static apr_status_t take(buffer_t *b, int *end, apr_bucket_brigade *bb, mdm_ctx_t *ctx, request_rec *r,
                         apr_off_t limit)
{
    apr_bucket *bucket;

    for (bucket = APR_BRIGADE_FIRST(bb); bucket != APR_BRIGADE_SENTINEL(bb);
         bucket = APR_BUCKET_NEXT(bucket)) {
        const char *data;
        apr_size_t len;
        apr_status_t rv;

        if (APR_BUCKET_IS_EOS(bucket)) {
            *end = 1;
            return APR_SUCCESS;
        }
        if (APR_BUCKET_IS_METADATA(bucket))
            continue;
        if ((rv = apr_bucket_read(bucket, &data, &len, APR_BLOCK_READ)) != APR_SUCCESS)
            return rv;
        if ((apr_off_t)(b->len + len) > limit)
            return too_big(ctx, r, limit);
        buffer_add(b, data, len, r->pool);
    }
    return APR_SUCCESS;
}

static apr_status_t check_coding(mdm_ctx_t *ctx, request_rec *r)
{
    const char *coding = apr_table_get(r->headers_in, "Content-Encoding");

    if (coding && ap_cstr_casecmp(coding, "identity"))
        return mdm_fail(ctx, MDM_EINPUT, "the body has a Content-Encoding that is not served here");
    return APR_SUCCESS;
}

apr_status_t mdm_io_body(mdm_bytes_t *body, mdm_ctx_t *ctx, request_rec *r, apr_off_t limit)
{
    const mdm_dir_conf_t *dir = mdm_config_dir(r);
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    buffer_t buffer = { (unsigned char *)apr_pcalloc(r->pool, 1), 0, 0 };
    apr_status_t rv = APR_SUCCESS;
    apr_off_t announced;
    int end = 0;

    if (dir->limit_request_body != MDM_UNSET)
        limit = dir->limit_request_body;
    if (length && apr_strtoff(&announced, length, NULL, 10) == APR_SUCCESS && announced > limit)
        return too_big(ctx, r, limit);
    while (rv == APR_SUCCESS && !end) {
        rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, READ_BLOCK);
        if (rv == APR_SUCCESS)
            rv = take(&buffer, &end, bb, ctx, r, limit);
        apr_brigade_cleanup(bb);
    }
    body->data = buffer.data;
    body->len = buffer.len;
    return rv == APR_SUCCESS ? check_coding(ctx, r) : rv;
}

int mdm_io_send(request_rec *r, int status, const char *type, mdm_bytes_t body)
{
    mdm_dbd_release(r);
    apr_table_setn(r->err_headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->err_headers_out, "X-Content-Type-Options", "nosniff");
    r->status = status;
    r->status_line = NULL;
    if (type && body.len)
        ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)body.len);
    if (body.len && !r->header_only)
        ap_rwrite(body.data, (int)body.len, r);
    return OK;
}

static const char *http_date(apr_time_t at, apr_pool_t *p)
{
    char *text = apr_palloc(p, APR_RFC822_DATE_LEN);

    apr_rfc822_date(text, at);
    return text;
}

int mdm_io_send_cached(request_rec *r, const char *type, mdm_bytes_t body, apr_time_t modified,
                       apr_interval_time_t max_age)
{
    int answer;

    mdm_dbd_release(r);
    apr_table_setn(r->headers_out, "Cache-Control",
                   apr_psprintf(r->pool, "public, max-age=%" APR_TIME_T_FMT ", no-transform, must-revalidate",
                                apr_time_sec(max_age)));
    apr_table_setn(r->headers_out, "Expires", http_date(r->request_time + max_age, r->pool));
    apr_table_setn(r->headers_out, "ETag",
                   apr_psprintf(r->pool, "\"%.32s\"", mdm_sha256_hex(body, r->pool)));
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_update_mtime(r, modified);
    ap_set_last_modified(r);
    if ((answer = ap_meets_conditions(r)) != OK)
        return answer;
    ap_set_content_type(r, type);
    ap_set_content_length(r, (apr_off_t)body.len);
    if (!r->header_only)
        ap_rwrite(body.data, (int)body.len, r);
    return OK;
}

int mdm_io_log_failure(request_rec *r, mdm_ctx_t *ctx, apr_status_t rv)
{
    int status = rv < MDM_E_START ? ap_map_http_request_error(rv, HTTP_BAD_REQUEST) : mdm_io_status(rv);
    int level = status >= 500 ? APLOG_ERR : status == HTTP_FORBIDDEN ? APLOG_WARNING : APLOG_INFO;

    ap_log_rerror(APLOG_MARK, level, rv < MDM_E_START ? rv : 0, r, MDMNO(0110) "%s %.200s: %d: %s", r->method,
                  mdm_redact(r->uri, r->pool), status, mdm_ctx_detail(ctx, rv));
    if (status >= 500)
        mdm_alarm_raise(r->request_time, mdm_ctx_reason(ctx, rv));
    return status;
}

int mdm_io_fail(request_rec *r, mdm_ctx_t *ctx, apr_status_t rv)
{
    int status = mdm_io_log_failure(r, ctx, rv);
    const char *text = apr_pstrcat(r->pool, mdm_ctx_reason(ctx, rv), "\n", NULL);

    if (status == AP_FILTER_ERROR)
        return status;
    if (status == HTTP_SERVICE_UNAVAILABLE)
        apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER_SECONDS);
    return mdm_io_send(r, status, "text/plain; charset=utf-8", mdm_bytes_of(text));
}

int mdm_io_method(int *answer, request_rec *r, const char *const *allowed)
{
    const char *const *method;
    const char *allow = NULL;

    for (method = allowed; *method; method++) {
        if (!strcmp(*method, r->header_only ? "GET" : r->method))
            return 1;
        allow = allow ? apr_pstrcat(r->pool, allow, ", ", *method, NULL) : *method;
    }
    apr_table_setn(r->err_headers_out, "Allow", allow);
    r->connection->keepalive = AP_CONN_CLOSE;
    *answer = mdm_io_send(r, HTTP_METHOD_NOT_ALLOWED, "text/plain; charset=utf-8",
                          mdm_bytes_of("Method Not Allowed\n"));
    return 0;
}

const char *mdm_io_query(request_rec *r, const char *name, int plus)
{
    apr_size_t len = strlen(name);
    char *args = r->args ? apr_pstrdup(r->pool, r->args) : NULL, *pair, *last;

    for (pair = args ? apr_strtok(args, "&", &last) : NULL; pair; pair = apr_strtok(NULL, "&", &last)) {
        if (!strncmp(pair, name, len) && pair[len] == '=') {
            const char *value = apr_punescape_url(r->pool, pair + len + 1, NULL, NULL, plus);

            return value && mdm_utf8_valid(mdm_bytes_of(value)) ? value : NULL;
        }
    }
    return NULL;
}

void mdm_io_note(request_rec *r, const mdm_ctx_t *ctx, const mdm_store_t *st)
{
    apr_table_setn(r->notes, "mdm-statements", apr_itoa(r->pool, st ? mdm_db_statements(st->db) : 0));
    apr_table_setn(r->notes, "mdm-rsa", apr_itoa(r->pool, ctx->rsa_operations));
}
