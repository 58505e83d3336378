/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sign-in by httpd's authentication providers, then by the Location's Require lines: the two steps that httpd
 * takes itself when a browser sends a password by itself. Any request thread. Passwords are neither kept nor
 * logged.
 */
#include <httpd.h>

#include <ap_provider.h>
#include <apr_escape.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_auth.h>

#include "mod_mdm_rate.h"
#include "mod_mdm_signin.h"

#define FORM_COOKIE "__Secure-mdm-form"
#define FORM_COOKIE_BYTES 16
#define FORM_COOKIE_AGE 86400
#define LOGIN_MAX 255
#define PASSWORD_MAX 1024
#define FAILURE_STEP apr_time_from_msec(250)

static authn_status ask(request_rec *r, const char *name, const char *login, const char *password)
{
    const authn_provider *provider = ap_lookup_provider(AUTHN_PROVIDER_GROUP, name, AUTHN_PROVIDER_VERSION);
    authn_status status;

    if (!provider || !provider->check_password) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, MDMNO(0780) "MDMAuthProvider %s: there is no such "
                      "provider of passwords; load the module that brings it", name);
        return AUTH_GENERAL_ERROR;
    }
    apr_table_setn(r->notes, AUTHN_PROVIDER_NAME_NOTE, name);
    status = provider->check_password(r, login, password);
    apr_table_unset(r->notes, AUTHN_PROVIDER_NAME_NOTE);
    return status;
}

/* The first provider that knows the account decides, and one that cannot say ends the search. */
static authn_status ask_all(request_rec *r, const char *login, const char *password)
{
    const apr_array_header_t *providers = mdm_config_dir(r)->auth_providers;
    authn_status status = AUTH_USER_NOT_FOUND;
    int i;

    /* Providers expect the login there, and may put the directory's own form of it in its place. */
    r->user = apr_pstrdup(r->pool, login);
    r->ap_auth_type = (char *)"mdm-enroll";
    for (i = 0; i < providers->nelts && status == AUTH_USER_NOT_FOUND; i++)
        status = ask(r, APR_ARRAY_IDX(providers, i, const char *), login, password);
    return status;
}

static mdm_signin_e authorize(request_rec *r)
{
    int status = ap_run_auth_checker(r);

    if (status == OK)
        return MDM_SIGNIN_GRANTED;
    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r, MDMNO(0781) "the Require lines do not let %s enroll",
                  r->user);
    return status >= HTTP_INTERNAL_SERVER_ERROR ? MDM_SIGNIN_UNAVAILABLE : MDM_SIGNIN_FORBIDDEN;
}

/* Failures take a round time: what a provider does for an account that exists does not show. */
static void hold(request_rec *r)
{
    apr_interval_time_t taken = apr_time_now() - r->request_time;

    apr_sleep(FAILURE_STEP - (taken > 0 ? taken % FAILURE_STEP : 0));
}

static mdm_signin_e judge(request_rec *r, authn_status status, const char *login)
{
    if (status == AUTH_GRANTED)
        return authorize(r);
    r->user = NULL;
    r->ap_auth_type = NULL;
    if (status == AUTH_GENERAL_ERROR) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, MDMNO(0782) "sign-in of %s: the authentication provider "
                      "could not say; is the directory down?", login);
        return MDM_SIGNIN_UNAVAILABLE;
    }
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, MDMNO(0783) "sign-in of %s failed", login);
    hold(r);
    return MDM_SIGNIN_WRONG;
}

static int is_login(const char *login)
{
    const char *c;

    for (c = login; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return 0;
    }
    return c > login && c - login <= LOGIN_MAX;
}

mdm_signin_e mdm_signin_check(apr_interval_time_t *wait, request_rec *r, const mdm_conf_t *conf,
                              const char *login, const char *password)
{
    apr_time_t now = apr_time_now();
    mdm_rate_keys_t keys;
    mdm_signin_e result;

    /* A directory takes a bind without a password for one of nobody, and says yes. */
    if (!login || !is_login(login) || !password || !*password || strlen(password) > PASSWORD_MAX)
        return MDM_SIGNIN_WRONG;
    if (mdm_rate_keys(&keys, conf, login, r->useragent_ip, r->pool) != APR_SUCCESS)
        return MDM_SIGNIN_UNAVAILABLE;
    if ((*wait = mdm_rate_take(conf, &keys, now)) > 0) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, MDMNO(0784) "sign-in of %s not looked at: too many "
                      "have failed for this account or from %s", login, r->useragent_ip);
        return MDM_SIGNIN_LIMITED;
    }
    result = judge(r, ask_all(r, login, password), login);
    if (result != MDM_SIGNIN_WRONG)
        mdm_rate_give_back(conf, &keys, now, result != MDM_SIGNIN_UNAVAILABLE);
    return result;
}

