/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named secrets: new values and farewells. Called by the API, in any request thread. No value is logged, put into an
 * event or handed out.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_library_parts.h"
#include "mdm_refusal.h"

typedef struct {
    mdm_library_secret_t *out;
    mdm_store_t *st;
    const mdm_library_request_t *request;
} work_t;

static apr_status_t note(const work_t *w, const char *kind, int generation)
{
    return mdm_store_event(w->st, kind, w->request->actor, w->request->source_ip, NULL, w->request->name,
                           generation ? apr_psprintf(w->st->ctx->pool, "generation %d", generation) : NULL);
}

static int is_base64(mdm_bytes_t value, apr_pool_t *p)
{
    mdm_bytes_t data;

    return mdm_base64_decode(&data, (const char *)value.data, value.len, p) == APR_SUCCESS;
}

/* The place where a version takes a secret as data; NULL: nowhere. */
static const char *data_place(const mdm_template_t *t, const char *secret)
{
    const apr_array_header_t *all = mdm_template_references(t);
    int i;

    for (i = 0; i < all->nelts; i++) {
        const mdm_reference_t *one = APR_ARRAY_IDX(all, i, const mdm_reference_t *);

        if (one->kind == MDM_REFERENCE_SECRET && one->data && !strcmp(one->name, secret))
            return one->path;
    }
    return NULL;
}

/* A value that is not base64 where versions in use take it as that. */
static apr_status_t check_uses(const work_t *w)
{
    mdm_ctx_t *ctx = w->st->ctx;
    int i;

    if (is_base64(w->request->body, ctx->pool))
        return APR_SUCCESS;
    for (i = 0; i < w->out->uses->nelts; i++) {
        const mdm_secret_use_t *use = &APR_ARRAY_IDX(w->out->uses, i, mdm_secret_use_t);
        mdm_template_t *t;
        const char *place;
        apr_status_t rv = mdm_library_template(&t, w->st, use->profile, use->version);

        if (rv != APR_SUCCESS)
            return rv;
        if (t && (place = data_place(t, w->request->name)))
            return mdm_fail(ctx, MDM_EINPUT, "value is not base64, and version %d of the profile %s takes it as "
                            "that (%s): give one in base64", use->version, use->name, place);
    }
    return APR_SUCCESS;
}

static apr_status_t look(work_t *w)
{
    apr_status_t rv = mdm_store_secret_uses(&w->out->uses, w->st, w->request->name);

    return rv == APR_SUCCESS ? mdm_store_secret_enrollments(&w->out->enrollments, w->st, w->request->name) : rv;
}

/* It is put first and its uses are looked for afterwards, as below. */
static apr_status_t rotate(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    mdm_store_t *st = w->st;
    mdm_bytes_t present = { NULL, 0 };
    int was = 0;
    apr_status_t rv = mdm_store_secret_value(&present, &was, st, w->request->name);

    (void)db;
    w->out->generation = was;
    if (rv == MDM_ENOTFOUND || rv == MDM_ECRYPTO)
        mdm_ctx_clear(st->ctx);
    else if (rv != APR_SUCCESS)
        return rv;
    w->out->made = !present.data || !mdm_equal((const char *)present.data, (const char *)w->request->body.data);
    if (!w->out->made)
        return look(w);
    rv = mdm_store_secret_put(&w->out->generation, st, w->request->name, w->request->body, w->request->actor);
    if (rv == APR_SUCCESS)
        rv = look(w);
    if (rv == APR_SUCCESS)
        rv = check_uses(w);
    if (rv == APR_SUCCESS)
        rv = note(w, was ? "secret.rotated" : "secret.created", w->out->generation);
    return rv == APR_SUCCESS && w->out->uses->nelts
        ? mdm_store_change_add(st, MDM_CHANGE_SECRET, w->request->name, w->request->actor) : rv;
}

apr_status_t mdm_library_rotate(mdm_library_secret_t *out, mdm_store_t *st, const mdm_library_request_t *request)
{
    work_t w = { out, st, request };
    apr_status_t rv = mdm_library_name(st->ctx, "secret", request->name);

    memset(out, 0, sizeof(*out));
    if (rv != APR_SUCCESS)
        return rv;
    if (!request->body.len)
        rv = mdm_fail(st->ctx, MDM_EINPUT, "value is empty: give one, or delete the secret");
    else if (request->body.len > MDM_SECRET_VALUE_MAX)
        rv = mdm_fail(st->ctx, MDM_ETOOBIG, "value must not have more than %d bytes", MDM_SECRET_VALUE_MAX);
    else if (!mdm_plist_is_text(request->body))
        rv = mdm_fail(st->ctx, MDM_EINPUT, "value holds characters that no profile can carry: give bytes as base64, "
                      "and name it with :data");
    else
        rv = mdm_db_transact(st->db, rotate, &w);
    return mdm_refusal_of(st->ctx, rv, "secret", request->name);
}

/* It goes first and is looked for afterwards, so that a save at the same time is seen or waits. */
static apr_status_t forget(void *baton, mdm_db_t *db)
{
    work_t *w = baton;
    apr_status_t rv = mdm_store_secret_delete(w->st, w->request->name);

    (void)db;
    if (rv == APR_SUCCESS)
        rv = look(w);
    if (rv == APR_SUCCESS && w->out->uses->nelts) {
        const mdm_secret_use_t *use = &APR_ARRAY_IDX(w->out->uses, 0, mdm_secret_use_t);

        return mdm_fail(w->st->ctx, MDM_EEXIST, "the secret %s is in use by version %d of the profile %s%s: save a "
                        "version without it, or archive the profile, first", w->request->name, use->version, use->name,
                        w->out->uses->nelts > 1
                        ? apr_psprintf(w->st->ctx->pool, " and %d more", w->out->uses->nelts - 1) : "");
    }
    return rv == APR_SUCCESS ? note(w, "secret.deleted", 0) : rv;
}

apr_status_t mdm_library_forget_secret(mdm_store_t *st, const mdm_library_request_t *request)
{
    mdm_library_secret_t out = { 0 };
    work_t w = { &out, st, request };

    return mdm_db_transact(st->db, forget, &w);
}
