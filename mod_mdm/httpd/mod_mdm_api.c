/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's front: routes by what follows "v1/" in the path, so that the administrator may
 * put the Location anywhere.
 */
#include <apr_lib.h>
#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_nearest.h"
#include "mod_mdm_api.h"
#include "mod_mdm_auth.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"

static const struct {
    const char *prefix;
    int (*handle)(mdm_api_t *api);
    int exact;            /* nothing may follow; else a path must */
} routes[] = {
    { "pushcert", mdm_api_pushcert, 1 },
    { "pushcerts", mdm_api_pushcerts, 1 },
    { "escrowkeyunlock", mdm_api_escrow_unlock, 1 },
    { "push", mdm_api_push, 0 },
    { "enqueue", mdm_api_enqueue, 0 },
    { "assignments", mdm_api_assignments, 1 },
    { "assignments", mdm_api_assignments, 0 },
    { "changes", mdm_api_changes, 1 },
    { "changes", mdm_api_changes, 0 },
    { "enrollments", mdm_api_enrollments, 1 },
    { "enrollments/query", mdm_api_enrollments_query, 1 },
    { "enrollments", mdm_api_enrollments, 0 },
    { "commands", mdm_api_commands, 1 },
    { "commands", mdm_api_commands, 0 },
    { "groups", mdm_api_groups, 1 },
    { "groups", mdm_api_groups, 0 },
    { "payloads", mdm_api_payloads, 1 },
    { "payloads", mdm_api_payloads, 0 },
    { "directory", mdm_api_directory, 1 },
    { "directory", mdm_api_directory, 0 },
    { "users", mdm_api_users, 1 },
    { "users", mdm_api_users, 0 },
    { "certificates", mdm_api_certificates, 1 },
    { "certificates", mdm_api_certificates, 0 },
    { "invitations", mdm_api_invitations, 1 },
    { "invitations", mdm_api_invitations, 0 },
    { "profiles", mdm_api_profiles, 1 },
    { "profiles", mdm_api_profiles, 0 },
    { "secrets", mdm_api_secrets, 1 },
    { "secrets", mdm_api_secrets, 0 },
    { "webhooks", mdm_api_webhooks, 1 },
    { "requests", mdm_api_requests, 1 },
    { "requests", mdm_api_requests, 0 },
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000
#define FULL_RETRY_AFTER "60"          /* devices have to fetch something first */

apr_status_t mdm_api_store(mdm_api_t *api)
{
    return mdm_dbd_request(&api->st, api->ctx, api->r);
}

int mdm_api_json(mdm_api_t *api, int status, json_t *json)
{
    const char *text = mdm_json_pretty(json, api->r->pool);

    json_decref(json);
    mdm_io_note(api->r, api->ctx, api->st);
    if (!text)
        return HTTP_INTERNAL_SERVER_ERROR;
    return mdm_io_send(api->r, status, "application/json", mdm_bytes_of(text));
}

int mdm_api_error(mdm_api_t *api, int status, apr_status_t rv)
{
    json_t *json = json_object();
    int logged = mdm_io_log_failure(api->r, api->ctx, rv);

    mdm_json_set_text(json, "error", mdm_ctx_reason(api->ctx, rv));
    if (logged == HTTP_SERVICE_UNAVAILABLE || logged == HTTP_REQUEST_ENTITY_TOO_LARGE
        || logged == HTTP_TOO_MANY_REQUESTS)
        status = logged;
    if (status == HTTP_SERVICE_UNAVAILABLE)
        apr_table_setn(api->r->err_headers_out, "Retry-After", "30");
    if (status == HTTP_TOO_MANY_REQUESTS)
        apr_table_setn(api->r->err_headers_out, "Retry-After", FULL_RETRY_AFTER);
    return mdm_api_json(api, status, json);
}

const char *mdm_api_query(mdm_api_t *api, const char *name)
{
    return mdm_io_query(api->r, name, 1);
}

apr_status_t mdm_api_number(int *out, mdm_api_t *api, const char *name, int least, int most)
{
    const char *text = mdm_api_query(api, name);
    apr_int64_t value;
    char *end;

    if (!text)
        return APR_SUCCESS;
    value = apr_strtoi64(text, &end, 10);
    if (!apr_isdigit(text[*text == '-']) || *end || value < least || value > most)
        return mdm_fail(api->ctx, MDM_EINPUT, "%s must be a number from %d to %d", name, least, most);
    *out = (int)value;
    return APR_SUCCESS;
}

apr_status_t mdm_api_limit(int *limit, mdm_api_t *api)
{
    *limit = LIMIT_DEFAULT;
    return mdm_api_number(limit, api, "limit", 1, LIMIT_MAX);
}

apr_status_t mdm_api_members(mdm_api_t *api, const char *where, json_t *json, const char *const *known)
{
    apr_pool_t *p = api->r->pool;
    const char *key, *names = "";
    json_t *value;
    int i;

    json_object_foreach(json, key, value) {
        for (i = 0; known[i] && strcmp(known[i], key); i++)
            ;
        if (known[i])
            continue;
        for (i = 0; known[i]; i++)
            names = apr_pstrcat(p, names, i ? ", " : "", known[i], NULL);
        return mdm_fail(api->ctx, MDM_EINPUT, "%s%sthere is no member %s; there are %s", where ? where : "",
                        where ? ": " : "", mdm_nearest_shown(key, p), names);
    }
    return APR_SUCCESS;
}

const char *mdm_api_time(apr_time_t at, apr_pool_t *p)
{
    return at ? mdm_time_text(at, p) : NULL;
}

static int not_found(request_rec *r)
{
    return mdm_io_send(r, HTTP_NOT_FOUND, "text/plain; charset=utf-8", mdm_bytes_of("Not Found\n"));
}

static int version(request_rec *r)
{
    return mdm_io_send(r, HTTP_OK, "application/json", mdm_bytes_of("{\"version\":\"" MDM_VERSION "\"}"));
}

static int redirect_to_slash(request_rec *r)
{
    apr_table_setn(r->headers_out, "Location",
                   apr_pstrcat(r->pool, ap_escape_uri(r->pool, r->uri), "/", NULL));
    return HTTP_MOVED_PERMANENTLY;
}

static int dispatch(mdm_api_t *api, const char *route)
{
    apr_size_t i;

    for (i = 0; i < ROUTES; i++) {
        apr_size_t len = strlen(routes[i].prefix);

        if (strncmp(route, routes[i].prefix, len))
            continue;
        if (!route[len] && routes[i].exact)
            return api->path = NULL, routes[i].handle(api);
        if (!route[len])
            return redirect_to_slash(api->r);
        if (route[len] == '/' && !routes[i].exact)
            return api->path = route + len + 1, routes[i].handle(api);
    }
    return not_found(api->r);
}

/*
 * A browser that has signed in to the API sends its password along with what other sites make it send. Such
 * requests say where they come from; programs say nothing.
 */
int mdm_api_is_foreign(const request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin"), *host = apr_table_get(r->headers_in, "Host");

    if (r->method_number == M_GET)
        return 0;
    if (site)
        return strcmp(site, "same-origin") && strcmp(site, "none");
    return origin && (!host || ap_cstr_casecmp(origin, apr_pstrcat(r->pool, "https://", host, NULL)));
}

int mdm_handle_api(request_rec *r, const mdm_conf_t *conf)
{
    mdm_api_t api = { r, conf, NULL, NULL, NULL, NULL };
    const char *route = strstr(r->uri, "/v1/"), *last = strrchr(r->uri, '/');
    int answer, micromdm;

    if (!route && last && !strcmp(last, "/version"))
        return version(r);
    micromdm = mdm_auth_micromdm(&api.actor, r);
    if (!micromdm && !mdm_auth_api(&api.actor, &answer, r))
        return answer;
    if (!route && !micromdm)
        return not_found(r);
    api.ctx = mdm_io_ctx(r);
    if (mdm_api_is_foreign(r))
        return mdm_api_error(&api, HTTP_FORBIDDEN,
                             mdm_fail(api.ctx, MDM_EDENIED, "the request comes from another web site"));
    if (!mdm_utf8_valid(mdm_bytes_of(micromdm ? r->uri : route)))
        return mdm_api_error(&api, HTTP_BAD_REQUEST,
                             mdm_fail(api.ctx, MDM_EINPUT, "the path is not UTF-8 text"));
    return micromdm ? mdm_api_micromdm(&api) : dispatch(&api, route + 4);
}
