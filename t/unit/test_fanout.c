/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fan-out on both databases: exactly those concerned get exactly what is new, whatever came before; a change that
 * is broken off anywhere goes on exactly; nothing is queued twice.
 */
#include <string.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "desired_fixture.h"
#include "mdm_fanout.h"
#include "mdm_fanout_step.h"
#include "mdm_group.h"
#include "mdm_preview_members.h"
#include "mdm_silence.h"
#include "mdm_store.h"

START_TEST(a_secret_of_ten_of_a_hundred_touches_ten)
{
    int before;

    desired_start(_i);
    desired_enrol_many(1, 100);
    desired_secret("wifi", "first");
    desired_profile(7, "wifi", 1, "${secret.wifi}", NULL);
    desired_profile(8, "other", 1, "nothing", NULL);
    desired_join(1, 31, 40);
    desired_join(2, 1, 100);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    desired_assign(8, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 10);
    ck_assert_str_eq(desired_tally(), "10 0 10");
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "8"), 100);
    ck_assert_str_eq(desired_tally(), "110 0 100");
    desired_answer(1, 100, "Acknowledged");
    ck_assert_str_eq(desired_tally(), "0 0 0");

    desired_secret("wifi", "second");
    before = mdm_db_statements(st->db);
    ck_assert_int_eq(desired_change(MDM_CHANGE_SECRET, "wifi"), 10);
    ck_assert_int_le(mdm_db_statements(st->db) - before, 40);
    ck_assert_str_eq(desired_tally(), "10 0 10");
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_queue ORDER BY 1;"),
                     "31\n32\n33\n34\n35\n36\n37\n38\n39\n40");
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_command WHERE request_type = 'InstallProfile'"), 3);

    /* the same again, and the same value under another generation: nothing */
    ck_assert_int_eq(desired_change(MDM_CHANGE_SECRET, "wifi"), 0);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 0);
    ck_assert_str_eq(desired_tally(), "10 0 10");
    database_end();
}
END_TEST

START_TEST(a_phone_that_is_off_gets_the_newest_alone)
{
    desired_start(_i);
    desired_enrol_many(1, 3);
    desired_secret("wifi", "first");
    desired_profile(7, "wifi", 1, "${secret.wifi}", NULL);
    desired_join(1, 1, 3);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 3);
    desired_answer(1, 2, "Acknowledged");
    desired_secret("wifi", "second");
    ck_assert_int_eq(desired_change(MDM_CHANGE_SECRET, "wifi"), 3);
    desired_profile(7, "wifi", 2, "new ${secret.wifi}", NULL);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 3);
    ck_assert_str_eq(desired_tally(), "3 0 3");
    ck_assert_str_eq(database_sql("SELECT enrollment, COUNT(*) FROM mdm_queue GROUP BY 1 ORDER BY 1;"),
                     "1|1\n2|1\n3|1");
    ck_assert_str_eq(database_sql("SELECT enrollment, COUNT(*) FROM mdm_result WHERE status = 'Superseded' GROUP BY 1 "
                                  "ORDER BY 1;"), "1|1\n2|1\n3|2");
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_desired d JOIN mdm_queue q ON q.enrollment = d.enrollment "
                                   "AND q.command = d.command"), 3);
    ck_assert_int_eq(desired_count("SELECT COUNT(DISTINCT want_uuid) FROM mdm_desired WHERE version = 2"), 1);
    database_end();
}
END_TEST

START_TEST(who_is_not_concerned_any_more_loses_it)
{
    apr_int64_t assignment;

    desired_start(_i);
    desired_enrol_many(1, 5);
    desired_profile(7, "wifi", 1, "x", NULL);
    desired_join(1, 1, 4);
    assignment = desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 4);
    desired_answer(1, 2, "Acknowledged");

    /* 1 and 2 have it, 3 and 4 were never given it */
    desired_unassign(assignment);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 4);
    ck_assert_str_eq(desired_tally(), "0 2 4");
    ck_assert_str_eq(database_sql("SELECT enrollment, state, version FROM mdm_desired ORDER BY 1;"),
                     "1|8|0\n2|8|0\n3|9|0\n4|9|0");
    ck_assert_str_eq(database_sql("SELECT enrollment, status FROM mdm_result WHERE status <> 'Acknowledged' "
                                  "ORDER BY 1;"), "3|Superseded\n4|Superseded");

    /* back again while it is on its way out */
    desired_answer(1, 1, "Acknowledged");
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 4);
    ck_assert_str_eq(desired_tally(), "4 0 4");
    ck_assert_str_eq(database_sql("SELECT state, COUNT(*) FROM mdm_desired GROUP BY 1;"), "1|4");
    database_end();
}
END_TEST

