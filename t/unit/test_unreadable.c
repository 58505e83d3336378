/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets and versions of profiles that do not open with the sealing key, on both databases: who needs them is blocked
 * and told why, everybody else goes on, it is told once, and a new value, or the key that comes back, heals it.
 */
#include <string.h>

#include <apr_strings.h>

#include "desired_fixture.h"
#include "mdm_fanout.h"
#include "mdm_render.h"
#include "mdm_store.h"
#include "mdm_unreadable.h"

#define OTHER_KEY "1:0123abcd:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void two_profiles(int loop, const char *text)
{
    desired_start(loop);
    desired_enrol_many(1, 3);
    desired_secret("wifi", "first");
    desired_profile(7, "wifi", 1, text, NULL);
    desired_profile(8, "other", 1, "nothing", NULL);
    desired_join(1, 1, 3);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    desired_assign(8, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
}

static const char *told(void)
{
    return database_sql("SELECT kind, object, detail FROM mdm_event WHERE kind LIKE '%.unreadable' ORDER BY id;");
}

static const char *states(void)
{
    return database_sql("SELECT profile, state, COUNT(*) FROM mdm_desired GROUP BY 1, 2 ORDER BY 1, 2;");
}

static const char *reason(void)
{
    return database_sql("SELECT DISTINCT reason FROM mdm_desired WHERE state = 7;");
}

START_TEST(a_secret_that_does_not_open_blocks_those_who_need_it_alone)
{
    two_profiles(_i, "${secret.wifi}");
    database_sql("UPDATE mdm_secret SET value = '" OTHER_KEY "';");
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 3);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "8"), 3);
    ck_assert_str_eq(states(), "7|7|3\n8|1|3");
    ck_assert_ptr_nonnull(strstr(reason(), "the secret wifi does not open"));
    ck_assert_str_eq(told(), "secret.unreadable|wifi|generation 1");

    /* looked at again, by others too: nothing is told twice */
    OK(mdm_store_recheck(st, 2));
    desired_run();
    desired_change(MDM_CHANGE_SECRET, "wifi");
    st = database_open(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
    OK(mdm_store_recheck(st, 3));
    desired_run();
    ck_assert_str_eq(told(), "secret.unreadable|wifi|generation 1");
    ck_assert_str_eq(states(), "7|7|3\n8|1|3");

    desired_answer(1, 3, "Acknowledged");
    desired_secret("wifi", "second");
    ck_assert_int_eq(desired_change(MDM_CHANGE_SECRET, "wifi"), 3);
    ck_assert_str_eq(states(), "7|1|3\n8|3|3");
    ck_assert_str_eq(desired_tally(), "3 0 3");

    /* another generation is another matter */
    desired_answer(1, 3, "Acknowledged");
    database_sql("UPDATE mdm_secret SET value = 'damaged' WHERE retired_at = 0;");
    desired_change(MDM_CHANGE_SECRET, "wifi");
    ck_assert_str_eq(told(), "secret.unreadable|wifi|generation 1\nsecret.unreadable|wifi|generation 2");
    database_end();
}
END_TEST

START_TEST(a_version_that_does_not_open_blocks_its_profile_alone)
{
    two_profiles(_i, "text");
    database_sql("UPDATE mdm_profile_version SET body = '" OTHER_KEY "' WHERE profile = 7;");
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 3);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "8"), 3);
    OK(mdm_store_recheck(st, 2));
    desired_run();
    ck_assert_str_eq(states(), "7|7|3\n8|1|3");
    ck_assert_ptr_nonnull(strstr(reason(), "version 1 does not open"));
    ck_assert_str_eq(told(), "profile.unreadable|wifi|version 1");
    desired_profile(7, "wifi", 2, "text", NULL);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 3);
    ck_assert_str_eq(states(), "7|1|3\n8|1|3");
    database_end();
}
END_TEST

START_TEST(a_version_that_cannot_be_read_is_opened_once)
{
    const mdm_template_t *template;
    mdm_render_t *shelf;
    int i;

    two_profiles(_i, "<");
    shelf = mdm_render_create(st);
    i = mdm_db_statements(st->db);
    ck_assert_int_eq(mdm_render_template(&template, shelf, st, 7, 1), MDM_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(mdm_ctx_detail(st->ctx, MDM_ENOTFOUND), "version 1 cannot be read: "));
    mdm_ctx_clear(st->ctx);
    ck_assert_int_eq(mdm_render_template(&template, shelf, st, 7, 1), MDM_ENOTFOUND);
    ck_assert_int_eq(mdm_db_statements(st->db) - i, 1);
    mdm_ctx_clear(st->ctx);
    ck_assert_int_eq(desired_change(MDM_CHANGE_PROFILE, "7"), 3);
    ck_assert_ptr_nonnull(strstr(reason(), "version 1 cannot be read"));
    ck_assert_str_eq(told(), "");
    database_end();
}
END_TEST

START_TEST(the_key_that_comes_back_heals_it)
{
    const char *secret, *body;
    json_t *alerts = json_array();

    two_profiles(_i, "${secret.wifi}");
    desired_profile(9, "third", 1, "x", NULL);
    desired_assign(9, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    secret = database_sql("SELECT value FROM mdm_secret;");
    body = database_sql("SELECT body FROM mdm_profile_version WHERE profile = 9;");
    database_sql("UPDATE mdm_secret SET value = '" OTHER_KEY "'; "
                 "UPDATE mdm_profile_version SET body = '" OTHER_KEY "' WHERE profile = 9;");
    desired_change(MDM_CHANGE_PROFILE, "7");
    desired_change(MDM_CHANGE_PROFILE, "9");
    ck_assert_str_eq(states(), "7|7|3\n9|7|3");
    OK(mdm_unreadable_again(st));
    desired_run();
    ck_assert_str_eq(states(), "7|7|3\n9|7|3");
    mdm_unreadable_alerts(alerts, st);
    ck_assert_int_eq(json_array_size(alerts), 2);
    ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(alerts, 0)), "The secret wifi does not open"));
    ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(alerts, 1)), "Version 1 of the profile third"));

    database_sql(apr_psprintf(database_pool(), "UPDATE mdm_secret SET value = '%s'; UPDATE mdm_profile_version SET "
                              "body = '%s' WHERE profile = 9;", secret, body));
    OK(mdm_unreadable_again(st));
    OK(mdm_unreadable_again(st));
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_change WHERE finished_at = 0"), 2);
    desired_run();
    ck_assert_str_eq(states(), "7|1|3\n9|1|3");
    json_array_clear(alerts);
    mdm_unreadable_alerts(alerts, st);
    ck_assert_int_eq(json_array_size(alerts), 0);
    ck_assert_str_eq(told(), "secret.unreadable|wifi|generation 1\nprofile.unreadable|third|version 1");
    json_decref(alerts);
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("unreadable");
    TCase *tcase = tcase_create("unreadable");

    (void)argc;
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_secret_that_does_not_open_blocks_those_who_need_it_alone, 0, DATABASES);
    tcase_add_loop_test(tcase, a_version_that_does_not_open_blocks_its_profile_alone, 0, DATABASES);
    tcase_add_loop_test(tcase, a_version_that_cannot_be_read_is_opened_once, 0, DATABASES);
    tcase_add_loop_test(tcase, the_key_that_comes_back_heals_it, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
