/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single facts out of answers, and secrets into escrow. DeviceInformation gives facts by Apple's names, which have no
 * dot; what other answers say has the name of its source before a dot, so that no answer can overwrite another's.
 * Called in the transaction of a device's answer, any thread. Positions have no history and go when lost mode ends;
 * secrets never become facts. What the device says wrongly is left out, never a reason to fail.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_drift.h"
#include "mdm_facts.h"
#include "mdm_facts_items.h"
#include "mdm_plist_json.h"
#include "mdm_store_change.h"

#define KEY_MAX 64
#define LOST_MODE "LostMode"
#define LOCATION "DeviceLocation"

/* One answer being taken in. */
typedef struct {
    mdm_store_t *st;
    mdm_ctx_t *ctx;
    mdm_connect_row_t *row;
    const mdm_device_t *device;
    const char *source;               /* under which its facts are stored */
    apr_array_header_t *now;          /* mdm_fact_t: what the answer says */
    apr_array_header_t *changes;      /* mdm_fact_t: what is to be written */
    apr_hash_t *asked;                /* names that the answer could have had; NULL: all */
    int left_out;
} taking_t;

typedef apr_status_t take_fn(taking_t *t);

static int is_key(const char *key)
{
    apr_size_t len = strlen(key);

    return len && len <= KEY_MAX
        && strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static int is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++) {
        if (!strcmp(name, *names))
            return 1;
    }
    return 0;
}

static void say_json(taking_t *t, const char *name, json_t *value, int unlogged)
{
    mdm_fact_t fact = { name, mdm_facts_json(value, t->ctx->pool), NULL, 0, unlogged };

    if (!fact.value || strlen(fact.value) > MDM_FACTS_VALUE_MAX || t->now->nelts >= MDM_FACTS_ITEMS_MAX)
        t->left_out++;
    else
        APR_ARRAY_PUSH(t->now, mdm_fact_t) = fact;
}

static void say(taking_t *t, const char *prefix, const mdm_plist_t *value, int unlogged)
{
    if (is_key(value->key))
        say_json(t, apr_pstrcat(t->ctx->pool, prefix, value->key, NULL), mdm_plist_to_json(value, t->ctx->pool),
                 unlogged);
    else
        t->left_out++;
}

/* Of what was said and what is known only the difference. */
static void compare(taking_t *t, const apr_array_header_t *known)
{
    apr_hash_t *before = apr_hash_make(t->ctx->pool), *said = apr_hash_make(t->ctx->pool);
    int i;

    for (i = 0; i < known->nelts; i++)
        apr_hash_set(before, APR_ARRAY_IDX(known, i, mdm_fact_t).name, APR_HASH_KEY_STRING,
                     APR_ARRAY_IDX(known, i, mdm_fact_t).value);
    for (i = 0; i < t->now->nelts; i++) {
        const mdm_fact_t *fact = &APR_ARRAY_IDX(t->now, i, mdm_fact_t);
        const char *value = apr_hash_get(before, fact->name, APR_HASH_KEY_STRING);

        apr_hash_set(said, fact->name, APR_HASH_KEY_STRING, "");
        if (!value || strcmp(value, fact->value))
            APR_ARRAY_PUSH(t->changes, mdm_fact_t) = *fact;
    }
    for (i = 0; i < known->nelts; i++) {
        mdm_fact_t gone = { APR_ARRAY_IDX(known, i, mdm_fact_t).name, NULL, NULL, 0, !strcmp(t->source, LOCATION) };

        if (!apr_hash_get(said, gone.name, APR_HASH_KEY_STRING)
            && (!t->asked || apr_hash_get(t->asked, gone.name, APR_HASH_KEY_STRING)))
            APR_ARRAY_PUSH(t->changes, mdm_fact_t) = gone;
    }
}

