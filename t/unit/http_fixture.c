/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the unit programs of the HTTPS client share; see http_fixture.h. Test code only.
 */
#include <string.h>

#include <apr_strings.h>
#include <check.h>

#include "http_fixture.h"

mdm_ctx_t *http_ctx;
apns_mock_t mock;
mdm_http_t *http;

void setup(void)
{
    http_ctx = oracle_start();
    http = NULL;
}

void teardown(void)
{
    apns_mock_stop();
    oracle_end();
}

void start_mock(const char *options, int streams)
{
    apns_mock_start(&mock, http_ctx, options);
    ck_assert_int_eq(mdm_http_create(&http, http_ctx, 1, streams), APR_SUCCESS);
}

void note(void *baton, const mdm_http_answer_t *answer)
{
    outcome_t *outcome = baton;

    ck_assert_int_eq(outcome->done, 0);
    outcome->done = 1;
    outcome->status = answer->status;
    outcome->retry_after = answer->retry_after;
    outcome->body_len = answer->body.len;
    ck_assert_uint_lt(answer->body.len, sizeof(outcome->body));
    if (answer->body.len)
        memcpy(outcome->body, answer->body.data, answer->body.len);
    apr_cpystrn(outcome->apns_id, answer->apns_id ? answer->apns_id : "", sizeof(outcome->apns_id));
    apr_cpystrn(outcome->error, answer->error ? answer->error : "", sizeof(outcome->error));
    ck_assert((answer->status == 0) == (answer->error != NULL));
}

mdm_http_request_t push_request(outcome_t *outcome)
{
    static const unsigned char token[4] = { 0xAB, 0x00, 0x7f, 0xc1 };
    mdm_apns_push_t push = { mock.url, MOCK_TOPIC, { token, 4 }, "MAGIC-1", mdm_uuid_random(http_ctx->pool), 0 };
    mdm_http_request_t request = { 0 };
    char *c;

    for (c = (char *)push.apns_id; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'F' ? *c + 32 : *c);
    ck_assert_int_eq(mdm_apns_build(&request, http_ctx, &push), APR_SUCCESS);
    memset(outcome, 0, sizeof(*outcome));
    request.client_pem = mock.certificate;
    request.client_key_pem = mock.key;
    request.ca_pem = mock.ca;
    request.done = note;
    request.baton = outcome;
    return request;
}

void run_all(void)
{
    apr_time_t limit = apr_time_now() + apr_time_from_sec(30);

    while (mdm_http_pending(http)) {
        ck_assert_int_eq(mdm_http_run(http, apr_time_from_sec(1), -1), APR_SUCCESS);
        ck_assert_int_lt(apr_time_now(), limit);
    }
}

void send_one(outcome_t *outcome, mdm_http_request_t request)
{
    request.baton = outcome;
    ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    run_all();
    ck_assert_int_eq(outcome->done, 1);
}

void push_one(outcome_t *outcome)
{
    send_one(outcome, push_request(outcome));
}

void rule(const char *json)
{
    json_decref(apns_mock_control(&mock, http_ctx, "/answers", json));
}

void assert_sent(const char *field, const char *value)
{
    json_t *pushes = apns_mock_control(&mock, http_ctx, "/pushes", NULL);
    json_t *push = json_array_get(pushes, json_array_size(pushes) - 1);
    const char *got = json_string_value(json_object_get(push, field));

    ck_assert_msg(got && !strcmp(got, value), "%s is %s, not %s", field, got ? got : "nothing", value);
    json_decref(pushes);
}
