/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP requests that wait for an administrator (MDMSCEPApproval manual), and those he has decided. Called by
 * SCEP, the API and mdmctl.
 */
#ifndef MDM_STORE_REQUEST_H
#define MDM_STORE_REQUEST_H

#include "mdm_store_base.h"

typedef enum {
    MDM_REQUEST_UNSET = 0,
    MDM_REQUEST_PENDING,
    MDM_REQUEST_APPROVED,         /* the certificate is issued when the client asks next */
    MDM_REQUEST_DENIED,
    MDM_REQUEST_ISSUED
} mdm_request_state_e;

/** "pending", "approved", "denied", "issued". */
const char *mdm_request_state_name(mdm_request_state_e state);

/** The state of such a name; MDM_REQUEST_UNSET when it is none. */
mdm_request_state_e mdm_request_state_of(const char *name);

typedef struct mdm_request_t {
    apr_int64_t id;
    const char *transaction_id;   /* the client's */
    const char *key_sha256;       /* of the SubjectPublicKeyInfo: with transaction_id, who asks */
    mdm_request_state_e state;
    const char *subject;
    const char *request_sha256;
    const char *csr_pem;          /* sealed in the table; not in lists */
    const char *user;             /* of the challenge */
    const char *challenge;        /* its sha256 */
    apr_int64_t session, enrollment;  /* of the challenge */
    const char *certificate;      /* fingerprint, once issued */
    const char *source_ip;
    apr_time_t created_at, decided_at;
    const char *decided_by;
} mdm_request_t;

apr_status_t mdm_store_request_insert(mdm_store_t *st, const mdm_request_t *request);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_request_get(mdm_request_t **out, mdm_store_t *st, apr_int64_t id);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_request_by_transaction(mdm_request_t **out, mdm_store_t *st, const char *transaction_id,
                                              const char *key_sha256);
/** At most `limit` of one state (MDM_REQUEST_UNSET: of all) after the id `cursor`, oldest first. */
apr_status_t mdm_store_request_list(apr_array_header_t **out, mdm_store_t *st, mdm_request_state_e state,
                                    apr_int64_t cursor, int limit);
/** Approve or deny a pending request. @return MDM_ENOTFOUND when there is none that is pending */
apr_status_t mdm_store_request_decide(mdm_store_t *st, apr_int64_t id, mdm_request_state_e state,
                                      const char *actor);
/** An approved request got its certificate. @return MDM_ENOTFOUND when it is not approved (any more) */
apr_status_t mdm_store_request_issued(mdm_store_t *st, apr_int64_t id, const char *fingerprint);
/** Make room for another request of the same key: this one was denied, or its certificate is over. */
apr_status_t mdm_store_request_forget(mdm_store_t *st, apr_int64_t id);

#endif
