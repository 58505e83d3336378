/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claimed wake-ups on their way to APNs: which may start, and what their answers mean. Called in the worker's thread,
 * by mdm_push.c and, for the answers, by the HTTP client.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_push_engine.h"

#define RETRY_MAX apr_time_from_sec(3600)
#define RETRY_UNANSWERED_MAX apr_time_from_sec(300)
#define LEASE_NEEDED apr_time_from_sec(35)           /* the request's timeout and some more */
#define REASON_MAX 100

/* ---- one enrollment, one entry */

static void forget_newest(mdm_push_entry_t *entry)
{
    apr_hash_t *newest = entry->push->newest;
    const apr_int64_t *id = &entry->job->enrollment;

    if (apr_hash_get(newest, id, sizeof(*id)) == entry)
        apr_hash_set(newest, id, sizeof(*id), NULL);
}

/*
 * Wishes coalesce in the table; one that comes after a claim is claimed again, and takes the place of what is
 * still here, or waits for the end of what is under way.
 */
void mdm_push_enlist(mdm_push_entry_t *entry)
{
    apr_hash_t *newest = entry->push->newest;
    const apr_int64_t *id = &entry->job->enrollment;
    mdm_push_entry_t *other = apr_hash_get(newest, id, sizeof(*id));

    if (other && other->under_way) {
        if (other->successor)
            mdm_push_entry_free(other->successor);
        other->successor = entry;
        return;
    }
    if (other) {
        other->superseded = 1;
        /* The key is the entry's own: it must not outlive it. */
        forget_newest(other);
    }
    apr_hash_set(newest, id, sizeof(*id), entry);
    if (entry->batch->newest)
        mdm_push_entries_put_back(&entry->topic->ready, entry);
    else
        mdm_push_entries_add(&entry->topic->ready, entry);
}

/* ---- ended entries */

static void end_entry(mdm_push_entry_t *entry, mdm_apns_outcome_e outcome, apr_time_t due_at, const char *reason)
{
    mdm_push_t *push = entry->push;

    forget_newest(entry);
    entry->outcome = outcome;
    entry->due_at = due_at;
    entry->reason = apr_pstrndup(entry->batch->pool, reason, REASON_MAX);
    if (!push->ended.count)
        push->ended_at = mdm_ctx_now(push->ctx);
    mdm_push_entries_add(&push->ended, entry);
}

/* ---- answers */

static apr_time_t retry_at(const mdm_push_entry_t *entry, const mdm_apns_result_t *result)
{
    apr_time_t now = mdm_ctx_now(entry->push->ctx);
    apr_interval_time_t wait;

    wait = mdm_push_backoff(entry->job->attempts, result->status ? RETRY_MAX : RETRY_UNANSWERED_MAX);
    if (wait < result->retry_after)
        wait = result->retry_after;
    return now + wait < entry->topic->hold_until ? entry->topic->hold_until : now + wait;
}

static void log_result(const mdm_push_entry_t *entry, const mdm_apns_result_t *result)
{
    mdm_log_level_e level = MDM_LOG_DEBUG;

    if (result->outcome == MDM_APNS_TOKEN_DEAD || result->outcome == MDM_APNS_BUG
        || (result->outcome == MDM_APNS_RETRY && result->status))
        level = MDM_LOG_WARNING;
    mdm_log(entry->push->ctx, MDM_LOG_MARK, level, APR_SUCCESS, MDMNO(0613) "push %s to %s: %d %s",
            entry->job->apns_id, entry->job->enrollment_id, result->status, result->reason);
}

/* A 410 older than the token speaks of an earlier life of it. */
static int is_dead(const mdm_push_entry_t *entry, const mdm_apns_result_t *result)
{
    return !result->token_dead_since || result->token_dead_since >= entry->job->token_at;
}

static void decide(mdm_push_entry_t *entry, const mdm_apns_result_t *result)
{
    const mdm_ctx_t *ctx = entry->push->ctx;
    mdm_push_topic_state_t *topic = entry->topic;
    mdm_apns_outcome_e outcome = result->outcome;

    if (outcome == MDM_APNS_TOKEN_DEAD && !is_dead(entry, result))
        outcome = MDM_APNS_RETRY;
    if (outcome == MDM_APNS_RETRY && (!result->status || result->status >= 500)) {
        mdm_push_topic_hold(topic, ctx, result);
    }
    else if (outcome == MDM_APNS_TOPIC_BAD) {
        mdm_push_topic_refused(topic, ctx, result->reason);
    }
    else {
        topic->open = 1;
        topic->failures = 0;
    }
    switch (outcome) {
    case MDM_APNS_RETRY:
        end_entry(entry, outcome, retry_at(entry, result), result->reason);
        break;
    case MDM_APNS_TOPIC_BAD:
        end_entry(entry, outcome, mdm_ctx_now(ctx) + MDM_PUSH_BLOCKED_WAIT, result->reason);
        break;
    default:
        end_entry(entry, outcome, 0, result->reason);
    }
}

