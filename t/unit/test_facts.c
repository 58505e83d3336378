/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts and items out of answers, on both databases: what is kept, what changes, what goes, what is left out, what
 * never becomes a fact; and how many statements each answer costs.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_facts.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")
#define ENROLLMENT 7

static mdm_store_t *st;
static const mdm_site_t site;
static int commands, spent;

static void start(int loop)
{
    mdm_enrollment_t e = { 0 };

    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
    commands = 0;
    e.id = ENROLLMENT;
    e.enrollment_id = "UDID-7";
    e.type = "Device";
    e.state = MDM_STATE_ENROLLED;
    e.serial_number = "C02X";
    OK(mdm_store_enrollment_insert(st, &e));
}

static apr_status_t take(void *baton, mdm_db_t *db)
{
    void **of = baton;

    (void)db;
    return mdm_facts_take(st, &site, of[0], of[1]);
}

/* A command with these members was acknowledged by an answer with those; how many statements that cost is `spent`. */
static void answer(const char *type, const char *asked, const char *said)
{
    apr_pool_t *p = database_pool();
    mdm_command_t c = { 0 };
    mdm_connect_row_t row = { 0 };
    mdm_device_t device = { 0 };
    void *both[] = { &row, &device };
    mdm_plist_t *message;
    int before;

    c.id = ++commands;
    c.uuid = apr_itoa(p, commands);
    c.request_type = type;
    c.body = apr_pstrcat(p, "<plist><dict><key>Command</key><dict><key>RequestType</key><string>", type, "</string>",
                         asked, "</dict><key>CommandUUID</key><string>", c.uuid, "</string></dict></plist>", NULL);
    OK(mdm_store_command_insert(st, &c));
    OK(mdm_plist_read(&message, st->ctx, mdm_bytes_of(apr_pstrcat(p, "<plist><dict>", said, "</dict></plist>", NULL))));
    row.enrollment = ENROLLMENT;
    row.answered = c.id;
    row.answered_type = type;
    device.message = message;
    device.enrollment_id = device.device_id = "UDID-7";
    device.source = "192.0.2.7";
    st->ctx->fixed_now += apr_time_from_sec(1);
    before = mdm_db_statements(st->db);
    OK(mdm_db_transact(st->db, take, both));
    spent = mdm_db_statements(st->db) - before;
}

static void stored(const char *sql, const char *wanted)
{
    ck_assert_str_eq(database_sql(sql), wanted);
}

#define INFORMATION(inner) "<key>QueryResponses</key><dict>" inner "</dict>"
#define ASKED(inner) "<key>Queries</key><array>" inner "</array>"
#define STRING(key, value) "<key>" key "</key><string>" value "</string>"

START_TEST(information_is_kept_and_only_news_are_written)
{
    const char *asked = ASKED("<string>OSVersion</string><string>BatteryLevel</string><string>PhoneNumber</string>"
                              "<string>SerialNumber</string>");

    start(_i);
    answer("DeviceInformation", asked, INFORMATION(STRING("OSVersion", "18.1") STRING("PhoneNumber", "+49 30 1")
           STRING("SerialNumber", "OTHER") STRING("PushToken", "secret") STRING("Odd.Name", "x")
           STRING("LostMode", "x") "<key>BatteryLevel</key><real>0.5</real>"
           "<key>MDMOptions</key><dict><key>B</key><true/><key>A</key><integer>1</integer></dict>"));
    ck_assert_int_le(spent, 7);
    stored("SELECT name, value, source FROM mdm_fact WHERE name <> 'BatteryLevel' ORDER BY name;",
           "MDMOptions|{\"A\":1,\"B\":true}|DeviceInformation\nOSVersion|\"18.1\"|DeviceInformation\n"
           "PhoneNumber|\"+49 30 1\"|DeviceInformation\nSerialNumber|\"OTHER\"|DeviceInformation");
    stored("SELECT os_version, serial_number FROM mdm_enrollment;", "18.1|C02X");
    stored("SELECT COUNT(*) FROM mdm_fact_log WHERE name = 'BatteryLevel';", "0");
    stored("SELECT COUNT(*) FROM mdm_fact_log;", "4");

    answer("DeviceInformation", asked, INFORMATION(STRING("OSVersion", "18.1") STRING("PhoneNumber", "+49 30 1")
           STRING("SerialNumber", "OTHER") "<key>BatteryLevel</key><real>0.5</real>"));
    ck_assert_int_eq(spent, 2);
    stored("SELECT COUNT(*) FROM mdm_fact_log;", "4");
    stored("SELECT seen_at FROM mdm_fact_source;",
           apr_psprintf(database_pool(), "%" APR_TIME_T_FMT, st->ctx->fixed_now));

    /* asked for and not answered: it is gone; not asked for: it stays */
    answer("DeviceInformation", asked, INFORMATION(STRING("OSVersion", "18.2")));
    stored("SELECT name FROM mdm_fact ORDER BY name;", "MDMOptions\nOSVersion");
    stored("SELECT name, value FROM mdm_fact_log WHERE name IN ('OSVersion', 'PhoneNumber') ORDER BY name, id;",
           "OSVersion|\"18.1\"\nOSVersion|\"18.2\"\nPhoneNumber|\"+49 30 1\"\nPhoneNumber|");
    stored("SELECT os_version FROM mdm_enrollment;", "18.2");
    database_end();
}
END_TEST

