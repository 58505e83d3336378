/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done about profiles that are not as they should be: installed or removed again, a few times, ever later,
 * never all at once; and the round in which every device is asked for its profiles once per site->profile_check. Steps
 * for the housekeeper.
 */
#ifndef MDM_REMEDY_H
#define MDM_REMEDY_H

#include "mdm_site.h"
#include "mdm_store.h"

/** So many remedies in one turn of the housekeeper, which comes about once a second. */
#define MDM_REMEDY_TURN 256

/**
 * When the next remedy is due, with some chance in it; 0: there was the last already (site->profile_retry).
 * @param tries   remedies so far
 * @param removal the first removal is at once
 */
apr_time_t mdm_remedy_next(const mdm_site_t *site, int tries, int removal, apr_time_t now);

/** How long a profile has to be well before its remedies are counted anew. */
apr_interval_time_t mdm_remedy_calm(const mdm_site_t *site);

/** A new command ProfileList, with id, for a queue; not stored. @return MDM_ECRYPTO, MDM_EPLIST */
apr_status_t mdm_remedy_list(mdm_command_t **command, mdm_store_t *st);

/**
 * One step of the remedies that are due: at most MDM_QUEUE_CHUNK, one command for each profile, in one transaction.
 * @param done so many; MDM_QUEUE_CHUNK: call again
 */
apr_status_t mdm_remedy_step(int *done, mdm_store_t *st);

/** Where the round of checks is. */
typedef struct mdm_check_round_t {
    apr_time_t started_at;        /* 0: none yet */
    apr_int64_t cursor;           /* the last enrollment that was passed */
    apr_int64_t size, looked;     /* enrollments at its start, passed so far */
} mdm_check_round_t;

/**
 * One step of the round, in a transaction: a ProfileList for those of the next MDM_QUEUE_CHUNK enrollments that need
 * one.
 * @param round where it is; starts anew at its end
 * @param queued so many lists were queued, and their wake-ups are wanted
 * @return MDM_EDB; `round` is unchanged then
 */
apr_status_t mdm_check_step(mdm_check_round_t *round, int *queued, mdm_store_t *st, const mdm_site_t *site);

/** When the next step is due, so that the round takes site->profile_check. */
apr_time_t mdm_check_due(const mdm_check_round_t *round, const mdm_site_t *site);

/** A round as a text for mdm_job.position, and back; a text that is none is a new round. */
const char *mdm_check_text(const mdm_check_round_t *round, apr_pool_t *p);
mdm_check_round_t mdm_check_read(const char *text);

#endif
