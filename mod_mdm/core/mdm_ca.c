/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the identity CA and its RA, and taking in one that exists. Runs in mdmctl, as root, beside httpd or
 * before it starts; never in a request.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "mdm_ca_files.h"
#include "mdm_file.h"
#include "mdm_pki_ca.h"
#include "mdm_seal.h"

#define KEY_BITS 2048
#define PEM_MAX (1024 * 1024)

const char *mdm_ca_path(mdm_ctx_t *ctx, const char *state_dir, const char *name)
{
    return apr_pstrcat(ctx->pool, state_dir, "/", name, NULL);
}

static int there(mdm_ctx_t *ctx, const char *dir, const char *name)
{
    return access(mdm_ca_path(ctx, dir, name), F_OK) == 0;
}

static apr_status_t make_dir(mdm_ctx_t *ctx, const char *dir)
{
    struct stat st;

    if (mkdir(dir, 0700) == 0)
        return APR_SUCCESS;
    if (errno != EEXIST || stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        return mdm_fail(ctx, MDM_ECONFIG, "cannot make the folder %s: %s", dir, strerror(errno));
    return APR_SUCCESS;
}

apr_status_t mdm_ca_read_certs(apr_array_header_t **certs, mdm_ctx_t *ctx, const char *state_dir,
                               const char *name)
{
    const char *file = mdm_ca_path(ctx, state_dir, name), *why;
    mdm_bytes_t pem;
    apr_status_t rv = mdm_file_read(&pem, ctx, file, PEM_MAX);

    if (rv != APR_SUCCESS || (rv = mdm_certs_from_pem(certs, ctx, pem)) == APR_SUCCESS)
        return rv;
    why = mdm_ctx_detail(ctx, rv);
    mdm_ctx_clear(ctx);
    return mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, why);
}

static apr_status_t open_token(const mdm_key_t **key, mdm_ctx_t *ctx, const char *uri, mdm_bytes_t pin)
{
    mdm_token_t *token;
    apr_status_t rv = mdm_token_new(&token, ctx, uri, pin);

    if (rv == APR_SUCCESS && (rv = mdm_token_open(token, ctx)) == APR_SUCCESS)
        *key = mdm_token_key(token);
    return rv;
}

apr_status_t mdm_ca_read_key(const mdm_key_t **key, mdm_ctx_t *ctx, const char *file, mdm_bytes_t pin)
{
    const char *uri, *why;
    mdm_key_t *made;
    mdm_bytes_t text;
    apr_status_t rv = mdm_file_read_secret(&text, ctx, file);

    if (rv != APR_SUCCESS)
        return rv;
    if ((uri = mdm_token_uri(ctx, text)) != NULL)
        return open_token(key, ctx, uri, pin);
    if ((rv = mdm_key_from_pem(&made, ctx, text)) == APR_SUCCESS) {
        *key = made;
        return rv;
    }
    why = mdm_ctx_detail(ctx, rv);
    mdm_ctx_clear(ctx);
    return mdm_fail(ctx, MDM_ECONFIG, "%s: %s", file, why);
}

apr_status_t mdm_ca_new_key(const mdm_key_t **key, mdm_bytes_t *contents, mdm_ctx_t *ctx, const char *uri,
                            mdm_bytes_t pin)
{
    mdm_key_t *made;
    apr_status_t rv;

    if (uri) {
        *contents = mdm_bytes_of(apr_pstrcat(ctx->pool, uri, "\n", NULL));
        return open_token(key, ctx, uri, pin);
    }
    if ((rv = mdm_key_generate(&made, ctx, KEY_BITS)) != APR_SUCCESS)
        return rv;
    *key = made;
    return mdm_key_to_pem(contents, ctx, made);
}

/* The key is written first: a certificate without its key would look like a CA and be none. */
apr_status_t mdm_ca_write(mdm_ctx_t *ctx, const char *cert_file, const char *key_file, const mdm_cert_t *cert,
                          mdm_bytes_t key)
{
    const char *pem;
    apr_status_t rv = mdm_cert_to_pem(&pem, ctx, cert);

    if (rv == APR_SUCCESS)
        rv = mdm_file_create(ctx, key_file, key, 1);
    return rv == APR_SUCCESS ? mdm_file_create(ctx, cert_file, mdm_bytes_of(pem), 0) : rv;
}

