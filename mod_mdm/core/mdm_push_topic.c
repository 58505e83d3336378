/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics of the push engine: certificates by generation, and the state of the way to APNs. Called by mdm_push.c
 * in the worker's thread. Private keys live in memory here, in pools that cleanse them.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_pki.h"
#include "mdm_push_topic.h"

#define LOG_EVERY apr_time_from_sec(600)
#define BACKOFF_BASE apr_time_from_sec(1)
#define HOLD_MAX apr_time_from_sec(60)
#define TOPICS_MAX 64
#define PACE_BURST apr_time_from_msec(100)   /* a pause may be made up for so long */

apr_interval_time_t mdm_push_backoff(int n, apr_interval_time_t cap)
{
    apr_interval_time_t wait = BACKOFF_BASE;
    unsigned char random[4] = { 0 };
    apr_uint32_t part;

    while (n-- > 0 && wait < cap)
        wait *= 2;
    if (wait > cap)
        wait = cap;
    (void)mdm_random(random, sizeof(random));
    memcpy(&part, random, sizeof(part));
    return wait / 2 + (apr_interval_time_t)(part % 1000) * (wait / 2) / 1000;
}

/* Topics come from devices: those without a certificate must not pile up. */
static void forget_idle(mdm_push_topics_t *topics)
{
    mdm_push_topic_state_t **at = &topics->first;
    int count = 0;

    while (*at) {
        mdm_push_topic_state_t *topic = *at;

        if (++count <= TOPICS_MAX || topic->generation || topic->under_way || topic->ready.count) {
            at = &topic->next;
            continue;
        }
        *at = topic->next;
        apr_pool_destroy(topic->pool);
    }
}

static void set_problem(mdm_push_topic_state_t *topic, const char *problem, const char *sentence)
{
    topic->problem = problem;
    topic->sentence = sentence;
    topic->problem_until = 0;
}

mdm_push_topic_state_t *mdm_push_topic_find(mdm_push_topics_t *topics, const char *name)
{
    mdm_push_topic_state_t *topic;
    apr_pool_t *p;

    for (topic = topics->first; topic; topic = topic->next) {
        if (!strcmp(topic->name, name))
            return topic;
    }
    apr_pool_create(&p, topics->pool);
    topic = apr_pcalloc(p, sizeof(*topic));
    topic->pool = p;
    apr_pool_create(&topic->certificate_pool, p);
    topic->name = apr_pstrdup(p, name);
    set_problem(topic, "NoCertificate", "there is no push certificate for it: upload one through the API");
    topic->next = topics->first;
    topics->first = topic;
    return topic;
}

static apr_status_t cleanse_key(void *baton)
{
    mdm_push_topic_state_t *topic = baton;

    mdm_cleanse((void *)topic->key.data, topic->key.len);
    topic->key.len = 0;
    return APR_SUCCESS;
}

static void judge_certificate(mdm_push_topic_state_t *topic, const mdm_push_topics_t *topics, mdm_ctx_t *scratch)
{
    mdm_cert_t *cert;

    set_problem(topic, NULL, NULL);
    if (mdm_cert_from_pem(&cert, scratch, topic->certificate) != APR_SUCCESS)
        set_problem(topic, "BadCertificate", "its stored push certificate is damaged: upload it again");
    else if (topics->real_apns && mdm_cert_is_self_signed(cert))
        set_problem(topic, "TestCertificate", "its push certificate is self-signed, for tests only, and APNs is not "
                    "asked with it: upload one issued by Apple, or set MDMAPNSURL to a stand-in");
    mdm_ctx_clear(scratch);
}

