/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollment sessions on both databases: a cookie opens its own session until it expires, states only grow, an
 * invitation pays for as many sign-ins as it has uses, and one device enrolls with each.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_invitation.h"
#include "mdm_session.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, st->ctx->detail ? st->ctx->detail : "-")
#define HOUR apr_time_from_sec(3600)

static mdm_store_t *st;

static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
}

static void refused(apr_status_t wanted, apr_status_t rv)
{
    ck_assert_str_eq(mdm_err_name(rv), mdm_err_name(wanted));
    mdm_ctx_clear(st->ctx);
}

static mdm_sign_in_t sign_in(mdm_session_method_e method)
{
    mdm_sign_in_t s = { 0 };

    s.user = "anna";
    s.source = "192.0.2.7";
    s.method = method;
    s.lifetime = HOUR;
    return s;
}

static mdm_session_t *open_one(mdm_session_method_e method, const char **cookie)
{
    mdm_sign_in_t s = sign_in(method);
    mdm_session_t *session;

    OK(mdm_session_open(cookie, &session, st, &s));
    return session;
}

static mdm_session_state_e state_of(apr_int64_t id)
{
    mdm_session_t *found;

    OK(mdm_store_session_get(&found, st, id));
    return found->state;
}

START_TEST(a_cookie_opens_its_session_until_it_expires)
{
    const char *one, *two;
    mdm_session_t *first, *second, *found;

    start(_i);
    first = open_one(MDM_SESSION_DIRECT, &one);
    second = open_one(MDM_SESSION_PROFILE_SERVICE, &two);
    ck_assert_str_ne(one, two);
    ck_assert_uint_eq(strlen(one), 43);
    OK(mdm_session_find(&found, st, two));
    ck_assert(found->id == second->id && found->id != first->id);
    ck_assert_str_eq(found->user, "anna");
    ck_assert_str_eq(found->source_ip, "192.0.2.7");
    ck_assert_int_eq(found->state, MDM_SESSION_SIGNED_IN);
    ck_assert_int_eq(found->method, MDM_SESSION_PROFILE_SERVICE);
    ck_assert_ptr_null(found->certificate);
    ck_assert_str_eq(database_sql(apr_psprintf(database_pool(), "SELECT COUNT(*) FROM mdm_session WHERE sha256 = "
                                               "'%s';", mdm_sha256_hex(mdm_bytes_of(two), database_pool()))), "1");
    refused(MDM_ENOTFOUND, mdm_session_find(&found, st, NULL));
    refused(MDM_ENOTFOUND, mdm_session_find(&found, st, ""));
    refused(MDM_ENOTFOUND, mdm_session_find(&found, st, first->sha256));
    st->ctx->fixed_now += HOUR;
    refused(MDM_ENOTFOUND, mdm_session_find(&found, st, two));
    OK(mdm_store_session_get(&found, st, second->id));
    database_end();
}
END_TEST

START_TEST(states_only_grow)
{
    mdm_device_facts_t facts = { 0 };
    mdm_session_t *session, *found;
    const char *cookie;

    start(_i);
    session = open_one(MDM_SESSION_PROFILE_SERVICE, &cookie);
    OK(mdm_store_session_advance(st, session->id, MDM_SESSION_UNSET, MDM_SESSION_OFFERED));
    refused(MDM_ENOTFOUND, mdm_store_session_advance(st, session->id, MDM_SESSION_UNSET, MDM_SESSION_OFFERED));
    OK(mdm_store_session_identify(st, session->id, "f-0"));
    ck_assert_int_eq(state_of(session->id), MDM_SESSION_OFFERED);
    OK(mdm_store_session_advance(st, session->id, MDM_SESSION_OFFERED, MDM_SESSION_DESCRIBED));
    refused(MDM_ENOTFOUND, mdm_store_session_advance(st, session->id, MDM_SESSION_OFFERED, MDM_SESSION_DESCRIBED));
    facts.udid = "U";
    facts.serial_number = "S";
    facts.iccid = "I";
    OK(mdm_store_session_describe(st, session->id, &facts));
    OK(mdm_store_session_identify(st, session->id, "f-1"));
    ck_assert_int_eq(state_of(session->id), MDM_SESSION_IDENTIFIED);
    OK(mdm_store_session_advance(st, session->id, MDM_SESSION_IDENTIFIED, MDM_SESSION_DELIVERED));
    OK(mdm_store_session_identify(st, session->id, "f-2"));
    OK(mdm_store_session_done(st, session->id, 77));
    OK(mdm_store_session_done(st, session->id, 78));
    OK(mdm_store_session_of_enrollment(&found, st, 77));
    ck_assert(found->id == session->id);
    ck_assert_int_eq(found->state, MDM_SESSION_DONE);
    ck_assert_str_eq(found->certificate, "f-1");
    ck_assert_str_eq(found->facts.iccid, "I");
    ck_assert_ptr_null(found->facts.imei);
    refused(MDM_ENOTFOUND, mdm_store_session_of_enrollment(&found, st, 78));
    ck_assert_str_eq(mdm_session_state_name(found->state), "done");
    database_end();
}
END_TEST

