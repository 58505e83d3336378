/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The push engine when APNs, the database or its own process fails: nothing is lost, nothing is sent in a
 * hurry; and ten thousand pushes in a row.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <apr_strings.h>

#include "push_fixture.h"

START_TEST(test_no_way_to_apns)
{
    mdm_push_counts_t now;
    apr_interval_time_t wait;
    int i;

    fixture_upload(fx.mock.certificate, fx.mock.key, 0);
    apns_mock_stop();
    fixture_make_engine_at(fx.mock.url);
    fixture_enroll(120);
    for (i = 0; i < 10; i++) {
        fixture_run();
        ck_assert_int_eq(fixture_counts().failed, i + 1);   /* one tries it for all */
        now = fixture_counts();
        ck_assert_int_eq(now.ready + now.dropped + now.failed, now.claimed);
        wait = mdm_push_turn(fx.push, 0) - fx.engine_ctx->fixed_now;
        ck_assert_int_gt(wait, 0);
        fixture_pass(i < 6 ? apr_time_from_sec(1) << i : apr_time_from_sec(60));
    }
    ck_assert_int_eq(oracle_count(fx.log_text, "APNs takes no pushes"), 10);
    oracle_has(fx.log_text, "no answer: Failed to connect");
}
END_TEST

START_TEST(test_apns_comes_back)
{
    fixture_make_engine();
    fixture_enroll(300);
    fixture_rule("[{\"reason\":\"ServiceUnavailable\",\"times\":3}]");
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 1);
    fixture_pass(apr_time_from_sec(1));
    fixture_run();
    fixture_pass(apr_time_from_sec(2));
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 3);
    fixture_pass(apr_time_from_sec(4));
    fixture_run();
    fixture_pass(apr_time_from_sec(60));
    fixture_run();
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE last_reason = 'Success';"), "300");
}
END_TEST

START_TEST(test_lost_connection_amid_many)
{
    static const char *const actions[] = { "goaway", "answer-goaway", "close", "reset" };

    fixture_make_engine();
    fixture_enroll(400);
    fixture_rule(apr_psprintf(fx.ctx->pool, "[{\"status\":200,\"times\":150},"
                              "{\"status\":200,\"action\":\"%s\"}]", actions[_i]));
    fixture_run();
    fixture_pass(apr_time_from_sec(120));
    fixture_run();
    fixture_pass(apr_time_from_sec(120));
    fixture_run();
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE last_reason = 'Success' AND "
                                  "due_at = 0;"), "400");
    ck_assert_int_le(apns_mock_stat(&fx.mock, fx.ctx, "connections_opened"), 4);
}
END_TEST

/* Some answers come late: theirs are waited for, nothing is sent twice, and nobody else waits. */
START_TEST(test_a_stall_of_ten_seconds)
{
    apr_time_t limit = apr_time_now() + apr_time_from_sec(9);
    int count = 50;

    fixture_make_engine();
    fixture_enroll(count);
    fixture_run();
    fixture_rule("[{\"status\":200,\"delay\":10,\"times\":3}]");
    ck_assert_int_eq(mdm_db_transact(fx.store->db, fixture_want_some, &count), APR_SUCCESS);
    (void)mdm_push_turn(fx.push, 1);
    while (fixture_counts().sent < 2 * count - 3) {
        ck_assert_int_eq(mdm_http_run(fx.http, apr_time_from_msec(20), -1), APR_SUCCESS);
        fixture_pass(apr_time_from_msec(20));
        (void)mdm_push_turn(fx.push, 0);
        ck_assert_int_lt(apr_time_now(), limit);
    }
    ck_assert_int_eq(fixture_counts().under_way, 3);
    fixture_run();
    ck_assert_int_eq(fixture_counts().sent, 2 * count);
    ck_assert_int_eq(fixture_mock_pushes(), 2 * count);
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "connections_opened"), 1);
    ck_assert_str_eq(fx.log_text, "");
}
END_TEST

/* APNs takes a few octets of each push at a time: all arrive, once each, over one connection. */
START_TEST(test_slow_window)
{
    fixture_make_engine();
    json_decref(apns_mock_control(&fx.mock, fx.ctx, "/window", "{\"octets\":9,\"seconds\":0.01}"));
    fixture_enroll(400);
    fixture_run();
    ck_assert_int_eq(fixture_counts().sent, 400);
    ck_assert_str_eq(fx.log_text, "");
    ck_assert_int_eq(fixture_mock_pushes(), 400);
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "connections_opened"), 1);
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "violations"), 0);
}
END_TEST

