/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database room on both drivers: every statement prepares, NULLs and row counts are the same
 * everywhere, sessions heal, lost transactions run again as a whole, and writers of many threads
 * and processes lose nothing.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "database.h"

#define PROCESSES 4
#define THREADS 4
#define TURNS 40

static int ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), n = strlen(end);

    return len >= n && !strcmp(text + len - n, end);
}

static int other_kind(mdm_stmt_e stmt, mdm_db_kind_e kind)
{
    const char *name = mdm_stmts[stmt].name;

    /* those are for the database of another program */
    if (!strncmp(name, "STMT_NANOMDM_", 13))
        return 1;
    return (ends_with(name, "_SQLITE3") && kind != MDM_DB_SQLITE3)
        || (ends_with(name, "_PGSQL") && kind != MDM_DB_PGSQL);
}

START_TEST(every_statement_runs)
{
    mdm_store_t *st;
    int stmt;

    database_start(_i);
    st = database_ready(database_pool());
    for (stmt = STMT_NONE + 1; stmt < STMT_COUNT; stmt++) {
        const char **args = apr_pcalloc(database_pool(), sizeof(char *) * 512);
        int select = !strncmp(mdm_stmts[stmt].sql, "SELECT", 6), i, affected;
        apr_status_t rv;
        mdm_rows_t *rows;

        if (other_kind(stmt, mdm_db_kind(st->db)))
            continue;
        ck_assert_int_lt(mdm_stmts[stmt].args, 512);
        for (i = 0; i < mdm_stmts[stmt].args; i++)
            args[i] = apr_itoa(database_pool(), i + 1);
        if (strstr(mdm_stmts[stmt].name, "_QUERY_IDS_"))
            args[0] = "[]";
        rv = select ? mdm_db_select(&rows, st->db, stmt, args) : mdm_db_exec(&affected, st->db, stmt, args);
        ck_assert_msg(rv == APR_SUCCESS, "%s: %s", mdm_stmts[stmt].name, st->ctx->detail);
    }
    database_end();
}
END_TEST

/* The answers of lists of one, by the form of their own, are those of the whole list. */
START_TEST(a_list_of_one_is_asked_for_alone)
{
    const char *one[64] = { "DEV-2" }, *last[64] = { "DEV-9" }, *nobody[64] = { NULL };
    const char *const *lists[] = { one, last, nobody };
    mdm_store_t *st;
    mdm_rows_t *rows;
    size_t i;

    database_start(_i);
    st = database_ready(database_pool());
    last[63] = "DEV-1";
    database_sql("INSERT INTO mdm_enrollment (id, enrollment_id, type, parent, state, token_update_tally, created_at, "
                 "enrolled_at, left_at, last_seen_at, token_at) VALUES (1, 'DEV-1', 'Device', 0, 2, 1, 1, 1, 0, 1, 1), "
                 "(2, 'DEV-2', 'Device', 0, 2, 1, 1, 1, 0, 1, 1);");
    for (i = 0; i < 3; i++) {
        const char *args[65] = { "7" };

        memcpy(args + 1, lists[i], sizeof(one));
        ck_assert_int_eq(mdm_db_select(&rows, st->db, STMT_QUEUE_REACHED, args), APR_SUCCESS);
        ck_assert_int_eq(rows->count, i == 2 ? 0 : 1);
        if (i < 2)
            ck_assert_str_eq(MDM_ROW(rows, 0, 0), i ? "DEV-1" : "DEV-2");
    }
    ck_assert_int_eq(mdm_db_statements(st->db), 3);
    database_end();
}
END_TEST

