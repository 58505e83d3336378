/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `httpd -t` and every start say about an MDM site that cannot work: each missing, unreadable, open
 * or contradictory part with its directive, its file and the remedy. Runs in the parent; opens
 * certificates, but no key.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>

#include "mdm_ca.h"
#include "mdm_file.h"
#include "mdm_payloads.h"
#include "mdm_plist.h"
#include "mod_mdm_check.h"
#include "mod_mdm_log.h"

#define PEM_MAX (1024 * 1024)

typedef struct {
    mdm_ctx_t *ctx;
    const mdm_conf_t *conf;
    int problems;
} check_t;

static void problem(check_t *c, const char *directive, const char *text, const char *remedy)
{
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_ERR, 0, c->conf->server, MDMNO(0100) "%s: %s%s%s",
                 directive, text, remedy ? ": " : "", remedy ? remedy : "");
    c->problems++;
}

static int need_file(check_t *c, const char *directive, const char *file, const char *remedy)
{
    if (!file) {
        problem(c, directive, "not set, and there is no MDMStateDir to find it in", "set one of the two");
        return 0;
    }
    if (access(file, R_OK) != 0) {
        problem(c, directive, apr_psprintf(c->ctx->pool, "%s: %s", file, strerror(errno)), remedy);
        return 0;
    }
    return 1;
}

static void need_secret(check_t *c, const char *directive, const char *file, const char *remedy)
{
    if (!need_file(c, directive, file, remedy))
        return;
    mdm_ctx_clear(c->ctx);
    if (mdm_file_check_secret(c->ctx, file) != APR_SUCCESS)
        problem(c, directive, c->ctx->detail, NULL);
}

/* NULL after a problem; else at least one. */
static apr_array_header_t *need_certificates(check_t *c, const char *directive, const char *file,
                                             const char *remedy)
{
    apr_array_header_t *certs = NULL;
    mdm_bytes_t pem;

    if (!need_file(c, directive, file, remedy))
        return NULL;
    mdm_ctx_clear(c->ctx);
    if (mdm_file_read(&pem, c->ctx, file, PEM_MAX) == APR_SUCCESS
        && mdm_certs_from_pem(&certs, c->ctx, pem) == APR_SUCCESS)
        return certs;
    problem(c, directive, apr_psprintf(c->ctx->pool, "%s: %s", file, c->ctx->detail),
            "give a file with PEM certificates");
    return NULL;
}

/* A key in a token is tried out at the start; here only its PIN is looked at. */
static void check_ca_key(check_t *c, const char *remedy)
{
    const char *pin_file = c->conf->ca_key_pin_file, *file = c->conf->ca_key_file;

    if (!file || !mdm_token_uri(c->ctx, mdm_bytes_of(file)))
        need_secret(c, "MDMCAKeyFile", file, remedy);
    if (pin_file)
        need_secret(c, "MDMCAKeyPINFile", pin_file, "write the token's PIN into it with mode 0600");
}

/* @return the first certificate of the file; NULL after a problem */
static const mdm_cert_t *check_ca_file(check_t *c, const char *directive, const char *file,
                                       const char *remedy)
{
    apr_array_header_t *certs = need_certificates(c, directive, file, remedy);
    const mdm_cert_t *ca = certs ? APR_ARRAY_IDX(certs, 0, const mdm_cert_t *) : NULL;

    if (ca && !mdm_cert_is_ca(ca)) {
        problem(c, directive, apr_psprintf(c->ctx->pool, "%s is not a CA certificate", file),
                "it must have basicConstraints CA and keyUsage keyCertSign");
        return NULL;
    }
    return ca;
}

/* @return the CA certificates (mdm_cert_t *) that are there: the present one, and the next one */
static apr_array_header_t *check_ca(check_t *c)
{
    const char *dir = c->conf->state_dir, *next = dir ? mdm_ca_path(c->ctx, dir, MDM_NEXT_CA_PEM) : NULL;
    const char *remedy = apr_psprintf(c->ctx->pool, "run: mdmctl --state-dir '%s' ca init", dir ? dir
                                      : "DIR");
    apr_array_header_t *cas = apr_array_make(c->ctx->pool, 2, sizeof(mdm_cert_t *));
    const mdm_cert_t *ca = check_ca_file(c, "MDMCACertificateFile", c->conf->ca_certificate_file, remedy);

    if (ca)
        APR_ARRAY_PUSH(cas, const mdm_cert_t *) = ca;
    check_ca_key(c, remedy);
    need_secret(c, "MDMSealKeyFile", c->conf->seal_key_file, remedy);
    if (!next || access(next, F_OK) != 0)
        return cas;
    remedy = apr_psprintf(c->ctx->pool, "restore it from a backup, or move next-ca.pem and next-ca.key away "
                          "and run: mdmctl --state-dir '%s' ca next", dir);
    if ((ca = check_ca_file(c, "MDMStateDir", next, remedy)) != NULL)
        APR_ARRAY_PUSH(cas, const mdm_cert_t *) = ca;
    need_secret(c, "MDMStateDir", mdm_ca_path(c->ctx, dir, MDM_NEXT_CA_KEY), remedy);
    return cas;
}

