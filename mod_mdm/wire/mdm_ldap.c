/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LDAP over libldap: connection, bind, waiting. Called by the directory's thread. Every operation is sent first and
 * waited for in slices, since nothing interrupts libldap. What entries mean is not known here; how they are searched
 * for is mdm_ldap_search.c's.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include "mdm_ldap_wait.h"

#define ATTEMPTS 3
#define HANDSHAKE apr_time_from_sec(10)

static apr_status_t unbind(void *ldapv)
{
    mdm_ldap_t *l = ldapv;

    if (l->ld)
        ldap_unbind_ext_s(l->ld, NULL, NULL);
    l->ld = NULL;
    return APR_SUCCESS;
}

void mdm_ldap_close(mdm_ldap_t *l)
{
    if (l)
        apr_pool_cleanup_run(l->ctx->pool, l, unbind);
}

apr_status_t mdm_ldap_fail(mdm_ldap_t *l, int code, const char *what)
{
    char *said = NULL;
    apr_status_t rv = code == LDAP_INVALID_CREDENTIALS || code == LDAP_INSUFFICIENT_ACCESS || code == LDAP_REFERRAL
        ? MDM_EDENIED : code == LDAP_NO_SUCH_OBJECT || code == LDAP_INVALID_DN_SYNTAX ? MDM_ENOTFOUND : MDM_EHTTP;

    if (l->ld)
        ldap_get_option(l->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said);
    rv = mdm_fail(l->ctx, rv, "%s: %s: %s%s%.200s", l->config.uri, what, ldap_err2string(code),
                  said && *said ? ": " : "", said ? said : "");
    if (said)
        ldap_memfree(said);
    return rv;
}

static apr_status_t stopped(mdm_ldap_t *l)
{
    return mdm_fail(l->ctx, APR_EINTR, "the server stops");
}

int mdm_ldap_is_stopping(const mdm_ldap_config_t *config)
{
    return config->stopping && config->stopping(config->baton);
}

apr_status_t mdm_ldap_wait(LDAPMessage **out, mdm_ldap_t *l, int id, const char *what)
{
    apr_time_t end = apr_time_now() + l->config.timeout;

    for (;;) {
        struct timeval slice = { 0, 500000 };
        int code, kind;

        if (mdm_ldap_is_stopping(&l->config) || (l->config.look && l->config.look(l->config.baton))) {
            ldap_abandon_ext(l->ld, id, NULL, NULL);
            return stopped(l);
        }
        if ((kind = ldap_result(l->ld, id, LDAP_MSG_ONE, &slice, out)) > 0)
            return APR_SUCCESS;
        if (kind < 0) {
            code = LDAP_SERVER_DOWN;
            ldap_get_option(l->ld, LDAP_OPT_RESULT_CODE, &code);
            return mdm_ldap_fail(l, code, what);
        }
        if (apr_time_now() >= end) {
            ldap_abandon_ext(l->ld, id, NULL, NULL);
            return mdm_fail(l->ctx, MDM_EHTTP, "%s: %s: no answer within %d seconds", l->config.uri, what,
                            (int)apr_time_sec(l->config.timeout));
        }
    }
}

/* The end of an operation that has one message alone. */
static apr_status_t finish(mdm_ldap_t *l, int id, const char *what)
{
    LDAPMessage *message;
    int parsed, code = LDAP_SUCCESS;
    apr_status_t rv = mdm_ldap_wait(&message, l, id, what);

    if (rv != APR_SUCCESS)
        return rv;
    parsed = ldap_parse_result(l->ld, message, &code, NULL, NULL, NULL, NULL, 1);
    if (parsed != LDAP_SUCCESS)
        code = parsed;
    return code == LDAP_SUCCESS ? APR_SUCCESS : mdm_ldap_fail(l, code, what);
}

