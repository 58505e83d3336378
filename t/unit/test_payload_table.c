/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of Apple's payload types holds together: sorted, no name twice, each default and each range of its key's
 * type and among its values. That it is complete is seen against Apple's schema where the table is made; here the
 * types that people use most are counted.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mdm_payload_table.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static apr_pool_t *pool;

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

/* "i7.0 m-": a system's letter, then a version or "-"; each system once. */
static void check_versions(const char *of, const char *versions)
{
    const char *c = versions;

    ck_assert_msg(!c || *c, "%s: no versions", of);
    while (c && *c) {
        ck_assert_msg(mdm_key_system(*c) != NULL && mdm_key_system_title(*c) != NULL, "%s: %s", of, versions);
        ck_assert_msg(strchr(c + 1, *c) == NULL, "%s: %s names a system twice", of, versions);
        ck_assert_msg(strspn(c + 1, "0123456789.-") == strcspn(c + 1, " ") && strcspn(c + 1, " "), "%s: %s", of,
                      versions);
        c += strcspn(c, " ");
        c += *c == ' ';
    }
}

static int is_among(const char *letters, const char *allowed)
{
    return !letters || (*letters && strspn(letters, allowed) == strlen(letters));
}

static void check_preset(const mdm_payload_key_t *key)
{
    char *end = NULL;

    if (!key->preset)
        return;
    if (key->type == MDM_KEY_BOOLEAN)
        ck_assert_msg(mdm_key_is_listed("true|false", key->preset), "%s", key->name);
    else if (key->type == MDM_KEY_INTEGER || key->type == MDM_KEY_REAL)
        ck_assert_msg((strtod(key->preset, &end), !*end), "%s: %s", key->name, key->preset);
    else
        ck_assert_msg(key->type == MDM_KEY_STRING, "%s", key->name);
    ck_assert_msg(!key->values || mdm_key_is_listed(key->values, key->preset), "%s: %s is no value", key->name,
                  key->preset);
}

static void check_range(const mdm_payload_key_t *key)
{
    const char *most = key->range ? strchr(key->range, ' ') : NULL;

    if (!key->range)
        return;
    ck_assert_msg(most != NULL && !strchr(most + 1, ' '), "%s: %s", key->name, key->range);
    ck_assert_msg(key->type == MDM_KEY_INTEGER || key->type == MDM_KEY_REAL || key->type == MDM_KEY_ARRAY, "%s",
                  key->name);
    if (strcmp(most, " -") && strncmp(key->range, "- ", 2))
        ck_assert_msg(strtod(key->range, NULL) <= strtod(most + 1, NULL), "%s: %s", key->name, key->range);
}

static void check_key(const char *of, const mdm_payload_key_t *keys, const mdm_payload_key_t *key)
{
    const mdm_payload_key_t *other;

    for (other = keys; other != key; other++)
        ck_assert_msg(strcmp(other->name, key->name), "%s: %s twice", of, key->name);
    ck_assert_msg(mdm_payload_key(keys, key->name) == key, "%s: %s", of, key->name);
    ck_assert_msg(key->type >= MDM_KEY_STRING && key->type <= MDM_KEY_ANY, "%s: %s", of, key->name);
    ck_assert_msg(!key->values || (key->type != MDM_KEY_DICT && key->type != MDM_KEY_ARRAY), "%s: %s", of, key->name);
    ck_assert_msg(!key->keys || key->type == MDM_KEY_DICT || key->type == MDM_KEY_ARRAY, "%s: %s", of, key->name);
    if (key->type == MDM_KEY_ARRAY && key->keys)
        ck_assert_msg(key->keys->name && !key->keys[1].name && !strcmp(key->keys->name, "item"), "%s: %s has not one "
                      "item", of, key->name);
    check_preset(key);
    check_range(key);
    check_versions(key->name, key->since);
    check_versions(key->name, key->deprecated);
    check_versions(key->name, key->removed);
    ck_assert_msg(is_among(key->supervised, "imtvw") && is_among(key->no_user_enrollment, "imtvw"), "%s: %s", of,
                  key->name);
}

/* A schema that contains itself ends at some depth. */
static int check_keys(const char *of, const mdm_payload_key_t *keys, int depth)
{
    const mdm_payload_key_t *key;
    int n = 0;

    for (key = depth < 10 ? keys : NULL; key && key->name; key++) {
        check_key(of, keys, key);
        n += 1 + check_keys(key->name, key->keys, depth + 1);
    }
    return n;
}