START_TEST(null_is_null_and_empty_is_empty)
{
    const char *event[] = { "1", "2", "kind", NULL, "", "it's \"quoted\" \xc3\xa4 100%", NULL, "" };
    mdm_rows_t *rows;
    mdm_store_t *st;
    const char *name = "schema_version", *range[] = { "0", "1" };

    database_start(_i);
    st = database_ready(database_pool());
    ck_assert_int_eq(mdm_db_exec(NULL, st->db, STMT_EVENT_INSERT, event), APR_SUCCESS);
    ck_assert_str_eq(database_sql("SELECT actor IS NULL, source_ip = '', object IS NULL FROM mdm_event;"),
                     _i ? "t|t|t" : "1|1|1");
    ck_assert_str_eq(database_sql("SELECT enrollment_id FROM mdm_event;"), event[5]);
    ck_assert_int_eq(mdm_db_select(&rows, st->db, STMT_SILENCE_RANGE, range), APR_SUCCESS);
    ck_assert_int_eq(rows->count, 1);
    ck_assert_ptr_null(MDM_ROW(rows, 0, 0));
    ck_assert_int_eq(mdm_db_select(&rows, st->db, STMT_META_GET, &name), APR_SUCCESS);
    ck_assert_int_eq(atoi(MDM_ROW(rows, 0, 0)), MDM_SCHEMA_VERSION);
    database_end();
}
END_TEST

START_TEST(counts_rows_and_statements)
{
    mdm_store_t *st;
    const char *update[] = { "x", "instance_id" }, *nobody[] = { "x", "nobody" };
    int affected = -1, before;

    database_start(_i);
    st = database_ready(database_pool());
    before = mdm_db_statements(st->db);
    ck_assert_int_eq(mdm_db_exec(&affected, st->db, STMT_META_UPDATE, update), APR_SUCCESS);
    ck_assert_int_eq(affected, 1);
    ck_assert_int_eq(mdm_db_exec(&affected, st->db, STMT_META_UPDATE, update), APR_SUCCESS);
    ck_assert_int_eq(affected, 1);
    ck_assert_int_eq(mdm_db_exec(&affected, st->db, STMT_META_UPDATE, nobody), APR_SUCCESS);
    ck_assert_int_eq(affected, 0);
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 3);
    ck_assert_int_eq(mdm_store_ready(st), APR_SUCCESS);
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 3);
    database_end();
}
END_TEST

static apr_status_t add_meta(mdm_db_t *db, const char *name)
{
    const char *args[] = { name, "1" };

    return mdm_db_exec(NULL, db, STMT_META_INSERT, args);
}

typedef struct {
    mdm_store_t *st;
    int runs, fail_until;
    apr_status_t rv;
} work_t;

static apr_status_t count_meta(int *count, mdm_store_t *st, const char *name)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_META_GET, &name);

    *count = rv == APR_SUCCESS ? rows->count : -1;
    return rv;
}

static apr_status_t add_then_return(void *baton, mdm_db_t *db)
{
    work_t *work = baton;
    apr_status_t rv = add_meta(db, "a");

    work->runs++;
    return rv == APR_SUCCESS ? work->rv : rv;
}

START_TEST(a_refusal_of_the_work_undoes_it)
{
    work_t work = { NULL, 0, 0, MDM_EDENIED };
    int count;

    database_start(_i);
    work.st = database_ready(database_pool());
    ck_assert_int_eq(mdm_db_transact(work.st->db, add_then_return, &work), MDM_EDENIED);
    ck_assert_int_eq(work.runs, 1);
    ck_assert_int_eq(count_meta(&count, work.st, "a"), APR_SUCCESS);
    ck_assert_int_eq(count, 0);
    work.rv = APR_SUCCESS;
    ck_assert_int_eq(mdm_db_transact(work.st->db, add_then_return, &work), APR_SUCCESS);
    ck_assert_str_eq(database_sql("SELECT value FROM mdm_meta WHERE name = 'a';"), "1");
    database_end();
}
END_TEST

/* Breaks a key on the first runs; a caller that swallows the failure must not commit the rest. */
static apr_status_t collide_at_first(void *baton, mdm_db_t *db)
{
    work_t *work = baton;
    apr_status_t rv = add_meta(db, "b");

    if (++work->runs <= work->fail_until)
        rv = add_meta(db, "b");
    return work->rv == APR_SUCCESS ? APR_SUCCESS : rv;
}

