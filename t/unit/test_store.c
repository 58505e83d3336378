/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of the store, family by family, on both databases: what goes in comes out, who may not gets
 * the right refusal, secrets lie sealed in the tables, and the statement budgets hold. The push families are
 * in test_store_push.c.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_store_mark.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, \
                               st->ctx->detail ? st->ctx->detail : "-")
#define HOUR apr_time_from_sec(3600)

static mdm_store_t *st;

static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
}

static void refused(apr_status_t wanted, apr_status_t rv)
{
    ck_assert_str_eq(mdm_err_name(rv), mdm_err_name(wanted));
    mdm_ctx_clear(st->ctx);
}

static mdm_certificate_t certificate(const char *name)
{
    mdm_certificate_t c = { 0 };

    c.fingerprint = apr_pstrcat(database_pool(), "f-", name, NULL);
    c.serial = apr_pstrcat(database_pool(), "5e-", name, NULL);
    c.subject = apr_pstrcat(database_pool(), "CN=", name, NULL);
    c.pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    c.not_before = st->ctx->fixed_now;
    c.not_after = st->ctx->fixed_now + 24 * 365 * HOUR;
    c.issued_at = st->ctx->fixed_now;
    c.request_sha256 = apr_pstrcat(database_pool(), "r-", name, NULL);
    return c;
}

START_TEST(certificates)
{
    mdm_certificate_t a, b, c, *found;
    apr_array_header_t *list;
    int count = -1;

    start(_i);
    a = certificate("a");
    b = certificate("b");
    c = certificate("c");
    b.issued_at += 1;
    b.user = "anna";
    OK(mdm_store_certificate_insert(st, &a));
    OK(mdm_store_certificate_insert(st, &b));
    OK(mdm_store_certificate_by_fingerprint(&found, st, "f-b"));
    ck_assert_str_eq(found->serial, "5e-b");
    ck_assert_str_eq(found->pem, b.pem);
    ck_assert_str_eq(found->user, "anna");
    ck_assert_ptr_null(found->replaced_by);
    ck_assert_int_eq(found->not_after, b.not_after);
    OK(mdm_store_certificate_by_request(&found, st, "r-a"));
    ck_assert_str_eq(found->fingerprint, "f-a");
    refused(MDM_ENOTFOUND, mdm_store_certificate_by_serial(&found, st, "nobody"));

    OK(mdm_store_certificate_list(&list, st, NULL, 10));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, mdm_certificate_t *)->fingerprint, "f-b");
    OK(mdm_store_certificate_list(&list, st, &b, 10));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_ptr_null(APR_ARRAY_IDX(list, 0, mdm_certificate_t *)->pem);

    OK(mdm_store_certificate_bind(st, "f-a", 7));
    refused(MDM_ENOTFOUND, mdm_store_certificate_bind(st, "f-a", 8));
    OK(mdm_store_certificate_bind(st, "f-b", 7));
    OK(mdm_store_certificate_supersede(&count, st, 7, "f-b"));
    ck_assert_int_eq(count, 1);
    OK(mdm_store_certificate_supersede(&count, st, 7, "f-b"));
    ck_assert_int_eq(count, 0);
    OK(mdm_store_certificate_by_serial(&found, st, "5e-a"));
    ck_assert_str_eq(found->replaced_by, "f-b");
    ck_assert_str_eq(found->revoked_reason, "superseded");
    ck_assert_int_eq(found->revoked_at, st->ctx->fixed_now);
    refused(MDM_ENOTFOUND, mdm_store_certificate_revoke(st, "5e-a", "again"));
    OK(mdm_store_certificate_revoke_all(&count, st, 7, "left"));
    ck_assert_int_eq(count, 1);
    OK(mdm_store_certificate_insert(st, &c));
    OK(mdm_store_certificate_revoke(st, "5e-c", "lost"));
    ck_assert_str_eq(database_sql("SELECT revoked_reason FROM mdm_certificate ORDER BY fingerprint;"),
                     "superseded\nleft\nlost");
    database_end();
}
END_TEST

