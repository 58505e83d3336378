/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules can ask for, and what is found of it. Called by the reading and the asking of rules, any thread; looks
 * only into the values handed in.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_command_table.h"
#include "mdm_json.h"
#include "mdm_nearest.h"
#include "mdm_rule_parts.h"

#define NAME_BYTES_MAX 127
#define SECURITY "SecurityInfo."

/* Columns, and the facts that they follow: those are the same to a rule. */
static const struct {
    const char *name, *fact;
} columns[MDM_RULE_COLUMNS] = {
    [MDM_RULE_ENROLLMENT_ID] = { "enrollment_id", NULL },
    [MDM_RULE_TYPE] = { "type", NULL },
    [MDM_RULE_STATE] = { "state", NULL },
    [MDM_RULE_SERIAL_NUMBER] = { "serial_number", "SerialNumber" },
    [MDM_RULE_MODEL] = { "model", "Model" },
    [MDM_RULE_MODEL_NAME] = { "model_name", "ModelName" },
    [MDM_RULE_PRODUCT_NAME] = { "product_name", "ProductName" },
    [MDM_RULE_DEVICE_NAME] = { "device_name", "DeviceName" },
    [MDM_RULE_OS_VERSION] = { "os_version", "OSVersion" },
    [MDM_RULE_BUILD_VERSION] = { "build_version", "BuildVersion" },
    [MDM_RULE_IMEI] = { "imei", "IMEI" },
};

/* Never facts, or nothing to sort people's devices by. */
static int is_kept_out(const char *name)
{
    static const char *const names[] = { "PushToken", "UnlockToken", "DevicePropertiesAttestation", NULL };
    int i;

    for (i = 0; names[i]; i++) {
        if (!strcmp(names[i], name))
            return 1;
    }
    return 0;
}

static int is_fact(mdm_nearest_t *nearest, const char *name)
{
    int i;

    if (!strncmp(name, SECURITY, strlen(SECURITY)) && name[strlen(SECURITY)])
        return 1;
    if (!strcmp(name, "LostMode"))
        return 1;
    for (i = 0; mdm_command_queries[i].name; i++) {
        if (is_kept_out(mdm_command_queries[i].name))
            continue;
        if (!strcmp(mdm_command_queries[i].name, name))
            return 1;
        mdm_nearest_try(nearest, mdm_command_queries[i].name);
    }
    return 0;
}

static apr_status_t device_source(mdm_rule_node_t *test, const char **fact, mdm_ctx_t *ctx, const char *where)
{
    const char *name = test->name + strlen("device.");
    mdm_nearest_t nearest = mdm_nearest_of(name);
    int i;

    for (i = 0; i < MDM_RULE_COLUMNS; i++) {
        if (!strcmp(columns[i].name, name) || (columns[i].fact && !strcmp(columns[i].fact, name))) {
            test->source = MDM_RULE_COLUMN;
            test->column = (mdm_rule_column_e)i;
            *fact = columns[i].fact;
            return APR_SUCCESS;
        }
        mdm_nearest_try(&nearest, columns[i].name);
    }
    test->source = MDM_RULE_FACT;
    test->key = *fact = name;
    return is_fact(&nearest, name) ? APR_SUCCESS
        : mdm_fail(ctx, MDM_EINPUT, "%s: nothing is ever known of %s%s; of a device there are enrollment_id, type, "
                   "state, serial_number, model, model_name, product_name, device_name, os_version, build_version, "
                   "imei, every query of DeviceInformation, SecurityInfo.NAME and LostMode", where,
                   mdm_nearest_shown(test->name, ctx->pool), mdm_nearest_hint(&nearest, ctx->pool));
}

static apr_status_t user_source(mdm_rule_node_t *test, mdm_ctx_t *ctx, const char *where)
{
    static const struct {
        const char *name;
        mdm_rule_source_e source;
    } fixed[] = { { "login", MDM_RULE_LOGIN }, { "display_name", MDM_RULE_DISPLAY_NAME }, { "email", MDM_RULE_EMAIL },
                  { "mail", MDM_RULE_EMAIL }, { "disabled", MDM_RULE_DISABLED } };
    const char *name = test->name + strlen("user."), *c;
    apr_size_t i;

    for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (!strcmp(fixed[i].name, name)) {
            test->source = fixed[i].source;
            test->key = name;
            return APR_SUCCESS;
        }
    }
    for (c = name; (unsigned char)*c >= ' ' && *c != 0x7f; c++)
        ;
    if (!*name || *c)
        return mdm_fail(ctx, MDM_EINPUT, "%s: behind \"user.\" stands login, display_name, email, disabled or the "
                        "name of an attribute", where);
    test->source = MDM_RULE_ATTRIBUTE;
    test->key = name;
    return APR_SUCCESS;
}

