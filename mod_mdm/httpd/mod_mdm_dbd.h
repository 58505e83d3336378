/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Database connections from mod_dbd, wrapped for the store. A thread never holds two.
 */
#ifndef MOD_MDM_DBD_H
#define MOD_MDM_DBD_H

#include "mdm_store.h"
#include "mod_mdm_config.h"

/** Find mod_dbd's functions; optional_fn_retrieve hook. */
void mdm_dbd_retrieve(void);

/**
 * The request's store: its connection goes back with r->pool.
 * @return MDM_EDB, MDM_ESCHEMA with a sentence in ctx
 */
apr_status_t mdm_dbd_request(mdm_store_t **st, mdm_ctx_t *ctx, request_rec *r);

/** A store outside a request (worker thread): give it back with mdm_dbd_close before ctx->pool is cleared. */
apr_status_t mdm_dbd_open(mdm_store_t **st, mdm_ctx_t *ctx, const mdm_conf_t *conf);
void mdm_dbd_close(mdm_store_t *st, const mdm_conf_t *conf);

#endif