START_TEST(security_is_flat_and_its_key_is_in_escrow)
{
    const char *said = "<key>SecurityInfo</key><dict><key>PasscodePresent</key><true/><key>FirewallSettings</key><dict>"
                       "<key>FirewallEnabled</key><false/></dict><key>FDE_PersonalRecoveryKeyCMS</key><data>c2VjcmV0"
                       "</data></dict>";

    start(_i);
    answer("SecurityInfo", "", said);
    stored("SELECT name, value FROM mdm_fact ORDER BY name;",
           "SecurityInfo.FirewallSettings.FirewallEnabled|false\nSecurityInfo.PasscodePresent|true");
    stored("SELECT kind FROM mdm_escrow;", "FDE_PersonalRecoveryKeyCMS");
    stored("SELECT COUNT(*) FROM mdm_escrow WHERE value LIKE '%c2VjcmV0%';", "0");
    stored("SELECT kind, object FROM mdm_event;", "escrow.stored|FDE_PersonalRecoveryKeyCMS");
    answer("SecurityInfo", "", said);
    ck_assert_int_eq(spent, 3);
    stored("SELECT COUNT(*) FROM mdm_event;", "1");
    answer("SecurityInfo", "", "<key>SecurityInfo</key><dict><key>PasscodePresent</key><false/></dict>");
    stored("SELECT name, value FROM mdm_fact;", "SecurityInfo.PasscodePresent|false");
    database_end();
}
END_TEST

static const char *profiles(int from, int count, const char *version)
{
    const char *text = "";
    int i;

    for (i = from; i < from + count; i++)
        text = apr_psprintf(database_pool(), "%s<dict>" STRING("PayloadIdentifier", "com.example.%03d")
                            STRING("PayloadDisplayName", "Profile %d") "<key>PayloadVersion</key><integer>%s</integer>"
                            "<key>PayloadContent</key><array><dict>" STRING("PayloadType", "com.apple.wifi.managed")
                            "</dict></array></dict>", text, i, i, version);
    return apr_pstrcat(database_pool(), "<key>ProfileList</key><array>", text, "</array>", NULL);
}

