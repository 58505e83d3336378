/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directives: one table, one setter per kind of value, one merge line per member. Runs while httpd reads its
 * configuration, in the parent; touches neither files nor the network.
 */
#include <stddef.h>

#include <ap_provider.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <mod_auth.h>

#include "mdm_apns.h"
#include "mdm_store_session.h"
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
    return conf;
}

#define MERGE_PTR(member) conf->member = add->member ? add->member : base->member
#define MERGE_NUM(member) conf->member = add->member != MDM_UNSET ? add->member : base->member

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
    return conf;
}

void *mdm_config_dir_create(apr_pool_t *p, char *dir)
{
    mdm_dir_conf_t *conf = apr_palloc(p, sizeof(*conf));

    (void)dir;
    conf->limit_request_body = MDM_UNSET;
    conf->enroll_method = MDM_UNSET;
    conf->auth_providers = NULL;
    return conf;
}

void *mdm_config_dir_merge(apr_pool_t *p, void *basev, void *addv)
{
    const mdm_dir_conf_t *base = basev, *add = addv;
    mdm_dir_conf_t *conf = apr_palloc(p, sizeof(*conf));

    MERGE_NUM(limit_request_body);
    MERGE_NUM(enroll_method);
    MERGE_PTR(auth_providers);
    return conf;
}

/* Where a directive's value goes: the offset of its member in mdm_conf_t, carried in the command table. */
#define TO(member) ((void *)offsetof(mdm_conf_t, member))
#define MEMBER(cmd, type) \
    ((type *)((char *)mdm_config_of((cmd)->server) + (apr_size_t)(cmd)->info))

static const char *set_text(cmd_parms *cmd, void *dummy, const char *arg)
{
    (void)dummy;
    if (!*arg)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, " needs a value that is not empty", NULL);
    *MEMBER(cmd, const char *) = arg;
    return NULL;
}

static const char *set_file(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char *file = ap_server_root_relative(cmd->pool, arg);

    (void)dummy;
    if (!file)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": invalid file path ", arg, NULL);
    *MEMBER(cmd, const char *) = file;
    return NULL;
}

static const char *set_flag(cmd_parms *cmd, void *dummy, int flag)
{
    (void)dummy;
    *MEMBER(cmd, int) = flag;
    return NULL;
}

static const char *set_time(cmd_parms *cmd, void *dummy, const char *arg)
{
    apr_interval_time_t value;
    apr_size_t len = strlen(arg);
    char unit = len ? arg[len - 1] : '\0';

    (void)dummy;
    /* Days are ours: httpd's parser ends at hours, and certificates live for days. */
    if (unit == 'd') {
        char *end;
        apr_int64_t days = apr_strtoi64(arg, &end, 10);

        value = end == arg + len - 1 && days > 0 && days < 36500 ? days * DAY : 0;
    } else if (ap_timeout_parameter_parse(arg, &value, "s") != APR_SUCCESS) {
        value = 0;
    }
    if (value <= 0)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", arg,
                           "' is not a time such as 10s, 15min, 2h or 365d", NULL);
    *MEMBER(cmd, apr_interval_time_t) = value;
    return NULL;
}

static const char *set_url(cmd_parms *cmd, void *dummy, const char *arg)
{
    apr_uri_t uri;
    apr_size_t len = strlen(arg);

    (void)dummy;
    if (apr_uri_parse(cmd->pool, arg, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname || !*uri.hostname
        || uri.query || uri.fragment || uri.user)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", arg,
                           "' is not a URL such as https://mdm.example.com", NULL);
    while (len && arg[len - 1] == '/')
        len--;
    *MEMBER(cmd, const char *) = apr_pstrmemdup(cmd->pool, arg, len);
    return NULL;
}

static const char *set_https_url(cmd_parms *cmd, void *dummy, const char *arg)
{
    if (ap_cstr_casecmpn(arg, "https://", 8))
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", arg,
                           "' must start with https://, devices refuse others", NULL);
    return set_url(cmd, dummy, arg);
}

static const char *set_access_rights(cmd_parms *cmd, void *dummy, const char *arg)
{
    char *end;
    apr_int64_t rights = apr_strtoi64(arg, &end, 10);

    (void)dummy;
    if (*end || rights < 1 || rights > 8191)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", arg,
                           "' is not a sum of access rights, 1 to 8191", NULL);
    if ((rights & 2 && !(rights & 1)) || (rights & 128 && !(rights & 64)))
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", arg,
                           " contradicts itself: right 2 needs 1, right 128 needs 64", NULL);
    *MEMBER(cmd, int) = (int)rights;
    return NULL;
}

