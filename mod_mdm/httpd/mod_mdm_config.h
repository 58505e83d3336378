/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directives: the table, their values per virtual host and per Location, and the site they amount to. Values
 * are written while the configuration is read, in the parent, and only read afterwards.
 */
#ifndef MOD_MDM_CONFIG_H
#define MOD_MDM_CONFIG_H

#include <apr_tables.h>

#include "mdm_site.h"
#include "mod_mdm.h"

struct ssl_ctx_st;

#define MDM_UNSET (-1)

/* How a connection to an ldap: URL is kept from others. */
typedef enum {
    MDM_DIRECTORY_TLS = 0,                     /* by ldaps: alone */
    MDM_DIRECTORY_STARTTLS,
    MDM_DIRECTORY_PLAIN
} mdm_directory_security_e;

/* A virtual host's directives. Unset is NULL or MDM_UNSET; mdm_config_resolve puts the defaults in. */
typedef struct mdm_conf_t {
    int engine;
    const char *server_url, *organization;
    const char *state_dir, *ca_certificate_file, *ca_key_file, *seal_key_file;
    const char *signer_file, *signer_key_file;
    apr_array_header_t *trust_files;           /* const char * */
    const char *ca_key_pin_file;
    const char *ra_file, *ra_key_file;
    apr_array_header_t *device_ca_files;       /* const char * */
    apr_array_header_t *configuration_files;   /* const char * */
    const char *terms_file;
    const char *profile_identifier;
    const char *scep_url, *checkin_url, *connect_url, *enroll_url, *crl_url, *ocsp_url;
    int scep_manual, scep_any_signer;
    int scep_legacy;                           /* MDM_SCEP_LEGACY_... */
    int profile_encryption;                    /* mdm_cipher_e; MDM_CIPHER_UNSET: off */
    int sign_message;
    int access_rights;
    const char *push_topic;
    apr_interval_time_t identity_lifetime, challenge_lifetime, notnow_retry;
    const char *api_key_file;
    const char *apns_url, *apns_ca_file;
    apr_interval_time_t renew_before, crl_lifetime, invitation_lifetime;
    int sign_in_limit;                         /* failed sign-ins in sign_in_period */
    apr_interval_time_t sign_in_period;
    apr_interval_time_t push_expiration, push_interval, last_seen_interval;
    int push_rate;                             /* pushes per second and topic, 0: no limit */
    apr_array_header_t *profile_retry;      /* apr_interval_time_t */
    apr_interval_time_t profile_check;
    apr_interval_time_t push_retry_first, push_retry_max, silent_after;
    int user_authenticate;                     /* mdm_user_authenticate_e */
    const char *user_digest_file;
    const char *declarative_url, *declarative_key_file, *declarative_answer_key_file;
    const char *get_token_key_file, *get_token_server_uuid;
    const char *return_to_service_wifi_file;
    int return_to_service_profile;
    int signature_sha1;
    apr_interval_time_t signature_tolerance;
    const char *client_cert_header;
    apr_array_header_t *client_cert_proxies;   /* apr_ipsubnet_t * */
    apr_array_header_t *identity_ca_files;     /* const char * */
    int retroactive_identity;
    apr_interval_time_t history_lifetime, destructive_lifetime;
    apr_array_header_t *approvals;             /* const char *: RequestTypes */
    int queue_limit;                           /* open commands of an enrollment, 0: no limit */
    apr_array_header_t *webhooks;              /* mdm_webhook_sink_t */
    const char *webhook_key_file;
    apr_interval_time_t webhook_lifetime;
    const char *escrow_key_unlock_url;
    const char *directory_url;                 /* as it is written; NULL: none */
    int directory_security;                    /* mdm_directory_security_e */
    const char *directory_bind_dn, *directory_password_file, *directory_ca_file;
    apr_array_header_t *directory_attributes;  /* mdm_directory_attribute_t */
    apr_interval_time_t directory_interval;
    int directory_disable;                     /* who is missing is disabled */
    const char *directory_disabled_filter;
    int directory_nested;
    int directory_limit_percent, directory_limit_count;

    /* Made from the above in post_config, for hosts whose engine is on. */
    server_rec *server;                        /* the host these belong to: its DBD pool, its log */
    mdm_site_t *site;                          /* NULL: this host is not an MDM site */
    const char *api_key;                       /* NULL: Apache's own authentication decides */
    const char *terms;                         /* text of terms_file, or NULL */
    struct ssl_ctx_st *tls;                    /* mod_ssl's context of this host, or NULL */
    apr_array_header_t *tokens;                /* keys that each child opens, see mod_mdm_load_ca.c; or NULL */
} mdm_conf_t;

/* A Location's directives. */
typedef struct mdm_dir_conf_t {
    apr_off_t limit_request_body;              /* bytes, MDM_UNSET: by handler */
    int enroll_method;                         /* mdm_session_method_e, MDM_UNSET: by MDMDeviceCAFile */
    apr_array_header_t *auth_providers;        /* const char *: names of authn providers, or NULL */
    int device_auth;                           /* 1: enrolled devices only */
    apr_array_header_t *user_attributes;       /* of mod_mdm_person.c, or NULL */
} mdm_dir_conf_t;

extern const command_rec mdm_config_commands[];

void *mdm_config_server_create(apr_pool_t *p, server_rec *s);
void *mdm_config_server_merge(apr_pool_t *p, void *base, void *add);
void *mdm_config_dir_create(apr_pool_t *p, char *dir);
void *mdm_config_dir_merge(apr_pool_t *p, void *base, void *add);

mdm_conf_t *mdm_config_of(const server_rec *s);
const mdm_dir_conf_t *mdm_config_dir(const request_rec *r);

/** Put the defaults in and derive the URLs. Safe to repeat; the parent, once per host. */
void mdm_config_resolve(mdm_conf_t *conf, server_rec *s, apr_pool_t *p);

/** All virtual hosts with MDMEngine on, each once: mdm_conf_t *. Made in post_config, read by children. */
const apr_array_header_t *mdm_config_sites(server_rec *main_server, apr_pool_t *p);

/**
 * check_config hook: name everything that is missing, unreadable, open to others or contradictory, with
 * directive, file and remedy, for `httpd -t` as for a start. Opens no key file, writes nothing.
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR when httpd must not start
 */
int mdm_config_check(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** Read keys and certificates of one host into conf->site, as root in the parent. Logs what fails. */
apr_status_t mdm_config_load(mdm_conf_t *conf, apr_pool_t *p);

#endif
