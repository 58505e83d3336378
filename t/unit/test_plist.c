/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property lists: what is read, what is refused and with which sentence, what is written. Python's plistlib
 * is the judge of both directions; libxml2's memory and entity loader are watched so that no refusal leaks
 * or loads.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <apr_strings.h>
#include <libxml/parser.h>

#include "mdm_plist.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" " \
    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
#define P(xml) "<plist version=\"1.0\">" xml "</plist>"

static apr_pool_t *pool;
static mdm_ctx_t *ctx;

static int loads;

static xmlParserInputPtr no_load(const char *url, const char *id, xmlParserCtxtPtr parser)
{
    (void)url;
    (void)id;
    (void)parser;
    loads++;
    return NULL;
}

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ctx = mdm_ctx_create(pool, NULL);
    mdm_plist_init();
    xmlSetExternalEntityLoader(no_load);
}

static void teardown(void)
{
    ck_assert_int_eq(loads, 0);
    apr_pool_destroy(pool);
}

static mdm_plist_t *read_ok(const char *text)
{
    mdm_plist_t *root = NULL;
    apr_status_t rv = mdm_plist_read(&root, ctx, mdm_bytes_of(text));

    ck_assert_msg(rv == APR_SUCCESS, "%s: %s", mdm_ctx_detail(ctx, rv), text);
    ck_assert_ptr_nonnull(root);
    return root;
}

/* Refused with a sentence that has these words. */
static void refused(const char *text, const char *words)
{
    mdm_plist_t *root = NULL;

    mdm_ctx_clear(ctx);
    ck_assert_msg(mdm_plist_read(&root, ctx, mdm_bytes_of(text)) == MDM_EPLIST, "accepted: %s", text);
    ck_assert_msg(strstr(ctx->detail, words) != NULL, "\"%s\" lacks \"%s\": %s", ctx->detail, words, text);
    ck_assert_ptr_null(root);
    mdm_ctx_clear(ctx);
}

static mdm_bytes_t write_ok(const mdm_plist_t *root)
{
    mdm_bytes_t text = { NULL, 0 };
    apr_status_t rv = mdm_plist_write(&text, ctx, root);

    ck_assert_msg(rv == APR_SUCCESS, "%s", mdm_ctx_detail(ctx, rv));
    return text;
}

static mdm_bytes_t read_file(const char *path)
{
    char *data = apr_palloc(pool, 1 << 20);
    mdm_bytes_t bytes = { (unsigned char *)data, 0 };
    FILE *file = fopen(path, "rb");

    ck_assert_msg(file != NULL, "%s", path);
    bytes.len = fread(data, 1, (1 << 20) - 1, file);
    data[bytes.len] = '\0';
    fclose(file);
    return bytes;
}

static void write_file(const char *path, mdm_bytes_t bytes)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
    fclose(file);
}

static char *python_folder(void)
{
    char *folder = apr_pstrdup(pool, "/tmp/plist-test-XXXXXX");

    ck_assert_ptr_nonnull(mkdtemp(folder));
    return folder;
}

/* Run a Python program in a folder; it has plistlib, datetime, load(name) and dump(value, name). */
static void python(const char *folder, const char *program)
{
    const char *script = apr_pstrcat(pool, folder, "/program.py", NULL), *interpreter = getenv("MDM_PYTHON");
    const char *head = "import plistlib, os\nfrom datetime import datetime\n"
        "os.chdir(os.path.dirname(__file__))\n"
        "def load(name): return plistlib.load(open(name, 'rb'))\n"
        "def dump(value, name): plistlib.dump(value, open(name, 'wb'), sort_keys=False)\n";

    write_file(script, mdm_bytes_of(apr_pstrcat(pool, head, program, "\n", NULL)));
    ck_assert_int_eq(system(apr_pstrcat(pool, interpreter ? interpreter : "python3", " ", script, NULL)), 0);
}

static void remove_folder(const char *folder)
{
    ck_assert_int_eq(system(apr_pstrcat(pool, "rm -r ", folder, NULL)), 0);
}