static apr_status_t make_ca(mdm_ctx_t *ctx, const mdm_ca_plan_t *plan)
{
    const char *name = apr_pstrcat(ctx->pool, plan->organization ? plan->organization : "MDM",
                                   " Device Identity CA", NULL);
    const mdm_key_t *key;
    mdm_bytes_t contents;
    mdm_cert_t *cert;
    apr_status_t rv;

    if ((rv = mdm_ca_new_key(&key, &contents, ctx, plan->key_uri, plan->pin)) != APR_SUCCESS
        || (rv = mdm_cert_make_ca(&cert, ctx, key, plan->organization, name, 0,
                                  plan->lifetime)) != APR_SUCCESS)
        return rv;
    return mdm_ca_write(ctx, mdm_ca_path(ctx, plan->state_dir, MDM_CA_PEM),
                        mdm_ca_path(ctx, plan->state_dir, MDM_CA_KEY), cert, contents);
}

static apr_status_t need_seal(mdm_ctx_t *ctx, const char *state_dir)
{
    const char *file = mdm_ca_path(ctx, state_dir, "seal.key");

    return access(file, F_OK) == 0 ? APR_SUCCESS : mdm_seal_create(ctx, file);
}

apr_status_t mdm_ca_init(mdm_ctx_t *ctx, const mdm_ca_plan_t *plan)
{
    const char *dir = plan->state_dir;
    int has_cert, has_key;
    apr_status_t rv = make_dir(ctx, dir);

    if (rv != APR_SUCCESS)
        return rv;
    has_cert = there(ctx, dir, MDM_CA_PEM);
    has_key = there(ctx, dir, MDM_CA_KEY);
    if (has_cert && has_key && there(ctx, dir, "seal.key"))
        return mdm_fail(ctx, MDM_EEXIST, "%s has a CA already; nothing was changed", dir);
    if (has_cert != has_key)
        return mdm_fail(ctx, MDM_ECONFIG, "%s/%s is there, but %s is not: restore it from a backup, or move "
                        "both away", dir, has_cert ? MDM_CA_PEM : MDM_CA_KEY, has_cert ? MDM_CA_KEY
                            : MDM_CA_PEM);
    rv = need_seal(ctx, dir);
    return rv != APR_SUCCESS || has_cert ? rv : make_ca(ctx, plan);
}

/* ---- an existing CA */

static const mdm_cert_t *cert_of_key(const apr_array_header_t *certs, const mdm_key_t *key)
{
    int i;

    for (i = 0; i < certs->nelts; i++) {
        if (mdm_cert_has_key(APR_ARRAY_IDX(certs, i, const mdm_cert_t *), key))
            return APR_ARRAY_IDX(certs, i, const mdm_cert_t *);
    }
    return NULL;
}

static apr_status_t check_import(mdm_ctx_t *ctx, const mdm_cert_t *ca)
{
    apr_time_t now = mdm_ctx_now(ctx);

    if (!ca)
        return mdm_fail(ctx, MDM_ECONFIG, "none of the certificates belongs to the key");
    if (!mdm_cert_is_ca(ca))
        return mdm_fail(ctx, MDM_ECONFIG, "the certificate %s may not sign others: it needs basicConstraints "
                        "CA and keyUsage keyCertSign", mdm_cert_subject(ctx, ca));
    if (!mdm_cert_is_rsa(ca))
        return mdm_fail(ctx, MDM_ECONFIG, "the CA's key is not RSA of 2048 to 8192 bits, the only kind that "
                        "devices can work with");
    if (mdm_cert_not_before(ca) > now || mdm_cert_not_after(ca) <= now)
        return mdm_fail(ctx, MDM_ECONFIG, "the CA's certificate is not valid today");
    return APR_SUCCESS;
}

/* The CA, then the others as they came: its chain. */
static apr_status_t to_pem(const char **out, mdm_ctx_t *ctx, const mdm_cert_t *ca,
                           const apr_array_header_t *certs)
{
    apr_status_t rv = mdm_cert_to_pem(out, ctx, ca);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < certs->nelts; i++) {
        const mdm_cert_t *cert = APR_ARRAY_IDX(certs, i, const mdm_cert_t *);
        const char *pem;

        if (cert == ca || (rv = mdm_cert_to_pem(&pem, ctx, cert)) != APR_SUCCESS)
            continue;
        *out = apr_pstrcat(ctx->pool, *out, pem, NULL);
    }
    return rv;
}

