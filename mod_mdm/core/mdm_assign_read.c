/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assignments in JSON: read with every name looked up, so that what is wrong is said before anything is done; and
 * shown. Called by the API.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_assign.h"
#include "mdm_json.h"
#include "mdm_json_plist.h"
#include "mdm_nearest.h"
#include "mdm_refusal.h"
#include "mdm_store_group.h"
#include "mdm_store_profile.h"
#include "mdm_store_secret.h"

#define NAME_BYTES_MAX 255

static const char *const members[] = { "profile", "version", "group", "user", "enrollment", "exclude", "priority",
                                       "rollout", NULL };
static const char *const changes[] = { "version", "priority", "rollout", NULL };

/* A misspelt member would assign to more than was meant. */
static apr_status_t check_members(mdm_ctx_t *ctx, const json_t *json, const char *const *known, const char *what)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)json, name, value) {
        const char *const *k = known;

        while (*k && strcmp(*k, name))
            k++;
        if (!*k)
            return mdm_fail(ctx, MDM_EINPUT, "there is no member %s %s", mdm_nearest_shown(name, ctx->pool), what);
    }
    return APR_SUCCESS;
}

static apr_status_t get_text(const char **text, mdm_ctx_t *ctx, const json_t *json, const char *name)
{
    const json_t *value = json_object_get(json, name);

    *text = json_string_value(value);
    if (value && (!*text || !**text))
        return mdm_fail(ctx, MDM_EINPUT, "%s must be a text that is not empty, not %s", name,
                        *text ? "an empty one" : mdm_json_kind(value));
    if (value && strlen(*text) > NAME_BYTES_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "%s must have at most %d bytes: nothing has a longer name", name,
                        NAME_BYTES_MAX);
    return APR_SUCCESS;
}

static apr_status_t get_number(int *number, mdm_ctx_t *ctx, const json_t *json, const char *name, int least, int most)
{
    const json_t *value = json_object_get(json, name);

    if (!value)
        return APR_SUCCESS;
    if (!json_is_integer(value))
        return mdm_fail(ctx, MDM_EINPUT, "%s must be a number from %d to %d, not %s", name, least, most,
                        mdm_json_kind(value));
    if (json_integer_value(value) < least || json_integer_value(value) > most)
        return mdm_fail(ctx, MDM_EINPUT, "%s must be a number from %d to %d", name, least, most);
    *number = (int)json_integer_value(value);
    return APR_SUCCESS;
}

/* ---- names */

static apr_status_t find_user(mdm_store_t *st, const char *login)
{
    apr_array_header_t *users, *ids;
    apr_status_t rv = mdm_store_batch_users(&users, st, &login, 1);

    if (rv == APR_SUCCESS && !users->nelts)
        rv = mdm_store_batch_of_target(&ids, st, MDM_ASSIGNMENT_USER, login, 0, 1);
    if (rv == APR_SUCCESS && !users->nelts && !ids->nelts)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "user: there is no user %s and no enrollment of that login: make the "
                        "user first, or mend the login", mdm_nearest_shown(login, st->ctx->pool));
    return rv;
}

/* What is for devices reaches none by the name of a channel; what is for channels reaches those of a device. */
static apr_status_t find_enrollment(mdm_assignment_t *a, mdm_store_t *st, const mdm_profile_row_t *profile)
{
    mdm_enrollment_t *e;
    apr_status_t rv = mdm_store_enrollment_get(&e, st, a->target);

    if (rv != APR_SUCCESS)
        return mdm_refusal_missing(st->ctx, rv, "enrollment", "enroll it first, or mend the id");
    if (e->parent && strcmp(profile->scope, "User"))
        return mdm_fail(st->ctx, MDM_EINPUT, "enrollment: %s is the channel of a user, and the profile %s has the "
                        "scope %s, which is for devices: name the device, or give the profile the scope User",
                        a->target, profile->name, profile->scope);
    a->target = apr_psprintf(st->ctx->pool, "%" APR_INT64_T_FMT, e->id);
    return APR_SUCCESS;
}

