/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rollouts, on both databases: what is read and refused, steps by time and by hand, stopping on failures once,
 * beginning again, resuming.
 */
#include <string.h>

#include <apr_strings.h>

#include "desired_fixture.h"
#include "mdm_rollout.h"
#include "mdm_store.h"

#define HOUR apr_time_from_sec(3600)

static int reads(const char *text)
{
    mdm_rollout_t r;
    apr_status_t rv = mdm_rollout_of(&r, st->ctx, text);

    mdm_ctx_clear(st->ctx);
    return rv == APR_SUCCESS;
}

START_TEST(what_is_a_rollout)
{
    mdm_rollout_t r;

    desired_start(_i);
    OK(mdm_rollout_of(&r, st->ctx, "{\"steps\": [1, 5, 20, 100], \"hold\": \"1h\", \"stop_at\": 5}"));
    ck_assert_int_eq(r.count, 4);
    ck_assert_int_eq(r.steps[3], 100);
    ck_assert_int_eq(r.hold, HOUR);
    ck_assert_int_eq(r.stop_at, 5);
    OK(mdm_rollout_of(&r, st->ctx, "{\"steps\": [100]}"));
    ck_assert_int_eq(r.hold, 0);
    ck_assert_int_eq(r.stop_at, -1);
    ck_assert(reads("{\"steps\": [100], \"hold\": null, \"stop_at\": null}"));
    ck_assert(!reads("[]"));
    ck_assert(!reads("{}"));
    ck_assert(!reads("{\"steps\": []}"));
    ck_assert(!reads("{\"steps\": [50]}"));
    ck_assert(!reads("{\"steps\": [50, 50, 100]}"));
    ck_assert(!reads("{\"steps\": [0, 100]}"));
    ck_assert(!reads("{\"steps\": [50.5, 100]}"));
    ck_assert(!reads("{\"steps\": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,100]}"));
    ck_assert(!reads("{\"steps\": [100], \"hold\": 5}"));
    ck_assert(!reads("{\"steps\": [100], \"hold\": \"-1h\"}"));
    ck_assert(!reads("{\"steps\": [100], \"hold\": \"9999d\"}"));
    ck_assert(!reads("{\"steps\": [100], \"stop_at\": 100}"));
    ck_assert(!reads("{\"steps\": [100], \"stop_at\": -1}"));
    ck_assert(!reads("{\"steps\": [100], \"wait\": 1}"));
    database_end();
}
END_TEST

static apr_int64_t begin(int loop, const char *rollout)
{
    apr_int64_t id;

    desired_start(loop);
    desired_enrol_many(1, 100);
    desired_profile(7, "wifi", 1, "one", NULL);
    desired_join(2, 1, 100);
    id = desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, rollout);
    desired_change(MDM_CHANGE_PROFILE, "7");
    return id;
}

static void turn(int moves)
{
    int moved;

    OK(mdm_rollout_turn(&moved, st));
    ck_assert_int_eq(moved, moves);
    desired_run();
}

static const char *state(void)
{
    return database_sql("SELECT rollout_state, rollout_step, rollout_version, rollout_from FROM mdm_assignment;");
}

START_TEST(time_takes_the_steps)
{
    int first;

    begin(_i, "{\"steps\": [10, 50, 100], \"hold\": \"1h\", \"stop_at\": 5}");
    first = desired_count("SELECT COUNT(*) FROM mdm_queue");
    ck_assert_int_gt(first, 0);
    ck_assert_int_lt(first, 30);
    turn(0);
    ck_assert_str_eq(state(), "1|0|1|0");
    st->ctx->fixed_now += HOUR - 1;
    turn(0);
    st->ctx->fixed_now += 1;
    turn(1);
    ck_assert_str_eq(state(), "1|1|1|0");
    ck_assert_int_gt(desired_count("SELECT COUNT(*) FROM mdm_queue"), first);
    turn(0);
    st->ctx->fixed_now += HOUR;
    turn(1);
    ck_assert_str_eq(state(), "4|2|1|0");
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_queue"), 100);
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_desired WHERE state = 1"), 100);
    st->ctx->fixed_now += HOUR;
    turn(0);
    ck_assert_str_eq(database_sql("SELECT kind, COUNT(*) FROM mdm_event GROUP BY 1;"), "rollout.step|2");
    database_end();
}
END_TEST

