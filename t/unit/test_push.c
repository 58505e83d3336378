/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The push engine on SQLite against the mock of APNs: what is sent, what is written down for each answer, and that
 * nothing is lost or sent in a hurry when APNs, the certificate or the database fails. What the tables hold is asked
 * of the sqlite3 program. Time is the engine's own: tests move it on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <apr_strings.h>

#include "apns_mock.h"
#include "database.h"
#include "mdm_push.h"

static mdm_ctx_t *ctx, *engine_ctx;
static mdm_store_t *store;
static apns_mock_t mock;
static mdm_http_t *http;
static mdm_push_t *push;
static int database_fails, opened, closed;
static char *log_text;

/* ---- fixture */

static void keep_line(const mdm_log_t *log, mdm_log_level_e level, const char *file, int line, apr_status_t rv,
                      const char *text)
{
    (void)log;
    (void)file;
    (void)line;
    (void)rv;
    if (level <= MDM_LOG_WARNING)
        log_text = apr_pstrcat(ctx->pool, log_text, text, "\n", NULL);
    ck_assert_msg(!strstr(text, "MAGIC") && !strstr(text, "deadbeef"), "a secret in the log: %s", text);
}

static int wants_line(const mdm_log_t *log, mdm_log_level_e level)
{
    (void)log;
    (void)level;
    return 1;
}

static const mdm_log_t log_sink = { keep_line, wants_line, NULL };

static apr_status_t open_store(mdm_store_t **st, mdm_ctx_t *own, void *baton)
{
    mdm_store_t *made = apr_pcalloc(own->pool, sizeof(*made));

    (void)baton;
    if (database_fails)
        return mdm_fail(own, MDM_EDB, "the test says no");
    made->ctx = own;
    made->seal = store->seal;
    ck_assert_msg(mdm_db_open(&made->db, own, database_driver(), database_params()) == APR_SUCCESS, "%s", own->detail);
    *st = made;
    opened++;
    return APR_SUCCESS;
}

static void close_store(mdm_store_t *st, void *baton)
{
    (void)st;
    (void)baton;
    closed++;
}

static void setup(void)
{
    ctx = oracle_start();
    database_start(0);
    store = database_ready(ctx->pool);
    log_text = apr_pstrdup(ctx->pool, "");
    database_fails = opened = closed = 0;
    apns_mock_start(&mock, ctx, "");
}

static void teardown(void)
{
    ck_assert_int_eq(opened, closed);
    apns_mock_stop();
    database_end();
    oracle_end();
}

static void make_engine_at(const char *url)
{
    mdm_push_config_t config = { 0 };

    config.open = open_store;
    config.close = close_store;
    config.owner = "test";
    config.base_url = url;
    config.ca_pem = mock.ca;
    config.expiration = apr_time_from_sec(3600);
    config.interval = apr_time_from_sec(5);
    config.concurrency = 100;
    engine_ctx = mdm_ctx_create(ctx->pool, &log_sink);
    engine_ctx->fixed_now = apr_time_now();
    ck_assert_int_eq(mdm_http_create(&http, mdm_ctx_create(ctx->pool, &log_sink), 1, 100), APR_SUCCESS);
    ck_assert_int_eq(mdm_push_create(&push, engine_ctx, http, &config), APR_SUCCESS);
}

static void upload(mdm_bytes_t certificate, mdm_bytes_t key, apr_time_t not_after)
{
    mdm_push_topic_t topic = { 0 };

    topic.topic = MOCK_TOPIC;
    topic.certificate_pem = (const char *)certificate.data;
    topic.key_pem = key;
    topic.not_after = not_after ? not_after : apr_time_now() + apr_time_from_sec(86400);
    topic.uploaded_at = apr_time_now();
    ck_assert_int_eq(mdm_store_push_topic_put(store, &topic), APR_SUCCESS);
}

static void make_engine(void)
{
    upload(mock.certificate, mock.key, 0);
    make_engine_at(mock.url);
}

