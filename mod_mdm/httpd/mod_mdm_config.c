/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directives: one table, one setter per kind of value, one merge line per member. Runs while httpd reads its
 * configuration, in the parent; touches neither files nor the network.
 */
#include <stddef.h>

#include <apr_lib.h>
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
    return conf;
}

void *mdm_config_dir_merge(apr_pool_t *p, void *basev, void *addv)
{
    const mdm_dir_conf_t *base = basev, *add = addv;
    mdm_dir_conf_t *conf = apr_palloc(p, sizeof(*conf));

    MERGE_NUM(limit_request_body);
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
    AP_INIT_TAKE1("MDMCAKeyFile", set_file, TO(ca_key_file), RSRC_CONF, "PEM key of the identity CA"),
    AP_INIT_TAKE1("MDMSealKeyFile", set_file, TO(seal_key_file), RSRC_CONF,
                  "Key that encrypts secrets in the database"),
    AP_INIT_TAKE12("MDMProfileSignerFile", set_signer, NULL, RSRC_CONF,
                   "PEM certificate with its chain, and PEM key, that sign profiles"),
    AP_INIT_ITERATE("MDMTrustFile", add_file, TO(trust_files), RSRC_CONF,
                    "PEM files of CA certificates that devices shall trust"),
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
