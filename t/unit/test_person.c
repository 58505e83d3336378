/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of persons, on both databases: what is merged with what, which events and marks each change leaves, how many
 * statements it costs, and what is refused.
 */
#include <string.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>

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
    const char *login;
    mdm_person_change_t *change;
    apr_status_t rv;
} signing_t;

static apr_status_t sign_in_work(void *baton, mdm_db_t *db)
{
    signing_t *s = baton;

    (void)db;
    return s->rv = mdm_person_sign_in(st, s->login, s->change, "192.0.2.9");
}

static apr_status_t sign_in_as(const char *login, mdm_person_change_t *change, int *statements)
{
    signing_t s = { login, change, APR_SUCCESS };
    int before = mdm_db_statements(st->db);

    (void)mdm_db_transact(st->db, sign_in_work, &s);
    *statements = mdm_db_statements(st->db) - before;
    return s.rv;
}

static apr_status_t sign_in(mdm_person_change_t *change, int *statements)
{
    return sign_in_as("anna", change, statements);
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

/* Directories take a login in any case and with any spaces, and httpd hands on what was typed. */
START_TEST(who_is_disabled_cannot_sign_in_by_another_case)
{
    static const struct {
        const char *disabled, *typed;
        int refused;
    } pairs[] = {
        { "nurse.joy", "Nurse.Joy", 1 }, { "nurse.joy", " nurse.joy", 1 }, { "nurse.joy", "NURSE.JOY  ", 1 },
        { "Nurse.Joy", "nurse.joy", 1 }, { "Nurse.Joy", "nURSE.jOY", 1 }, { " nurse.joy ", "nurse.joy", 1 },
        { "nurse joy", "Nurse   Joy", 1 }, { "nurse.joy", "nurse.jo", 0 }, { "nurse.joy", "nursejoy", 0 },
        { "nurse.joy", "nurse.joy2", 0 }, { "j\xc3\xb6rg*", "J\xc3\x96RG*", 1 }, { "J\xc3\x96RG", "j\xc3\xb6rg", 1 },
        { "j\xc3\xb6rg", " j\xc3\xb6rg", 1 }, { "j\xc3\xb6rg", "jorg", 0 }, { "a%b_c", "axbxc", 0 }, { "x", "\xff", 0 },
        { "nurse   joy", "nurse   joy", 1 }
    };
    apr_size_t i;
    int n;

    start(_i);
    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        mdm_person_change_t change = mdm_person_change(pairs[i].typed);
        apr_status_t wanted = pairs[i].refused ? MDM_EDENIED : APR_SUCCESS;

        database_sql("DELETE FROM mdm_user;");
        save(pairs[i].disabled, "{\"disabled\": true}", 0);
        mdm_ctx_clear(st->ctx);
        if (*pairs[i].typed == '\xff' && _i)
            continue;       /* PostgreSQL takes no such text at all */
        ck_assert_msg(sign_in_as(pairs[i].typed, NULL, &n) == wanted, "%s: %s", pairs[i].disabled, pairs[i].typed);
        ck_assert_int_eq(n, 1);
        if (wanted)
            ck_assert_str_eq(st->ctx->detail, apr_pstrcat(database_pool(), pairs[i].disabled, " is disabled and cannot "
                                                          "enroll devices", NULL));
        ck_assert_int_eq(sign_in_as(pairs[i].typed, &change, &n), wanted);
        ck_assert(!wanted || n == 1);
        save(pairs[i].disabled, "{\"disabled\": false}", 0);
        mdm_ctx_clear(st->ctx);
        OK(sign_in_as(pairs[i].typed, NULL, &n));
    }
    database_end();
}
END_TEST

START_TEST(a_sign_in_reads_few_of_many)
{
    const char *plan;

    start(_i);
    plan = database_sql(_i ? "SET enable_seqscan = off; EXPLAIN SELECT login FROM mdm_user WHERE LOWER(TRIM(login)) IN "
                        "('a', 'b', 'c') AND (login = 'a' OR disabled = 1) ORDER BY login FOR UPDATE;"
                        : "EXPLAIN QUERY PLAN SELECT login FROM mdm_user WHERE LOWER(TRIM(login)) IN ('a', 'b', 'c') "
                        "AND (login = 'a' OR disabled = 1);");
    ck_assert_msg(strstr(plan, "mdm_user_by_folded") != NULL, "%s", plan);
    database_end();
}
END_TEST

/* ---- two who make one person at once */

typedef struct {
    apr_thread_t *thread;
    apr_pool_t *pool;
    apr_status_t rv;
    int made;
} other_t;

