/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary property lists: Python's plistlib makes them and judges the tree by the XML that we write of it; the
 * hostile ones are built here, byte by byte.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <apr_strings.h>

#include "mdm_plist.h"

static apr_pool_t *pool;
static mdm_ctx_t *ctx;

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
    mdm_plist_init();
}

static void teardown(void)
{
    apr_pool_destroy(pool);
}

/* ---- a maker of binary property lists, right or wrong */

typedef struct {
    unsigned char data[1 << 20];
    apr_size_t len;
    apr_uint64_t offsets[4096];
    int objects, ref_size, offset_size;
} maker_t;

static maker_t *maker(int ref_size)
{
    maker_t *m = apr_pcalloc(pool, sizeof(*m));

    memcpy(m->data, "bplist00", 8);
    m->len = 8;
    m->ref_size = ref_size;
    m->offset_size = 4;
    return m;
}

static void number(maker_t *m, apr_uint64_t value, int size)
{
    while (size--)
        m->data[m->len++] = (unsigned char)(value >> 8 * size);
}

static int begin(maker_t *m)
{
    m->offsets[m->objects] = m->len;
    return m->objects++;
}

static void marker(maker_t *m, int kind, apr_uint64_t count)
{
    number(m, (apr_uint64_t)(kind << 4) | (count < 15 ? count : 15), 1);
    if (count >= 15) {
        number(m, 0x13, 1);
        number(m, count, 8);
    }
}

static int raw(maker_t *m, const void *bytes, apr_size_t len)
{
    int at = begin(m);

    memcpy(m->data + m->len, bytes, len);
    m->len += len;
    return at;
}

static int text(maker_t *m, const char *value)
{
    int at = begin(m);

    marker(m, 5, strlen(value));
    memcpy(m->data + m->len, value, strlen(value));
    m->len += strlen(value);
    return at;
}

/* An array or dictionary that refers `count` times to each of first..last in turn. */
static int items(maker_t *m, int kind, int count, const int *refs)
{
    int at = begin(m), i;

    marker(m, kind, (apr_uint64_t)(kind == 0xd ? count / 2 : count));
    for (i = 0; i < count; i++)
        number(m, (apr_uint64_t)refs[i], m->ref_size);
    return at;
}

static mdm_bytes_t finish(maker_t *m, int root)
{
    mdm_bytes_t bytes = { m->data, 0 };
    apr_uint64_t table = m->len;
    int i;

    for (i = 0; i < m->objects; i++)
        number(m, m->offsets[i], m->offset_size);
    number(m, 0, 6);
    number(m, (apr_uint64_t)m->offset_size, 1);
    number(m, (apr_uint64_t)m->ref_size, 1);
    number(m, (apr_uint64_t)m->objects, 8);
    number(m, (apr_uint64_t)root, 8);
    number(m, table, 8);
    bytes.len = m->len;
    return bytes;
}

/* ---- what is expected */

static mdm_plist_t *read_ok(mdm_bytes_t bytes)
{
    mdm_plist_t *root = NULL;
    apr_status_t rv = mdm_plist_read(&root, ctx, bytes);

    ck_assert_msg(rv == APR_SUCCESS, "%s", mdm_ctx_detail(ctx, rv));
    return root;
}

static void refused(mdm_bytes_t bytes, const char *words)
{
    mdm_plist_t *root = NULL;
    clock_t began = clock();

    mdm_ctx_clear(ctx);
    ck_assert_msg(mdm_plist_read(&root, ctx, bytes) == MDM_EPLIST, "accepted, not: %s", words);
    ck_assert_msg(strstr(ctx->detail, words) != NULL, "\"%s\" lacks \"%s\"", ctx->detail, words);
    ck_assert_ptr_null(root);
    ck_assert_msg(clock() - began < 5 * CLOCKS_PER_SEC, "too slow");
    mdm_ctx_clear(ctx);
}

static void one_refused(const void *object, apr_size_t len, const char *words)
{
    maker_t *m = maker(1);

    refused(finish(m, raw(m, object, len)), words);
}

#define ONE_REFUSED(object, words) one_refused(object, sizeof(object) - 1, words)

static mdm_plist_t *one(const void *object, apr_size_t len)
{
    maker_t *m = maker(1);

    return read_ok(finish(m, raw(m, object, len)));
}

#define ONE(object) one(object, sizeof(object) - 1)

