/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is calling. Runs in the handlers, before anything of a request is believed.
 */
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_ssl.h>

#include "mdm_cms.h"
#include "mod_mdm_auth.h"
#include "mod_mdm_io.h"

#define API_USER "nanomdm"
#define SIGNATURE_MAX 65536

/* The fingerprint needs the DER only; the certificate itself is never parsed on this path. */
static apr_status_t pem_fingerprint(const char **fingerprint, mdm_ctx_t *ctx, const char *pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    const char *start = strstr(pem, begin), *stop = start ? strstr(start, end) : NULL;
    mdm_bytes_t der;

    if (!stop)
        return mdm_fail(ctx, MDM_EINPUT, "mod_ssl gave a client certificate that is not PEM");
    start += sizeof(begin) - 1;
    if (mdm_base64_decode(&der, start, (apr_size_t)(stop - start), ctx->pool) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_EINPUT, "mod_ssl gave a client certificate that is not PEM");
    *fingerprint = mdm_sha256_hex(der, ctx->pool);
    return APR_SUCCESS;
}

static const char *tls_certificate(request_rec *r)
{
    const char *pem;

    if (!ap_ssl_conn_is_ssl(r->connection))
        return NULL;
    pem = ap_ssl_var_lookup(r->pool, r->server, r->connection, r, "SSL_CLIENT_CERT");
    return pem && *pem ? pem : NULL;
}

/*
 * A connection's certificate is looked at once: its peer has proven there that it holds the key, and whether
 * the certificate still counts is asked of the database with every request. *fingerprint is NULL without one.
 */
static apr_status_t tls_fingerprint(const char **fingerprint, mdm_ctx_t *ctx, request_rec *r)
{
    conn_rec *c = r->connection;
    const char *pem;
    apr_status_t rv;

    *fingerprint = ap_get_module_config(c->conn_config, &mdm_module);
    if (*fingerprint || !(pem = tls_certificate(r)))
        return APR_SUCCESS;
    rv = pem_fingerprint(fingerprint, ctx, pem);
    if (rv == APR_SUCCESS)
        ap_set_module_config(c->conn_config, &mdm_module, apr_pstrdup(c->pool, *fingerprint));
    return rv;
}

static apr_status_t signature_fingerprint(const char **fingerprint, mdm_ctx_t *ctx, const char *header,
                                          mdm_bytes_t body)
{
    mdm_cert_t *signer;
    mdm_bytes_t der;
    apr_status_t rv;

    if (strlen(header) > SIGNATURE_MAX
        || mdm_base64_decode(&der, header, strlen(header), ctx->pool) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_EINPUT, "Mdm-Signature is not base64");
    if ((rv = mdm_cms_verify_detached(&signer, ctx, der, body)) != APR_SUCCESS)
        return rv;
    *fingerprint = mdm_cert_fingerprint(ctx, signer);
    return APR_SUCCESS;
}

apr_status_t mdm_auth_device(const char **fingerprint, mdm_ctx_t *ctx, request_rec *r, mdm_bytes_t body)
{
    const char *header = apr_table_get(r->headers_in, "Mdm-Signature");
    apr_status_t rv = tls_fingerprint(fingerprint, ctx, r);

    if (rv != APR_SUCCESS || *fingerprint)
        return rv;
    if (header)
        return signature_fingerprint(fingerprint, ctx, header, body);
    return mdm_fail(ctx, MDM_EDENIED, "the device shows no certificate: neither in TLS nor as Mdm-Signature");
}

static int unauthorized(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Basic realm=\"" API_USER "\"");
    return mdm_io_send(r, HTTP_UNAUTHORIZED, "text/plain; charset=utf-8", mdm_bytes_of("Unauthorized\n"));
}

int mdm_auth_api(const char **actor, int *answer, request_rec *r)
{
    const mdm_conf_t *conf = mdm_config_of(r->server);
    const char *user, *password;

    if (r->user && *r->user) {
        *actor = r->user;
        return 1;
    }
    if (!conf->api_key) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, MDMNO(0120) "the API is closed: set MDMAPIKeyFile, or let "
                      "Apache authenticate this Location (AuthType, Require)");
        *answer = mdm_io_send(r, HTTP_FORBIDDEN, "text/plain; charset=utf-8",
                              mdm_bytes_of("The API has no sign-in set up.\n"));
        return 0;
    }
    if (ap_get_basic_auth_components(r, &user, &password) == APR_SUCCESS && mdm_equal(user, API_USER)
        && mdm_equal(password, conf->api_key)) {
        *actor = API_USER;
        return 1;
    }
    if (apr_table_get(r->headers_in, "Authorization"))
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, MDMNO(0121) "a wrong API user or key was refused");
    *answer = unauthorized(r);
    return 0;
}
