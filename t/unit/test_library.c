/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library on both databases: what is taken and refused, versions, secrets, what is written besides, and that a
 * refusal leaves nothing behind.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_library.h"
#include "mdm_library_diff.h"
#include "mdm_library_parts.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s", st->ctx->detail ? st->ctx->detail : #call)
#define HAS(text, part) ck_assert_msg(strstr(text, part) != NULL, "%s", text)

static mdm_store_t *st;
static mdm_site_t site;
static mdm_library_saved_t saved;

static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
    memset(&site, 0, sizeof(site));
    site.profile_identifier = "org.example.mdm";
    site.server_url = "https://mdm.example.org";
    site.seal = st->seal;
}

static mdm_library_request_t request_of(const char *name)
{
    mdm_library_request_t request = { 0 };

    request.name = name;
    request.actor = "admin";
    request.source_ip = "192.0.2.1";
    st->ctx->fixed_now += APR_USEC_PER_SEC;
    return request;
}

/* A file with a Wi-Fi payload. @param top keys of the profile, @param keys of the payload */
static const char *file_of(const char *top, const char *keys)
{
    return apr_pstrcat(database_pool(), "<plist><dict><key>PayloadType</key><string>Configuration</string>"
        "<key>PayloadVersion</key><integer>1</integer><key>PayloadUUID</key><string>",
        mdm_uuid_random(database_pool()), "</string>", top, "<key>PayloadContent</key><array><dict>"
        "<key>PayloadType</key><string>com.apple.wifi.managed</string><key>SSID_STR</key><string>Sales</string>"
        "<key>EncryptionType</key><string>WPA2</string>", keys, "</dict></array></dict></plist>", NULL);
}

static apr_status_t try_body(const char *name, const char *body, int json, const char *note)
{
    mdm_library_request_t request = request_of(name);

    mdm_ctx_clear(st->ctx);
    request.body = mdm_bytes_of(body);
    request.json = json;
    request.note = note;
    return mdm_library_save(&saved, st, &site, &request);
}

static void save(const char *name, const char *top, const char *keys)
{
    OK(try_body(name, file_of(top, keys), 0, NULL));
}

/* The sentence of a refusal; nothing may be left of it. */
static const char *refused(apr_status_t wanted, const char *name, const char *body, int json)
{
    const char *all = "SELECT (SELECT COUNT(*) FROM mdm_profile), (SELECT COUNT(*) FROM mdm_profile_version), "
        "(SELECT COUNT(*) FROM mdm_profile_secret), (SELECT COUNT(*) FROM mdm_watched_fact), "
        "(SELECT COUNT(*) FROM mdm_event), (SELECT COUNT(*) FROM mdm_change);";
    const char *before = database_sql(all), *why;
    apr_status_t rv = try_body(name, body, json, NULL);

    why = mdm_ctx_detail(st->ctx, rv);
    ck_assert_msg(rv == wanted, "%d: %s", rv, why);
    ck_assert_str_eq(database_sql(all), before);
    mdm_ctx_clear(st->ctx);
    return why;
}

static void secret(const char *name, const char *value)
{
    mdm_library_request_t request = request_of(name);
    mdm_library_secret_t out;

    request.body = mdm_bytes_of(value);
    OK(mdm_library_rotate(&out, st, &request));
}

static void stored(const char *sql, const char *wanted)
{
    ck_assert_str_eq(database_sql(sql), wanted);
}

