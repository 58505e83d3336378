/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API's view of the certificates the CA has issued: found, shown, downloaded, revoked. Request threads only.
 */
#include <apr_strings.h>

#include "mdm_crl.h"
#include "mdm_json.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"

#define SEARCH_MAX 200
#define REVOKE_BODY_MAX 4096
#define PEM_TYPE "application/x-pem-file"

static const char *const reading[] = { "GET", NULL };
static const char *const posting[] = { "POST", NULL };

static int refuse(mdm_api_t *api, apr_status_t rv)
{
    return mdm_api_error(api, mdm_io_status(rv), rv);
}

static json_t *certificate_json(mdm_api_t *api, const mdm_certificate_t *c)
{
    apr_pool_t *p = api->r->pool;
    json_t *json = json_object();

    mdm_json_set_text(json, "serial", c->serial);
    mdm_json_set_text(json, "state", mdm_certificate_state(c, mdm_ctx_now(api->ctx)));
    mdm_json_set_text(json, "subject", c->subject);
    mdm_json_set_text(json, "user", c->user);
    mdm_json_set_text(json, "enrollment_id", c->enrollment_id);
    mdm_json_set_text(json, "not_before", mdm_api_time(c->not_before, p));
    mdm_json_set_text(json, "not_after", mdm_api_time(c->not_after, p));
    mdm_json_set_text(json, "issued_at", mdm_api_time(c->issued_at, p));
    mdm_json_set_text(json, "revoked_at", mdm_api_time(c->revoked_at, p));
    mdm_json_set_text(json, "revoked_reason", c->revoked_reason);
    mdm_json_set_text(json, "replaced_by", c->replaced_by);
    mdm_json_set_text(json, "fingerprint", c->fingerprint);
    mdm_json_set_text(json, "issuer", c->issuer);
    mdm_json_set_text(json, "challenge", c->challenge);
    mdm_json_set_text(json, "pem", c->pem);
    return json;
}

/* Two certificates may be of the same microsecond: a cursor is the time and the fingerprint. */
static const char *cursor_of(const mdm_certificate_t *c, apr_pool_t *p)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT "-%s", c->issued_at, c->fingerprint);
}

static apr_status_t read_cursor(const mdm_certificate_t **after, mdm_api_t *api)
{
    const char *text = mdm_api_query(api, "cursor");
    mdm_certificate_t *c = apr_pcalloc(api->r->pool, sizeof(*c));
    char *end;

    *after = NULL;
    if (!text || !*text)
        return APR_SUCCESS;
    c->issued_at = apr_strtoi64(text, &end, 10);
    if (end == text || *end != '-' || c->issued_at <= 0 || strlen(end + 1) > 2 * MDM_SHA256_LEN)
        return mdm_fail(api->ctx, MDM_EINPUT, "the cursor is none of this list");
    c->fingerprint = end + 1;
    *after = c;
    return APR_SUCCESS;
}

static apr_status_t find(apr_array_header_t **page, mdm_api_t *api, int limit)
{
    const char *text = mdm_api_query(api, "q");
    const mdm_certificate_t *after;
    apr_status_t rv = read_cursor(&after, api);

    if (rv == APR_SUCCESS && text && strlen(text) > SEARCH_MAX)
        return mdm_fail(api->ctx, MDM_EINPUT, "q is longer than %d bytes", SEARCH_MAX);
    if (rv != APR_SUCCESS || (rv = mdm_api_store(api)) != APR_SUCCESS)
        return rv;
    return text && *text ? mdm_store_certificate_search(page, api->st, after, limit, text)
                         : mdm_store_certificate_list(page, api->st, after, limit);
}