static int is_same_token(const mdm_push_entry_t *a, const mdm_push_entry_t *b)
{
    return a->job->token.len == b->job->token.len && !memcmp(a->job->token.data, b->job->token.data, a->job->token.len);
}

/* The row is the successor's claim now: what became of the entry before it is not written, unless it was the last. */
static void succeed(mdm_push_entry_t *entry)
{
    mdm_push_entry_t *successor = entry->successor;

    if (!successor)
        return;
    if (entry->outcome == MDM_APNS_TOKEN_DEAD && is_same_token(entry, successor)) {
        mdm_push_entry_free(successor);
        return;
    }
    entry->superseded = 1;
    mdm_push_enlist(successor);
}

static void answered(void *baton, const mdm_http_answer_t *answer)
{
    mdm_push_entry_t *entry = baton;
    mdm_ctx_t *ctx = mdm_ctx_create(entry->batch->pool, entry->push->ctx->log);
    mdm_apns_result_t result;

    entry->under_way = 0;
    entry->topic->under_way--;
    entry->push->counts.under_way--;
    mdm_apns_judge(&result, ctx, answer);
    log_result(entry, &result);
    decide(entry, &result);
    succeed(entry);
}

/* ---- starting */

static apr_status_t build(mdm_http_request_t *request, mdm_push_entry_t *entry, mdm_ctx_t *ctx)
{
    const mdm_push_config_t *config = &entry->push->config;
    mdm_apns_push_t push = { 0 };

    push.base_url = config->base_url;
    push.topic = entry->topic->name;
    push.token = entry->job->token;
    push.magic = entry->job->magic;
    push.apns_id = entry->job->apns_id;
    push.expires_at = config->expiration ? mdm_ctx_now(entry->push->ctx) + config->expiration : 0;
    /* The client keeps its own copy of the certificates: a reload while this is under way is harmless. */
    request->client_pem = entry->topic->certificate;
    request->client_key_pem = entry->topic->key;
    request->ca_pem = config->ca_pem;
    request->done = answered;
    request->baton = entry;
    request->urgent = entry->batch->newest;
    return mdm_apns_build(request, ctx, &push);
}

static apr_status_t start(mdm_push_entry_t *entry)
{
    mdm_ctx_t *ctx = mdm_ctx_create(entry->batch->pool, NULL);
    mdm_http_request_t request = { 0 };
    apr_status_t rv = build(&request, entry, ctx);

    if (rv != APR_SUCCESS) {
        mdm_log(entry->push->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, APR_SUCCESS, MDMNO(0614) "no push to %s: %s",
                entry->job->enrollment_id, mdm_ctx_detail(ctx, rv));
        end_entry(entry, MDM_APNS_BUG, 0, "Malformed");
        return APR_SUCCESS;
    }
    rv = mdm_http_start(entry->push->http, &request);
    if (rv == APR_SUCCESS) {
        entry->under_way = 1;
        entry->topic->under_way++;
        entry->push->counts.under_way++;
    }
    return rv;
}

/* Until a first answer shows that the way is open, one request tries it for all. */
static int must_wait(const mdm_push_t *push, mdm_push_topic_state_t *topic, apr_time_t now)
{
    return now < topic->hold_until || (!topic->open && topic->under_way)
        || push->counts.under_way >= push->config.concurrency
        || !mdm_push_topic_pace(topic, now, push->config.rate);
}

/* Start the next of a topic. @return 0 when nothing of it can be started now */
static int start_next(mdm_push_t *push, mdm_push_topic_state_t *topic, apr_time_t now)
{
    static const mdm_apns_result_t not_made = { MDM_APNS_RETRY, 0, "no request could be made", 0, 0 };
    mdm_push_entry_t *entry = mdm_push_entries_take(&topic->ready);
    apr_status_t rv;

    if (!entry)
        return 0;
    if (entry->superseded) {
        mdm_push_entry_free(entry);
        return 1;
    }
    if (mdm_push_topic_blocked(topic, push->ctx)) {
        end_entry(entry, MDM_APNS_TOPIC_BAD, now + MDM_PUSH_BLOCKED_WAIT, topic->problem);
        return 1;
    }
    if (now + LEASE_NEEDED > entry->batch->lease_until) {
        push->counts.dropped++;
        forget_newest(entry);
        mdm_push_entry_free(entry);
        return 1;
    }
    if (must_wait(push, topic, now)) {
        mdm_push_entries_put_back(&topic->ready, entry);
        return 0;
    }
    rv = start(entry);
    if (rv != APR_SUCCESS)
        mdm_push_entries_put_back(&topic->ready, entry);
    if (rv != APR_SUCCESS && rv != MDM_ETOOBIG)
        mdm_push_topic_hold(topic, push->ctx, &not_made);
    return rv == APR_SUCCESS;
}

/* One of each topic in turn, so that none waits for another's crowd. */
void mdm_push_start_ready(mdm_push_t *push)
{
    apr_time_t now = mdm_ctx_now(push->ctx);
    mdm_push_topic_state_t *topic;
    int started;

    do {
        started = 0;
        for (topic = push->topics.first; topic; topic = topic->next)
            started += start_next(push, topic, now);
    } while (started);
}
