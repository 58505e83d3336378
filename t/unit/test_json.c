/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts for JSON and HTML: the escapes, the tabs, the order of keys. Python's json and html modules are the
 * judges.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mdm_html.h"
#include "mdm_json.h"

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

static json_t *read_ok(const char *text)
{
    json_t *json = NULL;
    apr_status_t rv = mdm_json_read(&json, ctx, mdm_bytes_of(text));

    ck_assert_msg(rv == APR_SUCCESS, "%s: %s", mdm_ctx_detail(ctx, rv), text);
    return json;
}

START_TEST(pretty_text)
{
    json_t *json = mdm_json_object(pool), *list = json_array();

    json_object_set_new(json, "z", json_integer(-1));
    json_object_set_new(json, "a<b", json_string("<>&\"\\/\n\r\t\b\f\x01\x7f\xc3\xa9"
                                                 "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa"));
    json_array_append_new(list, json_true());
    json_array_append_new(list, json_null());
    json_array_append_new(list, json_object());
    json_array_append_new(list, json_pack("{s:s}", "k", "v"));
    json_object_set_new(json, "list", list);
    json_object_set_new(json, "none", json_array());
    json_object_set_new(json, "real", json_real(0.1));
    json_object_set_new(json, "whole", json_real(2));
    json_object_set_new(json, "large", json_real(1e300));
    ck_assert_str_eq(mdm_json_pretty(json, pool),
                     "{\n\t\"z\": -1,\n\t\"a\\u003cb\": \"\\u003c\\u003e\\u0026\\\"\\\\/\\n\\r\\t\\b\\f"
                     "\\u0001\x7f\xc3\xa9\\u2028\\u2029\xe2\x80\xaa\",\n"
                     "\t\"list\": [\n\t\ttrue,\n\t\tnull,\n\t\t{},\n"
                     "\t\t{\n\t\t\t\"k\": \"v\"\n\t\t}\n\t],\n\t\"none\": [],\n\t\"real\": 0.1,\n\t\"whole\": 2.0,\n"
                     "\t\"large\": 1e+300\n}\n");
    ck_assert_str_eq(mdm_json_compact(json_object_get(json, "list"), pool), "[true,null,{},{\"k\":\"v\"}]");
    ck_assert_str_eq(mdm_json_pretty(mdm_json_object(pool), pool), "{}\n");
    ck_assert_str_eq(mdm_json_compact(mdm_json_own(json_string_nocheck("\xff"), pool), pool), "\"\\ufffd\"");
    ck_assert_ptr_null(mdm_json_pretty(NULL, pool));
    ck_assert_ptr_null(mdm_json_own(NULL, pool));
}
END_TEST

START_TEST(reads_objects_only)
{
    static const char *const wrong[] = {
        "", " ", "[]", "1", "\"a\"", "{", "{}x", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\xff\"}", "{'a':1}", "{\"a\":01}", "{\"a\":99999999999999999999}", "{}{}"
    };
    json_t *json = NULL;
    apr_size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        mdm_ctx_clear(ctx);
        ck_assert_msg(mdm_json_read(&json, ctx, mdm_bytes_of(wrong[i])) == MDM_EINPUT, "%s", wrong[i]);
        ck_assert_ptr_nonnull(ctx->detail);
    }
    ck_assert_ptr_null(json);
    ck_assert_str_eq(json_string_value(json_object_get(read_ok(" {\"a\": \"b\"}\n"), "a")), "b");
}
END_TEST

START_TEST(sets_texts)
{
    json_t *json = mdm_json_object(pool);

    mdm_json_set_text(json, "none", NULL);
    mdm_json_set_text(json, "text", "a\xc3\xa9");
    mdm_json_set_text(json, "bytes", "a\xff\xc3");
    ck_assert_str_eq(mdm_json_compact(json, pool),
                     "{\"text\":\"a\xc3\xa9\",\"bytes\":\"a\\ufffd\\ufffd\"}");
}
END_TEST

