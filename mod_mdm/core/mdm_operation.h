/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SCEP operation on its way, for the files of mdm_pkioperation alone: what was asked, by whom, and what the
 * answer will be. Any thread; lives as long as its request.
 */
#ifndef MDM_OPERATION_H
#define MDM_OPERATION_H

#include "mdm_authority.h"
#include "mdm_scep.h"
#include "mdm_store.h"

typedef struct mdm_operation_t {
    mdm_store_t *st;
    const mdm_site_t *site;
    const mdm_scep_request_t *request;
    const char *source;               /* client address, for the audit trail */
    mdm_scep_fail_info_e fail_info;   /* goes with MDM_EDENIED, MDM_EINPUT and MDM_ECMS */

    apr_int64_t ended;                /* a request of this key and transaction that another challenge may replace */
    const char *ended_how;
    mdm_cert_t *made;                 /* issued, and stored once the transaction holds */
    /* With APR_SUCCESS one of these is the answer. */
    const mdm_cert_t *certificate;
    mdm_bytes_t crl;
    int pending;
} mdm_operation_t;

/** Refuse: note failInfo and reason. @return MDM_EDENIED */
apr_status_t mdm_operation_refuse(mdm_operation_t *op, mdm_scep_fail_info_e fail_info, const char *why);

/**
 * Issue for `csr` and store it, inside a transaction: the certificate, its event, the session's identity.
 * @param payer who vouches: its user, sha256 (NULL: none), session and enrollment go to the certificate
 * @return MDM_ECONFIG when the CA is out of date
 */
apr_status_t mdm_operation_issue(mdm_operation_t *op, const mdm_csr_t *csr, const mdm_challenge_t *payer);

/** Answer with a certificate that was issued before, unless it has been revoked since. */
apr_status_t mdm_operation_reissue(mdm_operation_t *op, const mdm_certificate_t *row);

/** Whether a certificate we issued still counts; if not, a refusal has been noted. */
int mdm_operation_in_force(mdm_operation_t *op, const mdm_certificate_t *row);

/**
 * Answer from what waits under the request's transaction id and signing key, inside a transaction: PENDING, the
 * certificate (issued now when it is approved), or a refusal. The same for CertPoll and a repeated PKCSReq.
 * @return MDM_ENOTFOUND when nothing does, also when what did has ended and this is a PKCSReq: op->ended
 */
apr_status_t mdm_operation_answer_waiting(mdm_operation_t *op);

/** Let the request wait for an administrator, inside a transaction. @param payer the challenge it has used up */
apr_status_t mdm_operation_wait(mdm_operation_t *op, const mdm_challenge_t *payer);

/** GetCert: one's own certificate, for its holder. Two statements at most. */
apr_status_t mdm_operation_get_cert(mdm_operation_t *op);

/** GetCRL of one of the site's CAs. */
apr_status_t mdm_operation_get_crl(mdm_operation_t *op);

#endif