START_TEST(challenges_work_once)
{
    mdm_challenge_t c = { 0 }, *used;

    start(_i);
    c.sha256 = "aa";
    c.kind = "scep";
    c.user = "anna";
    c.created_at = st->ctx->fixed_now;
    c.expires_at = st->ctx->fixed_now + HOUR;
    OK(mdm_store_challenge_insert(st, &c));
    refused(MDM_EDENIED, mdm_store_challenge_use(&used, st, "scep", "ab", NULL));
    refused(MDM_EDENIED, mdm_store_challenge_use(&used, st, "other", "aa", NULL));
    OK(mdm_store_challenge_use(&used, st, "scep", "aa", "any name"));
    ck_assert_str_eq(used->user, "anna");
    ck_assert_int_eq(used->used_at, st->ctx->fixed_now);
    refused(MDM_EDENIED, mdm_store_challenge_use(&used, st, "scep", "aa", "any name"));

    c.sha256 = "bb";
    c.common_name = "UDID-1";
    OK(mdm_store_challenge_insert(st, &c));
    refused(MDM_EDENIED, mdm_store_challenge_use(&used, st, "scep", "bb", "UDID-2"));
    refused(MDM_EDENIED, mdm_store_challenge_use(&used, st, "scep", "bb", NULL));
    st->ctx->fixed_now += HOUR;
    refused(MDM_EDENIED, mdm_store_challenge_use(&used, st, "scep", "bb", "UDID-1"));
    st->ctx->fixed_now -= 1;
    OK(mdm_store_challenge_use(&used, st, "scep", "bb", "UDID-1"));
    database_end();
}
END_TEST

static void enroll(apr_int64_t id, const char *enrollment_id, apr_int64_t parent)
{
    mdm_enrollment_t e = { 0 };

    e.id = id;
    e.enrollment_id = enrollment_id;
    e.type = parent ? "User" : "Device";
    e.parent = parent;
    e.state = MDM_STATE_PENDING;
    e.created_at = st->ctx->fixed_now;
    e.serial_number = "SN";
    OK(mdm_store_enrollment_insert(st, &e));
}

static void update_token(apr_int64_t id, const char *topic)
{
    mdm_tokens_t t = { 0 };

    t.topic = topic;
    t.push_token = mdm_bytes_of("token bytes");
    t.push_magic = "MAGIC-WORD";
    t.unlock_token = mdm_bytes_of("unlock bytes");
    t.certificate = "f-a";
    OK(mdm_store_enrollment_token_update(st, id, &t));
}

