/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: references found and filled, values that stay values, and the PayloadUUID that changes exactly when the
 * content does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "mdm_store.h"
#include "mdm_template.h"

#define PROFILE APR_INT64_C(4711)
#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s", ctx->detail ? ctx->detail : #call)

static apr_pool_t *pool;
static mdm_ctx_t *ctx;
static mdm_values_t values;
static mdm_enrollment_t phone;
static mdm_seal_t *seal, *other_seal;
static char folder[64];

static mdm_seal_t *make_seal(const char *name)
{
    const char *file = apr_pstrcat(pool, folder, "/", name, NULL);
    mdm_seal_t *made;

    OK(mdm_seal_create(ctx, file));
    OK(mdm_seal_read(&made, ctx, file));
    return made;
}

static void secret(const char *name, const char *value)
{
    mdm_bytes_t *bytes = apr_palloc(pool, sizeof(*bytes));

    *bytes = mdm_bytes_of(value);
    apr_hash_set(values.secrets, name, APR_HASH_KEY_STRING, bytes);
}

static void start(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
    strcpy(folder, "/tmp/template-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    seal = make_seal("one.key");
    other_seal = make_seal("two.key");
    memset(&values, 0, sizeof(values));
    memset(&phone, 0, sizeof(phone));
    phone.enrollment_id = "UDID-7";
    phone.type = "Device";
    phone.serial_number = "C02X";
    values.seal = seal;
    values.login = "anna";
    values.display_name = "Anna Ahorn";
    values.email = "anna@example.org";
    values.attributes = json_pack("{s:s, s:[s, s], s:s, s:i}", "title", "Nurse", "phone", "+49 1", "+49 2", "empty",
                                  "", "number", 7);
    values.enrollment = &phone;
    values.facts = apr_hash_make(pool);
    values.secrets = apr_hash_make(pool);
    apr_hash_set(values.facts, "WiFiMAC", APR_HASH_KEY_STRING, "\"00:11:22 \\u00e9\"");
    apr_hash_set(values.facts, "IsRoaming", APR_HASH_KEY_STRING, "true");
    apr_hash_set(values.facts, "ServiceSubscriptions", APR_HASH_KEY_STRING, "[{\"Slot\":\"One\"}]");
    secret("wifi", "tr0mbone & <brass>");
    secret("blob", "AAEC/w==");
    secret("text", "no base64!");
}

static void end(void)
{
    unlink(apr_pstrcat(pool, folder, "/one.key", NULL));
    unlink(apr_pstrcat(pool, folder, "/two.key", NULL));
    rmdir(folder);
    json_decref((json_t *)values.attributes);
    apr_pool_destroy(pool);
}

/* A profile with one payload that has these keys; top-level keys besides. */
static mdm_bytes_t body(const char *top, const char *keys)
{
    return mdm_bytes_of(apr_pstrcat(pool, "<plist><dict><key>PayloadType</key><string>Configuration</string>", top,
        "<key>PayloadContent</key><array><dict><key>PayloadType</key><string>x</string>", keys, "</dict></array>",
        "</dict></plist>", NULL));
}

static mdm_template_t *read_body(const char *top, const char *keys)
{
    mdm_template_t *t;

    OK(mdm_template_read(&t, ctx, PROFILE, body(top, keys)));
    return t;
}

static const mdm_plist_t *payload_of(const mdm_plist_t *profile)
{
    return mdm_plist_get(profile, "PayloadContent")->first;
}

static const mdm_plist_t *render(const mdm_template_t *t, const char **uuid)
{
    mdm_plist_t *made;

    OK(mdm_template_render(&made, uuid, ctx, t, &values));
    return made;
}

/* What a text becomes. */
static const char *filled(const char *text)
{
    mdm_template_t *t = read_body("", apr_pstrcat(pool, "<key>K</key><string>", text, "</string>", NULL));

    return mdm_plist_get_string(payload_of(render(t, NULL)), "K");
}

/* Why a text cannot be filled. */
static const char *lacking(const char *text)
{
    mdm_template_t *t = read_body("", apr_pstrcat(pool, "<key>K</key><string>", text, "</string>", NULL));
    mdm_plist_t *made = NULL;
    const char *why;

    mdm_ctx_clear(ctx);
    ck_assert_int_eq(mdm_template_render(&made, NULL, ctx, t, &values), MDM_ENOTFOUND);
    ck_assert_ptr_null(made);
    why = mdm_ctx_detail(ctx, MDM_ENOTFOUND);
    mdm_ctx_clear(ctx);
    return why;
}

/* Why a text is no template, or not at this place. */
static const char *refused(const char *top, const char *keys)
{
    mdm_template_t *t;
    apr_status_t rv;
    const char *why;

    mdm_ctx_clear(ctx);
    rv = mdm_template_read(&t, ctx, PROFILE, body(top, keys));
    if (rv == APR_SUCCESS)
        rv = mdm_template_check(ctx, t);
    ck_assert_msg(rv == MDM_EINPUT, "%s%s is taken", top, keys);
    why = mdm_ctx_detail(ctx, rv);
    mdm_ctx_clear(ctx);
    return why;
}

static const char *refused_text(const char *text)
{
    return refused("", apr_pstrcat(pool, "<key>K</key><string>", text, "</string>", NULL));
}

START_TEST(references_are_filled)
{
    ck_assert_str_eq(filled("${user.login}"), "anna");
    ck_assert_str_eq(filled("<![CDATA[${user.display_name} <${user.mail}>]]>"), "Anna Ahorn <anna@example.org>");
    ck_assert_str_eq(filled("${user.email}${user.title}"), "anna@example.orgNurse");
    ck_assert_str_eq(filled("${user.phone}"), "+49 1");
    ck_assert_str_eq(filled("a${device.serial}b${device.serial_number}c"), "aC02XbC02Xc");
    ck_assert_str_eq(filled("${device.udid} ${device.enrollment_id}"), "UDID-7 UDID-7");
    ck_assert_str_eq(filled("${device.WiFiMAC}"), "00:11:22 \xc3\xa9");
    ck_assert_str_eq(filled("${device.IsRoaming}"), "true");
    ck_assert_str_eq(filled("pass ${secret.wifi}!"), "pass tr0mbone & <brass>!");
}
END_TEST

START_TEST(dollars_stay_what_they_are)
{
    ck_assert_str_eq(filled("$${user.login}"), "${user.login}");
    ck_assert_str_eq(filled("a$${b$${c"), "a${b${c");
    ck_assert_str_eq(filled("${user.login}$${x}${user.login}"), "anna${x}anna");
    ck_assert_str_eq(filled("$ $$ $user {x} 5$"), "$ $$ $user {x} 5$");
    ck_assert_str_eq(filled("${user.login}}"), "anna}");
}
END_TEST

/* Each of them must not be looked behind to the end of the text. */
START_TEST(a_long_text_of_dollars_is_read_at_once)
{
    apr_size_t len = 3 * 1024 * 1024, i;
    char *text = apr_palloc(pool, len + 1);

    for (i = 0; i < len; i += 3)
        memcpy(text + i, "$${", 3);
    text[len] = '\0';
    ck_assert_uint_eq(strlen(filled(text)), len / 3 * 2);
}
END_TEST

START_TEST(data_references_become_data)
{
    mdm_template_t *t = read_body("", "<key>K</key><string>${secret.blob:data}</string>");
    mdm_bytes_t data;

    ck_assert_int_eq(mdm_plist_get_data(&data, payload_of(render(t, NULL)), "K"), 1);
    ck_assert_int_eq(data.len, 4);
    ck_assert_mem_eq(data.data, "\0\1\2\xff", 4);
    ck_assert_ptr_nonnull(strstr(lacking("${secret.text:data}"), "secret text is not base64"));
    ck_assert_ptr_null(strstr(lacking("${secret.text:data}"), "no base64!"));
    ck_assert_ptr_nonnull(strstr(refused_text("x${secret.blob:data}"), "PayloadContent[0].K: "));
    ck_assert_ptr_nonnull(strstr(refused_text("${secret.blob:data}${secret.blob:data}"), "whole text"));
    ck_assert_ptr_nonnull(strstr(refused_text("${user.mail:data}"), "letters, digits"));
}
END_TEST

START_TEST(missing_values_are_named_and_not_shown)
{
    mdm_enrollment_t user = { 0 };

    ck_assert_str_eq(lacking("${user.room}"), "user anna has no attribute room");
    ck_assert_str_eq(lacking("${user.empty}"), "user anna has no attribute empty");
    ck_assert_str_eq(lacking("${user.number}"), "user anna has no attribute number");
    ck_assert_str_eq(lacking("${device.imei}"), "nothing is known of the imei of the device UDID-7");
    ck_assert_ptr_nonnull(strstr(lacking("${device.ServiceSubscriptions}"), "ServiceSubscriptions"));
    ck_assert_str_eq(lacking("${secret.gone}"), "there is no secret gone");
    values.email = NULL;
    ck_assert_str_eq(lacking("${user.mail}"), "user anna has no attribute mail");
    values.login = NULL;
    ck_assert_str_eq(lacking("${user.mail}"), "the enrollment UDID-7 is nobody's, and the profile needs ${user.mail}");
    phone.type = "User Enrollment (Device)";
    ck_assert_ptr_nonnull(strstr(lacking("${device.udid}"), "udid"));
    user.enrollment_id = "UDID-7:U1";
    phone.type = "Device";
    values.device = &phone;
    values.enrollment = &user;
    ck_assert_str_eq(filled("${device.enrollment_id} ${device.udid} ${device.serial}"), "UDID-7:U1 UDID-7 C02X");
    values.enrollment = values.device = NULL;
    ck_assert_ptr_nonnull(strstr(lacking("${device.serial}"), "no enrollment is named"));
    ck_assert_ptr_nonnull(strstr(lacking("${user.mail}"), "no user is named"));
}
END_TEST

START_TEST(values_are_never_markup_or_references)
{
    static const char *const hostile[] = {
        "</string><key>RemovalDisallowed</key><true/><string>", "<!ENTITY x SYSTEM \"file:///etc/passwd\">&x;",
        "${secret.wifi}", "$${user.login}", "]]>", "&lt;&#0;", "a\r\nb\tc", "\xf0\x9f\x98\x80"
    };
    mdm_template_t *t = read_body("", "<key>K</key><string>[${user.mail}]</string><key>L</key><true/>");
    size_t i;

    for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        mdm_bytes_t text;
        mdm_plist_t *again;
        const mdm_plist_t *payload;

        values.email = hostile[i];
        OK(mdm_plist_write(&text, ctx, render(t, NULL)));
        OK(mdm_plist_read(&again, ctx, text));
        payload = payload_of(again);
        ck_assert_str_eq(mdm_plist_get_string(payload, "K"), apr_pstrcat(pool, "[", hostile[i], "]", NULL));
        ck_assert_int_eq(payload->count, 3);
    }
    values.email = "bell\a";
    ck_assert_ptr_nonnull(strstr(lacking("${user.mail}"), "characters that no profile can carry"));
    values.email = "\xff\xfe";
    ck_assert_ptr_nonnull(strstr(lacking("${user.mail}"), "PayloadContent[0].K"));
    values.email = "\xef\xbf\xbf";
    ck_assert_ptr_nonnull(strstr(lacking("${user.mail}"), "characters"));
}
END_TEST

