/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LDAP URLs and distinguished names: what is read from them, and what is refused. How a directory is talked to is seen
 * with a real one, end to end.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "mdm_ldap.h"

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
    suite_add_tcase(suite, tcase);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