static const char *add_file(cmd_parms *cmd, void *dummy, const char *arg)
{
    apr_array_header_t **files = MEMBER(cmd, apr_array_header_t *);
    const char *file = ap_server_root_relative(cmd->pool, arg);

    (void)dummy;
    if (!file)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": invalid file path ", arg, NULL);
    if (!*files)
        *files = apr_array_make(cmd->pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(*files, const char *) = file;
    return NULL;
}

static const char *set_signer(cmd_parms *cmd, void *dummy, const char *cert, const char *key)
{
    mdm_conf_t *conf = mdm_config_of(cmd->server);

    (void)dummy;
    conf->signer_file = ap_server_root_relative(cmd->pool, cert);
    conf->signer_key_file = ap_server_root_relative(cmd->pool, key ? key : cert);
    if (!conf->signer_file || !conf->signer_key_file)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": invalid file path", NULL);
    return NULL;
}

static const char *set_ra(cmd_parms *cmd, void *dummy, const char *cert, const char *key)
{
    mdm_conf_t *conf = mdm_config_of(cmd->server);

    (void)dummy;
    conf->ra_file = ap_server_root_relative(cmd->pool, cert);
    conf->ra_key_file = ap_server_root_relative(cmd->pool, key ? key : cert);
    if (!conf->ra_file || !conf->ra_key_file)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": invalid file path", NULL);
    return NULL;
}

/* One word out of a few, each with its number. */
typedef struct {
    const char *word;
    int value;
} choice_t;

static const choice_t approvals[] = { { "auto", 0 }, { "manual", 1 }, { NULL, 0 } };
static const choice_t signers[] = { { "own", 0 }, { "any", 1 }, { NULL, 0 } };
static const choice_t ciphers[] = {
    { "aes256", MDM_CIPHER_AES_256_CBC }, { "des3", MDM_CIPHER_DES3_CBC }, { "off", MDM_CIPHER_UNSET }, { NULL, 0 }
};
static const choice_t methods[] = {
    { "direct", MDM_SESSION_DIRECT }, { "profile-service", MDM_SESSION_PROFILE_SERVICE }, { NULL, 0 }
};
static const choice_t legacies[] = {
    { "des", MDM_SCEP_LEGACY_DES }, { "des3", MDM_SCEP_LEGACY_DES3 }, { "sha1", MDM_SCEP_LEGACY_SHA1 }, { NULL, 0 }
};

static const char *choose(int *value, cmd_parms *cmd, const choice_t *choices, const char *arg)
{
    const char *words = "";
    int i;

    for (i = 0; choices[i].word; i++) {
        if (!ap_cstr_casecmp(choices[i].word, arg)) {
            *value = choices[i].value;
            return NULL;
        }
        words = apr_pstrcat(cmd->pool, words, i ? ", " : "", choices[i].word, NULL);
    }
    return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", arg, "' is none of ", words, NULL);
}

static const char *set_approval(cmd_parms *cmd, void *dummy, const char *arg)
{
    (void)dummy;
    return choose(MEMBER(cmd, int), cmd, approvals, arg);
}

static const char *set_scep_signer(cmd_parms *cmd, void *dummy, const char *arg)
{
    (void)dummy;
    return choose(MEMBER(cmd, int), cmd, signers, arg);
}

static const char *set_cipher(cmd_parms *cmd, void *dummy, const char *arg)
{
    (void)dummy;
    return choose(MEMBER(cmd, int), cmd, ciphers, arg);
}

static const char *add_legacy(cmd_parms *cmd, void *dummy, const char *arg)
{
    int *all = MEMBER(cmd, int), one = 0;
    const char *err = choose(&one, cmd, legacies, arg);

    (void)dummy;
    *all = *all == MDM_UNSET ? one : *all | one;
    return err;
}

static const char *set_enroll_method(cmd_parms *cmd, void *dirv, const char *arg)
{
    mdm_dir_conf_t *dir = dirv;

    return choose(&dir->enroll_method, cmd, methods, arg);
}

static const char *add_auth_provider(cmd_parms *cmd, void *dirv, const char *arg)
{
    mdm_dir_conf_t *dir = dirv;

    if (!ap_lookup_provider(AUTHN_PROVIDER_GROUP, arg, AUTHN_PROVIDER_VERSION))
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": there is no authentication provider '", arg,
                           "'; load the module that brings it first, as mod_authn_file or mod_authnz_ldap", NULL);
    if (!dir->auth_providers)
        dir->auth_providers = apr_array_make(cmd->pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(dir->auth_providers, const char *) = arg;
    return NULL;
}

