/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates that a proxy in front of httpd passes on. Whoever may set the header is whom it says, so it goes
 * away, before any other module reads it, unless the TCP connection itself comes from a listed proxy: what another
 * header says of the client's address is not asked. Request threads.
 */
#include <ctype.h>
#include <string.h>

#include <apr_strings.h>
#include <http_protocol.h>

#include "mdm_pki.h"
#include "mod_mdm_auth.h"
#include "mod_mdm_log.h"

#define HEADER_MAX 32768
#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

static int is_proxy(const conn_rec *c, const apr_array_header_t *proxies)
{
    int i;

    for (i = 0; proxies && i < proxies->nelts; i++) {
        if (apr_ipsubnet_test(APR_ARRAY_IDX(proxies, i, apr_ipsubnet_t *), c->client_addr))
            return 1;
    }
    return 0;
}

static int hex_value(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* A plus sign stays one: it is a digit of base64, and not every proxy encodes it. @return NULL when malformed */
static char *url_decoded(const char *text, apr_pool_t *p)
{
    char *out = apr_palloc(p, strlen(text) + 1), *to = out;

    for (; *text; text++) {
        int high, low;

        if (*text != '%') {
            *to++ = *text;
            continue;
        }
        high = hex_value(text[1]);
        low = high < 0 ? -1 : hex_value(text[2]);
        if (low < 0 || !(high << 4 | low))
            return NULL;
        *to++ = (char)(high << 4 | low);
        text += 2;
    }
    *to = '\0';
    return out;
}

static const char *skip_space(const char *text)
{
    return text + strspn(text, " \t\r\n");
}

/* @return whether the text is one PEM certificate and nothing else */
static int read_pem(mdm_bytes_t *der, const char *text, apr_pool_t *p)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    const char *start, *stop;

    text = skip_space(text);
    if (strncmp(text, begin, sizeof(begin) - 1))
        return 0;
    start = text + sizeof(begin) - 1;
    stop = strstr(start, end);
    return stop && !*skip_space(stop + sizeof(end) - 1)
        && mdm_base64_decode(der, start, (apr_size_t)(stop - start), p) == APR_SUCCESS;
}

/* A byte sequence of structured fields (RFC 8941 3.3.5), without parameters. */
static int read_rfc9440(mdm_bytes_t *der, const char *text, apr_pool_t *p)
{
    apr_size_t len = strspn(text + 1, BASE64);

    return text[1 + len] == ':' && !*skip_space(text + len + 2)
        && mdm_base64_decode(der, text + 1, len, p) == APR_SUCCESS;
}

apr_status_t mdm_auth_header(mdm_bytes_t *der, mdm_ctx_t *ctx, request_rec *r)
{
    const char *name = mdm_config_of(r->server)->client_cert_header;
    const char *value = name ? apr_table_get(r->headers_in, name) : NULL, *text;
    mdm_cert_t *cert;
    int is_read;

    der->len = 0;
    value = value ? skip_space(value) : NULL;
    if (!value || !*value)
        return APR_SUCCESS;
    if (strlen(value) > HEADER_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "the header %s is longer than %d bytes", name, HEADER_MAX);
    if (*value == ':')
        is_read = read_rfc9440(der, value, ctx->pool);
    else
        is_read = (text = url_decoded(value, ctx->pool)) != NULL && read_pem(der, text, ctx->pool);
    if (!is_read || mdm_cert_from_der(&cert, ctx, *der) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_EINPUT, "the header %s is not one certificate, as URL-encoded PEM or as RFC 9440 "
                        "has it", name);
    return APR_SUCCESS;
}

int mdm_auth_strip(request_rec *r)
{
    const mdm_conf_t *conf = mdm_config_of(r->server);

    if (!conf->site || !conf->client_cert_header || is_proxy(r->connection, conf->client_cert_proxies)
        || !apr_table_get(r->headers_in, conf->client_cert_header))
        return DECLINED;
    apr_table_unset(r->headers_in, conf->client_cert_header);
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, MDMNO(0852) "the header %s from %s is dropped: that is no proxy of "
                  "MDMClientCertProxy", conf->client_cert_header, r->connection->client_ip);
    return DECLINED;
}
