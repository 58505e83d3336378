/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renewal of device identities, in time and without a rush: the worker plans one for each identity that nears
 * its end, spreads them, queues the enrollment profile anew, and tries again until the new identity is used.
 * Devices do not renew by themselves.
 */
#ifndef MDM_RENEWAL_H
#define MDM_RENEWAL_H

#include "mdm_plist.h"
#include "mdm_site.h"
#include "mdm_store.h"

typedef struct mdm_renewer_t mdm_renewer_t;

typedef struct mdm_renewer_config_t {
    /* Lend a store for ctx; NULL baton allowed. `close` gives it back before ctx->pool goes. */
    apr_status_t (*open)(mdm_store_t **st, mdm_ctx_t *ctx, void *baton);
    void (*close)(mdm_store_t *st, void *baton);
    void *baton;
    const mdm_site_t *site;
} mdm_renewer_config_t;

/** Make one in ctx->pool, with ctx->log as its log. `config` is copied, not what it points to. */
mdm_renewer_t *mdm_renewer_create(mdm_ctx_t *ctx, const mdm_renewer_config_t *config);

/**
 * One turn: plan what has come into its time, queue what is due; a part of a second at most. Several nodes
 * may do so with one database. Failures are logged and tried again; nothing is returned.
 * @param queued set to 1 when wake-ups are wanted now; else not touched
 * @return when to call again
 */
apr_time_t mdm_renewer_turn(mdm_renewer_t *renewer, int *queued);

/** How long before its end a certificate is renewed: as the site says, at most 9/10 of its lifetime. */
apr_interval_time_t mdm_renewal_before(const mdm_site_t *site, apr_time_t issued_at, apr_time_t not_after);

/** A device answered Error to a renewal: remember its words. @param chain ErrorChain, or NULL */
apr_status_t mdm_renewal_refused(mdm_store_t *st, apr_int64_t enrollment, const mdm_plist_t *chain);

#endif
