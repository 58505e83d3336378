/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile held against Apple's tables, for no device in particular: keys, types, values, what is missing or there
 * twice, what is of the past. Called when a profile is saved, any thread. Changes nothing, shows no value.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "mdm_nearest.h"
#include "mdm_payload_finding.h"
#include "mdm_payload_reference.h"


/* The walk of one profile. */
typedef struct {
    mdm_payload_look_t look;
    const mdm_plist_t *profile;
    int domain;                   /* of the payload: other keys may be right */
} walk_t;

static void check_members(walk_t *w, const char *path, const mdm_payload_key_t *keys, const mdm_payload_key_t *also,
                          const mdm_plist_t *dict);

static const char *kind_of(const mdm_plist_t *value)
{
    switch (value->type) {
    case MDM_PLIST_DICT: return "a dictionary";
    case MDM_PLIST_ARRAY: return "an array";
    case MDM_PLIST_DATA: return "data";
    case MDM_PLIST_INTEGER: return "an integer";
    case MDM_PLIST_REAL: return "a real";
    case MDM_PLIST_BOOLEAN: return "a boolean";
    case MDM_PLIST_DATE: return "a date";
    default: return mdm_reference_is_data(value) ? "a reference to data" : mdm_reference_in(value) ? "a reference"
                    : "a string";
    }
}

static const char *wanted(mdm_key_e type)
{
    switch (type) {
    case MDM_KEY_INTEGER: return "an integer";
    case MDM_KEY_REAL: return "a number";
    case MDM_KEY_BOOLEAN: return "a boolean";
    case MDM_KEY_DATE: return "a date";
    case MDM_KEY_DATA: return "data";
    case MDM_KEY_DICT: return "a dictionary";
    case MDM_KEY_ARRAY: return "an array";
    default: return "a string";
    }
}

static int fits(mdm_key_e type, const mdm_plist_t *value)
{
    switch (type) {
    case MDM_KEY_ANY: return 1;
    case MDM_KEY_INTEGER: return value->type == MDM_PLIST_INTEGER;
    case MDM_KEY_REAL: return value->type == MDM_PLIST_REAL || value->type == MDM_PLIST_INTEGER;
    case MDM_KEY_BOOLEAN: return value->type == MDM_PLIST_BOOLEAN;
    case MDM_KEY_DATE: return value->type == MDM_PLIST_DATE;
    case MDM_KEY_DATA: return value->type == MDM_PLIST_DATA || mdm_reference_is_data(value);
    case MDM_KEY_DICT: return value->type == MDM_PLIST_DICT;
    case MDM_KEY_ARRAY: return value->type == MDM_PLIST_ARRAY;
    default: return value->type == MDM_PLIST_STRING && !mdm_reference_is_data(value);
    }
}

/* ---- values */

/* The value as the table writes it; NULL: it cannot be compared. */
static const char *text_of(const mdm_plist_t *value, apr_pool_t *p)
{
    switch (value->type) {
    case MDM_PLIST_STRING: return mdm_reference_in(value) ? NULL : (const char *)value->bytes.data;
    case MDM_PLIST_INTEGER: return apr_psprintf(p, "%" APR_INT64_T_FMT, value->integer);
    case MDM_PLIST_REAL: return apr_psprintf(p, "%g", value->real);
    case MDM_PLIST_BOOLEAN: return value->integer ? "true" : "false";
    default: return NULL;
    }
}

static int is_within(const char *range, double number)
{
    const char *most = strchr(range, ' ') + 1;

    return (!strncmp(range, "- ", 2) || number >= strtod(range, NULL))
        && (!strcmp(most, "-") || number <= strtod(most, NULL));
}

/* "from 1 to 5", "3600 at least" */
static const char *range_words(const char *range, apr_pool_t *p)
{
    const char *most = strchr(range, ' ') + 1, *least = apr_pstrmemdup(p, range, (apr_size_t)(most - range - 1));

    if (!strcmp(most, "-"))
        return apr_pstrcat(p, least, " at least", NULL);
    if (!strcmp(least, "-"))
        return apr_pstrcat(p, most, " at most", NULL);
    return !strcmp(least, most) ? least : apr_pstrcat(p, "from ", least, " to ", most, NULL);
}