START_TEST(a_lost_transaction_runs_again_as_a_whole)
{
    work_t work = { NULL, 0, 3, MDM_EINPUT };
    int count;

    database_start(_i);
    work.st = database_ready(database_pool());
    ck_assert_int_eq(mdm_db_transact(work.st->db, collide_at_first, &work), APR_SUCCESS);
    ck_assert_int_eq(work.runs, 4);
    ck_assert_ptr_null(work.st->ctx->detail);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_meta WHERE name = 'b';"), "1");
    database_sql("DELETE FROM mdm_meta WHERE name = 'b';");

    work.runs = 0;
    work.fail_until = 100;
    work.rv = APR_SUCCESS;      /* swallows the failure */
    ck_assert_int_eq(mdm_db_transact(work.st->db, collide_at_first, &work), MDM_EDB);
    ck_assert_int_eq(work.runs, 8);
    ck_assert_ptr_nonnull(strstr(work.st->ctx->detail, "STMT_META_INSERT"));
    /* PostgreSQL's second line has the key */
    ck_assert_ptr_null(strstr(work.st->ctx->detail, "DETAIL"));
    ck_assert_ptr_null(strstr(work.st->ctx->detail, "(b)"));
    mdm_ctx_clear(work.st->ctx);
    ck_assert_int_eq(count_meta(&count, work.st, "b"), APR_SUCCESS);
    ck_assert_int_eq(count, 0);
    ck_assert_int_eq(add_meta(work.st->db, "c"), APR_SUCCESS);
    database_end();
}
END_TEST

/* What no other transaction is to blame for. */
static apr_status_t add_nothing(void *baton, mdm_db_t *db)
{
    const char *args[] = { "d", NULL };

    ((work_t *)baton)->runs++;
    return mdm_db_exec(NULL, db, STMT_META_INSERT, args);
}

START_TEST(what_fails_alike_each_time_is_given_up)
{
    work_t work = { NULL, 0, 0, APR_SUCCESS };

    database_start(_i);
    work.st = database_ready(database_pool());
    ck_assert_int_eq(mdm_db_transact(work.st->db, add_nothing, &work), MDM_EDB);
    ck_assert_int_eq(work.runs, 3);
    database_end();
}
END_TEST

START_TEST(a_connection_that_is_given_back_serves_no_more)
{
    work_t work = { NULL, 0, 0, APR_SUCCESS };
    int count;

    database_start(_i);
    work.st = database_ready(database_pool());
    mdm_db_retire(work.st->db);
    ck_assert_int_eq(count_meta(&count, work.st, "schema_version"), MDM_EDB);
    ck_assert_int_eq(add_meta(work.st->db, "e"), MDM_EDB);
    ck_assert_int_eq(mdm_db_transact(work.st->db, add_then_return, &work), MDM_EDB);
    ck_assert_int_eq(work.runs, 0);
    database_end();
}
END_TEST

static apr_status_t outer(void *baton, mdm_db_t *db)
{
    work_t *work = baton;
    apr_status_t rv = mdm_db_transact(db, add_then_return, work);

    return rv == APR_SUCCESS ? MDM_EGONE : rv;
}

START_TEST(an_inner_transaction_joins_the_outer)
{
    work_t work = { NULL, 0, 0, APR_SUCCESS };

    database_start(_i);
    work.st = database_ready(database_pool());
    ck_assert_int_eq(mdm_db_transact(work.st->db, outer, &work), MDM_EGONE);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_meta WHERE name = 'a';"), "0");
    database_end();
}
END_TEST

START_TEST(a_changed_schema_or_a_lost_session_heals)
{
    work_t work = { NULL, 0, 0, APR_SUCCESS };
    int i, count;

    database_start(_i);
    work.st = database_ready(database_pool());
    ck_assert_int_eq(count_meta(&count, work.st, "x"), APR_SUCCESS);
    ck_assert_int_eq(add_meta(work.st->db, "y"), APR_SUCCESS);
    for (i = 0; i < 3; i++) {
        database_sql(_i ? "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                          "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend';"
                        : apr_psprintf(database_pool(), "CREATE TABLE other%d (a TEXT);", i));
        if (i == 0)
            ck_assert_int_eq(count_meta(&count, work.st, "y"), APR_SUCCESS);
        if (i == 1)
            ck_assert_int_eq(add_meta(work.st->db, "z"), APR_SUCCESS);
        if (i == 2)
            ck_assert_int_eq(mdm_db_transact(work.st->db, add_then_return, &work), APR_SUCCESS);
        ck_assert_msg(!work.st->ctx->detail || _i, "%s", work.st->ctx->detail);
        mdm_ctx_clear(work.st->ctx);
    }
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_meta WHERE name IN ('y', 'z', 'a');"), "3");
    database_end();
}
END_TEST