START_TEST(an_enrollment_lives)
{
    mdm_enrollment_t *e, again = { 0 };
    apr_array_header_t *list;
    apr_time_t first;

    start(_i);
    first = st->ctx->fixed_now;
    enroll(1, "DEV-1", 0);
    enroll(2, "DEV-1:USER", 1);
    enroll(3, "DEV-2", 0);
    refused(MDM_ENOTFOUND, mdm_store_enrollment_get(&e, st, "DEV-9"));
    update_token(1, "com.apple.mgmt.x");
    st->ctx->fixed_now += HOUR;
    update_token(1, "com.apple.mgmt.x");
    update_token(2, "com.apple.mgmt.x");
    OK(mdm_store_enrollment_get(&e, st, "DEV-1"));
    ck_assert_int_eq(e->state, MDM_STATE_ENROLLED);
    ck_assert_int_eq(e->token_update_tally, 2);
    ck_assert_int_eq(e->enrolled_at, first);
    ck_assert_str_eq(e->certificate, "f-a");
    ck_assert_str_eq(e->serial_number, "SN");
    ck_assert_ptr_null(e->imei);

    OK(mdm_store_enrollment_seen(st, 1, first + 9, "192.0.2.1"));
    OK(mdm_store_enrollment_seen(st, 1, first + 5, "192.0.2.9"));
    OK(mdm_store_enrollment_get(&e, st, "DEV-1"));
    ck_assert_int_eq(e->last_seen_at, first + 9);
    ck_assert_str_eq(e->last_ip, "192.0.2.1");

    OK(mdm_store_enrollment_list(&list, st, NULL, 2));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 1, mdm_enrollment_t *)->enrollment_id, "DEV-1:USER");
    OK(mdm_store_enrollment_list(&list, st, "DEV-1:USER", 2));
    ck_assert_int_eq(list->nelts, 1);

    again = *e;
    again.certificate = "f-new";
    again.os_version = "18.1";
    OK(mdm_store_enrollment_authenticate(st, &again));
    OK(mdm_store_enrollment_reset_users(st, 1, "bert"));
    OK(mdm_store_enrollment_get(&e, st, "DEV-1"));
    ck_assert_int_eq(e->state, MDM_STATE_PENDING);
    ck_assert_int_eq(e->token_update_tally, 0);
    ck_assert_str_eq(e->os_version, "18.1");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_enrollment WHERE push_token IS NULL AND "
                                  "push_magic IS NULL AND unlock_token IS NULL AND state = 1;"), "3");
    ck_assert_str_eq(database_sql("SELECT login FROM mdm_enrollment WHERE parent = 1;"), "bert");

    update_token(1, "com.apple.mgmt.x");
    update_token(2, "com.apple.mgmt.x");
    OK(mdm_store_enrollment_close(st, 2, MDM_STATE_LEFT));
    OK(mdm_store_enrollment_close(st, 1, MDM_STATE_WIPED));
    ck_assert_str_eq(database_sql("SELECT state FROM mdm_enrollment ORDER BY id;"), "4\n3\n1");
    refused(MDM_ENOTFOUND, mdm_store_enrollment_close(st, 77, MDM_STATE_LEFT));
    database_end();
}
END_TEST

static void command(apr_int64_t id, const char *uuid, const char *type)
{
    mdm_command_t c = { 0 };

    c.id = id;
    c.uuid = uuid;
    c.request_type = type;
    c.body = apr_pstrcat(database_pool(), "<plist>secret body of ", uuid, "</plist>", NULL);
    c.created_by = "nanomdm";
    c.created_at = st->ctx->fixed_now;
    OK(mdm_store_command_insert(st, &c));
}

static void queue(apr_int64_t id, int priority, const char *enrollment_id)
{
    apr_array_header_t *not_reached;

    OK(mdm_store_queue_add(&not_reached, st, id, priority, &enrollment_id, 1));
    ck_assert_int_eq(not_reached->nelts, 0);
}

/* A device with a bound certificate "f-a", enrolled as id 1. */
static void start_device(int loop)
{
    mdm_certificate_t a;

    start(loop);
    a = certificate("a");
    a.enrollment = 1;
    OK(mdm_store_certificate_insert(st, &a));
    enroll(1, "DEV-1", 0);
    update_token(1, "com.apple.mgmt.x");
}

START_TEST(secrets_lie_sealed)
{
    mdm_result_t r = { 1, 10, "Acknowledged", NULL, "<plist>secret answer</plist>" };
    mdm_push_topic_t t = { 0 };
    int finished;
    const char *all;

    start_device(_i);
    command(10, "C-10", "DeviceInformation");
    queue(10, 0, "DEV-1");
    OK(mdm_store_queue_finish(&finished, st, &r));
    t.topic = "com.apple.mgmt.x";
    t.certificate_pem = "PEM";
    t.key_pem = mdm_bytes_of("secret key");
    OK(mdm_store_push_topic_put(st, &t));
    all = database_sql("SELECT push_token, push_magic, unlock_token FROM mdm_enrollment;"
                       "SELECT body FROM mdm_command; SELECT response FROM mdm_result;"
                       "SELECT key_pem FROM mdm_push_topic;");
    ck_assert_ptr_null(strstr(all, "secret"));
    ck_assert_ptr_null(strstr(all, "token bytes"));
    ck_assert_ptr_null(strstr(all, "MAGIC"));
    ck_assert_int_eq(strncmp(all, "1:", 2), 0);
    database_end();
}
END_TEST