static void check_range(walk_t *w, const char *path, const mdm_payload_key_t *key, const mdm_plist_t *value)
{
    const char *words = range_words(key->range, w->look.ctx->pool);

    if (value->type == MDM_PLIST_ARRAY && !is_within(key->range, (double)value->count))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, path, "expected as many items: %s", words);
    else if (value->type == MDM_PLIST_INTEGER && !is_within(key->range, (double)value->integer))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, path, "expected a number: %s", words);
    else if (value->type == MDM_PLIST_REAL && !is_within(key->range, value->real))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, path, "expected a number: %s", words);
}

static int has_uuid(const mdm_plist_t *profile, const char *uuid)
{
    const mdm_plist_t *content = mdm_plist_get(profile, "PayloadContent"), *payload;
    const char *other;

    for (payload = content->first; payload; payload = payload->next) {
        if ((other = mdm_plist_get_string(payload, "PayloadUUID")) != NULL && !strcasecmp(other, uuid))
            return 1;
    }
    return 0;
}

/* Apple names keys so when their value is the PayloadUUID of a payload with a certificate. */
static int is_certificate(const char *name)
{
    return strstr(name, "Certificate") && strstr(name, "UUID");
}

static void check_string(walk_t *w, const char *path, const char *name, const mdm_plist_t *value)
{
    const char *text = text_of(value, w->look.ctx->pool);

    if (text && is_certificate(name) && mdm_payload_has_room(&w->look, MDM_FINDING_WARN) && !has_uuid(w->profile, text))
        mdm_payload_find(&w->look, MDM_FINDING_WARN, path, "no payload of this profile has this PayloadUUID");
}

static void check_past(walk_t *w, const char *path, const char *deprecated, const char *removed)
{
    apr_pool_t *p = w->look.ctx->pool;

    if (removed)
        mdm_payload_find(&w->look, MDM_FINDING_WARN, path, "ignored since %s", mdm_payload_versions(removed, p));
    else if (deprecated)
        mdm_payload_find(&w->look, MDM_FINDING_WARN, path, "deprecated since %s", mdm_payload_versions(deprecated, p));
}

/* `name`: of an item of an array, that of the array. */
static void check_value(walk_t *w, const char *path, const char *name, const mdm_payload_key_t *key,
                        const mdm_plist_t *value)
{
    const mdm_plist_t *item;
    const char *text;
    int n = 0;

    if (!fits(key->type, value)) {
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, path, "expected %s, found %s", wanted(key->type),
                         kind_of(value));
        return;
    }
    check_past(w, path, key->deprecated, key->removed);
    text = key->values ? text_of(value, w->look.ctx->pool) : NULL;
    if (text && !key->range && !mdm_key_is_listed(key->values, text))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, path, "expected %s",
                         mdm_key_listing(key->values, w->look.ctx->pool));
    if (key->range && !(text && mdm_key_is_listed(key->values, text)))
        check_range(w, path, key, value);
    if (key->type == MDM_KEY_STRING)
        check_string(w, path, name, value);
    if (key->type == MDM_KEY_DICT && key->keys)
        check_members(w, path, key->keys, NULL, value);
    for (item = key->type == MDM_KEY_ARRAY && key->keys ? value->first : NULL; item; item = item->next)
        check_value(w, mdm_payload_item(&w->look, path, n++), name, key->keys, item);
}

/* ---- dictionaries */