/* Device n: token "deadbeef<n>", magic "MAGIC-<n>", token sent at `token_at`. */
static apr_status_t enroll_some(void *baton, mdm_db_t *db)
{
    int count = *(int *)baton, i;

    (void)db;
    for (i = 0; i < count; i++) {
        unsigned char token[8] = { 0xde, 0xad, 0xbe, 0xef, 0, (unsigned char)(i >> 16), (unsigned char)(i >> 8),
                                   (unsigned char)i };
        mdm_enrollment_t enrollment = { 0 };
        mdm_tokens_t tokens = { 0 };

        enrollment.id = i + 1;
        enrollment.enrollment_id = apr_psprintf(store->ctx->pool, "DEVICE-%d", i);
        enrollment.type = "Device";
        enrollment.state = MDM_STATE_PENDING;
        enrollment.created_at = apr_time_now();
        ck_assert_int_eq(mdm_store_enrollment_insert(store, &enrollment), APR_SUCCESS);
        tokens.topic = MOCK_TOPIC;
        tokens.push_token.data = token;
        tokens.push_token.len = 8;
        tokens.push_magic = apr_psprintf(store->ctx->pool, "MAGIC-%d", i);
        ck_assert_int_eq(mdm_store_enrollment_token_update(store, i + 1, &tokens), APR_SUCCESS);
    }
    return APR_SUCCESS;
}

static void want_one(int i)
{
    ck_assert_int_eq(mdm_store_push_want_one(store, i + 1, mdm_ctx_now(engine_ctx)), APR_SUCCESS);
}

static apr_status_t want_some(void *baton, mdm_db_t *db)
{
    int i;

    (void)db;
    for (i = 0; i < *(int *)baton; i++)
        want_one(i);
    return APR_SUCCESS;
}

static void enroll(int count)
{
    ck_assert_int_eq(mdm_db_transact(store->db, enroll_some, &count), APR_SUCCESS);
    ck_assert_int_eq(mdm_db_transact(store->db, want_some, &count), APR_SUCCESS);
}

static mdm_push_counts_t counts(void)
{
    mdm_push_counts_t now;

    mdm_push_counts(&now, push);
    return now;
}

/* Run the engine until it has nothing more to do at this time. */
static void run(void)
{
    apr_time_t limit = apr_time_now() + apr_time_from_sec(60);
    int woken = 1, rest = 0;

    while (rest < 3) {
        (void)mdm_push_turn(push, woken);
        ck_assert_int_eq(mdm_http_run(http, mdm_http_pending(http) ? apr_time_from_msec(20) : 0, -1), APR_SUCCESS);
        rest = mdm_http_pending(http) || (counts().unwritten && !database_fails) ? 0 : rest + 1;
        woken = 0;
        ck_assert_int_lt(apr_time_now(), limit);
    }
}

static void pass(apr_interval_time_t time)
{
    engine_ctx->fixed_now += time;
}

static void rule(const char *json)
{
    json_decref(apns_mock_control(&mock, ctx, "/answers", json));
}

static void assert_row(int device, const char *expected)
{
    const char *sql = "SELECT due_at > 0, attempts, COALESCE(lease_owner, '-'), last_reason FROM mdm_push "
        "WHERE enrollment = %d;";

    ck_assert_str_eq(database_sql(apr_psprintf(ctx->pool, sql, device + 1)), expected);
}

static apr_interval_time_t due_in(int device)
{
    const char *sql = apr_psprintf(ctx->pool, "SELECT due_at FROM mdm_push WHERE enrollment = %d;", device + 1);

    return apr_atoi64(database_sql(sql)) - engine_ctx->fixed_now;
}

static int mock_pushes(void)
{
    return apns_mock_stat(&mock, ctx, "pushes");
}

/* ---- tests */

