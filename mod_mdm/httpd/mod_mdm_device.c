/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices talk to: check-in and connect. Size, then identity, then the core. Never answers 401: a device
 * takes that as the order to leave management.
 */
#include <apr_strings.h>

#include "mdm_checkin.h"
#include "mdm_connect.h"
#include "mod_mdm_auth.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"
#include "mod_mdm_seen.h"
#include "mod_mdm_worker.h"

#define COMMAND_TYPE "application/xml; charset=UTF-8"
#define CHECKIN_TYPE "application/x-apple-aspen-mdm-checkin"

/* Devices put; some tools post. */
static const char *const methods[] = { "PUT", "POST", NULL };

typedef struct {
    request_rec *r;
    const mdm_conf_t *conf;
    mdm_ctx_t *ctx;
    mdm_store_t *st;
    mdm_bytes_t body;
    mdm_caller_t caller;
} device_request_t;

static apr_status_t read_request(device_request_t *d, request_rec *r, const mdm_conf_t *conf)
{
    apr_status_t rv;

    memset(d, 0, sizeof(*d));
    d->r = r;
    d->conf = conf;
    d->ctx = mdm_io_ctx(r);
    rv = mdm_io_body(&d->body, d->ctx, r, MDM_LIMIT_DEFAULT);
    return rv == APR_SUCCESS ? mdm_auth_device(&d->caller, d->ctx, r, d->body) : rv;
}

static int finish(device_request_t *d, apr_status_t rv, mdm_bytes_t answer, const char *type)
{
    if (rv != APR_SUCCESS)
        return mdm_io_fail(d->r, d->ctx, rv);
    return mdm_io_send(d->r, HTTP_OK, type ? type : COMMAND_TYPE, answer);
}

/* The connection goes back before another server is waited for. */
static apr_status_t take_checkin(mdm_checkin_answer_t *answer, device_request_t *d)
{
    apr_status_t rv = mdm_dbd_request(&d->st, d->ctx, d->r);

    if (rv != APR_SUCCESS)
        return rv;
    rv = mdm_checkin_handle(answer, d->st, d->conf->site, d->body, &d->caller);
    mdm_io_note(d->r, d->ctx, d->st);
    mdm_dbd_release(d->r);
    d->st = NULL;
    return rv;
}

static int answer_checkin(request_rec *r, const mdm_conf_t *conf)
{
    device_request_t d;
    mdm_checkin_answer_t answer = { 0 };
    apr_status_t rv = read_request(&d, r, conf);

    if (rv == APR_SUCCESS)
        rv = take_checkin(&answer, &d);
    if (rv == APR_SUCCESS)
        mdm_seen_note(conf, answer.enrollment, r->request_time, r->useragent_ip, 0);
    if (answer.wake)
        mdm_worker_wake();
    if (rv == APR_SUCCESS && answer.declarative) {
        answer.content_type = MDM_DECLARATIVE_TYPE;
        rv = mdm_declarative_ask(&answer.body, d.ctx, conf->site, answer.declarative);
    }
    return finish(&d, rv, answer.body, answer.content_type);
}

int mdm_handle_checkin(request_rec *r, const mdm_conf_t *conf)
{
    int answer;

    return mdm_io_method(&answer, r, methods) ? answer_checkin(r, conf) : answer;
}

/* A profile without CheckInURL sends both kinds of messages to ServerURL; only the type tells them apart. */
static int is_checkin(request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    return type && !ap_cstr_casecmpn(type, CHECKIN_TYPE, sizeof(CHECKIN_TYPE) - 1);
}

int mdm_handle_connect(request_rec *r, const mdm_conf_t *conf)
{
    mdm_connect_answer_t answer = { 0 };
    device_request_t d;
    apr_status_t rv;
    int status;

    if (!mdm_io_method(&status, r, methods))
        return status;
    if (is_checkin(r))
        return answer_checkin(r, conf);
    rv = read_request(&d, r, conf);
    if (rv == APR_SUCCESS)
        rv = mdm_dbd_request(&d.st, d.ctx, r);
    if (rv == APR_SUCCESS)
        rv = mdm_connect_handle(&answer, d.st, conf->site, d.body, &d.caller);
    if (rv == APR_SUCCESS)
        mdm_seen_note(conf, answer.enrollment, r->request_time, r->useragent_ip, answer.command);
    if (answer.wake)
        mdm_worker_wake();
    mdm_io_note(r, d.ctx, d.st);
    return finish(&d, rv, answer.body, NULL);
}
