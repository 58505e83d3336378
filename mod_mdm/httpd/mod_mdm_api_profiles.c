/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library of profiles: saved, shown, compared, rolled back, downloaded, archived. Request threads only; what may be
 * saved is decided in core/mdm_library.h, what devices get of it by the fan-out, which is woken.
 */
#include <stdlib.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_library.h"
#include "mdm_library_diff.h"
#include "mdm_payload_json.h"
#include "mdm_preview.h"
#include "mdm_refusal.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

#define PROFILE_TYPE "application/x-apple-aspen-config"

static const char *const reading[] = { "GET", NULL };
static const char *const posting[] = { "POST", NULL };
static const char *const all[] = { "GET", "PUT", "DELETE", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

/* @param key where it stands in the path or query */
static apr_status_t read_number(int *number, mdm_api_t *api, const char *name, const char *key, const char *text)
{
    char *end;
    long value = text && *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;

    if (value < 1 || value > APR_INT32_MAX - 1 || *end)
        return mdm_refusal_of(api->ctx, mdm_fail(api->ctx, MDM_EINPUT, "%s must be the number of a version, from 1",
                                                 key), "profile", name);
    *number = (int)value;
    return APR_SUCCESS;
}

/* ---- profiles and versions as JSON */

/* The members of mdm_profile_version.detail beside those of the row. */
static void put_detail(json_t *json, mdm_api_t *api, const char *detail)
{
    json_t *members;
    mdm_ctx_t *ctx = mdm_ctx_create(api->r->pool, NULL);

    if (detail && mdm_json_read(&members, ctx, mdm_bytes_of(detail)) == APR_SUCCESS)
        json_object_update(json, members);
}

static json_t *profile_json(mdm_api_t *api, const mdm_profile_row_t *row, const char *detail)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:i}", "name", row->name, "identifier", row->identifier, "scope",
                             row->scope, "version", row->version);

    put_detail(json, api, detail);
    mdm_json_set_text(json, "created_by", row->created_by);
    mdm_json_set_text(json, "created_at", mdm_api_time(row->created_at, api->r->pool));
    mdm_json_set_text(json, "changed_at", mdm_api_time(row->changed_at, api->r->pool));
    return json;
}

static json_t *version_json(mdm_api_t *api, const mdm_profile_version_t *version, int current)
{
    json_t *json = json_pack("{s:i, s:b}", "version", version->version, "current", version->version == current);

    put_detail(json, api, version->detail);
    mdm_json_set_text(json, "note", version->note);
    mdm_json_set_text(json, "created_by", version->created_by);
    mdm_json_set_text(json, "created_at", mdm_api_time(version->created_at, api->r->pool));
    return json;
}

static json_t *page_of(const char *name, json_t *items, const char *next)
{
    json_t *json = json_object();

    json_object_set_new(json, name, items);
    mdm_json_set_text(json, "next_cursor", next);
    return json;
}

static int list(mdm_api_t *api)
{
    int limit, i;
    apr_array_header_t *rows;
    json_t *items;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS)
        rv = mdm_store_profile_list(&rows, api->st, mdm_api_query(api, "cursor"), limit);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    items = json_array();
    for (i = 0; i < rows->nelts; i++) {
        const mdm_profile_row_t *row = APR_ARRAY_IDX(rows, i, mdm_profile_row_t *);
        json_t *json = profile_json(api, row, row->detail);

        json_object_set_new(json, "assignments", json_integer(row->assignments));
        json_array_append_new(items, json);
    }
    return mdm_api_json(api, HTTP_OK, page_of("profiles", items, rows->nelts == limit
                        ? APR_ARRAY_IDX(rows, limit - 1, mdm_profile_row_t *)->name : NULL));
}

static apr_status_t get_version(mdm_plist_t **tree, mdm_profile_version_t **version, mdm_api_t *api,
                                const mdm_profile_row_t *row, int number)
{
    apr_status_t rv = mdm_store_profile_version_get(version, api->st, row->id, number);

    rv = mdm_refusal_of(api->ctx, rv, "profile", row->name);
    return rv == APR_SUCCESS ? mdm_plist_read(tree, api->ctx, (*version)->body) : rv;
}