START_TEST(malformed_references_are_refused_with_their_path)
{
    static const char *const wrong[] = {
        "${user.mail", "${}", "${user}", "${user.}", "${User.mail}", "${env.PATH}", "${user.ma il}",
        "${user.a${user.b}}", "${secret.x:text}", "${secret.:data}", "${secret:data}", "${ user.mail}",
        "ok ${user.mail} then ${nonsense.x}"
    };
    size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *why = refused_text(wrong[i]);

        ck_assert_msg(!strncmp(why, "PayloadContent[0].K: ", 21), "%s: %s", wrong[i], why);
    }
    ck_assert_ptr_nonnull(strstr(refused_text("${env.PATH}"), "${user.NAME}"));
    ck_assert_ptr_nonnull(strstr(refused_text("${user.mail"), "$${"));
    ck_assert_ptr_nonnull(strstr(refused("", "<key>${user.mail}</key><true/>"), "name of a key"));
    ck_assert_ptr_nonnull(strstr(refused("", "<key>A</key><array><true/><dict><key>B</key><string>${x}</string>"
                                         "</dict></array>"), "PayloadContent[0].A[1].B: "));
}
END_TEST

START_TEST(a_save_knows_names_and_places)
{
    ck_assert_ptr_nonnull(strstr(refused_text("${device.serail}"), "serial_number"));
    ck_assert_ptr_nonnull(strstr(refused_text("${device.BatteryLevel}"), "BatteryLevel"));
    ck_assert_ptr_nonnull(strstr(refused_text("${device.PushToken}"), "PushToken"));
    ck_assert_ptr_nonnull(strstr(refused_text("${device.Location.Latitude}"), "Latitude"));
    OK(mdm_template_check(ctx, read_body("", "<key>K</key><string>${device.SecurityInfo.PasscodePresent}</string>")));
    OK(mdm_template_check(ctx, read_body("<key>PayloadDisplayName</key><string>Of ${user.login}</string>",
                                         "<key>PayloadDisplayName</key><string>${device.WiFiMAC}</string>")));
    ck_assert_ptr_nonnull(strstr(refused("<key>PayloadIdentifier</key><string>a.${user.login}</string>", ""),
                                 "PayloadIdentifier: "));
    ck_assert_ptr_nonnull(strstr(refused("", "<key>PayloadUUID</key><string>${user.login}</string>"),
                                 "PayloadContent[0].PayloadUUID: "));
    ck_assert_ptr_nonnull(strstr(refused("<key>PayloadDescription</key><string>${secret.wifi}</string>", ""),
                                 "unencrypted"));
    ck_assert_ptr_nonnull(strstr(refused("", "<key>PayloadDisplayName</key><string>${secret.wifi}</string>"),
                                 "lists of their profiles"));
}
END_TEST

