/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up commands and keys in the tables of mdm_command_table_*.c. Called by what checks commands and by the API,
 * any thread; the tables never change.
 */
#include <string.h>

#include "mdm_command_table.h"

static const mdm_command_type_t *const areas[] = {
    mdm_commands_apps, mdm_commands_device, mdm_commands_profiles, mdm_commands_settings
};

#define AREAS (sizeof(areas) / sizeof(areas[0]))

const mdm_command_key_t mdm_command_common[] = {
    MDM_KEY("RequestRequiresNetworkTether", BOOLEAN),
    MDM_KEYS_END
};

const mdm_command_type_t *mdm_command_type(const char *name)
{
    const mdm_command_type_t *type;
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
const mdm_command_type_t *mdm_command_type_at(int n)
{
    const mdm_command_type_t *head[AREAS], **least;
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

const mdm_command_key_t *mdm_command_key(const mdm_command_key_t *keys, const char *name)
{
    for (; keys && keys->name; keys++) {
        if (!strcmp(keys->name, name))
            return keys;
    }
    return NULL;
}

int mdm_command_has_channel(const mdm_command_type_t *type, int user)
{
    if (user)
        return (type->mac && strchr(type->mac, 'U')) || (type->shared_ipad && strchr(type->shared_ipad, 'U'));
    /* away from macOS and Shared iPad there is but the device channel */
    return (type->mac && strchr(type->mac, 'D')) || (!type->shared_only && strpbrk(type->since, "itvw"))
        || (type->shared_ipad && strchr(type->shared_ipad, 'D'));
}