static mdm_bytes_t run(const char *command)
{
    FILE *in = popen(command, "r");
    mdm_bytes_t bytes = { apr_palloc(pool, 1 << 20), 0 };

    ck_assert_ptr_nonnull(in);
    bytes.len = fread((void *)bytes.data, 1, 1 << 20, in);
    ck_assert_int_eq(pclose(in), 0);
    return bytes;
}

START_TEST(reads_what_plistlib_writes)
{
    static const char script[] = "/usr/bin/python3 -c \"import plistlib, datetime, sys\n"
        "tree = {'text': 'plain', 'more': 'Grüße 🏥 & <x>', 'empty': '', 'long': 'x' * 1000,"
        " 'wide': 'ü' * 300, 'data': bytes(range(256)), 'none': b'', 'yes': True, 'no': False,"
        " 'ints': [0, 1, 127, 128, 255, 256, 65535, 65536, 2**31, 2**32, 2**63 - 1, -1, -128, -2**63],"
        " 'real': 1.5, 'small': -2.25e-10, 'when': datetime.datetime(2026, 1, 31, 23, 59, 59),"
        " 'early': datetime.datetime(1, 1, 1), 'late': datetime.datetime(4001, 1, 1),"
        " 'same': ['x', 'x', {'k': 'x'}, {'k': 'x'}], 'Ü': {}, 'list': [], 'deep': [[[[[{'a': [1]}]]]]],"
        " 'many': {str(i): i for i in range(300)}}\n"
        "sys.stdout.buffer.write(plistlib.dumps(tree, fmt=plistlib.FMT_%s, sort_keys=True))\"";
    mdm_plist_t *binary = read_ok(run(apr_psprintf(pool, script, "BINARY")));
    mdm_plist_t *xml = read_ok(run(apr_psprintf(pool, script, "XML")));
    mdm_bytes_t a, b;

    ck_assert_int_eq(mdm_plist_write(&a, ctx, binary), APR_SUCCESS);
    ck_assert_int_eq(mdm_plist_write(&b, ctx, xml), APR_SUCCESS);
    ck_assert_msg(a.len == b.len && !memcmp(a.data, b.data, a.len), "%s\n----\n%s", a.data, b.data);
}
END_TEST