static void check_ra(check_t *c, const apr_array_header_t *cas)
{
    const char *remedy = "make one with mdmctl ca ra", *file = c->conf->ra_file, *text;
    apr_array_header_t *certs;

    if (!file)
        return;
    certs = need_certificates(c, "MDMSCEPRAFile", file, remedy);
    need_secret(c, "MDMSCEPRAFile", c->conf->ra_key_file, remedy);
    text = certs && cas->nelts ? mdm_ca_ra_problem(APR_ARRAY_IDX(certs, 0, const mdm_cert_t *), cas) : NULL;
    if (text)
        problem(c, "MDMSCEPRAFile", file, text);
}

static void check_state_dir(check_t *c)
{
    struct stat st;
    const char *dir = c->conf->state_dir;

    if (!dir) {
        problem(c, "MDMStateDir", "not set", "name the folder that `mdmctl --state-dir DIR ca init` filled");
        return;
    }
    if (stat(dir, &st) != 0)
        problem(c, "MDMStateDir", apr_psprintf(c->ctx->pool, "%s: %s", dir, strerror(errno)),
                apr_psprintf(c->ctx->pool, "run: mdmctl --state-dir '%s' ca init", dir));
    else if (!S_ISDIR(st.st_mode))
        problem(c, "MDMStateDir", apr_psprintf(c->ctx->pool, "%s is not a folder", dir), "name a folder");
    else if (st.st_mode & (S_IWGRP | S_IWOTH))
        problem(c, "MDMStateDir", apr_psprintf(c->ctx->pool, "%s can be written by group or others", dir),
                apr_psprintf(c->ctx->pool, "chmod 700 '%s'", dir));
}

static void need_module(check_t *c, const char *file, const char *what, const char *remedy)
{
    if (!ap_find_linked_module(file))
        problem(c, "MDMEngine", apr_psprintf(c->ctx->pool, "%s needs %s, which is not loaded", what, file),
                remedy);
}

static void check_modules(check_t *c)
{
    const char *directive, *remedy, *text;

    need_module(c, "mod_dbd.c", "the database", "load dbd_module (Debian: a2enmod dbd)");
    need_module(c, "mod_watchdog.c", "the push worker", "load watchdog_module");
    need_module(c, "mod_ssl.c", "device identity over TLS", "load ssl_module (Debian: a2enmod ssl)");
    if (!ap_find_linked_module("mod_dbd.c"))
        return;
    text = mdm_check_database(&directive, &remedy, c->ctx->pool);
    /* At a start this is no obstacle: the disk may be mounted later; until then requests are answered 503. */
    if (text && (!strcmp(directive, "DBDriver") || ap_state_query(AP_SQ_RUN_MODE) == AP_SQ_RM_CONFIG_TEST))
        problem(c, directive, text, remedy);
    else if (text)
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_WARNING, 0, c->conf->server,
                     MDMNO(0103) "%s: %s: %s", directive, text, remedy);
    if ((text = mdm_check_database_limits(c->ctx->pool)) != NULL)
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_WARNING, 0, c->conf->server, MDMNO(0104) "DBDParams: %s", text);
}

/* Their age and strength are not looked at: Apple's own expired long ago. */
static void check_cas(check_t *c, const char *directive, const apr_array_header_t *files, const char *remedy)
{
    const apr_array_header_t *certs;
    int i, k;

    for (i = 0; files && i < files->nelts; i++) {
        const char *file = APR_ARRAY_IDX(files, i, const char *);

        certs = need_certificates(c, directive, file, remedy);
        for (k = 0; certs && k < certs->nelts; k++) {
            if (!mdm_cert_is_ca(APR_ARRAY_IDX(certs, k, mdm_cert_t *)))
                problem(c, directive, apr_psprintf(c->ctx->pool, "%s: a certificate in it is no CA's", file),
                        "leave only CA certificates in it");
        }
    }
}

static void check_identity(check_t *c)
{
    const mdm_conf_t *conf = c->conf;

    check_cas(c, "MDMDeviceCAFile", conf->device_ca_files,
              "name a PEM file with the CA that Apple publishes for its devices");
    check_cas(c, "MDMIdentityCAFile", conf->identity_ca_files,
              "name a PEM file with the CA that issued the identities of devices before");
    if (conf->client_cert_header && !conf->client_cert_proxies)
        problem(c, "MDMClientCertHeader", "there is no MDMClientCertProxy, so that nobody may send this header",
                "name the addresses of the proxies with MDMClientCertProxy, or remove MDMClientCertHeader");
}