START_TEST(a_device_gets_its_commands_in_order)
{
    mdm_connect_row_t *row;
    int before;

    start_device(_i);
    OK(mdm_store_connect(&row, st, "f-unknown", "DEV-1", NULL, 0));
    ck_assert_int_eq(row->certificate_known, 0);
    ck_assert_int_eq(row->enrollment, 0);
    OK(mdm_store_connect(&row, st, "f-a", "DEV-9", NULL, 0));
    ck_assert_int_eq(row->certificate_known, 1);
    ck_assert_int_eq(row->bound_to, 1);
    ck_assert_int_eq(row->enrollment, 0);
    ck_assert_int_eq(row->next, 0);
    before = mdm_db_statements(st->db);
    OK(mdm_store_connect(&row, st, "f-a", "DEV-1", NULL, 0));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 1);
    ck_assert_int_eq(row->enrollment, 1);
    ck_assert_int_eq(row->state, MDM_STATE_ENROLLED);
    ck_assert_int_eq(row->next, 0);
    ck_assert_int_eq(row->has_notnow, 0);
    ck_assert_str_eq(row->serial, "5e-a");

    command(10, "C-10", "DeviceInformation");
    command(11, "C-11", "ProfileList");
    command(12, "C-12", "DeviceLock");
    queue(11, 0, "DEV-1");
    queue(10, 0, "DEV-1");
    queue(12, 5, "DEV-1");
    OK(mdm_store_connect(&row, st, "f-a", "DEV-1", NULL, 0));
    ck_assert_str_eq(row->next_uuid, "C-12");
    ck_assert_str_eq(row->next_body, "<plist>secret body of C-12</plist>");
    /* the same again until it is answered */
    OK(mdm_store_connect(&row, st, "f-a", "DEV-1", NULL, 0));
    ck_assert_str_eq(row->next_uuid, "C-12");
    OK(mdm_store_connect(&row, st, "f-a", "DEV-1", "C-12", 0));
    ck_assert_int_eq(row->answered, 12);
    ck_assert_str_eq(row->answered_type, "DeviceLock");
    ck_assert_str_eq(row->next_uuid, "C-10");
    OK(mdm_store_connect(&row, st, "f-a", "DEV-1", "C-unknown", 0));
    ck_assert_int_eq(row->answered, 0);
    ck_assert_ptr_null(row->answered_type);
    ck_assert_str_eq(row->next_uuid, "C-12");
    database_end();
}
END_TEST

/* What a check-in learns is what a report learns, without the command. */
START_TEST(a_checkin_learns_whether_there_is_work)
{
    static const char *const waits[] = { "held = 1", "not_before = 9000000000000000", "not_after = 1" };
    mdm_connect_row_t *row, *other;
    size_t i;

    start_device(_i);
    OK(mdm_store_checkin(&row, st, "f-unknown", "DEV-1"));
    ck_assert_int_eq(row->certificate_known, 0);
    OK(mdm_store_checkin(&row, st, "f-a", "DEV-9"));
    ck_assert_int_eq(row->certificate_known, 1);
    ck_assert_int_eq(row->enrollment, 0);
    ck_assert_int_eq(row->has_work, 0);
    OK(mdm_store_checkin(&row, st, "f-a", "DEV-1"));
    ck_assert_int_eq(row->has_work, 0);
    command(10, "C-10", "DeviceInformation");
    queue(10, 0, "DEV-1");
    database_sql("UPDATE mdm_enrollment SET auth_token = 'sha'");
    OK(mdm_store_checkin(&row, st, "f-a", "DEV-1"));
    OK(mdm_store_connect(&other, st, "f-a", "DEV-1", NULL, 0));
    ck_assert_int_eq(row->has_work, 1);
    ck_assert_int_eq(other->has_work, 1);
    ck_assert_int_eq(row->next, 0);
    ck_assert_str_eq(row->auth_token, "sha");
    ck_assert_str_eq(row->serial, other->serial);
    ck_assert_str_eq(row->certificate, other->certificate);
    ck_assert(row->bound_to == other->bound_to && row->not_after == other->not_after && row->state == other->state
              && row->enrollment == other->enrollment && row->last_seen_at == other->last_seen_at);
    for (i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        database_sql("UPDATE mdm_queue SET held = 0, not_before = 0, not_after = 0");
        database_sql(apr_psprintf(database_pool(), "UPDATE mdm_queue SET %s", waits[i]));
        OK(mdm_store_checkin(&row, st, "f-a", "DEV-1"));
        ck_assert_int_eq(row->has_work, 0);
    }
    database_end();
}
END_TEST

