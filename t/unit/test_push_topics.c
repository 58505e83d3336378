/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The push engine with two topics: each goes by its own certificate over its own connection, and what is wrong with one
 * does not stop the other. Devices with an odd number are of the second topic.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "push_fixture.h"

#define SECOND "com.apple.mgmt.External.second"

static void start(int devices)
{
    mdm_push_topic_t topic = { 0 };
    mdm_bytes_t certificate;

    fixture_make_engine();
    apns_mock_certificate(&certificate, &topic.key_pem, SECOND, "second");
    topic.topic = SECOND;
    topic.certificate_pem = (const char *)certificate.data;
    topic.not_after = apr_time_now() + apr_time_from_sec(86400);
    topic.uploaded_at = apr_time_now();
    ck_assert_int_eq(mdm_store_push_topic_put(fx.store, &topic), APR_SUCCESS);
    fixture_enroll(devices);
    database_sql("UPDATE mdm_enrollment SET topic = '" SECOND "' WHERE id % 2 = 0;");
}

/* What the mock answers to devices of the first topic only: all others' rules come before its default. */
static void answer_first(const char *rule, int devices)
{
    const char *text = rule;
    int i;

    for (i = 1; i < devices; i += 2)
        text = apr_psprintf(fx.ctx->pool, "%s,{\"status\":200,\"token\":\"deadbeef%08x\"}", text, i);
    fixture_rule(apr_psprintf(fx.ctx->pool, "[%s]", text));
}

static const char *done_of(const char *topic)
{
    const char *sql = "SELECT COUNT(*) FROM mdm_push p JOIN mdm_enrollment e ON e.id = p.enrollment "
        "WHERE e.topic = '%s' AND p.due_at = 0 AND p.last_reason = 'Success';";

    return database_sql(apr_psprintf(fx.ctx->pool, sql, topic));
}

START_TEST(test_each_by_its_own_certificate)
{
    start(300);
    fixture_run();
    ck_assert_str_eq(fx.log_text, "");
    ck_assert_str_eq(done_of(MOCK_TOPIC), "150");
    ck_assert_str_eq(done_of(SECOND), "150");
    ck_assert_int_eq(fixture_mock_pushes(), 300);
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "connections_opened"), 2);
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "violations"), 0);
}
END_TEST

START_TEST(test_trouble_of_one_does_not_stop_the_other)
{
    static const char *const troubles[] = {
        "{\"reason\":\"ServiceUnavailable\",\"default\":true}", "{\"reason\":\"BadCertificate\",\"default\":true}",
        "{\"reason\":\"TooManyRequests\",\"default\":true}", "{\"status\":200,\"action\":\"close\",\"default\":true}"
    };

    start(300);
    answer_first(troubles[_i], 300);
    fixture_run();
    ck_assert_str_eq(done_of(SECOND), "150");
    ck_assert_str_eq(done_of(MOCK_TOPIC), "0");
    json_decref(apns_mock_control(&fx.mock, fx.ctx, "/clear", "{\"answers\":true}"));
    fixture_pass(apr_time_from_sec(900));
    fixture_run();
    ck_assert_str_eq(done_of(MOCK_TOPIC), "150");
}
END_TEST

/* Thousands of one topic wait for APNs: the wishes of another go all the same, old ones and new. */
START_TEST(test_a_crowd_that_waits_leaves_room_for_others)
{
    int seconds;

    start(6000);
    database_sql("UPDATE mdm_enrollment SET topic = '" MOCK_TOPIC "' WHERE id <> 6000;");
    fixture_rule("[{\"status\":200,\"token\":\"deadbeef0000176f\"},"
                 "{\"reason\":\"ServiceUnavailable\",\"default\":true}]");
    for (seconds = 0; seconds < 3 && strcmp(done_of(SECOND), "1"); seconds++) {
        fixture_run();
        fixture_pass(apr_time_from_sec(1));
    }
    ck_assert_str_eq(done_of(SECOND), "1");
    fixture_want_one(5999);
    fixture_run();
    ck_assert_str_eq(done_of(SECOND), "1");
    ck_assert_str_eq(database_sql("SELECT wish FROM mdm_push WHERE enrollment = 6000;"), "2");
    ck_assert_str_eq(done_of(MOCK_TOPIC), "0");
}
END_TEST

START_TEST(test_each_topic_has_its_own_pace)
{
    int i;

    fx.rate = 50;
    start(400);
    for (i = 0; i < 50; i++) {
        fixture_run();
        fixture_pass(apr_time_from_msec(20));
    }
    for (i = 0; i < 2; i++) {
        int done = atoi(done_of(i ? SECOND : MOCK_TOPIC));

        ck_assert_msg(done >= 45 && done <= 58, "%d of topic %d in a second", done, i);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("push topics");

    tcase_add_test(tests, test_each_by_its_own_certificate);
    tcase_add_loop_test(tests, test_trouble_of_one_does_not_stop_the_other, 0, 4);
    tcase_add_test(tests, test_a_crowd_that_waits_leaves_room_for_others);
    tcase_add_test(tests, test_each_topic_has_its_own_pace);
    return fixture_main(suite_create("push topics"), tests);
}
