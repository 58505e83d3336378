/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From JSON to command plists: what is made of each kind of value, and one row for each way to be wrong, with the
 * text that tells of it. Plists are read back with our own reader here; the e2e tests have plistlib do it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mdm_command_json.h"
#include "mdm_json.h"
#include "mdm_plist.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PROFILE "PD94bWwgdmVyc2lvbj0iMS4wIj8+PHBsaXN0Lz4="

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

static apr_status_t make(mdm_command_t **command, const char *text, const char *uuid)
{
    json_t *json = NULL;
    apr_status_t rv = mdm_json_read(&json, ctx, mdm_bytes_of(text));

    ck_assert_msg(rv == APR_SUCCESS, "%s", text);
    return mdm_command_from_json(command, ctx, json, uuid);
}

/* {RequestType: type, members}: the Command of the plist that is made. */
static const mdm_plist_t *made(mdm_command_t **command, const char *type, const char *members)
{
    const char *text = apr_pstrcat(pool, "{\"RequestType\":\"", type, "\"", *members ? "," : "", members, "}", NULL);
    mdm_plist_t *root;
    apr_status_t rv = make(command, text, "U1");

    ck_assert_msg(rv == APR_SUCCESS, "%s: %s", text, mdm_ctx_detail(ctx, rv));
    ck_assert_int_eq(mdm_plist_read(&root, ctx, mdm_bytes_of((*command)->body)), APR_SUCCESS);
    ck_assert_str_eq(mdm_plist_get_string(root, "CommandUUID"), "U1");
    ck_assert_str_eq(mdm_plist_get_string(mdm_plist_get(root, "Command"), "RequestType"), type);
    return mdm_plist_get(root, "Command");
}

START_TEST(values_of_each_kind)
{
    mdm_command_t *c;
    const mdm_plist_t *dict, *any;
    mdm_bytes_t bytes;

    dict = made(&c, "InstallApplication",
                "\"iTunesStoreID\":4294967296,\"ManagementFlags\":5,\"Options\":{\"PurchaseMethod\":1},"
                "\"Configuration\":{\"a\":{\"b\":[1.5,true,-1,\"<&>\"]},\"c\":{\"$data\":\"QUJD\"},"
                "\"d\":{\"$date\":\"2026-01-31T23:59:59Z\"},\"e\":{\"$date\":\"x\",\"f\":1}}");
    ck_assert(mdm_plist_get(dict, "iTunesStoreID")->integer == APR_INT64_C(4294967296));
    ck_assert_int_eq((int)mdm_plist_get(dict, "ManagementFlags")->integer, 5);
    ck_assert_int_eq((int)mdm_plist_get(mdm_plist_get(dict, "Options"), "PurchaseMethod")->integer, 1);
    any = mdm_plist_get(dict, "Configuration");
    ck_assert(mdm_plist_get_data(&bytes, any, "c") && bytes.len == 3 && !memcmp(bytes.data, "ABC", 3));
    ck_assert_int_eq(mdm_plist_get(any, "d")->type, MDM_PLIST_DATE);
    ck_assert(mdm_plist_get(any, "d")->date == apr_time_from_sec(1769903999));
    ck_assert_int_eq(mdm_plist_get(any, "e")->type, MDM_PLIST_DICT);
    any = mdm_plist_get(mdm_plist_get(any, "a"), "b")->first;
    ck_assert(any->type == MDM_PLIST_REAL && any->real == 1.5);
    ck_assert(mdm_plist_get(dict, "RequestRequiresNetworkTether") == NULL);
    dict = made(&c, "DeviceLock", "\"Message\":\"a\\r\\n\\tb \"");
    ck_assert_str_eq(mdm_plist_get_string(dict, "Message"), "a\r\n\tb ");
}
END_TEST

START_TEST(every_command_may_ask_for_a_tether)
{
    mdm_command_t *c;

    ck_assert_int_eq(mdm_plist_get_boolean(made(&c, "DeviceLock", "\"RequestRequiresNetworkTether\":true"),
                                           "RequestRequiresNetworkTether", 0), 1);
}
END_TEST

