/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fan-out: it works off changes (mdm_change) and marks (mdm_recheck), so that what should hold for each enrollment
 * concerned is up to date, and what is new is queued and its device woken. Steps of MDM_QUEUE_CHUNK enrollments, each
 * one transaction that also writes down how far it is; one process of all by the job "fanout". Runs in the worker's
 * thread, in turns between pushes; waits for nothing but the database.
 */
#ifndef MDM_FANOUT_H
#define MDM_FANOUT_H

#include "mdm_site.h"
#include "mdm_store.h"

#define MDM_FANOUT_JOB "fanout"

typedef struct mdm_fanout_t mdm_fanout_t;

typedef struct mdm_fanout_config_t {
    /* Lend a store for ctx; NULL baton allowed. `close` gives it back before ctx->pool goes. */
    apr_status_t (*open)(mdm_store_t **st, mdm_ctx_t *ctx, void *baton);
    void (*close)(mdm_store_t *st, void *baton);
    void *baton;
    const mdm_site_t *site;
    const char *owner;            /* of leases: one process */
} mdm_fanout_config_t;

/** Make one in ctx->pool, with ctx->log as its log. `config` is copied, not what it points to. */
mdm_fanout_t *mdm_fanout_create(mdm_ctx_t *ctx, const mdm_fanout_config_t *config);

/**
 * One turn: a part of a second at most. Failures are logged and tried again; nothing is returned.
 * @param woken  nonzero: somebody says that there is work
 * @param queued set to 1 when wake-ups are wanted now; else not touched
 * @return when to call again
 */
apr_time_t mdm_fanout_turn(mdm_fanout_t *fanout, int woken, int *queued);

/**
 * Work off all there is at this moment, without a lease, for tests and tools; each step a transaction as in a turn.
 * @param steps at most; 0: any number
 */
apr_status_t mdm_fanout_run(mdm_store_t *st, int steps);

#endif
