/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule and directory groups on both databases: who joins and leaves and why, that settling, sweeping and previewing
 * agree, that only differences are written, how many statements each takes, and how long many enrollments take.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_group.h"
#include "mdm_store_subject.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")
#define CPU_MOST 10               /* seconds, for a sweep of 100 000 */

#define NURSES "{\"user.title\":\"Nurse\"}"
#define NEW_NURSES \
    "{\"all\":[{\"user.title\":\"Nurse\"},{\"fact\":\"device.OSVersion\",\"op\":\"at_least\",\"value\":\"17\"}]}"
#define SUPERVISED "{\"device.IsSupervised\":true}"
#define DN "cn=sales,ou=groups,dc=example,dc=org"

static mdm_store_t *st;

static void enrol(apr_int64_t id, apr_int64_t parent, const char *login, const char *os_version)
{
    mdm_enrollment_t e = { 0 };

    e.id = id;
    e.enrollment_id = apr_psprintf(database_pool(), "UDID-%" APR_INT64_T_FMT, id);
    e.type = parent ? "User" : "Device";
    e.parent = parent;
    e.state = MDM_STATE_ENROLLED;
    e.user = login;
    e.os_version = os_version;
    OK(mdm_store_enrollment_insert(st, &e));
}

static void person(const char *login, const char *title)
{
    database_sql(apr_psprintf(database_pool(), "INSERT INTO mdm_user (login, display_name, email, attributes, source, "
                              "disabled, created_at, changed_at, synced_at) VALUES ('%s', NULL, NULL, "
                              "'{\"title\":\"%s\"}', 'api', 0, 1, 1, 0);", login, title));
}

/* 1 and 2 are anna's, who is a nurse; 11 is a user channel of 1 and 12 bert's; 3 is bert's, a clerk; 4 is nobody's. */
static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    person("anna", "Nurse");
    person("bert", "Clerk");
    enrol(1, 0, "anna", "17.10");
    enrol(11, 1, NULL, NULL);
    enrol(12, 1, "bert", NULL);
    enrol(2, 0, "anna", "16.7");
    enrol(3, 0, "bert", "17.2");
    enrol(4, 0, NULL, "17.2");
}

/* Write a group by the way of the API; its id. */
static apr_int64_t save_group(const char *name, const char *rule, const char *directory, int made, int changed)
{
    mdm_group_save_t save = { name, rule ? MDM_GROUP_RULE : MDM_GROUP_DIRECTORY, NULL, directory, "admin", "10.0.0.1",
                              0, 0 };
    mdm_rule_t *read = NULL;
    mdm_group_t *group;

    if (rule)
        OK(mdm_rule_read(&read, st->ctx, mdm_bytes_of(rule)));
    save.rule = read;
    OK(mdm_group_save(&save, st));
    ck_assert_int_eq(save.made, made);
    ck_assert_int_eq(save.changed, changed);
    OK(mdm_store_group_get(&group, st, name));
    return group->id;
}

static apr_int64_t rule_group(const char *name, const char *rule)
{
    return save_group(name, rule, NULL, 1, 1);
}

static void members(apr_int64_t group, const char *wanted)
{
    const char *sql = "SELECT enrollment, reason FROM mdm_member WHERE collection = %" APR_INT64_T_FMT
        " ORDER BY enrollment;";

    ck_assert_str_eq(database_sql(apr_psprintf(database_pool(), sql, group)), wanted);
}

static const char *settle(const apr_int64_t *ids, int count, int statements)
{
    apr_array_header_t *changed;
    int before = mdm_db_statements(st->db), i;
    const char *text = "";

    OK(mdm_group_settle(&changed, st, ids, count));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, statements);
    for (i = 0; i < changed->nelts; i++)
        text = apr_psprintf(database_pool(), "%s%s%" APR_INT64_T_FMT, text, i ? " " : "",
                            APR_ARRAY_IDX(changed, i, apr_int64_t));
    return text;
}

/* All steps of a sweep. @return the statements it took */
static int sweep_all(mdm_group_sweep_t *sum, apr_int64_t group, int *steps)
{
    mdm_group_sweep_t sweep = { group, 0, 0, 0, 0, 0 };
    int before = mdm_db_statements(st->db);
    apr_pool_t *whole = st->ctx->pool, *p;

    memset(sum, 0, sizeof(*sum));
    apr_pool_create(&p, whole);
    for (*steps = 0; !sweep.done; (*steps)++) {
        apr_pool_clear(p);
        st->ctx->pool = p;
        OK(mdm_group_sweep(&sweep, st));
        st->ctx->pool = whole;
        sum->looked += sweep.looked;
        sum->joined += sweep.joined;
        sum->left += sweep.left;
    }
    apr_pool_destroy(p);
    return mdm_db_statements(st->db) - before;
}

