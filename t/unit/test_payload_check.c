/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles against Apple's tables: of each payload type an example that is made along the table passes, and each way
 * to be wrong that the table knows is found in it; then one row for each kind of mistake, with the text that tells it.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_payload_check.h"
#include "mdm_payload_json.h"
#include "mdm_payload_table.h"

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

/* ---- examples along the table */

static mdm_plist_t *example(const mdm_payload_key_t *key, int all, int depth);

static void fill(mdm_plist_t *dict, const mdm_payload_key_t *keys, int all, int depth)
{
    for (; keys && keys->name; keys++) {
        if ((keys->required || all) && strcmp(keys->name, "*") && !mdm_plist_get(dict, keys->name))
            mdm_plist_set(dict, keys->name, example(keys, all, depth + 1), pool);
    }
}

static const char *first_value(const mdm_payload_key_t *key)
{
    return key->values ? apr_pstrmemdup(pool, key->values, strcspn(key->values, "|")) : NULL;
}

static double number(const mdm_payload_key_t *key)
{
    const char *value = first_value(key);

    return value ? strtod(value, NULL) : key->range && strncmp(key->range, "- ", 2) ? strtod(key->range, NULL) : 1;
}

static mdm_plist_t *array_of(const mdm_payload_key_t *key, int all, int depth)
{
    mdm_plist_t *array = mdm_plist_array(pool);
    int n = key->range ? atoi(key->range) : 1;

    while (key->keys && depth < 12 && n-- > 0)
        mdm_plist_append(array, example(key->keys, all, depth + 1));
    return array;
}

static mdm_plist_t *example(const mdm_payload_key_t *key, int all, int depth)
{
    mdm_plist_t *value;

    switch (key->type) {
    case MDM_KEY_INTEGER:
        return mdm_plist_integer((apr_int64_t)number(key), pool);
    case MDM_KEY_REAL:
        value = mdm_plist_integer(0, pool);
        value->type = MDM_PLIST_REAL;
        value->real = number(key);
        return value;
    case MDM_KEY_BOOLEAN:
        return mdm_plist_boolean(!key->values || !strcmp(first_value(key), "true"), pool);
    case MDM_KEY_DATE:
        value = mdm_plist_integer(0, pool);
        value->type = MDM_PLIST_DATE;
        return value;
    case MDM_KEY_DATA:
        return mdm_plist_data(mdm_bytes_of("bytes"), pool);
    case MDM_KEY_DICT:
        value = mdm_plist_dict(pool);
        fill(value, key->keys, all && depth < 12, depth);
        return value;
    case MDM_KEY_ARRAY:
        return array_of(key, all, depth);
    default:
        return mdm_plist_string(key->values ? first_value(key) : "text", pool);
    }
}

static mdm_plist_t *profile_of(const mdm_payload_type_t *type, int all, mdm_plist_t **payload)
{
    mdm_plist_t *profile = mdm_plist_dict(pool), *payloads = mdm_plist_array(pool);

    *payload = mdm_plist_dict(pool);
    mdm_plist_set_string(*payload, "PayloadType", type->name, pool);
    fill(*payload, mdm_payload_common, all, 0);
    fill(*payload, type->keys, all, 0);
    mdm_plist_append(payloads, *payload);
    mdm_plist_set(profile, "PayloadContent", payloads, pool);
    fill(profile, mdm_payload_profile, 0, 0);
    return profile;
}

static int is_server_own(const mdm_payload_type_t *type)
{
    return !strcmp(type->name, "com.apple.mdm");
}

static void check_passes(const mdm_payload_type_t *type, int all)
{
    mdm_plist_t *payload, *profile = profile_of(type, all, &payload);
    apr_array_header_t *findings = mdm_payload_check(ctx, profile);
    const mdm_finding_t *refusal = mdm_findings_refusal(findings);

    if (is_server_own(type))
        ck_assert_msg(refusal != NULL && strstr(refusal->text, "only this server makes"), "%s", type->name);
    else
        ck_assert_msg(!refusal, "%s: %s", type->name, refusal ? refusal->text : "");
}

START_TEST(examples_of_every_type_pass)
{
    const mdm_payload_type_t *type;
    int n;

    for (n = 0; (type = mdm_payload_type_at(n)) != NULL; n++) {
        check_passes(type, 0);
        check_passes(type, 1);
    }
}
END_TEST

/* Whether one finding refuses this key with this text. */
static int refuses(const apr_array_header_t *findings, const char *key, const char *text)
{
    int i;

    for (i = 0; i < findings->nelts; i++) {
        const mdm_finding_t *f = &APR_ARRAY_IDX(findings, i, mdm_finding_t);

        if (f->severity == MDM_FINDING_REFUSE && f->payload == 0 && f->key && !strcmp(f->key, key)
            && strstr(f->text, text))
            return 1;
    }
    return 0;
}