static int show(mdm_api_t *api, const char *name)
{
    mdm_profile_version_t *version;
    mdm_profile_row_t *row;
    mdm_plist_t *tree;
    json_t *json;
    int enrollments;
    apr_status_t rv = mdm_store_profile_get(&row, api->st, name);

    if (rv != APR_SUCCESS || (rv = get_version(&tree, &version, api, row, row->version)) != APR_SUCCESS
        || (rv = mdm_store_profile_enrollments(&enrollments, api->st, row->id)) != APR_SUCCESS)
        return fail(api, rv);
    json = profile_json(api, row, version->detail);
    json_object_set_new(json, "enrollments", json_integer(enrollments));
    json_object_set_new(json, "profile", mdm_payload_to_json(tree, api->r->pool));
    return mdm_api_json(api, HTTP_OK, json);
}

/* ---- versions */

static int list_versions(mdm_api_t *api, const mdm_profile_row_t *row)
{
    int limit, before = 0, last = 0, i;
    const char *cursor = mdm_api_query(api, "cursor");
    apr_array_header_t *versions;
    json_t *items;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS && cursor)
        rv = read_number(&before, api, row->name, "cursor", cursor);
    if (rv == APR_SUCCESS)
        rv = mdm_store_profile_version_list(&versions, api->st, row->id, before, limit);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    items = json_array();
    for (i = 0; i < versions->nelts; i++) {
        const mdm_profile_version_t *version = APR_ARRAY_IDX(versions, i, mdm_profile_version_t *);

        last = version->version;
        json_array_append_new(items, version_json(api, version, row->version));
    }
    return mdm_api_json(api, HTTP_OK, page_of("versions", items, versions->nelts == limit && last > 1
                        ? apr_itoa(api->r->pool, last) : NULL));
}

static int show_version(mdm_api_t *api, const mdm_profile_row_t *row, int number)
{
    mdm_profile_version_t *version;
    mdm_plist_t *tree;
    json_t *json;
    apr_status_t rv = get_version(&tree, &version, api, row, number);

    if (rv != APR_SUCCESS)
        return fail(api, rv);
    json = version_json(api, version, row->version);
    mdm_json_set_text(json, "digest", version->sha256);
    json_object_set_new(json, "profile", mdm_payload_to_json(tree, api->r->pool));
    return mdm_api_json(api, HTTP_OK, json);
}

static int show_diff(mdm_api_t *api, const mdm_profile_row_t *row, int number)
{
    const char *with = mdm_api_query(api, "with");
    mdm_profile_version_t *from, *to;
    mdm_plist_t *before, *after;
    int other = number - 1;
    json_t *json;
    apr_status_t rv = with ? read_number(&other, api, row->name, "with", with) : APR_SUCCESS;

    if (rv == APR_SUCCESS && !other)
        rv = mdm_refusal_of(api->ctx, mdm_fail(api->ctx, MDM_EINPUT, "with: there is no version before the first: name "
                                               "one to compare it with"), "profile", row->name);
    if (rv != APR_SUCCESS || (rv = get_version(&before, &from, api, row, other)) != APR_SUCCESS
        || (rv = get_version(&after, &to, api, row, number)) != APR_SUCCESS)
        return fail(api, rv);
    json = json_pack("{s:s, s:i, s:i}", "name", row->name, "from", other, "to", number);
    json_object_set_new(json, "changes", mdm_library_diff(before, after, api->r->pool));
    return mdm_api_json(api, HTTP_OK, json);
}

/* ---- changes */

static const char *outcome_name(mdm_library_outcome_e outcome)
{
    return outcome == MDM_LIBRARY_NEW ? "created" : outcome == MDM_LIBRARY_CHANGED ? "changed" : "unchanged";
}

static mdm_library_request_t request_of(mdm_api_t *api, const char *name)
{
    mdm_library_request_t request = { 0 };

    request.name = name;
    request.actor = api->actor;
    request.source_ip = api->r->useragent_ip;
    return request;
}

