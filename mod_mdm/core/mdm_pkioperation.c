/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SCEP server's decisions. Called by the mdm-scep handler in any thread. Authorization comes first and
 * inside the transaction that stores the certificate, so that one challenge can never pay for two.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_authority.h"
#include "mdm_challenge.h"
#include "mdm_operation.h"
#include "mdm_pkioperation.h"

/* Renewals by SCEP in one day: what a device needs when it tries again and again, not what fills a disk. */
#define A_DAY apr_time_from_sec(86400)
#define RENEWALS_MOST 10
#define NAMESAKES_MOST 100          /* of certificates that are no device's: several clients may have one subject */

const char *mdm_pkioperation_caps(const mdm_site_t *site, apr_time_t now, apr_pool_t *p)
{
    return apr_pstrcat(p, "AES\nPOSTPKIOperation\nRenewal\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n",
                       site->scep_legacy & MDM_SCEP_LEGACY_SHA1 ? "SHA-1\n" : "",
                       site->scep_legacy & MDM_SCEP_LEGACY_DES3 ? "DES3\n" : "",
                       mdm_authority_next(site, now) ? "GetNextCACert\n" : "", NULL);
}

apr_status_t mdm_pkioperation_ca(mdm_bytes_t *der, const char **type, mdm_ctx_t *ctx, const mdm_site_t *site)
{
    const mdm_authority_t *authority = mdm_authority_present(site, mdm_ctx_now(ctx));
    apr_array_header_t *certs;

    if (!site->ra) {
        *type = "application/x-x509-ca-cert";
        *der = authority->der;
        return APR_SUCCESS;
    }
    certs = apr_array_make(ctx->pool, 2, sizeof(const mdm_cert_t *));
    APR_ARRAY_PUSH(certs, const mdm_cert_t *) = site->ra;
    APR_ARRAY_PUSH(certs, const mdm_cert_t *) = authority->cert;
    *type = "application/x-x509-ca-ra-cert";
    return mdm_scep_certificates(der, ctx, certs);
}

apr_status_t mdm_pkioperation_next_ca(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_site_t *site)
{
    apr_time_t now = mdm_ctx_now(ctx);
    const mdm_authority_t *next = mdm_authority_next(site, now);
    mdm_scep_server_t server = mdm_authority_scep_server(site, now, ctx->pool);

    if (!next)
        return mdm_fail(ctx, MDM_ENOTFOUND, "no other CA is prepared");
    return mdm_scep_next_ca(der, ctx, next->cert, &server.parties[0]);
}

/* Use the request's challenge up for what it asks. */
static apr_status_t use_challenge(mdm_challenge_t **challenge, mdm_operation_t *op)
{
    mdm_ctx_t *ctx = op->st->ctx;

    op->fail_info = MDM_SCEP_BAD_REQUEST;
    return mdm_challenge_use(challenge, op->st, MDM_CHALLENGE_SCEP, mdm_csr_challenge(ctx, op->request->csr),
                             mdm_csr_common_name(ctx, op->request->csr));
}

/* The renewal of a device's identity goes by itself: the server has asked the device for it. */
static apr_status_t issue_or_wait(mdm_operation_t *op, const mdm_challenge_t *challenge)
{
    if (op->site->scep_manual && !challenge->enrollment)
        return mdm_operation_wait(op, challenge);
    return mdm_operation_issue(op, op->request->csr, challenge);
}

/* Nobody asks for a renewal but the client itself, and each leaves a row for good. */
static apr_status_t check_pace(mdm_operation_t *op, const mdm_certificate_t *old)
{
    mdm_ctx_t *ctx = op->st->ctx;
    mdm_certificate_t *named;
    int count;
    apr_status_t rv = mdm_store_certificate_renewals(&count, op->st, old, mdm_ctx_now(ctx) - A_DAY);

    if (rv != APR_SUCCESS || count < (old->enrollment ? RENEWALS_MOST : NAMESAKES_MOST))
        return rv;
    if ((rv = mdm_store_certificate_by_serial(&named, op->st, old->serial)) != APR_SUCCESS)
        return rv;
    return mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST,
                                apr_psprintf(ctx->pool, "%s has had %d renewals by SCEP in a day, and gets no more now",
                                             named->enrollment_id ? named->enrollment_id : old->subject, count));
}

