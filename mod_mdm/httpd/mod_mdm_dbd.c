/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Database connections from mod_dbd. Requests use the connection that httpd keeps for them; the worker opens
 * its own and gives it back. mod_dbd's functions are optional ones: they are looked up, never linked.
 */
#include <apr_dbd.h>
#include <apr_optional.h>
#include <mod_dbd.h>

#include "mod_mdm_dbd.h"

static APR_OPTIONAL_FN_TYPE(ap_dbd_acquire) *dbd_acquire;
static APR_OPTIONAL_FN_TYPE(ap_dbd_open) *dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) *dbd_close;

void mdm_dbd_retrieve(void)
{
    dbd_acquire = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_acquire);
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
}

/* The connection behind a store of the worker, to be given back. */
typedef struct {
    mdm_store_t store;
    ap_dbd_t *dbd;
} held_t;

static apr_status_t wrap(mdm_store_t *st, mdm_ctx_t *ctx, ap_dbd_t *dbd, const mdm_conf_t *conf)
{
    apr_status_t rv;

    st->ctx = ctx;
    st->seal = conf->site->seal;
    rv = mdm_db_wrap(&st->db, ctx, dbd->driver, dbd->handle, dbd->pool);
    return rv == APR_SUCCESS ? mdm_store_ready(st) : rv;
}

static apr_status_t unavailable(mdm_ctx_t *ctx)
{
    return mdm_fail(ctx, MDM_EDB,
                    "the database cannot be reached: see the lines of mod_dbd, DBDriver and DBDParams");
}

apr_status_t mdm_dbd_request(mdm_store_t **st, mdm_ctx_t *ctx, request_rec *r)
{
    held_t *held = apr_pcalloc(ctx->pool, sizeof(*held));
    apr_status_t rv;

    if (!dbd_acquire)
        return unavailable(ctx);
    held->dbd = dbd_acquire(r);
    /* A connection that died while it lay in the pool shows itself as one NULL; the next one is fresh. */
    if (!held->dbd)
        held->dbd = dbd_acquire(r);
    if (!held->dbd)
        return unavailable(ctx);
    rv = wrap(&held->store, ctx, held->dbd, mdm_config_of(r->server));
    if (rv == APR_SUCCESS)
        *st = &held->store;
    return rv;
}

apr_status_t mdm_dbd_open(mdm_store_t **st, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    held_t *held = apr_pcalloc(ctx->pool, sizeof(*held));
    apr_status_t rv;

    if (!dbd_open)
        return unavailable(ctx);
    held->dbd = dbd_open(ctx->pool, conf->server);
    if (!held->dbd)
        held->dbd = dbd_open(ctx->pool, conf->server);
    if (!held->dbd)
        return unavailable(ctx);
    rv = wrap(&held->store, ctx, held->dbd, conf);
    if (rv != APR_SUCCESS)
        dbd_close(conf->server, held->dbd);
    else
        *st = &held->store;
    return rv;
}

void mdm_dbd_close(mdm_store_t *st, const mdm_conf_t *conf)
{
    held_t *held = (held_t *)st;

    dbd_close(conf->server, held->dbd);
}