static void marked(const char *wanted)
{
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_recheck ORDER BY enrollment;"), wanted);
    database_sql("DELETE FROM mdm_recheck;");
}

static void set(const char *sql)
{
    database_sql(sql);
}

START_TEST(settling_joins_leaves_and_explains)
{
    const apr_int64_t all[] = { 1, 2, 3, 4, 11, 12 }, some[] = { 2, 3 };
    apr_int64_t nurses, supervised;

    start(_i);
    ck_assert_str_eq(settle(all, 6, 1), "");
    nurses = rule_group("new nurses", NEW_NURSES);
    ck_assert_str_eq(settle(all, 6, 4), "1 11");
    members(nurses, "1|because user.title is Nurse and device.OSVersion 17.10 is at least 17\n"
            "11|because user.title is Nurse and device.OSVersion 17.10 is at least 17");
    ck_assert_str_eq(settle(all, 6, 3), "");
    supervised = rule_group("supervised", SUPERVISED);
    set("INSERT INTO mdm_fact (enrollment, name, value, source, changed_at) VALUES "
        "(1, 'IsSupervised', 'true', 'DeviceInformation', 1), (3, 'IsSupervised', 'false', 'DeviceInformation', 1), "
        "(4, 'IsSupervised', 'true', 'DeviceInformation', 1);");
    ck_assert_str_eq(settle(some, 2, 4), "");
    ck_assert_str_eq(settle(all, 6, 5), "1 4 11 12");
    members(supervised, "1|because device.IsSupervised is true\n4|because device.IsSupervised is true\n"
            "11|because device.IsSupervised is true\n12|because device.IsSupervised is true");
    /* a new version is a new reason, and no move */
    set("UPDATE mdm_enrollment SET os_version = '18.0' WHERE id IN (1, 3);");
    ck_assert_str_eq(settle(all, 6, 5), "");
    members(nurses, "1|because user.title is Nurse and device.OSVersion 18.0 is at least 17\n"
            "11|because user.title is Nurse and device.OSVersion 18.0 is at least 17");
    set("UPDATE mdm_user SET attributes = '{\"title\":\"Nurse\"}' WHERE login = 'bert';");
    set("UPDATE mdm_user SET attributes = '{}' WHERE login = 'anna';");
    ck_assert_str_eq(settle(all, 6, 7), "1 3 11 12");
    ck_assert_str_eq(database_sql("SELECT object, enrollment_id, detail FROM mdm_event WHERE kind = 'group.left';"),
                     "new nurses||2: UDID-1 because user.title is not known; UDID-11 because user.title is not known");
    members(nurses, "3|because user.title is Nurse and device.OSVersion 18.0 is at least 17\n"
            "12|because user.title is Nurse and device.OSVersion 18.0 is at least 17");
    database_end();
}
END_TEST

START_TEST(only_who_is_managed_is_in)
{
    const apr_int64_t all[] = { 1, 2, 3, 4, 11, 12 };
    mdm_enrollment_t *again;
    apr_int64_t nurses;

    start(_i);
    nurses = rule_group("nurses", NURSES);
    OK(mdm_store_member_put(st, (mdm_member_row_t[]){ { 999, 1, "of no group" } }, 1));
    ck_assert_str_eq(settle(all, 6, 4), "1 2 11");
    set("UPDATE mdm_enrollment SET state = 6 WHERE id = 1;");
    set("UPDATE mdm_enrollment SET state = 1 WHERE id = 2;");
    ck_assert_str_eq(settle(all, 6, 5), "2");
    ck_assert_str_eq(database_sql("SELECT enrollment_id, detail FROM mdm_event WHERE kind = 'group.left';"),
                     "UDID-2|because it is pending");
    members(nurses, "1|because user.title is Nurse\n11|because user.title is Nurse");
    set("UPDATE mdm_enrollment SET state = 2 WHERE id IN (1, 2);");
    ck_assert_str_eq(settle(all, 6, 4), "2");
    set("INSERT INTO mdm_group (id, name, created_at) VALUES (5, 'by hand', 1);");
    set("INSERT INTO mdm_member (collection, enrollment, reason, added_at) VALUES (5, 1, 'put in', 1);");
    OK(mdm_store_enrollment_close(st, 1, MDM_STATE_LEFT));
    members(nurses, "2|because user.title is Nurse");
    members(5, "1|put in");
    OK(mdm_store_enrollment_close(st, 2, MDM_STATE_MISSING));
    members(nurses, "2|because user.title is Nurse");
    members(999, "");
    /* begins anew, or goes on without MDM */
    OK(mdm_store_enrollment_get(&again, st, "UDID-2"));
    OK(mdm_store_enrollment_authenticate(st, again));
    members(nurses, "");
    set("UPDATE mdm_enrollment SET state = 6;");
    ck_assert_str_eq(settle(all, 6, 4), "1 2 11");
    OK(mdm_store_enrollment_get(&again, st, "UDID-1"));
    set("INSERT INTO mdm_certificate (fingerprint, serial, subject, not_before, not_after, issued_at, enrollment, "
        "revoked_at, pem) VALUES ('F', '1', 'CN=x', 0, 0, 0, 0, 0, '-');");
    again->certificate = "F";
    OK(mdm_store_enrollment_unmanaged(st, again));
    members(nurses, "2|because user.title is Nurse");
    members(5, "1|put in");
    database_end();
}
END_TEST

