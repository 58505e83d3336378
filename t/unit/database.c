/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An empty database per test, for the unit programs of the store. The PostgreSQL server is
 * t/with-postgresql's; each test has a schema of its own there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "database.h"

static apr_pool_t *pool;
static char folder[64];
static const char *driver, *params;
static mdm_seal_t *seal;
static int schemas;

int database_main(Suite *suite, char **argv)
{
    SRunner *runner;
    int failed;

    if (!getenv("MDM_TEST_PGSQL")) {
        const char *source = getenv("MDM_SRCDIR");
        char helper[4096];

        snprintf(helper, sizeof(helper), "%s/t/with-postgresql", source ? source : ".");
        execl(helper, helper, argv[0], (char *)NULL);
        perror(helper);
        return 1;
    }
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

static const char *output_of(const char *command)
{
    FILE *pipe = popen(command, "r");
    char *text = apr_pcalloc(pool, 65536);
    size_t len;
    int status;

    ck_assert_ptr_nonnull(pipe);
    len = fread(text, 1, 65535, pipe);
    status = pclose(pipe);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: %s", command, text);
    while (len && text[len - 1] == '\n')
        text[--len] = '\0';
    return text;
}

const char *database_sql(const char *sql)
{
    const char *file = apr_pstrcat(pool, folder, "/statement.sql", NULL);
    FILE *f = fopen(file, "w");

    ck_assert_ptr_nonnull(f);
    fputs(sql, f);
    fclose(f);
    if (!strcmp(driver, "sqlite3"))
        return output_of(apr_psprintf(pool, "sqlite3 -bail -noheader '%s' <'%s' 2>&1", params, file));
    return output_of(apr_psprintf(pool, "psql -X -q -A -t -v ON_ERROR_STOP=1 -f '%s' \"%s\" 2>&1", file,
                                  params));
}

void database_start(int loop)
{
    mdm_ctx_t *ctx;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
    ck_assert_int_eq(mdm_db_init(pool), APR_SUCCESS);
    strcpy(folder, "/tmp/store-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(mdm_seal_create(ctx, apr_pstrcat(pool, folder, "/seal.key", NULL)), APR_SUCCESS);
    ck_assert_int_eq(mdm_seal_read(&seal, ctx, apr_pstrcat(pool, folder, "/seal.key", NULL)), APR_SUCCESS);
    if (loop == 0) {
        driver = "sqlite3";
        params = apr_pstrcat(pool, folder, "/mdm.db", NULL);
    }
    else {
        const char *schema = apr_psprintf(pool, "test_%ld_%d", (long)getpid(), ++schemas);

        driver = "pgsql";
        params = getenv("MDM_TEST_PGSQL");
        database_sql(apr_psprintf(pool, "CREATE SCHEMA %s;", schema));
        params = apr_psprintf(pool, "%s options='-c search_path=%s'", params, schema);
    }
}

void database_end(void)
{
    output_of(apr_pstrcat(pool, "rm -r ", folder, NULL));
    apr_pool_destroy(pool);
}

mdm_store_t *database_open(apr_pool_t *p)
{
    mdm_store_t *st = apr_pcalloc(p, sizeof(*st));

    st->ctx = mdm_ctx_create(p, NULL);
    st->seal = seal;
    ck_assert_msg(mdm_db_open(&st->db, st->ctx, driver, params) == APR_SUCCESS, "%s", st->ctx->detail);
    return st;
}

mdm_store_t *database_ready(apr_pool_t *p)
{
    mdm_store_t *st = database_open(p);
    int version;

    ck_assert_int_eq(mdm_store_version(&version, st), APR_SUCCESS);
    if (!version)
        ck_assert_msg(mdm_store_init(st) == APR_SUCCESS, "%s", st->ctx->detail);
    ck_assert_msg(mdm_store_ready(st) == APR_SUCCESS, "%s", st->ctx->detail);
    return st;
}

const char *database_driver(void)
{
    return driver;
}

const char *database_params(void)
{
    return params;
}

apr_pool_t *database_pool(void)
{
    return pool;
}

const char *database_folder(void)
{
    return folder;
}
