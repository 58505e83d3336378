/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the unit programs of the HTTPS client: a client, the mock of APNs, and what became of a request.
 */
#ifndef HTTP_FIXTURE_H
#define HTTP_FIXTURE_H

#include "apns_mock.h"
#include "mdm_apns.h"

typedef struct outcome_t {
    int done, status;
    long retry_after;
    char error[300], body[5000], apns_id[80];
    apr_size_t body_len;
} outcome_t;

extern mdm_ctx_t *http_ctx;
extern apns_mock_t mock;
extern mdm_http_t *http;

void setup(void);
void teardown(void);

/** The mock, and a client for so many requests at once. */
void start_mock(const char *options, int streams);

/** The `done` of requests: fills the outcome that is their baton. */
void note(void *baton, const mdm_http_answer_t *answer);

/** A push whose answer is noted in `outcome`; it must stay until then. */
mdm_http_request_t push_request(outcome_t *outcome);

/** Run the client until nothing is under way. */
void run_all(void);

/** Send a request, or a push, and wait for its end. */
void send_one(outcome_t *outcome, mdm_http_request_t request);
void push_one(outcome_t *outcome);

/** Tell the mock how to answer. */
void rule(const char *json);

/** A field of the last push that the mock has had. */
void assert_sent(const char *field, const char *value);

#endif
