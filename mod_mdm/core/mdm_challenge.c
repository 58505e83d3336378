/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time SCEP challenges. Made by the enrollment profile and by mdmctl, used up by PKIOperation in the
 * transaction that stores the certificate. Never logs or keeps a challenge's text.
 */
#include "mdm_challenge.h"

#define CHALLENGE_BYTES 20

apr_status_t mdm_challenge_new(const char **text, mdm_store_t *st, const char *user, const char *common_name,
                               apr_interval_time_t lifetime)
{
    mdm_ctx_t *ctx = st->ctx;
    unsigned char random[CHALLENGE_BYTES];
    mdm_bytes_t bytes = { random, sizeof(random) };
    mdm_challenge_t challenge = { 0 };

    if (mdm_random(random, sizeof(random)) != APR_SUCCESS)
        return mdm_fail(ctx, MDM_ECRYPTO, "no random bytes for a challenge");
    *text = mdm_hex_encode(bytes, ctx->pool);
    mdm_cleanse(random, sizeof(random));
    challenge.sha256 = mdm_sha256_hex(mdm_bytes_of(*text), ctx->pool);
    challenge.kind = MDM_CHALLENGE_SCEP;
    challenge.user = user;
    challenge.common_name = common_name;
    challenge.created_at = mdm_ctx_now(ctx);
    challenge.expires_at = challenge.created_at + lifetime;
    return mdm_store_challenge_insert(st, &challenge);
}

apr_status_t mdm_challenge_use(mdm_challenge_t **challenge, mdm_store_t *st, const char *text,
                               const char *common_name)
{
    if (!text || !*text)
        return mdm_fail(st->ctx, MDM_EDENIED, "the request carries no challenge");
    return mdm_store_challenge_use(challenge, st, MDM_CHALLENGE_SCEP,
                                   mdm_sha256_hex(mdm_bytes_of(text), st->ctx->pool), common_name);
}
