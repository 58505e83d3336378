/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands for a reference: the names that users and devices have values for. Called by the rendering, in any
 * thread; looks only into the values handed in.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_command_table.h"
#include "mdm_template_parts.h"

#define SECURITY "SecurityInfo."

/* Names for what an enrollment's own row has, and the facts that these follow. */
static const struct {
    const char *name, *fact;
    apr_size_t column;
} columns[] = {
    { "serial_number", "SerialNumber", offsetof(mdm_enrollment_t, serial_number) },
    { "serial", "SerialNumber", offsetof(mdm_enrollment_t, serial_number) },
    { "model", "Model", offsetof(mdm_enrollment_t, model) },
    { "model_name", "ModelName", offsetof(mdm_enrollment_t, model_name) },
    { "product_name", "ProductName", offsetof(mdm_enrollment_t, product_name) },
    { "device_name", "DeviceName", offsetof(mdm_enrollment_t, device_name) },
    { "os_version", "OSVersion", offsetof(mdm_enrollment_t, os_version) },
    { "build_version", "BuildVersion", offsetof(mdm_enrollment_t, build_version) },
    { "imei", "IMEI", offsetof(mdm_enrollment_t, imei) },
    { "meid", "MEID", offsetof(mdm_enrollment_t, meid) }
};

#define COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))

static int column_of(const char *name)
{
    int i = 0;

    while (i < COLUMNS && strcmp(columns[i].name, name))
        i++;
    return i;
}

static int is_id(const char *name)
{
    return !strcmp(name, "udid") || !strcmp(name, "enrollment_id");
}

const char *mdm_template_fact(const char *name)
{
    int i = column_of(name);

    return i < COLUMNS ? columns[i].fact : is_id(name) ? NULL : name;
}

int mdm_template_is_device(const char *name)
{
    /* what opens a way to the device, and what would install a profile again with every answer */
    static const char *const refused[] = { "PushToken", "UnlockToken", "AvailableDeviceCapacity", "BatteryLevel",
                                           "DevicePropertiesAttestation", NULL };
    int i;

    if (column_of(name) < COLUMNS || is_id(name))
        return 1;
    for (i = 0; refused[i]; i++) {
        if (!strcmp(refused[i], name))
            return 0;
    }
    for (i = 0; mdm_command_queries[i].name; i++) {
        if (!strcmp(mdm_command_queries[i].name, name))
            return 1;
    }
    return !strncmp(name, SECURITY, strlen(SECURITY)) && name[strlen(SECURITY)];
}

static apr_status_t none(const char **why, const char *text)
{
    *why = text;
    return MDM_ENOTFOUND;
}

/* ---- users */

static const char *attribute(const mdm_values_t *values, const char *name)
{
    const json_t *value = values->attributes ? json_object_get(values->attributes, name) : NULL;

    if (json_is_array(value))
        value = json_array_get(value, 0);
    return json_string_value(value);
}

static const char *user_text(const mdm_values_t *values, const char *name)
{
    const char *text = NULL;

    if (!strcmp(name, "login"))
        return values->login;
    if (!strcmp(name, "display_name"))
        text = values->display_name;
    else if (!strcmp(name, "email") || !strcmp(name, "mail"))
        text = values->email;
    return text && *text ? text : attribute(values, name);
}

static apr_status_t user_value(mdm_bytes_t *value, const char **why, const mdm_values_t *values, const char *name,
                               apr_pool_t *p)
{
    const char *text;

    if (!values->login && values->enrollment)
        return none(why, apr_psprintf(p, "the enrollment %s is nobody's, and the profile needs ${user.%s}",
                                      values->enrollment->enrollment_id, name));
    if (!values->login)
        return none(why, apr_psprintf(p, "the profile needs ${user.%s}, and no user is named", name));
    text = user_text(values, name);
    if (!text || !*text)
        return none(why, apr_psprintf(p, "user %s has no attribute %s", values->login, name));
    *value = mdm_bytes_of(text);
    return APR_SUCCESS;
}

/* ---- devices */

static const char *fact_text(const mdm_values_t *values, const char *name, apr_pool_t *p)
{
    const char *stored = values->facts ? apr_hash_get(values->facts, name, APR_HASH_KEY_STRING) : NULL, *text;
    json_t *json;

    if (!stored || *stored == '{' || *stored == '[' || !strcmp(stored, "null"))
        return NULL;
    if (*stored != '"')
        return stored;
    json = json_loads(stored, JSON_DECODE_ANY, NULL);
    text = json_is_string(json) ? apr_pstrdup(p, json_string_value(json)) : NULL;
    json_decref(json);
    return text;
}

static const char *udid_of(const mdm_enrollment_t *device, apr_pool_t *p)
{
    if (device->type && !strncmp(device->type, "User Enrollment", strlen("User Enrollment")))
        return NULL;
    return apr_pstrmemdup(p, device->enrollment_id, strcspn(device->enrollment_id, ":"));
}

static apr_status_t device_value(mdm_bytes_t *value, const char **why, const mdm_values_t *values, const char *name,
                                 apr_pool_t *p)
{
    const mdm_enrollment_t *device = values->device ? values->device : values->enrollment;
    const char *text;
    int i = column_of(name);

    if (!device)
        return none(why, apr_psprintf(p, "the profile needs ${device.%s}, and no enrollment is named", name));
    if (!strcmp(name, "enrollment_id"))
        text = values->enrollment->enrollment_id;
    else if (!strcmp(name, "udid"))
        text = udid_of(device, p);
    else if (i < COLUMNS)
        text = *(const char *const *)((const char *)device + columns[i].column);
    else
        text = fact_text(values, name, p);
    if (!text || !*text)
        return none(why, apr_psprintf(p, "nothing is known of the %s of the device %s", name, device->enrollment_id));
    *value = mdm_bytes_of(text);
    return APR_SUCCESS;
}

/* ---- secrets */

static apr_status_t secret_value(mdm_bytes_t *value, const char **why, const mdm_values_t *values,
                                 const mdm_reference_t *reference, apr_pool_t *p)
{
    const mdm_bytes_t *secret = values->secrets
        ? apr_hash_get(values->secrets, reference->name, APR_HASH_KEY_STRING) : NULL;

    if (!secret)
        return none(why, apr_psprintf(p, "there is no secret %s", reference->name));
    if (!secret->data)
        return none(why, apr_psprintf(p, "the secret %s does not open with the sealing key: give it a value anew, or "
                                      "restore the key it was sealed with", reference->name));
    *value = *secret;
    if (reference->data
        && mdm_base64_decode(value, (const char *)secret->data, secret->len, p) != APR_SUCCESS)
        return none(why, apr_psprintf(p, "the secret %s is not base64, as %s has it", reference->name,
                                      reference->path));
    return APR_SUCCESS;
}

apr_status_t mdm_template_value(mdm_bytes_t *value, const char **why, const mdm_values_t *values,
                                const mdm_reference_t *reference, apr_pool_t *p)
{
    apr_status_t rv;

    if (reference->kind == MDM_REFERENCE_SECRET)
        rv = secret_value(value, why, values, reference, p);
    else if (reference->kind == MDM_REFERENCE_USER)
        rv = user_value(value, why, values, reference->name, p);
    else
        rv = device_value(value, why, values, reference->name, p);
    if (rv != APR_SUCCESS || reference->data || mdm_plist_is_text(*value))
        return rv;
    return none(why, apr_psprintf(p, "the value of %s for %s holds characters that no profile can carry",
                                  reference->name, reference->path));
}