static void unknown_key(walk_t *w, const char *path, const mdm_payload_key_t *keys, const mdm_payload_key_t *also,
                        const char *name)
{
    mdm_finding_e severity = w->domain ? MDM_FINDING_WARN : MDM_FINDING_REFUSE;
    mdm_nearest_t nearest = mdm_nearest_of(name);
    const mdm_payload_key_t *key;

    if (!mdm_payload_has_room(&w->look, severity))
        return;
    for (key = keys; key && key->name; key++)
        mdm_nearest_try(&nearest, key->name);
    for (key = also; key && key->name; key++)
        mdm_nearest_try(&nearest, key->name);
    mdm_payload_find(&w->look, severity, mdm_payload_member(&w->look, path, name), "unknown key%s",
                     mdm_nearest_hint(&nearest, w->look.ctx->pool));
}

static void check_missing(walk_t *w, const char *path, const mdm_payload_key_t *keys, const mdm_plist_t *dict)
{
    for (; keys && keys->name; keys++) {
        if (keys->required && !mdm_plist_get(dict, keys->name))
            mdm_payload_find(&w->look, MDM_FINDING_REFUSE, mdm_payload_member(&w->look, path, keys->name),
                             "the key is missing (%s)", mdm_key_type_name(keys->type));
    }
}

static void check_members(walk_t *w, const char *path, const mdm_payload_key_t *keys, const mdm_payload_key_t *also,
                          const mdm_plist_t *dict)
{
    const mdm_payload_key_t *key;
    const mdm_plist_t *item;

    check_missing(w, path, also, dict);
    check_missing(w, path, keys, dict);
    for (item = dict->first; item; item = item->next) {
        if (!(key = mdm_payload_key(also, item->key)))
            key = mdm_payload_key(keys, item->key);
        if (key)
            check_value(w, mdm_payload_member(&w->look, path, item->key), item->key, key, item);
        else
            unknown_key(w, path, keys, also, item->key);
    }
}

/* ---- payloads */

/* Of a type that nobody knows only what all payloads have. */
static void check_unknown(walk_t *w, const char *type, const mdm_plist_t *payload)
{
    mdm_nearest_t nearest = mdm_nearest_of(type);
    const mdm_payload_type_t *known;
    const mdm_payload_key_t *key;
    const mdm_plist_t *value;
    int n;

    for (n = 0; mdm_payload_has_room(&w->look, MDM_FINDING_WARN) && (known = mdm_payload_type_at(n)) != NULL; n++)
        mdm_nearest_try(&nearest, known->name);
    mdm_payload_find(&w->look, MDM_FINDING_WARN, NULL, "a PayloadType that is not known here, its keys are "
                     "not checked%s", mdm_nearest_hint(&nearest, w->look.ctx->pool));
    check_missing(w, NULL, mdm_payload_common, payload);
    for (key = mdm_payload_common; key->name; key++) {
        if ((value = mdm_plist_get(payload, key->name)) != NULL)
            check_value(w, key->name, key->name, key, value);
    }
}

/* macOS alone asks for the scope; each type has its channels there. */
static void check_scope(walk_t *w, const mdm_payload_type_t *type)
{
    const char *scope = mdm_plist_get_string(w->profile, "PayloadScope");
    int user = scope && !strcmp(scope, "User");

    if (scope && type->mac && !strchr(type->mac, user ? 'U' : 'D'))
        mdm_payload_find(&w->look, MDM_FINDING_WARN, NULL, "macOS takes it for %s only, but the PayloadScope is %s",
                         user ? "the whole device" : "a user", user ? "User" : "System");
}

static void check_payload(walk_t *w, const mdm_plist_t *payload)
{
    const mdm_payload_type_t *type = w->look.type ? mdm_payload_type(w->look.type) : NULL;

    if (payload->type != MDM_PLIST_DICT) {
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "expected a dictionary, found %s", kind_of(payload));
        return;
    }
    if (!w->look.type || !type) {
        check_unknown(w, w->look.type ? w->look.type : "", payload);
        return;
    }
    if (!strcmp(type->name, "com.apple.mdm"))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "an MDM payload, which only this server makes: take it "
                         "out of the profile");
    w->domain = type->domain;
    check_past(w, NULL, type->deprecated, type->removed);
    check_scope(w, type);
    check_members(w, NULL, type->keys, mdm_payload_common, payload);
    w->domain = 0;
}

