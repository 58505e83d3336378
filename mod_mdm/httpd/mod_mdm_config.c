/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of the directives: one merge line and, where it has one, one default per member. Runs while httpd reads
 * its configuration, in the parent; touches neither files nor the network. The directives are mod_mdm_directives.c's.
 */
#include <apr_strings.h>
#include <apr_uri.h>

#include "mdm_apns.h"
#include "mod_mdm_config.h"

#define DAY apr_time_from_sec(86400)

mdm_conf_t *mdm_config_of(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &mdm_module);
}

const mdm_dir_conf_t *mdm_config_dir(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &mdm_module);
}

void *mdm_config_server_create(apr_pool_t *p, server_rec *s)
{
    mdm_conf_t *conf = apr_pcalloc(p, sizeof(*conf));

    (void)s;
    conf->engine = MDM_UNSET;
    conf->sign_message = MDM_UNSET;
    conf->access_rights = MDM_UNSET;
    conf->identity_lifetime = conf->challenge_lifetime = conf->notnow_retry = MDM_UNSET;
    conf->push_expiration = conf->push_interval = conf->last_seen_interval = MDM_UNSET;
    conf->scep_manual = conf->scep_any_signer = conf->scep_legacy = conf->profile_encryption = MDM_UNSET;
    conf->renew_before = conf->crl_lifetime = conf->invitation_lifetime = MDM_UNSET;
    conf->sign_in_limit = MDM_UNSET;
    conf->sign_in_period = MDM_UNSET;
    conf->user_authenticate = conf->signature_sha1 = MDM_UNSET;
    conf->retroactive_identity = conf->return_to_service_profile = MDM_UNSET;
    conf->signature_tolerance = conf->history_lifetime = conf->destructive_lifetime = MDM_UNSET;
    conf->profile_check = MDM_UNSET;
    conf->push_retry_first = conf->push_retry_max = conf->silent_after = conf->webhook_lifetime = MDM_UNSET;
    conf->queue_limit = conf->push_rate = MDM_UNSET;
    conf->directory_interval = conf->directory_disable = conf->directory_nested = MDM_UNSET;
    conf->directory_limit_percent = conf->directory_limit_count = MDM_UNSET;
    return conf;
}

#define MERGE_PTR(member) conf->member = add->member ? add->member : base->member
#define MERGE_NUM(member) conf->member = add->member != MDM_UNSET ? add->member : base->member

/* Commands, pushes, and what is asked of or told to other servers. */
static void merge_services(mdm_conf_t *conf, const mdm_conf_t *base, const mdm_conf_t *add)
{
    MERGE_PTR(user_digest_file);
    MERGE_PTR(declarative_url);
    MERGE_PTR(declarative_key_file);
    MERGE_PTR(declarative_answer_key_file);
    MERGE_PTR(get_token_key_file);
    MERGE_PTR(get_token_server_uuid);
    MERGE_PTR(return_to_service_wifi_file);
    MERGE_PTR(client_cert_header);
    MERGE_PTR(client_cert_proxies);
    MERGE_PTR(identity_ca_files);
    MERGE_PTR(approvals);
    MERGE_PTR(webhooks);
    MERGE_PTR(webhook_key_file);
    MERGE_PTR(escrow_key_unlock_url);
    MERGE_PTR(directory_url);
    conf->directory_security = add->directory_url ? add->directory_security : base->directory_security;
    MERGE_PTR(directory_bind_dn);
    MERGE_PTR(directory_password_file);
    MERGE_PTR(directory_ca_file);
    MERGE_PTR(directory_attributes);
    MERGE_NUM(directory_interval);
    MERGE_NUM(directory_disable);
    MERGE_PTR(directory_disabled_filter);
    MERGE_NUM(directory_nested);
    MERGE_NUM(directory_limit_percent);
    MERGE_NUM(directory_limit_count);
    MERGE_NUM(user_authenticate);
    MERGE_NUM(return_to_service_profile);
    MERGE_NUM(signature_tolerance);
    MERGE_NUM(signature_sha1);
    MERGE_NUM(retroactive_identity);
    MERGE_NUM(history_lifetime);
    MERGE_NUM(destructive_lifetime);
    MERGE_NUM(queue_limit);
    MERGE_PTR(profile_retry);
    MERGE_NUM(profile_check);
    MERGE_NUM(push_retry_first);
    MERGE_NUM(push_retry_max);
    MERGE_NUM(silent_after);
    MERGE_NUM(push_rate);
    MERGE_NUM(webhook_lifetime);
}

