/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders on both databases: whom they reach, what is refused as a whole, what is done once, what takes another's
 * place; who decides about them; and what an answer means that comes after the end.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_command.h"
#include "mdm_command_decide.h"
#include "mdm_store_group.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")
#define SECOND apr_time_from_sec(1)
#define HOUR (3600 * SECOND)

static mdm_store_t *st;
static mdm_site_t site;
static mdm_command_outcome_t outcome;
static mdm_targets_t whom;
static mdm_command_order_t how;

static void enroll(apr_int64_t id, const char *enrollment_id, apr_int64_t parent, const char *serial, const char *user)
{
    mdm_enrollment_t e = { 0 };
    mdm_tokens_t t = { 0 };

    e.id = id;
    e.enrollment_id = enrollment_id;
    e.type = parent ? "User" : "Device";
    e.parent = parent;
    e.state = MDM_STATE_PENDING;
    e.created_at = st->ctx->fixed_now;
    e.serial_number = serial;
    OK(mdm_store_enrollment_insert(st, &e));
    t.topic = "com.apple.mgmt.x";
    t.push_token = mdm_bytes_of("token");
    t.push_magic = "MAGIC";
    t.certificate = apr_pstrcat(database_pool(), "f-", enrollment_id, NULL);
    OK(mdm_store_enrollment_token_update(st, id, &t));
    if (user)
        database_sql(apr_psprintf(database_pool(), "UPDATE mdm_enrollment SET login = '%s' WHERE id = %d;", user,
                                  (int)id));
}

/* Anna has A and B, Bert has C with a user channel; D has left; E is in the group "ward" with A. */
static void start(int loop)
{
    mdm_push_topic_t topic = { 0 };
    static const char *const members[] = { "A", "E" };
    mdm_group_t group = { 0 };
    apr_array_header_t *unknown;
    int made;

    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
    group.id = 5;
    group.name = "ward";
    group.created_by = "x";
    group.kind = MDM_GROUP_STATIC;
    topic.topic = "com.apple.mgmt.x";
    topic.certificate_pem = "PEM";
    topic.key_pem = mdm_bytes_of("KEY");
    topic.not_after = st->ctx->fixed_now + 1000 * HOUR;
    OK(mdm_store_push_topic_put(st, &topic));
    memset(&site, 0, sizeof(site));
    memset(&whom, 0, sizeof(whom));
    memset(&how, 0, sizeof(how));
    how.actor = "anna";
    how.no_push = 1;
    enroll(1, "A", 0, "S-A", "anna");
    enroll(2, "B", 0, "S-B", "anna");
    enroll(3, "C", 0, "S-C", "bert");
    enroll(4, "C:USER", 3, "S-C", "bert");
    enroll(6, "D", 0, "S-D", "dora");
    enroll(7, "E", 0, "S-E", NULL);
    OK(mdm_store_enrollment_close(st, 6, MDM_STATE_LEFT));
    OK(mdm_store_group_insert(&made, st, &group));
    OK(mdm_store_member_add(&unknown, st, 5, NULL, members, 2));
}

static apr_array_header_t *names(const char *list)
{
    char *state, *text = apr_pstrdup(database_pool(), list), *one;
    apr_array_header_t *found = apr_array_make(database_pool(), 4, sizeof(const char *));

    for (one = apr_strtok(text, " ", &state); one; one = apr_strtok(NULL, " ", &state))
        APR_ARRAY_PUSH(found, const char *) = one;
    return found;
}

static const char *body_of(const char *uuid, const char *type)
{
    return apr_pstrcat(database_pool(), "<plist><dict><key>Command</key><dict><key>RequestType</key><string>", type,
                       "</string></dict><key>CommandUUID</key><string>", uuid, "</string></dict></plist>", NULL);
}

