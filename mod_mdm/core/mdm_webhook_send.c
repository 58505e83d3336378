/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends events to their receivers. An entry goes: claimed and under way at once -> ended (waits to be written down) ->
 * gone; each has a pool of its own. Nothing is claimed that cannot be sent now, so a receiver that is down holds up
 * nobody else: while it is, one request at a time tries it. All of it runs in the worker's thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_store_webhook.h"
#include "mdm_webhook.h"

#define TIMEOUT apr_time_from_sec(30)
#define LEASE apr_time_from_sec(60)                  /* a request and its writing down fit in */
#define RETRY_FIRST apr_time_from_sec(1)
#define RETRY_MAX_SECONDS 600
#define RETRY_MAX apr_time_from_sec(RETRY_MAX_SECONDS)
#define REFUSALS_MAX 5                               /* of one event by a receiver that is not down */
#define SWEEP apr_time_from_sec(60)
#define LOOK apr_time_from_sec(1)
#define WRITE_AT 64
#define WRITE_AFTER apr_time_from_msec(20)
#define ERROR_MAX 200

typedef enum { OUT_SENT, OUT_DOWN, OUT_REFUSED } outcome_e;

typedef struct sink_t {
    const mdm_webhook_sink_t *sink;
    const char *shown;                /* its URL without what may be secret */
    int under_way, open;
    int failures;                     /* without an answer that counts, in a row */
    apr_time_t hold_until, look_at;
} sink_t;

typedef struct entry_t {
    struct entry_t *next;
    mdm_webhook_t *webhook;
    apr_pool_t *pool;
    sink_t *sink;
    mdm_webhook_row_t row;
    const char *headers[3];
    outcome_e outcome;
    apr_interval_time_t asked;        /* Retry-After */
    const char *error;
} entry_t;

struct mdm_webhook_t {
    mdm_ctx_t *ctx;
    mdm_http_t *http;
    mdm_webhook_config_t config;
    sink_t *sinks;
    int sink_count, ended_count, under_way, held_up;
    entry_t *ended, **ended_last;
    apr_time_t ended_at, sweep_at, database_retry_at;
};

static apr_time_t earlier(apr_time_t a, apr_time_t b)
{
    return a < b ? a : b;
}

/* Doubling from a second to ten minutes, and up to a quarter more, so that nodes do not keep step. */
static apr_interval_time_t backoff(int failures)
{
    apr_interval_time_t wait = failures > 10 ? RETRY_MAX : RETRY_FIRST << failures;
    unsigned char random[2] = { 0, 0 };

    wait = wait > RETRY_MAX ? RETRY_MAX : wait;
    (void)mdm_random(random, sizeof(random));
    return wait + wait / 4 * (random[0] * 256 + random[1]) / 65536;
}

/* ---- the database */

typedef apr_status_t store_fn(mdm_webhook_t *webhook, mdm_store_t *st, void *baton);

/* @return whether it was done */
static int with_store(mdm_webhook_t *webhook, store_fn *work, void *baton)
{
    mdm_store_t *st = NULL;
    mdm_ctx_t *ctx;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, webhook->ctx->pool);
    ctx = mdm_ctx_create(p, webhook->ctx->log);
    ctx->fixed_now = webhook->ctx->fixed_now;
    rv = webhook->config.open(&st, ctx, webhook->config.baton);
    if (rv == APR_SUCCESS) {
        rv = work(webhook, st, baton);
        webhook->config.close(st, webhook->config.baton);
    }
    if (rv != APR_SUCCESS) {
        webhook->database_retry_at = mdm_ctx_now(webhook->ctx) + LOOK;
        if (!webhook->held_up)
            mdm_log(webhook->ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(0941) "events for webhooks wait, and "
                    "are tried again each second: %s", mdm_ctx_detail(ctx, rv));
        webhook->held_up = 1;
    } else if (webhook->held_up) {
        webhook->held_up = 0;
        mdm_log(webhook->ctx, MDM_LOG_MARK, MDM_LOG_NOTICE, 0,
                MDMNO(0942) "events for webhooks go on");
    }
    apr_pool_destroy(p);
    return rv == APR_SUCCESS;
}

/* ---- what has ended */

static apr_status_t give_up(mdm_store_t *st, const entry_t *entry)
{
    const mdm_webhook_row_t *row = &entry->row;
    const char *why = apr_psprintf(st->ctx->pool, "%s refused %s %d times: %s", entry->sink->shown, row->topic,
                                   row->attempts + 1, entry->error);

    return mdm_store_event(st, "webhook.given_up", NULL, NULL, NULL, row->sink, why);
}

