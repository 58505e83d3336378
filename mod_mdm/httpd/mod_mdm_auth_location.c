/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locations of other modules for enrolled devices only (MDMDeviceAuth), such as a proxy to a server of packages.
 * Runs before their handlers, in request threads; the database connection is given back before they start, for
 * they may take long. Reads no body.
 */
#include <ctype.h>
#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>

#include "mdm_identity.h"
#include "mod_mdm_auth.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_io.h"
#include "mod_mdm_log.h"

#define ENROLLMENT_HEADER "X-Enrollment-ID"
#define TRACE_HEADER "X-Trace-ID"
#define TRACE_BYTES 8

typedef struct {
    apr_table_t *headers;
    const char *name;
} dropped_t;

/* CGI and its heirs tell X_Enrollment_ID from X-Enrollment-ID no more. */
static int is_alike(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        int x = *a == '_' ? '-' : tolower((unsigned char)*a), y = tolower((unsigned char)*b);

        if (x != y)
            return 0;
    }
    return *a == *b;
}

static int keep_others(void *baton, const char *name, const char *value)
{
    dropped_t *d = baton;

    if (!is_alike(name, d->name))
        apr_table_addn(d->headers, name, value);
    return 1;
}

static void drop_header(request_rec *r, const char *name)
{
    dropped_t d = { apr_table_make(r->pool, 16), name };

    apr_table_do(keep_others, &d, r->headers_in, NULL);
    r->headers_in = d.headers;
}

/* What a device calls itself goes into a header. */
static int is_header_value(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return 0;
    }
    return 1;
}

static const char *trace_id(mdm_ctx_t *ctx, const mdm_caller_t *caller)
{
    unsigned char random[TRACE_BYTES];
    mdm_bytes_t bytes = { random, sizeof(random) };

    if (caller->trace_id)
        return caller->trace_id;
    return mdm_random(random, sizeof(random)) == APR_SUCCESS ? mdm_hex_encode(bytes, ctx->pool) : NULL;
}

static apr_status_t find_device(const char **enrollment_id, mdm_ctx_t *ctx, request_rec *r, const char *fingerprint)
{
    const mdm_conf_t *conf = mdm_config_of(r->server);
    mdm_store_t *st;
    apr_status_t rv = mdm_dbd_open(&st, ctx, conf);

    if (rv != APR_SUCCESS)
        return rv;
    rv = mdm_identity_device(enrollment_id, st, fingerprint);
    mdm_io_note(r, ctx, st);
    mdm_dbd_close(st, conf);
    if (rv == APR_SUCCESS && !is_header_value(*enrollment_id))
        return mdm_fail(ctx, MDM_EDENIED, "the identifier of the device cannot go into a header");
    return rv;
}

static int refuse(request_rec *r, mdm_ctx_t *ctx, apr_status_t rv)
{
    int status;

    if (rv == MDM_EDENIED) {
        const char *why = apr_pstrdup(ctx->pool, mdm_ctx_detail(ctx, rv));

        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, MDMNO(0853) "MDMDeviceAuth: %s", why);
        rv = mdm_fail(ctx, MDM_EINPUT, "%s", why);
    }
    status = mdm_io_log_failure(r, ctx, rv);
    if (status == HTTP_SERVICE_UNAVAILABLE)
        apr_table_setn(r->err_headers_out, "Retry-After", "30");
    return status;
}

int mdm_auth_location(request_rec *r)
{
    mdm_bytes_t no_body = { NULL, 0 };
    const char *enrollment_id = NULL, *trace;
    mdm_caller_t caller;
    mdm_ctx_t *ctx;
    apr_status_t rv;

    if (mdm_config_dir(r)->device_auth != 1)
        return DECLINED;
    drop_header(r, ENROLLMENT_HEADER);
    drop_header(r, TRACE_HEADER);
    if (!mdm_config_of(r->server)->site) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, MDMNO(0854) "MDMDeviceAuth in a virtual host without MDMEngine On");
        return HTTP_SERVICE_UNAVAILABLE;
    }
    ctx = mdm_io_ctx(r);
    if ((rv = mdm_auth_device(&caller, ctx, r, no_body)) != APR_SUCCESS
        || (rv = find_device(&enrollment_id, ctx, r, caller.fingerprint)) != APR_SUCCESS)
        return refuse(r, ctx, rv);
    apr_table_unset(r->headers_in, "Mdm-Signature");
    apr_table_setn(r->headers_in, ENROLLMENT_HEADER, enrollment_id);
    if ((trace = trace_id(ctx, &caller)) != NULL)
        apr_table_setn(r->headers_in, TRACE_HEADER, trace);
    return OK;
}
