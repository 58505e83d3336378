/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules between keys that a table of keys cannot say: one of several, a form of its own, what another key asks for.
 * Called by mdm_command_json.c, any thread; types have been checked then. Never shows a value.
 */
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "mdm_command_rules.h"

typedef struct {
    const char *type;
    const char *keys[4];          /* NULL-terminated */
    int least, most;              /* so many of them */
    const char *wanted;
} choice_t;

static const choice_t choices[] = {
    { "EnableLostMode", { "Message", "PhoneNumber", NULL }, 1, 2, "Message or PhoneNumber" },
    { "InstallApplication", { "iTunesStoreID", "Identifier", "ManifestURL", NULL }, 1, 1,
      "exactly one of iTunesStoreID, Identifier and ManifestURL" },
    { "InstallEnterpriseApplication", { "Manifest", "ManifestURL", NULL }, 1, 1,
      "exactly one of Manifest and ManifestURL" },
    { "InstallMedia", { "iTunesStoreID", "MediaURL", NULL }, 1, 1, "exactly one of iTunesStoreID and MediaURL" },
    { "RemoveMedia", { "iTunesStoreID", "PersistentID", NULL }, 1, 1, "exactly one of iTunesStoreID and PersistentID" },
};

static apr_status_t check_choices(mdm_ctx_t *ctx, const char *type, const mdm_plist_t *dict)
{
    apr_size_t i;

    for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        const choice_t *c = &choices[i];
        int n, given = 0;

        if (strcmp(c->type, type))
            continue;
        for (n = 0; c->keys[n]; n++)
            given += mdm_plist_get(dict, c->keys[n]) != NULL;
        if (given < c->least || given > c->most)
            return mdm_fail(ctx, MDM_EINPUT, "%s: expected %s", type, c->wanted);
    }
    return APR_SUCCESS;
}

static apr_status_t check_pin(mdm_ctx_t *ctx, const mdm_plist_t *dict)
{
    const char *pin = mdm_plist_get_string(dict, "PIN");

    if (pin && (strlen(pin) != 6 || strspn(pin, "0123456789") != 6))
        return mdm_fail(ctx, MDM_EINPUT, "PIN: expected six digits");
    return APR_SUCCESS;
}

/* Devices fetch manifests over https only, and answer with an error that says nothing of it. */
static apr_status_t check_url(mdm_ctx_t *ctx, const mdm_plist_t *dict)
{
    const char *url = mdm_plist_get_string(dict, "ManifestURL");

    if (url && strncasecmp(url, "https://", 8))
        return mdm_fail(ctx, MDM_EINPUT, "ManifestURL: expected a URL that begins with https://");
    return APR_SUCCESS;
}

/* A profile is XML or binary property list, or CMS around one. */
static apr_status_t check_profile(mdm_ctx_t *ctx, const mdm_plist_t *dict, const char *key, const char *path)
{
    mdm_bytes_t p;
    apr_size_t skip = 0;

    if (!mdm_plist_get_data(&p, dict, key))
        return APR_SUCCESS;
    if (p.len > 3 && !memcmp(p.data, "\xEF\xBB\xBF", 3))
        skip = 3;
    while (skip < p.len && strchr(" \t\r\n", p.data[skip]) && p.data[skip])
        skip++;
    if (p.len - skip > 16 && (p.data[skip] == '<' || (!skip && p.data[0] == 0x30)
                              || !memcmp(p.data + skip, "bplist00", 8)))
        return APR_SUCCESS;
    return mdm_fail(ctx, MDM_EINPUT, "%s: expected the base64 of a profile, plain, signed or encrypted", path);
}

