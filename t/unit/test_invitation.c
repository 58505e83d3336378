/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What opens doors once: invitations and challenges on both databases with a clock of the test's own, and the QR
 * codes of URLs. That the codes can be read is shown with zbar, end to end.
 */
#include <string.h>

#include <apr_strings.h>

#include "database.h"
#include "mdm_challenge.h"
#include "mdm_invitation.h"
#include "mdm_qr.h"

#define OK(call) ck_assert_msg((call) == APR_SUCCESS, "%s: %s", #call, \
                               st->ctx->detail ? st->ctx->detail : "-")
#define HOUR apr_time_from_sec(3600)

static mdm_store_t *st;

static void start(int loop)
{
    database_start(loop);
    st = database_ready(database_pool());
    st->ctx->fixed_now = apr_time_from_sec(1700000000);
}

static void refused(apr_status_t wanted, const char *why, apr_status_t rv)
{
    ck_assert_str_eq(mdm_err_name(rv), mdm_err_name(wanted));
    ck_assert_msg(strstr(mdm_ctx_detail(st->ctx, rv), why) != NULL, "%s", mdm_ctx_detail(st->ctx, rv));
    mdm_ctx_clear(st->ctx);
}

START_TEST(an_invitation_lives)
{
    mdm_invitation_t made = { 0 }, *found;
    const char *token, *other;

    start(_i);
    made.user = "anna";
    made.serial_number = "";
    made.created_by = "api";
    made.uses = 2;
    OK(mdm_invitation_make(&token, st, &made, HOUR, "192.0.2.1"));
    ck_assert_uint_eq(strlen(token), MDM_INVITATION_TOKEN_LEN);
    OK(mdm_invitation_make(&other, st, &made, HOUR, NULL));
    ck_assert_str_ne(token, other);
    OK(mdm_invitation_open(&found, st, token));
    ck_assert_str_eq(found->user, "anna");
    ck_assert_ptr_null(found->serial_number);
    ck_assert_int_eq(found->uses_left, 2);
    OK(mdm_invitation_take(st, found->id));
    OK(mdm_invitation_take(st, found->id));
    refused(MDM_EGONE, "used", mdm_invitation_take(st, found->id));
    refused(MDM_EGONE, "used", mdm_invitation_open(&found, st, token));
    OK(mdm_invitation_open(&found, st, other));
    st->ctx->fixed_now += HOUR - 1;
    OK(mdm_invitation_open(&found, st, other));
    st->ctx->fixed_now += 1;
    refused(MDM_EGONE, "expired", mdm_invitation_open(&found, st, other));
    refused(MDM_EGONE, "expired", mdm_invitation_take(st, made.id));
    OK(mdm_invitation_revoke(st, made.id, "anna", NULL));
    refused(MDM_EGONE, "withdrawn", mdm_invitation_open(&found, st, other));
    refused(MDM_EGONE, "already", mdm_invitation_revoke(st, made.id, "anna", NULL));
    refused(MDM_ENOTFOUND, "no such", mdm_invitation_revoke(st, 1, "anna", NULL));
    refused(MDM_EGONE, "no more", mdm_invitation_take(st, 1));
    ck_assert_str_eq(database_sql("SELECT COUNT(*) FROM mdm_event WHERE kind = 'invitation.created';"), "2");
    database_end();
}
END_TEST

START_TEST(what_is_no_token_asks_no_database)
{
    static const char *const wrong[] = { "", "short", "0123456789012345678901", "012345678901234567890'",
                                         "01234567890123456789012", "0123456789012345678\xc3\xa4_", NULL };
    mdm_invitation_t *found;
    int i, before;

    start(_i);
    before = mdm_db_statements(st->db);
    for (i = 0; wrong[i]; i++)
        refused(MDM_ENOTFOUND, "no such", mdm_invitation_open(&found, st, wrong[i]));
    refused(MDM_ENOTFOUND, "no such", mdm_invitation_open(&found, st, NULL));
    ck_assert_int_eq(mdm_db_statements(st->db) - before, 1);
    database_end();
}
END_TEST

