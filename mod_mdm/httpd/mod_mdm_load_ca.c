/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CAs of a site, its RA and its signer of profiles: read in the parent, as root, once per start or
 * restart. Only keys in PKCS#11 tokens are opened by each child, as its own user: a token does not outlive
 * fork().
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <unixd.h>

#include "mdm_authority.h"
#include "mdm_ca.h"
#include "mdm_file.h"
#include "mdm_pki_ca.h"
#include "mdm_pki_tls.h"
#include "mod_mdm_load.h"
#include "mod_mdm_log.h"

#define TOKEN_SECONDS 30
#define WARN_BEFORE apr_time_from_sec(30 * 86400)

/* A key that the children have to open, and what it has to fit. */
typedef struct {
    mdm_token_t *token;
    const mdm_cert_t *cert;
} token_key_t;

/* Made in the parent, taken by children; -1: no site has a key in a token. */
static int token_lock = -1;

/* ---- keys */

apr_status_t mdm_load_key(mdm_key_t **key, mdm_ctx_t *ctx, const char *directive, const char *file)
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

/* The URI of a key in a token, from the directive itself or from the file that it names; else NULL. */
static apr_status_t find_uri(const char **uri, mdm_ctx_t *ctx, const char *file)
{
    mdm_bytes_t text;
    apr_status_t rv;

    if ((*uri = mdm_token_uri(ctx, mdm_bytes_of(file))) != NULL)
        return APR_SUCCESS;
    rv = mdm_file_read_secret(&text, ctx, file);
    if (rv == APR_SUCCESS)
        *uri = mdm_token_uri(ctx, text);
    return rv;
}

static apr_status_t close_token_lock(void *unused)
{
    (void)unused;
    close(token_lock);
    token_lock = -1;
    return APR_SUCCESS;
}

/* Record locks, unlike others, are of the process that takes them, and go with it. */
static void make_token_lock(apr_pool_t *p)
{
    if (token_lock < 0 && (token_lock = memfd_create("mdm_token", MFD_CLOEXEC)) >= 0)
        apr_pool_cleanup_register(p, NULL, close_token_lock, apr_pool_cleanup_null);
}

static apr_status_t name_token_key(const mdm_key_t **key, mdm_ctx_t *ctx, mdm_conf_t *conf, const char *uri,
                                   const mdm_cert_t *cert)
{
    mdm_bytes_t pin = { NULL, 0 };
    token_key_t *named;
    mdm_token_t *token;
    apr_status_t rv;

    if (conf->ca_key_pin_file && (rv = mdm_file_read_secret(&pin, ctx, conf->ca_key_pin_file)) != APR_SUCCESS)
        return rv;
    if ((rv = mdm_token_new(&token, ctx, uri, pin)) != APR_SUCCESS)
        return rv;
    make_token_lock(ctx->pool);
    if (!conf->tokens)
        conf->tokens = apr_array_make(ctx->pool, 2, sizeof(token_key_t));
    named = apr_array_push(conf->tokens);
    named->token = token;
    named->cert = cert;
    *key = mdm_token_key(token);
    return APR_SUCCESS;
}

/* @return MDM_ECONFIG without a detail when the key is another certificate's */
static apr_status_t load_ca_key(const mdm_key_t **key, mdm_ctx_t *ctx, mdm_conf_t *conf, const char *file,
                                const mdm_cert_t *cert)
{
    mdm_key_t *read;
    const char *uri;
    apr_status_t rv = find_uri(&uri, ctx, file);

    if (rv != APR_SUCCESS)
        return rv;
    if (uri)
        return name_token_key(key, ctx, conf, uri, cert);
    if ((rv = mdm_load_key(&read, ctx, "MDMCAKeyFile", file)) != APR_SUCCESS)
        return rv;
    *key = read;
    return mdm_cert_has_key(cert, read) ? APR_SUCCESS : MDM_ECONFIG;
}

/* ---- keys in tokens */

/*
 * Children start together, and SoftHSM for one turns a process away for good while another one opens its
 * token.
 */
static void lock_tokens(short type)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };

    while (token_lock >= 0 && fcntl(token_lock, F_SETLKW, &lock) < 0 && errno == EINTR)
        ;
}