static apr_status_t order(const char *uuid, const char *type)
{
    mdm_command_t *c = apr_pcalloc(database_pool(), sizeof(*c));

    c->uuid = uuid;
    c->request_type = type;
    c->body = body_of(uuid, type);
    return mdm_command_order(&outcome, st, &site, c, &whom, &how);
}

static void refused(apr_status_t wanted, apr_status_t rv, const char *text)
{
    ck_assert_msg(rv == wanted, "%s: %s", mdm_err_name(rv), st->ctx->detail ? st->ctx->detail : "-");
    ck_assert_msg(strstr(st->ctx->detail, text) != NULL, "%s", st->ctx->detail);
    mdm_ctx_clear(st->ctx);
}

static const char *joined(const apr_array_header_t *list)
{
    return apr_array_pstrcat(database_pool(), list, ' ');
}

/* "UUID STATUS" of all results of A. */
static const char *results(void)
{
    return database_sql("SELECT c.uuid || ' ' || r.status FROM mdm_result r JOIN mdm_command c ON c.id = r.command "
                        "WHERE r.enrollment = 1 ORDER BY c.uuid;");
}

static const char *next_for(const char *id)
{
    mdm_connect_row_t *row;
    mdm_certificate_t c = { 0 };
    mdm_certificate_t *found;
    const char *fingerprint = apr_pstrcat(database_pool(), "f-", id, NULL);

    if (mdm_store_certificate_by_fingerprint(&found, st, fingerprint) != APR_SUCCESS) {
        mdm_ctx_clear(st->ctx);
        c.fingerprint = c.serial = fingerprint;
        c.subject = "CN=x";
        c.pem = "PEM";
        c.not_after = st->ctx->fixed_now + 1000 * HOUR;
        c.issued_at = st->ctx->fixed_now;
        OK(mdm_store_certificate_insert(st, &c));
    }
    OK(mdm_store_connect(&row, st, fingerprint, id, NULL, 0));
    return row->next_uuid ? row->next_uuid : "";
}

START_TEST(an_order_reaches_all_that_are_named_once_each)
{
    start(_i);
    whom.ids = names("E B C:USER");
    whom.serials = names("S-A S-C");
    whom.users = names("anna");
    whom.groups = names("ward");
    OK(order("C-1", "ProfileList"));
    ck_assert_str_eq(joined(outcome.enrollments), "A B C C:USER E");
    ck_assert_str_eq(outcome.command->uuid, "C-1");
    ck_assert_ptr_null(outcome.targets);
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_queue ORDER BY enrollment;"), "1\n2\n3\n4\n7");
    how.no_push = 0;
    OK(order("C-2", "ProfileList"));
    ck_assert_int_eq(outcome.targets->nelts, 5);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0;"), "5");
    database_end();
}
END_TEST

START_TEST(who_is_not_there_is_named_and_nothing_is_queued)
{
    start(_i);
    refused(MDM_EINPUT, order("C-1", "ProfileList"), "nobody");
    whom.ids = names("A X");
    refused(MDM_EINPUT, order("C-1", "ProfileList"), "named twice: X (1 of them)");
    whom.ids = names("A D");
    refused(MDM_EINPUT, order("C-1", "ProfileList"), "D (1 of them)");
    whom.ids = names("A");
    whom.serials = names("S-Z S-A");
    refused(MDM_EINPUT, order("C-1", "ProfileList"), "serial number S-Z");
    whom.serials = NULL;
    whom.users = names("anna dora");
    refused(MDM_EINPUT, order("C-1", "ProfileList"), "user dora");
    whom.users = NULL;
    whom.groups = names("ward attic");
    refused(MDM_EINPUT, order("C-1", "ProfileList"), "group attic");
    how.priority = 101;
    refused(MDM_EINPUT, order("C-1", "ProfileList"), "priority");
    how.priority = 0;
    how.not_after = st->ctx->fixed_now;
    refused(MDM_EINPUT, order("C-1", "ProfileList"), "not_after");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_command;"), "0");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_queue;"), "0");
    database_end();
}
END_TEST

