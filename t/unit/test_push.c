/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The push engine on SQLite against the mock of APNs: what is sent, what is written down for each answer, and
 * what each fault of a certificate leads to. What the tables hold is asked of the sqlite3 program.
 */
#include <apr_strings.h>

#include "push_fixture.h"

START_TEST(test_sends)
{
    json_t *pushes, *first;

    fixture_make_engine();
    fixture_enroll(3);
    fixture_run();
    ck_assert_int_eq(fixture_counts().sent, 3);
    ck_assert_str_eq(fx.log_text, "");
    fixture_assert_row(0, "0|0|-|Success");
    fixture_assert_row(2, "0|0|-|Success");
    pushes = apns_mock_control(&fx.mock, fx.ctx, "/pushes?token=deadbeef00000001", NULL);
    ck_assert_uint_eq(json_array_size(pushes), 1);
    first = json_array_get(pushes, 0);
    ck_assert_str_eq(json_string_value(json_object_get(first, "magic")), "MAGIC-1");
    ck_assert_str_eq(json_string_value(json_object_get(first, "topic")), MOCK_TOPIC);
    json_decref(pushes);
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "violations"), 0);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 3);
}
END_TEST

START_TEST(test_many_over_one_connection)
{
    fixture_make_engine();
    fixture_enroll(1300);
    fixture_run();
    ck_assert_int_eq(fixture_counts().sent, 1300);
    ck_assert_int_eq(fixture_mock_pushes(), 1300);
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "connections_opened"), 1);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0 OR lease_owner IS NOT "
                                  "NULL;"), "0");
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "violations"), 0);
}
END_TEST

/* Where a device's push stands among all that the mock has had; 0: not there. */
static int place_of(const char *magic)
{
    json_t *pushes = apns_mock_control(&fx.mock, fx.ctx, "/pushes", NULL);
    size_t i, place = 0;

    for (i = 0; i < json_array_size(pushes) && !place; i++) {
        if (!strcmp(json_string_value(json_object_get(json_array_get(pushes, i), "magic")), magic))
            place = i + 1;
    }
    json_decref(pushes);
    return (int)place;
}

/* Thousands wait, many of them claimed: a wish that comes now goes next, and all the others go all the same. */
START_TEST(test_a_new_wish_does_not_wait_behind_a_crowd)
{
    apr_time_t limit = apr_time_now() + apr_time_from_sec(30);
    int crowd = 2000, i;

    fixture_make_engine();
    fixture_enroll(crowd + 2);
    fixture_run();
    json_decref(apns_mock_control(&fx.mock, fx.ctx, "/clear", "{\"pushes\":true}"));
    fixture_rule("{\"status\":200,\"delay\":0.05,\"default\":true}");
    ck_assert_int_eq(mdm_db_transact(fx.store->db, fixture_want_some, &crowd), APR_SUCCESS);
    while (!fixture_counts().ready || fixture_counts().sent < crowd + 2 + 256) {
        (void)mdm_push_turn(fx.push, 0);
        ck_assert_int_eq(mdm_http_run(fx.http, apr_time_from_msec(20), -1), APR_SUCCESS);
        fixture_pass(apr_time_from_msec(20));
        ck_assert_int_lt(apr_time_now(), limit);
    }
    for (i = crowd; i < crowd + 2; i++) {
        int before = fixture_mock_pushes(), place;

        fixture_pass(apr_time_from_msec(20));
        fixture_want_one(i);
        (void)mdm_push_turn(fx.push, 1);
        while ((place = place_of(apr_psprintf(fx.ctx->pool, "MAGIC-%d", i))) == 0) {
            (void)mdm_push_turn(fx.push, 0);
            ck_assert_int_eq(mdm_http_run(fx.http, apr_time_from_msec(20), -1), APR_SUCCESS);
            ck_assert_int_lt(apr_time_now(), limit);
        }
        ck_assert_msg(place <= before + 120, "%d, %d were there before", place, before);
    }
    fixture_run();
    ck_assert_int_eq(fixture_counts().sent, 2 * (crowd + 2));
    ck_assert_int_eq(fixture_mock_pushes(), crowd + 2);
}
END_TEST

