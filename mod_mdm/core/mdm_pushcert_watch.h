/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ends of push certificates, announced in time: in the log each day from 30 days before, and in the audit trail at
 * 30, 14, 7 and 1 days and at the end.
 */
#ifndef MDM_PUSHCERT_WATCH_H
#define MDM_PUSHCERT_WATCH_H

#include "mdm_store.h"

typedef struct mdm_pushcert_watch_t mdm_pushcert_watch_t;

/** Make one in ctx->pool, with ctx->log as its log. `open` lends a store, `close` gives it back, as for renewals. */
mdm_pushcert_watch_t *mdm_pushcert_watch_create(mdm_ctx_t *ctx,
                                                apr_status_t (*open)(mdm_store_t **st, mdm_ctx_t *ctx, void *baton),
                                                void (*close)(mdm_store_t *st, void *baton), void *baton);

/** Look, when it is time: once an hour, one statement. @return when to call again */
apr_time_t mdm_pushcert_watch_turn(mdm_pushcert_watch_t *watch);

/** The stage of a certificate's end: 30, 14, 7, 1, 0 (over), or -1 when it is farther away than 30 days. */
int mdm_pushcert_stage(apr_time_t not_after, apr_time_t now);

#endif