START_TEST(test_sends)
{
    json_t *pushes, *first;

    make_engine();
    enroll(3);
    run();
    ck_assert_int_eq(counts().sent, 3);
    ck_assert_str_eq(log_text, "");
    assert_row(0, "0|0|-|Success");
    assert_row(2, "0|0|-|Success");
    pushes = apns_mock_control(&mock, ctx, "/pushes?token=deadbeef00000001", NULL);
    ck_assert_uint_eq(json_array_size(pushes), 1);
    first = json_array_get(pushes, 0);
    ck_assert_str_eq(json_string_value(json_object_get(first, "magic")), "MAGIC-1");
    ck_assert_str_eq(json_string_value(json_object_get(first, "topic")), MOCK_TOPIC);
    json_decref(pushes);
    ck_assert_int_eq(apns_mock_stat(&mock, ctx, "violations"), 0);
    run();
    ck_assert_int_eq(mock_pushes(), 3);
}
END_TEST

START_TEST(test_many_over_one_connection)
{
    make_engine();
    enroll(1300);
    run();
    ck_assert_int_eq(counts().sent, 1300);
    ck_assert_int_eq(mock_pushes(), 1300);
    ck_assert_int_eq(apns_mock_stat(&mock, ctx, "connections_opened"), 1);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0 OR lease_owner IS NOT NULL;"), "0");
    ck_assert_int_eq(apns_mock_stat(&mock, ctx, "violations"), 0);
}
END_TEST

START_TEST(test_new_wish_while_under_way)
{
    make_engine();
    enroll(1);
    rule("{\"status\":200,\"delay\":0.3}");
    (void)mdm_push_turn(push, 1);
    ck_assert_int_eq(counts().under_way, 1);
    pass(apr_time_from_sec(1));
    want_one(0);
    run();
    ck_assert_int_eq(mock_pushes(), 2);
    assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_many_wishes_are_one_push)
{
    int i;

    make_engine();
    enroll(1);
    rule("{\"reason\":\"ServiceUnavailable\"}");
    run();
    for (i = 0; i < 10; i++) {
        want_one(0);
        (void)mdm_push_turn(push, 1);
    }
    ck_assert_int_eq(mock_pushes(), 1);
    pass(apr_time_from_sec(1));
    run();
    ck_assert_int_eq(mock_pushes(), 2);
    assert_row(0, "0|0|-|Success");
    /* and while one is under way */
    rule("{\"status\":200,\"delay\":0.2}");
    want_one(0);
    (void)mdm_push_turn(push, 1);
    for (i = 0; i < 10; i++) {
        want_one(0);
        (void)mdm_push_turn(push, 1);
    }
    ck_assert_int_eq(counts().under_way, 1);
    run();
    ck_assert_int_eq(mock_pushes(), 4);
    assert_row(0, "0|0|-|Success");
    ck_assert_int_eq(counts().ready, 0);
}
END_TEST

START_TEST(test_dead_token_ends_the_next_wish_too)
{
    make_engine();
    enroll(1);
    rule("{\"reason\":\"Unregistered\",\"delay\":0.2}");
    (void)mdm_push_turn(push, 1);
    want_one(0);
    (void)mdm_push_turn(push, 1);
    run();
    ck_assert_int_eq(mock_pushes(), 1);
    assert_row(0, "0|0|-|Unregistered");
}
END_TEST

START_TEST(test_backoff_grows)
{
    apr_interval_time_t wait;
    int i;

    make_engine();
    enroll(1);
    rule("{\"reason\":\"TooManyRequests\",\"default\":true}");
    for (i = 0; i < 14; i++) {
        apr_interval_time_t whole = i < 12 ? apr_time_from_sec(1) << i : apr_time_from_sec(3600);

        run();
        assert_row(0, apr_psprintf(ctx->pool, "1|%d|-|TooManyRequests", i + 1));
        wait = due_in(0);
        ck_assert_msg(wait >= whole / 2 && wait <= whole, "%d: %" APR_TIME_T_FMT, i, wait);
        pass(wait - 1);
        run();
        ck_assert_int_eq(mock_pushes(), i + 1);
        pass(1);
    }
    json_decref(apns_mock_control(&mock, ctx, "/clear", "{\"pushes\":false}"));
    run();
    assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_retry_after)
{
    make_engine();
    enroll(2);
    rule("{\"reason\":\"TooManyRequests\",\"retry_after\":90,\"token\":\"deadbeef00000000\"}");
    run();
    assert_row(0, "1|1|-|TooManyRequests");
    assert_row(1, "0|0|-|Success");
    ck_assert_int_eq(due_in(0), apr_time_from_sec(90));
}
END_TEST

