/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mdm-ocsp Location: OCSP over HTTP (RFC 6960 appendix A), by POST, and by GET with the request in the path.
 * Open to everybody, any request thread. What is no request gets malformedRequest before anything is paid for.
 */
#include <apr_escape.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>

#include "mdm_ocsp.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"

#define TYPE "application/ocsp-response"
#define HEAD 8                       /* characters of base64 that hold the header of a SEQUENCE */

static const char *const methods[] = { "GET", "POST", NULL };

/* The length of the DER SEQUENCE that begins so, with its header; 0: none begins so. */
static apr_size_t announced(mdm_bytes_t der)
{
    apr_size_t len = 0, octets, i;

    if (der.len < 2 || der.data[0] != 0x30)
        return 0;
    if (der.data[1] < 0x80)
        return 2 + (apr_size_t)der.data[1];
    octets = der.data[1] & 0x7f;
    if (octets < 1 || octets > 3 || der.len < 2 + octets)
        return 0;
    for (i = 0; i < octets; i++)
        len = len << 8 | der.data[2 + i];
    return 2 + octets + len;
}

/* The part at the end that is base64, without a stranger among its characters. */
static const char *base64_tail(const char *text)
{
    const char *at = text + strlen(text);
    int pads;

    for (pads = 0; pads < 2 && at > text && at[-1] == '='; pads++)
        at--;
    while (at > text && (apr_isalnum(at[-1]) || at[-1] == '+' || at[-1] == '/'))
        at--;
    return at;
}

/* Whether base64 of `len` characters is one SEQUENCE from the first to the last, by its beginning. */
static int is_sequence(const char *text, apr_size_t len, apr_pool_t *p)
{
    apr_size_t size = len / 4 * 3;
    mdm_bytes_t head;

    if (len < HEAD || len % 4 || mdm_base64_decode(&head, text, HEAD, p) != APR_SUCCESS)
        return 0;
    size -= (text[len - 1] == '=') + (text[len - 2] == '=');
    return announced(head) == size;
}

/*
 * Base64 has slashes of its own, and httpd joins two of them in r->uri: so the request is looked for in what
 * the client sent, from each slash on. A path can have thousands of them: only the first that is followed by a request
 * to the end is decoded as a whole.
 */
static apr_status_t read_path(mdm_bytes_t *der, mdm_ctx_t *ctx, request_rec *r)
{
    char *raw = apr_pstrdup(r->pool, r->unparsed_uri);
    const char *path, *at;

    raw[strcspn(raw, "?#")] = '\0';
    path = apr_punescape_url(r->pool, raw, NULL, NULL, 0);
    for (at = path ? strchr(base64_tail(path), '/') : NULL; at; at = strchr(at + 1, '/')) {
        apr_size_t len = at[1] == 'M' ? strlen(at + 1) : 0;

        if (is_sequence(at + 1, len, r->pool))
            return mdm_base64_decode(der, at + 1, len, r->pool);
    }
    return mdm_fail(ctx, MDM_EINPUT, "the path does not end with an OCSP request in base64");
}

static int answer_error(request_rec *r, mdm_ctx_t *ctx, apr_status_t rv)
{
    int status = mdm_io_log_failure(r, ctx, rv);

    if (rv == MDM_EINPUT)
        return mdm_io_send(r, HTTP_OK, TYPE, mdm_ocsp_error(MDM_OCSP_MALFORMED_REQUEST));
    if (status == HTTP_SERVICE_UNAVAILABLE) {
        apr_table_setn(r->err_headers_out, "Retry-After", "30");
        return mdm_io_send(r, status, TYPE, mdm_ocsp_error(MDM_OCSP_TRY_LATER));
    }
    return mdm_io_send(r, status, TYPE, mdm_ocsp_error(MDM_OCSP_INTERNAL_ERROR));
}

int mdm_handle_ocsp(request_rec *r, const mdm_conf_t *conf)
{
    mdm_ocsp_request_t *request;
    mdm_ocsp_reply_t reply;
    mdm_store_t *st = NULL;
    mdm_bytes_t body;
    mdm_ctx_t *ctx;
    apr_status_t rv;
    int answer;

    if (!mdm_io_method(&answer, r, methods))
        return answer;
    ctx = mdm_io_ctx(r);
    rv = r->method_number == M_POST ? mdm_io_body(&body, ctx, r, MDM_OCSP_MAX_BYTES) : read_path(&body, ctx, r);
    if (rv != APR_SUCCESS && rv != MDM_EINPUT)
        return mdm_io_fail(r, ctx, rv);
    if (rv == APR_SUCCESS && (rv = mdm_ocsp_open(&request, ctx, conf->site, body)) == APR_SUCCESS
        && (rv = mdm_dbd_request(&st, ctx, r)) == APR_SUCCESS)
        rv = mdm_ocsp_handle(&reply, st, conf->site, request);
    mdm_io_note(r, ctx, st);
    if (rv != APR_SUCCESS)
        return answer_error(r, ctx, rv);
    if (reply.has_nonce || r->method_number != M_GET)
        return mdm_io_send(r, HTTP_OK, TYPE, reply.der);
    return mdm_io_send_cached(r, TYPE, reply.der, reply.this_update, (reply.next_update - reply.this_update) / 2);
}