/* RFC 8894 2.3: an existing certificate vouches for its own renewal, when it is ours and in force. */
static apr_status_t renew(mdm_operation_t *op, const mdm_certificate_t *old)
{
    mdm_challenge_t payer = { 0 };
    apr_status_t rv;

    if (!mdm_operation_in_force(op, old))
        return MDM_EDENIED;
    if (!mdm_csr_same_subject(op->request->csr, op->request->signer))
        return mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST, "a renewal must keep the subject");
    if ((rv = check_pace(op, old)) != APR_SUCCESS)
        return rv;
    payer.user = old->user;
    payer.enrollment = old->enrollment;
    return mdm_operation_issue(op, op->request->csr, &payer);
}

/* Signed by a certificate of ours. A good challenge counts for more: a new profile was installed. */
static apr_status_t renew_or_enroll(mdm_operation_t *op, const mdm_certificate_t *old)
{
    mdm_ctx_t *ctx = op->st->ctx;
    const char *text = mdm_csr_challenge(ctx, op->request->csr);
    mdm_challenge_t *challenge;
    apr_status_t rv;

    if (op->request->message_type == MDM_SCEP_PKCS_REQ && text && *text
        && (op->site->scep_any_signer || mdm_csr_same_key(op->request->csr, op->request->signer))) {
        rv = use_challenge(&challenge, op);
        if (rv == APR_SUCCESS)
            return issue_or_wait(op, challenge);
        if (rv != MDM_EDENIED)
            return rv;
        mdm_ctx_clear(ctx);
    }
    return renew(op, old);
}

static apr_status_t enroll(mdm_operation_t *op)
{
    mdm_challenge_t *challenge;
    apr_status_t rv;

    if (op->request->message_type == MDM_SCEP_RENEWAL_REQ)
        return mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST,
                                    "the renewal is not signed by a certificate of this CA");
    if (!op->site->scep_any_signer && !mdm_csr_same_key(op->request->csr, op->request->signer))
        return mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST,
                                    "the request's key is not the key that signed the message");
    rv = use_challenge(&challenge, op);
    return rv == APR_SUCCESS ? issue_or_wait(op, challenge) : rv;
}

