/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The XML form of a property list. Called by the core for commands, profiles and answers, in any thread. The
 * tree is walked twice, once to measure and once to write, so that the text is one allocation of the right
 * size. A text that XML cannot carry is refused rather than altered; nothing here recurses.
 */
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "mdm_plist.h"

#define HEAD                                                                            \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                      \
    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "                           \
    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"                             \
    "<plist version=\"1.0\">\n"
#define TAIL "</plist>\n"

/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the dates that have four digits of year. */
#define FIRST_SECOND APR_INT64_C(-62135596800)
#define LAST_SECOND APR_INT64_C(253402300799)

typedef struct {
    char *out;        /* NULL while measuring */
    apr_size_t len;
} sink_t;

static void put_bytes(sink_t *sink, const char *text, apr_size_t len)
{
    if (sink->out)
        memcpy(sink->out + sink->len, text, len);
    sink->len += len;
}

static void put(sink_t *sink, const char *text)
{
    put_bytes(sink, text, strlen(text));
}

static void put_tabs(sink_t *sink, int count)
{
    while (count-- > 0)
        put_bytes(sink, "\t", 1);
}

/* What stands for a byte in XML text; a carriage return would be read as a line feed if written as it is. */
static const char *escape_of(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

int mdm_plist_is_text(mdm_bytes_t text)
{
    apr_size_t i;

    if (!mdm_utf8_valid(text))
        return 0;
    for (i = 0; i < text.len; i++) {
        unsigned char c = text.data[i];

        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return 0;
        /* U+FFFE and U+FFFF are no XML characters. */
        if (c == 0xef && text.data[i + 1] == 0xbf && text.data[i + 2] >= 0xbe)
            return 0;
    }
    return 1;
}

static const char *put_text(sink_t *sink, mdm_bytes_t text)
{
    apr_size_t i, start = 0;

    if (!sink->out && !mdm_plist_is_text(text))
        return "a text is not UTF-8 or holds characters that XML cannot carry";
    for (i = 0; i < text.len; i++) {
        const char *escape = escape_of(text.data[i]);

        if (!escape)
            continue;
        put_bytes(sink, (const char *)text.data + start, i - start);
        put(sink, escape);
        start = i + 1;
    }
    put_bytes(sink, (const char *)text.data + start, text.len - start);
    return NULL;
}

static const char *put_data(sink_t *sink, mdm_bytes_t bytes)
{
    if (bytes.len > INT_MAX / 2)
        return "a data value is too large";
    /* The NUL that is written too lies within the text still to come. */
    if (sink->out && bytes.len)
        EVP_EncodeBlock((unsigned char *)sink->out + sink->len, bytes.data, (int)bytes.len);
    sink->len += 4 * ((bytes.len + 2) / 3);
    return NULL;
}

static const char *put_integer(sink_t *sink, apr_int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" APR_INT64_T_FMT, value);
    put(sink, text);
    return NULL;
}

/* The shortest decimal text that reads back as the same number, whatever the thread's locale is. */
static const char *put_real(sink_t *sink, double value)
{
    locale_t plain, before;
    char text[40];
    int digits = 15;

    if (!isfinite(value))
        return "a real value is no finite number";
    plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0)
        return "no memory to write a real value";
    before = uselocale(plain);
    do {
        snprintf(text, sizeof(text), "%.*g", digits, value);
    } while (digits++ < 17 && strtod(text, NULL) != value);
    uselocale(before);
    freelocale(plain);
    put(sink, text);
    return NULL;
}

static const char *put_date(sink_t *sink, apr_time_t date)
{
    apr_int64_t seconds = date / APR_USEC_PER_SEC - (date % APR_USEC_PER_SEC < 0);
    time_t when = (time_t)seconds;
    struct tm tm;
    char text[80];

    if (seconds < FIRST_SECOND || seconds > LAST_SECOND || !gmtime_r(&when, &tm))
        return "a date is outside of the years 1 to 9999";
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    put(sink, text);
    return NULL;
}

