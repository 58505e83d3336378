/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Silent and missing devices on both databases, by a clock of the test's own; the databases' programs are witnesses.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_drift.h"
#include "mdm_fanout.h"
#include "mdm_housekeeper.h"
#include "mdm_silence.h"
#include "mdm_status.h"
#include "mdm_store_change.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")
#define DAY apr_time_from_sec(86400)
#define START apr_time_from_sec(1700000000)
#define STATE "SELECT state, silent_since, left_at > 0, push_token IS NULL FROM mdm_enrollment WHERE id = 1;"
#define EVENTS "SELECT COUNT(*) FROM mdm_event WHERE kind = 'enrollment.%s';"

static mdm_store_t *st;
static mdm_site_t site;
static mdm_silence_counts_t counts;
static int steps;

static void enroll(int id, const char *name, apr_int64_t parent)
{
    mdm_enrollment_t e = { 0 };
    mdm_tokens_t t = { 0 };

    e.id = id;
    e.enrollment_id = name;
    e.type = parent ? "User" : "Device";
    e.parent = parent;
    e.state = MDM_STATE_PENDING;
    e.created_at = START;
    OK(mdm_store_enrollment_insert(st, &e));
    t.topic = "com.apple.mgmt.x";
    t.push_token = mdm_bytes_of("token");
    t.push_magic = "MAGIC";
    OK(mdm_store_enrollment_token_update(st, id, &t));
}

static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = START;
    memset(&site, 0, sizeof(site));
    site.silent_after = 30 * DAY;
    site.history_lifetime = 365 * DAY;
    site.enroll_url = "https://mdm.example.com/enroll";
    enroll(1, "A", 0);
    enroll(2, "A:U", 1);
}

static void sweep_at(apr_interval_time_t after)
{
    static const mdm_silence_counts_t none;
    apr_int64_t cursor = 0;

    st->ctx->fixed_now = START + after;
    counts = none;
    steps = 0;
    do {
        OK(mdm_silence_sweep(&counts, &cursor, st, &site));
        steps++;
    } while (cursor);
}

static void assert_counts(int silent, int heard, int missing)
{
    ck_assert_int_eq(counts.silent, silent);
    ck_assert_int_eq(counts.heard, heard);
    ck_assert_int_eq(counts.missing, missing);
}

static void assert_events(const char *kind, const char *count)
{
    ck_assert_str_eq(database_sql(apr_psprintf(database_pool(), EVENTS, kind)), count);
}

static const char *hint(void)
{
    mdm_enrollment_t *e;
    mdm_reach_t reach;

    OK(mdm_store_enrollment_get(&e, st, "A"));
    OK(mdm_store_reach(&reach, st, e->id));
    return mdm_status_hint(e, &reach, &site, database_pool());
}

static void kill_token(void)
{
    database_sql("UPDATE mdm_push SET dead_tally = 1, last_reason = 'Unregistered' WHERE enrollment = 1;");
}

static void queue_some(void)
{
    database_sql("INSERT INTO mdm_command (id, uuid, request_type, created_at, body) VALUES (7, 'U', 'DeviceLock', 1, "
                 "'');");
    database_sql("INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, sent_at, not_before, "
                 "not_after, held) VALUES (7, 1, 0, 0, 0, 1, 0, 0, 0, 0), (7, 2, 0, 0, 0, 1, 0, 0, 0, 0);");
}

START_TEST(test_silent_and_heard_again)
{
    start(_i);
    sweep_at(30 * DAY);
    assert_counts(0, 0, 0);
    ck_assert_ptr_null(hint());
    sweep_at(30 * DAY + 1);
    assert_counts(1, 0, 0);
    ck_assert_str_eq(database_sql(STATE), _i ? "2|1700000000000000|f|f" : "2|1700000000000000|0|0");
    ck_assert_ptr_nonnull(strstr(hint(), "Not heard of since 2023-11-14"));
    sweep_at(40 * DAY);
    assert_counts(0, 0, 0);
    assert_events("silent", "1");
    OK(mdm_store_enrollment_seen(st, 1, START + 41 * DAY, "127.0.0.1"));
    sweep_at(41 * DAY);
    assert_counts(0, 1, 0);
    assert_events("heard", "1");
    ck_assert_ptr_null(hint());
    sweep_at(80 * DAY);
    assert_counts(1, 0, 0);
}
END_TEST

