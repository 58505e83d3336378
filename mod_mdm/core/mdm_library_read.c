/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading what is to become a profile of the library. Called by its saves, in any request thread; looks at no database.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "mdm_library_parts.h"
#include "mdm_refusal.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
#define OWN ".p."

apr_status_t mdm_library_name(mdm_ctx_t *ctx, const char *what, const char *name)
{
    apr_size_t len = strlen(name);
    apr_status_t rv;

    if (len && len <= MDM_LIBRARY_NAME_MAX && strspn(name, NAME_CHARACTERS) == len && !strchr("._-", *name))
        return APR_SUCCESS;
    rv = mdm_fail(ctx, MDM_EINPUT, "the name must have 1 to %d letters, digits and . _ - and begin with a letter or "
                  "digit", MDM_LIBRARY_NAME_MAX);
    return mdm_refusal_of(ctx, rv, what, name);
}

/* ---- the file */

static int is_flag(const mdm_plist_t *item)
{
    return item && (item->type != MDM_PLIST_BOOLEAN || item->integer);
}

static apr_status_t check_root(mdm_ctx_t *ctx, const mdm_plist_t *root)
{
    const char *type = mdm_plist_get_string(root, "PayloadType");
    const mdm_plist_t *content = mdm_plist_get(root, "PayloadContent");

    if (!type || strcmp(type, "Configuration"))
        return mdm_fail(ctx, MDM_EINPUT, "PayloadType must be Configuration: this is no configuration profile");
    if (mdm_plist_get(root, "EncryptedPayloadContent") || is_flag(mdm_plist_get(root, "IsEncrypted")))
        return mdm_fail(ctx, MDM_EINPUT, "EncryptedPayloadContent: its payloads are encrypted for one device and "
                        "cannot be read here: give the profile as it was before that; it is encrypted for each device "
                        "when it goes out");
    if (!content || content->type != MDM_PLIST_ARRAY || !content->first)
        return mdm_fail(ctx, MDM_EINPUT, "PayloadContent: a profile has an array of payloads there, one at least");
    return APR_SUCCESS;
}

apr_status_t mdm_library_open(mdm_plist_t **tree, mdm_ctx_t *ctx, mdm_bytes_t bytes)
{
    mdm_bytes_t text = bytes;
    apr_status_t rv;

    if (!bytes.len)
        return mdm_fail(ctx, MDM_EINPUT, "there is no body: send a .mobileconfig, or JSON as application/json");
    /* an XML text begins with "<", a byte order mark or a blank, a binary one with "bplist"; DER and BER with this */
    if (bytes.data[0] == 0x30 && mdm_cms_content(&text, ctx, bytes) != APR_SUCCESS) {
        mdm_ctx_clear(ctx);
        return mdm_fail(ctx, MDM_EINPUT, "no profile: neither a property list nor one with a signature around it");
    }
    rv = mdm_plist_read(tree, ctx, text);
    return rv == APR_SUCCESS ? check_root(ctx, *tree) : rv;
}

/* ---- the form that is stored */

static int compare_keys(const void *a, const void *b)
{
    return strcmp((*(mdm_plist_t *const *)a)->key, (*(mdm_plist_t *const *)b)->key);
}

/* Recurses as deep as the plist reader lets a tree be. */
static void sort_keys(mdm_plist_t *node, apr_pool_t *p)
{
    mdm_plist_t **items, *item;
    apr_size_t n = 0, i, count = node->count;

    if (node->type != MDM_PLIST_DICT && node->type != MDM_PLIST_ARRAY)
        return;
    for (item = node->first; item; item = item->next)
        sort_keys(item, p);
    if (node->type != MDM_PLIST_DICT || count < 2)
        return;
    items = apr_palloc(p, sizeof(*items) * count);
    for (item = node->first; item; item = item->next)
        items[n++] = item;
    qsort(items, n, sizeof(*items), compare_keys);
    node->first = node->last = NULL;
    node->count = 0;
    for (i = 0; i < n; i++) {
        items[i]->next = NULL;
        mdm_plist_append(node, items[i]);
    }
}

static void take_out(mdm_plist_t *dict, const char *key)
{
    mdm_plist_t *item = dict->first, *next;

    dict->first = dict->last = NULL;
    dict->count = 0;
    for (; item; item = next) {
        next = item->next;
        item->next = NULL;
        if (strcmp(item->key, key))
            mdm_plist_append(dict, item);
    }
}

