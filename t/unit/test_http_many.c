/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTPS client's many requests at once, where connections or windows are short.
 */
#include <stdlib.h>

#include <apr_strings.h>
#include <check.h>

#include "http_fixture.h"

static void limit_window(int octets)
{
    const char *json = apr_psprintf(http_ctx->pool, "{\"octets\":%d,\"seconds\":0.01}", octets);

    json_decref(apns_mock_control(&mock, http_ctx, "/window", json));
}

/* The server takes a few octets of each request at a time: all go, over one connection. */
START_TEST(test_slow_window)
{
    outcome_t outcomes[50];
    mdm_http_request_t request;
    int i;

    start_mock("", 50);
    limit_window(_i ? 1 : 5);
    for (i = 0; i < 50; i++) {
        request = push_request(&outcomes[i]);
        ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    }
    run_all();
    for (i = 0; i < 50; i++)
        ck_assert_msg(outcomes[i].status == 200, "%d: %s", i, outcomes[i].error);
    assert_sent("body", "{\"mdm\":\"MAGIC-1\"}");
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 1);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "pushes"), 50);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "violations"), 0);
}
END_TEST

/* The server never takes any: each request ends in its time, and the next has another connection. */
START_TEST(test_closed_window)
{
    outcome_t outcomes[20];
    mdm_http_request_t request;
    int i;

    start_mock("", 20);
    limit_window(0);
    for (i = 0; i < 20; i++) {
        request = push_request(&outcomes[i]);
        request.timeout = apr_time_from_msec(300);
        ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    }
    run_all();
    /* The first may go before the server has told its window. */
    for (i = 0; i < 20; i++) {
        if (i || !outcomes[i].status)
            oracle_has(outcomes[i].error, "no answer within");
    }
    ck_assert_int_le(apns_mock_stat(&mock, http_ctx, "pushes"), 1);
    limit_window(100);
    push_one(&outcomes[0]);
    ck_assert_msg(outcomes[0].status == 200, "%s", outcomes[0].error);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 2);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "violations"), 0);
}
END_TEST

/* Each certificate has a connection of its own, also when all connect at the same time. */
START_TEST(test_many_certificates_at_once)
{
    mdm_http_request_t request;
    outcome_t outcomes[4];
    int i;

    start_mock("", 4);
    for (i = 0; i < 4; i++) {
        mdm_bytes_t certificate, key;

        apns_mock_certificate(&certificate, &key, MOCK_TOPIC, apr_psprintf(http_ctx->pool, "c%d", i));
        request = push_request(&outcomes[i]);
        request.client_pem = certificate;
        request.client_key_pem = key;
        ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    }
    run_all();
    for (i = 0; i < 4; i++)
        ck_assert_msg(outcomes[i].status == 200, "%d: %s", i, outcomes[i].error);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http many");
    TCase *tests = tcase_create("http many");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, test_slow_window, 0, 2);
    tcase_add_test(tests, test_closed_window);
    tcase_add_test(tests, test_many_certificates_at_once);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
