/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices answer about profiles, on both databases: the eight cases of a list, remedies with their cap and
 * spacing, answers to installs and removals, rounds of checks; and how many statements each costs.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_command_decide.h"
#include "mdm_drift.h"
#include "mdm_facts.h"
#include "mdm_remedy.h"
#include "mdm_store_change.h"
#include "mdm_store_drift.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")
#define START apr_time_from_sec(1700000000)
#define HOUR apr_time_from_sec(3600)
#define DEVICE 7
#define OWN "com.example.mdm"

static mdm_store_t *st;
static mdm_site_t site;
static mdm_connect_row_t row;
static mdm_device_t device;
static int spent, lists;

static void sql(const char *text)
{
    database_sql(text);
}

static void enrol(apr_int64_t id)
{
    mdm_enrollment_t e = { 0 };

    e.id = id;
    e.enrollment_id = apr_psprintf(database_pool(), "UDID-%" APR_INT64_T_FMT, id);
    e.type = "Device";
    e.state = MDM_STATE_ENROLLED;
    OK(mdm_store_enrollment_insert(st, &e));
}

static void start(int loop)
{
    static const int hours[] = { 1, 6, 24 };
    apr_array_header_t *waits;
    int i;

    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = START;
    memset(&site, 0, sizeof(site));
    site.profile_identifier = OWN;
    waits = apr_array_make(database_pool(), 3, sizeof(apr_interval_time_t));
    for (i = 0; i < 3; i++)
        APR_ARRAY_PUSH(waits, apr_interval_time_t) = HOUR * hours[i];
    site.profile_retry = waits;
    site.profile_check = 24 * HOUR;
    memset(&row, 0, sizeof(row));
    memset(&device, 0, sizeof(device));
    row.enrollment = DEVICE;
    row.state = MDM_STATE_ENROLLED;
    device.enrollment_id = device.device_id = "UDID-7";
    device.source = "192.0.2.7";
    lists = 0;
    enrol(DEVICE);
}

/* A profile of the library, org.p<id>; rows of version 1 want the UUID "U<id>". */
static void profile(int id, const char *detail)
{
    sql(apr_psprintf(database_pool(), "INSERT INTO mdm_profile (id, name, identifier, scope, version, created_at, "
                     "changed_at, archived_at) VALUES (%d, 'p%d', 'org.p%d', 'System', 1, 1, 1, 0);", id, id, id));
    sql(apr_psprintf(database_pool(), "INSERT INTO mdm_profile_version (profile, version, body, sha256, detail, "
                     "created_at, unreadable_at) VALUES (%d, 1, 'b', 's', '%s', 1, 0);", id, detail));
}

static void desired(apr_int64_t enrollment, int id, int version, mdm_desired_state_e state, apr_int64_t command)
{
    apr_pool_t *p = database_pool();
    const char *uuid = version ? apr_psprintf(p, "'U%d'", id) : "NULL";

    sql(apr_psprintf(p, "INSERT INTO mdm_desired (enrollment, profile, version, want_uuid, sent_uuid, state, "
                     "assignment, reason, command, drift, tries, next_try_at, first_failed_at, changed_at, "
                     "verified_at, error) "
                     "VALUES (%" APR_INT64_T_FMT ", %d, %d, %s, NULL, %d, 1, 'r', %" APR_INT64_T_FMT
                     ", 0, 0, 0, 0, %" APR_TIME_T_FMT ", %" APR_TIME_T_FMT ", NULL);", enrollment, id, version, uuid,
                     state, command, st->ctx->fixed_now, state == MDM_DESIRED_VERIFIED ? st->ctx->fixed_now : 0));
}

static void one(int id, mdm_desired_state_e state)
{
    profile(id, "{}");
    desired(DEVICE, id, 1, state, 0);
}

#define STRING(key, value) "<key>" key "</key><string>" value "</string>"

static const char *entry(const char *identifier, const char *uuid, const char *more)
{
    return apr_psprintf(database_pool(), "<dict>" STRING("PayloadIdentifier", "%s") STRING("PayloadUUID", "%s")
                        "%s</dict>", identifier, uuid, more);
}

