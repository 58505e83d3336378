/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a person enrolls a device: the pages below the mdm-enroll Location, each request to the right one. A
 * Location that cannot tell who a visitor is stays closed, never an open door. Any request thread.
 */
#include <apr_escape.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <http_protocol.h>

#include "mdm_profile.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_enroll.h"
#include "mod_mdm_enroll_page.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"
#include "mod_mdm_signin.h"
#include "mod_mdm_worker.h"

#define PROFILE_TYPE "application/x-apple-aspen-config"

static const char *const forms[] = { "GET", "POST", NULL };
static const char *const views[] = { "GET", NULL };

static const struct {
    const char *name;
    mdm_enroll_place_e place;
} places[] = {
    { "/profile", MDM_ENROLL_PROFILE },
    { "/status", MDM_ENROLL_STATUS },
    { "/device", MDM_ENROLL_DEVICE },
};

#define PLACES (sizeof(places) / sizeof(places[0]))

int mdm_enroll_send(mdm_visit_t *v, int status, const char *html)
{
    apr_table_t *out = v->r->err_headers_out;

    apr_table_setn(out, "Content-Security-Policy", mdm_enroll_page_policy(v->r->pool));
    apr_table_setn(out, "X-Frame-Options", "DENY");
    /* Not no-referrer: with it browsers hide from us, too, which page made a post. */
    apr_table_setn(out, "Referrer-Policy", "same-origin");
    mdm_io_note(v->r, v->ctx, v->st);
    return mdm_io_send(v->r, status, "text/html; charset=utf-8", mdm_bytes_of(html));
}

static const char *public_url(const mdm_visit_t *v, const char *rest)
{
    apr_pool_t *p = v->r->pool;

    return apr_pstrcat(p, v->conf->server_url, apr_pescape_path(p, v->base, 0), rest, NULL);
}

static const char *start_of(const mdm_visit_t *v)
{
    return apr_pescape_path(v->r->pool, *v->base ? v->base : "/", 0);
}

int mdm_enroll_message(mdm_visit_t *v, int status, const char *title, const char *text, int again)
{
    return mdm_enroll_send(v, status, mdm_enroll_page_message(v->conf->site->organization, title, text,
                                                              again ? start_of(v) : NULL, "Start again",
                                                              v->r->pool));
}

int mdm_enroll_fail(mdm_visit_t *v, apr_status_t rv)
{
    const char *reason = rv == MDM_EDB ? "The database is not available." : mdm_ctx_detail(v->ctx, rv);
    int status = mdm_io_log_failure(v->r, v->ctx, rv);

    if (status == AP_FILTER_ERROR)
        return status;
    if (status == HTTP_SERVICE_UNAVAILABLE)
        apr_table_setn(v->r->err_headers_out, "Retry-After", "30");
    return mdm_enroll_message(v, status, status >= 500 ? "Please try again later" : "This does not work",
                              reason, status == HTTP_FORBIDDEN);
}

apr_status_t mdm_enroll_store(mdm_visit_t *v)
{
    return v->st ? APR_SUCCESS : mdm_dbd_request(&v->st, v->ctx, v->r);
}

void mdm_enroll_rest(mdm_visit_t *v)
{
    mdm_dbd_release(v->r);
    v->st = NULL;
}

mdm_session_method_e mdm_enroll_method(const mdm_visit_t *v)
{
    const mdm_dir_conf_t *dir = mdm_config_dir(v->r);

    if (dir->enroll_method != MDM_UNSET)
        return (mdm_session_method_e)dir->enroll_method;
    return v->conf->site->device_cas && v->conf->site->device_cas->nelts ? MDM_SESSION_PROFILE_SERVICE
                                                                         : MDM_SESSION_DIRECT;
}

/* The path of the Location when it is the site's own, whose URL we know; NULL when it is another. */
static const char *own_base(const mdm_visit_t *v)
{
    apr_uri_t uri;
    apr_size_t len;

    if (apr_uri_parse(v->r->pool, v->conf->site->enroll_url, &uri) != APR_SUCCESS || !uri.path)
        return NULL;
    len = strlen(uri.path);
    return !strncmp(v->r->uri, uri.path, len) && (!v->r->uri[len] || v->r->uri[len] == '/') ? uri.path : NULL;
}