char *mdm_signin_field(mdm_bytes_t form, const char *name, apr_pool_t *p)
{
    apr_size_t len = strlen(name);
    const char *end = (const char *)form.data + form.len, *pair = (const char *)form.data;

    while (pair < end) {
        apr_status_t rv;
        const char *stop = memchr(pair, '&', (apr_size_t)(end - pair));

        if (!stop)
            stop = end;
        if ((apr_size_t)(stop - pair) > len && !strncmp(pair, name, len) && pair[len] == '=') {
            char *value = apr_pstrmemdup(p, pair + len + 1, (apr_size_t)(stop - pair) - len - 1);

            /* In place, so that a password is there once only. */
            rv = apr_unescape_url(value, value, APR_ESCAPE_STRING, NULL, NULL, 1, NULL);
            if (rv != APR_SUCCESS && rv != APR_NOTFOUND)
                return NULL;
            return mdm_utf8_valid(mdm_bytes_of(value)) ? value : NULL;
        }
        pair = stop + 1;
    }
    return NULL;
}

const char *mdm_signin_cookie(request_rec *r, const char *name)
{
    const char *header = apr_table_get(r->headers_in, "Cookie");
    apr_size_t len = strlen(name);
    char *pair, *last;

    if (!header)
        return NULL;
    pair = apr_strtok(apr_pstrdup(r->pool, header), "; ", &last);
    for (; pair; pair = apr_strtok(NULL, "; ", &last)) {
        if (!strncmp(pair, name, len) && pair[len] == '=')
            return pair + len + 1;
    }
    return NULL;
}

void mdm_signin_set_cookie(request_rec *r, const char *name, const char *value, const char *path, int age)
{
    const char *cookie = apr_psprintf(r->pool, "%s=%s; Path=%s; Max-Age=%d; Secure; HttpOnly; "
                                      "SameSite=Strict", name, value, path, age);

    apr_table_addn(r->err_headers_out, "Set-Cookie", cookie);
}

static const char *form_token(request_rec *r, const mdm_conf_t *conf, const char *path, const char *cookie)
{
    const char *text = apr_pstrcat(r->pool, "mdm-form\n", path, "\n", cookie, NULL);
    unsigned char mac[MDM_SHA256_LEN];

    if (mdm_seal_mac(mac, conf->site->seal, mdm_bytes_of(text)) != APR_SUCCESS)
        return NULL;
    return mdm_hex_encode((mdm_bytes_t){ mac, sizeof(mac) }, r->pool);
}

/* The form cookie that the browser sent, when it can be one of ours. */
static const char *form_cookie(request_rec *r)
{
    const char *cookie = mdm_signin_cookie(r, FORM_COOKIE);

    return cookie && strspn(cookie, "0123456789abcdef") == 2 * FORM_COOKIE_BYTES
        && strlen(cookie) == 2 * FORM_COOKIE_BYTES ? cookie : NULL;
}

const char *mdm_signin_form_token(request_rec *r, const mdm_conf_t *conf, const char *path)
{
    const char *cookie = form_cookie(r);
    unsigned char random[FORM_COOKIE_BYTES];

    if (!cookie) {
        if (mdm_random(random, sizeof(random)) != APR_SUCCESS)
            return NULL;
        cookie = mdm_hex_encode((mdm_bytes_t){ random, sizeof(random) }, r->pool);
        mdm_signin_set_cookie(r, FORM_COOKIE, cookie, path, FORM_COOKIE_AGE);
    }
    return form_token(r, conf, path, cookie);
}

/* What a browser says of the page that made it post; a browser that says nothing is believed its cookie. */
static int from_our_page(request_rec *r)
{
    const char *origin = apr_table_get(r->headers_in, "Origin"), *host = apr_table_get(r->headers_in, "Host");
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");

    if (site && strcmp(site, "same-origin") && strcmp(site, "none"))
        return 0;
    return !origin || (host && !ap_cstr_casecmp(origin, apr_pstrcat(r->pool, "https://", host, NULL)));
}

int mdm_signin_form_is_ours(request_rec *r, const mdm_conf_t *conf, const char *path, const char *token)
{
    const char *cookie = form_cookie(r);

    return from_our_page(r) && cookie && mdm_equal(form_token(r, conf, path, cookie), token);
}