START_TEST(challenges_are_of_a_kind_and_remember_whose_they_are)
{
    mdm_challenge_t wanted = { 0 }, *used;
    const char *text, *other;

    start(_i);
    wanted.kind = MDM_CHALLENGE_PROFILE_SERVICE;
    wanted.user = "anna";
    wanted.invitation = 5;
    wanted.session = 6;
    wanted.enrollment = 7;
    wanted.used_at = 99;
    OK(mdm_challenge_make(&text, st, &wanted, HOUR));
    ck_assert_uint_eq(strlen(text), 40);
    OK(mdm_challenge_new(&other, st, NULL, "CN", HOUR));
    refused(MDM_EDENIED, "challenge", mdm_challenge_use(&used, st, MDM_CHALLENGE_SCEP, text, NULL));
    refused(MDM_EDENIED, "no challenge", mdm_challenge_use(&used, st, MDM_CHALLENGE_SCEP, NULL, NULL));
    refused(MDM_EDENIED, "no challenge", mdm_challenge_use(&used, st, MDM_CHALLENGE_SCEP, "", NULL));
    refused(MDM_EDENIED, "challenge", mdm_challenge_use(&used, st, MDM_CHALLENGE_SCEP, other, "X"));
    OK(mdm_challenge_use(&used, st, MDM_CHALLENGE_PROFILE_SERVICE, text, NULL));
    ck_assert_str_eq(used->user, "anna");
    ck_assert_int_eq(used->invitation, 5);
    ck_assert_int_eq(used->session, 6);
    ck_assert_int_eq(used->enrollment, 7);
    OK(mdm_challenge_use(&used, st, MDM_CHALLENGE_SCEP, other, "CN"));
    database_end();
}
END_TEST

START_TEST(a_qr_code_is_a_whole_picture)
{
    mdm_bytes_t png;
    const char *svg;
    char *text;

    database_start(0);
    st = database_ready(database_pool());
    OK(mdm_qr_svg(&svg, st->ctx, "https://mdm.example.com/mdm/enroll/i/0123456789012345678901"));
    ck_assert_int_eq(strncmp(svg, "<svg xmlns=", 11), 0);
    ck_assert_str_eq(svg + strlen(svg) - 7, "</svg>\n");
    OK(mdm_qr_png(&png, st->ctx, "https://mdm.example.com/mdm/enroll/i/0123456789012345678901"));
    ck_assert_uint_gt(png.len, 100);
    ck_assert_int_eq(memcmp(png.data, "\x89PNG\r\n\x1a\n", 8), 0);
    ck_assert_int_eq(memcmp(png.data + png.len - 8, "IEND", 4), 0);
    text = apr_pcalloc(database_pool(), MDM_QR_MAX + 2);
    memset(text, 'x', MDM_QR_MAX);
    OK(mdm_qr_svg(&svg, st->ctx, text));
    OK(mdm_qr_png(&png, st->ctx, text));
    text[MDM_QR_MAX] = 'x';
    refused(MDM_EINPUT, "1000", mdm_qr_svg(&svg, st->ctx, text));
    refused(MDM_EINPUT, "1000", mdm_qr_png(&png, st->ctx, ""));
    refused(MDM_EINPUT, "1000", mdm_qr_png(&png, st->ctx, NULL));
    database_end();
}
END_TEST

START_TEST(spans_of_time)
{
    ck_assert_int_eq(mdm_time_span("90"), apr_time_from_sec(90));
    ck_assert_int_eq(mdm_time_span("30min"), apr_time_from_sec(1800));
    ck_assert_int_eq(mdm_time_span("12h"), 12 * HOUR);
    ck_assert_int_eq(mdm_time_span("7d"), 7 * 24 * HOUR);
    ck_assert_int_eq(mdm_time_span(""), 0);
    ck_assert_int_eq(mdm_time_span("-1d"), 0);
    ck_assert_int_eq(mdm_time_span("7 d"), 0);
    ck_assert_int_eq(mdm_time_span("99999999999999999999d"), 0);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("invitation");
    TCase *group = tcase_create("invitation");

    (void)argc;
    tcase_set_timeout(group, 60);
    tcase_add_loop_test(group, an_invitation_lives, 0, DATABASES);
    tcase_add_loop_test(group, what_is_no_token_asks_no_database, 0, DATABASES);
    tcase_add_loop_test(group, challenges_are_of_a_kind_and_remember_whose_they_are, 0, DATABASES);
    tcase_add_test(group, a_qr_code_is_a_whole_picture);
    tcase_add_test(group, spans_of_time);
    suite_add_tcase(suite, group);
    return database_main(suite, argv);
}
