/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of items, compared with those stored: one look at what is known, and only differences are written. A command
 * that asked for a part says nothing of the rest, so that stays. Called in the transaction of a device's answer, any
 * thread. Every byte is the device's word: what is too long or has no identifier is left out, never a reason to fail.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_drift.h"
#include "mdm_facts_items.h"
#include "mdm_json.h"
#include "mdm_pki.h"
#include "mdm_plist_json.h"

#define TEXT_MAX 1024

typedef struct list_t list_t;
struct list_t {
    const char *type;                 /* RequestType */
    const char *kind;
    const char *key;                  /* of the answer's array or dictionary */
    const char *identifier, *name, *other_name, *version, *other_version;
    const char *left_out[4];          /* keys that never become part of the detail */
    void (*describe)(json_t *detail, mdm_ctx_t *ctx, const mdm_plist_t *entry);
};

/* One answer being taken in. */
typedef struct {
    mdm_store_t *st;
    mdm_ctx_t *ctx;
    const list_t *list;
    const mdm_plist_t *command;
    apr_hash_t *known, *seen;         /* by identifier: mdm_item_t, "" */
    apr_array_header_t *changes;
    int left_out, merge;
} taking_t;

const char *mdm_facts_json(json_t *json, apr_pool_t *p)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
    const char *copy = text ? apr_pstrdup(p, text) : NULL;

    free(text);
    json_decref(json);
    return copy;
}

const mdm_plist_t *mdm_facts_command(mdm_ctx_t *ctx, const char *body)
{
    mdm_plist_t *root;

    if (!body)
        return NULL;
    if (mdm_plist_read(&root, ctx, mdm_bytes_of(body)) != APR_SUCCESS) {
        mdm_ctx_clear(ctx);
        return NULL;
    }
    return mdm_plist_get(root, "Command");
}

static void describe_profile(json_t *detail, mdm_ctx_t *ctx, const mdm_plist_t *entry)
{
    const mdm_plist_t *payloads = mdm_plist_get(entry, "PayloadContent"), *one;
    json_t *types = json_array();

    for (one = payloads && payloads->type == MDM_PLIST_ARRAY ? payloads->first : NULL; one; one = one->next) {
        const char *type = mdm_plist_get_string(one, "PayloadType");

        if (type)
            json_array_append_new(types, json_string(type));
    }
    json_object_set_new(detail, "PayloadTypes", types);
    (void)ctx;
}

static void describe_certificate(json_t *detail, mdm_ctx_t *ctx, const mdm_plist_t *entry)
{
    mdm_cert_t *cert;
    mdm_bytes_t der;

    if (!mdm_plist_get_data(&der, entry, "Data") || mdm_cert_from_der(&cert, ctx, der) != APR_SUCCESS) {
        mdm_ctx_clear(ctx);
        return;
    }
    mdm_json_set_text(detail, "Subject", mdm_cert_subject(ctx, cert));
    mdm_json_set_text(detail, "SerialNumber", mdm_cert_serial(ctx, cert));
    mdm_json_set_text(detail, "NotBefore", mdm_time_text(mdm_cert_not_before(cert), ctx->pool));
    mdm_json_set_text(detail, "NotAfter", mdm_time_text(mdm_cert_not_after(cert), ctx->pool));
}

/*
 * How much data an application or a user holds (DynamicSize, DataUsed) is other at every look, and a redemption code
 * can be used: they stay in the raw answer.
 */
static const list_t lists[] = {
    { "ProfileList", "profile", "ProfileList", "PayloadIdentifier", "PayloadDisplayName", NULL, "PayloadVersion", NULL,
      { "PayloadContent", "SignerCertificates", NULL }, describe_profile },
    { "CertificateList", "certificate", "CertificateList", "Data", "CommonName", NULL, NULL, NULL,
      { NULL }, describe_certificate },
    { "InstalledApplicationList", "application", "InstalledApplicationList", "Identifier", "Name", NULL, "ShortVersion",
      "Version", { "DynamicSize", NULL }, NULL },
    { "ManagedApplicationList", "managed_application", "ManagedApplicationList", NULL, NULL, NULL, NULL, NULL,
      { "UnusedRedemptionCode", NULL }, NULL },
    { "AvailableOSUpdates", "os_update", "AvailableOSUpdates", "ProductKey", "HumanReadableName", "ProductName",
      "Version", NULL, { NULL }, NULL },
    { "OSUpdateStatus", "os_update_status", "OSUpdateStatus", "ProductKey", NULL, NULL, NULL, NULL, { NULL }, NULL },
    { "ProvisioningProfileList", "provisioning_profile", "ProvisioningProfileList", "UUID", "Name", NULL, NULL, NULL,
      { NULL }, NULL },
    { "UserList", "user", "Users", "UserName", "FullName", NULL, NULL, NULL, { "DataUsed", NULL },
      NULL },
};