START_TEST(what_a_template_uses)
{
    mdm_template_t *t = read_body("", "<key>A</key><string>${user.b} ${user.a} ${user.b}</string><key>B</key><string>"
        "${device.serial}${device.serial_number}${device.udid}${device.WiFiMAC}</string><key>C</key><string>${secret.z}"
        "</string><key>D</key><string>${secret.y:data}</string>");
    const mdm_template_uses_t *uses = mdm_template_uses(t);
    const mdm_reference_t *last;

    ck_assert_str_eq(apr_array_pstrcat(pool, uses->user, ','), "a,b");
    ck_assert_str_eq(apr_array_pstrcat(pool, uses->device, ','), "WiFiMAC,serial,serial_number,udid");
    ck_assert_str_eq(apr_array_pstrcat(pool, uses->facts, ','), "SerialNumber,WiFiMAC");
    ck_assert_str_eq(apr_array_pstrcat(pool, uses->secrets, ','), "y,z");
    ck_assert_int_eq(mdm_template_references(t)->nelts, 9);
    last = APR_ARRAY_IDX(mdm_template_references(t), 8, const mdm_reference_t *);
    ck_assert_str_eq(last->path, "PayloadContent[0].D");
    ck_assert_int_eq(last->data, 1);
    ck_assert(mdm_template_depends(t));
    ck_assert(!mdm_template_depends(read_body("", "<key>A</key><string>${secret.z}</string>")));
    ck_assert(!mdm_template_depends(read_body("", "")));
}
END_TEST

