/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LDAP URLs, distinguished names and ranges: what is read from them, and what is refused. How a directory is talked to
 * is seen with a real one, end to end.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "mdm_ldap_wait.h"

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

START_TEST(a_url_has_five_parts)
{
    mdm_ldap_url_t url;

    ck_assert_int_eq(mdm_ldap_url(&url, ctx, "ldaps://l.example.com:1636/ou=p,dc=x?mail?one?(a=b)"), APR_SUCCESS);
    ck_assert_str_eq(url.uri, "ldaps://l.example.com:1636");
    ck_assert_int_eq(url.tls, 1);
    ck_assert_str_eq(url.base, "ou=p,dc=x");
    ck_assert_str_eq(url.attribute, "mail");
    ck_assert_int_eq(url.one_level, 1);
    ck_assert_str_eq(url.filter, "(a=b)");
    ck_assert_int_eq(mdm_ldap_url(&url, ctx, "ldap://[::1]/o=my%20org"), APR_SUCCESS);
    ck_assert_str_eq(url.uri, "ldap://[::1]:389");
    ck_assert_str_eq(url.base, "o=my org");
    ck_assert_str_eq(url.attribute, "uid");
    ck_assert_int_eq(url.one_level, 0);
    ck_assert_str_eq(url.filter, "(objectClass=*)");
    ck_assert_int_eq(mdm_ldap_url(&url, ctx, "ldap://h/dc=x?uid??a=b"), APR_SUCCESS);
    ck_assert_str_eq(url.filter, "(a=b)");
}
END_TEST

START_TEST(what_is_no_url_is_refused)
{
    static const char *const texts[] = { "", "x", "https://h/dc=x", "ldap://", "ldap:///dc=x", "ldapi:///dc=x",
                                         "ldap://h", "ldap://h/", "ldap://h/nothing", "ldap://h:x/dc=x",
                                         "ldap://h/dc=x?uid?all" };
    mdm_ldap_url_t url;
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        mdm_ctx_clear(ctx);
        ck_assert_msg(mdm_ldap_url(&url, ctx, texts[i]) == MDM_EINPUT, "%s", texts[i]);
        ck_assert_ptr_nonnull(ctx->detail);
    }
}
END_TEST

START_TEST(equal_names_are_equal_texts)
{
    const char *name = mdm_ldap_dn("uid=anna,ou=people,dc=example,dc=com", pool);

    ck_assert_str_eq(name, "uid=anna,ou=people,dc=example,dc=com");
    ck_assert_str_eq(mdm_ldap_dn("UID = Anna , OU=People,  DC=Example,DC=COM", pool), name);
    ck_assert_str_eq(mdm_ldap_dn("uid=a\\2Cb,dc=x", pool), mdm_ldap_dn("uid=a\\,b,dc=x", pool));
    ck_assert_str_ne(mdm_ldap_dn("uid=a\\,dc\\=b,dc=x", pool), mdm_ldap_dn("uid=a,dc=b,dc=x", pool));
    ck_assert_ptr_null(mdm_ldap_dn("anna", pool));
    ck_assert_ptr_null(mdm_ldap_dn("uid=anna,,dc=x", pool));
    ck_assert_ptr_null(mdm_ldap_dn("=x", pool));
}
END_TEST

START_TEST(a_range_says_which_part_of_a_list_came)
{
    mdm_ldap_range_t range;

    ck_assert_int_eq(mdm_ldap_range(&range, "member"), APR_SUCCESS);
    ck_assert_int_eq(range.given, 0);
    ck_assert_uint_eq(range.name_len, 6);
    ck_assert_int_eq(mdm_ldap_range(&range, "member;range=0-1499"), APR_SUCCESS);
    ck_assert_int_eq(range.given, 1);
    ck_assert_int_eq(range.first, 0);
    ck_assert_int_eq(range.last, 1499);
    ck_assert_int_eq(mdm_ldap_range(&range, "member;binary;Range=1500-*"), APR_SUCCESS);
    ck_assert_int_eq(range.first, 1500);
    ck_assert_int_eq(range.last, -1);
    ck_assert_uint_eq(range.name_len, 6);
}
END_TEST

START_TEST(an_attribute_in_a_language_is_another)
{
    static const struct {
        const char *description;
        apr_size_t name_len;
    } cases[] = { { "title;lang-de", 13 }, { "title;LANG-de;binary", 20 }, { "title;range=0-*;lang-de", 23 },
                  { "title;binary", 5 }, { "title;Binary;range=0-1", 5 }, { "title;binaryx", 13 }, { "title;", 6 } };
    mdm_ldap_range_t range;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)mdm_ldap_range(&range, cases[i].description);
        ck_assert_msg(range.name_len == cases[i].name_len, "%s: %u", cases[i].description, (unsigned)range.name_len);
    }
}
END_TEST

START_TEST(a_range_that_leads_nowhere_is_refused)
{
    static const char *const texts[] = { "m;range=", "m;range=-", "m;range=*", "m;range=0", "m;range=0-",
                                         "m;range=-1-2", "m;range=5-4", "m;range=0-9999999999999999999",
                                         "m;range=9999999-*",
                                         "m;range=0-1x", "m;range=0-*x", "m;range= 0-1", "m;range=0x1-2" };
    mdm_ldap_range_t range;
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        ck_assert_msg(mdm_ldap_range(&range, texts[i]) == MDM_EINPUT, "%s", texts[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ldap");
    TCase *tcase = tcase_create("ldap");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_url_has_five_parts);
    tcase_add_test(tcase, what_is_no_url_is_refused);
    tcase_add_test(tcase, equal_names_are_equal_texts);
    tcase_add_test(tcase, a_range_says_which_part_of_a_list_came);
    tcase_add_test(tcase, an_attribute_in_a_language_is_another);
    tcase_add_test(tcase, a_range_that_leads_nowhere_is_refused);
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