#define LISTS ((int)(sizeof(lists) / sizeof(lists[0])))

static const list_t *list_of(const char *request_type)
{
    int i;

    for (i = 0; i < LISTS; i++) {
        if (!strcmp(lists[i].type, request_type))
            return &lists[i];
    }
    return NULL;
}

static const char *text_of(taking_t *t, const mdm_plist_t *entry, const char *key)
{
    const mdm_plist_t *value = key ? mdm_plist_get(entry, key) : NULL;

    if (!value)
        return NULL;
    if (value->type == MDM_PLIST_INTEGER)
        return apr_psprintf(t->ctx->pool, "%" APR_INT64_T_FMT, value->integer);
    if (value->type == MDM_PLIST_DATA)
        return mdm_sha256_hex(value->bytes, t->ctx->pool);
    return value->type == MDM_PLIST_STRING ? (const char *)value->bytes.data : NULL;
}

static const char *either(taking_t *t, const mdm_plist_t *entry, const char *key, const char *other)
{
    const char *text = text_of(t, entry, key);

    if (!text || !*text)
        text = text_of(t, entry, other);
    return text && *text && strlen(text) <= TEXT_MAX ? text : NULL;
}

static int is_own_column(const list_t *list, const char *key)
{
    const char *const columns[] = { list->identifier, list->name, list->version };
    int i;

    for (i = 0; i < 3; i++) {
        if (columns[i] && !strcmp(columns[i], key))
            return 1;
    }
    for (i = 0; i < 4 && list->left_out[i]; i++) {
        if (!strcmp(list->left_out[i], key))
            return 1;
    }
    return 0;
}

/* What a command that wanted some keys only does not say of an application stays as it was. */
static void keep_unasked(json_t *detail, const mdm_item_t *known)
{
    json_t *before = json_loads(known->detail, 0, NULL);

    if (before)
        json_object_update_missing(detail, before);
    json_decref(before);
}

static const char *detail_of(taking_t *t, const mdm_plist_t *entry, const mdm_item_t *known)
{
    json_t *detail = json_object();
    const mdm_plist_t *value;

    for (value = entry->first; value; value = value->next) {
        if (!is_own_column(t->list, value->key))
            json_object_set_new(detail, value->key, mdm_plist_to_json(value, t->ctx->pool));
    }
    if (t->list->describe)
        t->list->describe(detail, t->ctx, entry);
    if (known && t->merge)
        keep_unasked(detail, known);
    return mdm_facts_json(detail, t->ctx->pool);
}

static int same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static void take_entry(taking_t *t, const mdm_plist_t *entry)
{
    const char *identifier = t->list->identifier ? text_of(t, entry, t->list->identifier) : entry->key;
    mdm_item_t item = { identifier, NULL, NULL, NULL, 0, 0 }, *known;

    if (entry->type != MDM_PLIST_DICT || !identifier || !*identifier || strlen(identifier) > MDM_FACTS_IDENTIFIER_MAX
        || apr_hash_count(t->seen) >= MDM_FACTS_ITEMS_MAX || apr_hash_get(t->seen, identifier, APR_HASH_KEY_STRING)) {
        t->left_out++;
        return;
    }
    apr_hash_set(t->seen, identifier, APR_HASH_KEY_STRING, "");
    known = apr_hash_get(t->known, identifier, APR_HASH_KEY_STRING);
    item.name = either(t, entry, t->list->name, t->list->other_name);
    item.version = either(t, entry, t->list->version, t->list->other_version);
    if (known && t->merge) {
        item.name = item.name ? item.name : known->name;
        item.version = item.version ? item.version : known->version;
    }
    item.detail = detail_of(t, entry, known);
    if (!item.detail || strlen(item.detail) > MDM_FACTS_VALUE_MAX) {
        t->left_out++;
        return;
    }
    if (known && same(known->name, item.name) && same(known->version, item.version) && same(known->detail, item.detail))
        return;
    item.is_new = !known;
    APR_ARRAY_PUSH(t->changes, mdm_item_t) = item;
}

