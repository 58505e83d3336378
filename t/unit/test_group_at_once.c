/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups that two change at the same moment, on both databases: each waits for the other where it has to.
 */
#include <string.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "database.h"
#include "mdm_fanout.h"
#include "mdm_group.h"
#include "mdm_store_assignment.h"
#include "mdm_store_change.h"
#include "mdm_store_fact.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")

#define SUPERVISED "{\"device.IsSupervised\":true}"

static mdm_store_t *st;

static void enrol(apr_int64_t id, apr_int64_t parent)
{
    mdm_enrollment_t e = { 0 };

    e.id = id;
    e.enrollment_id = apr_psprintf(database_pool(), "UDID-%" APR_INT64_T_FMT, id);
    e.type = parent ? "User" : "Device";
    e.parent = parent;
    e.state = MDM_STATE_ENROLLED;
    OK(mdm_store_enrollment_insert(st, &e));
}

/* 11 is a user channel of 1. */
static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    enrol(1, 0);
    enrol(11, 1);
    enrol(2, 0);
}

static void members(apr_int64_t group, const char *wanted)
{
    const char *sql = "SELECT enrollment, reason FROM mdm_member WHERE collection = %" APR_INT64_T_FMT
        " ORDER BY enrollment;";

    ck_assert_str_eq(database_sql(apr_psprintf(database_pool(), sql, group)), wanted);
}

/* ---- a device tells of a fact while a rule that looks at it is saved */

typedef struct {
    apr_thread_t *thread;
    apr_pool_t *pool;
    mdm_db_work_fn *work;
    apr_status_t rv;
} other_t;

static apr_status_t save_supervised(void *baton, mdm_db_t *db)
{
    mdm_group_save_t save = { "supervised", MDM_GROUP_RULE, NULL, NULL, "admin", NULL, 0, 0 };
    mdm_store_t *own = baton;
    mdm_rule_t *rule;
    apr_status_t rv = mdm_rule_read(&rule, own->ctx, mdm_bytes_of(SUPERVISED));

    (void)db;
    save.rule = rule;
    return rv == APR_SUCCESS ? mdm_group_save(&save, own) : rv;
}

static void *APR_THREAD_FUNC save_and_sweep(apr_thread_t *thread, void *baton)
{
    other_t *other = baton;
    mdm_store_t *own = database_open(other->pool);

    other->rv = mdm_db_transact(own->db, save_supervised, own);
    if (other->rv == APR_SUCCESS)
        other->rv = mdm_fanout_run(own, 0);
    (void)thread;
    return NULL;
}

/* As an answer is taken in: nobody looks at the fact, so nobody is marked. */
static apr_status_t tell_slowly(void *baton, mdm_db_t *db)
{
    mdm_fact_t fact = { "IsSupervised", "true", NULL, 0, 0 };
    apr_array_header_t *changes = apr_array_make(database_pool(), 1, sizeof(mdm_fact_t));
    other_t *other = baton;
    apr_status_t rv;
    int looks;

    (void)db;
    APR_ARRAY_PUSH(changes, mdm_fact_t) = fact;
    rv = mdm_store_facts_change(st, 1, "DeviceInformation", changes);
    if (rv == APR_SUCCESS)
        rv = mdm_store_recheck_facts(st, 1, &fact.name, 1);
    if (rv == APR_SUCCESS)
        rv = apr_thread_create(&other->thread, NULL, save_and_sweep, other, database_pool());
    for (looks = 0; looks < 1000 && mdm_db_kind(st->db) == MDM_DB_PGSQL
         && !strcmp(database_sql("SELECT COUNT(*) FROM mdm_change;"), "0"); looks++)
        apr_sleep(10000);
    /* time enough for a sweep that does not wait */
    apr_sleep(300000);
    return rv;
}

START_TEST(a_fact_that_is_told_while_a_rule_is_saved_counts)
{
    other_t other = { NULL, NULL, NULL, APR_EGENERAL };
    mdm_group_t *group;
    apr_status_t ignored;

    start(_i);
    apr_pool_create_unmanaged_ex(&other.pool, NULL, NULL);
    OK(mdm_db_transact(st->db, tell_slowly, &other));
    ck_assert_int_eq(apr_thread_join(&ignored, other.thread), APR_SUCCESS);
    ck_assert_int_eq(other.rv, APR_SUCCESS);
    apr_pool_destroy(other.pool);
    OK(mdm_store_group_get(&group, st, "supervised"));
    members(group->id, "1|because device.IsSupervised is true\n11|because device.IsSupervised is true");
    database_end();
}
END_TEST

