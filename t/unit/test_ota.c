/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Over-the-air enrollment on both databases: three phases from session to final profile, and each way in
 * which an answer can be wrong. The openssl command line plays the device: it signs, opens and decrypts.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_authority.h"
#include "mdm_challenge.h"
#include "mdm_ota.h"
#include "mdm_payloads.h"
#include "mdm_plist.h"
#include "oracle.h"

#define HOUR apr_time_from_sec(3600)
#define SOURCE "192.0.2.7"
#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, \
                               st->ctx->detail ? st->ctx->detail : "-")

#define PLIST(inner) "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">" inner "</plist>\n"
#define FACTS "<key>UDID</key><string>00008120-1</string><key>SERIAL</key><string>C39XYZ</string>" \
    "<key>PRODUCT</key><string>iPhone15,2</string><key>VERSION</key><string>22B83</string>" \
    "<key>IMEI</key><string>35 328510 000001 0</string>"
#define WIFI "<dict><key>PayloadType</key><string>com.apple.wifi.managed</string><key>PayloadVersion</key>" \
    "<integer>1</integer><key>PayloadIdentifier</key><string>x.wifi</string><key>PayloadUUID</key>" \
    "<string>11111111-2222-3333-4444-555555555555</string><key>SSID_STR</key><string>ward 7</string></dict>"
#define ANOTHER PLIST("<dict><key>UDID</key><string>00008120-2</string></dict>")
#define ANOTHER_SERIAL PLIST("<dict><key>UDID</key><string>00008120-1</string><key>SERIAL</key>" \
    "<string>C39ABC</string></dict>")
#define CONFIGURATION(payloads) PLIST("<dict><key>PayloadType</key><string>Configuration</string>" \
    "<key>PayloadContent</key><array>" payloads "</array></dict>")

static mdm_store_t *st;
static mdm_site_t *site;
static mdm_session_t session;
static mdm_ota_answer_t answer;

static mdm_cert_t *cert_of(const char *name)
{
    mdm_cert_t *cert;

    OK(mdm_cert_from_pem(&cert, st->ctx, oracle_read(name)));
    return cert;
}

/* A device CA as Apple's is (RSA 1024, SHA-1), and a device below it. */
static void make_devices(void)
{
    apr_array_header_t *cas = apr_array_make(st->ctx->pool, 1, sizeof(mdm_cert_t *));

    oracle_run("openssl req -x509 -newkey rsa:1024 -nodes -sha1 -keyout dca.key -out dca.pem -days 1 "
               "-subj '/O=Maker/CN=Device CA' && "
               "openssl req -newkey rsa:1024 -nodes -keyout dev.key -out dev.csr -subj '/CN=00008120-1' && "
               "openssl x509 -req -sha1 -in dev.csr -CA dca.pem -CAkey dca.key -set_serial 7 -out dev.pem");
    APR_ARRAY_PUSH(cas, mdm_cert_t *) = cert_of("dca.pem");
    site->device_cas = cas;
}

static void make_site(void)
{
    mdm_authority_t *authority = apr_pcalloc(st->ctx->pool, sizeof(*authority));
    apr_array_header_t *authorities = apr_array_make(st->ctx->pool, 1, sizeof(mdm_authority_t *));
    mdm_key_t *key;
    mdm_cert_t *ca;

    OK(mdm_key_generate(&key, st->ctx, 2048));
    OK(mdm_cert_make_ca(&ca, st->ctx, key, "Org", "Identity CA", 0, 24 * 365 * HOUR));
    authority->cert = ca;
    authority->key = key;
    authority->fingerprint = mdm_cert_fingerprint(st->ctx, ca);
    OK(mdm_cert_to_der(&authority->der, st->ctx, ca));
    APR_ARRAY_PUSH(authorities, mdm_authority_t *) = authority;
    site = apr_pcalloc(st->ctx->pool, sizeof(*site));
    site->authorities = authorities;
    site->server_url = "https://mdm.example.com";
    site->enroll_url = "https://mdm.example.com/mdm/enroll";
    site->scep_url = site->checkin_url = site->connect_url = "https://mdm.example.com/x";
    site->organization = "Org";
    site->profile_identifier = "com.example.mdm";
    site->challenge_lifetime = HOUR;
    site->identity_lifetime = 24 * HOUR;
    site->trust = apr_array_make(st->ctx->pool, 1, sizeof(mdm_cert_t *));
    site->profile_cipher = MDM_CIPHER_AES_256_CBC;
    site->signer = ca;
    site->signer_key = key;
}

