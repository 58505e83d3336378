/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sign-in of an enrollment: the form, and what is done when it comes back. A person is known by the
 * password that a provider of the site approves, by Apache's own sign-in, or by an invitation made out to
 * them. Any request thread.
 */
#include <apr_strings.h>
#include <http_protocol.h>

#include "mod_mdm_enroll.h"
#include "mod_mdm_enroll_page.h"
#include "mod_mdm_io.h"
#include "mod_mdm_person.h"
#include "mod_mdm_signin.h"
#include "mod_mdm_worker.h"

#define FORM_LIMIT 16384
#define SESSION_SECONDS 3600
#define SESSION_SECONDS_MANUAL (7 * 86400)

static const char wrong[] = "User name or password is wrong.";
static const char forbidden[] = "You are not allowed to enroll devices here. Please ask your administrator.";

/* Who the visitor is before any form: NULL when only a password can tell. */
static const char *known_as(const mdm_visit_t *v)
{
    if (v->way == MDM_ENROLL_BY_APACHE)
        return v->r->user;
    return v->way == MDM_ENROLL_BY_INVITATION ? v->invitation->user : NULL;
}

static int seconds(const mdm_visit_t *v)
{
    /* An administrator who approves each identity takes his time. */
    return v->conf->scep_manual ? SESSION_SECONDS_MANUAL : SESSION_SECONDS;
}

static const char *terms_sha256(const mdm_visit_t *v)
{
    return v->conf->terms ? mdm_sha256_hex(mdm_bytes_of(v->conf->terms), v->r->pool) : NULL;
}

static int refuse_person(mdm_visit_t *v)
{
    return mdm_enroll_message(v, HTTP_FORBIDDEN, "Not allowed", forbidden, 0);
}

int mdm_enroll_form(mdm_visit_t *v, int status, const char *login, const char *notice)
{
    request_rec *r = v->r;
    const char *known = known_as(v), *invited = v->invitation ? v->invitation->user : NULL;
    mdm_enroll_form_t form = { 0 };

    if (known && invited && strcmp(known, invited))
        return refuse_person(v);
    form.organization = v->conf->site->organization;
    form.action = v->token ? apr_pstrcat(r->pool, v->base, "/i/", v->token, NULL) : v->base;
    form.login = known ? known : invited ? invited : login;
    form.login_fixed = known || invited;
    form.password = !known;
    form.terms = v->conf->terms;
    form.terms_sha256 = terms_sha256(v);
    form.notice = notice;
    form.managed = !v->conf->site->configuration;
    if (!(form.token = mdm_signin_form_token(r, v->conf, v->base)))
        return mdm_enroll_fail(v, mdm_fail(v->ctx, MDM_ECRYPTO, "no token for the sign-in form"));
    return mdm_enroll_send(v, status, mdm_enroll_page_form(&form, r->pool));
}

static int limited(mdm_visit_t *v, apr_interval_time_t wait)
{
    apr_pool_t *p = v->r->pool;
    apr_time_t left = apr_time_sec(wait);

    apr_table_setn(v->r->err_headers_out, "Retry-After", apr_psprintf(p, "%" APR_TIME_T_FMT, left + 1));
    return mdm_enroll_form(v, HTTP_TOO_MANY_REQUESTS, NULL,
                           apr_psprintf(p, "Too many sign-ins have failed. Please try again in %"
                                        APR_TIME_T_FMT " minutes.", left / 60 + 1));
}

static int unavailable(mdm_visit_t *v)
{
    apr_table_setn(v->r->err_headers_out, "Retry-After", "30");
    return mdm_enroll_message(v, HTTP_SERVICE_UNAVAILABLE, "Please try again", "The sign-in is not available "
                              "at the moment. Please try again in a few minutes.", 1);
}

/* DECLINED: the person is who he says and may enroll; else the answer. */
static int check_password(mdm_visit_t *v, const char *login, const char *password)
{
    apr_interval_time_t wait = 0;

    switch (mdm_signin_check(&wait, v->r, v->conf, login, password)) {
    case MDM_SIGNIN_GRANTED:
        return DECLINED;
    case MDM_SIGNIN_WRONG:
        return mdm_enroll_form(v, HTTP_UNAUTHORIZED, login, wrong);
    case MDM_SIGNIN_FORBIDDEN:
        return refuse_person(v);
    case MDM_SIGNIN_LIMITED:
        return limited(v, wait);
    default:
        return unavailable(v);
    }
}