/* ---- two who change one group */

/* Until somebody waits for a lock of ours; SQLite has one writer at a time. */
static void let_wait(void)
{
    int looks;

    for (looks = 0; looks < 1000 && mdm_db_kind(st->db) == MDM_DB_PGSQL
         && !strcmp(database_sql("SELECT COUNT(*) FROM pg_locks WHERE NOT granted;"), "0"); looks++)
        apr_sleep(10000);
}

static apr_status_t fill_with(mdm_store_t *own, const char *enrollment_id)
{
    apr_array_header_t *unknown;
    mdm_group_t *group;
    apr_status_t rv = mdm_store_group_lock(&group, own, "by hand");

    if (rv == APR_SUCCESS)
        rv = mdm_store_member_clear(own, group->id);
    return rv == APR_SUCCESS ? mdm_store_member_add(&unknown, own, group->id, "put in", &enrollment_id, 1) : rv;
}

static apr_status_t fill_again(void *baton, mdm_db_t *db)
{
    (void)db;
    return fill_with(baton, "UDID-2");
}

static apr_status_t remove_it(void *baton, mdm_db_t *db)
{
    (void)db;
    return mdm_group_remove(baton, "by hand");
}

static void *APR_THREAD_FUNC in_thread(apr_thread_t *thread, void *baton)
{
    other_t *other = baton;
    mdm_store_t *own = database_open(other->pool);

    other->rv = mdm_db_transact(own->db, other->work, own);
    (void)thread;
    return NULL;
}

static apr_status_t fill_slowly(void *baton, mdm_db_t *db)
{
    other_t *other = baton;
    apr_status_t rv = fill_with(st, "UDID-1");

    (void)db;
    if (rv == APR_SUCCESS)
        rv = apr_thread_create(&other->thread, NULL, in_thread, other, database_pool());
    let_wait();
    return rv;
}

static apr_status_t assign_slowly(void *baton, mdm_db_t *db)
{
    mdm_assignment_t a = { 0 };
    other_t *other = baton;
    apr_status_t rv = mdm_store_group_stays(st, 5);

    (void)db;
    a.id = 70;
    a.profile = 7;
    a.kind = MDM_ASSIGNMENT_GROUP;
    a.target = "5";
    if (rv == APR_SUCCESS)
        rv = mdm_store_assignment_insert(st, &a);
    if (rv == APR_SUCCESS)
        rv = apr_thread_create(&other->thread, NULL, in_thread, other, database_pool());
    let_wait();
    return rv;
}

static apr_status_t with_another(mdm_db_work_fn *first, mdm_db_work_fn *second)
{
    other_t other = { NULL, NULL, second, APR_EGENERAL };
    apr_status_t ignored;

    apr_pool_create_unmanaged_ex(&other.pool, NULL, NULL);
    OK(mdm_db_transact(st->db, first, &other));
    ck_assert_int_eq(apr_thread_join(&ignored, other.thread), APR_SUCCESS);
    apr_pool_destroy(other.pool);
    return other.rv;
}

START_TEST(who_changes_a_group_waits_for_who_does)
{
    start(_i);
    database_sql("INSERT INTO mdm_group (id, name, created_at) VALUES (5, 'by hand', 1);");
    database_sql("INSERT INTO mdm_profile (id, name, identifier, scope, version, created_at, changed_at, archived_at) "
                 "VALUES (7, 'wifi', 'org.example.wifi', 'System', 1, 1, 1, 0);");
    ck_assert_int_eq(with_another(fill_slowly, fill_again), APR_SUCCESS);
    members(5, "2|put in");
    ck_assert_int_eq(with_another(assign_slowly, remove_it), MDM_EEXIST);
    database_sql("DELETE FROM mdm_assignment;");
    ck_assert_int_eq(with_another(fill_slowly, remove_it), APR_SUCCESS);
    members(5, "");
    ck_assert_int_eq(mdm_store_group_stays(st, 5), MDM_ENOTFOUND);
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("group at once");
    TCase *tcase = tcase_create("group at once");

    (void)argc;
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_fact_that_is_told_while_a_rule_is_saved_counts, 0, DATABASES);
    tcase_add_loop_test(tcase, who_changes_a_group_waits_for_who_does, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