START_TEST(reads_a_check_in)
{
    mdm_plist_t *root = read_ok(HEAD P("\n<dict>\n\t<key>MessageType</key>\n\t<string>TokenUpdate</string>\n"
                                       "<key>Token</key><data>\n\tAAEC\n\tAw==\n</data><key>N</key>"
                                       "<integer>-7</integer><key>On</key><true/><key>Off</key><false/>"
                                       "<key>L</key><array><real>0.5</real><date>1970-01-02T00:00:01Z</date>"
                                       "</array></dict>\n") "\n");
    const mdm_plist_t *list = mdm_plist_get(root, "L");
    mdm_bytes_t data = { NULL, 0 };

    ck_assert_int_eq(root->type, MDM_PLIST_DICT);
    ck_assert_uint_eq(root->count, 6);
    ck_assert_str_eq(mdm_plist_get_string(root, "MessageType"), "TokenUpdate");
    ck_assert_int_eq(mdm_plist_get_data(&data, root, "Token"), 1);
    ck_assert_uint_eq(data.len, 4);
    ck_assert_mem_eq(data.data, "\0\1\2\3", 4);
    ck_assert_int_eq(mdm_plist_get(root, "N")->integer, -7);
    ck_assert_int_eq(mdm_plist_get_boolean(root, "On", 0), 1);
    ck_assert_int_eq(mdm_plist_get_boolean(root, "Off", 1), 0);
    ck_assert_uint_eq(list->count, 2);
    ck_assert(list->first->real == 0.5);
    ck_assert_ptr_null(list->first->key);
    ck_assert_int_eq(list->last->date, APR_INT64_C(86401000000));
}
END_TEST

START_TEST(looks_up_by_type)
{
    mdm_plist_t *root = read_ok(P("<dict><key>s</key><string></string>"
                                  "<key>i</key><integer>1</integer></dict>"));
    mdm_bytes_t data;

    ck_assert_str_eq(mdm_plist_get_string(root, "s"), "");
    ck_assert_ptr_null(mdm_plist_get_string(root, "i"));
    ck_assert_ptr_null(mdm_plist_get_string(root, "S"));
    ck_assert_ptr_null(mdm_plist_get_string(NULL, "s"));
    ck_assert_ptr_null(mdm_plist_get(mdm_plist_get(root, "s"), "s"));
    ck_assert_int_eq(mdm_plist_get_data(&data, root, "s"), 0);
    ck_assert_int_eq(mdm_plist_get_boolean(root, "i", 5), 5);
}
END_TEST

static const char *text_of(const char *element)
{
    return (const char *)read_ok(apr_pstrcat(pool, "<plist>", element, "</plist>", NULL))->bytes.data;
}

START_TEST(reads_text_as_xml_does)
{
    ck_assert_str_eq(text_of("<string>a&amp;&lt;&gt;&quot;&apos;&#65;&#x42;</string>"), "a&<>\"'AB");
    ck_assert_str_eq(text_of("<string><![CDATA[<&amp;]]>x<!-- y -->z</string>"), "<&amp;xz");
    ck_assert_str_eq(text_of("<string> a\r\nb </string>"), " a\nb ");
    ck_assert_str_eq((const char *)read_ok("\xef\xbb\xbf" P("<string>\xf0\x9f\x93\xb1</string>"))->bytes.data,
                     "\xf0\x9f\x93\xb1");
    ck_assert_str_eq(read_ok(P("<dict><key/><true/></dict>"))->first->key, "");
    ck_assert_uint_eq(read_ok(P("<string/>"))->bytes.len, 0);
    ck_assert_ptr_nonnull(read_ok(P("<data/>"))->bytes.data);
    read_ok("<?xml version='1.0' encoding='utf-8'?>" P("<true/>"));
    read_ok("<?xml version=\"1.0\" encoding = \"US-ASCII\" standalone=\"yes\"?>" P("<true/>"));
    read_ok("<plist><true/></plist>");
    read_ok("<!DOCTYPE plist SYSTEM \"file:///nowhere\">" P("<true/>"));
}
END_TEST