static apr_status_t open_token(mdm_ctx_t *ctx, const token_key_t *named)
{
    apr_status_t rv;

    lock_tokens(F_WRLCK);
    rv = mdm_token_open(named->token, ctx);
    lock_tokens(F_UNLCK);
    if (rv == APR_SUCCESS && !mdm_cert_has_key(named->cert, mdm_token_key(named->token)))
        rv = mdm_fail(ctx, MDM_ECONFIG, "the key in the token is not that of the certificate %s",
                      mdm_cert_subject(ctx, named->cert));
    return rv;
}

/*
 * The user of the children: it is they who will have to open the token; and some tokens make files when they
 * are opened, which must not become root's.
 */
static int become_child(void)
{
    const unixd_config_rec *as = &ap_unixd_config;

    return geteuid() != 0 || (setgid(as->group_id) == 0 && initgroups(as->user_name, as->group_id) == 0
                              && setuid(as->user_id) == 0);
}

/* In a process of its own: what goes wrong in it is told through the pipe. */
static void try_tokens(const mdm_conf_t *conf, mdm_ctx_t *ctx, int out)
{
    apr_status_t rv = APR_SUCCESS;
    const char *why;
    int i;

    alarm(TOKEN_SECONDS);
    if (!become_child())
        rv = mdm_fail(ctx, MDM_ECONFIG, "cannot become the user that directive User names");
    for (i = 0; rv == APR_SUCCESS && i < conf->tokens->nelts; i++)
        rv = open_token(ctx, &APR_ARRAY_IDX(conf->tokens, i, token_key_t));
    why = rv == APR_SUCCESS ? "" : mdm_ctx_detail(ctx, rv);
    if (write(out, why, strlen(why)) < 0)
        _exit(2);
    _exit(rv != APR_SUCCESS);
}