START_TEST(every_type_is_sound)
{
    const mdm_payload_type_t *type, *before = NULL;
    int n, keys = 0;

    for (n = 0; (type = mdm_payload_type_at(n)) != NULL; n++, before = type) {
        ck_assert_msg(!before || strcmp(before->name, type->name) < 0, "%s is out of order", type->name);
        ck_assert_ptr_eq(mdm_payload_type(type->name), type);
        ck_assert_msg(type->title && *type->title, "%s", type->name);
        check_versions(type->name, type->since);
        check_versions(type->name, type->deprecated);
        check_versions(type->name, type->removed);
        ck_assert_msg(is_among(type->supervised, "imtvw") && is_among(type->user_enrollment, "imtvw")
                      && is_among(type->single, "imtvw"), "%s", type->name);
        ck_assert_msg(is_among(type->mac, "DU") && is_among(type->shared_ipad, "DU"), "%s", type->name);
        ck_assert_msg(!type->mac == !(type->since && strchr(type->since, 'm')), "%s: macOS and its channels",
                      type->name);
        ck_assert_msg(type->keys != NULL, "%s has no keys", type->name);
        keys += check_keys(type->name, type->keys, 0);
    }
    ck_assert_int_eq(n, 120);
    ck_assert_int_gt(keys, 2000);
    check_keys("a payload", mdm_payload_common, 0);
    check_keys("a profile", mdm_payload_profile, 0);
}
END_TEST

START_TEST(unknown_names_are_unknown)
{
    ck_assert_ptr_null(mdm_payload_type(""));
    ck_assert_ptr_null(mdm_payload_type("com.apple.WIFI.managed"));
    ck_assert_ptr_null(mdm_payload_type_at(100000));
    ck_assert_ptr_null(mdm_payload_key(NULL, "SSID_STR"));
    ck_assert_ptr_null(mdm_payload_key(mdm_payload_type("com.apple.wifi.managed")->keys, "ssid_str"));
    ck_assert_ptr_nonnull(mdm_payload_key(mdm_payload_type("com.apple.wifi.managed")->keys, "SSID_STR"));
    ck_assert_str_eq(mdm_payload_key(mdm_payload_type("com.apple.firstethernet.managed")->keys, "Any")->name, "*");
}
END_TEST

/* Type, keys at the top, keys of that name with so many keys: what people use most is there to the last key. */
static const struct {
    const char *type;
    int keys;
    const char *inner;
    int inner_keys;
} counted[] = {
    { "com.apple.wifi.managed", 29, "EAPClientConfiguration", 19 },
    { "com.apple.mobiledevice.passwordpolicy", 13, "customRegex", 2 },
    { "com.apple.applicationaccess", 211, NULL, 0 },
    { "com.apple.mail.managed", 35, NULL, 0 },
    { "com.apple.eas.account", 43, "CommunicationServiceRules", 1 },
    { "com.apple.vpn.managed", 13, "IKEv2", 44 },
    { "com.apple.vpn.managed", 13, "IPSec", 18 },
    { "com.apple.ldap.account", 7, NULL, 0 },
    { "com.apple.caldav.account", 8, NULL, 0 },
    { "com.apple.carddav.account", 9, NULL, 0 },
    { "com.apple.apn.managed", 2, "DefaultsData", 1 },
    { "com.apple.cellular", 2, "AttachAPN", 5 },
    { "com.apple.webClip.managed", 8, NULL, 0 },
    { "com.apple.security.root", 2, NULL, 0 },
    { "com.apple.security.pkcs1", 2, NULL, 0 },
    { "com.apple.security.pem", 2, NULL, 0 },
    { "com.apple.security.pkcs12", 5, NULL, 0 },
    { "com.apple.security.scep", 1, "PayloadContent", 13 },
    { "com.apple.homescreenlayout", 2, NULL, 0 },
    { "com.apple.notificationsettings", 1, NULL, 0 },
};

static int count(const mdm_payload_key_t *keys)
{
    int n = 0;

    while (keys[n].name)
        n++;
    return n;
}

