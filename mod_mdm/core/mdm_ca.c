/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making the identity CA. Runs in mdmctl, as root, before httpd starts; never in a request.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "mdm_ca.h"
#include "mdm_file.h"
#include "mdm_pki.h"
#include "mdm_seal.h"

#define CA_KEY_BITS 2048

static const char *path(mdm_ctx_t *ctx, const char *dir, const char *name)
{
    return apr_pstrcat(ctx->pool, dir, "/", name, NULL);
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

/* The key is written first: a certificate without its key would look like a CA and be none. */
static apr_status_t make_ca(mdm_ctx_t *ctx, const char *cert_file, const char *key_file,
                            const char *organization, apr_interval_time_t lifetime)
{
    const char *name = apr_pstrcat(ctx->pool, organization ? organization : "MDM",
                                   " Device Identity CA", NULL);
    const char *pem;
    mdm_bytes_t key_pem;
    mdm_cert_t *cert;
    mdm_key_t *key;
    apr_status_t rv;

    if ((rv = mdm_key_generate(&key, ctx, CA_KEY_BITS)) != APR_SUCCESS
        || (rv = mdm_cert_make_ca(&cert, ctx, key, organization, name, 0, lifetime)) != APR_SUCCESS
        || (rv = mdm_key_to_pem(&key_pem, ctx, key)) != APR_SUCCESS
        || (rv = mdm_cert_to_pem(&pem, ctx, cert)) != APR_SUCCESS)
        return rv;
    rv = mdm_file_create(ctx, key_file, key_pem, 1);
    return rv == APR_SUCCESS ? mdm_file_create(ctx, cert_file, mdm_bytes_of(pem), 0) : rv;
}

apr_status_t mdm_ca_init(mdm_ctx_t *ctx, const char *state_dir, const char *organization,
                         apr_interval_time_t lifetime)
{
    const char *cert_file = path(ctx, state_dir, "ca.pem");
    const char *key_file = path(ctx, state_dir, "ca.key");
    const char *seal_file = path(ctx, state_dir, "seal.key");
    int has_cert, has_key, has_seal;
    apr_status_t rv = make_dir(ctx, state_dir);

    if (rv != APR_SUCCESS)
        return rv;
    has_cert = access(cert_file, F_OK) == 0;
    has_key = access(key_file, F_OK) == 0;
    has_seal = access(seal_file, F_OK) == 0;
    if (has_cert && has_key && has_seal)
        return mdm_fail(ctx, MDM_EEXIST, "%s has a CA already; nothing was changed", state_dir);
    if (has_cert != has_key)
        return mdm_fail(ctx, MDM_ECONFIG,
                        "%s is there, but %s is not: restore it from a backup, or move both away",
                        has_cert ? cert_file : key_file, has_cert ? key_file : cert_file);
    if (!has_seal && (rv = mdm_seal_create(ctx, seal_file)) != APR_SUCCESS)
        return rv;
    return has_cert ? APR_SUCCESS : make_ca(ctx, cert_file, key_file, organization, lifetime);
}
