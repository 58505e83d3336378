/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up payload types and keys in the tables of mdm_payload_table_*.c, and what all types share. Called by what
 * checks, makes and shows profiles, any thread; the tables never change.
 */
#include <string.h>

#include "mdm_payload_table.h"

static const mdm_payload_type_t *const areas[] = {
    mdm_payloads_accounts, mdm_payloads_certificates, mdm_payloads_device, mdm_payloads_mac_desktop,
    mdm_payloads_mac_security, mdm_payloads_mac_system, mdm_payloads_network, mdm_payloads_restrictions,
    mdm_payloads_vpn
};

#define AREAS (sizeof(areas) / sizeof(areas[0]))

/* PayloadEnabled is not in Apple's schema: its older tools for macOS write it. */
const mdm_payload_key_t mdm_payload_common[] = {
    MDM_PAYLOAD_KEY("PayloadType", STRING, .required = 1),
    MDM_PAYLOAD_KEY("PayloadIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("PayloadUUID", STRING, .required = 1),
    MDM_PAYLOAD_KEY("PayloadVersion", INTEGER, .required = 1, .values = "1"),
    MDM_PAYLOAD_KEY("PayloadDisplayName", STRING),
    MDM_PAYLOAD_KEY("PayloadDescription", STRING),
    MDM_PAYLOAD_KEY("PayloadOrganization", STRING),
    MDM_PAYLOAD_KEY("PayloadEnabled", BOOLEAN),
    MDM_PAYLOAD_KEYS_END
};

static const mdm_payload_key_t consent[] = {
    MDM_PAYLOAD_KEY("*", STRING),
    MDM_PAYLOAD_KEYS_END
};

const mdm_payload_key_t mdm_payload_profile[] = {
    MDM_PAYLOAD_KEY("PayloadType", STRING, .required = 1, .values = "Configuration"),
    MDM_PAYLOAD_KEY("PayloadIdentifier", STRING, .required = 1),
    MDM_PAYLOAD_KEY("PayloadUUID", STRING, .required = 1),
    MDM_PAYLOAD_KEY("PayloadVersion", INTEGER, .required = 1, .values = "1"),
    MDM_PAYLOAD_KEY("PayloadDisplayName", STRING),
    MDM_PAYLOAD_KEY("PayloadDescription", STRING),
    MDM_PAYLOAD_KEY("PayloadOrganization", STRING),
    MDM_PAYLOAD_KEY("PayloadScope", STRING, .values = "System|User", .since = "m10.8"),
    MDM_PAYLOAD_KEY("PayloadRemovalDisallowed", BOOLEAN, .preset = "false", .since = "v- w-", .supervised = "it",
                    .no_user_enrollment = "i"),
    MDM_PAYLOAD_KEY("PayloadExpirationDate", DATE, .since = "w-"),
    MDM_PAYLOAD_KEY("HasRemovalPasscode", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("IsEncrypted", BOOLEAN, .preset = "false"),
    MDM_PAYLOAD_KEY("EncryptedPayloadContent", DATA),
    MDM_PAYLOAD_KEY("RemovalDate", DATE),
    MDM_PAYLOAD_KEY("DurationUntilRemoval", REAL),
    MDM_PAYLOAD_KEY("TargetDeviceType", INTEGER, .values = "0|1|2|3|4|5|6", .preset = "0",
                    .since = "i12.2 m10.15 t12.2 v1.1 w5.2"),
    MDM_PAYLOAD_KEY("ConsentText", DICT, .keys = consent),
    MDM_PAYLOAD_KEY("PayloadContent", ARRAY, .required = 1),
    MDM_PAYLOAD_KEYS_END
};

const mdm_payload_type_t *mdm_payload_type(const char *name)
{
    const mdm_payload_type_t *type;
    unsigned int i;

    for (i = 0; i < AREAS; i++) {
        for (type = areas[i]; type->name; type++) {
            if (!strcmp(type->name, name))
                return type;
        }
    }
    return NULL;
}

/* The areas are sorted each: the next one of all is the least of their heads. */
const mdm_payload_type_t *mdm_payload_type_at(int n)
{
    const mdm_payload_type_t *head[AREAS], **least;
    unsigned int i;

    memcpy(head, areas, sizeof(head));
    for (;;) {
        least = NULL;
        for (i = 0; i < AREAS; i++) {
            if (head[i]->name && (!least || strcmp(head[i]->name, (*least)->name) < 0))
                least = &head[i];
        }
        if (!least || n-- == 0)
            return least ? *least : NULL;
        (*least)++;
    }
}

const mdm_payload_key_t *mdm_payload_key(const mdm_payload_key_t *keys, const char *name)
{
    const mdm_payload_key_t *any = NULL;

    for (; keys && keys->name; keys++) {
        if (!strcmp(keys->name, "*"))
            any = keys;
        else if (!strcmp(keys->name, name))
            return keys;
    }
    return any;
}

/* Whether each system that has the type is among the letters. */
static int is_everywhere(const char *letters, const char *since)
{
    while (since && *since) {
        if (!strchr(letters, *since))
            return 0;
        since += strcspn(since, " ");
        since += *since == ' ';
    }
    return since != NULL;
}

const char *mdm_payload_slot(const char *type, char system)
{
    const mdm_payload_type_t *known = mdm_payload_type(type);

    if (!known || !known->single
        || !(system ? strchr(known->single, system) != NULL : is_everywhere(known->single, known->since)))
        return NULL;
    return known->slot ? known->slot : known->name;
}
