/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proxy of declarative management: GET, or PUT with the device's status, with the enrollment in headers and an
 * HMAC in both directions, as NanoMDM's -dm has it. Called by the check-in's handler, any thread; holds nothing of the
 * database. What the device writes becomes a path below the configured URL and nothing else.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_declarative.h"
#include "mdm_fetch.h"

#define ENDPOINT_MAX 1024
#define ANSWER_MAX (4 * 1024 * 1024)
#define TIMEOUT apr_time_from_sec(30)
#define HMAC_HEADER "X-Hmac-Signature"
#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
#define DECLARATION "declaration/"

static int is_declaration(const char *endpoint)
{
    return !strncmp(endpoint, DECLARATION, strlen(DECLARATION));
}

static int is_safe_segment(const char *start, apr_size_t len)
{
    return len && !(len == 1 && *start == '.') && !(len == 2 && !strncmp(start, "..", 2));
}

/* @return NULL when the endpoint is not a plain relative path of printable characters */
static const char *path_of(apr_pool_t *p, const char *endpoint)
{
    char *path = apr_palloc(p, 3 * strlen(endpoint) + 1), *to = path;
    const char *c, *segment = endpoint;

    for (c = endpoint; ; c++) {
        unsigned char byte = (unsigned char)*c;

        if ((!byte || byte == '/') && !is_safe_segment(segment, (apr_size_t)(c - segment)))
            return NULL;
        if (!byte)
            break;
        if (byte < 0x20 || byte == 0x7f || byte == '\\')
            return NULL;
        if (byte == '/')
            segment = c + 1;
        if (byte == '/' || strchr(UNRESERVED, byte)) {
            *to++ = (char)byte;
        } else {
            *to++ = '%';
            *to++ = "0123456789ABCDEF"[byte >> 4];
            *to++ = "0123456789ABCDEF"[byte & 15];
        }
    }
    *to = '\0';
    return path;
}

static int fits_header(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return 0;
    }
    return 1;
}

apr_status_t mdm_declarative_read(mdm_declarative_t **out, mdm_ctx_t *ctx, const mdm_site_t *site,
                                  const mdm_device_t *device)
{
    mdm_declarative_t *d = apr_pcalloc(ctx->pool, sizeof(*d));
    apr_status_t rv;

    d->endpoint = mdm_plist_get_string(device->message, "Endpoint");
    if (!d->endpoint || !*d->endpoint || strlen(d->endpoint) > ENDPOINT_MAX
        || !(d->path = path_of(ctx->pool, d->endpoint)))
        return mdm_fail(ctx, MDM_EINPUT, "DeclarativeManagement has no usable Endpoint");
    if ((rv = mdm_device_data(&d->data, ctx, device, "Data")) != APR_SUCCESS)
        return rv;
    if (!fits_header(device->enrollment_id))
        return mdm_fail(ctx, MDM_EINPUT, "the identifiers hold control characters");
    if (!site->declarative_url)
        return mdm_fail(ctx, MDM_ENOTFOUND, "there is no declarative management here: set MDMDeclarativeURL, or do not "
                        "send the command DeclarativeManagement");
    d->enrollment_id = device->enrollment_id;
    d->type = device->type;
    d->parent_id = strcmp(device->enrollment_id, device->device_id) ? device->device_id : NULL;
    d->trace_id = device->caller->trace_id;
    *out = d;
    return APR_SUCCESS;
}

static apr_status_t hmac(const char **text, mdm_ctx_t *ctx, mdm_bytes_t key, mdm_bytes_t data)
{
    unsigned char mac[MDM_SHA256_LEN];
    apr_status_t rv = mdm_hmac_sha256(mac, key, data);

    if (rv != APR_SUCCESS)
        return mdm_fail(ctx, rv, "no HMAC could be made");
    *text = mdm_base64_encode((mdm_bytes_t){ mac, sizeof(mac) }, ctx->pool);
    return APR_SUCCESS;
}

static void add_header(apr_array_header_t *headers, apr_pool_t *p, const char *name, const char *value)
{
    if (value)
        APR_ARRAY_PUSH(headers, const char *) = apr_pstrcat(p, name, ": ", value, NULL);
}

static apr_status_t make_headers(const char *const **out, mdm_ctx_t *ctx, const mdm_site_t *site,
                                 const mdm_declarative_t *d)
{
    apr_array_header_t *headers = apr_array_make(ctx->pool, 8, sizeof(const char *));
    const char *mac = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (site->declarative_key.len)
        rv = hmac(&mac, ctx, site->declarative_key, d->data);
    add_header(headers, ctx->pool, "X-Enrollment-ID", d->enrollment_id);
    add_header(headers, ctx->pool, "X-Enrollment-Type", d->type);
    add_header(headers, ctx->pool, "X-Enrollment-ParentID", d->parent_id);
    add_header(headers, ctx->pool, "X-Trace-ID", d->trace_id);
    add_header(headers, ctx->pool, "Content-Type", d->data.len ? MDM_DECLARATIVE_TYPE : NULL);
    add_header(headers, ctx->pool, HMAC_HEADER, mac);
    APR_ARRAY_PUSH(headers, const char *) = NULL;
    *out = (const char *const *)headers->elts;
    return rv;
}

static apr_status_t judge(mdm_ctx_t *ctx, const mdm_site_t *site, const mdm_declarative_t *d,
                          const mdm_fetched_t *answer)
{
    const char *given = apr_table_get(answer->headers, HMAC_HEADER), *expected = NULL;
    apr_status_t rv;

    if (answer->status == 404 && is_declaration(d->endpoint))
        return mdm_fail(ctx, MDM_ENOTFOUND, "the declarative management server has no %.200s", d->path);
    if (answer->status != 200 && answer->status != 204)
        return mdm_fail(ctx, MDM_EHTTP, "the declarative management server answered %d for %.200s", answer->status,
                        d->path);
    if (!site->declarative_answer_key.len)
        return APR_SUCCESS;
    if ((rv = hmac(&expected, ctx, site->declarative_answer_key, answer->body)) != APR_SUCCESS)
        return rv;
    if (!given || !mdm_equal(given, expected))
        return mdm_fail(ctx, MDM_EHTTP, "the answer of the declarative management server has %s " HMAC_HEADER
                        ": see MDMDeclarativeAnswerKeyFile", given ? "a wrong" : "no");
    return APR_SUCCESS;
}

apr_status_t mdm_declarative_ask(mdm_bytes_t *json, mdm_ctx_t *ctx, const mdm_site_t *site,
                                 const mdm_declarative_t *d)
{
    mdm_fetch_t request = { 0 };
    mdm_fetched_t answer;
    apr_status_t rv;

    request.method = d->data.len ? "PUT" : "GET";
    request.url = apr_pstrcat(ctx->pool, site->declarative_url, "/", d->path, NULL);
    request.body = d->data;
    request.timeout = TIMEOUT;
    request.answer_max = ANSWER_MAX;
    if ((rv = make_headers(&request.headers, ctx, site, d)) != APR_SUCCESS
        || (rv = mdm_fetch(&answer, ctx, &request)) != APR_SUCCESS)
        return rv == MDM_ETOOBIG ? MDM_EHTTP : rv;
    *json = answer.body;
    return judge(ctx, site, d, &answer);
}
