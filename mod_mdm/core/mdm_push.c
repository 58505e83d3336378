/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The push engine. An entry goes: claimed (in its topic's ready list) -> under way (the HTTP client has it) ->
 * ended (waits to be written down) -> gone. The entries of one claim share a pool, the batch, which goes with
 * its last entry; nothing else grows. All of it runs in the worker's thread.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_uri.h>

#include "mdm_push_topic.h"

#define RETRY_MAX apr_time_from_sec(3600)
#define RETRY_UNANSWERED_MAX apr_time_from_sec(300)
#define LEASE_NEEDED apr_time_from_sec(35)           /* the request's timeout and some more */
#define WRITE_AT 128                              /* ended entries: write them down now */
#define WRITE_AFTER apr_time_from_msec(100)       /* ... or so long after the first ended */
#define DATABASE_RETRY apr_time_from_sec(1)
#define LOOK_AGAIN apr_time_from_msec(50)
#define TURN_MAX apr_time_from_sec(1)
#define CLAIMED_MAX 2000                          /* in memory */
#define REASON_MAX 100
/* While a crowd waits, those that were wished last go before it: so many at a time and this far apart, which leaves
 * most of the way to the crowd. */
#define NEWEST_MAX 16
#define NEWEST_GAP apr_time_from_msec(20)
#define REPUSHES_MAX 40                           /* counted no further */

struct mdm_push_t {
    mdm_ctx_t *ctx;
    mdm_http_t *http;
    mdm_push_config_t config;
    mdm_push_topics_t topics;
    apr_hash_t *newest;              /* enrollment id -> its newest entry that is ready or under way */
    mdm_push_entries_t ended;
    mdm_push_counts_t counts;
    apr_time_t look_at;              /* the next look at the database */
    apr_time_t newest_at;            /* the last claim of the newest */
    int crowded;                     /* the last claim left some that are due */
    int overtake;                    /* somebody has wished since */
    apr_time_t ended_at;             /* when the first of `ended` ended */
    apr_time_t database_retry_at;
    int database_down;
};

static apr_time_t earlier(apr_time_t a, apr_time_t b)
{
    return a < b ? a : b;
}

/* ---- the database */

static void database_failed(mdm_push_t *push, mdm_ctx_t *ctx, apr_status_t rv)
{
    push->database_retry_at = mdm_ctx_now(push->ctx) + DATABASE_RETRY;
    if (push->database_down)
        return;
    push->database_down = 1;
    mdm_log(push->ctx, MDM_LOG_MARK, MDM_LOG_ERR, APR_SUCCESS, MDMNO(0611) "pushes wait for the database, which "
            "is tried each second: %s", mdm_ctx_detail(ctx, rv));
}

static void database_works(mdm_push_t *push)
{
    if (push->database_down)
        mdm_log(push->ctx, MDM_LOG_MARK, MDM_LOG_NOTICE, APR_SUCCESS,
                MDMNO(0612) "the database answers again, pushes go on");
    push->database_down = 0;
}

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
static void enlist(mdm_push_entry_t *entry)
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

/* When a device that does not come is woken again, after so many pushes that it has not followed. */
static apr_time_t again_at(const mdm_push_t *push, int repushes)
{
    apr_interval_time_t gap = push->config.retry_first;

    if (!gap)
        return 0;
    while (repushes-- > 0 && gap < push->config.retry_max)
        gap *= 2;
    return mdm_ctx_now(push->ctx) + (gap < push->config.retry_max ? gap : push->config.retry_max);
}

static int repushes_of(const mdm_push_entry_t *entry)
{
    return entry->job->repushes < REPUSHES_MAX ? entry->job->repushes : REPUSHES_MAX;
}

/* Those that wait for their devices equally long go together. */
static apr_status_t write_sent(mdm_push_t *push, mdm_store_t *st)
{
    apr_int64_t *ids = apr_palloc(st->ctx->pool, (apr_size_t)push->ended.count * sizeof(*ids));
    mdm_push_entry_t *entry;
    apr_status_t rv = APR_SUCCESS;
    int repushes, left = push->ended.count, n;

    for (repushes = 0; rv == APR_SUCCESS && left > 0 && repushes <= REPUSHES_MAX; repushes++) {
        n = 0;
        for (entry = push->ended.first; entry; entry = entry->next) {
            if (repushes_of(entry) != repushes)
                continue;
            left--;
            if (entry->outcome == MDM_APNS_SENT && !entry->superseded)
                ids[n++] = entry->job->enrollment;
        }
        if (n)
            rv = mdm_store_push_done(st, push->config.owner, ids, n, again_at(push, repushes), repushes + 1);
    }
    return rv;
}

typedef struct write_baton_t {
    mdm_push_t *push;
    mdm_store_t *st;
} write_baton_t;

static apr_status_t write_ended(void *baton, mdm_db_t *db)
{
    write_baton_t *write = baton;
    const char *owner = write->push->config.owner;
    mdm_push_entry_t *entry;
    apr_status_t rv = write_sent(write->push, write->st);

    (void)db;
    for (entry = write->push->ended.first; entry && rv == APR_SUCCESS; entry = entry->next) {
        if (entry->superseded)
            continue;
        if (entry->outcome == MDM_APNS_TOKEN_DEAD)
            rv = mdm_store_push_dead(write->st, owner, entry->job->enrollment, entry->reason);
        else if (entry->outcome != MDM_APNS_SENT)
            rv = mdm_store_push_failed(write->st, owner, entry->job->enrollment, entry->due_at, entry->reason);
    }
    return rv;
}

static void forget_ended(mdm_push_t *push)
{
    mdm_push_entry_t *entry;

    while ((entry = mdm_push_entries_take(&push->ended)) != NULL) {
        if (entry->outcome == MDM_APNS_SENT)
            push->counts.sent++;
        else if (entry->outcome == MDM_APNS_TOKEN_DEAD)
            push->counts.dead++;
        else
            push->counts.failed++;
        if (entry->due_at && !entry->superseded)
            push->look_at = earlier(push->look_at, entry->due_at);
        mdm_push_entry_free(entry);
    }
}

static void write_down(mdm_push_t *push)
{
    write_baton_t baton = { push, NULL };
    apr_status_t rv;
    mdm_ctx_t *ctx;
    apr_pool_t *p;

    apr_pool_create(&p, push->ctx->pool);
    ctx = mdm_ctx_create(p, push->ctx->log);
    ctx->fixed_now = push->ctx->fixed_now;
    rv = push->config.open(&baton.st, ctx, push->config.baton);
    if (rv == APR_SUCCESS) {
        apr_time_t due_at = 0;

        rv = mdm_db_transact(baton.st->db, write_ended, &baton);
        /* A wish that came while its predecessor was under way is due now. */
        if (rv == APR_SUCCESS && mdm_store_push_next_due(&due_at, baton.st) == APR_SUCCESS && due_at)
            push->look_at = earlier(push->look_at, due_at);
        push->config.close(baton.st, push->config.baton);
    }
    if (rv == APR_SUCCESS) {
        database_works(push);
        forget_ended(push);
    }
    else {
        database_failed(push, ctx, rv);
    }
    apr_pool_destroy(p);
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
    enlist(successor);
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
static void start_ready(mdm_push_t *push)
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

/* ---- claiming */

/* No more than what goes within the lease. */
static int claim_max(const mdm_push_t *push)
{
    int paced = push->config.rate ? push->config.rate * 10 : MDM_PUSH_CLAIM_MAX;

    return paced < MDM_PUSH_CLAIM_MAX ? paced : MDM_PUSH_CLAIM_MAX;
}

static void take_jobs(mdm_push_t *push, mdm_push_batch_t *batch, const apr_array_header_t *jobs)
{
    int i;

    batch->entries = jobs->nelts;
    push->counts.claimed += jobs->nelts;
    for (i = 0; i < jobs->nelts; i++) {
        mdm_push_entry_t *entry = apr_pcalloc(batch->pool, sizeof(*entry));

        entry->push = push;
        entry->batch = batch;
        entry->job = &APR_ARRAY_IDX(jobs, i, mdm_push_job_t);
        entry->topic = mdm_push_topic_find(&push->topics, entry->job->topic ? entry->job->topic : "");
        enlist(entry);
    }
}

static apr_status_t claim_batch(mdm_push_t *push, mdm_push_batch_t *batch, mdm_store_t *st)
{
    int limit = batch->newest ? NEWEST_MAX : claim_max(push);
    apr_time_t now = mdm_ctx_now(push->ctx), due_at = 0;
    apr_array_header_t *jobs;
    apr_status_t rv;

    batch->lease_until = now + MDM_PUSH_LEASE;
    rv = mdm_store_push_claim(&jobs, st, push->config.owner, batch->lease_until, limit, batch->newest);
    if (rv != APR_SUCCESS)
        return rv;
    /* After the claim, so that no job is judged by an older list of topics. When it fails, the leases end. */
    if (jobs->nelts)
        rv = mdm_push_topics_refresh(&push->topics, st);
    if (rv != APR_SUCCESS)
        return rv;
    take_jobs(push, batch, jobs);
    if (batch->newest)
        return APR_SUCCESS;
    push->look_at = now;
    push->crowded = jobs->nelts == limit;
    if (push->crowded)
        return APR_SUCCESS;
    push->look_at = now + push->config.interval;
    rv = mdm_store_push_next_due(&due_at, st);
    if (rv == APR_SUCCESS && due_at)
        push->look_at = earlier(push->look_at, due_at > now ? due_at : now + LOOK_AGAIN);
    return rv;
}

static void claim(mdm_push_t *push, int newest)
{
    mdm_push_batch_t *batch;
    mdm_store_t *st = NULL;
    apr_status_t rv;
    apr_pool_t *p;
    mdm_ctx_t *ctx;

    apr_pool_create(&p, push->ctx->pool);
    batch = apr_pcalloc(p, sizeof(*batch));
    batch->pool = p;
    batch->newest = newest;
    ctx = mdm_ctx_create(p, push->ctx->log);
    ctx->fixed_now = push->ctx->fixed_now;
    rv = push->config.open(&st, ctx, push->config.baton);
    if (rv == APR_SUCCESS) {
        rv = claim_batch(push, batch, st);
        push->config.close(st, push->config.baton);
    }
    if (rv == APR_SUCCESS)
        database_works(push);
    else
        database_failed(push, ctx, rv);
    if (!batch->entries)
        apr_pool_destroy(p);
}

static int may_claim(const mdm_push_t *push, apr_time_t now)
{
    const mdm_push_topic_state_t *topic;
    int open = 0, claimed = push->counts.under_way + push->ended.count;

    for (topic = push->topics.first; topic; topic = topic->next) {
        claimed += topic->ready.count;
        if (now >= topic->hold_until)
            open += topic->ready.count;
    }
    return open < push->config.concurrency && (!push->config.rate || open <= push->config.rate)
        && claimed < CLAIMED_MAX;
}

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
    if (!push->overtake || push->config.rate || (!push->crowded && !ready) || ready >= CLAIMED_MAX)
        return 0;
    return push->newest_at + NEWEST_GAP;
}

/* ---- the interface */

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
            at = earlier(at, topic->hold_until);
        else if (topic->ready.count && paced > now)
            at = earlier(at, paced);
    }
    if (may_claim(push, now))
        database = earlier(database, push->look_at);
    if (overtake_at(push))
        database = earlier(database, overtake_at(push));
    if (push->ended.count)
        database = earlier(database, push->counts.under_way ? push->ended_at + WRITE_AFTER : now);
    return earlier(at, database < push->database_retry_at ? push->database_retry_at : database);
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
    look = now >= push->look_at && may_claim(push, now);
    /* Never a claim beside an unwritten end of the same enrollment: the end would be taken for the claim's. */
    if (must_write(push, now) || ((look || newest) && push->ended.count && now >= push->database_retry_at))
        write_down(push);
    if (newest && now >= push->database_retry_at) {
        push->overtake = 0;
        push->newest_at = now;
        claim(push, 1);
    }
    if (look && now >= push->database_retry_at) {
        push->overtake = 0;
        claim(push, 0);
    }
    start_ready(push);
    return next_turn(push, mdm_ctx_now(push->ctx));
}

void mdm_push_stop(mdm_push_t *push)
{
    mdm_store_t *st;
    mdm_ctx_t *ctx;
    apr_pool_t *p;

    if (push->ended.count)
        write_down(push);
    apr_pool_create(&p, push->ctx->pool);
    ctx = mdm_ctx_create(p, push->ctx->log);
    if (!push->database_down && push->config.open(&st, ctx, push->config.baton) == APR_SUCCESS) {
        (void)mdm_store_push_release(st, push->config.owner);
        push->config.close(st, push->config.baton);
    }
    apr_pool_destroy(p);
}

void mdm_push_counts(mdm_push_counts_t *counts, const mdm_push_t *push)
{
    const mdm_push_topic_state_t *topic;

    *counts = push->counts;
    counts->unwritten = push->ended.count;
    for (topic = push->topics.first; topic; topic = topic->next)
        counts->ready += topic->ready.count;
}
