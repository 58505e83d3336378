/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to know of each of Apple's payload types up to OS 27: its keys, on which systems it exists from which
 * version, what it needs. Constant tables in mdm_payload_table_*.c, by area; read by any thread. Letters name systems
 * as in mdm_key.h.
 */
#ifndef MDM_PAYLOAD_TABLE_H
#define MDM_PAYLOAD_TABLE_H

#include "mdm_key.h"

typedef struct mdm_payload_key_t mdm_payload_key_t;
struct mdm_payload_key_t {
    const char *name;             /* "*": any name that is not there; NULL: the end */
    mdm_key_e type;
    int required;
    int secret;                   /* never shown */
    const char *values;           /* all that is allowed, separated by |; NULL: anything of the type */
    const char *range;            /* "least most" of a number, or of how many items; "-" for either: no limit; with
                                     values: these are allowed besides */
    const char *preset;           /* what holds when it is not given; NULL: nothing, or not known */
    const char *since;            /* where it came later than its parent, or not at all: "i7.0 m-" */
    const char *deprecated;       /* versions that advise against it */
    const char *removed;          /* versions that ignore it */
    const char *supervised;       /* systems on which it needs supervision although its parent does not */
    const char *no_user_enrollment; /* systems on which a User Enrollment cannot have it although its payload can */
    const mdm_payload_key_t *keys;
};

#define MDM_PAYLOAD_KEY(key, kind, ...) { .name = (key), .type = MDM_KEY_##kind, ##__VA_ARGS__ }
#define MDM_PAYLOAD_KEYS_END { .name = NULL }

typedef struct mdm_payload_type_t {
    const char *name;             /* PayloadType; NULL: the end */
    const char *title;            /* for people */
    const mdm_payload_key_t *keys; /* besides mdm_payload_common; NULL: none */
    const char *since;            /* first versions: "i4.0 m10.7"; systems not there lack it; NULL: unknown */
    const char *deprecated;       /* versions that advise against it */
    const char *removed;          /* versions that ignore it */
    const char *supervised;       /* systems on which the device must be supervised */
    const char *user_enrollment;  /* systems on which a User Enrollment may have it */
    const char *single;           /* systems on which a device can have but one */
    const char *slot;             /* the types of one slot count as one type there; NULL: its name */
    const char *mac;              /* its channels on macOS: D device, U user */
    const char *shared_ipad;      /* the same on Shared iPad; NULL: refused there, or not on iPadOS */
    int domain;                   /* preferences of macOS, which know keys beyond Apple's list */
} mdm_payload_type_t;

#define MDM_PAYLOAD_TYPE(type, words, its, ...) { .name = (type), .title = (words), .keys = (its), ##__VA_ARGS__ }
#define MDM_PAYLOAD_TYPES_END { .name = NULL }

/* The areas of the table; for mdm_payload_table.c. */
extern const mdm_payload_type_t mdm_payloads_accounts[];
extern const mdm_payload_type_t mdm_payloads_certificates[];
extern const mdm_payload_type_t mdm_payloads_device[];
extern const mdm_payload_type_t mdm_payloads_mac_desktop[];
extern const mdm_payload_type_t mdm_payloads_mac_security[];
extern const mdm_payload_type_t mdm_payloads_mac_system[];
extern const mdm_payload_type_t mdm_payloads_network[];
extern const mdm_payload_type_t mdm_payloads_restrictions[];
extern const mdm_payload_type_t mdm_payloads_vpn[];

/** Keys that every payload may have. */
extern const mdm_payload_key_t mdm_payload_common[];
/** Keys of the profile itself; its PayloadContent is an array of anything there. */
extern const mdm_payload_key_t mdm_payload_profile[];

/** The type of this name; NULL: there is none. */
const mdm_payload_type_t *mdm_payload_type(const char *name);

/** The n-th type from 0, in order of names; NULL behind the last. */
const mdm_payload_type_t *mdm_payload_type_at(int n);

/** The key of this name, or the one for any name; NULL when there is none. `keys` may be NULL. */
const mdm_payload_key_t *mdm_payload_key(const mdm_payload_key_t *keys, const char *name);

/**
 * What a device of this system can have but one of: two payloads of the same slot, be they in one profile or in
 * several, get in each other's way. "com.apple.cellular" is the slot of com.apple.apn.managed as well.
 * @param system letter; 0: on every system that has the type
 * @return NULL when several are fine, or the type is unknown
 */
const char *mdm_payload_slot(const char *type, char system);

/** What a console needs to know of a type, as JSON; the caller frees it. `brief`: without its keys. */
json_t *mdm_payload_type_to_json(const mdm_payload_type_t *type, int brief, apr_pool_t *p);

#endif
