/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles as JSON: types as the table has them, identifiers that stay, one row for each way to be wrong; and shown
 * again without secrets. plistlib reads what is made here in the e2e tests.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_library_parts.h"
#include "mdm_payload_check.h"
#include "mdm_payload_json.h"
#include "oracle.h"

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

static apr_status_t read_json(mdm_plist_t **profile, const char *text)
{
    json_t *json = NULL;

    ck_assert_msg(mdm_json_read(&json, ctx, mdm_bytes_of(quoted(text))) == APR_SUCCESS, "%s", text);
    return mdm_payload_from_json(profile, ctx, json);
}

/* As it is stored, with the PayloadUUID that it gets when it goes out. */
static mdm_plist_t *made(const char *text)
{
    mdm_plist_t *profile;
    apr_status_t rv = read_json(&profile, text);

    if (rv == APR_SUCCESS)
        rv = mdm_library_normalise(profile, ctx, "com.example.p");
    if (rv == APR_SUCCESS)
        mdm_plist_set_string(profile, "PayloadUUID", "U", pool);
    ck_assert_msg(rv == APR_SUCCESS, "%s: %s", text, mdm_ctx_detail(ctx, rv));
    return profile;
}

static const mdm_plist_t *payload_of(const mdm_plist_t *profile, int n)
{
    const mdm_plist_t *payload = mdm_plist_get(profile, "PayloadContent")->first;

    while (n--)
        payload = payload->next;
    return payload;
}

static const char *get(const mdm_plist_t *dict, const char *key)
{
    const char *text = mdm_plist_get_string(dict, key);

    ck_assert_msg(text != NULL, "%s", key);
    return text;
}

/* The Wi-Fi of the article: a boolean is a boolean, a string a string. */
#define WIFI "{'type':'com.apple.wifi.managed','AutoJoin':true,'EncryptionType':'WPA','HIDDEN_NETWORK':false," \
             "'Password':'green sea','ProxyType':'None','SSID_STR':'office'}"

START_TEST(a_profile_has_its_keys_and_types)
{
    mdm_plist_t *profile = made("{'display_name':'Office','description':'d','organization':'o','scope':"
                                "'System','removal_disallowed':true,'note':'why','payloads':[" WIFI "]}");
    const mdm_plist_t *wifi = payload_of(profile, 0);

    ck_assert_str_eq(get(profile, "PayloadDisplayName"), "Office");
    ck_assert_str_eq(get(profile, "PayloadDescription"), "d");
    ck_assert_str_eq(get(profile, "PayloadOrganization"), "o");
    ck_assert_str_eq(get(profile, "PayloadScope"), "System");
    ck_assert_str_eq(get(profile, "PayloadType"), "Configuration");
    ck_assert_str_eq(get(profile, "PayloadIdentifier"), "com.example.p");
    ck_assert_int_eq(mdm_plist_get_boolean(profile, "PayloadRemovalDisallowed", -1), 1);
    ck_assert_int_eq((int)mdm_plist_get(profile, "PayloadVersion")->integer, 1);
    ck_assert_ptr_null(mdm_plist_get(profile, "note"));
    ck_assert_str_eq(get(wifi, "PayloadType"), "com.apple.wifi.managed");
    ck_assert_str_eq(get(wifi, "PayloadIdentifier"), "com.example.p.com.apple.wifi.managed.1");
    ck_assert_int_eq((int)mdm_plist_get(wifi, "PayloadVersion")->integer, 1);
    ck_assert_int_eq(mdm_plist_get(wifi, "AutoJoin")->type, MDM_PLIST_BOOLEAN);
    ck_assert_int_eq(mdm_plist_get_boolean(wifi, "HIDDEN_NETWORK", -1), 0);
    ck_assert_str_eq(get(wifi, "EncryptionType"), "WPA");
    ck_assert_str_eq(get(wifi, "Password"), "green sea");
    ck_assert_str_eq(get(wifi, "ProxyType"), "None");
    ck_assert_str_eq(get(wifi, "SSID_STR"), "office");
    ck_assert_int_eq(mdm_payload_check(ctx, profile)->nelts, 1);
}
END_TEST