apr_status_t mdm_rule_source(mdm_rule_node_t *test, const char **fact, mdm_ctx_t *ctx, const char *where)
{
    *fact = NULL;
    if (strlen(test->name) > NAME_BYTES_MAX)
        return mdm_fail(ctx, MDM_ETOOBIG, "%s: a name has at most %d bytes", where, NAME_BYTES_MAX);
    if (!strncmp(test->name, "user.", strlen("user.")))
        return user_source(test, ctx, where);
    if (!strncmp(test->name, "device.", strlen("device.")))
        return device_source(test, fact, ctx, where);
    return mdm_fail(ctx, MDM_EINPUT, "%s: %s begins with neither \"user.\" nor \"device.\"", where,
                    mdm_nearest_shown(test->name, ctx->pool));
}

/* ---- values */

int mdm_rule_operand(mdm_rule_operand_t *out, const json_t *json, apr_pool_t *p)
{
    memset(out, 0, sizeof(*out));
    if (json_is_string(json))
        out->text = apr_pstrdup(p, json_string_value(json));
    else if (json_is_boolean(json)) {
        out->is_boolean = 1;
        out->text = json_is_true(json) ? "true" : "false";
    } else if (json_is_number(json)) {
        out->is_number = 1;
        out->number = json_number_value(json);
        out->text = json_is_integer(json)
            ? apr_psprintf(p, "%" APR_INT64_T_FMT, (apr_int64_t)json_integer_value(json)) : mdm_json_compact(json, p);
    }
    return out->text != NULL;
}

static void found_text(mdm_rule_found_t *found, const char *text, apr_pool_t *p)
{
    mdm_rule_operand_t *operand;

    if (!text || !*text)
        return;
    operand = apr_pcalloc(p, sizeof(*operand));
    operand->text = text;
    found->known = 1;
    found->operands = operand;
    found->count = 1;
}

/* Of a list its scalars; what is empty is not there. A list of dictionaries is known, and no value, as one is. */
static void found_json(mdm_rule_found_t *found, const json_t *json, apr_pool_t *p)
{
    apr_size_t n = json_is_array(json) ? json_array_size(json) : 1, i;
    mdm_rule_operand_t *operands = apr_palloc(p, sizeof(*operands) * (n + 1));

    for (i = 0; i < n; i++) {
        const json_t *one = json_is_array(json) ? json_array_get(json, i) : json;

        if (json_is_object(one) || json_is_array(one))
            found->known = 1;
        else if (mdm_rule_operand(&operands[found->count], one, p) && *operands[found->count].text)
            found->count++;
    }
    found->operands = operands;
    found->known |= found->count > 0;
}

/* Nearly all facts are plain texts, which need no parser. */
static void found_fact(mdm_rule_found_t *found, const char *stored, apr_pool_t *p)
{
    apr_size_t len = stored ? strlen(stored) : 0;
    json_t *json;

    if (len < 2)
        len = 0;
    if (len && *stored == '"' && !memchr(stored, '\\', len)) {
        found_text(found, apr_pstrmemdup(p, stored + 1, len - 2), p);
        return;
    }
    json = stored ? json_loads(stored, JSON_DECODE_ANY, NULL) : NULL;
    if (json)
        found_json(found, json, p);
    json_decref(json);
}

static void found_user(mdm_rule_found_t *found, const mdm_rule_node_t *test, const mdm_rule_values_t *values,
                       apr_pool_t *p)
{
    const json_t *attribute;

    if (test->source == MDM_RULE_LOGIN)
        found_text(found, values->login, p);
    if (test->source == MDM_RULE_LOGIN || !values->known)
        return;
    if (test->source == MDM_RULE_DISABLED) {
        found_text(found, values->disabled ? "true" : "false", p);
        ((mdm_rule_operand_t *)found->operands)->is_boolean = 1;
        return;
    }
    if (test->source == MDM_RULE_DISPLAY_NAME)
        found_text(found, values->display_name, p);
    else if (test->source == MDM_RULE_EMAIL)
        found_text(found, values->email, p);
    attribute = found->known || !values->attributes ? NULL : json_object_get(values->attributes, test->key);
    if (attribute)
        found_json(found, attribute, p);
}

void mdm_rule_find(mdm_rule_found_t *found, const mdm_rule_node_t *test, const mdm_rule_values_t *values,
                   apr_pool_t *p)
{
    memset(found, 0, sizeof(*found));
    if (test->source == MDM_RULE_COLUMN)
        found_text(found, values->columns[test->column], p);
    else if (test->source == MDM_RULE_FACT)
        found_fact(found, values->facts ? apr_hash_get(values->facts, test->key, APR_HASH_KEY_STRING) : NULL, p);
    else
        found_user(found, test, values, p);
}