START_TEST(test_dead_token)
{
    make_engine();
    enroll(2);
    rule("{\"reason\":\"Unregistered\",\"token\":\"deadbeef00000000\"}");
    run();
    ck_assert_int_eq(counts().dead, 1);
    assert_row(0, "0|0|-|Unregistered");
    pass(apr_time_from_sec(10));
    want_one(0);
    run();
    ck_assert_int_eq(mock_pushes(), 2);
    oracle_has(log_text, "DEVICE-0: 410 Unregistered");
}
END_TEST

START_TEST(test_410_older_than_the_token)
{
    make_engine();
    enroll(1);
    rule("{\"reason\":\"Unregistered\",\"timestamp\":1500000000}");
    run();
    ck_assert_int_eq(counts().dead, 0);
    assert_row(0, "1|1|-|Unregistered");
    pass(apr_time_from_sec(2));
    run();
    assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_our_mistake_is_not_repeated)
{
    make_engine();
    enroll(1);
    rule("{\"reason\":\"BadPriority\"}");
    run();
    assert_row(0, "0|1|-|BadPriority");
    oracle_has(log_text, "400 BadPriority");
}
END_TEST

START_TEST(test_refused_topic)
{
    make_engine();
    enroll(200);
    rule("{\"reason\":\"BadCertificate\",\"default\":true}");
    run();
    ck_assert_int_eq(mock_pushes(), 1);
    ck_assert_int_eq(counts().failed, 200);
    assert_row(0, "1|1|-|BadCertificate");
    assert_row(199, "1|1|-|BadCertificate");
    ck_assert_int_eq(oracle_count(log_text, "no pushes for topic " MOCK_TOPIC " (BadCertificate)"), 1);
    ck_assert_int_eq(due_in(0), apr_time_from_sec(900));
    /* still so after a quarter of an hour: said again */
    pass(apr_time_from_sec(900));
    run();
    ck_assert_int_eq(mock_pushes(), 2);
    ck_assert_int_eq(oracle_count(log_text, "no pushes for topic"), 2);
    json_decref(apns_mock_control(&mock, ctx, "/clear", "{\"pushes\":false}"));
    pass(apr_time_from_sec(900));
    run();
    ck_assert_int_eq(mock_pushes(), 202);
}
END_TEST

START_TEST(test_certificate_comes_later)
{
    make_engine_at(mock.url);
    enroll(2);
    run();
    ck_assert_int_eq(mock_pushes(), 0);
    assert_row(0, "1|1|-|NoCertificate");
    ck_assert_int_eq(oracle_count(log_text, "no push certificate"), 1);
    upload(mock.certificate, mock.key, 0);
    pass(apr_time_from_sec(1));
    want_one(0);
    run();
    assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_renewed_certificate)
{
    mdm_bytes_t certificate, key;

    make_engine();
    enroll(1);
    run();
    apns_mock_certificate(&certificate, &key, MOCK_TOPIC, "renewed");
    upload(certificate, key, 0);
    pass(apr_time_from_sec(1));
    want_one(0);
    run();
    ck_assert_int_eq(mock_pushes(), 2);
    ck_assert_int_eq(apns_mock_stat(&mock, ctx, "connections_opened"), 2);
    assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_expired_certificate)
{
    make_engine_at(mock.url);
    upload(mock.certificate, mock.key, engine_ctx->fixed_now - 1);
    enroll(1);
    run();
    ck_assert_int_eq(apns_mock_stat(&mock, ctx, "connections_opened"), 0);
    assert_row(0, "1|1|-|ExpiredCertificate");
    oracle_has(log_text, "renew it");
}
END_TEST