#define MANAGED "<key>IsManaged</key><true/>"
#define UNMANAGED "<key>IsManaged</key><false/>"
#define MDM_PAYLOAD "<key>PayloadContent</key><array><dict>" STRING("PayloadType", "com.apple.mdm") "</dict></array>"
#define ENROLLMENT entry(OWN, "E", MANAGED MDM_PAYLOAD)

static apr_status_t take(void *baton, mdm_db_t *db)
{
    (void)baton;
    (void)db;
    return mdm_facts_take(st, &site, &row, &device);
}

static void list_of(const char *entries, const char *asked)
{
    apr_pool_t *p = database_pool();
    mdm_command_t c = { 0 };
    mdm_plist_t *message;
    int before;

    c.id = ++lists;
    c.uuid = apr_psprintf(p, "list-%d", lists);
    c.request_type = "ProfileList";
    c.body = apr_pstrcat(p, "<plist><dict><key>Command</key><dict>" STRING("RequestType", "ProfileList"), asked,
                         "</dict>" STRING("CommandUUID", "x") "</dict></plist>", NULL);
    OK(mdm_store_command_insert(st, &c));
    OK(mdm_plist_read(&message, st->ctx, mdm_bytes_of(apr_pstrcat(p, "<plist><dict><key>ProfileList</key><array>",
                                                                  entries, "</array></dict></plist>", NULL))));
    row.answered = c.id;
    row.answered_type = "ProfileList";
    device.message = message;
    before = mdm_db_statements(st->db);
    OK(mdm_db_transact(st->db, take, NULL));
    spent = mdm_db_statements(st->db) - before;
}

static void later(apr_interval_time_t after)
{
    st->ctx->fixed_now += after;
}

/* The device lists its enrollment profile and these. */
static void list(const char *entries)
{
    later(apr_time_from_sec(1));
    list_of(apr_pstrcat(database_pool(), ENROLLMENT, entries, NULL), "");
}

static void stored(const char *text, const char *wanted)
{
    ck_assert_str_eq(database_sql(text), wanted);
}

/* state|drift|tries of a profile */
static void is(int id, const char *wanted)
{
    stored(apr_psprintf(database_pool(), "SELECT state, drift, tries FROM mdm_desired WHERE enrollment = 7 AND "
                        "profile = %d;", id), wanted);
}

static void answer(const char *status, mdm_delivery_e delivery, apr_int64_t command)
{
    mdm_plist_t *chain;

    OK(mdm_plist_read(&chain, st->ctx, mdm_bytes_of("<plist><array><dict><key>ErrorCode</key><integer>4001</integer>"
        STRING("ErrorDomain", "MCInstallationErrorDomain") STRING("USEnglishDescription", "Profile Installation Failed")
        "</dict><dict>" STRING("LocalizedDescription", "Kein Platz") "</dict></array></plist>")));
    row.answered = row.answered_id = command;
    row.answered_delivery = delivery;
    row.next = 0;
    later(apr_time_from_sec(1));
    spent = -mdm_db_statements(st->db);
    OK(mdm_drift_answered(st, &site, &row, &device, status, chain, NULL));
    spent += mdm_db_statements(st->db);
}

static int remedies(void)
{
    int done;

    OK(mdm_remedy_step(&done, st));
    return done;
}

/* Whether the only remedy is due after `after`, and with at most an eighth more. */
static void due_in(apr_interval_time_t after)
{
    apr_time_t at = apr_atoi64(database_sql("SELECT MAX(next_try_at) FROM mdm_desired;")) - st->ctx->fixed_now;

    ck_assert_msg(at >= after && at <= after + after / 8, "%" APR_TIME_T_FMT, at);
}