START_TEST(versions_are_made_only_by_changes)
{
    start(_i);
    save("sales", "", "");
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_NEW);
    ck_assert_str_eq(saved.profile->identifier, "org.example.mdm.p.sales");
    ck_assert_int_eq(saved.version->version, 1);
    stored("SELECT COUNT(*) FROM mdm_change;", "0");
    ck_assert_ptr_null(strstr(database_sql("SELECT sha256 FROM mdm_profile_version;"),
                              mdm_sha256_hex(saved.version->body, database_pool())));
    save("sales", "", "");
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_SAME);
    stored("SELECT COUNT(*) FROM mdm_event;", "1");
    /* another order of keys is the same */
    OK(try_body("sales", "<plist><dict><key>PayloadContent</key><array><dict><key>EncryptionType</key><string>WPA2"
                "</string><key>SSID_STR</key><string>Sales</string><key>PayloadType</key><string>"
                "com.apple.wifi.managed</string></dict></array><key>PayloadType</key><string>Configuration</string>"
                "</dict></plist>", 0, NULL));
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_SAME);
    OK(try_body("sales", file_of("", "<key>AutoJoin</key><false/>"), 0, "quieter"));
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_CHANGED);
    ck_assert_int_eq(saved.profile->version, 2);
    stored("SELECT version, note, created_by FROM mdm_profile_version ORDER BY version;", "1||admin\n2|quieter|admin");
    stored("SELECT kind, object, detail, actor, source_ip FROM mdm_event ORDER BY id;",
           "profile.created|sales|version 1|admin|192.0.2.1\nprofile.saved|sales|version 2|admin|192.0.2.1");
    ck_assert_str_eq(database_sql("SELECT kind, object, actor FROM mdm_change;"),
                     apr_psprintf(database_pool(), "profile|%" APR_INT64_T_FMT "|admin", saved.profile->id));
    stored("SELECT body FROM mdm_profile_version WHERE body LIKE '%Sales%' OR body LIKE '%plist%';", "");
    database_end();
}
END_TEST

START_TEST(a_version_is_restored_and_the_history_goes_on)
{
    mdm_library_request_t request;

    start(_i);
    secret("wifi", "one");
    save("sales", "", "<key>Password</key><string>${secret.wifi}</string>");
    save("sales", "", "<key>AutoJoin</key><false/>");
    request = request_of("sales");
    request.version = 1;
    OK(mdm_library_restore(&saved, st, &request));
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_CHANGED);
    stored("SELECT version FROM mdm_profile;", "1");
    OK(mdm_library_restore(&saved, st, &request));
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_SAME);
    stored("SELECT COUNT(*) FROM mdm_event WHERE kind = 'profile.restored';", "1");
    stored("SELECT COUNT(*) FROM mdm_change;", "2");
    request.version = 7;
    ck_assert_int_eq(mdm_library_restore(&saved, st, &request), MDM_ENOTFOUND);
    save("sales", "", "<key>AutoJoin</key><false/>");
    ck_assert_int_eq(saved.version->version, 3);
    /* a secret that only an old version names may go, and then that version cannot come back */
    mdm_ctx_clear(st->ctx);
    request = request_of("wifi");
    OK(mdm_library_forget_secret(st, &request));
    request = request_of("sales");
    request.version = 1;
    ck_assert_int_eq(mdm_library_restore(&saved, st, &request), MDM_EINPUT);
    HAS(mdm_ctx_detail(st->ctx, MDM_EINPUT), "profile \"sales\": PayloadContent[0].Password: there is no secret wifi");
    stored("SELECT version FROM mdm_profile;", "3");
    database_end();
}
END_TEST

START_TEST(identifiers_stay_and_the_servers_own_are_kept)
{
    static const char *const taken[] = { "org.example.mdm", "ORG.example.MDM", "org.example.mdm.scep",
                                         "org.example.mdm.", "org.example.mdm.p.other", "org.example.mdm.p",
                                         "org.example.MDM.p.x" };
    static const char *const odd[] = { " org.example", "org.example ", "org\texample" };
    const char *own = "<key>PayloadIdentifier</key><string>com.example.wifi</string>";
    size_t i;

    start(_i);
    save("sales", own, "");
    ck_assert_str_eq(saved.profile->identifier, "com.example.wifi");
    save("sales", own, "<key>AutoJoin</key><false/>");
    HAS(refused(MDM_EEXIST, "sales", file_of("<key>PayloadIdentifier</key><string>com.example.other</string>", ""), 0),
        "PayloadIdentifier com.example.wifi for good");
    HAS(refused(MDM_EEXIST, "other", file_of(own, ""), 0), "the profile sales has the PayloadIdentifier");
    for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        const char *top = apr_pstrcat(database_pool(), "<key>PayloadIdentifier</key><string>", taken[i], "</string>",
                                      NULL);

        HAS(refused(MDM_EINPUT, "x", file_of(top, ""), 0), "of the enrollment profile");
    }
    for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        const char *top = apr_pstrcat(database_pool(), "<key>PayloadIdentifier</key><string>", odd[i], "</string>",
                                      NULL);

        HAS(refused(MDM_EINPUT, "x", file_of(top, ""), 0), "PayloadIdentifier: it has 1 to");
    }
    save("x", "<key>PayloadIdentifier</key><string>org.example.mdm.p.x</string>", "");
    save("y", "<key>PayloadIdentifier</key><string>org.example.mdmx</string>", "");
    database_end();
}
END_TEST