static apr_status_t check_filevault(mdm_ctx_t *ctx, const mdm_plist_t *dict)
{
    const mdm_plist_t *unlock = mdm_plist_get(dict, "FileVaultUnlock");
    const char *kind = mdm_plist_get_string(dict, "KeyType");

    if (!mdm_plist_get(unlock, "Password") == !mdm_plist_get(unlock, "PrivateKeyExport"))
        return mdm_fail(ctx, MDM_EINPUT, "FileVaultUnlock: expected exactly one of Password and PrivateKeyExport");
    if (mdm_plist_get(unlock, "PrivateKeyExport") && !mdm_plist_get(unlock, "PrivateKeyExportPassword"))
        return mdm_fail(ctx, MDM_EINPUT, "FileVaultUnlock: the key PrivateKeyExportPassword is missing (string)");
    if (!strcmp(kind, "institutional") && !mdm_plist_get(dict, "NewCertificate"))
        return mdm_fail(ctx, MDM_EINPUT, "RotateFileVaultKey: the key NewCertificate is missing (base64 data): the new "
                        "key is institutional");
    return APR_SUCCESS;
}

static apr_status_t check_updates(mdm_ctx_t *ctx, const mdm_plist_t *dict)
{
    const mdm_plist_t *updates = mdm_plist_get(dict, "Updates"), *update;
    int n = 0;

    for (update = updates ? updates->first : NULL; update; update = update->next, n++) {
        if (!mdm_plist_get(update, "ProductKey") && !mdm_plist_get(update, "ProductVersion"))
            return mdm_fail(ctx, MDM_EINPUT, "Updates[%d]: expected ProductKey or ProductVersion", n);
    }
    return APR_SUCCESS;
}

static apr_status_t check_user(mdm_ctx_t *ctx, const mdm_plist_t *dict)
{
    if (!mdm_plist_get(dict, "UserName") == !mdm_plist_get_boolean(dict, "DeleteAllUsers", 0))
        return mdm_fail(ctx, MDM_EINPUT, "DeleteUser: expected exactly one of UserName and DeleteAllUsers: true");
    return APR_SUCCESS;
}

static apr_status_t check_erase(mdm_command_t *c, mdm_ctx_t *ctx, const mdm_plist_t *dict)
{
    const mdm_plist_t *back = mdm_plist_get(dict, "ReturnToService");
    apr_status_t rv;

    if ((rv = check_profile(ctx, back, "WiFiProfileData", "ReturnToService.WiFiProfileData")) != APR_SUCCESS
        || (rv = check_profile(ctx, back, "MDMProfileData", "ReturnToService.MDMProfileData")) != APR_SUCCESS)
        return rv;
    if (mdm_plist_get_boolean(back, "Enabled", 0) && !mdm_plist_get(back, "WiFiProfileData")
        && !mdm_plist_get(back, "MDMProfileData"))
        c->delivery = MDM_DELIVERY_RETURN_TO_SERVICE;
    return check_pin(ctx, dict);
}

apr_status_t mdm_command_rules(mdm_command_t *command, mdm_ctx_t *ctx, const mdm_plist_t *dict)
{
    const char *type = command->request_type;
    apr_status_t rv = check_choices(ctx, type, dict);

    if (rv != APR_SUCCESS || (rv = check_url(ctx, dict)) != APR_SUCCESS)
        return rv;
    if (!strcmp(type, "DeviceLock"))
        return check_pin(ctx, dict);
    if (!strcmp(type, "EraseDevice"))
        return check_erase(command, ctx, dict);
    if (!strcmp(type, "InstallProfile"))
        return check_profile(ctx, dict, "Payload", "Payload");
    if (!strcmp(type, "RotateFileVaultKey"))
        return check_filevault(ctx, dict);
    if (!strcmp(type, "ScheduleOSUpdate"))
        return check_updates(ctx, dict);
    if (!strcmp(type, "DeleteUser"))
        return check_user(ctx, dict);
    if (!strcmp(type, "ClearPasscode") && !mdm_plist_get(dict, "UnlockToken"))
        command->delivery = MDM_DELIVERY_UNLOCK_TOKEN;
    return APR_SUCCESS;
}