START_TEST(statements_outlive_their_wrap)
{
    apr_pool_t *request;
    mdm_store_t *st;
    int i, count;

    database_start(_i);
    st = database_ready(database_pool());
    apr_pool_create(&request, database_pool());
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(count_meta(&count, st, "schema_version"), APR_SUCCESS);
        ck_assert_int_eq(count, 1);
    }
    /* one PREPARE per statement and session */
    if (_i) {
        mdm_rows_t *rows;

        ck_assert_int_eq(mdm_db_select(&rows, st->db, STMT_PUSH_TOPIC_LIST, NULL), APR_SUCCESS);
        ck_assert_int_eq(mdm_db_script(st->db, "CREATE TABLE names AS "
                                       "SELECT name FROM pg_prepared_statements;\n"), APR_SUCCESS);
        ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM names WHERE name LIKE 'mdm_meta_get_g%';"), "1");
        ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM names WHERE name LIKE 'mdm_push_topic_list_g%';"),
                         "1");
    }
    database_end();
}
END_TEST

START_TEST(a_database_that_is_not_there_is_said_so)
{
    mdm_ctx_t *ctx;
    mdm_db_t *db;
    apr_time_t start = apr_time_now();

    database_start(0);
    ctx = mdm_ctx_create(database_pool(), NULL);
    ck_assert_int_eq(mdm_db_open(&db, ctx, "sqlite3", "/nonexistent/mdm.db"), MDM_EDB);
    ck_assert_ptr_nonnull(ctx->detail);
    mdm_ctx_clear(ctx);
    ck_assert_int_eq(mdm_db_open(&db, ctx, "pgsql", "host=/nonexistent dbname=mdm"), MDM_EDB);
    ck_assert_ptr_nonnull(ctx->detail);
    mdm_ctx_clear(ctx);
    ck_assert_int_eq(mdm_db_open(&db, ctx, "oracle", "x"), MDM_ECONFIG);
    ck_assert_int_lt(apr_time_sec(apr_time_now() - start), 5);
    database_end();
}
END_TEST

/* A stranger (a backup, say) holds the write lock: a clear failure in bounded time, readers go on. */
START_TEST(a_locked_sqlite_file_fails_clearly)
{
    work_t work = { NULL, 0, 0, APR_SUCCESS };
    mdm_store_t *holder;
    apr_time_t start;
    int count;

    database_start(0);
    work.st = database_ready(database_pool());
    holder = database_open(database_pool());
    ck_assert_int_eq(mdm_db_script(holder->db, "BEGIN IMMEDIATE;\n"), APR_SUCCESS);
    start = apr_time_now();
    ck_assert_int_eq(mdm_db_transact(work.st->db, add_then_return, &work), MDM_EDB);
    ck_assert_int_lt(apr_time_sec(apr_time_now() - start), 10);
    ck_assert_ptr_nonnull(strstr(work.st->ctx->detail, "locked"));
    ck_assert_int_eq(work.runs, 0);
    mdm_ctx_clear(work.st->ctx);
    ck_assert_int_eq(count_meta(&count, work.st, "schema_version"), APR_SUCCESS);
    ck_assert_int_eq(mdm_db_script(holder->db, "ROLLBACK;\n"), APR_SUCCESS);
    ck_assert_int_eq(mdm_db_transact(work.st->db, add_then_return, &work), APR_SUCCESS);
    database_end();
}
END_TEST

START_TEST(sqlite_is_durable_and_its_files_have_one_owner)
{
    struct stat db, lock;

    database_start(0);
    ck_assert_int_eq(chown(database_folder(), geteuid() ? geteuid() : 65534, (gid_t)-1), 0);
    database_ready(database_pool());
    ck_assert_str_eq(database_sql("PRAGMA journal_mode;"), "wal");
    ck_assert_int_eq(stat(database_params(), &db), 0);
    ck_assert_int_eq(stat(apr_pstrcat(database_pool(), database_params(), "-writer", NULL), &lock), 0);
    ck_assert_int_eq(lock.st_mode & 0111, 0);
    ck_assert_int_eq(db.st_mode & 07, 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(db.st_uid, 65534);
        ck_assert_int_eq(lock.st_uid, 65534);
        ck_assert_int_eq(stat(apr_pstrcat(database_pool(), database_params(), "-wal", NULL), &lock), 0);
        ck_assert_int_eq(lock.st_uid, 65534);
    }
    database_end();
}
END_TEST