static int ends_with(const char *text, const char *end)
{
    apr_size_t len = strlen(text), n = strlen(end);

    return len >= n && !strcmp(text + len - n, end);
}

/* Of another Location only the last part of the path can tell. */
static const char *guessed_base(const mdm_visit_t *v)
{
    char *base = apr_pstrdup(v->r->pool, v->r->uri), *slash = strrchr(base, '/');
    apr_size_t i;

    for (i = 0; i < PLACES; i++) {
        if (ends_with(base, places[i].name))
            *slash = '\0';
    }
    if (slash && *slash && slash - base >= 2 && !strncmp(slash - 2, "/i/", 3))
        slash[-2] = '\0';
    while (ends_with(base, "/"))
        base[strlen(base) - 1] = '\0';
    return base;
}

static void locate(mdm_visit_t *v)
{
    const char *own = own_base(v), *rest;
    apr_size_t i;

    v->base = own ? own : guessed_base(v);
    /* It goes into cookies. */
    if (strpbrk(v->base, ";,\"\\"))
        return;
    rest = v->r->uri + strlen(v->base);
    if (!*rest || !strcmp(rest, "/")) {
        v->place = MDM_ENROLL_LANDING;
    } else if (!strncmp(rest, "/i/", 3) && rest[3] && !strchr(rest + 3, '/')) {
        v->place = MDM_ENROLL_INVITATION;
        v->token = rest + 3;
    }
    for (i = 0; i < PLACES; i++) {
        if (!strcmp(rest, places[i].name))
            v->place = places[i].place;
    }
}

static const char *host_of(const char *url, apr_pool_t *p)
{
    apr_uri_t uri;

    return url && apr_uri_parse(p, url, &uri) == APR_SUCCESS ? uri.hostname : NULL;
}

static int is_our_host(const mdm_visit_t *v)
{
    const char *host = v->r->hostname, *server = host_of(v->conf->server_url, v->r->pool);
    const char *enroll = host_of(v->conf->site->enroll_url, v->r->pool);

    return host && ((server && !ap_cstr_casecmp(host, server)) || (enroll && !ap_cstr_casecmp(host, enroll)));
}

/* Passwords travel by https only, and cookies and profiles belong to one host. */
static int explain_way(mdm_visit_t *v)
{
    const char *url;

    if (!strcmp(ap_http_scheme(v->r), "https") && is_our_host(v))
        return DECLINED;
    url = public_url(v, v->token ? apr_pstrcat(v->r->pool, "/i/", v->token, NULL) : "");
    return mdm_enroll_send(v, is_our_host(v) ? HTTP_FORBIDDEN : HTTP_MISDIRECTED_REQUEST,
                           mdm_enroll_page_message(v->conf->site->organization,
                                                   "Please use the secure address",
                                                   "Devices are enrolled at this address only:", url, url,
                                                   v->r->pool));
}

typedef enum { AGENT_NONE, AGENT_APPLE, AGENT_APPLE_OTHER, AGENT_OTHER } agent_e;

static int has_any(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strstr(text, *words))
            return 1;
    }
    return 0;
}

static agent_e agent_of(request_rec *r)
{
    static const char *const phones[] = { "iPhone", "iPad", "iPod", NULL };
    static const char *const others[] = {
        "Macintosh", "AppleTV", "Apple TV", "Apple Watch", "RealityDevice", NULL
    };
    static const char *const guests[] = { "CriOS/", "FxiOS/", "EdgiOS/", "OPiOS/", "OPT/", "FBAN/", NULL };
    const char *agent = apr_table_get(r->headers_in, "User-Agent");

    if (!agent || strncmp(agent, "Mozilla/", 8))
        return AGENT_NONE;
    if (has_any(agent, phones))
        return has_any(agent, guests) ? AGENT_APPLE_OTHER : AGENT_APPLE;
    return has_any(agent, others) ? AGENT_APPLE : AGENT_OTHER;
}

