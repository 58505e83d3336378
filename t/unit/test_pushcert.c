/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Push certificates on both databases: which are let in, and how their ends are announced, by a clock of the test's
 * own.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_pushcert.h"
#include "mdm_pushcert_watch.h"
#include "oracle.h"

#define DAY apr_time_from_sec(86400)
#define HOUR apr_time_from_sec(3600)
#define A "com.apple.mgmt.External.a"
#define B "com.apple.mgmt.External.b"

static mdm_ctx_t *ctx, *watch_ctx;
static mdm_store_t *st;
static const char *said;             /* by the watch: level and id of each line */
static apr_time_t now;

static void keep_line(const mdm_log_t *log, mdm_log_level_e level, const char *file, int line, apr_status_t rv,
                      const char *text)
{
    (void)log;
    (void)file;
    (void)line;
    (void)rv;
    if (level <= MDM_LOG_WARNING)
        said = apr_psprintf(ctx->pool, "%s%s %s\n", said, level == MDM_LOG_WARNING ? "warning" : "error", text);
}

static int wants_line(const mdm_log_t *log, mdm_log_level_e level)
{
    (void)log;
    (void)level;
    return 1;
}

static const mdm_log_t log_sink = { keep_line, wants_line, NULL };

static apr_status_t open_store(mdm_store_t **out, mdm_ctx_t *own, void *baton)
{
    mdm_store_t *made = apr_pcalloc(own->pool, sizeof(*made));

    (void)baton;
    made->ctx = own;
    made->seal = st->seal;
    *out = made;
    return mdm_db_open(&made->db, own, database_driver(), database_params());
}

static void close_store(mdm_store_t *lent, void *baton)
{
    (void)lent;
    (void)baton;
}

static void start(int loop)
{
    ctx = oracle_start();
    database_start(loop);
    st = database_ready(ctx->pool);
    now = apr_time_now();
    said = "";
    watch_ctx = mdm_ctx_create(ctx->pool, &log_sink);
}

static void end(void)
{
    database_end();
    oracle_end();
}

static mdm_pushcert_watch_t *new_watch(void)
{
    return mdm_pushcert_watch_create(watch_ctx, open_store, close_store, NULL);
}

static void put(const char *topic, apr_time_t not_after)
{
    mdm_push_topic_t t = { 0 };

    t.topic = topic;
    t.certificate_pem = "pem";
    t.key_pem = mdm_bytes_of("key");
    t.not_after = not_after;
    t.uploaded_at = now;
    ck_assert_int_eq(mdm_store_push_topic_put(st, &t), APR_SUCCESS);
}

/* So many hours of looking, one turn each: what was said meanwhile. */
static const char *look(mdm_pushcert_watch_t *watch, apr_time_t from, int hours)
{
    said = "";
    for (; hours > 0; hours--, from += HOUR) {
        watch_ctx->fixed_now = from;
        ck_assert_int_eq(mdm_pushcert_watch_turn(watch), from + HOUR);
        ck_assert_int_eq(mdm_pushcert_watch_turn(watch), from + HOUR);
    }
    return said;
}

static const char *events_of(const char *topic)
{
    return database_sql(apr_psprintf(ctx->pool, "SELECT detail FROM mdm_event WHERE kind = 'pushcert.expiring' AND "
                                     "object = '%s' ORDER BY id;", topic));
}

START_TEST(test_each_day_from_thirty_days_on)
{
    mdm_pushcert_watch_t *watch;
    const char *text;
    apr_time_t ends;
    int days;

    start(_i);
    ends = now + 100 * DAY;
    put(A, ends);
    put(B, now + 1000 * DAY);
    watch = new_watch();
    ck_assert_str_eq(look(watch, ends - 40 * DAY, 9 * 24), "");
    /* within the day in which 30 days are left, and then each day once */
    for (days = 30; days > -3; days--) {
        text = look(watch, ends - days * DAY, 24);
        ck_assert_msg(oracle_count(text, "\n") == 1, "%d days: %s", days, text);
        oracle_has(text, A);
        oracle_has(text, days > 7 ? "warning MDM0932" : days > 0 ? "error MDM0932" : "error MDM0931");
        oracle_has(text, days > 0 ? apr_psprintf(ctx->pool, "in %d days", days) : "has expired");
    }
    ck_assert_str_eq(events_of(A), "30\n14\n7\n1\nexpired");
    ck_assert_str_eq(events_of(B), "");
    /* renewed: silence, and all from the beginning */
    put(A, ends + 365 * DAY);
    ck_assert_str_eq(look(watch, ends + 10 * DAY, 48), "");
    ck_assert_int_eq(oracle_count(look(watch, ends + 335 * DAY, 24), "\n"), 1);
    ck_assert_str_eq(events_of(A), "30\n14\n7\n1\nexpired\n30");
    end();
}
END_TEST

START_TEST(test_each_topic_is_told_of_and_each_stage_once_for_all_nodes)
{
    mdm_pushcert_watch_t *first, *second;
    const char *text;

    start(_i);
    put(A, now + 20 * DAY);
    put(B, now - DAY);
    first = new_watch();
    second = new_watch();
    text = look(first, now, 1);
    ck_assert_int_eq(oracle_count(text, "\n"), 2);
    oracle_has(text, "warning MDM0932: the push certificate " A " expires in 20 days");
    oracle_has(text, "error MDM0931: the push certificate " B " has expired");
    ck_assert_int_eq(oracle_count(look(second, now, 1), "\n"), 2);
    ck_assert_str_eq(events_of(A), "30");
    ck_assert_str_eq(events_of(B), "expired");
    end();
}
END_TEST

