/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes and their texts, contexts, the names of status codes. The expected values are those published in
 * the RFCs and FIPS named, or what Python says.
 */
#include <check.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mdm_bytes.h"
#include "mdm_ctx.h"

static apr_pool_t *pool;

/* APR asks this for the time; tests may set another clock. */
static time_t fixed_second = -1;

__attribute__((visibility("default"))) int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec now;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    tv->tv_sec = fixed_second >= 0 ? fixed_second : now.tv_sec;
    tv->tv_usec = fixed_second >= 0 ? 0 : now.tv_nsec / 1000;
    return 0;
}

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

static const char *decoded(const char *text)
{
    mdm_bytes_t bytes;
    apr_status_t rv = mdm_base64_decode(&bytes, text, strlen(text), pool);

    ck_assert(rv == APR_SUCCESS || rv == MDM_EINPUT);
    return rv == APR_SUCCESS ? apr_pstrmemdup(pool, (const char *)bytes.data, bytes.len) : NULL;
}

START_TEST(base64_of_rfc4648)
{
    static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
    apr_size_t i;

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        ck_assert_str_eq(mdm_base64_encode(mdm_bytes_of(pairs[i][0]), pool), pairs[i][1]);
        ck_assert_str_eq(decoded(pairs[i][1]), pairs[i][0]);
    }
    ck_assert_str_eq(mdm_base64_encode(mdm_bytes_of(NULL), pool), "");
    ck_assert_str_eq(mdm_base64url_encode(mdm_bytes_of("\xfb\xff"), pool), "-_8");
    ck_assert_str_eq(mdm_base64url_encode(mdm_bytes_of(NULL), pool), "");
    ck_assert_str_eq(decoded(" Z\tm\r9\n v "), "foo");
    ck_assert_str_eq(decoded("Zg=\n="), "f");
}
END_TEST

START_TEST(base64_refuses)
{
    static const char *const wrong[] = {
        "Z", "Zg", "Zg=", "Zm8", "Zm9vY", "=", "==", "===", "====", "Z===", "Zg===", "Zm9v=", "Zm9v==",
        "Zm9v====", "Zg==Zg==", "Zg==x", "Zm-_", "Zm9\x80", "Zm.v", "Zm9v\v"
    };
    mdm_bytes_t bytes;
    apr_size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_assert_msg(decoded(wrong[i]) == NULL, "%s", wrong[i]);
    ck_assert_int_eq(mdm_base64_decode(&bytes, "Zm9v\0Zm9v", 9, pool), MDM_EINPUT);
}
END_TEST

START_TEST(base64_and_back)
{
    unsigned char data[300];
    mdm_bytes_t bytes = { data, 0 }, back;

    for (bytes.len = 0; bytes.len < sizeof(data); bytes.len++) {
        const char *text;

        ck_assert_int_eq(mdm_random(data, bytes.len), APR_SUCCESS);
        text = mdm_base64_encode(bytes, pool);
        ck_assert_uint_eq(strlen(text), (bytes.len + 2) / 3 * 4);
        ck_assert_int_eq(mdm_base64_decode(&back, text, strlen(text), pool), APR_SUCCESS);
        ck_assert_uint_eq(back.len, bytes.len);
        ck_assert(memcmp(back.data, data, bytes.len) == 0);
    }
}
END_TEST

