/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invitations: made, listed, revoked. Only the answer to the POST that makes one has its URL, as text and as
 * a QR code; it is never shown again, because the database has but the hash of its token.
 */
#include <apr_strings.h>

#include "mdm_invitation.h"
#include "mdm_json.h"
#include "mdm_qr.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

#define PNG_TYPE "image/png"
#define SVG_TYPE "image/svg+xml"

static const char *const list_methods[] = { "GET", "POST", NULL };
static const char *const one_methods[] = { "GET", "DELETE", NULL };
static const char *const members[] = { "user", "serial_number", "uses", "lifetime", NULL };

static int refuse(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

static json_t *invitation_json(mdm_api_t *api, const mdm_invitation_t *i)
{
    apr_pool_t *p = api->r->pool;
    json_t *json = json_object();

    mdm_json_set_text(json, "id", apr_psprintf(p, "%" APR_INT64_T_FMT, i->id));
    mdm_json_set_text(json, "state", mdm_invitation_state(i, mdm_ctx_now(api->ctx)));
    mdm_json_set_text(json, "user", i->user);
    mdm_json_set_text(json, "serial_number", i->serial_number);
    json_object_set_new(json, "uses", json_integer(i->uses));
    json_object_set_new(json, "uses_left", json_integer(i->uses_left));
    mdm_json_set_text(json, "created_by", i->created_by);
    mdm_json_set_text(json, "created_at", mdm_api_time(i->created_at, p));
    mdm_json_set_text(json, "expires_at", mdm_api_time(i->expires_at, p));
    mdm_json_set_text(json, "revoked_at", mdm_api_time(i->revoked_at, p));
    return json;
}

/* A misspelt member would make an invitation for everybody of one that was meant for a single person. */
static apr_status_t check_members(mdm_ctx_t *ctx, json_t *wanted)
{
    const char *name;
    json_t *value;

    json_object_foreach(wanted, name, value) {
        const char *const *known = members;

        while (*known && strcmp(*known, name))
            known++;
        if (!*known)
            return mdm_fail(ctx, MDM_EINPUT, "an invitation has no \"%.40s\": it has user, serial_number, "
                            "uses and lifetime", name);
    }
    return APR_SUCCESS;
}

static apr_status_t get_text(const char **text, mdm_ctx_t *ctx, json_t *wanted, const char *name)
{
    json_t *value = json_object_get(wanted, name);

    if (value && !json_is_null(value) && !json_is_string(value))
        return mdm_fail(ctx, MDM_EINPUT, "\"%s\" must be a text", name);
    *text = json_string_value(value);
    return APR_SUCCESS;
}

static apr_status_t read_wanted(mdm_invitation_t *invitation, apr_interval_time_t *lifetime, mdm_api_t *api,
                                json_t *wanted)
{
    mdm_ctx_t *ctx = api->ctx;
    json_t *uses = json_object_get(wanted, "uses");
    const char *text = NULL;
    apr_status_t rv;

    if ((rv = check_members(ctx, wanted)) != APR_SUCCESS
        || (rv = get_text(&invitation->user, ctx, wanted, "user")) != APR_SUCCESS
        || (rv = get_text(&invitation->serial_number, ctx, wanted, "serial_number")) != APR_SUCCESS
        || (rv = get_text(&text, ctx, wanted, "lifetime")) != APR_SUCCESS)
        return rv;
    if (uses && (!json_is_integer(uses) || json_integer_value(uses) < 1
                 || json_integer_value(uses) > MDM_INVITATION_USES_MAX))
        return mdm_fail(ctx, MDM_EINPUT, "\"uses\" must be a number from 1 to %d", MDM_INVITATION_USES_MAX);
    invitation->uses = uses ? (int)json_integer_value(uses) : 1;
    *lifetime = text ? mdm_time_span(text) : api->conf->site->invitation_lifetime;
    if (!*lifetime)
        return mdm_fail(ctx, MDM_EINPUT, "\"lifetime\" must be a time such as 30min, 12h or 7d");
    return APR_SUCCESS;
}

static int accepts(request_rec *r, const char *type)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    return accept && ap_strcasestr(accept, type) != NULL;
}

/* The picture alone: its URL is in the Link header, for those who need it as text, too. */
static int send_picture(mdm_api_t *api, const char *url)
{
    mdm_bytes_t picture;
    const char *svg, *type = accepts(api->r, PNG_TYPE) ? PNG_TYPE : SVG_TYPE;
    apr_status_t rv;

    if (!strcmp(type, PNG_TYPE)) {
        rv = mdm_qr_png(&picture, api->ctx, url);
    } else if ((rv = mdm_qr_svg(&svg, api->ctx, url)) == APR_SUCCESS) {
        picture = mdm_bytes_of(svg);
    }
    if (rv != APR_SUCCESS)
        return refuse(api, rv);
    apr_table_setn(api->r->headers_out, "Link",
                   apr_pstrcat(api->r->pool, "<", url, ">; rel=\"related\"", NULL));
    mdm_io_note(api->r, api->ctx, api->st);
    return mdm_io_send(api->r, HTTP_CREATED, type, picture);
}

