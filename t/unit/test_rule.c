/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules: what is read and what is refused with which words, how values compare, and the reasons that are given.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "mdm_rule.h"

static apr_pool_t *pool;
static mdm_ctx_t *ctx;
static mdm_rule_values_t nurse;
static json_t *attributes;

/* Single quotes stand for double ones: a rule is easier to read so. */
static const char *json(const char *text)
{
    char *copy = apr_pstrdup(pool, text), *at;

    for (at = copy; *at; at++) {
        if (*at == '\'')
            *at = '"';
    }
    return copy;
}

static void fact(const char *name, const char *value)
{
    apr_hash_set(nurse.facts, name, APR_HASH_KEY_STRING, value);
}

static void start(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
    memset(&nurse, 0, sizeof(nurse));
    attributes = json_loads(json("{'title': 'Nurse', 'role': ['night', 'ward-3'], 'empty': '', 'level': '10',"
                                 " 'number': '0042', 'none': []}"), 0, NULL);
    ck_assert_ptr_nonnull(attributes);
    nurse.login = "joy";
    nurse.known = 1;
    nurse.display_name = "Joy";
    nurse.email = "joy@example.org";
    nurse.attributes = attributes;
    nurse.columns[MDM_RULE_ENROLLMENT_ID] = "UDID-1";
    nurse.columns[MDM_RULE_TYPE] = "Device";
    nurse.columns[MDM_RULE_STATE] = "enrolled";
    nurse.columns[MDM_RULE_OS_VERSION] = "17.10";
    nurse.columns[MDM_RULE_SERIAL_NUMBER] = "C02";
    nurse.facts = apr_hash_make(pool);
    fact("IsSupervised", "true");
    fact("BatteryLevel", "0.25");
    fact("DeviceCapacity", "64");
    fact("TimeZone", "\"Europe/\\u005aurich\"");
    fact("ModemFirmwareVersion", "\"2.10.00\"");
    fact("OSUpdateSettings", "{\"AutoCheckEnabled\":true}");
    fact("ManagedAppleIDDefaultDomains", "[\"example.org\",\"example.com\"]");
    fact("ServiceSubscriptions", "[{\"ICCID\":\"1\"}]");
    fact("CellularTechnology", "[]");
    fact("MEID", "[\"\"]");
    fact("HostName", "null");
    fact("LocalHostName", "\"");
}

static void end(void)
{
    json_decref(attributes);
    apr_pool_destroy(pool);
    apr_terminate();
}

static mdm_rule_t *rule_of(const char *text)
{
    mdm_rule_t *rule = NULL;

    mdm_ctx_clear(ctx);
    ck_assert_msg(mdm_rule_read(&rule, ctx, mdm_bytes_of(json(text))) == APR_SUCCESS, "%s: %s", text,
                  ctx->detail ? ctx->detail : "-");
    return rule;
}

static void gives(const char *text, int wanted, const char *reason)
{
    mdm_rule_t *rule = rule_of(text);

    ck_assert_msg(mdm_rule_holds(rule, &nurse, pool) == wanted, "%s is not %d", text, wanted);
    if (reason)
        ck_assert_str_eq(mdm_rule_reason(rule, &nurse, pool), reason);
}

static void refused(const char *text, apr_status_t wanted, const char *word)
{
    mdm_rule_t *rule;
    apr_status_t rv;

    mdm_ctx_clear(ctx);
    rv = mdm_rule_read(&rule, ctx, mdm_bytes_of(json(text)));
    ck_assert_msg(rv == wanted, "%s gives %s: %s", text, mdm_err_name(rv), ctx->detail ? ctx->detail : "-");
    ck_assert_msg(strstr(ctx->detail, word) != NULL, "no \"%s\" in: %s", word, ctx->detail);
}

