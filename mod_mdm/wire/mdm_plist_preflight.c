/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The look over a binary property list before libplist makes a tree of it. Runs for each device request that is
 * binary, in any thread, on hostile bytes. References may be shared, circular or out of bounds: the walk costs one
 * step per node of the tree that would come out, and ends at the limits of property lists in XML.
 */
#include <math.h>
#include <string.h>

#include <apr_time.h>

#include "mdm_plist.h"
#include "mdm_plist_preflight.h"

#define HEADER_LEN 8
#define TRAILER_LEN 32
#define COCOA_EPOCH 978307200.0          /* 2001-01-01 in seconds since 1970 */
#define FIRST_SECOND (-62135596800.0)    /* 0001-01-01T00:00:00Z */
#define LAST_SECOND 253402300799.0       /* 9999-12-31T23:59:59Z */

typedef struct {
    const unsigned char *data;
    apr_uint64_t table;                  /* where the offset table begins, and the objects end */
    apr_uint64_t objects;
    apr_size_t offset_size, ref_size;
    apr_size_t nodes, bytes;             /* of the tree, so far */
    int depth;
    apr_array_header_t *dates;
} walk_t;

/* One object: its kind, its low four bits, and what follows its marker and count. */
typedef struct {
    int kind, low;
    apr_uint64_t count;
    const unsigned char *content;
    apr_uint64_t room;                   /* bytes from there to the end of the objects */
} object_t;

static apr_uint64_t number_at(const unsigned char *at, apr_size_t size)
{
    apr_uint64_t value = 0;

    while (size--)
        value = value << 8 | *at++;
    return value;
}

static const char *read_count(object_t *o)
{
    apr_size_t size;

    o->count = (apr_uint64_t)o->low;
    if (o->low != 15)
        return NULL;
    if (!o->room || (*o->content & 0xf0) != 0x10 || (*o->content & 0x0f) > 3)
        return "a count is malformed";
    size = (apr_size_t)1 << (*o->content & 0x0f);
    if (o->room - 1 < size)
        return "an object is cut off";
    o->count = number_at(o->content + 1, size);
    o->content += 1 + size;
    o->room -= 1 + size;
    return NULL;
}

static const char *open_object(object_t *o, const walk_t *w, apr_uint64_t ref)
{
    apr_uint64_t offset;

    if (ref >= w->objects)
        return "a reference leads to no object";
    offset = number_at(w->data + w->table + ref * w->offset_size, w->offset_size);
    if (offset < HEADER_LEN || offset >= w->table)
        return "an offset leads to no object";
    o->kind = w->data[offset] >> 4;
    o->low = w->data[offset] & 0x0f;
    o->content = w->data + offset + 1;
    o->room = w->table - offset - 1;
    return o->kind >= 4 ? read_count(o) : NULL;
}

static int is_carried(apr_uint32_t c)
{
    return (c >= 0x20 && c != 0xfffe && c != 0xffff) || c == '\t' || c == '\n' || c == '\r';
}

static const char *spend(walk_t *w, apr_uint64_t bytes)
{
    if (bytes > MDM_PLIST_MAX_BYTES - w->bytes)
        return "its texts and data are too long";
    w->bytes += (apr_size_t)bytes;
    return NULL;
}

static const char *check_ascii(walk_t *w, const object_t *o)
{
    const char *wrong;
    apr_uint64_t i;

    if (o->count > o->room)
        return "a text is cut off";
    if ((wrong = spend(w, o->count)) != NULL)
        return wrong;
    for (i = 0; i < o->count; i++) {
        if (o->content[i] > 0x7f || !is_carried(o->content[i]))
            return "a text has characters that XML cannot carry";
    }
    return NULL;
}

static const char *check_utf16(walk_t *w, const object_t *o)
{
    const char *wrong;
    apr_uint64_t i;

    if (o->count > o->room / 2)
        return "a text is cut off";
    if ((wrong = spend(w, o->count * 3)) != NULL)
        return wrong;
    for (i = 0; i < o->count; i++) {
        apr_uint32_t unit = (apr_uint32_t)number_at(o->content + 2 * i, 2);

        if (unit >= 0xd800 && unit <= 0xdbff && i + 1 < o->count
            && (number_at(o->content + 2 * (i + 1), 2) & 0xfc00) == 0xdc00)
            i++;
        else if ((unit >= 0xd800 && unit <= 0xdfff) || !is_carried(unit))
            return "a text has characters that XML cannot carry";
    }
    return NULL;
}

static const char *check_data(walk_t *w, const object_t *o)
{
    return o->count > o->room ? "data are cut off" : spend(w, o->count);
}