static apr_status_t read_target(mdm_assignment_t *a, mdm_store_t *st, const mdm_profile_row_t *profile,
                                const json_t *json)
{
    static const char *const kinds[] = { "group", "user", "enrollment" };
    const char *names[3];
    mdm_group_t *group;
    apr_status_t rv;
    int i;

    for (i = 0; i < 3; i++) {
        if ((rv = get_text(&names[i], st->ctx, json, kinds[i])) != APR_SUCCESS)
            return rv;
        if (names[i] && a->kind)
            return mdm_fail(st->ctx, MDM_EINPUT, "%s and %s: an assignment has one target, not both: leave one out",
                            mdm_assignment_kind_name(a->kind), kinds[i]);
        if (names[i]) {
            a->kind = (mdm_assignment_kind_e)(i + 1);
            a->target_name = a->target = names[i];
        }
    }
    if (a->kind == MDM_ASSIGNMENT_USER)
        return find_user(st, a->target);
    if (a->kind == MDM_ASSIGNMENT_GROUP && (rv = mdm_store_group_get(&group, st, a->target)) == APR_SUCCESS)
        a->target = apr_psprintf(st->ctx->pool, "%" APR_INT64_T_FMT, group->id);
    else if (a->kind == MDM_ASSIGNMENT_ENROLLMENT)
        return find_enrollment(a, st, profile);
    else if (!a->kind)
        return mdm_fail(st->ctx, MDM_EINPUT, "there is no target: give one of group, user and enrollment");
    return mdm_refusal_missing(st->ctx, rv, "group", "make it first, or mend the name");
}

static apr_status_t read_profile(mdm_profile_row_t **profile, mdm_store_t *st, const json_t *json)
{
    const char *name;
    apr_status_t rv = get_text(&name, st->ctx, json, "profile");

    if (rv == APR_SUCCESS && !name)
        return mdm_fail(st->ctx, MDM_EINPUT, "profile is missing: give the name of one");
    if (rv == APR_SUCCESS)
        rv = mdm_store_profile_get(profile, st, name);
    return mdm_refusal_missing(st->ctx, rv, "profile", "save it first, or mend the name");
}

/* @param version 0: the current one */
static apr_status_t find_version(mdm_store_t *st, const mdm_profile_row_t *profile, int version)
{
    mdm_profile_version_t *v;
    apr_status_t rv = version ? mdm_store_profile_version_facts(&v, st, profile->id, version) : APR_SUCCESS;

    return mdm_refusal_missing(st->ctx, rv, "version", "give one that there is, or leave it out");
}

static apr_status_t read_rollout(mdm_assignment_t *a, mdm_store_t *st, json_t *json, int version)
{
    mdm_rollout_t rollout;
    apr_status_t rv = mdm_rollout_read(&rollout, st->ctx, json);

    if (rv != APR_SUCCESS)
        return rv;
    a->rollout = mdm_json_compact(json, st->ctx->pool);
    mdm_rollout_begin(a, &rollout, version, mdm_ctx_now(st->ctx));
    return APR_SUCCESS;
}

/* ---- the whole */