START_TEST(a_user_counts_for_his_devices)
{
    desired_start(_i);
    desired_enrol(1, 0, "anna");
    desired_enrol(2, 0, "anna");
    desired_enrol(3, 0, "bert");
    desired_enrol(11, 1, "anna");
    desired_user("anna", "anna@example.org", "{}");
    desired_user("bert", NULL, "{\"phone\": \"1\"}");
    desired_profile(7, "mail", 1, "${user.mail} of ${device.serial}", NULL);
    desired_profile(8, "user-mail", 1, "${user.mail}", NULL);
    desired_join(1, 1, 3);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    desired_assign(8, MDM_ASSIGNMENT_USER, "anna", 0, 0, NULL);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 3);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "8"), 1);
    ck_assert_str_eq(desired_tally(), "3 0 3");
    ck_assert_str_eq(database_sql("SELECT enrollment, profile, state FROM mdm_desired ORDER BY 1, 2;"),
                     "1|7|1\n2|7|1\n3|7|7\n11|8|1");
    ck_assert_str_eq(database_sql("SELECT reason FROM mdm_desired WHERE enrollment = 3;"),
                     "user bert has no attribute mail");
    ck_assert_int_eq(desired_count("SELECT COUNT(DISTINCT want_uuid) FROM mdm_desired WHERE profile = 7"), 2);
    desired_answer(1, 11, "Acknowledged");

    /* bert gets an address; nobody else is concerned */
    desired_user("bert", "bert@example.org", "{}");
    OK(mdm_store_recheck_user(st, "bert"));
    OK(mdm_store_recheck_user(st, "anna"));
    desired_run();
    ck_assert_str_eq(desired_tally(), "1 0 1");
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_queue;"), "3");
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_recheck"), 0);
    desired_answer(1, 11, "Acknowledged");

    /* anna is disabled: what is assigned to her goes, what her devices have as members stays */
    database_sql("UPDATE mdm_user SET disabled = 1 WHERE login = 'anna';");
    OK(mdm_store_recheck_user(st, "anna"));
    desired_run();
    ck_assert_str_eq(desired_tally(), "0 1 1");
    ck_assert_str_eq(database_sql("SELECT enrollment, profile, state FROM mdm_desired WHERE state = 8;"), "11|8|8");
    database_end();
}
END_TEST

/* "INSTALL REMOVE": enrollments that a preview of the group names, of the rule or of one member that moves. */
static const char *previewed(apr_int64_t group, const char *rule, apr_int64_t mover, int joins)
{
    mdm_group_preview_t preview = { 0 };
    mdm_preview_members_t *members;
    mdm_preview_t *found;
    mdm_rule_t *read;
    apr_pool_t *p = database_pool();

    OK(mdm_preview_members_begin(&members, st, group));
    if (rule) {
        OK(mdm_rule_read(&read, st->ctx, mdm_bytes_of(rule)));
        preview.group = group;
        preview.rule = read;
        preview.moved = mdm_preview_members_move;
        preview.baton = members;
        OK(mdm_group_preview(&preview, st));
    }
    else
        OK(mdm_preview_members_move(members, mover, joins));
    OK(mdm_preview_members_end(&found, members));
    ck_assert_int_eq(found->counts[MDM_PLAN_INSTALL], found->named[MDM_PLAN_INSTALL]->nelts);
    ck_assert_int_eq(found->counts[MDM_PLAN_REMOVE], found->named[MDM_PLAN_REMOVE]->nelts);
    return apr_pstrcat(p, apr_array_pstrcat(p, found->named[MDM_PLAN_INSTALL], ','), " ",
                       apr_array_pstrcat(p, found->named[MDM_PLAN_REMOVE], ','), NULL);
}

