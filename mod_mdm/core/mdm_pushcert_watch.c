/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ends of push certificates, announced in time. Called by the worker's thread of one child per machine; the stage
 * that a topic has reached is kept in the database, so that several nodes tell it once.
 */
#include <apr_strings.h>

#include "mdm_pushcert_watch.h"

#define DAY apr_time_from_sec(86400)
#define EVERY apr_time_from_sec(3600)
#define AFTER_FAILURE apr_time_from_sec(300)
/* From so few days on it is an error. */
#define URGENT 7

struct mdm_pushcert_watch_t {
    mdm_ctx_t *ctx;
    apr_status_t (*open)(mdm_store_t **st, mdm_ctx_t *ctx, void *baton);
    void (*close)(mdm_store_t *st, void *baton);
    void *baton;
    apr_time_t next, told_at;
};

typedef struct {
    mdm_store_t *st;
    const mdm_push_topic_t *topic;
    const char *stage, *mark;
    int reached;
} step_t;

int mdm_pushcert_stage(apr_time_t not_after, apr_time_t now)
{
    static const int stages[] = { 1, 7, 14, 30 };
    size_t i;

    if (not_after <= now)
        return 0;
    for (i = 0; i < sizeof(stages) / sizeof(stages[0]); i++) {
        if (not_after - now <= stages[i] * DAY)
            return stages[i];
    }
    return -1;
}

static apr_status_t step(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    apr_status_t rv = mdm_store_topic_stage(&s->reached, s->st, s->topic->topic, s->mark);

    (void)db;
    if (rv != APR_SUCCESS || !s->reached)
        return rv;
    return mdm_store_event(s->st, "pushcert.expiring", "mod_mdm", NULL, NULL, s->topic->topic, s->stage);
}

static void tell(mdm_ctx_t *ctx, const mdm_push_topic_t *topic, int stage)
{
    const char *date = mdm_time_plain(topic->not_after, "-", ctx->pool);

    if (!stage)
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(0931) "the push certificate %s has expired on %s: its devices "
                "cannot be woken; renew it with the same Apple Account and upload it", topic->topic, date);
    else
        mdm_log(ctx, MDM_LOG_MARK, stage <= URGENT ? MDM_LOG_ERR : MDM_LOG_WARNING, 0, MDMNO(0932) "the push "
                "certificate %s expires in %d days, on %s: renew it with the same Apple Account and upload it, or its "
                "devices cannot be woken", topic->topic, mdm_time_days_left(topic->not_after, mdm_ctx_now(ctx)), date);
}

static apr_status_t look_at(mdm_store_t *st, const mdm_push_topic_t *topic, int daily)
{
    int stage = mdm_pushcert_stage(topic->not_after, mdm_ctx_now(st->ctx));
    step_t s = { st, topic, NULL, NULL, 0 };
    apr_status_t rv;

    if (stage < 0)
        return APR_SUCCESS;
    s.stage = stage ? apr_psprintf(st->ctx->pool, "%d", stage) : "expired";
    /* A renewed certificate starts from the beginning. */
    s.mark = apr_psprintf(st->ctx->pool, "%" APR_TIME_T_FMT " %s", apr_time_sec(topic->not_after), s.stage);
    rv = mdm_db_transact(st->db, step, &s);
    if (daily || s.reached)
        tell(st->ctx, topic, stage);
    return rv;
}

static apr_status_t look(mdm_pushcert_watch_t *watch, mdm_ctx_t *ctx)
{
    int daily = mdm_ctx_now(ctx) - watch->told_at >= DAY, i;
    apr_array_header_t *topics;
    mdm_store_t *st;
    apr_status_t rv = watch->open(&st, ctx, watch->baton);

    if (rv != APR_SUCCESS)
        return rv;
    rv = mdm_store_push_topic_list(&topics, st);
    for (i = 0; rv == APR_SUCCESS && i < topics->nelts; i++)
        rv = look_at(st, APR_ARRAY_IDX(topics, i, mdm_push_topic_t *), daily);
    watch->close(st, watch->baton);
    if (rv == APR_SUCCESS && daily)
        watch->told_at = mdm_ctx_now(ctx);
    return rv;
}

mdm_pushcert_watch_t *mdm_pushcert_watch_create(mdm_ctx_t *ctx,
                                                apr_status_t (*open)(mdm_store_t **st, mdm_ctx_t *ctx, void *baton),
                                                void (*close)(mdm_store_t *st, void *baton), void *baton)
{
    mdm_pushcert_watch_t *watch = apr_pcalloc(ctx->pool, sizeof(*watch));

    watch->ctx = ctx;
    watch->open = open;
    watch->close = close;
    watch->baton = baton;
    return watch;
}

apr_time_t mdm_pushcert_watch_turn(mdm_pushcert_watch_t *watch)
{
    apr_time_t now = mdm_ctx_now(watch->ctx);
    apr_pool_t *p;
    mdm_ctx_t *ctx;
    apr_status_t rv;

    if (now < watch->next)
        return watch->next;
    apr_pool_create(&p, watch->ctx->pool);
    ctx = mdm_ctx_create(p, watch->ctx->log);
    ctx->fixed_now = watch->ctx->fixed_now;
    rv = look(watch, ctx);
    /* The database's absence is told by those who need it at once. */
    if (rv != APR_SUCCESS)
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0933) "the ends of push certificates were not looked at: %s",
                mdm_ctx_detail(ctx, rv));
    watch->next = now + (rv == APR_SUCCESS ? EVERY : AFTER_FAILURE);
    apr_pool_destroy(p);
    return watch->next;
}
