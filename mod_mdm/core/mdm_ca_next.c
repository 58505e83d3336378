/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roll-over: making the next CA, and putting the old one aside after the switch. Runs in mdmctl as root,
 * beside a running httpd, which reads the files at its next restart only.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "mdm_ca_files.h"
#include "mdm_file.h"
#include "mdm_pki_ca.h"

static int there(const char *file)
{
    return access(file, F_OK) == 0;
}

/* "Example CA" is followed by "Example CA 2", that by "Example CA 3": clients tell CAs by their names. */
static const char *next_name(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    const char *name = mdm_cert_common_name(ctx, cert), *space;
    apr_int64_t number;
    char *end;

    if (!name)
        return "Device Identity CA 2";
    space = strrchr(name, ' ');
    if (space && apr_isdigit(space[1]) && strlen(space) < 8) {
        number = apr_strtoi64(space + 1, &end, 10);
        if (!*end)
            return apr_psprintf(ctx->pool, "%.*s %" APR_INT64_T_FMT, (int)(space - name), name, number + 1);
    }
    return apr_pstrcat(ctx->pool, name, " 2", NULL);
}

static apr_status_t check_date(mdm_ctx_t *ctx, apr_time_t at, const mdm_cert_t *present)
{
    if (at <= mdm_ctx_now(ctx))
        return mdm_fail(ctx, MDM_EINPUT, "the next CA must take over in the future");
    if (at >= mdm_cert_not_after(present))
        return mdm_fail(ctx, MDM_EINPUT, "the present CA ends at %s UTC: the next one must take over before "
                        "that",
                        mdm_time_plain(mdm_cert_not_after(present), "-", ctx->pool));
    return APR_SUCCESS;
}

/* A key without a certificate is what an earlier call left behind that was stopped: it is taken up. */
static apr_status_t next_key(const mdm_key_t **key, mdm_bytes_t *contents, mdm_ctx_t *ctx,
                             const mdm_ca_plan_t *plan,
                             const mdm_cert_t *present)
{
    const char *file = mdm_ca_path(ctx, plan->state_dir, MDM_NEXT_CA_KEY);
    apr_status_t rv;

    contents->len = 0;
    if (!there(file))
        return mdm_ca_new_key(key, contents, ctx, plan->key_uri, plan->pin);
    rv = mdm_ca_read_key(key, ctx, file, plan->pin);
    if (rv == APR_SUCCESS && mdm_cert_has_key(present, *key))
        rv = mdm_fail(ctx, MDM_ECONFIG, "%s is the key of the present CA: an earlier mdmctl ca retire was "
                      "stopped; run it again", file);
    return rv;
}

apr_status_t mdm_ca_make_next(mdm_ctx_t *ctx, const mdm_ca_plan_t *plan)
{
    const char *cert_file = mdm_ca_path(ctx, plan->state_dir, MDM_NEXT_CA_PEM);
    const char *organization = plan->organization;
    const mdm_cert_t *present;
    apr_array_header_t *certs;
    const mdm_key_t *key;
    mdm_bytes_t contents;
    const char *pem;
    mdm_cert_t *cert;
    apr_status_t rv;

    if (there(cert_file))
        return mdm_fail(ctx, MDM_EEXIST, "%s is there already; nothing was changed", cert_file);
    if ((rv = mdm_ca_read_certs(&certs, ctx, plan->state_dir, MDM_CA_PEM)) != APR_SUCCESS)
        return rv;
    present = APR_ARRAY_IDX(certs, 0, const mdm_cert_t *);
    if (!organization)
        organization = mdm_cert_organization(ctx, present);
    if ((rv = check_date(ctx, plan->not_before, present)) != APR_SUCCESS
        || (rv = next_key(&key, &contents, ctx, plan, present)) != APR_SUCCESS
        || (rv = mdm_cert_make_ca(&cert, ctx, key, organization, next_name(ctx, present), plan->not_before,
                                  plan->lifetime)) != APR_SUCCESS)
        return rv;
    if (contents.len)
        return mdm_ca_write(ctx, cert_file, mdm_ca_path(ctx, plan->state_dir, MDM_NEXT_CA_KEY), cert,
                            contents);
    rv = mdm_cert_to_pem(&pem, ctx, cert);
    return rv == APR_SUCCESS ? mdm_file_create(ctx, cert_file, mdm_bytes_of(pem), 0) : rv;
}

/* ---- after the switch */