START_TEST(failures_stop_it_once)
{
    apr_int64_t id = begin(_i, "{\"steps\": [50, 100], \"hold\": \"1h\", \"stop_at\": 10}");
    int first = desired_count("SELECT COUNT(*) FROM mdm_queue");
    json_t *alerts = json_array();

    desired_answer(1, 100, "Acknowledged");
    database_sql("UPDATE mdm_desired SET first_failed_at = 1700000000000001, state = 6 WHERE enrollment IN "
                 "(SELECT enrollment FROM mdm_desired ORDER BY enrollment LIMIT 4);");
    turn(0);
    ck_assert_str_eq(state(), "1|0|1|0");        /* 4 of some 50 are not more than a tenth */
    database_sql("UPDATE mdm_desired SET first_failed_at = 1700000000000001, state = 6 WHERE enrollment IN "
                 "(SELECT enrollment FROM mdm_desired ORDER BY enrollment LIMIT 12);");
    st->ctx->fixed_now += 2 * HOUR;
    turn(0);
    turn(0);
    ck_assert_str_eq(state(), "3|0|1|0");
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_desired"), first);
    ck_assert_str_eq(database_sql("SELECT kind, COUNT(*) FROM mdm_event GROUP BY 1;"), "rollout.stopped|1");
    ck_assert_str_eq(database_sql("SELECT rollout_reason FROM mdm_assignment;"),
                     apr_psprintf(database_pool(), "failed on 12 of %d devices, more than 10 %%", first));
    ck_assert_int_eq(mdm_rollout_act(st, id, MDM_ROLLOUT_ADVANCE, "admin", NULL), MDM_EEXIST);
    mdm_ctx_clear(st->ctx);
    mdm_rollout_alerts(alerts, st);
    ck_assert_int_eq(json_array_size(alerts), 1);
    ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(alerts, 0)), "wifi has stopped: failed on 12 of"));

    /* resumed: what has failed does not count any more, what fails now does */
    OK(mdm_rollout_act(st, id, MDM_ROLLOUT_RESUME, "admin", "192.0.2.1"));
    turn(0);
    ck_assert_str_eq(state(), "1|0|1|0");
    st->ctx->fixed_now += HOUR;
    turn(1);
    ck_assert_str_eq(state(), "4|1|1|0");
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_desired"), 100);
    json_array_clear(alerts);
    mdm_rollout_alerts(alerts, st);
    ck_assert_int_eq(json_array_size(alerts), 0);
    json_decref(alerts);
    database_end();
}
END_TEST

START_TEST(a_new_version_begins_again)
{
    apr_int64_t id = begin(_i, "{\"steps\": [50, 100]}");

    ck_assert_str_eq(state(), "2|0|1|0");
    OK(mdm_rollout_act(st, id, MDM_ROLLOUT_ADVANCE, "admin", NULL));
    ck_assert_int_eq(mdm_rollout_act(st, id, MDM_ROLLOUT_ADVANCE, "admin", NULL), MDM_EEXIST);
    mdm_ctx_clear(st->ctx);
    desired_run();
    desired_answer(1, 100, "Acknowledged");
    ck_assert_str_eq(state(), "4|1|1|0");
    desired_profile(7, "wifi", 2, "two", NULL);
    desired_change(MDM_CHANGE_PROFILE, "7");
    ck_assert_str_eq(state(), "2|0|2|1");
    ck_assert_int_gt(desired_count("SELECT COUNT(*) FROM mdm_queue"), 20);
    ck_assert_int_lt(desired_count("SELECT COUNT(*) FROM mdm_queue"), 80);
    /* the same change again does not begin again */
    OK(mdm_rollout_act(st, id, MDM_ROLLOUT_ADVANCE, "admin", NULL));
    desired_change(MDM_CHANGE_PROFILE, "7");
    ck_assert_str_eq(state(), "4|1|2|1");
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_queue"), 100);

    OK(mdm_rollout_restart(st, 7, 2, 1));
    ck_assert_str_eq(state(), "2|0|2|2");
    OK(mdm_rollout_act(st, id, MDM_ROLLOUT_STOP, "admin", NULL));
    ck_assert_int_eq(mdm_rollout_act(st, id, MDM_ROLLOUT_STOP, "admin", NULL), MDM_EEXIST);
    mdm_ctx_clear(st->ctx);
    ck_assert_int_eq(mdm_rollout_act(st, 99, MDM_ROLLOUT_STOP, "admin", NULL), MDM_ENOTFOUND);
    database_end();
}
END_TEST

static void fail_some(int count, apr_time_t at)
{
    database_sql(apr_psprintf(database_pool(), "UPDATE mdm_desired SET first_failed_at = %" APR_TIME_T_FMT ", "
                              "state = 6 WHERE enrollment IN (SELECT enrollment FROM mdm_desired ORDER BY enrollment "
                              "LIMIT %d);", at, count));
}

START_TEST(a_new_secret_is_not_stopped_by_failures_of_the_old)
{
    desired_start(_i);
    desired_enrol_many(1, 100);
    desired_secret("wifi", "wrong");
    desired_profile(7, "wifi", 1, "${secret.wifi}", NULL);
    desired_join(2, 1, 100);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, "{\"steps\": [10, 100], \"hold\": \"1h\", \"stop_at\": 10}");
    desired_change(MDM_CHANGE_PROFILE, "7");
    st->ctx->fixed_now += HOUR;
    turn(1);
    desired_answer(1, 100, "Acknowledged");
    ck_assert_str_eq(state(), "4|1|1|0");
    fail_some(8, st->ctx->fixed_now);

    st->ctx->fixed_now += HOUR;
    desired_secret("wifi", "right");
    desired_change(MDM_CHANGE_SECRET, "wifi");
    ck_assert_str_eq(state(), "1|0|1|1");
    turn(0);
    ck_assert_str_eq(state(), "1|0|1|1");
    fail_some(2, st->ctx->fixed_now + 1);
    turn(0);
    ck_assert_str_eq(state(), "3|0|1|1");
    ck_assert_str_eq(database_sql("SELECT rollout_reason FROM mdm_assignment;"),
                     "failed on 2 of 10 devices, more than 10 %");
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("rollout");
    TCase *tcase = tcase_create("rollout");

    (void)argc;
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, what_is_a_rollout, 0, 1);
    tcase_add_loop_test(tcase, time_takes_the_steps, 0, DATABASES);
    tcase_add_loop_test(tcase, failures_stop_it_once, 0, DATABASES);
    tcase_add_loop_test(tcase, a_new_version_begins_again, 0, DATABASES);
    tcase_add_loop_test(tcase, a_new_secret_is_not_stopped_by_failures_of_the_old, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