static apr_status_t load(mdm_push_topic_state_t *topic, const mdm_push_topics_t *topics, mdm_store_t *st)
{
    apr_pool_t *p = topic->certificate_pool;
    mdm_push_topic_t *row;
    apr_status_t rv = mdm_store_push_topic_get(&row, st, topic->name);

    if (rv == MDM_ECRYPTO) {
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_DEBUG, rv, MDMNO(0601) "push key of %s: %s", topic->name,
                mdm_ctx_detail(st->ctx, rv));
        mdm_ctx_clear(st->ctx);
        set_problem(topic, "SealedKey", "its push certificate's key does not open with this MDMSealKeyFile: "
                    "restore that file, or upload the certificate again");
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS)
        return rv;
    apr_pool_clear(p);
    topic->certificate = mdm_bytes_of(apr_pstrdup(p, row->certificate_pem));
    topic->key.data = apr_pmemdup(p, row->key_pem.data, row->key_pem.len);
    topic->key.len = row->key_pem.len;
    apr_pool_cleanup_register(p, topic, cleanse_key, apr_pool_cleanup_null);
    topic->generation = row->generation;
    topic->not_after = row->not_after;
    topic->logged_at = topic->hold_until = 0;
    topic->failures = topic->open = 0;
    judge_certificate(topic, topics, st->ctx);
    if (!topic->problem)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, APR_SUCCESS, MDMNO(0602) "push certificate %d of topic %s loaded",
                topic->generation, topic->name);
    return APR_SUCCESS;
}

apr_status_t mdm_push_topics_refresh(mdm_push_topics_t *topics, mdm_store_t *st)
{
    mdm_push_topic_state_t *topic;
    apr_array_header_t *rows;
    apr_status_t rv = mdm_store_push_topic_list(&rows, st);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    for (i = 0; i < rows->nelts; i++) {
        const mdm_push_topic_t *row = APR_ARRAY_IDX(rows, i, mdm_push_topic_t *);

        topic = mdm_push_topic_find(topics, row->topic);
        if (topic->generation != row->generation)
            rv = load(topic, topics, st);
        if (rv != APR_SUCCESS)
            return rv;
    }
    forget_idle(topics);
    return APR_SUCCESS;
}

apr_time_t mdm_push_topic_paced_until(const mdm_push_topic_state_t *topic, int rate)
{
    return rate ? topic->pace_at - PACE_BURST : 0;
}

int mdm_push_topic_pace(mdm_push_topic_state_t *topic, apr_time_t now, int rate)
{
    if (!rate)
        return 1;
    if (mdm_push_topic_paced_until(topic, rate) > now)
        return 0;
    if (topic->pace_at < now)
        topic->pace_at = now;
    topic->pace_at += APR_USEC_PER_SEC / rate;
    return 1;
}

int mdm_push_topic_blocked(mdm_push_topic_state_t *topic, const mdm_ctx_t *ctx)
{
    apr_time_t now = mdm_ctx_now(ctx);

    if (topic->problem && topic->problem_until && now >= topic->problem_until)
        set_problem(topic, NULL, NULL);
    if (!topic->problem && topic->not_after && topic->not_after <= now)
        set_problem(topic, "ExpiredCertificate", "its push certificate is out of date: renew it with the Apple Account "
                    "it was made with, and upload it");
    if (!topic->problem)
        return 0;
    if (!topic->logged_at || now - topic->logged_at >= LOG_EVERY) {
        topic->logged_at = now;
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_ERR, APR_SUCCESS, MDMNO(0603) "no pushes for topic %s (%s): %s", topic->name,
                topic->problem, topic->sentence);
    }
    return 1;
}

void mdm_push_topic_refused(mdm_push_topic_state_t *topic, const mdm_ctx_t *ctx, const char *reason)
{
    /* Others under way at the same time bring the same news. */
    if (topic->problem)
        return;
    topic->open = 0;
    apr_cpystrn(topic->refusal, reason, sizeof(topic->refusal));
    set_problem(topic, topic->refusal, "APNs refuses the topic or its certificate: look whether the push certificate "
                "is still valid at Apple, renew it or upload another");
    topic->problem_until = mdm_ctx_now(ctx) + MDM_PUSH_BLOCKED_WAIT;
    (void)mdm_push_topic_blocked(topic, ctx);
}

void mdm_push_topic_hold(mdm_push_topic_state_t *topic, const mdm_ctx_t *ctx, const mdm_apns_result_t *result)
{
    apr_time_t now = mdm_ctx_now(ctx);
    apr_interval_time_t wait;

    topic->open = 0;
    if (now < topic->hold_until)
        return;
    wait = mdm_push_backoff(topic->failures++, HOLD_MAX);
    if (wait < result->retry_after)
        wait = result->retry_after;
    topic->hold_until = now + wait;
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, APR_SUCCESS, MDMNO(0604) "APNs takes no pushes of topic %s now (%s%s); "
            "next try in %" APR_TIME_T_FMT " ms", topic->name, result->status ? "" : "no answer: ", result->reason,
            apr_time_as_msec(wait));
}