/* Another reader sees the same keys with the same values of the same types, and no others. */
START_TEST(plistlib_reads_what_was_written)
{
    mdm_plist_t *profile = made("{'display_name':'Office','payloads':[" WIFI "]}");
    mdm_bytes_t text;

    oracle_start();
    ck_assert_int_eq(mdm_plist_write(&text, ctx, profile), APR_SUCCESS);
    oracle_write("wifi.mobileconfig", text);
    ck_assert_str_eq(oracle_run("python3 -c \"import plistlib; w = plistlib.load(open('wifi.mobileconfig', 'rb'))"
                                "['PayloadContent'][0]; print({k: w[k] for k in sorted(w) if k[:7] != 'Payload'})\""),
                     "{'AutoJoin': True, 'EncryptionType': 'WPA', 'HIDDEN_NETWORK': False, 'Password': 'green sea', "
                     "'ProxyType': 'None', 'SSID_STR': 'office'}\n");
    ck_assert_str_eq(oracle_run("python3 -c \"import plistlib; w = plistlib.load(open('wifi.mobileconfig', 'rb'))"
                                "['PayloadContent'][0]; print(sorted(k for k in w if k[:7] == 'Payload'), "
                                "w['PayloadVersion'])\""),
                     "['PayloadIdentifier', 'PayloadType', 'PayloadUUID', 'PayloadVersion'] 1\n");
    oracle_end();
}
END_TEST

START_TEST(values_of_each_type)
{
    mdm_plist_t *profile = made(
        "{'RemovalDate':'2026-01-31T23:59:59Z','DurationUntilRemoval':60,'payloads':["
        "{'type':'com.apple.security.root','PayloadContent':'QUJD'},"
        "{'type':'com.apple.security.root','PayloadContent':'${secret.ca:data}'},"
        "{'type':'com.apple.cellularprivatenetwork.managed','DataSetName':'x','VersionNumber':'1','Geofences':"
        "[{'Longitude':1,'Latitude':2.5,'Radius':100,'GeofenceId':'a'}]},"
        "{'type':'com.example.own','a':{'$data':'QUJD'},'b':{'$date':'2026-01-31T23:59:59Z'},'c':[1,1.5,true]}]}");
    const mdm_plist_t *fence, *own = payload_of(profile, 3);
    mdm_bytes_t bytes;

    ck_assert(mdm_plist_get(profile, "RemovalDate")->type == MDM_PLIST_DATE);
    ck_assert(mdm_plist_get(profile, "RemovalDate")->date == apr_time_from_sec(1769903999));
    ck_assert_int_eq(mdm_plist_get(profile, "DurationUntilRemoval")->type, MDM_PLIST_REAL);
    ck_assert(mdm_plist_get_data(&bytes, payload_of(profile, 0), "PayloadContent") && bytes.len == 3);
    ck_assert_str_eq(get(payload_of(profile, 1), "PayloadContent"), "${secret.ca:data}");
    fence = mdm_plist_get(payload_of(profile, 2), "Geofences")->first;
    ck_assert_int_eq(mdm_plist_get(fence, "Longitude")->type, MDM_PLIST_REAL);
    ck_assert(mdm_plist_get(fence, "Longitude")->real == 1);
    ck_assert(mdm_plist_get(fence, "Latitude")->real == 2.5);
    ck_assert(mdm_plist_get_data(&bytes, own, "a") && bytes.len == 3);
    ck_assert_int_eq(mdm_plist_get(own, "b")->type, MDM_PLIST_DATE);
    ck_assert_int_eq(mdm_plist_get(own, "c")->first->type, MDM_PLIST_INTEGER);
    ck_assert_ptr_null(mdm_findings_refusal(mdm_payload_check(ctx, profile)));
}
END_TEST

#define ROOT "{'type':'com.apple.security.root','PayloadContent':'QUJD'}"

START_TEST(identifiers_stay)
{
    mdm_plist_t *first = made("{'payloads':[" WIFI "," ROOT "]}");
    mdm_plist_t *second = made("{'payloads':[" ROOT "," WIFI "," WIFI "]}");
    mdm_plist_t *own = made("{'PayloadIdentifier':'org.other','payloads':[{'type':'com.apple.wifi.managed',"
                            "'PayloadIdentifier':'mine','PayloadUUID':'U','PayloadVersion':1}]}");

    ck_assert_str_eq(get(payload_of(first, 0), "PayloadUUID"), get(payload_of(second, 1), "PayloadUUID"));
    ck_assert_str_eq(get(payload_of(first, 1), "PayloadUUID"), get(payload_of(second, 0), "PayloadUUID"));
    ck_assert_str_ne(get(payload_of(second, 1), "PayloadUUID"), get(payload_of(second, 2), "PayloadUUID"));
    ck_assert_str_eq(get(payload_of(second, 2), "PayloadIdentifier"), "com.example.p.com.apple.wifi.managed.2");
    ck_assert_str_eq(get(own, "PayloadIdentifier"), "org.other");
    ck_assert_str_eq(get(payload_of(own, 0), "PayloadIdentifier"), "mine");
    ck_assert_str_eq(get(payload_of(own, 0), "PayloadUUID"), "U");
}
END_TEST

