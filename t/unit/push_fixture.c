/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The push engine with a database and a mock, for its unit programs; see push_fixture.h. Test code only.
 */
#include <string.h>

#include <apr_strings.h>

#include "push_fixture.h"

push_fixture_t fx;

static void keep_line(const mdm_log_t *log, mdm_log_level_e level, const char *file, int line,
                      apr_status_t rv, const char *text)
{
    (void)log;
    (void)file;
    (void)line;
    (void)rv;
    if (level <= MDM_LOG_WARNING)
        fx.log_text = apr_pstrcat(fx.ctx->pool, fx.log_text, text, "\n", NULL);
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
    if (fx.database_fails)
        return mdm_fail(own, MDM_EDB, "the test says no");
    made->ctx = own;
    made->seal = fx.store->seal;
    ck_assert_msg(mdm_db_open(&made->db, own, database_driver(), database_params()) == APR_SUCCESS, "%s",
                  own->detail);
    *st = made;
    fx.opened++;
    return APR_SUCCESS;
}

static void close_store(mdm_store_t *st, void *baton)
{
    (void)st;
    (void)baton;
    fx.closed++;
}

void fixture_setup(void)
{
    fx.ctx = oracle_start();
    database_start(0);
    fx.store = database_ready(fx.ctx->pool);
    fx.log_text = apr_pstrdup(fx.ctx->pool, "");
    fx.database_fails = fx.opened = fx.closed = 0;
    apns_mock_start(&fx.mock, fx.ctx, "");
}

void fixture_teardown(void)
{
    ck_assert_int_eq(fx.opened, fx.closed);
    apns_mock_stop();
    database_end();
    oracle_end();
}

void fixture_make_engine_at(const char *url)
{
    mdm_push_config_t config = { 0 };

    config.open = open_store;
    config.close = close_store;
    config.owner = "test";
    config.base_url = url;
    config.ca_pem = fx.mock.ca;
    config.expiration = apr_time_from_sec(3600);
    config.interval = apr_time_from_sec(5);
    config.concurrency = 100;
    config.retry_first = apr_time_from_sec(3600);
    config.retry_max = apr_time_from_sec(86400);
    config.rate = fx.rate;
    fx.engine_ctx = mdm_ctx_create(fx.ctx->pool, &log_sink);
    fx.engine_ctx->fixed_now = apr_time_now();
    ck_assert_int_eq(mdm_http_create(&fx.http, mdm_ctx_create(fx.ctx->pool, &log_sink), 1, 100), APR_SUCCESS);
    ck_assert_int_eq(mdm_push_create(&fx.push, fx.engine_ctx, fx.http, &config), APR_SUCCESS);
}

void fixture_upload(mdm_bytes_t certificate, mdm_bytes_t key, apr_time_t not_after)
{
    mdm_push_topic_t topic = { 0 };

    topic.topic = MOCK_TOPIC;
    topic.certificate_pem = (const char *)certificate.data;
    topic.key_pem = key;
    topic.not_after = not_after ? not_after : apr_time_now() + apr_time_from_sec(86400);
    topic.uploaded_at = apr_time_now();
    ck_assert_int_eq(mdm_store_push_topic_put(fx.store, &topic), APR_SUCCESS);
}

void fixture_make_engine(void)
{
    fixture_upload(fx.mock.certificate, fx.mock.key, 0);
    fixture_make_engine_at(fx.mock.url);
}

/* Device n: token "deadbeef<n>", magic "MAGIC-<n>", token sent at `token_at`. */
static apr_status_t enroll_some(void *baton, mdm_db_t *db)
{
    int count = *(int *)baton, i;

    (void)db;
    for (i = 0; i < count; i++) {
        unsigned char token[8] = {
            0xde, 0xad, 0xbe, 0xef, 0, (unsigned char)(i >> 16), (unsigned char)(i >> 8), (unsigned char)i
        };
        mdm_enrollment_t enrollment = { 0 };
        mdm_tokens_t tokens = { 0 };

        enrollment.id = i + 1;
        enrollment.enrollment_id = apr_psprintf(fx.store->ctx->pool, "DEVICE-%d", i);
        enrollment.type = "Device";
        enrollment.state = MDM_STATE_PENDING;
        enrollment.created_at = apr_time_now();
        ck_assert_int_eq(mdm_store_enrollment_insert(fx.store, &enrollment), APR_SUCCESS);
        tokens.topic = MOCK_TOPIC;
        tokens.push_token.data = token;
        tokens.push_token.len = 8;
        tokens.push_magic = apr_psprintf(fx.store->ctx->pool, "MAGIC-%d", i);
        ck_assert_int_eq(mdm_store_enrollment_token_update(fx.store, i + 1, &tokens), APR_SUCCESS);
    }
    return APR_SUCCESS;
}

void fixture_want_one(int i)
{
    ck_assert_int_eq(mdm_store_push_want_one(fx.store, i + 1, mdm_ctx_now(fx.engine_ctx)), APR_SUCCESS);
}

apr_status_t fixture_want_some(void *baton, mdm_db_t *db)
{
    int i;

    (void)db;
    for (i = 0; i < *(int *)baton; i++)
        fixture_want_one(i);
    return APR_SUCCESS;
}

void fixture_enroll(int count)
{
    ck_assert_int_eq(mdm_db_transact(fx.store->db, enroll_some, &count), APR_SUCCESS);
    ck_assert_int_eq(mdm_db_transact(fx.store->db, fixture_want_some, &count), APR_SUCCESS);
}

mdm_push_counts_t fixture_counts(void)
{
    mdm_push_counts_t now;

    mdm_push_counts(&now, fx.push);
    return now;
}

/* Run the engine until it has nothing more to do at this time. */
void fixture_run(void)
{
    apr_time_t limit = apr_time_now() + apr_time_from_sec(60);
    int woken = 1, rest = 0;

    while (rest < 3) {
        int waits = mdm_push_turn(fx.push, woken) && mdm_http_pending(fx.http);

        ck_assert_int_eq(mdm_http_run(fx.http, waits ? apr_time_from_msec(20) : 0, -1), APR_SUCCESS);
        rest = mdm_http_pending(fx.http) || (fixture_counts().unwritten && !fx.database_fails) ? 0 : rest + 1;
        woken = 0;
        ck_assert_int_lt(apr_time_now(), limit);
    }
}

void fixture_pass(apr_interval_time_t time)
{
    fx.engine_ctx->fixed_now += time;
}

void fixture_rule(const char *json)
{
    json_decref(apns_mock_control(&fx.mock, fx.ctx, "/answers", json));
}

void fixture_assert_row(int device, const char *expected)
{
    const char *sql = "SELECT due_at > 0, attempts, COALESCE(lease_owner, '-'), last_reason FROM mdm_push "
        "WHERE enrollment = %d;";

    ck_assert_str_eq(database_sql(apr_psprintf(fx.ctx->pool, sql, device + 1)), expected);
}

apr_interval_time_t fixture_due_in(int device)
{
    const char *sql = apr_psprintf(fx.ctx->pool, "SELECT due_at FROM mdm_push WHERE enrollment = %d;",
                                   device + 1);

    return apr_atoi64(database_sql(sql)) - fx.engine_ctx->fixed_now;
}

int fixture_mock_pushes(void)
{
    return apns_mock_stat(&fx.mock, fx.ctx, "pushes");
}

int fixture_main(Suite *suite, TCase *tests)
{
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