START_TEST(an_unchanged_list_costs_three_statements)
{
    start(_i);
    answer("ProfileList", "", profiles(0, 30, "1"));
    ck_assert_int_eq(spent, 3 + 3);
    stored("SELECT COUNT(*) FROM mdm_item;", "30");
    stored("SELECT name, version, detail FROM mdm_item WHERE identifier = 'com.example.029';",
           "Profile 29|1|{\"PayloadTypes\":[\"com.apple.wifi.managed\"]}");
    answer("ProfileList", "", profiles(0, 30, "1"));
    ck_assert_int_eq(spent, 3);
    stored("SELECT COUNT(*) FROM mdm_item WHERE changed_at = 1700000001000000;", "30");

    answer("ProfileList", "<key>ManagedOnly</key><true/>", profiles(0, 3, "1"));
    ck_assert_int_eq(spent, 3);
    answer("ProfileList", "", profiles(1, 29, "1"));
    ck_assert_int_eq(spent, 4);
    stored("SELECT COUNT(*) FROM mdm_item;", "29");
    answer("ProfileList", "", profiles(1, 29, "2"));
    ck_assert_int_eq(spent, 3 + 1 + 3);
    stored("SELECT COUNT(*) FROM mdm_item WHERE version = '2';", "29");
    answer("ProfileList", "", "<key>ProfileList</key><array/>");
    stored("SELECT COUNT(*) FROM mdm_item;", "0");
    database_end();
}
END_TEST

#define APPLICATION(inner) "<dict>" STRING("Identifier", "com.example.ward") inner "</dict>"
#define APPLICATIONS(inner) "<key>InstalledApplicationList</key><array>" inner "</array>"

START_TEST(applications_asked_for_in_part)
{
    start(_i);
    answer("InstalledApplicationList", "", APPLICATIONS(APPLICATION(STRING("Name", "Ward") STRING("Version", "214")
           STRING("ShortVersion", "2.1") "<key>DynamicSize</key><integer>5</integer><key>BundleSize</key><integer>9"
           "</integer>") APPLICATION(STRING("Name", "Twice"))));
    stored("SELECT identifier, name, version, detail FROM mdm_item;",
           "com.example.ward|Ward|2.1|{\"BundleSize\":9,\"Version\":\"214\"}");
    answer("InstalledApplicationList", "<key>Items</key><array><string>ShortVersion</string></array>",
           APPLICATIONS(APPLICATION(STRING("ShortVersion", "2.2"))));
    stored("SELECT name, version, detail FROM mdm_item;", "Ward|2.2|{\"BundleSize\":9,\"Version\":\"214\"}");
    answer("InstalledApplicationList", "<key>Identifiers</key><array><string>other</string></array>", APPLICATIONS(""));
    ck_assert_int_eq(spent, 2);
    stored("SELECT COUNT(*) FROM mdm_item;", "1");
    answer("ManagedApplicationList", "", "<key>ManagedApplicationList</key><dict><key>com.example.ward</key><dict>"
           STRING("Status", "Managed") STRING("UnusedRedemptionCode", "CODE") "</dict></dict>");
    stored("SELECT identifier, detail FROM mdm_item WHERE kind = 'managed_application';",
           "com.example.ward|{\"Status\":\"Managed\"}");
    database_end();
}
END_TEST

START_TEST(a_position_goes_with_lost_mode_and_leaves_no_history)
{
    const char *said = "<key>Latitude</key><real>52.5</real><key>Longitude</key><real>13.25</real>"
                       STRING("Timestamp", "2026-11-25T03:00:00Z") STRING("Other", "x");

    start(_i);
    answer("EnableLostMode", "", "");
    answer("DeviceLocation", "", said);
    stored("SELECT name, value FROM mdm_fact ORDER BY name;", "Location.Latitude|52.5\nLocation.Longitude|13.25\n"
           "Location.Timestamp|\"2026-11-25T03:00:00Z\"\nLostMode|true");
    answer("DisableLostMode", "", "");
    stored("SELECT name, value FROM mdm_fact;", "LostMode|false");
    stored("SELECT name, value FROM mdm_fact_log ORDER BY id;", "LostMode|true\nLostMode|false");
    answer("DeviceLocation", "", said);
    answer("DeviceInformation", ASKED("<string>IsMDMLostModeEnabled</string>"),
           INFORMATION("<key>IsMDMLostModeEnabled</key><false/>"));
    stored("SELECT COUNT(*) FROM mdm_fact WHERE name LIKE 'Location%';", "0");
    answer("DeviceLocation", "", said);
    answer("EraseDevice", "", "");
    ck_assert_int_eq(spent, 1);
    stored("SELECT COUNT(*) FROM mdm_fact WHERE name LIKE 'Location%';", "0");
    stored("SELECT COUNT(*) FROM mdm_fact_log WHERE name LIKE 'Location%';", "0");
    database_end();
}
END_TEST

