/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker: one thread in one child of the machine that sends pushes, and one in every child that writes
 * last-seen marks. Requests wake the worker and never wait for it.
 */
#ifndef MOD_MDM_WORKER_H
#define MOD_MDM_WORKER_H

#include <mod_watchdog.h>

#include "mod_mdm_config.h"

/**
 * post_config, before mod_watchdog's: make the wake-up pipe in p and register the watchdogs.
 * @param sites array of mdm_conf_t *, lives as long as p
 * @return OK, or HTTP_INTERNAL_SERVER_ERROR after a log line
 */
int mdm_worker_post_config(const apr_array_header_t *sites, apr_pool_t *p, server_rec *s);

/** child_init: make the gate that keeps the threads away from the child's pools once these go. */
void mdm_worker_child_init(apr_pool_t *pchild, server_rec *s);

/** child_stopping: the threads come to their end. */
void mdm_worker_child_stopping(apr_pool_t *pchild, int graceful);

/**
 * Something may be due: the worker looks at the database at once, whichever child it runs in. Call after the commit;
 * any thread, never blocks, cannot fail in a way that matters (a sweep finds what a lost wake-up would have).
 */
void mdm_worker_wake(void);

/** A pool for a thread of ours: the child's pools are not for its threads. NULL: no memory */
apr_pool_t *mdm_worker_pool(void);

/** A name for leases: of this machine, this process and this call. */
const char *mdm_worker_owner(apr_pool_t *p);

/** A thread of mod_watchdog's that calls back. @param singleton nonzero: in one child of the machine at a time */
apr_status_t mdm_worker_watchdog(const char *name, int singleton, apr_interval_time_t interval,
                                 ap_watchdog_callback_fn_t *callback, apr_pool_t *p);

#endif