START_TEST(test_database_fails_before_the_claim)
{
    fixture_make_engine();
    fixture_enroll(1);
    fx.database_fails = 1;
    fixture_run();
    fixture_pass(apr_time_from_sec(1));
    fixture_run();
    ck_assert_int_eq(oracle_count(fx.log_text, "pushes wait for the database"), 1);
    ck_assert_int_eq(mdm_push_turn(fx.push, 0), fx.engine_ctx->fixed_now + apr_time_from_sec(1));
    fx.database_fails = 0;
    fixture_pass(apr_time_from_sec(1));
    fixture_run();
    fixture_assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_database_fails_after_the_push)
{
    fixture_make_engine();
    fixture_enroll(2);
    (void)mdm_push_turn(fx.push, 1);
    fx.database_fails = 1;
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 2);
    ck_assert_int_eq(fixture_counts().unwritten, 2);
    fx.database_fails = 0;
    fixture_pass(apr_time_from_sec(1));
    fixture_run();
    fixture_assert_row(0, "0|0|-|Success");
    fixture_assert_row(1, "0|0|-|Success");
    ck_assert_int_eq(fixture_mock_pushes(), 2);
    ck_assert_int_eq(oracle_count(fx.log_text, "pushes wait for the database"), 1);
}
END_TEST

START_TEST(test_dead_process_loses_nothing)
{
    fixture_make_engine();
    fixture_enroll(2);
    fixture_rule("{\"status\":200,\"action\":\"silence\",\"times\":2}");
    (void)mdm_push_turn(fx.push, 1);
    /* another process, while the first one's lease lasts and after it */
    fixture_make_engine_at(fx.mock.url);
    fixture_run();
    ck_assert_int_eq(fixture_counts().claimed, 0);
    fixture_pass(MDM_PUSH_LEASE + apr_time_from_sec(1));
    json_decref(apns_mock_control(&fx.mock, fx.ctx, "/clear", "{}"));
    fixture_run();
    ck_assert_int_eq(fixture_counts().sent, 2);
}
END_TEST

START_TEST(test_stop_gives_claims_back)
{
    fixture_make_engine();
    fixture_enroll(150);
    fixture_rule("{\"status\":200,\"action\":\"silence\",\"default\":true}");
    (void)mdm_push_turn(fx.push, 1);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE lease_owner = 'test';"), "150");
    mdm_push_stop(fx.push);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE lease_owner IS NULL AND due_at > 0;"),
                     "150");
    json_decref(apns_mock_control(&fx.mock, fx.ctx, "/clear", "{}"));
    fixture_make_engine_at(fx.mock.url);
    fixture_run();
    ck_assert_int_eq(fixture_counts().sent, 150);
}
END_TEST

START_TEST(test_sleeps_until_due)
{
    apr_time_t base;

    fixture_make_engine();
    fixture_enroll(1);
    fixture_run();
    base = fx.engine_ctx->fixed_now;
    ck_assert_int_eq(mdm_store_push_want_one(fx.store, 1, base + apr_time_from_msec(700)), APR_SUCCESS);
    ck_assert_int_eq(mdm_push_turn(fx.push, 1), base + apr_time_from_msec(700));
    ck_assert_int_eq(fixture_counts().claimed, 1);
    fixture_pass(apr_time_from_msec(700));
    fixture_run();
    ck_assert_int_eq(fixture_counts().sent, 2);
    /* another node's wish, nobody wakes us: the sweep finds it */
    fixture_want_one(0);
    ck_assert_int_eq(mdm_push_turn(fx.push, 0), fx.engine_ctx->fixed_now + apr_time_from_sec(1));
    ck_assert_int_eq(fixture_counts().claimed, 2);
    fixture_pass(apr_time_from_sec(5));
    (void)mdm_push_turn(fx.push, 0);
    ck_assert_int_eq(fixture_counts().claimed, 3);
}
END_TEST

