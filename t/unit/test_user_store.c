/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of persons and of the directory's groups, on both databases: what is written is what is read, and how many
 * statements it takes.
 */
#include <apr_strings.h>

#include "database.h"
#include "mdm_store_change.h"
#include "mdm_store_user.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")

static mdm_store_t *st;

static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
}

static mdm_user_t person(const char *login, int disabled, apr_time_t synced_at)
{
    mdm_user_t user = { 0 };

    user.login = login;
    user.attributes = "{}";
    user.source = "api";
    user.disabled = disabled;
    user.created_at = user.changed_at = 1000;
    user.synced_at = synced_at;
    return user;
}

static void add(const char *login, int disabled, apr_time_t synced_at)
{
    mdm_user_t user = person(login, disabled, synced_at);
    int made;

    OK(mdm_store_user_insert(&made, st, &user));
    ck_assert_int_eq(made, 1);
}

static const char *joined(const apr_array_header_t *logins)
{
    return apr_array_pstrcat(database_pool(), logins, ' ');
}

START_TEST(a_record_is_read_as_it_was_written)
{
    mdm_user_t user = person("zo\xc3\xab", 0, 5), *read;
    int before, made;

    start(_i);
    user.display_name = "Zo\xc3\xab D'Arc";
    user.email = "zoe@example.com";
    user.attributes = "{\"title\":\"Nurse\"}";
    before = mdm_db_statements(st->db);
    OK(mdm_store_user_insert(&made, st, &user));
    ck_assert_int_eq(made, 1);
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 1);
    OK(mdm_store_user_get(&read, st, user.login));
    ck_assert_str_eq(read->login, user.login);
    ck_assert_str_eq(read->display_name, user.display_name);
    ck_assert_str_eq(read->email, user.email);
    ck_assert_str_eq(read->attributes, user.attributes);
    ck_assert_str_eq(read->source, "api");
    ck_assert_int_eq(read->disabled, 0);
    ck_assert_ptr_null(read->disabled_by);
    ck_assert_int_eq(read->created_at, 1000);
    ck_assert_int_eq(read->synced_at, 5);
    user.display_name = NULL;
    user.disabled = 1;
    user.disabled_by = "csv";
    user.created_at = user.changed_at = 2000;
    OK(mdm_store_user_insert(&made, st, &user));
    ck_assert_int_eq(made, 0);
    OK(mdm_store_user_update(st, &user));
    OK(mdm_store_user_get(&read, st, user.login));
    ck_assert_ptr_null(read->display_name);
    ck_assert_int_eq(read->disabled, 1);
    ck_assert_str_eq(read->disabled_by, "csv");
    ck_assert_int_eq(read->created_at, 1000);
    ck_assert_int_eq(read->changed_at, 2000);
    user.login = "zoe";
    ck_assert_int_eq(mdm_store_user_update(st, &user), MDM_ENOTFOUND);
    ck_assert_int_eq(mdm_store_user_get(&read, st, "zoe"), MDM_ENOTFOUND);
    ck_assert_str_eq(st->ctx->detail, "there is no user zoe");
    database_end();
}
END_TEST

static apr_status_t lock_work(void *baton, mdm_db_t *db)
{
    apr_hash_t *users;
    const char *logins[] = { "user-001", "nobody" };
    apr_status_t rv = mdm_store_user_lock_many(&users, st, logins, 2);

    (void)db;
    *(int *)baton = rv == APR_SUCCESS ? (int)apr_hash_count(users) : -1;
    return rv;
}

START_TEST(many_are_read_in_steps)
{
    const char *logins[152];
    apr_hash_t *users;
    int i, before, locked = 0;

    start(_i);
    for (i = 0; i < 150; i++) {
        logins[i] = apr_psprintf(database_pool(), "user-%03d", i);
        if (i % 2)
            add(logins[i], 0, 0);
    }
    logins[150] = logins[1];
    logins[151] = "'; DROP TABLE mdm_user; --";
    before = mdm_db_statements(st->db);
    OK(mdm_store_user_get_many(&users, st, logins, 152));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 3);
    ck_assert_int_eq(apr_hash_count(users), 75);
    ck_assert_ptr_null(apr_hash_get(users, "user-000", APR_HASH_KEY_STRING));
    ck_assert_str_eq(((mdm_user_t *)apr_hash_get(users, "user-149", APR_HASH_KEY_STRING))->login, "user-149");
    OK(mdm_store_user_get_many(&users, st, logins, 0));
    ck_assert_int_eq(apr_hash_count(users), 0);
    OK(mdm_db_transact(st->db, lock_work, &locked));
    ck_assert_int_eq(locked, 1);
    database_end();
}
END_TEST