/* Options of this connection alone: what ldap.conf says of verification does not count. */
static int set_tls(mdm_ldap_t *l)
{
    int demand = LDAP_OPT_X_TLS_DEMAND, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0, code;
    static const char system_cas[] = "/etc/ssl/certs/ca-certificates.crt";
    const char *file = l->config.ca_file;
    char *own = NULL;
    apr_finfo_t info;

    ldap_get_option(NULL, LDAP_OPT_X_TLS_CACERTFILE, &own);
    if (!file && !own && apr_stat(&info, system_cas, APR_FINFO_TYPE, l->ctx->pool) == APR_SUCCESS)
        file = system_cas;
    ldap_memfree(own);
    if ((file && (code = ldap_set_option(l->ld, LDAP_OPT_X_TLS_CACERTFILE, file)) != LDAP_SUCCESS)
        || (code = ldap_set_option(l->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand)) != LDAP_SUCCESS
        || (code = ldap_set_option(l->ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least)) != LDAP_SUCCESS
        || (code = ldap_set_option(l->ld, LDAP_OPT_X_TLS_NEWCTX, &client)) != LDAP_SUCCESS)
        return code;
    return LDAP_SUCCESS;
}

static apr_status_t make(mdm_ldap_t *l, int seconds)
{
    int version = LDAP_VERSION3, code;
    struct timeval wait = { seconds, 0 };

    if ((code = ldap_initialize(&l->ld, l->config.uri)) != LDAP_SUCCESS) {
        l->ld = NULL;
        return mdm_ldap_fail(l, code, "cannot be used");
    }
    ldap_set_option(l->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_set_option(l->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
    ldap_set_option(l->ld, LDAP_OPT_NETWORK_TIMEOUT, &wait);
    ldap_set_option(l->ld, LDAP_OPT_TIMEOUT, &wait);
    code = set_tls(l);
    return code == LDAP_SUCCESS ? APR_SUCCESS : mdm_ldap_fail(l, code, "TLS cannot be used");
}

/* A peer that stops within a message must not hold the thread. */
static void limit_reads(mdm_ldap_t *l)
{
    struct timeval second = { 1, 0 };
    int fd = -1;

    if (ldap_get_option(l->ld, LDAP_OPT_DESC, &fd) == LDAP_SUCCESS && fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
    }
}

static apr_status_t start_tls(mdm_ldap_t *l)
{
    int id, code = ldap_start_tls(l->ld, NULL, NULL, &id);
    apr_status_t rv;

    if (code != LDAP_SUCCESS)
        return mdm_ldap_fail(l, code, "cannot be reached");
    limit_reads(l);
    if ((rv = finish(l, id, "STARTTLS")) != APR_SUCCESS)
        return rv;
    code = ldap_install_tls(l->ld);
    return code == LDAP_SUCCESS ? APR_SUCCESS : mdm_ldap_fail(l, code, "STARTTLS");
}

static apr_status_t bind_as(mdm_ldap_t *l)
{
    const char *dn = l->config.bind_dn ? l->config.bind_dn : "", *password = dn[0] ? l->config.password : "";
    struct berval secret = { strlen(password), (char *)password };
    int id, code = ldap_sasl_bind(l->ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, &id);

    if (code != LDAP_SUCCESS)
        return mdm_ldap_fail(l, code, "cannot be reached");
    limit_reads(l);
    return finish(l, id, dn[0] ? apr_psprintf(l->ctx->pool, "bind as %s", dn) : "bind");
}

static apr_status_t attempt(int *connected, mdm_ldap_t *l, int seconds)
{
    mdm_ldap_guard_t *guard;
    apr_status_t rv = make(l, seconds);
    int cut;

    *connected = 0;
    if (rv != APR_SUCCESS)
        return rv;
    if (!(guard = mdm_ldap_guard_start(l, HANDSHAKE)))
        return mdm_fail(l->ctx, MDM_ECONFIG, "%s: no thread to watch over the connection", l->config.uri);
    if (l->config.start_tls)
        rv = start_tls(l);
    if (rv == APR_SUCCESS)
        rv = bind_as(l);
    *connected = mdm_ldap_guard_end(guard, &cut);
    if (rv == MDM_EHTTP && cut) {
        mdm_ctx_clear(l->ctx);
        rv = mdm_fail(l->ctx, MDM_EHTTP, "%s: Can't contact LDAP server: it has not answered within %d seconds",
                      l->config.uri, (int)apr_time_sec(HANDSHAKE));
    }
    return rv;
}

/* libldap connects at the first operation, and does not look up from it: so it gets little time, then more. */
static apr_status_t connect_and_bind(mdm_ldap_t *l)
{
    apr_status_t rv = APR_SUCCESS;
    int i, connected = 0;

    for (i = 0; i < ATTEMPTS && !connected; i++) {
        if (i)
            unbind(l);
        mdm_ctx_clear(l->ctx);
        if (mdm_ldap_is_stopping(&l->config))
            return stopped(l);
        rv = attempt(&connected, l, 1 << i);
        if (rv != MDM_EHTTP)
            return rv;
    }
    if (!mdm_ldap_is_stopping(&l->config))
        return rv;
    mdm_ctx_clear(l->ctx);
    return stopped(l);
}

static apr_status_t check_ca(mdm_ctx_t *ctx, const char *name)
{
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, name, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, ctx->pool);

    if (rv != APR_SUCCESS)
        return mdm_fail(ctx, MDM_ECONFIG, "the CA file %s cannot be read by httpd's children: %pm", name, &rv);
    apr_file_close(file);
    return APR_SUCCESS;
}

apr_status_t mdm_ldap_open(mdm_ldap_t **out, mdm_ctx_t *ctx, const mdm_ldap_config_t *config)
{
    mdm_ldap_t *l = apr_pcalloc(ctx->pool, sizeof(*l));
    apr_status_t rv;

    l->ctx = ctx;
    l->config = *config;
    if (config->ca_file && (rv = check_ca(ctx, config->ca_file)) != APR_SUCCESS)
        return rv;
    apr_pool_cleanup_register(ctx->pool, l, unbind, apr_pool_cleanup_null);
    rv = connect_and_bind(l);
    if (rv == APR_SUCCESS)
        *out = l;
    else
        mdm_ldap_close(l);
    return rv;
}

apr_status_t mdm_ldap_url(mdm_ldap_url_t *out, mdm_ctx_t *ctx, const char *text)
{
    LDAPURLDesc *url;
    apr_pool_t *p = ctx->pool;
    int port;

    if (ldap_url_parse(text, &url) != LDAP_URL_SUCCESS)
        return mdm_fail(ctx, MDM_EINPUT, "'%s' is no LDAP URL, such as "
                        "ldaps://ldap.example.com/ou=people,dc=example,dc=com?uid?sub?(objectClass=person)", text);
    memset(out, 0, sizeof(*out));
    out->tls = !strcmp(url->lud_scheme, "ldaps");
    port = url->lud_port ? url->lud_port : out->tls ? 636 : 389;
    if (url->lud_host && *url->lud_host && (out->tls || !strcmp(url->lud_scheme, "ldap")))
        out->uri = apr_psprintf(p, strchr(url->lud_host, ':') ? "%s://[%s]:%d" : "%s://%s:%d", url->lud_scheme,
                                url->lud_host, port);
    out->base = apr_pstrdup(p, url->lud_dn ? url->lud_dn : "");
    out->attribute = apr_pstrdup(p, url->lud_attrs && url->lud_attrs[0] ? url->lud_attrs[0] : "uid");
    out->one_level = url->lud_scope == LDAP_SCOPE_ONELEVEL;
    out->filter = apr_pstrdup(p, url->lud_filter && *url->lud_filter ? url->lud_filter : "(objectClass=*)");
    if (*out->filter != '(')
        out->filter = apr_pstrcat(p, "(", out->filter, ")", NULL);
    ldap_free_urldesc(url);
    if (!out->uri)
        return mdm_fail(ctx, MDM_EINPUT, "'%s': the scheme is ldap or ldaps, and a host is named", text);
    if (!*out->base || !mdm_ldap_dn(out->base, p))
        return mdm_fail(ctx, MDM_EINPUT, "'%s': the base behind the host is no distinguished name", text);
    return APR_SUCCESS;
}

const char *mdm_ldap_dn(const char *dn, apr_pool_t *p)
{
    char *normal = NULL, *copy, *at;

    if (ldap_dn_normalize(dn, LDAP_DN_FORMAT_LDAP, &normal, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS || !normal)
        return NULL;
    copy = apr_pstrdup(p, normal);
    ldap_memfree(normal);
    for (at = copy; *at; at++)
        *at = apr_tolower(*at);
    return copy;
}
