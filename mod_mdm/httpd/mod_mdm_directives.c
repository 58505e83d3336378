/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directives: one table, one setter per kind of value. Runs while httpd reads its configuration, in the parent;
 * touches neither files nor the network.
 */
#include <stddef.h>

#include <ap_provider.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <apr_uuid.h>
#include <mod_auth.h>

#include "mdm_store_session.h"
#include "mdm_webhook.h"
#include "mod_mdm_config.h"
#include "mod_mdm_directory.h"
#include "mod_mdm_person.h"

#define DAY apr_time_from_sec(86400)
#define PROFILE_RETRIES_MAX 8

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

static const char *set_interval(apr_interval_time_t *interval, cmd_parms *cmd, const char *arg)
{
    apr_interval_time_t value;
    apr_size_t len = strlen(arg);
    char unit = len ? arg[len - 1] : '\0';

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
    *interval = value;
    return NULL;
}

static const char *set_time(cmd_parms *cmd, void *dummy, const char *arg)
{
    (void)dummy;
    return set_interval(MEMBER(cmd, apr_interval_time_t), cmd, arg);
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
static const choice_t user_authenticates[] = {
    { "decline", MDM_USER_AUTHENTICATE_DECLINE }, { "zero-length", MDM_USER_AUTHENTICATE_ZERO_LENGTH },
    { "digest", MDM_USER_AUTHENTICATE_DIGEST }, { NULL, 0 }
};
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
    return set_interval(&conf->sign_in_period, cmd, period);
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

static const char *set_user_authenticate(cmd_parms *cmd, void *dummy, const char *arg)
{
    (void)dummy;
    return choose(MEMBER(cmd, int), cmd, user_authenticates, arg);
}

static const char *set_uuid(cmd_parms *cmd, void *dummy, const char *arg)
{
    apr_uuid_t uuid;

    if (strlen(arg) != APR_UUID_FORMATTED_LENGTH || apr_uuid_parse(&uuid, arg) != APR_SUCCESS)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", arg, "' is not a UUID", NULL);
    return set_text(cmd, dummy, arg);
}

/* The name of a header that this server believes; one with a meaning of its own would be believed twice. */
static const char *set_header(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char *c;

    for (c = arg; *c && (apr_isalnum(*c) || *c == '-'); c++)
        ;
    if (!*arg || *c)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", arg, "' is not the name of a header", NULL);
    return set_text(cmd, dummy, arg);
}

/* An address, or one with a prefix length or netmask. */
static const char *add_subnet(cmd_parms *cmd, void *dummy, const char *arg)
{
    apr_array_header_t **subnets = MEMBER(cmd, apr_array_header_t *);
    char *address = apr_pstrdup(cmd->pool, arg), *mask = strchr(address, '/');
    apr_ipsubnet_t *subnet;

    (void)dummy;
    if (mask)
        *mask++ = '\0';
    if (apr_ipsubnet_create(&subnet, address, mask, cmd->pool) != APR_SUCCESS)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", arg, "' is no address such as 10.1.2.3 or 10.1.0.0/16",
                           NULL);
    if (!*subnets)
        *subnets = apr_array_make(cmd->pool, 2, sizeof(apr_ipsubnet_t *));
    APR_ARRAY_PUSH(*subnets, apr_ipsubnet_t *) = subnet;
    return NULL;
}