START_TEST(common_types_are_complete)
{
    const mdm_payload_type_t *type = mdm_payload_type(counted[_i].type);

    ck_assert_msg(type != NULL, "%s", counted[_i].type);
    ck_assert_msg(count(type->keys) == counted[_i].keys, "%s has %d keys", type->name, count(type->keys));
    if (counted[_i].inner) {
        const mdm_payload_key_t *inner = mdm_payload_key(type->keys, counted[_i].inner);

        ck_assert_ptr_nonnull(inner);
        ck_assert_msg(count(inner->keys) == counted[_i].inner_keys, "%s.%s has %d keys", type->name, inner->name,
                      count(inner->keys));
    }
}
END_TEST

/* What is never shown. */
static const char *const secrets[] = {
    "com.apple.wifi.managed Password", "com.apple.wifi.managed ProxyPassword",
    "com.apple.mail.managed IncomingPassword",
    "com.apple.mail.managed OutgoingPassword", "com.apple.eas.account Password", "com.apple.eas.account Certificate",
    "com.apple.eas.account CertificatePassword", "com.apple.ldap.account LDAPAccountPassword",
    "com.apple.caldav.account CalDAVPassword", "com.apple.carddav.account CardDAVPassword",
    "com.apple.security.pkcs12 PayloadContent", "com.apple.security.pkcs12 Password",
    "com.apple.profileRemovalPassword RemovalPassword", "com.apple.proxy.http.global ProxyPassword",
    "com.apple.loginwindow AutologinPassword",
};

START_TEST(secrets_are_marked)
{
    const char *space = strchr(secrets[_i], ' ');
    const char *name = apr_pstrmemdup(pool, secrets[_i], (apr_size_t)(space - secrets[_i]));
    const mdm_payload_type_t *type = mdm_payload_type(name);
    const mdm_payload_key_t *key = type ? mdm_payload_key(type->keys, space + 1) : NULL;

    ck_assert_msg(key != NULL && key->secret, "%s", secrets[_i]);
}
END_TEST

START_TEST(one_of_a_kind)
{
    ck_assert_str_eq(mdm_payload_slot("com.apple.cellular", 'i'), "com.apple.cellular");
    ck_assert_str_eq(mdm_payload_slot("com.apple.apn.managed", 'i'), "com.apple.cellular");
    ck_assert_str_eq(mdm_payload_slot("com.apple.apn.managed", 0), "com.apple.cellular");
    ck_assert_ptr_null(mdm_payload_slot("com.apple.cellular", 'm'));
    ck_assert_ptr_null(mdm_payload_slot("com.apple.wifi.managed", 'i'));
    ck_assert_str_eq(mdm_payload_slot("com.apple.homescreenlayout", 't'), "com.apple.homescreenlayout");
    ck_assert_str_eq(mdm_payload_slot("com.apple.notificationsettings", 'i'), "com.apple.notificationsettings");
    ck_assert_ptr_null(mdm_payload_slot("com.apple.notificationsettings", 'm'));
    ck_assert_ptr_null(mdm_payload_slot("com.apple.notificationsettings", 0));
    ck_assert_ptr_null(mdm_payload_slot("com.example.unknown", 'i'));
}
END_TEST

START_TEST(a_type_is_told_as_json)
{
    json_t *json = mdm_payload_type_to_json(mdm_payload_type("com.apple.mobiledevice.passwordpolicy"), 0, pool), *key;
    size_t i;

    ck_assert_str_eq(json_string_value(json_object_get(json, "type")), "com.apple.mobiledevice.passwordpolicy");
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(json, "since"), "ios")), "4.0");
    json_array_foreach(json_object_get(json, "keys"), i, key) {
        if (!strcmp(json_string_value(json_object_get(key, "name")), "maxFailedAttempts")) {
            ck_assert_int_eq((int)json_integer_value(json_object_get(key, "least")), 2);
            ck_assert_int_eq((int)json_integer_value(json_object_get(key, "most")), 11);
            ck_assert_int_eq((int)json_integer_value(json_object_get(key, "default")), 11);
        }
    }
    json_decref(json);
    json = mdm_payload_type_to_json(mdm_payload_type("com.apple.homescreenlayout"), 1, pool);
    ck_assert_ptr_null(json_object_get(json, "keys"));
    json_decref(json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("payload_table");
    TCase *tests = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, every_type_is_sound);
    tcase_add_test(tests, unknown_names_are_unknown);
    tcase_add_loop_test(tests, common_types_are_complete, 0, COUNT(counted));
    tcase_add_loop_test(tests, secrets_are_marked, 0, COUNT(secrets));
    tcase_add_test(tests, one_of_a_kind);
    tcase_add_test(tests, a_type_is_told_as_json);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
