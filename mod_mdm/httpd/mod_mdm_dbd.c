/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Database connections from mod_dbd, taken out of its pool and given back as soon as they are not needed: mod_dbd
 * itself would keep a request's until the client has read the answer, and wait without end for the next one. mod_dbd's
 * functions are optional ones: they are looked up, never linked.
 */
#include <httpd.h>

#include <apr_dbd.h>
#include <apr_optional.h>
#include <http_config.h>
#include <mod_dbd.h>

#include "mod_mdm_dbd.h"

#define REQUEST_KEY "mdm-dbd"

static APR_OPTIONAL_FN_TYPE(ap_dbd_acquire) *dbd_acquire;
static APR_OPTIONAL_FN_TYPE(ap_dbd_open) *dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) *dbd_close;
static const module *mod_dbd;

void mdm_dbd_retrieve(void)
{
    dbd_acquire = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_acquire);
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    mod_dbd = ap_find_linked_module("mod_dbd.c");
}

/* The connection behind a store, to be given back. */
typedef struct {
    mdm_store_t store;
    ap_dbd_t *dbd;
    int shared;                     /* another module's, which gives it back itself */
} held_t;

static apr_status_t wrap(held_t *held, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    mdm_store_t *st = &held->store;
    apr_status_t rv;

    st->ctx = ctx;
    st->seal = conf->site->seal;
    rv = mdm_db_wrap(&st->db, ctx, held->dbd->driver, held->dbd->handle, held->dbd->pool);
    return rv == APR_SUCCESS ? mdm_store_ready(st) : rv;
}

static void give_back(held_t *held, server_rec *server)
{
    if (held->store.db)
        mdm_db_retire(held->store.db);
    if (!held->shared)
        dbd_close(server, held->dbd);
}

static apr_status_t unavailable(mdm_ctx_t *ctx)
{
    return mdm_fail(ctx, MDM_EDB,
                    "the database cannot be reached: see the lines of mod_dbd, DBDriver and DBDParams");
}

static apr_status_t take(held_t **out, mdm_ctx_t *ctx, const mdm_conf_t *conf, server_rec *server)
{
    held_t *held = apr_pcalloc(ctx->pool, sizeof(*held));
    apr_status_t rv;

    if (!dbd_open)
        return unavailable(ctx);
    held->dbd = dbd_open(ctx->pool, server);
    /* A connection that died while it lay in the pool shows itself as one NULL; the next one is fresh. */
    if (!held->dbd)
        held->dbd = dbd_open(ctx->pool, server);
    if (!held->dbd)
        return unavailable(ctx);
    rv = wrap(held, ctx, conf);
    if (rv != APR_SUCCESS)
        give_back(held, server);
    else
        *out = held;
    return rv;
}

/*
 * The connection that another module (mod_authn_dbd) has taken for this request and keeps until its end. It has to do
 * for us, too: threads that hold one and wait for a second wait for each other.
 */
static ap_dbd_t *taken_already(request_rec *r)
{
    request_rec *first = r;

    while (first->prev || first->main)
        first = first->prev ? first->prev : first->main;
    return mod_dbd && dbd_acquire && ap_get_module_config(first->request_config, mod_dbd) ? dbd_acquire(r) : NULL;
}

static apr_status_t share(held_t **out, mdm_ctx_t *ctx, const mdm_conf_t *conf, ap_dbd_t *dbd)
{
    held_t *held = apr_pcalloc(ctx->pool, sizeof(*held));
    apr_status_t rv;

    held->dbd = dbd;
    held->shared = 1;
    if ((rv = wrap(held, ctx, conf)) == APR_SUCCESS)
        *out = held;
    return rv;
}

apr_status_t mdm_dbd_request(mdm_store_t **st, mdm_ctx_t *ctx, request_rec *r)
{
    const mdm_conf_t *conf = mdm_config_of(r->server);
    ap_dbd_t *taken = taken_already(r);
    held_t *held;
    apr_status_t rv;

    mdm_dbd_release(r);
    rv = taken ? share(&held, ctx, conf, taken) : take(&held, ctx, conf, r->server);
    if (rv != APR_SUCCESS)
        return rv;
    apr_pool_userdata_setn(held, REQUEST_KEY, NULL, r->pool);
    *st = &held->store;
    return APR_SUCCESS;
}

void mdm_dbd_release(request_rec *r)
{
    void *held = NULL;

    apr_pool_userdata_get(&held, REQUEST_KEY, r->pool);
    if (!held)
        return;
    apr_pool_userdata_setn(NULL, REQUEST_KEY, NULL, r->pool);
    give_back(held, r->server);
}

apr_status_t mdm_dbd_open(mdm_store_t **st, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    held_t *held;
    apr_status_t rv = take(&held, ctx, conf, conf->server);

    if (rv == APR_SUCCESS)
        *st = &held->store;
    return rv;
}

void mdm_dbd_close(mdm_store_t *st, const mdm_conf_t *conf)
{
    give_back((held_t *)st, conf->server);
}