START_TEST(reads_a_long_text_once)
{
    apr_size_t lengths[] = { 1023, 1024, 1025, 299, 100000 }, i;

    for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        char *text = apr_palloc(pool, lengths[i] + 1);
        mdm_plist_t *root;

        memset(text, 'a', lengths[i]);
        text[lengths[i]] = '\0';
        root = read_ok(apr_pstrcat(pool, "<plist><array><string>&lt;", text,
                                   "</string><string>b</string></array></plist>", NULL));
        ck_assert_uint_eq(root->first->bytes.len, lengths[i] + 1);
        ck_assert_str_eq((const char *)root->first->bytes.data + 1, text);
        ck_assert_str_eq((const char *)root->last->bytes.data, "b");
    }
}
END_TEST

START_TEST(reads_numbers_and_dates)
{
    ck_assert(read_ok(P("<integer>9223372036854775807</integer>"))->integer == INT64_MAX);
    ck_assert(read_ok(P("<integer>-9223372036854775808</integer>"))->integer == INT64_MIN);
    ck_assert_int_eq(read_ok(P("<integer> +007\n</integer>"))->integer, 7);
    ck_assert(read_ok(P("<real>-1.25e-3</real>"))->real == -1.25e-3);
    ck_assert(read_ok(P("<real>3</real>"))->real == 3);
    ck_assert_int_eq(read_ok(P("<date>1970-01-01T00:00:00Z</date>"))->date, 0);
    ck_assert_int_eq(read_ok(P("<date>1969-12-31T23:59:59Z</date>"))->date, -1000000);
    ck_assert_int_eq(read_ok(P("<date>2000-02-29T12:00:00Z</date>"))->date, APR_INT64_C(951825600000000));
    ck_assert_int_eq(read_ok(P("<date>0001-01-01T00:00:00Z</date>"))->date, APR_INT64_C(-62135596800000000));
}
END_TEST

START_TEST(refuses_wrong_values)
{
    static const char *const integers[] = { "", "-", "+", "0x10", "1.0", "1 2", "9223372036854775808", "--1",
        "-9223372036854775809", "18446744073709551615", "18446744073709551616", "99999999999999999999", "a" };
    static const char *const reals[] = { "", ".", "nan", "inf", "-Infinity", "0x1p3", "1e", "1e999", "1,5",
        "1e+", "1.5x", "+-1" };
    static const char *const dates[] = { "", "2023-02-29T00:00:00Z", "2023-02-28T00:00:00",
        "2023-13-01T00:00:00Z",
        "2023-01-00T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z", "2023-01-01T00:00:60Z",
        "0000-01-01T00:00:00Z", "2023-01-01 00:00:00Z", "+023-01-01T00:00:00Z", "1900-02-29T00:00:00Z",
        "2023-01-01T00:00:00.5Z", "2023-1-1T00:00:00Z" };
    static const char *const datas[] = { "A", "AA", "AAA", "AA=", "A===", "AAAA=", "AA*A", "=AAA", "AA==AAAA",
        "-_==" };
    apr_size_t i;

    for (i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
        refused(apr_psprintf(pool, P("<integer>%s</integer>"), integers[i]), "an integer is malformed");
    for (i = 0; i < sizeof(reals) / sizeof(reals[0]); i++)
        refused(apr_psprintf(pool, P("<real>%s</real>"), reals[i]), "a real is malformed");
    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++)
        refused(apr_psprintf(pool, P("<date>%s</date>"), dates[i]), "a date is not");
    for (i = 0; i < sizeof(datas) / sizeof(datas[0]); i++)
        refused(apr_psprintf(pool, P("<data>%s</data>"), datas[i]), "not base64");
    refused(P("<true> </true>"), "a boolean is not empty");
}
END_TEST