static const char *set_sign_in_limit(cmd_parms *cmd, void *dummy, const char *count, const char *period)
{
    mdm_conf_t *conf = mdm_config_of(cmd->server);
    char *end;
    apr_int64_t value = apr_strtoi64(count, &end, 10);

    (void)dummy;
    if (*end || value < 1 || value > 1000000)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", count, "' is not a number from 1 to 1000000", NULL);
    conf->sign_in_limit = (int)value;
    if (ap_timeout_parameter_parse(period, &conf->sign_in_period, "s") != APR_SUCCESS || conf->sign_in_period <= 0)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", period, "' is not a time such as 15min", NULL);
    return NULL;
}

/* A file, or the URI of a key in a PKCS#11 token, which is kept as it is. */
static const char *set_key(cmd_parms *cmd, void *dummy, const char *arg)
{
    if (ap_cstr_casecmpn(arg, "pkcs11:", 7))
        return set_file(cmd, dummy, arg);
    *MEMBER(cmd, const char *) = arg;
    return NULL;
}

static const char *set_limit_request_body(cmd_parms *cmd, void *dirv, const char *arg)
{
    mdm_dir_conf_t *dir = dirv;
    char *end;

    if (apr_strtoff(&dir->limit_request_body, arg, &end, 10) != APR_SUCCESS || *end
        || dir->limit_request_body < 1024 || dir->limit_request_body > 16 * 1024 * 1024)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", arg,
                           "' is not a number of bytes from 1024 to 16777216", NULL);
    return NULL;
}

