/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that need a second person (MDMApproval): who may decide, and what may be handed out. Both go by what is
 * sealed, the body and the names of people, never by what a row says: whoever can write to the database, but has no
 * sealing key, frees nothing.
 */
#ifndef MDM_APPROVAL_H
#define MDM_APPROVAL_H

#include "mdm_site.h"
#include "mdm_store.h"

/** Whether a RequestType needs a second person at this site. */
int mdm_approval_needed(const mdm_site_t *site, const char *request_type);

/**
 * Whether `actor` may approve or deny this command, as far as it depends on people. For an approval its row must also
 * say what its body is, lest somebody approves what he was not shown.
 * @return MDM_EDENIED
 */
apr_status_t mdm_approval_may_decide(mdm_ctx_t *ctx, const mdm_command_t *command, const char *actor, int approve);

/**
 * Whether row->next may be handed out: it needs nobody, or another person than the one who ordered it has approved. One
 * statement for what needs one (MDMApproval), else none.
 * @param held what it is then, for mdm_approval_hold
 * @return MDM_EDENIED when it has to wait; MDM_EGONE when nobody can say any more who ordered it
 */
apr_status_t mdm_approval_check(mdm_command_t *held, mdm_store_t *st, const mdm_site_t *site,
                                const mdm_connect_row_t *row);

/** Let a command wait for its approval, with an event; one transaction. @return MDM_EDB */
apr_status_t mdm_approval_hold(mdm_store_t *st, const mdm_command_t *held, const char *enrollment_id,
                               const char *source);

#endif
