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

/** Give it back: due again at `due_at`, to go on at `position`. One statement. */
apr_status_t mdm_store_job_advance(mdm_store_t *st, const mdm_job_t *job, apr_time_t due_at, const char *position);

#endif