/* The login of an invitation may be what was typed or what the directory makes of it. */
static int is_invited(const mdm_visit_t *v, const char *login, const char *user)
{
    const char *invited = v->invitation ? v->invitation->user : NULL;

    return !invited || !strcmp(invited, user) || (login && !strcmp(invited, login));
}

/* An invitation says who somebody is, but nobody has authenticated his request. */
mdm_person_change_t *mdm_enroll_said(const mdm_visit_t *v, const char *user)
{
    return v->way == MDM_ENROLL_BY_INVITATION ? NULL : mdm_person_said(v->r, v->ctx, user);
}

/*
 * The answer to a commit may be lost, and the one use of an invitation be gone: with the cookie the browser finds its
 * session then. What it has of an earlier one is not given up for that.
 */
static int may_be_stored(const mdm_visit_t *v, apr_status_t rv)
{
    return rv == MDM_EDB && v->invitation && !mdm_signin_cookie(v->r, MDM_ENROLL_COOKIE);
}

apr_status_t mdm_enroll_open(mdm_session_t **session, mdm_visit_t *v, const char *user)
{
    mdm_sign_in_t sign_in = { 0 };
    const char *cookie, *path = ap_os_escape_path(v->r->pool, v->base, 1);
    apr_status_t rv = mdm_enroll_store(v);

    if (rv != APR_SUCCESS)
        return rv;
    sign_in.user = user;
    sign_in.person = mdm_enroll_said(v, user);
    sign_in.source = v->r->useragent_ip;
    sign_in.invitation = v->invitation;
    sign_in.terms = v->conf->terms;
    sign_in.method = mdm_enroll_method(v);
    sign_in.lifetime = apr_time_from_sec(seconds(v));
    rv = mdm_session_open(&cookie, session, v->st, &sign_in);
    if (rv == APR_SUCCESS || may_be_stored(v, rv))
        mdm_signin_set_cookie(v->r, MDM_ENROLL_COOKIE, cookie, path, seconds(v));
    if (rv != APR_SUCCESS)
        return rv;
    if (sign_in.person && sign_in.person->changed)
        mdm_worker_wake();
    mdm_log(v->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0785) "%s has signed in to enroll a device", user);
    return APR_SUCCESS;
}

/* The browser comes back with GET, so that nothing is posted twice. */
static int welcome(mdm_visit_t *v, const char *user)
{
    request_rec *r = v->r;
    mdm_session_t *session;
    apr_status_t rv = mdm_enroll_open(&session, v, user);

    if (rv != APR_SUCCESS)
        return mdm_enroll_fail(v, rv);
    apr_table_setn(r->headers_out, "Location", apr_pstrcat(r->pool, ap_os_escape_path(r->pool, v->base, 1),
                                                           "/status", NULL));
    return mdm_enroll_send(v, HTTP_SEE_OTHER, NULL);
}

static int take(mdm_visit_t *v, mdm_bytes_t body)
{
    request_rec *r = v->r;
    const char *login = mdm_signin_field(body, "user", r->pool), *user = known_as(v);
    char *password;
    int answer;

    if (!mdm_signin_form_is_ours(r, v->conf, v->base, mdm_signin_field(body, "token", r->pool)))
        return mdm_enroll_form(v, HTTP_FORBIDDEN, login, "This page was too old. Please try again.");
    if (v->conf->terms && !mdm_equal(terms_sha256(v), mdm_signin_field(body, "terms", r->pool)))
        return mdm_enroll_form(v, HTTP_UNPROCESSABLE_ENTITY, login, "Please accept the terms of use.");
    if (!user) {
        password = mdm_signin_field(body, "password", r->pool);
        answer = check_password(v, login, password);
        if (password)
            mdm_cleanse(password, strlen(password));
        if (answer != DECLINED)
            return answer;
        user = r->user;
    }
    return is_invited(v, login, user) ? welcome(v, user) : refuse_person(v);
}

int mdm_enroll_post(mdm_visit_t *v)
{
    const char *type = apr_table_get(v->r->headers_in, "Content-Type");
    mdm_bytes_t body;
    apr_status_t rv;
    int answer;

    if (!type || ap_cstr_casecmpn(type, "application/x-www-form-urlencoded", 33))
        return mdm_enroll_message(v, HTTP_UNSUPPORTED_MEDIA_TYPE, "Not understood",
                                  "This is no form that was sent by a browser.", 1);
    mdm_enroll_rest(v);
    if ((rv = mdm_io_body(&body, v->ctx, v->r, FORM_LIMIT)) != APR_SUCCESS)
        return mdm_enroll_fail(v, rv);
    answer = take(v, body);
    mdm_cleanse((void *)body.data, body.len);
    return answer;
}