/* Groups and profiles may depend on what is other now. */
static apr_status_t have_looked_at(taking_t *t)
{
    apr_array_header_t *names = apr_array_make(t->ctx->pool, t->changes->nelts, sizeof(const char *));
    int i;

    for (i = 0; i < t->changes->nelts; i++)
        APR_ARRAY_PUSH(names, const char *) = APR_ARRAY_IDX(t->changes, i, mdm_fact_t).name;
    return mdm_store_recheck_facts(t->st, t->row->enrollment, (const char *const *)names->elts, names->nelts);
}

static apr_status_t keep(taking_t *t, const apr_array_header_t *known)
{
    apr_status_t rv;

    compare(t, known);
    if (t->left_out)
        mdm_log(t->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0903) "%s: %d values of the answer to %s are left out: "
                "odd names, over %d bytes or more than %d", t->device->enrollment_id, t->left_out,
                t->row->answered_type, MDM_FACTS_VALUE_MAX, MDM_FACTS_ITEMS_MAX);
    rv = mdm_store_facts_change(t->st, t->row->enrollment, t->source, t->changes);
    if (rv == APR_SUCCESS)
        rv = have_looked_at(t);
    return rv == APR_SUCCESS ? mdm_store_facts_seen(t->st, t->row->enrollment, t->source) : rv;
}

/* For answers that say all there is under their source. */
static apr_status_t keep_all(taking_t *t)
{
    apr_array_header_t *known;
    const char *none;
    apr_status_t rv = mdm_store_facts_known(&known, &none, t->st, t->row->enrollment, t->source, 0);

    return rv == APR_SUCCESS ? keep(t, known) : rv;
}

static const mdm_plist_t *dict_of(taking_t *t, const char *key)
{
    const mdm_plist_t *dict = mdm_plist_get(t->device->message, key);

    if (dict && dict->type == MDM_PLIST_DICT)
        return dict;
    mdm_log(t->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0902) "the answer of %s to %s has no dictionary %s: "
            "nothing was learned from it", t->device->enrollment_id, t->row->answered_type, key);
    return NULL;
}

static apr_status_t put_away(taking_t *t, const char *kind, const char *secret)
{
    int changed;
    apr_status_t rv = mdm_store_escrow_put(&changed, t->st, t->row->enrollment, kind, secret);

    if (rv != APR_SUCCESS || !changed)
        return rv;
    return mdm_store_event(t->st, "escrow.stored", NULL, t->device->source, t->device->enrollment_id, kind, NULL);
}

/* What the columns of the enrollment show, too. */
static apr_status_t refresh_columns(taking_t *t)
{
    mdm_fact_columns_t c = { 0 };
    const struct { const char *name; const char **column; } columns[] = {
        { "DeviceName", &c.device_name }, { "ProductName", &c.product_name }, { "Model", &c.model },
        { "ModelName", &c.model_name }, { "OSVersion", &c.os_version }, { "BuildVersion", &c.build_version },
        { "IMEI", &c.imei }, { "SerialNumber", &c.serial_number }
    };
    const mdm_plist_t *answer = mdm_plist_get(t->device->message, "QueryResponses");
    int i, any = 0;
    apr_size_t n;

    for (i = 0; i < t->changes->nelts; i++) {
        for (n = 0; n < sizeof(columns) / sizeof(columns[0]); n++) {
            if (!strcmp(APR_ARRAY_IDX(t->changes, i, mdm_fact_t).name, columns[n].name))
                any |= (*columns[n].column = mdm_plist_get_string(answer, columns[n].name)) != NULL;
        }
    }
    return any ? mdm_store_facts_columns(t->st, t->row->enrollment, &c) : APR_SUCCESS;
}

static apr_status_t forget_position(taking_t *t)
{
    return mdm_store_facts_forget_source(t->st, t->row->enrollment, LOCATION);
}

/* Lost mode can end without a command of ours: a device that says so has no position any more. */
static int left_lost_mode(const taking_t *t)
{
    int i;

    for (i = 0; i < t->changes->nelts; i++) {
        const mdm_fact_t *fact = &APR_ARRAY_IDX(t->changes, i, mdm_fact_t);

        if (!strcmp(fact->name, "IsMDMLostModeEnabled"))
            return fact->value && !strcmp(fact->value, "false");
    }
    return 0;
}