START_TEST(test_dead_token_alone_closes_nothing)
{
    start(_i);
    kill_token();
    sweep_at(20 * DAY);
    assert_counts(0, 0, 0);
    ck_assert_ptr_nonnull(strstr(hint(), "push token dead (Unregistered)"));
}
END_TEST

/* Dead before the silence, or after it: both end as missing, once, with all channels and commands. */
START_TEST(test_missing_and_returned)
{
    mdm_tokens_t t = { 0 };

    start(_i % 2);
    queue_some();
    if (_i < 2)
        kill_token();
    sweep_at(31 * DAY);
    assert_counts(1, 0, _i < 2);
    kill_token();
    sweep_at(32 * DAY);
    assert_counts(0, 0, _i >= 2);
    sweep_at(33 * DAY);
    assert_counts(0, 0, 0);
    ck_assert_str_eq(database_sql(STATE), _i % 2 ? "6|1700000000000000|t|t" : "6|1700000000000000|1|1");
    ck_assert_str_eq(database_sql("SELECT state FROM mdm_enrollment WHERE id = 2;"), "6");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_queue;"), "0");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_result WHERE error_chain LIKE '%is missing%';"), "2");
    assert_events("silent", "1");
    assert_events("missing", "1");
    ck_assert_ptr_nonnull(strstr(hint(), "its owner enrolls again at https://mdm.example.com/enroll"));
    t.topic = "com.apple.mgmt.x";
    t.push_token = mdm_bytes_of("new");
    t.push_magic = "MAGIC";
    st->ctx->fixed_now = START + 50 * DAY;
    OK(mdm_store_enrollment_token_update(st, 1, &t));
    sweep_at(50 * DAY);
    assert_counts(0, 1, 0);
    ck_assert_ptr_null(hint());
    /* its user channel, which is still missing, goes with it */
    OK(mdm_store_enrollment_close(st, 1, MDM_STATE_LEFT));
    ck_assert_str_eq(database_sql("SELECT state FROM mdm_enrollment WHERE id IN (1, 2) ORDER BY id;"), "3\n3");
}
END_TEST

static void members(const char *wanted)
{
    OK(mdm_fanout_run(st, 0));
    ck_assert_str_eq(database_sql("SELECT collection, enrollment FROM mdm_member ORDER BY 1, 2;"), wanted);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_recheck;"), "0");
}

START_TEST(test_rules_see_who_is_missing)
{
    start(_i);
    database_sql("INSERT INTO mdm_group (id, name, created_at, kind, rule) VALUES "
                 "(5, 'here', 0, 2, '{\"device.state\":\"enrolled\"}'), "
                 "(6, 'lost', 0, 2, '{\"device.state\":\"missing\"}');");
    OK(mdm_store_recheck(st, 1));
    members("5|1\n5|2");
    kill_token();
    sweep_at(31 * DAY);
    assert_counts(1, 0, 1);
    members("6|1\n6|2");
}
END_TEST

#define LISTS "SELECT COUNT(*) FROM mdm_queue q JOIN mdm_command c ON c.id = q.command WHERE c.delivery = 7;"