/* A refusal shows all that was found, not the first alone. */
static int refuse(mdm_api_t *api, const mdm_library_saved_t *saved, apr_status_t rv)
{
    json_t *json;

    if (mdm_io_status(rv) != HTTP_BAD_REQUEST || !saved->findings || !saved->findings->nelts)
        return fail(api, rv);
    mdm_io_log_failure(api->r, api->ctx, rv);
    json = json_object();
    mdm_json_set_text(json, "error", mdm_ctx_detail(api->ctx, rv));
    json_object_set_new(json, "findings", mdm_findings_to_json(saved->findings));
    return mdm_api_json(api, HTTP_BAD_REQUEST, json);
}

/* What devices would do; nobody has a profile that is new. */
static apr_status_t preview(json_t **effect, mdm_api_t *api, const mdm_library_saved_t *saved)
{
    mdm_preview_request_t request = { 0 };
    mdm_preview_t *found;
    apr_status_t rv;

    *effect = NULL;
    if (saved->outcome == MDM_LIBRARY_NEW)
        return APR_SUCCESS;
    request.what = MDM_PREVIEW_CONTENT;
    request.profile = saved->profile->id;
    request.version = saved->version->version;
    request.body = saved->version->body;
    request.detail = saved->version->detail;
    request.user_scope = !strcmp(saved->profile->scope, "User");
    if ((rv = mdm_preview_run(&found, api->st, &request)) == APR_SUCCESS)
        *effect = mdm_preview_json(found);
    return rv;
}

/* @param effect of a check, or NULL */
static int answer(mdm_api_t *api, const mdm_library_saved_t *saved, json_t *effect, int status)
{
    json_t *json = profile_json(api, saved->profile, saved->version->detail);

    if (effect)
        json_object_set_new(json, "effect", effect);

    mdm_json_set_text(json, "outcome", outcome_name(saved->outcome));
    mdm_json_set_text(json, "digest", saved->version->sha256);
    json_object_set_new(json, "enrollments", json_integer(saved->enrollments));
    json_object_set_new(json, "device_warnings", mdm_judge_notes_json(saved->notes));
    return mdm_api_json(api, status, json);
}

static int save(mdm_api_t *api, const char *name, int dry)
{
    const char *type = apr_table_get(api->r->headers_in, "Content-Type");
    mdm_library_request_t request = request_of(api, name);
    mdm_library_saved_t saved = { 0 };
    json_t *effect = NULL;
    apr_status_t rv = mdm_io_body(&request.body, api->ctx, api->r, MDM_LIMIT_DEFAULT);

    if (rv != APR_SUCCESS)
        return fail(api, rv);
    request.json = type && !ap_cstr_casecmpn(type, "application/json", 16);
    request.note = mdm_api_query(api, "note");
    rv = dry ? mdm_library_check(&saved, api->st, api->conf->site, &request)
        : mdm_library_save(&saved, api->st, api->conf->site, &request);
    if (rv != APR_SUCCESS)
        return refuse(api, &saved, rv);
    if (dry && (rv = preview(&effect, api, &saved)) != APR_SUCCESS)
        return fail(api, rv);
    if (!dry && saved.outcome != MDM_LIBRARY_SAME)
        mdm_worker_wake();
    return answer(api, &saved, effect, !dry && saved.outcome == MDM_LIBRARY_NEW ? HTTP_CREATED : HTTP_OK);
}

static int restore(mdm_api_t *api, const char *name, int number)
{
    mdm_library_request_t request = request_of(api, name);
    mdm_library_saved_t saved;
    apr_status_t rv;

    request.version = number;
    if ((rv = mdm_library_restore(&saved, api->st, &request)) != APR_SUCCESS)
        return fail(api, rv);
    if (saved.outcome != MDM_LIBRARY_SAME)
        mdm_worker_wake();
    return answer(api, &saved, NULL, HTTP_OK);
}

static int archive(mdm_api_t *api, const char *name)
{
    mdm_library_request_t request = request_of(api, name);
    mdm_library_saved_t saved;
    apr_status_t rv = mdm_library_archive(&saved, api->st, &request);

    if (rv != APR_SUCCESS)
        return fail(api, rv);
    mdm_worker_wake();
    return mdm_api_json(api, HTTP_OK, json_pack("{s:s, s:i, s:i}", "name", name, "assignments", saved.assignments,
                                                "enrollments", saved.enrollments));
}