START_TEST(tests_of_users)
{
    gives("{'user.title': 'Nurse'}", 1, "because user.title is Nurse");
    gives("{'user.title': 'nurse'}", 0, "because user.title Nurse is not nurse");
    gives("{'user.role': 'ward-3'}", 1, "because user.role is ward-3");
    gives("{'user.role': 'day'}", 0, "because user.role (night, ward-3) is not day");
    gives("{'fact': 'user.role', 'op': 'is_not', 'value': 'day'}", 1,
          "because user.role (night, ward-3) is not day");
    gives("{'fact': 'user.role', 'op': 'is_not', 'value': 'night'}", 0, "because user.role is night");
    gives("{'fact': 'user.role', 'op': 'in', 'value': ['a', 'night']}", 1,
          "because user.role night is in the list");
    gives("{'fact': 'user.title', 'op': 'in', 'value': ['Doctor', 'Clerk']}", 0,
          "because user.title Nurse is not in the list");
    gives("{'user.login': 'joy'}", 1, NULL);
    gives("{'user.mail': 'joy@example.org'}", 1, NULL);
    gives("{'user.display_name': 'Joy'}", 1, NULL);
    gives("{'user.disabled': false}", 1, "because user.disabled is false");
    gives("{'fact': 'user.email', 'op': 'contains', 'value': '@example'}", 1,
          "because user.email joy@example.org contains @example");
    gives("{'fact': 'user.email', 'op': 'starts_with', 'value': 'joy@'}", 1, NULL);
    gives("{'fact': 'user.email', 'op': 'starts_with', 'value': 'oy@'}", 0,
          "because user.email joy@example.org does not start with oy@");
    gives("{'user.number': 42}", 0, NULL);
    gives("{'fact': 'user.level', 'op': 'more', 'value': '9'}", 1, "because user.level 10 is more than 9");
    gives("{'fact': 'user.level', 'op': 'more', 'value': 9}", 1, NULL);
}
END_TEST

START_TEST(what_is_not_known_makes_a_test_false)
{
    static const char *const ops[] = { "is", "is_not", "less", "at_most", "more", "at_least", "contains",
                                       "starts_with" };
    static const char *const names[] = { "user.department", "user.empty", "user.none", "device.IMEI",
                                         "device.HostName", "device.LocalHostName", "device.WiFiMAC", "device.MEID",
                                         "device.CellularTechnology" };
    size_t i, n;

    for (n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
            const char *test = apr_psprintf(pool, "{'fact': '%s', 'op': '%s', 'value': '1'}", names[n], ops[i]);
            const char *reason = apr_psprintf(pool, "because %s is not known", names[n]);

            gives(test, 0, reason);
            gives(apr_psprintf(pool, "{'not': %s}", test), 1, reason);
        }
        gives(apr_psprintf(pool, "{'fact': '%s', 'op': 'exists'}", names[n]), 0, NULL);
        gives(apr_psprintf(pool, "{'fact': '%s', 'op': 'in', 'value': ['1']}", names[n]), 0, NULL);
    }
    nurse.known = 0;
    nurse.attributes = NULL;
    gives("{'user.title': 'Nurse'}", 0, "because user.title is not known");
    gives("{'user.disabled': false}", 0, "because user.disabled is not known");
    gives("{'user.login': 'joy'}", 1, NULL);
    nurse.login = NULL;
    gives("{'user.login': 'joy'}", 0, NULL);
    gives("{'fact': 'user.login', 'op': 'is_not', 'value': 'joy'}", 0, NULL);
    nurse.facts = NULL;
    gives("{'device.IsSupervised': true}", 0, NULL);
}
END_TEST

