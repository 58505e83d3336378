/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of the fan-out: the next enrollments of a change, or the next marked ones. core/mdm_fanout.c says when.
 */
#ifndef MDM_FANOUT_STEP_H
#define MDM_FANOUT_STEP_H

#include "mdm_catalog.h"
#include "mdm_render.h"
#include "mdm_store_job.h"

/* What is kept for the time of a turn. */
typedef struct mdm_fanout_work_t {
    mdm_store_t *st;              /* whose pool keeps it */
    const mdm_job_t *job;         /* whose lease each step renews; NULL: there is no other process */
    apr_interval_time_t lease;
    int lost;                     /* another process has the job by now: no more steps */
    mdm_catalog_t *catalog;       /* NULL: not read yet */
    mdm_render_t *render;
    apr_int64_t change;           /* whose enrollments these are, */
    apr_int64_t position;         /* which stands here, unless somebody else has moved it: */
    apr_array_header_t *ids;      /* apr_int64_t, in order */
    int at;                       /* the next of them */
    int last;                     /* there are none behind them */
    apr_array_header_t *forced;   /* apr_int64_t: profiles that the change is about */
    apr_array_header_t *cluster;  /* apr_int64_t: with those that they can stand in the way of */
    int queued;                   /* commands, in this turn */
} mdm_fanout_work_t;

/** A new one that keeps things in st->ctx->pool. No statement. */
mdm_fanout_work_t *mdm_fanout_work(mdm_store_t *st);

/** One step of the oldest change. @param more 0: there was none, or the job is lost */
apr_status_t mdm_fanout_change(int *more, mdm_fanout_work_t *work);

/** One step through the oldest marks. @param more 0: there was none, or the job is lost */
apr_status_t mdm_fanout_recheck(int *more, mdm_fanout_work_t *work);

#endif