START_TEST(limits_depth)
{
    json_t *json = mdm_json_own(json_array(), pool), *at = json;
    int i;

    for (i = 1; i < MDM_JSON_MAX_DEPTH; i++) {
        json_array_append_new(at, json_array());
        at = json_array_get(at, 0);
    }
    ck_assert_ptr_nonnull(mdm_json_pretty(json, pool));
    json_array_append_new(at, json_array());
    ck_assert_ptr_null(mdm_json_pretty(json, pool));
    ck_assert_ptr_null(mdm_json_compact(json, pool));
}
END_TEST

/* Python gets the text as a file and a program that looks at `text`. */
static void python(const char *text, const char *program)
{
    char folder[] = "/tmp/json-test-XXXXXX";
    const char *interpreter = getenv("MDM_PYTHON");
    const char *files[2] = { "text", "program.py" }, *contents[2] = { text, program };
    int i;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    contents[1] = apr_pstrcat(pool, "import html, json, sys\n"
                              "text = open(sys.argv[1], encoding='utf-8', newline='').read()\n", program,
                              NULL);
    for (i = 0; i < 2; i++) {
        FILE *file = fopen(apr_pstrcat(pool, folder, "/", files[i], NULL), "w");

        ck_assert_ptr_nonnull(file);
        fputs(contents[i], file);
        fclose(file);
    }
    ck_assert_int_eq(system(apr_pstrcat(pool, interpreter ? interpreter : "python3", " ", folder,
                                        "/program.py ", folder, "/text; code=$?; rm -r ", folder,
                                        "; exit $code", NULL)), 0);
}

#define VALUE "{\"k\\u00e9<\": [1, -9223372036854775808, 9223372036854775807, 0.5, 1e300, -2.5e-7, 1e23], " \
    "\"\\t\\r\\n\\b\\f\\u001f\": \"\\ud83d\\udcf1 <script>&amp;\\u2028\", " \
    "\"o\": {\"p\": {}, \"q\": [[]], \"r\": null}}"

START_TEST(agrees_with_python)
{
    const char *program = "value = json.loads(r'''" VALUE "''')\nassert json.loads(text) == value, text\n"
        "assert list(json.loads(text)) == list(value)\nassert not set(text) & set('<>&\\u2028')\n";
    const char *order = "assert json.dumps(json.loads(text), indent='\\t') + '\\n' == text\n";

    python(mdm_json_pretty(read_ok(VALUE), pool), program);
    python(mdm_json_compact(read_ok(VALUE), pool), program);
    python(mdm_json_pretty(read_ok("{\"b\": [1, {\"c\": []}, {}], \"a\": {\"d\": true}}"), pool), order);
}
END_TEST

START_TEST(html_text)
{
    ck_assert_str_eq(mdm_html_escape(NULL, pool), "");
    ck_assert_str_eq(mdm_html_escape("", pool), "");
    ck_assert_str_eq(mdm_html_escape("<a href=\"x\">'&amp;'</a>", pool),
                     "&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;&#39;&lt;/a&gt;");
    ck_assert_str_eq(mdm_html_escape("a\tb\nc\x01\x7f\r", pool),
                     "a\tb\nc\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    ck_assert_str_eq(mdm_html_escape("\xc3\xa9\xff<\xe2\x82", pool),
                     "\xc3\xa9\xef\xbf\xbd&lt;\xef\xbf\xbd\xef\xbf\xbd");
    python(mdm_html_escape("<b>\"J\xc3\xbcrgen's\" & \xf0\x9f\x93\xb1</b>", pool),
           "assert html.unescape(text) == '<b>\"J\\u00fcrgen\\'s\" & \\U0001f4f1</b>'\n"
           "assert text == html.escape(html.unescape(text)).replace('&#x27;', '&#39;')\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *group = tcase_create("json");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(group, setup, teardown);
    tcase_set_timeout(group, 60);
    tcase_add_test(group, pretty_text);
    tcase_add_test(group, reads_objects_only);
    tcase_add_test(group, sets_texts);
    tcase_add_test(group, limits_depth);
    tcase_add_test(group, agrees_with_python);
    tcase_add_test(group, html_text);
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
