/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Push certificates and wanted wake-ups, on both databases: wishes join, claims are exclusive and end, a
 * wish that comes during a claim is not swallowed, a dead token stays dead until the next TokenUpdate and not
 * longer.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "database.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, \
                               st->ctx->detail ? st->ctx->detail : "-")
#define TOPIC "com.apple.mgmt.External.x"
#define SECOND apr_time_from_sec(1)

static mdm_store_t *st;

static void enroll(apr_int64_t id, const char *enrollment_id)
{
    mdm_enrollment_t e = { 0 };

    e.id = id;
    e.enrollment_id = enrollment_id;
    e.type = "Device";
    e.state = MDM_STATE_PENDING;
    e.created_at = st->ctx->fixed_now;
    OK(mdm_store_enrollment_insert(st, &e));
}

static void update_token(apr_int64_t id, const char *topic, const char *token)
{
    mdm_tokens_t t = { 0 };

    t.topic = topic;
    t.push_token = mdm_bytes_of(token);
    t.push_magic = "MAGIC";
    OK(mdm_store_enrollment_token_update(st, id, &t));
}

static void put_topic(void)
{
    mdm_push_topic_t t = { 0 };

    t.topic = TOPIC;
    t.certificate_pem = "PEM";
    t.key_pem = mdm_bytes_of("KEY");
    t.not_after = st->ctx->fixed_now + 100 * SECOND;
    OK(mdm_store_push_topic_put(st, &t));
}

static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
    put_topic();
    enroll(1, "DEV-1");
    update_token(1, TOPIC, "token-1");
}

static mdm_push_target_t want(const char *id, apr_time_t due_at)
{
    apr_array_header_t *targets;

    OK(mdm_store_push_want(&targets, st, due_at, &id, 1));
    ck_assert_int_eq(targets->nelts, 1);
    return APR_ARRAY_IDX(targets, 0, mdm_push_target_t);
}

static int claim(mdm_push_job_t *first, const char *owner)
{
    apr_array_header_t *jobs;

    OK(mdm_store_push_claim(&jobs, st, owner, st->ctx->fixed_now + 60 * SECOND, 100, 0));
    if (jobs->nelts)
        *first = APR_ARRAY_IDX(jobs, 0, mdm_push_job_t);
    return jobs->nelts;
}

START_TEST(topics_keep_generations)
{
    mdm_push_topic_t *t, other = { 0 };
    apr_array_header_t *list;

    start(_i);
    OK(mdm_store_push_topic_get(&t, st, TOPIC));
    ck_assert_int_eq(t->generation, 1);
    ck_assert_int_eq((int)t->key_pem.len, 3);
    ck_assert_int_eq(memcmp(t->key_pem.data, "KEY", 3), 0);
    put_topic();
    OK(mdm_store_push_topic_get(&t, st, TOPIC));
    ck_assert_int_eq(t->generation, 2);
    other.topic = "com.apple.mgmt.External.y";
    other.certificate_pem = "PEM2";
    other.key_pem = mdm_bytes_of("KEY2");
    st->ctx->fixed_now += 1;
    OK(mdm_store_push_topic_put(st, &other));
    OK(mdm_store_push_topic_list(&list, st));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, mdm_push_topic_t *)->topic, other.topic);
    ck_assert_ptr_null(APR_ARRAY_IDX(list, 0, mdm_push_topic_t *)->key_pem.data);
    ck_assert_str_eq(mdm_err_name(mdm_store_push_topic_get(&t, st, "nothing")), "MDM_ENOTFOUND");
    database_end();
}
END_TEST

START_TEST(problems_are_told)
{
    const char *ids[] = { "DEV-1", "NOBODY", "PENDING", "LEFT", "NOTOPIC", "DEV-1" };
    const char *words[] = { NULL, "no such", "not complete", "left", "no push certificate", NULL };
    apr_array_header_t *targets;
    int i, before;

    start(_i);
    enroll(2, "PENDING");
    enroll(3, "LEFT");
    update_token(3, TOPIC, "t");
    OK(mdm_store_enrollment_close(st, 3, MDM_STATE_LEFT));
    enroll(4, "NOTOPIC");
    update_token(4, "other.topic", "t");
    before = mdm_db_statements(st->db);
    OK(mdm_store_push_want(&targets, st, st->ctx->fixed_now, ids, 6));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 2);
    ck_assert_int_eq(targets->nelts, 6);
    for (i = 0; i < 6; i++) {
        mdm_push_target_t t = APR_ARRAY_IDX(targets, i, mdm_push_target_t);

        ck_assert_str_eq(t.enrollment_id, ids[i]);
        if (words[i]) {
            ck_assert_ptr_nonnull(strstr(t.problem, words[i]));
            ck_assert_ptr_null(t.apns_id);
        }
        else {
            ck_assert_ptr_null(t.problem);
            ck_assert_int_eq(t.enrollment, 1);
            ck_assert_int_eq((int)strlen(t.apns_id), 36);
            ck_assert_int_eq((int)strspn(t.apns_id, "0123456789abcdef-"), 36);
        }
    }
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0;"), "1");
    database_end();
}
END_TEST

