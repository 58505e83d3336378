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
 * The request's store. Its connection goes back before the first byte of the answer is written, which may take as
 * long as the client likes: mod_mdm_io.h sees to it, and the module's handler for what httpd answers itself.
 * Statements fail then; rows stay, being copies in ctx->pool. Another call in the same request gives the one before
 * back.
 * @return MDM_EDB, MDM_ESCHEMA with a sentence in ctx
 */
apr_status_t mdm_dbd_request(mdm_store_t **st, mdm_ctx_t *ctx, request_rec *r);

/** Give the request's connection back, if it has one: before an answer, or before anything else that may take long. */
void mdm_dbd_release(request_rec *r);

/** A store whose end the caller knows (worker thread): give it back with mdm_dbd_close before ctx->pool is cleared. */
apr_status_t mdm_dbd_open(mdm_store_t **st, mdm_ctx_t *ctx, const mdm_conf_t *conf);
void mdm_dbd_close(mdm_store_t *st, const mdm_conf_t *conf);

#endif