START_TEST(notnow_waits_for_the_next_session)
{
    mdm_connect_row_t *row;
    apr_array_header_t *list;

    start_device(_i);
    command(10, "C-10", "InstallProfile");
    command(11, "C-11", "InstallProfile");
    queue(10, 0, "DEV-1");
    queue(11, 0, "DEV-1");
    OK(mdm_store_queue_sent(st, 1, 10, st->ctx->fixed_now));
    OK(mdm_store_queue_notnow(st, 1, 10));
    OK(mdm_store_connect(&row, st, "f-a", "DEV-1", "C-10", 1));
    ck_assert_int_eq(row->has_notnow, 1);
    ck_assert_str_eq(row->next_uuid, "C-11");
    OK(mdm_store_queue_notnow(st, 1, 11));
    OK(mdm_store_connect(&row, st, "f-a", "DEV-1", "C-11", 1));
    ck_assert_int_eq(row->next, 0);
    OK(mdm_store_queue_list(&list, st, "DEV-1", 10));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, mdm_queue_item_t *)->state, "notnow");
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, mdm_queue_item_t *)->tries, 1);
    /* any other answer: the refused ones are offered again, in their order */
    OK(mdm_store_connect(&row, st, "f-a", "DEV-1", NULL, 0));
    ck_assert_str_eq(row->next_uuid, "C-10");
    OK(mdm_store_queue_new_session(st, 1));
    OK(mdm_store_connect(&row, st, "f-a", "DEV-1", NULL, 1));
    ck_assert_int_eq(row->has_notnow, 0);
    ck_assert_str_eq(row->next_uuid, "C-10");
    /* the hand-out before the NotNow is none any more, even when it is written after it */
    OK(mdm_store_queue_list(&list, st, "DEV-1", 1));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, mdm_queue_item_t *)->state, "queued");
    OK(mdm_store_queue_sent(st, 1, 10, st->ctx->fixed_now));
    OK(mdm_store_queue_list(&list, st, "DEV-1", 1));
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, mdm_queue_item_t *)->state, "sent");
    OK(mdm_store_queue_notnow(st, 1, 10));
    OK(mdm_store_queue_sent(st, 1, 10, st->ctx->fixed_now));
    ck_assert_str_eq(database_sql("SELECT sent_at, notnow FROM mdm_queue WHERE command = 10;"), "0|1");
    database_end();
}
END_TEST

