/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people do with commands after they were ordered: cancel, approve, deny, clear a queue, and look how many are in
 * which state. Request threads only.
 */
#include <apr_lib.h>
#include <apr_strings.h>

#include "mdm_command_decide.h"
#include "mdm_json.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

static const char *const deciding[] = { "POST", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, rv == MDM_EEXIST ? HTTP_CONFLICT : mdm_io_status(rv), rv);
}

static json_t *texts(const apr_array_header_t *list)
{
    json_t *json = json_array();
    int i;

    for (i = 0; list && i < list->nelts; i++)
        json_array_append_new(json, json_string(APR_ARRAY_IDX(list, i, const char *)));
    return json;
}

static mdm_decision_t decision_of(mdm_api_t *api)
{
    mdm_decision_t decision = { api->actor, api->r->useragent_ip, 0, NULL, api->conf->site };

    return decision;
}

static int cancelled(mdm_api_t *api, const mdm_decision_t *d)
{
    return mdm_api_json(api, HTTP_OK, json_pack("{s:i, s:o}", "cancelled", d->count, "not_cancellable",
                                                texts(d->sent)));
}

static int cancel(mdm_api_t *api)
{
    mdm_decision_t d = decision_of(api);
    apr_status_t rv = mdm_api_store(api);

    if (rv == APR_SUCCESS)
        rv = mdm_command_cancel(&d, api->st, api->path, mdm_api_query(api, "enrollment_id"));
    return rv == APR_SUCCESS ? cancelled(api, &d) : fail(api, rv);
}

int mdm_api_queue_clear(mdm_api_t *api, const char *enrollment_id)
{
    mdm_decision_t d = decision_of(api);
    apr_status_t rv = mdm_api_store(api);

    if (rv == APR_SUCCESS)
        rv = mdm_command_clear(&d, api->st, enrollment_id);
    return rv == APR_SUCCESS ? cancelled(api, &d) : fail(api, rv);
}

static int decide(mdm_api_t *api, const char *uuid, int approve)
{
    mdm_decision_t d = decision_of(api);
    apr_status_t rv = mdm_api_store(api);

    if (rv == APR_SUCCESS)
        rv = mdm_command_decide(&d, api->st, uuid, approve);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    if (approve)
        mdm_worker_wake();
    return mdm_api_json(api, HTTP_OK, json_pack("{s:s, s:s, s:s, s:i}", "command_uuid", uuid, "approval",
                                                approve ? "given" : "denied", "decided_by", api->actor,
                                                "enrollments", d.count));
}

int mdm_api_command_verb(int *answer, mdm_api_t *api)
{
    const char *slash = strrchr(api->path, '/'), *verb = slash ? slash + 1 : "";
    int approve = !strcmp(verb, "approve");

    if (approve || !strcmp(verb, "deny")) {
        if (mdm_io_method(answer, api->r, deciding))
            *answer = decide(api, apr_pstrmemdup(api->r->pool, api->path, (apr_size_t)(slash - api->path)), approve);
        return 1;
    }
    if (api->r->method_number != M_DELETE)
        return 0;
    *answer = cancel(api);
    return 1;
}

static json_t *command_json(const mdm_command_t *c, apr_pool_t *p)
{
    json_t *json = json_pack("{s:s, s:s}", "command_uuid", c->uuid, "request_type", c->request_type);

    mdm_json_set_text(json, "created_by", c->created_by);
    mdm_json_set_text(json, "created_at", mdm_api_time(c->created_at, p));
    mdm_api_command_members(json, c, p);
    return json;
}

int mdm_api_commands_held(mdm_api_t *api)
{
    const char *state = mdm_api_query(api, "state"), *cursor = mdm_api_query(api, "cursor");
    apr_array_header_t *list;
    json_t *json, *items;
    int limit, i;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS && (!state || strcmp(state, "held")))
        rv = mdm_fail(api->ctx, MDM_EINPUT, "state must be held: these are the commands that can be listed");
    if (rv == APR_SUCCESS && (rv = mdm_api_store(api)) == APR_SUCCESS)
        rv = mdm_store_command_held(&list, api->st, cursor ? apr_atoi64(cursor) : 0, limit);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    json = json_object();
    items = json_array();
    for (i = 0; i < list->nelts; i++)
        json_array_append_new(items, command_json(APR_ARRAY_IDX(list, i, mdm_command_t *), api->r->pool));
    json_object_set_new(json, "commands", items);
    if (list->nelts == limit)
        mdm_json_set_text(json, "next_cursor",
                          apr_psprintf(api->r->pool, "%" APR_INT64_T_FMT,
                                       APR_ARRAY_IDX(list, limit - 1, mdm_command_t *)->id));
    return mdm_api_json(api, HTTP_OK, json);
}

void mdm_api_command_members(json_t *json, const mdm_command_t *c, apr_pool_t *p)
{
    static const char *const approvals[] = { "none", "wanted", "given", "denied" };

    json_object_set_new(json, "priority", json_integer(c->priority));
    mdm_json_set_text(json, "not_before", mdm_api_time(c->not_before, p));
    mdm_json_set_text(json, "not_after", mdm_api_time(c->not_after, p));
    mdm_json_set_text(json, "approval", approvals[c->approval & 3]);
    mdm_json_set_text(json, "decided_by", c->decided_by);
    mdm_json_set_text(json, "decided_at", mdm_api_time(c->decided_at, p));
    mdm_json_set_text(json, "note", c->note);
}

apr_status_t mdm_api_command_counts(json_t **out, mdm_api_t *api, const mdm_command_t *c)
{
    apr_array_header_t *counts;
    apr_status_t rv = mdm_store_command_counts(&counts, api->st, c->id);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    *out = json_object();
    for (i = 0; i < counts->nelts; i++) {
        const mdm_state_count_t *count = &APR_ARRAY_IDX(counts, i, mdm_state_count_t);
        char *name = apr_pstrdup(api->r->pool, count->state), *at;

        for (at = name; *at; at++)
            *at = (char)apr_tolower(*at);
        json_object_set_new(*out, name, json_integer(count->count + json_integer_value(json_object_get(*out, name))));
    }
    return APR_SUCCESS;
}