START_TEST(reads_values)
{
    mdm_plist_t *p;

    ck_assert_int_eq(ONE("\x08")->type, MDM_PLIST_BOOLEAN);
    ck_assert_int_eq(ONE("\x09")->integer, 1);
    ck_assert_int_eq(ONE("\x10\xff")->integer, 255);
    ck_assert_int_eq(ONE("\x13\xff\xff\xff\xff\xff\xff\xff\xfe")->integer, -2);
    p = ONE("\x14\0\0\0\0\0\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
    ck_assert(p->integer == APR_INT64_MAX);
    ck_assert(ONE("\x22\x3f\xc0\0\0")->real == 1.5);
    p = ONE("\x50");
    ck_assert_int_eq(p->type, MDM_PLIST_STRING);
    ck_assert_str_eq((const char *)p->bytes.data, "");
    ck_assert_str_eq((const char *)ONE("\x63\0a\0\xfc\x20\xac")->bytes.data, "aü€");
    ck_assert_str_eq((const char *)ONE("\x62\xd8\x3c\xdf\xe5")->bytes.data, "🏥");
    ck_assert_int_eq(ONE("\x40")->type, MDM_PLIST_DATA);
    /* half a second before 2001 is a second of 2000 */
    p = ONE("\x33\xbf\xe0\0\0\0\0\0\0");
    ck_assert(p->date == apr_time_from_sec(978307199));
}
END_TEST

START_TEST(refuses_values)
{
    ONE_REFUSED("\x00", "neither true nor false");
    ONE_REFUSED("\x0f", "neither true nor false");
    ONE_REFUSED("\x15zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "unknown size");
    ONE_REFUSED("\x13\0\0", "cut off");
    ONE_REFUSED("\x14\0\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0", "out of range");
    ONE_REFUSED("\x14\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0", "out of range");
    ONE_REFUSED("\x20z", "unknown size");
    ONE_REFUSED("\x23\0\0", "cut off");
    ONE_REFUSED("\x23\x7f\xf0\0\0\0\0\0\0", "not finite");
    ONE_REFUSED("\x22\x7f\xc0\0\0", "not finite");
    ONE_REFUSED("\x33\x7f\xf8\0\0\0\0\0\0", "not finite");
    ONE_REFUSED("\x33\x7e\xf8\0\0\0\0\0\0", "out of range");
    ONE_REFUSED("\x32\0\0\0\0", "malformed");
    ONE_REFUSED("\x45" "abc", "cut off");
    ONE_REFUSED("\x55" "abc", "cut off");
    ONE_REFUSED("\x53" "a\0b", "cannot carry");
    ONE_REFUSED("\x51" "\x1b", "cannot carry");
    ONE_REFUSED("\x51" "\xe4", "cannot carry");
    ONE_REFUSED("\x61\0\0", "cannot carry");
    ONE_REFUSED("\x61\xd8\x3c", "cannot carry");
    ONE_REFUSED("\x61\xdf\xe5", "cannot carry");
    ONE_REFUSED("\x61\xff\xff", "cannot carry");
    ONE_REFUSED("\x62\xd8\x3c", "cut off");
    ONE_REFUSED("\x60", "malformed");      /* libplist's own rule; nobody writes an empty text so */
    ONE_REFUSED("\x80\x01", "type");
    ONE_REFUSED("\xc1\x00", "type");
    ONE_REFUSED("\x70", "type");
    ONE_REFUSED("\x5f\x23zzzzzzzz", "count is malformed");
    ONE_REFUSED("\x5f\x14zzzzzzzzzzzzzzzzz", "count is malformed");
    ONE_REFUSED("\x5f", "count is malformed");
    ONE_REFUSED("\x5f\x13\0", "cut off");
    ONE_REFUSED("\x5f\x13\xff\xff\xff\xff\xff\xff\xff\xff", "cut off");
    ONE_REFUSED("\x6f\x13\x80\0\0\0\0\0\0\0", "cut off");
    ONE_REFUSED("\x4f\x13\x7f\xff\xff\xff\xff\xff\xff\xff", "cut off");
    ONE_REFUSED("\xaf\x13\x7f\xff\xff\xff\xff\xff\xff\xff", "cut off");
    ONE_REFUSED("\xdf\x13\xff\xff\xff\xff\xff\xff\xff\xff", "cut off");
    ONE_REFUSED("\xd1\0", "cut off");
    ONE_REFUSED("\xa1\x05", "no object");
}
END_TEST

START_TEST(refuses_broken_frames)
{
    maker_t *m = maker(1);
    mdm_bytes_t good = finish(m, raw(m, "\x09", 1)), bytes;
    unsigned char *data;
    apr_size_t len, i;

    for (len = 8; len < good.len; len++) {
        bytes.data = good.data;
        bytes.len = len;
        refused(bytes, "refused");
    }
    for (i = 0; i < 32; i++) {      /* each byte of the trailer that counts, at its worst */
        bytes.data = data = apr_pmemdup(pool, good.data, good.len);
        bytes.len = good.len;
        data[good.len - 32 + i] = 0xff;
        if (i >= 6)
            refused(bytes, "refused");
    }
    bytes.data = data = apr_pmemdup(pool, good.data, good.len);
    data[7] = '1';
    refused(bytes, "unknown version");
    for (i = 0; i < 4; i++) {       /* the offset of the only object */
        bytes.data = data = apr_pmemdup(pool, good.data, good.len);
        data[9 + i] = i == 3 ? 2 : 0xff;
        refused(bytes, "no object");
    }
}
END_TEST

START_TEST(refuses_circles)
{
    maker_t *m = maker(1);
    int self[] = { 0, 0 }, other[] = { 1 }, back[] = { 0 }, dict[] = { 1, 0 };

    refused(finish(m, items(m, 0xa, 2, self)), "circle");
    m = maker(1);
    items(m, 0xa, 1, other);
    items(m, 0xa, 1, back);
    refused(finish(m, 0), "circle");
    m = maker(1);
    items(m, 0xd, 2, dict);
    text(m, "k");
    refused(finish(m, 0), "circle");
}
END_TEST

/* Each array refers ten times to the next one: 10^20 values in a few hundred bytes. */
START_TEST(refuses_explosions)
{
    maker_t *m = maker(1);
    int refs[10], level, i;
    char *big = apr_pcalloc(pool, 100001);

    for (level = 0; level < 20; level++) {
        for (i = 0; i < 10; i++)
            refs[i] = level + 1;
        items(m, 0xa, 10, refs);
    }
    text(m, "boom");
    refused(finish(m, 0), "too many values");

    m = maker(1);
    memset(big, 'x', 100000);
    for (i = 0; i < 10; i++)
        refs[i] = 1;
    items(m, 0xa, 10, refs);
    for (i = 0; i < 10; i++)
        refs[i] = 2;
    items(m, 0xa, 10, refs);
    text(m, big);
    refused(finish(m, 0), "too long");
}
END_TEST

/* The same object may be used often: encoders write equal texts once. */
START_TEST(shared_objects_are_fine)
{
    maker_t *m = maker(1);
    int refs[8] = { 1, 1, 1, 2, 2, 1, 1, 2 }, pairs[] = { 1, 1 };
    mdm_plist_t *root;

    items(m, 0xa, 8, refs);
    text(m, "x");
    items(m, 0xd, 2, pairs);
    root = read_ok(finish(m, 0));
    ck_assert_int_eq(root->count, 8);
    ck_assert_str_eq(mdm_plist_get_string(root->last, "x"), "x");
}
END_TEST

START_TEST(limits_depth)
{
    int depth, i, next;

    for (depth = MDM_PLIST_MAX_DEPTH; depth <= MDM_PLIST_MAX_DEPTH + 1; depth++) {
        maker_t *m = maker(2);

        for (i = 0; i < depth; i++) {
            next = i + 1;
            items(m, 0xa, i + 1 < depth, &next);
        }
        if (depth > MDM_PLIST_MAX_DEPTH)
            refused(finish(m, 0), "too many levels");
        else
            read_ok(finish(m, 0));
    }
}
END_TEST

START_TEST(refuses_keys)
{
    maker_t *m = maker(1);
    int twice[] = { 1, 2, 3, 3 }, no_text[] = { 1, 1 }, refs[80], i;

    items(m, 0xd, 4, twice);
    text(m, "k");
    text(m, "k");
    text(m, "v");
    refused(finish(m, 0), "same key twice");
    m = maker(1);
    items(m, 0xd, 2, no_text);
    raw(m, "\x09", 1);
    refused(finish(m, 0), "key is not a text");
    /* the same key in its two forms, in a dictionary large enough to be sorted */
    m = maker(1);
    for (i = 0; i < 80; i++)
        refs[i] = i < 40 ? i + 1 : 1;
    items(m, 0xd, 80, refs);
    for (i = 0; i < 39; i++)
        text(m, apr_psprintf(pool, "%c%c", 'a' + i / 26, 'a' + i % 26));
    raw(m, "\x62\0a\0a", 5);
    refused(finish(m, 0), "same key twice");
}
END_TEST

START_TEST(all_sizes_of_references_and_offsets)
{
    int ref_size, offset_size;

    for (ref_size = 1; ref_size <= 8; ref_size++) {
        for (offset_size = 1; offset_size <= 8; offset_size++) {
            maker_t *m = maker(ref_size);
            int refs[] = { 1, 2 };

            m->offset_size = offset_size;
            items(m, 0xd, 2, refs);
            text(m, "key");
            text(m, "value");
            ck_assert_str_eq(mdm_plist_get_string(read_ok(finish(m, 0)), "key"), "value");
        }
    }
}
END_TEST

START_TEST(is_kept_as_text)
{
    maker_t *m = maker(1);
    int refs[] = { 1, 2 };
    mdm_bytes_t bytes, kept, xml = mdm_bytes_of("<plist><true/></plist>");
    mdm_plist_t *root, *again;

    items(m, 0xd, 2, refs);
    text(m, "key");
    text(m, "a < b");
    bytes = finish(m, 0);
    root = read_ok(bytes);
    ck_assert_int_eq(mdm_plist_text_of(&kept, ctx, bytes, root), APR_SUCCESS);
    ck_assert(mdm_utf8_valid(kept));
    again = read_ok(kept);
    ck_assert_str_eq(mdm_plist_get_string(again, "key"), "a < b");
    ck_assert_int_eq(mdm_plist_text_of(&kept, ctx, xml, root), APR_SUCCESS);
    ck_assert_ptr_eq(kept.data, xml.data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plist_binary");
    TCase *tc = tcase_create("all");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, reads_what_plistlib_writes);
    tcase_add_test(tc, reads_values);
    tcase_add_test(tc, refuses_values);
    tcase_add_test(tc, refuses_broken_frames);
    tcase_add_test(tc, refuses_circles);
    tcase_add_test(tc, refuses_explosions);
    tcase_add_test(tc, shared_objects_are_fine);
    tcase_add_test(tc, limits_depth);
    tcase_add_test(tc, refuses_keys);
    tcase_add_test(tc, all_sizes_of_references_and_offsets);
    tcase_add_test(tc, is_kept_as_text);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