apr_status_t mdm_ca_import(const char **warning, mdm_ctx_t *ctx, const mdm_ca_plan_t *plan,
                           const mdm_key_t *key,
                           const apr_array_header_t *certs, int next)
{
    const char *cert_name = next ? MDM_NEXT_CA_PEM : MDM_CA_PEM, *key_name = next ? MDM_NEXT_CA_KEY
        : MDM_CA_KEY;
    const mdm_cert_t *ca = cert_of_key(certs, key);
    const char *pem;
    mdm_bytes_t key_pem;
    apr_status_t rv = check_import(ctx, ca);

    if (rv != APR_SUCCESS || (rv = make_dir(ctx, plan->state_dir)) != APR_SUCCESS)
        return rv;
    if (there(ctx, plan->state_dir, cert_name) || there(ctx, plan->state_dir, key_name))
        return mdm_fail(ctx, MDM_EEXIST, "%s has %s or %s already; nothing was changed", plan->state_dir,
                        cert_name,
                        key_name);
    if ((rv = to_pem(&pem, ctx, ca, certs)) != APR_SUCCESS || (rv = mdm_key_to_pem(&key_pem, ctx,
                                                                                   key)) != APR_SUCCESS
        || (rv = need_seal(ctx, plan->state_dir)) != APR_SUCCESS)
        return rv;
    *warning = mdm_cert_allows(ca, MDM_USE_SIGN | MDM_USE_DECRYPT) ? NULL
        : "the CA's keyUsage lacks digitalSignature or keyEncipherment, so devices cannot speak SCEP with "
            "it: make an RA with mdmctl ca ra, and set MDMSCEPRAFile";
    rv = mdm_file_create(ctx, mdm_ca_path(ctx, plan->state_dir, key_name), key_pem, 1);
    if (rv == APR_SUCCESS)
        rv = mdm_file_create(ctx, mdm_ca_path(ctx, plan->state_dir, cert_name), mdm_bytes_of(pem), 0);
    return rv;
}

/* ---- the RA */

const char *mdm_ca_ra_problem(const mdm_cert_t *ra, const apr_array_header_t *cas)
{
    int i;

    if (!mdm_cert_is_rsa(ra))
        return "its key is not RSA of 2048 to 8192 bits, the only kind that devices can encrypt to";
    if (!mdm_cert_allows(ra, MDM_USE_SIGN | MDM_USE_DECRYPT))
        return "its keyUsage does not allow both digitalSignature and keyEncipherment";
    for (i = 0; i < cas->nelts; i++) {
        if (mdm_cert_signed_by(ra, APR_ARRAY_IDX(cas, i, const mdm_cert_t *)))
            return NULL;
    }
    return "it was not issued by the site's CA: make one with mdmctl ca ra";
}

/* The CA that issues now: the next one when its date has come. */
static apr_status_t present(const mdm_cert_t **cert, const char **key_file, mdm_ctx_t *ctx, const char *dir)
{
    apr_array_header_t *certs;
    apr_status_t rv = mdm_ca_read_certs(&certs, ctx, dir, MDM_CA_PEM);

    if (rv != APR_SUCCESS)
        return rv;
    *cert = APR_ARRAY_IDX(certs, 0, const mdm_cert_t *);
    *key_file = mdm_ca_path(ctx, dir, MDM_CA_KEY);
    if (!there(ctx, dir, MDM_NEXT_CA_PEM) || (rv = mdm_ca_read_certs(&certs, ctx, dir,
                                                                     MDM_NEXT_CA_PEM)) != APR_SUCCESS)
        return rv;
    if (mdm_cert_not_before(APR_ARRAY_IDX(certs, 0, const mdm_cert_t *)) <= mdm_ctx_now(ctx)) {
        *cert = APR_ARRAY_IDX(certs, 0, const mdm_cert_t *);
        *key_file = mdm_ca_path(ctx, dir, MDM_NEXT_CA_KEY);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_ca_make_ra(mdm_ctx_t *ctx, const mdm_ca_plan_t *plan)
{
    const char *cert_file = mdm_ca_path(ctx, plan->state_dir, MDM_RA_PEM), *ca_key_file;
    const char *key_file = mdm_ca_path(ctx, plan->state_dir, MDM_RA_KEY);
    mdm_ra_t how = { NULL, NULL, NULL, plan->organization, NULL, plan->lifetime };
    mdm_bytes_t contents, no_pin = { NULL, 0 };
    mdm_cert_t *cert;
    apr_status_t rv;

    if (access(cert_file, F_OK) == 0 || access(key_file, F_OK) == 0)
        return mdm_fail(ctx, MDM_EEXIST, "%s has an RA already: move ra.pem and ra.key away first",
                        plan->state_dir);
    if ((rv = present(&how.ca, &ca_key_file, ctx, plan->state_dir)) != APR_SUCCESS
        || (rv = mdm_ca_read_key(&how.ca_key, ctx, ca_key_file, plan->pin)) != APR_SUCCESS
        || (rv = mdm_ca_new_key(&how.key, &contents, ctx, NULL, no_pin)) != APR_SUCCESS)
        return rv;
    if (!how.organization)
        how.organization = mdm_cert_organization(ctx, how.ca);
    how.common_name = "SCEP Registration Authority";
    rv = mdm_cert_make_ra(&cert, ctx, &how);
    return rv == APR_SUCCESS ? mdm_ca_write(ctx, cert_file, key_file, cert, contents) : rv;
}
