/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fixture of the unit programs about what should hold. Devices are rows; what they answer is written as the connect
 * path would, without its messages.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "desired_fixture.h"
#include "mdm_fanout.h"
#include "mdm_rollout.h"
#include "mdm_store.h"
#include "mdm_store_group.h"
#include "mdm_store_secret.h"

mdm_store_t *st;

static const char *udid(int id)
{
    return apr_psprintf(database_pool(), "UDID-%03d", id);
}

void desired_start(int loop)
{
    mdm_push_topic_t topic = { 0 };

    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
    topic.topic = "com.apple.mgmt.External.test";
    topic.certificate_pem = "-";
    topic.key_pem = mdm_bytes_of("-");
    OK(mdm_store_push_topic_put(st, &topic));
    database_sql("INSERT INTO mdm_group (id, name, created_at) VALUES (1, 'sales', 0), (2, 'everyone', 0), "
                 "(3, 'vip', 0);");
}

void desired_enrol(apr_int64_t id, apr_int64_t parent, const char *login)
{
    mdm_enrollment_t e = { 0 };

    e.id = id;
    e.enrollment_id = udid((int)id);
    e.type = parent ? "User" : "Device";
    e.parent = parent;
    e.state = MDM_STATE_ENROLLED;
    e.user = login;
    e.topic = "com.apple.mgmt.External.test";
    e.serial_number = apr_psprintf(database_pool(), "C%03d", (int)id);
    e.token_update_tally = 1;
    OK(mdm_store_enrollment_insert(st, &e));
}

void desired_enrol_many(int from, int to)
{
    int i;

    for (i = from; i <= to; i++)
        desired_enrol(i, 0, NULL);
}

void desired_user(const char *login, const char *email, const char *attributes)
{
    database_sql(apr_psprintf(database_pool(), "DELETE FROM mdm_user WHERE login = '%s'; INSERT INTO mdm_user (login, "
                              "email, attributes, source, disabled, created_at, changed_at, synced_at) "
                              "VALUES ('%s', %s, '%s', 'api', 0, 0, 0, 0);", login, login,
                              email ? apr_psprintf(database_pool(), "'%s'", email) : "NULL", attributes));
}

void desired_join(apr_int64_t group, int from, int to)
{
    apr_array_header_t *unknown;
    int i;

    for (i = from; i <= to; i++) {
        const char *id = udid(i);

        OK(mdm_store_member_add(&unknown, st, group, "put in by the test", &id, 1));
    }
}

void desired_profile(apr_int64_t id, const char *name, int version, const char *text, const char *single)
{
    apr_pool_t *p = database_pool();
    mdm_profile_row_t row = { 0 }, as = { 0 };
    mdm_profile_version_t v = { 0 };
    const char *at = text;

    row.id = id;
    row.name = name;
    row.identifier = apr_pstrcat(p, "org.example.", name, NULL);
    row.scope = strstr(name, "user") ? "User" : "System";
    row.version = version;
    as.version = version - 1;
    if (version == 1)
        OK(mdm_store_profile_insert(st, &row));
    else
        OK(mdm_store_profile_update(st, &row, &as));
    v.profile = id;
    v.version = version;
    v.body = mdm_bytes_of(apr_psprintf(p, "<plist version=\"1.0\"><dict><key>PayloadContent</key><array><dict>"
                          "<key>PayloadType</key><string>org.example.test</string><key>Text</key><string>%s</string>"
                          "</dict></array><key>PayloadDisplayName</key><string>%s</string><key>PayloadIdentifier</key>"
                          "<string>%s</string><key>PayloadType</key><string>Configuration</string>"
                          "<key>PayloadVersion</key><integer>1</integer></dict></plist>", text, name, row.identifier));
    v.sha256 = "-";
    v.detail = apr_psprintf(p, "{\"types\": [\"org.example.test\"%s%s%s]}", single ? ", \"" : "", single ? single : "",
                            single ? "\"" : "");
    OK(mdm_store_profile_version_insert(st, &v));
    while ((at = strstr(at, "${secret.")) != NULL) {
        const char *name_of = apr_pstrmemdup(p, at + 9, strcspn(at + 9, "}:"));

        OK(mdm_store_profile_secrets(st, id, version, &name_of, 1));
        at++;
    }
}