static void drop(mdm_plist_t *dict, const char *name)
{
    mdm_plist_t *item, *before = NULL;

    for (item = dict->first; item && strcmp(item->key, name); item = item->next)
        before = item;
    if (!item)
        return;
    *(before ? &before->next : &dict->first) = item->next;
    if (dict->last == item)
        dict->last = before;
    dict->count--;
}

static void check_mistakes(const mdm_payload_type_t *type, const mdm_payload_key_t *key)
{
    mdm_plist_t *payload, *profile = profile_of(type, 0, &payload);

    drop(payload, key->name);
    if (key->required)
        ck_assert_msg(refuses(mdm_payload_check(ctx, profile), key->name, "the key is missing"), "%s.%s", type->name,
                      key->name);
    if (key->type == MDM_KEY_ANY)
        return;
    mdm_plist_set(payload, key->name, key->type == MDM_KEY_STRING ? mdm_plist_boolean(1, pool)
                                                                   : mdm_plist_string("text", pool), pool);
    ck_assert_msg(refuses(mdm_payload_check(ctx, profile), key->name, "expected a")
                  || refuses(mdm_payload_check(ctx, profile), key->name, "expected data, found a string"), "%s.%s",
                  type->name, key->name);
    drop(payload, key->name);
    if (key->values && key->type == MDM_KEY_STRING)
        mdm_plist_set_string(payload, key->name, "no such value", pool);
    else if (key->type == MDM_KEY_INTEGER && (key->values || key->range))
        mdm_plist_set_integer(payload, key->name, -4711, pool);
    else
        return;
    ck_assert_msg(refuses(mdm_payload_check(ctx, profile), key->name, "expected "), "%s.%s", type->name, key->name);
}

START_TEST(mistakes_in_every_type_are_found)
{
    const mdm_payload_type_t *type;
    const mdm_payload_key_t *key;
    int n;

    for (n = 0; (type = mdm_payload_type_at(n)) != NULL; n++) {
        mdm_plist_t *payload, *profile = profile_of(type, 0, &payload);
        apr_array_header_t *findings;

        for (key = type->keys; key->name; key++) {
            if (strcmp(key->name, "*"))
                check_mistakes(type, key);
        }
        if (mdm_payload_key(type->keys, "NoSuchKeyAtAll"))
            continue;
        mdm_plist_set_integer(payload, "NoSuchKeyAtAll", 1, pool);
        findings = mdm_payload_check(ctx, profile);
        ck_assert_msg(findings->nelts >= 1, "%s", type->name);
        ck_assert_msg(type->domain != refuses(findings, "NoSuchKeyAtAll", "unknown key"), "%s", type->name);
    }
}
END_TEST

/* ---- one row for each kind of mistake */

#define WIFI "{'type':'com.apple.wifi.managed','SSID_STR':'x'"
#define ONE(payload) "'payloads':[" payload "]"

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

static void complete(mdm_plist_t *dict, const char *identifier)
{
    if (!mdm_plist_get(dict, "PayloadIdentifier"))
        mdm_plist_set_string(dict, "PayloadIdentifier", identifier, pool);
    if (!mdm_plist_get(dict, "PayloadUUID"))
        mdm_plist_set_string(dict, "PayloadUUID", mdm_uuid_random(pool), pool);
    if (!mdm_plist_get(dict, "PayloadVersion"))
        mdm_plist_set_integer(dict, "PayloadVersion", 1, pool);
}

static mdm_plist_t *made(const char *members)
{
    const char *text = quoted(apr_pstrcat(pool, "{", members, "}", NULL));
    mdm_plist_t *profile, *payload;
    json_t *json;
    int n = 0;

    ck_assert_msg(mdm_json_read(&json, ctx, mdm_bytes_of(text)) == APR_SUCCESS, "%s", text);
    ck_assert_msg(mdm_payload_from_json(&profile, ctx, json) == APR_SUCCESS, "%s: %s", text,
                  mdm_ctx_detail(ctx, MDM_EINPUT));
    complete(profile, "com.example.p");
    for (payload = mdm_plist_get(profile, "PayloadContent")->first; payload; payload = payload->next)
        complete(payload, apr_psprintf(pool, "com.example.p.%d", ++n));
    return profile;
}

