/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables of commands and of payloads write in short texts, read: values, systems, versions. Called by what
 * checks and what describes, any thread.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_key.h"

static const struct {
    char letter;
    const char *name, *title;
} systems[] = {
    { 'i', "ios", "iOS" }, { 'm', "macos", "macOS" }, { 't', "tvos", "tvOS" }, { 'v', "visionos", "visionOS" },
    { 'w', "watchos", "watchOS" }
};

#define SYSTEMS (sizeof(systems) / sizeof(systems[0]))

const char *mdm_key_type_name(mdm_key_e type)
{
    switch (type) {
    case MDM_KEY_INTEGER: return "integer";
    case MDM_KEY_REAL: return "real";
    case MDM_KEY_BOOLEAN: return "boolean";
    case MDM_KEY_DATE: return "date";
    case MDM_KEY_DATA: return "data";
    case MDM_KEY_DICT: return "dictionary";
    case MDM_KEY_ARRAY: return "array";
    case MDM_KEY_ANY: return "any";
    case MDM_KEY_VARIANT: return "item";
    default: return "string";
    }
}

int mdm_key_is_listed(const char *values, const char *text)
{
    apr_size_t len = strlen(text);
    const char *v = values;

    while (v) {
        const char *bar = strchr(v, '|');

        if (len == (bar ? (apr_size_t)(bar - v) : strlen(v)) && !strncmp(v, text, len))
            return 1;
        v = bar ? bar + 1 : NULL;
    }
    return 0;
}

const char *mdm_key_listing(const char *values, apr_pool_t *p)
{
    const char *text = "", *bar;

    while ((bar = strchr(values, '|')) != NULL) {
        text = apr_pstrcat(p, text, *text ? ", " : "", apr_pstrmemdup(p, values, (apr_size_t)(bar - values)), NULL);
        values = bar + 1;
    }
    return *text ? apr_pstrcat(p, "one of ", text, ", ", values, NULL) : values;
}

int mdm_key_version(const char **version, const char *since, char system, apr_pool_t *p)
{
    while (since && *since) {
        apr_size_t len = strcspn(since, " ");

        if (*since == system) {
            *version = apr_pstrmemdup(p, since + 1, len - 1);
            return 1;
        }
        since += len + (since[len] == ' ');
    }
    return 0;
}

int mdm_key_has_system(const char *letters, char system)
{
    return letters && strchr(letters, system) != NULL;
}

int mdm_key_is_older(const char *version, const char *than)
{
    while (*version || *than) {
        long a = strtol(version, (char **)&version, 10), b = strtol(than, (char **)&than, 10);

        if (a != b)
            return a < b;
        if ((*version && *version != '.') || (*than && *than != '.'))
            return 0;
        version += *version == '.';
        than += *than == '.';
    }
    return 0;
}

const char *mdm_key_system(char letter)
{
    apr_size_t i;

    for (i = 0; i < SYSTEMS; i++) {
        if (systems[i].letter == letter)
            return systems[i].name;
    }
    return NULL;
}

const char *mdm_key_system_title(char letter)
{
    apr_size_t i;

    for (i = 0; i < SYSTEMS; i++) {
        if (systems[i].letter == letter)
            return systems[i].title;
    }
    return NULL;
}

json_t *mdm_key_value_json(const char *text, apr_size_t len, mdm_key_e type, apr_pool_t *p)
{
    const char *value = apr_pstrmemdup(p, text, len);

    if (type == MDM_KEY_INTEGER)
        return json_integer(apr_atoi64(value));
    if (type == MDM_KEY_REAL)
        return json_real(strtod(value, NULL));
    if (type == MDM_KEY_BOOLEAN)
        return json_boolean(!strcmp(value, "true"));
    return json_string(value);
}

json_t *mdm_key_values_json(const char *values, mdm_key_e type, apr_pool_t *p)
{
    json_t *json = json_array();

    while (values) {
        apr_size_t len = strcspn(values, "|");

        json_array_append_new(json, mdm_key_value_json(values, len, type, p));
        values = values[len] ? values + len + 1 : NULL;
    }
    return json;
}

json_t *mdm_key_since_json(const char *since, apr_pool_t *p)
{
    json_t *json = json_object();

    while (since && *since) {
        apr_size_t len = strcspn(since, " ");
        const char *version = apr_pstrmemdup(p, since + 1, len - 1);

        json_object_set_new(json, mdm_key_system(*since), strcmp(version, "-") ? json_string(version) : json_null());
        since += len + (since[len] == ' ');
    }
    return json;
}

json_t *mdm_key_systems_json(const char *letters)
{
    json_t *json = json_array();

    for (; letters && *letters; letters++)
        json_array_append_new(json, json_string(mdm_key_system(*letters)));
    return json;
}

json_t *mdm_key_channels_json(const char *letters)
{
    json_t *json = json_array();

    for (; letters && *letters; letters++)
        json_array_append_new(json, json_string(*letters == 'U' ? "user" : "device"));
    return json;
}
