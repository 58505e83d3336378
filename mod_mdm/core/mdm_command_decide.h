/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people decide about commands that were ordered: take them back, approve them, deny them. Each decision is one
 * transaction with its event in the audit trail.
 */
#ifndef MDM_COMMAND_DECIDE_H
#define MDM_COMMAND_DECIDE_H

#include "mdm_site.h"
#include "mdm_store.h"

typedef struct mdm_decision_t {
    const char *actor, *source;         /* who decides, and from where */
    int count;                          /* out: enrollments (or commands) that it was effective for */
    const apr_array_header_t *sent;     /* out, cancel: const char *, those that went out already; 100 at most */
    const mdm_site_t *site;             /* when a profile is tried again whose command is ended; NULL: never */
} mdm_decision_t;

/**
 * Take back what is with no device: not handed out yet, put off with NotNow, or held. An install or removal of a
 * profile that should hold has failed then, and is tried again after the first of site->profile_retry.
 * @param enrollment_id for this enrollment alone; NULL: for all
 * @return MDM_ENOTFOUND; MDM_EEXIST when there is nothing left to take back
 */
apr_status_t mdm_command_cancel(mdm_decision_t *decision, mdm_store_t *st, const char *uuid,
                                const char *enrollment_id);

/**
 * The same for all that waits for one enrollment; that nothing waits is no failure.
 * @return MDM_ENOTFOUND, MDM_EEXIST
 */
apr_status_t mdm_command_clear(mdm_decision_t *decision, mdm_store_t *st, const char *enrollment_id);

/**
 * Approve a command that waits for a second person: it may go out, and its devices are woken. Or deny it: it ends.
 * @return MDM_ENOTFOUND; MDM_EDENIED for the person who ordered it; MDM_EEXIST when it does not wait (any more)
 */
apr_status_t mdm_command_decide(mdm_decision_t *decision, mdm_store_t *st, const char *uuid, int approve);

#endif
