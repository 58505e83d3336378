/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An administrator's word on SCEP requests that wait for it (MDMSCEPApproval manual). Called by the API and
 * mdmctl; the certificate is issued when the client asks next.
 */
#ifndef MDM_REQUEST_H
#define MDM_REQUEST_H

#include "mdm_store.h"

/**
 * Approve or deny a pending request, with its event, in one transaction.
 * @param out    the request as it is then; may be NULL
 * @param state  MDM_REQUEST_APPROVED or MDM_REQUEST_DENIED
 * @param actor  who decides; @param source his address, or NULL
 * @return MDM_ENOTFOUND when there is no such request, MDM_EEXIST when it has been decided already, MDM_EDB
 */
apr_status_t mdm_request_decide(mdm_request_t **out, mdm_store_t *st, apr_int64_t id, mdm_request_state_e state,
                                const char *actor, const char *source);

/** The id in a text of digits; 0 when it is none. */
apr_int64_t mdm_request_id(const char *text);

#endif
