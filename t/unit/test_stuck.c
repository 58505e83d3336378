/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why an enrollment is stuck, on both databases: each reason once, by a clock of the test's own, in the order in which
 * they hide each other; and that it costs two statements whatever the number of enrollments.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_store_stuck.h"
#include "mdm_stuck.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")
#define START apr_time_from_sec(1700000000)
#define HOUR apr_time_from_sec(3600)
#define DEVICE 7

static mdm_store_t *st;
static mdm_site_t site;

static void sql(const char *text)
{
    database_sql(text);
}

static void enrol(apr_int64_t id)
{
    mdm_enrollment_t e = { 0 };
    mdm_tokens_t t = { 0 };

    e.id = id;
    e.enrollment_id = apr_psprintf(database_pool(), "UDID-%" APR_INT64_T_FMT, id);
    e.type = "Device";
    e.state = MDM_STATE_PENDING;
    e.user = "anna";
    e.certificate = "F";
    OK(mdm_store_enrollment_insert(st, &e));
    t.topic = "com.apple.mgmt.x";
    t.push_token = mdm_bytes_of("token");
    t.push_magic = "MAGIC";
    t.certificate = "F";
    OK(mdm_store_enrollment_token_update(st, id, &t));
}

static void start(int loop)
{
    mdm_certificate_t c = { 0 };

    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = START;
    memset(&site, 0, sizeof(site));
    site.enroll_url = "https://mdm.example.com/enroll";
    sql("INSERT INTO mdm_push_topic (topic, not_before, not_after, uploaded_at, generation, certificate_pem, key_pem) "
        "VALUES ('com.apple.mgmt.x', 1, 2, 3, 1, 'c', 'k');");
    c.fingerprint = "F";
    c.serial = "01";
    c.subject = "CN=x";
    c.pem = "PEM";
    c.not_after = START + 100 * HOUR;
    OK(mdm_store_certificate_insert(st, &c));
    enrol(DEVICE);
    sql("UPDATE mdm_enrollment SET last_seen_at = 1699999000000000, token_at = 1699998000000000;");
}

static mdm_stuck_t look(void)
{
    mdm_stuck_t found;
    int before = mdm_db_statements(st->db);

    OK(mdm_stuck_one(&found, st, &site, DEVICE));
    ck_assert_int_le(mdm_db_statements(st->db) - before, 2);
    return found;
}

static void is(mdm_stuck_e reason, const char *part)
{
    mdm_stuck_t found = look();

    ck_assert_int_eq(found.reason, reason);
    if (reason)
        ck_assert_msg(strstr(found.text, part) != NULL, "%s", found.text);
    else
        ck_assert_ptr_null(found.text);
}

static void queue(int id, const char *type, const char *more)
{
    sql(apr_psprintf(database_pool(), "INSERT INTO mdm_command (id, uuid, request_type, created_at, body, delivery) "
                     "VALUES (%d, 'u%d', '%s', 1, 'b', 0);", id, id, type));
    sql(apr_psprintf(database_pool(), "INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, "
                     "sent_at, not_before, held) VALUES (%d, %d, 0, 0, %s);", id, DEVICE, more));
}

static void profile(int id, const char *name)
{
    sql(apr_psprintf(database_pool(), "INSERT INTO mdm_profile (id, name, identifier, scope, version, created_at, "
                     "changed_at, archived_at) VALUES (%d, '%s', 'org.%s', 'System', 2, 1, 1, 0);", id, name, name));
}

static void desired(int id, int state, int drift, const char *rest)
{
    sql(apr_psprintf(database_pool(), "INSERT INTO mdm_desired (enrollment, profile, version, state, assignment, "
                     "reason, command, drift, tries, first_failed_at, changed_at, verified_at, next_try_at, error) "
                     "VALUES (%d, %d, 1, %d, 1, 'user anna has no attribute mail', 0, %d, 0, 0, 5, 0, %s);", DEVICE, id,
                     state, drift, rest));
}

static void rollout(int kind, const char *target, int state, const char *rest)
{
    sql(apr_psprintf(database_pool(), "INSERT INTO mdm_assignment (id, profile, version, kind, target, exclude, "
                     "priority, condition_id, rollout, rollout_state, rollout_step, rollout_version, rollout_from, "
                     "created_at, changed_at, rollout_at, rollout_reason) VALUES (%d, 5, 0, %d, '%s', 0, 0, 0, "
                     "'{\"steps\": [1, 2, 50, 100]}', %d, 1, 2, 0, 1, 1, %s);", kind, kind, target, state, rest));
}

