/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords of network users: files that are and are none, nonces of a time and a channel, responses right, wrong, late
 * and hostile. md5sum says what is right.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mdm_user_digest.h"

#define USER "joy"
#define REALM "Example Hospital"
#define CHANNEL "00008120-1:USER"
#define NOW (apr_time_from_sec(1767225600) + 123456)

static apr_pool_t *pool;
static mdm_ctx_t *ctx;
static mdm_site_t site;

static const char *md5(const char *text)
{
    char file[] = "/tmp/digest-test-XXXXXX", line[64] = "";
    int fd = mkstemp(file);
    FILE *out;

    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    out = popen(apr_pstrcat(pool, "md5sum <", file, NULL), "r");
    ck_assert_ptr_nonnull(out);
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), out));
    pclose(out);
    unlink(file);
    return apr_pstrndup(pool, line, 32);
}

static const char *line_of(const char *user, const char *realm, const char *password)
{
    return apr_pstrcat(pool, user, ":", realm, ":", md5(apr_pstrcat(pool, user, ":", realm, ":", password, NULL)), "\n",
                       NULL);
}

static void setup(void)
{
    char folder[] = "/tmp/digest-test-XXXXXX";
    mdm_seal_t *seal;
    const char *file;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
    ctx->fixed_now = NOW;
    ck_assert_ptr_nonnull(mkdtemp(folder));
    file = apr_pstrcat(pool, folder, "/seal.key", NULL);
    ck_assert_int_eq(mdm_seal_create(ctx, file), APR_SUCCESS);
    ck_assert_int_eq(mdm_seal_read(&seal, ctx, file), APR_SUCCESS);
    unlink(file);
    rmdir(folder);
    memset(&site, 0, sizeof(site));
    site.seal = seal;
    site.user_digests = mdm_bytes_of(apr_pstrcat(pool, "# people\n\nnot a line\n", line_of("other", REALM, "x"),
                                                 line_of(USER, REALM, "se:cret"), NULL));
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static const char *nonce_of(const char *challenge)
{
    const char *start = strstr(challenge, "nonce=\"");

    ck_assert_ptr_nonnull(start);
    return apr_pstrndup(pool, start + 7, strcspn(start + 7, "\""));
}

static const char *respond(const char *user, const char *realm, const char *password, const char *nonce)
{
    const char *ha1 = md5(apr_pstrcat(pool, user, ":", realm, ":", password, NULL));
    const char *response = md5(apr_pstrcat(pool, ha1, ":", nonce, ":", md5("PUT:/"), NULL));

    return apr_pstrcat(pool, "Digest username=\"", user, "\",realm=\"", realm, "\",nonce=\"", nonce,
                       "\",uri=\"/\",response=\"", response, "\"", NULL);
}

static int verify(const char *response)
{
    const char *user = NULL;
    int yes = mdm_user_digest_verify(&user, ctx, &site, CHANNEL, response);

    if (yes)
        ck_assert_str_eq(user, USER);
    return yes;
}

START_TEST(takes_the_right_password_alone)
{
    const char *challenge = mdm_user_digest_challenge(ctx, &site, CHANNEL), *nonce, *good;

    ck_assert_int_eq(strncmp(challenge, "Digest nonce=\"", 14), 0);
    ck_assert_ptr_nonnull(strstr(challenge, ",realm=\"" REALM "\""));
    nonce = nonce_of(challenge);
    good = respond(USER, REALM, "se:cret", nonce);
    ck_assert(verify(good));
    ck_assert(!verify(respond(USER, REALM, "secret", nonce)));
    ck_assert(!verify(respond("nobody", REALM, "se:cret", nonce)));
    ck_assert(!verify(respond("other", REALM, "se:cret", nonce)));
    ck_assert(!verify(respond(USER, "elsewhere", "se:cret", nonce)));
    ck_assert(!verify(apr_pstrcat(pool, good, ",qop=\"auth\"", NULL)));
    ck_assert(!verify(apr_pstrcat(pool, good, ",uri=\"/\"", NULL)));
    ck_assert(verify(apr_pstrcat(pool, good, ", algorithm=MD5", NULL)));
}
END_TEST

START_TEST(upper_case_digests_in_the_file_count_too)
{
    char *upper = apr_pstrdup(pool, line_of(USER, REALM, "x")), *c;

    for (c = upper + strlen(USER ":" REALM ":"); *c; c++)
        *c = *c >= 'a' && *c <= 'f' ? (char)(*c - 32) : *c;
    site.user_digests = mdm_bytes_of(upper);
    ck_assert_int_eq(mdm_user_digest_check(ctx, "f", site.user_digests), APR_SUCCESS);
    ck_assert(verify(respond(USER, REALM, "x", nonce_of(mdm_user_digest_challenge(ctx, &site, CHANNEL)))));
}
END_TEST

START_TEST(a_nonce_is_for_one_channel_and_five_minutes)
{
    const char *nonce = nonce_of(mdm_user_digest_challenge(ctx, &site, CHANNEL)), *user, *other;
    const char *good = respond(USER, REALM, "se:cret", nonce);

    ck_assert(!mdm_user_digest_verify(&user, ctx, &site, "00008120-1:OTHER", good));
    ctx->fixed_now = NOW + apr_time_from_sec(299);
    ck_assert(verify(good));
    ctx->fixed_now = NOW + apr_time_from_sec(301);
    ck_assert(!verify(good));
    /* from another node whose clock is ahead, but not from the far future */
    ctx->fixed_now = NOW - apr_time_from_sec(59);
    ck_assert(verify(good));
    ctx->fixed_now = NOW - apr_time_from_sec(61);
    ck_assert(!verify(good));
    /* a later time with the old MAC */
    ctx->fixed_now = NOW + apr_time_from_sec(301);
    other = apr_psprintf(pool, "%" APR_TIME_T_FMT "%s", ctx->fixed_now, strchr(nonce, '-'));
    ck_assert(!verify(respond(USER, REALM, "se:cret", other)));
}
END_TEST

START_TEST(hostile_responses_are_wrong_ones)
{
    const char *good = respond(USER, REALM, "se:cret", nonce_of(mdm_user_digest_challenge(ctx, &site, CHANNEL)));
    static const char *const bad[] = {
        "", "D", "Digest", "Digest ", "digest username=\"joy\"", "Digest =", "Digest ,,,", "Digest username",
        "Digest username=", "Digest username=\"", "Digest username=\"\\", "Digest username=\"\\\"", "Digest \"",
        "Digest a=\"b\"c=",
        "Digest nonce=\"-\",realm=\"Example Hospital\",uri=\"/\",username=\"joy\",response=\"\"",
        "Digest nonce=\"9999999999999999999999-0\",realm=\"Example Hospital\",uri=\"/\",username=\"joy\",response=\"\"",
        "Digest nonce=\"\",realm=\"\",uri=\"\",username=\"\",response=\"\"", "Digest \xff\xfe=\x80",
    };
    apr_size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!verify(bad[i]), "%s", bad[i]);
    for (i = 0; i < strlen(good); i++)
        ck_assert_msg(!verify(apr_pstrndup(pool, good, i)), "cut at %d", (int)i);
    for (i = 0; i < strlen(good); i++) {
        char *changed = apr_pstrdup(pool, good);

        changed[i] ^= 1;
        /* a comma or blank between parameters may be either */
        if (good[i] != ',')
            ck_assert_msg(!verify(changed), "%s", changed);
    }
}
END_TEST