/* A wrong PIN or a missing module is to stop the start, and this process must not open the token itself. */
static apr_status_t check_tokens(mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    char why[1024] = "";
    ssize_t len = 0, n;
    int fds[2], status = 1;
    pid_t pid;

    if (!conf->tokens)
        return APR_SUCCESS;
    if (pipe(fds) != 0 || (pid = fork()) < 0)
        return mdm_fail(ctx, MDM_ECONFIG, "no process to try the token out: %s", strerror(errno));
    if (!pid)
        try_tokens(conf, ctx, fds[1]);
    close(fds[1]);
    while (len < (ssize_t)sizeof(why) - 1
           && ((n = read(fds[0], why + len, sizeof(why) - 1 - (size_t)len)) > 0 || (n < 0 && errno == EINTR)))
        len += n > 0 ? n : 0;
    close(fds[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return APR_SUCCESS;
    return mdm_fail(ctx, MDM_ECONFIG, "MDMCAKeyFile: %s (tried as the user of the children, who must be able "
                    "to read the token)", *why ? why : "the token does not answer");
}

static void open_in_child(const mdm_conf_t *conf, const token_key_t *named, apr_pool_t *p)
{
    mdm_ctx_t *ctx = mdm_ctx_create(p, NULL);
    apr_status_t rv = open_token(ctx, named);

    if (rv != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, conf->server, MDMNO(0750) "MDMCAKeyFile: %s: this child "
                     "cannot issue identities", mdm_ctx_detail(ctx, rv));
}

void mdm_load_child(apr_pool_t *p, server_rec *main_server)
{
    const apr_array_header_t *sites = mdm_config_sites(main_server, p);
    int i, k;

    for (i = 0; i < sites->nelts; i++) {
        const mdm_conf_t *conf = APR_ARRAY_IDX(sites, i, const mdm_conf_t *);

        for (k = 0; conf->tokens && k < conf->tokens->nelts; k++)
            open_in_child(conf, &APR_ARRAY_IDX(conf->tokens, k, token_key_t), p);
    }
}

/* ---- the CAs */

static apr_status_t read_certs(apr_array_header_t **certs, mdm_ctx_t *ctx, const char *directive,
                               const char *file)
{
    mdm_bytes_t pem;
    const char *why;
    apr_status_t rv = mdm_file_read(&pem, ctx, file, MDM_LOAD_PEM_MAX);

    if (rv != APR_SUCCESS || (rv = mdm_certs_from_pem(certs, ctx, pem)) == APR_SUCCESS)
        return rv;
    why = mdm_ctx_detail(ctx, rv);
    mdm_ctx_clear(ctx);
    return mdm_fail(ctx, MDM_ECONFIG, "%s %s: %s", directive, file, why);
}

static apr_status_t make_authority(mdm_authority_t **out, mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    mdm_authority_t *authority = apr_pcalloc(ctx->pool, sizeof(*authority));

    authority->cert = cert;
    authority->fingerprint = mdm_cert_fingerprint(ctx, cert);
    *out = authority;
    return mdm_cert_to_der(&authority->der, ctx, cert);
}

/* The other certificates of a CA's file are its chain: devices get them with the profile. */
static apr_status_t read_authority(mdm_authority_t **out, mdm_site_t *site, mdm_ctx_t *ctx,
                                   const char *directive, const char *file)
{
    apr_array_header_t *certs, *trust = apr_array_copy(ctx->pool, site->trust);
    int i;
    apr_status_t rv = read_certs(&certs, ctx, directive, file);

    if (rv != APR_SUCCESS)
        return rv;
    for (i = 1; i < certs->nelts; i++)
        APR_ARRAY_PUSH(trust, const mdm_cert_t *) = APR_ARRAY_IDX(certs, i, const mdm_cert_t *);
    site->trust = trust;
    return make_authority(out, ctx, APR_ARRAY_IDX(certs, 0, const mdm_cert_t *));
}

/* A stopped "mdmctl ca retire" leaves the key of ca.pem in next-ca.key. */
static apr_status_t load_present(mdm_authority_t **out, mdm_site_t *site, mdm_ctx_t *ctx, mdm_conf_t *conf)
{
    const char *other = conf->state_dir ? mdm_ca_path(ctx, conf->state_dir, MDM_NEXT_CA_KEY) : NULL;
    apr_status_t rv = read_authority(out, site, ctx, "MDMCACertificateFile", conf->ca_certificate_file);

    if (rv != APR_SUCCESS)
        return rv;
    rv = load_ca_key(&(*out)->key, ctx, conf, conf->ca_key_file, (*out)->cert);
    if (rv != MDM_ECONFIG || ctx->detail)
        return rv;
    if (other && access(other, F_OK) == 0
        && load_ca_key(&(*out)->key, ctx, conf, other, (*out)->cert) == APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, conf->server, MDMNO(0751) "the key of %s is in %s: mdmctl "
                     "ca retire was stopped, run it again", conf->ca_certificate_file, other);
        return APR_SUCCESS;
    }
    return mdm_fail(ctx, MDM_ECONFIG, "MDMCAKeyFile %s is not the key of MDMCACertificateFile %s",
                    conf->ca_key_file, conf->ca_certificate_file);
}

/* @param out NULL when there is none */
static apr_status_t load_next(mdm_authority_t **out, mdm_site_t *site, mdm_ctx_t *ctx, mdm_conf_t *conf)
{
    const char *file, *key_file;
    apr_status_t rv;

    *out = NULL;
    if (!conf->state_dir)
        return APR_SUCCESS;
    file = mdm_ca_path(ctx, conf->state_dir, MDM_NEXT_CA_PEM);
    key_file = mdm_ca_path(ctx, conf->state_dir, MDM_NEXT_CA_KEY);
    if (access(file, F_OK) != 0)
        return APR_SUCCESS;
    rv = read_authority(out, site, ctx, "the next CA", file);
    if (rv == APR_SUCCESS)
        rv = load_ca_key(&(*out)->key, ctx, conf, key_file, (*out)->cert);
    if (rv == MDM_ECONFIG && !ctx->detail)
        rv = mdm_fail(ctx, rv, "the next CA: %s is not the key of %s", key_file, file);
    return rv;
}

static void warn_of_usage(const mdm_conf_t *conf, const mdm_cert_t *ca)
{
    if (!conf->ra_file && !mdm_cert_allows(ca, MDM_USE_SIGN | MDM_USE_DECRYPT))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, conf->server, MDMNO(0752) "the keyUsage of "
                     "MDMCACertificateFile %s lacks digitalSignature or keyEncipherment, so devices cannot "
                         "speak SCEP with it: run mdmctl ca ra, and set MDMSCEPRAFile",
                             conf->ca_certificate_file);
}

apr_status_t mdm_load_authorities(mdm_site_t *site, mdm_ctx_t *ctx, mdm_conf_t *conf)
{
    apr_array_header_t *authorities = apr_array_make(ctx->pool, 2, sizeof(mdm_authority_t *));
    mdm_authority_t *present, *next;
    apr_status_t rv;

    conf->tokens = NULL;
    if ((rv = load_present(&present, site, ctx, conf)) != APR_SUCCESS
        || (rv = load_next(&next, site, ctx, conf)) != APR_SUCCESS || (rv = check_tokens(ctx,
                                                                                         conf)) != APR_SUCCESS)
        return rv;
    /* The two directives may name the next CA's files already. */
    if (next && !strcmp(next->fingerprint, present->fingerprint))
        next = NULL;
    /* The next one comes last whatever its age: an imported one can be older than the CA that it follows. */
    APR_ARRAY_PUSH(authorities, mdm_authority_t *) = present;
    if (next)
        APR_ARRAY_PUSH(authorities, mdm_authority_t *) = next;
    site->authorities = authorities;
    warn_of_usage(conf, present->cert);
    return APR_SUCCESS;
}