START_TEST(what_is_as_it_should_be_is_verified_and_an_unchanged_list_writes_a_time)
{
    const char *all = "";
    int i;

    start(_i);
    for (i = 1; i <= 30; i++) {
        one(i, MDM_DESIRED_ACKED);
        all = apr_pstrcat(database_pool(), all, entry(apr_psprintf(database_pool(), "org.p%d", i),
                                                      apr_psprintf(database_pool(), "U%d", i), MANAGED), NULL);
    }
    list(all);
    stored("SELECT state, drift, COUNT(*) FROM mdm_desired GROUP BY state, drift;", "4|0|30");
    stored("SELECT COUNT(*) FROM mdm_desired WHERE verified_at = 1700000001000000;", "30");
    ck_assert_int_le(spent, 2 + 4 + 2);      /* items: look, 31 of them in four, time; profiles: look, write */
    list(all);
    ck_assert_int_eq(spent, 3);              /* two looks, one time */
    stored("SELECT COUNT(*) FROM mdm_desired WHERE changed_at = 1700000001000000;", "30");
    stored("SELECT COUNT(*) FROM mdm_item WHERE changed_at = 1700000001000000;", "31");
    stored("SELECT COUNT(*) FROM mdm_event;", "0");
    database_end();
}
END_TEST

START_TEST(the_eight_cases_of_a_list)
{
    start(_i);
    one(1, MDM_DESIRED_ACKED);                       /* verified */
    one(2, MDM_DESIRED_ACKED);                       /* stale */
    one(3, MDM_DESIRED_ACKED);                       /* missing */
    one(4, MDM_DESIRED_VERIFIED);                    /* drifted */
    profile(5, "{}");                                /* extra, without a row */
    profile(6, "{}");
    desired(DEVICE, 6, 0, MDM_DESIRED_REMOVED, 0);   /* extra, came back */
    profile(7, "{}");                                /* by a person, though of our identifier */
    profile(8, "{\"removal_disallowed\":true}");
    desired(DEVICE, 8, 1, MDM_DESIRED_ACKED, 0);     /* flags */
    one(9, MDM_DESIRED_PENDING);                     /* waits for its turn */
    list(apr_pstrcat(database_pool(), entry("org.p1", "U1", MANAGED), entry("org.p2", "OLD", MANAGED),
                     entry("org.p5", "X", MANAGED), entry("org.p6", "X", MANAGED), entry("org.p7", "X", UNMANAGED),
                     entry("org.p8", "U8", MANAGED), entry("net.foreign", "F", MANAGED),
                     entry("net.person", "P", UNMANAGED), NULL));
    is(1, "4|0|0");
    is(2, "5|1|0");
    is(3, "5|2|0");
    is(4, "5|3|0");
    is(5, "8|4|0");
    is(6, "8|4|0");
    is(7, "");
    is(8, "4|5|0");
    is(9, "1|0|0");
    ck_assert_int_le(spent, 3 + 1 + 4);              /* items: look, write, time; profiles: at most four */
    stored("SELECT kind, detail FROM mdm_event;", "profile.drifted|org.p2: stale, org.p3: missing, org.p4: drifted, "
           "org.p5: extra, org.p6: extra, org.p8: flags");
    stored("SELECT COUNT(*) FROM mdm_command c WHERE c.delivery IN (5, 6);", "0");
    stored("SELECT profile, version, reason FROM mdm_desired WHERE assignment = 0;",
           "5|0|on the device without being assigned");

    /* the extras go at once, the others wait their time; one command for each profile */
    ck_assert_int_eq(remedies(), 2);
    stored("SELECT c.request_type, c.supersede_key, q.enrollment FROM mdm_command c JOIN mdm_queue q "
           "ON q.command = c.id WHERE c.delivery = 6 ORDER BY c.supersede_key;",
           "RemoveProfile|profile:5|7\nRemoveProfile|profile:6|7");
    stored("SELECT COUNT(*) FROM mdm_desired WHERE next_try_at > 1700003601000000;", "3");
    ck_assert_int_eq(remedies(), 0);
    later(HOUR + HOUR / 8);
    ck_assert_int_eq(remedies(), 3);
    stored("SELECT request_type, COUNT(*) FROM mdm_command WHERE delivery = 5 GROUP BY request_type;",
           "InstallProfile|3");
    is(4, "1|3|1");
    database_end();
}
END_TEST