void *mdm_config_server_merge(apr_pool_t *p, void *basev, void *addv)
{
    const mdm_conf_t *base = basev, *add = addv;
    mdm_conf_t *conf = mdm_config_server_create(p, NULL);

    MERGE_NUM(engine);
    MERGE_PTR(server_url);
    MERGE_PTR(organization);
    MERGE_PTR(state_dir);
    MERGE_PTR(ca_certificate_file);
    MERGE_PTR(ca_key_file);
    MERGE_PTR(seal_key_file);
    MERGE_PTR(signer_file);
    conf->signer_key_file = add->signer_file ? add->signer_key_file : base->signer_key_file;
    MERGE_PTR(trust_files);
    MERGE_PTR(ca_key_pin_file);
    MERGE_PTR(ra_file);
    conf->ra_key_file = add->ra_file ? add->ra_key_file : base->ra_key_file;
    MERGE_PTR(device_ca_files);
    MERGE_PTR(configuration_files);
    MERGE_PTR(terms_file);
    MERGE_PTR(enroll_url);
    MERGE_PTR(crl_url);
    MERGE_PTR(ocsp_url);
    MERGE_NUM(scep_manual);
    MERGE_NUM(scep_any_signer);
    MERGE_NUM(scep_legacy);
    MERGE_NUM(profile_encryption);
    MERGE_NUM(renew_before);
    MERGE_NUM(crl_lifetime);
    MERGE_NUM(invitation_lifetime);
    MERGE_NUM(sign_in_limit);
    MERGE_NUM(sign_in_period);
    MERGE_PTR(profile_identifier);
    MERGE_PTR(scep_url);
    MERGE_PTR(checkin_url);
    MERGE_PTR(connect_url);
    MERGE_NUM(sign_message);
    MERGE_NUM(access_rights);
    MERGE_PTR(push_topic);
    MERGE_NUM(identity_lifetime);
    MERGE_NUM(challenge_lifetime);
    MERGE_NUM(notnow_retry);
    MERGE_PTR(api_key_file);
    MERGE_PTR(apns_url);
    MERGE_PTR(apns_ca_file);
    MERGE_NUM(push_expiration);
    MERGE_NUM(push_interval);
    MERGE_NUM(last_seen_interval);
    merge_services(conf, base, add);
    return conf;
}

void *mdm_config_dir_create(apr_pool_t *p, char *dir)
{
    mdm_dir_conf_t *conf = apr_palloc(p, sizeof(*conf));

    (void)dir;
    conf->limit_request_body = MDM_UNSET;
    conf->enroll_method = MDM_UNSET;
    conf->device_auth = MDM_UNSET;
    conf->auth_providers = NULL;
    conf->user_attributes = NULL;
    return conf;
}

void *mdm_config_dir_merge(apr_pool_t *p, void *basev, void *addv)
{
    const mdm_dir_conf_t *base = basev, *add = addv;
    mdm_dir_conf_t *conf = apr_palloc(p, sizeof(*conf));

    MERGE_NUM(limit_request_body);
    MERGE_NUM(enroll_method);
    MERGE_NUM(device_auth);
    MERGE_PTR(auth_providers);
    MERGE_PTR(user_attributes);
    return conf;
}

static const char *in_state_dir(const mdm_conf_t *conf, const char *name, apr_pool_t *p)
{
    return conf->state_dir ? apr_pstrcat(p, conf->state_dir, "/", name, NULL) : NULL;
}

/* "mdm.example.com" becomes "com.example.mdm.mdm": the profile's identifier is a reversed domain name. */
static const char *reversed_host(const char *url, apr_pool_t *p)
{
    apr_uri_t uri;
    char *host, *label, *last, *reversed = NULL;

    if (!url || apr_uri_parse(p, url, &uri) != APR_SUCCESS || !uri.hostname)
        return NULL;
    host = apr_pstrdup(p, uri.hostname);
    for (label = apr_strtok(host, ".", &last); label; label = apr_strtok(NULL, ".", &last))
        reversed = reversed ? apr_pstrcat(p, label, ".", reversed, NULL) : label;
    return apr_pstrcat(p, reversed, ".mdm", NULL);
}

#define DEFAULT_PTR(member, value) \
    do { if (!conf->member) conf->member = (value); } while (0)
#define DEFAULT_NUM(member, value) \
    do { if (conf->member == MDM_UNSET) conf->member = (value); } while (0)

static const char *below_server_url(const mdm_conf_t *conf, const char *path, apr_pool_t *p)
{
    return conf->server_url ? apr_pstrcat(p, conf->server_url, path, NULL) : NULL;
}

static apr_array_header_t *default_profile_retry(apr_pool_t *p)
{
    static const int hours[] = { 1, 6, 24 };
    apr_array_header_t *waits = apr_array_make(p, 3, sizeof(apr_interval_time_t));
    int i;

    for (i = 0; i < 3; i++)
        APR_ARRAY_PUSH(waits, apr_interval_time_t) = apr_time_from_sec(3600) * hours[i];
    return waits;
}