START_TEST(the_directory_is_followed)
{
    const apr_int64_t all[] = { 1, 2, 3, 4, 11, 12 };
    mdm_group_sweep_t sum;
    mdm_group_t *group;
    apr_int64_t sales;
    int steps;

    start(_i);
    sales = save_group("sales", NULL, DN, 1, 1);
    set(apr_psprintf(database_pool(), "INSERT INTO mdm_directory_member (collection, login, synced_at) VALUES "
                     "(%" APR_INT64_T_FMT ", 'bert', 1), (77, 'anna', 1);", sales));
    ck_assert_str_eq(settle(all, 6, 1), "");
    ck_assert_int_eq(sweep_all(&sum, sales, &steps), 1);
    OK(mdm_store_group_by_id(&group, st, sales));
    group->directory = "cn=other";
    ck_assert_int_eq(mdm_group_synced(st, group), MDM_ENOTFOUND);
    mdm_ctx_clear(st->ctx);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_change;"), "0");
    group->directory = DN;
    OK(mdm_group_synced(st, group));
    ck_assert_str_eq(database_sql("SELECT kind, actor FROM mdm_change;"), "group|directory");
    OK(mdm_store_group_by_id(&group, st, sales));
    OK(mdm_group_synced(st, group));
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_change;"), "1");
    ck_assert_str_eq(settle(all, 6, 5), "3 12");
    members(sales, "3|because bert is in " DN "\n12|because bert is in " DN);
    set("UPDATE mdm_directory_member SET login = 'anna' WHERE login = 'bert';");
    sweep_all(&sum, sales, &steps);
    ck_assert_int_eq(sum.joined, 3);
    ck_assert_int_eq(sum.left, 2);
    marked("1\n2\n3\n11\n12");
    members(sales, "1|because anna is in " DN "\n2|because anna is in " DN "\n11|because anna is in " DN);
    /* another entry: who is in stays so until it has been read */
    save_group("sales", NULL, "cn=field,dc=example,dc=org", 0, 1);
    ck_assert_str_eq(settle(all, 6, 1), "");
    ck_assert_int_eq(sweep_all(&sum, sales, &steps), 1);
    database_end();
}
END_TEST

/* Enrollments from 1001 on, every second one of anna's, and with a fact each. */
static void many(int count)
{
    database_sql(apr_psprintf(database_pool(),
        "INSERT INTO mdm_enrollment (id, enrollment_id, type, parent, state, login, token_update_tally, created_at, "
        "enrolled_at, left_at, last_seen_at, token_at, os_version, serial_number) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "SELECT 1000 + i, 'MANY-' || i, 'Device', 0, 2, CASE WHEN i %% 2 = 0 THEN 'anna' ELSE 'bert' END, 1, 1, 1, 0, "
        "1, 1, '17.' || (i %% 20), 'S' || i FROM n;", count));
    database_sql(apr_psprintf(database_pool(),
        "INSERT INTO mdm_fact (enrollment, name, value, source, changed_at) "
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
        "SELECT 1000 + i, 'IsSupervised', CASE WHEN i %% 10 = 0 THEN 'true' ELSE 'false' END, 'DeviceInformation', 1 "
        "FROM n;", count));
}