START_TEST(an_answer_finishes_once)
{
    mdm_result_t r = { 1, 10, "Error", "[{\"ErrorCode\":1}]", "<plist>no</plist>" };
    mdm_queue_item_t *item;
    mdm_command_t *c;
    apr_array_header_t *states;
    int finished, before, whole = _i ? 1 : 2;

    start_device(_i);
    enroll(2, "DEV-2", 0);
    update_token(2, "com.apple.mgmt.x");
    command(10, "C-10", "DeviceInformation");
    queue(10, 0, "DEV-1");
    queue(10, 0, "DEV-2");
    st->ctx->fixed_now += HOUR;
    before = mdm_db_statements(st->db);
    OK(mdm_store_queue_finish(&finished, st, &r));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, whole);
    ck_assert_int_eq(finished, 1);
    OK(mdm_store_queue_finish(&finished, st, &r));
    ck_assert_int_eq(finished, 0);
    ck_assert_int_eq(mdm_db_statements(st->db) - before, whole + 1);
    r.command = 99;
    OK(mdm_store_queue_finish(&finished, st, &r));
    ck_assert_int_eq(finished, 0);

    OK(mdm_store_command_get(&c, st, "C-10"));
    ck_assert_str_eq(c->body, "<plist>secret body of C-10</plist>");
    refused(MDM_ENOTFOUND, mdm_store_command_get(&c, st, "C-99"));
    OK(mdm_store_command_states(&states, st, "C-10", NULL, 10));
    ck_assert_int_eq(states->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(states, 0, mdm_queue_item_t *)->state, "Error");
    ck_assert_str_eq(APR_ARRAY_IDX(states, 0, mdm_queue_item_t *)->error_chain, r.error_chain);
    ck_assert_str_eq(APR_ARRAY_IDX(states, 1, mdm_queue_item_t *)->state, "queued");
    OK(mdm_store_command_states(&states, st, "C-10", "DEV-1", 10));
    ck_assert_int_eq(states->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(states, 0, mdm_queue_item_t *)->enrollment_id, "DEV-2");
    OK(mdm_store_command_states(&states, st, "C-10", "DEV-2", 10));
    ck_assert_int_eq(states->nelts, 0);

    OK(mdm_store_result_latest(&item, st, "DEV-1", "DeviceInformation"));
    ck_assert_str_eq(item->response, "<plist>no</plist>");
    ck_assert_int_eq(item->finished_at, st->ctx->fixed_now);
    refused(MDM_ENOTFOUND, mdm_store_result_latest(&item, st, "DEV-1", "ProfileList"));
    OK(mdm_store_result_get(&item, st, "C-10", "DEV-1"));
    ck_assert_str_eq(item->state, "Error");
    refused(MDM_ENOTFOUND, mdm_store_result_get(&item, st, "C-10", "DEV-2"));
    database_end();
}
END_TEST

static apr_status_t insert_twice(void *baton, mdm_db_t *db)
{
    mdm_command_t c = { 0 };

    c.id = 11;
    c.uuid = "C-10";
    c.request_type = "X";
    c.body = "body";
    (void)baton;
    (void)db;
    return mdm_store_command_insert(st, &c);
}

START_TEST(a_command_uuid_is_taken_once)
{
    start_device(_i);
    command(10, "C-10", "X");
    refused(MDM_EEXIST, mdm_db_transact(st->db, insert_twice, NULL));
    command(12, "C-12", "X");
    database_end();
}
END_TEST

START_TEST(the_unreachable_are_named)
{
    const char *ids[200];
    apr_array_header_t *not_reached;
    int i, before;

    start_device(_i);
    command(10, "C-10", "X");
    for (i = 0; i < 150; i++) {
        ids[i] = apr_psprintf(database_pool(), "MANY-%03d", i);
        enroll(100 + i, ids[i], 0);
        update_token(100 + i, "com.apple.mgmt.x");
    }
    before = mdm_db_statements(st->db);
    OK(mdm_store_queue_add(&not_reached, st, 10, 0, ids, 150));
    ck_assert_int_eq(not_reached->nelts, 0);
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 3);
    enroll(400, "PENDING", 0);
    command(11, "C-11", "X");
    ids[150] = "MANY-003";
    ids[151] = "NOBODY'; DROP TABLE mdm_queue; --";
    ids[152] = "PENDING";
    ids[153] = "MANY-003";
    OK(mdm_store_queue_add(&not_reached, st, 11, 0, ids, 154));
    ck_assert_int_eq(not_reached->nelts, 3);
    ck_assert_str_eq(APR_ARRAY_IDX(not_reached, 0, const char *), "MANY-003");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_queue WHERE command = 11;"), "150");
    OK(mdm_store_queue_add(&not_reached, st, 12, 0, ids, 0));
    ck_assert_int_eq(not_reached->nelts, 0);
    database_end();
}
END_TEST

