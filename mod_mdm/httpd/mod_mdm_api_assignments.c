/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assignments: made, previewed, listed, changed, ended, and their rollouts moved. Request threads only; every change is
 * an event, and wakes the worker.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_assign.h"
#include "mdm_json.h"
#include "mdm_refusal.h"
#include "mdm_store_profile.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

#define BODY_MAX 65536

static const char *const listing[] = { "GET", "POST", NULL };
static const char *const one[] = { "GET", "PATCH", "DELETE", NULL };
static const char *const posting[] = { "POST", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

static apr_status_t read_body(json_t **json, mdm_api_t *api)
{
    mdm_bytes_t body;
    apr_status_t rv = mdm_io_body(&body, api->ctx, api->r, BODY_MAX);

    return rv == APR_SUCCESS ? mdm_json_read(json, api->ctx, body) : rv;
}

static int list(mdm_api_t *api)
{
    const char *name = mdm_api_query(api, "profile"), *cursor = mdm_api_query(api, "cursor");
    mdm_profile_row_t *profile = NULL;
    apr_array_header_t *assignments;
    json_t *json, *items;
    int limit, i;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS && name)
        rv = mdm_store_profile_get(&profile, api->st, name);
    if (rv == APR_SUCCESS)
        rv = mdm_store_assignment_list(&assignments, api->st, profile ? profile->id : 0,
                                       cursor ? apr_atoi64(cursor) : 0, limit);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    items = json_array();
    for (i = 0; i < assignments->nelts; i++)
        json_array_append_new(items, mdm_assign_json(APR_ARRAY_IDX(assignments, i, mdm_assignment_t *),
                                                     api->r->pool));
    json = json_pack("{s:o}", "assignments", items);
    if (assignments->nelts == limit)
        mdm_json_set_text(json, "next_cursor", apr_psprintf(api->r->pool, "%" APR_INT64_T_FMT,
                          APR_ARRAY_IDX(assignments, limit - 1, mdm_assignment_t *)->id));
    return mdm_api_json(api, HTTP_OK, json);
}

static int show(mdm_api_t *api, apr_int64_t id, int status, const apr_array_header_t *warnings)
{
    mdm_assignment_t *a;
    json_t *json;
    apr_status_t rv = mdm_store_assignment_get(&a, api->st, id);

    if (rv != APR_SUCCESS)
        return fail(api, rv);
    json = mdm_assign_json(a, api->r->pool);
    if (warnings)
        json_object_set_new(json, "warnings", mdm_judge_notes_json(warnings));
    return mdm_api_json(api, status, json);
}

static mdm_assign_actor_t actor_of(mdm_api_t *api)
{
    mdm_assign_actor_t actor = { api->actor, api->r->useragent_ip };

    return actor;
}

/* @param id of the one to change; 0: a new one */
static int save(mdm_api_t *api, apr_int64_t id)
{
    mdm_assign_actor_t actor = actor_of(api);
    const apr_array_header_t *warnings;
    mdm_assignment_t *a = NULL;
    json_t *json;
    apr_status_t rv = read_body(&json, api);

    rv = mdm_refusal_of(api->ctx, rv, id ? apr_psprintf(api->r->pool, "assignment %" APR_INT64_T_FMT, id)
                        : "new assignment", NULL);
    if (rv == APR_SUCCESS && id)
        rv = mdm_assign_change(&warnings, api->st, id, json, &actor);
    else if (rv == APR_SUCCESS && (rv = mdm_assign_read(&a, api->st, json)) == APR_SUCCESS)
        rv = mdm_assign_save(&warnings, api->st, a, &actor);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    mdm_worker_wake();
    return show(api, a ? a->id : id, id ? HTTP_OK : HTTP_CREATED, warnings);
}

static int drop(mdm_api_t *api, apr_int64_t id)
{
    mdm_assign_actor_t actor = actor_of(api);
    apr_status_t rv = mdm_assign_delete(api->st, id, &actor);

    if (rv != APR_SUCCESS)
        return fail(api, rv);
    mdm_worker_wake();
    mdm_io_note(api->r, api->ctx, api->st);
    return mdm_io_send(api->r, HTTP_NO_CONTENT, NULL, mdm_bytes_of(""));
}

static int preview(mdm_api_t *api)
{
    mdm_preview_request_t request;
    const char *refused;
    mdm_preview_t *p;
    json_t *json;
    apr_status_t rv = read_body(&json, api);

    if (rv == APR_SUCCESS)
        rv = mdm_assign_read_preview(&request, api->st, json);
    if (rv == APR_SUCCESS)
        rv = mdm_preview_run(&p, api->st, &request);
    if (rv == APR_SUCCESS)
        rv = mdm_assign_foresee(&refused, api->st, &request, p);
    if (rv != APR_SUCCESS)
        return fail(api, mdm_refusal_of(api->ctx, rv, "preview", NULL));
    json = mdm_preview_json(p);
    mdm_json_set_text(json, "refused", refused);
    return mdm_api_json(api, HTTP_OK, json);
}

static int act(mdm_api_t *api, apr_int64_t id, const char *verb)
{
    mdm_rollout_action_e action = !strcmp(verb, "advance") ? MDM_ROLLOUT_ADVANCE : !strcmp(verb, "stop")
                                  ? MDM_ROLLOUT_STOP : !strcmp(verb, "resume") ? MDM_ROLLOUT_RESUME : 0;
    apr_status_t rv;

    if (!action)
        return fail(api, mdm_fail(api->ctx, MDM_ENOTFOUND, "an assignment has advance, stop and resume, and nothing "
                                  "else"));
    rv = mdm_rollout_act(api->st, id, action, api->actor, api->r->useragent_ip);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    mdm_worker_wake();
    return show(api, id, HTTP_OK, NULL);
}

int mdm_api_assignments(mdm_api_t *api)
{
    char *text = apr_pstrdup(api->r->pool, api->path ? api->path : ""), *verb = strchr(text, '/'), *end = NULL;
    apr_int64_t id;
    apr_status_t rv;
    int sent, changes = !strcmp(text, "preview") || verb;

    if (verb)
        *verb++ = '\0';
    id = apr_strtoi64(text, &end, 10);
    if (!mdm_io_method(&sent, api->r, !api->path ? listing : changes ? posting : one))
        return sent;
    if ((rv = mdm_api_store(api)) != APR_SUCCESS)
        return fail(api, rv);
    if (!api->path)
        return api->r->method_number == M_GET ? list(api) : save(api, 0);
    if (!strcmp(text, "preview") && !verb)
        return preview(api);
    if (id <= 0 || *end)
        return fail(api, mdm_fail(api->ctx, MDM_ENOTFOUND, "there is no assignment %.40s", text));
    if (verb)
        return act(api, id, verb);
    if (api->r->method_number == M_GET)
        return show(api, id, HTTP_OK, NULL);
    return api->r->method_number == M_PATCH ? save(api, id) : drop(api, id);
}
