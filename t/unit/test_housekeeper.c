/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The housekeeper on both databases, by a clock of the test's own: edges, ends, history in bounded steps, and jobs
 * that one of two does.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_command.h"
#include "mdm_housekeeper.h"
#include "mdm_store_job.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")
#define SECOND apr_time_from_sec(1)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

static mdm_store_t *st;
static mdm_site_t site;
static mdm_ctx_t *ctx;
static mdm_housekeeper_t *keeper;

static apr_status_t lend(mdm_store_t **out, mdm_ctx_t *of_turn, void *baton)
{
    (void)of_turn;
    (void)baton;
    mdm_ctx_clear(st->ctx);
    *out = st;
    return APR_SUCCESS;
}

static void take_back(mdm_store_t *lent, void *baton)
{
    (void)lent;
    (void)baton;
}

static void enrol(apr_int64_t id)
{
    mdm_enrollment_t e = { 0 };
    mdm_tokens_t t = { 0 };

    e.id = id;
    e.enrollment_id = id == 1 ? "A" : apr_psprintf(database_pool(), "B%03d", (int)id);
    e.type = "Device";
    e.state = MDM_STATE_PENDING;
    e.created_at = st->ctx->fixed_now;
    OK(mdm_store_enrollment_insert(st, &e));
    t.topic = "com.apple.mgmt.x";
    t.push_token = mdm_bytes_of("token");
    t.push_magic = "MAGIC";
    t.certificate = apr_pstrcat(database_pool(), "f-", e.enrollment_id, NULL);
    OK(mdm_store_enrollment_token_update(st, id, &t));
}

static void start(int loop)
{
    mdm_push_topic_t topic = { 0 };

    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
    topic.topic = "com.apple.mgmt.x";
    topic.certificate_pem = "PEM";
    topic.key_pem = mdm_bytes_of("KEY");
    topic.not_after = st->ctx->fixed_now + 1000 * HOUR;
    OK(mdm_store_push_topic_put(st, &topic));
    memset(&site, 0, sizeof(site));
    site.history_lifetime = 365 * DAY;
    ctx = mdm_ctx_create(database_pool(), NULL);
    enrol(1);
}

/* A turn of a new housekeeper: its own clock, which is the real one, must not matter. */
static int turn_at(apr_time_t at)
{
    mdm_housekeeper_config_t config = { lend, take_back, NULL, &site, "test" };
    int queued = 0;

    st->ctx->fixed_now = at;
    keeper = mdm_housekeeper_create(ctx, &config);
    mdm_housekeeper_turn(keeper, &queued);
    ck_assert_msg(!st->ctx->detail, "%s", st->ctx->detail);
    return queued;
}

static void order(const char *uuid, apr_time_t not_before, apr_time_t not_after)
{
    mdm_command_t *c = apr_pcalloc(database_pool(), sizeof(*c));
    mdm_command_order_t how = { 0 };
    mdm_command_outcome_t outcome;
    mdm_targets_t whom = { 0 };

    c->uuid = uuid;
    c->request_type = "ProfileList";
    c->body = "<plist/>";
    how.actor = "anna";
    how.not_before = not_before;
    how.not_after = not_after;
    whom.ids = apr_array_make(database_pool(), 1, sizeof(const char *));
    APR_ARRAY_PUSH(whom.ids, const char *) = "A";
    OK(mdm_command_order(&outcome, st, &site, c, &whom, &how));
    if (not_before)
        ck_assert_ptr_null(outcome.targets);
}

START_TEST(a_command_wakes_its_devices_when_its_time_comes)
{
    apr_time_t at;

    start(_i);
    at = st->ctx->fixed_now;
    order("C-1", at + HOUR, 0);
    ck_assert_int_eq(turn_at(at + HOUR - 1), 0);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0;"), "0");
    ck_assert_int_eq(turn_at(at + HOUR), 1);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE enrollment = 1 AND due_at > 0;"), "1");
    ck_assert_str_eq(database_sql("SELECT not_before FROM mdm_queue;"), "0");
    ck_assert_int_eq(turn_at(at + HOUR), 0);
    database_end();
}
END_TEST

/* What waits for a second person comes into its time, too, and must not hide who is to be woken. */
START_TEST(who_is_due_is_woken_beside_what_is_held)
{
    apr_time_t at;
    int i;

    start(_i);
    at = st->ctx->fixed_now;
    for (i = 2; i <= 64; i++)
        enrol(i);
    for (i = 0; i < 2; i++)
        database_sql(apr_psprintf(database_pool(), "INSERT INTO mdm_queue (command, enrollment, priority, notnow, "
                                  "tries, queued_at, sent_at, not_before, not_after, held) SELECT %d, id, 0, 0, 0, 1, "
                                  "0, %" APR_TIME_T_FMT ", 0, %d FROM mdm_enrollment;", 8 + i, at + HOUR, !i));
    ck_assert_int_eq(turn_at(at + HOUR), 1);
    for (i = 0; i < 4; i++)
        turn_at(at + HOUR + i * SECOND);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_queue WHERE not_before = 0;"), "128");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0;"), "64");
    database_end();
}
END_TEST