/* A text of a payload or profile: there, and a text, or not there at all. */
static apr_status_t text_of(const char **text, mdm_ctx_t *ctx, const mdm_plist_t *dict, const char *path,
                            const char *key)
{
    *text = mdm_plist_get_string(dict, key);
    if (!*text && mdm_plist_get(dict, key))
        return mdm_fail(ctx, MDM_EINPUT, "%s%s must be a string", path, key);
    if (*text && !**text)
        return mdm_fail(ctx, MDM_EINPUT, "%s%s is empty: give it a text, or leave it out", path, key);
    return APR_SUCCESS;
}

/* What is known of the payloads so far. */
typedef struct {
    mdm_ctx_t *ctx;
    const char *identifier;       /* of the profile */
    apr_hash_t *types;            /* PayloadType -> int *: how many */
    apr_hash_t *uuids;
} payloads_t;

/* @param made of this PayloadIdentifier; NULL: it was there */
static apr_status_t check_uuid(payloads_t *all, const char *path, const char *uuid, const char *made)
{
    mdm_ctx_t *ctx = all->ctx;
    char *folded = apr_pstrdup(ctx->pool, uuid), *c;

    for (c = folded; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    if (!apr_hash_get(all->uuids, folded, APR_HASH_KEY_STRING)) {
        apr_hash_set(all->uuids, folded, APR_HASH_KEY_STRING, "");
        return APR_SUCCESS;
    }
    if (made)
        return mdm_fail(ctx, MDM_EINPUT, "%sPayloadIdentifier: two payloads have the PayloadIdentifier %s, and their "
                        "PayloadUUID is made of it: give one of them another", path, made);
    return mdm_fail(ctx, MDM_EINPUT, "%sPayloadUUID: two payloads have the PayloadUUID %s: give one of them "
                    "another, or leave the key out", path, uuid);
}

/* The how manieth of its type, from 1: others may come and go, and it keeps its identifier. */
static int ordinal(payloads_t *all, const char *type)
{
    int *count = apr_hash_get(all->types, type, APR_HASH_KEY_STRING);

    if (!count) {
        count = apr_pcalloc(all->ctx->pool, sizeof(*count));
        apr_hash_set(all->types, type, APR_HASH_KEY_STRING, count);
    }
    return ++*count;
}

static apr_status_t complete_payload(payloads_t *all, mdm_plist_t *payload, int n)
{
    mdm_ctx_t *ctx = all->ctx;
    apr_pool_t *p = ctx->pool;
    const char *path = apr_psprintf(p, "PayloadContent[%d].", n), *type, *id, *uuid, *made = NULL;
    apr_status_t rv;
    int nth;

    if (payload->type != MDM_PLIST_DICT)
        return mdm_fail(ctx, MDM_EINPUT, "PayloadContent[%d] must be a dictionary, which a payload is", n);
    if ((rv = text_of(&type, ctx, payload, path, "PayloadType")) != APR_SUCCESS
        || (rv = text_of(&id, ctx, payload, path, "PayloadIdentifier")) != APR_SUCCESS
        || (rv = text_of(&uuid, ctx, payload, path, "PayloadUUID")) != APR_SUCCESS)
        return rv;
    if (!type)
        return mdm_fail(ctx, MDM_EINPUT, "%sPayloadType is missing: a payload has to say of which type it is", path);
    if (!strcasecmp(type, "com.apple.mdm"))
        return mdm_fail(ctx, MDM_EINPUT, "%sPayloadType: com.apple.mdm is of the enrollment profile, which only this "
                        "server makes: take the payload out", path);
    nth = ordinal(all, type);
    if (!id) {
        id = apr_psprintf(p, "%s.%s.%d", all->identifier, type, nth);
        mdm_plist_set_string(payload, "PayloadIdentifier", id, p);
    }
    if (!uuid) {
        made = id;
        uuid = mdm_uuid_of(all->identifier, id, p);
        mdm_plist_set_string(payload, "PayloadUUID", uuid, p);
    }
    if (!mdm_plist_get(payload, "PayloadVersion"))
        mdm_plist_set_integer(payload, "PayloadVersion", 1, p);
    return uuid ? check_uuid(all, path, uuid, made) : mdm_fail(ctx, MDM_ECRYPTO, "no UUID for a payload");
}

apr_status_t mdm_library_normalise(mdm_plist_t *tree, mdm_ctx_t *ctx, const char *identifier)
{
    payloads_t all = { ctx, identifier, apr_hash_make(ctx->pool), apr_hash_make(ctx->pool) };
    mdm_plist_t *payload;
    const char *scope;
    apr_status_t rv = check_root(ctx, tree);
    int n = 0;

    if (rv != APR_SUCCESS || (rv = text_of(&scope, ctx, tree, "", "PayloadScope")) != APR_SUCCESS)
        return rv;
    if (scope && strcmp(scope, "System") && strcmp(scope, "User"))
        return mdm_fail(ctx, MDM_EINPUT, "PayloadScope must be System or User");
    take_out(tree, "PayloadUUID");
    if (!mdm_plist_get(tree, "PayloadIdentifier"))
        mdm_plist_set_string(tree, "PayloadIdentifier", identifier, ctx->pool);
    if (!mdm_plist_get(tree, "PayloadVersion"))
        mdm_plist_set_integer(tree, "PayloadVersion", 1, ctx->pool);
    payload = mdm_plist_get(tree, "PayloadContent")->first;
    for (; rv == APR_SUCCESS && payload; payload = payload->next)
        rv = complete_payload(&all, payload, n++);
    if (rv == APR_SUCCESS)
        sort_keys(tree, ctx->pool);
    return rv;
}

static apr_size_t count_values(const mdm_plist_t *node)
{
    const mdm_plist_t *item;
    apr_size_t count = 1;

    for (item = node->first; item; item = item->next)
        count += count_values(item);
    return count;
}

apr_status_t mdm_library_write(mdm_bytes_t *text, mdm_ctx_t *ctx, const mdm_plist_t *tree)
{
    mdm_plist_t *again;
    apr_status_t rv = mdm_plist_write(text, ctx, tree);

    if (rv != APR_SUCCESS)
        return rv;
    if (text->len > MDM_PLIST_MAX_BYTES)
        return mdm_fail(ctx, MDM_ETOOBIG, "a profile has at most %d bytes when it is written as XML",
                        MDM_PLIST_MAX_BYTES);
    if (count_values(tree) > MDM_PLIST_MAX_NODES)
        return mdm_fail(ctx, MDM_ETOOBIG, "a profile has at most %d values", MDM_PLIST_MAX_NODES);
    return mdm_plist_read(&again, ctx, *text);
}

/* ---- identifiers */

const char *mdm_library_own_identifier(const mdm_site_t *site, const char *name, apr_pool_t *p)
{
    return apr_pstrcat(p, site->profile_identifier, OWN, name, NULL);
}

/*
 * Devices find profiles by this alone: one that had the enrollment profile's, or looked like one of the server's own,
 * would take its place, or be taken for it when profiles are removed.
 */
static int is_reserved(const mdm_site_t *site, const char *identifier)
{
    apr_size_t len = strlen(site->profile_identifier);

    return !strncasecmp(identifier, site->profile_identifier, len) && (!identifier[len] || identifier[len] == '.');
}

apr_status_t mdm_library_identifier(mdm_ctx_t *ctx, const mdm_site_t *site, const char *name, const char *identifier)
{
    const char *own = mdm_library_own_identifier(site, name, ctx->pool);
    apr_size_t i, len = strlen(identifier);

    for (i = 0; i < len; i++) {
        if ((unsigned char)identifier[i] < ' ' || identifier[i] == '\x7f')
            break;
    }
    if (i < len || !len || len > MDM_LIBRARY_IDENTIFIER_MAX || identifier[0] == ' ' || identifier[len - 1] == ' ')
        return mdm_fail(ctx, MDM_EINPUT, "PayloadIdentifier: it has 1 to %d bytes, no control characters, and no blank "
                        "at an end", MDM_LIBRARY_IDENTIFIER_MAX);
    if (is_reserved(site, identifier) && strcmp(identifier, own))
        return mdm_fail(ctx, MDM_EINPUT, "PayloadIdentifier: %s and all below it are of the enrollment profile: choose "
                        "another, or leave the key out, which gives %s", site->profile_identifier, own);
    return APR_SUCCESS;
}