static const struct {
    const char *members;
    int severity;
    const char *text;             /* of the first finding; NULL: there is none */
} rows[] = {
    { ONE(WIFI "}"), 0, NULL },
    { ONE(WIFI ",'autojoin':true}"), 2, "PayloadContent[0] (com.apple.wifi.managed): autojoin: unknown key; did you "
      "mean AutoJoin?" },
    { ONE(WIFI ",'Nonsense':1}"), 2, "PayloadContent[0] (com.apple.wifi.managed): Nonsense: unknown key" },
    { ONE(WIFI ",'AutoJoin':'true'}"), 2, "AutoJoin: expected a boolean, found a string" },
    { ONE(WIFI ",'AutoJoin':1}"), 2, "AutoJoin: expected a boolean, found an integer" },
    { ONE(WIFI ",'AutoJoin':'${user.login}'}"), 2, "AutoJoin: expected a boolean, found a reference" },
    { ONE(WIFI ",'ProxyServerPort':'${user.port}'}"), 2, "ProxyServerPort: expected an integer, found a reference" },
    { ONE(WIFI ",'ProxyServerPort':70000}"), 2, "ProxyServerPort: expected a number: from 0 to 65535" },
    { ONE(WIFI ",'ProxyServerPort':1.5}"), 2, "ProxyServerPort: expected an integer, found a real" },
    { ONE(WIFI ",'EncryptionType':'WPA4'}"), 2, "EncryptionType: expected one of WEP, WPA, WPA2, WPA3, Any, None" },
    { ONE(WIFI ",'EncryptionType':'${user.wifi}'}"), 0, NULL },
    { ONE(WIFI ",'Password':'${secret.wifi}'}"), 0, NULL },
    { ONE(WIFI ",'Password':'a$${b}'}"), 0, NULL },
    { ONE(WIFI ",'Password':'${secret.wifi:data}'}"), 2, "Password: expected a string, found a reference to data" },
    { ONE(WIFI ",'EAPClientConfiguration':{'AcceptEAPTypes':[13,99]}}"), 2,
      "EAPClientConfiguration.AcceptEAPTypes[1]: expected one of" },
    { ONE(WIFI ",'EAPClientConfiguration':{'AcceptEAPTypes':[25],'Usernam':'x'}}"), 2,
      "EAPClientConfiguration.Usernam: unknown key; did you mean UserName?" },
    { ONE(WIFI ",'PayloadCertificateUUID':'11111111-2222-3333-4444-555555555555'}"), 1,
      "PayloadCertificateUUID: no payload of this profile has this PayloadUUID" },
    { ONE("{'type':'com.apple.security.root','PayloadContent':'QUJD','PayloadUUID':'A'}," WIFI
          ",'PayloadCertificateUUID':'a','EAPClientConfiguration':{'AcceptEAPTypes':[13],'PayloadCertificateAnchorUUID'"
          ":['A']}}"), 0, NULL },
    { ONE("{'type':'com.apple.security.root'}"), 2, "PayloadContent: the key is missing (data)" },
    { ONE("{'type':'com.apple.security.root','PayloadContent':'${secret.ca:data}'}"), 0, NULL },
    { ONE("{'type':'com.apple.security.root','PayloadContent':'${secret.ca}'}"), 2,
      "PayloadContent: expected data, found a reference" },
    { ONE("{'type':'com.apple.cellular'},{'type':'com.apple.cellular'}"), 2,
      "PayloadContent[1] (com.apple.cellular): a device can have but one payload of this kind, and PayloadContent[0] "
      "is one" },
    { ONE("{'type':'com.apple.cellular'},{'type':'com.apple.apn.managed','DefaultsDomainName':"
          "'com.apple.managedCarrier','DefaultsData':{'apns':[{'apn':'x'}]}}"), 2,
      "PayloadContent[1] (com.apple.apn.managed): a device can have but one payload of this kind" },
    { ONE(WIFI "}," WIFI "}"), 0, NULL },
    { ONE(WIFI ",'PayloadUUID':'A'}," WIFI ",'PayloadUUID':'a'}"), 2, "PayloadUUID: PayloadContent[0] has the same" },
    { ONE(WIFI ",'PayloadIdentifier':'A'}," WIFI ",'PayloadIdentifier':'A','PayloadUUID':'B'}"), 1,
      "PayloadIdentifier: PayloadContent[0] has the same" },
    { ONE("{'type':'com.apple.notificationsettings','NotificationSettings':[]},"
          "{'type':'com.apple.notificationsettings','NotificationSettings':[]}"), 1,
      "on iOS a device can have but one payload of this kind" },
    { ONE("{'type':'com.example.app','any':{'$data':'QUJD'}}"), 1, "a PayloadType that is not known here" },
    { ONE("{'type':'com.apple.wifi.managd'}"), 1, "did you mean com.apple.wifi.managed?" },
    { ONE("{'type':'com.apple.example','PayloadVersion':2}"), 2, "PayloadVersion: expected 1" },
    { ONE("{'type':'com.apple.apn.managed','DefaultsDomainName':'com.apple.managedCarrier','DefaultsData':"
          "{'apns':[{'apn':'x'}]}}"), 1, "deprecated since iOS 7.0" },
    { ONE("{'type':'com.apple.jabber.account','JabberAccountDescription':'x','JabberHostName':'x',"
          "'JabberUserName':'x','JabberPassword':'x','JabberUseSSL':true,'JabberPort':1,"
          "'JabberAuthentication':'JabberAuthPassword'}"), 1, "ignored since macOS 10.14" },
    { ONE("{'type':'com.apple.mdm'}"), 2, "which only this server makes" },
    { ONE(WIFI "}") ",'removal_disallowed':true", 1, "PayloadRemovalDisallowed: holds on supervised" },
    { ONE(WIFI "}") ",'removal_disallowed':false", 0, NULL },
    { ONE(WIFI "}") ",'scope':'Everything'", 2, "PayloadScope: expected one of System, User" },
    { ONE("{'type':'com.apple.loginwindow'}") ",'scope':'User'", 1, "macOS takes it for the whole device only" },
    { ONE("{'type':'com.apple.screensaver.user','moduleName':'x','modulePath':'x'}") ",'scope':'System'", 1,
      "macOS takes it for a user only" },
    { ONE(WIFI "}") ",'RemovalDate':'2026-01-31T23:59:59Z','DurationUntilRemoval':60", 0, NULL },
    { ONE(WIFI "}") ",'IsEncrypted':true", 2, "the profile: its payloads are encrypted" },
    { ONE(""), 2, "PayloadContent: expected at least one payload" },
    { ONE("{'type':'com.apple.dock','autohide':1}"), 2, "autohide: expected a boolean, found an integer" },
    { ONE("{'type':'com.apple.dock','my-own':1}"), 1, "my-own: unknown key" },
    { ONE("{'type':'com.apple.security.scep','PayloadContent':{'URL':'x','Subject':[[['CN']]]}}"), 2,
      "PayloadContent.Subject[0][0]: expected as many items: 2" },
    { ONE("{'type':'com.apple.security.scep','PayloadContent':{'URL':'x','Subject':[[['CN','a']]]}}"), 0, NULL },
    { ONE("{'type':'com.apple.homescreenlayout','Pages':[[{'Type':'Folder','Pages':[[{'Type':'X'}]]}]]}"), 2,
      "Pages[0][0].Pages[0][0].Type: expected one of Application" },
    { ONE("{'type':'com.apple.ManagedClient.preferences','PayloadContent':{'com.example.app':{'Forced':"
          "[{'mcx_preference_settings':{'a':1}}]}}}"), 0, NULL },
    { ONE("{'type':'com.apple.ManagedClient.preferences','PayloadContent':{'com.example.app':{'Force':[]}}}"), 2,
      "PayloadContent.com.example.app.Force: unknown key; did you mean Forced?" },
};

