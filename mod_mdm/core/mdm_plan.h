/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to be done for enrollments so that what should hold will: what should hold, compared with what is there or
 * on its way. The fan-out does it, the preview counts it.
 */
#ifndef MDM_PLAN_H
#define MDM_PLAN_H

#include "mdm_effect.h"
#include "mdm_render.h"

typedef enum {
    MDM_PLAN_INSTALL = 1,         /* a profile that the device does not have */
    MDM_PLAN_REPLACE,             /* one that it has in another version, or may have */
    MDM_PLAN_REMOVE,
    MDM_PLAN_WITHDRAW,            /* it was on its way and is not wanted any more: the device never sees it */
    MDM_PLAN_BLOCK,               /* it should hold and cannot be sent: `reason` */
    MDM_PLAN_NOTE,                /* nothing for the device: version, assignment or reason are others */
    MDM_PLAN_WAIT                 /* its turn in a rollout has not come: nothing is written */
} mdm_plan_e;

typedef struct mdm_plan_item_t {
    mdm_plan_e action;
    const mdm_effect_of_t *of;
    apr_int64_t profile;
    const mdm_catalog_profile_t *of_profile;  /* NULL: it is not assigned to anybody any more */
    int version;                  /* 0: none */
    const char *want_uuid, *reason;
    apr_int64_t assignment;
    const mdm_desired_t *row;     /* what there is; NULL: nothing */
    const mdm_effect_t *effect;   /* NULL: nothing should hold */
} mdm_plan_item_t;

/**
 * Plan a batch.
 * @param forced profiles whose content may be another although the version is the same (apr_int64_t); NULL: all that
 *               depend on users or devices
 * @param items  array of mdm_plan_item_t, in the order of enrollments, only what is to be done
 */
apr_status_t mdm_plan_make(apr_array_header_t **items, mdm_store_t *st, mdm_render_t *render,
                           const mdm_effect_batch_t *batch, const apr_array_header_t *forced);

#endif
