/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property lists as a tree in one pool: looking into them and building them. Called by the core in any
 * thread, on trees of its own request; never parses, never writes, never fails.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_plist.h"

static mdm_plist_t *make(mdm_plist_type_e type, apr_pool_t *p)
{
    mdm_plist_t *value = apr_pcalloc(p, sizeof(*value));

    value->type = type;
    return value;
}

static mdm_plist_t *make_bytes(mdm_plist_type_e type, mdm_bytes_t bytes, apr_pool_t *p)
{
    mdm_plist_t *value = make(type, p);
    const char *data = bytes.len ? (const char *)bytes.data : "";

    value->bytes.data = (const unsigned char *)apr_pstrmemdup(p, data, bytes.len);
    value->bytes.len = bytes.len;
    return value;
}

static const mdm_plist_t *get_typed(const mdm_plist_t *dict, const char *key, mdm_plist_type_e type)
{
    const mdm_plist_t *item = mdm_plist_get(dict, key);

    return item && item->type == type ? item : NULL;
}

const mdm_plist_t *mdm_plist_get(const mdm_plist_t *dict, const char *key)
{
    const mdm_plist_t *item = dict && dict->type == MDM_PLIST_DICT ? dict->first : NULL;

    while (item && strcmp(item->key, key) != 0)
        item = item->next;
    return item;
}

const char *mdm_plist_get_string(const mdm_plist_t *dict, const char *key)
{
    const mdm_plist_t *item = get_typed(dict, key, MDM_PLIST_STRING);

    return item ? (const char *)item->bytes.data : NULL;
}

int mdm_plist_get_data(mdm_bytes_t *out, const mdm_plist_t *dict, const char *key)
{
    const mdm_plist_t *item = get_typed(dict, key, MDM_PLIST_DATA);

    if (item)
        *out = item->bytes;
    return item != NULL;
}

int mdm_plist_get_boolean(const mdm_plist_t *dict, const char *key, int otherwise)
{
    const mdm_plist_t *item = get_typed(dict, key, MDM_PLIST_BOOLEAN);

    return item ? item->integer != 0 : otherwise;
}

mdm_plist_t *mdm_plist_dict(apr_pool_t *p)
{
    return make(MDM_PLIST_DICT, p);
}

mdm_plist_t *mdm_plist_array(apr_pool_t *p)
{
    return make(MDM_PLIST_ARRAY, p);
}

mdm_plist_t *mdm_plist_string(const char *text, apr_pool_t *p)
{
    return make_bytes(MDM_PLIST_STRING, mdm_bytes_of(text), p);
}

mdm_plist_t *mdm_plist_data(mdm_bytes_t bytes, apr_pool_t *p)
{
    return make_bytes(MDM_PLIST_DATA, bytes, p);
}

mdm_plist_t *mdm_plist_integer(apr_int64_t value, apr_pool_t *p)
{
    mdm_plist_t *made = make(MDM_PLIST_INTEGER, p);

    made->integer = value;
    return made;
}

mdm_plist_t *mdm_plist_boolean(int value, apr_pool_t *p)
{
    mdm_plist_t *made = make(MDM_PLIST_BOOLEAN, p);

    made->integer = value != 0;
    return made;
}

mdm_plist_t *mdm_plist_append(mdm_plist_t *array, mdm_plist_t *value)
{
    if (array->last)
        array->last->next = value;
    else
        array->first = value;
    array->last = value;
    array->count++;
    return value;
}

mdm_plist_t *mdm_plist_set(mdm_plist_t *dict, const char *key, mdm_plist_t *value, apr_pool_t *p)
{
    value->key = apr_pstrdup(p, key);
    return mdm_plist_append(dict, value);
}

void mdm_plist_set_string(mdm_plist_t *dict, const char *key, const char *text, apr_pool_t *p)
{
    if (text)
        mdm_plist_set(dict, key, mdm_plist_string(text, p), p);
}

void mdm_plist_set_data(mdm_plist_t *dict, const char *key, mdm_bytes_t bytes, apr_pool_t *p)
{
    if (bytes.len)
        mdm_plist_set(dict, key, mdm_plist_data(bytes, p), p);
}

void mdm_plist_set_integer(mdm_plist_t *dict, const char *key, apr_int64_t value, apr_pool_t *p)
{
    mdm_plist_set(dict, key, mdm_plist_integer(value, p), p);
}

void mdm_plist_set_boolean(mdm_plist_t *dict, const char *key, int value, apr_pool_t *p)
{
    mdm_plist_set(dict, key, mdm_plist_boolean(value, p), p);
}