START_TEST(a_newer_one_takes_the_place_of_what_has_not_gone_out)
{
    start(_i);
    whom.ids = names("A");
    how.supersede_key = "wifi";
    OK(order("C-1", "InstallProfile"));
    OK(mdm_store_queue_sent(st, 1, outcome.command->id, st->ctx->fixed_now));
    OK(order("C-2", "InstallProfile"));
    OK(order("C-3", "EraseDevice"));
    whom.ids = names("B");
    OK(order("C-4", "InstallProfile"));
    how.supersede_key = "vpn";
    whom.ids = names("A B");
    OK(order("C-5", "InstallProfile"));
    how.supersede_key = "wifi";
    OK(order("C-6", "InstallProfile"));
    ck_assert_str_eq(database_sql("SELECT q.enrollment, c.uuid FROM mdm_queue q JOIN mdm_command c ON c.id = q.command "
                                  "ORDER BY 1, 2;"), "1|C-1\n1|C-3\n1|C-5\n1|C-6\n2|C-5\n2|C-6");
    ck_assert_str_eq(results(), "C-2 Superseded");
    database_end();
}
END_TEST

START_TEST(a_full_queue_refuses_the_whole_order)
{
    start(_i);
    site.queue_limit = 2;
    whom.ids = names("A");
    OK(order("C-1", "ProfileList"));
    OK(order("C-2", "ProfileList"));
    whom.ids = names("B A");
    refused(MDM_EFULL, order("C-3", "ProfileList"), "for A (1 of them)");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_queue;"), "2");
    whom.ids = names("B");
    OK(order("C-3", "ProfileList"));
    database_end();
}
END_TEST

START_TEST(they_are_served_by_priority_then_age_in_their_time)
{
    apr_time_t at;

    start(_i);
    at = st->ctx->fixed_now;
    whom.ids = names("A");
    OK(order("C-1", "ProfileList"));
    how.priority = 5;
    OK(order("C-2", "ProfileList"));
    how.priority = 9;
    how.not_before = at + HOUR;
    how.not_after = at + 2 * HOUR;
    OK(order("C-3", "ProfileList"));
    ck_assert_str_eq(next_for("A"), "C-2");
    st->ctx->fixed_now = at + HOUR - 1;
    ck_assert_str_eq(next_for("A"), "C-2");
    st->ctx->fixed_now = at + HOUR;
    ck_assert_str_eq(next_for("A"), "C-3");
    st->ctx->fixed_now = at + 2 * HOUR;
    ck_assert_str_eq(next_for("A"), "C-2");
    database_end();
}
END_TEST

START_TEST(one_idempotency_key_is_one_command)
{
    start(_i);
    whom.ids = names("B A");
    how.no_push = 0;
    how.idempotency_key = "K-1";
    how.request_sha256 = "aa";
    OK(order("C-1", "ProfileList"));
    ck_assert_int_eq(outcome.repeated, 0);
    OK(order("C-2", "ProfileList"));
    ck_assert_int_eq(outcome.repeated, 1);
    ck_assert_str_eq(outcome.command->uuid, "C-1");
    ck_assert_str_eq(joined(outcome.enrollments), "A B");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_command;"), "1");
    how.request_sha256 = "bb";
    refused(MDM_EEXIST, order("C-3", "ProfileList"), "another request already: it became the command C-1");
    how.actor = "bert";
    OK(order("C-4", "ProfileList"));
    how.idempotency_key = NULL;
    refused(MDM_EEXIST, order("C-4", "ProfileList"), "CommandUUID");
    how.idempotency_key = "K-2";
    refused(MDM_EEXIST, order("C-4", "ProfileList"), "CommandUUID");
    database_end();
}
END_TEST