static int is_part(const mdm_plist_t *command)
{
    return !command || mdm_plist_get_boolean(command, "ManagedOnly", 0)
        || mdm_plist_get_boolean(command, "ManagedAppsOnly", 0) || mdm_plist_get(command, "Identifiers");
}

static void take_leave(taking_t *t, const apr_array_header_t *known)
{
    int i;

    for (i = 0; i < known->nelts; i++) {
        mdm_item_t gone = { APR_ARRAY_IDX(known, i, mdm_item_t).identifier, NULL, NULL, NULL, 0, 0 };

        if (!apr_hash_get(t->seen, gone.identifier, APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(t->changes, mdm_item_t) = gone;
    }
}

static void compare(taking_t *t, const mdm_plist_t *answer, const apr_array_header_t *known)
{
    const mdm_plist_t *entry;
    int i;

    t->merge = t->command && mdm_plist_get(t->command, "Items") != NULL;
    t->known = apr_hash_make(t->ctx->pool);
    t->seen = apr_hash_make(t->ctx->pool);
    t->changes = apr_array_make(t->ctx->pool, 16, sizeof(mdm_item_t));
    for (i = 0; i < known->nelts; i++)
        apr_hash_set(t->known, APR_ARRAY_IDX(known, i, mdm_item_t).identifier, APR_HASH_KEY_STRING,
                     &APR_ARRAY_IDX(known, i, mdm_item_t));
    for (entry = answer->first; entry; entry = entry->next)
        take_entry(t, entry);
    if (!is_part(t->command))
        take_leave(t, known);
}

int mdm_facts_items_wanted(const char *request_type)
{
    return list_of(request_type) != NULL;
}

const char *mdm_facts_items_kind(const char **request_type, int index)
{
    if (index < 0 || index >= LISTS)
        return NULL;
    *request_type = lists[index].type;
    return lists[index].kind;
}

static apr_status_t keep(taking_t *t, const mdm_site_t *site, const mdm_connect_row_t *row, const mdm_device_t *device,
                         const mdm_plist_t *answer)
{
    apr_status_t rv = mdm_store_items_change(t->st, row->enrollment, t->list->kind, t->changes);

    if (rv == APR_SUCCESS && !strcmp(t->list->kind, "profile"))
        rv = mdm_drift_list(t->st, site, row, device, answer, is_part(t->command));
    return rv == APR_SUCCESS ? mdm_store_facts_seen(t->st, row->enrollment, t->list->type) : rv;
}

apr_status_t mdm_facts_items_take(mdm_store_t *st, const mdm_site_t *site, const mdm_connect_row_t *row,
                                  const mdm_device_t *device)
{
    taking_t t = { st, st->ctx, list_of(row->answered_type), NULL, NULL, NULL, NULL, 0, 0 };
    const mdm_plist_t *answer = mdm_plist_get(device->message, t.list->key);
    apr_array_header_t *known;
    const char *command;
    apr_status_t rv;

    if (!answer || answer->type != (t.list->identifier ? MDM_PLIST_ARRAY : MDM_PLIST_DICT)) {
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0900) "the answer of %s to %s has no %s: nothing was "
                "learned from it", device->enrollment_id, t.list->type, t.list->key);
        return APR_SUCCESS;
    }
    rv = mdm_store_items_known(&known, &command, st, row->enrollment, t.list->kind, row->answered);
    if (rv != APR_SUCCESS)
        return rv;
    t.command = mdm_facts_command(st->ctx, command);
    compare(&t, answer, known);
    if (t.left_out)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0901) "%s: %d entries of the answer to %s are left out: "
                "named twice, without a usable name, or over %d bytes or %d entries", device->enrollment_id, t.left_out,
                t.list->type, MDM_FACTS_VALUE_MAX, MDM_FACTS_ITEMS_MAX);
    return keep(&t, site, row, device, answer);
}
