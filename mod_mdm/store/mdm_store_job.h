/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that one process of all does now and then: who does it holds a lease, which ends by itself when he dies.
 */
#ifndef MDM_STORE_JOB_H
#define MDM_STORE_JOB_H

#include "mdm_store_base.h"

typedef struct mdm_job_t {
    const char *name;
    const char *owner;
    const char *position;           /* where the last run stopped; NULL: at the end, or never run */
} mdm_job_t;

/**
 * Take a job that is due and nobody's for the length of `lease`. One statement when it is not due, two or three else.
 * @param job NULL: not due, or somebody else's
 */
apr_status_t mdm_store_job_claim(mdm_job_t **job, mdm_store_t *st, const char *name, const char *owner,
                                 apr_interval_time_t lease);

/**
 * Hold it for the length of `lease` from now; in a transaction, nobody else gets it before that ends. One statement.
 * @return MDM_EGONE when somebody else has it by now
 */
apr_status_t mdm_store_job_renew(mdm_store_t *st, const mdm_job_t *job, apr_interval_time_t lease);

/**
 * Wait for the transaction that has renewed the lease of this job to end; the next begins after this transaction. Call
 * it before anything is written, so that nobody waits for who waits. One statement on PostgreSQL; none else, where
 * transactions that write exclude each other.
 */
apr_status_t mdm_store_job_await(mdm_store_t *st, const char *name);

/** Give it back: due again at `due_at`, to go on at `position`. One statement. */
apr_status_t mdm_store_job_advance(mdm_store_t *st, const mdm_job_t *job, apr_time_t due_at, const char *position);

#endif
