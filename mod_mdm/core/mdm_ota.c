/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Profile Service. Phase 1 ties a challenge to the person; phase 2 is the device's word on what it is,
 * vouched for by its maker; phase 3 is its word again, signed by the identity it got in between. Called by
 * the enrollment pages and the device's POST, any thread. Nothing of a message counts before its signature
 * holds.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_challenge.h"
#include "mdm_crl.h"
#include "mdm_ota.h"
#include "mdm_ota_facts.h"
#include "mdm_plist.h"
#include "mdm_profile.h"

typedef struct {
    mdm_store_t *st;
    const mdm_site_t *site;
    const char *source;
    const mdm_cert_t *signer;
    mdm_device_facts_t facts;         /* what the device signed */
    const char *challenge;            /* that it sent back, or NULL */
    mdm_session_t *session;
    const char *refusal;              /* why, when the refusal itself is to be remembered */
    mdm_ota_answer_t *answer;
} ota_t;

static apr_status_t refuse(const ota_t *o, const char *why)
{
    return mdm_fail(o->st->ctx, MDM_EDENIED, "%s", why);
}

static apr_status_t event(const ota_t *o, const char *kind, const char *detail)
{
    return mdm_store_event(o->st, kind, o->session->user, o->source, o->facts.udid, o->facts.serial_number,
                           detail);
}

static int is_open(const ota_t *o)
{
    return o->session->method == MDM_SESSION_PROFILE_SERVICE
        && o->session->expires_at > mdm_ctx_now(o->st->ctx);
}

static apr_status_t open_session(ota_t *o, apr_int64_t id)
{
    mdm_ctx_t *ctx = o->st->ctx;
    apr_status_t rv = id ? mdm_store_session_get(&o->session, o->st, id) : MDM_ENOTFOUND;

    if (rv == MDM_ENOTFOUND || (rv == APR_SUCCESS && !is_open(o))) {
        mdm_ctx_clear(ctx);
        return refuse(o, "the answer belongs to no open enrollment: sign in again");
    }
    return rv;
}

/* An invitation for one device is good for that one only. */
static apr_status_t check_invitation(ota_t *o, apr_int64_t id)
{
    mdm_invitation_t *invitation;
    apr_status_t rv;

    if (!id)
        return APR_SUCCESS;
    if ((rv = mdm_store_invitation_get(&invitation, o->st, id)) != APR_SUCCESS)
        return rv;
    if (invitation->serial_number
        && (!o->facts.serial_number || strcmp(invitation->serial_number, o->facts.serial_number)))
        o->refusal = "the invitation is for another device";
    return APR_SUCCESS;
}

/*
 * The challenge is gone even when the device turns out to be the wrong one: the refusal has to be remembered,
 * and the person can fetch the first profile anew.
 */
static apr_status_t describe(void *baton, mdm_db_t *db)
{
    ota_t *o = baton;
    mdm_challenge_t *challenge;
    apr_status_t rv;

    (void)db;
    o->refusal = NULL;
    rv = mdm_challenge_use(&challenge, o->st, MDM_CHALLENGE_PROFILE_SERVICE, o->challenge, NULL);
    if (rv != APR_SUCCESS || (rv = open_session(o, challenge->session)) != APR_SUCCESS
        || (rv = check_invitation(o, challenge->invitation)) != APR_SUCCESS)
        return rv;
    if (o->refusal)
        return event(o, "enrollment.refused", o->refusal);
    rv = mdm_store_session_advance(o->st, o->session->id, MDM_SESSION_OFFERED, MDM_SESSION_DESCRIBED);
    if (rv == MDM_ENOTFOUND)
        return refuse(o, "another device has answered in this enrollment");
    if (rv == APR_SUCCESS)
        rv = mdm_store_session_describe(o->st, o->session->id, &o->facts);
    return rv == APR_SUCCESS ? event(o, "enrollment.described", o->facts.product) : rv;
}

static mdm_profile_request_t request_of(const mdm_session_t *session)
{
    mdm_profile_request_t request = { 0 };

    request.user = session->user;
    request.session = session->id;
    request.invitation = session->invitation;
    return request;
}

static apr_status_t answer_facts(ota_t *o)
{
    mdm_profile_request_t request;
    mdm_plist_t *root;
    apr_status_t rv = mdm_db_transact(o->st->db, describe, o);

    o->answer->phase = 2;
    if (rv == APR_SUCCESS && o->refusal)
        rv = refuse(o, o->refusal);
    if (rv != APR_SUCCESS)
        return rv;
    request = request_of(o->session);
    request.common_name = o->session->common_name;
    rv = mdm_profile_identity(&root, o->st, o->site, &request);
    return rv == APR_SUCCESS
        ? mdm_profile_seal_for(&o->answer->profile, o->st->ctx, o->site, root, NULL) : rv;
}

static int differs(const char *before, const char *now)
{
    return before && now && strcmp(before, now);
}

