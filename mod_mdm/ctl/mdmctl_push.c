/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mdmctl push: the way to a push certificate and its renewal: a key with its request in the state folder, the file for
 * Apple's portal, the certificate into the database. A key that is there is used again, never replaced; after the
 * import it keeps the certificate's serial number as its name.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_file.h"
#include "mdm_pki_request.h"
#include "mdm_pushcert.h"
#include "mdm_pushcert_request.h"
#include "mdmctl.h"

#define USAGE "... push csr [--organization NAME] [--vendor-cert FILE --vendor-key FILE [--chain FILE]]\n" \
    "       mdmctl ... push import FILE [--confirm TOPIC]\n" \
    "       mdmctl ... push show"
#define FILE_MAX 65536
#define NAME "push"

static const char *in_state(mdmctl_t *m, const char *name)
{
    return apr_pstrcat(m->ctx->pool, m->state_dir, "/", name, NULL);
}

static apr_status_t need_state(mdmctl_t *m)
{
    return m->state_dir ? APR_SUCCESS
        : mdm_fail(m->ctx, MDM_ECONFIG, "say where the site's keys are: --state-dir DIR (MDMStateDir)");
}

/* ---- csr */

static apr_status_t make_key(mdm_key_t **key, mdmctl_t *m)
{
    const char *file = in_state(m, NAME ".key");
    mdm_bytes_t pem;
    apr_status_t rv;

    if ((rv = mdm_key_generate(key, m->ctx, 2048)) == APR_SUCCESS
        && (rv = mdm_key_to_pem(&pem, m->ctx, *key)) == APR_SUCCESS)
        rv = mdm_file_create(m->ctx, file, pem, 1);
    if (rv != MDM_EEXIST)
        return rv;
    mdm_ctx_clear(m->ctx);
    if ((rv = mdm_file_read_secret(&pem, m->ctx, file)) == APR_SUCCESS)
        rv = mdm_key_from_pem(key, m->ctx, pem);
    return rv;
}

/* A request that was made anew for the same key is as good. */
static apr_status_t write_over(mdmctl_t *m, const char *name, const char *text)
{
    const char *file = in_state(m, name), *next = apr_pstrcat(m->ctx->pool, file, ".new", NULL);
    apr_status_t rv;

    (void)remove(next);
    if ((rv = mdm_file_create(m->ctx, next, mdm_bytes_of(text), 0)) == APR_SUCCESS)
        rv = mdm_file_rename(m->ctx, next, file);
    if (rv == APR_SUCCESS)
        printf("%s\n", file);
    return rv;
}

static apr_status_t write_request(mdmctl_t *m, mdm_bytes_t der)
{
    const char *pem;
    mdm_csr_t *csr;
    apr_status_t rv;
    int weak;

    if ((rv = mdm_csr_from_der(&csr, &weak, m->ctx, der)) == APR_SUCCESS
        && (rv = mdm_csr_to_pem(&pem, m->ctx, csr)) == APR_SUCCESS)
        rv = write_over(m, NAME ".csr", pem);
    return rv;
}

static apr_status_t write_upload(mdmctl_t *m, mdm_bytes_t der, const char *cert, const char *key_file,
                                 const char *chain)
{
    apr_array_header_t *vendor, *rest;
    mdm_key_t *key;
    mdm_bytes_t pem;
    const char *text;
    apr_status_t rv;

    if ((rv = mdm_file_read(&pem, m->ctx, cert, FILE_MAX)) != APR_SUCCESS
        || (rv = mdm_certs_from_pem(&vendor, m->ctx, pem)) != APR_SUCCESS)
        return rv;
    if (chain) {
        if ((rv = mdm_file_read(&pem, m->ctx, chain, FILE_MAX)) != APR_SUCCESS
            || (rv = mdm_certs_from_pem(&rest, m->ctx, pem)) != APR_SUCCESS)
            return rv;
        apr_array_cat(vendor, rest);
    }
    if ((rv = mdm_file_read_secret(&pem, m->ctx, key_file)) != APR_SUCCESS
        || (rv = mdm_key_from_pem(&key, m->ctx, pem)) != APR_SUCCESS
        || (rv = mdm_pushcert_request(&text, m->ctx, der, vendor, key)) != APR_SUCCESS)
        return rv;
    return write_over(m, NAME ".request", text);
}

static int csr(mdmctl_t *m, int argc, const char **argv)
{
    const char *organization = mdmctl_option(&argc, argv, "--organization");
    const char *cert = mdmctl_option(&argc, argv, "--vendor-cert");
    const char *key_file = mdmctl_option(&argc, argv, "--vendor-key");
    const char *chain = mdmctl_option(&argc, argv, "--chain");
    mdm_key_t *key;
    mdm_bytes_t der;
    apr_status_t rv;

    if (argc || !cert != !key_file || (chain && !cert))
        return mdmctl_usage(USAGE);
    if ((rv = need_state(m)) != APR_SUCCESS || (rv = make_key(&key, m)) != APR_SUCCESS
        || (rv = mdm_csr_make(&der, m->ctx, key, organization, "MDM push certificate")) != APR_SUCCESS
        || (rv = write_request(m, der)) != APR_SUCCESS
        || (cert && (rv = write_upload(m, der, cert, key_file, chain)) != APR_SUCCESS))
        return mdmctl_fail(m, rv);
    if (cert)
        puts("Upload " NAME ".request at https://identity.apple.com/pushcert (choose Renew beside an entry that "
             "exists), then: mdmctl ... push import FILE with what Apple gives you.");
    else
        puts("Apple takes this request only with an MDM vendor's signature: let a vendor sign it, or run this again "
             "with --vendor-cert, --vendor-key and --chain.");
    return MDMCTL_OK;
}