static apr_status_t read_new(mdm_assignment_t **out, mdm_store_t *st, const json_t *json)
{
    mdm_assignment_t *a = apr_pcalloc(st->ctx->pool, sizeof(*a));
    json_t *exclude = json_object_get(json, "exclude"), *rollout = json_object_get(json, "rollout");
    mdm_profile_row_t *profile;
    apr_status_t rv = check_members(st->ctx, json, members, "of an assignment: it has profile, one of "
                                    "group, user and enrollment, version, exclude, priority and rollout");

    *out = a;
    if (rv != APR_SUCCESS || (rv = read_profile(&profile, st, json)) != APR_SUCCESS
        || (rv = read_target(a, st, profile, json)) != APR_SUCCESS
        || (rv = get_number(&a->version, st->ctx, json, "version", 1, APR_INT32_MAX)) != APR_SUCCESS
        || (rv = get_number(&a->priority, st->ctx, json, "priority", -MDM_ASSIGN_PRIORITY_MAX, MDM_ASSIGN_PRIORITY_MAX))
           != APR_SUCCESS
        || (rv = find_version(st, profile, a->version)) != APR_SUCCESS)
        return rv;
    if (exclude && !json_is_boolean(exclude))
        return mdm_fail(st->ctx, MDM_EINPUT, "exclude must be true or false, not %s", mdm_json_kind(exclude));
    a->profile = profile->id;
    a->profile_name = profile->name;
    a->exclude = json_is_true(exclude);
    if (a->exclude && (a->version || a->priority || (rollout && !json_is_null(rollout))))
        return mdm_fail(st->ctx, MDM_EINPUT, "exclude: an exclusion has no version, priority or rollout, because it "
                        "holds whatever else says: leave them out");
    return rollout && !json_is_null(rollout)
           ? read_rollout(a, st, rollout, a->version ? a->version : profile->version) : APR_SUCCESS;
}

/* What is not made yet has no number, and is named by its profile. */
apr_status_t mdm_assign_read(mdm_assignment_t **out, mdm_store_t *st, const json_t *json)
{
    const char *profile = json_string_value(json_object_get(json, "profile"));
    apr_status_t rv = read_new(out, st, json);

    return mdm_refusal_of(st->ctx, rv, profile ? "assignment of profile" : "new assignment", profile);
}

static apr_status_t read_change(mdm_assignment_t *a, mdm_store_t *st, const json_t *json)
{
    json_t *version = json_object_get(json, "version"), *rollout = json_object_get(json, "rollout");
    mdm_profile_row_t *profile;
    mdm_rollout_t present;
    int before;
    apr_status_t rv = check_members(st->ctx, json, changes, "that can be changed: version, priority and "
                                    "rollout can; for the rest make a new assignment");

    if (rv != APR_SUCCESS || (rv = mdm_store_profile_by_id(&profile, st, a->profile)) != APR_SUCCESS)
        return rv;
    before = a->rollout ? a->rollout_version : a->version ? a->version : profile->version;
    if (a->exclude)
        return mdm_fail(st->ctx, MDM_EINPUT, "it excludes, and nothing of that can be changed: delete it instead");
    if (json_is_null(version))
        a->version = 0;
    else if ((rv = get_number(&a->version, st->ctx, json, "version", 1, APR_INT32_MAX)) != APR_SUCCESS
             || (rv = find_version(st, profile, a->version)) != APR_SUCCESS)
        return rv;
    rv = get_number(&a->priority, st->ctx, json, "priority", -MDM_ASSIGN_PRIORITY_MAX, MDM_ASSIGN_PRIORITY_MAX);
    if (rv != APR_SUCCESS)
        return rv;
    if (json_is_null(rollout)) {
        a->rollout = a->rollout_reason = NULL;
        a->rollout_state = MDM_ROLLOUT_NONE;
        a->rollout_step = a->rollout_version = a->rollout_from = 0;
        a->rollout_at = 0;
    }
    else if (rollout) {
        if (!a->rollout)
            a->rollout_from = before;
        return read_rollout(a, st, rollout, a->version ? a->version : profile->version);
    }
    else if (a->rollout && version) {
        if ((rv = mdm_rollout_of(&present, st->ctx, a->rollout)) == APR_SUCCESS)
            mdm_rollout_begin(a, &present, a->version ? a->version : profile->version, mdm_ctx_now(st->ctx));
    }
    return rv;
}

apr_status_t mdm_assign_read_change(mdm_assignment_t **out, mdm_store_t *st, apr_int64_t id, const json_t *json)
{
    const char *object = apr_psprintf(st->ctx->pool, "assignment %" APR_INT64_T_FMT, id);
    apr_status_t rv = mdm_store_assignment_get(out, st, id);

    return rv == APR_SUCCESS ? mdm_refusal_of(st->ctx, read_change(*out, st, json), object, NULL) : rv;
}

