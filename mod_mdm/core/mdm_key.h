/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables of Apple's commands and of Apple's payloads have in common: kinds of values, lists of allowed
 * values, systems and their versions, and how these are shown as JSON. Systems are named by letters: i iOS and iPadOS,
 * m macOS, t tvOS, v visionOS, w watchOS. Pure functions over constant texts, any thread.
 */
#ifndef MDM_KEY_H
#define MDM_KEY_H

#include <jansson.h>

#include <apr_pools.h>

typedef enum {
    MDM_KEY_STRING = 1,
    MDM_KEY_INTEGER,
    MDM_KEY_REAL,
    MDM_KEY_BOOLEAN,
    MDM_KEY_DATE,
    MDM_KEY_DATA,
    MDM_KEY_DICT,                 /* with keys; without: any names and values */
    MDM_KEY_ARRAY,                /* its items are all as the only one of its keys; without: anything */
    MDM_KEY_ANY,                  /* a value of any kind */
    MDM_KEY_VARIANT,              /* a dictionary whose Item names the one of its keys that it is as */
    MDM_KEY_QUERY                 /* a string: one of mdm_command_queries */
} mdm_key_e;

/** "string", "integer", "real", "boolean", "date", "data", "dictionary", "array", "any", "item". */
const char *mdm_key_type_name(mdm_key_e type);

/** Whether `text` is among those of "a|b|c". */
int mdm_key_is_listed(const char *values, const char *text);

/** "one of a, b, c" for people; of a single value the value. */
const char *mdm_key_listing(const char *values, apr_pool_t *p);

/**
 * The version that "i7.0 m-" gives for the system of this letter.
 * @return 1 and the version, "-" for never; 0 when the system is not there
 */
int mdm_key_version(const char **version, const char *since, char system, apr_pool_t *p);

/** Whether the letter of a system is among these; NULL has none. */
int mdm_key_has_system(const char *letters, char system);

/** Whether a version is before another: "10.9.1" before "10.13", numbers between dots; what is missing is 0. */
int mdm_key_is_older(const char *version, const char *than);

/** "ios", "macos", "tvos", "visionos", "watchos"; NULL for another letter. */
const char *mdm_key_system(char letter);

/** The same for people: "iOS", "macOS", ... */
const char *mdm_key_system_title(char letter);

/** JSON of one value, as its type has it; of "a|b|c", an array of them; new references. */
json_t *mdm_key_value_json(const char *text, apr_size_t len, mdm_key_e type, apr_pool_t *p);
json_t *mdm_key_values_json(const char *values, mdm_key_e type, apr_pool_t *p);

/** "i7.0 m-" as {"ios": "7.0", "macos": null}; letters as ["ios", "macos"]; "DU" as ["device", "user"]. */
json_t *mdm_key_since_json(const char *since, apr_pool_t *p);
json_t *mdm_key_systems_json(const char *letters);
json_t *mdm_key_channels_json(const char *letters);

#endif
