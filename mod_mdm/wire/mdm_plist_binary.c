/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binary property lists by libplist. Runs for device requests and commands, in any thread, on hostile bytes. What
 * libplist gets has passed mdm_plist_preflight, so that what it makes is small, finite and of known types; it is
 * copied into our tree and freed at once.
 */
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <apr_strings.h>
#include <plist/plist.h>

#include "mdm_plist_binary.h"
#include "mdm_plist_preflight.h"
#include "mdm_plist_value.h"

static const char magic[] = "bplist00";
#define MAGIC_LEN (sizeof(magic) - 1)
#define MANY_NODES 20000

typedef struct {
    apr_pool_t *pool;
    const apr_array_header_t *dates;     /* libplist's end in 2068 */
    int date;                            /* the next of them */
} copy_t;

static const char *copy_value(mdm_plist_t **out, copy_t *c, plist_t node);

static const char *copy_text(mdm_plist_t *value, copy_t *c, plist_t node)
{
    uint64_t len = 0;
    const char *text = plist_get_string_ptr(node, &len);
    mdm_bytes_t bytes = { (const unsigned char *)text, (apr_size_t)len };

    if (!text || !mdm_utf8_valid(bytes))
        return "a text is not Unicode";
    value->bytes.data = (const unsigned char *)apr_pstrmemdup(c->pool, text, (apr_size_t)len);
    value->bytes.len = (apr_size_t)len;
    return NULL;
}

static void copy_data(mdm_plist_t *value, copy_t *c, plist_t node)
{
    uint64_t len = 0;
    const char *data = plist_get_data_ptr(node, &len);

    value->bytes.data = (const unsigned char *)apr_pstrmemdup(c->pool, data ? data : "", (apr_size_t)len);
    value->bytes.len = (apr_size_t)len;
}

static const char *copy_array(mdm_plist_t *array, copy_t *c, plist_t node)
{
    plist_array_iter at = NULL;
    const char *wrong = NULL;
    plist_t item = NULL;

    plist_array_new_iter(node, &at);
    if (!at)
        return "no memory";
    for (plist_array_next_item(node, at, &item); item && !wrong; plist_array_next_item(node, at, &item)) {
        mdm_plist_t *value;

        if ((wrong = copy_value(&value, c, item)) == NULL)
            mdm_plist_append(array, value);
    }
    free(at);
    return wrong;
}

static const char *copy_dict(mdm_plist_t *dict, copy_t *c, plist_t node)
{
    plist_dict_iter at = NULL;
    const char *wrong = NULL;

    plist_dict_new_iter(node, &at);
    if (!at)
        return "no memory";
    while (!wrong) {
        mdm_plist_t *value;
        plist_t item = NULL;
        char *key = NULL;

        plist_dict_next_item(node, at, &key, &item);
        if (!item || !key) {
            free(key);
            break;
        }
        if ((wrong = copy_value(&value, c, item)) == NULL)
            mdm_plist_set(dict, key, value, c->pool);
        free(key);
    }
    free(at);
    return wrong ? wrong : mdm_plist_value_check_keys(dict);
}

static const char *copy_number(mdm_plist_t *value, copy_t *c, plist_t node, plist_type type)
{
    uint64_t integer = 0;
    uint8_t truth = 0;

    switch (type) {
    case PLIST_BOOLEAN:
        plist_get_bool_val(node, &truth);
        value->type = MDM_PLIST_BOOLEAN;
        value->integer = truth != 0;
        return NULL;
    case PLIST_UINT:
        plist_get_uint_val(node, &integer);
        value->type = MDM_PLIST_INTEGER;
        value->integer = (apr_int64_t)integer;
        return NULL;
    case PLIST_REAL:
        plist_get_real_val(node, &value->real);
        value->type = MDM_PLIST_REAL;
        return NULL;
    case PLIST_DATE:
        if (c->date == c->dates->nelts)
            return "a date is malformed";
        value->type = MDM_PLIST_DATE;
        value->date = APR_ARRAY_IDX(c->dates, c->date++, apr_time_t);
        return NULL;
    default:
        return "a value is of a type that the XML form does not have";
    }
}

static const char *copy_value(mdm_plist_t **out, copy_t *c, plist_t node)
{
    mdm_plist_t *value = apr_pcalloc(c->pool, sizeof(*value));
    plist_type type = plist_get_node_type(node);

    *out = value;
    switch (type) {
    case PLIST_DICT:
        value->type = MDM_PLIST_DICT;
        return copy_dict(value, c, node);
    case PLIST_ARRAY:
        value->type = MDM_PLIST_ARRAY;
        return copy_array(value, c, node);
    case PLIST_STRING:
        value->type = MDM_PLIST_STRING;
        return copy_text(value, c, node);
    case PLIST_DATA:
        value->type = MDM_PLIST_DATA;
        copy_data(value, c, node);
        return NULL;
    default:
        return copy_number(value, c, node, type);
    }
}

/*
 * libplist takes memory in pieces so small that glibc keeps them apart when they are freed: each thread that once
 * reads a large list would hold on to it for good.
 */
static void give_back(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

int mdm_plist_is_binary(mdm_bytes_t bytes)
{
    return bytes.len >= MAGIC_LEN && !memcmp(bytes.data, magic, MAGIC_LEN);
}

const char *mdm_plist_binary_read(mdm_plist_t **root, mdm_bytes_t bytes, apr_pool_t *p)
{
    copy_t c = { p, NULL, 0 };
    apr_array_header_t *dates = NULL;
    apr_size_t nodes = 0;
    const char *wrong = mdm_plist_preflight(&dates, &nodes, bytes, p);
    plist_t node = NULL;

    if (wrong)
        return wrong;
    plist_from_bin((const char *)bytes.data, (uint32_t)bytes.len, &node);
    if (!node)
        return "it is malformed";
    c.dates = dates;
    wrong = copy_value(root, &c, node);
    plist_free(node);
    if (nodes > MANY_NODES)
        give_back();
    return wrong;
}
