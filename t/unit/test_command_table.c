/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of Apple's commands holds together: sorted, no name twice, every array and every setting described, and
 * what is sent by itself is of the type and among the values of its key. That it is complete is seen against Apple's
 * schema where the table is made; the e2e tests send all of it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mdm_command_table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* "i7.0 m-": a system's letter, then a version or "-"; each system once. */
static void check_since(const char *of, const char *since)
{
    const char *c = since;

    while (c && *c) {
        ck_assert_msg(strchr("imtvw", *c), "%s: %s", of, since);
        ck_assert_msg(strchr(c + 1, *c) == NULL, "%s: %s names a system twice", of, since);
        ck_assert_msg(strspn(c + 1, "0123456789.-") == strcspn(c + 1, " ") && strcspn(c + 1, " "), "%s: %s", of, since);
        c += strcspn(c, " ");
        c += *c == ' ';
    }
}

static int is_among(const char *letters, const char *allowed)
{
    return !letters || strspn(letters, allowed) == strlen(letters);
}

/* Whether text is among those of "a|b|c". */
static int is_listed(const char *values, const char *text)
{
    size_t len = strlen(text);

    for (; values; values = strchr(values, '|') ? strchr(values, '|') + 1 : NULL) {
        if (strcspn(values, "|") == len && !strncmp(values, text, len))
            return 1;
    }
    return 0;
}

static void check_fill(const mdm_command_key_t *key)
{
    if (!key->fill)
        return;
    ck_assert_msg(!key->required, "%s is required and filled in", key->name);
    if (key->type == MDM_KEY_BOOLEAN)
        ck_assert_msg(is_listed("true|false", key->fill), "%s", key->name);
    else if (key->type == MDM_KEY_INTEGER)
        ck_assert_msg(strspn(key->fill, "0123456789") == strlen(key->fill), "%s", key->name);
    else
        ck_assert_msg(key->type == MDM_KEY_STRING, "%s", key->name);
    ck_assert_msg(!key->values || is_listed(key->values, key->fill), "%s: %s is no value", key->name, key->fill);
}

static void check_keys(const char *of, const mdm_command_key_t *keys, int depth)
{
    const mdm_command_key_t *key;

    ck_assert_int_lt(depth, 10);
    for (key = keys; key && key->name; key++) {
        ck_assert_msg(mdm_command_key(keys, key->name) == key, "%s: %s twice", of, key->name);
        ck_assert_msg(key->type >= MDM_KEY_STRING && key->type <= MDM_KEY_QUERY, "%s: %s", of, key->name);
        ck_assert_msg(!key->values || key->type == MDM_KEY_STRING || key->type == MDM_KEY_INTEGER, "%s: %s", of,
                      key->name);
        if (key->type == MDM_KEY_ARRAY)
            ck_assert_msg(key->keys && key->keys->name && !key->keys[1].name, "%s: %s has not one item", of, key->name);
        else if (key->type == MDM_KEY_VARIANT)
            ck_assert_msg(key->keys && key->keys->name, "%s: %s", of, key->name);
        else
            ck_assert_msg(!key->keys || key->type == MDM_KEY_DICT, "%s: %s", of, key->name);
        check_fill(key);
        check_since(key->name, key->since);
        ck_assert_msg(is_among(key->supervised, "imtvw"), "%s: %s", of, key->name);
        ck_assert_msg((key->right & (key->right - 1)) == 0 && key->right <= 4096, "%s: %s: right", of, key->name);
        check_keys(key->name, key->keys, depth + 1);
    }
}

