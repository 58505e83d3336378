/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manual approval over SCEP (RFC 8894 3.3.2.3): requests that wait, and clients that ask for them again by
 * CertPoll or, as Apple's do, by the same PKCSReq. Any thread, in the caller's transaction. The certificate is
 * made here when the client asks next, because only httpd has the CA's key.
 */
#include <apr_strings.h>

#include "mdm_operation.h"

static const char *key_of_signer(const mdm_operation_t *op)
{
    return mdm_cert_key_sha256(op->st->ctx, op->request->signer);
}

static apr_status_t read_csr(mdm_csr_t **csr, mdm_operation_t *op, const mdm_request_t *row)
{
    apr_status_t rv = mdm_csr_from_pem(csr, op->st->ctx, mdm_bytes_of(row->csr_pem));

    return rv == MDM_EINPUT ? MDM_EDB : rv;
}

static apr_status_t issue_approved(mdm_operation_t *op, const mdm_request_t *row, const mdm_csr_t *csr)
{
    mdm_challenge_t payer = { 0 };
    apr_status_t rv;

    payer.sha256 = row->challenge;
    payer.user = row->user;
    payer.session = row->session;
    payer.enrollment = row->enrollment;
    op->made = NULL;   /* an earlier run of the transaction may have made one for another request */
    rv = mdm_operation_issue(op, csr, &payer);
    if (rv == APR_SUCCESS)
        rv = mdm_store_request_issued(op->st, row->id, mdm_cert_fingerprint(op->st->ctx, op->made));
    /* Another poll was quicker: run again, and hand out what it has stored. */
    return rv == MDM_ENOTFOUND ? MDM_ECONFLICT : rv;
}

/* Nothing comes of this request any more; a PKCSReq may bring a new challenge. */
static apr_status_t end(mdm_operation_t *op, const mdm_request_t *row, const char *how)
{
    if (!op->request->csr)
        return mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST, how);
    op->ended = row->id;
    op->ended_how = how;
    return mdm_fail(op->st->ctx, MDM_ENOTFOUND, "%s", how);
}

static apr_status_t hand_out(mdm_operation_t *op, const mdm_request_t *row)
{
    mdm_certificate_t *certificate;
    apr_status_t rv = mdm_store_certificate_by_fingerprint(&certificate, op->st, row->certificate);

    if (rv != APR_SUCCESS)
        return rv == MDM_ENOTFOUND ? MDM_EDB : rv;
    if (certificate->revoked_at || certificate->replaced_by
        || certificate->not_after <= mdm_ctx_now(op->st->ctx))
        return end(op, row, "the certificate of this request is revoked, replaced or expired");
    return mdm_operation_reissue(op, certificate);
}

apr_status_t mdm_operation_answer_waiting(mdm_operation_t *op)
{
    mdm_ctx_t *ctx = op->st->ctx;
    mdm_request_t *row;
    mdm_csr_t *csr;
    apr_status_t rv = mdm_store_request_by_transaction(&row, op->st, op->request->transaction_id,
                                                       key_of_signer(op));

    if (rv != APR_SUCCESS || (rv = read_csr(&csr, op, row)) != APR_SUCCESS)
        return rv;
    if (op->request->csr
        && !mdm_equal(mdm_csr_key_sha256(ctx, op->request->csr), mdm_csr_key_sha256(ctx, csr)))
        return mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST, "the transaction id was used for another key");
    switch (row->state) {
    case MDM_REQUEST_PENDING:
        op->pending = 1;
        return APR_SUCCESS;
    case MDM_REQUEST_APPROVED:
        return issue_approved(op, row, csr);
    case MDM_REQUEST_ISSUED:
        return hand_out(op, row);
    default:
        return end(op, row, "an administrator has denied this request");
    }
}

apr_status_t mdm_operation_wait(mdm_operation_t *op, const mdm_challenge_t *payer)
{
    mdm_ctx_t *ctx = op->st->ctx;
    mdm_request_t row = { 0 };
    apr_status_t rv = mdm_csr_to_pem(&row.csr_pem, ctx, op->request->csr);

    if (rv == APR_SUCCESS && op->ended)
        rv = mdm_store_request_forget(op->st, op->ended);
    if (rv != APR_SUCCESS)
        return rv;
    row.id = mdm_id_next();
    row.transaction_id = op->request->transaction_id;
    row.key_sha256 = key_of_signer(op);
    row.state = MDM_REQUEST_PENDING;
    row.subject = mdm_csr_subject(ctx, op->request->csr);
    row.request_sha256 = op->request->sha256;
    row.user = payer->user;
    row.challenge = payer->sha256;
    row.session = payer->session;
    row.enrollment = payer->enrollment;
    row.source_ip = op->source;
    row.created_at = mdm_ctx_now(ctx);
    rv = mdm_store_request_insert(op->st, &row);
    if (rv == APR_SUCCESS)
        rv = mdm_store_event(op->st, "request.pending", row.user, op->source, NULL,
                             apr_psprintf(ctx->pool, "%" APR_INT64_T_FMT, row.id), row.subject);
    op->pending = 1;
    return rv;
}