const command_rec mdm_config_commands[] = {
    AP_INIT_FLAG("MDMEngine", set_flag, TO(engine), RSRC_CONF, "On makes this virtual host an MDM site"),
    AP_INIT_TAKE1("MDMServerURL", set_https_url, TO(server_url), RSRC_CONF,
                  "Public https URL of this MDM server, without a path"),
    AP_INIT_TAKE1("MDMOrganization", set_text, TO(organization), RSRC_CONF, "Organization shown in profiles"),
    AP_INIT_TAKE1("MDMStateDir", set_file, TO(state_dir), RSRC_CONF,
                  "Folder of ca.pem, ca.key and seal.key, closed to all but root"),
    AP_INIT_TAKE1("MDMCACertificateFile", set_file, TO(ca_certificate_file), RSRC_CONF,
                  "PEM certificate of the identity CA"),
    AP_INIT_TAKE1("MDMCAKeyFile", set_key, TO(ca_key_file), RSRC_CONF,
                  "PEM key of the identity CA, or the pkcs11: URI of one in a token"),
    AP_INIT_TAKE1("MDMCAKeyPINFile", set_file, TO(ca_key_pin_file), RSRC_CONF,
                  "File with the PIN of the token that holds the CA's key"),
    AP_INIT_TAKE12("MDMSCEPRAFile", set_ra, NULL, RSRC_CONF,
                   "PEM certificate and key of an RA that speaks SCEP in the CA's place"),
    AP_INIT_TAKE1("MDMSCEPApproval", set_approval, TO(scep_manual), RSRC_CONF,
                  "auto, or manual: requests wait for an administrator"),
    AP_INIT_ITERATE("MDMSCEPLegacy", add_legacy, TO(scep_legacy), RSRC_CONF,
                    "Old algorithms that SCEP clients may use: des, des3, sha1"),
    AP_INIT_TAKE1("MDMSCEPSigner", set_scep_signer, TO(scep_any_signer), RSRC_CONF,
                  "own: a request is signed by its own key; any: by any key, as proxies do"),
    AP_INIT_TAKE1("MDMCRLURL", set_url, TO(crl_url), RSRC_CONF,
                  "URL of the mdm-crl Location, named in the certificates"),
    AP_INIT_TAKE1("MDMOCSPURL", set_url, TO(ocsp_url), RSRC_CONF,
                  "URL of the mdm-ocsp Location, named in the certificates"),
    AP_INIT_TAKE1("MDMCRLLifetime", set_time, TO(crl_lifetime), RSRC_CONF, "How long a CRL is good"),
    AP_INIT_TAKE1("MDMSealKeyFile", set_file, TO(seal_key_file), RSRC_CONF,
                  "Key that encrypts secrets in the database"),
    AP_INIT_TAKE12("MDMProfileSignerFile", set_signer, NULL, RSRC_CONF,
                   "PEM certificate with its chain, and PEM key, that sign profiles"),
    AP_INIT_ITERATE("MDMTrustFile", add_file, TO(trust_files), RSRC_CONF,
                    "PEM files of CA certificates that devices shall trust"),
    AP_INIT_ITERATE("MDMDeviceCAFile", add_file, TO(device_ca_files), RSRC_CONF,
                    "PEM files of the CAs that vouch for devices in the Profile Service"),
    AP_INIT_ITERATE("MDMConfigurationProfileFile", add_file, TO(configuration_files), RSRC_CONF,
                    "Profiles that devices get in place of the MDM payload: a site without MDM"),
    AP_INIT_TAKE1("MDMTermsFile", set_file, TO(terms_file), RSRC_CONF,
                  "Text that a person must accept before enrolling"),
    AP_INIT_TAKE1("MDMProfileEncryption", set_cipher, TO(profile_encryption), RSRC_CONF,
                  "How profiles are encrypted to a device: aes256, des3 or off"),
    AP_INIT_TAKE1("MDMEnrollURL", set_https_url, TO(enroll_url), RSRC_CONF, "URL of the mdm-enroll Location"),
    AP_INIT_TAKE1("MDMInvitationLifetime", set_time, TO(invitation_lifetime), RSRC_CONF,
                  "How long an invitation can be used, unless it says so itself"),
    AP_INIT_TAKE2("MDMSignInLimit", set_sign_in_limit, NULL, RSRC_CONF,
                  "Failed sign-ins of an account or address within a time"),
    AP_INIT_TAKE1("MDMIdentityRenewBefore", set_time, TO(renew_before), RSRC_CONF,
                  "How long before its end an identity is renewed"),
    AP_INIT_ITERATE("MDMAuthProvider", add_auth_provider, NULL, ACCESS_CONF,
                    "Authentication providers of the sign-in page: file, ldap, ..."),
    AP_INIT_TAKE1("MDMEnrollMethod", set_enroll_method, NULL, ACCESS_CONF,
                  "direct: one profile; profile-service: over the air in three phases"),
    AP_INIT_TAKE1("MDMProfileIdentifier", set_text, TO(profile_identifier), RSRC_CONF,
                  "PayloadIdentifier of the enrollment profile"),
    AP_INIT_TAKE1("MDMSCEPURL", set_url, TO(scep_url), RSRC_CONF, "URL of the mdm-scep Location"),
    AP_INIT_TAKE1("MDMCheckInURL", set_https_url, TO(checkin_url), RSRC_CONF,
                  "URL of the mdm-checkin Location"),
    AP_INIT_TAKE1("MDMConnectURL", set_https_url, TO(connect_url), RSRC_CONF,
                  "URL of the mdm-connect Location"),
    AP_INIT_FLAG("MDMSignMessage", set_flag, TO(sign_message), RSRC_CONF,
                 "Whether devices sign each message (Mdm-Signature)"),
    AP_INIT_TAKE1("MDMAccessRights", set_access_rights, TO(access_rights), RSRC_CONF,
                  "Sum of the access rights asked for at enrollment"),
    AP_INIT_TAKE1("MDMPushTopic", set_text, TO(push_topic), RSRC_CONF, "Push topic of new enrollments"),
    AP_INIT_TAKE1("MDMIdentityLifetime", set_time, TO(identity_lifetime), RSRC_CONF,
                  "Lifetime of device identity certificates"),
    AP_INIT_TAKE1("MDMChallengeLifetime", set_time, TO(challenge_lifetime), RSRC_CONF,
                  "How long a SCEP challenge can be used"),
    AP_INIT_TAKE1("MDMAPIKeyFile", set_file, TO(api_key_file), RSRC_CONF,
                  "File with the API key of the HTTP Basic user nanomdm"),
    AP_INIT_TAKE1("MDMAPNSURL", set_https_url, TO(apns_url), RSRC_CONF, "Base URL of APNs or a stand-in"),
    AP_INIT_TAKE1("MDMAPNSCAFile", set_file, TO(apns_ca_file), RSRC_CONF,
                  "PEM CA certificates that APNs' server certificate must chain to"),
    AP_INIT_TAKE1("MDMPushExpiration", set_time, TO(push_expiration), RSRC_CONF,
                  "How long APNs keeps a push for a sleeping device"),
    AP_INIT_TAKE1("MDMPushInterval", set_time, TO(push_interval), RSRC_CONF,
                  "How often the worker looks for pushes that nobody announced"),
    AP_INIT_TAKE1("MDMNotNowRetry", set_time, TO(notnow_retry), RSRC_CONF,
                  "When a device that answered NotNow is woken again"),
    AP_INIT_TAKE1("MDMLastSeenInterval", set_time, TO(last_seen_interval), RSRC_CONF,
                  "How often last-seen times are written to the database"),
    AP_INIT_TAKE1("MDMLimitRequestBody", set_limit_request_body, NULL, RSRC_CONF | ACCESS_CONF,
                  "Largest request body in bytes"),
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};

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