START_TEST(mistakes_of_each_kind)
{
    apr_array_header_t *findings = mdm_payload_check(ctx, made(rows[_i].members));
    const mdm_finding_t *first = findings->nelts ? &APR_ARRAY_IDX(findings, 0, mdm_finding_t) : NULL;

    if (!rows[_i].text) {
        ck_assert_msg(!first, "%s: %s", rows[_i].members, first ? first->text : "");
        return;
    }
    ck_assert_msg(first != NULL, "%s: nothing found", rows[_i].members);
    ck_assert_msg(strstr(first->text, rows[_i].text) != NULL, "%s: %s", rows[_i].members, first->text);
    ck_assert_msg((int)first->severity == rows[_i].severity, "%s: %s", rows[_i].members, first->text);
    ck_assert_int_eq(mdm_findings_refusal(findings) != NULL, rows[_i].severity == MDM_FINDING_REFUSE);
}
END_TEST

START_TEST(all_is_found_at_once_refusals_first)
{
    apr_array_header_t *findings = mdm_payload_check(ctx, made(ONE(
        "{'type':'com.example.app'}," WIFI ",'AutoJoin':1,'EncryptionType':'x','Foo':2}")
        ",'removal_disallowed':true"));
    json_t *json = mdm_findings_to_json(findings), *first = json_array_get(json, 0), *last;

    ck_assert_int_eq(findings->nelts, 5);
    last = json_array_get(json, 4);
    ck_assert_str_eq(json_string_value(json_object_get(first, "severity")), "refuse");
    ck_assert_str_eq(json_string_value(json_object_get(first, "type")), "com.apple.wifi.managed");
    ck_assert_str_eq(json_string_value(json_object_get(first, "key")), "AutoJoin");
    ck_assert_int_eq((int)json_integer_value(json_object_get(first, "payload")), 1);
    ck_assert_str_eq(json_string_value(json_object_get(last, "severity")), "warn");
    ck_assert_str_eq(json_string_value(json_object_get(last, "type")), "com.example.app");
    ck_assert_ptr_null(json_object_get(last, "key"));
    json_decref(json);
}
END_TEST

