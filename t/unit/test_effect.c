/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What should hold, on both databases: targets, exclusions, priorities, scopes, single-instance payloads, rollouts; the
 * reason of each; and what it costs.
 */
#include <string.h>

#include <apr_strings.h>

#include "desired_fixture.h"
#include "mdm_preview.h"
#include "mdm_store.h"

#define ROLLOUT "{\"steps\": [50, 100]}"

/* "PROFILE:VERSION REASON" of an enrollment, in the order of profiles, one a line. */
static const char *effects_of(apr_int64_t enrollment)
{
    apr_pool_t *p = database_pool();
    mdm_effect_batch_t *batch;
    mdm_catalog_t *catalog;
    const mdm_effect_of_t *of;
    const char *text = "";
    apr_int64_t id;
    int i;

    OK(mdm_catalog_load(&catalog, st));
    OK(mdm_effect_batch(&batch, st, catalog, &enrollment, 1, NULL, 0));
    if (!batch->all->nelts)
        return "absent";
    of = &APR_ARRAY_IDX(batch->all, 0, mdm_effect_of_t);
    for (id = 1; id < 20; id++) {
        for (i = 0; i < of->effects->nelts; i++) {
            const mdm_effect_t *effect = &APR_ARRAY_IDX(of->effects, i, mdm_effect_t);

            if (effect->profile->id == id)
                text = apr_psprintf(p, "%s%s%d:%d%s%s %s", text, *text ? "\n" : "", (int)id, effect->version,
                                    effect->kept ? " kept" : "", effect->blocker ? " blocked" : "", effect->reason);
        }
    }
    return text;
}

static const char *text_of(apr_int64_t number)
{
    return apr_psprintf(database_pool(), "%" APR_INT64_T_FMT, number);
}

START_TEST(targets_exclusions_and_priorities)
{
    apr_int64_t id;

    desired_start(_i);
    desired_enrol(1, 0, "anna");
    desired_enrol(2, 0, "bert");
    desired_profile(7, "wifi", 1, "one", NULL);
    desired_profile(7, "wifi", 2, "two", NULL);
    desired_profile(8, "mail", 1, "x", NULL);
    ck_assert_str_eq(effects_of(1), "");
    ck_assert_str_eq(effects_of(99), "absent");
    desired_join(2, 1, 2);
    desired_join(3, 2, 2);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL);
    desired_assign(8, MDM_ASSIGNMENT_USER, "anna", 0, 0, NULL);
    ck_assert_str_eq(effects_of(1), "7:2 member of the group everyone\n8:1 device of the user anna");
    ck_assert_str_eq(effects_of(2), "7:2 member of the group everyone");

    /* a pinned version counts where its priority is higher; at the same priority who is named himself */
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "3", 0, 5, NULL);
    database_sql("UPDATE mdm_assignment SET version = 1 WHERE priority = 5;");
    ck_assert_str_eq(effects_of(2), "7:1 member of the group vip");
    desired_assign(7, MDM_ASSIGNMENT_ENROLLMENT, "2", 0, 5, NULL);
    ck_assert_str_eq(effects_of(2), "7:2 named by the assignment");

    /* an exclusion beats them all, even of a group */
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "3", 1, 0, NULL);
    ck_assert_str_eq(effects_of(2), "");
    ck_assert_str_eq(effects_of(1), "7:2 member of the group everyone\n8:1 device of the user anna");

    /* who has left, or is disabled */
    database_sql("UPDATE mdm_enrollment SET state = 3 WHERE id = 2;");
    ck_assert_str_eq(effects_of(2), "absent");
    desired_user("anna", NULL, "{}");
    ck_assert_str_eq(effects_of(1), "7:2 member of the group everyone\n8:1 device of the user anna");
    database_sql("UPDATE mdm_user SET disabled = 1;");
    ck_assert_str_eq(effects_of(1), "7:2 member of the group everyone");

    /* what is kept from a user stays so while he is disabled */
    id = desired_assign(7, MDM_ASSIGNMENT_USER, "anna", 1, 0, NULL);
    ck_assert_str_eq(effects_of(1), "");
    desired_unassign(id);
    ck_assert_str_eq(effects_of(1), "7:2 member of the group everyone");

    /* an archived profile is for nobody */
    OK(mdm_store_profile_archive(st, 7, "wifi"));
    ck_assert_str_eq(effects_of(1), "");
    database_end();
}
END_TEST

