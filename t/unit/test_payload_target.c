/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles against one device: what it will not take and what it will ignore, with the reason.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_payload_check.h"
#include "mdm_payload_json.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static apr_pool_t *pool;
static mdm_ctx_t *ctx;

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

/* JSON with ' for ", which C would write in two characters. */
static const char *quoted(const char *text)
{
    char *copy = apr_pstrdup(pool, text), *c;

    for (c = copy; *c; c++) {
        if (*c == '\'')
            *c = '"';
    }
    return copy;
}

static mdm_plist_t *made(const char *payloads, const char *more)
{
    const char *text = quoted(apr_pstrcat(pool, "{'payloads':[", payloads, "]", more, "}", NULL));
    mdm_plist_t *profile;
    json_t *json;

    ck_assert_msg(mdm_json_read(&json, ctx, mdm_bytes_of(text)) == APR_SUCCESS, "%s", text);
    ck_assert_msg(mdm_payload_from_json(&profile, ctx, json) == APR_SUCCESS, "%s", text);
    return profile;
}

#define HOME "{'type':'com.apple.homescreenlayout','Pages':[]}"
#define RESTRICT(key) "{'type':'com.apple.applicationaccess'," key "}"
#define NOTIFY "{'type':'com.apple.notificationsettings','NotificationSettings':[]}"
#define FREE ",'removal_disallowed':true"

static const mdm_payload_target_t phone = { 'i', "18.1", 0, 0, 0, 0 }, supervised = { 'i', "18.1", 1, 0, 0, 0 },
    unknown = { 'i', NULL, -1, 0, 0, 0 }, old = { 'i', "7.1.2", 1, 0, 0, 0 }, own = { 'i', "18.1", 0, 1, 0, 0 },
    mac = { 'm', "15.1", 1, 0, 0, 0 }, mac_user = { 'm', "15.1", 1, 0, 1, 0 }, tv = { 't', "18.1", 0, 0, 0, 0 },
    shared = { 'i', "18.1", 1, 0, 1, 1 }, nothing = { 0, "18.1", 0, 1, 1, 1 };

static const struct {
    const char *payloads, *more;
    const mdm_payload_target_t *target;
    int severity;
    const char *text;             /* of the first finding; NULL: there is none */
} rows[] = {
    { HOME, "", &phone, 2, "PayloadContent[0] (com.apple.homescreenlayout): this device cannot have it: on iOS it "
      "needs supervision, and the device is not supervised" },
    { HOME, "", &supervised, 0, NULL },
    { HOME, "", &unknown, 0, NULL },
    { HOME, "", &tv, 2, "on tvOS it needs supervision" },
    { HOME, "", &old, 2, "this device cannot have it: it takes iOS 9.3" },
    { HOME, "", &mac, 2, "this device cannot have it: it takes iOS 9.3, tvOS 11.0" },
    { HOME, "", &nothing, 0, NULL },
    { RESTRICT("'allowAppInstallation':false"), "", &phone, 1, "PayloadContent[0] (com.apple.applicationaccess): "
      "allowAppInstallation: ignored by this device: on iOS it needs supervision, and the device is not supervised" },
    { RESTRICT("'allowAppInstallation':false"), "", &supervised, 0, NULL },
    { RESTRICT("'allowAppInstallation':true"), "", &phone, 0, NULL },
    { RESTRICT("'allowGenmoji':false"), "", &old, 1,
      "allowGenmoji: ignored by this device: iOS has it from version 18" },
    { RESTRICT("'allowGenmoji':false"), "", &tv, 1, "allowGenmoji: ignored by this device: tvOS does not have it" },
    { RESTRICT("'allowAutoUnlock':false"), "", &own, 1, "a User Enrollment cannot have it" },
    { "{'type':'com.apple.wifi.managed','SSID_STR':'x','ProxyType':'Auto'}", "", &own, 1,
      "ProxyType: ignored by this device: a User Enrollment cannot have it" },
    { "{'type':'com.apple.wifi.managed','SSID_STR':'x','EAPClientConfiguration':{'TLSAllowTrustExceptions':false}}",
      "", &phone, 1, "EAPClientConfiguration.TLSAllowTrustExceptions: ignored by this device: its version of iOS does "
      "not have it any more" },
    { "{'type':'com.apple.vpn.managed','VPNType':'IKEv2'}", "", &own, 2, "User Enrollment forbids it" },
    { "{'type':'com.apple.jabber.account'}", "", &mac_user, 2, "its version of macOS does not know it any more" },
    { "{'type':'com.apple.loginwindow'}", "", &mac_user, 2, "macOS takes it for the whole device only" },
    { "{'type':'com.apple.loginwindow'}", "", &mac, 0, NULL },
    { "{'type':'com.apple.screensaver.user'}", "", &mac, 2, "macOS takes it for a user only" },
    { "{'type':'com.apple.screensaver.user'}", "", &mac_user, 0, NULL },
    { "{'type':'com.apple.mail.managed'}", "", &phone, 0, NULL },
    { "{'type':'com.apple.cellular'}", "", &shared, 2, "a Shared iPad takes it for the whole device only" },
    { NOTIFY "," NOTIFY, "", &supervised, 2, "PayloadContent[1] (com.apple.notificationsettings): a device of iOS can "
      "have but one payload of this kind, and PayloadContent[0] is one" },
    { NOTIFY "," NOTIFY, "", &mac, 0, NULL },
    { "{'type':'com.example.own','x':1}", "", &phone, 0, NULL },
    { HOME, FREE, &supervised, 0, NULL },
    { RESTRICT("'allowCamera':true"), FREE, &phone, 1, "PayloadRemovalDisallowed: ignored by this device: on iOS it "
      "needs supervision" },
    { RESTRICT("'allowCamera':true"), FREE, &mac, 0, NULL },
    { RESTRICT("'allowCamera':true"), ",'removal_disallowed':false", &phone, 0, NULL },
};

