/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work by the clock: commands come into their time and run out of it, history is forgotten, silent devices are noted,
 * profiles are checked and mended.
 * Of all nodes with one database one does each job (mdm_job).
 */
#ifndef MDM_HOUSEKEEPER_H
#define MDM_HOUSEKEEPER_H

#include "mdm_site.h"
#include "mdm_store.h"

typedef struct mdm_housekeeper_t mdm_housekeeper_t;

typedef struct mdm_housekeeper_config_t {
    /* Lend a store for ctx; NULL baton allowed. `close` gives it back before ctx->pool goes. */
    apr_status_t (*open)(mdm_store_t **st, mdm_ctx_t *ctx, void *baton);
    void (*close)(mdm_store_t *st, void *baton);
    void *baton;
    const mdm_site_t *site;
    const char *owner;              /* names this process among all that share the database */
} mdm_housekeeper_config_t;

/** Make one in ctx->pool, with ctx->log as its log. `config` is copied, not what it points to. */
mdm_housekeeper_t *mdm_housekeeper_create(mdm_ctx_t *ctx, const mdm_housekeeper_config_t *config);

/**
 * One turn, a part of a second at most. Failures are logged and tried again; nothing is returned.
 * @param queued in: nonzero when commands may have come; set to 1 when wake-ups are wanted now; else not touched
 * @return when to call again: the next edge, or some seconds later
 */
apr_time_t mdm_housekeeper_turn(mdm_housekeeper_t *housekeeper, int *queued);

#endif