START_TEST(a_sweep_goes_by_steps_and_writes_differences)
{
    mdm_group_sweep_t sum, sweep = { 0, 0, 0, 0, 0, 0 };
    apr_int64_t group;
    int steps, statements;

    start(_i);
    many(1100);
    group = sweep.group = rule_group("supervised", SUPERVISED);
    set("UPDATE mdm_fact SET value = 'true' WHERE enrollment BETWEEN 1001 AND 1100;");
    OK(mdm_group_sweep(&sweep, st));
    /* 6 of the start and 506 others; the first hundred join, and 40 of the rest */
    ck_assert_int_eq(sweep.looked, 512);
    ck_assert_int_eq(sweep.position, 1506);
    ck_assert_int_eq(sweep.joined, 140);
    ck_assert_int_eq(sweep.done, 0);
    OK(mdm_group_sweep(&sweep, st));
    ck_assert_int_eq(sweep.position, 2018);
    OK(mdm_group_sweep(&sweep, st));
    ck_assert_int_eq(sweep.looked, 82);
    ck_assert_int_eq(sweep.done, 1);
    ck_assert_str_eq(database_sql("SELECT COUNT(*), COUNT(DISTINCT enrollment) FROM mdm_member;"), "200|200");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_recheck r JOIN mdm_member m "
                                  "ON m.enrollment = r.enrollment;"), "200");
    set("DELETE FROM mdm_recheck;");
    /* nothing new: per step the group and a page, and facts for every 64 */
    statements = sweep_all(&sum, group, &steps);
    ck_assert_int_eq(steps, 3);
    ck_assert_int_eq(statements, 3 * 2 + 8 + 8 + 2);
    ck_assert_int_eq(sum.joined + sum.left, 0);
    ck_assert_int_eq(sum.looked, 1106);
    marked("");
    set("UPDATE mdm_fact SET value = 'false' WHERE enrollment IN (1001, 1002);");
    ck_assert_int_eq(sweep_all(&sum, group, &steps), statements + 3);
    ck_assert_int_eq(sum.left, 2);
    marked("1001\n1002");
    OK(mdm_store_group_delete(st, group));
    ck_assert_int_eq(sweep_all(&sum, group, &steps), 1);
    ck_assert_int_eq(steps, 1);
    members(group, "");
    database_end();
}
END_TEST

START_TEST(a_preview_tells_what_the_sweep_does)
{
    mdm_group_preview_t preview = { 0 };
    mdm_group_sweep_t sum;
    mdm_group_move_t move;
    mdm_rule_t *rule;
    apr_int64_t group;
    int steps, before;

    start(_i);
    many(1100);
    OK(mdm_rule_read(&rule, st->ctx, mdm_bytes_of(NEW_NURSES)));
    preview.rule = rule;
    preview.limit = 3;
    OK(mdm_group_preview(&preview, st));
    ck_assert_int_eq(preview.joins, 552);
    ck_assert_int_eq(preview.moves->nelts, 3);
    ck_assert_int_eq(preview.more, 1);
    group = rule_group("nurses", NEW_NURSES);
    sweep_all(&sum, group, &steps);
    ck_assert_int_eq(sum.joined, 552);
    OK(mdm_rule_read(&rule, st->ctx, mdm_bytes_of(SUPERVISED)));
    preview.group = group;
    preview.rule = rule;
    before = mdm_db_statements(st->db);
    OK(mdm_group_preview(&preview, st));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 3 + 8 + 8 + 2);
    ck_assert_int_eq(preview.joins + preview.stays, 110);
    ck_assert_int_eq(preview.leaves + preview.stays, 552);
    move = APR_ARRAY_IDX(preview.moves, 0, mdm_group_move_t);
    ck_assert_str_eq(move.enrollment_id, "UDID-1");
    ck_assert_str_eq(move.reason, "because device.IsSupervised is not known");
    ck_assert_int_eq(move.joins, 0);
    preview.after = 2090;
    preview.limit = 1000;
    OK(mdm_group_preview(&preview, st));
    ck_assert_int_eq(preview.more, 0);
    ck_assert_int_eq(preview.moves->nelts, 4);
    ck_assert_int_eq(preview.leaves + preview.stays, 552);
    save_group("nurses", SUPERVISED, NULL, 0, 1);
    sweep_all(&sum, group, &steps);
    ck_assert_int_eq(sum.joined, preview.joins);
    ck_assert_int_eq(sum.left, preview.leaves);
    database_end();
}
END_TEST

