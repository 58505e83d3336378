/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox of webhooks on both databases: of one sink and channel only the oldest goes, a failure holds back
 * what follows and nobody else, claims are exclusive and end, old and orphaned events go.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_store_webhook.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")
#define SECOND apr_time_from_sec(1)
#define LEASE (60 * SECOND)

static mdm_store_t *st;

static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
}

static void put(const char *sink, apr_int64_t channel, const char *body)
{
    mdm_webhook_row_t row = { 0 };

    row.sink = sink;
    row.channel = channel;
    row.topic = "mdm.Connect";
    row.body = mdm_bytes_of(body);
    OK(mdm_store_webhook_put(st, &row));
}

static apr_array_header_t *claim(const char *sink, const char *owner, int limit)
{
    apr_array_header_t *rows;

    OK(mdm_store_webhook_claim(&rows, st, sink, owner, st->ctx->fixed_now + LEASE, limit));
    return rows;
}

/* The bodies of what can be claimed now, in order, parted by blanks. */
static const char *bodies(const apr_array_header_t *rows)
{
    const char *text = "";
    int i;

    for (i = 0; i < rows->nelts; i++) {
        const mdm_webhook_row_t *row = &APR_ARRAY_IDX(rows, i, mdm_webhook_row_t);

        text = apr_psprintf(database_pool(), "%s%s%.*s", text, i ? " " : "", (int)row->body.len, row->body.data);
    }
    return text;
}

static void done(const char *owner, const apr_array_header_t *rows)
{
    int i;

    for (i = 0; i < rows->nelts; i++)
        OK(mdm_store_webhook_done(st, owner, &APR_ARRAY_IDX(rows, i, mdm_webhook_row_t).id, 1));
}

START_TEST(one_enrollments_events_go_one_after_the_other)
{
    apr_array_header_t *rows;

    start(_i);
    put("s", 1, "a1");
    put("s", 1, "a2");
    put("s", 2, "b1");
    put("t", 1, "not in clear");
    rows = claim("s", "me", 10);
    ck_assert_str_eq(bodies(rows), "a1 b1");
    ck_assert_int_eq(claim("s", "you", 10)->nelts, 0);
    done("me", rows);
    ck_assert_str_eq(bodies(claim("s", "you", 10)), "a2");
    ck_assert_str_eq(bodies(claim("t", "you", 10)), "not in clear");
    ck_assert_ptr_null(strstr(database_sql("SELECT body FROM mdm_webhook_outbox;"), "not in clear"));
    database_end();
}
END_TEST

START_TEST(the_limit_counts)
{
    start(_i);
    put("s", 1, "a");
    put("s", 2, "b");
    put("s", 3, "c");
    ck_assert_str_eq(bodies(claim("s", "me", 2)), "a b");
    ck_assert_str_eq(bodies(claim("s", "me", 2)), "c");
    database_end();
}
END_TEST

START_TEST(a_failure_holds_back_its_followers_only)
{
    apr_array_header_t *rows;
    apr_time_t due = 0;

    start(_i);
    put("s", 1, "a1");
    put("s", 1, "a2");
    put("s", 2, "b1");
    rows = claim("s", "me", 1);
    ck_assert_str_eq(bodies(rows), "a1");
    OK(mdm_store_webhook_failed(st, "me", &APR_ARRAY_IDX(rows, 0, mdm_webhook_row_t),
                                st->ctx->fixed_now + 10 * SECOND, "HTTP status 500"));
    ck_assert_str_eq(bodies(claim("s", "me", 10)), "b1");
    OK(mdm_store_webhook_next_due(&due, st, "s"));
    ck_assert_int_eq(due, st->ctx->fixed_now + 10 * SECOND);
    put("s", 1, "a3");
    ck_assert_int_eq(claim("s", "me", 10)->nelts, 0);
    st->ctx->fixed_now += 10 * SECOND;
    rows = claim("s", "me", 10);
    ck_assert_str_eq(bodies(rows), "a1");
    ck_assert_int_eq(APR_ARRAY_IDX(rows, 0, mdm_webhook_row_t).attempts, 1);
    done("me", rows);
    rows = claim("s", "me", 10);
    ck_assert_str_eq(bodies(rows), "a2");
    done("me", rows);
    ck_assert_str_eq(bodies(claim("s", "me", 10)), "a3");
    database_end();
}
END_TEST