START_TEST(every_command_is_sound)
{
    const mdm_command_type_t *type, *before = NULL;
    int n;

    for (n = 0; (type = mdm_command_type_at(n)) != NULL; n++, before = type) {
        ck_assert_msg(!before || strcmp(before->name, type->name) < 0, "%s is out of order", type->name);
        ck_assert_ptr_eq(mdm_command_type(type->name), type);
        ck_assert_msg(type->since && *type->since, "%s is on no system", type->name);
        check_since(type->name, type->since);
        ck_assert_msg(is_among(type->supervised, "imtvw") && is_among(type->ade, "imtvw")
                      && is_among(type->user_enrollment, "imtvw") && is_among(type->right_on, "imtvw"), "%s",
                      type->name);
        ck_assert_msg(is_among(type->mac, "DU") && is_among(type->shared_ipad, "DU"), "%s", type->name);
        ck_assert_msg(!type->mac == !strchr(type->since, 'm'), "%s: macOS and its channels", type->name);
        ck_assert_msg((type->right & (type->right - 1)) == 0 && type->right <= 4096, "%s: right", type->name);
        ck_assert_msg(mdm_command_has_channel(type, 0) || mdm_command_has_channel(type, 1), "%s", type->name);
        check_keys(type->name, type->keys, 0);
    }
    ck_assert_int_ge(n, 68);
}
END_TEST

START_TEST(every_query_is_there_once)
{
    const mdm_command_query_t *query, *other;

    for (query = mdm_command_queries; query->name; query++) {
        for (other = mdm_command_queries; other != query; other++)
            ck_assert_str_ne(other->name, query->name);
        ck_assert_msg(query->right == 0 || query->right == 16 || query->right == 32 || query->right == 4096, "%s",
                      query->name);
        check_since(query->name, query->since);
    }
    ck_assert_int_eq(query - mdm_command_queries, 85);
}
END_TEST

START_TEST(unknown_names_are_unknown)
{
    ck_assert_ptr_null(mdm_command_type(""));
    ck_assert_ptr_null(mdm_command_type("devicelock"));
    ck_assert_ptr_null(mdm_command_type("DeviceLockX"));
    ck_assert_ptr_null(mdm_command_type_at(100000));
    ck_assert_ptr_null(mdm_command_key(NULL, "PIN"));
    ck_assert_ptr_null(mdm_command_key(mdm_command_type("DeviceLock")->keys, "pin"));
    ck_assert_ptr_nonnull(mdm_command_key(mdm_command_type("DeviceLock")->keys, "PIN"));
}
END_TEST

/* name, right, for devices, for users */
static const struct {
    const char *name;
    int right, device, user;
} facts[] = {
    { "DeviceLock", 4, 1, 0 }, { "EraseDevice", 8, 1, 0 }, { "InstallProfile", 2, 1, 1 }, { "ProfileList", 1, 1, 1 },
    { "InstallApplication", 4096, 1, 1 }, { "Settings", 2048, 1, 1 }, { "SecurityInfo", 1024, 1, 1 },
    { "Restrictions", 512, 1, 1 }, { "NSExtensionMappings", 256, 0, 1 }, { "UserConfigured", 0, 1, 1 },
    { "InviteToProgram", 4096, 1, 1 }, { "ClearPasscode", 4, 1, 0 }, { "LogOutUser", 0, 1, 0 },
    { "DeclarativeManagement", 0, 1, 1 }, { "RequestUnlockToken", 0, 1, 0 },
};

START_TEST(rights_and_channels)
{
    const mdm_command_type_t *type = mdm_command_type(facts[_i].name);

    ck_assert_ptr_nonnull(type);
    ck_assert_int_eq(type->right, facts[_i].right);
    ck_assert_msg(mdm_command_has_channel(type, 0) == facts[_i].device, "%s for devices", type->name);
    ck_assert_msg(mdm_command_has_channel(type, 1) == facts[_i].user, "%s for users", type->name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("command_table");
    TCase *group = tcase_create("command_table");
    SRunner *runner;
    int failed;

    tcase_add_test(group, every_command_is_sound);
    tcase_add_test(group, every_query_is_there_once);
    tcase_add_test(group, unknown_names_are_unknown);
    tcase_add_loop_test(group, rights_and_channels, 0, COUNT(facts));
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
