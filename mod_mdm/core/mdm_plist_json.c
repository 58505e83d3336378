/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property lists shown as JSON. Any thread; the depth is bounded by the plist reader.
 */
#include <stdlib.h>

#include <apr_strings.h>

#include "mdm_plist_json.h"

static json_t *container_json(const mdm_plist_t *value, apr_pool_t *p)
{
    json_t *json = value->type == MDM_PLIST_DICT ? json_object() : json_array();
    const mdm_plist_t *item;

    for (item = value->first; item; item = item->next) {
        if (value->type == MDM_PLIST_DICT)
            json_object_set_new(json, item->key, mdm_plist_to_json(item, p));
        else
            json_array_append_new(json, mdm_plist_to_json(item, p));
    }
    return json;
}

json_t *mdm_plist_to_json(const mdm_plist_t *value, apr_pool_t *p)
{
    if (!value)
        return json_null();
    switch (value->type) {
    case MDM_PLIST_DICT:
    case MDM_PLIST_ARRAY:
        return container_json(value, p);
    case MDM_PLIST_STRING:
        return json_stringn((const char *)value->bytes.data, value->bytes.len);
    case MDM_PLIST_DATA:
        return json_string(mdm_base64_encode(value->bytes, p));
    case MDM_PLIST_INTEGER:
        return json_integer(value->integer);
    case MDM_PLIST_REAL:
        return json_real(value->real);
    case MDM_PLIST_BOOLEAN:
        return json_boolean(value->integer);
    case MDM_PLIST_DATE:
        return json_string(mdm_time_text(value->date, p));
    default:
        return json_null();
    }
}

const char *mdm_plist_to_json_text(const mdm_plist_t *value, apr_pool_t *p)
{
    json_t *json;
    char *text;
    const char *copy;

    if (!value)
        return NULL;
    json = mdm_plist_to_json(value, p);
    text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    copy = text ? apr_pstrdup(p, text) : NULL;
    free(text);
    json_decref(json);
    return copy;
}