START_TEST(identifiers)
{
    mdm_command_t *one, *other;

    ck_assert_int_eq(make(&one, "{\"RequestType\":\"ProfileList\"}", NULL), APR_SUCCESS);
    ck_assert_int_eq(make(&other, "{\"RequestType\":\"ProfileList\"}", NULL), APR_SUCCESS);
    ck_assert_int_eq((int)strlen(one->uuid), 36);
    ck_assert_str_ne(one->uuid, other->uuid);
    ck_assert_int_eq(make(&one, "{\"RequestType\":\"ProfileList\"}", ""), MDM_EINPUT);
    ck_assert_int_eq(make(&one, "{\"RequestType\":\"ProfileList\"}", "a\x01"), MDM_EINPUT);
    ck_assert_int_eq(make(&one, "{\"RequestType\":\"ProfileList\"}", "a\r\n"), MDM_EINPUT);
}
END_TEST

/* What is filled in at delivery. */
START_TEST(deliveries)
{
    mdm_command_t *c;

    made(&c, "ClearPasscode", "");
    ck_assert_int_eq(c->delivery, MDM_DELIVERY_UNLOCK_TOKEN);
    made(&c, "ClearPasscode", "\"UnlockToken\":\"QUJD\"");
    ck_assert_int_eq(c->delivery, 0);
    made(&c, "EraseDevice", "\"ReturnToService\":{\"Enabled\":true}");
    ck_assert_int_eq(c->delivery, MDM_DELIVERY_RETURN_TO_SERVICE);
    made(&c, "EraseDevice", "\"ReturnToService\":{\"Enabled\":true,\"WiFiProfileData\":\"" PROFILE "\"}");
    ck_assert_int_eq(c->delivery, 0);
    made(&c, "EraseDevice", "\"ReturnToService\":{\"Enabled\":false}");
    ck_assert_int_eq(c->delivery, 0);
}
END_TEST

