/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An SQLite database while it is made: several processes begin at once, and nobody fails because another is first.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_thread_proc.h>

#include "database.h"

static int initialise(void)
{
    apr_pool_t *p;
    mdm_store_t *st;

    apr_pool_create(&p, NULL);
    st = database_open(p);
    return mdm_store_ready(st) == APR_SUCCESS ? 0 : fprintf(stderr, "%s\n", st->ctx->detail) > 0;
}

START_TEST(children_that_start_together_make_one_schema)
{
    pid_t children[6];
    int i, status;

    database_start(0);
    for (i = 0; i < 6; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0)
            _exit(initialise());
    }
    for (i = 0; i < 6; i++) {
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_meta WHERE name = 'schema_version';"), "1");
    database_end();
}
END_TEST

static void *APR_THREAD_FUNC let_go(apr_thread_t *thread, void *holder)
{
    (void)thread;
    apr_sleep(apr_time_from_msec(600));
    (void)mdm_db_script(((mdm_store_t *)holder)->db, "ROLLBACK;\n");
    return NULL;
}

/* The first process makes the tables, and nobody may even look until it has. */
START_TEST(who_opens_an_sqlite_file_waits_until_it_is_made)
{
    apr_thread_t *thread;
    apr_status_t ignored;
    mdm_store_t *holder;
    apr_time_t start;

    database_start(0);
    holder = database_open(database_pool());
    ck_assert_int_eq(mdm_db_script(holder->db, "BEGIN EXCLUSIVE;\n"), APR_SUCCESS);
    start = apr_time_now();
    ck_assert_int_eq(apr_thread_create(&thread, NULL, let_go, holder, database_pool()), APR_SUCCESS);
    (void)database_open(database_pool());
    ck_assert_int_ge(apr_time_now() - start, apr_time_from_msec(500));
    apr_thread_join(&ignored, thread);
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("db making");
    TCase *group = tcase_create("db making");

    (void)argc;
    tcase_set_timeout(group, 120);
    tcase_add_test(group, children_that_start_together_make_one_schema);
    tcase_add_test(group, who_opens_an_sqlite_file_waits_until_it_is_made);
    suite_add_tcase(suite, group);
    return database_main(suite, argv);
}
