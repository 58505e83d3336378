/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The push engine. An entry goes: claimed (in its topic's ready list) -> under way (the HTTP client has it) ->
 * ended (waits to be written down) -> gone. The entries of one claim share a pool, the batch, which goes with
 * its last entry; nothing else grows. All of it runs in the worker's thread.
 */
#include <string.h>

#include <apr_uri.h>

#include "mdm_push_engine.h"

#define WRITE_AT 128                              /* ended entries: write them down now */
#define WRITE_AFTER apr_time_from_msec(100)       /* ... or so long after the first ended */
#define TURN_MAX apr_time_from_sec(1)
/* While a crowd waits, those that were wished last go before it, a few each so often. */
#define NEWEST_GAP apr_time_from_msec(20)

/*
 * When to claim the newest, because a wish would wait behind a crowd; 0: not. Where pushes are paced, the wait is what
 * was asked for.
 */
static apr_time_t overtake_at(const mdm_push_t *push)
{
    const mdm_push_topic_state_t *topic;
    int ready = 0;

    for (topic = push->topics.first; topic; topic = topic->next)
        ready += topic->ready.count;
    if (!push->overtake || push->config.rate || (!push->crowded && !ready) || ready >= MDM_PUSH_CLAIMED_MAX)
        return 0;
    return push->newest_at + NEWEST_GAP;
}

static int is_apples(const char *base_url, apr_pool_t *p)
{
    static const char domain[] = ".push.apple.com";
    apr_size_t len, tail = sizeof(domain) - 1;
    apr_uri_t uri;

    if (apr_uri_parse(p, base_url, &uri) != APR_SUCCESS || !uri.hostname)
        return 0;
    len = strlen(uri.hostname);
    return len > tail && !strcasecmp(uri.hostname + len - tail, domain);
}

static int must_write(const mdm_push_t *push, apr_time_t now)
{
    if (!push->ended.count || now < push->database_retry_at)
        return 0;
    return push->ended.count >= WRITE_AT || now - push->ended_at >= WRITE_AFTER || !push->counts.under_way;
}

static apr_time_t next_turn(const mdm_push_t *push, apr_time_t now)
{
    const mdm_push_topic_state_t *topic;
    apr_time_t at = now + TURN_MAX, database = now + TURN_MAX;

    for (topic = push->topics.first; topic; topic = topic->next) {
        apr_time_t paced = mdm_push_topic_paced_until(topic, push->config.rate);

        if (topic->ready.count && topic->hold_until > now)
            at = mdm_push_earlier(at, topic->hold_until);
        else if (topic->ready.count && paced > now)
            at = mdm_push_earlier(at, paced);
    }
    if (mdm_push_may_claim(push, now))
        database = mdm_push_earlier(database, push->look_at);
    if (overtake_at(push))
        database = mdm_push_earlier(database, overtake_at(push));
    if (push->ended.count)
        database = mdm_push_earlier(database, push->counts.under_way ? push->ended_at + WRITE_AFTER : now);
    return mdm_push_earlier(at, database < push->database_retry_at ? push->database_retry_at : database);
}

apr_status_t mdm_push_create(mdm_push_t **push, mdm_ctx_t *ctx, mdm_http_t *http, const mdm_push_config_t *config)
{
    mdm_push_t *made = apr_pcalloc(ctx->pool, sizeof(*made));

    if (strncmp(config->base_url, "https://", 8))
        return mdm_fail(ctx, MDM_ECONFIG, "the address of APNs, %s, is not an https address", config->base_url);
    made->ctx = ctx;
    made->http = http;
    made->config = *config;
    made->topics.pool = ctx->pool;
    made->newest = apr_hash_make(ctx->pool);
    made->topics.real_apns = is_apples(config->base_url, ctx->pool);
    *push = made;
    return APR_SUCCESS;
}

apr_time_t mdm_push_turn(mdm_push_t *push, int woken)
{
    apr_time_t now = mdm_ctx_now(push->ctx);
    int look, newest;

    if (woken)
        push->look_at = now;
    push->overtake |= woken;
    newest = overtake_at(push) && now >= overtake_at(push);
    look = now >= push->look_at && mdm_push_may_claim(push, now);
    /* Never a claim beside an unwritten end of the same enrollment: the end would be taken for the claim's. */
    if (must_write(push, now) || ((look || newest) && push->ended.count && now >= push->database_retry_at))
        mdm_push_write_down(push);
    if (newest && now >= push->database_retry_at) {
        push->overtake = 0;
        push->newest_at = now;
        mdm_push_claim(push, 1);
    }
    if (look && now >= push->database_retry_at) {
        push->overtake = 0;
        mdm_push_claim(push, 0);
    }
    mdm_push_start_ready(push);
    return next_turn(push, mdm_ctx_now(push->ctx));
}

void mdm_push_stop(mdm_push_t *push)
{
    mdm_store_t *st;
    mdm_ctx_t *ctx;

    if (push->ended.count)
        mdm_push_write_down(push);
    ctx = mdm_push_scratch(push);
    if (!push->database_down && push->config.open(&st, ctx, push->config.baton) == APR_SUCCESS) {
        (void)mdm_store_push_release(st, push->config.owner);
        push->config.close(st, push->config.baton);
    }
    apr_pool_destroy(ctx->pool);
}

void mdm_push_counts(mdm_push_counts_t *counts, const mdm_push_t *push)
{
    const mdm_push_topic_state_t *topic;

    *counts = push->counts;
    counts->unwritten = push->ended.count;
    for (topic = push->topics.first; topic; topic = topic->next)
        counts->ready += topic->ready.count;
}