START_TEST(a_lease_ends_and_then_the_first_owner_has_no_say)
{
    apr_array_header_t *first, *second;

    start(_i);
    put("s", 1, "a1");
    first = claim("s", "dead", 10);
    st->ctx->fixed_now += LEASE - SECOND;
    ck_assert_int_eq(claim("s", "me", 10)->nelts, 0);
    st->ctx->fixed_now += SECOND;
    second = claim("s", "me", 10);
    ck_assert_str_eq(bodies(second), "a1");
    done("dead", first);
    OK(mdm_store_webhook_failed(st, "dead", &APR_ARRAY_IDX(first, 0, mdm_webhook_row_t), 1, "late"));
    ck_assert_str_eq(database_sql("SELECT lease_owner, attempts FROM mdm_webhook_outbox;"), "me|0");
    done("me", second);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_webhook_outbox;"), "0");
    database_end();
}
END_TEST

START_TEST(claims_are_given_back)
{
    start(_i);
    put("s", 1, "a1");
    put("s", 1, "a2");
    ck_assert_str_eq(bodies(claim("s", "me", 10)), "a1");
    OK(mdm_store_webhook_release(st, "s", "you"));
    ck_assert_int_eq(claim("s", "you", 10)->nelts, 0);
    OK(mdm_store_webhook_release(st, "s", "me"));
    ck_assert_str_eq(bodies(claim("s", "you", 10)), "a1");
    database_end();
}
END_TEST

START_TEST(what_does_not_open_holds_up_nobody)
{
    apr_array_header_t *rows;

    start(_i);
    put("s", 1, "a1");
    database_sql("UPDATE mdm_webhook_outbox SET body = 'spoiled';");
    put("s", 1, "a2");
    ck_assert_int_eq(claim("s", "me", 10)->nelts, 0);
    rows = claim("s", "me", 10);
    ck_assert_str_eq(bodies(rows), "a2");
    database_end();
}
END_TEST

START_TEST(old_events_and_those_of_nobody_go)
{
    apr_time_t crowd = 0;
    const char *sink = NULL;
    int dropped = 0;

    start(_i);
    put("s", 1, "a1");
    st->ctx->fixed_now += 100 * SECOND;
    put("s", 1, "a2");
    put("u", 1, "c1");
    OK(mdm_store_webhook_crowd(&crowd, st, "s", 2));
    ck_assert_int_eq(crowd, 0);
    OK(mdm_store_webhook_crowd(&crowd, st, "s", 1));
    ck_assert_int_eq(crowd, st->ctx->fixed_now - 100 * SECOND);
    OK(mdm_store_webhook_expire(&dropped, st, "s", crowd));
    ck_assert_int_eq(dropped, 1);
    ck_assert_str_eq(bodies(claim("s", "me", 10)), "a2");
    OK(mdm_store_webhook_next_sink(&sink, st, ""));
    ck_assert_str_eq(sink, "s");
    OK(mdm_store_webhook_next_sink(&sink, st, sink));
    ck_assert_str_eq(sink, "u");
    OK(mdm_store_webhook_forget(&dropped, st, "u", st->ctx->fixed_now - 1));
    ck_assert_int_eq(dropped, 0);
    OK(mdm_store_webhook_forget(&dropped, st, "u", st->ctx->fixed_now));
    ck_assert_int_eq(dropped, 1);
    OK(mdm_store_webhook_next_sink(&sink, st, "s"));
    ck_assert_ptr_null(sink);
    database_end();
}
END_TEST

START_TEST(the_state_of_a_sink)
{
    mdm_webhook_status_t status = { 0 };
    apr_array_header_t *rows;

    start(_i);
    OK(mdm_store_webhook_status(&status, st, "s"));
    ck_assert_int_eq(status.waiting, 0);
    ck_assert_int_eq(status.oldest, 0);
    put("s", 1, "a1");
    put("s", 2, "b1");
    rows = claim("s", "me", 1);
    OK(mdm_store_webhook_failed(st, "me", &APR_ARRAY_IDX(rows, 0, mdm_webhook_row_t), st->ctx->fixed_now, "refused"));
    OK(mdm_store_webhook_status(&status, st, "s"));
    ck_assert_int_eq(status.waiting, 2);
    ck_assert_int_eq(status.oldest, st->ctx->fixed_now);
    ck_assert_str_eq(status.last_error, "refused");
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("webhook_store");
    TCase *tests = tcase_create("store");

    (void)argc;
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, one_enrollments_events_go_one_after_the_other, 0, 2);
    tcase_add_loop_test(tests, the_limit_counts, 0, 2);
    tcase_add_loop_test(tests, a_failure_holds_back_its_followers_only, 0, 2);
    tcase_add_loop_test(tests, a_lease_ends_and_then_the_first_owner_has_no_say, 0, 2);
    tcase_add_loop_test(tests, claims_are_given_back, 0, 2);
    tcase_add_loop_test(tests, what_does_not_open_holds_up_nobody, 0, 2);
    tcase_add_loop_test(tests, old_events_and_those_of_nobody_go, 0, 2);
    tcase_add_loop_test(tests, the_state_of_a_sink, 0, 2);
    suite_add_tcase(suite, tests);
    return database_main(suite, argv);
}