/* A phone takes a profile from its own browser only, and a browser elsewhere enrolls nothing. */
static int explain_agent(mdm_visit_t *v)
{
    agent_e agent = agent_of(v->r);
    const char *url = public_url(v, v->token ? apr_pstrcat(v->r->pool, "/i/", v->token, NULL) : "");

    if (agent == AGENT_APPLE)
        return DECLINED;
    return mdm_enroll_send(v, HTTP_OK, mdm_enroll_page_message(v->conf->site->organization,
        agent == AGENT_APPLE_OTHER ? "Please open this page in Safari"
                                   : "Please open this page on the device",
        "Open this address in Safari on the iPhone, iPad, Mac, Apple TV or Apple Watch that you want to "
        "enroll:",
        url, url, v->r->pool));
}

/* Not a browser: a script, or Apple's Configurator. Or someone who asks for the file itself. */
static int wants_profile(const mdm_visit_t *v)
{
    const char *accept = apr_table_get(v->r->headers_in, "Accept"), *args = v->r->args;

    return (args && !strcmp(args, "profile")) || (accept && ap_strstr_c(accept, PROFILE_TYPE))
        || agent_of(v->r) == AGENT_NONE;
}

static int send_profile(mdm_visit_t *v, mdm_bytes_t profile, const char *user)
{
    mdm_io_note(v->r, v->ctx, v->st);
    mdm_log(v->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0141) "enrollment profile for %s", user);
    apr_table_setn(v->r->headers_out, "Content-Disposition", "attachment; filename=\"enroll.mobileconfig\"");
    return mdm_io_send(v->r, HTTP_OK, PROFILE_TYPE, profile);
}

/* A sign-in without a session. */
static apr_status_t note_person(mdm_visit_t *v)
{
    mdm_person_change_t *person = mdm_enroll_said(v, v->r->user);
    apr_status_t rv = mdm_person_signed_in(v->st, v->r->user, person, v->r->useragent_ip);

    if (rv == APR_SUCCESS && person && person->changed)
        mdm_worker_wake();
    return rv;
}

/* One step for a person whom Apache knows: the profile, without pages around it. */
static int give_profile(mdm_visit_t *v)
{
    mdm_profile_request_t request = { 0 };
    mdm_session_t *session;
    mdm_plist_t *root;
    mdm_bytes_t profile;
    apr_status_t rv = mdm_enroll_store(v);

    request.user = v->r->user;
    if (rv == APR_SUCCESS && mdm_enroll_method(v) == MDM_SESSION_PROFILE_SERVICE) {
        if ((rv = mdm_enroll_open(&session, v, v->r->user)) == APR_SUCCESS)
            rv = mdm_session_profile(&profile, v->st, v->conf->site, session);
    } else if (rv == APR_SUCCESS && (rv = note_person(v)) == APR_SUCCESS) {
        rv = mdm_profile_enrollment(&root, v->st, v->conf->site, &request);
        if (rv == APR_SUCCESS)
            rv = mdm_profile_seal_for(&profile, v->ctx, v->conf->site, root, NULL);
    }
    mdm_io_note(v->r, v->ctx, v->st);
    return rv == APR_SUCCESS ? send_profile(v, profile, v->r->user) : mdm_io_fail(v->r, v->ctx, rv);
}

static int closed(mdm_visit_t *v)
{
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, v->r, MDMNO(0140) "enrollment is closed: nobody is signed in; "
                  "set MDMAuthProvider, or let Apache authenticate this Location (AuthType, Require "
                  "valid-user)");
    return mdm_enroll_message(v, HTTP_FORBIDDEN, "Enrollment is closed", "Enrollment needs a sign-in, and "
                              "this server asks for none. Please tell its administrator.", 0);
}

static mdm_enroll_way_e way_of(const mdm_visit_t *v)
{
    if (mdm_config_dir(v->r)->auth_providers)
        return MDM_ENROLL_BY_PASSWORD;
    if (v->r->user && *v->r->user)
        return MDM_ENROLL_BY_APACHE;
    return v->invitation && v->invitation->user ? MDM_ENROLL_BY_INVITATION : MDM_ENROLL_CLOSED;
}

/* A link that is used up may have been used by this very browser. */
static int invitation_over(mdm_visit_t *v, apr_status_t rv)
{
    const char *text = mdm_ctx_detail(v->ctx, rv), *cookie = mdm_signin_cookie(v->r, MDM_ENROLL_COOKIE);
    int status = mdm_io_log_failure(v->r, v->ctx, rv), mine = 0;
    mdm_session_t *session;

    mdm_ctx_clear(v->ctx);
    if (rv == MDM_EGONE && mdm_session_find(&session, v->st, cookie) == APR_SUCCESS)
        mine = session->invitation != 0;
    return mdm_enroll_send(v, status, mdm_enroll_page_message(v->conf->site->organization,
        rv == MDM_EGONE ? "This invitation is over" : "No such invitation", text,
        mine ? apr_pstrcat(v->r->pool, start_of(v), "/status", NULL) : NULL, "Go on with your enrollment",
        v->r->pool));
}

