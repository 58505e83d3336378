/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status page and its twins: one report (core/mdm_status), three forms, and a section in mod_status'
 * page. Read only, GET only; who may see it is decided by Apache (Require).
 */
#include <apr_escape.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <mod_status.h>

#include "mdm_json.h"
#include "mdm_status.h"
#include "mod_mdm_alarm.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"
#include "mod_mdm_page.h"

/* How long a failure stays on the page. */
#define ALARM_SPAN apr_time_from_sec(900)

static const char *const methods[] = { "GET", NULL };

static json_t *make_report(request_rec *r, const mdm_conf_t *conf, mdm_ctx_t *ctx, mdm_store_t **st)
{
    apr_status_t rv = mdm_dbd_request(st, ctx, r);
    const char *why = NULL, *failure;
    json_t *report;
    apr_time_t at;

    if (rv != APR_SUCCESS) {
        why = rv == MDM_EDB ? "see the error log" : mdm_ctx_detail(ctx, rv);
        mdm_io_log_failure(r, ctx, rv);
        *st = NULL;
    }
    report = mdm_status_report(ctx, *st, conf->site, why);
    failure = mdm_alarm_last(&at, r->request_time, ALARM_SPAN, r->pool);
    if (failure && !why)
        json_array_append_new(json_object_get(report, "alerts"),
                              json_sprintf("A request failed %d seconds ago: %s",
                                           (int)apr_time_sec(r->request_time - at), failure));
    return report;
}

/* "open_commands", "under 1 hour" becomes OpenCommandsUnder1Hour: mod_status' style of keys. */
static const char *camel(apr_pool_t *p, const char *prefix, const char *name)
{
    char *key = apr_pstrcat(p, prefix, " ", name, NULL), *to = key;
    const char *from;
    int upper = 1;

    for (from = key; *from; from++) {
        if (!apr_isalnum(*from)) {
            upper = 1;
            continue;
        }
        *to++ = upper ? (char)apr_toupper(*from) : *from;
        upper = 0;
    }
    *to = '\0';
    return key;
}

static const char *scalar(apr_pool_t *p, const json_t *value)
{
    if (json_is_string(value))
        return json_string_value(value);
    return json_is_integer(value)
        ? apr_psprintf(p, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(value)) : "";
}

/* Numbers and texts of the report's first two levels as "MDMKey: value" lines; lists are only counted. */
static const char *auto_text(apr_pool_t *p, const json_t *report)
{
    apr_array_header_t *lines = apr_array_make(p, 40, sizeof(const char *));
    const char *name, *inner;
    json_t *value, *item;

    json_object_foreach((json_t *)report, name, value) {
        if (json_is_array(value))
            APR_ARRAY_PUSH(lines, const char *) = apr_psprintf(p, "%s: %d\n", camel(p, "MDM", name),
                                                               (int)json_array_size(value));
        else if (json_is_object(value))
            json_object_foreach(value, inner, item)
                APR_ARRAY_PUSH(lines, const char *) =
                    apr_pstrcat(p, camel(p, apr_pstrcat(p, "MDM ", name, NULL), inner), ": ", scalar(p, item),
                                "\n", NULL);
        else
            APR_ARRAY_PUSH(lines, const char *) =
                apr_pstrcat(p, camel(p, "MDM", name), ": ", scalar(p, value), "\n", NULL);
    }
    return apr_array_pstrcat(p, lines, 0);
}

static int send_html(request_rec *r, int status, const char *html)
{
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
                   "form-action 'none'");
    return mdm_io_send(r, status, "text/html; charset=utf-8", mdm_bytes_of(html));
}

static int show_enrollment(request_rec *r, const mdm_conf_t *conf, const char *id)
{
    mdm_ctx_t *ctx = mdm_io_ctx(r);
    mdm_store_t *st = NULL;
    apr_status_t rv = id ? mdm_dbd_request(&st, ctx, r)
                         : mdm_fail(ctx, MDM_EINPUT, "the id parameter cannot be read");
    json_t *json;
    const char *html;

    if (rv == APR_SUCCESS)
        rv = mdm_status_enrollment(&json, st, conf->site, id);
    mdm_io_note(r, ctx, st);
    if (rv != APR_SUCCESS)
        return mdm_io_fail(r, ctx, rv);
    html = mdm_page_enrollment(r->pool, conf->site->organization, json);
    json_decref(json);
    return send_html(r, HTTP_OK, html);
}

int mdm_handle_status(request_rec *r, const mdm_conf_t *conf)
{
    mdm_store_t *st = NULL;
    mdm_ctx_t *ctx;
    const char *text;
    json_t *report;
    int answer;

    if (!mdm_io_method(&answer, r, methods))
        return answer;
    if (r->args && !strncmp(r->args, "id=", 3))
        return show_enrollment(r, conf, mdm_io_query(r, "id", 1));
    ctx = mdm_io_ctx(r);
    report = make_report(r, conf, ctx, &st);
    if (json_object_get(report, "enrollments") && !(r->args && !strcmp(r->args, "auto")))
        mdm_status_profiles(report, st);
    mdm_io_note(r, ctx, st);
    if (r->args && !strcmp(r->args, "json")) {
        text = mdm_json_pretty(report, r->pool);
        answer = mdm_io_send(r, HTTP_OK, "application/json", mdm_bytes_of(text));
    } else if (r->args && !strcmp(r->args, "auto")) {
        answer = mdm_io_send(r, HTTP_OK, "text/plain; charset=utf-8",
                             mdm_bytes_of(auto_text(r->pool, report)));
    } else {
        answer = send_html(r, HTTP_OK, mdm_page_status(r->pool, report));
    }
    json_decref(report);
    return answer;
}

int mdm_status_section(request_rec *r, int flags)
{
    const mdm_conf_t *conf = mdm_config_of(r->server);
    mdm_store_t *st = NULL;
    mdm_ctx_t *ctx;
    json_t *report;

    if (!conf->site)
        return DECLINED;
    ctx = mdm_io_ctx(r);
    report = make_report(r, conf, ctx, &st);
    mdm_dbd_release(r);
    if (flags & AP_STATUS_SHORT)
        ap_rputs(auto_text(r->pool, report), r);
    else
        ap_rputs(mdm_page_section(r->pool, report), r);
    json_decref(report);
    return OK;
}