/* ---- import */

/* The key of the certificate among those of the state folder. @param name of its file; NULL: none */
static apr_status_t find_key(const char **name, mdm_bytes_t *pem, mdmctl_t *m, const mdm_cert_t *cert)
{
    DIR *folder = opendir(m->state_dir);
    struct dirent *entry;
    mdm_key_t *key;

    *name = NULL;
    if (!folder)
        return mdm_fail(m->ctx, MDM_ECONFIG, "%s cannot be read", m->state_dir);
    while (!*name && (entry = readdir(folder)) != NULL) {
        size_t len = strlen(entry->d_name);

        if (strncmp(entry->d_name, NAME, strlen(NAME)) || len < 4 || strcmp(entry->d_name + len - 4, ".key"))
            continue;
        if (mdm_file_read_secret(pem, m->ctx, in_state(m, entry->d_name)) == APR_SUCCESS
            && mdm_key_from_pem(&key, m->ctx, *pem) == APR_SUCCESS && mdm_cert_has_key(cert, key))
            *name = apr_pstrdup(m->ctx->pool, entry->d_name);
    }
    closedir(folder);
    if (*name) {
        mdm_ctx_clear(m->ctx);
        return APR_SUCCESS;
    }
    return m->ctx->detail ? MDM_EINPUT
        : mdm_fail(m->ctx, MDM_EINPUT, "no key of %s/" NAME "*.key belongs to the certificate: it was requested with "
                   "another key", m->state_dir);
}

/* The next request gets a key of its own. */
static apr_status_t put_away(mdmctl_t *m, const char *name, const char *serial)
{
    if (strcmp(name, NAME ".key"))
        return APR_SUCCESS;
    (void)remove(in_state(m, NAME ".csr"));
    (void)remove(in_state(m, NAME ".request"));
    return mdm_file_rename(m->ctx, in_state(m, name),
                           in_state(m, apr_pstrcat(m->ctx->pool, NAME "-", serial, ".key", NULL)));
}

static apr_status_t import_file(mdmctl_t *m, const char *file, const char *confirm)
{
    mdm_pushcert_upload_t upload = { { NULL, 0 }, confirm, NULL, "mdmctl", NULL };
    mdm_push_topic_t *stored;
    mdm_bytes_t pem, key;
    const char *name, *text;
    mdm_cert_t *cert;
    mdm_store_t *st;
    apr_status_t rv;

    if ((rv = need_state(m)) != APR_SUCCESS || (rv = mdm_file_read(&pem, m->ctx, file, FILE_MAX)) != APR_SUCCESS
        || (rv = mdm_cert_from_pem(&cert, m->ctx, pem)) != APR_SUCCESS
        || (rv = find_key(&name, &key, m, cert)) != APR_SUCCESS
        || (rv = mdm_cert_to_pem(&text, m->ctx, cert)) != APR_SUCCESS || (rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS)
        return rv;
    upload.pem = mdm_bytes_of(apr_pstrcat(m->ctx->pool, text, (const char *)key.data, NULL));
    rv = mdm_pushcert_upload(&stored, st, &upload);
    mdm_cleanse((unsigned char *)upload.pem.data, upload.pem.len);
    if (rv == MDM_EEXIST)
        fprintf(stderr, "mdmctl: to confirm: --confirm TOPIC\n");
    if (rv != APR_SUCCESS)
        return rv;
    printf("%s until %s\n", stored->topic, mdmctl_time(stored->not_after, m->ctx->pool));
    return put_away(m, name, mdm_cert_serial(m->ctx, cert));
}

/* ---- show */

static apr_status_t show(mdmctl_t *m)
{
    apr_array_header_t *list;
    mdm_store_t *st;
    apr_status_t rv;
    int i;

    if ((rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS || (rv = mdm_pushcert_list(&list, st)) != APR_SUCCESS)
        return rv;
    for (i = 0; i < list->nelts; i++) {
        const mdm_pushcert_t *p = &APR_ARRAY_IDX(list, i, mdm_pushcert_t);

        if (p->certificate) {
            apr_time_t end = p->certificate->not_after;
            int days = mdm_time_days_left(end, mdm_ctx_now(m->ctx));

            printf("%s  until %s (%s)  %" APR_INT64_T_FMT " devices\n", p->topic, mdmctl_time(end, m->ctx->pool),
                   days < 0 ? "expired" : apr_psprintf(m->ctx->pool, "%d days", days), p->devices);
        }
        else
            printf("%s  no certificate: import it  %" APR_INT64_T_FMT " devices\n", p->topic, p->devices);
    }
    return APR_SUCCESS;
}

int mdmctl_push(mdmctl_t *m, int argc, const char **argv)
{
    const char *confirm;
    apr_status_t rv;

    if (argc && !strcmp(argv[0], "csr"))
        return csr(m, argc - 1, argv + 1);
    confirm = mdmctl_option(&argc, argv, "--confirm");
    if (argc == 2 && !strcmp(argv[0], "import"))
        rv = import_file(m, argv[1], confirm);
    else if (argc == 1 && !confirm && !strcmp(argv[0], "show"))
        rv = show(m);
    else
        return mdmctl_usage(USAGE);
    return rv == APR_SUCCESS ? MDMCTL_OK : mdmctl_fail(m, rv);
}
