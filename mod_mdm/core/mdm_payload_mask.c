/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles without their secrets, for everything that shows one. Called by the API, any thread.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "mdm_payload_json.h"
#include "mdm_payload_reference.h"
#include "mdm_payload_table.h"

/* Where the table says nothing of a key, its name does. */
static const char *const telling[] = {
    "password", "passphrase", "passcode", "secret", "token", "challenge", "credential", "privatekey", "private_key",
    "apikey", "api_key", "sharedkey", "authkey"
};

static int is_telling(const char *name)
{
    apr_size_t i;

    for (i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
        apr_size_t len = strlen(telling[i]);
        const char *c;

        for (c = name; *c; c++) {
            if (!strncasecmp(c, telling[i], len))
                return 1;
        }
    }
    return 0;
}

/* One reference and nothing around it tells no secret. */
static int is_reference_only(const mdm_plist_t *value)
{
    const char *text = (const char *)value->bytes.data;

    return value->type == MDM_PLIST_STRING && !strncmp(text, "${", 2)
        && strchr(text, '}') == text + value->bytes.len - 1;
}

static mdm_plist_t *mask(const mdm_plist_t *value, const mdm_payload_key_t *key, const mdm_payload_key_t *keys,
                         int secret, apr_pool_t *p);

static mdm_plist_t *mask_items(const mdm_plist_t *value, const mdm_payload_key_t *keys, int secret, apr_pool_t *p)
{
    mdm_plist_t *copy = value->type == MDM_PLIST_DICT ? mdm_plist_dict(p) : mdm_plist_array(p);
    const mdm_plist_t *item;

    for (item = value->first; item; item = item->next) {
        const mdm_payload_key_t *key = value->type == MDM_PLIST_ARRAY ? keys : mdm_payload_key(keys, item->key);
        int is_said = key && key->type != MDM_KEY_ANY;
        int hide = secret || (key && key->secret) || (!is_said && item->key && is_telling(item->key));
        mdm_plist_t *shown = mask(item, key, key ? key->keys : NULL, hide, p);

        if (value->type == MDM_PLIST_DICT)
            mdm_plist_set(copy, item->key, shown, p);
        else
            mdm_plist_append(copy, shown);
    }
    return copy;
}

static mdm_plist_t *mask(const mdm_plist_t *value, const mdm_payload_key_t *key, const mdm_payload_key_t *keys,
                         int secret, apr_pool_t *p)
{
    mdm_plist_t *copy;

    if (value->type == MDM_PLIST_DICT || value->type == MDM_PLIST_ARRAY)
        return mask_items(value, keys, secret, p);
    /* a switch is no secret, and a number is one only where the table says so */
    if (secret && (value->type == MDM_PLIST_DATA || value->type == MDM_PLIST_STRING
                   || (value->type == MDM_PLIST_INTEGER && key && key->secret))
        && (value->type == MDM_PLIST_INTEGER || value->bytes.len) && !is_reference_only(value))
        return mdm_plist_string(MDM_PAYLOAD_MASK, p);
    copy = apr_pmemdup(p, value, sizeof(*value));
    copy->next = NULL;
    copy->key = NULL;
    return copy;
}

static mdm_plist_t *mask_payload(const mdm_plist_t *payload, apr_pool_t *p)
{
    const char *name = mdm_plist_get_string(payload, "PayloadType");
    const mdm_payload_type_t *type = name ? mdm_payload_type(name) : NULL;

    return mask(payload, NULL, type ? type->keys : NULL, 0, p);
}

mdm_plist_t *mdm_payload_masked(const mdm_plist_t *profile, apr_pool_t *p)
{
    mdm_plist_t *copy = mdm_plist_dict(p), *payloads;
    const mdm_plist_t *item, *payload;

    for (item = profile->type == MDM_PLIST_DICT ? profile->first : NULL; item; item = item->next) {
        if (strcmp(item->key, "PayloadContent") || item->type != MDM_PLIST_ARRAY) {
            const mdm_payload_key_t *key = mdm_payload_key(mdm_payload_profile, item->key);

            mdm_plist_set(copy, item->key, mask(item, key, key ? key->keys : NULL, !key && is_telling(item->key), p),
                          p);
            continue;
        }
        payloads = mdm_plist_set(copy, item->key, mdm_plist_array(p), p);
        for (payload = item->first; payload; payload = payload->next)
            mdm_plist_append(payloads, mask_payload(payload, p));
    }
    return copy;
}