START_TEST(destructive_ones_end_by_themselves)
{
    start(_i);
    site.destructive_lifetime = 14 * 24 * HOUR;
    whom.ids = names("A");
    OK(order("C-1", "EraseDevice"));
    ck_assert_int_eq(outcome.command->not_after, st->ctx->fixed_now + site.destructive_lifetime);
    OK(order("C-2", "ProfileList"));
    ck_assert_int_eq(outcome.command->not_after, 0);
    how.not_after = st->ctx->fixed_now + HOUR;
    OK(order("C-3", "EraseDevice"));
    ck_assert_int_eq(outcome.command->not_after, how.not_after);
    ck_assert_str_eq(next_for("A"), "C-1");
    st->ctx->fixed_now += site.destructive_lifetime;
    ck_assert_str_eq(next_for("A"), "C-2");
    database_end();
}
END_TEST

START_TEST(another_person_decides)
{
    mdm_decision_t by_anna = { "anna", NULL, 0, NULL, NULL }, by_bert = { "bert", NULL, 0, NULL, NULL };
    apr_array_header_t *held, *targets;
    const char *id = "B";
    mdm_command_t raw = { 0 };

    start(_i);
    site.approvals = names("EraseDevice DeviceLock");
    whom.ids = names("A B");
    how.no_push = 0;
    how.note = "lost";
    OK(order("C-1", "EraseDevice"));
    how.note = NULL;
    ck_assert_int_eq(outcome.held, 1);
    ck_assert_ptr_null(outcome.targets);
    ck_assert_str_eq(next_for("A"), "");
    OK(mdm_store_command_held(&held, st, 0, 10));
    ck_assert_int_eq(held->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(held, 0, mdm_command_t *)->note, "lost");
    ck_assert_str_eq(database_sql("SELECT detail FROM mdm_event;"), "EraseDevice: lost");
    refused(MDM_EDENIED, mdm_command_decide(&by_anna, st, "C-1", 1), "another person");
    refused(MDM_EDENIED, mdm_command_decide(&by_anna, st, "C-1", 0), "another person");
    refused(MDM_ENOTFOUND, mdm_command_decide(&by_bert, st, "C-9", 1), "C-9");
    ck_assert_str_eq(next_for("A"), "");
    OK(mdm_command_decide(&by_bert, st, "C-1", 1));
    ck_assert_int_eq(by_bert.count, 2);
    ck_assert_str_eq(next_for("A"), "C-1");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0;"), "2");
    refused(MDM_EEXIST, mdm_command_decide(&by_bert, st, "C-1", 0), "bert has approved");

    raw.uuid = "C-2";
    raw.request_type = "DeviceLock";
    raw.body = body_of("C-2", "DeviceLock");
    OK(mdm_command_enqueue(&targets, st, &site, &raw, &id, 1, 1, "anna"));
    ck_assert_ptr_null(targets);
    OK(mdm_command_decide(&by_bert, st, "C-2", 0));
    ck_assert_str_eq(next_for("B"), "C-1");
    ck_assert_str_eq(database_sql("SELECT r.status, r.error_chain FROM mdm_result r;"), "Cancelled|\"denied by bert\"");
    OK(order("C-3", "ProfileList"));
    refused(MDM_EEXIST, mdm_command_decide(&by_bert, st, "C-3", 1), "needs no approval");
    OK(order("C-4", "EraseDevice"));
    OK(mdm_command_cancel(&by_anna, st, "C-4", NULL));
    refused(MDM_EEXIST, mdm_command_decide(&by_bert, st, "C-4", 1), "waits nowhere any more");
    ck_assert_str_eq(database_sql("SELECT kind, actor FROM mdm_event WHERE kind LIKE 'command.%' ORDER BY id;"),
                     "command.held|anna\ncommand.approved|bert\ncommand.held|anna\ncommand.denied|bert\n"
                     "command.held|anna\ncommand.cancelled|anna");
    database_end();
}
END_TEST

