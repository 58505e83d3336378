/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks and changes, on both databases: who is marked by what, that a mark made while somebody looks stays, that two
 * who move a change do not both get it, nor two who save assignments, and how many statements each costs.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_store_assignment.h"
#include "mdm_store_change.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")

static mdm_store_t *st;

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

/* 1 and 2 are anna's, 11 and 12 user channels on 1, 3 is bert's, 4 is nobody's. */
static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    enrol(1, 0, "anna");
    enrol(11, 1, "carl");
    enrol(12, 1, NULL);
    enrol(2, 0, "anna");
    enrol(3, 0, "bert");
    enrol(4, 0, NULL);
}

static void marked(const char *wanted)
{
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_recheck ORDER BY enrollment;"), wanted);
    database_sql("DELETE FROM mdm_recheck;");
}

START_TEST(each_mark_finds_its_enrollments)
{
    const apr_int64_t many[] = { 4, 2, 99, 4 }, channels[] = { 1, 2, 11 };
    const char *ids[] = { "UDID-3", "UDID-11", "UDID-77", "UDID-3", "UDID-1" }, *facts[] = { "A", "OSVersion" };
    int before;

    start(_i);
    before = mdm_db_statements(st->db);
    OK(mdm_store_recheck(st, 1));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 1);
    marked("1\n11\n12");
    OK(mdm_store_recheck(st, 11));
    OK(mdm_store_recheck(st, 0));
    marked("11");
    OK(mdm_store_recheck_many(st, many, 4));
    marked("2\n4");
    OK(mdm_store_recheck_many(st, channels, 3));
    marked("1\n2\n11\n12");
    OK(mdm_store_recheck_ids(st, ids, 4));
    marked("3\n11");
    OK(mdm_store_recheck_ids(st, ids + 4, 1));
    marked("1\n11\n12");
    OK(mdm_store_recheck_channels(st, channels, 2, channels + 2, 1));
    marked("12");
    OK(mdm_store_recheck_user(st, "anna"));
    marked("1\n2\n11\n12");
    OK(mdm_store_recheck_user(st, "nobody"));
    OK(mdm_store_recheck_facts(st, 1, facts, 2));
    marked("");
    database_sql("INSERT INTO mdm_watched_fact (name, kind, object) VALUES ('OSVersion', 'group', 5);");
    OK(mdm_store_recheck_facts(st, 1, facts, 1));
    marked("");
    OK(mdm_store_recheck_facts(st, 1, facts, 2));
    marked("1\n11\n12");
    database_sql("INSERT INTO mdm_member (collection, enrollment, added_at) VALUES (5, 3, 0), (5, 4, 0), (6, 1, 0);");
    OK(mdm_store_recheck_members(st, 5));
    marked("3\n4");
    OK(mdm_store_recheck_members(st, 6));
    marked("1\n11\n12");
    database_end();
}
END_TEST

START_TEST(many_are_marked_in_steps)
{
    apr_int64_t ids[150];
    int i, before;

    start(_i);
    for (i = 0; i < 150; i++) {
        ids[i] = 1000 + i;
        enrol(ids[i], 0, NULL);
    }
    before = mdm_db_statements(st->db);
    OK(mdm_store_recheck_many(st, ids, 150));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 3);
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_recheck;"), "150");
    database_end();
}
END_TEST

START_TEST(a_mark_made_meanwhile_stays)
{
    apr_array_header_t *due;
    mdm_recheck_t *marks;

    start(_i);
    OK(mdm_store_recheck(st, 3));
    OK(mdm_store_recheck(st, 2));
    OK(mdm_store_recheck(st, 4));
    OK(mdm_store_recheck_due(&due, st, 2));
    ck_assert_int_eq(due->nelts, 2);
    marks = (mdm_recheck_t *)due->elts;
    ck_assert_int_eq(marks[0].enrollment, 2);
    ck_assert_int_eq(marks[1].enrollment, 3);
    OK(mdm_store_recheck(st, 2));
    OK(mdm_store_recheck_done(st, marks, 2));
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_recheck ORDER BY enrollment;"), "2\n4");
    OK(mdm_store_recheck_due(&due, st, 64));
    OK(mdm_store_recheck_done(st, (mdm_recheck_t *)due->elts, due->nelts));
    marked("");
    OK(mdm_store_recheck(st, 1));
    OK(mdm_store_recheck(st, 2));
    OK(mdm_store_recheck_forget(st, 1));
    marked("2");
    database_end();
}
END_TEST