static int is_same(const mdm_plist_t *a, const mdm_plist_t *b, const char *key)
{
    const char *x = mdm_plist_get_string(a, key), *y = mdm_plist_get_string(b, key);

    return x && y && !strcasecmp(x, y);
}

/* What is wrong with a payload because of an earlier one. */
static void check_pair(walk_t *w, const mdm_plist_t *earlier, int n, const mdm_plist_t *payload)
{
    const char *other = mdm_plist_get_string(earlier, "PayloadType");
    const char *slot = w->look.type ? mdm_payload_slot(w->look.type, 0) : NULL;
    const char *other_slot = other ? mdm_payload_slot(other, 0) : NULL;
    const mdm_payload_type_t *type = w->look.type ? mdm_payload_type(w->look.type) : NULL;

    if (is_same(earlier, payload, "PayloadUUID"))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, "PayloadUUID", "PayloadContent[%d] has the same", n);
    if (is_same(earlier, payload, "PayloadIdentifier"))
        mdm_payload_find(&w->look, MDM_FINDING_WARN, "PayloadIdentifier", "PayloadContent[%d] has the same", n);
    if (slot && other_slot && !strcmp(slot, other_slot))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "a device can have but one payload of this kind, and "
                         "PayloadContent[%d] is one", n);
    else if (type && type->single && other && !strcmp(type->name, other))
        mdm_payload_find(&w->look, MDM_FINDING_WARN, NULL, "on %s a device can have but one payload of this kind, and "
                         "PayloadContent[%d] is one", mdm_key_system_title(*type->single), n);
}

static void check_pairs(walk_t *w)
{
    mdm_payload_look_t *look = &w->look;
    const mdm_plist_t *payload, *earlier;

    for (payload = mdm_payload_next(look, w->profile, NULL); payload;
         payload = mdm_payload_next(look, w->profile, payload)) {
        int n = 0;

        for (earlier = mdm_plist_get(w->profile, "PayloadContent")->first; earlier != payload; earlier = earlier->next)
            check_pair(w, earlier, n++, payload);
    }
}

/* ---- the profile */

/* Refused as a whole: nothing below can be looked at. */
static int is_unreadable(walk_t *w)
{
    const mdm_plist_t *content = mdm_plist_get(w->profile, "PayloadContent");

    if (!w->profile || w->profile->type != MDM_PLIST_DICT)
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "expected a dictionary");
    else if (mdm_plist_get(w->profile, "EncryptedPayloadContent")
             || mdm_plist_get_boolean(w->profile, "IsEncrypted", 0))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "its payloads are encrypted: give it as it was before, "
                         "this server encrypts it for each device");
    else if (!content || content->type != MDM_PLIST_ARRAY)
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, "PayloadContent", "expected an array of payloads");
    else if (!content->first)
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, "PayloadContent", "expected at least one payload");
    else if (content->count > MDM_PAYLOADS_MAX)
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, "PayloadContent", "expected %d payloads at most",
                         MDM_PAYLOADS_MAX);
    else
        return 0;
    return 1;
}

apr_array_header_t *mdm_payload_check(mdm_ctx_t *ctx, const mdm_plist_t *profile)
{
    walk_t w = { mdm_payload_look(ctx), profile, 0 };
    const mdm_plist_t *payload;

    if (is_unreadable(&w))
        return mdm_payload_found(&w.look);
    check_members(&w, NULL, mdm_payload_profile, NULL, profile);
    if (mdm_plist_get_boolean(profile, "PayloadRemovalDisallowed", 0))
        mdm_payload_find(&w.look, MDM_FINDING_WARN, "PayloadRemovalDisallowed",
                         "holds on supervised iPhones, iPads and Apple TVs and on Macs; in a User Enrollment it is "
                         "forbidden");
    for (payload = mdm_payload_next(&w.look, profile, NULL); payload;
         payload = mdm_payload_next(&w.look, profile, payload))
        check_payload(&w, payload);
    check_pairs(&w);
    return mdm_payload_found(&w.look);
}