START_TEST(what_cannot_be_a_profile_is_refused_by_name)
{
    start(_i);
    HAS(refused(MDM_EINPUT, "x", "", 0), "profile \"x\": there is no body");
    HAS(refused(MDM_EPLIST, "x", "nonsense", 0), "profile \"x\": ");
    HAS(refused(MDM_EINPUT, "x", "0nonsense", 0), "neither a property list nor");
    HAS(refused(MDM_EINPUT, "x", "<plist><dict/></plist>", 0), "PayloadType must be Configuration");
    HAS(refused(MDM_EINPUT, "x", "<plist><array/></plist>", 0), "PayloadType must be Configuration");
    HAS(refused(MDM_EINPUT, "x", file_of("<key>EncryptedPayloadContent</key><data>AAAA</data>", ""), 0), "encrypted");
    HAS(refused(MDM_EINPUT, "x", file_of("<key>IsEncrypted</key><true/>", ""), 0), "encrypted");
    HAS(refused(MDM_EINPUT, "x", file_of("<key>PayloadScope</key><string>Planet</string>", ""), 0), "PayloadScope");
    HAS(refused(MDM_EINPUT, "x", file_of("", "</dict><dict><key>PayloadType</key><string>com.apple.mdm</string>"), 0),
        "PayloadContent[1].PayloadType: com.apple.mdm");
    HAS(refused(MDM_EINPUT, "x", file_of("", "</dict><dict><key>A</key><true/>"), 0), "PayloadContent[1].PayloadType");
    HAS(refused(MDM_EINPUT, "x", file_of("", "<key>PayloadUUID</key><string>AB</string></dict><dict><key>PayloadType"
        "</key><string>com.apple.wifi.managed</string><key>PayloadUUID</key><string>ab</string>"), 0),
        "two payloads have the PayloadUUID ab: give one of them another, or leave the key out");
    HAS(refused(MDM_EINPUT, "x", file_of("", "<key>PayloadIdentifier</key><string>mine</string></dict><dict><key>"
        "PayloadType</key><string>com.apple.wifi.managed</string><key>PayloadIdentifier</key><string>mine</string>"),
        0), "PayloadContent[1].PayloadIdentifier: two payloads have the PayloadIdentifier mine, and their PayloadUUID "
        "is made of it: give one of them another");
    HAS(refused(MDM_EINPUT, "x", file_of("", "<key>Password</key><string>${secret.none}</string>"), 0),
        "PayloadContent[0].Password: there is no secret none: make it with PUT v1/secrets/none");
    HAS(refused(MDM_EINPUT, "x", file_of("", "<key>Password</key><string>${device.serail}</string>"), 0),
        "PayloadContent[0].Password: no device has ${device.serail}");
    HAS(refused(MDM_EINPUT, "x", file_of("", "<key>SSID</key><string>x</string>"), 0), "SSID");
    ck_assert(saved.findings && saved.findings->nelts);
    HAS(refused(MDM_EINPUT, "../x", file_of("", ""), 0), "profile \"../x\": the name must have 1 to");
    HAS(refused(MDM_EINPUT, "", file_of("", ""), 0), "profile \"\": the name must have 1 to");
    HAS(refused(MDM_EINPUT, "x", "{", 1), "JSON");
    HAS(refused(MDM_EINPUT, "x", "{\"note\": 1}", 1), "note");
    database_end();
}
END_TEST