/* A new system may have lost or changed profiles. */
static apr_status_t look_after_update(taking_t *t, const apr_array_header_t *known)
{
    int i, changed = 0, was_known = 0;

    for (i = 0; i < t->changes->nelts; i++)
        changed |= !strcmp(APR_ARRAY_IDX(t->changes, i, mdm_fact_t).name, "BuildVersion");
    for (i = 0; i < known->nelts; i++)
        was_known |= !strcmp(APR_ARRAY_IDX(known, i, mdm_fact_t).name, "BuildVersion");
    return changed && was_known ? mdm_drift_look(t->st, t->row, t->device) : APR_SUCCESS;
}

static void read_queries(taking_t *t, const mdm_plist_t *command)
{
    const mdm_plist_t *queries = mdm_plist_get(command, "Queries"), *one;

    t->asked = apr_hash_make(t->ctx->pool);
    for (one = queries && queries->type == MDM_PLIST_ARRAY ? queries->first : NULL; one; one = one->next) {
        if (one->type == MDM_PLIST_STRING)
            apr_hash_set(t->asked, one->bytes.data, APR_HASH_KEY_STRING, "");
    }
}

static apr_status_t take_information(taking_t *t)
{
    /* PushToken opens a way to the device; the others are no facts of this answer */
    static const char *const left_out[] = { "PushToken", "UnlockToken", LOST_MODE, "Restrictions", NULL };
    static const char *const restless[] = { "AvailableDeviceCapacity", "BatteryLevel", "DevicePropertiesAttestation",
                                            NULL };
    const mdm_plist_t *answer = dict_of(t, "QueryResponses"), *value;
    apr_array_header_t *known;
    const char *command;
    apr_status_t rv;

    if (!answer)
        return APR_SUCCESS;
    rv = mdm_store_facts_known(&known, &command, t->st, t->row->enrollment, t->source, t->row->answered);
    if (rv != APR_SUCCESS)
        return rv;
    read_queries(t, mdm_facts_command(t->ctx, command));
    for (value = answer->first; value; value = value->next) {
        if (!is_one_of(value->key, left_out))
            say(t, "", value, is_one_of(value->key, restless));
    }
    if ((rv = keep(t, known)) == APR_SUCCESS)
        rv = refresh_columns(t);
    if (rv == APR_SUCCESS)
        rv = look_after_update(t, known);
    return rv == APR_SUCCESS && left_lost_mode(t) ? forget_position(t) : rv;
}

static apr_status_t take_security(taking_t *t)
{
    const mdm_plist_t *answer = dict_of(t, "SecurityInfo"), *value, *inner;
    const char *recovery_key = NULL;
    mdm_bytes_t cms;
    apr_status_t rv;

    for (value = answer ? answer->first : NULL; value; value = value->next) {
        if (!strcmp(value->key, "FDE_PersonalRecoveryKeyCMS"))
            recovery_key = mdm_plist_get_data(&cms, answer, value->key) ? mdm_base64_encode(cms, t->ctx->pool) : NULL;
        else if (value->type != MDM_PLIST_DICT)
            say(t, "SecurityInfo.", value, 0);
        else if (!is_key(value->key))
            t->left_out++;
        else
            for (inner = value->first; inner; inner = inner->next)
                say(t, apr_pstrcat(t->ctx->pool, "SecurityInfo.", value->key, ".", NULL), inner, 0);
    }
    if (!answer || (rv = keep_all(t)) != APR_SUCCESS)
        return answer ? rv : APR_SUCCESS;
    return recovery_key && *recovery_key && strlen(recovery_key) <= MDM_FACTS_VALUE_MAX
        ? put_away(t, "FDE_PersonalRecoveryKeyCMS", recovery_key) : APR_SUCCESS;
}