START_TEST(each_reason_once_and_the_first_one_counts)
{
    start(_i);
    is(MDM_STUCK_NOT, NULL);
    profile(1, "wifi");
    desired(1, 4, 0, "0, NULL");
    is(MDM_STUCK_NOT, NULL);

    sql("UPDATE mdm_desired SET state = 6, error = 'Profile Installation Failed';");
    is(MDM_STUCK_ERROR, "Profile wifi has failed: Profile Installation Failed; it is not tried again until");
    sql("UPDATE mdm_desired SET next_try_at = 1700003600000000;");
    is(MDM_STUCK_ERROR, "it is tried again after 2023-11-14 23:13:20 UTC");
    sql("UPDATE mdm_desired SET state = 7;");
    is(MDM_STUCK_ERROR, "Profile wifi cannot be sent: user anna has no attribute mail");
    sql("UPDATE mdm_desired SET state = 5, drift = 3, next_try_at = 0;");
    is(MDM_STUCK_ERROR, "Profile wifi is drifted there");

    queue(90, "DeviceLock", "0, 1, 0, 0, 1");
    is(MDM_STUCK_WAITING, "1 commands wait for the approval of a second person");
    sql("UPDATE mdm_queue SET held = 0, not_before = 1700003600000000;");
    is(MDM_STUCK_WAITING, "not to go out before 2023-11-14 23:13:20 UTC");
    sql("UPDATE mdm_queue SET not_before = 0;");
    is(MDM_STUCK_ERROR, "drifted");

    sql("UPDATE mdm_queue SET tries = 1, notnow = 1;");
    is(MDM_STUCK_NOT_NOW, "NotNow to DeviceLock");

    sql("UPDATE mdm_push SET last_at = 1699999990000000, last_reason = 'Success', repushes = 1;");
    is(MDM_STUCK_NOT_NOW, "NotNow");                  /* pushed ten seconds ago: it may be on its way */
    sql("UPDATE mdm_push SET repushes = 2;");
    is(MDM_STUCK_SILENT, "woken on 2023-11-14 22:13:10 UTC and was not heard of since 2023-11-14 21:56:40 UTC");
    sql("UPDATE mdm_push SET repushes = 1, last_at = 1699999900000000;");
    is(MDM_STUCK_SILENT, "1 commands wait");

    sql("UPDATE mdm_push SET attempts = 3, due_at = 5, last_reason = 'InternalServerError';");
    is(MDM_STUCK_PUSH, "(InternalServerError), after 3 attempts");
    sql("UPDATE mdm_push SET dead_tally = 1, last_reason = 'Unregistered';");
    is(MDM_STUCK_TOKEN, "(Unregistered) since 2023-11-14 22:11:40 UTC");
    sql("DELETE FROM mdm_push_topic;");
    is(MDM_STUCK_TOPIC, "Its push topic is com.apple.mgmt.x, and there is no push certificate for it");
    sql("UPDATE mdm_certificate SET revoked_at = 5;");
    is(MDM_STUCK_IDENTITY, "was revoked on 1970-01-01");
    sql("UPDATE mdm_certificate SET revoked_at = 0, not_after = 1699999999000000;");
    is(MDM_STUCK_IDENTITY, "expired on 2023-11-14 22:13:19 UTC: nothing reaches it until its owner enrolls again at "
       "https://mdm.example.com/enroll");
    sql("UPDATE mdm_enrollment SET state = 3, left_at = 1699999999000000;");
    is(MDM_STUCK_LEFT, "has left management on 2023-11-14 22:13:19 UTC");
    sql("UPDATE mdm_enrollment SET state = 4;");
    is(MDM_STUCK_LEFT, "was erased");
    sql("UPDATE mdm_enrollment SET state = 5;");
    is(MDM_STUCK_LEFT, "configured without management");
    sql("UPDATE mdm_enrollment SET state = 6;");
    is(MDM_STUCK_LEFT, "is missing since");
    sql("UPDATE mdm_enrollment SET state = 1;");
    is(MDM_STUCK_LEFT, "begun to enroll and not finished");
    ck_assert_str_eq(mdm_stuck_name(MDM_STUCK_NOT_NOW), "not_now");
    ck_assert_ptr_null(mdm_stuck_name(MDM_STUCK_NOT));
    database_end();
}
END_TEST