static const char *add_word(cmd_parms *cmd, void *dummy, const char *arg)
{
    apr_array_header_t **words = MEMBER(cmd, apr_array_header_t *);

    (void)dummy;
    if (!*words)
        *words = apr_array_make(cmd->pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(*words, const char *) = arg;
    return NULL;
}

static const char *set_count(cmd_parms *cmd, void *dummy, const char *arg)
{
    char *end;
    apr_int64_t value = apr_strtoi64(arg, &end, 10);

    (void)dummy;
    if (!*arg || *end || value < 0 || value > 1000000)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", arg, "' is not a number from 0 to 1000000", NULL);
    *MEMBER(cmd, int) = (int)value;
    return NULL;
}

static const char *set_push_retry(cmd_parms *cmd, void *dummy, const char *first, const char *most)
{
    mdm_conf_t *conf = mdm_config_of(cmd->server);
    const char *err = set_interval(&conf->push_retry_first, cmd, first);

    (void)dummy;
    if (!err && most)
        err = set_interval(&conf->push_retry_max, cmd, most);
    if (!err && most && conf->push_retry_max < conf->push_retry_first)
        err = apr_pstrcat(cmd->pool, cmd->cmd->name, ": the longest gap is shorter than the first", NULL);
    return err;
}

static const char *set_profile_retry(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    apr_array_header_t *waits = apr_array_make(cmd->pool, 4, sizeof(apr_interval_time_t));
    const char *err = NULL;
    int i, off = argc == 1 && !ap_cstr_casecmp(argv[0], "off");

    (void)dummy;
    if (!argc || argc > PROFILE_RETRIES_MAX)
        return apr_psprintf(cmd->pool, "%s takes 1 to %d times, or Off", cmd->cmd->name, PROFILE_RETRIES_MAX);
    for (i = 0; !err && !off && i < argc; i++)
        err = set_interval(apr_array_push(waits), cmd, argv[i]);
    mdm_config_of(cmd->server)->profile_retry = waits;
    return err;
}

static const char *set_profile_check(cmd_parms *cmd, void *dummy, const char *arg)
{
    mdm_conf_t *conf = mdm_config_of(cmd->server);

    (void)dummy;
    if (ap_cstr_casecmp(arg, "off"))
        return set_interval(&conf->profile_check, cmd, arg);
    conf->profile_check = 0;
    return NULL;
}

/* Webhook receivers stand where the administrator says, on this machine too: http: is for him to judge. */
static const char *add_webhook(cmd_parms *cmd, void *dummy, int argc, char *const argv[])
{
    mdm_conf_t *conf = mdm_config_of(cmd->server);
    mdm_webhook_sink_t *sink;
    apr_uri_t uri;
    int i;

    (void)dummy;
    if (!argc || apr_uri_parse(cmd->pool, argv[0], &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname
        || (strcmp(uri.scheme, "https") && strcmp(uri.scheme, "http")))
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": the first word must be an http or https URL", NULL);
    for (i = 1; i < argc; i++) {
        if (!mdm_webhook_is_topic(argv[i]))
            return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", argv[i], "' is no topic of events", NULL);
    }
    for (i = 0; conf->webhooks && i < conf->webhooks->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(conf->webhooks, i, mdm_webhook_sink_t).url, argv[0]))
            return apr_pstrcat(cmd->pool, cmd->cmd->name, ": this URL is there twice; name all its topics in one line",
                               NULL);
    }
    if (!conf->webhooks)
        conf->webhooks = apr_array_make(cmd->pool, 2, sizeof(mdm_webhook_sink_t));
    sink = apr_array_push(conf->webhooks);
    memset(sink, 0, sizeof(*sink));
    sink->url = argv[0];
    sink->topics = argc > 1 ? apr_array_make(cmd->pool, argc - 1, sizeof(const char *)) : NULL;
    for (i = 1; i < argc; i++)
        APR_ARRAY_PUSH(sink->topics, const char *) = argv[i];
    return NULL;
}

static const choice_t missings[] = { { "keep", 0 }, { "disable", 1 }, { NULL, 0 } };

static const char *set_directory_missing(cmd_parms *cmd, void *dummy, const char *arg)
{
    (void)dummy;
    return choose(MEMBER(cmd, int), cmd, missings, arg);
}