START_TEST(a_command_ends_when_its_time_is_over)
{
    apr_time_t at;

    start(_i);
    at = st->ctx->fixed_now;
    order("C-1", 0, at + HOUR);
    order("C-2", 0, 0);
    turn_at(at + HOUR - 1);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_queue;"), "2");
    turn_at(at + HOUR);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_queue;"), "1");
    ck_assert_str_eq(database_sql("SELECT status, finished_at FROM mdm_result;"),
                     apr_psprintf(database_pool(), "Expired|%" APR_INT64_T_FMT, at + HOUR));
    database_end();
}
END_TEST

/* More than one step: 1200 of each. */
static void make_history(apr_time_t at)
{
    const char *now = apr_psprintf(database_pool(), "%" APR_INT64_T_FMT, at);
    const char *numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) ";

    database_sql(apr_pstrcat(database_pool(), "INSERT INTO mdm_command (id, uuid, request_type, created_by, created_at,"
                             " body, delivery) ", numbers, "SELECT i, 'OLD-' || i, 'X', 'x', ", now,
                             ", 'body', 0 FROM n;", NULL));
    database_sql(apr_pstrcat(database_pool(), "INSERT INTO mdm_result (command, enrollment, request_type, status, "
                             "finished_at) SELECT id, 1, 'X', 'Acknowledged', ", now, " FROM mdm_command WHERE "
                             "id <= 1100;", NULL));
}

START_TEST(history_is_forgotten_in_bounded_steps)
{
    apr_time_t at, now;
    apr_int64_t cursor = 0;
    int pruned = -1, turns;

    start(_i);
    at = st->ctx->fixed_now;
    make_history(at);
    order("C-OPEN", 0, 0);
    OK(mdm_store_result_prune(&pruned, st, at));
    ck_assert_int_eq(pruned, 0);
    OK(mdm_store_result_prune(&pruned, st, at + 1));
    ck_assert_int_eq(pruned, MDM_QUEUE_STEP);
    OK(mdm_store_command_prune(&pruned, &cursor, st, 0, at + 1));
    ck_assert_int_le(pruned, MDM_QUEUE_STEP);
    ck_assert_int_eq(cursor, MDM_QUEUE_STEP);
    now = at + 366 * DAY;
    for (turns = 0; turns < 50; turns++, now += 2 * SECOND) {
        turn_at(now);
        if (!strcmp(database_sql("SELECT COUNT(*) FROM mdm_command;"), "1"))
            break;
    }
    ck_assert_str_eq(database_sql("SELECT uuid FROM mdm_command;"), "C-OPEN");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_result;"), "0");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_queue;"), "1");
    database_end();
}
END_TEST

START_TEST(of_two_one_does_a_job)
{
    mdm_job_t *mine, *his;
    apr_time_t at;

    start(_i);
    at = st->ctx->fixed_now;
    OK(mdm_store_job_claim(&mine, st, "job", "one", 60 * SECOND));
    ck_assert_ptr_nonnull(mine);
    ck_assert_ptr_null(mine->position);
    OK(mdm_store_job_claim(&his, st, "job", "two", 60 * SECOND));
    ck_assert_ptr_null(his);
    /* who holds it may go on, and who died is followed */
    OK(mdm_store_job_claim(&mine, st, "job", "one", 60 * SECOND));
    ck_assert_ptr_nonnull(mine);
    st->ctx->fixed_now = at + 60 * SECOND;
    OK(mdm_store_job_claim(&his, st, "job", "two", 60 * SECOND));
    ck_assert_ptr_nonnull(his);
    /* the first has lost it: what he says does not count */
    OK(mdm_store_job_advance(st, mine, at + HOUR, "wrong"));
    OK(mdm_store_job_advance(st, his, at + HOUR, "77"));
    OK(mdm_store_job_claim(&mine, st, "job", "one", 60 * SECOND));
    ck_assert_ptr_null(mine);
    st->ctx->fixed_now = at + HOUR;
    OK(mdm_store_job_claim(&mine, st, "job", "one", 60 * SECOND));
    ck_assert_str_eq(mine->position, "77");
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("housekeeper");
    TCase *group = tcase_create("housekeeper");

    (void)argc;
    tcase_set_timeout(group, 60);
    tcase_add_loop_test(group, a_command_wakes_its_devices_when_its_time_comes, 0, DATABASES);
    tcase_add_loop_test(group, who_is_due_is_woken_beside_what_is_held, 0, DATABASES);
    tcase_add_loop_test(group, a_command_ends_when_its_time_is_over, 0, DATABASES);
    tcase_add_loop_test(group, history_is_forgotten_in_bounded_steps, 0, DATABASES);
    tcase_add_loop_test(group, of_two_one_does_a_job, 0, DATABASES);
    suite_add_tcase(suite, group);
    return database_main(suite, argv);
}