START_TEST(tests_of_devices)
{
    gives("{'device.os_version': '17.10'}", 1, NULL);
    gives("{'device.OSVersion': '17.10.0'}", 1, NULL);
    gives("{'device.type': 'Device'}", 1, NULL);
    gives("{'device.state': 'enrolled'}", 1, NULL);
    gives("{'device.serial_number': 'C02'}", 1, NULL);
    gives("{'device.SerialNumber': 'C02'}", 1, NULL);
    gives("{'device.IsSupervised': true}", 1, "because device.IsSupervised is true");
    gives("{'device.IsSupervised': false}", 0, "because device.IsSupervised true is not false");
    gives("{'fact': 'device.BatteryLevel', 'op': 'less', 'value': 0.5}", 1,
          "because device.BatteryLevel 0.25 is less than 0.5");
    gives("{'fact': 'device.BatteryLevel', 'op': 'less', 'value': '0.5'}", 1, NULL);
    gives("{'fact': 'device.BatteryLevel', 'op': 'at_least', 'value': 0.25}", 1, NULL);
    gives("{'fact': 'device.DeviceCapacity', 'op': 'more', 'value': 9}", 1, NULL);
    gives("{'device.DeviceCapacity': '64'}", 1, NULL);
    gives("{'device.TimeZone': 'Europe/Zurich'}", 1, NULL);
    gives("{'device.ManagedAppleIDDefaultDomains': 'example.com'}", 1, NULL);
    gives("{'fact': 'device.OSUpdateSettings', 'op': 'exists'}", 1, "because device.OSUpdateSettings is known");
    gives("{'fact': 'device.ServiceSubscriptions', 'op': 'exists'}", 1, "because device.ServiceSubscriptions is known");
    gives("{'device.ServiceSubscriptions': '1'}", 0, "because device.ServiceSubscriptions is no single value");
    gives("{'device.OSUpdateSettings': 'x'}", 0, "because device.OSUpdateSettings is no single value");
    gives("{'fact': 'device.ModemFirmwareVersion', 'op': 'more', 'value': '2.9'}", 0, NULL);
}
END_TEST

/* Versions part by part: 17.10 is more than 17.9. What is no version is text: 2.10.00 above, 007, 17b. */
START_TEST(versions_and_texts_have_their_order)
{
    static const struct {
        const char *found, *value;
        int order;
    } pairs[] = {
        { "17.10", "17.9", 1 }, { "17.9", "17.10", -1 }, { "17", "17.0.0", 0 }, { "17.0.1", "17", 1 },
        { "9", "10", -1 }, { "100000000000000000001", "100000000000000000000", 1 }, { "007", "7", -1 },
        { "0", "0.0", 0 },
        { "17.", "17", 1 }, { ".5", "0.5", -1 }, { "1.2.3.4.5.6.7.8", "1.2.3.4.5.6.7.9", -1 },
        { "1.10.1.1.1.1.1.1.1", "1.9", -1 }, { "17b", "17", 1 }, { "21E219", "21E3", -1 }, { "-5", "3", -1 },
        { "a", "b", -1 }, { "Nurse", "Nurse", 0 }
    };
    size_t i;

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        int order = pairs[i].order;

        nurse.columns[MDM_RULE_OS_VERSION] = pairs[i].found;
#define TEST(op) apr_psprintf(pool, "{'fact': 'device.os_version', 'op': '" op "', 'value': '%s'}", pairs[i].value)
        gives(TEST("less"), order < 0, NULL);
        gives(TEST("at_most"), order <= 0, NULL);
        gives(TEST("more"), order > 0, NULL);
        gives(TEST("at_least"), order >= 0, NULL);
        gives(TEST("is"), order == 0, NULL);
        gives(TEST("is_not"), order != 0, NULL);
#undef TEST
    }
    nurse.columns[MDM_RULE_OS_VERSION] = "17.2";
    gives("{'fact': 'device.os_version', 'op': 'at_least', 'value': 17}", 1,
          "because device.os_version 17.2 is at least 17");
    gives("{'fact': 'device.os_version', 'op': 'at_least', 'value': '17.3'}", 0,
          "because device.os_version 17.2 is less than 17.3");
}
END_TEST