static void make_session(apr_int64_t id, apr_int64_t invitation)
{
    memset(&session, 0, sizeof(session));
    session.id = id;
    session.sha256 = apr_psprintf(st->ctx->pool, "cookie-%d", (int)id);
    session.state = MDM_SESSION_SIGNED_IN;
    session.method = MDM_SESSION_PROFILE_SERVICE;
    session.user = "anna";
    session.invitation = invitation;
    session.common_name = apr_psprintf(st->ctx->pool, "common-%d", (int)id);
    session.created_at = session.changed_at = mdm_ctx_now(st->ctx);
    session.expires_at = mdm_ctx_now(st->ctx) + 2 * HOUR;
    OK(mdm_store_session_insert(st, &session));
}

static void add_configuration(const char *text)
{
    apr_array_header_t *payloads = apr_array_make(st->ctx->pool, 1, sizeof(mdm_plist_t *));

    OK(mdm_payloads_read(payloads, st->ctx, "wifi", mdm_bytes_of(text)));
    site->configuration = payloads;
}

static void start(int loop)
{
    database_start(loop);
    oracle_start();
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_now();
    make_site();
    make_devices();
    add_configuration(CONFIGURATION(WIFI));
    make_session(1, 0);
}

static void end(void)
{
    oracle_end();
    database_end();
}

/* The first profile, opened by openssl; its challenge. */
static const char *first_challenge(void)
{
    mdm_plist_t *root;
    mdm_bytes_t der;

    OK(mdm_ota_first_profile(&der, st, site, &session));
    oracle_write("first.der", der);
    oracle_run("openssl cms -verify -inform DER -in first.der -noverify -binary -out first.plist");
    OK(mdm_plist_read(&root, st->ctx, oracle_read("first.plist")));
    return mdm_plist_get_string(mdm_plist_get(root, "PayloadContent"), "Challenge");
}

static mdm_bytes_t signed_by(const char *who, const char *text, const char *options)
{
    oracle_write("c.plist", mdm_bytes_of(text));
    oracle_run(apr_psprintf(st->ctx->pool, "openssl cms -sign -binary -nodetach -in c.plist -signer %s.pem "
                            "-inkey %s.key -outform DER -out m.der %s", who, who, options));
    return oracle_read("m.der");
}

static const char *facts_with(const char *challenge)
{
    return apr_psprintf(st->ctx->pool, PLIST("<dict>" FACTS "<key>CHALLENGE</key><string>%s</string></dict>"),
                        challenge);
}

static apr_status_t post(mdm_bytes_t message)
{
    return mdm_ota_answer(&answer, st, site, message, SOURCE);
}

static void refused(apr_status_t wanted, apr_status_t rv, const char *why)
{
    ck_assert_str_eq(mdm_err_name(rv), mdm_err_name(wanted));
    oracle_has(st->ctx->detail, why);
    ck_assert_uint_eq(answer.profile.len, 0);
    mdm_ctx_clear(st->ctx);
}

/* What SCEP does: a certificate for a key of the device's own, kept for its session. */
static void identify(const char *name, apr_int64_t of)
{
    const mdm_authority_t *authority = mdm_authority_present(site, mdm_ctx_now(st->ctx));
    mdm_certificate_t row = { 0 };
    mdm_issue_t how = { 0 };
    mdm_csr_t *csr;
    mdm_cert_t *cert;
    int weak;

    oracle_run(apr_psprintf(st->ctx->pool, "openssl req -newkey rsa:2048 -nodes -keyout %s.key -outform DER "
                            "-out %s.csr -subj /CN=common-1", name, name));
    OK(mdm_csr_from_der(&csr, &weak, st->ctx, oracle_read(apr_pstrcat(st->ctx->pool, name, ".csr", NULL))));
    how.csr = csr;
    how.ca = authority->cert;
    how.ca_key = authority->key;
    how.not_before = mdm_ctx_now(st->ctx) - HOUR;
    how.not_after = mdm_ctx_now(st->ctx) + 24 * HOUR;
    OK(mdm_cert_issue(&cert, st->ctx, &how));
    OK(mdm_cert_to_pem(&row.pem, st->ctx, cert));
    oracle_write(apr_pstrcat(st->ctx->pool, name, ".pem", NULL), mdm_bytes_of(row.pem));
    row.fingerprint = mdm_cert_fingerprint(st->ctx, cert);
    row.serial = mdm_cert_serial(st->ctx, cert);
    row.subject = "CN=common-1";
    row.not_before = how.not_before;
    row.not_after = how.not_after;
    row.issued_at = mdm_ctx_now(st->ctx);
    row.issuer = authority->fingerprint;
    row.user = "anna";
    row.session = of;
    OK(mdm_store_certificate_insert(st, &row));
    OK(mdm_store_session_identify(st, of, row.fingerprint));
}