START_TEST(refuses_wrong_structure)
{
    refused("", "empty");
    refused(" ", "malformed");
    refused("MessageType=Idle", "not XML");
    refused("bplist00", "binary");
    refused("<plist/>", "no value");
    refused("<html/>", "not plist");
    refused("<plist version=\"1.0\" a=\"b\"><true/></plist>", "other than version");
    refused("<plist xml:version=\"1.0\"><true/></plist>", "other than version");
    refused("<plist xmlns=\"a\"><true/></plist>", "namespace");
    refused("<a:plist xmlns:a=\"a\"><true/></a:plist>", "namespace");
    refused(P("<true/><true/>"), "more than one root value");
    refused(P("<true/>") P("<true/>"), "malformed");
    refused(P("<true/>") "x", "malformed");
    refused(P("<plist><true/></plist>"), "not known");
    refused(P("<Dict/>"), "not known");
    refused(P("<string a=\"b\"/>"), "an attribute");
    refused(P("<string><string/></string>"), "inside of");
    refused(P("<dict><key><true/></key></dict>"), "inside of");
    refused(P("<key>a</key>"), "outside of a dictionary");
    refused(P("<array><key>a</key></array>"), "outside of a dictionary");
    refused(P("<dict><true/></dict>"), "no key");
    refused(P("<dict><key>a</key></dict>"), "no value");
    refused(P("<dict><key>a</key><key>b</key><true/></dict>"), "no value");
    refused(P("<dict>a</dict>"), "text between");
    refused(P("a<true/>"), "text between");
    refused(P("<array>&#65;</array>"), "text between");
    refused(P("<array><![CDATA[x]]></array>"), "text between");
    refused(P("<dict><key>a</key><true/>"), "malformed");
    refused("<plist><array>", "malformed");
    refused("<plist>\n\n<set/></plist>", "line 3");
}
END_TEST

START_TEST(refuses_entities_and_subsets)
{
    refused("<!DOCTYPE plist [<!ENTITY a \"b\">]>" P("<string>&a;</string>"), "internal subset");
    refused("<!DOCTYPE plist [ ]>" P("<true/>"), "internal subset");
    refused("<!DOCTYPE plist PUBLIC \"a\" \"b\" [<!ENTITY % a SYSTEM \"http://127.0.0.1:9/\">%a;]>"
            P("<true/>"), "internal subset");
    refused("<!DOCTYPE plist [<!ELEMENT plist ANY>]>" P("<true/>"), "internal subset");
    refused(HEAD P("<string>&nbsp;</string>"), "entity");
    refused(P("<string>&nbsp;</string>"), "entity");
    refused(HEAD "<plist version=\"&nbsp;\"><true/></plist>", "entity");
    refused(P("<?target data?><true/>"), "processing instruction");
    refused(P("<true/>") "<?target data?>", "processing instruction");
}
END_TEST

START_TEST(refuses_other_encodings)
{
    static const char with_nul[] = P("<string>a\0b</string>");
    mdm_bytes_t bytes = { (const unsigned char *)with_nul, sizeof(with_nul) - 1 };
    mdm_plist_t *root;

    refused("<?xml version=\"1.0\" encoding=\"UTF-16\"?>" P("<true/>"), "encoding");
    refused("<?xml version=\"1.0\" encoding='ISO-8859-1'?>" P("<true/>"), "encoding");
    refused("<?xml version=\"1.0\" encoding=\"UTF-8 \"?>" P("<true/>"), "encoding");
    refused("<?xml version=\"1.0\" encoding=\"UTF-7\"?>" P("<true/>"), "encoding");
    refused(P("<string>\xe9</string>"), "not UTF-8");
    refused(P("<string>\xc0\xbc</string>"), "not UTF-8");
    refused(P("<string>\xed\xa0\x80</string>"), "not UTF-8");
    refused(P("<string>&#0;</string>"), "malformed");
    refused(P("<string>&#xD800;</string>"), "malformed");
    refused(P("<string>\x01</string>"), "malformed");
    refused(P("<string>\xef\xbf\xbf</string>"), "malformed");
    ck_assert_int_eq(mdm_plist_read(&root, ctx, bytes), MDM_EPLIST);
}
END_TEST

static const char *nested(int depth, const char *inside)
{
    char *text = apr_pcalloc(pool, (apr_size_t)depth * 15 + strlen(inside) + 16), *at = text;
    int i;

    at = apr_cpystrn(at, "<plist>", 16);
    for (i = 0; i < depth; i++)
        at = apr_cpystrn(at, "<array>", 16);
    at = apr_cpystrn(at, inside, strlen(inside) + 1);
    for (i = 0; i < depth; i++)
        at = apr_cpystrn(at, "</array>", 16);
    memcpy(at, "</plist>", 8);
    return text;
}