/* A profile in JSON with a list of so many zeros, or a text of so many characters. */
static const char *list_of(int count)
{
    char *zeros = apr_pcalloc(database_pool(), (apr_size_t)count * 2 + 1);

    while (count--)
        memcpy(zeros + 2 * count, "0,", 2);
    zeros[strlen(zeros) - 1] = '\0';
    return apr_pstrcat(database_pool(), "{\"payloads\":[{\"type\":\"com.acme.x\",\"list\":[", zeros, "]}]}", NULL);
}

static const char *text_of(apr_size_t count)
{
    char *text = apr_pcalloc(database_pool(), count + 1);

    memset(text, '&', count);
    return apr_pstrcat(database_pool(), "{\"payloads\":[{\"type\":\"com.acme.x\",\"text\":\"", text, "\"}]}", NULL);
}

START_TEST(what_nothing_could_read_again_is_refused)
{
    mdm_plist_t *tree;

    start(_i);
    HAS(refused(MDM_ETOOBIG, "x", list_of(250000), 1), "profile \"x\": a profile has at most 200000 values");
    /* with what is filled in it is too much */
    HAS(refused(MDM_ETOOBIG, "x", list_of(MDM_PLIST_MAX_NODES - 5), 1), "a profile has at most 200000 values");
    HAS(refused(MDM_ETOOBIG, "x", text_of(2000000), 1), "a profile has at most 8388608 bytes");
    OK(try_body("x", list_of(MDM_PLIST_MAX_NODES - 20), 1, NULL));
    OK(mdm_plist_read(&tree, st->ctx, saved.version->body));
    OK(try_body("x", text_of(1000000), 1, NULL));
    OK(mdm_plist_read(&tree, st->ctx, saved.version->body));
    database_end();
}
END_TEST

static const char *uuid_of_payload(const mdm_profile_version_t *version)
{
    mdm_plist_t *tree;

    OK(mdm_plist_read(&tree, st->ctx, version->body));
    return mdm_plist_get_string(mdm_plist_get(tree, "PayloadContent")->first, "PayloadUUID");
}

START_TEST(json_and_file_make_the_same)
{
    const char *uuids[2];
    int n;

    start(_i);
    OK(try_body("sales", "{\"display_name\": \"Wi-Fi\", \"note\": \"by JSON\", \"payloads\": [{\"type\": "
                "\"com.apple.wifi.managed\", \"SSID_STR\": \"Sales\", \"EncryptionType\": \"WPA2\"}]}", 1, NULL));
    ck_assert_str_eq(saved.version->note, "by JSON");
    OK(try_body("sales", "{\"display_name\": \"Wi-Fi\", \"payloads\": [{\"EncryptionType\": \"WPA2\", \"SSID_STR\": "
                "\"Sales\", \"type\": \"com.apple.wifi.managed\"}]}", 1, NULL));
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_SAME);
    save("sales", "<key>PayloadDisplayName</key><string>Wi-Fi</string>", "");
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_SAME);
    /* the identifier of a payload is not enough to name it */
    for (n = 0; n < 2; n++) {
        OK(try_body(n ? "a" : "b", "{\"payloads\": [{\"type\": \"com.acme.x\", \"PayloadIdentifier\": \"mine\"}]}", 1,
                    NULL));
        uuids[n] = uuid_of_payload(saved.version);
    }
    ck_assert_str_ne(uuids[0], uuids[1]);
    /* the profile's own is held against the same rules */
    HAS(refused(MDM_EINPUT, "x", "{\"PayloadIdentifier\": \"org.example.mdm\", \"payloads\": [{\"type\": "
                "\"com.acme.x\"}]}", 1), "of the enrollment profile");
    HAS(refused(MDM_EEXIST, "sales", "{\"PayloadIdentifier\": \"org.other\", \"payloads\": [{\"type\": "
                "\"com.acme.x\"}]}", 1), "has the PayloadIdentifier org.example.mdm.p.sales for good");
    database_end();
}
END_TEST