static const char *kept(const char *challenge)
{
    return database_sql(apr_psprintf(st->ctx->pool, "SELECT kind, login, session FROM mdm_challenge WHERE "
                                     "sha256 = '%s';",
                                     mdm_sha256_hex(mdm_bytes_of(challenge), st->ctx->pool)));
}

static void describe(void)
{
    OK(post(signed_by("dev", facts_with(first_challenge()), "-md sha1")));
    ck_assert_int_eq(answer.phase, 2);
}

START_TEST(the_first_profile_ties_a_challenge_to_the_person)
{
    const char *challenge, *again;

    start(_i);
    challenge = first_challenge();
    again = first_challenge();
    ck_assert_uint_eq(strlen(challenge), 40);
    ck_assert_str_ne(challenge, again);
    oracle_has((const char *)oracle_read("first.plist").data, "<string>Profile Service</string>");
    oracle_has((const char *)oracle_read("first.plist").data, "https://mdm.example.com/mdm/enroll/device");
    oracle_has(database_sql("SELECT state FROM mdm_session;"), "2");
    oracle_has(kept(challenge), "profile-service|anna|1");
    ck_assert_int_eq(oracle_count(database_sql("SELECT sha256 FROM mdm_challenge;"), challenge), 0);
    end();
}
END_TEST

START_TEST(a_device_without_mdm_goes_all_the_way)
{
    mdm_enrollment_t *enrollment;
    mdm_session_t *present;

    start(_i);
    describe();
    oracle_write("p2.der", answer.profile);
    oracle_run("openssl cms -verify -inform DER -in p2.der -noverify -binary -out p2.plist");
    oracle_has((const char *)oracle_read("p2.plist").data, "com.apple.security.scep");
    oracle_has((const char *)oracle_read("p2.plist").data, "<string>common-1</string>");
    OK(mdm_store_session_get(&present, st, 1));
    ck_assert_int_eq(present->state, MDM_SESSION_DESCRIBED);
    ck_assert_str_eq(present->facts.imei, "35 328510 000001 0");
    ck_assert_str_eq(present->facts.product, "iPhone15,2");
    ck_assert_ptr_null(present->facts.iccid);

    identify("id", 1);
    OK(post(signed_by("id", PLIST("<dict>" FACTS "</dict>"), "")));
    ck_assert_int_eq(answer.phase, 3);
    ck_assert_str_eq(answer.user, "anna");
    oracle_write("p3.der", answer.profile);
    oracle_run("openssl cms -verify -inform DER -in p3.der -noverify -binary -out p3.plist");
    ck_assert_int_eq(oracle_count((const char *)oracle_read("p3.plist").data, "ward 7"), 0);
    OK(mdm_store_session_get(&present, st, 1));
    ck_assert_int_eq(present->state, MDM_SESSION_DONE);
    OK(mdm_store_enrollment_get(&enrollment, st, "00008120-1"));
    ck_assert_str_eq(mdm_state_name(enrollment->state), "unmanaged");
    ck_assert_str_eq(enrollment->user, "anna");
    ck_assert_str_eq(enrollment->serial_number, "C39XYZ");
    ck_assert_int_eq(present->enrollment, enrollment->id);

    OK(post(signed_by("id", PLIST("<dict>" FACTS "</dict>"), "")));
    ck_assert_int_eq(answer.delivered_before, 1);
    ck_assert_uint_eq(answer.profile.len, 0);
    end();
}
END_TEST

