/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of persons, on both databases: what is merged with what, which events and marks each change leaves, how many
 * statements it costs, and what is refused.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_json.h"
#include "mdm_person.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")

static mdm_store_t *st;
static const mdm_person_by_t by_api = { "api", "admin", "192.0.2.1" };

static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
    database_sql("INSERT INTO mdm_enrollment (id, enrollment_id, type, parent, state, login, token_update_tally, "
                 "created_at, enrolled_at, left_at, last_seen_at, token_at) VALUES "
                 "(1, 'UDID-1', 'Device', 0, 2, 'anna', 1, 0, 0, 0, 0, 0), "
                 "(11, 'UDID-1:U', 'User', 1, 2, NULL, 1, 0, 0, 0, 0, 0), "
                 "(2, 'UDID-2', 'Device', 0, 2, 'bert', 1, 0, 0, 0, 0, 0);");
}

static const char *marks(void)
{
    const char *marked = database_sql("SELECT enrollment FROM mdm_recheck ORDER BY enrollment;");

    database_sql("DELETE FROM mdm_recheck;");
    return marked;
}

static const char *events(void)
{
    const char *told = database_sql("SELECT kind, actor, object, detail FROM mdm_event ORDER BY id;");

    database_sql("DELETE FROM mdm_event;");
    return told;
}

static const mdm_user_t *stored(const char *login)
{
    mdm_user_t *user;

    OK(mdm_store_user_get(&user, st, login));
    return user;
}

static mdm_person_change_t change_of(const char *login, const char *json, int replace)
{
    mdm_person_change_t change = mdm_person_change(login);
    json_t *object;

    OK(mdm_json_read(&object, st->ctx, mdm_bytes_of(json)));
    OK(mdm_person_read(&change, st->ctx, object, replace));
    return change;
}

static mdm_person_change_t save(const char *login, const char *json, int replace)
{
    mdm_person_change_t change = change_of(login, json, replace);

    OK(mdm_person_save(st, &change, 1, &by_api));
    return change;
}

START_TEST(a_new_person_is_stored_told_and_marked)
{
    mdm_person_change_t change;

    start(_i);
    change = save("anna", "{\"display_name\": \"Anna A\", \"email\": \"anna@example.com\","
                  " \"attributes\": {\"title\": \"Nurse\", \"role\": [\"ward\", \"night\"], \"none\": \"\"}}", 0);
    ck_assert(change.made && change.changed);
    ck_assert_str_eq(stored("anna")->attributes, "{\"role\":[\"ward\",\"night\"],\"title\":\"Nurse\"}");
    ck_assert_str_eq(stored("anna")->display_name, "Anna A");
    ck_assert_str_eq(stored("anna")->email, "anna@example.com");
    ck_assert_str_eq(stored("anna")->source, "api");
    ck_assert_int_eq(stored("anna")->disabled, 0);
    ck_assert_str_eq(events(), "user.created|admin|anna|api: display_name, email, role, title");
    ck_assert_str_eq(marks(), "1\n11");
    database_end();
}
END_TEST

START_TEST(a_patch_merges_and_a_put_replaces)
{
    mdm_person_change_t change;
    int before;

    start(_i);
    save("anna", "{\"email\": \"a@example.com\", \"attributes\": {\"title\": \"Nurse\", \"role\": [\"ward\"]}}", 0);
    events();
    marks();
    before = mdm_db_statements(st->db);
    change = save("anna", "{\"attributes\": {\"title\": \"Nurse\", \"absent\": null}}", 0);
    ck_assert(!change.made && !change.changed);
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 1);
    ck_assert_str_eq(events(), "");
    ck_assert_str_eq(marks(), "");
    save("anna", "{\"email\": null, \"attributes\": {\"title\": \"Doctor\", \"role\": null, \"floor\": \"3\"}}", 0);
    ck_assert_ptr_null(stored("anna")->email);
    ck_assert_str_eq(stored("anna")->attributes, "{\"floor\":\"3\",\"title\":\"Doctor\"}");
    ck_assert_str_eq(events(), "user.changed|admin|anna|api: email, floor, role, title");
    ck_assert_str_eq(marks(), "1\n11");
    save("anna", "{\"display_name\": \"Anna\", \"attributes\": {\"floor\": \"3\"}}", 1);
    ck_assert_str_eq(stored("anna")->attributes, "{\"floor\":\"3\"}");
    ck_assert_str_eq(stored("anna")->display_name, "Anna");
    ck_assert_str_eq(events(), "user.changed|admin|anna|api: display_name, title");
    database_end();
}
END_TEST