START_TEST(names_of_secrets_and_facts_are_kept)
{
    start(_i);
    secret("a", "one");
    secret("b", "two");
    save("sales", "", "<key>Password</key><string>${secret.b}${secret.a}${secret.b}</string><key>DomainName</key>"
         "<string>${device.serial} ${device.serial_number} ${user.mail}</string>");
    stored("SELECT secret, version FROM mdm_profile_secret ORDER BY secret;", "a|1\nb|1");
    stored("SELECT name, kind FROM mdm_watched_fact;", "SerialNumber|profile");
    HAS(database_sql("SELECT detail FROM mdm_profile_version;"),
        "\"variables\":[\"user.mail\",\"device.serial\",\"device.serial_number\"]");
    HAS(database_sql("SELECT detail FROM mdm_profile_version;"), "\"secrets\":[\"a\",\"b\"]");
    save("sales", "", "<key>DomainName</key><string>${user.shoe_size}</string>");
    ck_assert_int_eq(saved.findings->nelts, 1);
    HAS(APR_ARRAY_IDX(saved.findings, 0, mdm_finding_t).text, "no user has an attribute shoe_size");
    database_sql("INSERT INTO mdm_user (login, attributes, source, disabled, created_at, changed_at, synced_at) VALUES "
                 "('anna', '{\"shoexsize\":\"9\"}', 'api', 0, 1, 1, 0);");
    save("sales", "", "<key>DomainName</key><string>a${user.shoe_size}</string>");
    ck_assert_int_eq(saved.findings->nelts, 1);
    database_sql("UPDATE mdm_user SET attributes = '{\"shoe_size\":\"9\"}';");
    save("sales", "", "<key>DomainName</key><string>b${user.shoe_size}</string>");
    ck_assert_int_eq(saved.findings->nelts, 0);
    database_end();
}
END_TEST

START_TEST(a_check_writes_nothing)
{
    mdm_library_request_t request;

    start(_i);
    secret("a", "one");
    request = request_of("sales");
    request.body = mdm_bytes_of(file_of("", "<key>Password</key><string>${secret.a}</string>"));
    OK(mdm_library_check(&saved, st, &site, &request));
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_NEW);
    stored("SELECT COUNT(*) FROM mdm_profile;", "0");
    OK(mdm_library_save(&saved, st, &site, &request));
    OK(mdm_library_check(&saved, st, &site, &request));
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_SAME);
    request.body = mdm_bytes_of(file_of("", ""));
    OK(mdm_library_check(&saved, st, &site, &request));
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_CHANGED);
    ck_assert_int_eq(saved.version->version, 2);
    stored("SELECT COUNT(*) FROM mdm_profile_version;", "1");
    database_end();
}
END_TEST

START_TEST(an_archived_profile_goes_and_comes_back)
{
    mdm_library_request_t request;
    apr_int64_t id;

    start(_i);
    save("sales", "", "<key>DomainName</key><string>${device.imei}</string>");
    id = saved.profile->id;
    database_sql(apr_psprintf(database_pool(), "INSERT INTO mdm_assignment (id, profile, version, kind, target, "
        "exclude, priority, condition_id, rollout_state, rollout_step, rollout_version, rollout_from, rollout_at, "
        "created_at, changed_at) VALUES (1, %" APR_INT64_T_FMT ", 0, 2, 'anna', 0, 0, 0, 0, 0, 0, 0, 0, 1, 1);", id));
    request = request_of("sales");
    OK(mdm_library_archive(&saved, st, &request));
    ck_assert_int_eq(saved.assignments, 1);
    stored("SELECT COUNT(*) FROM mdm_assignment;", "0");
    stored("SELECT COUNT(*) FROM mdm_watched_fact;", "0");
    stored("SELECT COUNT(*) FROM mdm_change;", "1");
    ck_assert_int_eq(mdm_library_archive(&saved, st, &request), MDM_ENOTFOUND);
    save("sales", "", "<key>DomainName</key><string>${device.serial}</string>");
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_NEW);
    ck_assert_int_eq(saved.profile->id, id);
    ck_assert_int_eq(saved.version->version, 2);
    stored("SELECT COUNT(*), MAX(archived_at) FROM mdm_profile;", "1|0");
    stored("SELECT name FROM mdm_watched_fact ORDER BY name;", "IMEI\nSerialNumber");
    stored("SELECT COUNT(*) FROM mdm_change;", "2");
    database_end();
}
END_TEST

