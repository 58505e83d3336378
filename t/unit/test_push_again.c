/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushes that are repeated for devices which have work and do not come, with growing gaps, until they are heard of,
 * have nothing left to do, or are gone; and the pace of pushes. What the tables hold is asked of the sqlite3 program.
 */
#include <stdlib.h>

#include <apr_strings.h>

#include "push_fixture.h"

#define HOUR apr_time_from_sec(3600)

static void add_work(int device, int held)
{
    const char *sql = "INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, sent_at, "
        "not_before, not_after, held) VALUES (%d, %d, 0, 0, 0, 1, 0, 0, 0, %d);";

    database_sql(apr_psprintf(fx.ctx->pool, sql, 100 + device, device + 1, held));
}

static int repushes(int device)
{
    return atoi(database_sql(apr_psprintf(fx.ctx->pool, "SELECT repushes FROM mdm_push WHERE enrollment = %d;",
                                          device + 1)));
}

static void start_with_work(void)
{
    fixture_upload(fx.mock.certificate, fx.mock.key, apr_time_now() + 1000 * HOUR);
    fixture_make_engine_at(fx.mock.url);
    fixture_enroll(2);
    add_work(0, 0);
    fixture_run();
    ck_assert_int_eq(fixture_counts().sent, 2);
    fixture_assert_row(0, "1|0|-|Success");
    fixture_assert_row(1, "0|0|-|Success");
}

/* Also for work that the device has put off (NotNow). */
START_TEST(test_gaps_grow)
{
    static const int hours[] = { 1, 2, 4, 8, 16, 24, 24 };
    json_t *pushes;
    int i, before;

    start_with_work();
    if (_i)
        database_sql("UPDATE mdm_queue SET notnow = 1;");
    for (i = 0; i < 7; i++) {
        ck_assert_int_eq(repushes(0), i + 1);
        before = fixture_mock_pushes();
        ck_assert_int_eq(fixture_due_in(0), hours[i] * HOUR);
        fixture_pass(hours[i] * HOUR - 1);
        fixture_run();
        ck_assert_int_eq(fixture_mock_pushes(), before);
        fixture_pass(1);
        fixture_run();
        ck_assert_int_eq(fixture_mock_pushes(), before + 1);
    }
    /* each is a push of its own */
    pushes = apns_mock_control(&fx.mock, fx.ctx, "/pushes?token=deadbeef00000000", NULL);
    ck_assert_uint_eq(json_array_size(pushes), 8);
    json_decref(pushes);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE wish = 8 AND last_wish = 8;"), "1");
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "violations"), 0);
}
END_TEST

START_TEST(test_a_contact_starts_anew)
{
    start_with_work();
    fixture_pass(HOUR);
    fixture_run();
    ck_assert_int_eq(repushes(0), 2);
    fixture_pass(HOUR);
    ck_assert_int_eq(mdm_store_enrollment_seen(fx.store, 1, mdm_ctx_now(fx.engine_ctx), "127.0.0.1"), APR_SUCCESS);
    fixture_pass(HOUR);
    fixture_run();
    ck_assert_int_eq(repushes(0), 1);
    ck_assert_int_eq(fixture_due_in(0), HOUR);
}
END_TEST

START_TEST(test_no_work_left_no_push)
{
    start_with_work();
    if (_i == 0)
        database_sql("DELETE FROM mdm_queue;");
    else
        database_sql(_i == 1 ? "UPDATE mdm_queue SET held = 1;" : "UPDATE mdm_queue SET not_after = 5;");
    fixture_pass(HOUR);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 2);
    fixture_assert_row(0, "0|0|-|Success");
    ck_assert_int_eq(repushes(0), 0);
}
END_TEST