static void *APR_THREAD_FUNC say_the_mail(apr_thread_t *thread, void *baton)
{
    mdm_person_by_t by = { "sign-in", "anna", "192.0.2.9" };
    mdm_person_change_t change = mdm_person_change("anna");
    other_t *other = baton;
    mdm_store_t *own = database_open(other->pool);

    other->rv = mdm_person_say(own->ctx, &change, "mail", "anna@example.com");
    if (other->rv == APR_SUCCESS)
        other->rv = mdm_person_save(own, &change, 1, &by);
    other->made = change.made;
    (void)thread;
    return NULL;
}

/* Make the person, and keep the transaction until the other one waits for it. */
static apr_status_t make_slowly(void *baton, mdm_db_t *db)
{
    mdm_person_change_t change = change_of("anna", "{\"disabled\": true, \"attributes\": {\"title\": \"Nurse\"}}", 0);
    other_t *other = baton;
    apr_status_t rv = mdm_person_write(st, &change, 1, &by_api);
    int looks;

    if (rv == APR_SUCCESS)
        rv = apr_thread_create(&other->thread, NULL, say_the_mail, other, database_pool());
    for (looks = 0; rv == APR_SUCCESS && mdm_db_kind(db) == MDM_DB_PGSQL && looks < 1000
         && !strcmp(database_sql("SELECT COUNT(*) FROM pg_locks WHERE NOT granted;"), "0"); looks++)
        apr_sleep(10000);
    return rv;
}

START_TEST(who_is_made_by_two_at_once_has_what_both_said)
{
    other_t other = { NULL, NULL, APR_EGENERAL, 1 };
    apr_status_t ignored;

    start(_i);
    apr_pool_create_unmanaged_ex(&other.pool, NULL, NULL);
    OK(mdm_db_transact(st->db, make_slowly, &other));
    ck_assert_int_eq(apr_thread_join(&ignored, other.thread), APR_SUCCESS);
    ck_assert_int_eq(other.rv, APR_SUCCESS);
    ck_assert_int_eq(other.made, 0);
    apr_pool_destroy(other.pool);
    ck_assert_int_eq(stored("anna")->disabled, 1);
    ck_assert_str_eq(stored("anna")->disabled_by, "api");
    ck_assert_str_eq(stored("anna")->attributes, "{\"title\":\"Nurse\"}");
    ck_assert_str_eq(stored("anna")->email, "anna@example.com");
    ck_assert_str_eq(database_sql("SELECT kind, detail FROM mdm_event ORDER BY id;"),
                     "user.created|api: title\nuser.disabled|api\nuser.changed|sign-in: email");
    database_end();
}
END_TEST

/* ---- the directory */

START_TEST(only_what_the_directory_disabled_is_restored)
{
    static const mdm_person_by_t directory = { "directory", "directory", NULL };
    mdm_person_change_t change;
    int by_directory;

    start(_i);
    for (by_directory = 0; by_directory < 2; by_directory++) {
        database_sql("DELETE FROM mdm_user;");
        save("anna", "{}", 0);
        change = change_of("anna", "{\"disabled\": true}", 0);
        OK(mdm_person_save(st, &change, 1, by_directory ? &directory : &by_api));
        ck_assert_str_eq(stored("anna")->disabled_by, by_directory ? "directory" : "api");
        /* who changes anything else later, or says the same again, has not disabled anybody */
        change = change_of("anna", "{\"disabled\": true, \"attributes\": {\"badge\": \"7\"}}", 0);
        OK(mdm_person_save(st, &change, 1, by_directory ? &by_api : &directory));
        ck_assert_str_eq(stored("anna")->source, by_directory ? "api" : "directory");
        ck_assert_str_eq(stored("anna")->disabled_by, by_directory ? "directory" : "api");
        change = change_of("anna", "{}", 0);
        change.synced = change.restore = 1;
        OK(mdm_person_save(st, &change, 1, &directory));
        ck_assert_int_eq(stored("anna")->disabled, !by_directory);
        ck_assert(by_directory == !stored("anna")->disabled_by);
    }
    save("anna", "{\"disabled\": true}", 0);
    save("anna", "{\"disabled\": false}", 0);
    ck_assert_ptr_null(stored("anna")->disabled_by);
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
    tcase_add_loop_test(tcase, who_is_disabled_cannot_sign_in_by_another_case, 0, DATABASES);
    tcase_add_loop_test(tcase, a_sign_in_reads_few_of_many, 0, DATABASES);
    tcase_add_loop_test(tcase, who_is_made_by_two_at_once_has_what_both_said, 0, DATABASES);
    tcase_add_loop_test(tcase, only_what_the_directory_disabled_is_restored, 0, DATABASES);
    tcase_add_loop_test(tcase, who_is_found_in_the_directory_is_marked_as_found, 0, DATABASES);
    tcase_add_loop_test(tcase, what_cannot_be_said_is_refused_by_name, 0, DATABASES);
    tcase_add_loop_test(tcase, lists_are_kept_and_single_values_are_texts, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