START_TEST(what_went_out_is_not_taken_back)
{
    mdm_decision_t d = { "anna", NULL, 0, NULL, NULL };

    start(_i);
    whom.ids = names("A B E");
    OK(order("C-1", "ProfileList"));
    OK(mdm_store_queue_sent(st, 1, outcome.command->id, st->ctx->fixed_now));
    OK(mdm_command_cancel(&d, st, "C-1", "B"));
    ck_assert_int_eq(d.count, 1);
    refused(MDM_EEXIST, mdm_command_cancel(&d, st, "C-1", "B"), "C-1");
    OK(mdm_command_cancel(&d, st, "C-1", NULL));
    ck_assert_int_eq(d.count, 1);
    ck_assert_str_eq(joined(d.sent), "A");
    refused(MDM_EEXIST, mdm_command_cancel(&d, st, "C-1", NULL), "handed out");
    refused(MDM_ENOTFOUND, mdm_command_cancel(&d, st, "C-9", NULL), "C-9");
    refused(MDM_EEXIST, mdm_command_clear(&d, st, "A"), "handed out");
    refused(MDM_ENOTFOUND, mdm_command_clear(&d, st, "X"), "X");
    OK(mdm_command_clear(&d, st, "B"));
    ck_assert_int_eq(d.count, 0);
    whom.ids = names("A");
    OK(order("C-2", "ProfileList"));
    OK(mdm_command_clear(&d, st, "A"));
    ck_assert_int_eq(d.count, 1);
    ck_assert_str_eq(joined(d.sent), "C-1");
    ck_assert_str_eq(results(), "C-2 Cancelled");
    database_end();
}
END_TEST

START_TEST(what_is_held_or_put_off_can_be_ended_though_it_went_out)
{
    mdm_decision_t by_anna = { "anna", NULL, 0, NULL, NULL }, by_bert = { "bert", NULL, 0, NULL, NULL };

    start(_i);
    site.approvals = names("EraseDevice");
    whom.ids = names("A B");
    /* A had got it before it was held for all */
    OK(order("C-1", "EraseDevice"));
    OK(mdm_store_queue_sent(st, 1, outcome.command->id, st->ctx->fixed_now));
    OK(mdm_command_decide(&by_bert, st, "C-1", 0));
    ck_assert_int_eq(by_bert.count, 2);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_queue;"), "0");
    OK(order("C-2", "EraseDevice"));
    OK(mdm_store_queue_sent(st, 1, outcome.command->id, st->ctx->fixed_now));
    OK(mdm_store_queue_sent(st, 2, outcome.command->id, st->ctx->fixed_now));
    OK(mdm_command_cancel(&by_anna, st, "C-2", "A"));
    OK(mdm_command_clear(&by_anna, st, "B"));
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_queue;"), "0");
    ck_assert_str_eq(results(), "C-1 Cancelled\nC-2 Cancelled");

    site.approvals = NULL;
    how.supersede_key = "k";
    whom.ids = names("A B");
    OK(order("C-3", "ProfileList"));
    OK(mdm_store_queue_sent(st, 1, outcome.command->id, st->ctx->fixed_now));
    OK(mdm_store_queue_sent(st, 2, outcome.command->id, st->ctx->fixed_now));
    OK(mdm_store_queue_notnow(st, 1, outcome.command->id));
    OK(mdm_store_queue_notnow(st, 2, outcome.command->id));
    OK(mdm_command_cancel(&by_anna, st, "C-3", "A"));
    whom.ids = names("B");
    OK(order("C-4", "ProfileList"));
    ck_assert_str_eq(database_sql("SELECT r.enrollment, r.status FROM mdm_result r JOIN mdm_command c "
                                  "ON c.id = r.command WHERE c.uuid = 'C-3' ORDER BY 1;"), "1|Cancelled\n2|Superseded");
    database_end();
}
END_TEST