START_TEST(test_test_certificate_never_goes_to_apple)
{
    /* A name of Apple's that resolves to nothing: a try would be seen as another reason. */
    oracle_run("openssl req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.pem -days 30 "
               "-subj /UID=" MOCK_TOPIC "/CN=self");
    upload(oracle_read("self.pem"), oracle_read("self.key"), 0);
    make_engine_at("https://invalid.push.apple.com:1");
    enroll(1);
    run();
    assert_row(0, "1|1|-|TestCertificate");
    oracle_has(log_text, "self-signed");
}
END_TEST

START_TEST(test_no_way_to_apns)
{
    apr_interval_time_t wait;
    int i;

    upload(mock.certificate, mock.key, 0);
    apns_mock_stop();
    make_engine_at(mock.url);
    enroll(120);
    for (i = 0; i < 10; i++) {
        run();
        ck_assert_int_eq(counts().failed, i + 1);   /* one tries it for all */
        ck_assert_int_eq(counts().ready + counts().dropped + counts().failed, counts().claimed);
        wait = mdm_push_turn(push, 0) - engine_ctx->fixed_now;
        ck_assert_int_gt(wait, 0);
        pass(apr_time_from_sec(1) << i > apr_time_from_sec(60) ? apr_time_from_sec(60) : apr_time_from_sec(1) << i);
    }
    ck_assert_int_eq(oracle_count(log_text, "APNs takes no pushes"), 10);
    oracle_has(log_text, "no answer: Failed to connect");
}
END_TEST

START_TEST(test_apns_comes_back)
{
    make_engine();
    enroll(300);
    rule("[{\"reason\":\"ServiceUnavailable\",\"times\":3}]");
    run();
    ck_assert_int_eq(mock_pushes(), 1);
    pass(apr_time_from_sec(1));
    run();
    pass(apr_time_from_sec(2));
    run();
    ck_assert_int_eq(mock_pushes(), 3);
    pass(apr_time_from_sec(4));
    run();
    pass(apr_time_from_sec(60));
    run();
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE last_reason = 'Success';"), "300");
}
END_TEST

START_TEST(test_lost_connection_amid_many)
{
    make_engine();
    enroll(400);
    rule(apr_psprintf(ctx->pool, "[{\"status\":200,\"times\":150},{\"status\":200,\"action\":\"%s\"}]",
                      _i ? "close" : "goaway"));
    run();
    pass(apr_time_from_sec(120));
    run();
    pass(apr_time_from_sec(120));
    run();
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE last_reason = 'Success' AND due_at = 0;"),
                     "400");
    ck_assert_int_le(apns_mock_stat(&mock, ctx, "connections_opened"), 4);
}
END_TEST

START_TEST(test_database_fails_before_the_claim)
{
    make_engine();
    enroll(1);
    database_fails = 1;
    run();
    pass(apr_time_from_sec(1));
    run();
    ck_assert_int_eq(oracle_count(log_text, "pushes wait for the database"), 1);
    ck_assert_int_eq(mdm_push_turn(push, 0), engine_ctx->fixed_now + apr_time_from_sec(1));
    database_fails = 0;
    pass(apr_time_from_sec(1));
    run();
    assert_row(0, "0|0|-|Success");
}
END_TEST

START_TEST(test_database_fails_after_the_push)
{
    make_engine();
    enroll(2);
    (void)mdm_push_turn(push, 1);
    database_fails = 1;
    run();
    ck_assert_int_eq(mock_pushes(), 2);
    ck_assert_int_eq(counts().unwritten, 2);
    database_fails = 0;
    pass(apr_time_from_sec(1));
    run();
    assert_row(0, "0|0|-|Success");
    assert_row(1, "0|0|-|Success");
    ck_assert_int_eq(mock_pushes(), 2);
    ck_assert_int_eq(oracle_count(log_text, "pushes wait for the database"), 1);
}
END_TEST

START_TEST(test_dead_process_loses_nothing)
{
    make_engine();
    enroll(2);
    rule("{\"status\":200,\"action\":\"silence\",\"times\":2}");
    (void)mdm_push_turn(push, 1);
    /* another process, while the first one's lease lasts and after it */
    make_engine_at(mock.url);
    run();
    ck_assert_int_eq(counts().claimed, 0);
    pass(MDM_PUSH_LEASE + apr_time_from_sec(1));
    json_decref(apns_mock_control(&mock, ctx, "/clear", "{}"));
    run();
    ck_assert_int_eq(counts().sent, 2);
}
END_TEST