START_TEST(secrets_go_into_escrow)
{
    mdm_escrow_t *kept;
    apr_array_header_t *list;

    start(_i);
    answer("ActivationLockBypassCode", "", STRING("ActivationLockBypassCode", "AAAAA-BBBBB"));
    answer("RotateFileVaultKey", "", "<key>RotateResult</key><dict><key>EncryptedNewRecoveryKey</key><data>QUJD</data>"
           "</dict>");
    stored("SELECT COUNT(*) FROM mdm_fact;", "0");
    stored("SELECT COUNT(*) FROM mdm_escrow WHERE value LIKE '%AAAAA%' OR value LIKE '%QUJD%';", "0");
    OK(mdm_store_escrow_get(&kept, st, ENROLLMENT, "ActivationLockBypassCode"));
    ck_assert_str_eq(kept->value, "AAAAA-BBBBB");
    OK(mdm_store_escrow_get(&kept, st, ENROLLMENT, "EncryptedNewRecoveryKey"));
    ck_assert_str_eq(kept->value, "QUJD");
    OK(mdm_store_escrow_list(&list, st, ENROLLMENT));
    ck_assert_int_eq(list->nelts, 2);
    ck_assert_int_eq(mdm_store_escrow_get(&kept, st, ENROLLMENT, "other"), MDM_ENOTFOUND);
    mdm_ctx_clear(st->ctx);
    answer("ActivationLockBypassCode", "", STRING("ActivationLockBypassCode", "CCCCC"));
    OK(mdm_store_escrow_get(&kept, st, ENROLLMENT, "ActivationLockBypassCode"));
    ck_assert_str_eq(kept->value, "CCCCC");
    answer("ActivationLockBypassCode", "", "");
    ck_assert_int_eq(spent, 0);
    /* a value that was copied to another row does not open */
    database_sql("UPDATE mdm_escrow SET enrollment = 8;");
    ck_assert_int_eq(mdm_store_escrow_get(&kept, st, 8, "ActivationLockBypassCode"), MDM_ECRYPTO);
    database_end();
}
END_TEST

static const char *const odd_answers[][2] = {
    { "DeviceInformation", "" }, { "DeviceInformation", "<key>QueryResponses</key><array/>" },
    { "SecurityInfo", STRING("SecurityInfo", "x") }, { "Restrictions", "" },
    { "ProfileList", "" }, { "ProfileList", "<key>ProfileList</key><dict/>" },
    { "ProfileList", "<key>ProfileList</key><array><string>x</string><dict/><array/></array>" },
    { "CertificateList", "<key>CertificateList</key><array><dict><key>Data</key><string></string></dict></array>" },
    { "ManagedApplicationList", "<key>ManagedApplicationList</key><array/>" },
    { "UserList", "<key>Users</key><array><dict><key>UserName</key><real>5</real></dict></array>" },
    { "DeviceInformation", INFORMATION("<key></key><string>x</string><key>a b</key><true/>") },
    { "RotateFileVaultKey", "<key>RotateResult</key><array/>" },
};

START_TEST(odd_answers_are_left_out)
{
    apr_size_t i;
    char *huge;

    start(_i);
    for (i = 0; i < sizeof(odd_answers) / sizeof(odd_answers[0]); i++)
        answer(odd_answers[i][0], "", odd_answers[i][1]);
    huge = apr_pcalloc(database_pool(), 70001);
    memset(huge, 'a', 70000);
    answer("DeviceInformation", "",
           apr_pstrcat(database_pool(), "<key>QueryResponses</key><dict><key>Big</key><string>",
           huge, "</string></dict>", NULL));
    answer("ProfileList", "", apr_pstrcat(database_pool(), "<key>ProfileList</key><array><dict><key>PayloadIdentifier"
           "</key><string>", huge, "</string></dict><dict>" STRING("PayloadIdentifier", "a") STRING("X", ""),
           "<key>Y</key><string>", huge, "</string></dict></array>", NULL));
    stored("SELECT COUNT(*) FROM mdm_fact;", "0");
    stored("SELECT COUNT(*) FROM mdm_item;", "0");
    answer("CertificateList", "",
           "<key>CertificateList</key><array><dict><key>Data</key><data>AAAA</data></dict></array>");
    stored("SELECT detail FROM mdm_item;", "{}");
    ck_assert(!mdm_facts_wanted("DeviceLock"));
    ck_assert(!mdm_facts_wanted("ManagedApplicationFeedback"));
    ck_assert(!mdm_facts_wanted(NULL));
    database_end();
}
END_TEST