static void check_file(const char *text, const char *says)
{
    apr_status_t rv = mdm_user_digest_check(ctx, "FILE", mdm_bytes_of(text));

    if (!says) {
        ck_assert_msg(rv == APR_SUCCESS, "%s: %s", text, mdm_ctx_detail(ctx, rv));
    } else {
        ck_assert_int_eq(rv, MDM_ECONFIG);
        ck_assert_msg(strstr(mdm_ctx_detail(ctx, rv), says) != NULL, "%s", mdm_ctx_detail(ctx, rv));
    }
    mdm_ctx_clear(ctx);
}

START_TEST(files_are_checked)
{
    const char *one = line_of("a", "r", "x"), *two = line_of("b", "r", "x");

    check_file(apr_pstrcat(pool, one, two, NULL), NULL);
    check_file(apr_pstrcat(pool, "# c\n\n \r\n", one, two, NULL), NULL);
    check_file(apr_pstrndup(pool, one, strlen(one) - 1), NULL);
    check_file(apr_pstrcat(pool, apr_pstrndup(pool, one, strlen(one) - 1), "\r\n", NULL), NULL);
    check_file("", "names nobody");
    check_file("\n\n# x", "names nobody");
    check_file("joy\n", "line 1");
    check_file(apr_pstrcat(pool, one, "joy:realm\n", NULL), "line 2");
    check_file(apr_pstrcat(pool, one, "joy:r:0123\n", NULL), "line 2");
    check_file(apr_pstrcat(pool, one, ":r:0123456789abcdef0123456789abcdef\n", NULL), "line 2");
    check_file(apr_pstrcat(pool, one, "joy:r:0123456789abcdef0123456789abcdeg\n", NULL), "line 2");
    check_file(apr_pstrcat(pool, one, line_of("c", "other", "x"), NULL), "another realm");
    check_file(line_of("c", "a\"b", "x"), "quotes");
}
END_TEST

START_TEST(nobody_in_the_file_means_no_challenge)
{
    site.user_digests.len = 0;
    ck_assert_ptr_null(mdm_user_digest_challenge(ctx, &site, CHANNEL));
    ck_assert(!verify("Digest nonce=\"1-2\",realm=\"r\",uri=\"/\",username=\"joy\",response=\"0\""));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("user_digest");
    TCase *group = tcase_create("user_digest");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(group, setup, teardown);
    tcase_set_timeout(group, 60);
    tcase_add_test(group, takes_the_right_password_alone);
    tcase_add_test(group, upper_case_digests_in_the_file_count_too);
    tcase_add_test(group, a_nonce_is_for_one_channel_and_five_minutes);
    tcase_add_test(group, hostile_responses_are_wrong_ones);
    tcase_add_test(group, files_are_checked);
    tcase_add_test(group, nobody_in_the_file_means_no_challenge);
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