START_TEST(test_new_wish_while_under_way)
{
    fixture_make_engine();
    fixture_enroll(1);
    fixture_rule("{\"status\":200,\"delay\":0.3}");
    (void)mdm_push_turn(fx.push, 1);
    ck_assert_int_eq(fixture_counts().under_way, 1);
    fixture_pass(apr_time_from_sec(1));
    fixture_want_one(0);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 2);
    fixture_assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_many_wishes_are_one_push)
{
    int i;

    fixture_make_engine();
    fixture_enroll(1);
    fixture_rule("{\"reason\":\"ServiceUnavailable\"}");
    fixture_run();
    for (i = 0; i < 10; i++) {
        fixture_want_one(0);
        (void)mdm_push_turn(fx.push, 1);
    }
    ck_assert_int_eq(fixture_mock_pushes(), 1);
    fixture_pass(apr_time_from_sec(1));
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 2);
    fixture_assert_row(0, "0|0|-|Success");
    /* and while one is under way */
    fixture_rule("{\"status\":200,\"delay\":0.2}");
    fixture_want_one(0);
    (void)mdm_push_turn(fx.push, 1);
    for (i = 0; i < 10; i++) {
        fixture_want_one(0);
        (void)mdm_push_turn(fx.push, 1);
    }
    ck_assert_int_eq(fixture_counts().under_way, 1);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 4);
    fixture_assert_row(0, "0|0|-|Success");
    ck_assert_int_eq(fixture_counts().ready, 0);
}
END_TEST

START_TEST(test_dead_token_ends_the_next_wish_too)
{
    fixture_make_engine();
    fixture_enroll(1);
    fixture_rule("{\"reason\":\"Unregistered\",\"delay\":0.2}");
    (void)mdm_push_turn(fx.push, 1);
    fixture_want_one(0);
    (void)mdm_push_turn(fx.push, 1);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 1);
    fixture_assert_row(0, "0|0|-|Unregistered");
}
END_TEST

START_TEST(test_backoff_grows)
{
    apr_interval_time_t wait;
    int i;

    fixture_make_engine();
    fixture_enroll(1);
    fixture_rule("{\"reason\":\"TooManyRequests\",\"default\":true}");
    for (i = 0; i < 14; i++) {
        apr_interval_time_t whole = i < 12 ? apr_time_from_sec(1) << i : apr_time_from_sec(3600);

        fixture_run();
        fixture_assert_row(0, apr_psprintf(fx.ctx->pool, "1|%d|-|TooManyRequests", i + 1));
        wait = fixture_due_in(0);
        ck_assert_msg(wait >= whole / 2 && wait <= whole, "%d: %" APR_TIME_T_FMT, i, wait);
        fixture_pass(wait - 1);
        fixture_run();
        ck_assert_int_eq(fixture_mock_pushes(), i + 1);
        fixture_pass(1);
    }
    json_decref(apns_mock_control(&fx.mock, fx.ctx, "/clear", "{\"pushes\":false}"));
    fixture_run();
    fixture_assert_row(0, "0|0|-|Success");
}
END_TEST

/* Twenty that fail together do not come back together. */
START_TEST(test_backoff_is_spread)
{
    apr_interval_time_t waits[20];
    int i, k, distinct = 0;

    fixture_make_engine();
    fixture_enroll(20);
    fixture_rule("{\"reason\":\"TooManyRequests\",\"default\":true}");
    fixture_run();
    for (i = 0; i < 20; i++) {
        waits[i] = fixture_due_in(i);
        ck_assert_msg(waits[i] >= apr_time_from_msec(500) && waits[i] <= apr_time_from_sec(1),
                      "%d: %" APR_TIME_T_FMT, i, waits[i]);
        for (k = 0; k < i && waits[k] != waits[i]; k++)
            ;
        distinct += k == i;
    }
    ck_assert_int_ge(distinct, 10);
}
END_TEST

START_TEST(test_retry_after)
{
    fixture_make_engine();
    fixture_enroll(2);
    fixture_rule("{\"reason\":\"TooManyRequests\",\"retry_after\":90,\"token\":\"deadbeef00000000\"}");
    fixture_run();
    fixture_assert_row(0, "1|1|-|TooManyRequests");
    fixture_assert_row(1, "0|0|-|Success");
    ck_assert_int_eq(fixture_due_in(0), apr_time_from_sec(90));
}
END_TEST

START_TEST(test_dead_token)
{
    fixture_make_engine();
    fixture_enroll(2);
    fixture_rule("{\"reason\":\"Unregistered\",\"token\":\"deadbeef00000000\"}");
    fixture_run();
    ck_assert_int_eq(fixture_counts().dead, 1);
    fixture_assert_row(0, "0|0|-|Unregistered");
    fixture_pass(apr_time_from_sec(10));
    fixture_want_one(0);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 2);
    oracle_has(fx.log_text, "DEVICE-0: 410 Unregistered");
}
END_TEST

START_TEST(test_410_older_than_the_token)
{
    fixture_make_engine();
    fixture_enroll(1);
    fixture_rule("{\"reason\":\"Unregistered\",\"timestamp\":1500000000}");
    fixture_run();
    ck_assert_int_eq(fixture_counts().dead, 0);
    fixture_assert_row(0, "1|1|-|Unregistered");
    fixture_pass(apr_time_from_sec(2));
    fixture_run();
    fixture_assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_our_mistake_is_not_repeated)
{
    fixture_make_engine();
    fixture_enroll(1);
    fixture_rule("{\"reason\":\"BadPriority\"}");
    fixture_run();
    fixture_assert_row(0, "0|1|-|BadPriority");
    oracle_has(fx.log_text, "400 BadPriority");
}
END_TEST

