/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether devices can be reached: who has fallen silent, and what became of an enrollment's wake-ups. Called by the
 * housekeeper and the API.
 */
#ifndef MDM_STORE_REACH_H
#define MDM_STORE_REACH_H

#include "mdm_store_base.h"

typedef struct mdm_silence_t {
    apr_int64_t enrollment;
    const char *enrollment_id;
    apr_time_t heard_at;          /* last sign of life */
    apr_time_t silent_since;      /* 0: did not count as silent up to now */
    int dead;                     /* APNs has called its push token dead */
} mdm_silence_t;

/**
 * Enrolled devices whose silence has changed: last heard of before `before` and not noted as silent, or noted and heard
 * of again, or noted and with a dead push token. Two statements.
 * @param out    array of mdm_silence_t
 * @param cursor in: 0 to start; out: where to go on, 0 at the end
 * @param step   how many enrollments are looked at
 */
apr_status_t mdm_store_silence_find(apr_array_header_t **out, apr_int64_t *cursor, mdm_store_t *st, apr_time_t before,
                                    int step);

/** Note a device as silent since `since`. @param noted 0 when it has been heard of at or after `before` */
apr_status_t mdm_store_silence_begin(int *noted, mdm_store_t *st, apr_int64_t enrollment, apr_time_t since,
                                     apr_time_t before);

/** It speaks. @param noted 0 when it was not silent */
apr_status_t mdm_store_silence_end(int *noted, mdm_store_t *st, apr_int64_t enrollment);

/** The wake-ups of an enrollment. */
typedef struct mdm_reach_t {
    apr_time_t last_at;           /* the last that APNs answered; 0: none */
    const char *last_reason;      /* "Success", APNs' reason, or ours */
    int dead;                     /* the push token: nothing is sent until the next TokenUpdate */
    apr_time_t due_at;            /* of the next one; 0: none is wanted */
    int repushes;                 /* accepted in a row without a sign of life since */
} mdm_reach_t;

/** One statement. */
apr_status_t mdm_store_reach(mdm_reach_t *reach, mdm_store_t *st, apr_int64_t enrollment);

#endif
