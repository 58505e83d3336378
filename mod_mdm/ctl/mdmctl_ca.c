/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mdmctl ca: the life of a site's identity CA: make or import it, look at it, prepare the next one, retire
 * the old one, make an RA. Secrets come from files, never from the command line.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <apr_strings.h>

#include "mdm_ca.h"
#include "mdm_file.h"
#include "mdm_pki_ca.h"
#include "mdm_store_status.h"
#include "mdmctl.h"

#define FILE_MAX (1024 * 1024)

/* Everything that can stand behind a verb. */
typedef struct {
    mdm_ca_plan_t plan;
    const char *days, *at, *in, *pin_file;
    const char *certificate, *key, *key_password_file, *pkcs12, *password_file;
    int force, next;
} options_t;

static int take_flag(int *argc, const char **argv, const char *name)
{
    int i;

    for (i = 0; i < *argc && strcmp(argv[i], name); i++)
        ;
    if (i == *argc)
        return 0;
    memmove(argv + i, argv + i + 1, (size_t)(*argc - i - 1) * sizeof(*argv));
    --*argc;
    return 1;
}

/* "2027-01-31", "2027-01-31 12:00" or "2027-01-31T12:00:00", UTC. @return 0 when it is none */
static apr_time_t parse_date(const char *text)
{
    static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
                                         "%Y-%m-%dT%H:%M:%SZ" };
    size_t i;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm tm = { 0 };
        const char *end = strptime(text, forms[i], &tm);

        if (end && !*end)
            return apr_time_from_sec((apr_time_t)timegm(&tm));
    }
    return 0;
}

static apr_status_t read_pin(options_t *o, mdmctl_t *m)
{
    return o->pin_file ? mdm_file_read_secret(&o->plan.pin, m->ctx, o->pin_file) : APR_SUCCESS;
}

/* A password file's first line. */
static apr_status_t read_password(mdm_bytes_t *out, mdmctl_t *m, const char *file)
{
    apr_status_t rv = APR_SUCCESS;

    *out = mdm_bytes_of("");
    if (file && (rv = mdm_file_read_secret(out, m->ctx, file)) == APR_SUCCESS) {
        out->len = strcspn((const char *)out->data, "\r\n");
        ((char *)out->data)[out->len] = '\0';
    }
    return rv;
}