void desired_secret(const char *name, const char *value)
{
    int generation;

    OK(mdm_store_secret_put(&generation, st, name, mdm_bytes_of(value), "test"));
}

apr_int64_t desired_assign(apr_int64_t profile, mdm_assignment_kind_e kind, const char *target, int exclude,
                           int priority, const char *rollout)
{
    mdm_assignment_t a = { 0 };
    mdm_rollout_t r;

    a.id = mdm_id_next();
    a.profile = profile;
    a.kind = kind;
    a.target = target;
    a.exclude = exclude;
    a.priority = priority;
    a.rollout = rollout;
    if (rollout) {
        mdm_profile_row_t *row;

        OK(mdm_rollout_of(&r, st->ctx, rollout));
        OK(mdm_store_profile_by_id(&row, st, profile));
        mdm_rollout_begin(&a, &r, row->version, mdm_ctx_now(st->ctx));
    }
    OK(mdm_store_assignment_insert(st, &a));
    return a.id;
}

void desired_unassign(apr_int64_t assignment)
{
    OK(mdm_store_assignment_delete(st, assignment));
}

void desired_run(void)
{
    OK(mdm_fanout_run(st, 0));
}

int desired_change(const char *kind, const char *object)
{
    OK(mdm_store_change_add(st, kind, object, "test"));
    desired_run();
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_change WHERE finished_at = 0"), 0);
    return desired_count("SELECT changed FROM mdm_change ORDER BY id DESC LIMIT 1");
}

static void answer_one(int id, const char *status)
{
    apr_pool_t *p = database_pool();
    const char *where = apr_psprintf(p, "enrollment = %d", id);

    database_sql(apr_psprintf(p,
        "INSERT INTO mdm_result (command, enrollment, request_type, status, finished_at) "
        "SELECT q.command, q.enrollment, c.request_type, '%s', 0 "
        "FROM mdm_queue q JOIN mdm_command c ON c.id = q.command WHERE q.%s; DELETE FROM mdm_queue WHERE %s; "
        "UPDATE mdm_push SET due_at = 0, wanted_at = 0 WHERE %s; ", status, where, where, where));
    if (!strcmp(status, "Acknowledged"))
        database_sql(apr_psprintf(p, "UPDATE mdm_desired SET state = 3, sent_uuid = want_uuid, command = 0 "
                                  "WHERE state = 1 AND %s; UPDATE mdm_desired SET state = 9, command = 0 "
                                  "WHERE state = 8 AND %s;",
                                  where, where));
    else
        database_sql(apr_psprintf(p, "UPDATE mdm_desired SET state = 6, sent_uuid = want_uuid, command = 0, "
                                  "first_failed_at = 1700000000000001 WHERE state = 1 AND %s;", where));
}

void desired_answer(int from, int to, const char *status)
{
    int i;

    for (i = from; i <= to; i++)
        answer_one(i, status);
}

int desired_count(const char *sql)
{
    return atoi(database_sql(apr_pstrcat(database_pool(), sql, ";", NULL)));
}

const char *desired_tally(void)
{
    return apr_psprintf(database_pool(), "%d %d %d",
        desired_count("SELECT COUNT(*) FROM mdm_queue q JOIN mdm_command c ON c.id = q.command "
                      "WHERE c.request_type = 'InstallProfile'"),
        desired_count("SELECT COUNT(*) FROM mdm_queue q JOIN mdm_command c ON c.id = q.command "
                      "WHERE c.request_type = 'RemoveProfile'"),
        desired_count("SELECT COUNT(*) FROM mdm_push WHERE due_at > 0"));
}
