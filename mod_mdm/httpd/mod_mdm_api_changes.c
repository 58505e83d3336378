/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of what should hold, and how far they are. Request threads only; read only.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

static const char *const reading[] = { "GET", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

static json_t *change_json(mdm_api_t *api, const mdm_change_t *c)
{
    apr_pool_t *p = api->r->pool;
    json_t *json = json_object();

    mdm_json_set_text(json, "id", apr_psprintf(p, "%" APR_INT64_T_FMT, c->id));
    mdm_json_set_text(json, "kind", c->kind);
    mdm_json_set_text(json, "object", c->name ? c->name : c->object);
    mdm_json_set_text(json, "actor", c->actor);
    mdm_json_set_text(json, "created_at", mdm_api_time(c->created_at, p));
    json_object_set_new(json, "looked", json_integer(c->looked));
    json_object_set_new(json, "changed", json_integer(c->changed));
    json_object_set_new(json, "done", json_boolean(c->finished_at));
    mdm_json_set_text(json, "finished_at", mdm_api_time(c->finished_at, p));
    return json;
}

static int list(mdm_api_t *api)
{
    const char *cursor = mdm_api_query(api, "cursor");
    apr_array_header_t *changes;
    apr_int64_t open, rechecks;
    json_t *json, *items;
    int limit, i;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS)
        rv = mdm_store_change_list(&changes, api->st, cursor ? apr_atoi64(cursor) : 0, limit);
    if (rv == APR_SUCCESS)
        rv = mdm_store_change_backlog(&open, &rechecks, api->st);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    items = json_array();
    for (i = 0; i < changes->nelts; i++)
        json_array_append_new(items, change_json(api, APR_ARRAY_IDX(changes, i, const mdm_change_t *)));
    json = json_pack("{s:o, s:I, s:I}", "changes", items, "open", (json_int_t)open, "marked", (json_int_t)rechecks);
    if (changes->nelts == limit)
        mdm_json_set_text(json, "next_cursor", apr_psprintf(api->r->pool, "%" APR_INT64_T_FMT,
                          APR_ARRAY_IDX(changes, limit - 1, const mdm_change_t *)->id));
    return mdm_api_json(api, HTTP_OK, json);
}

int mdm_api_changes(mdm_api_t *api)
{
    mdm_change_t *change;
    char *end = NULL;
    apr_int64_t id = api->path ? apr_strtoi64(api->path, &end, 10) : 0;
    apr_status_t rv;
    int sent;

    if (!mdm_io_method(&sent, api->r, reading))
        return sent;
    if ((rv = mdm_api_store(api)) != APR_SUCCESS)
        return fail(api, rv);
    if (!api->path)
        return list(api);
    if (id <= 0 || *end)
        return fail(api, mdm_fail(api->ctx, MDM_ENOTFOUND, "there is no change %.40s", api->path));
    rv = mdm_store_change_get(&change, api->st, id);
    return rv == APR_SUCCESS ? mdm_api_json(api, HTTP_OK, change_json(api, change)) : fail(api, rv);
}
