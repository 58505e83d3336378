/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON over jansson. Written by ourselves rather than by jansson for its escapes and its tabs. Any thread;
 * the text is measured, then written, so that it is one allocation.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"

typedef struct {
    char *out;        /* NULL while measuring */
    apr_size_t len;
    int pretty;
} sink_t;

static apr_status_t drop(void *baton)
{
    json_decref(baton);
    return APR_SUCCESS;
}

static void put_bytes(sink_t *sink, const void *text, apr_size_t len)
{
    if (sink->out)
        memcpy(sink->out + sink->len, text, len);
    sink->len += len;
}

static void put(sink_t *sink, const char *text)
{
    put_bytes(sink, text, strlen(text));
}

static void put_line(sink_t *sink, int depth)
{
    if (!sink->pretty)
        return;
    put(sink, "\n");
    while (depth-- > 0)
        put(sink, "\t");
}

/* What stands for one ASCII character; `room` is where it may be composed. */
static const char *escape_of(unsigned char c, char room[8])
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    const char *at;

    for (at = letters; *at; at += 2) {
        if (c == (unsigned char)*at) {
            sprintf(room, "\\%c", at[1]);
            return room;
        }
    }
    if (c >= 0x20 && c != '<' && c != '>' && c != '&')
        return NULL;
    sprintf(room, "\\u%04x", c);
    return room;
}

static void put_text(sink_t *sink, const char *text, apr_size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    apr_size_t i = 0;

    put(sink, "\"");
    while (i < len) {
        apr_size_t n = mdm_utf8_step(bytes + i, len - i);
        const char *escape = NULL;
        char room[8];

        if (n <= 1 && bytes[i] < 0x80)
            escape = escape_of(bytes[i], room);
        else if (!n)
            escape = "\\ufffd";
        else if (n == 3 && bytes[i] == 0xe2 && bytes[i + 1] == 0x80 && (bytes[i + 2] & 0xfe) == 0xa8)
            escape = bytes[i + 2] & 1 ? "\\u2029" : "\\u2028";
        if (escape)
            put(sink, escape);
        else
            put_bytes(sink, bytes + i, n);
        i += n ? n : 1;
    }
    put(sink, "\"");
}

/* The shortest decimal text that reads back as the same number, and as a real one, whatever the locale is. */
static void put_real(sink_t *sink, double value)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(plain);
    char text[40];
    int digits = 15;

    do {
        snprintf(text, sizeof(text), "%.*g", digits, value);
    } while (digits++ < 17 && strtod(text, NULL) != value);
    uselocale(before);
    if (plain != (locale_t)0)
        freelocale(plain);
    put(sink, text);
    if (!strpbrk(text, ".en"))
        put(sink, ".0");
}

static void put_simple(sink_t *sink, const json_t *json)
{
    char text[32];

    switch (json_typeof(json)) {
    case JSON_STRING:
        put_text(sink, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        put(sink, text);
        break;
    case JSON_REAL:
        put_real(sink, json_real_value(json));
        break;
    case JSON_TRUE:
        put(sink, "true");
        break;
    case JSON_FALSE:
        put(sink, "false");
        break;
    default:
        put(sink, "null");
    }
}

static int put_value(sink_t *sink, const json_t *json, int depth);

static int put_object(sink_t *sink, json_t *object, int depth)
{
    int first = 1;
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value) {
        if (!first)
            put(sink, ",");
        first = 0;
        put_line(sink, depth + 1);
        put_text(sink, key, strlen(key));
        put(sink, sink->pretty ? ": " : ":");
        if (!put_value(sink, value, depth + 1))
            return 0;
    }
    return 1;
}

static int put_array(sink_t *sink, const json_t *array, int depth)
{
    size_t i;

    for (i = 0; i < json_array_size(array); i++) {
        if (i)
            put(sink, ",");
        put_line(sink, depth + 1);
        if (!put_value(sink, json_array_get(array, i), depth + 1))
            return 0;
    }
    return 1;
}

/* @return 0 when there are too many levels */
static int put_value(sink_t *sink, const json_t *json, int depth)
{
    int is_object = json_is_object(json), is_array = json_is_array(json), ok;
    size_t count = is_object ? json_object_size(json) : json_array_size(json);

    if (!is_object && !is_array) {
        put_simple(sink, json);
        return 1;
    }
    if (depth == MDM_JSON_MAX_DEPTH)
        return 0;
    put(sink, is_object ? "{" : "[");
    ok = is_object ? put_object(sink, (json_t *)json, depth) : put_array(sink, json, depth);
    if (count)
        put_line(sink, depth);
    put(sink, is_object ? "}" : "]");
    return ok;
}

static const char *write_json(const json_t *json, int pretty, apr_pool_t *p)
{
    sink_t sink = { NULL, 0, pretty };

    if (!json || !put_value(&sink, json, 0))
        return NULL;
    sink.out = apr_palloc(p, sink.len + 2);
    sink.len = 0;
    put_value(&sink, json, 0);
    if (pretty)
        put(&sink, "\n");
    sink.out[sink.len] = '\0';
    return sink.out;
}

json_t *mdm_json_own(json_t *json, apr_pool_t *p)
{
    if (json)
        apr_pool_cleanup_register(p, json, drop, apr_pool_cleanup_null);
    return json;
}

json_t *mdm_json_object(apr_pool_t *p)
{
    return mdm_json_own(json_object(), p);
}

void mdm_json_set_text(json_t *object, const char *name, const char *value)
{
    if (value)
        json_object_set_new(object, name, json_string_nocheck(value));
}

apr_status_t mdm_json_read(json_t **object, mdm_ctx_t *ctx, mdm_bytes_t text)
{
    json_error_t error = { .line = -1 };
    json_t *json = NULL;

    if (text.len)
        json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    mdm_json_own(json, ctx->pool);
    if (!json)
        return mdm_fail(ctx, MDM_EINPUT, "the JSON is malformed in line %d: mend it there", text.len ? error.line : 1);
    if (!json_is_object(json))
        return mdm_fail(ctx, MDM_EINPUT, "the JSON is no object: begin it with { and end it with }");
    *object = json;
    return APR_SUCCESS;
}

const char *mdm_json_pretty(const json_t *json, apr_pool_t *p)
{
    return write_json(json, 1, p);
}

const char *mdm_json_compact(const json_t *json, apr_pool_t *p)
{
    return write_json(json, 0, p);
}
