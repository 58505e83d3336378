/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SCEP server's decisions. Called by the mdm-scep handler in any thread. Authorization comes first and
 * inside the transaction that stores the certificate, so that one challenge can never pay for two.
 */
#include <apr_strings.h>

#include "mdm_authority.h"
#include "mdm_challenge.h"
#include "mdm_pkioperation.h"

/* A device's clock may be a little behind ours: a certificate must not look like tomorrow's to it. */
#define BACKDATE apr_time_from_sec(600)

typedef struct {
    mdm_store_t *st;
    const mdm_site_t *site;
    const mdm_authority_t *authority;
    const mdm_scep_request_t *request;
    const char *source;
    mdm_cert_t *issued;
    mdm_scep_fail_info_e fail_info;   /* valid when the work fails with MDM_EDENIED or MDM_EINPUT */
} operation_t;

const char *mdm_pkioperation_caps(void)
{
    return "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n";
}

static apr_status_t refuse(operation_t *op, mdm_scep_fail_info_e fail_info, const char *why)
{
    op->fail_info = fail_info;
    return mdm_fail(op->st->ctx, MDM_EDENIED, "%s", why);
}

static apr_status_t issue(operation_t *op)
{
    mdm_ctx_t *ctx = op->st->ctx;
    mdm_issue_t how = { 0 };
    apr_time_t now = mdm_ctx_now(ctx);

    if (op->issued)   /* the transaction is being run again */
        return APR_SUCCESS;
    if (mdm_cert_not_after(op->authority->cert) <= now)
        return mdm_fail(ctx, MDM_ECONFIG,
                        "the identity CA has expired: make a new one, no certificate can be issued");
    how.csr = op->request->csr;
    how.ca = op->authority->cert;
    how.ca_key = op->authority->key;
    how.crl_url = op->site->crl_url;
    how.ocsp_url = op->site->ocsp_url;
    how.not_before = now - BACKDATE;
    how.not_after = now + op->site->identity_lifetime;
    return mdm_cert_issue(&op->issued, ctx, &how);
}

static apr_status_t store_issued(operation_t *op, apr_int64_t enrollment, const char *user)
{
    mdm_ctx_t *ctx = op->st->ctx;
    mdm_certificate_t row = { 0 };
    apr_status_t rv = issue(op);

    if (rv != APR_SUCCESS || (rv = mdm_cert_to_pem(&row.pem, ctx, op->issued)) != APR_SUCCESS)
        return rv;
    row.fingerprint = mdm_cert_fingerprint(ctx, op->issued);
    row.serial = mdm_cert_serial(ctx, op->issued);
    row.subject = mdm_cert_subject(ctx, op->issued);
    row.not_before = mdm_cert_not_before(op->issued);
    row.not_after = mdm_cert_not_after(op->issued);
    row.issued_at = mdm_ctx_now(ctx);
    row.issuer = op->authority->fingerprint;
    row.enrollment = enrollment;
    row.user = user;
    row.request_sha256 = op->request->sha256;
    rv = mdm_store_certificate_insert(op->st, &row);
    if (rv == APR_SUCCESS)
        rv = mdm_store_event(op->st, "certificate.issued", user, op->source, NULL, row.serial, row.subject);
    return rv;
}

/* RFC 8894 2.3: an existing certificate vouches for its own renewal, when it is ours and in force. */
static apr_status_t renew(operation_t *op, const mdm_certificate_t *old)
{
    if (old->revoked_at || old->replaced_by)
        return refuse(op, MDM_SCEP_BAD_REQUEST, "the certificate to renew is revoked or replaced");
    if (old->not_after <= mdm_ctx_now(op->st->ctx))
        return refuse(op, MDM_SCEP_BAD_REQUEST, "the certificate to renew has expired");
    if (!mdm_csr_same_subject(op->request->csr, op->request->signer))
        return refuse(op, MDM_SCEP_BAD_REQUEST, "a renewal must keep the subject");
    return store_issued(op, old->enrollment, old->user);
}