START_TEST(ismanaged_may_be_absent_and_a_partial_list_counts)
{
    start(_i);
    one(1, MDM_DESIRED_VERIFIED);
    profile(2, "{}");
    list(apr_pstrcat(database_pool(), entry("org.p1", "U1", ""), entry("org.p2", "X", ""), entry("net.x", "X", ""),
                     NULL));
    is(1, "4|0|0");
    is(2, "8|4|0");
    list_of(entry("org.p1", "OTHER", ""), "<key>ManagedOnly</key><true/>");
    is(1, "5|1|0");
    stored("SELECT COUNT(*) FROM mdm_event WHERE kind LIKE 'enrollment%';", "0");
    stored("SELECT COUNT(*) FROM mdm_fact;", "0");
    database_end();
}
END_TEST

START_TEST(the_enrollment_profile_is_missed_once)
{
    start(_i);
    profile(1, "{}");
    sql("UPDATE mdm_profile SET identifier = '" OWN "';");
    list("");
    stored("SELECT COUNT(*) FROM mdm_desired;", "0");
    list_of("", "");
    list_of("", "");
    stored("SELECT kind, object FROM mdm_event;", "enrollment_profile.missing|");
    stored("SELECT name, value, source FROM mdm_fact;", "ProfileList.EnrollmentProfile|\"missing\"|ProfileList");
    list_of(entry("net.other", "X", MDM_PAYLOAD), "");
    stored("SELECT value FROM mdm_fact;", "\"net.other\"");
    stored("SELECT object FROM mdm_event ORDER BY id DESC LIMIT 1;", "net.other");
    {
        mdm_trouble_t trouble;

        OK(mdm_store_trouble(&trouble, st));
        ck_assert_int_eq((int)trouble.other_enrollment_profile, 1);
        ck_assert_int_eq((int)trouble.no_enrollment_profile, 0);
    }
    list("");
    stored("SELECT COUNT(*) FROM mdm_fact;", "0");
    stored("SELECT kind, COUNT(*) FROM mdm_event GROUP BY kind ORDER BY kind;",
           "enrollment_profile.missing|2\nenrollment_profile.returned|1");
    list_of(entry(apr_psprintf(database_pool(), "%0600d", 1), "X", MDM_PAYLOAD), "");
    stored("SELECT value FROM mdm_fact;", "\"missing\"");        /* such a name is none */
    list("");
    row.parent = 1;
    list_of("", "");
    stored("SELECT COUNT(*) FROM mdm_fact;", "0");
    database_end();
}
END_TEST

/* What the queue of the device holds of this delivery is answered. */
static apr_int64_t handed_out(mdm_delivery_e delivery)
{
    apr_int64_t command = apr_atoi64(database_sql(apr_psprintf(database_pool(),
        "SELECT c.id FROM mdm_command c JOIN mdm_queue q ON q.command = c.id WHERE c.delivery = %d;", delivery)));

    ck_assert(command > 0);
    sql(apr_psprintf(database_pool(), "DELETE FROM mdm_queue WHERE command = %" APR_INT64_T_FMT ";", command));
    return command;
}

static void drop_lists(void)
{
    sql("DELETE FROM mdm_queue WHERE command IN (SELECT id FROM mdm_command WHERE delivery = 7);");
}

