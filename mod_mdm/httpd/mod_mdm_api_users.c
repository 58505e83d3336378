/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Persons: listed, shown, written by JSON and from files. Request threads only; what a change sets in motion is
 * core/mdm_person.h's.
 */
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_person_csv.h"
#include "mdm_refusal.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

#define BODY_MAX 131072

static const char *const reading[] = { "GET", NULL };
static const char *const posting[] = { "POST", NULL };
static const char *const all[] = { "GET", "PUT", "PATCH", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

static mdm_person_by_t by_caller(const mdm_api_t *api, const char *source)
{
    mdm_person_by_t by = { source, api->actor, api->r->useragent_ip };

    return by;
}

static apr_status_t read_disabled(int *disabled, mdm_api_t *api)
{
    const char *text = mdm_api_query(api, "disabled");

    *disabled = !text ? -1 : !strcmp(text, "true");
    return !text || *disabled || !strcmp(text, "false") ? APR_SUCCESS
        : mdm_fail(api->ctx, MDM_EINPUT, "disabled must be true or false");
}

static int list(mdm_api_t *api)
{
    int limit, disabled, i;
    apr_array_header_t *users;
    json_t *json, *items;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv != APR_SUCCESS || (rv = read_disabled(&disabled, api)) != APR_SUCCESS
        || (rv = mdm_store_user_list(&users, api->st, mdm_api_query(api, "cursor"), limit, disabled)) != APR_SUCCESS)
        return fail(api, rv);
    json = json_object();
    items = json_array();
    for (i = 0; i < users->nelts; i++)
        json_array_append_new(items, mdm_person_json(APR_ARRAY_IDX(users, i, mdm_user_t *), api->r->pool));
    json_object_set_new(json, "users", items);
    if (users->nelts == limit)
        mdm_json_set_text(json, "next_cursor", APR_ARRAY_IDX(users, limit - 1, mdm_user_t *)->login);
    return mdm_api_json(api, HTTP_OK, json);
}

static int show(mdm_api_t *api, const char *login, int status)
{
    mdm_user_t *user;
    apr_status_t rv = mdm_store_user_get(&user, api->st, login);

    return rv == APR_SUCCESS ? mdm_api_json(api, status, mdm_person_json(user, api->r->pool)) : fail(api, rv);
}

static int change(mdm_api_t *api, int replace)
{
    mdm_person_change_t person = mdm_person_change(api->path);
    mdm_person_by_t by = by_caller(api, "api");
    mdm_bytes_t body;
    json_t *json;
    apr_status_t rv = mdm_person_check_login(api->ctx, api->path);

    if (rv != APR_SUCCESS || (rv = mdm_io_body(&body, api->ctx, api->r, BODY_MAX)) != APR_SUCCESS
        || (rv = mdm_json_read(&json, api->ctx, body)) != APR_SUCCESS
        || (rv = mdm_person_read(&person, api->ctx, json, replace)) != APR_SUCCESS
        || (rv = mdm_person_save(api->st, &person, 1, &by)) != APR_SUCCESS)
        return fail(api, mdm_refusal_of(api->ctx, rv, "user", api->path));
    if (person.changed)
        mdm_worker_wake();
    return show(api, api->path, person.made ? HTTP_CREATED : HTTP_OK);
}

static int import(mdm_api_t *api)
{
    mdm_person_by_t by = by_caller(api, "csv");
    mdm_person_csv_report_t report;
    mdm_bytes_t body;
    apr_status_t rv = mdm_io_body(&body, api->ctx, api->r, MDM_PERSON_CSV_BYTES_MAX);

    if (rv != APR_SUCCESS || (rv = mdm_person_csv_import(&report, api->st, body, &by)) != APR_SUCCESS)
        return fail(api, rv);
    if (report.made || report.changed)
        mdm_worker_wake();
    return mdm_api_json(api, HTTP_OK, json_pack("{s:i, s:i, s:i}", "new", report.made, "changed", report.changed,
                                                "unchanged", report.unchanged));
}

int mdm_api_users(mdm_api_t *api)
{
    apr_status_t rv;
    int sent, is_import = api->path && !strcmp(api->path, "import") && api->r->method_number == M_POST;

    if (!mdm_io_method(&sent, api->r, !api->path ? reading : is_import ? posting : all))
        return sent;
    if ((rv = mdm_api_store(api)) != APR_SUCCESS)
        return fail(api, rv);
    if (!api->path)
        return list(api);
    if (is_import)
        return import(api);
    if (api->r->method_number == M_GET)
        return show(api, api->path, HTTP_OK);
    return change(api, api->r->method_number == M_PUT);
}