START_TEST(scopes_and_channels)
{
    desired_start(_i);
    desired_enrol(1, 0, "anna");
    desired_enrol(11, 1, "anna");
    desired_profile(7, "system", 1, "x", NULL);
    desired_profile(8, "user-part", 1, "x", NULL);
    desired_join(2, 1, 1);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL);
    desired_assign(8, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL);
    ck_assert_str_eq(effects_of(1), "7:1 member of the group everyone");
    ck_assert_str_eq(effects_of(11), "8:1 member of the group everyone");
    desired_assign(8, MDM_ASSIGNMENT_ENROLLMENT, "11", 1, 0, NULL);
    ck_assert_str_eq(effects_of(11), "");
    database_end();
}
END_TEST

START_TEST(one_of_its_kind)
{
    desired_start(_i);
    desired_enrol_many(1, 2);
    desired_profile(7, "cell", 1, "a", "com.apple.cellular");
    desired_profile(8, "apn", 1, "b", "com.apple.apn.managed");
    desired_profile(9, "passcode", 1, "c", NULL);
    desired_join(2, 1, 2);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 1, NULL);
    desired_assign(8, MDM_ASSIGNMENT_GROUP, "2", 0, 2, NULL);
    desired_assign(9, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL);
    ck_assert_str_eq(effects_of(1), "7:1 blocked the profile apn comes first with priority 2: there can be but one "
                     "payload com.apple.cellular\n8:1 member of the group everyone\n9:1 member of the group everyone");
    /* a Mac has no such limit */
    database_sql("UPDATE mdm_enrollment SET product_name = 'MacBookPro18,1' WHERE id = 2;");
    ck_assert_str_eq(effects_of(2), "7:1 member of the group everyone\n8:1 member of the group everyone\n"
                     "9:1 member of the group everyone");
    database_end();
}
END_TEST

START_TEST(who_is_first_in_a_rollout_is_so_for_good)
{
    int i, reached = 0, other = 0;
    apr_int64_t id;

    desired_start(_i);
    desired_enrol_many(1, 200);
    desired_profile(7, "wifi", 1, "one", NULL);
    desired_profile(8, "vpn", 1, "one", NULL);
    desired_join(2, 1, 200);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, ROLLOUT);
    id = desired_assign(8, MDM_ASSIGNMENT_GROUP, "2", 0, 0, ROLLOUT);
    for (i = 1; i <= 200; i++) {
        const char *first = effects_of(i);

        ck_assert_str_eq(effects_of(i), first);
        reached += strstr(first, "7:1") != NULL;
        other += (strstr(first, "7:1") != NULL) != (strstr(first, "8:1") != NULL);
    }
    ck_assert_int_gt(reached, 70);
    ck_assert_int_lt(reached, 130);
    ck_assert_int_gt(other, 50);      /* another profile begins with others */
    OK(mdm_rollout_act(st, id, MDM_ROLLOUT_ADVANCE, "admin", NULL));
    for (i = 1; i <= 200; i++)
        ck_assert_ptr_nonnull(strstr(effects_of(i), "8:1"));
    database_end();
}
END_TEST

START_TEST(whose_turn_has_not_come_keeps_what_he_has)
{
    const char *first;
    int i;

    desired_start(_i);
    desired_enrol_many(1, 20);
    desired_profile(7, "wifi", 1, "one", NULL);
    desired_join(2, 1, 20);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, ROLLOUT);
    database_sql("UPDATE mdm_assignment SET rollout_state = 4;");
    OK(mdm_store_change_add(st, MDM_CHANGE_PROFILE, "7", "test"));
    desired_run();
    desired_answer(1, 20, "Acknowledged");
    desired_profile(7, "wifi", 2, "two", NULL);
    OK(mdm_rollout_restart(st, 7, 2, 0));
    for (i = 1; i <= 20; i++) {
        first = effects_of(i);
        ck_assert(!strcmp(first, "7:2 member of the group everyone")
                  || !strcmp(first, "7:1 kept member of the group everyone"));
    }
    /* one that has nothing yet gets what held before */
    desired_enrol(21, 0, NULL);
    desired_enrol_many(22, 40);
    desired_join(2, 21, 40);
    for (i = 21; i <= 40; i++)
        ck_assert(!strcmp(effects_of(i), "7:2 member of the group everyone")
                  || !strcmp(effects_of(i), "7:1 member of the group everyone"));
    /* somebody else who says that he is to have it now is heard */
    for (i = 1; i <= 20; i++)
        if (strstr(effects_of(i), "kept"))
            break;
    ck_assert_int_le(i, 20);
    desired_assign(7, MDM_ASSIGNMENT_ENROLLMENT, text_of(i), 0, -5, NULL);
    ck_assert_str_eq(effects_of(i), "7:2 named by the assignment");
    database_end();
}
END_TEST