START_TEST(cancelling_ends_what_is_open)
{
    mdm_queue_item_t *item;

    start_device(_i);
    enroll(2, "DEV-1:U", 1);
    update_token(2, "com.apple.mgmt.x");
    enroll(3, "DEV-3", 0);
    update_token(3, "com.apple.mgmt.x");
    command(10, "C-10", "X");
    command(11, "C-11", "Y");
    queue(10, 0, "DEV-1");
    queue(10, 0, "DEV-1:U");
    queue(11, 0, "DEV-1");
    queue(11, 0, "DEV-3");
    OK(mdm_store_queue_cancel(st, 1, "[{\"reason\":\"left\"}]"));
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_queue;"), "3");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_result WHERE status = 'Cancelled';"), "3");
    OK(mdm_store_result_latest(&item, st, "DEV-1:U", "X"));
    ck_assert_str_eq(item->state, "Cancelled");
    ck_assert_str_eq(item->error_chain, "[{\"reason\":\"left\"}]");
    ck_assert_ptr_null(item->response);
    OK(mdm_store_queue_cancel(st, 1, "[]"));
    database_end();
}
END_TEST

static apr_int64_t count_of(const apr_array_header_t *counts, const char *name)
{
    int i;

    for (i = 0; i < counts->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(counts, i, mdm_count_t).name, name))
            return APR_ARRAY_IDX(counts, i, mdm_count_t).count;
    }
    return -1;
}

START_TEST(figures_and_events)
{
    mdm_certificate_t soon;
    mdm_figures_t *f;

    start_device(_i);
    soon = certificate("soon");
    soon.not_after = st->ctx->fixed_now + 24 * HOUR;
    OK(mdm_store_certificate_insert(st, &soon));
    enroll(2, "DEV-2", 0);
    command(10, "C-10", "X");
    queue(10, 0, "DEV-1");
    st->ctx->fixed_now += 2 * HOUR;
    command(11, "C-11", "X");
    queue(11, 0, "DEV-1");
    OK(mdm_store_push_want_one(st, 1, st->ctx->fixed_now));
    OK(mdm_store_event(st, "enrollment.enrolled", NULL, "192.0.2.1", "DEV-1", NULL, NULL));
    OK(mdm_store_figures(&f, st));
    ck_assert_int_eq(count_of(f->enrollments, "enrolled Device"), 1);
    ck_assert_int_eq(count_of(f->enrollments, "pending Device"), 1);
    ck_assert_int_eq(count_of(f->open_commands, "under 1 hour"), 1);
    ck_assert_int_eq(count_of(f->open_commands, "1 hour to 1 day"), 1);
    ck_assert_int_eq(count_of(f->open_commands, "over 7 days"), 0);
    ck_assert_int_eq(count_of(f->certificates, "under 30 days"), 1);
    ck_assert_int_eq(count_of(f->certificates, "over 90 days"), 1);
    ck_assert_int_eq(f->pushes_due, 1);
    ck_assert_str_eq(database_sql("SELECT kind, source_ip FROM mdm_event;"), "enrollment.enrolled|192.0.2.1");
    database_end();
}
END_TEST

#define MARKS 700
#define ROUNDS 10

static void start_many(int loop)
{
    start(loop);
    database_sql(apr_psprintf(database_pool(), "INSERT INTO mdm_enrollment (id, enrollment_id, type, parent, state, "
                              "token_update_tally, created_at, enrolled_at, left_at, last_seen_at, token_at) "
                              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
                              "SELECT i, 'MANY-' || i, 'Device', 0, 2, 1, 1, 1, 0, 0, 1 FROM n;", MARKS));
}

