/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of what should hold, on both databases: written many at a time, kept or begun anew, changed by who has the
 * present command alone, superseded in the queue, closed and forgotten.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_store_desired.h"
#include "mdm_store_profile.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")
#define PROFILE 7
#define MANY 40

static mdm_store_t *st;

static void enrol(apr_int64_t id, apr_int64_t parent)
{
    mdm_enrollment_t e = { 0 };

    e.id = id;
    e.enrollment_id = apr_psprintf(database_pool(), "UDID-%03d", (int)id);
    e.type = parent ? "User" : "Device";
    e.parent = parent;
    e.state = MDM_STATE_ENROLLED;
    OK(mdm_store_enrollment_insert(st, &e));
}

static void start(int loop)
{
    int i;

    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = 1000;
    for (i = 1; i <= MANY; i++)
        enrol(i, 0);
    enrol(101, 1);
    database_sql("INSERT INTO mdm_profile (id, name, identifier, scope, version, created_at, changed_at, archived_at) "
                 "VALUES (7, 'wifi', 'org.example.wifi', 'System', 1, 0, 0, 0);");
}

static void put(mdm_desired_state_e state, int version, apr_int64_t command, apr_int64_t assignment, int from, int to)
{
    mdm_desired_t values = { 0 };
    mdm_desired_put_t rows[MANY];
    int i, n = 0;

    values.profile = PROFILE;
    values.state = state;
    values.version = version;
    values.command = command;
    values.assignment = assignment;
    for (i = from; i <= to; i++, n++) {
        rows[n].enrollment = i;
        rows[n].want_uuid = version ? apr_psprintf(database_pool(), "UUID-%d-%d", version, i) : NULL;
        rows[n].reason = "group sales";
    }
    OK(mdm_store_desired_put(st, &values, rows, n));
}

static const mdm_desired_t *row_of(apr_int64_t enrollment)
{
    apr_array_header_t *rows;

    OK(mdm_store_desired_list(&rows, st, enrollment));
    ck_assert_int_eq(rows->nelts, 1);
    return APR_ARRAY_IDX(rows, 0, mdm_desired_t *);
}

START_TEST(many_are_written_and_read)
{
    apr_int64_t ids[] = { 3, 1, 99 }, profiles[] = { 5, PROFILE };
    apr_array_header_t *rows, *counts;
    int before;

    start(_i);
    before = mdm_db_statements(st->db);
    put(MDM_DESIRED_PENDING, 2, 55, 9, 1, MANY);
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 3);
    ck_assert_str_eq(database_sql("SELECT COUNT(*), COUNT(DISTINCT want_uuid) FROM mdm_desired;"), "40|40");
    ck_assert_str_eq(row_of(40)->want_uuid, "UUID-2-40");
    ck_assert_str_eq(row_of(40)->identifier, "org.example.wifi");
    ck_assert_str_eq(row_of(17)->reason, "group sales");
    OK(mdm_store_desired_many(&rows, st, ids, 3, NULL, 0, 1));
    ck_assert_int_eq(rows->nelts, 2);
    ck_assert_int_eq(APR_ARRAY_IDX(rows, 0, mdm_desired_t *)->enrollment, 1);
    ck_assert_int_eq(APR_ARRAY_IDX(rows, 1, mdm_desired_t *)->command, 55);
    OK(mdm_store_desired_many(&rows, st, ids, 3, profiles, 2, 1));
    ck_assert_int_eq(rows->nelts, 2);
    OK(mdm_store_desired_many(&rows, st, ids, 3, profiles, 1, 0));
    ck_assert_int_eq(rows->nelts, 0);
    OK(mdm_store_desired_page(&rows, st, PROFILE, MDM_DESIRED_UNSET, "UDID-030", 100));
    ck_assert_int_eq(rows->nelts, 10);
    ck_assert_str_eq(APR_ARRAY_IDX(rows, 0, mdm_desired_t *)->enrollment_id, "UDID-031");
    OK(mdm_store_desired_page(&rows, st, PROFILE, MDM_DESIRED_SENT, NULL, 100));
    ck_assert_int_eq(rows->nelts, 0);
    OK(mdm_store_desired_counts(&counts, st, PROFILE));
    ck_assert_int_eq(counts->nelts, 1);
    ck_assert_int_eq(APR_ARRAY_IDX(counts, 0, mdm_desired_count_t).count, MANY);
    ck_assert_int_eq(APR_ARRAY_IDX(counts, 0, mdm_desired_count_t).version, 2);
    database_end();
}
END_TEST