static const struct {
    const char *json, *text;
} refused[] = {
    { "{}", "profile: the key payloads is missing (array)" },
    { "{'payloads':{}}", "payloads: expected an array, got an object" },
    { "{'payloads':[1]}", "payloads[0]: expected an object, got an integer" },
    { "{'payloads':[{'SSID_STR':'x'}]}", "payloads[0]: the key type is missing (string)" },
    { "{'payloads':[{'type':1}]}", "payloads[0]: the key type is missing (string)" },
    { "{'payloads':[{'type':'x','PayloadType':1}]}", "payloads[0]: the key PayloadType is missing (string)" },
    { "{'payloads':[],'displayname':'x'}", "profile: unknown key displayname; did you mean display_name?" },
    { "{'payloads':[],'display_name':'x','PayloadDisplayName':'y'}",
      "profile: display_name and PayloadDisplayName are the same" },
    { "{'payloads':[],'RemovalDate':'tomorrow'}", "RemovalDate: expected a date such as" },
    { "{'payloads':[{'type':'com.apple.security.root','PayloadContent':'-'}]}",
      "payloads[0].PayloadContent: expected base64 data, got a string that is none" },
    { "{'payloads':[{'type':'com.apple.wifi.managed','SSID_STR':null}]}",
      "payloads[0].SSID_STR: expected a value, got null" },
    { "{'payloads':[{'type':'com.apple.wifi.managed','SSID_STR':'\\u0001'}]}",
      "payloads[0].SSID_STR: expected a string without control characters" },
    { "{'payloads':[{'type':'com.apple.wifi.managed','Password':'********'}]}",
      "payloads[0].Password: expected the value itself or a reference such as ${secret.NAME}, got the mask" },
    { "{'payloads':[{'type':'com.apple.wifi.managed','EAPClientConfiguration':{'UserPassword':'********'}}]}",
      "payloads[0].EAPClientConfiguration.UserPassword: expected the value itself" },
    { "{'payloads':[{'type':'x','a':{'$data':'-'}}]}", "payloads[0].a: expected base64 data" },
};

START_TEST(what_no_profile_can_be_made_of)
{
    mdm_plist_t *profile;

    ck_assert_msg(read_json(&profile, refused[_i].json) == MDM_EINPUT, "%s", refused[_i].json);
    ck_assert_msg(strstr(mdm_ctx_detail(ctx, MDM_EINPUT), refused[_i].text) != NULL, "%s: %s", refused[_i].json,
                  mdm_ctx_detail(ctx, MDM_EINPUT));
}
END_TEST

START_TEST(payloads_are_counted)
{
    const char *payloads = "";
    mdm_plist_t *profile;
    int i;

    for (i = 0; i < MDM_PAYLOADS_MAX; i++)
        payloads = apr_pstrcat(pool, payloads, "{'type':'x'},", NULL);
    ck_assert_int_eq(read_json(&profile, apr_pstrcat(pool, "{'payloads':[", payloads, "{'type':'x'}]}", NULL)),
                     MDM_EINPUT);
    ck_assert_str_eq(mdm_ctx_detail(ctx, MDM_EINPUT), "payloads: expected 500 payloads at most");
    profile = made(apr_pstrcat(pool, "{'payloads':[", payloads + strlen("{'type':'x'},"), "{'type':'x'}]}", NULL));
    ck_assert_str_eq(get(payload_of(profile, MDM_PAYLOADS_MAX - 1), "PayloadIdentifier"), "com.example.p.x.500");
}
END_TEST

START_TEST(depth_is_bounded)
{
    char *text = apr_palloc(pool, 200);
    mdm_plist_t *profile;

    memset(text, '[', 60);
    memset(text + 60, ']', 60);
    text[120] = '\0';
    text = apr_pstrcat(pool, "{'payloads':[{'type':'x','a':", text, "}]}", NULL);
    ck_assert_int_eq(read_json(&profile, text), MDM_EINPUT);
    ck_assert_ptr_nonnull(strstr(mdm_ctx_detail(ctx, MDM_EINPUT), "nested deeper"));
}
END_TEST

static const char *shown(const mdm_plist_t *profile)
{
    return mdm_json_compact(mdm_json_own(mdm_payload_to_json(profile, pool), pool), pool);
}