static apr_status_t judge_identity(ota_t *o, const mdm_certificate_t *row)
{
    const mdm_device_facts_t *before;
    apr_status_t rv;

    if (row->revoked_at || row->replaced_by || row->not_after <= mdm_ctx_now(o->st->ctx))
        return refuse(o, "the signer's certificate is not in force any more");
    if ((rv = open_session(o, row->session)) != APR_SUCCESS)
        return rv;
    if (o->session->state >= MDM_SESSION_DELIVERED) {
        o->answer->delivered_before = 1;
        return APR_SUCCESS;
    }
    if (o->session->state != MDM_SESSION_IDENTIFIED || !mdm_equal(o->session->certificate, row->fingerprint))
        return refuse(o, "the signer is not the identity of this enrollment");
    before = &o->session->facts;
    if (differs(before->udid, o->facts.udid) || differs(before->serial_number, o->facts.serial_number))
        return refuse(o, "another device signs with this enrollment's identity");
    return APR_SUCCESS;
}

/* Without MDM the device's own request is its last word; it becomes an enrollment that nobody can reach. */
static apr_status_t end_unmanaged(ota_t *o)
{
    mdm_enrollment_t e = { 0 };
    apr_status_t rv;

    e.enrollment_id = o->facts.udid;
    e.type = "Device";
    e.state = MDM_STATE_UNMANAGED;
    e.user = o->session->user;
    e.certificate = o->session->certificate;
    e.serial_number = o->facts.serial_number ? o->facts.serial_number : o->session->facts.serial_number;
    e.product_name = o->facts.product ? o->facts.product : o->session->facts.product;
    e.build_version = o->facts.version ? o->facts.version : o->session->facts.version;
    e.device_name = o->facts.device_name ? o->facts.device_name : o->session->facts.device_name;
    e.imei = o->facts.imei ? o->facts.imei : o->session->facts.imei;
    e.meid = o->facts.meid ? o->facts.meid : o->session->facts.meid;
    e.last_ip = o->source;
    rv = mdm_store_enrollment_unmanaged(o->st, &e);
    if (rv == APR_SUCCESS && e.state == MDM_STATE_UNMANAGED) {
        mdm_crl_cause_t cause = { e.id, e.enrollment_id, e.user, o->source };

        rv = mdm_crl_supersede(o->st, &cause, e.certificate);
    }
    return rv == APR_SUCCESS ? mdm_store_session_done(o->st, o->session->id, e.id) : rv;
}

static apr_status_t deliver(void *baton, mdm_db_t *db)
{
    ota_t *o = baton;
    apr_status_t rv = mdm_store_session_advance(o->st, o->session->id, MDM_SESSION_IDENTIFIED,
                                                MDM_SESSION_DELIVERED);

    (void)db;
    o->answer->delivered_before = rv == MDM_ENOTFOUND;
    if (rv == MDM_ENOTFOUND)
        return APR_SUCCESS;
    if (rv == APR_SUCCESS && o->site->configuration)
        rv = end_unmanaged(o);
    if (rv != APR_SUCCESS)
        return rv;
    return event(o, "enrollment.delivered", o->site->configuration ? "unmanaged" : NULL);
}

/* The MDM profile brings a second identity, of a name of its own; this one opens that profile. */
static apr_status_t final_profile(ota_t *o)
{
    mdm_profile_request_t request = request_of(o->session);
    mdm_plist_t *root;
    apr_status_t rv = o->site->configuration ? mdm_profile_configuration(&root, o->st->ctx, o->site)
                                             : mdm_profile_enrollment(&root, o->st, o->site, &request);

    return rv == APR_SUCCESS
        ? mdm_profile_seal_for(&o->answer->profile, o->st->ctx, o->site, root, o->signer) : rv;
}

static apr_status_t answer_identity(ota_t *o, const mdm_certificate_t *row)
{
    apr_status_t rv = judge_identity(o, row);

    o->answer->phase = 3;
    if (rv != APR_SUCCESS || o->answer->delivered_before)
        return rv;
    if ((rv = final_profile(o)) == APR_SUCCESS)
        rv = mdm_db_transact(o->st->db, deliver, o);
    if (rv != APR_SUCCESS || o->answer->delivered_before)
        o->answer->profile.len = 0;
    return rv;
}

static int vouched_for(const ota_t *o, const mdm_cert_t *cert)
{
    int i;

    for (i = 0; i < o->site->device_cas->nelts; i++) {
        if (mdm_cert_signed_by(cert, APR_ARRAY_IDX(o->site->device_cas, i, const mdm_cert_t *)))
            return 1;
    }
    return 0;
}