/* Of four profiles one is as it should be, one was never handed out, one is an older version, one was to go. */
START_TEST(test_who_returns_is_believed_until_its_list)
{
    start(_i);
    database_sql("INSERT INTO mdm_desired (enrollment, profile, version, want_uuid, sent_uuid, state, assignment, "
                 "reason, command, drift, tries, next_try_at, first_failed_at, changed_at, verified_at, error) VALUES "
                 "(1, 1, 1, 'U1', 'U1', 4, 1, 'r', 0, 1, 2, 0, 3, 1, 1, 'e'), "
                 "(1, 2, 1, 'U2', NULL, 1, 1, 'r', 0, 0, 0, 0, 0, 1, 1, NULL), "
                 "(1, 3, 2, 'U3', 'U0', 1, 1, 'r', 0, 0, 0, 0, 0, 1, 1, NULL), "
                 "(1, 4, 0, NULL, 'U4', 8, 1, 'r', 0, 0, 0, 0, 0, 1, 1, NULL), "
                 "(2, 5, 1, 'U5', 'U5', 4, 1, 'r', 0, 0, 0, 0, 0, 1, 1, NULL);");
    OK(mdm_drift_closed(st, 1));
    OK(mdm_drift_returned(st, 1));
    ck_assert_str_eq(database_sql("SELECT profile, state, drift, tries, first_failed_at, COALESCE(error, '-') "
                                  "FROM mdm_desired ORDER BY 1;"), "1|3|0|0|0|-\n5|10|0|0|0|-");
    ck_assert_str_eq(database_sql(LISTS), "1");
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_push WHERE wanted_at > 0;"), "1");
    /* who had nothing is not asked */
    database_sql("DELETE FROM mdm_desired;");
    database_sql("DELETE FROM mdm_queue;");
    OK(mdm_drift_returned(st, 1));
    ck_assert_str_eq(database_sql(LISTS), "0");
}
END_TEST

static apr_status_t enroll_many(void *baton, mdm_db_t *db)
{
    int i;

    (void)baton;
    (void)db;
    for (i = 10; i < 1010; i++)
        enroll(i, apr_psprintf(st->ctx->pool, "D%d", i), 0);
    return APR_SUCCESS;
}

START_TEST(test_many_in_steps)
{
    start(_i);
    OK(mdm_db_transact(st->db, enroll_many, NULL));
    sweep_at(31 * DAY);
    assert_counts(1001, 0, 0);
    ck_assert_int_ge(steps, 6);
    sweep_at(31 * DAY);
    assert_counts(0, 0, 0);
}
END_TEST

START_TEST(test_only_enrolled_devices_count)
{
    start(0);
    OK(mdm_store_enrollment_close(st, 1, MDM_STATE_LEFT));
    sweep_at(60 * DAY);
    assert_counts(0, 0, 0);
    site.silent_after = 0;
    sweep_at(60 * DAY);
    ck_assert_int_eq(steps, 1);
}
END_TEST

static apr_status_t lend(mdm_store_t **out, mdm_ctx_t *of_turn, void *baton)
{
    (void)of_turn;
    (void)baton;
    *out = st;
    return APR_SUCCESS;
}

static void take_back(mdm_store_t *lent, void *baton)
{
    (void)lent;
    (void)baton;
}

START_TEST(test_the_housekeeper_looks)
{
    mdm_housekeeper_config_t config = { lend, take_back, NULL, &site, "test" };
    int queued = 0;

    start(_i);
    st->ctx->fixed_now = START + 31 * DAY;
    mdm_housekeeper_turn(mdm_housekeeper_create(mdm_ctx_create(database_pool(), NULL), &config), &queued);
    assert_events("silent", "1");
    kill_token();
    /* not before its hour */
    st->ctx->fixed_now += apr_time_from_sec(3599);
    mdm_housekeeper_turn(mdm_housekeeper_create(mdm_ctx_create(database_pool(), NULL), &config), &queued);
    assert_events("missing", "0");
    st->ctx->fixed_now += apr_time_from_sec(1);
    mdm_housekeeper_turn(mdm_housekeeper_create(mdm_ctx_create(database_pool(), NULL), &config), &queued);
    assert_events("missing", "1");
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("silence");
    TCase *tests = tcase_create("silence");

    (void)argc;
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, NULL, database_end);
    tcase_add_loop_test(tests, test_silent_and_heard_again, 0, DATABASES);
    tcase_add_loop_test(tests, test_dead_token_alone_closes_nothing, 0, DATABASES);
    tcase_add_loop_test(tests, test_missing_and_returned, 0, 2 * DATABASES);
    tcase_add_loop_test(tests, test_rules_see_who_is_missing, 0, DATABASES);
    tcase_add_loop_test(tests, test_who_returns_is_believed_until_its_list, 0, DATABASES);
    tcase_add_loop_test(tests, test_many_in_steps, 0, DATABASES);
    tcase_add_test(tests, test_only_enrolled_devices_count);
    tcase_add_loop_test(tests, test_the_housekeeper_looks, 0, DATABASES);
    suite_add_tcase(suite, tests);
    return database_main(suite, argv);
}