START_TEST(three_remedies_then_one_event_and_no_loop)
{
    static const int hours[] = { 1, 6, 24 };
    int i;

    start(_i);
    one(1, MDM_DESIRED_ACKED);
    for (i = 0; i < 3; i++) {
        list("");
        is(1, apr_psprintf(database_pool(), "5|2|%d", i));
        due_in(HOUR * hours[i]);
        list("");
        due_in(HOUR * hours[i] - apr_time_from_sec(1));
        ck_assert_int_eq(remedies(), 0);
        later(HOUR * hours[i] * 9 / 8);
        ck_assert_int_eq(remedies(), 1);
        list("");                                   /* the install is under way: the list is older than it */
        is(1, apr_psprintf(database_pool(), "1|2|%d", i + 1));
        answer("Acknowledged", MDM_DELIVERY_PROFILE, handed_out(MDM_DELIVERY_PROFILE));
        is(1, apr_psprintf(database_pool(), "3|2|%d", i + 1));
        drop_lists();
    }
    list("");
    is(1, "6|2|3");
    stored("SELECT error FROM mdm_desired;", "missing after 3 remedies");
    list("");
    later(1000 * HOUR);
    list("");
    ck_assert_int_eq(spent, 3);
    ck_assert_int_eq(remedies(), 0);
    stored("SELECT kind, object, COUNT(*) FROM mdm_event WHERE kind = 'profile.failed' GROUP BY kind, object;",
           "profile.failed|org.p1|1");
    list(entry("org.p1", "U1", MANAGED));            /* somebody has mended it */
    is(1, "4|0|3");
    stored("SELECT error, next_try_at, first_failed_at FROM mdm_desired;", "|0|0");
    stored("SELECT kind FROM mdm_event ORDER BY id DESC LIMIT 1;", "profile.repaired");
    list("");                                        /* it goes again, too soon to count anew */
    is(1, "6|3|3");
    list(entry("org.p1", "U1", MANAGED));
    later(25 * HOUR);
    list("");
    is(1, "5|3|0");
    database_end();
}
END_TEST

START_TEST(a_refused_install_is_tried_again_and_then_given_up)
{
    apr_int64_t command = 900;
    int i;

    start(_i);
    profile(1, "{}");
    desired(DEVICE, 1, 1, MDM_DESIRED_SENT, command);
    answer("Error", MDM_DELIVERY_PROFILE, 899);
    is(1, "2|0|0");
    for (i = 0; i <= 3; i++) {
        answer(i ? "CommandFormatError" : "Error", MDM_DELIVERY_PROFILE, command);
        is(1, apr_psprintf(database_pool(), "6|0|%d", i));
        stored("SELECT error, first_failed_at FROM mdm_desired;", "Profile Installation Failed "
               "(MCInstallationErrorDomain 4001); Kein Platz|1700000002000000");
        later(30 * HOUR);
        ck_assert_int_eq(remedies(), i < 3);
        if (i < 3)
            command = handed_out(MDM_DELIVERY_PROFILE);
    }
    stored("SELECT kind, object, detail FROM mdm_event;", "profile.failed|org.p1|Profile Installation Failed "
           "(MCInstallationErrorDomain 4001); Kein Platz");
    stored("SELECT COUNT(*) FROM mdm_queue;", "0");
    ck_assert_int_le(spent, 4);
    database_end();
}
END_TEST

START_TEST(an_acknowledgement_brings_one_list_in_the_same_session)
{
    start(_i);
    profile(1, "{}");
    desired(DEVICE, 1, 1, MDM_DESIRED_SENT, 900);
    profile(2, "{}");
    desired(DEVICE, 2, 1, MDM_DESIRED_SENT, 901);
    profile(3, "{}");
    desired(DEVICE, 3, 0, MDM_DESIRED_REMOVING, 902);
    answer("Acknowledged", MDM_DELIVERY_PROFILE, 900);
    ck_assert_int_eq(spent, 4);
    ck_assert(row.next > 0);
    ck_assert_int_eq(row.next_delivery, MDM_DELIVERY_PROFILE_LIST);
    ck_assert(strstr(row.next_body, "<string>ProfileList</string>") && strstr(row.next_body, row.next_uuid));
    answer("Acknowledged", MDM_DELIVERY_PROFILE, 901);
    ck_assert_int_eq(spent, 3);
    ck_assert_int_eq((int)row.next, 0);
    answer("Acknowledged", MDM_DELIVERY_PROFILE_REMOVAL, 902);
    is(1, "3|0|0");
    is(3, "8|0|0");
    stored("SELECT c.delivery, q.enrollment, q.priority FROM mdm_queue q JOIN mdm_command c ON c.id = q.command;",
           "7|7|-50");
    stored("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0;", "0");

    list(apr_pstrcat(database_pool(), entry("org.p1", "U1", MANAGED), entry("org.p3", "X", MANAGED), NULL));
    is(1, "4|0|0");
    is(2, "5|2|0");
    is(3, "8|4|0");                                  /* acknowledged, and there still */
    ck_assert_int_eq(remedies(), 1);
    drop_lists();
    answer("Error", MDM_DELIVERY_PROFILE_REMOVAL, handed_out(MDM_DELIVERY_PROFILE_REMOVAL));
    is(3, "6|4|1");
    stored("SELECT COUNT(*) FROM mdm_queue q JOIN mdm_command c ON c.id = q.command WHERE c.delivery = 7;", "1");
    list(entry("org.p1", "U1", MANAGED));
    is(3, "9|0|0");
    database_end();
}
END_TEST