START_TEST(test_held_work_is_not_repeated)
{
    fixture_make_engine();
    fixture_enroll(1);
    add_work(0, 1);
    fixture_run();
    fixture_assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_a_wish_meanwhile_counts_at_once)
{
    start_with_work();
    fixture_pass(apr_time_from_sec(60));
    fixture_want_one(0);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 3);
    ck_assert_str_eq(database_sql("SELECT wish FROM mdm_push WHERE enrollment = 1;"), "2");
    ck_assert_int_eq(repushes(0), 2);
    ck_assert_int_eq(fixture_due_in(0), 2 * HOUR);
    /* one for later (NotNow) is earlier than the repetition */
    ck_assert_int_eq(mdm_store_push_want_one(fx.store, 1, mdm_ctx_now(fx.engine_ctx) + HOUR), APR_SUCCESS);
    ck_assert_int_eq(fixture_due_in(0), HOUR);
}
END_TEST

START_TEST(test_nothing_for_those_who_are_gone)
{
    start_with_work();
    ck_assert_int_eq(mdm_store_enrollment_close(fx.store, 1, _i ? MDM_STATE_MISSING : MDM_STATE_LEFT), APR_SUCCESS);
    fixture_pass(HOUR);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 2);
    fixture_assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_a_dead_token_ends_it)
{
    start_with_work();
    fixture_rule("{\"reason\":\"Unregistered\"}");
    fixture_pass(HOUR);
    fixture_run();
    fixture_assert_row(0, "0|0|-|Unregistered");
    fixture_pass(24 * HOUR);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 3);
}
END_TEST

START_TEST(test_a_failed_repetition_is_tried_again_and_survives_a_stop)
{
    start_with_work();
    fixture_rule("{\"reason\":\"TooManyRequests\",\"retry_after\":90}");
    fixture_pass(HOUR);
    fixture_run();
    fixture_assert_row(0, "1|1|-|TooManyRequests");
    fixture_pass(apr_time_from_sec(90));
    fixture_rule("{\"status\":200,\"action\":\"silence\"}");
    (void)mdm_push_turn(fx.push, 1);
    mdm_push_stop(fx.push);
    json_decref(apns_mock_control(&fx.mock, fx.ctx, "/clear", "{\"pushes\":false}"));
    fixture_make_engine_at(fx.mock.url);
    fixture_pass(HOUR);
    fixture_run();
    fixture_assert_row(0, "1|0|-|Success");
    ck_assert_str_eq(database_sql("SELECT wish FROM mdm_push WHERE enrollment = 1;"), "2");
}
END_TEST

START_TEST(test_pace)
{
    mdm_push_counts_t now;
    apr_time_t next;
    int i;

    fx.rate = 50;
    fixture_make_engine();
    fixture_enroll(300);
    /* a tenth of a second may be made up at once, then fifty a second */
    for (i = 0; i < 5; i++) {
        fixture_run();
        now = fixture_counts();
        ck_assert_int_ge(now.sent, 50 * i + 2);
        ck_assert_int_le(now.sent, 50 * i + 8);
        next = mdm_push_turn(fx.push, 0) - fx.engine_ctx->fixed_now;
        ck_assert_int_le(next, apr_time_from_msec(20));
        while (next < apr_time_from_sec(1)) {
            fixture_pass(apr_time_from_msec(20));
            fixture_run();
            next += apr_time_from_msec(20);
        }
    }
    for (i = 0; i < 200; i++) {
        fixture_pass(apr_time_from_msec(20));
        fixture_run();
    }
    ck_assert_int_eq(fixture_counts().sent, 300);
    ck_assert_int_eq(fixture_counts().dropped, 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("push again");

    tcase_add_loop_test(tests, test_gaps_grow, 0, 2);
    tcase_add_test(tests, test_a_contact_starts_anew);
    tcase_add_loop_test(tests, test_no_work_left_no_push, 0, 3);
    tcase_add_test(tests, test_held_work_is_not_repeated);
    tcase_add_test(tests, test_a_wish_meanwhile_counts_at_once);
    tcase_add_loop_test(tests, test_nothing_for_those_who_are_gone, 0, 2);
    tcase_add_test(tests, test_a_dead_token_ends_it);
    tcase_add_test(tests, test_a_failed_repetition_is_tried_again_and_survives_a_stop);
    tcase_add_test(tests, test_pace);
    return fixture_main(suite_create("push again"), tests);
}