START_TEST(a_version_that_cannot_be_read_keeps_nothing_back)
{
    mdm_library_request_t request;
    mdm_profile_version_t odd = { 0 };
    const char *name = "a";

    start(_i);
    secret("a", "AAEC");
    save("sales", "", "<key>DomainName</key><string>${device.imei}</string>");
    odd.profile = saved.profile->id;
    odd.version = 2;
    odd.body = mdm_bytes_of("no property list");
    odd.sha256 = "-";
    odd.detail = "{}";
    OK(mdm_store_profile_version_insert(st, &odd));
    OK(mdm_store_profile_secrets(st, odd.profile, odd.version, &name, 1));
    database_sql("UPDATE mdm_profile SET version = 2;");
    secret("a", "no base64!");
    request = request_of("sales");
    OK(mdm_library_archive(&saved, st, &request));
    save("sales", "", "");
    ck_assert_int_eq(saved.outcome, MDM_LIBRARY_NEW);
    ck_assert_int_eq(saved.version->version, 3);
    stored("SELECT name FROM mdm_watched_fact;", "IMEI");
    database_end();
}
END_TEST

/* ---- secrets */

static const char *sentence(apr_status_t wanted, apr_status_t rv)
{
    const char *why = mdm_ctx_detail(st->ctx, rv);

    ck_assert_msg(rv == wanted, "%d: %s", rv, why);
    mdm_ctx_clear(st->ctx);
    return why;
}

START_TEST(secrets_have_generations_and_no_past)
{
    mdm_library_request_t request;
    mdm_library_secret_t out;
    mdm_bytes_t value;
    int generation;

    start(_i);
    request = request_of("wifi");
    request.body = mdm_bytes_of("first CANARY");
    OK(mdm_library_rotate(&out, st, &request));
    ck_assert(out.made && out.generation == 1);
    OK(mdm_library_rotate(&out, st, &request));
    ck_assert(!out.made && out.generation == 1);
    save("sales", "", "<key>Password</key><string>${secret.wifi}</string>");
    request.body = mdm_bytes_of("second CANARY");
    OK(mdm_library_rotate(&out, st, &request));
    ck_assert(out.made && out.generation == 2 && out.uses->nelts == 1);
    OK(mdm_store_secret_value(&value, &generation, st, "wifi"));
    ck_assert_str_eq((const char *)value.data, "second CANARY");
    ck_assert_int_eq(generation, 2);
    stored("SELECT generation, CASE WHEN retired_at > 0 THEN 'old' ELSE 'new' END, LENGTH(value) > 0 FROM mdm_secret "
           "ORDER BY generation;", _i ? "1|old|f\n2|new|t" : "1|old|0\n2|new|1");
    stored("SELECT kind, object, actor FROM mdm_change;", "secret|wifi|admin");
    stored("SELECT kind, object, detail FROM mdm_event ORDER BY id;", "secret.created|wifi|generation 1\n"
           "profile.created|sales|version 1\nsecret.rotated|wifi|generation 2");
    HAS(sentence(MDM_EEXIST, mdm_library_forget_secret(st, &request)), "version 1 of the profile sales");
    stored("SELECT COUNT(*) FROM mdm_secret;", "2");
    save("sales", "", "");
    OK(mdm_library_forget_secret(st, &request));
    stored("SELECT COUNT(*) FROM mdm_secret;", "0");
    HAS(sentence(MDM_ENOTFOUND, mdm_library_forget_secret(st, &request)), "there is no secret wifi");
    HAS(sentence(MDM_ENOTFOUND, mdm_store_secret_value(&value, NULL, st, "wifi")), "wifi");
    database_end();
}
END_TEST

START_TEST(values_are_bound_to_name_and_generation)
{
    mdm_bytes_t value;

    start(_i);
    secret("a", "one");
    secret("b", "two");
    database_sql("UPDATE mdm_secret SET value = (SELECT s.value FROM mdm_secret s WHERE s.name = 'a') "
                 "WHERE name = 'b';");
    ck_assert_int_eq(mdm_store_secret_value(&value, NULL, st, "b"), MDM_ECRYPTO);
    mdm_ctx_clear(st->ctx);
    database_sql("UPDATE mdm_secret SET generation = 5 WHERE name = 'a';");
    ck_assert_int_eq(mdm_store_secret_value(&value, NULL, st, "a"), MDM_ECRYPTO);
    database_end();
}
END_TEST