START_TEST(a_command_that_is_lost_is_noticed)
{
    start(_i);
    profile(1, "{}");
    desired(DEVICE, 1, 1, MDM_DESIRED_PENDING, 900);  /* nobody's queue has it: cancelled or expired */
    list("");
    is(1, "5|2|0");
    row.next = 0;
    database_end();
}
END_TEST

/* A command of the fan-out, in the queue of the device. */
static void ordered(apr_int64_t id, mdm_delivery_e delivery)
{
    mdm_command_t c = { 0 };

    c.id = id;
    c.uuid = apr_psprintf(database_pool(), "C-%d", (int)id);
    c.request_type = "X";
    c.body = "-";
    c.created_by = "profiles";
    c.delivery = delivery;
    OK(mdm_store_command_insert(st, &c));
    sql(apr_psprintf(database_pool(), "INSERT INTO mdm_queue (command, enrollment, priority, notnow, tries, queued_at, "
                     "sent_at, not_before, not_after, held) VALUES (%d, %d, 0, 0, 0, 1, 0, 0, 0, 0);", (int)id,
                     DEVICE));
}

START_TEST(what_a_person_ends_has_failed_until_the_next_try)
{
    mdm_decision_t anna = { "anna", NULL, 0, NULL, &site };

    start(_i);
    enrol(8);
    one(4, MDM_DESIRED_VERIFIED);
    profile(1, "{}");
    desired(DEVICE, 1, 1, MDM_DESIRED_PENDING, 900);
    desired(8, 1, 1, MDM_DESIRED_PENDING, 900);
    ordered(900, MDM_DELIVERY_PROFILE);
    profile(2, "{}");
    desired(DEVICE, 2, 1, MDM_DESIRED_SENT, 901);
    ordered(901, MDM_DELIVERY_PROFILE);
    profile(3, "{}");
    desired(DEVICE, 3, 0, MDM_DESIRED_REMOVING, 902);
    ordered(902, MDM_DELIVERY_PROFILE_REMOVAL);
    OK(mdm_command_cancel(&anna, st, "C-900", NULL));
    is(1, "6|0|0");
    is(2, "2|0|0");
    stored("SELECT state FROM mdm_desired WHERE enrollment = 8;", "1");
    OK(mdm_command_clear(&anna, st, "UDID-7"));
    ck_assert_int_eq(anna.count, 2);
    is(2, "6|0|0");
    is(3, "6|0|0");
    is(4, "4|0|0");
    stored("SELECT error, first_failed_at, COUNT(*) FROM mdm_desired WHERE state = 6 GROUP BY 1, 2;",
           "cancelled by anna|0|3");
    due_in(HOUR);

    /* a list that is not about them changes nothing; an answer that comes all the same counts */
    list(apr_pstrcat(database_pool(), entry("org.p3", "X", MANAGED), entry("org.p4", "U4", MANAGED), NULL));
    is(1, "6|0|0");
    is(3, "6|0|0");
    answer("Acknowledged", MDM_DELIVERY_PROFILE, 901);
    is(2, "3|0|0");
    stored("SELECT next_try_at, error FROM mdm_desired WHERE profile = 2;", "0|");
    ck_assert_int_eq(remedies(), 0);
    later(HOUR + HOUR / 8);
    ck_assert_int_eq(remedies(), 2);
    is(1, "1|0|1");
    is(3, "8|0|1");
    stored("SELECT request_type FROM mdm_command c JOIN mdm_queue q ON q.command = c.id WHERE q.enrollment = 7 AND "
           "c.delivery <> 7 ORDER BY 1;", "InstallProfile\nRemoveProfile");
    database_end();
}
END_TEST