static apr_status_t bump_counter(void *baton, mdm_db_t *db)
{
    apr_pool_t *p = ((mdm_store_t *)baton)->ctx->pool;
    const char *name = "counter";
    mdm_rows_t *rows;
    apr_status_t rv;

    /* lock first, as every read-then-write of the store does on PostgreSQL */
    const char *touch[] = { "0", "lock" };
    rv = mdm_db_exec(NULL, db, STMT_META_UPDATE, touch);
    if (rv == APR_SUCCESS)
        rv = mdm_db_select(&rows, db, STMT_META_GET, &name);
    if (rv == APR_SUCCESS) {
        const char *args[] = { apr_itoa(p, atoi(MDM_ROW(rows, 0, 0)) + 1), name };

        rv = mdm_db_exec(NULL, db, STMT_META_UPDATE, args);
    }
    return rv;
}

typedef struct {
    const char *name;
    apr_status_t rv;
    apr_time_t longest;
    const char *detail;
} writer_t;

static void *APR_THREAD_FUNC write_much(apr_thread_t *thread, void *baton)
{
    writer_t *writer = baton;
    apr_pool_t *p, *turn;
    mdm_store_t *st;
    int i;

    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    st = database_open(p);
    apr_pool_create(&turn, p);
    for (i = 0; i < TURNS && writer->rv == APR_SUCCESS; i++) {
        apr_time_t start = apr_time_now();

        writer->rv = mdm_db_transact(st->db, bump_counter, st);
        if (writer->rv == APR_SUCCESS)
            writer->rv = add_meta(st->db, apr_psprintf(p, "%s-%d", writer->name, i));
        if (apr_time_now() - start > writer->longest)
            writer->longest = apr_time_now() - start;
    }
    writer->detail = st->ctx->detail ? strdup(st->ctx->detail) : NULL;
    apr_pool_destroy(p);
    (void)thread;
    return NULL;
}

static int run_writers(int process)
{
    writer_t writers[THREADS] = { { NULL, 0, 0, NULL } };
    apr_thread_t *threads[THREADS];
    apr_status_t ignored;
    int i, bad = 0;

    for (i = 0; i < THREADS; i++) {
        writers[i].name = apr_psprintf(database_pool(), "w%d-%d", process, i);
        if (apr_thread_create(&threads[i], NULL, write_much, &writers[i], database_pool()) != APR_SUCCESS)
            return 2;
    }
    for (i = 0; i < THREADS; i++) {
        apr_thread_join(&ignored, threads[i]);
        if (writers[i].rv != APR_SUCCESS) {
            fprintf(stderr, "%s: %s\n", writers[i].name, writers[i].detail);
            bad = 1;
        }
        if (getenv("MDM_TEST_TIMES"))
            fprintf(stderr, "%s longest %d ms\n", writers[i].name, (int)apr_time_as_msec(writers[i].longest));
    }
    return bad;
}

START_TEST(many_writers_lose_nothing)
{
    pid_t children[PROCESSES];
    apr_pool_t *setup;
    int i, status;

    database_start(_i);
    apr_pool_create(&setup, database_pool());
    database_ready(setup);
    database_sql("INSERT INTO mdm_meta VALUES ('counter', '0'), ('lock', '0');");
    apr_pool_destroy(setup);
    for (i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0)
            _exit(run_writers(i));
    }
    for (i = 0; i < PROCESSES; i++) {
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "process %d: %x", i, status);
    }
    ck_assert_str_eq(database_sql("SELECT value FROM mdm_meta WHERE name = 'counter';"),
                     apr_itoa(database_pool(), PROCESSES * THREADS * TURNS));
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_meta WHERE name LIKE 'w%';"),
                     apr_itoa(database_pool(), PROCESSES * THREADS * TURNS));
    database_end();
}
END_TEST