START_TEST(who_is_blocked_keeps_it_too)
{
    apr_int64_t id;
    int i, kept = 0;

    desired_start(_i);
    desired_enrol_many(1, 40);
    desired_profile(7, "wifi", 1, "one", NULL);
    desired_join(2, 1, 40);
    id = desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, "{\"steps\": [30, 70, 100]}");
    OK(mdm_rollout_act(st, id, MDM_ROLLOUT_ADVANCE, "admin", NULL));
    desired_run();
    desired_answer(1, 40, "Acknowledged");
    database_sql("UPDATE mdm_desired SET state = 7, want_uuid = NULL, reason = 'no address';");
    desired_profile(7, "wifi", 2, "two", NULL);
    OK(mdm_rollout_restart(st, 7, 2, 0));
    for (i = 1; i <= 40; i++)
        kept += !strcmp(effects_of(i), "7:1 kept member of the group everyone");
    ck_assert_int_gt(kept, 0);
    desired_change(MDM_CHANGE_PROFILE, "7");
    ck_assert_int_eq(desired_count("SELECT COUNT(*) FROM mdm_command WHERE request_type = 'RemoveProfile'"), 0);
    ck_assert_str_eq(database_sql("SELECT state, version, reason, COUNT(*) FROM mdm_desired WHERE version = 1 "
                                  "GROUP BY 1, 2, 3;"), apr_psprintf(database_pool(), "7|1|no address|%d", kept));
    database_end();
}
END_TEST

/* All that are found by pages of so many, each once and in order. */
static int paged(const apr_int64_t *profiles, int count, int limit)
{
    apr_array_header_t *ids;
    apr_int64_t after = 0;
    int sum = 0, i;

    do {
        OK(mdm_store_batch_of_holders(&ids, st, profiles, count, after, limit));
        for (i = 0; i < ids->nelts; i++) {
            ck_assert_int_gt(APR_ARRAY_IDX(ids, i, apr_int64_t), after);
            after = APR_ARRAY_IDX(ids, i, apr_int64_t);
        }
        sum += ids->nelts;
    } while (ids->nelts == limit);
    return sum;
}

START_TEST(holders_of_several_profiles_are_found_once)
{
    const apr_int64_t profiles[] = { 7, 8, 9 };
    int limit;

    desired_start(_i);
    desired_enrol_many(1, 60);
    desired_profile(7, "one", 1, "x", NULL);
    desired_profile(8, "two", 1, "x", NULL);
    desired_join(1, 1, 40);
    desired_join(2, 21, 50);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    desired_assign(8, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL);
    desired_change(MDM_CHANGE_PROFILE, "7");
    desired_change(MDM_CHANGE_PROFILE, "8");
    database_sql("UPDATE mdm_desired SET state = 9 WHERE enrollment = 1; "
                 "UPDATE mdm_enrollment SET state = 3 WHERE id = 2;");
    for (limit = 1; limit < 60; limit += 3)
        ck_assert_int_eq(paged(profiles, 3, limit), 48);
    ck_assert_int_eq(paged(profiles, 1, 7), 38);
    ck_assert_int_eq(paged(profiles + 2, 1, 7), 0);
    database_end();
}
END_TEST

static const char *page_of(apr_array_header_t *ids)
{
    const char *text = "";
    int i;

    for (i = 0; i < ids->nelts; i++)
        text = apr_psprintf(st->ctx->pool, "%s%s%" APR_INT64_T_FMT, text, *text ? " " : "",
                            APR_ARRAY_IDX(ids, i, apr_int64_t));
    return text;
}

START_TEST(a_page_is_full_whoever_has_left)
{
    apr_array_header_t *ids;

    desired_start(_i);
    desired_enrol_many(1, 20);
    desired_enrol(31, 1, "anna");
    desired_profile(7, "p", 1, "x", NULL);
    desired_join(1, 1, 20);
    desired_join(2, 5, 12);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "1", 0, 0, NULL);
    desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 1, NULL);
    desired_run();
    database_sql("UPDATE mdm_enrollment SET state = 3 WHERE id IN (2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20);");
    OK(mdm_store_batch_of_profile(&ids, st, 7, 0, 0, 3));
    ck_assert_str_eq(page_of(ids), "1 3 14");
    OK(mdm_store_batch_of_profile(&ids, st, 7, 0, 14, 5));
    ck_assert_str_eq(page_of(ids), "15 16 17 18 19");
    OK(mdm_store_batch_of_profile(&ids, st, 7, 0, 19, 3));
    ck_assert_str_eq(page_of(ids), "");
    OK(mdm_store_batch_of_target(&ids, st, MDM_ASSIGNMENT_GROUP, "1", 1, 3));
    ck_assert_str_eq(page_of(ids), "3 14 15");
    OK(mdm_store_batch_of_target(&ids, st, MDM_ASSIGNMENT_GROUP, "1", 18, 3));
    ck_assert_str_eq(page_of(ids), "19 31");
    database_end();
}
END_TEST