START_TEST(and_or_not_and_their_reasons)
{
    gives("{'all': [{'user.title': 'Nurse'}, {'fact': 'device.OSVersion', 'op': 'at_least', 'value': '17'}]}", 1,
          "because user.title is Nurse and device.OSVersion 17.10 is at least 17");
    gives("{'all': [{'user.title': 'Nurse'}, {'user.role': 'day'}, {'user.login': 'x'}]}", 0,
          "because user.role (night, ward-3) is not day");
    gives("{'any': [{'user.title': 'Clerk'}, {'user.role': 'night'}, {'user.login': 'joy'}]}", 1,
          "because user.role is night");
    gives("{'any': [{'user.title': 'Clerk'}, {'user.login': 'x'}]}", 0,
          "because user.title Nurse is not Clerk and user.login joy is not x");
    gives("{'not': {'any': [{'user.title': 'Clerk'}, {'user.login': 'x'}]}}", 1,
          "because user.title Nurse is not Clerk and user.login joy is not x");
    gives("{'not': {'all': [{'user.title': 'Nurse'}, {'not': {'user.role': 'day'}}]}}", 0,
          "because user.title is Nurse and user.role (night, ward-3) is not day");
    gives("{'all': [{'any': [{'user.title': 'Doctor'}, {'user.title': 'Nurse'}]}, {'not': {'user.disabled': true}}]}",
          1, "because user.title is Nurse and user.disabled false is not true");
}
END_TEST

START_TEST(a_reason_stays_short_and_whole)
{
    const char *many = "{'all': [", *reason;
    char *long_title = apr_palloc(pool, 301);
    int i;

    for (i = 0; i < 300; i += 3)
        memcpy(long_title + i, "\xe2\x82\xac", 3);
    long_title[300] = '\0';
    json_object_set_new(attributes, "title", json_string(long_title));
    reason = mdm_rule_reason(rule_of("{'fact': 'user.title', 'op': 'exists'}"), &nurse, pool);
    ck_assert_str_eq(reason, "because user.title is known");
    reason = mdm_rule_reason(rule_of("{'user.title': 'x'}"), &nurse, pool);
    ck_assert_int_lt(strlen(reason), 120);
    ck_assert(mdm_utf8_valid(mdm_bytes_of(reason)));
    ck_assert_ptr_nonnull(strstr(reason, "... is not x"));
    for (i = 0; i < 60; i++)
        many = apr_pstrcat(pool, many, i ? ", " : "",
                           "{'fact': 'user.title', 'op': 'contains', 'value': '\xe2\x82\xac'}", NULL);
    reason = mdm_rule_reason(rule_of(apr_pstrcat(pool, many, "]}", NULL)), &nurse, pool);
    ck_assert_int_le(strlen(reason), MDM_RULE_REASON_MAX);
    ck_assert(mdm_utf8_valid(mdm_bytes_of(reason)));
    ck_assert_str_eq(reason + strlen(reason) - 3, "...");
}
END_TEST

static const char *names_of(const apr_array_header_t *names)
{
    return apr_array_pstrcat(pool, names, ' ');
}

START_TEST(what_a_rule_looks_at)
{
    mdm_rule_t *rule = rule_of("{'all': [{'device.IsSupervised': true}, {'device.os_version': '17'}, "
                               "{'device.OSVersion': '17'}, {'device.IsSupervised': true}, {'device.state': 'x'}, "
                               "{'device.SecurityInfo.PasscodePresent': true}, {'user.login': 'joy'}]}");

    ck_assert_str_eq(names_of(mdm_rule_facts(rule)), "IsSupervised SecurityInfo.PasscodePresent");
    ck_assert_str_eq(names_of(mdm_rule_watches(rule)), "IsSupervised OSVersion SecurityInfo.PasscodePresent");
    ck_assert_int_eq(mdm_rule_wants_attributes(rule), 0);
    ck_assert_int_eq(mdm_rule_wants_attributes(rule_of("{'not': {'user.email': 'a'}}")), 1);
    rule = rule_of(" { 'user.title' : 'a<b' } ");
    ck_assert_str_eq(mdm_rule_text(rule), "{\"user.title\":\"a\\u003cb\"}");
    ck_assert_str_eq(mdm_rule_text(rule_of(mdm_rule_text(rule))), mdm_rule_text(rule));
}
END_TEST

