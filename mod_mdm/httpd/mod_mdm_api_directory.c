/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory: what its last synchronisation did, and the wish for another. Request threads only; the directory
 * itself is never asked from here.
 */
#include <apr_strings.h>

#include "mdm_directory.h"
#include "mdm_json.h"
#include "mdm_refusal.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

#define BODY_MAX 4096

static const char *const reading[] = { "GET", NULL };
static const char *const posting[] = { "POST", NULL };

static int fail(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

static int show(mdm_api_t *api, int status)
{
    const mdm_directory_site_t *site = api->conf->site->directory;
    json_t *json;
    apr_status_t rv = mdm_directory_show(&json, api->st);

    if (rv != APR_SUCCESS)
        return fail(api, rv);
    mdm_json_set_text(json, "url", site->url.uri);
    mdm_json_set_text(json, "base", site->url.base);
    json_object_set_new(json, "interval", json_integer(apr_time_sec(site->interval)));
    return mdm_api_json(api, status, json);
}

static apr_status_t read_confirm(int *confirm, mdm_api_t *api)
{
    mdm_bytes_t body;
    json_t *json, *value;
    apr_status_t rv = mdm_io_body(&body, api->ctx, api->r, BODY_MAX);

    *confirm = 0;
    if (rv != APR_SUCCESS || !body.len)
        return rv;
    if ((rv = mdm_json_read(&json, api->ctx, body)) != APR_SUCCESS)
        return rv;
    value = json_object_get(json, "confirm");
    if (json_object_size(json) != (value != NULL) || (value && !json_is_boolean(value)))
        return mdm_fail(api->ctx, MDM_EINPUT, "the body must be empty, or {\"confirm\": true}");
    *confirm = json_is_true(value);
    return APR_SUCCESS;
}

static int synchronise(mdm_api_t *api)
{
    int confirm;
    apr_status_t rv = read_confirm(&confirm, api);

    if (rv == APR_SUCCESS)
        rv = mdm_directory_ask(api->st, api->actor, confirm);
    return rv == APR_SUCCESS ? show(api, HTTP_ACCEPTED) : fail(api, mdm_refusal_of(api->ctx, rv, "directory", NULL));
}

int mdm_api_directory(mdm_api_t *api)
{
    apr_status_t rv;
    int sent;

    if (api->path && strcmp(api->path, "sync"))
        return fail(api, mdm_fail(api->ctx, MDM_ENOTFOUND, "there is v1/directory and v1/directory/sync"));
    if (!mdm_io_method(&sent, api->r, api->path ? posting : reading))
        return sent;
    if (!api->conf->site->directory)
        return fail(api, mdm_fail(api->ctx, MDM_ENOTFOUND, "no directory is configured: MDMDirectoryURL says where it "
                                  "is"));
    if ((rv = mdm_api_store(api)) != APR_SUCCESS)
        return fail(api, rv);
    return api->path ? synchronise(api) : show(api, HTTP_OK);
}