static int list(mdm_api_t *api)
{
    apr_array_header_t *page;
    json_t *json, *items;
    int i, limit;
    apr_status_t rv = mdm_api_limit(&limit, api);

    if (rv != APR_SUCCESS || (rv = find(&page, api, limit)) != APR_SUCCESS)
        return refuse(api, rv);
    json = json_object();
    items = json_array();
    for (i = 0; i < page->nelts; i++)
        json_array_append_new(items, certificate_json(api, APR_ARRAY_IDX(page, i, mdm_certificate_t *)));
    json_object_set_new(json, "certificates", items);
    if (page->nelts == limit)
        mdm_json_set_text(json, "next_cursor",
                          cursor_of(APR_ARRAY_IDX(page, limit - 1, mdm_certificate_t *), api->r->pool));
    return mdm_api_json(api, HTTP_OK, json);
}

static int send_pem(mdm_api_t *api, const mdm_certificate_t *c)
{
    apr_table_setn(api->r->headers_out, "Content-Disposition",
                   apr_psprintf(api->r->pool, "attachment; filename=\"%s.pem\"", c->serial));
    mdm_io_note(api->r, api->ctx, api->st);
    return mdm_io_send(api->r, HTTP_OK, PEM_TYPE, mdm_bytes_of(c->pem));
}

static int show(mdm_api_t *api, const char *serial, int pem)
{
    const char *accept = apr_table_get(api->r->headers_in, "Accept");
    mdm_certificate_t *c;
    apr_status_t rv = mdm_api_store(api);

    if (rv == APR_SUCCESS)
        rv = mdm_store_certificate_by_serial(&c, api->st, mdm_crl_serial(api->ctx, serial));
    if (rv != APR_SUCCESS)
        return refuse(api, rv);
    if (pem || (accept && ap_strcasestr(accept, PEM_TYPE)))
        return send_pem(api, c);
    return mdm_api_json(api, HTTP_OK, certificate_json(api, c));
}

static apr_status_t read_reason(const char **reason, mdm_api_t *api, mdm_bytes_t body)
{
    json_t *wanted = NULL, *value;
    const char *name;
    apr_status_t rv = body.len ? mdm_json_read(&wanted, api->ctx, body) : APR_SUCCESS;

    if (rv != APR_SUCCESS)
        return rv;
    json_object_foreach(wanted, name, value) {
        if (strcmp(name, "reason") || !json_is_string(value))
            return mdm_fail(api->ctx, MDM_EINPUT, "a revocation has \"reason\", a text, and nothing else");
        *reason = json_string_value(value);
    }
    return APR_SUCCESS;
}

static int revoke_one(mdm_api_t *api, const char *serial)
{
    const char *reason = NULL;
    mdm_bytes_t body;
    apr_status_t rv = mdm_io_body(&body, api->ctx, api->r, REVOKE_BODY_MAX);

    if (rv != APR_SUCCESS)
        return mdm_io_fail(api->r, api->ctx, rv);
    if ((rv = read_reason(&reason, api, body)) != APR_SUCCESS || (rv = mdm_api_store(api)) != APR_SUCCESS
        || (rv = mdm_crl_revoke(api->st, serial, reason, api->actor, api->r->useragent_ip)) != APR_SUCCESS)
        return refuse(api, rv);
    return show(api, serial, 0);
}

/* The path without `end`; NULL when it does not end so. */
static const char *before(mdm_api_t *api, const char *end)
{
    apr_size_t len = strlen(api->path), tail = strlen(end);

    if (len <= tail || strcmp(api->path + len - tail, end))
        return NULL;
    return apr_pstrmemdup(api->r->pool, api->path, len - tail);
}

int mdm_api_certificates(mdm_api_t *api)
{
    const char *revoked = api->path ? before(api, "/revoke") : NULL;
    const char *pem = api->path ? before(api, ".pem") : NULL;
    int sent;

    if (!mdm_io_method(&sent, api->r, revoked ? posting : reading))
        return sent;
    if (!api->path)
        return list(api);
    if (revoked)
        return revoke_one(api, revoked);
    return show(api, pem ? pem : api->path, pem != NULL);
}
