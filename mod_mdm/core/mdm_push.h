/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The push engine: takes due wake-ups out of the database, sends them to APNs, writes down what became of them.
 * It owns no thread: the worker calls mdm_push_turn and mdm_http_run in turns, from one thread. Several engines (one
 * per database) may share a client. What is claimed is leased, so that nothing is lost when the process dies.
 */
#ifndef MDM_PUSH_H
#define MDM_PUSH_H

#include "mdm_apns.h"
#include "mdm_store.h"

/* A request takes 30 s at most (mdm_apns_build): with this lease it ends before its row is anybody else's. */
#define MDM_PUSH_LEASE apr_time_from_sec(60)
#define MDM_PUSH_CLAIM_MAX 200

typedef struct mdm_push_t mdm_push_t;

typedef struct mdm_push_config_t {
    /* Lend a store for ctx; NULL baton allowed. `close` gives it back before ctx->pool goes. */
    apr_status_t (*open)(mdm_store_t **st, mdm_ctx_t *ctx, void *baton);
    void (*close)(mdm_store_t *st, void *baton);
    void *baton;
    const char *owner;               /* names this process among all that share the database */
    const char *base_url;            /* MDM_APNS_URL or a stand-in, without a slash at the end */
    mdm_bytes_t ca_pem;              /* CAs of the APNs server; empty: the system's */
    apr_interval_time_t expiration;  /* how long APNs keeps a push for a sleeping device; 0: not at all */
    apr_interval_time_t interval;    /* look at the database at least so often: finds other nodes' work */
    int concurrency;                 /* at most so many requests under way */
    /* A device with work that has not come is woken again after `retry_first`, each time twice as late, at most
     * `retry_max`; 0: it is not. */
    apr_interval_time_t retry_first, retry_max;
    int rate;                        /* at most so many per second and topic, 0: no limit */
} mdm_push_config_t;

/** What an engine has done since it was made. */
typedef struct mdm_push_counts_t {
    apr_int64_t claimed, sent, failed, dead, dropped;  /* dropped: lease too short to start; due again after it */
    int ready, under_way, unwritten;                   /* now */
} mdm_push_counts_t;

/**
 * Make an engine in ctx->pool, with ctx->log as its log. `http` must live longer; its `streams` should be no fewer than
 * all engines' concurrency. `config` is copied, not what it points to.
 */
apr_status_t mdm_push_create(mdm_push_t **push, mdm_ctx_t *ctx, mdm_http_t *http, const mdm_push_config_t *config);

/**
 * One turn: write down what has ended, claim what is due, start what can be started. Waits for the database, never for
 * the network. Failures are logged and tried again; nothing is returned.
 * @param woken nonzero: somebody may have committed a new wish, look now
 * @return when to call again at the latest, apart from ended requests and wake-ups
 */
apr_time_t mdm_push_turn(mdm_push_t *push, int woken);

/** Before the end: write down what has ended and give the other claims back. */
void mdm_push_stop(mdm_push_t *push);

void mdm_push_counts(mdm_push_counts_t *counts, const mdm_push_t *push);

#endif