START_TEST(too_many_items_are_cut)
{
    start(_i);
    answer("ProfileList", "", profiles(0, 10, "1"));
    {
        apr_array_header_t *many = apr_array_make(database_pool(), 5200, sizeof(const char *));
        int i;

        for (i = 0; i < 5100; i++)
            APR_ARRAY_PUSH(many, const char *) = apr_psprintf(database_pool(), "<dict>"
                STRING("Identifier", "app%05d") "</dict>", i);
        answer("InstalledApplicationList", "", apr_pstrcat(database_pool(),
               "<key>InstalledApplicationList</key><array>", apr_array_pstrcat(database_pool(), many, 0), "</array>",
               NULL));
    }
    ck_assert_int_eq(spent, 2 + 500);
    stored("SELECT kind, COUNT(*) FROM mdm_item GROUP BY kind ORDER BY kind;", "application|5000\nprofile|10");
    database_end();
}
END_TEST

START_TEST(a_new_life_forgets_the_old_one)
{
    apr_array_header_t *list;
    apr_int64_t last;
    int pruned;

    start(_i);
    answer("SecurityInfo", "", "<key>SecurityInfo</key><dict><key>A</key><true/></dict>");
    answer("ProfileList", "", profiles(0, 2, "1"));
    answer("ActivationLockBypassCode", "", STRING("ActivationLockBypassCode", "CODE"));
    OK(mdm_store_facts_forget(st, ENROLLMENT));
    stored("SELECT (SELECT COUNT(*) FROM mdm_fact) + (SELECT COUNT(*) FROM mdm_item)"
           " + (SELECT COUNT(*) FROM mdm_fact_source);", "0");
    stored("SELECT COUNT(*) FROM mdm_escrow;", "1");
    OK(mdm_store_facts_history(&list, &last, st, ENROLLMENT, "SecurityInfo.A", 0, 10));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, mdm_fact_t).value, "true");
    OK(mdm_store_facts_history(&list, &last, st, ENROLLMENT, "SecurityInfo.A", last, 10));
    ck_assert_int_eq(list->nelts, 0);
    OK(mdm_store_facts_prune(&pruned, st, st->ctx->fixed_now - apr_time_from_sec(60), 100));
    ck_assert_int_eq(pruned, 0);
    OK(mdm_store_facts_prune(&pruned, st, st->ctx->fixed_now + 1, 100));
    ck_assert_int_eq(pruned, 1);
    database_end();
}
END_TEST

static TCase *looped(const char *name, const TTest *test)
{
    TCase *c = tcase_create(name);

    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, test, 0, DATABASES);
    return c;
}

int main(int argc, char **argv)
{
    Suite *suite = suite_create("facts");

    (void)argc;
    suite_add_tcase(suite, looped("information", information_is_kept_and_only_news_are_written));
    suite_add_tcase(suite, looped("security", security_is_flat_and_its_key_is_in_escrow));
    suite_add_tcase(suite, looped("lists", an_unchanged_list_costs_three_statements));
    suite_add_tcase(suite, looped("parts", applications_asked_for_in_part));
    suite_add_tcase(suite, looped("positions", a_position_goes_with_lost_mode_and_leaves_no_history));
    suite_add_tcase(suite, looped("secrets", secrets_go_into_escrow));
    suite_add_tcase(suite, looped("odd", odd_answers_are_left_out));
    suite_add_tcase(suite, looped("many", too_many_items_are_cut));
    suite_add_tcase(suite, looped("forgotten", a_new_life_forgets_the_old_one));
    return database_main(suite, argv);
}