apr_status_t mdm_assign_read_preview(mdm_preview_request_t *out, mdm_store_t *st, const json_t *json)
{
    const char *secret, *id;
    mdm_profile_row_t *profile;
    mdm_assignment_t *a;
    apr_array_header_t *generations;
    apr_status_t rv;

    if (json_object_get(json, "assignment") || json_object_get(json, "archive"))
        return mdm_assign_read_edit(out, st, json);
    memset(out, 0, sizeof(*out));
    if ((rv = get_text(&secret, st->ctx, json, "secret")) != APR_SUCCESS
        || (rv = get_text(&id, st->ctx, json, "delete")) != APR_SUCCESS)
        return rv;
    if ((secret || id) && json_object_size(json) != 1)
        return mdm_fail(st->ctx, MDM_EINPUT, "a preview of %s has no other member: leave the rest out",
                        secret ? "secret" : "delete");
    if (secret) {
        out->what = MDM_PREVIEW_SECRET;
        out->secret = secret;
        rv = mdm_store_secret_generations(&generations, st, secret);
        return mdm_refusal_missing(st->ctx, rv, "secret", "make it first, or mend the name");
    }
    if (id) {
        out->what = MDM_PREVIEW_DELETE;
        rv = mdm_store_assignment_get(&a, st, apr_atoi64(id));
        out->assignment = a;
        return mdm_refusal_missing(st->ctx, rv, "delete", "GET v1/assignments lists those that there are");
    }
    if (json_object_size(json) == 2 && json_object_get(json, "profile") && json_object_get(json, "version")) {
        out->what = MDM_PREVIEW_VERSION;
        if ((rv = read_profile(&profile, st, json)) != APR_SUCCESS
            || (rv = get_number(&out->version, st->ctx, json, "version", 1, APR_INT32_MAX)) != APR_SUCCESS)
            return rv;
        out->profile = profile->id;
        return find_version(st, profile, out->version);
    }
    out->what = MDM_PREVIEW_ASSIGNMENT;
    rv = mdm_assign_read(&a, st, json);
    if (rv == APR_SUCCESS)
        a->id = mdm_id_next();
    out->assignment = a;
    return rv;
}

/* ---- shown */

static json_t *rollout_json(const mdm_assignment_t *a, apr_pool_t *p)
{
    json_t *json = json_loads(a->rollout, 0, NULL), *steps = json_object_get(json, "steps");

    json_object_del(json, "since");
    mdm_json_set_text(json, "state", mdm_rollout_state_name(a->rollout_state));
    json_object_set_new(json, "step", json_integer(a->rollout_step + 1));
    json_object_set_new(json, "percent", json_integer(json_integer_value(json_array_get(steps,
                                                                                (size_t)a->rollout_step))));
    json_object_set_new(json, "version", json_integer(a->rollout_version));
    mdm_json_set_text(json, "next_at", a->rollout_at ? mdm_time_text(a->rollout_at, p) : NULL);
    mdm_json_set_text(json, "reason", a->rollout_reason);
    return json;
}

json_t *mdm_assign_json(const mdm_assignment_t *a, apr_pool_t *p)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "id", apr_psprintf(p, "%" APR_INT64_T_FMT, a->id));
    mdm_json_set_text(json, "profile", a->profile_name);
    mdm_json_set_text(json, mdm_assignment_kind_name(a->kind), a->target_name ? a->target_name : a->target);
    json_object_set_new(json, "exclude", json_boolean(a->exclude));
    if (!a->exclude) {
        json_object_set_new(json, "version", a->version ? json_integer(a->version) : json_null());
        json_object_set_new(json, "priority", json_integer(a->priority));
        json_object_set_new(json, "rollout", a->rollout ? rollout_json(a, p) : json_null());
    }
    mdm_json_set_text(json, "created_by", a->created_by);
    mdm_json_set_text(json, "created_at", a->created_at ? mdm_time_text(a->created_at, p) : NULL);
    mdm_json_set_text(json, "changed_at", a->changed_at ? mdm_time_text(a->changed_at, p) : NULL);
    return json;
}