/* A Mac, 1, with a user channel, 11, that is to have what is assigned to the group. */
static void start_mac(int loop, const char *group)
{
    desired_start(loop);
    desired_enrol(1, 0, NULL);
    desired_enrol(11, 1, NULL);
    desired_enrol(2, 0, NULL);
    desired_profile(7, "wifi", 1, "x", NULL);
    desired_profile(8, "user-wifi", 1, "x", NULL);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, group, 0, 0, NULL);
    desired_assign(8, MDM_ASSIGNMENT_GROUP, group, 0, 0, NULL);
}

#define BOTH_HAVE "SELECT enrollment, profile, state FROM mdm_desired ORDER BY 1, 2;"

START_TEST(a_user_channel_comes_and_goes_with_its_device)
{
    const char *mac = "UDID-001";

    start_mac(_i, "1");
    ck_assert_str_eq(previewed(1, NULL, 1, 1), "UDID-001,UDID-011 ");
    desired_join(1, 1, 1);
    OK(mdm_store_recheck_ids(st, &mac, 1));
    desired_run();
    ck_assert_str_eq(database_sql(BOTH_HAVE), "1|7|1\n11|8|1");
    ck_assert_str_eq(desired_tally(), "2 0 2");
    desired_answer(1, 11, "Acknowledged");

    ck_assert_str_eq(previewed(1, NULL, 1, 0), " UDID-001,UDID-011");
    OK(mdm_store_recheck_members(st, 1));
    OK(mdm_store_member_clear(st, 1));
    desired_run();
    ck_assert_str_eq(database_sql(BOTH_HAVE), "1|7|8\n11|8|8");
    ck_assert_str_eq(desired_tally(), "0 2 2");
    database_end();
}
END_TEST

static void save_rule(const char *rule)
{
    mdm_group_save_t save = { "macs", MDM_GROUP_RULE, NULL, NULL, "admin", NULL, 0, 0 };
    mdm_rule_t *read;

    OK(mdm_rule_read(&read, st->ctx, mdm_bytes_of(rule)));
    save.rule = read;
    OK(mdm_group_save(&save, st));
}

#define OF_MAC "{\"all\":[{\"device.type\":\"Device\"},{\"device.serial_number\":\"C001\"}]}"
#define OF_OTHERS "{\"all\":[{\"device.type\":\"Device\"},{\"not\":{\"device.serial_number\":\"C001\"}}]}"

START_TEST(a_user_channel_comes_and_goes_with_a_rule_for_devices)
{
    mdm_fanout_work_t *work;
    apr_int64_t group;
    int more;

    start_mac(_i, "4");
    database_sql("INSERT INTO mdm_group (id, name, created_at, kind, rule) VALUES (4, 'macs', 0, 2, "
                 "'{\"device.serial_number\":\"none\"}');");
    group = 4;
    ck_assert_str_eq(previewed(group, OF_MAC, 0, 0), "UDID-001,UDID-011 ");
    save_rule(OF_MAC);
    desired_run();
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_member;"), "1");
    ck_assert_str_eq(database_sql(BOTH_HAVE), "1|7|1\n11|8|1");
    desired_answer(1, 11, "Acknowledged");

    ck_assert_str_eq(previewed(group, OF_OTHERS, 0, 0), "UDID-002 UDID-001,UDID-011");
    save_rule(OF_OTHERS);
    desired_run();
    ck_assert_str_eq(database_sql(BOTH_HAVE), "1|7|8\n2|7|1\n11|8|8");
    desired_answer(1, 11, "Acknowledged");

    /* its turn comes before that of the device, which then moves */
    database_sql("UPDATE mdm_enrollment SET serial_number = 'C009' WHERE id = 1;");
    work = mdm_fanout_work(st);
    OK(mdm_store_recheck(st, 11));
    OK(mdm_fanout_recheck(&more, work));
    database_sql("INSERT INTO mdm_recheck (enrollment, since) VALUES (1, 1);");
    desired_run();
    ck_assert_str_eq(database_sql(BOTH_HAVE), "1|7|1\n2|7|3\n11|8|1");
    database_end();
}
END_TEST