START_TEST(test_stop_gives_claims_back)
{
    make_engine();
    enroll(300);
    rule("{\"status\":200,\"action\":\"silence\",\"default\":true}");
    (void)mdm_push_turn(push, 1);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE lease_owner = 'test';"), "300");
    mdm_push_stop(push);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE lease_owner IS NULL AND due_at > 0;"), "300");
    json_decref(apns_mock_control(&mock, ctx, "/clear", "{}"));
    make_engine_at(mock.url);
    run();
    ck_assert_int_eq(counts().sent, 300);
}
END_TEST

START_TEST(test_sleeps_until_due)
{
    apr_time_t base;

    make_engine();
    enroll(1);
    run();
    base = engine_ctx->fixed_now;
    ck_assert_int_eq(mdm_store_push_want_one(store, 1, base + apr_time_from_msec(700)), APR_SUCCESS);
    ck_assert_int_eq(mdm_push_turn(push, 1), base + apr_time_from_msec(700));
    ck_assert_int_eq(counts().claimed, 1);
    pass(apr_time_from_msec(700));
    run();
    ck_assert_int_eq(counts().sent, 2);
    /* another node's wish, nobody wakes us: the sweep finds it */
    want_one(0);
    ck_assert_int_eq(mdm_push_turn(push, 0), engine_ctx->fixed_now + apr_time_from_sec(1));
    ck_assert_int_eq(counts().claimed, 2);
    pass(apr_time_from_sec(5));
    (void)mdm_push_turn(push, 0);
    ck_assert_int_eq(counts().claimed, 3);
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

    make_engine();
    engine_ctx->fixed_now = 0;
    enroll(count);
    run();
    early = memory_kb();
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(mdm_db_transact(store->db, want_some, &count), APR_SUCCESS);
        cpu = cpu_seconds();
        start = apr_time_now();
        run();
        took = (double)(apr_time_now() - start) / 1e6;
        cpu = cpu_seconds() - cpu;
    }
    late = memory_kb();
    printf("%d pushes: %.0f/s, %.1f us of CPU each, resident %ld then %ld kB\n", count, count / took,
           cpu * 1e6 / count, early, late);
    ck_assert_int_eq(counts().sent, 4 * count);
    ck_assert_int_eq(apns_mock_stat(&mock, ctx, "connections_opened"), 1);
    ck_assert_int_lt(late - early, 8192);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("push");
    TCase *tests = tcase_create("push");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_sends);
    tcase_add_test(tests, test_many_over_one_connection);
    tcase_add_test(tests, test_new_wish_while_under_way);
    tcase_add_test(tests, test_many_wishes_are_one_push);
    tcase_add_test(tests, test_dead_token_ends_the_next_wish_too);
    tcase_add_test(tests, test_backoff_grows);
    tcase_add_test(tests, test_retry_after);
    tcase_add_test(tests, test_dead_token);
    tcase_add_test(tests, test_410_older_than_the_token);
    tcase_add_test(tests, test_our_mistake_is_not_repeated);
    tcase_add_test(tests, test_refused_topic);
    tcase_add_test(tests, test_certificate_comes_later);
    tcase_add_test(tests, test_renewed_certificate);
    tcase_add_test(tests, test_expired_certificate);
    tcase_add_test(tests, test_test_certificate_never_goes_to_apple);
    tcase_add_test(tests, test_no_way_to_apns);
    tcase_add_test(tests, test_apns_comes_back);
    tcase_add_loop_test(tests, test_lost_connection_amid_many, 0, 2);
    tcase_add_test(tests, test_database_fails_before_the_claim);
    tcase_add_test(tests, test_database_fails_after_the_push);
    tcase_add_test(tests, test_dead_process_loses_nothing);
    tcase_add_test(tests, test_stop_gives_claims_back);
    tcase_add_test(tests, test_sleeps_until_due);
    tcase_add_test(tests, test_ten_thousand);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