/* A second name for a file; that it is there from an earlier call is all right. */
static apr_status_t keep(mdm_ctx_t *ctx, const char *file, const char *old)
{
    struct stat a, b;

    if (stat(file, &a) == 0 && stat(old, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev)
        return APR_SUCCESS;
    return mdm_file_link(ctx, file, old);
}

static apr_status_t check_ra(mdm_ctx_t *ctx, const char *dir, const apr_array_header_t *next)
{
    apr_array_header_t *ra;
    apr_status_t rv;

    if (!there(mdm_ca_path(ctx, dir, MDM_RA_PEM)))
        return APR_SUCCESS;
    rv = mdm_ca_read_certs(&ra, ctx, dir, MDM_RA_PEM);
    if (rv == APR_SUCCESS && mdm_ca_ra_problem(APR_ARRAY_IDX(ra, 0, const mdm_cert_t *), next))
        rv = mdm_fail(ctx, MDM_ECONFIG, "ra.pem is not from the new CA: move ra.pem and ra.key away, run "
                      "mdmctl ca ra and restart httpd gracefully first");
    return rv;
}

/* The certificate has been moved already, and the key has not. */
static apr_status_t finish(mdm_ctx_t *ctx, const char *dir, const mdm_cert_t *present, mdm_bytes_t pin)
{
    const char *next_key_file = mdm_ca_path(ctx, dir, MDM_NEXT_CA_KEY);
    const mdm_key_t *key;
    apr_status_t rv;

    if (!there(next_key_file))
        return mdm_fail(ctx, MDM_ECONFIG, "%s has no next CA: make one with mdmctl ca next", dir);
    if ((rv = mdm_ca_read_key(&key, ctx, next_key_file, pin)) != APR_SUCCESS)
        return rv;
    if (!mdm_cert_has_key(present, key))
        return mdm_fail(ctx, MDM_ECONFIG, "%s is there without its certificate: complete it with mdmctl ca "
                        "next",
                        next_key_file);
    return mdm_file_rename(ctx, next_key_file, mdm_ca_path(ctx, dir, MDM_CA_KEY));
}

static apr_status_t check_next(mdm_ctx_t *ctx, const char *dir, const mdm_cert_t *next, mdm_bytes_t pin)
{
    const mdm_key_t *key;
    apr_status_t rv;

    if (mdm_cert_not_before(next) > mdm_ctx_now(ctx))
        return mdm_fail(ctx, MDM_ECONFIG, "the next CA takes over at %s UTC: the present one cannot be "
                        "retired before",
                        mdm_time_plain(mdm_cert_not_before(next), "-", ctx->pool));
    rv = mdm_ca_read_key(&key, ctx, mdm_ca_path(ctx, dir, MDM_NEXT_CA_KEY), pin);
    if (rv == APR_SUCCESS && !mdm_cert_has_key(next, key))
        rv = mdm_fail(ctx, MDM_ECONFIG, "%s/next-ca.key is not the key of next-ca.pem", dir);
    return rv;
}

/*
 * The certificate goes first: httpd takes next-ca.key for a ca.pem that ca.key does not fit, so that each
 * state in between is one it starts with.
 */
static apr_status_t move(mdm_ctx_t *ctx, const char *dir, const char *date)
{
    const char *cert_file = mdm_ca_path(ctx, dir, MDM_CA_PEM), *key_file = mdm_ca_path(ctx, dir, MDM_CA_KEY);
    const char *old = apr_pstrcat(ctx->pool, dir, "/old-ca-", date, NULL);
    apr_status_t rv;

    if ((rv = keep(ctx, cert_file, apr_pstrcat(ctx->pool, old, ".pem", NULL))) != APR_SUCCESS
        || (rv = keep(ctx, key_file, apr_pstrcat(ctx->pool, old, ".key", NULL))) != APR_SUCCESS
        || (rv = mdm_file_rename(ctx, mdm_ca_path(ctx, dir, MDM_NEXT_CA_PEM), cert_file)) != APR_SUCCESS)
        return rv;
    return mdm_file_rename(ctx, mdm_ca_path(ctx, dir, MDM_NEXT_CA_KEY), key_file);
}

apr_status_t mdm_ca_retire(mdm_ctx_t *ctx, const char *state_dir, mdm_bytes_t pin)
{
    apr_array_header_t *certs, *nexts;
    const mdm_cert_t *next;
    apr_status_t rv = mdm_ca_read_certs(&certs, ctx, state_dir, MDM_CA_PEM);

    if (rv != APR_SUCCESS)
        return rv;
    if (!there(mdm_ca_path(ctx, state_dir, MDM_NEXT_CA_PEM)))
        return finish(ctx, state_dir, APR_ARRAY_IDX(certs, 0, const mdm_cert_t *), pin);
    if ((rv = mdm_ca_read_certs(&nexts, ctx, state_dir, MDM_NEXT_CA_PEM)) != APR_SUCCESS)
        return rv;
    next = APR_ARRAY_IDX(nexts, 0, const mdm_cert_t *);
    if ((rv = check_next(ctx, state_dir, next, pin)) != APR_SUCCESS
        || (rv = check_ra(ctx, state_dir, nexts)) != APR_SUCCESS)
        return rv;
    return move(ctx, state_dir, apr_pstrmemdup(ctx->pool, mdm_time_plain(mdm_cert_not_before(next), "-",
                                                                         ctx->pool),
                                               10));
}