START_TEST(devices_of_each_kind)
{
    apr_array_header_t *findings = mdm_payload_check_target(ctx, made(rows[_i].payloads, rows[_i].more),
                                                            rows[_i].target);
    const mdm_finding_t *first = findings->nelts ? &APR_ARRAY_IDX(findings, 0, mdm_finding_t) : NULL;

    if (!rows[_i].text) {
        ck_assert_msg(!first, "%d %s: %s", _i, rows[_i].payloads, first ? first->text : "");
        return;
    }
    ck_assert_msg(first != NULL, "%d %s: nothing found", _i, rows[_i].payloads);
    ck_assert_msg(strstr(first->text, rows[_i].text) != NULL, "%d %s: %s", _i, rows[_i].payloads, first->text);
    ck_assert_msg((int)first->severity == rows[_i].severity, "%d %s: %s", _i, rows[_i].payloads, first->text);
}
END_TEST

/* Versions are numbers: 18.10 is younger than 18.4, and 10.13.4 than 10.13. */
START_TEST(versions_in_their_order)
{
    static const struct {
        const char *version;
        int ignored;
    } versions[] = {
        { "18.3", 1 }, { "18.4", 0 }, { "18.10", 0 }, { "18.4.1", 0 }, { "18", 1 }, { "19", 0 }, { "9.3.5", 1 },
        { "26.0", 0 }, { "", 1 }, { "18.4 (22E240)", 0 },
    };
    mdm_payload_target_t target = supervised;

    target.os_version = versions[_i].version;
    ck_assert_msg((mdm_payload_check_target(ctx, made(RESTRICT("'allowVideoConferencingRemoteControl':false"), ""),
                                            &target)->nelts == 1) == versions[_i].ignored, "%s", versions[_i].version);
}
END_TEST

START_TEST(enrollments_make_targets)
{
    static const struct {
        const char *type, *product;
        char system;
        int user_enrollment, user_channel, shared_ipad;
    } kinds[] = {
        { "Device", "iPhone14,2", 'i', 0, 0, 0 }, { "Device", "iPad13,1", 'i', 0, 0, 0 },
        { "Shared iPad", "iPad13,1", 'i', 0, 1, 1 }, { "User Enrollment (Device)", "iPhone14,2", 'i', 1, 0, 0 },
        { "User Enrollment", "Mac14,7", 'm', 1, 1, 0 }, { "User", "MacBookPro18,1", 'm', 0, 1, 0 },
        { "Device", "iMac21,1", 'm', 0, 0, 0 }, { "Device", "VirtualMac2,1", 'm', 0, 0, 0 },
        { "Device", "AppleTV11,1", 't', 0, 0, 0 }, { "Device", "RealityDevice14,1", 'v', 0, 0, 0 },
        { "Device", "Watch7,1", 'w', 0, 0, 0 }, { "Device", "Toaster1,1", 0, 0, 0, 0 }, { "Device", NULL, 0, 0, 0, 0 },
    };
    mdm_payload_target_t target = mdm_payload_target(kinds[_i].type, kinds[_i].product, "18.1", 1);

    ck_assert_int_eq(target.system, kinds[_i].system);
    ck_assert_int_eq(target.user_enrollment, kinds[_i].user_enrollment);
    ck_assert_int_eq(target.user_channel, kinds[_i].user_channel);
    ck_assert_int_eq(target.shared_ipad, kinds[_i].shared_ipad);
    ck_assert_int_eq(target.supervised, 1);
    ck_assert_str_eq(target.os_version, "18.1");
}
END_TEST

START_TEST(hostile_trees_do_no_harm)
{
    static const char *const trees[] = {
        "<string>x</string>", "<dict/>", "<dict><key>PayloadContent</key><string>x</string></dict>",
        "<dict><key>PayloadContent</key><array><string>x</string><array/></array></dict>",
        "<dict><key>PayloadContent</key><array><dict><key>PayloadType</key><string>com.apple.homescreenlayout</string>"
        "<key>Pages</key><string>x</string><key>Dock</key><array><string>x</string></array></dict></array></dict>",
    };
    const char *text = apr_pstrcat(pool, "<plist>", trees[_i], "</plist>", NULL);
    mdm_plist_t *root;

    ck_assert_int_eq(mdm_plist_read(&root, ctx, mdm_bytes_of(text)), APR_SUCCESS);
    ck_assert_int_eq(mdm_payload_check_target(ctx, root, &supervised)->nelts, 0);
    ck_assert_ptr_nonnull(mdm_payload_masked(root, pool));
    json_decref(mdm_payload_to_json(root, pool));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("payload_target");
    TCase *tests = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, devices_of_each_kind, 0, COUNT(rows));
    tcase_add_loop_test(tests, versions_in_their_order, 0, 10);
    tcase_add_loop_test(tests, enrollments_make_targets, 0, 13);
    tcase_add_loop_test(tests, hostile_trees_do_no_harm, 0, 5);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
