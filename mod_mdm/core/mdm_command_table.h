/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to know of each of Apple's commands up to OS 27: its keys, on which systems it exists from which
 * version, what it needs. Constant tables in mdm_command_table_*.c, by area; read by any thread. Letters name
 * systems as in mdm_key.h.
 */
#ifndef MDM_COMMAND_TABLE_H
#define MDM_COMMAND_TABLE_H

#include "mdm_key.h"

typedef struct mdm_command_key_t mdm_command_key_t;
struct mdm_command_key_t {
    const char *name;             /* NULL: the end */
    mdm_key_e type;
    int required;
    const char *values;           /* all that is allowed, separated by |; NULL: anything of the type */
    const char *fill;             /* what is sent when it is not given; NULL: nothing */
    const char *since;            /* where it came later than its parent, or not at all: "i7.0 m-" */
    const char *supervised;       /* systems on which it needs supervision although its parent does not */
    int right;                    /* a right that it needs although its command does not; 0: none */
    const mdm_command_key_t *keys;
};

#define MDM_KEY(key, kind, ...) { .name = (key), .type = MDM_KEY_##kind, ##__VA_ARGS__ }
#define MDM_KEYS_END { .name = NULL }

typedef struct mdm_command_type_t {
    const char *name;             /* RequestType; NULL: the end */
    const mdm_command_key_t *keys; /* NULL: none but those that every command may have */
    const char *since;            /* first versions: "i4.0 m10.7"; systems that are not there lack it */
    const char *supervised;       /* systems on which the device must be supervised */
    const char *ade;              /* systems on which it must have come through Automated Device Enrollment */
    int right;                    /* its bit of AccessRights; 0: none, or one for each query */
    const char *right_on;         /* the systems that ask for it; NULL: all */
    const char *user_enrollment;  /* systems on which a User Enrollment may have it */
    const char *mac;              /* its channels on macOS: D device, U user */
    const char *shared_ipad;      /* the same on Shared iPad; NULL: refused there */
    int shared_only;              /* on iPadOS only on Shared iPad */
} mdm_command_type_t;

typedef struct mdm_command_query_t {
    const char *name;             /* NULL: the end */
    int right;                    /* 16, 32, 4096; 0: answered to anybody */
    const char *since;            /* as in mdm_command_key_t */
} mdm_command_query_t;

/** What DeviceInformation can be asked for. */
extern const mdm_command_query_t mdm_command_queries[];
/** Keys that every command may have. */
extern const mdm_command_key_t mdm_command_common[];

/* The areas of the table; for mdm_command_table.c. */
extern const mdm_command_type_t mdm_commands_apps[];
extern const mdm_command_type_t mdm_commands_device[];
extern const mdm_command_type_t mdm_commands_profiles[];
extern const mdm_command_type_t mdm_commands_settings[];

/** The command of this RequestType; NULL: there is none. */
const mdm_command_type_t *mdm_command_type(const char *name);

/** The n-th command from 0, in order of names; NULL behind the last. */
const mdm_command_type_t *mdm_command_type_at(int n);

/** The key of this name; NULL when there is none. `keys` may be NULL. */
const mdm_command_key_t *mdm_command_key(const mdm_command_key_t *keys, const char *name);

/** Whether a user channel (`user`) or a device channel may ever be sent this command. */
int mdm_command_has_channel(const mdm_command_type_t *type, int user);

#endif