START_TEST(refusals_name_the_place_and_what_there_is)
{
    refused("{}", MDM_EINPUT, "a rule is");
    refused("[]", MDM_EINPUT, "no object");
    refused("'x'", MDM_EINPUT, "malformed");
    refused("{'user.title': 'a', 'user.title': 'b'}", MDM_EINPUT, "malformed");
    refused("{'all': {}}", MDM_EINPUT, "the rule at all: all and any take a list");
    refused("{'all': []}", MDM_EINPUT, "the rule at all: all and any take a list");
    refused("{'all': [{'user.title': 'a'}, 7]}", MDM_EINPUT, "the rule at all[1]: a rule is");
    refused("{'user.title': 'a', 'user.role': 'b'}", MDM_EINPUT, "join several");
    refused("{'al': [{'user.title': 'a'}]}", MDM_EINPUT, "there is no member al");
    refused("{'not': {'any': [{'user.title': 'a'}, {'fact': 'user.x', 'op': 'like', 'value': 1}]}}", MDM_EINPUT,
            "the rule at not.any[1].op: there is no operator like; there are is, is_not");
    refused("{'fact': 'user.x', 'op': 'is', 'value': 1, 'vale': 2}", MDM_EINPUT, "no member vale");
    refused("{'fact': 'user.x', 'value': 1}", MDM_EINPUT, "op: an operator is a text; there are");
    refused("{'fact': 7, 'op': 'is', 'value': 1}", MDM_EINPUT, "a fact is a name");
    refused("{'op': 'is', 'value': 1}", MDM_EINPUT, "a fact is a name");
    refused("{'fact': 'user.x', 'op': 'is'}", MDM_EINPUT, "value: there is no value");
    refused("{'fact': 'user.x', 'op': 'exists', 'value': false}", MDM_EINPUT, "exists takes no value");
    refused("{'fact': 'user.x', 'op': 'in', 'value': 'a'}", MDM_EINPUT, "takes a list");
    refused("{'fact': 'user.x', 'op': 'in', 'value': []}", MDM_EINPUT, "takes a list");
    refused("{'fact': 'user.x', 'op': 'in', 'value': ['a', null]}", MDM_EINPUT, "value[1]: a value is a text");
    refused("{'user.x': ['a']}", MDM_EINPUT, "for the operator in alone");
    refused("{'user.x': null}", MDM_EINPUT, "a value is a text");
    refused("{'user.x': {}}", MDM_EINPUT, "a value is a text");
    refused("{'user.x': ''}", MDM_EINPUT, "an empty value");
    refused("{'fact': 'user.x', 'op': 'less', 'value': true}", MDM_EINPUT, "no order");
    refused("{'fact': 'user.x', 'op': 'contains', 'value': 7}", MDM_EINPUT, "takes a text");
    refused("{'device.OSVersion': 17.10}", MDM_EINPUT, "17.10 is 17.1");
    refused("{'device.OSVersoin': '17'}", MDM_EINPUT, "did you mean OSVersion?");
    refused("{'device.os_verson': '17'}", MDM_EINPUT, "did you mean os_version?");
    refused("{'device.PushToken': 'x'}", MDM_EINPUT, "nothing is ever known of device.PushToken");
    refused("{'device.Location.Latitude': 1}", MDM_EINPUT, "nothing is ever known of");
    refused("{'device.': 'x'}", MDM_EINPUT, "nothing is ever known of");
    refused("{'user.': 'x'}", MDM_EINPUT, "the name of an attribute");
    refused("{'user.a\\nb': 'x'}", MDM_EINPUT, "the name of an attribute");
    refused("{'phone.model': 'x'}", MDM_EINPUT, "begins with neither");
}
END_TEST