static int init(mdmctl_t *m, options_t *o)
{
    apr_status_t rv = read_pin(o, m);

    if (rv != APR_SUCCESS || (rv = mdm_ca_init(m->ctx, &o->plan)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("%s: ca.pem, ca.key and seal.key are there; keep a copy of the folder in a safe place\n",
           m->state_dir);
    return MDMCTL_OK;
}

static apr_status_t read_pkcs12(const mdm_key_t **key, apr_array_header_t **certs, mdmctl_t *m,
                                const options_t *o)
{
    mdm_bytes_t der, password;
    mdm_key_t *made = NULL;
    apr_status_t rv;

    if ((rv = mdm_file_read(&der, m->ctx, o->pkcs12, FILE_MAX)) == APR_SUCCESS
        && (rv = read_password(&password, m, o->password_file)) == APR_SUCCESS)
        rv = mdm_pkcs12_read(&made, certs, m->ctx, der, password);
    *key = made;
    return rv;
}

static apr_status_t read_pem(const mdm_key_t **key, apr_array_header_t **certs, mdmctl_t *m,
                             const options_t *o)
{
    mdm_bytes_t pem, password, text;
    mdm_key_t *made = NULL;
    apr_status_t rv;

    if ((rv = mdm_file_read(&pem, m->ctx, o->certificate, FILE_MAX)) != APR_SUCCESS
        || (rv = mdm_certs_from_pem(certs, m->ctx, pem)) != APR_SUCCESS
        || (rv = read_password(&password, m, o->key_password_file)) != APR_SUCCESS
        || (rv = mdm_file_read_secret(&text, m->ctx, o->key)) != APR_SUCCESS)
        return rv;
    rv = o->key_password_file ? mdm_key_from_encrypted_pem(&made, m->ctx, text, password)
                              : mdm_key_from_pem(&made, m->ctx, text);
    *key = made;
    return rv;
}

static int import(mdmctl_t *m, options_t *o)
{
    apr_array_header_t *certs;
    const char *warning = NULL;
    const mdm_key_t *key;
    apr_status_t rv;

    if (!o->pkcs12 == !(o->certificate && o->key))
        return mdmctl_usage("ca import: give --certificate FILE and --key FILE, or --pkcs12 FILE");
    rv = o->pkcs12 ? read_pkcs12(&key, &certs, m, o) : read_pem(&key, &certs, m, o);
    if (rv != APR_SUCCESS || (rv = mdm_ca_import(&warning, m->ctx, &o->plan, key, certs,
                                                 o->next)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    if (warning)
        fprintf(stderr, "mdmctl: warning: %s\n", warning);
    printf("%s: the CA is there; restart httpd gracefully\n", m->state_dir);
    return MDMCTL_OK;
}

static int make_next(mdmctl_t *m, options_t *o)
{
    apr_interval_time_t in = mdmctl_lifetime(o->in ? o->in : "30d");
    apr_status_t rv = read_pin(o, m);

    o->plan.not_before = o->at ? parse_date(o->at) : in ? mdm_ctx_now(m->ctx) + in : 0;
    if (!o->plan.not_before)
        return mdmctl_usage("ca next: --at is a date such as 2027-01-31 (UTC), --in a time such as 30d");
    if (rv != APR_SUCCESS || (rv = mdm_ca_make_next(m->ctx, &o->plan)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("%s: next-ca.pem and next-ca.key are there; the next CA takes over at %s UTC.\n"
           "Restart httpd gracefully now, so that devices hear of it; at the date nothing is left to do.\n",
           m->state_dir, mdmctl_time(o->plan.not_before, m->ctx->pool));
    return MDMCTL_OK;
}

static int make_ra(mdmctl_t *m, options_t *o)
{
    apr_status_t rv = read_pin(o, m);

    if (rv != APR_SUCCESS || (rv = mdm_ca_make_ra(m->ctx, &o->plan)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("%s: ra.pem and ra.key are there; in httpd.conf: MDMSCEPRAFile %s/ra.pem %s/ra.key\n",
           m->state_dir, m->state_dir, m->state_dir);
    return MDMCTL_OK;
}

/* ---- looking, and retiring */

/* Identities in force that `ca` issued; what an older version issued without a note is the present CA's. */
static apr_int64_t in_force(const apr_array_header_t *counts, mdmctl_t *m, const mdm_cert_t *ca,
                            int is_present)
{
    const char *fingerprint = mdm_cert_fingerprint(m->ctx, ca);
    apr_int64_t total = 0;
    int i;

    for (i = 0; i < counts->nelts; i++) {
        const mdm_count_t *c = &APR_ARRAY_IDX(counts, i, mdm_count_t);

        if (!strcmp(c->name, fingerprint) || (is_present && !*c->name))
            total += c->count;
    }
    return total;
}

static const char *colons(apr_pool_t *p, const char *hex)
{
    char *text = apr_palloc(p, strlen(hex) * 3 / 2 + 1), *to = text;

    for (; hex[0] && hex[1]; hex += 2) {
        if (to != text)
            *to++ = ':';
        *to++ = (char)toupper((unsigned char)hex[0]);
        *to++ = (char)toupper((unsigned char)hex[1]);
    }
    *to = '\0';
    return text;
}

static const char *sha1_hex(mdm_ctx_t *ctx, const mdm_cert_t *cert)
{
    mdm_bytes_t sha1 = mdm_cert_sha1(ctx, cert);
    char *hex = apr_palloc(ctx->pool, sha1.len * 2 + 1);
    apr_size_t i;

    for (i = 0; i < sha1.len; i++)
        apr_snprintf(hex + 2 * i, 3, "%02x", sha1.data[i]);
    hex[sha1.len * 2] = '\0';
    return hex;
}

static void print_ca(mdmctl_t *m, const char *role, const mdm_cert_t *ca, const apr_array_header_t *counts,
                     int is_present)
{
    apr_pool_t *p = m->ctx->pool;

    printf("%s\n  subject     %s\n  serial      %s\n  SHA-256     %s\n  SHA-1       %s\n", role,
           mdm_cert_subject(m->ctx, ca), mdm_cert_serial(m->ctx, ca),
           colons(p, mdm_cert_fingerprint(m->ctx, ca)), colons(p, sha1_hex(m->ctx, ca)));
    printf("  not before  %s\n  not after   %s\n", mdmctl_time(mdm_cert_not_before(ca), p),
           mdmctl_time(mdm_cert_not_after(ca), p));
    if (counts)
        printf("  identities  %" APR_INT64_T_FMT "\n", in_force(counts, m, ca, is_present));
}

static apr_status_t read_counts(apr_array_header_t **counts, mdmctl_t *m)
{
    mdm_store_t *st;
    apr_status_t rv = mdmctl_store(&st, m, 1);

    return rv == APR_SUCCESS ? mdm_store_issuers(counts, st) : rv;
}

static int has_next(mdmctl_t *m)
{
    return access(mdm_ca_path(m->ctx, m->state_dir, MDM_NEXT_CA_PEM), F_OK) == 0;
}

static int show(mdmctl_t *m)
{
    apr_array_header_t *certs, *nexts = NULL, *counts = NULL;
    const mdm_cert_t *next;
    apr_status_t rv = mdm_ca_read_certs(&certs, m->ctx, m->state_dir, MDM_CA_PEM);
    int switched = 0;

    if (rv == APR_SUCCESS && has_next(m))
        rv = mdm_ca_read_certs(&nexts, m->ctx, m->state_dir, MDM_NEXT_CA_PEM);
    if (rv != APR_SUCCESS || (m->driver && (rv = read_counts(&counts, m)) != APR_SUCCESS))
        return mdmctl_fail(m, rv);
    next = nexts ? APR_ARRAY_IDX(nexts, 0, const mdm_cert_t *) : NULL;
    switched = next && mdm_cert_not_before(next) <= mdm_ctx_now(m->ctx);
    print_ca(m, switched ? "old CA" : "present CA", APR_ARRAY_IDX(certs, 0, const mdm_cert_t *), counts, 1);
    if (next)
        print_ca(m, switched ? "present CA" : "next CA", next, counts, 0);
    return MDMCTL_OK;
}

/* Nobody may be left with an identity whose CA nobody speaks for any more. */
static apr_status_t check_unused(mdmctl_t *m)
{
    apr_array_header_t *certs, *counts;
    apr_int64_t left;
    apr_status_t rv;

    if (!has_next(m))
        return APR_SUCCESS;
    if (!m->driver)
        return mdm_fail(m->ctx, MDM_ECONFIG, "say which database, so that the old CA's identities can be "
                        "counted: --database DRIVER:PARAMS (or --force)");
    if ((rv = mdm_ca_read_certs(&certs, m->ctx, m->state_dir, MDM_CA_PEM)) != APR_SUCCESS
        || (rv = read_counts(&counts, m)) != APR_SUCCESS)
        return rv;
    left = in_force(counts, m, APR_ARRAY_IDX(certs, 0, const mdm_cert_t *), 1);
    return !left ? APR_SUCCESS
        : mdm_fail(m->ctx, MDM_ECONFIG, "%" APR_INT64_T_FMT " identities of the old CA are still in force: "
                   "wait until they are renewed, or use --force", left);
}

static int retire(mdmctl_t *m, options_t *o)
{
    apr_status_t rv = read_pin(o, m);

    if (rv == APR_SUCCESS && !o->force)
        rv = check_unused(m);
    if (rv != APR_SUCCESS || (rv = mdm_ca_retire(m->ctx, m->state_dir, o->plan.pin)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("%s: the next CA is now ca.pem and ca.key, the old one is kept as old-ca-DATE; restart httpd "
           "gracefully\n", m->state_dir);
    return MDMCTL_OK;
}

/* ---- the words */

static int usage(void)
{
    return mdmctl_usage("--state-dir DIR [--database DRIVER:PARAMS] ca VERB\n"
                        "  init   [--organization NAME] [--days 3650] [--key pkcs11:URI --pin-file FILE]\n"
                        "  import --certificate FILE --key FILE [--key-password-file FILE] [--next]\n"
                        "  import --pkcs12 FILE --password-file FILE [--next]\n"
                        "  show\n"
                        "  next   [--at DATE | --in 30d] [--days 3650] [--organization NAME]\n"
                        "         [--key pkcs11:URI --pin-file FILE]\n"
                        "  retire [--force] [--pin-file FILE]\n"
                        "  ra     [--days 3650] [--pin-file FILE]");
}

static void read_options(options_t *o, mdmctl_t *m, int *argc, const char **argv)
{
    o->plan.state_dir = m->state_dir;
    o->plan.organization = mdmctl_option(argc, argv, "--organization");
    o->days = mdmctl_option(argc, argv, "--days");
    o->at = mdmctl_option(argc, argv, "--at");
    o->in = mdmctl_option(argc, argv, "--in");
    o->pin_file = mdmctl_option(argc, argv, "--pin-file");
    o->certificate = mdmctl_option(argc, argv, "--certificate");
    o->key = mdmctl_option(argc, argv, "--key");
    o->key_password_file = mdmctl_option(argc, argv, "--key-password-file");
    o->pkcs12 = mdmctl_option(argc, argv, "--pkcs12");
    o->password_file = mdmctl_option(argc, argv, "--password-file");
    o->force = take_flag(argc, argv, "--force");
    o->next = take_flag(argc, argv, "--next");
    o->plan.lifetime = mdmctl_lifetime(apr_pstrcat(m->ctx->pool, o->days ? o->days : "3650", "d", NULL));
}

/* The verbs that make a key take one of a token instead; there is no other kind of key to name for them. */
static int token_key(options_t *o, mdmctl_t *m)
{
    if (o->key)
        o->plan.key_uri = mdm_token_uri(m->ctx, mdm_bytes_of(o->key));
    return !o->key || o->plan.key_uri;
}

int mdmctl_ca(mdmctl_t *m, int argc, const char **argv)
{
    options_t o = { 0 };
    const char *verb;

    read_options(&o, m, &argc, argv);
    if (argc != 1 || !o.plan.lifetime || (o.at && o.in))
        return usage();
    verb = argv[0];
    if (!m->state_dir)
        return mdmctl_fail(m, mdm_fail(m->ctx, MDM_ECONFIG, "say where: --state-dir DIR (MDMStateDir)"));
    if (!strcmp(verb, "import"))
        return import(m, &o);
    if (!token_key(&o, m))
        return usage();
    if (!strcmp(verb, "init"))
        return init(m, &o);
    if (!strcmp(verb, "show"))
        return show(m);
    if (!strcmp(verb, "next"))
        return make_next(m, &o);
    if (!strcmp(verb, "retire"))
        return retire(m, &o);
    return strcmp(verb, "ra") ? usage() : make_ra(m, &o);
}
