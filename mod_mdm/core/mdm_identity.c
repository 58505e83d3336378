/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities that our CA did not issue. Called by check-in and connect for certificates the database does not
 * know, and by the device authentication of other Locations; any request thread. What it lets in is a row of
 * mdm_certificate like any other from then on: bound, judged, revoked, replaced.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_authority.h"
#include "mdm_identity.h"
#include "mdm_pki_verify.h"
#include "mdm_store_identity.h"

#define SERIAL_SUFFIX 16

typedef struct {
    mdm_store_t *st;
    const mdm_site_t *site;
    const mdm_device_t *device;
    const mdm_cert_t *cert;
    const char *issuer;
} newcomer_t;

static apr_status_t refuse(const newcomer_t *n, const char *why)
{
    return mdm_device_refuse(n->st->ctx, n->device, why);
}

/* Serial numbers of several CAs may be the same; ours are looked up and revoked by them. */
static apr_status_t free_serial(mdm_certificate_t *row, mdm_store_t *st, const mdm_cert_t *cert)
{
    mdm_certificate_t *there;
    apr_status_t rv;

    row->serial = mdm_cert_serial(st->ctx, cert);
    rv = mdm_store_certificate_by_serial(&there, st, row->serial);
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(st->ctx);
        return APR_SUCCESS;
    }
    row->serial = apr_psprintf(st->ctx->pool, "%s-%.*s", row->serial, SERIAL_SUFFIX, row->fingerprint);
    return rv;
}

apr_status_t mdm_identity_record(mdm_certificate_t *row, mdm_store_t *st, const mdm_cert_t *cert, const char *issuer,
                                 apr_int64_t enrollment)
{
    apr_status_t rv;

    memset(row, 0, sizeof(*row));
    row->fingerprint = mdm_cert_fingerprint(st->ctx, cert);
    if ((rv = free_serial(row, st, cert)) != APR_SUCCESS
        || (rv = mdm_cert_to_pem(&row->pem, st->ctx, cert)) != APR_SUCCESS)
        return rv;
    row->subject = mdm_cert_subject(st->ctx, cert);
    row->not_before = mdm_cert_not_before(cert);
    row->not_after = mdm_cert_not_after(cert);
    row->issued_at = mdm_ctx_now(st->ctx);
    row->enrollment = enrollment;
    row->issuer = issuer;
    return mdm_store_certificate_insert(st, row);
}

static apr_status_t insert(const newcomer_t *n, apr_int64_t enrollment, const char *event)
{
    mdm_certificate_t row;
    apr_status_t rv = mdm_identity_record(&row, n->st, n->cert, n->issuer, enrollment);

    return rv == APR_SUCCESS ? mdm_store_event(n->st, event, NULL, n->device->source, n->device->device_id, row.serial,
                                               row.subject) : rv;
}

/* Ours is bound to a person or a challenge of this site; another CA's word must not push it aside. */
static apr_status_t check_present(const newcomer_t *n, const mdm_enrollment_t *e)
{
    mdm_certificate_t *present;
    apr_status_t rv;

    if (!e || e->state != MDM_STATE_ENROLLED || !e->certificate)
        return APR_SUCCESS;
    rv = mdm_store_certificate_by_fingerprint(&present, n->st, e->certificate);
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(n->st->ctx);
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS || present->revoked_at || present->not_after <= mdm_ctx_now(n->st->ctx)
        || !present->issuer || !mdm_authority_find(n->site, present->issuer))
        return rv;
    return refuse(n, apr_psprintf(n->st->ctx->pool, "the device has an identity of this server: revoke certificate %s "
                                  "to let it enroll with another CA's", present->serial));
}

static apr_status_t associate(const newcomer_t *n, const mdm_enrollment_t *e)
{
    apr_status_t rv;

    if (!n->site->retroactive_identity)
        return refuse(n, "the certificate is of another CA and has not sent Authenticate");
    if (!e || e->state >= MDM_STATE_LEFT)
        return refuse(n, "there is no such enrollment");
    rv = mdm_store_identity_associate(n->st, e->id, n->device->fingerprint);
    if (rv == MDM_ENOTFOUND)
        return refuse(n, "the enrollment has another identity");
    return rv == APR_SUCCESS ? insert(n, e->id, "identity.associated") : rv;
}

static apr_status_t admit(void *baton, mdm_db_t *db)
{
    const newcomer_t *n = baton;
    const char *type = mdm_plist_get_string(n->device->message, "MessageType");
    mdm_identity_row_t *known;
    mdm_enrollment_t *e;
    apr_status_t rv = mdm_store_identity(&known, n->st, n->device->fingerprint);

    (void)db;
    /* Two messages at once: the other one has brought it in. */
    if (rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(n->st->ctx);
    rv = mdm_store_enrollment_get(&e, n->st, n->device->device_id);
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(n->st->ctx);
        e = NULL;
    } else if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!type || strcmp(type, "Authenticate"))
        return associate(n, e);
    rv = check_present(n, e);
    return rv == APR_SUCCESS ? insert(n, 0, "identity.accepted") : rv;
}