static int send_made(mdm_api_t *api, const mdm_invitation_t *invitation, const char *url)
{
    apr_pool_t *p = api->r->pool;
    mdm_bytes_t png;
    const char *svg;
    json_t *json;
    apr_status_t rv = mdm_qr_svg(&svg, api->ctx, url);

    if (rv != APR_SUCCESS || (rv = mdm_qr_png(&png, api->ctx, url)) != APR_SUCCESS)
        return refuse(api, rv);
    json = invitation_json(api, invitation);
    mdm_json_set_text(json, "url", url);
    json_object_set_new(json, "qr", json_pack("{s:s, s:s}", "svg", svg, "png", mdm_base64_encode(png, p)));
    return mdm_api_json(api, HTTP_CREATED, json);
}

static int make(mdm_api_t *api)
{
    request_rec *r = api->r;
    mdm_invitation_t invitation = { 0 };
    apr_interval_time_t lifetime = 0;
    json_t *wanted = NULL;
    mdm_bytes_t body;
    const char *token, *url;
    apr_status_t rv = mdm_io_body(&body, api->ctx, r, MDM_LIMIT_DEFAULT);

    if (rv != APR_SUCCESS)
        return mdm_io_fail(r, api->ctx, rv);
    if (body.len && (rv = mdm_json_read(&wanted, api->ctx, body)) != APR_SUCCESS)
        return refuse(api, rv);
    invitation.created_by = api->actor;
    if ((rv = read_wanted(&invitation, &lifetime, api, wanted)) != APR_SUCCESS
        || (rv = mdm_api_store(api)) != APR_SUCCESS
        || (rv = mdm_invitation_make(&token, api->st, &invitation, lifetime, r->useragent_ip)) != APR_SUCCESS)
        return refuse(api, rv);
    url = mdm_invitation_url(api->conf->site->enroll_url, token, r->pool);
    apr_table_setn(r->headers_out, "Location",
                   apr_psprintf(r->pool, "%s/%" APR_INT64_T_FMT, ap_escape_uri(r->pool, r->uri),
                                invitation.id));
    if (accepts(r, PNG_TYPE) || accepts(r, SVG_TYPE))
        return send_picture(api, url);
    return send_made(api, &invitation, url);
}

/* A decimal id above 0; 0 for anything else. */
static apr_int64_t read_id(const char *text)
{
    apr_int64_t id;
    char *end;

    if (!text || *text < '0' || *text > '9' || strlen(text) > 19)
        return 0;
    id = apr_strtoi64(text, &end, 10);
    return id > 0 && id != APR_INT64_MAX && !*end ? id : 0;
}

static int list(mdm_api_t *api)
{
    const char *cursor = mdm_api_query(api, "cursor");
    apr_array_header_t *page;
    json_t *json, *items;
    int i, limit;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv == APR_SUCCESS && cursor && !read_id(cursor))
        rv = mdm_fail(api->ctx, MDM_EINPUT, "the cursor is none of this list");
    if (rv != APR_SUCCESS || (rv = mdm_api_store(api)) != APR_SUCCESS
        || (rv = mdm_store_invitation_list(&page, api->st, read_id(cursor), limit)) != APR_SUCCESS)
        return refuse(api, rv);
    json = json_object();
    items = json_array();
    for (i = 0; i < page->nelts; i++)
        json_array_append_new(items, invitation_json(api, APR_ARRAY_IDX(page, i, mdm_invitation_t *)));
    json_object_set_new(json, "invitations", items);
    if (page->nelts == limit)
        mdm_json_set_text(json, "next_cursor",
                          apr_psprintf(api->r->pool, "%" APR_INT64_T_FMT,
                                       APR_ARRAY_IDX(page, limit - 1, mdm_invitation_t *)->id));
    return mdm_api_json(api, HTTP_OK, json);
}

static int one(mdm_api_t *api)
{
    apr_int64_t id = read_id(api->path);
    mdm_invitation_t *invitation;
    apr_status_t rv = mdm_api_store(api);

    if (rv == APR_SUCCESS && !id)
        rv = mdm_fail(api->ctx, MDM_ENOTFOUND, "there is no such invitation");
    if (rv == APR_SUCCESS && !strcmp(api->r->method, "DELETE"))
        rv = mdm_invitation_revoke(api->st, id, api->actor, api->r->useragent_ip);
    if (rv == APR_SUCCESS)
        rv = mdm_store_invitation_get(&invitation, api->st, id);
    if (rv != APR_SUCCESS)
        return refuse(api, rv);
    return mdm_api_json(api, HTTP_OK, invitation_json(api, invitation));
}

int mdm_api_invitations(mdm_api_t *api)
{
    int sent;

    if (!mdm_io_method(&sent, api->r, api->path ? one_methods : list_methods))
        return sent;
    if (api->path)
        return one(api);
    return strcmp(api->r->method, "POST") ? list(api) : make(api);
}
