/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time challenges. Made for the profiles of an enrollment or renewal and by mdmctl, used up by SCEP and
 * the Profile Service in the transaction that stores what they pay for. Never logs or keeps a challenge's
 * text.
 */
#include "mdm_challenge.h"

#define CHALLENGE_BYTES 20
#define KEPT_AFTER_END (apr_time_from_sec(24 * 60 * 60))

/* One in PRUNE_EVERY pays for a cleaning, so that most makers cost one statement. */
#define PRUNE_EVERY 16

static apr_status_t prune(mdm_store_t *st, unsigned char dice)
{
    if (dice % PRUNE_EVERY)
        return APR_SUCCESS;
    return mdm_store_challenge_prune(st, mdm_ctx_now(st->ctx) - KEPT_AFTER_END);
}

apr_status_t mdm_challenge_make(const char **text, mdm_store_t *st, const mdm_challenge_t *wanted,
                                apr_interval_time_t lifetime)
{
    mdm_ctx_t *ctx = st->ctx;
    unsigned char random[CHALLENGE_BYTES + 1];
    mdm_bytes_t bytes = { random, CHALLENGE_BYTES };
    mdm_challenge_t challenge = *wanted;
    apr_status_t rv;

    if (mdm_random(random, sizeof(random)) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_ECRYPTO, "no random bytes for a challenge");
    *text = mdm_hex_encode(bytes, ctx->pool);
    challenge.sha256 = mdm_sha256_hex(mdm_bytes_of(*text), ctx->pool);
    challenge.created_at = mdm_ctx_now(ctx);
    challenge.expires_at = challenge.created_at + lifetime;
    challenge.used_at = 0;
    rv = prune(st, random[CHALLENGE_BYTES]);
    mdm_cleanse(random, sizeof(random));
    return rv == APR_SUCCESS ? mdm_store_challenge_insert(st, &challenge) : rv;
}

apr_status_t mdm_challenge_new(const char **text, mdm_store_t *st, const char *user, const char *common_name,
                               apr_interval_time_t lifetime)
{
    mdm_challenge_t wanted = { 0 };

    wanted.kind = MDM_CHALLENGE_SCEP;
    wanted.user = user;
    wanted.common_name = common_name;
    return mdm_challenge_make(text, st, &wanted, lifetime);
}

apr_status_t mdm_challenge_use(mdm_challenge_t **challenge, mdm_store_t *st, const char *kind,
                               const char *text, const char *common_name)
{
    if (!text || !*text)
        return mdm_fail(st->ctx, MDM_EDENIED, "the request carries no challenge");
    return mdm_store_challenge_use(challenge, st, kind,
                                   mdm_sha256_hex(mdm_bytes_of(text), st->ctx->pool), common_name);
}