static const char *put_value(sink_t *sink, const mdm_plist_t *item)
{
    switch (item->type) {
    case MDM_PLIST_STRING:
        return put_text(sink, item->bytes);
    case MDM_PLIST_DATA:
        return put_data(sink, item->bytes);
    case MDM_PLIST_INTEGER:
        return put_integer(sink, item->integer);
    case MDM_PLIST_REAL:
        return put_real(sink, item->real);
    default:
        return put_date(sink, item->date);
    }
}

static const char *tag_of(const mdm_plist_t *item)
{
    static const char *const tags[] = {
        NULL, "dict", "array", "string", "data", "integer", "real", "", "date",
    };

    if (item->type == MDM_PLIST_BOOLEAN)
        return item->integer ? "true" : "false";
    return item->type <= MDM_PLIST_DATE ? tags[item->type] : NULL;
}

static void put_tag(sink_t *sink, const char *before, const char *tag, const char *after)
{
    put(sink, before);
    put(sink, tag);
    put(sink, after);
}

static int is_container(const mdm_plist_t *item)
{
    return item->type == MDM_PLIST_DICT || item->type == MDM_PLIST_ARRAY;
}

/* One item with its key: whole, or the opening tag alone of a container that has items. */
static const char *put_item(sink_t *sink, const mdm_plist_t *item, const mdm_plist_t *parent, int depth)
{
    const char *tag = tag_of(item), *wrong;

    if (!tag || (parent && parent->type == MDM_PLIST_DICT && !item->key))
        return "the tree holds an item without a type or key";
    if (parent && parent->type == MDM_PLIST_DICT) {
        put_tabs(sink, depth);
        put(sink, "<key>");
        wrong = put_text(sink, mdm_bytes_of(item->key));
        if (wrong)
            return wrong;
        put(sink, "</key>\n");
    }
    put_tabs(sink, depth);
    if (item->type == MDM_PLIST_BOOLEAN || (is_container(item) && !item->first)) {
        put_tag(sink, "<", tag, "/>\n");
        return NULL;
    }
    put_tag(sink, "<", tag, is_container(item) ? ">\n" : ">");
    if (is_container(item))
        return NULL;
    wrong = put_value(sink, item);
    put_tag(sink, "</", tag, ">\n");
    return wrong;
}

/* @return NULL, or what is wrong with the tree */
static const char *walk(sink_t *sink, const mdm_plist_t *root)
{
    const mdm_plist_t *stack[MDM_PLIST_MAX_DEPTH], *item = root;
    int depth = 0;

    put(sink, HEAD);
    for (;;) {
        const char *wrong = put_item(sink, item, depth ? stack[depth - 1] : NULL, depth);

        if (wrong)
            return wrong;
        if (is_container(item) && depth == MDM_PLIST_MAX_DEPTH)
            return "the tree has too many levels";
        if (is_container(item) && item->first) {
            stack[depth++] = item;
            item = item->first;
            continue;
        }
        while (depth && !item->next) {
            item = stack[--depth];
            put_tabs(sink, depth);
            put_tag(sink, "</", tag_of(item), ">\n");
        }
        if (!depth)
            break;
        item = item->next;
    }
    put(sink, TAIL);
    return NULL;
}

apr_status_t mdm_plist_write(mdm_bytes_t *text, mdm_ctx_t *ctx, const mdm_plist_t *root)
{
    sink_t sink = { NULL, 0 };
    const char *wrong = root ? walk(&sink, root) : "there is no tree";

    if (wrong)
        return mdm_fail(ctx, MDM_EPLIST, "cannot write a property list: %s", wrong);
    sink.out = apr_palloc(ctx->pool, sink.len + 1);
    sink.len = 0;
    walk(&sink, root);
    sink.out[sink.len] = '\0';
    text->data = (const unsigned char *)sink.out;
    text->len = sink.len;
    return APR_SUCCESS;
}