START_TEST(pages_go_on_where_the_last_ended)
{
    apr_array_header_t *page;

    start(_i);
    add("anna", 0, 0);
    add("Bert", 1, 0);
    add("carl", 0, 0);
    add("dora", 1, 0);
    OK(mdm_store_user_list(&page, st, NULL, 3, -1));
    ck_assert_int_eq(page->nelts, 3);
    ck_assert_str_eq(APR_ARRAY_IDX(page, 0, mdm_user_t *)->login, "Bert");
    ck_assert_str_eq(APR_ARRAY_IDX(page, 2, mdm_user_t *)->login, "carl");
    OK(mdm_store_user_list(&page, st, "carl", 3, -1));
    ck_assert_int_eq(page->nelts, 1);
    OK(mdm_store_user_list(&page, st, NULL, 3, 1));
    ck_assert_int_eq(page->nelts, 2);
    ck_assert_str_eq(APR_ARRAY_IDX(page, 1, mdm_user_t *)->login, "dora");
    OK(mdm_store_user_list(&page, st, "anna", 3, 0));
    ck_assert_int_eq(page->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(page, 0, mdm_user_t *)->login, "carl");
    database_end();
}
END_TEST

START_TEST(what_the_directory_said_is_kept)
{
    const char *lost[] = { "bert" }, *members[] = { "bert", "anna", "ghost" }, *leavers[] = { "ghost", "nobody" };
    apr_array_header_t *logins;
    mdm_user_t *user;

    start(_i);
    st->ctx->fixed_now = 7000;
    add("anna", 0, 5);
    add("bert", 0, 5);
    add("carl", 0, 0);
    OK(mdm_store_user_lost(st, lost, 1));
    OK(mdm_store_user_seen(st));
    OK(mdm_store_user_get(&user, st, "anna"));
    ck_assert_int_eq(user->synced_at, 7000);
    OK(mdm_store_user_get(&user, st, "bert"));
    ck_assert_int_eq(user->synced_at, 0);
    OK(mdm_store_user_get(&user, st, "carl"));
    ck_assert_int_eq(user->synced_at, 0);
    OK(mdm_store_directory_join(st, 9, members, 3));
    OK(mdm_store_directory_join(st, 9, members, 1));
    OK(mdm_store_directory_join(st, 8, members, 1));
    OK(mdm_store_directory_members(&logins, st, 9));
    ck_assert_str_eq(joined(logins), "anna bert ghost");
    OK(mdm_store_directory_leave(st, 9, leavers, 2));
    OK(mdm_store_directory_members(&logins, st, 9));
    ck_assert_str_eq(joined(logins), "anna bert");
    OK(mdm_store_directory_members(&logins, st, 8));
    ck_assert_str_eq(joined(logins), "bert");
    database_end();
}
END_TEST

static void enrol(apr_int64_t id, apr_int64_t parent, const char *login)
{
    mdm_enrollment_t e = { 0 };

    e.id = id;
    e.enrollment_id = apr_psprintf(database_pool(), "UDID-%" APR_INT64_T_FMT, id);
    e.type = parent ? "User" : "Device";
    e.parent = parent;
    e.state = MDM_STATE_ENROLLED;
    e.user = login;
    OK(mdm_store_enrollment_insert(st, &e));
}

START_TEST(the_enrollments_of_many_users_are_marked)
{
    const char *logins[66] = { "anna", "carl" };
    int i, before;

    start(_i);
    enrol(1, 0, "anna");
    enrol(11, 1, "bert");
    enrol(2, 0, "bert");
    enrol(3, 0, "carl");
    enrol(4, 0, "dora");
    for (i = 2; i < 66; i++)
        logins[i] = apr_psprintf(database_pool(), "user-%02d", i);
    before = mdm_db_statements(st->db);
    OK(mdm_store_recheck_users(st, logins, 66));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 2);
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_recheck ORDER BY enrollment;"), "1\n3\n11");
    OK(mdm_store_recheck_users(st, logins, 0));
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("user store");
    TCase *tcase = tcase_create("user store");

    (void)argc;
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_record_is_read_as_it_was_written, 0, DATABASES);
    tcase_add_loop_test(tcase, many_are_read_in_steps, 0, DATABASES);
    tcase_add_loop_test(tcase, pages_go_on_where_the_last_ended, 0, DATABASES);
    tcase_add_loop_test(tcase, what_the_directory_said_is_kept, 0, DATABASES);
    tcase_add_loop_test(tcase, the_enrollments_of_many_users_are_marked, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