START_TEST(profiles_are_counted_by_version_and_state)
{
    apr_array_header_t *figures;
    const mdm_desired_figure_t *f;

    start(_i);
    database_sql("INSERT INTO mdm_profile (id, name, identifier, scope, version, created_at, changed_at, archived_at) "
                 "VALUES (8, 'unused', 'org.example.unused', 'System', 1, 0, 9, 0);");
    put(MDM_DESIRED_VERIFIED, 2, 0, 9, 1, 30);
    put(MDM_DESIRED_VERIFIED, 1, 0, 9, 31, 35);
    put(MDM_DESIRED_FAILED, 2, 0, 9, 36, 37);
    put(MDM_DESIRED_REMOVED, 0, 0, 9, 38, MANY);
    OK(mdm_store_desired_figures(&figures, st, 2, MANY));
    ck_assert_int_eq(figures->nelts, 3);
    f = (const mdm_desired_figure_t *)figures->elts;
    ck_assert_str_eq(f->name, "wifi");
    ck_assert_int_eq(f[0].current, 1);
    ck_assert_msg(f[0].version == 2 && f[0].state == MDM_DESIRED_VERIFIED && f[0].count == 30, "version 2");
    ck_assert_msg(f[1].version == 2 && f[1].state == MDM_DESIRED_FAILED && f[1].count == 2, "failed");
    ck_assert_msg(f[2].version == 1 && f[2].state == MDM_DESIRED_VERIFIED && f[2].count == 5, "version 1");
    OK(mdm_store_desired_figures(&figures, st, 2, MANY - 1));
    ck_assert_int_eq(figures->nelts, 1);
    f = (const mdm_desired_figure_t *)figures->elts;
    ck_assert_msg(f->uncounted && f->state == MDM_DESIRED_UNSET && !f->count, "more rows than are counted");
    put(MDM_DESIRED_REMOVED, 0, 0, 9, 1, 37);
    OK(mdm_store_desired_figures(&figures, st, 2, MANY));
    ck_assert_int_eq(figures->nelts, 1);
    f = (const mdm_desired_figure_t *)figures->elts;
    ck_assert_msg(!f->uncounted && f->state == MDM_DESIRED_UNSET && !f->count, "nobody has it any more");
    database_end();
}
END_TEST

START_TEST(a_state_is_kept_or_begun_anew)
{
    mdm_desired_t row;

    start(_i);
    put(MDM_DESIRED_PENDING, 1, 55, 9, 1, 2);
    row = *row_of(1);
    OK(mdm_store_desired_sent(st, &row, "OTHER"));
    ck_assert_str_eq(row_of(1)->want_uuid, "OTHER");
    ck_assert_str_eq(row_of(1)->sent_uuid, "OTHER");
    ck_assert_int_eq(row_of(1)->state, MDM_DESIRED_SENT);
    row = *row_of(1);
    row.state = MDM_DESIRED_FAILED;
    row.error = "no";
    row.tries = 2;
    row.next_try_at = row.first_failed_at = row.verified_at = 77;
    row.command = 0;
    OK(mdm_store_desired_update(st, &row, 55));
    ck_assert_int_eq(mdm_store_desired_update(st, &row, 55), MDM_ENOTFOUND);

    put(MDM_DESIRED_UNSET, 2, 0, 10, 1, 1);
    ck_assert_int_eq(row_of(1)->state, MDM_DESIRED_FAILED);
    ck_assert_int_eq(row_of(1)->version, 2);
    ck_assert_int_eq(row_of(1)->assignment, 10);
    ck_assert_int_eq(row_of(1)->tries, 2);
    ck_assert_str_eq(row_of(1)->error, "no");
    ck_assert_str_eq(row_of(1)->want_uuid, "OTHER");

    put(MDM_DESIRED_PENDING, 3, 56, 10, 1, 1);
    ck_assert_int_eq(row_of(1)->state, MDM_DESIRED_PENDING);
    ck_assert_int_eq(row_of(1)->tries, 0);
    ck_assert_int_eq(row_of(1)->next_try_at, 0);
    ck_assert_int_eq(row_of(1)->verified_at, 77);
    ck_assert_ptr_null(row_of(1)->error);
    ck_assert_str_eq(row_of(1)->sent_uuid, "OTHER");
    ck_assert_int_eq(mdm_desired_is_held(row_of(1)), 1);
    ck_assert_int_eq(mdm_store_desired_sent(st, &row, "LATE"), MDM_ENOTFOUND);

    /* what was removed and comes again has nothing of before */
    put(MDM_DESIRED_REMOVED, 0, 0, 0, 1, 1);
    ck_assert_int_eq(mdm_desired_is_held(row_of(1)), 0);
    put(MDM_DESIRED_PENDING, 3, 57, 10, 1, 1);
    ck_assert_ptr_null(row_of(1)->sent_uuid);
    ck_assert_int_eq(row_of(1)->verified_at, 0);
    OK(mdm_store_desired_block(st, row_of(1), "user anna has no attribute mail"));
    ck_assert_int_eq(row_of(1)->state, MDM_DESIRED_BLOCKED);
    ck_assert_int_eq(row_of(1)->command, 0);
    ck_assert_int_eq(mdm_desired_of_name("blocked"), MDM_DESIRED_BLOCKED);
    ck_assert_int_eq(mdm_desired_of_name("nonsense"), MDM_DESIRED_UNSET);
    ck_assert_str_eq(mdm_desired_name(MDM_DESIRED_GONE), "gone");
    ck_assert_str_eq(mdm_drift_name(MDM_DRIFT_FLAGS), "flags");
    database_end();
}
END_TEST