static apr_status_t take_restrictions(taking_t *t)
{
    static const char *const keys[] = { "GlobalRestrictions", "ProfileRestrictions", NULL };
    json_t *both;
    int i;

    if (!dict_of(t, keys[0]))
        return APR_SUCCESS;
    both = json_object();
    for (i = 0; keys[i]; i++) {
        const mdm_plist_t *value = mdm_plist_get(t->device->message, keys[i]);

        if (value && value->type == MDM_PLIST_DICT)
            json_object_set_new(both, keys[i], mdm_plist_to_json(value, t->ctx->pool));
    }
    say_json(t, "Restrictions", both, 0);
    return keep_all(t);
}

static apr_status_t take_location(taking_t *t)
{
    static const char *const keys[] = { "Latitude", "Longitude", "HorizontalAccuracy", "VerticalAccuracy", "Altitude",
                                        "Speed", "Course", "Timestamp", NULL };
    int i;

    for (i = 0; keys[i]; i++) {
        const mdm_plist_t *value = mdm_plist_get(t->device->message, keys[i]);

        if (value)
            say(t, "Location.", value, 1);
    }
    return keep_all(t);
}

static apr_status_t set_lost_mode(taking_t *t, int on)
{
    t->source = LOST_MODE;
    say_json(t, LOST_MODE, json_boolean(on), 0);
    return keep_all(t);
}

static apr_status_t take_lost_mode_on(taking_t *t)
{
    return set_lost_mode(t, 1);
}

static apr_status_t take_lost_mode_off(taking_t *t)
{
    apr_status_t rv = set_lost_mode(t, 0);

    return rv == APR_SUCCESS ? forget_position(t) : rv;
}

static apr_status_t take_bypass_code(taking_t *t)
{
    const char *code = mdm_plist_get_string(t->device->message, "ActivationLockBypassCode");

    if (!code || !*code || strlen(code) > MDM_FACTS_VALUE_MAX) {
        mdm_log(t->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0904) "the answer of %s to ActivationLockBypassCode "
                "has no code", t->device->enrollment_id);
        return APR_SUCCESS;
    }
    return put_away(t, "ActivationLockBypassCode", code);
}

static apr_status_t take_recovery_key(taking_t *t)
{
    mdm_bytes_t key;

    if (!mdm_plist_get_data(&key, mdm_plist_get(t->device->message, "RotateResult"), "EncryptedNewRecoveryKey")
        || !key.len || key.len > MDM_FACTS_VALUE_MAX / 2)
        return APR_SUCCESS;
    return put_away(t, "EncryptedNewRecoveryKey", mdm_base64_encode(key, t->ctx->pool));
}

static const struct {
    const char *type;
    take_fn *take;
} takers[] = {
    { "DeviceInformation", take_information },
    { "SecurityInfo", take_security },
    { "Restrictions", take_restrictions },
    { LOCATION, take_location },
    { "EnableLostMode", take_lost_mode_on },
    { "DisableLostMode", take_lost_mode_off },
    { "EraseDevice", forget_position },
    { "ActivationLockBypassCode", take_bypass_code },
    { "RotateFileVaultKey", take_recovery_key },
};

static take_fn *taker_of(const char *request_type)
{
    apr_size_t i;

    for (i = 0; i < sizeof(takers) / sizeof(takers[0]); i++) {
        if (!strcmp(takers[i].type, request_type))
            return takers[i].take;
    }
    return NULL;
}

int mdm_facts_wanted(const char *request_type)
{
    return request_type && (taker_of(request_type) || mdm_facts_items_wanted(request_type));
}

apr_status_t mdm_facts_take(mdm_store_t *st, const mdm_site_t *site, mdm_connect_row_t *row,
                            const mdm_device_t *device)
{
    taking_t t = { st, st->ctx, row, device, row->answered_type, NULL, NULL, NULL, 0 };
    take_fn *take = taker_of(row->answered_type);

    t.now = apr_array_make(st->ctx->pool, 64, sizeof(mdm_fact_t));
    t.changes = apr_array_make(st->ctx->pool, 16, sizeof(mdm_fact_t));
    if (take)
        return take(&t);
    return mdm_facts_items_wanted(row->answered_type) ? mdm_facts_items_take(st, site, row, device) : APR_SUCCESS;
}