START_TEST(test_refused_topic)
{
    fixture_make_engine();
    fixture_enroll(200);
    fixture_rule("{\"reason\":\"BadCertificate\",\"default\":true}");
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 1);
    ck_assert_int_eq(fixture_counts().failed, 200);
    fixture_assert_row(0, "1|1|-|BadCertificate");
    fixture_assert_row(199, "1|1|-|BadCertificate");
    ck_assert_int_eq(oracle_count(fx.log_text, "no pushes for topic " MOCK_TOPIC " (BadCertificate)"), 1);
    ck_assert_int_eq(fixture_due_in(0), apr_time_from_sec(900));
    /* still so after a quarter of an hour: said again */
    fixture_pass(apr_time_from_sec(900));
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 2);
    ck_assert_int_eq(oracle_count(fx.log_text, "no pushes for topic"), 2);
    json_decref(apns_mock_control(&fx.mock, fx.ctx, "/clear", "{\"pushes\":false}"));
    fixture_pass(apr_time_from_sec(900));
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 202);
}
END_TEST

START_TEST(test_certificate_comes_later)
{
    fixture_make_engine_at(fx.mock.url);
    fixture_enroll(2);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 0);
    fixture_assert_row(0, "1|1|-|NoCertificate");
    ck_assert_int_eq(oracle_count(fx.log_text, "no push certificate"), 1);
    fixture_upload(fx.mock.certificate, fx.mock.key, 0);
    /* what waits for it is due at once */
    fixture_pass(apr_time_from_sec(60));
    fixture_run();
    fixture_assert_row(0, "0|0|-|Success");
    fixture_assert_row(1, "0|0|-|Success");
}
END_TEST

START_TEST(test_renewed_certificate)
{
    mdm_bytes_t certificate, key;

    fixture_make_engine();
    fixture_enroll(1);
    fixture_run();
    apns_mock_certificate(&certificate, &key, MOCK_TOPIC, "renewed");
    fixture_upload(certificate, key, 0);
    fixture_pass(apr_time_from_sec(1));
    fixture_want_one(0);
    fixture_run();
    ck_assert_int_eq(fixture_mock_pushes(), 2);
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "connections_opened"), 2);
    fixture_assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_expired_certificate)
{
    fixture_make_engine_at(fx.mock.url);
    fixture_upload(fx.mock.certificate, fx.mock.key, fx.engine_ctx->fixed_now - 1);
    fixture_enroll(1);
    fixture_run();
    ck_assert_int_eq(apns_mock_stat(&fx.mock, fx.ctx, "connections_opened"), 0);
    fixture_assert_row(0, "1|1|-|ExpiredCertificate");
    oracle_has(fx.log_text, "renew it");
}
END_TEST

START_TEST(test_test_certificate_never_goes_to_apple)
{
    /* A name of Apple's that resolves to nothing: a try would be seen as another reason. */
    oracle_run("openssl req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.pem -days 30 "
               "-subj /UID=" MOCK_TOPIC "/CN=self");
    fixture_upload(oracle_read("self.pem"), oracle_read("self.key"), 0);
    fixture_make_engine_at("https://invalid.push.apple.com:1");
    fixture_enroll(1);
    fixture_run();
    fixture_assert_row(0, "1|1|-|TestCertificate");
    oracle_has(fx.log_text, "self-signed");
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("push");

    tcase_add_test(tests, test_sends);
    tcase_add_test(tests, test_many_over_one_connection);
    tcase_add_test(tests, test_a_new_wish_does_not_wait_behind_a_crowd);
    tcase_add_test(tests, test_new_wish_while_under_way);
    tcase_add_test(tests, test_many_wishes_are_one_push);
    tcase_add_test(tests, test_dead_token_ends_the_next_wish_too);
    tcase_add_test(tests, test_backoff_grows);
    tcase_add_test(tests, test_backoff_is_spread);
    tcase_add_test(tests, test_retry_after);
    tcase_add_test(tests, test_dead_token);
    tcase_add_test(tests, test_410_older_than_the_token);
    tcase_add_test(tests, test_our_mistake_is_not_repeated);
    tcase_add_test(tests, test_refused_topic);
    tcase_add_test(tests, test_certificate_comes_later);
    tcase_add_test(tests, test_renewed_certificate);
    tcase_add_test(tests, test_expired_certificate);
    tcase_add_test(tests, test_test_certificate_never_goes_to_apple);
    return fixture_main(suite_create("push"), tests);
}