START_TEST(limits_depth_and_size)
{
    apr_size_t i, values = MDM_PLIST_MAX_NODES;
    char *text = apr_palloc(pool, values * 7 + 64), *at = apr_cpystrn(text, "<plist><array>", 32);
    mdm_bytes_t large = { apr_pcalloc(pool, MDM_PLIST_MAX_BYTES + 1), MDM_PLIST_MAX_BYTES + 1 };
    mdm_plist_t *root;

    write_ok(read_ok(apr_pstrdup(pool, nested(64, "<true/>"))));
    refused(nested(65, ""), "too many levels");
    refused(nested(20000, ""), "too many levels");
    for (i = 1; i < values; i++)
        at = apr_cpystrn(at, "<true/>", 8);
    strcpy(at, "</array></plist>");
    ck_assert_uint_eq(read_ok(text)->count, values - 1);
    strcpy(at, "<true/></array></plist>");
    refused(text, "too many values");
    ck_assert_int_eq(mdm_plist_read(&root, ctx, large), MDM_ETOOBIG);
    mdm_ctx_clear(ctx);
    memset((char *)large.data, ' ', large.len);
    memcpy((char *)large.data, "<plist><string>", 15);
    memcpy((char *)large.data + large.len - 18, "</string></plist>", 17);
    large.len--;
    ck_assert_int_eq(mdm_plist_read(&root, ctx, large), APR_SUCCESS);
}
END_TEST

/* A dictionary of `count` keys, the last of which may repeat the one at `again`. */
static char *many_keys(int count, int again)
{
    char *text = apr_palloc(pool, (apr_size_t)count * 40 + 64), *at = text;
    int i;

    at += sprintf(at, "<plist><dict>");
    for (i = 0; i < count; i++)
        at += sprintf(at, "<key>%d</key><true/>", i == count - 1 && again >= 0 ? again : i);
    sprintf(at, "</dict></plist>");
    return text;
}

START_TEST(refuses_duplicate_keys_fast)
{
    static const int counts[] = { 2, 3, 16, 17, 18, 1000 };
    clock_t start;
    apr_size_t i;

    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        read_ok(many_keys(counts[i], -1));
        refused(many_keys(counts[i], 0), "same key twice");
        refused(many_keys(counts[i], counts[i] / 2 - 1), "same key twice");
    }
    start = clock();
    ck_assert_uint_eq(read_ok(many_keys(100000, -1))->count, 100000);
    refused(many_keys(100000, 50000), "same key twice");
    ck_assert_msg(clock() - start < 10 * CLOCKS_PER_SEC, "100 000 keys took more than ten seconds");
}
END_TEST

/* `count` times what `format` makes of a number, between two texts. */
static const char *repeated(const char *before, const char *format, int count, const char *after)
{
    char *text = apr_palloc(pool, (apr_size_t)count * 24 + 256), *at = apr_cpystrn(text, before, 128);
    int i;

    for (i = 0; i < count; i++)
        at += sprintf(at, format, i);
    apr_cpystrn(at, after, 128);
    return text;
}

/* libxml2 takes a minute for the first of these if it is let. */
START_TEST(refuses_long_tags_fast)
{
    clock_t start = clock();

    refused(repeated("<plist ", "a%d=\"\" ", 300000, "><true/></plist>"), "a tag is too long");
    refused(repeated("<plist a=\">\" ", "a%d='>' ", 300000, "><true/></plist>"), "a tag is too long");
    refused(repeated("<plist><!-- < --><![CDATA[<]]><true ", "a%d=\"\" ", 300000, "/></plist>"),
            "a tag is too long");
    refused(repeated("<plist ", "xmlns:a%d=\"u\" ", 200000, "><true/></plist>"), "a tag is too long");
    refused(repeated("<plist><a", "a%d", 300000, "/></plist>"), "a tag is too long");
    refused(repeated("<plist x=\"", "<%d>", 300000, "\"/>"), "a tag is too long");
    read_ok(repeated("<plist><string>", "<![CDATA[<a b='%d]]>", 100000, "</string></plist>"));
    read_ok(repeated("<plist><!-- <a ", "b%d='' ", 300000, "--><true/></plist>"));
    read_ok(repeated("<plist><array>", "<!-- %d -->", 300000, "</array></plist>"));
    ck_assert_msg(clock() - start < 20 * CLOCKS_PER_SEC, "long tags took more than 20 seconds");
}
END_TEST