START_TEST(saving_writes_what_the_fan_out_needs)
{
    mdm_group_save_t save = { "nurses", MDM_GROUP_DIRECTORY, NULL, "no name", "admin", NULL, 0, 0 };
    mdm_change_t *change;
    mdm_group_t *group;
    apr_int64_t id;

    start(_i);
    id = rule_group("nurses", NEW_NURSES);
    OK(mdm_store_change_next(&change, st));
    ck_assert_str_eq(change->kind, "group");
    ck_assert_int_eq(apr_atoi64(change->object), id);
    ck_assert_str_eq(change->actor, "admin");
    ck_assert_str_eq(database_sql("SELECT name, kind FROM mdm_watched_fact;"), "OSVersion|group");
    OK(mdm_store_group_get(&group, st, "nurses"));
    ck_assert_int_eq(group->moving, 1);
    save_group("nurses", NEW_NURSES, NULL, 0, 0);
    ck_assert_str_eq(database_sql("SELECT kind, actor, source_ip, object, detail FROM mdm_event;"),
                     "group.created|admin|10.0.0.1|nurses|" NEW_NURSES);
    set("UPDATE mdm_change SET finished_at = 1;");
    save_group("nurses", SUPERVISED, NULL, 0, 1);
    ck_assert_str_eq(database_sql("SELECT name FROM mdm_watched_fact;"), "IsSupervised");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_change WHERE finished_at = 0;"), "1");
    OK(mdm_store_group_get(&group, st, "nurses"));
    ck_assert_str_eq(group->rule, SUPERVISED);
    ck_assert_str_eq(group->changed_by, "admin");
    ck_assert_int_eq(mdm_group_save(&save, st), MDM_EINPUT);
    mdm_ctx_clear(st->ctx);
    save.directory = DN;
    ck_assert_int_eq(mdm_group_save(&save, st), MDM_EEXIST);
    ck_assert_ptr_nonnull(strstr(st->ctx->detail, "of kind rule and stays so"));
    mdm_ctx_clear(st->ctx);
    set("INSERT INTO mdm_profile (id, name, identifier, scope, version, created_at, changed_at, archived_at) VALUES "
        "(7, 'wifi', 'org.example.wifi', 'System', 1, 1, 1, 0), (8, 'old', 'org.example.old', 'System', 1, 1, 1, 1);");
    set(apr_psprintf(database_pool(), "INSERT INTO mdm_assignment (id, profile, version, kind, target, exclude, "
                     "priority, condition_id, rollout_state, rollout_step, rollout_version, rollout_from, rollout_at, "
                     "created_at, changed_at) VALUES "
                     "(1, 7, 0, 1, '%" APR_INT64_T_FMT "', 0, 0, 0, 0, 0, 0, 0, 0, 1, 1), "
                     "(2, 8, 0, 1, '%" APR_INT64_T_FMT "', 0, 0, 0, 0, 0, 0, 0, 0, 1, 1);", id, id));
    ck_assert_int_eq(mdm_group_remove(st, "nurses"), MDM_EEXIST);
    ck_assert_str_eq(st->ctx->detail,
                     "the group nurses is the target of assignments of wifi: delete those first");
    mdm_ctx_clear(st->ctx);
    set("DELETE FROM mdm_assignment WHERE id = 1;");
    OK(mdm_group_remove(st, "nurses"));
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_watched_fact;"), "0");
    ck_assert_int_eq(mdm_group_remove(st, "nurses"), MDM_ENOTFOUND);
    database_end();
}
END_TEST

START_TEST(a_rule_that_cannot_be_read_moves_nobody)
{
    const apr_int64_t all[] = { 1, 2, 3 };
    mdm_group_sweep_t sum;
    apr_int64_t group;
    int steps;

    start(_i);
    group = rule_group("nurses", NURSES);
    ck_assert_str_eq(settle(all, 3, 4), "1 2");
    set("UPDATE mdm_group SET rule = '{\"device.NoLongerKnown\": 1}';");
    ck_assert_str_eq(settle(all, 3, 1), "");
    ck_assert_int_eq(sweep_all(&sum, group, &steps), 1);
    members(group, "1|because user.title is Nurse\n2|because user.title is Nurse");
    ck_assert_ptr_null(st->ctx->detail);
    database_end();
}
END_TEST

/* Members are written: who deletes the group has to wait. */
static apr_status_t put_and_look(void *baton, mdm_db_t *db)
{
    const mdm_member_row_t row = { *(const apr_int64_t *)baton, 1, "because" };
    const char *sql = "SELECT COUNT(*) FROM (SELECT id FROM mdm_group WHERE id = %" APR_INT64_T_FMT
        " FOR UPDATE SKIP LOCKED) free_rows;";

    (void)db;
    OK(mdm_store_member_put(st, &row, 1));
    ck_assert_str_eq(database_sql(apr_psprintf(database_pool(), sql, row.group)), "0");
    return APR_SUCCESS;
}