static apr_status_t enroll(operation_t *op)
{
    mdm_ctx_t *ctx = op->st->ctx;
    mdm_challenge_t *challenge;
    apr_status_t rv;

    if (op->request->message_type == MDM_SCEP_RENEWAL_REQ)
        return refuse(op, MDM_SCEP_BAD_REQUEST, "the renewal is not signed by a certificate of this CA");
    if (!mdm_csr_same_key(op->request->csr, op->request->signer))
        return refuse(op, MDM_SCEP_BAD_REQUEST, "the request's key is not the key that signed the message");
    op->fail_info = MDM_SCEP_BAD_REQUEST;
    rv = mdm_challenge_use(&challenge, op->st, MDM_CHALLENGE_SCEP,
                           mdm_csr_challenge(ctx, op->request->csr), mdm_csr_common_name(ctx, op->request->csr));
    return rv == APR_SUCCESS ? store_issued(op, 0, challenge->user) : rv;
}

static apr_status_t reissue(operation_t *op, const mdm_certificate_t *row)
{
    if (row->revoked_at)
        return refuse(op, MDM_SCEP_BAD_REQUEST, "the certificate for this request has been revoked");
    return mdm_cert_from_pem(&op->issued, op->st->ctx, mdm_bytes_of(row->pem));
}

/* A device that repeats itself before it was answered: its first message has used the challenge up. */
static apr_status_t enroll_after_twin(operation_t *op, apr_status_t refusal)
{
    mdm_certificate_t *row;
    apr_status_t rv = mdm_store_certificate_by_request(&row, op->st, op->request->sha256);

    if (rv != APR_SUCCESS)
        return rv == MDM_ENOTFOUND ? refusal : rv;
    mdm_ctx_clear(op->st->ctx);
    return reissue(op, row);
}

static apr_status_t work(void *baton, mdm_db_t *db)
{
    operation_t *op = baton;
    mdm_certificate_t *row;
    apr_status_t rv;

    (void)db;
    rv = mdm_store_certificate_by_request(&row, op->st, op->request->sha256);
    if (rv == APR_SUCCESS)
        return reissue(op, row);
    if (rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(op->st->ctx);
    rv = mdm_store_certificate_by_fingerprint(&row, op->st,
                                              mdm_cert_fingerprint(op->st->ctx, op->request->signer));
    if (rv == APR_SUCCESS)
        return renew(op, row);
    if (rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(op->st->ctx);
    rv = enroll(op);
    return rv == MDM_EDENIED ? enroll_after_twin(op, rv) : rv;
}

static apr_status_t decide(operation_t *op)
{
    switch (op->request->message_type) {
    case MDM_SCEP_PKCS_REQ:
    case MDM_SCEP_RENEWAL_REQ:
        return mdm_db_transact(op->st->db, work, op);
    case MDM_SCEP_CERT_POLL:
    case MDM_SCEP_GET_CERT:
        return refuse(op, MDM_SCEP_BAD_CERT_ID, "there is no such transaction or certificate to fetch");
    default:
        return refuse(op, MDM_SCEP_BAD_REQUEST, "this message type is not served");
    }
}

apr_status_t mdm_pkioperation_handle(mdm_bytes_t *reply, mdm_store_t *st, const mdm_site_t *site,
                                     mdm_bytes_t message, const char *source)
{
    mdm_ctx_t *ctx = st->ctx;
    apr_time_t now = mdm_ctx_now(ctx);
    mdm_scep_server_t server = mdm_authority_scep_server(site, now, ctx->pool);
    operation_t op = { st, site, mdm_authority_present(site, now), NULL, source, NULL, MDM_SCEP_BAD_REQUEST };
    mdm_scep_request_t *request = NULL;
    apr_status_t rv = mdm_scep_open(&request, &op.fail_info, ctx, message, &server);

    if (!request)
        return rv == APR_SUCCESS ? MDM_EINPUT : rv;
    op.request = request;
    if (rv == APR_SUCCESS)
        rv = decide(&op);
    if (rv == APR_SUCCESS) {
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0200) "SCEP: certificate %s issued for %s",
                mdm_cert_serial(ctx, op.issued), mdm_cert_subject(ctx, op.issued));
        return mdm_scep_reply_success(reply, ctx, request, op.issued);
    }
    if (rv != MDM_EDENIED && rv != MDM_EINPUT && rv != MDM_ECMS)
        return rv;
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0201) "SCEP: request refused, failInfo %d: %s",
            op.fail_info, mdm_ctx_detail(ctx, rv));
    return mdm_scep_reply_failure(reply, ctx, request, op.fail_info, mdm_ctx_detail(ctx, rv));
}