/* ---- the RA */

apr_status_t mdm_load_ra(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    apr_array_header_t *cas = apr_array_make(ctx->pool, 2, sizeof(mdm_cert_t *)), *certs;
    const char *key_file = conf->ra_key_file, *why;
    mdm_key_t *key;
    apr_status_t rv;
    int i;

    if (!conf->ra_file)
        return APR_SUCCESS;
    if ((rv = read_certs(&certs, ctx, "MDMSCEPRAFile", conf->ra_file)) != APR_SUCCESS
        || (rv = mdm_load_key(&key, ctx, "MDMSCEPRAFile", key_file)) != APR_SUCCESS)
        return rv;
    for (i = 0; i < site->authorities->nelts; i++)
        APR_ARRAY_PUSH(cas, const mdm_cert_t *) = APR_ARRAY_IDX(site->authorities, i,
                                                                mdm_authority_t *)->cert;
    site->ra = APR_ARRAY_IDX(certs, 0, const mdm_cert_t *);
    site->ra_key = key;
    if ((why = mdm_ca_ra_problem(site->ra, cas)) != NULL)
        return mdm_fail(ctx, MDM_ECONFIG, "MDMSCEPRAFile %s: %s", conf->ra_file, why);
    if (!mdm_cert_has_key(site->ra, key))
        return mdm_fail(ctx, MDM_ECONFIG, "MDMSCEPRAFile: %s is not the key of %s", key_file, conf->ra_file);
    return APR_SUCCESS;
}

/* ---- who signs profiles */

int mdm_load_tls(server_rec *s, apr_pool_t *p, int is_proxy, struct ssl_ctx_st *tls)
{
    mdm_conf_t *conf = mdm_config_of(s);

    (void)p;
    /* Hosts without a directive of ours share a record: the site's own host comes before the others. */
    if (!is_proxy && conf->engine == 1 && (!conf->tls || s == conf->server))
        conf->tls = tls;
    return DECLINED;
}

static apr_status_t read_signer(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    apr_array_header_t *certs;
    mdm_key_t *key;
    apr_status_t rv;

    if ((rv = read_certs(&certs, ctx, "MDMProfileSignerFile", conf->signer_file)) != APR_SUCCESS
        || (rv = mdm_load_key(&key, ctx, "MDMProfileSignerFile", conf->signer_key_file)) != APR_SUCCESS)
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

static apr_status_t borrow_signer(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    apr_array_header_t *chain;
    mdm_cert_t *cert;
    mdm_key_t *key;
    apr_status_t rv = conf->tls ? mdm_tls_identity(&cert, &key, &chain, ctx, conf->tls) : MDM_ENOTFOUND;

    if (rv == APR_SUCCESS) {
        site->signer = cert;
        site->signer_key = key;
        site->signer_chain = chain;
    }
    return rv == MDM_ENOTFOUND ? APR_SUCCESS : rv;
}

static void warn_of_end(const mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    apr_time_t left = mdm_cert_not_after(site->signer) - mdm_ctx_now(ctx);

    if (left < WARN_BEFORE)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, conf->server, MDMNO(0753) "the certificate that signs "
                     "profiles, %s, %s: devices will not show them as verified; renew it, then restart httpd "
                         "gracefully",
                     mdm_cert_subject(ctx, site->signer),
                     left <= 0 ? "has expired" : apr_psprintf(ctx->pool, "expires in %d days",
                                                              (int)(left / apr_time_from_sec(86400))));
}

apr_status_t mdm_load_signer(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    const mdm_authority_t *present = mdm_authority_present(site, mdm_ctx_now(ctx));
    apr_status_t rv;

    site->signer = present->cert;
    site->signer_key = present->key;
    rv = conf->signer_file ? read_signer(site, ctx, conf) : borrow_signer(site, ctx, conf);
    if (rv == APR_SUCCESS && site->signer != present->cert)
        warn_of_end(site, ctx, conf);
    return rv;
}