static int is_final(const entry_t *entry)
{
    return entry->outcome == OUT_REFUSED && entry->row.attempts + 1 >= REFUSALS_MAX;
}

static apr_time_t retry_at(const entry_t *entry)
{
    apr_interval_time_t wait = backoff(entry->row.attempts);
    apr_time_t at = mdm_ctx_now(entry->webhook->ctx) + (wait < entry->asked ? entry->asked : wait);

    return at < entry->sink->hold_until ? entry->sink->hold_until : at;
}

static apr_status_t write_ended(void *baton, mdm_db_t *db)
{
    mdm_store_t *st = ((void **)baton)[1];
    mdm_webhook_t *webhook = ((void **)baton)[0];
    const char *owner = webhook->config.owner;
    apr_int64_t *ids = apr_palloc(st->ctx->pool, (apr_size_t)webhook->ended_count * sizeof(*ids));
    const entry_t *entry;
    apr_status_t rv = APR_SUCCESS;
    int n = 0;

    (void)db;
    for (entry = webhook->ended; entry && rv == APR_SUCCESS; entry = entry->next) {
        if (entry->outcome == OUT_SENT || is_final(entry))
            ids[n++] = entry->row.id;
        else
            rv = mdm_store_webhook_failed(st, owner, &entry->row, retry_at(entry), entry->error);
        if (rv == APR_SUCCESS && is_final(entry))
            rv = give_up(st, entry);
    }
    return rv == APR_SUCCESS && n ? mdm_store_webhook_done(st, owner, ids, n) : rv;
}

static apr_status_t write_down_in(mdm_webhook_t *webhook, mdm_store_t *st, void *unused)
{
    void *baton[2] = { webhook, st };

    (void)unused;
    return mdm_db_transact(st->db, write_ended, baton);
}

static void write_down(mdm_webhook_t *webhook)
{
    entry_t *entry;

    if (!with_store(webhook, write_down_in, NULL))
        return;
    while ((entry = webhook->ended) != NULL) {
        webhook->ended = entry->next;
        if (is_final(entry))
            mdm_log(webhook->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0943) "event %s of %s is given up: %s "
                    "refused it %d times: %s", entry->row.topic, mdm_time_text(entry->row.created_at, entry->pool),
                    entry->sink->shown, entry->row.attempts + 1, entry->error);
        entry->sink->look_at = 0;
        apr_pool_destroy(entry->pool);
    }
    webhook->ended_last = &webhook->ended;
    webhook->ended_count = 0;
}

/* ---- answers */

/* These statuses say "not now"; any other failure is about this event. */
static int says_later(int status)
{
    return status == 408 || status == 425 || status == 429 || status == 502 || status == 503 || status == 504;
}

static void judge(entry_t *entry, const mdm_http_answer_t *answer)
{
    if (answer->status >= 200 && answer->status < 300) {
        entry->outcome = OUT_SENT;
        return;
    }
    entry->outcome = !answer->status || says_later(answer->status) ? OUT_DOWN : OUT_REFUSED;
    if (entry->outcome == OUT_DOWN && answer->retry_after > 0)
        entry->asked = apr_time_from_sec(answer->retry_after < RETRY_MAX_SECONDS ? answer->retry_after
                                                                                 : RETRY_MAX_SECONDS);
    entry->error = answer->status ? apr_psprintf(entry->pool, "HTTP status %d", answer->status)
                                  : apr_pstrndup(entry->pool, answer->error ? answer->error : "no answer", ERROR_MAX);
}

/*
 * An event that has failed before says little of the receiver, which may have trouble with one enrollment alone. So it
 * does not close what is open, and where nothing is open it does not lengthen the gap: what else comes is tried soon.
 */
static void note_down(sink_t *sink, const entry_t *entry)
{
    const mdm_ctx_t *ctx = entry->webhook->ctx;
    int again = entry->row.attempts > 0;
    apr_interval_time_t wait = backoff(sink->failures && again ? sink->failures - 1 : sink->failures);
    apr_time_t now = mdm_ctx_now(ctx);

    if (sink->open && again)
        return;
    if (sink->open || !sink->failures)
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0944) "the webhook %s takes no events, they wait: %s",
                sink->shown, entry->error);
    /* Several that were under way fail at once: that is one failure of the receiver. */
    if (!sink->open && now < sink->hold_until)
        return;
    sink->open = 0;
    sink->failures += !again || !sink->failures;
    sink->hold_until = now + (!again && wait < entry->asked ? entry->asked : wait);
}