START_TEST(hostile_rules_are_bounded)
{
    const char *deep = "{'user.a': 'x'}", *many = "{'any': [", *values = "", *text;
    char *big = apr_palloc(pool, MDM_RULE_BYTES_MAX + 1);
    mdm_rule_t *rule;
    int i;

    memset(big, 'a', MDM_RULE_BYTES_MAX);
    big[MDM_RULE_BYTES_MAX] = '\0';
    refused(apr_psprintf(pool, "{'user.x': '%s'}", big), MDM_ETOOBIG, "at most 16384 bytes");
    refused(apr_psprintf(pool, "{'user.x': '%.*s'}", MDM_RULE_TEXT_MAX + 1, big), MDM_ETOOBIG, "at most 512 bytes");
    gives(apr_psprintf(pool, "{'user.x': '%.*s'}", MDM_RULE_TEXT_MAX, big), 0, NULL);
    refused(apr_psprintf(pool, "{'user.%.*s': 'x'}", 200, big), MDM_ETOOBIG, "at most 127 bytes");
    for (i = 0; i < MDM_RULE_DEPTH_MAX - 1; i++)
        deep = apr_psprintf(pool, "{'not': %s}", deep);
    gives(deep, 1, NULL);
    refused(apr_psprintf(pool, "{'not': %s}", deep), MDM_ETOOBIG, "deeper than 16");
    for (i = 0; i < MDM_RULE_VALUES_MAX; i++)
        values = apr_psprintf(pool, "%s'%d', ", values, i);
    gives(apr_psprintf(pool, "{'fact': 'user.level', 'op': 'in', 'value': [%.*s]}", (int)strlen(values) - 2, values), 1,
          NULL);
    refused(apr_psprintf(pool, "{'fact': 'user.level', 'op': 'in', 'value': [%s'a']}", values), MDM_ETOOBIG,
            "at most 256 values");
    for (i = 0; i < MDM_RULE_TESTS_MAX; i++)
        many = apr_psprintf(pool, "%s{'user.a%d': 'x'}, ", many, i);
    gives(apr_psprintf(pool, "%.*s]}", (int)strlen(many) - 2, many), 0, NULL);
    refused(apr_psprintf(pool, "%s{'user.b': 'x'}]}", many), MDM_ETOOBIG, "at most 64 tests");
    text = apr_psprintf(pool, "%.*s]}", (int)strlen(many) - 2, many);
    refused(apr_psprintf(pool, "{'all': [%s, {'user.b': 'x'}]}", text), MDM_ETOOBIG, "at most 64 tests");
    /* thousands of levels, and what is no UTF-8, end in the parser */
    memset(big, '[', 15000);
    big[15000] = '\0';
    ck_assert_int_eq(mdm_rule_read(&rule, ctx, mdm_bytes_of(big)), MDM_EINPUT);
    ck_assert_int_eq(mdm_rule_read(&rule, ctx, mdm_bytes_of("{\"user.a\":\"\xff\"}")), MDM_EINPUT);
    ck_assert_int_eq(mdm_rule_read(&rule, ctx, mdm_bytes_of("{\"user.a\":\"\\u0000\"}")), MDM_EINPUT);
    ck_assert_int_eq(mdm_rule_read(&rule, ctx, mdm_bytes_of("")), MDM_EINPUT);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rule");
    TCase *tcase = tcase_create("rule");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, tests_of_users);
    tcase_add_test(tcase, what_is_not_known_makes_a_test_false);
    tcase_add_test(tcase, tests_of_devices);
    tcase_add_test(tcase, versions_and_texts_have_their_order);
    tcase_add_test(tcase, and_or_not_and_their_reasons);
    tcase_add_test(tcase, a_reason_stays_short_and_whole);
    tcase_add_test(tcase, what_a_rule_looks_at);
    tcase_add_test(tcase, refusals_name_the_place_and_what_there_is);
    tcase_add_test(tcase, hostile_rules_are_bounded);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
