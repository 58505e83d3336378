/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker: one thread in one child of the machine that sends pushes, and one in every child that writes
 * last-seen marks. Requests wake the worker and never wait for it.
 */
#ifndef MOD_MDM_WORKER_H
#define MOD_MDM_WORKER_H

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

#endif
