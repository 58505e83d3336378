/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP's certificates: made once, stored with their event in the caller's transaction, handed out again to who
 * asks again. Any thread; never decides whether somebody may have one.
 */
#include <apr_strings.h>

#include "mdm_operation.h"

/* A device's clock may be a little behind ours: a certificate must not look like tomorrow's to it. */
#define BACKDATE apr_time_from_sec(600)

apr_status_t mdm_operation_refuse(mdm_operation_t *op, mdm_scep_fail_info_e fail_info, const char *why)
{
    op->fail_info = fail_info;
    return mdm_fail(op->st->ctx, MDM_EDENIED, "%s", why);
}

static apr_status_t make(mdm_operation_t *op, const mdm_authority_t *authority, const mdm_csr_t *csr)
{
    mdm_ctx_t *ctx = op->st->ctx;
    mdm_issue_t how = { 0 };
    apr_time_t now = mdm_ctx_now(ctx);

    if (op->made)   /* the transaction is being run again */
        return APR_SUCCESS;
    if (mdm_cert_not_after(authority->cert) <= now)
        return mdm_fail(ctx, MDM_ECONFIG,
                        "the identity CA has expired: make a new one, no certificate can be issued");
    how.csr = csr;
    how.ca = authority->cert;
    how.ca_key = authority->key;
    /* The list of this very CA: after a roll-over the plain address serves the next one's. */
    if (op->site->crl_url)
        how.crl_url = apr_pstrcat(ctx->pool, op->site->crl_url, "/", authority->fingerprint, NULL);
    how.ocsp_url = op->site->ocsp_url;
    how.not_before = now - BACKDATE;
    how.not_after = now + op->site->identity_lifetime;
    return mdm_cert_issue(&op->made, ctx, &how);
}

static apr_status_t fill(mdm_certificate_t *row, mdm_operation_t *op, const mdm_challenge_t *payer)
{
    mdm_ctx_t *ctx = op->st->ctx;

    row->fingerprint = mdm_cert_fingerprint(ctx, op->made);
    row->serial = mdm_cert_serial(ctx, op->made);
    row->subject = mdm_cert_subject(ctx, op->made);
    row->not_before = mdm_cert_not_before(op->made);
    row->not_after = mdm_cert_not_after(op->made);
    row->issued_at = mdm_ctx_now(ctx);
    row->enrollment = payer->enrollment;
    row->user = payer->user;
    row->request_sha256 = op->request->sha256;
    row->challenge = payer->sha256;
    row->session = payer->session;
    return mdm_cert_to_pem(&row->pem, ctx, op->made);
}

apr_status_t mdm_operation_issue(mdm_operation_t *op, const mdm_csr_t *csr, const mdm_challenge_t *payer)
{
    mdm_store_t *st = op->st;
    const mdm_authority_t *authority = mdm_authority_present(op->site, mdm_ctx_now(st->ctx));
    mdm_certificate_t row = { 0 };
    apr_status_t rv = make(op, authority, csr);

    if (rv != APR_SUCCESS || (rv = fill(&row, op, payer)) != APR_SUCCESS)
        return rv;
    row.issuer = authority->fingerprint;
    rv = mdm_store_certificate_insert(st, &row);
    if (rv == APR_SUCCESS)
        rv = mdm_store_event(st, "certificate.issued", payer->user, op->source, NULL, row.serial, row.subject);
    if (rv == APR_SUCCESS && payer->session)
        rv = mdm_store_session_identify(st, payer->session, row.fingerprint);
    op->certificate = op->made;
    return rv;
}

apr_status_t mdm_operation_reissue(mdm_operation_t *op, const mdm_certificate_t *row)
{
    mdm_cert_t *certificate;
    apr_status_t rv;

    if (row->revoked_at)
        return mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST,
                                    "the certificate for this request has been revoked");
    rv = mdm_cert_from_pem(&certificate, op->st->ctx, mdm_bytes_of(row->pem));
    op->certificate = certificate;
    return rv == MDM_EINPUT ? MDM_EDB : rv;
}

int mdm_operation_in_force(mdm_operation_t *op, const mdm_certificate_t *row)
{
    if (row->issuer && !mdm_authority_find(op->site, row->issuer))
        mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST, "the signer's certificate is of another site's CA");
    else if (row->revoked_at || row->replaced_by)
        mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST, "the signer's certificate is revoked or replaced");
    else if (row->not_after <= mdm_ctx_now(op->st->ctx))
        mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST, "the signer's certificate has expired");
    else
        return 1;
    return 0;
}