/* ---- the PayloadUUID */

static const char *uuid_of(const mdm_template_t *t)
{
    const char *uuid;
    const mdm_plist_t *made = render(t, &uuid);

    ck_assert_str_eq(uuid, mdm_plist_get_string(made, "PayloadUUID"));
    ck_assert_int_eq(strlen(uuid), 36);
    ck_assert_int_eq(uuid[14], '8');
    return uuid;
}

START_TEST(the_uuid_changes_exactly_with_the_content)
{
    mdm_template_t *t = read_body("", "<key>A</key><string>${user.mail}</string><key>B</key><string>${secret.wifi}"
                                  "</string>");
    const char *first = uuid_of(t), *again;

    ck_assert_str_eq(uuid_of(t), first);
    values.display_name = "Somebody";
    secret("blob", "");
    ck_assert_str_eq(uuid_of(t), first);
    ck_assert_str_eq(uuid_of(read_body("<key>PayloadUUID</key><string>OLD</string>", "<key>A</key><string>${user.email}"
                             "</string><key>B</key><string>${secret.wifi}</string>")), first);
    secret("wifi", "tr0mbone & <brass>!");
    ck_assert_str_ne(again = uuid_of(t), first);
    secret("wifi", "tr0mbone & <brass>");
    ck_assert_str_eq(uuid_of(t), first);
    values.email = "bert@example.org";
    ck_assert_str_ne(uuid_of(t), first);
    ck_assert_str_ne(uuid_of(t), again);
    values.email = "anna@example.org";
    values.seal = other_seal;
    ck_assert_str_ne(uuid_of(t), first);
    values.seal = seal;
    OK(mdm_template_read(&t, ctx, PROFILE + 1, body("", "<key>A</key><string>${user.mail}</string><key>B</key><string>"
                                                    "${secret.wifi}</string>")));
    ck_assert_str_ne(uuid_of(t), first);
}
END_TEST