START_TEST(queued_ones_are_superseded)
{
    apr_int64_t ids[] = { 1, 2, 3 };
    const char *names[] = { "UDID-001", "UDID-002", "UDID-003" };
    apr_array_header_t *refused;
    mdm_command_t c = { 0 };

    start(_i);
    c.request_type = "InstallProfile";
    c.body = "<plist/>";
    for (c.id = 55; c.id <= 57; c.id++) {
        c.uuid = apr_itoa(database_pool(), (int)c.id);
        c.supersede_key = c.id == 56 ? "profile:8" : "profile:7";
        OK(mdm_store_command_insert(st, &c));
        OK(mdm_store_queue_add(&refused, st, c.id, 0, names, 3));
    }
    OK(mdm_store_queue_sent(st, 2, 55, 99));
    OK(mdm_store_desired_supersede(st, PROFILE, 57, "\"newer\"", ids, 2));
    ck_assert_str_eq(database_sql("SELECT enrollment, command FROM mdm_queue WHERE command <> 57 "
                                  "ORDER BY enrollment, command;"), "1|56\n2|55\n2|56\n3|55\n3|56");
    ck_assert_str_eq(database_sql("SELECT enrollment, command, status, error_chain FROM mdm_result;"),
                     "1|55|Superseded|\"newer\"");
    OK(mdm_store_desired_supersede(st, PROFILE, 0, "\"gone\"", ids, 3));
    ck_assert_str_eq(database_sql("SELECT enrollment, command FROM mdm_queue ORDER BY enrollment, command;"),
                     "1|56\n2|55\n2|56\n3|56");
    database_end();
}
END_TEST

START_TEST(what_goes_is_closed_or_forgotten)
{
    mdm_desired_t *row;
    apr_array_header_t *due;

    start(_i);
    put(MDM_DESIRED_PENDING, 1, 55, 9, 1, 3);
    put(MDM_DESIRED_PENDING, 1, 56, 9, 101, 101);
    OK(mdm_store_desired_by_command(&row, st, 1, 55));
    ck_assert_int_eq(row->profile, PROFILE);
    ck_assert_int_eq(mdm_store_desired_by_command(&row, st, 1, 56), MDM_ENOTFOUND);
    row->next_try_at = 900;
    OK(mdm_store_desired_update(st, row, 55));
    OK(mdm_store_desired_due(&due, st, 899, 10));
    ck_assert_int_eq(due->nelts, 0);
    OK(mdm_store_desired_due(&due, st, 900, 10));
    ck_assert_int_eq(due->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(due, 0, mdm_desired_t *)->enrollment_id, "UDID-001");
    OK(mdm_store_desired_close(st, 1));
    ck_assert_str_eq(database_sql("SELECT enrollment, state, command, next_try_at FROM mdm_desired ORDER BY 1;"),
                     "1|10|0|0\n2|1|55|0\n3|1|55|0\n101|10|0|0");
    OK(mdm_store_desired_forget(st, 1));
    ck_assert_str_eq(database_sql("SELECT enrollment FROM mdm_desired ORDER BY 1;"), "2\n3");
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("desired");
    TCase *tcase = tcase_create("desired");

    (void)argc;
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, many_are_written_and_read, 0, DATABASES);
    tcase_add_loop_test(tcase, profiles_are_counted_by_version_and_state, 0, DATABASES);
    tcase_add_loop_test(tcase, a_state_is_kept_or_begun_anew, 0, DATABASES);
    tcase_add_loop_test(tcase, queued_ones_are_superseded, 0, DATABASES);
    tcase_add_loop_test(tcase, what_goes_is_closed_or_forgotten, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