static long memory_kb(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size, resident;

    ck_assert_int_eq(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static double cpu_seconds(void)
{
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
        + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* With the real clock, as the worker runs it; prints what a push costs. */
START_TEST(test_ten_thousand)
{
    long early, late;
    apr_time_t start;
    double cpu, took;
    int i, count = 10000;

    fixture_make_engine();
    fx.engine_ctx->fixed_now = 0;
    fixture_enroll(count);
    fixture_run();
    early = memory_kb();
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(mdm_db_transact(fx.store->db, fixture_want_some, &count), APR_SUCCESS);
        cpu = cpu_seconds();
        start = apr_time_now();
        fixture_run();
        took = (double)(apr_time_now() - start) / 1e6;
        cpu = cpu_seconds() - cpu;
    }
    late = memory_kb();
    printf("%d pushes: %.0f/s, %.1f us of CPU each, resident %ld then %ld kB\n", count, count / took,
           cpu * 1e6 / count, early, late);
    ck_assert_int_eq(fixture_counts().sent, 4 * count);
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "connections_opened"), 1);
    ck_assert_int_lt(late - early, 8192);
}
END_TEST

static const struct {
    int status;
    const char *reason;
    int again;                     /* whether it is tried again by itself */
} answers[] = {
    { 400, "BadCollapseId", 0 }, { 400, "BadDeviceToken", 0 }, { 400, "BadExpirationDate", 0 },
    { 400, "BadMessageId", 0 }, { 400, "BadPriority", 0 }, { 400, "BadTopic", 1 },
    { 400, "DeviceTokenNotForTopic", 0 }, { 400, "DuplicateHeaders", 0 }, { 400, "IdleTimeout", 1 },
    { 400, "InvalidPushType", 0 }, { 400, "MissingDeviceToken", 0 }, { 400, "MissingTopic", 1 },
    { 400, "PayloadEmpty", 0 }, { 400, "TopicDisallowed", 1 }, { 403, "BadCertificate", 1 },
    { 403, "BadCertificateEnvironment", 1 }, { 403, "ExpiredProviderToken", 1 }, { 403, "Forbidden", 1 },
    { 403, "InvalidProviderToken", 1 }, { 403, "MissingProviderToken", 1 }, { 403, "UnrelatedKeyIdInToken", 1 },
    { 404, "BadPath", 0 }, { 405, "MethodNotAllowed", 0 }, { 410, "ExpiredToken", 0 }, { 410, "Unregistered", 0 },
    { 413, "PayloadTooLarge", 0 }, { 429, "TooManyProviderTokenUpdates", 1 }, { 429, "TooManyRequests", 1 },
    { 500, "InternalServerError", 1 }, { 503, "ServiceUnavailable", 1 }, { 503, "Shutdown", 1 },
};

/* Each push ends delivered after a pause, or marked with the reason and nothing more to come. */
START_TEST(test_every_documented_answer)
{
    const char *reason = answers[_i].reason;

    fixture_make_engine();
    fixture_enroll(1);
    fixture_rule(apr_psprintf(fx.ctx->pool, "{\"status\":%d,\"reason\":\"%s\",\"retry_after\":90}",
                              answers[_i].status, reason));
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 1);
    ck_assert_str_eq(database_sql("SELECT last_reason FROM mdm_push;"), reason);
    ck_assert_str_eq(database_sql("SELECT due_at > 0 FROM mdm_push;"), answers[_i].again ? "1" : "0");
    fixture_pass(apr_time_from_sec(90) - 1);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 1);
    fixture_pass(apr_time_from_sec(3600));
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 1 + answers[_i].again);
    ck_assert_str_eq(database_sql("SELECT last_reason FROM mdm_push WHERE due_at = 0 AND lease_owner IS NULL;"),
                     answers[_i].again ? "Success" : reason);
    ck_assert_int_eq(fixture_counts().unwritten, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("push faults");

    tcase_add_test(tests, test_no_way_to_apns);
    tcase_add_test(tests, test_apns_comes_back);
    tcase_add_loop_test(tests, test_lost_connection_amid_many, 0, 4);
    tcase_add_test(tests, test_a_stall_of_ten_seconds);
    tcase_add_test(tests, test_slow_window);
    tcase_add_test(tests, test_database_fails_before_the_claim);
    tcase_add_test(tests, test_database_fails_after_the_push);
    tcase_add_test(tests, test_dead_process_loses_nothing);
    tcase_add_test(tests, test_stop_gives_claims_back);
    tcase_add_test(tests, test_sleeps_until_due);
    tcase_add_test(tests, test_ten_thousand);
    tcase_add_loop_test(tests, test_every_documented_answer, 0, sizeof(answers) / sizeof(answers[0]));
    return fixture_main(suite_create("push faults"), tests);
}
