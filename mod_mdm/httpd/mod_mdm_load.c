/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From directives to a site: keys and certificates are read here, as root in the parent, once per start or
 * restart. Children inherit them in memory and never open the files.
 */
#include <ctype.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_authority.h"
#include "mdm_file.h"
#include "mdm_payloads.h"
#include "mdm_plist.h"
#include "mod_mdm_config.h"
#include "mod_mdm_log.h"

#define PEM_MAX (1024 * 1024)

static apr_status_t read_key(mdm_key_t **key, mdm_ctx_t *ctx, const char *directive, const char *file)
{
    mdm_bytes_t pem;
    apr_status_t rv = mdm_file_read_secret(&pem, ctx, file);

    if (rv == APR_SUCCESS && (rv = mdm_key_from_pem(key, ctx, pem)) != APR_SUCCESS) {
        const char *why = mdm_ctx_detail(ctx, rv);

        mdm_ctx_clear(ctx);
        return mdm_fail(ctx, MDM_ECONFIG, "%s %s: %s", directive, file, why);
    }
    return rv;
}

static apr_status_t load_ca(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    mdm_authority_t *authority;
    apr_array_header_t *authorities;
    mdm_bytes_t pem;
    mdm_cert_t *cert;
    mdm_key_t *key;
    apr_status_t rv;

    if ((rv = mdm_file_read(&pem, ctx, conf->ca_certificate_file, PEM_MAX)) != APR_SUCCESS
        || (rv = mdm_cert_from_pem(&cert, ctx, pem)) != APR_SUCCESS
        || (rv = read_key(&key, ctx, "MDMCAKeyFile", conf->ca_key_file)) != APR_SUCCESS)
        return rv;
    if (!mdm_cert_has_key(cert, key))
        return mdm_fail(ctx, MDM_ECONFIG, "MDMCAKeyFile %s is not the key of MDMCACertificateFile %s",
                        conf->ca_key_file, conf->ca_certificate_file);
    authority = apr_pcalloc(ctx->pool, sizeof(*authority));
    authority->cert = cert;
    authority->key = key;
    authority->fingerprint = mdm_cert_fingerprint(ctx, cert);
    authorities = apr_array_make(ctx->pool, 2, sizeof(mdm_authority_t *));
    APR_ARRAY_PUSH(authorities, mdm_authority_t *) = authority;
    site->authorities = authorities;
    return mdm_cert_to_der(&authority->der, ctx, cert);
}

static apr_status_t load_signer(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    apr_array_header_t *certs;
    mdm_key_t *key;
    mdm_bytes_t pem;
    apr_status_t rv;

    site->signer = mdm_authority_present(site, mdm_ctx_now(ctx))->cert;
    site->signer_key = mdm_authority_present(site, mdm_ctx_now(ctx))->key;
    if (!conf->signer_file)
        return APR_SUCCESS;
    if ((rv = mdm_file_read(&pem, ctx, conf->signer_file, PEM_MAX)) != APR_SUCCESS
        || (rv = mdm_certs_from_pem(&certs, ctx, pem)) != APR_SUCCESS
        || (rv = read_key(&key, ctx, "MDMProfileSignerFile", conf->signer_key_file)) != APR_SUCCESS)
        return rv;
    site->signer = APR_ARRAY_IDX(certs, 0, mdm_cert_t *);
    site->signer_key = key;
    if (!mdm_cert_has_key(site->signer, key))
        return mdm_fail(ctx, MDM_ECONFIG, "MDMProfileSignerFile: %s is not the key of %s",
                        conf->signer_key_file, conf->signer_file);
    memmove(certs->elts, certs->elts + certs->elt_size,
            (apr_size_t)(certs->nelts - 1) * (apr_size_t)certs->elt_size);
    certs->nelts--;
    site->signer_chain = certs;
    return APR_SUCCESS;
}

static apr_status_t load_certs(const apr_array_header_t **out, mdm_ctx_t *ctx, const apr_array_header_t *files)
{
    apr_array_header_t *all = apr_array_make(ctx->pool, 2, sizeof(mdm_cert_t *));
    int i;

    for (i = 0; files && i < files->nelts; i++) {
        apr_array_header_t *certs;
        mdm_bytes_t pem;
        apr_status_t rv = mdm_file_read(&pem, ctx, APR_ARRAY_IDX(files, i, const char *), PEM_MAX);

        if (rv != APR_SUCCESS || (rv = mdm_certs_from_pem(&certs, ctx, pem)) != APR_SUCCESS)
            return rv;
        apr_array_cat(all, certs);
    }
    *out = all;
    return APR_SUCCESS;
}