START_TEST(a_late_answer_replaces_an_end_without_one)
{
    static const char *const ends[] = { "Cancelled", "Superseded", "Expired", "Error" };
    mdm_result_t r = { 1, 0, "Acknowledged", NULL, "<plist>late</plist>" };
    mdm_queue_item_t *item;
    size_t i;
    int replaced;

    start(_i);
    whom.ids = names("A");
    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const char *uuid = apr_psprintf(database_pool(), "C-%d", (int)i);

        OK(order(uuid, "ProfileList"));
        r.command = outcome.command->id;
        r.status = ends[i];
        OK(mdm_store_queue_finish(&replaced, st, &r));
        r.status = "Acknowledged";
        OK(mdm_store_result_late(&replaced, st, &r));
        ck_assert_int_eq(replaced, i < 3);
        OK(mdm_store_result_get(&item, st, uuid, "A"));
        ck_assert_str_eq(item->state, i < 3 ? "Acknowledged" : "Error");
        ck_assert_str_eq(item->response, "<plist>late</plist>");
    }
    /* not across enrollments: what ended before the present one began stays */
    OK(order("C-9", "ProfileList"));
    r.command = outcome.command->id;
    r.status = "Cancelled";
    OK(mdm_store_queue_finish(&replaced, st, &r));
    database_sql(apr_psprintf(database_pool(), "UPDATE mdm_enrollment SET enrolled_at = %" APR_INT64_T_FMT
                              " WHERE id = 1;", st->ctx->fixed_now + SECOND));
    r.status = "Acknowledged";
    OK(mdm_store_result_late(&replaced, st, &r));
    ck_assert_int_eq(replaced, 0);
    database_end();
}
END_TEST

START_TEST(orders_cost_few_statements)
{
    apr_array_header_t *targets;
    const char *id = "A";
    mdm_command_t c = { 0 };
    int before;

    start(_i);
    c.uuid = "C-1";
    c.request_type = "ProfileList";
    c.body = "<plist/>";
    before = mdm_db_statements(st->db);
    OK(mdm_command_enqueue(&targets, st, &site, &c, &id, 1, 0, "anna"));
    ck_assert_int_le(mdm_db_statements(st->db) - before, 3);
    whom.ids = names("A");
    before = mdm_db_statements(st->db);
    OK(order("C-2", "ProfileList"));
    ck_assert_int_le(mdm_db_statements(st->db) - before, 3);
    next_for("A");
    before = mdm_db_statements(st->db);
    next_for("A");
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 2);     /* one is of the test */
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("command_order");
    TCase *group = tcase_create("command_order");

    (void)argc;
    tcase_set_timeout(group, 60);
    tcase_add_loop_test(group, an_order_reaches_all_that_are_named_once_each, 0, DATABASES);
    tcase_add_loop_test(group, who_is_not_there_is_named_and_nothing_is_queued, 0, DATABASES);
    tcase_add_loop_test(group, a_newer_one_takes_the_place_of_what_has_not_gone_out, 0, DATABASES);
    tcase_add_loop_test(group, a_full_queue_refuses_the_whole_order, 0, DATABASES);
    tcase_add_loop_test(group, they_are_served_by_priority_then_age_in_their_time, 0, DATABASES);
    tcase_add_loop_test(group, one_idempotency_key_is_one_command, 0, DATABASES);
    tcase_add_loop_test(group, destructive_ones_end_by_themselves, 0, DATABASES);
    tcase_add_loop_test(group, another_person_decides, 0, DATABASES);
    tcase_add_loop_test(group, what_went_out_is_not_taken_back, 0, DATABASES);
    tcase_add_loop_test(group, what_is_held_or_put_off_can_be_ended_though_it_went_out, 0, DATABASES);
    tcase_add_loop_test(group, a_late_answer_replaces_an_end_without_one, 0, DATABASES);
    tcase_add_loop_test(group, orders_cost_few_statements, 0, DATABASES);
    suite_add_tcase(suite, group);
    return database_main(suite, argv);
}