static const char *set_device_auth(cmd_parms *cmd, void *dirv, int flag)
{
    mdm_dir_conf_t *dir = dirv;

    (void)cmd;
    dir->device_auth = flag;
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
    AP_INIT_TAKE2("MDMUserAttribute", mdm_person_directive, NULL, RSRC_CONF | ACCESS_CONF,
                  "Name of an attribute of users, and the expression that is its value at sign-in"),
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
    AP_INIT_TAKE1("MDMUserAuthenticate", set_user_authenticate, TO(user_authenticate), RSRC_CONF,
                  "How network users of Macs sign in: decline, zero-length or digest"),
    AP_INIT_TAKE1("MDMUserDigestFile", set_file, TO(user_digest_file), RSRC_CONF,
                  "Passwords of network users, as htdigest makes them"),
    AP_INIT_TAKE1("MDMDeclarativeURL", set_url, TO(declarative_url), RSRC_CONF,
                  "Base URL of the declarative management server that answers devices"),
    AP_INIT_TAKE1("MDMDeclarativeKeyFile", set_file, TO(declarative_key_file), RSRC_CONF,
                  "Key of the HMAC with which requests to MDMDeclarativeURL are signed"),
    AP_INIT_TAKE1("MDMDeclarativeAnswerKeyFile", set_file, TO(declarative_answer_key_file), RSRC_CONF,
                  "Key of the HMAC that answers from MDMDeclarativeURL must bear"),
    AP_INIT_TAKE1("MDMGetTokenKeyFile", set_file, TO(get_token_key_file), RSRC_CONF,
                  "PEM RSA key that signs the tokens for Managed Apple Accounts (GetToken)"),
    AP_INIT_TAKE1("MDMGetTokenServerUUID", set_uuid, TO(get_token_server_uuid), RSRC_CONF,
                  "server_uuid of this server in Apple Business or School Manager"),
    AP_INIT_TAKE1("MDMReturnToServiceWiFiFile", set_file, TO(return_to_service_wifi_file), RSRC_CONF,
                  "Wi-Fi profile that an erased device returns to service with"),
    AP_INIT_FLAG("MDMReturnToServiceProfile", set_flag, TO(return_to_service_profile), RSRC_CONF,
                 "Whether an erased device gets an enrollment profile along"),
    AP_INIT_TAKE1("MDMSignatureTolerance", set_time, TO(signature_tolerance), RSRC_CONF,
                  "How far the time of an Mdm-Signature may lie outside of its certificate's validity"),
    AP_INIT_FLAG("MDMSignatureSHA1", set_flag, TO(signature_sha1), RSRC_CONF,
                 "Whether an Mdm-Signature may use SHA-1, as older devices do"),
    AP_INIT_TAKE1("MDMClientCertHeader", set_header, TO(client_cert_header), RSRC_CONF,
                  "Header in which a proxy passes the device's certificate on"),
    AP_INIT_ITERATE("MDMClientCertProxy", add_subnet, TO(client_cert_proxies), RSRC_CONF,
                    "Addresses of the proxies whose MDMClientCertHeader is believed"),
    AP_INIT_ITERATE("MDMIdentityCAFile", add_file, TO(identity_ca_files), RSRC_CONF,
                    "PEM files of other CAs whose identities devices may use"),
    AP_INIT_FLAG("MDMRetroactiveIdentity", set_flag, TO(retroactive_identity), RSRC_CONF,
                 "Whether an enrollment without an identity takes the first one that its device shows"),
    AP_INIT_FLAG("MDMDeviceAuth", set_device_auth, NULL, ACCESS_CONF,
                 "Only enrolled devices may use this Location, as a proxy's"),
    AP_INIT_TAKE1("MDMHistoryLifetime", set_time, TO(history_lifetime), RSRC_CONF,
                  "How long finished commands and their answers are kept"),
    AP_INIT_TAKE1("MDMDestructiveLifetime", set_time, TO(destructive_lifetime), RSRC_CONF,
                  "How long a command that erases, locks or removes may wait, unless it says so itself"),
    AP_INIT_ITERATE("MDMApproval", add_word, TO(approvals), RSRC_CONF,
                    "RequestTypes that a second administrator must approve"),
    AP_INIT_TAKE1("MDMQueueLimit", set_count, TO(queue_limit), RSRC_CONF,
                  "Most open commands of an enrollment, 0: no limit"),
    AP_INIT_TAKE_ARGV("MDMProfileRetry", set_profile_retry, NULL, RSRC_CONF,
                      "Waits before a profile that is not as it should be is installed again"),
    AP_INIT_TAKE1("MDMProfileCheck", set_profile_check, NULL, RSRC_CONF,
                  "How often each device is asked for its profiles, or off"),
    AP_INIT_TAKE12("MDMPushRetry", set_push_retry, NULL, RSRC_CONF,
                   "First and longest gap between pushes to a device with open work that stays away"),
    AP_INIT_TAKE1("MDMPushRate", set_count, TO(push_rate), RSRC_CONF,
                  "Most pushes in a second of a topic, 0: no limit"),
    AP_INIT_TAKE1("MDMSilentAfter", set_time, TO(silent_after), RSRC_CONF,
                  "A device that has not been heard of for so long counts as silent"),
    AP_INIT_TAKE_ARGV("MDMWebhookURL", add_webhook, NULL, RSRC_CONF,
                      "URL that is told what devices say, and the topics it wants"),
    AP_INIT_TAKE1("MDMWebhookKeyFile", set_file, TO(webhook_key_file), RSRC_CONF,
                  "Key of the HMAC with which events are signed"),
    AP_INIT_TAKE1("MDMWebhookLifetime", set_time, TO(webhook_lifetime), RSRC_CONF,
                  "How long an event is tried before it is given up"),
    AP_INIT_TAKE1("MDMEscrowKeyUnlockURL", set_https_url, TO(escrow_key_unlock_url), RSRC_CONF,
                  "Apple's Activation Lock service, or a stand-in"),
    AP_INIT_TAKE12("MDMDirectoryURL", mdm_directory_set_url, NULL, RSRC_CONF,
                   "LDAP URL with the users to synchronise with; starttls or plain for one that is not ldaps"),
    AP_INIT_TAKE2("MDMDirectoryBind", mdm_directory_set_bind, NULL, RSRC_CONF,
                  "Distinguished name to read the directory as, and the file with its password"),
    AP_INIT_TAKE1("MDMDirectoryCA", set_file, TO(directory_ca_file), RSRC_CONF,
                  "PEM CA certificates that the directory's server certificate must chain to"),
    AP_INIT_TAKE2("MDMDirectoryAttribute", mdm_directory_add_attribute, NULL, RSRC_CONF,
                  "Name of an attribute of users, and that of the directory it comes from"),
    AP_INIT_TAKE1("MDMDirectoryInterval", set_time, TO(directory_interval), RSRC_CONF,
                  "How often the directory is synchronised"),
    AP_INIT_TAKE1("MDMDirectoryMissing", set_directory_missing, TO(directory_disable), RSRC_CONF,
                  "What becomes of users that are not found any more: keep or disable"),
    AP_INIT_TAKE1("MDMDirectoryDisabled", mdm_directory_set_disabled, NULL, RSRC_CONF,
                  "LDAP filter that finds those users who are disabled"),
    AP_INIT_FLAG("MDMDirectoryNested", set_flag, TO(directory_nested), RSRC_CONF,
                 "Off: members of groups within groups do not count"),
    AP_INIT_TAKE12("MDMDirectoryLimit", mdm_directory_set_limit, NULL, RSRC_CONF,
                   "More than so many percent, and at least so many, are not taken away without a word"),
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};