START_TEST(a_batch_costs_a_few_statements)
{
    apr_int64_t ids[64];
    mdm_effect_batch_t *batch;
    apr_array_header_t *items;
    mdm_catalog_t *catalog;
    mdm_render_t *render;
    int i, before;

    desired_start(_i);
    desired_enrol_many(1, 64);
    for (i = 1; i <= 10; i++) {
        desired_profile(i, apr_psprintf(database_pool(), "p%d", i), 1, i == 1 ? "${device.serial}" : "x", NULL);
        desired_assign(i, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL);
    }
    desired_join(2, 1, 64);
    for (i = 0; i < 64; i++)
        ids[i] = i + 1;
    before = mdm_db_statements(st->db);
    OK(mdm_catalog_load(&catalog, st));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 3);
    before = mdm_db_statements(st->db);
    OK(mdm_effect_batch(&batch, st, catalog, ids, 64, NULL, 1));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 3);
    ck_assert_int_eq(batch->all->nelts, 64);
    render = mdm_render_create(st);
    before = mdm_db_statements(st->db);
    OK(mdm_plan_make(&items, st, render, batch, NULL));
    ck_assert_int_eq(items->nelts, 640);
    ck_assert_int_le(mdm_db_statements(st->db) - before, 11);
    database_end();
}
END_TEST

START_TEST(memory_does_not_grow_with_the_enrollments)
{
    mdm_preview_request_t request = { 0 };
    mdm_preview_walk_t *walk;
    mdm_assignment_t *a;
    mdm_catalog_t *catalog;
    apr_int64_t ids[64];
    int i, grown = 0;

    desired_start(_i);
    for (i = 1; i <= 64; i++) {
        ids[i - 1] = i;
        desired_enrol(i, 0, "anna");
    }
    desired_profile(7, "cell", 1, "${device.serial_number}", "com.apple.cellular");
    desired_profile(8, "mail", 1, "x", NULL);
    desired_join(1, 1, 64);
    desired_join(2, 1, 64);
    desired_assign(8, MDM_ASSIGNMENT_USER, "anna", 0, 0, NULL);
    OK(mdm_store_assignment_get(&a, st, desired_assign(7, MDM_ASSIGNMENT_GROUP, "2", 0, 0, NULL)));
    desired_change(MDM_CHANGE_PROFILE, "7");
    request.what = MDM_PREVIEW_ASSIGNMENT;
    request.assignment = a;
    OK(mdm_preview_begin(&walk, &catalog, st, &request));
    OK(mdm_preview_look(walk, ids, 64));
    /* a pool gives what follows in memory, but for once in a while, when it begins another piece */
    for (i = 0; i < 3; i++) {
        char *before = apr_palloc(database_pool(), 8);

        OK(mdm_preview_look(walk, ids, 64));
        grown += (char *)apr_palloc(database_pool(), 8) != before + 8;
    }
    ck_assert_int_le(grown, 1);
    ck_assert_int_eq(mdm_preview_found(walk)->looked, 4 * 64);
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("effect");
    TCase *tcase = tcase_create("effect");

    (void)argc;
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, targets_exclusions_and_priorities, 0, DATABASES);
    tcase_add_loop_test(tcase, scopes_and_channels, 0, DATABASES);
    tcase_add_loop_test(tcase, one_of_its_kind, 0, DATABASES);
    tcase_add_loop_test(tcase, who_is_first_in_a_rollout_is_so_for_good, 0, DATABASES);
    tcase_add_loop_test(tcase, whose_turn_has_not_come_keeps_what_he_has, 0, DATABASES);
    tcase_add_loop_test(tcase, who_is_blocked_keeps_it_too, 0, DATABASES);
    tcase_add_loop_test(tcase, holders_of_several_profiles_are_found_once, 0, DATABASES);
    tcase_add_loop_test(tcase, a_page_is_full_whoever_has_left, 0, DATABASES);
    tcase_add_loop_test(tcase, memory_does_not_grow_with_the_enrollments, 0, DATABASES);
    tcase_add_loop_test(tcase, a_batch_costs_a_few_statements, 0, DATABASES);
    suite_add_tcase(suite, tcase);
    return database_main(suite, argv);
}