static void note_open(sink_t *sink, const entry_t *entry)
{
    if (sink->failures)
        mdm_log(entry->webhook->ctx, MDM_LOG_MARK, MDM_LOG_NOTICE, 0, MDMNO(0945) "the webhook %s takes events again",
                sink->shown);
    sink->failures = 0;
    sink->hold_until = 0;
    sink->open = 1;
}

static void end_entry(entry_t *entry)
{
    mdm_webhook_t *webhook = entry->webhook;

    if (!webhook->ended_count++)
        webhook->ended_at = mdm_ctx_now(webhook->ctx);
    *webhook->ended_last = entry;
    webhook->ended_last = &entry->next;
}

static void answered(void *baton, const mdm_http_answer_t *answer)
{
    entry_t *entry = baton;

    entry->sink->under_way--;
    entry->webhook->under_way--;
    judge(entry, answer);
    if (entry->outcome == OUT_DOWN)
        note_down(entry->sink, entry);
    else
        note_open(entry->sink, entry);
    end_entry(entry);
}

/* ---- starting */

static apr_status_t sign(const char **header, const entry_t *entry, mdm_bytes_t key)
{
    unsigned char mac[MDM_SHA256_LEN];
    mdm_bytes_t bytes = { mac, sizeof(mac) };
    apr_status_t rv = mdm_hmac_sha256(mac, key, entry->row.body);

    if (rv == APR_SUCCESS)
        *header = apr_pstrcat(entry->pool, "X-Hmac-Signature: ", mdm_base64_encode(bytes, entry->pool), NULL);
    return rv;
}

static apr_status_t start(entry_t *entry)
{
    mdm_webhook_t *webhook = entry->webhook;
    const mdm_site_t *site = webhook->config.site;
    mdm_http_request_t request = { 0 };
    apr_status_t rv = APR_SUCCESS;

    entry->headers[0] = "Content-Type: application/json; charset=utf-8";
    if (site->webhook_key.len)
        rv = sign(&entry->headers[1], entry, site->webhook_key);
    request.url = entry->sink->sink->url;
    request.headers = entry->headers;
    request.body = entry->row.body;
    request.any_version = 1;
    request.timeout = TIMEOUT;
    request.done = answered;
    request.baton = entry;
    if (rv == APR_SUCCESS)
        rv = mdm_http_start(webhook->http, &request);
    if (rv != APR_SUCCESS)
        return rv;
    entry->sink->under_way++;
    webhook->under_way++;
    return APR_SUCCESS;
}

static void begin(mdm_webhook_t *webhook, sink_t *sink, const mdm_webhook_row_t *row)
{
    entry_t *entry;
    apr_pool_t *p;

    apr_pool_create(&p, webhook->ctx->pool);
    entry = apr_pcalloc(p, sizeof(*entry));
    entry->pool = p;
    entry->webhook = webhook;
    entry->sink = sink;
    entry->row = *row;
    entry->row.sink = sink->sink->id;
    entry->row.topic = apr_pstrdup(p, row->topic);
    entry->row.body.data = apr_pmemdup(p, row->body.data, row->body.len);
    if (start(entry) == APR_SUCCESS)
        return;
    entry->outcome = OUT_DOWN;
    entry->error = "no request could be made";
    end_entry(entry);
}

/* ---- claiming */

/* Until an answer shows that the receiver is there, one request tries it for all. */
static int room(const mdm_webhook_t *webhook, const sink_t *sink)
{
    return (sink->open ? webhook->config.concurrency : 1) - sink->under_way;
}

static int may_claim(const mdm_webhook_t *webhook, const sink_t *sink, apr_time_t now)
{
    return room(webhook, sink) > 0 && now >= sink->hold_until && now >= sink->look_at;
}

static apr_status_t claim_one(mdm_webhook_t *webhook, mdm_store_t *st, sink_t *sink)
{
    apr_time_t now = mdm_ctx_now(webhook->ctx), due_at = 0;
    int limit = room(webhook, sink), i;
    apr_array_header_t *rows;
    apr_status_t rv = mdm_store_webhook_claim(&rows, st, sink->sink->id, webhook->config.owner, now + LEASE, limit);

    if (rv != APR_SUCCESS)
        return rv;
    for (i = 0; i < rows->nelts; i++)
        begin(webhook, sink, &APR_ARRAY_IDX(rows, i, mdm_webhook_row_t));
    sink->look_at = now;
    if (rows->nelts == limit)
        return APR_SUCCESS;
    sink->look_at = now + LOOK;
    rv = mdm_store_webhook_next_due(&due_at, st, sink->sink->id);
    /* What is due and was not given out waits for its predecessor. */
    if (rv == APR_SUCCESS && due_at > now)
        sink->look_at = earlier(sink->look_at, due_at);
    return rv;
}

