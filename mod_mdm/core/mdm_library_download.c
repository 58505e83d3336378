/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile of the library as a signed file. Called by the API, in any request thread. What goes out has secrets in
 * it: an event says who took it, and for whom.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_library_parts.h"
#include "mdm_profile.h"
#include "mdm_refusal.h"
#include "mdm_store_user.h"

#define FACTS_MAX 1000

typedef struct {
    mdm_store_t *st;
    const mdm_library_download_t *request;
    mdm_values_t values;
} download_t;

static apr_status_t read_device(download_t *d)
{
    mdm_values_t *values = &d->values;
    mdm_enrollment_t *enrollment, *device;
    apr_array_header_t *facts;
    const char *colon;
    apr_status_t rv = mdm_store_enrollment_get(&enrollment, d->st, d->request->enrollment_id);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    device = enrollment;
    colon = enrollment->parent ? strchr(enrollment->enrollment_id, ':') : NULL;
    if (colon)
        rv = mdm_store_enrollment_get(&device, d->st, apr_pstrmemdup(d->st->ctx->pool, enrollment->enrollment_id,
                                      (apr_size_t)(colon - enrollment->enrollment_id)));
    if (rv == APR_SUCCESS)
        rv = mdm_store_facts_list(&facts, d->st, device->id, NULL, FACTS_MAX);
    if (rv != APR_SUCCESS)
        return rv;
    values->enrollment = enrollment;
    values->device = device;
    values->login = enrollment->user;
    values->facts = apr_hash_make(d->st->ctx->pool);
    for (i = 0; i < facts->nelts; i++) {
        const mdm_fact_t *fact = &APR_ARRAY_IDX(facts, i, mdm_fact_t);

        apr_hash_set(values->facts, fact->name, APR_HASH_KEY_STRING, fact->value);
    }
    return APR_SUCCESS;
}

/* One who is named has to be there; the user of an enrollment may be known by no more than his login. */
static apr_status_t read_user(download_t *d)
{
    mdm_values_t *values = &d->values;
    mdm_user_t *user;
    json_t *json;
    apr_status_t rv = mdm_store_user_get(&user, d->st, values->login);

    if (rv == MDM_ENOTFOUND && !d->request->user) {
        mdm_ctx_clear(d->st->ctx);
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS || (rv = mdm_json_read(&json, d->st->ctx, mdm_bytes_of(user->attributes))) != APR_SUCCESS)
        return rv;
    values->display_name = user->display_name;
    values->email = user->email;
    values->attributes = json;
    return APR_SUCCESS;
}

static apr_status_t read_values(download_t *d, const mdm_template_t *t)
{
    const apr_array_header_t *secrets = mdm_template_uses(t)->secrets;
    apr_array_header_t *closed;
    apr_status_t rv = mdm_store_secret_values(&d->values.secrets, &closed, d->st,
                                              (const char *const *)secrets->elts, secrets->nelts);

    if (rv == APR_SUCCESS && d->request->enrollment_id)
        rv = read_device(d);
    if (d->request->user)
        d->values.login = d->request->user;
    return rv == APR_SUCCESS && d->values.login ? read_user(d) : rv;
}

static apr_status_t render(mdm_plist_t **made, download_t *d, apr_int64_t profile, mdm_bytes_t body)
{
    mdm_ctx_t *ctx = d->st->ctx;
    mdm_template_t *t;
    const char *why;
    apr_status_t rv = mdm_template_read(&t, ctx, profile, body);

    if (rv == APR_SUCCESS)
        rv = read_values(d, t);
    if (rv != APR_SUCCESS)
        return rv;
    rv = mdm_template_render(made, NULL, ctx, t, &d->values);
    if (rv != MDM_ENOTFOUND)
        return rv;
    why = mdm_ctx_detail(ctx, rv);
    mdm_ctx_clear(ctx);
    rv = mdm_fail(ctx, MDM_EINPUT, "%s: name a user with ?user= or a device with ?enrollment= for whom all values are "
                  "known", why);
    return mdm_refusal_of(ctx, rv, "profile", d->request->name);
}

apr_status_t mdm_library_download(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                                  const mdm_library_download_t *request)
{
    download_t d = { st, request, { 0 } };
    mdm_profile_version_t *version;
    mdm_profile_row_t *row;
    mdm_plist_t *made;
    apr_status_t rv = mdm_store_profile_get(&row, st, request->name);

    if (rv != APR_SUCCESS)
        return rv;
    d.values.seal = st->seal;
    rv = mdm_store_profile_version_get(&version, st, row->id, request->version ? request->version : row->version);
    rv = mdm_refusal_missing(st->ctx, rv, "version", "give one that there is, or leave it out");
    rv = mdm_refusal_of(st->ctx, rv, "profile", row->name);
    if (rv != APR_SUCCESS || (rv = render(&made, &d, row->id, version->body)) != APR_SUCCESS
        || (rv = mdm_profile_seal_for(der, st->ctx, site, made, NULL)) != APR_SUCCESS)
        return rv;
    return mdm_store_event(st, "profile.downloaded", request->actor, request->source_ip, request->enrollment_id,
                           request->name, apr_psprintf(st->ctx->pool, "version %d%s%s", version->version,
                                                       d.values.login ? " for " : "",
                                                       d.values.login ? d.values.login : ""));
}