START_TEST(a_list_leaves_alone_what_was_ordered_since_it_was_read)
{
    mdm_desired_put_t newer = { DEVICE, "U1", "newer" };
    mdm_desired_t values = { 0 };
    apr_array_header_t *rows;
    const char *alarm;
    int i;

    start(_i);
    profile(3, "{}");
    one(1, MDM_DESIRED_ACKED);
    later(HOUR);
    one(2, MDM_DESIRED_ACKED);
    OK(mdm_store_drift_rows(&rows, &alarm, st, DEVICE));
    ck_assert_int_eq(rows->nelts, 2);
    /* by the clock of a node that is behind */
    later(-HOUR / 2);
    values.profile = 1;
    values.version = 2;
    values.state = MDM_DESIRED_PENDING;
    values.command = 900;
    OK(mdm_store_desired_put(st, &values, &newer, 1));
    later(HOUR);
    for (i = 0; i < 2; i++) {
        mdm_drift_row_t *found = &APR_ARRAY_IDX(rows, i, mdm_drift_row_t);

        found->d.state = MDM_DESIRED_VERIFIED;
        found->changed = 1;
    }
    OK(mdm_store_drift_put(st, DEVICE, rows));
    stored("SELECT profile, state, version, command FROM mdm_desired ORDER BY 1;", "1|1|2|900\n2|4|1|0");
    stored("SELECT changed_at FROM mdm_desired WHERE profile = 2;",
           apr_psprintf(database_pool(), "%" APR_TIME_T_FMT, st->ctx->fixed_now));
    database_end();
}
END_TEST

START_TEST(what_cannot_be_handed_out_has_failed)
{
    start(_i);
    profile(1, "{}");
    desired(DEVICE, 1, 1, MDM_DESIRED_PENDING, 900);
    row.next = 900;
    row.answered_id = 5;
    OK(mdm_drift_answered(st, &site, &row, &device, "Cancelled", NULL, "no key to encrypt to"));
    is(1, "6|0|0");
    stored("SELECT error FROM mdm_desired;", "no key to encrypt to");
    stored("SELECT COUNT(*) FROM mdm_queue;", "0");
    database_end();
}
END_TEST

START_TEST(an_end_closes_and_a_beginning_forgets)
{
    start(_i);
    enrol(8);
    sql("UPDATE mdm_enrollment SET parent = 7 WHERE id = 8;");
    one(1, MDM_DESIRED_VERIFIED);
    desired(8, 1, 1, MDM_DESIRED_DRIFTED, 5);
    sql("UPDATE mdm_desired SET next_try_at = 5;");
    OK(mdm_drift_closed(st, DEVICE));
    stored("SELECT state, command, next_try_at FROM mdm_desired;", "10|0|0\n10|0|0");
    list("");
    stored("SELECT COUNT(*) FROM mdm_desired WHERE state = 10;", "2");
    OK(mdm_store_recheck(st, DEVICE));
    OK(mdm_drift_begun(st, DEVICE));
    stored("SELECT (SELECT COUNT(*) FROM mdm_desired) + (SELECT COUNT(*) FROM mdm_recheck);", "0");
    database_end();
}
END_TEST

START_TEST(a_storm_of_drift_is_mended_in_steps)
{
    int i;

    start(_i);
    profile(1, "{}");
    for (i = 100; i < 250; i++) {
        enrol(i);
        desired(i, 1, 1, MDM_DESIRED_DRIFTED, 0);
    }
    sql("UPDATE mdm_desired SET next_try_at = 5;");
    spent = -mdm_db_statements(st->db);
    ck_assert_int_eq(remedies(), 64);
    spent += mdm_db_statements(st->db);
    ck_assert_int_le(spent, 6);
    ck_assert_int_eq(remedies(), 64);
    ck_assert_int_eq(remedies(), 22);
    ck_assert_int_eq(remedies(), 0);
    stored("SELECT COUNT(*), COUNT(DISTINCT command) FROM mdm_queue;", "150|3");
    stored("SELECT state, tries, COUNT(*) FROM mdm_desired GROUP BY state, tries;", "1|1|150");
    database_end();
}
END_TEST