START_TEST(a_change_moves_once)
{
    mdm_change_t *change, *same, *none;
    apr_array_header_t *list;
    apr_int64_t changes, rechecks;
    int pruned;

    start(_i);
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
    OK(mdm_store_change_next(&none, st));
    ck_assert_ptr_null(none);
    OK(mdm_store_change_add(st, MDM_CHANGE_SECRET, "wifi", "admin"));
    OK(mdm_store_change_add(st, MDM_CHANGE_PROFILE, "7", NULL));
    OK(mdm_store_recheck(st, 1));
    OK(mdm_store_change_backlog(&changes, &rechecks, st));
    ck_assert_int_eq(changes, 2);
    ck_assert_int_eq(rechecks, 3);
    OK(mdm_store_change_next(&change, st));
    OK(mdm_store_change_next(&same, st));
    ck_assert_str_eq(change->kind, "secret");
    ck_assert_str_eq(change->object, "wifi");
    ck_assert_str_eq(change->actor, "admin");
    ck_assert_int_eq(change->created_at, st->ctx->fixed_now);
    change->position = 64;
    change->looked = 64;
    change->changed = 10;
    OK(mdm_store_change_move(st, change, 0));
    ck_assert_int_eq(mdm_store_change_move(st, same, 0), MDM_ENOTFOUND);
    change->finished_at = st->ctx->fixed_now;
    OK(mdm_store_change_move(st, change, 64));
    ck_assert_int_eq(mdm_store_change_move(st, change, 64), MDM_ENOTFOUND);
    OK(mdm_store_change_next(&same, st));
    ck_assert_str_eq(same->kind, "profile");
    ck_assert_ptr_null(same->actor);
    OK(mdm_store_change_list(&list, st, 0, 10));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_int_eq(APR_ARRAY_IDX(list, 0, mdm_change_t *)->id, same->id);
    OK(mdm_store_change_list(&list, st, same->id, 10));
    ck_assert_int_eq(list->nelts, 1);
    OK(mdm_store_change_get(&same, st, change->id));
    ck_assert_int_eq(same->looked, 64);
    ck_assert_int_eq(same->changed, 10);
    OK(mdm_store_change_prune(&pruned, st, st->ctx->fixed_now));
    ck_assert_int_eq(pruned, 0);
    OK(mdm_store_change_prune(&pruned, st, st->ctx->fixed_now + 1));
    ck_assert_int_eq(pruned, 1);
    ck_assert_int_eq(mdm_store_change_get(&same, st, change->id), MDM_ENOTFOUND);
    database_end();
}
END_TEST

START_TEST(of_two_saves_at_a_time_the_later_one_looks_again)
{
    mdm_store_t *other;
    const char *mine, *his;

    start(_i);
    other = database_open(database_pool());
    OK(mdm_store_assignment_saved(&mine, st));
    OK(mdm_store_assignment_saved(&his, other));
    ck_assert_str_eq(mine, "");
    OK(mdm_store_assignment_save(other, his));
    ck_assert_int_eq(mdm_store_assignment_save(st, mine), MDM_ENOTFOUND);
    OK(mdm_store_assignment_saved(&mine, st));
    OK(mdm_store_assignment_save(st, mine));
    ck_assert_int_eq(mdm_store_assignment_save(st, mine), MDM_ENOTFOUND);
    OK(mdm_store_assignment_saved(&his, other));
    ck_assert_str_ne(mine, his);
    OK(mdm_store_assignment_save(other, his));
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("change");
    TCase *tcase = tcase_create("change");

    (void)argc;
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, each_mark_finds_its_enrollments, 0, DATABASES);
    tcase_add_loop_test(tcase, many_are_marked_in_steps, 0, DATABASES);
    tcase_add_loop_test(tcase, a_mark_made_meanwhile_stays, 0, DATABASES);
    tcase_add_loop_test(tcase, a_change_moves_once, 0, DATABASES);
    tcase_add_loop_test(tcase, of_two_saves_at_a_time_the_later_one_looks_again, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
