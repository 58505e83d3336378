/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How profiles are on devices: those of an enrollment, the devices of a profile, and the question to a device what it
 * has. Request threads only.
 */
#include <apr_strings.h>

#include "mdm_drift.h"
#include "mdm_json.h"
#include "mdm_profile_state.h"
#include "mdm_refusal.h"
#include "mdm_remedy.h"
#include "mdm_store_drift.h"
#include "mdm_store_profile.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

#define PROFILES "/profiles"
#define CHECK "/profiles/check"

static const char *const reading[] = { "GET", NULL };
static const char *const posting[] = { "POST", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

/* ---- an enrollment */

static int show(mdm_api_t *api, const char *id)
{
    mdm_enrollment_t *e;
    json_t *json = NULL;
    apr_status_t rv = mdm_store_enrollment_get(&e, api->st, id);

    if (rv == APR_SUCCESS)
        rv = mdm_profile_state_of(&json, api->st, api->conf->site, e, mdm_api_time);
    return rv == APR_SUCCESS ? mdm_api_json(api, HTTP_OK, json) : fail(api, rv);
}

typedef struct {
    mdm_api_t *api;
    mdm_enrollment_t *enrollment;
    mdm_command_t *command;           /* its id 0: one waited already */
} asking_t;

static apr_status_t ask(void *baton, mdm_db_t *db)
{
    asking_t *a = baton;
    mdm_store_t *st = a->api->st;
    apr_status_t rv = mdm_remedy_list(&a->command, st);

    (void)db;
    if (rv == APR_SUCCESS)
        rv = mdm_store_drift_look(a->command, st, a->enrollment->id);
    if (rv == APR_SUCCESS)
        rv = mdm_store_push_want_one(st, a->enrollment->id, mdm_ctx_now(st->ctx));
    return rv;
}

static int check(mdm_api_t *api, const char *id)
{
    asking_t a = { api, NULL, NULL };
    json_t *json;
    apr_status_t rv = mdm_store_enrollment_get(&a.enrollment, api->st, id);

    if (rv == APR_SUCCESS && a.enrollment->state != MDM_STATE_ENROLLED)
        rv = mdm_fail(api->ctx, MDM_EINPUT, "%s is not enrolled (%s): it cannot be asked for its profiles", id,
                      mdm_state_name(a.enrollment->state));
    if (rv == APR_SUCCESS)
        rv = mdm_db_transact(api->st->db, ask, &a);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    mdm_worker_wake();
    json = json_pack("{s:s, s:b}", "enrollment_id", id, "queued", a.command->id != 0);
    if (a.command->id)
        mdm_json_set_text(json, "command_uuid", a.command->uuid);
    return mdm_api_json(api, HTTP_OK, json);
}

static int ends_with(const char *path, const char *end)
{
    apr_size_t len = strlen(path), tail = strlen(end);

    return len > tail && !strcmp(path + len - tail, end);
}

int mdm_api_states(int *answer, mdm_api_t *api)
{
    int asks = ends_with(api->path, CHECK);
    const char *id;
    apr_status_t rv;

    if (!asks && !ends_with(api->path, PROFILES))
        return 0;
    if (!mdm_io_method(answer, api->r, asks ? posting : reading))
        return 1;
    id = apr_pstrmemdup(api->r->pool, api->path, strlen(api->path) - strlen(asks ? CHECK : PROFILES));
    if ((rv = mdm_api_store(api)) != APR_SUCCESS)
        *answer = fail(api, rv);
    else
        *answer = asks ? check(api, id) : show(api, id);
    return 1;
}

/* ---- a profile */

static json_t *counts_json(const apr_array_header_t *counts, apr_pool_t *p)
{
    json_t *states = json_object(), *versions = json_object();
    int i;

    for (i = 0; i < counts->nelts; i++) {
        const mdm_desired_count_t *c = &APR_ARRAY_IDX(counts, i, mdm_desired_count_t);
        const char *name = mdm_desired_name(c->state), *version = apr_itoa(p, c->version);
        json_t *of_version = json_object_get(versions, version);

        json_object_set_new(states, name, json_integer(json_integer_value(json_object_get(states, name)) + c->count));
        if (!c->version)
            continue;
        if (!of_version)
            json_object_set_new(versions, version, of_version = json_object());
        json_object_set_new(of_version, name, json_integer(c->count));
    }
    return json_pack("{s:o, s:o}", "states", states, "versions", versions);
}

int mdm_api_profile_devices(mdm_api_t *api, const char *name)
{
    const char *wanted = mdm_api_query(api, "state");
    mdm_desired_state_e state = wanted ? mdm_desired_of_name(wanted) : MDM_DESIRED_UNSET;
    int limit, i;
    apr_array_header_t *rows, *counts;
    mdm_profile_row_t *profile;
    json_t *json, *list;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS)
        rv = mdm_store_profile_get(&profile, api->st, name);
    if (rv == APR_SUCCESS && wanted && !state)
        rv = mdm_refusal_of(api->ctx, mdm_fail(api->ctx, MDM_EINPUT, "state must be one of pending, sent, acked, "
                                               "verified, drifted, failed, blocked, removing, removed, gone"),
                            "profile", name);
    if (rv == APR_SUCCESS)
        rv = mdm_store_desired_counts(&counts, api->st, profile->id);
    if (rv == APR_SUCCESS)
        rv = mdm_store_desired_page(&rows, api->st, profile->id, state, mdm_api_query(api, "cursor"), limit);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    list = json_array();
    for (i = 0; i < rows->nelts; i++)
        json_array_append_new(list, mdm_profile_state_row(APR_ARRAY_IDX(rows, i, mdm_desired_t *), mdm_api_time,
                                                          api->r->pool));
    json = json_pack("{s:s, s:i, s:o, s:o}", "profile", name, "version", profile->version, "counts",
                     counts_json(counts, api->r->pool), "devices", list);
    if (rows->nelts == limit)
        mdm_json_set_text(json, "next_cursor", APR_ARRAY_IDX(rows, limit - 1, mdm_desired_t *)->enrollment_id);
    return mdm_api_json(api, HTTP_OK, json);
}