START_TEST(wishes_join_until_they_are_claimed)
{
    apr_time_t now, due;
    mdm_push_job_t job;
    mdm_push_target_t first, second;

    start(_i);
    now = st->ctx->fixed_now;
    OK(mdm_store_push_next_due(&due, st));
    ck_assert_int_eq(due, 0);
    first = want("DEV-1", now + 10 * SECOND);
    second = want("DEV-1", now + 5 * SECOND);
    ck_assert_str_eq(first.apns_id, second.apns_id);
    want("DEV-1", now + 20 * SECOND);
    OK(mdm_store_push_next_due(&due, st));
    ck_assert_int_eq(due, now + 5 * SECOND);
    ck_assert_int_eq(claim(&job, "one"), 0);
    st->ctx->fixed_now += 5 * SECOND;
    ck_assert_int_eq(claim(&job, "one"), 1);
    ck_assert_str_eq(job.apns_id, first.apns_id);
    ck_assert_str_eq(job.enrollment_id, "DEV-1");
    ck_assert_str_eq(job.topic, TOPIC);
    ck_assert_str_eq(job.magic, "MAGIC");
    ck_assert_int_eq(memcmp(job.token.data, "token-1", 7), 0);
    ck_assert_int_eq(job.due_at, now + 5 * SECOND);
    ck_assert_int_eq(job.token_at, now);
    ck_assert_int_eq(job.attempts, 0);
    ck_assert_int_eq(claim(&job, "two"), 0);

    /* wanted again while it is on its way: the report about the first does not end the second */
    second = want("DEV-1", st->ctx->fixed_now);
    ck_assert_str_ne(first.apns_id, second.apns_id);
    OK(mdm_store_push_done(st, "one", &job.enrollment, 1, 0, 1));
    ck_assert_int_eq(claim(&job, "two"), 1);
    ck_assert_str_eq(job.apns_id, second.apns_id);
    OK(mdm_store_push_done(st, "two", &job.enrollment, 1, 0, 1));
    OK(mdm_store_push_next_due(&due, st));
    ck_assert_int_eq(due, 0);
    ck_assert_str_eq(database_sql("SELECT last_reason, last_wish FROM mdm_push;"), "Success|2");
    database_end();
}
END_TEST

START_TEST(a_later_wish_during_a_claim_waits_for_its_time)
{
    mdm_push_job_t job;
    apr_time_t due;

    start(_i);
    want("DEV-1", st->ctx->fixed_now);
    ck_assert_int_eq(claim(&job, "one"), 1);
    OK(mdm_store_push_want_one(st, 1, st->ctx->fixed_now + 600 * SECOND));
    OK(mdm_store_push_done(st, "one", &job.enrollment, 1, 0, 1));
    OK(mdm_store_push_next_due(&due, st));
    ck_assert_int_eq(due, st->ctx->fixed_now + 600 * SECOND);
    database_end();
}
END_TEST

START_TEST(claims_end_with_their_lease)
{
    mdm_push_job_t job, again;
    apr_time_t due;

    start(_i);
    want("DEV-1", st->ctx->fixed_now);
    ck_assert_int_eq(claim(&job, "one"), 1);
    OK(mdm_store_push_failed(st, "two", 1, st->ctx->fixed_now, "not mine"));
    OK(mdm_store_push_dead(st, "two", 1, "not mine"));
    OK(mdm_store_push_next_due(&due, st));
    ck_assert_int_eq(due, st->ctx->fixed_now + 60 * SECOND);
    st->ctx->fixed_now += 60 * SECOND;
    ck_assert_int_eq(claim(&again, "two"), 1);
    ck_assert_str_eq(again.apns_id, job.apns_id);
    OK(mdm_store_push_done(st, "one", &job.enrollment, 1, 0, 1));
    OK(mdm_store_push_failed(st, "two", 1, st->ctx->fixed_now + 7 * SECOND, "TooManyRequests"));
    OK(mdm_store_push_next_due(&due, st));
    ck_assert_int_eq(due, st->ctx->fixed_now + 7 * SECOND);
    st->ctx->fixed_now += 7 * SECOND;
    ck_assert_int_eq(claim(&again, "two"), 1);
    ck_assert_int_eq(again.attempts, 1);
    ck_assert_str_eq(again.apns_id, job.apns_id);
    OK(mdm_store_push_release(st, "two"));
    ck_assert_int_eq(claim(&again, "three"), 1);
    OK(mdm_store_push_failed(st, "three", 1, 0, "PayloadTooLarge"));
    OK(mdm_store_push_next_due(&due, st));
    ck_assert_int_eq(due, 0);
    database_end();
}
END_TEST