void mdm_config_resolve(mdm_conf_t *conf, server_rec *s, apr_pool_t *p)
{
    conf->server = s;
    DEFAULT_NUM(engine, 0);
    DEFAULT_PTR(organization, s->server_hostname ? s->server_hostname : "MDM");
    DEFAULT_PTR(ca_certificate_file, in_state_dir(conf, "ca.pem", p));
    DEFAULT_PTR(ca_key_file, in_state_dir(conf, "ca.key", p));
    DEFAULT_PTR(seal_key_file, in_state_dir(conf, "seal.key", p));
    DEFAULT_PTR(profile_identifier, reversed_host(conf->server_url, p));
    DEFAULT_PTR(scep_url, below_server_url(conf, "/mdm/scep", p));
    DEFAULT_PTR(checkin_url, below_server_url(conf, "/mdm/checkin", p));
    DEFAULT_PTR(connect_url, below_server_url(conf, "/mdm/connect", p));
    DEFAULT_PTR(enroll_url, below_server_url(conf, "/mdm/enroll", p));
    DEFAULT_NUM(scep_manual, 0);
    DEFAULT_NUM(scep_any_signer, 0);
    DEFAULT_NUM(scep_legacy, 0);
    DEFAULT_NUM(profile_encryption, MDM_CIPHER_AES_256_CBC);
    DEFAULT_NUM(renew_before, 0);
    DEFAULT_NUM(crl_lifetime, 7 * DAY);
    DEFAULT_NUM(invitation_lifetime, 7 * DAY);
    DEFAULT_NUM(sign_in_limit, 10);
    DEFAULT_NUM(sign_in_period, apr_time_from_sec(900));
    DEFAULT_NUM(sign_message, 1);
    DEFAULT_NUM(access_rights, 8191);
    DEFAULT_NUM(identity_lifetime, 365 * DAY);
    DEFAULT_NUM(challenge_lifetime, apr_time_from_sec(3600));
    DEFAULT_NUM(notnow_retry, apr_time_from_sec(600));
    DEFAULT_PTR(apns_url, MDM_APNS_URL);
    DEFAULT_NUM(push_expiration, 7 * DAY);
    DEFAULT_NUM(push_interval, apr_time_from_sec(5));
    DEFAULT_NUM(last_seen_interval, apr_time_from_sec(10));
    DEFAULT_NUM(user_authenticate, MDM_USER_AUTHENTICATE_DECLINE);
    DEFAULT_NUM(return_to_service_profile, 0);
    DEFAULT_NUM(signature_tolerance, apr_time_from_sec(900));
    DEFAULT_NUM(signature_sha1, 1);
    DEFAULT_NUM(retroactive_identity, 0);
    DEFAULT_NUM(history_lifetime, 90 * DAY);
    DEFAULT_NUM(destructive_lifetime, MDM_DESTRUCTIVE_LIFETIME);
    DEFAULT_NUM(queue_limit, 1000);
    DEFAULT_PTR(profile_retry, default_profile_retry(p));
    DEFAULT_NUM(profile_check, DAY);
    DEFAULT_NUM(push_retry_first, apr_time_from_sec(3600));
    DEFAULT_NUM(push_retry_max, DAY);
    DEFAULT_NUM(silent_after, 30 * DAY);
    DEFAULT_NUM(push_rate, 0);
    DEFAULT_NUM(webhook_lifetime, DAY);
    DEFAULT_PTR(escrow_key_unlock_url, MDM_ESCROW_KEY_UNLOCK_URL);
    DEFAULT_NUM(directory_interval, apr_time_from_sec(3600));
    DEFAULT_NUM(directory_disable, 0);
    DEFAULT_NUM(directory_nested, 1);
    DEFAULT_NUM(directory_limit_percent, 50);
    DEFAULT_NUM(directory_limit_count, 10);
}

const apr_array_header_t *mdm_config_sites(server_rec *main_server, apr_pool_t *p)
{
    apr_array_header_t *sites = apr_array_make(p, 2, sizeof(mdm_conf_t *));
    server_rec *s;
    int i;

    for (s = main_server; s; s = s->next) {
        mdm_conf_t *conf = mdm_config_of(s);

        /* A host without a directive of ours shares the main server's record. */
        for (i = 0; i < sites->nelts && APR_ARRAY_IDX(sites, i, mdm_conf_t *) != conf; i++)
            ;
        if (conf->engine == 1 && i == sites->nelts) {
            if (!conf->server)
                mdm_config_resolve(conf, s, p);
            APR_ARRAY_PUSH(sites, mdm_conf_t *) = conf;
        }
    }
    return sites;
}