START_TEST(one_payload_of_its_kind_comes_first)
{
    desired_start(_i);
    desired_enrol_many(1, 3);
    desired_profile(7, "cell", 1, "a", "com.apple.cellular");
    desired_profile(8, "cell-vip", 1, "b", "com.apple.cellular");
    desired_join(2, 1, 3);
    desired_join(3, 2, 2);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 3);
    desired_answer(1, 2, "Acknowledged");
    desired_assign(8, MDM_ASSIGNMENT_GROUP, "3", 0, 10, NULL);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "8"), 1);
    ck_assert_str_eq(database_sql("SELECT enrollment, profile, state, reason FROM mdm_desired WHERE enrollment = 2 "
                                  "ORDER BY 1, 2;"),
                     "2|7|8|the profile cell-vip comes first with priority 10: there can be but one payload "
                     "com.apple.cellular\n2|8|1|member of the group vip");
    ck_assert_str_eq(database_sql("SELECT c.request_type FROM mdm_queue q JOIN mdm_command c ON c.id = q.command "
                                  "WHERE q.enrollment = 2 ORDER BY q.priority DESC, q.command;"),
                     "RemoveProfile\nInstallProfile");
    desired_answer(2, 3, "Acknowledged");
    OK(mdm_store_recheck(st, 2));
    desired_run();
    ck_assert_str_eq(database_sql("SELECT state FROM mdm_desired WHERE enrollment = 2 AND profile = 7;"), "7");
    ck_assert_str_eq(desired_tally(), "0 0 0");

    /* the better one goes, and the other comes back */
    database_sql("DELETE FROM mdm_member WHERE collection = 3;");
    OK(mdm_store_recheck(st, 2));
    desired_run();
    ck_assert_str_eq(desired_tally(), "1 1 1");
    database_end();
}
END_TEST

static const char *removals(void)
{
    return database_sql("SELECT enrollment, version, state, tries, next_try_at, error FROM mdm_desired "
                        "WHERE profile = 7 ORDER BY 1;");
}

START_TEST(a_removal_that_has_failed_waits_for_its_remedies)
{
    static const char failed[] = "1|0|6|2|0|no\n2|0|6|2|0|no\n3|0|6|2|0|no";
    apr_int64_t assignment;

    desired_start(_i);
    desired_enrol_many(1, 3);
    desired_profile(7, "cell", 1, "a", "com.apple.cellular");
    desired_profile(8, "cell-vip", 1, "b", "com.apple.cellular");
    desired_join(1, 1, 3);
    assignment = desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    desired_change(MDM_CHANGE_PROFILE, "7");
    desired_answer(1, 3, "Acknowledged");
    desired_unassign(assignment);
    desired_change(MDM_CHANGE_PROFILE, "7");
    desired_answer(1, 3, "Error");
    database_sql("UPDATE mdm_desired SET state = 6, command = 0, tries = 2, error = 'no' WHERE profile = 7; "
                 "UPDATE mdm_desired SET sent_uuid = NULL, drift = 4 WHERE enrollment = 2;");
    /* 3 is to have it, but that another comes first */
    desired_assign(7, MDM_ASSIGNMENT_ENROLLMENT, "3", 0, 0, NULL);
    desired_assign(8, MDM_ASSIGNMENT_ENROLLMENT, "3", 0, 10, NULL);
    OK(mdm_store_recheck_members(st, 1));
    desired_run();
    ck_assert_str_eq(removals(), failed);
    ck_assert_str_eq(desired_tally(), "1 0 1");
    desired_change(MDM_CHANGE_PROFILE, "8");
    ck_assert_str_eq(removals(), failed);
    ck_assert_str_eq(desired_tally(), "1 0 1");

    /* something is said about it: tried anew, also where a list alone has shown it */
    desired_change(MDM_CHANGE_PROFILE, "7");
    ck_assert_str_eq(removals(), "1|0|8|0|0|\n2|0|8|0|0|\n3|0|8|0|0|");
    ck_assert_str_eq(desired_tally(), "1 3 3");
    database_end();
}
END_TEST