START_TEST(a_dead_token_waits_for_the_next_one)
{
    mdm_push_job_t job;
    mdm_push_target_t t;

    start(_i);
    want("DEV-1", st->ctx->fixed_now);
    ck_assert_int_eq(claim(&job, "one"), 1);
    OK(mdm_store_push_dead(st, "one", 1, "Unregistered"));
    t = want("DEV-1", st->ctx->fixed_now);
    ck_assert_str_eq(t.problem, "push token is dead (Unregistered): waits for the device's next TokenUpdate");
    OK(mdm_store_push_want_one(st, 1, st->ctx->fixed_now));
    ck_assert_int_eq(claim(&job, "one"), 0);
    update_token(1, TOPIC, "token-2");
    t = want("DEV-1", st->ctx->fixed_now);
    ck_assert_ptr_null(t.problem);
    ck_assert_int_eq(claim(&job, "one"), 1);
    ck_assert_int_eq(memcmp(job.token.data, "token-2", 7), 0);

    /* the verdict is about the token that was claimed, not about one that came meanwhile */
    update_token(1, TOPIC, "token-3");
    OK(mdm_store_push_dead(st, "one", 1, "Unregistered"));
    t = want("DEV-1", st->ctx->fixed_now);
    ck_assert_ptr_null(t.problem);
    database_end();
}
END_TEST

START_TEST(a_token_dead_before_a_new_enrollment_is_forgotten)
{
    mdm_enrollment_t *e;
    mdm_push_job_t job;

    start(_i);
    want("DEV-1", st->ctx->fixed_now);
    ck_assert_int_eq(claim(&job, "one"), 1);
    OK(mdm_store_push_dead(st, "one", 1, "Unregistered"));
    OK(mdm_store_enrollment_get(&e, st, "DEV-1"));
    OK(mdm_store_enrollment_authenticate(st, e));
    update_token(1, TOPIC, "token-1");
    ck_assert_ptr_null(want("DEV-1", st->ctx->fixed_now).problem);
    OK(mdm_store_enrollment_close(st, 1, MDM_STATE_LEFT));
    ck_assert_int_eq(claim(&job, "one"), 0);
    database_end();
}
END_TEST

static int claim_all(int number)
{
    apr_array_header_t *jobs;
    apr_pool_t *p;
    mdm_store_t *own;
    int count = 0, i;

    apr_pool_create(&p, NULL);
    own = database_ready(p);
    own->ctx->fixed_now = st->ctx->fixed_now;
    do {
        if (mdm_store_push_claim(&jobs, own, apr_itoa(p, number), own->ctx->fixed_now + 60 * SECOND, 7, 0)
            != APR_SUCCESS) {
            fprintf(stderr, "%s\n", own->ctx->detail);
            return 255;
        }
        for (i = 0; i < jobs->nelts; i++) {
            apr_int64_t id = APR_ARRAY_IDX(jobs, i, mdm_push_job_t).enrollment;
            const char *object = apr_ltoa(p, (long)id);

            if (mdm_store_event(own, "claimed", NULL, NULL, NULL, object, NULL) != APR_SUCCESS)
                return 255;
            count++;
        }
    } while (jobs->nelts);
    return count > 254 ? 254 : count;
}

/* Several workers at once: each wake-up goes to exactly one of them. */
START_TEST(claims_are_exclusive)
{
    pid_t children[4];
    int i, status, sum = 0;

    start(_i);
    for (i = 0; i < 100; i++) {
        enroll(100 + i, apr_psprintf(database_pool(), "MANY-%d", i));
        update_token(100 + i, TOPIC, "t");
        OK(mdm_store_push_want_one(st, 100 + i, st->ctx->fixed_now - i));
    }
    for (i = 0; i < 4; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0)
            _exit(claim_all(i));
    }
    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) < 254);
        sum += WEXITSTATUS(status);
    }
    ck_assert_int_eq(sum, 100);
    ck_assert_str_eq(database_sql("SELECT COUNT(*), COUNT(DISTINCT object) FROM mdm_event;"), "100|100");
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("store_push");
    TCase *group = tcase_create("store_push");

    (void)argc;
    tcase_set_timeout(group, 60);
    tcase_add_loop_test(group, topics_keep_generations, 0, DATABASES);
    tcase_add_loop_test(group, problems_are_told, 0, DATABASES);
    tcase_add_loop_test(group, wishes_join_until_they_are_claimed, 0, DATABASES);
    tcase_add_loop_test(group, a_later_wish_during_a_claim_waits_for_its_time, 0, DATABASES);
    tcase_add_loop_test(group, claims_end_with_their_lease, 0, DATABASES);
    tcase_add_loop_test(group, a_dead_token_waits_for_the_next_one, 0, DATABASES);
    tcase_add_loop_test(group, a_token_dead_before_a_new_enrollment_is_forgotten, 0, DATABASES);
    tcase_add_loop_test(group, claims_are_exclusive, 0, DATABASES);
    suite_add_tcase(suite, group);
    return database_main(suite, argv);
}