/* Of all of them, first to last or last to first. */
static apr_array_header_t *marks_at(apr_time_t at, int backwards, apr_pool_t *p)
{
    apr_array_header_t *marks = apr_array_make(p, MARKS, sizeof(mdm_mark_t));
    int i;

    for (i = 0; i < MARKS; i++)
        APR_ARRAY_PUSH(marks, mdm_mark_t) = (mdm_mark_t){ backwards ? MARKS - i : i + 1, at, "192.0.2.1", 0 };
    return marks;
}

/* Nothing may be in another's way: what is tried again costs more statements. */
static int flush_marks(int number)
{
    apr_pool_t *p;
    mdm_store_t *own;
    int round, lost;

    apr_pool_create(&p, NULL);
    own = database_ready(p);
    mdm_db_count_anew(own->db);
    for (round = 1; round <= ROUNDS; round++) {
        if (mdm_store_marks_write(&lost, own, marks_at(2 * round + number, number, p)) != APR_SUCCESS || lost)
            return 2;
    }
    return mdm_db_statements(own->db) != ROUNDS * MARKS;
}

START_TEST(marks_of_two_processes_do_not_meet)
{
    pid_t children[2];
    int i, status;

    start_many(_i);
    for (i = 0; i < 2; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0)
            _exit(flush_marks(i));
    }
    for (i = 0; i < 2; i++) {
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
    }
    ck_assert_str_eq(database_sql(apr_psprintf(database_pool(), "SELECT COUNT(*) FROM mdm_enrollment WHERE "
                                               "last_seen_at = %d;", 2 * ROUNDS + 1)), "700");
    database_end();
}
END_TEST

START_TEST(marks_that_cannot_be_written_take_few_with_them)
{
    int lost;

    start_many(_i);
    database_sql(_i ? "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE 'no'; END $$ LANGUAGE plpgsql;\n"
                      "CREATE TRIGGER refuse BEFORE UPDATE ON mdm_enrollment FOR EACH ROW WHEN (OLD.id = 300) "
                      "EXECUTE FUNCTION refuse();"
                    : "CREATE TRIGGER refuse BEFORE UPDATE ON mdm_enrollment WHEN OLD.id = 300 "
                      "BEGIN SELECT RAISE(ABORT, 'no'); END;");
    refused(MDM_EDB, mdm_store_marks_write(&lost, st, marks_at(5, 1, database_pool())));
    ck_assert_int_eq(lost, 250);
    ck_assert_str_eq(database_sql("SELECT COUNT(*), MIN(id), MAX(id) FROM mdm_enrollment WHERE last_seen_at = 0;"),
                     "250|251|500");
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("store");
    TCase *group = tcase_create("store");

    (void)argc;
    tcase_set_timeout(group, 60);
    tcase_add_loop_test(group, certificates, 0, DATABASES);
    tcase_add_loop_test(group, challenges_work_once, 0, DATABASES);
    tcase_add_loop_test(group, an_enrollment_lives, 0, DATABASES);
    tcase_add_loop_test(group, secrets_lie_sealed, 0, DATABASES);
    tcase_add_loop_test(group, a_device_gets_its_commands_in_order, 0, DATABASES);
    tcase_add_loop_test(group, a_checkin_learns_whether_there_is_work, 0, DATABASES);
    tcase_add_loop_test(group, notnow_waits_for_the_next_session, 0, DATABASES);
    tcase_add_loop_test(group, an_answer_finishes_once, 0, DATABASES);
    tcase_add_loop_test(group, a_command_uuid_is_taken_once, 0, DATABASES);
    tcase_add_loop_test(group, the_unreachable_are_named, 0, DATABASES);
    tcase_add_loop_test(group, cancelling_ends_what_is_open, 0, DATABASES);
    tcase_add_loop_test(group, figures_and_events, 0, DATABASES);
    tcase_add_loop_test(group, marks_of_two_processes_do_not_meet, 0, DATABASES);
    tcase_add_loop_test(group, marks_that_cannot_be_written_take_few_with_them, 0, DATABASES);
    suite_add_tcase(suite, group);
    return database_main(suite, argv);
}
