/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is told when a secret or a version of a profile does not open with the sealing key: one event and one warning
 * for each, however many enrollments, turns, nodes and restarts come upon it, and a sentence on the status page for as
 * long as it is so. Called by the fan-out, the delivery of profiles and the status page.
 */
#ifndef MDM_UNREADABLE_H
#define MDM_UNREADABLE_H

#include <jansson.h>

#include "mdm_render.h"

/**
 * Note what a shelf has found, with an event for each that nobody has noted before. In the transaction that blocks
 * those concerned; nothing is asked when nothing was found.
 */
apr_status_t mdm_unreadable_note(mdm_store_t *st, mdm_render_t *render);

/** After that transaction: a warning for each that was noted first. */
void mdm_unreadable_tell(mdm_ctx_t *ctx, mdm_render_t *render);

/**
 * Look whether some of those noted open after all, as when the key has come back: they become changes to be worked
 * off. For the start of a worker. One statement when there are none.
 */
apr_status_t mdm_unreadable_again(mdm_store_t *st);

/** A sentence for each of those noted that are in use; without one when the database fails. */
void mdm_unreadable_alerts(json_t *alerts, mdm_store_t *st);

#endif