/* ---- uploads */

static void make_certificate(const char *name, const char *topic, int days)
{
    oracle_run(apr_psprintf(ctx->pool, "openssl req -x509 -newkey rsa:2048 -nodes -keyout %s.key -out %s.pem -days %d "
                            "-subj /UID=%s/CN=%s", name, name, days, topic, name));
}

static apr_status_t upload(const char *cert, const char *key, const char *confirm)
{
    mdm_pushcert_upload_t how = { { NULL, 0 }, confirm, NULL, "test", NULL };
    mdm_push_topic_t *stored = NULL;

    mdm_ctx_clear(st->ctx);
    how.pem = mdm_bytes_of(apr_pstrcat(ctx->pool, (const char *)oracle_read(cert).data,
                                       (const char *)oracle_read(key).data, NULL));
    return mdm_pushcert_upload(&stored, st, &how);
}

static void enroll(int id, const char *topic, apr_int64_t parent)
{
    mdm_enrollment_t e = { 0 };
    mdm_tokens_t t = { 0 };

    e.id = id;
    e.enrollment_id = apr_psprintf(ctx->pool, "DEVICE-%d", id);
    e.type = parent ? "User" : "Device";
    e.parent = parent;
    e.state = MDM_STATE_PENDING;
    e.created_at = now;
    ck_assert_int_eq(mdm_store_enrollment_insert(st, &e), APR_SUCCESS);
    t.topic = topic;
    t.push_token = mdm_bytes_of("token");
    t.push_magic = "MAGIC";
    ck_assert_int_eq(mdm_store_enrollment_token_update(st, id, &t), APR_SUCCESS);
}

static const char *kept(void)
{
    return database_sql("SELECT topic, generation FROM mdm_push_topic ORDER BY topic;");
}

/* Enrolled devices of the old topic count: no users, none that has left. A refusal changes nothing. */
START_TEST(test_who_would_be_stranded)
{
    start(_i);
    make_certificate("a", A, 300);
    make_certificate("b", B, 300);
    ck_assert_int_eq(upload("a.pem", "a.key", NULL), APR_SUCCESS);
    enroll(1, A, 0);
    enroll(2, A, 0);
    enroll(3, A, 2);
    enroll(4, A, 0);
    ck_assert_int_eq(mdm_store_enrollment_close(st, 4, MDM_STATE_LEFT), APR_SUCCESS);
    ck_assert_int_eq(upload("b.pem", "b.key", NULL), MDM_EEXIST);
    oracle_has(st->ctx->detail, "2 enrolled devices listen only to " A);
    ck_assert_int_eq(upload("b.pem", "b.key", A), MDM_EEXIST);
    ck_assert_str_eq(kept(), A "|1");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_event WHERE kind = 'pushcert.stored';"), "1");
    ck_assert_int_eq(upload("b.pem", "b.key", B), APR_SUCCESS);
    ck_assert_str_eq(kept(), A "|1\n" B "|1");
    ck_assert_int_eq(upload("b.pem", "b.key", NULL), APR_SUCCESS);
    end();
}
END_TEST

START_TEST(test_an_older_certificate_and_another_key_are_told_apart)
{
    start(_i);
    make_certificate("old", A, 100);
    make_certificate("new", A, 300);
    ck_assert_int_eq(upload("old.pem", "old.key", NULL), APR_SUCCESS);
    ck_assert_int_eq(upload("new.pem", "new.key", NULL), APR_SUCCESS);
    ck_assert_int_eq(upload("new.pem", "new.key", NULL), APR_SUCCESS);
    ck_assert_int_eq(upload("old.pem", "old.key", NULL), MDM_EEXIST);
    oracle_has(st->ctx->detail, A " is older than the one that is stored");
    ck_assert_int_eq(upload("new.pem", "old.key", NULL), MDM_EINPUT);
    oracle_has(st->ctx->detail, "the key does not belong to the certificate");
    ck_assert_str_eq(kept(), A "|3");
    ck_assert_int_eq(upload("old.pem", "old.key", A), APR_SUCCESS);
    ck_assert_str_eq(kept(), A "|4");
    end();
}
END_TEST

START_TEST(test_days_left)
{
    static const struct { apr_interval_time_t left; int days; } spans[] = {
        { 30 * DAY, 30 }, { 30 * DAY - 1, 29 }, { DAY, 1 }, { DAY - 1, 0 }, { 1, 0 }, { 0, -1 }, { -1, -1 },
        { -DAY + 1, -1 }, { -3 * DAY + 1, -3 }
    };
    size_t i;

    for (i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
        ck_assert_int_eq(mdm_time_days_left(1000 * DAY + spans[i].left, 1000 * DAY), spans[i].days);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("pushcert");
    TCase *tests = tcase_create("pushcert");

    (void)argc;
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, test_each_day_from_thirty_days_on, 0, DATABASES);
    tcase_add_loop_test(tests, test_each_topic_is_told_of_and_each_stage_once_for_all_nodes, 0, DATABASES);
    tcase_add_loop_test(tests, test_who_would_be_stranded, 0, DATABASES);
    tcase_add_loop_test(tests, test_an_older_certificate_and_another_key_are_told_apart, 0, DATABASES);
    tcase_add_test(tests, test_days_left);
    suite_add_tcase(suite, tests);
    return database_main(suite, argv);
}
