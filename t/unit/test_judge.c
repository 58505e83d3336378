/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile against the devices that follow it, on both databases: what is told of whom, of whom nothing, and what is
 * left out when there is too much to tell.
 */
#include <string.h>

#include <apr_strings.h>

#include "desired_fixture.h"
#include "mdm_judge.h"

#define HOME "<plist><dict><key>PayloadContent</key><array><dict><key>PayloadType</key><string>" \
    "com.apple.homescreenlayout</string><key>Pages</key><array/></dict></array></dict></plist>"

/* "SEVERITY COUNT TEXT" of what is told, one a line. */
static const char *told(const apr_array_header_t *notes)
{
    json_t *list = mdm_judge_notes_json(notes), *one;
    const char *text = "";
    size_t i;

    json_array_foreach(list, i, one)
        text = apr_psprintf(database_pool(), "%s%s%s %d %s", text, i ? "\n" : "",
                            json_string_value(json_object_get(one, "severity")),
                            (int)json_integer_value(json_object_get(one, "enrollments")),
                            json_string_value(json_object_get(one, "text")));
    json_decref(list);
    return text;
}

static const char *judged(apr_int64_t profile, const char *scope)
{
    mdm_profile_row_t *row;
    apr_array_header_t *notes;

    OK(mdm_store_profile_by_id(&row, st, profile));
    row->scope = scope;
    OK(mdm_judge_profile(&notes, st, row, mdm_bytes_of(HOME)));
    return told(notes);
}

START_TEST(those_that_follow_are_judged_by_kind)
{
    desired_start(_i);
    desired_enrol_many(1, 5);
    database_sql("UPDATE mdm_enrollment SET product_name = 'iPhone15,2', os_version = '18.1' WHERE id < 5;"
                 "UPDATE mdm_enrollment SET product_name = 'Mac14,7', os_version = '15.1' WHERE id = 5;"
                 "INSERT INTO mdm_fact (enrollment, name, value, source, changed_at) VALUES (1, 'IsSupervised', "
                 "'true', 'x', 0), (2, 'IsSupervised', 'false', 'x', 0), (3, 'IsSupervised', 'false', 'x', 0);");
    desired_profile(7, "home", 1, "x", NULL);
    ck_assert_str_eq(judged(7, "System"), "");
    desired_join(2, 1, 5);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL);
    ck_assert_str_eq(judged(7, "System"),
        "refuse 2 PayloadContent[0] (com.apple.homescreenlayout): this device cannot have it: on iOS it needs "
        "supervision, and the device is not supervised\n"
        "refuse 1 PayloadContent[0] (com.apple.homescreenlayout): this device cannot have it: it takes iOS 9.3, tvOS "
        "11.0\n"
        "warn 1 supervision of the device is not known: ask it for IsSupervised with a DeviceInformation. Without "
        "supervision: PayloadContent[0] (com.apple.homescreenlayout): this device cannot have it: on iOS it needs "
        "supervision, and the device is not supervised");
    ck_assert_str_eq(judged(7, "User"), "");
    database_sql("UPDATE mdm_assignment SET version = 1;");
    ck_assert_str_eq(judged(7, "System"), "");
    desired_assign(7, MDM_ASSIGNMENT_ENROLLMENT, "2", 0, 0, NULL);
    ck_assert_ptr_nonnull(strstr(judged(7, "System"), "refuse 1 "));
    database_end();
}
END_TEST

START_TEST(a_refusal_takes_the_place_of_a_warning)
{
    apr_array_header_t *notes;
    int i;

    database_start(_i);
    notes = apr_array_make(database_pool(), 1, sizeof(mdm_judge_note_t));
    for (i = 0; i < 40; i++)
        mdm_judge_note(notes, MDM_FINDING_WARN, apr_psprintf(database_pool(), "w%d", i), database_pool());
    ck_assert_int_eq(notes->nelts, 20);
    mdm_judge_note(notes, MDM_FINDING_REFUSE, "r", database_pool());
    mdm_judge_note(notes, MDM_FINDING_REFUSE, "r", database_pool());
    mdm_judge_note(notes, MDM_FINDING_WARN, "w0", database_pool());
    ck_assert_int_eq(notes->nelts, 20);
    ck_assert_int_eq(strncmp(told(notes), "refuse 2 r\nwarn 2 w0\nwarn 1 w1\n", 31), 0);
    ck_assert_ptr_null(strstr(told(notes), "w19"));
    for (i = 0; i < 40; i++)
        mdm_judge_note(notes, MDM_FINDING_REFUSE, apr_psprintf(database_pool(), "r%d", i), database_pool());
    ck_assert_int_eq(notes->nelts, 20);
    ck_assert_ptr_null(strstr(told(notes), "warn"));
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("judge");
    TCase *tc = tcase_create("core");

    (void)argc;
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, those_that_follow_are_judged_by_kind, 0, DATABASES);
    tcase_add_loop_test(tc, a_refusal_takes_the_place_of_a_warning, 0, DATABASES);
    suite_add_tcase(suite, tc);
    return database_main(suite, argv);
}