START_TEST(writes_the_documented_bytes)
{
    static const char expected[] = HEAD "<plist version=\"1.0\">\n<dict>\n\t<key>a&amp;b</key>\n"
        "\t<string>&lt;c&gt;&#13;</string>\n\t<key>d</key>\n\t<data>AAEC</data>\n\t<key>e</key>\n\t<array>\n"
        "\t\t<integer>-1</integer>\n\t\t<dict/>\n\t\t<array/>\n\t</array>\n\t<key>f</key>\n\t<true/>\n"
        "\t<key>g</key>\n\t<false/>\n</dict>\n</plist>\n";
    mdm_plist_t *root = mdm_plist_dict(pool), *list;
    mdm_bytes_t data = { (const unsigned char *)"\0\1\2", 3 }, none = { NULL, 0 };

    mdm_plist_set_string(root, "a&b", "<c>\r", pool);
    mdm_plist_set_string(root, "missing", NULL, pool);
    mdm_plist_set_data(root, "d", data, pool);
    mdm_plist_set_data(root, "missing", none, pool);
    list = mdm_plist_set(root, "e", mdm_plist_array(pool), pool);
    mdm_plist_append(list, mdm_plist_integer(-1, pool));
    mdm_plist_append(list, mdm_plist_dict(pool));
    mdm_plist_append(list, mdm_plist_array(pool));
    mdm_plist_set_boolean(root, "f", 7, pool);
    mdm_plist_set_boolean(root, "g", 0, pool);
    ck_assert_str_eq((const char *)write_ok(root).data, expected);
    ck_assert_uint_eq(write_ok(root).len, strlen(expected));
    ck_assert_uint_eq(mdm_plist_data(none, pool)->bytes.len, 0);
    ck_assert_str_eq((const char *)mdm_plist_string(NULL, pool)->bytes.data, "");
    /* an item of a tree is written alone, without its key and the items after it */
    ck_assert_ptr_nonnull(strstr((const char *)write_ok(list->first).data,
                                 "\"1.0\">\n<integer>-1</integer>\n</plist>\n"));
}
END_TEST

static void not_written(const mdm_plist_t *root, const char *words)
{
    mdm_bytes_t text;

    mdm_ctx_clear(ctx);
    ck_assert_int_eq(mdm_plist_write(&text, ctx, root), MDM_EPLIST);
    ck_assert_msg(strstr(ctx->detail, words) != NULL, "\"%s\" lacks \"%s\"", ctx->detail, words);
}

START_TEST(refuses_to_write_what_xml_cannot_carry)
{
    mdm_plist_t *deep = mdm_plist_array(pool), *at = deep, *real = mdm_plist_integer(0, pool);
    mdm_plist_t *date = mdm_plist_integer(0, pool), *dict = mdm_plist_dict(pool);
    int i;

    not_written(NULL, "no tree");
    not_written(mdm_plist_string("\x01", pool), "cannot carry");
    not_written(mdm_plist_string("\x1b", pool), "cannot carry");
    not_written(mdm_plist_string("\xff", pool), "cannot carry");
    not_written(mdm_plist_string("\xef\xbf\xbe", pool), "cannot carry");
    mdm_plist_set_boolean(dict, "\x02", 1, pool);
    not_written(dict, "cannot carry");
    real->type = MDM_PLIST_REAL;
    real->real = 1 / real->real;
    not_written(real, "finite");
    date->type = MDM_PLIST_DATE;
    date->date = APR_INT64_C(253402300800) * APR_USEC_PER_SEC;
    not_written(date, "years");
    date->date = APR_INT64_C(-62135596800) * APR_USEC_PER_SEC - 1;
    not_written(date, "years");
    date->type = MDM_PLIST_UNSET;
    not_written(date, "without a type");
    for (i = 1; i < MDM_PLIST_MAX_DEPTH; i++)
        at = mdm_plist_append(at, mdm_plist_array(pool));
    write_ok(deep);
    mdm_plist_append(at, mdm_plist_array(pool));
    not_written(deep, "too many levels");
}
END_TEST