START_TEST(values_have_limits)
{
    mdm_library_request_t request;
    mdm_library_secret_t out;
    char *large;

    start(_i);
    large = apr_palloc(database_pool(), MDM_SECRET_VALUE_MAX + 2);
    memset(large, 'x', MDM_SECRET_VALUE_MAX + 1);
    large[MDM_SECRET_VALUE_MAX + 1] = '\0';
    request = request_of("a");
    request.body = mdm_bytes_of(large);
    HAS(sentence(MDM_ETOOBIG, mdm_library_rotate(&out, st, &request)), "secret \"a\": value must not have more than");
    request.body.len--;
    large[MDM_SECRET_VALUE_MAX] = '\0';
    OK(mdm_library_rotate(&out, st, &request));
    request.body = mdm_bytes_of("");
    HAS(sentence(MDM_EINPUT, mdm_library_rotate(&out, st, &request)), "secret \"a\": value is empty: give one");
    request.body = mdm_bytes_of("bell\a");
    HAS(sentence(MDM_EINPUT, mdm_library_rotate(&out, st, &request)), ":data");
    request = request_of("a/b");
    request.body = mdm_bytes_of("x");
    HAS(sentence(MDM_EINPUT, mdm_library_rotate(&out, st, &request)), "secret \"a/b\": the name must have 1 to");
    /* what is taken as base64 has to be it, whichever comes first */
    secret("blob", "no base64!");
    HAS(refused(MDM_EINPUT, "cert", file_of("", "</dict><dict><key>PayloadType</key><string>com.apple.security.root"
        "</string><key>PayloadContent</key><string>${secret.blob:data}</string>"), 0), "secret blob is not base64");
    secret("blob", "AAEC");
    save("cert", "", "</dict><dict><key>PayloadType</key><string>com.apple.security.root</string><key>PayloadContent"
         "</key><string>${secret.blob:data}</string>");
    request = request_of("blob");
    request.body = mdm_bytes_of("no base64 either!");
    HAS(sentence(MDM_EINPUT, mdm_library_rotate(&out, st, &request)), "version 1 of the profile cert takes it as that");
    stored("SELECT MAX(generation) FROM mdm_secret WHERE name = 'blob';", "2");
    database_end();
}
END_TEST

START_TEST(many_values_at_once)
{
    apr_array_header_t *names, *closed;
    apr_hash_t *values;
    int i;

    start(_i);
    names = apr_array_make(database_pool(), 80, sizeof(const char *));
    for (i = 0; i < 70; i++) {
        const char *name = apr_psprintf(database_pool(), "s%d", i);

        secret(name, apr_pstrcat(database_pool(), "value of ", name, NULL));
        APR_ARRAY_PUSH(names, const char *) = name;
    }
    APR_ARRAY_PUSH(names, const char *) = "none";
    i = mdm_db_statements(st->db);
    OK(mdm_store_secret_values(&values, &closed, st, (const char *const *)names->elts, names->nelts));
    ck_assert_int_eq(mdm_db_statements(st->db) - i, 2);
    ck_assert_int_eq(apr_hash_count(values), 70);
    ck_assert_str_eq((const char *)((mdm_bytes_t *)apr_hash_get(values, "s69", APR_HASH_KEY_STRING))->data,
                     "value of s69");
    database_end();
}
END_TEST

/* ---- differences */

static mdm_plist_t *tree_of(const char *top, const char *keys)
{
    mdm_plist_t *tree;

    OK(mdm_library_open(&tree, st->ctx, mdm_bytes_of(file_of(top, keys))));
    OK(mdm_library_normalise(tree, st->ctx, "x"));
    return tree;
}

static const char *diff(const char *from, const char *to)
{
    json_t *changes = mdm_library_diff(tree_of("", from), tree_of("", to), database_pool());
    char *text = json_dumps(changes, JSON_COMPACT);
    const char *copy = apr_pstrdup(database_pool(), text);

    free(text);
    json_decref(changes);
    return copy;
}

