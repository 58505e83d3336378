/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollment sessions. Opened by the sign-in page, moved on by the first profile's download and by the
 * device's check-in. Never logs or keeps a cookie: what is stored of it is its SHA-256.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_invitation.h"
#include "mdm_ota.h"
#include "mdm_profile.h"
#include "mdm_session.h"

#define COOKIE_BYTES 32
#define COOKIE_LEN 43
#define KEPT_AFTER_END apr_time_from_sec(30 * 86400)

typedef struct {
    mdm_store_t *st;
    const mdm_sign_in_t *sign_in;
    const mdm_session_t *session;
} opening_t;

static apr_status_t new_cookie(const char **cookie, mdm_ctx_t *ctx)
{
    unsigned char random[COOKIE_BYTES];
    mdm_bytes_t bytes = { random, sizeof(random) };

    if (mdm_random(random, sizeof(random)) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_ECRYPTO, "no random bytes for an enrollment session");
    *cookie = mdm_base64url_encode(bytes, ctx->pool);
    mdm_cleanse(random, sizeof(random));
    return APR_SUCCESS;
}

static const char *sha256_of(const char *cookie, apr_pool_t *p)
{
    return mdm_sha256_hex(mdm_bytes_of(cookie), p);
}

static apr_status_t store_opening(void *baton, mdm_db_t *db)
{
    opening_t *o = baton;
    const mdm_sign_in_t *s = o->sign_in;
    apr_status_t rv = s->invitation ? mdm_invitation_take(o->st, s->invitation->id) : APR_SUCCESS;

    (void)db;
    if (rv != APR_SUCCESS || (rv = mdm_person_sign_in(o->st, s->user, s->person, s->source)) != APR_SUCCESS
        || (rv = mdm_store_session_insert(o->st, o->session)) != APR_SUCCESS
        || (rv = mdm_store_session_prune(o->st, mdm_ctx_now(o->st->ctx) - KEPT_AFTER_END)) != APR_SUCCESS)
        return rv;
    rv = mdm_store_event(o->st, "enrollment.signed-in", s->user, s->source, NULL,
                         s->invitation ? apr_psprintf(o->st->ctx->pool, "invitation %" APR_INT64_T_FMT,
                                                      s->invitation->id) : NULL,
                         s->method == MDM_SESSION_DIRECT ? "direct" : "profile-service");
    if (rv == APR_SUCCESS && s->terms)
        rv = mdm_store_event(o->st, "terms.accepted", s->user, s->source, NULL,
                             sha256_of(s->terms, o->st->ctx->pool), NULL);
    return rv;
}

apr_status_t mdm_session_open(const char **cookie, mdm_session_t **session, mdm_store_t *st,
                              const mdm_sign_in_t *sign_in)
{
    mdm_ctx_t *ctx = st->ctx;
    mdm_session_t *s = apr_pcalloc(ctx->pool, sizeof(*s));
    opening_t o = { st, sign_in, s };
    apr_status_t rv = new_cookie(cookie, ctx);

    if (rv != APR_SUCCESS)
        return rv;
    s->id = mdm_id_next();
    s->sha256 = sha256_of(*cookie, ctx->pool);
    s->state = MDM_SESSION_SIGNED_IN;
    s->method = sign_in->method;
    s->user = sign_in->user;
    s->invitation = sign_in->invitation ? sign_in->invitation->id : 0;
    s->source_ip = sign_in->source;
    s->created_at = s->changed_at = mdm_ctx_now(ctx);
    s->expires_at = s->created_at + sign_in->lifetime;
    if (!(s->common_name = mdm_uuid_random(ctx->pool)))
        return mdm_fail(ctx, MDM_ECRYPTO, "no random bytes for an identity's name");
    *session = s;
    return mdm_db_transact(st->db, store_opening, &o);
}

apr_status_t mdm_session_find(mdm_session_t **session, mdm_store_t *st, const char *cookie)
{
    if (!cookie || strlen(cookie) != COOKIE_LEN)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "this browser has not signed in");
    return mdm_store_session_by_sha256(session, st, sha256_of(cookie, st->ctx->pool));
}

/* The first copy moves the session on; another may be had until SCEP has issued an identity for one. */
static apr_status_t direct_profile(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                                   const mdm_session_t *s)
{
    mdm_profile_request_t request = { 0 };
    mdm_plist_t *root;
    apr_status_t rv;

    if (s->state > MDM_SESSION_OFFERED)
        return mdm_fail(st->ctx, MDM_EDENIED, "a device has used the profile of this sign-in: sign in "
                        "again for another device");
    request.user = s->user;
    request.common_name = s->common_name;
    request.session = s->id;
    request.invitation = s->invitation;
    if ((rv = mdm_profile_enrollment(&root, st, site, &request)) != APR_SUCCESS
        || (rv = mdm_profile_seal_for(der, st->ctx, site, root, NULL)) != APR_SUCCESS)
        return rv;
    rv = mdm_store_session_advance(st, s->id, MDM_SESSION_UNSET, MDM_SESSION_OFFERED);
    return rv == MDM_ENOTFOUND ? APR_SUCCESS : rv;
}

apr_status_t mdm_session_profile(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                                 const mdm_session_t *session)
{
    return session->method == MDM_SESSION_PROFILE_SERVICE ? mdm_ota_first_profile(der, st, site, session)
                                                          : direct_profile(der, st, site, session);
}

apr_status_t mdm_session_admit(mdm_store_t *st, apr_int64_t id, const char *fingerprint, const char *device_id,
                               const char *serial_number)
{
    mdm_session_t *session;
    mdm_invitation_t *invitation;
    apr_status_t rv = mdm_store_session_get(&session, st, id);

    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(st->ctx);
        return mdm_fail(st->ctx, MDM_EDENIED, "the sign-in of this certificate was long ago: sign in again");
    }
    if (rv != APR_SUCCESS)
        return rv;
    if (session->method == MDM_SESSION_DIRECT && !mdm_equal(session->certificate, fingerprint))
        return mdm_fail(st->ctx, MDM_EDENIED, "another device has enrolled with this sign-in");
    if (session->facts.udid && strcmp(session->facts.udid, device_id))
        return mdm_fail(st->ctx, MDM_EDENIED, "the certificate was issued over the air for another device");
    if (!session->invitation)
        return APR_SUCCESS;
    if ((rv = mdm_store_invitation_get(&invitation, st, session->invitation)) != APR_SUCCESS)
        return rv;
    if (invitation->serial_number && (!serial_number || strcmp(invitation->serial_number, serial_number)))
        return mdm_fail(st->ctx, MDM_EDENIED, "the invitation is for another device");
    return APR_SUCCESS;
}