START_TEST(what_is_shown_makes_the_same_again)
{
    mdm_plist_t *profile = made(
        "{'display_name':'Office','scope':'System','RemovalDate':'2026-01-31T23:59:59Z','payloads':["
        "{'type':'com.apple.wifi.managed','AutoJoin':true,'Password':'${secret.wifi}','SSID_STR':'x',"
        "'EAPClientConfiguration':{'AcceptEAPTypes':[13,25]}}," ROOT ","
        "{'type':'com.example.own','a':{'$data':'QUJD'},'b':{'$date':'2026-01-31T23:59:59Z'},'c':1.5},"
        "{'PayloadType':'com.example.own','type':'mine','real':2.0,'whole':2}]}");
    const char *json = shown(profile);
    mdm_plist_t *again = made(json);
    mdm_bytes_t a, b;

    mdm_plist_write(&a, ctx, profile);
    mdm_plist_write(&b, ctx, mdm_payload_masked(profile, pool));
    ck_assert(a.len == b.len && !memcmp(a.data, b.data, a.len));
    mdm_plist_write(&b, ctx, again);
    ck_assert_str_eq((const char *)a.data, (const char *)b.data);
    ck_assert_ptr_nonnull(strstr((const char *)a.data, "<real>2</real>"));
    ck_assert_ptr_nonnull(strstr((const char *)a.data, "<integer>2</integer>"));
    ck_assert_ptr_nonnull(strstr(json, "\"PayloadType\":\"com.example.own\""));
    ck_assert_str_eq(json, shown(again));
    ck_assert_ptr_nonnull(strstr(json, "\"Password\":\"${secret.wifi}\""));
    ck_assert_ptr_nonnull(strstr(json, "\"display_name\":\"Office\""));
    ck_assert_ptr_nonnull(strstr(json, "\"PayloadContent\":\"QUJD\""));
    ck_assert_ptr_null(strstr(json, "PayloadVersion"));
}
END_TEST

START_TEST(secrets_are_masked)
{
    static const char *const payloads[] = {
        "{'type':'com.apple.wifi.managed','Password':'CANARY','EAPClientConfiguration':{'UserPassword':'CANARY'}}",
        "{'type':'com.apple.wifi.managed','Password':'CANARY${user.pin}'}",
        "{'type':'com.apple.wifi.managed','Password':'${user.pin}CANARY'}",
        "{'type':'com.apple.security.pkcs12','PayloadContent':'CANARY==','Password':'CANARY'}",
        "{'type':'com.apple.security.scep','PayloadContent':{'URL':'u','Challenge':'CANARY'}}",
        "{'type':'com.apple.vpn.managed','IPSec':{'SharedSecret':'CANARY==','XAuthPassword':'CANARY'},"
        "'VendorConfig':{'myPassword':'CANARY','list':[{'ApiKey':'CANARY'}]}}",
        "{'type':'com.apple.mail.managed','IncomingPassword':'CANARY','OutgoingPassword':'CANARY'}",
        "{'type':'com.apple.firstethernet.managed','EAPClientConfiguration':{'UserPassword':'CANARY'}}",
        "{'type':'com.example.own','deep':[{'authToken':'CANARY','secrets':['CANARY',{'a':'CANARY'}]}]}",
        "{'type':'com.apple.relay.managed','Relays':[{'AdditionalHTTPHeaderFields':{'Authorization':'CANARY'}}]}",
        "{'type':'com.apple.apn.managed','DefaultsData':{'apns':[{'apn':'x','password':'CANARY=='}]}}",
    };
    mdm_plist_t *profile = made(apr_pstrcat(pool, "{'payloads':[", payloads[_i], "]}", NULL));
    mdm_bytes_t text;

    ck_assert_int_eq(mdm_plist_write(&text, ctx, mdm_payload_masked(profile, pool)), APR_SUCCESS);
    ck_assert_msg(!strstr((const char *)text.data, "CANARY"), "%s", (const char *)text.data);
    ck_assert_ptr_nonnull(strstr((const char *)text.data, MDM_PAYLOAD_MASK));
    ck_assert_msg(!strstr(shown(profile), "CANARY"), "%s", shown(profile));
    ck_assert_int_eq(mdm_plist_write(&text, ctx, profile), APR_SUCCESS);
    ck_assert_ptr_null(strstr((const char *)text.data, MDM_PAYLOAD_MASK));
}
END_TEST

START_TEST(no_more_is_masked_than_secrets)
{
    mdm_plist_t *profile = made(
        "{'payloads':[{'type':'com.apple.mobiledevice.passwordpolicy','forcePIN':true,'minLength':6},"
        "{'type':'com.apple.applicationaccess','allowPasswordAutoFill':false},"
        "{'type':'com.apple.domains','SafariPasswordAutoFillDomains':['example.org']},"
        "{'type':'com.apple.wifi.managed','Password':''}]}");

    ck_assert_msg(!strstr(shown(profile), MDM_PAYLOAD_MASK), "%s", shown(profile));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("payload_json");
    TCase *tests = tcase_create("core");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_profile_has_its_keys_and_types);
    tcase_add_test(tests, plistlib_reads_what_was_written);
    tcase_add_test(tests, values_of_each_type);
    tcase_add_test(tests, identifiers_stay);
    tcase_add_loop_test(tests, what_no_profile_can_be_made_of, 0, COUNT(refused));
    tcase_add_test(tests, payloads_are_counted);
    tcase_add_test(tests, depth_is_bounded);
    tcase_add_test(tests, what_is_shown_makes_the_same_again);
    tcase_add_loop_test(tests, secrets_are_masked, 0, 11);
    tcase_add_test(tests, no_more_is_masked_than_secrets);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