START_TEST(only_the_devices_own_key_opens_the_final_profile)
{
    mdm_plist_t *root;
    mdm_bytes_t sealed;
    int status;

    start(_i);
    describe();
    identify("id", 1);
    OK(post(signed_by("id", PLIST("<dict>" FACTS "</dict>"), "")));
    oracle_write("p3.der", answer.profile);
    oracle_run("openssl cms -verify -inform DER -in p3.der -noverify -binary -out p3.plist");
    OK(mdm_plist_read(&root, st->ctx, oracle_read("p3.plist")));
    ck_assert_int_eq(mdm_plist_get_data(&sealed, root, "EncryptedPayloadContent"), 1);
    oracle_write("env.der", sealed);
    oracle_has(oracle_run("openssl cms -decrypt -inform DER -in env.der -recip id.pem -inkey id.key"),
               "ward 7");
    identify("other", 2);
    ck_assert_int_eq(oracle_count(oracle_try(&status, "openssl cms -decrypt -inform DER -in env.der -inkey "
                                             "other.key"), "ward 7"), 0);
    end();
}
END_TEST

START_TEST(a_challenge_works_once_in_time_and_for_its_kind)
{
    mdm_challenge_t wanted = { 0 };
    const char *challenge;
    mdm_bytes_t message;

    start(_i);
    refused(MDM_EDENIED, post(signed_by("dev", PLIST("<dict>" FACTS "</dict>"), "-md sha1")), "no challenge");
    refused(MDM_EDENIED, post(signed_by("dev", facts_with("0123"), "-md sha1")), "challenge is unknown");
    wanted.kind = MDM_CHALLENGE_SCEP;
    wanted.session = 1;
    OK(mdm_challenge_make(&challenge, st, &wanted, HOUR));
    refused(MDM_EDENIED, post(signed_by("dev", facts_with(challenge), "-md sha1")), "challenge is unknown");

    challenge = first_challenge();
    st->ctx->fixed_now += HOUR + 1;
    refused(MDM_EDENIED, post(signed_by("dev", facts_with(challenge), "-md sha1")), "expired");
    message = signed_by("dev", facts_with(first_challenge()), "-md sha256");
    OK(post(message));
    refused(MDM_EDENIED, post(message), "used");

    make_session(2, 0);
    challenge = first_challenge();
    session.id = 0;
    site->challenge_lifetime = 24 * HOUR;
    make_session(3, 0);
    message = signed_by("dev", facts_with(first_challenge()), "-md sha256");
    st->ctx->fixed_now += 2 * HOUR + 1;
    refused(MDM_EDENIED, post(message), "no open enrollment");
    end();
}
END_TEST

START_TEST(nobody_else_signs)
{
    const char *challenge;

    start(_i);
    challenge = first_challenge();
    oracle_run("openssl req -x509 -newkey rsa:2048 -nodes -keyout liar.key -out liar.pem -days 1 "
               "-subj '/CN=00008120-1' && "
               "openssl req -x509 -newkey rsa:2048 -nodes -keyout fca.key -out fca.pem -days 1 "
               "-subj '/O=Maker/CN=Device CA' && "
               "openssl x509 -req -in dev.csr -CA fca.pem -CAkey fca.key -set_serial 7 -out forged.pem && "
               "cp dev.key forged.key && "
               "openssl req -newkey rsa:2048 -nodes -keyout below.key -out below.csr -subj '/CN=below' && "
               "openssl x509 -req -in below.csr -CA dev.pem -CAkey dev.key -set_serial 9 -out below.pem");
    refused(MDM_EDENIED, post(signed_by("liar", facts_with(challenge), "")), "no device");
    refused(MDM_EDENIED, post(signed_by("forged", facts_with(challenge), "")), "no device");
    refused(MDM_EDENIED, post(signed_by("forged", facts_with(challenge), "-certfile fca.pem")), "no device");
    refused(MDM_EDENIED, post(signed_by("forged", facts_with(challenge), "-certfile dca.pem")), "no device");
    refused(MDM_EDENIED, post(signed_by("below", facts_with(challenge), "-certfile dev.pem")), "no device");
    refused(MDM_EINPUT, post(signed_by("dev", facts_with(challenge), "-signer liar.pem -inkey liar.key")),
            "exactly one signer");
    site->device_cas = apr_array_make(st->ctx->pool, 1, sizeof(mdm_cert_t *));
    refused(MDM_EDENIED, post(signed_by("dev", facts_with(challenge), "")), "MDMDeviceCAFile");
    end();
}
END_TEST