START_TEST(trees_that_are_no_profile)
{
    static const char *const bad[] = {
        "<string>x</string>", "<dict/>", "<dict><key>PayloadContent</key><string>x</string></dict>",
        "<dict><key>PayloadContent</key><data>QUJD</data></dict>",
        "<dict><key>EncryptedPayloadContent</key><data>QUJD</data><key>IsEncrypted</key><true/></dict>",
        "<dict><key>PayloadContent</key><array><string>x</string></array></dict>",
        "<dict><key>PayloadContent</key><array><dict><key>PayloadType</key><integer>1</integer></dict></array></dict>",
        "<dict><key>PayloadContent</key><array><array/></array></dict>",
    };
    mdm_plist_t *root;

    ck_assert_int_eq(mdm_plist_read(&root, ctx, mdm_bytes_of(apr_pstrcat(pool, "<plist>", bad[_i], "</plist>", NULL))),
                     APR_SUCCESS);
    ck_assert_ptr_nonnull(mdm_findings_refusal(mdm_payload_check(ctx, root)));
}
END_TEST

START_TEST(findings_end_somewhere)
{
    mdm_plist_t *payload, *profile = profile_of(mdm_payload_type("com.apple.wifi.managed"), 0, &payload);
    int i;

    for (i = 0; i < 1000; i++)
        mdm_plist_set_integer(payload, apr_psprintf(pool, "Key%d", i), 1, pool);
    ck_assert_int_eq(mdm_payload_check(ctx, profile)->nelts, MDM_FINDINGS_MAX);
    for (i = 0; i < 1000; i++)
        mdm_plist_append((mdm_plist_t *)mdm_plist_get(profile, "PayloadContent"), mdm_plist_dict(pool));
    ck_assert_ptr_nonnull(strstr(mdm_findings_refusal(mdm_payload_check(ctx, profile))->text, "payloads at most"));
}
END_TEST

START_TEST(a_refusal_has_its_place_behind_any_number_of_warnings)
{
    const char *payloads = "";
    apr_array_header_t *findings;
    int i;

    for (i = 0; i < 99; i++)
        payloads = apr_psprintf(pool, "%s{'type':'com.example.app%d'},", payloads, i);
    payloads = apr_pstrcat(pool, "'removal_disallowed':true,'payloads':[", payloads, WIFI ",'AutoJoin':1}]", NULL);
    findings = mdm_payload_check(ctx, made(payloads));
    ck_assert_int_eq(findings->nelts, MDM_FINDINGS_MAX);
    ck_assert_ptr_nonnull(mdm_findings_refusal(findings));
    ck_assert_str_eq(mdm_findings_refusal(findings)->key, "AutoJoin");
}
END_TEST

START_TEST(long_names_are_cut_between_characters)
{
    apr_array_header_t *findings = mdm_payload_check(ctx, made(ONE(
        WIFI ",'EncryptionType':'None','Namenamenamenamenamenamenamenamenamenamenamenamenamenamenam\xe2\x82\xac':1}")));
    json_t *json = mdm_findings_to_json(findings);

    ck_assert_int_eq(findings->nelts, 1);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(json, 0), "key")),
                     "Namenamenamenamenamenamenamenamenamenamenamenamenamenamenam...");
    json_decref(json);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("payload_check");
    TCase *tests = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, examples_of_every_type_pass);
    tcase_add_test(tests, mistakes_in_every_type_are_found);
    tcase_add_loop_test(tests, mistakes_of_each_kind, 0, COUNT(rows));
    tcase_add_test(tests, all_is_found_at_once_refusals_first);
    tcase_add_loop_test(tests, trees_that_are_no_profile, 0, 8);
    tcase_add_test(tests, findings_end_somewhere);
    tcase_add_test(tests, a_refusal_has_its_place_behind_any_number_of_warnings);
    tcase_add_test(tests, long_names_are_cut_between_characters);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