/* The UUID by hand: HMAC over "profile" NUL id NUL XML, version 8 and variant put in. */
START_TEST(the_uuid_is_what_is_written_down)
{
    mdm_template_t *t = read_body("", "");
    mdm_plist_t *tree;
    unsigned char mac[MDM_SHA256_LEN], all[4096] = "profile\0" "4711";
    mdm_bytes_t text, bytes = { all, 13 };
    const char *hex;

    OK(mdm_plist_read(&tree, ctx, body("", "")));
    OK(mdm_plist_write(&text, ctx, tree));
    memcpy(all + 13, text.data, text.len);
    bytes.len += text.len;
    ck_assert_int_eq(mdm_seal_mac(mac, seal, bytes), APR_SUCCESS);
    bytes.data = mac;
    bytes.len = 4;
    hex = mdm_hex_encode(bytes, pool);
    ck_assert_int_eq(strncasecmp(uuid_of(t), hex, 8), 0);
}
END_TEST

START_TEST(a_rendering_leaves_its_template_alone)
{
    mdm_template_t *t = read_body("<key>PayloadUUID</key><string>OLD</string>", "<key>A</key><array><string>x</string>"
        "<string>${user.mail}</string><dict/><string>${user.login}</string><string>y</string></array>");
    const mdm_plist_t *first = render(t, NULL), *second, *array;

    values.email = "bert@example.org";
    values.login = "bert";
    second = render(t, NULL);
    array = mdm_plist_get(payload_of(second), "A");
    ck_assert_int_eq(array->count, 5);
    ck_assert_str_eq((const char *)array->first->bytes.data, "x");
    ck_assert_str_eq((const char *)array->first->next->bytes.data, "bert@example.org");
    ck_assert_int_eq(array->first->next->next->type, MDM_PLIST_DICT);
    ck_assert_str_eq((const char *)array->last->bytes.data, "y");
    array = mdm_plist_get(payload_of(first), "A");
    ck_assert_str_eq((const char *)array->first->next->bytes.data, "anna@example.org");
    ck_assert_str_eq((const char *)array->first->next->next->next->bytes.data, "anna");
}
END_TEST