START_TEST(a_ca_below_the_device_ca_may_come_along)
{
    start(_i);
    oracle_write("ext", mdm_bytes_of("basicConstraints=critical,CA:TRUE\n"));
    oracle_run("openssl req -newkey rsa:2048 -nodes -keyout mid.key -out mid.csr -subj '/CN=Device CA 2' && "
               "openssl x509 -req -in mid.csr -CA dca.pem -CAkey dca.key -set_serial 8 -extfile ext "
               "-out mid.pem && "
               "openssl x509 -req -in dev.csr -CA mid.pem -CAkey mid.key -set_serial 9 -out new.pem && "
               "cp dev.key new.key");
    refused(MDM_EDENIED, post(signed_by("new", facts_with(first_challenge()), "")), "no device");
    OK(post(signed_by("new", facts_with(first_challenge()), "-certfile mid.pem")));
    end();
}
END_TEST

START_TEST(phase_three_is_for_the_sessions_identity_alone)
{
    const char *facts = PLIST("<dict>" FACTS "</dict>");
    const char *serial;

    start(_i);
    describe();
    refused(MDM_EDENIED, post(signed_by("dev", facts, "-md sha1")), "no challenge");
    identify("id", 1);
    refused(MDM_EDENIED, post(signed_by("dev", facts, "-md sha1")), "no challenge");
    identify("stray", 0);
    refused(MDM_EDENIED, post(signed_by("stray", facts, "")), "no open enrollment");
    refused(MDM_EDENIED, post(signed_by("id", ANOTHER, "")),
            "another device");
    refused(MDM_EDENIED, post(signed_by("id", ANOTHER_SERIAL, "")),
            "another device");
    make_session(4, 0);
    identify("early", 4);
    refused(MDM_EDENIED, post(signed_by("early", facts, "")), "not the identity");
    serial = mdm_cert_serial(st->ctx, cert_of("id.pem"));
    OK(mdm_store_certificate_revoke(st, serial, "keyCompromise"));
    refused(MDM_EDENIED, post(signed_by("id", facts, "")), "not in force");
    end();
}
END_TEST

START_TEST(an_invitation_for_one_device_is_for_no_other)
{
    mdm_invitation_t invitation = { 0 };

    start(_i);
    invitation.id = 9;
    invitation.sha256 = "token";
    invitation.serial_number = "C39OTHER";
    invitation.uses_left = invitation.uses = 1;
    invitation.created_at = mdm_ctx_now(st->ctx);
    invitation.expires_at = mdm_ctx_now(st->ctx) + HOUR;
    OK(mdm_store_invitation_insert(st, &invitation));
    make_session(5, 9);
    refused(MDM_EDENIED, post(signed_by("dev", facts_with(first_challenge()), "")), "another device");
    oracle_has(database_sql("SELECT kind, actor, object FROM mdm_event ORDER BY id DESC LIMIT 1;"),
               "enrollment.refused|anna|C39XYZ");
    oracle_has(database_sql("SELECT state FROM mdm_session WHERE id = 5;"), "2");
    end();
}
END_TEST

/* Each spoiled message is refused and changes nothing: the challenge is as good as before. */
START_TEST(spoiled_messages_are_refused)
{
    mdm_bytes_t good, bad;
    unsigned char *bytes;
    apr_size_t i;

    start(_i);
    good = signed_by("dev", facts_with(first_challenge()), "-md sha1");
    for (i = 0; i < good.len; i += 3) {
        bytes = apr_pmemdup(st->ctx->pool, good.data, good.len);
        bytes[i] ^= (unsigned char)(1 << (i % 8));
        bad.data = bytes;
        bad.len = good.len;
        if (post(bad) == APR_SUCCESS)
            break;
        mdm_ctx_clear(st->ctx);
        bad.data = good.data;
        bad.len = i;
        ck_assert_int_ne(post(bad), APR_SUCCESS);
        mdm_ctx_clear(st->ctx);
    }
    ck_assert_msg(i >= good.len, "accepted with bit %d of byte %d of %d flipped", (int)(i % 8), (int)i,
                  (int)good.len);
    OK(post(good));
    end();
}
END_TEST