START_TEST(disabling_and_enabling_are_events)
{
    start(_i);
    save("anna", "{}", 0);
    ck_assert_str_eq(events(), "user.created|admin|anna|api");
    marks();
    save("anna", "{\"disabled\": true}", 0);
    ck_assert_int_eq(stored("anna")->disabled, 1);
    ck_assert_str_eq(events(), "user.disabled|admin|anna|api");
    ck_assert_str_eq(marks(), "1\n11");
    save("anna", "{\"attributes\": {\"title\": \"Nurse\"}}", 0);
    ck_assert_int_eq(stored("anna")->disabled, 1);
    events();
    save("anna", "{\"attributes\": {\"title\": \"Nurse\"}}", 1);
    ck_assert_int_eq(stored("anna")->disabled, 0);
    ck_assert_str_eq(events(), "user.enabled|admin|anna|api");
    database_end();
}
END_TEST

START_TEST(several_are_all_saved_or_none)
{
    mdm_person_change_t changes[70];
    char big[1001];
    int i;

    start(_i);
    for (i = 0; i < 70; i++) {
        changes[i] = mdm_person_change(apr_psprintf(database_pool(), "user-%02d", i));
        OK(mdm_person_say(st->ctx, &changes[i], "title", "Nurse"));
    }
    memset(big, 'x', 1000);
    big[1000] = '\0';
    for (i = 0; i < 40; i++)
        OK(mdm_person_say(st->ctx, &changes[69], apr_psprintf(database_pool(), "a%d", i), big));
    ck_assert_int_eq(mdm_person_save(st, changes, 70, &by_api), MDM_ETOOBIG);
    ck_assert_str_eq(st->ctx->detail, "user \"user-69\": attributes must not be more than 32768 bytes together");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_user;"), "0");
    mdm_ctx_clear(st->ctx);
    OK(mdm_person_save(st, changes, 69, &by_api));
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_user;"), "69");
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_event;"), "69");
    database_end();
}
END_TEST

typedef struct {
    mdm_person_change_t *change;
    apr_status_t rv;
} signing_t;

static apr_status_t sign_in_work(void *baton, mdm_db_t *db)
{
    signing_t *s = baton;

    (void)db;
    return s->rv = mdm_person_sign_in(st, "anna", s->change, "192.0.2.9");
}

static apr_status_t sign_in(mdm_person_change_t *change, int *statements)
{
    signing_t s = { change, APR_SUCCESS };
    int before = mdm_db_statements(st->db);

    (void)mdm_db_transact(st->db, sign_in_work, &s);
    *statements = mdm_db_statements(st->db) - before;
    return s.rv;
}

START_TEST(a_sign_in_costs_one_statement_when_nothing_is_new)
{
    mdm_person_change_t change = mdm_person_change("anna");
    int n;

    start(_i);
    OK(sign_in(NULL, &n));
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_user;"), "0");
    OK(mdm_person_say(st->ctx, &change, "mail", "anna@example.com"));
    OK(mdm_person_say(st->ctx, &change, "title", "Nurse"));
    OK(sign_in(&change, &n));
    ck_assert(change.made);
    ck_assert_int_eq(n, 4);
    ck_assert_str_eq(events(), "user.created|anna|anna|sign-in: email, title");
    ck_assert_str_eq(marks(), "1\n11");
    OK(sign_in(&change, &n));
    ck_assert(!change.made && !change.changed);
    ck_assert_int_eq(n, 1);
    ck_assert_str_eq(events(), "");
    save("anna", "{\"disabled\": true}", 0);
    ck_assert_int_eq(sign_in(&change, &n), MDM_EDENIED);
    ck_assert_str_eq(st->ctx->detail, "anna is disabled and cannot enroll devices");
    ck_assert_int_eq(sign_in(NULL, &n), MDM_EDENIED);
    database_end();
}
END_TEST

START_TEST(who_is_found_in_the_directory_is_marked_as_found)
{
    mdm_person_change_t change;
    mdm_person_by_t by = { "directory", "directory", NULL };

    start(_i);
    save("anna", "{\"attributes\": {\"title\": \"Nurse\"}}", 0);
    events();
    marks();
    change = change_of("anna", "{\"attributes\": {\"title\": \"Nurse\"}}", 0);
    change.synced = 1;
    OK(mdm_person_save(st, &change, 1, &by));
    ck_assert(!change.changed);
    ck_assert(stored("anna")->synced_at == st->ctx->fixed_now);
    ck_assert_str_eq(stored("anna")->source, "api");
    ck_assert_str_eq(events(), "");
    ck_assert_str_eq(marks(), "");
    database_end();
}
END_TEST