static apr_status_t claim_all(mdm_webhook_t *webhook, mdm_store_t *st, void *unused)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    (void)unused;
    for (i = 0; rv == APR_SUCCESS && i < webhook->sink_count; i++) {
        if (may_claim(webhook, &webhook->sinks[i], mdm_ctx_now(webhook->ctx)))
            rv = claim_one(webhook, st, &webhook->sinks[i]);
    }
    return rv;
}

static apr_status_t sweep(mdm_webhook_t *webhook, mdm_store_t *st, void *unused)
{
    apr_interval_time_t wait = webhook->config.site->webhook_lifetime / 4;

    (void)unused;
    wait = wait < LOOK ? LOOK : wait > SWEEP ? SWEEP : wait;
    webhook->sweep_at = mdm_ctx_now(webhook->ctx) + wait;
    return mdm_webhook_sweep(st, webhook->config.site);
}

/* ---- the interface */

static apr_time_t next_turn(const mdm_webhook_t *webhook, apr_time_t now)
{
    apr_time_t at = webhook->sweep_at;
    int i;

    for (i = 0; i < webhook->sink_count; i++) {
        const sink_t *sink = &webhook->sinks[i];

        if (room(webhook, sink) > 0)
            at = earlier(at, sink->hold_until > sink->look_at ? sink->hold_until : sink->look_at);
    }
    if (webhook->ended_count)
        at = earlier(at, webhook->under_way ? webhook->ended_at + WRITE_AFTER : now);
    return at < webhook->database_retry_at ? webhook->database_retry_at : at;
}

apr_status_t mdm_webhook_create(mdm_webhook_t **webhook, mdm_ctx_t *ctx, mdm_http_t *http,
                                const mdm_webhook_config_t *config)
{
    const apr_array_header_t *sinks = config->site->webhooks;
    mdm_webhook_t *made = apr_pcalloc(ctx->pool, sizeof(*made));
    int i;

    made->ctx = ctx;
    made->http = http;
    made->config = *config;
    made->ended_last = &made->ended;
    made->sink_count = sinks ? sinks->nelts : 0;
    made->sinks = apr_pcalloc(ctx->pool, (apr_size_t)(made->sink_count + 1) * sizeof(*made->sinks));
    for (i = 0; i < made->sink_count; i++) {
        made->sinks[i].sink = &APR_ARRAY_IDX(sinks, i, mdm_webhook_sink_t);
        made->sinks[i].shown = mdm_webhook_shown(made->sinks[i].sink->url, ctx->pool);
    }
    *webhook = made;
    return APR_SUCCESS;
}

apr_time_t mdm_webhook_turn(mdm_webhook_t *webhook, int woken)
{
    apr_time_t now = mdm_ctx_now(webhook->ctx);
    int i, look = 0;

    for (i = 0; woken && i < webhook->sink_count; i++)
        webhook->sinks[i].look_at = now;
    if (now < webhook->database_retry_at)
        return next_turn(webhook, now);
    if (webhook->ended_count && (webhook->ended_count >= WRITE_AT || now - webhook->ended_at >= WRITE_AFTER
                                 || !webhook->under_way))
        write_down(webhook);
    if (now >= webhook->sweep_at && now >= webhook->database_retry_at)
        (void)with_store(webhook, sweep, NULL);
    for (i = 0; i < webhook->sink_count; i++)
        look |= may_claim(webhook, &webhook->sinks[i], now);
    if (look && now >= webhook->database_retry_at)
        (void)with_store(webhook, claim_all, NULL);
    return next_turn(webhook, mdm_ctx_now(webhook->ctx));
}

static apr_status_t release_all(mdm_webhook_t *webhook, mdm_store_t *st, void *unused)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    (void)unused;
    for (i = 0; rv == APR_SUCCESS && i < webhook->sink_count; i++)
        rv = mdm_store_webhook_release(st, webhook->sinks[i].sink->id, webhook->config.owner);
    return rv;
}

void mdm_webhook_stop(mdm_webhook_t *webhook)
{
    if (webhook->ended_count)
        write_down(webhook);
    if (webhook->sink_count && !webhook->held_up)
        (void)with_store(webhook, release_all, NULL);
}