START_TEST(digests)
{
    /* RFC 4231 test cases 1 and 2; FIPS 180-4 examples */
    static const char key1[] =
        "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b";
    unsigned char mac[MDM_SHA256_LEN];
    mdm_bytes_t result = { mac, sizeof(mac) }, none = { NULL, 0 };

    ck_assert_str_eq(mdm_sha256_hex(mdm_bytes_of("abc"), pool),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert_str_eq(mdm_sha256_hex(none, pool),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    ck_assert_int_eq(mdm_hmac_sha256(mac, mdm_bytes_of(key1), mdm_bytes_of("Hi There")), APR_SUCCESS);
    ck_assert_str_eq(mdm_hex_encode(result, pool),
                     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    ck_assert_int_eq(mdm_hmac_sha256(mac, mdm_bytes_of("Jefe"), mdm_bytes_of("what do ya want for nothing?")),
                     0);
    ck_assert_str_eq(mdm_hex_encode(result, pool),
                     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    ck_assert_int_eq(mdm_hmac_sha256(mac, none, none), APR_SUCCESS);
    ck_assert_str_eq(mdm_hex_encode(result, pool),
                     "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    ck_assert_str_eq(mdm_hex_encode(none, pool), "");
}
END_TEST

static void check_uuid(const char *uuid, char version)
{
    ck_assert_uint_eq(strlen(uuid), 36);
    ck_assert_uint_eq(strspn(uuid, "0123456789ABCDEF-"), 36);
    ck_assert_int_eq(uuid[14], version);
    ck_assert_ptr_nonnull(strchr("89AB", uuid[19]));
    ck_assert(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-');
}

START_TEST(uuids)
{
    const char *one = mdm_uuid_random(pool), *same = mdm_uuid_of("a", "b", pool);

    check_uuid(one, '4');
    ck_assert_str_ne(one, mdm_uuid_random(pool));
    check_uuid(same, '8');
    ck_assert_str_eq(same, mdm_uuid_of("a", "b", pool));
    ck_assert_str_ne(same, mdm_uuid_of("a", "c", pool));
    ck_assert_str_ne(same, mdm_uuid_of("b", "a", pool));
}
END_TEST

START_TEST(times)
{
    ck_assert_str_eq(mdm_time_text(0, pool), "1970-01-01T00:00:00Z");
    ck_assert_str_eq(mdm_time_text(apr_time_from_sec(-1), pool), "1969-12-31T23:59:59Z");
    ck_assert_str_eq(mdm_time_text(apr_time_from_sec(951868799) + 999999, pool), "2000-02-29T23:59:59Z");
    ck_assert_str_eq(mdm_time_text(apr_time_from_sec(253402300799), pool), "9999-12-31T23:59:59Z");
    ck_assert_str_eq(mdm_time_plain(apr_time_from_sec(4107542399), "-", pool), "2100-02-28 23:59:59");
    ck_assert_str_eq(mdm_time_plain(0, "-", pool), "-");
    ck_assert_ptr_null(mdm_time_plain(0, NULL, pool));
}
END_TEST

START_TEST(equality)
{
    ck_assert_int_eq(mdm_equal("", ""), 1);
    ck_assert_int_eq(mdm_equal("abc", "abc"), 1);
    ck_assert_int_eq(mdm_equal("abc", "abd"), 0);
    ck_assert_int_eq(mdm_equal("abc", "ab"), 0);
    ck_assert_int_eq(mdm_equal(NULL, ""), 0);
    ck_assert_int_eq(mdm_equal(NULL, NULL), 0);
}
END_TEST

START_TEST(utf8_is_that_of_rfc3629)
{
    static const char *const good[] = {
        "", "a", "abcdefghijklmnopq", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "12345678\xc3\xa9x"
    };
    static const char *const bad[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2" "a", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xe1\x80", "\xe1\x80" "a", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xf0\x90\x80", "\xff", "1234567\xff", "12345678\xff", "123456789\xff"
    };
    static const char nul[] = "12345678\0abcdefgh";
    mdm_bytes_t bytes = { (const unsigned char *)nul, 9 };
    apr_size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        ck_assert_msg(mdm_utf8_valid(mdm_bytes_of(good[i])), "%s", good[i]);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!mdm_utf8_valid(mdm_bytes_of(bad[i])), "bad text %d", (int)i);
    ck_assert_int_eq(mdm_utf8_valid(bytes), 0);
    bytes.len = 17;
    ck_assert_int_eq(mdm_utf8_valid(bytes), 0);
    bytes.len = 8;
    ck_assert_int_eq(mdm_utf8_valid(bytes), 1);
    ck_assert_uint_eq(mdm_utf8_step((const unsigned char *)"\xf0\x90\x80\x80", 4), 4);
    ck_assert_uint_eq(mdm_utf8_step((const unsigned char *)"", 0), 0);
    ck_assert_uint_eq(mdm_utf8_fit("", 4), 0);
    ck_assert_uint_eq(mdm_utf8_fit("abc", 4), 3);
    ck_assert_uint_eq(mdm_utf8_fit("ab\xe2\x82\xac", 4), 2);
    ck_assert_uint_eq(mdm_utf8_fit("ab\xe2\x82\xac", 5), 5);
    ck_assert_uint_eq(mdm_utf8_fit("ab\xe2\x82", 3), 3);
}
END_TEST

#define IDS 20000

static void *make_ids(void *baton)
{
    apr_int64_t *ids = baton;
    int i;

    for (i = 0; i < IDS; i++)
        ids[i] = mdm_id_next();
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    apr_int64_t x = *(const apr_int64_t *)a, y = *(const apr_int64_t *)b;

    return x < y ? -1 : x > y;
}

START_TEST(ids_grow_and_differ)
{
    static apr_int64_t ids[4 * IDS];
    pthread_t threads[4];
    int i;

    for (i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_ids, ids + i * IDS), 0);
    for (i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (i = 1; i < 4 * IDS; i++)
        ck_assert(i % IDS == 0 || ids[i] > ids[i - 1]);
    qsort(ids, 4 * IDS, sizeof(ids[0]), compare_ids);
    ck_assert(ids[0] > 0);
    for (i = 1; i < 4 * IDS; i++)
        ck_assert(ids[i] != ids[i - 1]);
}
END_TEST

START_TEST(ids_are_positive_before_the_clock_is_set)
{
    apr_int64_t first;

    fixed_second = 0;
    first = mdm_id_next();
    ck_assert(first > 0);
    ck_assert(mdm_id_next() > first);
    fixed_second = 1577836801;
    first = mdm_id_next();
    ck_assert(first >> 12 == 1000000);
    fixed_second = 1577836800;
    ck_assert(mdm_id_next() > first);
}
END_TEST

START_TEST(details_and_names)
{
    mdm_ctx_t *ctx = mdm_ctx_create(pool, NULL);
    char text[200];

    ck_assert_str_eq(mdm_ctx_detail(ctx, MDM_EDB), "MDM_EDB");
    ck_assert_str_eq(mdm_ctx_detail(ctx, APR_EGENERAL), apr_strerror(APR_EGENERAL, text, sizeof(text)));
    ck_assert_str_eq(mdm_ctx_detail(ctx, APR_ENOENT), apr_strerror(APR_ENOENT, text, sizeof(text)));
    ck_assert_int_eq(mdm_fail(ctx, MDM_EINPUT, "the %s", "first"), MDM_EINPUT);
    ck_assert_int_eq(mdm_fail(ctx, MDM_EDENIED, "the second"), MDM_EDENIED);
    ck_assert_str_eq(mdm_ctx_detail(ctx, MDM_EDENIED), "the first");
    ck_assert_int_eq(ctx->status, MDM_EINPUT);
    mdm_ctx_clear(ctx);
    ck_assert_int_eq(ctx->status, APR_SUCCESS);
    ck_assert_str_eq(mdm_ctx_detail(ctx, MDM_EGONE), "MDM_EGONE");
    ck_assert_str_eq(mdm_err_name(MDM_EPLIST), "MDM_EPLIST");
    ck_assert_str_eq(mdm_err_name(MDM_EPLIST - 1), "APR");
    ck_assert_str_eq(mdm_err_name(MDM_EFULL), "MDM_EFULL");
    ck_assert_str_eq(mdm_err_name(MDM_EFULL + 1), "APR");
    ck_assert_str_eq(mdm_err_name(APR_SUCCESS), "APR");
    ck_assert_str_eq(mdm_err_name(INT_MIN), "APR");
    ck_assert_str_eq(mdm_err_name(INT_MAX), "APR");
}
END_TEST

typedef struct {
    int count;
    char last[2000];
} lines_t;

static void keep_line(const mdm_log_t *log, mdm_log_level_e level, const char *file, int line,
                      apr_status_t rv, const char *text)
{
    lines_t *lines = log->baton;

    ck_assert_int_le(level, MDM_LOG_NOTICE);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_gt(line, 0);
    ck_assert_int_eq(rv, APR_EGENERAL);
    apr_cpystrn(lines->last, text, sizeof(lines->last));
    lines->count++;
}

static int wants_notice(const mdm_log_t *log, mdm_log_level_e level)
{
    (void)log;
    return level <= MDM_LOG_NOTICE;
}

START_TEST(log_lines_and_clock)
{
    lines_t lines = { 0, "" };
    mdm_log_t log = { keep_line, wants_notice, &lines };
    mdm_ctx_t *ctx = mdm_ctx_create(pool, &log), *silent = mdm_ctx_create(pool, NULL);
    char *text = apr_palloc(pool, 5001);

    memset(text, 'x', 5000);
    text[5000] = '\0';
    mdm_log(silent, MDM_LOG_MARK, MDM_LOG_CRIT, APR_EGENERAL, "nothing");
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_DEBUG, APR_EGENERAL, "nothing");
    ck_assert_int_eq(lines.count, 0);
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_NOTICE, APR_EGENERAL, "line %d", 1);
    ck_assert_str_eq(lines.last, "line 1");
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_CRIT, APR_EGENERAL, "%s", text);
    ck_assert_int_eq(lines.count, 2);
    ck_assert_uint_eq(strlen(lines.last), 1023);
    ck_assert(mdm_ctx_now(ctx) > 0);
    ctx->fixed_now = 42;
    ck_assert_int_eq(mdm_ctx_now(ctx), 42);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bytes");
    TCase *group = tcase_create("bytes");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(group, setup, teardown);
    tcase_set_timeout(group, 60);
    tcase_add_test(group, base64_of_rfc4648);
    tcase_add_test(group, base64_refuses);
    tcase_add_test(group, base64_and_back);
    tcase_add_test(group, digests);
    tcase_add_test(group, uuids);
    tcase_add_test(group, times);
    tcase_add_test(group, equality);
    tcase_add_test(group, utf8_is_that_of_rfc3629);
    tcase_add_test(group, ids_grow_and_differ);
    tcase_add_test(group, ids_are_positive_before_the_clock_is_set);
    tcase_add_test(group, details_and_names);
    tcase_add_test(group, log_lines_and_clock);
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