START_TEST(old_sessions_are_forgotten_unless_they_enrolled)
{
    mdm_session_t *gone, *kept, *young, *found;
    const char *cookie;

    start(_i);
    gone = open_one(MDM_SESSION_DIRECT, &cookie);
    kept = open_one(MDM_SESSION_DIRECT, &cookie);
    OK(mdm_store_session_done(st, kept->id, 77));
    st->ctx->fixed_now += 31 * 24 * HOUR;
    young = open_one(MDM_SESSION_DIRECT, &cookie);
    refused(MDM_ENOTFOUND, mdm_store_session_get(&found, st, gone->id));
    OK(mdm_store_session_get(&found, st, kept->id));
    OK(mdm_store_session_get(&found, st, young->id));
    database_end();
}
END_TEST

START_TEST(an_invitation_pays_for_its_uses)
{
    mdm_invitation_t invitation = { 0 };
    mdm_sign_in_t s = sign_in(MDM_SESSION_DIRECT);
    mdm_session_t *session;
    const char *token, *cookie;

    start(_i);
    invitation.uses = 1;
    OK(mdm_invitation_make(&token, st, &invitation, HOUR, NULL));
    s.invitation = &invitation;
    s.terms = "be good";
    OK(mdm_session_open(&cookie, &session, st, &s));
    ck_assert(session->invitation == invitation.id);
    refused(MDM_EGONE, mdm_session_open(&cookie, &session, st, &s));
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_session;"), "1");
    ck_assert_str_eq(database_sql("SELECT object FROM mdm_event WHERE kind = 'terms.accepted';"),
                     mdm_sha256_hex(mdm_bytes_of("be good"), database_pool()));
    database_end();
}
END_TEST

static void issue(const char *fingerprint, apr_int64_t session)
{
    mdm_certificate_t c = { 0 };

    c.fingerprint = c.serial = c.subject = c.request_sha256 = c.pem = fingerprint;
    c.not_after = st->ctx->fixed_now + HOUR;
    c.session = session;
    OK(mdm_store_certificate_insert(st, &c));
    if (session)
        OK(mdm_store_session_identify(st, session, fingerprint));
}

START_TEST(one_device_enrolls_and_it_is_the_invited_one)
{
    mdm_invitation_t invitation = { 0 };
    mdm_sign_in_t s = sign_in(MDM_SESSION_DIRECT);
    mdm_session_t *session;
    const char *token, *cookie;

    start(_i);
    invitation.uses = 1;
    invitation.serial_number = "SERIAL";
    OK(mdm_invitation_make(&token, st, &invitation, HOUR, NULL));
    s.invitation = &invitation;
    OK(mdm_session_open(&cookie, &session, st, &s));
    OK(mdm_store_session_advance(st, session->id, MDM_SESSION_UNSET, MDM_SESSION_OFFERED));
    issue("f-early", session->id);
    ck_assert_int_eq(state_of(session->id), MDM_SESSION_IDENTIFIED);
    issue("f-late", session->id);
    refused(MDM_EDENIED, mdm_session_admit(st, session->id + 1, "f-late", "UDID", "SERIAL"));
    OK(mdm_session_admit(st, session->id, "f-late", "UDID", "SERIAL"));
    refused(MDM_EDENIED, mdm_session_admit(st, session->id, "f-early", "UDID", "SERIAL"));
    refused(MDM_EDENIED, mdm_session_admit(st, session->id, "f-late", "UDID", "OTHER"));
    refused(MDM_EDENIED, mdm_session_admit(st, session->id, "f-late", "UDID", NULL));
    OK(mdm_store_session_done(st, session->id, 2));
    ck_assert_int_eq(state_of(session->id), MDM_SESSION_DONE);
    issue("f-third", session->id);
    refused(MDM_EDENIED, mdm_session_admit(st, session->id, "f-third", "UDID", "SERIAL"));
    database_end();
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("session");
    TCase *group = tcase_create("session");

    (void)argc;
    tcase_set_timeout(group, 60);
    tcase_add_loop_test(group, a_cookie_opens_its_session_until_it_expires, 0, DATABASES);
    tcase_add_loop_test(group, states_only_grow, 0, DATABASES);
    tcase_add_loop_test(group, old_sessions_are_forgotten_unless_they_enrolled, 0, DATABASES);
    tcase_add_loop_test(group, an_invitation_pays_for_its_uses, 0, DATABASES);
    tcase_add_loop_test(group, one_device_enrolls_and_it_is_the_invited_one, 0, DATABASES);
    suite_add_tcase(suite, group);
    return database_main(suite, argv);
}
