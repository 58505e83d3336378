/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile held against one device: its system, version, supervision, way of enrollment, channel. Called through
 * mdm_judge when an assignment or a profile is previewed or saved, any thread. A payload that the device will refuse is
 * a finding that refuses, a key that it will ignore one that warns. Both are told and neither keeps anything from being
 * saved and sent: the target changes by itself, and what the device then answers counts.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_payload_finding.h"

typedef struct {
    mdm_payload_look_t look;
    const mdm_payload_target_t *target;
    const char *title;            /* of its system */
} walk_t;

static const struct {
    const char *prefix;
    char system;
} products[] = {
    { "iPhone", 'i' }, { "iPad", 'i' }, { "iPod", 'i' }, { "AppleTV", 't' }, { "RealityDevice", 'v' }, { "Watch", 'w' },
    { "Mac", 'm' }, { "iMac", 'm' }, { "VirtualMac", 'm' }
};

#define PRODUCTS (sizeof(products) / sizeof(products[0]))

mdm_payload_target_t mdm_payload_target(const char *type, const char *product_name, const char *os_version,
                                        int supervised)
{
    mdm_payload_target_t target = { 0, os_version, supervised, 0, 0, 0 };
    apr_size_t i;

    for (i = 0; product_name && i < PRODUCTS; i++) {
        if (!strncmp(product_name, products[i].prefix, strlen(products[i].prefix)))
            target.system = products[i].system;
    }
    target.shared_ipad = !strcmp(type, "Shared iPad");
    target.user_enrollment = !strncmp(type, "User Enrollment", 15);
    target.user_channel = target.shared_ipad || !strcmp(type, "User") || !strcmp(type, "User Enrollment");
    return target;
}

/* Whether the device has what came with these versions. @return NULL, or what is wanted: "macOS", "iOS 17.0" */
static const char *lacks(const walk_t *w, const char *since)
{
    const mdm_payload_target_t *t = w->target;
    const char *version;

    if (!mdm_key_version(&version, since, t->system, w->look.ctx->pool) || !strcmp(version, "-"))
        return mdm_payload_versions(since, w->look.ctx->pool);
    return t->os_version && mdm_key_is_older(t->os_version, version)
           ? apr_pstrcat(w->look.ctx->pool, w->title, " ", version, NULL) : NULL;
}

/* Whether the device has passed what these versions say. */
static int is_past(const walk_t *w, const char *versions)
{
    const char *version;

    return w->target->os_version && mdm_key_version(&version, versions, w->target->system, w->look.ctx->pool)
        && !mdm_key_is_older(w->target->os_version, version);
}

/* ---- keys */

/* A switch in the position that it has anyway does not need what moving it needs. */
static int is_preset(const mdm_payload_key_t *key, const mdm_plist_t *value)
{
    return key->preset && value->type == MDM_PLIST_BOOLEAN && (value->integer != 0) == !strcmp(key->preset, "true");
}

static void check_key(walk_t *w, const char *path, const mdm_payload_key_t *key)
{
    const mdm_payload_target_t *t = w->target;
    const char *version;

    if (key->since && mdm_key_version(&version, key->since, t->system, w->look.ctx->pool)
        && (!strcmp(version, "-") || (t->os_version && mdm_key_is_older(t->os_version, version))))
        mdm_payload_find(&w->look, MDM_FINDING_WARN, path, "ignored by this device: %s%s%s", w->title,
                         strcmp(version, "-") ? " has it from version " : " does not have it",
                         strcmp(version, "-") ? version : "");
    else if (key->removed && is_past(w, key->removed))
        mdm_payload_find(&w->look, MDM_FINDING_WARN, path, "ignored by this device: its version of %s does not have it "
                         "any more", w->title);
    else if (mdm_key_has_system(key->supervised, t->system) && t->supervised == 0)
        mdm_payload_find(&w->look, MDM_FINDING_WARN, path, "ignored by this device: on %s it needs supervision, and "
                         "the device is not supervised", w->title);
    else if (mdm_key_has_system(key->no_user_enrollment, t->system) && t->user_enrollment)
        mdm_payload_find(&w->look, MDM_FINDING_WARN, path, "ignored by this device: a User Enrollment cannot have it");
}

static void check_members(walk_t *w, const char *path, const mdm_payload_key_t *keys, const mdm_plist_t *dict);