/* Without carriage returns, which plistlib writes bare and XML therefore reads as line feeds. */
#define VALUE "{'s': 'a&<>\"\\'\\n\\t é📱 ]]>', 'k\\n<': '', 'd': bytes(range(256)), 'e': b''," \
    "'n': [-2**63, 2**63-1, 0], 't': True, 'f': False," \
    "'r': [0.1, 1e-300, -2.5, 1e23, 5e-324, 1.7976931348623157e308, 3.0, -0.0]," \
    "'z': [datetime(1, 1, 1), datetime(1969, 12, 31, 23, 59, 59), datetime(2024, 2, 29)," \
    "datetime(9999, 12, 31)], 'a': [[], {}, [[1], {'x': []}]]}"

START_TEST(agrees_with_plistlib)
{
    char *folder = python_folder();
    mdm_plist_t *root = NULL;
    apr_status_t rv;

    python(folder, "dump(" VALUE ", 'theirs')");
    rv = mdm_plist_read(&root, ctx, read_file(apr_pstrcat(pool, folder, "/theirs", NULL)));
    ck_assert_msg(rv == APR_SUCCESS, "%s", mdm_ctx_detail(ctx, rv));
    write_file(apr_pstrcat(pool, folder, "/ours", NULL), write_ok(root));
    python(folder, "value = " VALUE "\nassert load('ours') == value, load('ours')\n"
           "assert repr(load('ours')) == repr(value)");
    remove_folder(folder);
}
END_TEST

START_TEST(agrees_with_plistlib_on_what_is_built)
{
    char *folder = python_folder();
    mdm_plist_t *root = mdm_plist_dict(pool);
    mdm_bytes_t data = { (const unsigned char *)"\0\xff\n", 3 };

    mdm_plist_set_string(root, "CommandUUID", "<&>\r\n\r", pool);
    mdm_plist_set_data(root, "Data", data, pool);
    mdm_plist_set_integer(root, "Count", INT64_MIN, pool);
    mdm_plist_set_boolean(root, "Yes", 1, pool);
    mdm_plist_append(mdm_plist_set(root, "List", mdm_plist_array(pool), pool),
                     mdm_plist_string("\xc3\xa9", pool));
    write_file(apr_pstrcat(pool, folder, "/ours", NULL), write_ok(root));
    python(folder, "assert load('ours') == {'CommandUUID': '<&>\\r\\n\\r',"
           "'Data': b'\\0\\xff\\n', 'Count': -2**63, 'Yes': True, 'List': ['é']}\n"
           "assert list(load('ours')) == ['CommandUUID', 'Data', 'Count', 'Yes', 'List']");
    remove_folder(folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("plist");
    TCase *group = tcase_create("plist");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(group, setup, teardown);
    tcase_set_timeout(group, 120);
    tcase_add_test(group, reads_a_check_in);
    tcase_add_test(group, looks_up_by_type);
    tcase_add_test(group, reads_text_as_xml_does);
    tcase_add_test(group, reads_a_long_text_once);
    tcase_add_test(group, reads_numbers_and_dates);
    tcase_add_test(group, refuses_wrong_values);
    tcase_add_test(group, refuses_wrong_structure);
    tcase_add_test(group, refuses_entities_and_subsets);
    tcase_add_test(group, refuses_other_encodings);
    tcase_add_test(group, limits_depth_and_size);
    tcase_add_test(group, refuses_duplicate_keys_fast);
    tcase_add_test(group, refuses_long_tags_fast);
    tcase_add_test(group, writes_the_documented_bytes);
    tcase_add_test(group, refuses_to_write_what_xml_cannot_carry);
    tcase_add_test(group, agrees_with_plistlib);
    tcase_add_test(group, agrees_with_plistlib_on_what_is_built);
    suite_add_tcase(suite, group);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
