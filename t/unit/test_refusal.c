/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sentences of refusals: the object stands before them once, long names are cut, and what the request has not caused
 * is left as it is.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>

#include "mdm_refusal.h"

static apr_pool_t *pool;
static mdm_ctx_t *ctx;

static void start(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
}

static void end(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static const char *said(apr_status_t rv, const char *name)
{
    mdm_ctx_clear(ctx);
    mdm_fail(ctx, rv, "title must be a text");
    ck_assert_int_eq(mdm_refusal_of(ctx, rv, "user", name), rv);
    ck_assert_int_eq(ctx->status, rv);
    return ctx->detail;
}

START_TEST(the_object_stands_before_what_the_request_has_caused)
{
    ck_assert_str_eq(said(MDM_EINPUT, "alice"), "user \"alice\": title must be a text");
    ck_assert_str_eq(said(MDM_EPLIST, "alice"), "user \"alice\": title must be a text");
    ck_assert_str_eq(said(MDM_ETOOBIG, "alice"), "user \"alice\": title must be a text");
    ck_assert_str_eq(said(MDM_ENOTFOUND, NULL), "user: title must be a text");
    ck_assert_str_eq(said(MDM_EDB, "alice"), "title must be a text");
    ck_assert_str_eq(said(MDM_EEXIST, "alice"), "title must be a text");
    mdm_ctx_clear(ctx);
    ck_assert_int_eq(mdm_refusal_of(ctx, APR_SUCCESS, "user", "alice"), APR_SUCCESS);
    ck_assert_ptr_null(ctx->detail);
    mdm_refusal_of(ctx, MDM_EINPUT, "user", "alice");
    ck_assert_str_eq(ctx->detail, "user \"alice\": MDM_EINPUT");
}
END_TEST

START_TEST(it_stands_there_once)
{
    said(MDM_EINPUT, "alice");
    mdm_refusal_of(ctx, MDM_EINPUT, "user", "alice");
    ck_assert_str_eq(ctx->detail, "user \"alice\": title must be a text");
    mdm_refusal_of(ctx, MDM_EINPUT, "preview", NULL);
    ck_assert_str_eq(ctx->detail, "preview: user \"alice\": title must be a text");
}
END_TEST

START_TEST(long_names_are_cut_between_characters)
{
    char name[200];

    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    memcpy(name + 59, "\xc3\xa9", 2);
    ck_assert_str_eq(said(MDM_EINPUT, name), apr_psprintf(pool, "user \"%.59s...\": title must be a text", name));
}
END_TEST

START_TEST(what_a_key_names_and_is_not_there_has_key_and_remedy)
{
    mdm_fail(ctx, MDM_ENOTFOUND, "there is no group x");
    ck_assert_int_eq(mdm_refusal_missing(ctx, MDM_ENOTFOUND, "group", "make it first"), MDM_ENOTFOUND);
    ck_assert_str_eq(ctx->detail, "group: there is no group x: make it first");
    mdm_ctx_clear(ctx);
    mdm_fail(ctx, MDM_EDB, "away");
    ck_assert_int_eq(mdm_refusal_missing(ctx, MDM_EDB, "group", "make it first"), MDM_EDB);
    ck_assert_str_eq(ctx->detail, "away");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("refusal");
    TCase *tcase = tcase_create("refusal");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tcase, start, end);
    tcase_add_test(tcase, the_object_stands_before_what_the_request_has_caused);
    tcase_add_test(tcase, it_stands_there_once);
    tcase_add_test(tcase, long_names_are_cut_between_characters);
    tcase_add_test(tcase, what_a_key_names_and_is_not_there_has_key_and_remedy);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