static apr_status_t open_certificate(newcomer_t *n)
{
    mdm_ctx_t *ctx = n->st->ctx;
    const mdm_caller_t *caller = n->device->caller;
    mdm_cert_t *cert;
    mdm_bytes_t der;
    apr_status_t rv;

    if ((rv = caller->certificate(&der, ctx, caller->baton)) != APR_SUCCESS
        || (rv = mdm_cert_from_der(&cert, ctx, der)) != APR_SUCCESS)
        return rv;
    n->cert = cert;
    rv = mdm_cert_verify_client(&n->issuer, ctx, cert, n->site->identity_cas, mdm_ctx_now(ctx));
    if (rv == MDM_EDENIED)
        return refuse(n, apr_pstrdup(ctx->pool, mdm_ctx_detail(ctx, rv)));
    /* Whatever our own CA signs is in the table; what is not was made with a stolen key. */
    if (rv == APR_SUCCESS && mdm_authority_find(n->site, n->issuer))
        return refuse(n, "the certificate was not issued by this server");
    return rv;
}

apr_status_t mdm_identity_meet(mdm_connect_row_t **row, mdm_store_t *st, const mdm_site_t *site,
                               const mdm_device_t *device, const char *answered_uuid, int skip_notnow)
{
    newcomer_t n = { st, site, device, NULL, NULL };
    apr_status_t rv;

    if ((*row)->certificate_known || !site->identity_cas || !device->caller->certificate)
        return APR_SUCCESS;
    if ((rv = open_certificate(&n)) != APR_SUCCESS || (rv = mdm_db_transact(st->db, admit, &n)) != APR_SUCCESS)
        return rv;
    mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0851) "%s shows an identity of another CA: certificate "
            "%.16s..., CA %.16s...", device->enrollment_id, device->fingerprint, n.issuer);
    return mdm_store_connect(row, st, device->fingerprint, device->enrollment_id, answered_uuid, skip_notnow);
}

/* Whether the certificate, in force itself, is not the one of the device that it speaks for. */
static apr_status_t is_foreign(const mdm_certificate_t **used, mdm_store_t *st, const mdm_device_t *device)
{
    mdm_certificate_t *c;
    mdm_enrollment_t *e;
    apr_status_t rv = mdm_store_certificate_by_fingerprint(&c, st, device->fingerprint);

    *used = NULL;
    if (rv != APR_SUCCESS)
        return rv == MDM_ENOTFOUND ? APR_SUCCESS : rv;
    if (c->revoked_at || c->replaced_by || c->not_after <= mdm_ctx_now(st->ctx))
        return APR_SUCCESS;
    rv = mdm_store_enrollment_get(&e, st, device->device_id);
    if (rv == APR_SUCCESS ? c->enrollment != e->id : rv == MDM_ENOTFOUND && c->enrollment)
        *used = c;
    return rv == MDM_ENOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t mdm_identity_refused(mdm_store_t *st, const mdm_device_t *device)
{
    mdm_ctx_t *ctx = st->ctx;
    const char *why = apr_pstrdup(ctx->pool, mdm_ctx_detail(ctx, MDM_EDENIED));
    const mdm_certificate_t *used;
    apr_status_t rv = is_foreign(&used, st, device);

    if (rv == APR_SUCCESS && used)
        rv = mdm_store_event(st, "identity.refused", used->user, device->source, device->enrollment_id, used->serial,
                             why);
    mdm_ctx_clear(ctx);
    return rv == APR_SUCCESS ? mdm_fail(ctx, MDM_EDENIED, "%s", why) : rv;
}

static apr_status_t deny(mdm_ctx_t *ctx, const char *why)
{
    return mdm_fail(ctx, MDM_EDENIED, "%s", why);
}

apr_status_t mdm_identity_device(const char **enrollment_id, mdm_store_t *st, const char *fingerprint)
{
    mdm_identity_row_t *row;
    apr_status_t rv = mdm_store_identity(&row, st, fingerprint);

    if (rv == MDM_ENOTFOUND)
        return deny(st->ctx, "the certificate was not issued by this server");
    if (rv != APR_SUCCESS)
        return rv;
    if (row->replaced_by)
        return deny(st->ctx, "the certificate has been replaced by a newer one");
    if (row->revoked_at)
        return deny(st->ctx, "the certificate is revoked");
    if (row->not_after <= mdm_ctx_now(st->ctx))
        return deny(st->ctx, "the certificate has expired");
    if (!row->enrollment_id || row->state != MDM_STATE_ENROLLED)
        return deny(st->ctx, "the certificate is of no enrolled device");
    *enrollment_id = row->enrollment_id;
    return APR_SUCCESS;
}
