/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices answer about profiles that should hold for them (mdm_desired): installs, removals, and lists of what is
 * there. An acknowledgement is a promise, a ProfileList the proof. Called in the transaction of a device's message, any
 * thread.
 */
#ifndef MDM_DRIFT_H
#define MDM_DRIFT_H

#include "mdm_device.h"

/** Below every install and removal, so that it sees what all of them have done. */
#define MDM_DRIFT_LIST_PRIORITY (-50)

/** Whether an answer to a command of this delivery is for mdm_drift_answered. No statement. */
int mdm_drift_wanted(mdm_delivery_e delivery);

/**
 * Take the answer to an install or a removal (MDM_DELIVERY_PROFILE, _PROFILE_REMOVAL) in. Acknowledged: an install is
 * `acked`, a removal stays `removing`, and a ProfileList follows in the same session. Anything else: the row is
 * `failed` with the device's words, and next_try_at says when it is tried again (site->profile_retry); after the last
 * time it stays so, with one event "profile.failed". The answer to a command that is not the row's any more changes
 * nothing. One to four statements.
 * @param row    of this message; `row->next` becomes the ProfileList when nothing else is left to hand out
 * @param status "Acknowledged", "Error", "CommandFormatError"; "Cancelled": it could not be handed out
 * @param chain  ErrorChain, or NULL
 * @param why    in place of the chain, for "Cancelled"; else NULL
 * @return MDM_EDB
 */
apr_status_t mdm_drift_answered(mdm_store_t *st, const mdm_site_t *site, mdm_connect_row_t *row,
                                const mdm_device_t *device, const char *status, const mdm_plist_t *chain,
                                const char *why);

/**
 * Compare what a device has listed with what should hold for it. For an answer whose items are stored already. One
 * statement when nothing has changed, four at most.
 * @param list         the array ProfileList of the answer
 * @param managed_only the command asked for managed profiles alone
 * @return MDM_EDB
 */
apr_status_t mdm_drift_list(mdm_store_t *st, const mdm_site_t *site, const mdm_connect_row_t *row,
                            const mdm_device_t *device, const mdm_plist_t *list, int managed_only);

/**
 * A ProfileList for the device that speaks, unless one waits already: in this session when nothing else is left,
 * without a push. One statement or two.
 */
apr_status_t mdm_drift_look(mdm_store_t *st, mdm_connect_row_t *row, const mdm_device_t *device);

/**
 * First of all in a transaction that ends an enrollment or begins it anew: no step of the fan-out is under way from now
 * on, which would queue for what it has read before. One statement on PostgreSQL, none else.
 */
apr_status_t mdm_drift_pause(mdm_store_t *st);

/**
 * The enrollment and its user channels are over: what should hold is `gone` with them. Before the enrollment is closed
 * and its queue cancelled: a remedy under way ends here, and what it has queued is there by then. One statement.
 */
apr_status_t mdm_drift_closed(mdm_store_t *st, apr_int64_t enrollment);

/**
 * A missing enrollment is back without a new one, and is enrolled again already. What it was given last counts as
 * acknowledged until its list, which is asked for, says what is there; so what is not wanted any more is removed. Mark
 * it then. User channels return themselves. Two statements, five when it had profiles.
 */
apr_status_t mdm_drift_returned(mdm_store_t *st, apr_int64_t enrollment);

/** The device enrolls anew: nothing is known of its profiles. Two statements. */
apr_status_t mdm_drift_begun(mdm_store_t *st, apr_int64_t enrollment);

#endif