static apr_status_t load_configuration(mdm_site_t *site, mdm_ctx_t *ctx, const apr_array_header_t *files)
{
    apr_array_header_t *payloads = apr_array_make(ctx->pool, 4, sizeof(mdm_plist_t *));
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && files && i < files->nelts; i++) {
        const char *file = APR_ARRAY_IDX(files, i, const char *);
        mdm_bytes_t bytes;

        if ((rv = mdm_file_read(&bytes, ctx, file, MDM_PAYLOADS_FILE_MAX)) == APR_SUCCESS)
            rv = mdm_payloads_read(payloads, ctx, file, bytes);
    }
    site->configuration = payloads->nelts ? payloads : NULL;
    return rv;
}

static apr_status_t load_api_key(mdm_conf_t *conf, mdm_ctx_t *ctx)
{
    mdm_bytes_t key;
    apr_status_t rv;

    if (!conf->api_key_file)
        return APR_SUCCESS;
    if ((rv = mdm_file_read_secret(&key, ctx, conf->api_key_file)) != APR_SUCCESS)
        return rv;
    while (key.len && isspace(key.data[key.len - 1]))
        ((char *)key.data)[--key.len] = '\0';
    if (key.len < 16)
        return mdm_fail(ctx, MDM_ECONFIG,
                        "MDMAPIKeyFile %s holds less than 16 characters: put a long random key in it",
                        conf->api_key_file);
    /* Compared as text: what follows a NUL would not count, and nobody could send it. */
    if (memchr(key.data, '\0', key.len))
        return mdm_fail(ctx, MDM_ECONFIG, "MDMAPIKeyFile %s is not text: put a long random key in it, in "
                        "hex or base64", conf->api_key_file);
    conf->api_key = (const char *)key.data;
    return APR_SUCCESS;
}

static void copy_settings(mdm_site_t *site, const mdm_conf_t *conf)
{
    site->server_url = conf->server_url;
    site->organization = conf->organization;
    site->profile_identifier = conf->profile_identifier;
    site->scep_url = conf->scep_url;
    site->checkin_url = conf->checkin_url;
    site->connect_url = conf->connect_url;
    site->sign_message = conf->sign_message;
    site->access_rights = conf->access_rights;
    site->push_topic = conf->push_topic;
    site->identity_lifetime = conf->identity_lifetime;
    site->challenge_lifetime = conf->challenge_lifetime;
    site->notnow_retry = conf->notnow_retry;
    site->push_expiration = conf->push_expiration;
    site->apns_url = conf->apns_url;
    site->crl_url = conf->crl_url;
    site->ocsp_url = conf->ocsp_url;
    site->crl_lifetime = conf->crl_lifetime;
    site->scep_legacy = (unsigned)conf->scep_legacy;
    site->scep_manual = conf->scep_manual;
    site->scep_any_signer = conf->scep_any_signer;
    site->enroll_url = conf->enroll_url;
    site->profile_cipher = (mdm_cipher_e)conf->profile_encryption;
    site->renew_before = conf->renew_before;
    site->invitation_lifetime = conf->invitation_lifetime;
}

apr_status_t mdm_config_load(mdm_conf_t *conf, apr_pool_t *p)
{
    mdm_ctx_t *ctx = mdm_ctx_create(p, NULL);
    mdm_site_t *site = apr_pcalloc(p, sizeof(*site));
    mdm_seal_t *seal;
    apr_status_t rv;

    copy_settings(site, conf);
    if ((rv = load_ca(site, ctx, conf)) == APR_SUCCESS && (rv = load_signer(site, ctx, conf)) == APR_SUCCESS
        && (rv = load_certs(&site->trust, ctx, conf->trust_files)) == APR_SUCCESS
        && (rv = load_certs(&site->device_cas, ctx, conf->device_ca_files)) == APR_SUCCESS
        && (rv = load_configuration(site, ctx, conf->configuration_files)) == APR_SUCCESS
        && (rv = load_api_key(conf, ctx)) == APR_SUCCESS
        && (rv = mdm_seal_read(&seal, ctx, conf->seal_key_file)) == APR_SUCCESS) {
        site->seal = seal;
        if (conf->apns_ca_file)
            rv = mdm_file_read(&site->apns_ca_pem, ctx, conf->apns_ca_file, PEM_MAX);
    }
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_CRIT, 0, conf->server,
                     MDMNO(0101) "this MDM site cannot start: %s", mdm_ctx_detail(ctx, rv));
        return rv;
    }
    conf->site = site;
    if (mdm_cert_not_after(mdm_authority_present(site, apr_time_now())->cert) <= apr_time_now())
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, conf->server, MDMNO(0102) "MDMCACertificateFile %s has "
                     "expired: no device can get an identity; make a new CA", conf->ca_certificate_file);
    return APR_SUCCESS;
}