static void check_value(walk_t *w, const char *path, const mdm_payload_key_t *key, const mdm_plist_t *value)
{
    const mdm_plist_t *item;
    int n = 0;

    if (key->type == MDM_KEY_DICT)
        check_members(w, path, key->keys, value);
    for (item = key->type == MDM_KEY_ARRAY && key->keys && value->type == MDM_PLIST_ARRAY ? value->first : NULL; item;
         item = item->next)
        check_value(w, mdm_payload_item(&w->look, path, n++), key->keys, item);
}

static void check_members(walk_t *w, const char *path, const mdm_payload_key_t *keys, const mdm_plist_t *dict)
{
    const mdm_plist_t *item;

    for (item = dict->type == MDM_PLIST_DICT ? dict->first : NULL; item; item = item->next) {
        const mdm_payload_key_t *key = mdm_payload_key(keys, item->key);
        const char *name = key ? mdm_payload_member(&w->look, path, item->key) : NULL;

        if (!key || is_preset(key, item))
            continue;
        check_key(w, name, key);
        check_value(w, name, key, item);
    }
}

/* ---- payloads */

static int has_channel(const mdm_payload_type_t *type, const mdm_payload_target_t *t)
{
    const char *channels = t->shared_ipad ? type->shared_ipad : t->system == 'm' ? type->mac : NULL;

    /* elsewhere there is but one */
    if (!t->shared_ipad && t->system != 'm')
        return 1;
    return channels && strchr(channels, t->user_channel ? 'U' : 'D');
}

/* @return 0 when the device will not take the payload at all */
static int check_type(walk_t *w, const mdm_payload_type_t *type)
{
    const mdm_payload_target_t *t = w->target;
    const char *wanted = type->since ? lacks(w, type->since) : NULL;

    if (wanted)
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "this device cannot have it: it takes %s", wanted);
    else if (type->removed && is_past(w, type->removed))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "this device cannot have it: its version of %s does not "
                         "know it any more", w->title);
    else if (mdm_key_has_system(type->supervised, t->system) && t->supervised == 0)
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "this device cannot have it: on %s it needs supervision, "
                         "and the device is not supervised", w->title);
    else if (t->user_enrollment && !mdm_key_has_system(type->user_enrollment, t->system))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "this device cannot have it: User Enrollment forbids it");
    else if (!has_channel(type, t))
        mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "%s takes it for %s only",
                         t->shared_ipad ? "a Shared iPad" : w->title,
                         t->user_channel ? "the whole device" : "a user");
    else
        return 1;
    return 0;
}

/* Two that mdm_payload_check lets pass, because on other systems there may be more. */
static void check_slot(walk_t *w, const mdm_plist_t *profile, const mdm_plist_t *payload)
{
    const char *slot = mdm_payload_slot(w->look.type, w->target->system), *other;
    const mdm_plist_t *earlier = mdm_plist_get(profile, "PayloadContent")->first;
    int n;

    if (!slot || mdm_payload_slot(w->look.type, 0))
        return;
    for (n = 0; earlier != payload; earlier = earlier->next, n++) {
        other = mdm_plist_get_string(earlier, "PayloadType");
        other = other ? mdm_payload_slot(other, w->target->system) : NULL;
        if (other && !strcmp(slot, other)) {
            mdm_payload_find(&w->look, MDM_FINDING_REFUSE, NULL, "a device of %s can have but one payload of this "
                             "kind, and PayloadContent[%d] is one", w->title, n);
            return;
        }
    }
}

apr_array_header_t *mdm_payload_check_target(mdm_ctx_t *ctx, const mdm_plist_t *profile,
                                             const mdm_payload_target_t *target)
{
    walk_t w = { mdm_payload_look(ctx), target, mdm_key_system_title(target->system) };
    const mdm_payload_type_t *type;
    const mdm_plist_t *payload;

    if (!w.title)
        return mdm_payload_found(&w.look);
    check_members(&w, NULL, mdm_payload_profile, profile);
    for (payload = mdm_payload_next(&w.look, profile, NULL); payload;
         payload = mdm_payload_next(&w.look, profile, payload)) {
        if (!w.look.type || !(type = mdm_payload_type(w.look.type)) || !check_type(&w, type))
            continue;
        check_slot(&w, profile, payload);
        check_members(&w, NULL, type->keys, payload);
    }
    return mdm_payload_found(&w.look);
}