START_TEST(wrong_contents_are_refused)
{
    static const struct {
        const char *text, *why;
        apr_status_t code;
    } cases[] = {
        { "", "", MDM_EPLIST },
        { "hello", "", MDM_EPLIST },
        { PLIST("<array></array>"), "not a dictionary", MDM_EINPUT },
        { PLIST("<dict></dict>"), "UDID", MDM_EINPUT },
        { PLIST("<dict><key>UDID</key><integer>1</integer></dict>"), "UDID", MDM_EINPUT },
        { PLIST("<dict><key>UDID</key><string>00008120-1:anna</string></dict>"), "hyphens", MDM_EINPUT },
        { PLIST("<dict><key>UDID</key><string>1</string><key>IMEI</key><data>AAAA</data></dict>"), "IMEI",
          MDM_EINPUT },
        { "<!DOCTYPE plist [<!ENTITY a \"b\">]>" PLIST("<dict>&a;</dict>"), "", MDM_EPLIST },
    };
    const char *huge;
    apr_size_t i;

    start(_i);
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        refused(cases[i].code, post(signed_by("dev", cases[i].text, "")), cases[i].why);
    huge = apr_psprintf(st->ctx->pool, PLIST("<dict><key>UDID</key><string>%0256d</string></dict>"), 7);
    refused(MDM_EINPUT, post(signed_by("dev", huge, "")), "255");
    end();
}
END_TEST

static void bad_file(const char *text, const char *why)
{
    apr_array_header_t *payloads = apr_array_make(st->ctx->pool, 1, sizeof(mdm_plist_t *));

    ck_assert_int_eq(mdm_payloads_read(payloads, st->ctx, "file.mobileconfig", mdm_bytes_of(text)),
                     MDM_ECONFIG);
    oracle_has(st->ctx->detail, "file.mobileconfig: ");
    oracle_has(st->ctx->detail, why);
    mdm_ctx_clear(st->ctx);
}

START_TEST(configuration_files_are_read_signed_or_not)
{
    apr_array_header_t *payloads;

    start(_i);
    payloads = apr_array_make(st->ctx->pool, 1, sizeof(mdm_plist_t *));
    signed_by("dev", CONFIGURATION(WIFI), "");
    OK(mdm_payloads_read(payloads, st->ctx, "signed", oracle_read("m.der")));
    ck_assert_int_eq(payloads->nelts, 1);
    bad_file("", "");
    bad_file("hello", "");
    bad_file(PLIST("<dict/>"), "not Configuration");
    bad_file(CONFIGURATION(""), "no payloads");
    bad_file(CONFIGURATION("<dict/>"), "PayloadUUID");
    bad_file(CONFIGURATION(WIFI WIFI), "two payloads");
    bad_file(CONFIGURATION("<dict><key>PayloadType</key><string>com.apple.mdm</string><key>PayloadUUID</key>"
                           "<string>u</string><key>PayloadIdentifier</key><string>i</string></dict>"), "MDM");
    end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("over-the-air enrollment");
    TCase *both = tcase_create("both databases"), *one = tcase_create("messages");

    (void)argc;
    tcase_set_timeout(both, 60);
    tcase_set_timeout(one, 120);
    tcase_add_loop_test(both, the_first_profile_ties_a_challenge_to_the_person, 0, DATABASES);
    tcase_add_loop_test(both, a_device_without_mdm_goes_all_the_way, 0, DATABASES);
    tcase_add_loop_test(both, a_challenge_works_once_in_time_and_for_its_kind, 0, DATABASES);
    tcase_add_loop_test(both, an_invitation_for_one_device_is_for_no_other, 0, DATABASES);
    tcase_add_loop_test(one, only_the_devices_own_key_opens_the_final_profile, 0, 1);
    tcase_add_loop_test(one, nobody_else_signs, 0, 1);
    tcase_add_loop_test(one, a_ca_below_the_device_ca_may_come_along, 0, 1);
    tcase_add_loop_test(one, phase_three_is_for_the_sessions_identity_alone, 0, 1);
    tcase_add_loop_test(one, spoiled_messages_are_refused, 0, 1);
    tcase_add_loop_test(one, wrong_contents_are_refused, 0, 1);
    tcase_add_loop_test(one, configuration_files_are_read_signed_or_not, 0, 1);
    suite_add_tcase(suite, both);
    suite_add_tcase(suite, one);
    return database_main(suite, argv);
}
