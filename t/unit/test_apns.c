/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of a push request and the meaning of each answer that Apple documents, and of some it does not.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <jansson.h>

#include "mdm_apns.h"

static apr_pool_t *pool;
static mdm_ctx_t *ctx;
static const unsigned char token[4] = { 0xAB, 0x00, 0x7f, 0xc1 };

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static mdm_apns_push_t good_push(void)
{
    mdm_apns_push_t push = {
        "https://apns.example", "com.apple.mgmt.External.x", { token, 4 }, "A-B\"\\\x01\xc3\xa9",
        "0f8fad5b-d9cb-469f-a165-70867728950e", apr_time_from_sec(1700000000)
    };

    return push;
}

static int has_header(const mdm_http_request_t *request, const char *header)
{
    int i;

    for (i = 0; request->headers[i]; i++) {
        if (!strcmp(request->headers[i], header))
            return 1;
    }
    return 0;
}

START_TEST(test_request)
{
    mdm_apns_push_t push = good_push();
    mdm_http_request_t request = { 0 };
    json_t *body;

    ck_assert_int_eq(mdm_apns_build(&request, ctx, &push), APR_SUCCESS);
    ck_assert_str_eq(request.url, "https://apns.example/3/device/ab007fc1");
    ck_assert(has_header(&request, "apns-topic: com.apple.mgmt.External.x"));
    ck_assert(has_header(&request, "apns-push-type: mdm"));
    ck_assert(has_header(&request, "apns-priority: 10"));
    ck_assert(has_header(&request, "apns-expiration: 1700000000"));
    ck_assert(has_header(&request, "apns-id: 0f8fad5b-d9cb-469f-a165-70867728950e"));
    ck_assert(has_header(&request, "content-type: application/json"));
    ck_assert_int_eq(request.timeout, apr_time_from_sec(30));
    body = json_loadb((const char *)request.body.data, request.body.len, 0, NULL);
    ck_assert_uint_eq(json_object_size(body), 1);
    ck_assert_str_eq(json_string_value(json_object_get(body, "mdm")), push.magic);
    json_decref(body);
}
END_TEST

START_TEST(test_plain_body_is_exact)
{
    mdm_apns_push_t push = good_push();
    mdm_http_request_t request = { 0 };

    push.magic = "3E1DFEA1-0C6A-4E8B-9E4B-0F4A41D3E4F5";
    push.expires_at = 0;
    push.apns_id = NULL;
    ck_assert_int_eq(mdm_apns_build(&request, ctx, &push), APR_SUCCESS);
    ck_assert_str_eq((const char *)request.body.data, "{\"mdm\":\"3E1DFEA1-0C6A-4E8B-9E4B-0F4A41D3E4F5\"}");
    ck_assert(has_header(&request, "apns-expiration: 0"));
}
END_TEST

START_TEST(test_refused_values)
{
    static const char *const topics[] = { NULL, "", "a b", "a\r\nx: y", "\xc3\xa9" };
    mdm_http_request_t request = { 0 };
    mdm_apns_push_t push;
    apr_size_t i;

    for (i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        push = good_push();
        push.topic = topics[i];
        ck_assert_int_eq(mdm_apns_build(&request, ctx, &push), MDM_EINPUT);
    }
    push = good_push();
    push.token.len = 0;
    ck_assert_int_eq(mdm_apns_build(&request, ctx, &push), MDM_EINPUT);
    push = good_push();
    push.magic = "";
    ck_assert_int_eq(mdm_apns_build(&request, ctx, &push), MDM_EINPUT);
    push.magic = memset(apr_pcalloc(pool, 4001), 'x', 4000);
    ck_assert_int_eq(mdm_apns_build(&request, ctx, &push), MDM_EINPUT);
    push = good_push();
    push.apns_id = "x\ny";
    ck_assert_int_eq(mdm_apns_build(&request, ctx, &push), MDM_EINPUT);
}
END_TEST

static mdm_apns_result_t judged(int status, const char *body, long retry_after)
{
    mdm_http_answer_t answer = { status, NULL, mdm_bytes_of(body), NULL, retry_after };
    mdm_apns_result_t result;

    mdm_apns_judge(&result, ctx, &answer);
    return result;
}