static void refused(const char *json, const char *text)
{
    mdm_person_change_t change = mdm_person_change("anna");
    json_t *object;

    mdm_ctx_clear(st->ctx);
    OK(mdm_json_read(&object, st->ctx, mdm_bytes_of(json)));
    ck_assert_msg(mdm_person_read(&change, st->ctx, object, 0) != APR_SUCCESS, "%s", json);
    ck_assert_msg(strstr(st->ctx->detail, text) != NULL, "%s: %s", json, st->ctx->detail);
}

START_TEST(what_cannot_be_said_is_refused_by_name)
{
    mdm_person_change_t change = mdm_person_change("anna");
    char big[MDM_PERSON_TEXT_MAX + 2];

    start(_i);
    refused("{\"name\": \"x\"}", "no member 'name'");
    refused("{\"login\": \"x\"}", "no member 'login'");
    refused("{\"display_name\": 1}", "display_name must be a text or null, not an integer");
    refused("{\"email\": \"a\\nb\"}", "email must be UTF-8 text without control characters");
    refused("{\"disabled\": \"yes\"}", "disabled must be true or false, not a string");
    refused("{\"attributes\": []}", "attributes must be an object of texts and lists of texts, not an array");
    refused("{\"attributes\": {\"title\": 3}}", "attributes.title must be a text or null, not an integer");
    refused("{\"attributes\": {\"title\": [1]}}", "attributes.title[0] must be a text, not an integer");
    refused("{\"attributes\": {\"title\": [\"a\", \"\"]}}", "attributes.title[1] is empty: give it a text");
    refused("{\"attributes\": {\"1st\": \"a\"}}", "'1st' cannot be the name");
    refused("{\"attributes\": {\"job title\": \"a\"}}", "'job title' cannot be the name");
    refused("{\"attributes\": {\"mail\": \"a\"}}", "'mail' cannot be the name of an attribute: every user has it");
    memset(big, 'x', MDM_PERSON_TEXT_MAX + 1);
    big[MDM_PERSON_TEXT_MAX + 1] = '\0';
    mdm_ctx_clear(st->ctx);
    ck_assert_int_eq(mdm_person_say(st->ctx, &change, "title", big), MDM_ETOOBIG);
    ck_assert_int_eq(mdm_person_say(st->ctx, &change, "title", "\xff"), MDM_EINPUT);
    ck_assert_int_eq(mdm_person_say(st->ctx, &change, "disabled", "maybe"), MDM_EINPUT);
    ck_assert_int_eq(mdm_person_check_login(st->ctx, ""), MDM_EINPUT);
    ck_assert_int_eq(mdm_person_check_login(st->ctx, "a\x7f"), MDM_EINPUT);
    ck_assert_int_eq(mdm_person_check_login(st->ctx, apr_pstrndup(database_pool(), big, 256)), MDM_EINPUT);
    OK(mdm_person_check_login(st->ctx, "anna@example.com"));
    database_end();
}
END_TEST

START_TEST(lists_are_kept_and_single_values_are_texts)
{
    mdm_person_change_t change = mdm_person_change("anna");
    apr_array_header_t *texts;

    start(_i);
    texts = apr_array_make(database_pool(), 4, sizeof(const char *));
    OK(mdm_person_say_list(st->ctx, &change, "title", texts));
    APR_ARRAY_PUSH(texts, const char *) = "one";
    OK(mdm_person_say_list(st->ctx, &change, "floor", texts));
    APR_ARRAY_PUSH(texts, const char *) = "two";
    OK(mdm_person_say_list(st->ctx, &change, "role", texts));
    OK(mdm_person_say_list(st->ctx, &change, "mail", texts));
    OK(mdm_person_save(st, &change, 1, &by_api));
    ck_assert_str_eq(stored("anna")->attributes, "{\"floor\":\"one\",\"role\":[\"one\",\"two\"]}");
    ck_assert_str_eq(stored("anna")->email, "one");
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("person");
    TCase *tcase = tcase_create("person");

    (void)argc;
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_new_person_is_stored_told_and_marked, 0, DATABASES);
    tcase_add_loop_test(tcase, a_patch_merges_and_a_put_replaces, 0, DATABASES);
    tcase_add_loop_test(tcase, disabling_and_enabling_are_events, 0, DATABASES);
    tcase_add_loop_test(tcase, several_are_all_saved_or_none, 0, DATABASES);
    tcase_add_loop_test(tcase, a_sign_in_costs_one_statement_when_nothing_is_new, 0, DATABASES);
    tcase_add_loop_test(tcase, who_is_found_in_the_directory_is_marked_as_found, 0, DATABASES);
    tcase_add_loop_test(tcase, what_cannot_be_said_is_refused_by_name, 0, DATABASES);
    tcase_add_loop_test(tcase, lists_are_kept_and_single_values_are_texts, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
