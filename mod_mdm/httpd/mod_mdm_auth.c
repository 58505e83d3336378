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
#define MICROMDM_USER "micromdm"
#define SIGNATURE_MAX 65536

/* The fingerprint needs the DER only; the certificate itself is never parsed on this path. */
static apr_status_t pem_der(mdm_bytes_t *der, mdm_ctx_t *ctx, const char *pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    const char *start = strstr(pem, begin), *stop = start ? strstr(start, end) : NULL;

    if (!stop || mdm_base64_decode(der, start + sizeof(begin) - 1, (apr_size_t)(stop - start) - (sizeof(begin) - 1),
                                   ctx->pool) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_EINPUT, "mod_ssl gave a client certificate that is not PEM");
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
    mdm_bytes_t der;
    apr_status_t rv;

    *fingerprint = ap_get_module_config(c->conn_config, &mdm_module);
    if (*fingerprint || !(pem = tls_certificate(r)))
        return APR_SUCCESS;
    if ((rv = pem_der(&der, ctx, pem)) != APR_SUCCESS)
        return rv;
    *fingerprint = mdm_sha256_hex(der, c->pool);
    ap_set_module_config(c->conn_config, &mdm_module, (void *)*fingerprint);
    return APR_SUCCESS;
}

static apr_status_t tls_der(mdm_bytes_t *der, mdm_ctx_t *ctx, void *baton)
{
    const char *pem = tls_certificate(baton);

    return pem ? pem_der(der, ctx, pem) : mdm_fail(ctx, MDM_EDENIED, "the connection has no client certificate");
}

static apr_status_t header_der(mdm_bytes_t *der, mdm_ctx_t *ctx, void *baton)
{
    (void)ctx;
    *der = *(const mdm_bytes_t *)baton;
    return APR_SUCCESS;
}

static apr_status_t signer_der(mdm_bytes_t *der, mdm_ctx_t *ctx, void *baton)
{
    return mdm_cert_to_der(der, ctx, baton);
}

static apr_status_t header_fingerprint(mdm_caller_t *caller, mdm_ctx_t *ctx, request_rec *r)
{
    mdm_bytes_t *der = apr_palloc(ctx->pool, sizeof(*der));
    apr_status_t rv = mdm_auth_header(der, ctx, r);

    if (rv != APR_SUCCESS || !der->len)
        return rv;
    caller->fingerprint = mdm_sha256_hex(*der, ctx->pool);
    caller->certificate = header_der;
    caller->baton = der;
    return APR_SUCCESS;
}

static apr_status_t judge_signature(mdm_ctx_t *ctx, const mdm_site_t *site, const mdm_cms_signature_t *signature)
{
    if (signature->sha1 && !site->signature_sha1)
        return mdm_fail(ctx, MDM_EINPUT, "Mdm-Signature uses SHA-1, which MDMSignatureSHA1 Off refuses");
    if (signature->signed_at
        && (signature->signed_at < mdm_cert_not_before(signature->signer) - site->signature_tolerance
            || signature->signed_at > mdm_cert_not_after(signature->signer) + site->signature_tolerance))
        return mdm_fail(ctx, MDM_EINPUT, "Mdm-Signature was made outside of its certificate's validity, by the "
                        "clock of the device (MDMSignatureTolerance)");
    return APR_SUCCESS;
}

static apr_status_t signature_fingerprint(mdm_caller_t *caller, mdm_ctx_t *ctx, request_rec *r, const char *header,
                                          mdm_bytes_t body)
{
    mdm_cms_signature_t signature;
    mdm_bytes_t der;
    apr_status_t rv;

    if (!body.data && ap_request_has_body(r))
        return mdm_fail(ctx, MDM_EINPUT, "Mdm-Signature comes with a body, which is not read here");
    if (!body.data)
        body = mdm_bytes_of("");
    if (strlen(header) > SIGNATURE_MAX
        || mdm_base64_decode(&der, header, strlen(header), ctx->pool) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_EINPUT, "Mdm-Signature is not base64");
    if ((rv = mdm_cms_verify_detached(&signature, ctx, der, body)) != APR_SUCCESS
        || (rv = judge_signature(ctx, mdm_config_of(r->server)->site, &signature)) != APR_SUCCESS)
        return rv;
    caller->fingerprint = mdm_cert_fingerprint(ctx, signature.signer);
    caller->certificate = signer_der;
    caller->baton = signature.signer;
    return APR_SUCCESS;
}

static apr_status_t prove(mdm_caller_t *caller, mdm_ctx_t *ctx, request_rec *r, mdm_bytes_t body)
{
    const char *header = apr_table_get(r->headers_in, "Mdm-Signature");
    apr_status_t rv = tls_fingerprint(&caller->fingerprint, ctx, r);

    if (rv == APR_SUCCESS && !caller->fingerprint)
        rv = header_fingerprint(caller, ctx, r);
    if (rv != APR_SUCCESS || caller->fingerprint)
        return rv;
    if (header)
        return signature_fingerprint(caller, ctx, r, header, body);
    return mdm_fail(ctx, MDM_EDENIED, "the device shows no certificate: neither in TLS nor as Mdm-Signature");
}

apr_status_t mdm_auth_device(mdm_caller_t *caller, mdm_ctx_t *ctx, request_rec *r, mdm_bytes_t body)
{
    const char *why;
    apr_status_t rv;

    memset(caller, 0, sizeof(*caller));
    caller->source = r->useragent_ip;
    caller->certificate = tls_der;
    caller->baton = r;
    rv = prove(caller, ctx, r, body);
    if (rv == APR_SUCCESS)
        rv = mdm_auth_trace(caller, ctx, r);
    if (rv != MDM_EDENIED && rv != MDM_ECMS && rv != MDM_EINPUT)
        return rv;
    why = apr_pstrdup(ctx->pool, mdm_ctx_detail(ctx, rv));
    ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, MDMNO(0850) "a device proves no identity: %s", why);
    return mdm_fail(ctx, MDM_EINPUT, "%s", why);
}

static int unauthorized(request_rec *r)
{
    apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Basic realm=\"" API_USER "\"");
    return mdm_io_send(r, HTTP_UNAUTHORIZED, "text/plain; charset=utf-8", mdm_bytes_of("Unauthorized\n"));
}

static int has_key(request_rec *r, const mdm_conf_t *conf, const char *wanted)
{
    const char *user, *password;

    return conf->api_key && ap_get_basic_auth_components(r, &user, &password) == APR_SUCCESS && mdm_equal(user, wanted)
        && mdm_equal(password, conf->api_key);
}

int mdm_auth_micromdm(const char **actor, request_rec *r)
{
    /* who has the one key is one person, who must not approve his own commands under another name */
    *actor = API_USER;
    return !(r->user && *r->user) && has_key(r, mdm_config_of(r->server), MICROMDM_USER);
}

int mdm_auth_api(const char **actor, int *answer, request_rec *r)
{
    const mdm_conf_t *conf = mdm_config_of(r->server);

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
    if (has_key(r, conf, API_USER)) {
        *actor = API_USER;
        return 1;
    }
    if (apr_table_get(r->headers_in, "Authorization"))
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r, MDMNO(0121) "a wrong API user or key was refused");
    *answer = unauthorized(r);
    return 0;
}
