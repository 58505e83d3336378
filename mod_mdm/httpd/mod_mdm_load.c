/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From directives to a site: keys and certificates are read here, as root in the parent, once per start or
 * restart. Children inherit them in memory and never open the files; for CA, RA and signer see
 * mod_mdm_load_ca.c.
 */
#include <ctype.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_authority.h"
#include "mdm_file.h"
#include "mdm_payloads.h"
#include "mdm_pki_sign.h"
#include "mdm_plist.h"
#include "mdm_user_digest.h"
#include "mod_mdm_directory.h"
#include "mod_mdm_load.h"
#include "mod_mdm_log.h"

#define TERMS_MAX (64 * 1024)

static apr_status_t load_certs(const apr_array_header_t **out, mdm_ctx_t *ctx,
                               const apr_array_header_t *files)
{
    apr_array_header_t *all = apr_array_make(ctx->pool, 2, sizeof(mdm_cert_t *));
    int i;

    for (i = 0; files && i < files->nelts; i++) {
        apr_array_header_t *certs;
        mdm_bytes_t pem;
        apr_status_t rv = mdm_file_read(&pem, ctx, APR_ARRAY_IDX(files, i, const char *), MDM_LOAD_PEM_MAX);

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

static apr_status_t load_identity_cas(mdm_site_t *site, mdm_ctx_t *ctx, const apr_array_header_t *files)
{
    const apr_array_header_t *cas;
    apr_status_t rv = load_certs(&cas, ctx, files);

    site->identity_cas = rv == APR_SUCCESS && cas->nelts ? cas : NULL;
    return rv;
}

/* A secret text, without the line end that editors put after it. */
static apr_status_t load_secret(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *directive, const char *file)
{
    apr_status_t rv;

    if (!file)
        return APR_SUCCESS;
    if ((rv = mdm_file_read_secret(out, ctx, file)) != APR_SUCCESS)
        return rv;
    while (out->len && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r'))
        out->len--;
    return out->len ? APR_SUCCESS : mdm_fail(ctx, MDM_ECONFIG, "%s %s is empty: put a long random text in it",
                                             directive, file);
}

static apr_status_t load_get_token(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    mdm_key_t *key;
    mdm_bytes_t pem;
    apr_status_t rv;

    if (!conf->get_token_key_file)
        return APR_SUCCESS;
    if ((rv = mdm_file_read_secret(&pem, ctx, conf->get_token_key_file)) != APR_SUCCESS
        || (rv = mdm_key_from_pem(&key, ctx, pem)) != APR_SUCCESS)
        return rv;
    if (!mdm_key_is_rsa(key))
        return mdm_fail(ctx, MDM_ECONFIG, "MDMGetTokenKeyFile %s: the key is no RSA key of 2048 bits or more",
                        conf->get_token_key_file);
    site->get_token_key = key;
    return APR_SUCCESS;
}

/* What check-in messages are answered with. */
static apr_status_t load_answers(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    apr_status_t rv;

    if ((rv = load_secret(&site->declarative_key, ctx, "MDMDeclarativeKeyFile",
                          conf->declarative_key_file)) != APR_SUCCESS
        || (rv = load_secret(&site->declarative_answer_key, ctx, "MDMDeclarativeAnswerKeyFile",
                             conf->declarative_answer_key_file)) != APR_SUCCESS
        || (rv = load_get_token(site, ctx, conf)) != APR_SUCCESS)
        return rv;
    if (conf->return_to_service_wifi_file
        && (rv = mdm_file_read(&site->return_to_service_wifi, ctx, conf->return_to_service_wifi_file,
                               MDM_PAYLOADS_FILE_MAX)) != APR_SUCCESS)
        return rv;
    if (!conf->user_digest_file)
        return APR_SUCCESS;
    rv = mdm_file_check_secret(ctx, conf->user_digest_file);
    if (rv == APR_SUCCESS)
        rv = mdm_file_read(&site->user_digests, ctx, conf->user_digest_file, MDM_USER_DIGEST_FILE_MAX);
    return rv == APR_SUCCESS ? mdm_user_digest_check(ctx, conf->user_digest_file, site->user_digests) : rv;
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

/* A receiver is named in the database by its URL, so that a restart goes on where it was. */
static apr_status_t load_webhooks(mdm_site_t *site, mdm_ctx_t *ctx, mdm_conf_t *conf)
{
    apr_status_t rv;
    int i;

    for (i = 0; conf->webhooks && i < conf->webhooks->nelts; i++) {
        mdm_webhook_sink_t *sink = &APR_ARRAY_IDX(conf->webhooks, i, mdm_webhook_sink_t);

        sink->id = apr_pstrndup(ctx->pool, mdm_sha256_hex(mdm_bytes_of(sink->url), ctx->pool), 16);
    }
    if (!conf->webhook_key_file)
        return APR_SUCCESS;
    if ((rv = mdm_file_read_secret(&site->webhook_key, ctx, conf->webhook_key_file)) != APR_SUCCESS)
        return rv;
    while (site->webhook_key.len && isspace(site->webhook_key.data[site->webhook_key.len - 1]))
        site->webhook_key.len--;
    if (!site->webhook_key.len)
        return mdm_fail(ctx, MDM_ECONFIG, "MDMWebhookKeyFile %s is empty: put a long random key in it",
                        conf->webhook_key_file);
    return APR_SUCCESS;
}

static apr_status_t load_terms(mdm_conf_t *conf, mdm_ctx_t *ctx)
{
    mdm_bytes_t text;
    apr_status_t rv;

    conf->terms = NULL;
    if (!conf->terms_file)
        return APR_SUCCESS;
    if ((rv = mdm_file_read(&text, ctx, conf->terms_file, TERMS_MAX)) != APR_SUCCESS)
        return rv;
    if (!text.len || !mdm_utf8_valid(text))
        return mdm_fail(ctx, MDM_ECONFIG, "MDMTermsFile %s is empty or no UTF-8 text", conf->terms_file);
    conf->terms = apr_pstrmemdup(ctx->pool, (const char *)text.data, text.len);
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
    site->user_authenticate = (mdm_user_authenticate_e)conf->user_authenticate;
    site->declarative_url = conf->declarative_url;
    site->get_token_server_uuid = conf->get_token_server_uuid;
    site->return_to_service_profile = conf->return_to_service_profile;
    site->signature_tolerance = conf->signature_tolerance;
    site->signature_sha1 = conf->signature_sha1;
    site->retroactive_identity = conf->retroactive_identity;
    site->history_lifetime = conf->history_lifetime;
    site->destructive_lifetime = conf->destructive_lifetime;
    site->approvals = conf->approvals;
    site->queue_limit = conf->queue_limit;
    site->profile_retry = conf->profile_retry;
    site->profile_check = conf->profile_check;
    site->push_retry_first = conf->push_retry_first;
    site->push_retry_max = conf->push_retry_max;
    site->silent_after = conf->silent_after;
    site->push_rate = conf->push_rate;
    site->webhooks = conf->webhooks;
    site->webhook_lifetime = conf->webhook_lifetime;
    site->escrow_key_unlock_url = conf->escrow_key_unlock_url;
}

apr_status_t mdm_config_load(mdm_conf_t *conf, apr_pool_t *p)
{
    mdm_ctx_t *ctx = mdm_ctx_create(p, NULL);
    mdm_site_t *site = apr_pcalloc(p, sizeof(*site));
    mdm_seal_t *seal;
    apr_status_t rv;

    copy_settings(site, conf);
    if ((rv = load_certs(&site->trust, ctx, conf->trust_files)) == APR_SUCCESS
        && (rv = mdm_load_authorities(site, ctx, conf)) == APR_SUCCESS
        && (rv = mdm_load_ra(site, ctx, conf)) == APR_SUCCESS
        && (rv = mdm_load_signer(site, ctx, conf)) == APR_SUCCESS
        && (rv = load_certs(&site->device_cas, ctx, conf->device_ca_files)) == APR_SUCCESS
        && (rv = load_identity_cas(site, ctx, conf->identity_ca_files)) == APR_SUCCESS
        && (rv = load_configuration(site, ctx, conf->configuration_files)) == APR_SUCCESS
        && (rv = load_answers(site, ctx, conf)) == APR_SUCCESS
        && (rv = load_api_key(conf, ctx)) == APR_SUCCESS && (rv = load_terms(conf, ctx)) == APR_SUCCESS
        && (rv = load_webhooks(site, ctx, conf)) == APR_SUCCESS
        && (rv = mdm_directory_load(site, ctx, conf)) == APR_SUCCESS
        && (rv = mdm_seal_read(&seal, ctx, conf->seal_key_file)) == APR_SUCCESS) {
        site->seal = seal;
        if (conf->apns_ca_file)
            rv = mdm_file_read(&site->apns_ca_pem, ctx, conf->apns_ca_file, MDM_LOAD_PEM_MAX);
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