/* Apple's device CA has expired, by design: only its signature counts, no date. */
static int is_device(const ota_t *o, const apr_array_header_t *certs)
{
    int i;

    if (vouched_for(o, o->signer))
        return 1;
    for (i = 0; i < certs->nelts; i++) {
        const mdm_cert_t *between = APR_ARRAY_IDX(certs, i, const mdm_cert_t *);

        if (mdm_cert_is_ca(between) && mdm_cert_signed_by(o->signer, between) && vouched_for(o, between))
            return 1;
    }
    return 0;
}

static apr_status_t answer(ota_t *o, mdm_bytes_t content, const apr_array_header_t *certs)
{
    mdm_ctx_t *ctx = o->st->ctx;
    mdm_certificate_t *row;
    apr_status_t rv = mdm_store_certificate_by_fingerprint(&row, o->st, mdm_cert_fingerprint(ctx, o->signer));
    int ours = rv == APR_SUCCESS;

    if (rv != APR_SUCCESS && rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(ctx);
    if (!ours && !is_device(o, certs))
        return refuse(o, o->site->device_cas->nelts
                             ? "the signer is no device of MDMDeviceCAFile, and none of our identities"
                             : "the signer is none of our identities, and there is no MDMDeviceCAFile");
    if ((rv = mdm_ota_read(&o->facts, &o->challenge, ctx, content)) != APR_SUCCESS)
        return rv;
    return ours ? answer_identity(o, row) : answer_facts(o);
}

apr_status_t mdm_ota_answer(mdm_ota_answer_t *result, mdm_store_t *st, const mdm_site_t *site,
                            mdm_bytes_t message, const char *source)
{
    ota_t o = { st, site, source, NULL, { 0 }, NULL, NULL, NULL, result };
    apr_array_header_t *certs;
    mdm_bytes_t content;
    mdm_cert_t *signer;
    apr_status_t rv = mdm_cms_verify_attached(&content, &signer, &certs, st->ctx, message);

    memset(result, 0, sizeof(*result));
    if (rv == APR_SUCCESS) {
        o.signer = signer;
        rv = answer(&o, content, certs);
    }
    if (o.session)
        result->user = o.session->user;
    if (rv == MDM_EDENIED)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0,
                MDMNO(0801) "refused the answer of %s, signed by %.16s...: %s",
                o.facts.udid ? o.facts.udid : "an unknown device",
                o.signer ? mdm_cert_fingerprint(st->ctx, o.signer) : "nobody", mdm_ctx_detail(st->ctx, rv));
    return rv;
}

static mdm_plist_t *service_profile(const mdm_site_t *site, const char *challenge, apr_pool_t *p)
{
    static const char *const attributes[] = {
        "UDID", "VERSION", "PRODUCT", "SERIAL", "IMEI", "MEID", "ICCID", "DEVICE_NAME", NULL
    };
    mdm_plist_t *root = mdm_profile_payload(site, "Profile Service", "profile-service",
                                            apr_pstrcat(p, site->organization, " Enrollment", NULL), p);
    mdm_plist_t *content, *wanted;
    const char *const *attribute;

    mdm_plist_set_string(root, "PayloadDescription",
                         apr_psprintf(p, "Tells %s which device this is.", site->organization), p);
    content = mdm_plist_set(root, "PayloadContent", mdm_plist_dict(p), p);
    mdm_plist_set_string(content, "URL", apr_pstrcat(p, site->enroll_url, "/device", NULL), p);
    wanted = mdm_plist_set(content, "DeviceAttributes", mdm_plist_array(p), p);
    for (attribute = attributes; *attribute; attribute++)
        mdm_plist_append(wanted, mdm_plist_string(*attribute, p));
    mdm_plist_set_string(content, "Challenge", challenge, p);
    return root;
}

/* The first copy moves the session on; more may be had until a device has answered. */
static apr_status_t offer(mdm_store_t *st, apr_int64_t id)
{
    mdm_session_t *present;
    apr_status_t rv = mdm_store_session_advance(st, id, MDM_SESSION_UNSET, MDM_SESSION_OFFERED);

    if (rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(st->ctx);
    rv = mdm_store_session_get(&present, st, id);
    if (rv == APR_SUCCESS && present->state != MDM_SESSION_OFFERED)
        return mdm_fail(st->ctx, MDM_EDENIED, "a device has answered in this enrollment: sign in again");
    return rv;
}

apr_status_t mdm_ota_first_profile(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                                   const mdm_session_t *session)
{
    mdm_challenge_t wanted = { 0 };
    const char *challenge;
    apr_status_t rv = offer(st, session->id);

    if (rv != APR_SUCCESS)
        return rv;
    wanted.kind = MDM_CHALLENGE_PROFILE_SERVICE;
    wanted.user = session->user;
    wanted.invitation = session->invitation;
    wanted.session = session->id;
    rv = mdm_challenge_make(&challenge, st, &wanted, site->challenge_lifetime);
    if (rv != APR_SUCCESS)
        return rv;
    return mdm_profile_seal_for(der, st->ctx, site, service_profile(site, challenge, st->ctx->pool), NULL);
}