/* What SQLite scans: rows of a query within the query (r, due_rows), of VALUES ("15 CONSTANT ROWS"), or of JSON. */
static int is_no_table(const char *scanned)
{
    const char *line = apr_pstrmemdup(database_pool(), scanned, strcspn(scanned, "\n"));
    const char *number = line + strspn(line, "0123456789");

    return !strcmp(line, "r") || !strncmp(line, "json_each ", 10) || strstr(line, "_rows") == line + strcspn(line, "_")
        || !strcmp(number, "CONSTANT ROW") || !strcmp(number, " CONSTANT ROWS");
}

/*
 * Cost of a device's request must not grow with tables: every table by index, whatever the statistics say.
 */
START_TEST(what_devices_wait_for_reads_no_whole_table)
{
    static const char *const free_to_scan[] = {
        "STMT_META", "STMT_FIGURES", "STMT_PUSH_TOPIC_LIST", "STMT_CRL_STALE", "STMT_ENROLLMENT_NEWEST",
        "STMT_ENROLLMENT_QUERY_SQLITE3", "STMT_ENROLLMENT_QUERY_PGSQL",
        "STMT_USER_SEEN", "STMT_PROFILE_ATTRIBUTE", "STMT_CHECK_SIZE", "STMT_QUEUE_UNSENT_BY",
        /* what there is little of: groups, profiles, assignments, watched facts, open changes */
        "STMT_GROUP_", "STMT_MEMBER_CLOSE", "STMT_PROFILE_UNWATCH", "STMT_ASSIGNMENT_ROLLOUTS",
        "STMT_ASSIGNMENT_STOPPED", "STMT_BATCH_VERSIONS", "STMT_BATCH_PROFILES", "STMT_CHANGE_BACKLOG",
        /* what is hardly ever there, in an index of its own */
        "STMT_UNREADABLE",
        /* so many rows as a status page shows, in the order of an index */
        "STMT_DRIFT_TROUBLE", "STMT_STUCK_CANDIDATES"
    };
    const char *scan = _i ? "Seq Scan on" : "SCAN ", *set = _i ? "SET enable_seqscan = off;" : "", *scans = "";
    mdm_store_t *st;
    size_t i;
    int stmt;

    database_start(_i);
    st = database_ready(database_pool());
    for (stmt = STMT_NONE + 1; stmt < STMT_COUNT; stmt++) {
        const char *in = mdm_stmts[stmt].sql, *plan, *found;
        char *sql = apr_palloc(database_pool(), 2 * strlen(in) + 1), *to = sql;

        for (i = 0; i < sizeof(free_to_scan) / sizeof(free_to_scan[0]); i++) {
            if (!strncmp(mdm_stmts[stmt].name, free_to_scan[i], strlen(free_to_scan[i])))
                break;
        }
        if (i < sizeof(free_to_scan) / sizeof(free_to_scan[0]) || other_kind(stmt, mdm_db_kind(st->db)))
            continue;
        for (; *in; in++) {
            if (*in == '%' && in[1] == 's') {
                to = apr_cpystrn(to, "'[]'", 5);
                in++;
            }
            else if (*in == '%') {
                *to++ = '1';
                in += 3;
            }
            else
                *to++ = *in;
        }
        *to = '\0';
        plan = database_sql(apr_psprintf(database_pool(), "%s EXPLAIN %s %s;", set, _i ? "" : "QUERY PLAN",
                                         sql));
        for (found = strstr(plan, scan); found; found = strstr(found + 1, scan))
            if (_i || !is_no_table(found + strlen(scan)))
                scans = apr_psprintf(database_pool(), "%s%s:\n%s\n", scans, mdm_stmts[stmt].name, plan);
    }
    ck_assert_msg(!*scans, "%s", scans);
    database_end();
}
END_TEST