static const struct {
    int status;
    const char *reason;
    mdm_apns_outcome_e outcome;
} documented[] = {
    { 400, "BadDeviceToken", MDM_APNS_TOKEN_DEAD }, { 400, "DeviceTokenNotForTopic", MDM_APNS_TOKEN_DEAD },
    { 400, "TopicDisallowed", MDM_APNS_TOPIC_BAD }, { 400, "BadTopic", MDM_APNS_TOPIC_BAD },
    { 400, "MissingTopic", MDM_APNS_TOPIC_BAD }, { 400, "BadCollapseId", MDM_APNS_BUG },
    { 400, "BadExpirationDate", MDM_APNS_BUG }, { 400, "BadMessageId", MDM_APNS_BUG },
    { 400, "BadPriority", MDM_APNS_BUG }, { 400, "DuplicateHeaders", MDM_APNS_BUG },
    { 400, "InvalidPushType", MDM_APNS_BUG }, { 400, "MissingDeviceToken", MDM_APNS_BUG },
    { 400, "PayloadEmpty", MDM_APNS_BUG }, { 400, "IdleTimeout", MDM_APNS_RETRY },
    { 403, "BadCertificate", MDM_APNS_TOPIC_BAD }, { 403, "BadCertificateEnvironment", MDM_APNS_TOPIC_BAD },
    { 403, "Forbidden", MDM_APNS_TOPIC_BAD }, { 403, "MissingProviderToken", MDM_APNS_TOPIC_BAD },
    { 403, "InvalidProviderToken", MDM_APNS_TOPIC_BAD }, { 403, "ExpiredProviderToken", MDM_APNS_TOPIC_BAD },
    { 403, "UnrelatedKeyIdInToken", MDM_APNS_TOPIC_BAD }, { 429, "TooManyProviderTokenUpdates", MDM_APNS_RETRY },
    { 404, "BadPath", MDM_APNS_BUG },
    { 405, "MethodNotAllowed", MDM_APNS_BUG }, { 410, "Unregistered", MDM_APNS_TOKEN_DEAD },
    { 410, "ExpiredToken", MDM_APNS_TOKEN_DEAD }, { 413, "PayloadTooLarge", MDM_APNS_BUG },
    { 429, "TooManyRequests", MDM_APNS_RETRY }, { 500, "InternalServerError", MDM_APNS_RETRY },
    { 503, "ServiceUnavailable", MDM_APNS_RETRY }, { 503, "Shutdown", MDM_APNS_RETRY },
    /* not documented: by class */
    { 400, "SomethingNew", MDM_APNS_BUG }, { 403, "SomethingNew", MDM_APNS_TOPIC_BAD },
    { 401, "SomethingNew", MDM_APNS_TOPIC_BAD }, { 410, "SomethingNew", MDM_APNS_TOKEN_DEAD },
    { 429, "BadDeviceToken", MDM_APNS_RETRY }, { 502, "BadDeviceToken", MDM_APNS_RETRY },
    { 302, "Moved", MDM_APNS_RETRY }, { 418, "Teapot", MDM_APNS_BUG },
};

START_TEST(test_documented_answers)
{
    const char *body = apr_psprintf(pool, "{\"reason\":\"%s\"}", documented[_i].reason);
    mdm_apns_result_t result = judged(documented[_i].status, body, -1);

    ck_assert_int_eq(result.outcome, documented[_i].outcome);
    ck_assert_int_eq(result.status, documented[_i].status);
    ck_assert_str_eq(result.reason, documented[_i].reason);
}
END_TEST

START_TEST(test_success_and_times)
{
    mdm_apns_result_t result = judged(200, "", -1);

    ck_assert_int_eq(result.outcome, MDM_APNS_SENT);
    ck_assert_str_eq(result.reason, "Success");
    result = judged(410, "{\"reason\":\"Unregistered\",\"timestamp\":1700000000123}", -1);
    ck_assert_int_eq(result.token_dead_since, apr_time_from_msec(APR_INT64_C(1700000000123)));
    result = judged(410, "{\"reason\":\"Unregistered\",\"timestamp\":-5}", -1);
    ck_assert_int_eq(result.token_dead_since, 0);
    result = judged(400, "{\"reason\":\"BadPriority\",\"timestamp\":1700000000123}", -1);
    ck_assert_int_eq(result.token_dead_since, 0);
    ck_assert_int_eq(judged(429, "", 17).retry_after, apr_time_from_sec(17));
    ck_assert_int_eq(judged(503, "", 999999999).retry_after, apr_time_from_sec(86400));
    ck_assert_int_eq(judged(503, "", -1).retry_after, 0);
}
END_TEST

START_TEST(test_hostile_bodies)
{
    static const char *const bodies[] = {
        "", "{", "null", "[]", "{\"reason\":5}", "{\"reason\":\"\"}", "<html>", "{\"reason\":\"a b\"}",
        "{\"reason\":\"x\\ny\"}", "\xff\xfe", "{\"reason\":{\"reason\":\"Unregistered\"}}"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        mdm_apns_result_t result = judged(500, bodies[i], -1);

        ck_assert_str_eq(result.reason, "HTTP500");
        ck_assert_int_eq(result.outcome, MDM_APNS_RETRY);
    }
    ck_assert_str_eq(judged(500, apr_psprintf(pool, "{\"reason\":\"%0300d\"}", 0), -1).reason, "HTTP500");
}
END_TEST

START_TEST(test_no_answer)
{
    mdm_http_answer_t answer = { 0, "connection refused", { NULL, 0 }, NULL, -1 };
    mdm_apns_result_t result;

    mdm_apns_judge(&result, ctx, &answer);
    ck_assert_int_eq(result.outcome, MDM_APNS_RETRY);
    ck_assert_int_eq(result.status, 0);
    ck_assert_str_eq(result.reason, "connection refused");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("apns");
    TCase *tests = tcase_create("apns");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_request);
    tcase_add_test(tests, test_plain_body_is_exact);
    tcase_add_test(tests, test_refused_values);
    tcase_add_loop_test(tests, test_documented_answers, 0, sizeof(documented) / sizeof(documented[0]));
    tcase_add_test(tests, test_success_and_times);
    tcase_add_test(tests, test_hostile_bodies);
    tcase_add_test(tests, test_no_answer);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