START_TEST(a_group_is_not_deleted_under_its_new_members)
{
    apr_int64_t group;

    start(1);
    group = rule_group("nurses", NURSES);
    OK(mdm_db_transact(st->db, put_and_look, &group));
    members(group, "1|because");
    database_end();
}
END_TEST

static double seconds(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
        + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

START_TEST(a_hundred_thousand_are_swept_in_seconds)
{
    static const char rule[] = "{\"all\":[{\"user.title\":\"Nurse\"},{\"device.IsSupervised\":true},"
        "{\"fact\":\"device.OSVersion\",\"op\":\"at_least\",\"value\":\"17.10\"}]}";
    mdm_group_preview_t preview = { 0 };
    mdm_group_sweep_t sum;
    mdm_rule_t *read;
    apr_time_t began;
    double cpu;
    int steps, statements;

    start(_i);
    many(100000);
    preview.group = rule_group("many", rule);
    OK(mdm_rule_read(&read, st->ctx, mdm_bytes_of(rule)));
    preview.rule = read;
    cpu = seconds();
    OK(mdm_group_preview(&preview, st));
    printf("preview of 100 000 (%s): %d would join, %.2f s of CPU\n", database_driver(), (int)preview.joins,
           seconds() - cpu);
    began = apr_time_now();
    cpu = seconds();
    statements = sweep_all(&sum, preview.group, &steps);
    cpu = seconds() - cpu;
    printf("sweep of 100 000 (%s): %d joined, %d statements in %d steps, %.2f s of CPU, %.2f s\n", database_driver(),
           sum.joined, statements, steps, cpu, (double)(apr_time_now() - began) / 1e6);
    ck_assert_int_eq(sum.joined, 5000);
    ck_assert_int_eq(preview.joins, 5000);
    ck_assert_int_eq(sum.looked, 100006);
    ck_assert_int_le(statements, 196 * 2 + 1568 + 3 * 196 + 5000 / 32);
    ck_assert_msg(cpu < CPU_MOST, "%.2f s of CPU", cpu);
    database_end();
}
END_TEST

START_TEST(three_hundred_groups_are_settled_at_once)
{
    apr_int64_t ids[64];
    apr_array_header_t *changed;
    double cpu;
    int i, before;

    start(_i);
    many(64);
    for (i = 0; i < 64; i++)
        ids[i] = 1001 + i;
    for (i = 0; i < 300; i++)
        rule_group(apr_psprintf(database_pool(), "group %d", i), apr_psprintf(database_pool(),
                   "{\"all\":[{\"user.title\":\"Nurse\"},{\"device.serial_number\":\"S%d\"},"
                   "{\"device.IsSupervised\":false}]}", i));
    before = mdm_db_statements(st->db);
    cpu = seconds();
    OK(mdm_group_settle(&changed, st, ids, 64));
    printf("64 against 300 groups (%s): %d changed, %d statements, %.3f s of CPU\n", database_driver(), changed->nelts,
           mdm_db_statements(st->db) - before, seconds() - cpu);
    ck_assert_int_eq(changed->nelts, 26);
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 5);
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("group");
    TCase *tcase = tcase_create("group");

    (void)argc;
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, settling_joins_leaves_and_explains, 0, DATABASES);
    tcase_add_loop_test(tcase, only_who_is_managed_is_in, 0, DATABASES);
    tcase_add_loop_test(tcase, the_directory_is_followed, 0, DATABASES);
    tcase_add_loop_test(tcase, a_sweep_goes_by_steps_and_writes_differences, 0, DATABASES);
    tcase_add_loop_test(tcase, a_preview_tells_what_the_sweep_does, 0, DATABASES);
    tcase_add_loop_test(tcase, saving_writes_what_the_fan_out_needs, 0, DATABASES);
    tcase_add_loop_test(tcase, a_rule_that_cannot_be_read_moves_nobody, 0, DATABASES);
    tcase_add_test(tcase, a_group_is_not_deleted_under_its_new_members);
    tcase_add_loop_test(tcase, a_hundred_thousand_are_swept_in_seconds, 0, DATABASES);
    tcase_add_loop_test(tcase, three_hundred_groups_are_settled_at_once, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