START_TEST(the_version_is_looked_at)
{
    mdm_store_t *st;
    int version = -1;

    database_start(_i);
    st = database_open(database_pool());
    ck_assert_int_eq(mdm_store_version(&version, st), APR_SUCCESS);
    ck_assert_int_eq(version, 0);
    if (_i) {
        ck_assert_int_eq(mdm_store_ready(st), MDM_ESCHEMA);
        ck_assert_ptr_nonnull(strstr(st->ctx->detail, "db init"));
        mdm_ctx_clear(st->ctx);
    }
    ck_assert_int_eq(mdm_store_init(st), APR_SUCCESS);
    ck_assert_int_eq(mdm_store_init(st), MDM_EEXIST);
    mdm_ctx_clear(st->ctx);
    ck_assert_int_eq(mdm_store_version(&version, st), APR_SUCCESS);
    ck_assert_int_eq(version, MDM_SCHEMA_VERSION);
    ck_assert_int_eq(mdm_store_upgrade(st), APR_SUCCESS);
    database_sql("UPDATE mdm_meta SET value = '99' WHERE name = 'schema_version';");
    ck_assert_int_eq(mdm_store_ready(st), MDM_ESCHEMA);
    ck_assert_ptr_nonnull(strstr(st->ctx->detail, "newer"));
    mdm_ctx_clear(st->ctx);
    ck_assert_int_eq(mdm_store_upgrade(st), MDM_ESCHEMA);
    mdm_ctx_clear(st->ctx);
    database_sql("UPDATE mdm_meta SET value = '0' WHERE name = 'schema_version';");
    ck_assert_int_eq(mdm_store_ready(st), MDM_ESCHEMA);
    ck_assert_ptr_nonnull(strstr(st->ctx->detail, "db upgrade"));
    mdm_ctx_clear(st->ctx);
    ck_assert_int_eq(mdm_store_init(st), MDM_EEXIST);
    database_end();
}
END_TEST

START_TEST(an_upgrade_beside_a_running_server_is_seen)
{
    mdm_store_t *st;

    database_start(_i);
    st = database_ready(database_pool());
    database_sql("UPDATE mdm_meta SET value = '99' WHERE name = 'schema_version';");
    ck_assert_int_eq(mdm_store_ready(st), APR_SUCCESS);
    st->ctx->fixed_now = apr_time_now() + apr_time_from_sec(31);
    ck_assert_int_eq(mdm_store_ready(st), MDM_ESCHEMA);
    mdm_ctx_clear(st->ctx);
    database_sql(apr_psprintf(database_pool(), "UPDATE mdm_meta SET value = '%d' WHERE name = 'schema_version';",
                              MDM_SCHEMA_VERSION));
    ck_assert_int_eq(mdm_store_ready(st), APR_SUCCESS);
    ck_assert_int_eq(mdm_db_statements(st->db), 0);
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("db");
    TCase *group = tcase_create("db");

    (void)argc;
    tcase_set_timeout(group, 120);
    tcase_add_loop_test(group, every_statement_runs, 0, DATABASES);
    tcase_add_loop_test(group, a_list_of_one_is_asked_for_alone, 0, DATABASES);
    tcase_add_loop_test(group, null_is_null_and_empty_is_empty, 0, DATABASES);
    tcase_add_loop_test(group, counts_rows_and_statements, 0, DATABASES);
    tcase_add_loop_test(group, a_refusal_of_the_work_undoes_it, 0, DATABASES);
    tcase_add_loop_test(group, a_lost_transaction_runs_again_as_a_whole, 0, DATABASES);
    tcase_add_loop_test(group, what_fails_alike_each_time_is_given_up, 0, DATABASES);
    tcase_add_loop_test(group, a_connection_that_is_given_back_serves_no_more, 0, DATABASES);
    tcase_add_loop_test(group, an_inner_transaction_joins_the_outer, 0, DATABASES);
    tcase_add_loop_test(group, a_changed_schema_or_a_lost_session_heals, 0, DATABASES);
    tcase_add_loop_test(group, statements_outlive_their_wrap, 0, DATABASES);
    tcase_add_test(group, a_database_that_is_not_there_is_said_so);
    tcase_add_test(group, a_locked_sqlite_file_fails_clearly);
    tcase_add_test(group, sqlite_is_durable_and_its_files_have_one_owner);
    tcase_add_loop_test(group, many_writers_lose_nothing, 0, DATABASES);
    tcase_add_loop_test(group, what_devices_wait_for_reads_no_whole_table, 0, DATABASES);
    tcase_add_loop_test(group, the_version_is_looked_at, 0, DATABASES);
    tcase_add_loop_test(group, an_upgrade_beside_a_running_server_is_seen, 0, DATABASES);
    suite_add_tcase(suite, group);
    return database_main(suite, argv);
}