START_TEST(a_round_of_checks_takes_its_time_and_asks_everybody_once)
{
    mdm_check_round_t round = mdm_check_read(NULL);
    int queued, total = 0, steps = 0, i;

    start(_i);
    profile(1, "{}");
    for (i = 100; i < 300; i++) {
        enrol(i);
        if (i % 2)
            desired(i, 1, 1, MDM_DESIRED_VERIFIED, 0);
    }
    sql("INSERT INTO mdm_fact_source (enrollment, source, seen_at) VALUES (101, 'ProfileList', 1699999990000000);");
    ck_assert_int_le(mdm_check_due(&round, &site), START);
    do {
        spent = -mdm_db_statements(st->db);
        OK(mdm_check_step(&round, &queued, st, &site));
        spent += mdm_db_statements(st->db);
        ck_assert_int_le(spent, steps ? 6 : 7);
        ck_assert_int_le(queued, 64);
        total += queued;
        steps++;
        round = mdm_check_read(mdm_check_text(&round, database_pool()));
        if (round.cursor)
            ck_assert_int_lt(mdm_check_due(&round, &site), START + 24 * HOUR);
    } while (round.cursor);
    ck_assert_int_eq(steps, 4);                      /* 201 enrollments, the device of other tests among them */
    ck_assert_int_eq(total, 99);
    ck_assert_int_eq(mdm_check_due(&round, &site), START + 24 * HOUR);
    stored("SELECT COUNT(*), COUNT(DISTINCT enrollment), MIN(enrollment) FROM mdm_queue;", "99|99|103");
    later(24 * HOUR);
    OK(mdm_check_step(&round, &queued, st, &site));
    ck_assert_int_eq(queued, 1);                     /* of these 101 alone waits for no question yet */
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("drift");
    TCase *tc = tcase_create("lists"), *answers = tcase_create("answers"), *steps = tcase_create("steps");

    (void)argc;
    tcase_set_timeout(tc, 120);
    tcase_set_timeout(answers, 120);
    tcase_set_timeout(steps, 120);
    tcase_add_loop_test(tc, what_is_as_it_should_be_is_verified_and_an_unchanged_list_writes_a_time, 0, DATABASES);
    tcase_add_loop_test(tc, the_eight_cases_of_a_list, 0, DATABASES);
    tcase_add_loop_test(tc, ismanaged_may_be_absent_and_a_partial_list_counts, 0, DATABASES);
    tcase_add_loop_test(tc, the_enrollment_profile_is_missed_once, 0, DATABASES);
    tcase_add_loop_test(tc, a_command_that_is_lost_is_noticed, 0, DATABASES);
    tcase_add_loop_test(answers, three_remedies_then_one_event_and_no_loop, 0, DATABASES);
    tcase_add_loop_test(answers, a_refused_install_is_tried_again_and_then_given_up, 0, DATABASES);
    tcase_add_loop_test(answers, an_acknowledgement_brings_one_list_in_the_same_session, 0, DATABASES);
    tcase_add_loop_test(answers, what_a_person_ends_has_failed_until_the_next_try, 0, DATABASES);
    tcase_add_loop_test(answers, a_list_leaves_alone_what_was_ordered_since_it_was_read, 0, DATABASES);
    tcase_add_loop_test(answers, what_cannot_be_handed_out_has_failed, 0, DATABASES);
    tcase_add_loop_test(answers, an_end_closes_and_a_beginning_forgets, 0, DATABASES);
    tcase_add_loop_test(steps, a_storm_of_drift_is_mended_in_steps, 0, DATABASES);
    tcase_add_loop_test(steps, a_round_of_checks_takes_its_time_and_asks_everybody_once, 0, DATABASES);
    suite_add_tcase(suite, tc);
    suite_add_tcase(suite, answers);
    suite_add_tcase(suite, steps);
    return database_main(suite, argv);
}