/* What has been answered before: MDM_ENOTFOUND, with nothing noted, when nothing has. */
static apr_status_t answer_again(mdm_operation_t *op)
{
    mdm_certificate_t *row;
    apr_status_t rv = mdm_store_certificate_by_request(&row, op->st, op->request->sha256);

    if (rv == APR_SUCCESS)
        return mdm_operation_reissue(op, row);
    if (rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(op->st->ctx);
    if (!op->site->scep_manual || op->request->message_type != MDM_SCEP_PKCS_REQ)
        return MDM_ENOTFOUND;
    rv = mdm_operation_answer_waiting(op);
    if (rv == MDM_ENOTFOUND)
        mdm_ctx_clear(op->st->ctx);
    return rv;
}

/* A device that repeats itself before it was answered: its first message has used the challenge up. */
static apr_status_t enroll_after_twin(mdm_operation_t *op, apr_status_t refusal)
{
    mdm_ctx_t *ctx = op->st->ctx;
    const char *why = mdm_ctx_detail(ctx, refusal);
    apr_status_t rv;

    mdm_ctx_clear(ctx);
    rv = answer_again(op);
    if (rv != MDM_ENOTFOUND)
        return rv;
    return mdm_operation_refuse(op, op->fail_info, op->ended ? op->ended_how : why);
}

/* Whether the signer's certificate calls itself its issuer: then it is none of ours, and a statement is saved. */
static int is_self_made(const mdm_operation_t *op)
{
    mdm_bytes_t subject = mdm_cert_subject_der(op->st->ctx, op->request->signer);
    mdm_bytes_t issuer = mdm_cert_issuer_der(op->st->ctx, op->request->signer);

    return subject.len == issuer.len && !memcmp(subject.data, issuer.data, subject.len);
}

/* The transaction may have been run before, and lost: what that run found is no answer. */
static void begin_again(mdm_operation_t *op)
{
    op->ended = 0;
    op->pending = 0;
    op->certificate = NULL;
}

static apr_status_t request_work(void *baton, mdm_db_t *db)
{
    mdm_operation_t *op = baton;
    mdm_ctx_t *ctx = op->st->ctx;
    mdm_certificate_t *row;
    apr_status_t rv;

    (void)db;
    begin_again(op);
    rv = answer_again(op);
    if (rv != MDM_ENOTFOUND)
        return rv;
    if (!is_self_made(op)) {
        rv = mdm_store_certificate_by_fingerprint(&row, op->st, mdm_cert_fingerprint(ctx, op->request->signer));
        if (rv == APR_SUCCESS)
            return renew_or_enroll(op, row);
        if (rv != MDM_ENOTFOUND)
            return rv;
        mdm_ctx_clear(ctx);
    }
    rv = enroll(op);
    return rv == MDM_EDENIED ? enroll_after_twin(op, rv) : rv;
}

static apr_status_t poll_work(void *baton, mdm_db_t *db)
{
    mdm_operation_t *op = baton;
    apr_status_t rv;

    (void)db;
    begin_again(op);
    rv = mdm_operation_answer_waiting(op);
    if (rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(op->st->ctx);
    return mdm_operation_refuse(op, MDM_SCEP_BAD_CERT_ID, "there is no such transaction");
}

static apr_status_t decide(mdm_operation_t *op)
{
    switch (op->request->message_type) {
    case MDM_SCEP_PKCS_REQ:
    case MDM_SCEP_RENEWAL_REQ:
        return mdm_db_transact(op->st->db, request_work, op);
    case MDM_SCEP_CERT_POLL:
        return mdm_db_transact(op->st->db, poll_work, op);
    case MDM_SCEP_GET_CERT:
        return mdm_operation_get_cert(op);
    case MDM_SCEP_GET_CRL:
        return mdm_operation_get_crl(op);
    default:
        return mdm_operation_refuse(op, MDM_SCEP_BAD_REQUEST, "this message type is not served");
    }
}

static apr_status_t answer(mdm_bytes_t *reply, const mdm_operation_t *op)
{
    mdm_ctx_t *ctx = op->st->ctx;

    if (op->pending) {
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0710) "SCEP: transaction %s waits for an administrator",
                op->request->transaction_id);
        return mdm_scep_reply_pending(reply, ctx, op->request);
    }
    if (op->crl.len)
        return mdm_scep_reply_crl(reply, ctx, op->request, op->crl);
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0200) "SCEP: certificate %s for %s handed out",
            mdm_cert_serial(ctx, op->certificate), mdm_cert_subject(ctx, op->certificate));
    return mdm_scep_reply_success(reply, ctx, op->request, op->certificate);
}

apr_status_t mdm_pkioperation_handle(mdm_bytes_t *reply, mdm_store_t *st, const mdm_site_t *site,
                                     mdm_bytes_t message, const char *source)
{
    mdm_ctx_t *ctx = st->ctx;
    mdm_scep_server_t server = mdm_authority_scep_server(site, mdm_ctx_now(ctx), ctx->pool);
    mdm_operation_t op = { 0 };
    mdm_scep_request_t *request = NULL;
    apr_status_t rv;

    op.fail_info = MDM_SCEP_BAD_REQUEST;
    rv = mdm_scep_open(&request, &op.fail_info, ctx, message, &server);
    if (!request)
        return rv == APR_SUCCESS ? MDM_EINPUT : rv;
    op.st = st;
    op.site = site;
    op.source = source;
    op.request = request;
    if (rv == APR_SUCCESS)
        rv = decide(&op);
    if (rv == APR_SUCCESS)
        return answer(reply, &op);
    if (rv != MDM_EDENIED && rv != MDM_EINPUT && rv != MDM_ECMS)
        return rv;
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0201) "SCEP: request refused, failInfo %d: %s",
            op.fail_info, mdm_ctx_detail(ctx, rv));
    return mdm_scep_reply_failure(reply, ctx, request, op.fail_info, mdm_ctx_detail(ctx, rv));
}
