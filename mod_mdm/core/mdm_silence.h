/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices that have fallen silent, and those that are gone without a CheckOut. Called by the housekeeper.
 */
#ifndef MDM_SILENCE_H
#define MDM_SILENCE_H

#include "mdm_site.h"
#include "mdm_store.h"

typedef struct mdm_silence_counts_t {
    int silent, heard, missing;
} mdm_silence_counts_t;

/**
 * One step over the enrolled devices: those not heard of for site->silent_after (0: never) become silent, silent ones
 * that were heard of are so no more, silent ones whose push token APNs calls dead become MDM_STATE_MISSING and lose
 * their open commands. Each change is an event. Its changes are one transaction of its own.
 * @param counts what the step has done is added
 * @param cursor in: 0 to start; out: where to go on, 0 when all have been looked at; unchanged by a failure
 */
apr_status_t mdm_silence_sweep(mdm_silence_counts_t *counts, apr_int64_t *cursor, mdm_store_t *st,
                               const mdm_site_t *site);

/** How long after a whole sweep the next is due. */
apr_interval_time_t mdm_silence_every(const mdm_site_t *site);

#endif
