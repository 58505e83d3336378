/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saves of assignments while others save, on both databases: what comes between the look and the write of a change is
 * not undone by it. The core is compiled in here, so that others can come just there.
 */
#include <string.h>

#include "mdm_preview.h"

static apr_status_t slow_preview(mdm_preview_t **out, mdm_store_t *store, const mdm_preview_request_t *request);

#define mdm_preview_run slow_preview
#include "mdm_assign.c"
#undef mdm_preview_run

#include "desired_fixture.h"
#include "mdm_rollout.h"

#define ROLLOUT "{\"steps\": [50, 100], \"hold\": \"1h\"}"

static const mdm_assign_actor_t admin = { "admin", "192.0.2.1" }, somebody = { "somebody", "192.0.2.2" };

static mdm_store_t *other;            /* the connection of others */
static apr_int64_t id, another;       /* assignments */
static void (*meanwhile)(void);       /* what others do when the next look is done */
static int more;                      /* and at so many looks behind it */

static apr_status_t slow_preview(mdm_preview_t **out, mdm_store_t *store, const mdm_preview_request_t *request)
{
    apr_status_t rv = mdm_preview_run(out, store, request);
    void (*others)(void) = meanwhile;

    meanwhile = NULL;
    if (others)
        others();
    if (others && more-- > 0)
        meanwhile = others;
    return rv;
}

static apr_status_t change(mdm_store_t *who, apr_int64_t which, const char *text, const mdm_assign_actor_t *actor)
{
    const apr_array_header_t *warnings;
    json_t *json = json_loads(text, 0, NULL);
    apr_status_t rv = mdm_assign_change(&warnings, who, which, json, actor);

    json_decref(json);
    return rv;
}

static void start(int loop, const char *rollout)
{
    desired_start(loop);
    other = database_ready(database_pool());
    other->ctx->fixed_now = st->ctx->fixed_now;
    desired_enrol_many(1, 20);
    desired_join(2, 1, 20);
    desired_profile(7, "wifi", 1, "one", NULL);
    desired_profile(8, "vpn", 1, "one", NULL);
    id = desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, rollout);
    another = desired_assign(8, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL);
    meanwhile = NULL;
    more = 0;
}

static const char *row(const char *columns)
{
    return database_sql(apr_psprintf(database_pool(), "SELECT %s FROM mdm_assignment WHERE id = %" APR_INT64_T_FMT ";",
                                     columns, id));
}

static void give_priority(void)
{
    OK(change(other, id, "{\"priority\": 5}", &somebody));
}

static void stop(void)
{
    OK(mdm_rollout_act(other, id, MDM_ROLLOUT_STOP, "somebody", NULL));
}

static void stop_and_save_another(void)
{
    stop();
    OK(change(other, another, "{\"priority\": 3}", &somebody));
}

static void raise_another(void)
{
    OK(change(other, another, apr_psprintf(database_pool(), "{\"priority\": %d}", 10 + more), &somebody));
}

static void end_it(void)
{
    OK(mdm_assign_delete(other, id, &somebody));
}

START_TEST(two_changes_of_one_both_count)
{
    start(_i, NULL);
    meanwhile = give_priority;
    OK(change(st, id, "{\"version\": 1}", &admin));
    ck_assert_str_eq(row("version, priority"), "1|5");
    meanwhile = give_priority;
    OK(change(st, id, "{\"rollout\": " ROLLOUT "}", &admin));
    ck_assert_str_eq(row("version, priority, rollout_state"), "1|5|1");
    ck_assert_str_eq(database_sql("SELECT actor, COUNT(*) FROM mdm_event GROUP BY 1 ORDER BY 1;"),
                     "admin|2\nsomebody|2");
    database_end();
}
END_TEST

START_TEST(what_was_stopped_stays_so)
{
    start(_i, ROLLOUT);
    meanwhile = stop_and_save_another;
    OK(change(st, id, "{\"priority\": 7}", &admin));
    ck_assert_str_eq(row("priority, rollout_state, rollout_at, rollout_reason"), "7|3|0|stopped by somebody");

    OK(mdm_rollout_act(st, id, MDM_ROLLOUT_RESUME, "admin", NULL));
    meanwhile = stop;
    OK(change(st, id, "{\"priority\": 8}", &admin));
    ck_assert_str_eq(row("priority, rollout_state, rollout_at, rollout_reason"), "8|3|0|stopped by somebody");
    database_end();
}
END_TEST

START_TEST(who_is_late_each_time_comes_in_the_end)
{
    start(_i, NULL);
    meanwhile = raise_another;
    more = TRIES - 1;
    OK(change(st, id, "{\"priority\": 9}", &admin));
    ck_assert_ptr_null(meanwhile);
    ck_assert_str_eq(row("priority"), "9");

    meanwhile = end_it;
    ck_assert_int_eq(change(st, id, "{\"priority\": 1}", &admin), MDM_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(st->ctx->detail, "there is no assignment"));
    database_end();
}
END_TEST

START_TEST(who_has_read_an_older_one_writes_nothing)
{
    mdm_assignment_t *first, *second;

    start(_i, ROLLOUT);
    OK(mdm_store_assignment_get(&first, st, id));
    OK(mdm_store_assignment_get(&second, other, id));
    first->priority = 5;
    OK(mdm_store_assignment_update(st, first));
    second->rollout_step = 1;
    ck_assert_int_eq(mdm_store_assignment_update(other, second), MDM_ENOTFOUND);
    ck_assert_str_eq(row("priority, rollout_step"), "5|0");
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("assign");
    TCase *tcase = tcase_create("assign");

    (void)argc;
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, two_changes_of_one_both_count, 0, DATABASES);
    tcase_add_loop_test(tcase, what_was_stopped_stays_so, 0, DATABASES);
    tcase_add_loop_test(tcase, who_is_late_each_time_comes_in_the_end, 0, DATABASES);
    tcase_add_loop_test(tcase, who_has_read_an_older_one_writes_nothing, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