static void check_configuration(check_t *c)
{
    const apr_array_header_t *files = c->conf->configuration_files;
    apr_array_header_t *payloads = apr_array_make(c->ctx->pool, 4, sizeof(mdm_plist_t *));
    int i;

    if (files && files->nelts && !c->conf->device_ca_files)
        problem(c, "MDMConfigurationProfileFile", "there is no MDMDeviceCAFile, and such profiles are given "
                "in over-the-air enrollment only", "set MDMDeviceCAFile");
    for (i = 0; files && i < files->nelts; i++) {
        const char *file = APR_ARRAY_IDX(files, i, const char *);
        mdm_bytes_t bytes;

        if (!need_file(c, "MDMConfigurationProfileFile", file, "name .mobileconfig files"))
            continue;
        mdm_ctx_clear(c->ctx);
        if (mdm_file_read(&bytes, c->ctx, file, MDM_PAYLOADS_FILE_MAX) != APR_SUCCESS
            || mdm_payloads_read(payloads, c->ctx, file, bytes) != APR_SUCCESS)
            problem(c, "MDMConfigurationProfileFile", c->ctx->detail, NULL);
    }
}

/* What only works together with something else. */
static void check_answers(check_t *c)
{
    const mdm_conf_t *conf = c->conf;
    const char *wifi = conf->return_to_service_wifi_file, *digests = conf->user_digest_file;
    apr_array_header_t *payloads = apr_array_make(c->ctx->pool, 4, sizeof(mdm_plist_t *));
    mdm_bytes_t bytes;

    if (digests)
        need_secret(c, "MDMUserDigestFile", digests, "make it with htdigest, and chmod 600");
    if (conf->user_authenticate == MDM_USER_AUTHENTICATE_DIGEST && !digests)
        problem(c, "MDMUserAuthenticate", "digest needs MDMUserDigestFile", "name a file made with htdigest");
    if (conf->declarative_key_file)
        need_secret(c, "MDMDeclarativeKeyFile", conf->declarative_key_file, "write the key into it with mode 0600");
    if (conf->declarative_answer_key_file)
        need_secret(c, "MDMDeclarativeAnswerKeyFile", conf->declarative_answer_key_file,
                    "write the key into it with mode 0600");
    if (conf->get_token_key_file)
        need_secret(c, "MDMGetTokenKeyFile", conf->get_token_key_file, "name a PEM key file");
    if (!conf->get_token_key_file != !conf->get_token_server_uuid)
        problem(c, conf->get_token_key_file ? "MDMGetTokenServerUUID" : "MDMGetTokenKeyFile", "not set",
                "GetToken needs both MDMGetTokenKeyFile and MDMGetTokenServerUUID");
    if (!wifi || !need_file(c, "MDMReturnToServiceWiFiFile", wifi, "name a .mobileconfig file"))
        return;
    mdm_ctx_clear(c->ctx);
    if (mdm_file_read(&bytes, c->ctx, wifi, MDM_PAYLOADS_FILE_MAX) != APR_SUCCESS
        || mdm_payloads_read(payloads, c->ctx, wifi, bytes) != APR_SUCCESS)
        problem(c, "MDMReturnToServiceWiFiFile", c->ctx->detail, NULL);
}

static void check_directory(check_t *c)
{
    const mdm_conf_t *conf = c->conf;

    if (!conf->directory_url && (conf->directory_bind_dn || conf->directory_attributes))
        problem(c, "MDMDirectoryURL", "not set", "say where the directory is, as ldaps://ldap.example.com/ou=people,"
                "dc=example,dc=com?uid");
    if (conf->directory_bind_dn)
        need_secret(c, "MDMDirectoryBind", conf->directory_password_file, "write the password into it with mode 0600");
    if (conf->directory_ca_file)
        need_certificates(c, "MDMDirectoryCA", conf->directory_ca_file, "name a PEM file");
}

static void check_site(check_t *c)
{
    const mdm_conf_t *conf = c->conf;
    int i;

    if (!conf->server_url)
        problem(c, "MDMServerURL", "not set", "give the public URL, such as https://mdm.example.com");
    check_modules(c);
    check_state_dir(c);
    check_ra(c, check_ca(c));
    if (conf->signer_file) {
        need_certificates(c, "MDMProfileSignerFile", conf->signer_file, "name a PEM file");
        need_secret(c, "MDMProfileSignerFile", conf->signer_key_file,
                    "name the PEM key file as second argument");
    }
    for (i = 0; conf->trust_files && i < conf->trust_files->nelts; i++)
        need_certificates(c, "MDMTrustFile", APR_ARRAY_IDX(conf->trust_files, i, const char *),
                          "name PEM files");
    check_identity(c);
    check_configuration(c);
    check_answers(c);
    if (conf->terms_file)
        need_file(c, "MDMTermsFile", conf->terms_file, "name a file with the text to accept, in UTF-8");
    if (conf->api_key_file)
        need_secret(c, "MDMAPIKeyFile", conf->api_key_file, "write the key into it with mode 0600");
    check_directory(c);
    if (conf->apns_ca_file)
        need_certificates(c, "MDMAPNSCAFile", conf->apns_ca_file, "name a PEM file");
}

int mdm_config_check(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const apr_array_header_t *sites = mdm_config_sites(s, p);
    check_t c = { NULL, NULL, 0 };
    int i;

    (void)plog;
    for (i = 0; i < sites->nelts; i++) {
        c.conf = APR_ARRAY_IDX(sites, i, mdm_conf_t *);
        c.ctx = mdm_ctx_create(ptemp, NULL);
        check_site(&c);
    }
    return c.problems ? HTTP_INTERNAL_SERVER_ERROR : OK;
}
