/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database of a NanoMDM server (its PostgreSQL tables), read only: what an import needs. `st` is a store over that
 * database; its sealing key is not used. Called by core/mdm_nanomdm.c.
 */
#ifndef MDM_STORE_NANOMDM_H
#define MDM_STORE_NANOMDM_H

#include "mdm_store_base.h"

/** An enrollment with what is known of its device; texts as NanoMDM keeps them, NULL where it has none. */
typedef struct mdm_nanomdm_enrollment_t {
    const char *id, *device_id, *type;
    const char *topic, *push_magic, *token_hex;
    int enabled, token_update_tally;
    apr_time_t last_seen_at, created_at;
    const char *identity_cert;        /* PEM */
    const char *serial_number;
    const char *unlock_token;         /* "\x" and hex, or base64 */
    const char *authenticate;         /* the device's last Authenticate, a property list */
    const char *bootstrap_token;      /* base64 */
    const char *user_short_name, *user_long_name;
    int enrolling;                    /* the device has sent Authenticate, and TokenUpdate not yet */
} mdm_nanomdm_enrollment_t;

/** Some after `cursor` (an id; "" for the start) in the order of their ids, so that a device comes before its users. */
apr_status_t mdm_store_nanomdm_enrollments(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit);

typedef struct mdm_nanomdm_topic_t {
    const char *topic, *cert_pem, *key_pem;
} mdm_nanomdm_topic_t;

/** All push certificates. Array of mdm_nanomdm_topic_t. */
apr_status_t mdm_store_nanomdm_topics(apr_array_header_t **out, mdm_store_t *st);

typedef struct mdm_nanomdm_command_t {
    const char *uuid, *body;
    apr_array_header_t *enrollment_ids;   /* const char *: who has not answered it yet */
} mdm_nanomdm_command_t;

/** The CommandUUIDs that somebody has not answered yet, the oldest first. Array of const char *. */
apr_status_t mdm_store_nanomdm_open(apr_array_header_t **uuids, mdm_store_t *st);
/** One of them. Two statements. @return MDM_ENOTFOUND */
apr_status_t mdm_store_nanomdm_command(mdm_nanomdm_command_t *out, mdm_store_t *st, const char *uuid);
/** Who has not answered a command yet; nobody when it is not known. Array of const char *, as strcmp orders them. */
apr_status_t mdm_store_nanomdm_waiting(apr_array_header_t **out, mdm_store_t *st, const char *uuid);

#endif
