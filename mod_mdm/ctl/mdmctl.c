/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line's front: common options, then one function per noun. Links the core as the
 * module does, without httpd.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mdmctl.h"

static const struct {
    const char *noun;
    int (*run)(mdmctl_t *m, int argc, const char **argv);
} nouns[] = {
    { "ca", mdmctl_ca },
    { "certificate", mdmctl_certificate },
    { "challenge", mdmctl_challenge },
    { "db", mdmctl_db },
    { "invitation", mdmctl_invitation },
    { "nanomdm", mdmctl_nanomdm },
    { "push", mdmctl_push },
    { "request", mdmctl_request },
    { "user", mdmctl_user },
};

#define NOUNS (sizeof(nouns) / sizeof(nouns[0]))

static const char usage[] =
    "usage: mdmctl [--state-dir DIR] [--database DRIVER:PARAMS] COMMAND\n"
    "\n"
    "  ca init [--organization NAME] [--days 3650]         make the identity CA and the sealing key\n"
    "  ca import | show | next | retire | ra               its life; mdmctl ca tells the options\n"
    "  db status | init | upgrade                         the database's tables\n"
    "  challenge new [--subject CN] [--lifetime 1h]       print a one-time SCEP challenge\n"
    "  invitation new --enroll-url URL [--user NAME] [--serial NUMBER] [--uses 1] [--lifetime 7d]\n"
    "      [--qr-png FILE] [--qr-svg FILE]                print the URL that invites to enroll\n"
    "  invitation list | revoke ID\n"
    "  nanomdm import --from pgsql:STRING                 take over a NanoMDM server's enrollments\n"
    "  push csr [--organization NAME] [--vendor-cert FILE --vendor-key FILE [--chain FILE]]\n"
    "  push import FILE [--confirm TOPIC] | show           the push certificate, from request to database\n"
    "  certificate list | show SERIAL | revoke SERIAL [--reason REASON]\n"
    "  request list [--state STATE] | approve ID | deny ID   SCEP requests that wait for your word\n"
    "  user import FILE.csv | list [--disabled] | show LOGIN   the persons that groups and profiles go by\n"
    "  user set LOGIN NAME=VALUE... | disable LOGIN | enable LOGIN\n"
    "\n"
    "DRIVER is sqlite3 (PARAMS: the file) or pgsql (PARAMS: a connection string).\n";

static int log_wants(const mdm_log_t *log, mdm_log_level_e level)
{
    (void)log;
    return level <= MDM_LOG_WARNING;
}

static void log_write(const mdm_log_t *log, mdm_log_level_e level, const char *file, int line,
                      apr_status_t rv, const char *text)
{
    (void)log;
    (void)level;
    (void)file;
    (void)line;
    (void)rv;
    fprintf(stderr, "mdmctl: %s\n", text);
}

static const mdm_log_t stderr_log = { log_write, log_wants, NULL };

int mdmctl_fail(mdmctl_t *m, apr_status_t rv)
{
    fprintf(stderr, "mdmctl: %s\n", mdm_ctx_detail(m->ctx, rv));
    return MDMCTL_FAILED;
}

int mdmctl_usage(const char *text)
{
    fprintf(stderr, "usage: mdmctl %s\n", text);
    return MDMCTL_USAGE;
}

const char *mdmctl_option(int *argc, const char **argv, const char *name)
{
    int i;

    for (i = 0; i + 1 < *argc; i++) {
        if (!strcmp(argv[i], name)) {
            const char *value = argv[i + 1];

            memmove(argv + i, argv + i + 2, (size_t)(*argc - i - 2) * sizeof(*argv));
            *argc -= 2;
            return value;
        }
    }
    return NULL;
}

apr_interval_time_t mdmctl_lifetime(const char *text)
{
    return mdm_time_span(text);
}

const char *mdmctl_time(apr_time_t at, apr_pool_t *p)
{
    return mdm_time_plain(at, "-", p);
}

apr_status_t mdmctl_store(mdm_store_t **st, mdmctl_t *m, int check)
{
    mdm_store_t *store = apr_pcalloc(m->ctx->pool, sizeof(*store));
    mdm_seal_t *seal;
    apr_status_t rv;

    if (!m->driver)
        return mdm_fail(m->ctx, MDM_ECONFIG,
                        "say which database: --database sqlite3:FILE or --database pgsql:STRING");
    if (!m->state_dir)
        return mdm_fail(m->ctx, MDM_ECONFIG, "say where the site's keys are: --state-dir DIR (MDMStateDir)");
    store->ctx = m->ctx;
    rv = mdm_seal_read(&seal, m->ctx, apr_pstrcat(m->ctx->pool, m->state_dir, "/seal.key", NULL));
    if (rv != APR_SUCCESS || (rv = mdm_db_open(&store->db, m->ctx, m->driver, m->params)) != APR_SUCCESS)
        return rv;
    store->seal = seal;
    *st = store;
    return check ? mdm_store_ready(store) : APR_SUCCESS;
}

static int set_database(mdmctl_t *m, const char *value)
{
    const char *colon = strchr(value, ':');

    if (!colon || colon == value || !colon[1])
        return 0;
    m->driver = apr_pstrmemdup(m->ctx->pool, value, (apr_size_t)(colon - value));
    m->params = colon + 1;
    return 1;
}

/* Options stand before the noun; what follows it is the noun's own. */
static int run(mdmctl_t *m, int argc, const char **argv)
{
    size_t i;

    for (; argc >= 2 && !strncmp(argv[0], "--", 2); argc -= 2, argv += 2) {
        if (!strcmp(argv[0], "--state-dir"))
            m->state_dir = argv[1];
        else if (strcmp(argv[0], "--database") || !set_database(m, argv[1]))
            break;
    }
    if (argc == 1 && !strcmp(argv[0], "--help")) {
        fputs(usage, stdout);
        return MDMCTL_OK;
    }
    if (argc == 1 && !strcmp(argv[0], "--version")) {
        puts("mdmctl " MDM_VERSION);
        return MDMCTL_OK;
    }
    for (i = 0; argc && i < NOUNS; i++) {
        if (!strcmp(argv[0], nouns[i].noun))
            return nouns[i].run(m, argc - 1, argv + 1);
    }
    fputs(usage, stderr);
    return MDMCTL_USAGE;
}

int main(int argc, const char *const *argv)
{
    mdmctl_t m = { NULL, NULL, NULL, NULL };
    const char *const *env = NULL;
    apr_pool_t *pool;
    int code;

    if (apr_app_initialize(&argc, &argv, &env) != APR_SUCCESS
        || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        fputs("mdmctl: cannot start\n", stderr);
        return MDMCTL_FAILED;
    }
    m.ctx = mdm_ctx_create(pool, &stderr_log);
    if (mdm_db_init(pool) != APR_SUCCESS)
        code = mdmctl_fail(&m, mdm_fail(m.ctx, MDM_EDB, "APR's database drivers cannot be used"));
    else
        code = run(&m, argc - 1, apr_pmemdup(pool, argv + 1, sizeof(*argv) * (apr_size_t)argc));
    apr_pool_destroy(pool);
    apr_terminate();
    return code;
}