START_TEST(its_turn_in_a_rollout_has_not_come)
{
    int kind;
    static const char *const targets[] = { "44", "anna", "7" };

    start(_i);
    profile(5, "vpn");
    sql("INSERT INTO mdm_member (collection, enrollment, reason, added_at) VALUES (44, 7, 'r', 1);");
    for (kind = 1; kind <= 3; kind++) {
        rollout(kind, targets[kind - 1], 1, "1700003600000000, NULL");
        is(MDM_STUCK_WAITING, apr_psprintf(database_pool(), "It waits for its turn in the rollout of profile vpn "
           "(assignment %d), which has reached 2 %% of the devices, step 2 of 4; the next step comes on 2023-11-14 23",
           kind));
        sql("UPDATE mdm_assignment SET rollout_step = 3;");
        is(MDM_STUCK_NOT, NULL);                      /* it is on its way */
        sql("UPDATE mdm_assignment SET rollout_step = 1;");
        sql("UPDATE mdm_assignment SET rollout_state = 2, rollout_at = 0;");
        is(MDM_STUCK_WAITING, "step 2 of 4 and is held there until somebody advances it");
        sql("UPDATE mdm_assignment SET rollout_state = 3, rollout_reason = 'too many failures';");
        is(MDM_STUCK_WAITING, "step 2 of 4 and has stopped there: too many failures");
        sql("INSERT INTO mdm_assignment (id, profile, version, kind, target, exclude, priority, condition_id, "
            "rollout_state, rollout_step, rollout_version, rollout_from, rollout_at, created_at, changed_at) "
            "VALUES (90, 5, 0, 1, '44', 1, 0, 0, 0, 0, 0, 0, 0, 1, 1);");
        is(MDM_STUCK_NOT, NULL);                      /* it is not for it at all */
        sql("UPDATE mdm_assignment SET kind = 2, target = 'anna' WHERE id = 90;");
        is(MDM_STUCK_NOT, NULL);
        sql("INSERT INTO mdm_user (login, attributes, source, disabled, created_at, changed_at, synced_at) "
            "VALUES ('anna', '{}', 'api', 1, 1, 1, 0);");
        is(MDM_STUCK_NOT, NULL);                      /* nor while its user is disabled */
        sql("DELETE FROM mdm_user;");
        sql("DELETE FROM mdm_assignment WHERE id = 90;");
        desired(5, 4, 0, "0, NULL");
        sql("UPDATE mdm_desired SET version = 2;");
        is(MDM_STUCK_NOT, NULL);
        sql("DELETE FROM mdm_desired;");
        sql("UPDATE mdm_assignment SET target = 'x';");
        is(MDM_STUCK_NOT, NULL);
        sql("DELETE FROM mdm_assignment;");
    }
    database_end();
}
END_TEST

START_TEST(many_cost_what_one_does)
{
    apr_array_header_t *ids, *found;
    int i, before;

    start(_i);
    profile(1, "wifi");
    desired(1, 6, 0, "0, 'no'");
    for (i = 100; i < 140; i++) {
        enrol(i);
        if (i % 2)
            sql(apr_psprintf(database_pool(), "UPDATE mdm_push SET dead_tally = 1 WHERE enrollment = %d;", i));
    }
    sql("INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, sent_at) "
        "SELECT id, id, 0, 0, 0, 5, 0 FROM mdm_enrollment WHERE id >= 100;");
    OK(mdm_store_stuck_candidates(&ids, st, 20));
    ck_assert_int_eq(ids->nelts, 21);
    before = mdm_db_statements(st->db);
    OK(mdm_stuck_find(&found, st, &site, (const apr_int64_t *)ids->elts, ids->nelts));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 2);
    ck_assert_int_eq(found->nelts, 11);
    ck_assert_int_eq(APR_ARRAY_IDX(found, 0, mdm_stuck_t).reason, MDM_STUCK_ERROR);
    ck_assert_str_eq(APR_ARRAY_IDX(found, 1, mdm_stuck_t).enrollment_id, "UDID-101");
    ck_assert_int_eq(APR_ARRAY_IDX(found, 1, mdm_stuck_t).reason, MDM_STUCK_TOKEN);
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("stuck");
    TCase *tc = tcase_create("reasons");

    (void)argc;
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, each_reason_once_and_the_first_one_counts, 0, DATABASES);
    tcase_add_loop_test(tc, its_turn_in_a_rollout_has_not_come, 0, DATABASES);
    tcase_add_loop_test(tc, many_cost_what_one_does, 0, DATABASES);
    suite_add_tcase(suite, tc);
    return database_main(suite, argv);
}