/* Numbers of 16 bytes are those that need a 64th bit: beyond what the XML form is read to. */
static const char *check_integer(const object_t *o)
{
    apr_size_t size = (apr_size_t)1 << o->low;

    if (o->low > 4)
        return "an integer has an unknown size";
    if (size > o->room)
        return "an integer is cut off";
    if (size == 16 && (number_at(o->content, 8) || o->content[8] & 0x80))
        return "an integer is out of range";
    return NULL;
}

static const char *check_real(const object_t *o)
{
    apr_uint64_t bits;

    if (o->low != 2 && o->low != 3)
        return "a real has an unknown size";
    if (((apr_uint64_t)1 << o->low) > o->room)
        return "a real is cut off";
    bits = number_at(o->content, (apr_size_t)1 << o->low);
    /* an exponent of ones only: infinite, or not a number */
    if (o->low == 2 ? (bits & 0x7f800000) == 0x7f800000
                    : (bits & APR_UINT64_C(0x7ff0000000000000)) == APR_UINT64_C(0x7ff0000000000000))
        return "a real is not finite";
    return NULL;
}

static const char *check_date(walk_t *w, const object_t *o)
{
    apr_uint64_t bits;
    double seconds;

    if (o->low != 3 || o->room < 8)
        return "a date is malformed";
    bits = number_at(o->content, 8);
    memcpy(&seconds, &bits, sizeof(seconds));
    if (!isfinite(seconds))
        return "a date is not finite";
    seconds = floor(seconds + COCOA_EPOCH);
    if (seconds < FIRST_SECOND || seconds > LAST_SECOND)
        return "a date is out of range";
    APR_ARRAY_PUSH(w->dates, apr_time_t) = (apr_time_t)seconds * APR_USEC_PER_SEC;
    return NULL;
}

static const char *walk(walk_t *w, apr_uint64_t ref, int as_key);

static const char *walk_items(walk_t *w, const object_t *o, int is_dict)
{
    const char *wrong = NULL;
    apr_uint64_t i, keys = is_dict ? o->count : 0;

    if (o->count > o->room / (w->ref_size * (is_dict ? 2 : 1)))
        return "an array or a dictionary is cut off";
    if (w->depth == MDM_PLIST_MAX_DEPTH)
        return "there are too many levels, or they go in a circle";
    w->depth++;
    for (i = 0; !wrong && i < o->count; i++) {
        if (is_dict)
            wrong = walk(w, number_at(o->content + i * w->ref_size, w->ref_size), 1);
        if (!wrong)
            wrong = walk(w, number_at(o->content + (keys + i) * w->ref_size, w->ref_size), 0);
    }
    w->depth--;
    return wrong;
}

static const char *check_object(walk_t *w, const object_t *o)
{
    switch (o->kind) {
    case 0x0:
        return o->low == 8 || o->low == 9 ? NULL : "a value is neither true nor false";
    case 0x1:
        return check_integer(o);
    case 0x2:
        return check_real(o);
    case 0x3:
        return check_date(w, o);
    case 0x4:
        return check_data(w, o);
    case 0x5:
        return check_ascii(w, o);
    case 0x6:
        return check_utf16(w, o);
    case 0xa:
        return walk_items(w, o, 0);
    case 0xd:
        return walk_items(w, o, 1);
    default:
        return "a value is of a type that the XML form does not have";
    }
}

static const char *walk(walk_t *w, apr_uint64_t ref, int as_key)
{
    object_t o;
    const char *wrong;

    if (w->nodes++ == MDM_PLIST_MAX_NODES)
        return "there are too many values";
    if ((wrong = open_object(&o, w, ref)) != NULL)
        return wrong;
    if (as_key && o.kind != 0x5 && o.kind != 0x6)
        return "a key is not a text";
    return check_object(w, &o);
}

const char *mdm_plist_preflight(apr_array_header_t **dates, apr_size_t *nodes, mdm_bytes_t bytes, apr_pool_t *p)
{
    const unsigned char *trailer;
    const char *wrong;
    walk_t w = { bytes.data, 0, 0, 0, 0, 0, 0, 0, NULL };
    apr_uint64_t most;

    if (bytes.len < HEADER_LEN + TRAILER_LEN)
        return "it is cut off";
    trailer = bytes.data + bytes.len - TRAILER_LEN;
    w.offset_size = trailer[6];
    w.ref_size = trailer[7];
    w.objects = number_at(trailer + 8, 8);
    w.table = number_at(trailer + 24, 8);
    most = bytes.len - TRAILER_LEN;
    if (!w.offset_size || w.offset_size > 8 || !w.ref_size || w.ref_size > 8 || w.table <= HEADER_LEN
        || w.table > most || w.objects > (most - w.table) / w.offset_size)
        return "its trailer is malformed, or it is cut off";
    *dates = w.dates = apr_array_make(p, 4, sizeof(apr_time_t));
    wrong = walk(&w, number_at(trailer + 16, 8), 0);
    *nodes = w.nodes;
    return wrong;
}