START_TEST(differences_are_found_and_secrets_masked)
{
    start(_i);
    ck_assert_str_eq(diff("", ""), "[]");
    ck_assert_str_eq(diff("<key>AutoJoin</key><true/>", "<key>AutoJoin</key><false/>"),
        "[{\"change\":\"changed\",\"path\":\"PayloadContent[0].AutoJoin\",\"from\":true,\"to\":false}]");
    ck_assert_str_eq(diff("", "<key>DomainName</key><string>d</string>"),
        "[{\"change\":\"added\",\"path\":\"PayloadContent[0].DomainName\",\"to\":\"d\"}]");
    ck_assert_str_eq(diff("<key>DomainName</key><string>d</string>", ""),
        "[{\"change\":\"removed\",\"path\":\"PayloadContent[0].DomainName\",\"from\":\"d\"}]");
    ck_assert_str_eq(diff("<key>Password</key><string>CANARY1</string>", "<key>Password</key><string>CANARY2</string>"),
        "[{\"change\":\"changed\",\"path\":\"PayloadContent[0].Password\",\"from\":\"********\",\"to\":\"********\"}]");
    ck_assert_str_eq(diff("<key>Password</key><string>CANARY1</string>",
                          "<key>Password</key><string>${secret.wifi}</string>"),
        "[{\"change\":\"changed\",\"path\":\"PayloadContent[0].Password\",\"from\":\"********\",\"to\":"
        "\"${secret.wifi}\"}]");
    database_end();
}
END_TEST

START_TEST(payloads_are_paired_by_identifier)
{
    const char *one = "<key>PayloadIdentifier</key><string>one</string>";
    const char *two = "</dict><dict><key>PayloadType</key><string>com.apple.webClip.managed</string><key>"
        "PayloadIdentifier</key><string>two</string><key>Label</key><string>L</string>";
    const char *more = "</dict><dict><key>PayloadType</key><string>com.apple.webClip.managed</string><key>"
        "PayloadIdentifier</key><string>three</string><key>Label</key><string>M</string>";
    const char *found;

    start(_i);
    found = diff(apr_pstrcat(database_pool(), one, two, more, NULL), apr_pstrcat(database_pool(), one, more, NULL));
    HAS(found, "[{\"change\":\"removed\",\"path\":\"PayloadContent[1]\"");
    ck_assert_ptr_null(strstr(found, "three"));
    HAS(found, "\"Label\":\"L\"");
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("library");
    TCase *t = tcase_create("library");

    (void)argc;
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, versions_are_made_only_by_changes, 0, DATABASES);
    tcase_add_loop_test(t, a_version_is_restored_and_the_history_goes_on, 0, DATABASES);
    tcase_add_loop_test(t, identifiers_stay_and_the_servers_own_are_kept, 0, DATABASES);
    tcase_add_loop_test(t, what_cannot_be_a_profile_is_refused_by_name, 0, DATABASES);
    tcase_add_loop_test(t, what_nothing_could_read_again_is_refused, 0, DATABASES);
    tcase_add_loop_test(t, json_and_file_make_the_same, 0, DATABASES);
    tcase_add_loop_test(t, names_of_secrets_and_facts_are_kept, 0, DATABASES);
    tcase_add_loop_test(t, a_check_writes_nothing, 0, DATABASES);
    tcase_add_loop_test(t, an_archived_profile_goes_and_comes_back, 0, DATABASES);
    tcase_add_loop_test(t, a_version_that_cannot_be_read_keeps_nothing_back, 0, DATABASES);
    tcase_add_loop_test(t, secrets_have_generations_and_no_past, 0, DATABASES);
    tcase_add_loop_test(t, values_are_bound_to_name_and_generation, 0, DATABASES);
    tcase_add_loop_test(t, values_have_limits, 0, DATABASES);
    tcase_add_loop_test(t, many_values_at_once, 0, DATABASES);
    tcase_add_loop_test(t, differences_are_found_and_secrets_masked, 0, 1);
    tcase_add_loop_test(t, payloads_are_paired_by_identifier, 0, 1);
    suite_add_tcase(suite, t);
    return database_main(suite, argv);
}