/* The landing and the invitation: both show and take the form. */
static int enter(mdm_visit_t *v)
{
    apr_status_t rv;
    int answer, posted = v->r->method_number == M_POST;

    if (v->token) {
        if ((rv = mdm_enroll_store(v)) != APR_SUCCESS)
            return mdm_enroll_fail(v, rv);
        rv = mdm_invitation_open(&v->invitation, v->st, v->token);
        if (rv == MDM_ENOTFOUND || rv == MDM_EGONE)
            return invitation_over(v, rv);
        if (rv != APR_SUCCESS)
            return mdm_enroll_fail(v, rv);
    }
    if ((v->way = way_of(v)) == MDM_ENROLL_CLOSED)
        return closed(v);
    if (posted)
        return mdm_enroll_post(v);
    if (v->way == MDM_ENROLL_BY_APACHE && v->place == MDM_ENROLL_LANDING && wants_profile(v))
        return give_profile(v);
    answer = explain_agent(v);
    return answer == DECLINED ? mdm_enroll_form(v, HTTP_OK, NULL, NULL) : answer;
}

static int wants_json(request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    return accept && ap_strstr_c(accept, "application/json");
}

static int show_progress(mdm_visit_t *v, const mdm_session_t *session)
{
    const char *json;

    if (!wants_json(v->r))
        return mdm_enroll_send(v, HTTP_OK, mdm_enroll_page_progress(v->conf->site->organization, v->base,
                                                                    session, v->r->pool));
    json = apr_psprintf(v->r->pool, "{\"state\":\"%s\",\"method\":\"%s\",\"done\":%s}\n",
                        mdm_session_state_name(session->state),
                        session->method == MDM_SESSION_DIRECT ? "direct" : "profile-service",
                        session->state == MDM_SESSION_DONE ? "true" : "false");
    mdm_io_note(v->r, v->ctx, v->st);
    return mdm_io_send(v->r, HTTP_OK, "application/json", mdm_bytes_of(json));
}

/* What belongs to one browser: whoever has not its cookie learns nothing. */
static int follow(mdm_visit_t *v)
{
    mdm_session_t *session;
    mdm_bytes_t profile;
    apr_status_t rv = mdm_enroll_store(v);

    if (rv == APR_SUCCESS)
        rv = mdm_session_find(&session, v->st, mdm_signin_cookie(v->r, MDM_ENROLL_COOKIE));
    if (rv == MDM_ENOTFOUND)
        return mdm_enroll_message(v, HTTP_FORBIDDEN, "Please sign in", "There is no enrollment that belongs "
                                  "to this browser, or too much time has passed.", 1);
    if (rv == APR_SUCCESS && v->place == MDM_ENROLL_STATUS)
        return show_progress(v, session);
    if (rv == APR_SUCCESS)
        rv = mdm_session_profile(&profile, v->st, v->conf->site, session);
    return rv == APR_SUCCESS ? send_profile(v, profile, session->user) : mdm_enroll_fail(v, rv);
}

int mdm_handle_enroll(request_rec *r, const mdm_conf_t *conf)
{
    mdm_visit_t v = { 0 };
    int form, answer;

    v.r = r;
    v.conf = conf;
    locate(&v);
    if (v.place == MDM_ENROLL_DEVICE)
        return mdm_ota_handle(r, conf);
    v.ctx = mdm_io_ctx(r);
    form = v.place == MDM_ENROLL_LANDING || v.place == MDM_ENROLL_INVITATION;
    if (!mdm_io_method(&answer, r, form ? forms : views))
        return answer;
    if (v.place == MDM_ENROLL_NOWHERE)
        return mdm_enroll_message(&v, HTTP_NOT_FOUND, "Not found", "There is no such page.", 0);
    if ((answer = explain_way(&v)) != DECLINED)
        return answer;
    return form ? enter(&v) : follow(&v);
}