START_TEST(a_change_broken_off_goes_on_exactly)
{
    int steps;

    for (steps = 1; steps < 4; steps++) {
        desired_start(_i);
        desired_enrol_many(1, 200);
        desired_secret("wifi", "first");
        desired_profile(7, "wifi", 1, "${secret.wifi}", NULL);
        desired_join(1, 1, 200);
        desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
        OK(mdm_store_change_add(st, MDM_CHANGE_PROFILE, "7", "test"));
        OK(mdm_fanout_run(st, steps));
        ck_assert_int_eq(desired_count("SELECT looked FROM mdm_change"), 64 * steps);
        ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_queue"), 64 * steps);

        /* somebody else goes on, with another connection; meanwhile some have answered */
        desired_answer(1, 10, "Acknowledged");
        st = database_open(database_pool());
        st->ctx->fixed_now = apr_time_from_sec(1700000000);
        desired_run();
        ck_assert_str_eq(database_sql("SELECT looked, changed FROM mdm_change;"), "200|200");
        ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_queue"), 190);
        ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_command"), 1);
        ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_desired"), 200);
        database_end();
    }
}
END_TEST

START_TEST(what_cannot_be_made_holds_nobody_up)
{
    mdm_profile_version_t v = { 0 };

    desired_start(_i);
    desired_enrol_many(1, 2);
    desired_profile(7, "broken", 1, "x", NULL);
    desired_profile(8, "wifi", 1, "x", NULL);
    v.profile = 7;
    v.version = 2;
    v.body = mdm_bytes_of("no property list");
    v.sha256 = "-";
    v.detail = "{}";
    OK(mdm_store_profile_version_insert(st, &v));
    desired_join(1, 1, 2);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    desired_assign(8, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    database_sql("UPDATE mdm_profile SET version = 2 WHERE id = 7;");
    desired_change(MDM_CHANGE_PROFILE, "7");
    OK(mdm_store_recheck(st, 1));
    desired_run();
    ck_assert_str_eq(database_sql("SELECT enrollment, profile, state FROM mdm_desired ORDER BY 1, 2;"),
                     "1|7|7\n1|8|1\n2|7|7");
    ck_assert_ptr_nonnull(strstr(database_sql("SELECT reason FROM mdm_desired WHERE enrollment = 2;"),
                                 "version 2 cannot be read"));
    database_end();
}
END_TEST

START_TEST(the_steps_of_two_are_not_done_twice)
{
    mdm_fanout_work_t *one, *two;
    int more;

    desired_start(_i);
    desired_enrol_many(1, 300);
    desired_profile(7, "wifi", 1, "x", NULL);
    desired_join(1, 1, 300);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    OK(mdm_store_change_add(st, MDM_CHANGE_PROFILE, "7", "test"));
    one = mdm_fanout_work(st);
    OK(mdm_fanout_change(&more, one));
    two = mdm_fanout_work(database_open(database_pool()));
    OK(mdm_fanout_change(&more, two));
    OK(mdm_fanout_change(&more, two));
    ck_assert_int_eq(desired_count("SELECT position FROM mdm_change"), 192);
    /* what the first knows is old by now */
    OK(mdm_fanout_change(&more, one));
    ck_assert_int_eq(desired_count("SELECT position FROM mdm_change"), 256);
    OK(mdm_fanout_change(&more, one));
    OK(mdm_fanout_change(&more, two));
    ck_assert_str_eq(database_sql("SELECT looked, changed FROM mdm_change;"), "300|300");
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_queue"), 300);
    database_end();
}
END_TEST

START_TEST(who_has_lost_the_lease_does_nothing_more)
{
    const apr_interval_time_t lease = apr_time_from_sec(10);
    mdm_fanout_work_t *one, *two;
    apr_int64_t assignment;
    mdm_store_t *other;
    mdm_job_t *job;
    int more;

    desired_start(_i);
    desired_enrol_many(1, 3);
    desired_profile(7, "wifi", 1, "x", NULL);
    desired_join(1, 1, 2);
    assignment = desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    desired_change(MDM_CHANGE_PROFILE, "7");
    desired_answer(1, 2, "Acknowledged");
    OK(mdm_store_job_claim(&job, st, MDM_FANOUT_JOB, "one", lease));
    one = mdm_fanout_work(st);
    one->job = job;
    one->lease = lease;
    OK(mdm_store_recheck(st, 3));
    OK(mdm_fanout_recheck(&more, one));
    ck_assert_int_eq(more, 1);

    /* it stands still for longer than its lease, and another goes on */
    st->ctx->fixed_now += lease;
    other = database_open(database_pool());
    other->ctx->fixed_now = st->ctx->fixed_now;
    OK(mdm_store_job_claim(&job, other, MDM_FANOUT_JOB, "two", lease));
    ck_assert_ptr_nonnull(job);
    two = mdm_fanout_work(other);
    two->job = job;
    two->lease = lease;
    desired_unassign(assignment);
    OK(mdm_store_change_add(st, MDM_CHANGE_PROFILE, "7", "test"));
    OK(mdm_fanout_change(&more, two));
    ck_assert_str_eq(desired_tally(), "0 2 2");
    OK(mdm_store_recheck(st, 3));
    OK(mdm_fanout_recheck(&more, one));
    ck_assert(!more && one->lost && !one->catalog);
    ck_assert_str_eq(desired_tally(), "0 2 2");
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_recheck WHERE enrollment = 3"), 1);
    OK(mdm_store_change_add(st, MDM_CHANGE_PROFILE, "7", "test"));
    OK(mdm_fanout_change(&more, one));
    ck_assert(!more && one->lost);
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_change WHERE finished_at = 0"), 1);
    OK(mdm_fanout_recheck(&more, two));
    ck_assert(more && !two->lost);
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_recheck"), 0);
    database_end();
}
END_TEST

/* A device is found missing by another process while a step that it belongs to is not committed yet. */
typedef struct {
    mdm_store_t *st;
    mdm_fanout_work_t *work;
    apr_thread_t *thread;
    apr_status_t rv;
    int more;
    volatile int missing;
} beside_t;

static void *APR_THREAD_FUNC miss(apr_thread_t *thread, void *baton)
{
    beside_t *b = baton;
    mdm_site_t site = { 0 };
    mdm_silence_counts_t counts = { 0 };
    apr_int64_t cursor = 0;

    (void)thread;
    site.silent_after = apr_time_from_sec(60);
    b->rv = mdm_silence_sweep(&counts, &cursor, b->st, &site);
    b->missing = counts.missing;
    return NULL;
}

/* Until the other one waits for this transaction; where nobody can tell, for a moment. */
static void wait_for_it(mdm_db_t *db)
{
    int i;

    for (i = 0; i < 200; i++) {
        apr_sleep(apr_time_from_sec(1) / 20);
        if (mdm_db_kind(db) != MDM_DB_PGSQL
            || strcmp(database_sql("SELECT COUNT(*) FROM pg_locks WHERE NOT granted;"), "0"))
            return;
    }
    ck_abort_msg("nobody waits");
}

static apr_status_t step_beside(void *baton, mdm_db_t *db)
{
    beside_t *b = baton;
    apr_status_t rv = mdm_fanout_recheck(&b->more, b->work);

    ck_assert_int_eq(apr_thread_create(&b->thread, NULL, miss, b, b->st->ctx->pool), APR_SUCCESS);
    wait_for_it(db);
    ck_assert_int_eq(b->missing, 0);
    return rv;
}

START_TEST(who_leaves_beside_a_step_leaves_nothing_open)
{
    beside_t b = { 0 };
    mdm_job_t *job;
    apr_allocator_t *allocator;
    apr_pool_t *pool;
    apr_status_t ended;

    desired_start(_i);
    desired_enrol_many(1, 3);
    desired_profile(7, "wifi", 1, "x", NULL);
    desired_join(1, 1, 3);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    OK(mdm_store_recheck(st, 1));
    OK(mdm_store_recheck(st, 2));
    database_sql("UPDATE mdm_enrollment SET last_seen_at = 1700000000000000; "
                 "UPDATE mdm_enrollment SET last_seen_at = 1, token_at = 1, silent_since = 1 WHERE id = 2; "
                 "UPDATE mdm_push SET dead_tally = 1 WHERE enrollment = 2;");
    b.work = mdm_fanout_work(st);
    b.work->lease = apr_time_from_sec(10);
    OK(mdm_store_job_claim(&job, st, MDM_FANOUT_JOB, "one", b.work->lease));
    b.work->job = job;
    ck_assert_int_eq(apr_allocator_create(&allocator), APR_SUCCESS);
    ck_assert_int_eq(apr_pool_create_ex(&pool, NULL, NULL, allocator), APR_SUCCESS);
    b.st = database_open(pool);
    b.st->ctx->fixed_now = st->ctx->fixed_now;
    OK(mdm_db_transact(st->db, step_beside, &b));
    ck_assert_int_eq(b.more, 1);
    ck_assert_int_eq(apr_thread_join(&ended, b.thread), APR_SUCCESS);
    ck_assert_int_eq(b.rv, APR_SUCCESS);
    ck_assert_int_eq(b.missing, 1);
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_queue;"), "1");
    ck_assert_str_eq(database_sql("SELECT enrollment, state FROM mdm_desired ORDER BY 1;"), "1|1\n2|10");
    database_end();
}
END_TEST

START_TEST(a_change_is_not_done_with_what_was_read_before_it)
{
    mdm_fanout_work_t *work;
    int more;

    desired_start(_i);
    desired_enrol_many(1, 2);
    desired_secret("wifi", "first");
    desired_profile(7, "wifi", 1, "${secret.wifi}", NULL);
    desired_join(1, 1, 2);
    OK(mdm_store_recheck(st, 1));
    work = mdm_fanout_work(st);
    OK(mdm_fanout_recheck(&more, work));
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    OK(mdm_store_change_add(st, MDM_CHANGE_PROFILE, "7", "test"));
    OK(mdm_fanout_change(&more, work));
    ck_assert_str_eq(desired_tally(), "2 0 2");
    desired_answer(1, 2, "Acknowledged");
    desired_secret("wifi", "second");
    OK(mdm_store_change_add(st, MDM_CHANGE_SECRET, "wifi", "test"));
    OK(mdm_fanout_change(&more, work));
    ck_assert_str_eq(desired_tally(), "2 0 2");
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("fanout");
    TCase *tcase = tcase_create("fanout");

    (void)argc;
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, a_secret_of_ten_of_a_hundred_touches_ten, 0, DATABASES);
    tcase_add_loop_test(tcase, a_phone_that_is_off_gets_the_newest_alone, 0, DATABASES);
    tcase_add_loop_test(tcase, who_is_not_concerned_any_more_loses_it, 0, DATABASES);
    tcase_add_loop_test(tcase, a_user_counts_for_his_devices, 0, DATABASES);
    tcase_add_loop_test(tcase, a_user_channel_comes_and_goes_with_its_device, 0, DATABASES);
    tcase_add_loop_test(tcase, a_user_channel_comes_and_goes_with_a_rule_for_devices, 0, DATABASES);
    tcase_add_loop_test(tcase, one_payload_of_its_kind_comes_first, 0, DATABASES);
    tcase_add_loop_test(tcase, a_removal_that_has_failed_waits_for_its_remedies, 0, DATABASES);
    tcase_add_loop_test(tcase, a_change_broken_off_goes_on_exactly, 0, DATABASES);
    tcase_add_loop_test(tcase, a_change_is_not_done_with_what_was_read_before_it, 0, DATABASES);
    tcase_add_loop_test(tcase, what_cannot_be_made_holds_nobody_up, 0, DATABASES);
    tcase_add_loop_test(tcase, the_steps_of_two_are_not_done_twice, 0, DATABASES);
    tcase_add_loop_test(tcase, who_leaves_beside_a_step_leaves_nothing_open, 0, DATABASES);
    tcase_add_loop_test(tcase, who_has_lost_the_lease_does_nothing_more, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