START_TEST(deep_and_large_trees)
{
    const char *open = "", *close = "";
    mdm_template_t *t;
    mdm_plist_t *made;
    const mdm_plist_t *at;
    char *large;
    int i;

    for (i = 0; i < MDM_PLIST_MAX_DEPTH - 3; i++) {
        open = apr_pstrcat(pool, open, "<array>", NULL);
        close = apr_pstrcat(pool, close, "</array>", NULL);
    }
    t = read_body("", apr_pstrcat(pool, "<key>K</key>", open, "<string>${user.login}</string>", close, NULL));
    for (at = mdm_plist_get(payload_of(render(t, NULL)), "K"); at->type == MDM_PLIST_ARRAY; at = at->first)
        ;
    ck_assert_str_eq((const char *)at->bytes.data, "anna");
    large = apr_palloc(pool, 65537);
    memset(large, 'x', 65536);
    large[65536] = '\0';
    secret("large", large);
    for (open = "", i = 0; i < 100; i++)
        open = apr_pstrcat(pool, open, "${secret.large}", NULL);
    t = read_body("", apr_pstrcat(pool, "<key>K</key><string>", open, "</string>", NULL));
    mdm_ctx_clear(ctx);
    ck_assert_int_eq(mdm_template_render(&made, NULL, ctx, t, &values), MDM_ETOOBIG);
    for (open = "", i = 0; i < MDM_TEMPLATE_REFERENCES_MAX + 1; i++)
        open = apr_pstrcat(pool, open, "${user.login}", NULL);
    mdm_ctx_clear(ctx);
    ck_assert_int_eq(mdm_template_read(&t, ctx, PROFILE, body("", apr_pstrcat(pool, "<key>K</key><string>", open,
                                       "</string>", NULL))), MDM_ETOOBIG);
}
END_TEST

static double rendered(const mdm_template_t *t, int times)
{
    clock_t before = clock();
    apr_pool_t *turn;
    int i;

    apr_pool_create(&turn, pool);
    for (i = 0; i < times; i++) {
        mdm_plist_t *made;

        ck_assert_int_eq(mdm_template_render(&made, NULL, mdm_ctx_create(turn, NULL), t, &values), APR_SUCCESS);
        apr_pool_clear(turn);
    }
    return (double)(clock() - before) / CLOCKS_PER_SEC;
}

static double written(const mdm_plist_t *tree, int times)
{
    clock_t before = clock();
    apr_pool_t *turn;
    int i;

    apr_pool_create(&turn, pool);
    for (i = 0; i < times; i++) {
        mdm_bytes_t text;

        ck_assert_int_eq(mdm_plist_write(&text, mdm_ctx_create(turn, NULL), tree), APR_SUCCESS);
        apr_pool_clear(turn);
    }
    return (double)(clock() - before) / CLOCKS_PER_SEC;
}

/* Five payloads with forty keys each. Measured against the writing alone, in processor time: true on any machine. */
START_TEST(a_rendering_costs_little_more_than_writing_it)
{
    const char *keys = "", *payloads = "";
    mdm_template_t *t;
    double render_time, write_time;
    int i;

    for (i = 0; i < 40; i++)
        keys = apr_psprintf(pool, "%s<key>Key%d</key><string>some value that is usual</string>", keys, i);
    for (i = 0; i < 5; i++)
        payloads = apr_pstrcat(pool, payloads, "</dict><dict>", keys, "<key>A</key><string>${user.mail}</string>"
                               "<key>B</key><string>${secret.wifi}</string>", NULL);
    t = read_body("", payloads);
    render_time = rendered(t, 1000);
    write_time = written(render(t, NULL), 1000);
    if (getenv("MDM_TEST_FIGURES"))
        printf("# a profile of five payloads: %.3f ms to render and name, %.3f ms to write\n", render_time, write_time);
    ck_assert_msg(render_time < 4 * write_time, "%f ms, %f ms", render_time, write_time);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("template");
    TCase *t = tcase_create("template");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(t, start, end);
    tcase_add_test(t, references_are_filled);
    tcase_add_test(t, dollars_stay_what_they_are);
    tcase_add_test(t, a_long_text_of_dollars_is_read_at_once);
    tcase_add_test(t, data_references_become_data);
    tcase_add_test(t, missing_values_are_named_and_not_shown);
    tcase_add_test(t, values_are_never_markup_or_references);
    tcase_add_test(t, malformed_references_are_refused_with_their_path);
    tcase_add_test(t, a_save_knows_names_and_places);
    tcase_add_test(t, what_a_template_uses);
    tcase_add_test(t, the_uuid_changes_exactly_with_the_content);
    tcase_add_test(t, the_uuid_is_what_is_written_down);
    tcase_add_test(t, a_rendering_leaves_its_template_alone);
    tcase_add_test(t, deep_and_large_trees);
    tcase_add_test(t, a_rendering_costs_little_more_than_writing_it);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
