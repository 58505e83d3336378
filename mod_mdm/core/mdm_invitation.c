/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invitations to enroll. Made by the API and mdmctl, opened and taken by the enrollment pages in any request
 * thread. Never logs or keeps a token.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_invitation.h"

#define TOKEN_BYTES 16
#define TEXT_MAX 255
#define LIFETIME_MAX (apr_time_from_sec(APR_INT64_C(3653) * 24 * 60 * 60))

static apr_status_t make_token(const char **token, mdm_ctx_t *ctx)
{
    unsigned char random[TOKEN_BYTES];
    mdm_bytes_t bytes = { random, sizeof(random) };

    if (mdm_random(random, sizeof(random)) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_ECRYPTO, "no random bytes for an invitation");
    *token = mdm_base64url_encode(bytes, ctx->pool);
    mdm_cleanse(random, sizeof(random));
    return APR_SUCCESS;
}

/* These texts are shown to administrators and compared with what people and devices say of themselves. */
static apr_status_t check_text(const char **text, mdm_ctx_t *ctx, const char *what)
{
    const char *c;

    if (!*text || !**text) {
        *text = NULL;
        return APR_SUCCESS;
    }
    for (c = *text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 127)
            return mdm_fail(ctx, MDM_EINPUT, "the %s of an invitation has a control character in it", what);
    }
    if (c - *text > TEXT_MAX || !mdm_utf8_valid(mdm_bytes_of(*text)))
        return mdm_fail(ctx, MDM_EINPUT, "the %s of an invitation must be UTF-8 text of at most %d bytes",
                        what, TEXT_MAX);
    return APR_SUCCESS;
}

static apr_status_t check(mdm_ctx_t *ctx, mdm_invitation_t *invitation, apr_interval_time_t lifetime)
{
    apr_status_t rv = check_text(&invitation->user, ctx, "user");

    if (rv == APR_SUCCESS)
        rv = check_text(&invitation->serial_number, ctx, "serial number");
    if (rv != APR_SUCCESS)
        return rv;
    if (invitation->uses < 1 || invitation->uses > MDM_INVITATION_USES_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "an invitation can be used 1 to %d times", MDM_INVITATION_USES_MAX);
    if (lifetime <= 0 || lifetime > LIFETIME_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "an invitation can be valid for at most ten years");
    return APR_SUCCESS;
}

typedef struct {
    mdm_store_t *st;
    const mdm_invitation_t *invitation;
    apr_int64_t id;
    const char *actor, *source;
} change_t;

static apr_status_t make_work(void *baton, mdm_db_t *db)
{
    change_t *c = baton;
    const mdm_invitation_t *i = c->invitation;
    apr_status_t rv = mdm_store_invitation_insert(c->st, i);

    (void)db;
    if (rv == APR_SUCCESS)
        rv = mdm_store_event(c->st, "invitation.created", i->created_by, c->source, NULL,
                             apr_psprintf(c->st->ctx->pool, "%" APR_INT64_T_FMT, i->id), i->user);
    return rv;
}

apr_status_t mdm_invitation_make(const char **token, mdm_store_t *st, mdm_invitation_t *invitation,
                                 apr_interval_time_t lifetime, const char *source)
{
    mdm_ctx_t *ctx = st->ctx;
    change_t c = { st, invitation, 0, NULL, source };
    apr_status_t rv = check(ctx, invitation, lifetime);

    if (rv != APR_SUCCESS || (rv = make_token(token, ctx)) != APR_SUCCESS)
        return rv;
    invitation->id = mdm_id_next();
    invitation->sha256 = mdm_sha256_hex(mdm_bytes_of(*token), ctx->pool);
    invitation->uses_left = invitation->uses;
    invitation->created_at = mdm_ctx_now(ctx);
    invitation->expires_at = invitation->created_at + lifetime;
    invitation->revoked_at = 0;
    return mdm_db_transact(st->db, make_work, &c);
}

const char *mdm_invitation_url(const char *enroll_url, const char *token, apr_pool_t *p)
{
    return apr_pstrcat(p, enroll_url, "/i/", token, NULL);
}

const char *mdm_invitation_state(const mdm_invitation_t *invitation, apr_time_t now)
{
    if (invitation->revoked_at)
        return "revoked";
    if (invitation->uses_left < 1)
        return "used up";
    return invitation->expires_at <= now ? "expired" : "valid";
}

static apr_status_t gone(mdm_ctx_t *ctx, const mdm_invitation_t *invitation)
{
    const char *why = invitation->revoked_at ? "has been withdrawn" : invitation->uses_left < 1
        ? "has been used already" : "has expired";

    return mdm_fail(ctx, MDM_EGONE, "This invitation %s. Please ask for a new one.", why);
}

static int in_force(const mdm_invitation_t *invitation, apr_time_t now)
{
    return !invitation->revoked_at && invitation->uses_left > 0 && invitation->expires_at > now;
}

apr_status_t mdm_invitation_open(mdm_invitation_t **invitation, mdm_store_t *st, const char *token)
{
    static const char unknown[] = "There is no such invitation. Please check the address, or ask for a new "
                                  "one.";
    mdm_ctx_t *ctx = st->ctx;
    mdm_invitation_t *found;
    apr_status_t rv;

    if (!token || strlen(token) != MDM_INVITATION_TOKEN_LEN
        || strspn(token, MDM_BASE64URL) != MDM_INVITATION_TOKEN_LEN)
        return mdm_fail(ctx, MDM_ENOTFOUND, "%s", unknown);
    rv = mdm_store_invitation_by_sha256(&found, st, mdm_sha256_hex(mdm_bytes_of(token), ctx->pool));
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(ctx);
        return mdm_fail(ctx, rv, "%s", unknown);
    }
    if (rv != APR_SUCCESS)
        return rv;
    if (!in_force(found, mdm_ctx_now(ctx)))
        return gone(ctx, found);
    *invitation = found;
    return APR_SUCCESS;
}

apr_status_t mdm_invitation_take(mdm_store_t *st, apr_int64_t id)
{
    apr_status_t rv = mdm_store_invitation_use(st, id);
    mdm_invitation_t *found;

    if (rv != MDM_EGONE)
        return rv;
    if ((rv = mdm_store_invitation_get(&found, st, id)) == APR_SUCCESS)
        return gone(st->ctx, found);
    if (rv != MDM_ENOTFOUND)
        return rv;
    mdm_ctx_clear(st->ctx);
    return mdm_fail(st->ctx, MDM_EGONE, "This invitation is no more. Please ask for a new one.");
}

static apr_status_t revoke_work(void *baton, mdm_db_t *db)
{
    change_t *c = baton;
    mdm_invitation_t *found;
    apr_status_t rv = mdm_store_invitation_get(&found, c->st, c->id);

    (void)db;
    if (rv == APR_SUCCESS && (rv = mdm_store_invitation_revoke(c->st, c->id)) == MDM_ENOTFOUND)
        return mdm_fail(c->st->ctx, MDM_EGONE, "the invitation is revoked already");
    if (rv == APR_SUCCESS)
        rv = mdm_store_event(c->st, "invitation.revoked", c->actor, c->source, NULL,
                             apr_psprintf(c->st->ctx->pool, "%" APR_INT64_T_FMT, c->id), NULL);
    return rv;
}

apr_status_t mdm_invitation_revoke(mdm_store_t *st, apr_int64_t id, const char *actor, const char *source)
{
    change_t c = { st, NULL, id, actor, source };

    return mdm_db_transact(st->db, revoke_work, &c);
}