/* type, members, what is said */
static const struct {
    const char *type, *members, *said;
} wrong[] = {
    { "Devicelock", "", "RequestType: there is no command Devicelock; did you mean DeviceLock?" },
    { "Zzzzzzzz", "", "RequestType: there is no command Zzzzzzzz" },
    { "DeviceLock", "\"Massage\":\"x\"", "DeviceLock: unknown key Massage; did you mean Message?" },
    { "DeviceLock", "\"Zzzzzzzz\":\"x\"", "DeviceLock: unknown key Zzzzzzzz" },
    { "DeviceLock", "\"RequestRequiresNetworkTether\":1",
      "RequestRequiresNetworkTether: expected true or false, got an integer" },
    { "DeviceLock", "\"PIN\":\"12345x\"", "PIN: expected six digits" },
    { "DeviceLock", "\"Message\":{}", "Message: expected a string, got an object" },
    { "DeviceLock", "\"Message\":1.5", "Message: expected a string, got a number with a fraction" },
    { "DeviceLock", "\"Message\":\"\\u0007\"", "Message: expected a string without control characters" },
    { "DeviceLock", "\"Message\":\"\\uffff\"", "Message: expected a string without control characters" },
    { "EraseDevice", "\"PIN\":\"\"", "PIN: expected six digits" },
    { "EraseDevice", "\"ReturnToService\":true", "ReturnToService: expected an object, got a boolean" },
    { "EraseDevice", "\"ReturnToService\":{\"Enabled\":true,\"WiFiProfileDat\":\"x\"}",
      "ReturnToService: unknown key WiFiProfileDat; did you mean WiFiProfileData?" },
    { "EnableLostMode", "", "EnableLostMode: expected Message or PhoneNumber" },
    { "InstallApplication", "",
      "InstallApplication: expected exactly one of iTunesStoreID, Identifier and ManifestURL" },
    { "InstallApplication", "\"iTunesStoreID\":1,\"Options\":{\"PurchaseMethod\":2}",
      "Options.PurchaseMethod: expected one of 0, 1" },
    { "InstallApplication", "\"iTunesStoreID\":1,\"ChangeManagementState\":\"Unmanaged\"",
      "ChangeManagementState: expected Managed" },
    { "InstallApplication", "\"iTunesStoreID\":1,\"Attributes\":{\"AssociatedDomains\":[\"a\",2]}",
      "Attributes.AssociatedDomains[1]: expected a string, got an integer" },
    { "InstallApplication", "\"iTunesStoreID\":1,\"Configuration\":{\"a\":[null]}",
      "Configuration.a[0]: expected a value, got null" },
    { "InstallApplication", "\"iTunesStoreID\":1,\"Configuration\":{\"a\":{\"$data\":1}}",
      "Configuration.a: expected base64 data as a string, got an integer" },
    { "InstallApplication", "\"iTunesStoreID\":1,\"Configuration\":{\"a\":{\"$date\":\"today\"}}",
      "Configuration.a: expected a date such as 2026-01-31T23:59:59Z" },
    { "InstallApplication", "\"ManifestURL\":\"ftp://x\"", "ManifestURL: expected a URL that begins with https://" },
    { "InstallMedia", "\"MediaType\":\"Book\"", "InstallMedia: expected exactly one of iTunesStoreID and MediaURL" },
    { "InstallProfile", "", "InstallProfile: the key Payload is missing (base64 data)" },
    { "InstallProfile", "\"Payload\":\"?\"", "Payload: expected base64 data, got a string that is none" },
    { "InstallProfile", "\"Payload\":\"QUJD\"",
      "Payload: expected the base64 of a profile, plain, signed or encrypted" },
    { "Settings", "\"Settings\":[]", "Settings: expected at least one item" },
    { "Settings", "\"Settings\":[1]", "Settings[0]: expected an object, got an integer" },
    { "Settings", "\"Settings\":[{\"Item\":\"TimeZon\"}]",
      "Settings[0].Item: there is no setting TimeZon; did you mean TimeZone?" },
    { "Settings", "\"Settings\":[{\"Item\":\"Bluetooth\"}]", "Settings[0]: the key Enabled is missing (boolean)" },
    { "Settings", "\"Settings\":[{\"Item\":\"MDMOptions\",\"MDMOptions\":{\"IdleRebootAllowed\":\"yes\"}}]",
      "Settings[0].MDMOptions.IdleRebootAllowed: expected true or false, got a string" },
    { "DeviceInformation", "\"Queries\":[\"Udid\"]", "Queries[0]: there is no query Udid; did you mean UDID?" },
    { "ScheduleOSUpdate", "\"Updates\":[{\"InstallAction\":\"Default\"}]",
      "Updates[0]: expected ProductKey or ProductVersion" },
    { "DeleteUser", "\"UserName\":\"a\",\"DeleteAllUsers\":true",
      "DeleteUser: expected exactly one of UserName and DeleteAllUsers: true" },
    { "RotateFileVaultKey", "\"KeyType\":\"personal\",\"FileVaultUnlock\":{\"PrivateKeyExport\":\"QUJD\"}",
      "FileVaultUnlock: the key PrivateKeyExportPassword is missing (string)" },
};

START_TEST(refusals)
{
    const char *text = apr_pstrcat(pool, "{\"RequestType\":\"", wrong[_i].type, "\"", *wrong[_i].members ? "," : "",
                                   wrong[_i].members, "}", NULL);
    mdm_command_t *c = NULL;

    ck_assert_msg(make(&c, text, NULL) == MDM_EINPUT, "%s", text);
    ck_assert_str_eq(mdm_ctx_detail(ctx, MDM_EINPUT), wrong[_i].said);
}
END_TEST

/* Deeply nested values of an app end with an error, not with the stack. */
START_TEST(depth)
{
    json_t *json = mdm_json_object(pool), *inner = json_object();
    mdm_command_t *c;
    int i;

    json_object_set_new(json, "RequestType", json_string("InstallApplication"));
    json_object_set_new(json, "iTunesStoreID", json_integer(1));
    for (i = 0; i < 1000; i++)
        inner = json_pack("{s:o}", "a", inner);
    json_object_set_new(json, "Configuration", inner);
    ck_assert_int_eq(mdm_command_from_json(&c, ctx, json, NULL), MDM_EINPUT);
    ck_assert_ptr_nonnull(strstr(mdm_ctx_detail(ctx, MDM_EINPUT), "nested deeper"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("command_json");
    TCase *group = tcase_create("command_json");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(group, setup, teardown);
    tcase_add_test(group, values_of_each_kind);
    tcase_add_test(group, every_command_may_ask_for_a_tether);
    tcase_add_test(group, identifiers);
    tcase_add_test(group, deliveries);
    tcase_add_loop_test(group, refusals, 0, COUNT(wrong));
    tcase_add_test(group, depth);
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