static int download(mdm_api_t *api, const char *name)
{
    mdm_library_download_t request = { 0 };
    const char *version = mdm_api_query(api, "version");
    mdm_bytes_t der;
    apr_status_t rv = version ? read_number(&request.version, api, name, "version", version) : APR_SUCCESS;

    request.name = name;
    request.user = mdm_api_query(api, "user");
    request.enrollment_id = mdm_api_query(api, "enrollment");
    request.actor = api->actor;
    request.source_ip = api->r->useragent_ip;
    if (rv == APR_SUCCESS)
        rv = mdm_library_download(&der, api->st, api->conf->site, &request);
    if (rv != APR_SUCCESS)
        return fail(api, rv);
    apr_table_setn(api->r->headers_out, "Content-Disposition",
                   apr_psprintf(api->r->pool, "attachment; filename=\"%s.mobileconfig\"", name));
    mdm_io_note(api->r, api->ctx, api->st);
    return mdm_io_send(api->r, HTTP_OK, PROFILE_TYPE, der);
}

/* ---- routes */

static int unknown(mdm_api_t *api)
{
    return fail(api, mdm_fail(api->ctx, MDM_ENOTFOUND, "a profile has check, devices, versions and download, a "
                              "version diff and restore, and nothing else"));
}

/* versions, versions/N, versions/N/diff, versions/N/restore; @param rest behind "versions" */
static int serve_versions(mdm_api_t *api, const char *name, const char *rest)
{
    char *number = apr_pstrdup(api->r->pool, *rest ? rest + 1 : ""), *verb = strchr(number, '/');
    int restores = verb && !strcmp(verb, "/restore"), version = 0, sent;
    mdm_profile_row_t *row;
    apr_status_t rv;

    if (verb && !restores && strcmp(verb, "/diff"))
        return unknown(api);
    if (!mdm_io_method(&sent, api->r, restores ? posting : reading))
        return sent;
    if (verb)
        *verb = '\0';
    if ((rv = mdm_store_profile_get(&row, api->st, name)) != APR_SUCCESS
        || (*rest && (rv = read_number(&version, api, name, "versions", number)) != APR_SUCCESS))
        return fail(api, rv);
    if (!*rest)
        return list_versions(api, row);
    if (restores)
        return restore(api, name, version);
    return verb ? show_diff(api, row, version) : show_version(api, row, version);
}

static int serve_one(mdm_api_t *api, const char *name)
{
    int sent;

    if (!mdm_io_method(&sent, api->r, all))
        return sent;
    if (api->r->method_number == M_PUT)
        return save(api, name, 0);
    return api->r->method_number == M_DELETE ? archive(api, name) : show(api, name);
}

int mdm_api_profiles(mdm_api_t *api)
{
    char *name = apr_pstrdup(api->r->pool, api->path ? api->path : ""), *rest = strchr(name, '/');
    apr_status_t rv;
    int sent;

    if (rest)
        *rest++ = '\0';
    if (api->path && (rv = mdm_library_name(api->ctx, "profile", name)) != APR_SUCCESS)
        return fail(api, rv);
    if ((rv = mdm_api_store(api)) != APR_SUCCESS)
        return fail(api, rv);
    if (!api->path)
        return mdm_io_method(&sent, api->r, reading) ? list(api) : sent;
    if (!rest)
        return serve_one(api, name);
    if (!strcmp(rest, "check"))
        return mdm_io_method(&sent, api->r, posting) ? save(api, name, 1) : sent;
    if (!strcmp(rest, "download"))
        return mdm_io_method(&sent, api->r, reading) ? download(api, name) : sent;
    if (!strcmp(rest, "devices"))
        return mdm_io_method(&sent, api->r, reading) ? mdm_api_profile_devices(api, name) : sent;
    if (!strncmp(rest, "versions", 8) && (!rest[8] || rest[8] == '/'))
        return serve_versions(api, name, rest + 8);
    return unknown(api);
}
