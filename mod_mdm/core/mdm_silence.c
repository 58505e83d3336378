/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that leaves management offline never says so: it is only not heard of any more, and APNs learns in time
 * that its token is dead. Both together close its enrollment; it may still return with a TokenUpdate. Runs in the
 * worker's thread, in the housekeeper's turns; touches no device that has spoken meanwhile.
 */
#include "mdm_drift.h"
#include "mdm_silence.h"
#include "mdm_store_change.h"
#include "mdm_store_push.h"

#define STEP 200
#define HOUR apr_time_from_sec(3600)

typedef struct {
    mdm_store_t *st;
    const apr_array_header_t *found;
    apr_time_t before;
    mdm_silence_counts_t counts;
} step_t;

static apr_status_t event(mdm_store_t *st, const mdm_silence_t *s, const char *kind)
{
    return mdm_store_event(st, kind, "mod_mdm", NULL, s->enrollment_id, NULL,
                           s->heard_at ? mdm_time_plain(s->heard_at, NULL, st->ctx->pool) : NULL);
}

static apr_status_t miss(step_t *t, const mdm_silence_t *s)
{
    apr_status_t rv = mdm_drift_closed(t->st, s->enrollment);

    if (rv == APR_SUCCESS)
        rv = mdm_store_enrollment_close(t->st, s->enrollment, MDM_STATE_MISSING);
    if (rv == APR_SUCCESS)
        rv = mdm_store_queue_cancel(t->st, s->enrollment, "\"the device is missing\"");
    /* rules may ask for its state */
    if (rv == APR_SUCCESS)
        rv = mdm_store_recheck(t->st, s->enrollment);
    if (rv != APR_SUCCESS)
        return rv;
    t->counts.missing++;
    mdm_log(t->st->ctx, MDM_LOG_MARK, MDM_LOG_NOTICE, 0, MDMNO(0910) "%s is missing: silent for long, and APNs calls "
            "its push token dead; its open commands are cancelled", s->enrollment_id);
    return event(t->st, s, "enrollment.missing");
}

static apr_status_t look_at(step_t *t, const mdm_silence_t *s)
{
    int noted;
    apr_status_t rv;

    if (s->silent_since && s->heard_at >= t->before) {
        rv = mdm_store_silence_end(&noted, t->st, s->enrollment);
        if (rv != APR_SUCCESS || !noted)
            return rv;
        t->counts.heard++;
        return event(t->st, s, "enrollment.heard");
    }
    /* never heard of: since 1970, which is not "speaks" */
    rv = mdm_store_silence_begin(&noted, t->st, s->enrollment, s->heard_at ? s->heard_at : 1, t->before);
    if (rv != APR_SUCCESS || !noted)
        return rv;
    if (!s->silent_since) {
        t->counts.silent++;
        rv = event(t->st, s, "enrollment.silent");
        /* One wake-up, also without work: it answers, or APNs tells that nobody is there to be woken. */
        if (rv == APR_SUCCESS && !s->dead)
            rv = mdm_store_push_want_one(t->st, s->enrollment, mdm_ctx_now(t->st->ctx));
    }
    return rv == APR_SUCCESS && s->dead ? miss(t, s) : rv;
}

static apr_status_t step(void *baton, mdm_db_t *db)
{
    static const mdm_silence_counts_t none;
    step_t *t = baton;
    apr_status_t rv = mdm_drift_pause(t->st);
    int i;

    (void)db;
    t->counts = none;
    for (i = 0; rv == APR_SUCCESS && i < t->found->nelts; i++)
        rv = look_at(t, &APR_ARRAY_IDX(t->found, i, mdm_silence_t));
    return rv;
}

apr_status_t mdm_silence_sweep(mdm_silence_counts_t *counts, apr_int64_t *cursor, mdm_store_t *st,
                               const mdm_site_t *site)
{
    step_t t = { st, NULL, mdm_ctx_now(st->ctx) - site->silent_after, { 0, 0, 0 } };
    apr_int64_t next = site->silent_after > 0 ? *cursor : 0;
    apr_array_header_t *found;
    apr_status_t rv = APR_SUCCESS;

    if (site->silent_after > 0)
        rv = mdm_store_silence_find(&found, &next, st, t.before, STEP);
    if (rv == APR_SUCCESS && next && found->nelts) {
        t.found = found;
        rv = mdm_db_transact(st->db, step, &t);
    }
    if (rv != APR_SUCCESS)
        return rv;
    counts->silent += t.counts.silent;
    counts->heard += t.counts.heard;
    counts->missing += t.counts.missing;
    *cursor = next;
    return APR_SUCCESS;
}

apr_interval_time_t mdm_silence_every(const mdm_site_t *site)
{
    return site->silent_after <= 0 || site->silent_after / 10 > HOUR ? HOUR : site->silent_after / 10;
}
