/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why an enrollment is stuck: the reasons one after the other, each a look at what was read and a sentence with what to
 * do. Any thread; writes nothing.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_rollout.h"
#include "mdm_stuck.h"
#include "mdm_store_stuck.h"

/* Signs of life are written in batches, and a woken device takes a moment. */
#define GRACE apr_time_from_sec(60)
#define REPUSHED 2                    /* accepted pushes in a row without a sign of life */

typedef struct {
    mdm_ctx_t *ctx;
    const mdm_site_t *site;
    const mdm_stuck_row_t *row;
    mdm_stuck_t *out;
} looking_t;

typedef const char *reason_fn(looking_t *l);

static const char *plain(const looking_t *l, apr_time_t at)
{
    return apr_pstrcat(l->ctx->pool, mdm_time_plain(at, "", l->ctx->pool), " UTC", NULL);
}

static const char *again(const looking_t *l, const char *text)
{
    return apr_pstrcat(l->ctx->pool, text, ": nothing reaches it until its owner enrolls again at ",
                       l->site->enroll_url, NULL);
}

/* Whether anything waits for it at all. */
static int is_wanted(const looking_t *l)
{
    return l->row->open || l->row->profiles->nelts;
}

static const char *has_left(looking_t *l)
{
    apr_time_t at = l->out->since = l->row->left_at;
    apr_pool_t *p = l->ctx->pool;

    switch (l->row->state) {
    case MDM_STATE_LEFT:
        return again(l, apr_pstrcat(p, "It has left management on ", plain(l, at), NULL));
    case MDM_STATE_WIPED:
        return again(l, apr_pstrcat(p, "It was erased on ", plain(l, at), NULL));
    case MDM_STATE_MISSING:
        return apr_pstrcat(p, "It is missing since ", plain(l, at), ": not heard of for long, and APNs calls its push "
                           "token dead; it returns with its next TokenUpdate or a new enrollment", NULL);
    case MDM_STATE_UNMANAGED:
        return again(l, "It was configured without management");
    case MDM_STATE_ENROLLED:
        return NULL;
    default:
        return "It has begun to enroll and not finished: its TokenUpdate has not come";
    }
}

static const char *has_no_identity(looking_t *l)
{
    const mdm_stuck_row_t *row = l->row;
    apr_pool_t *p = l->ctx->pool;

    if (row->has_identity && row->revoked_at) {
        l->out->since = row->revoked_at;
        return again(l, apr_pstrcat(p, "Its identity was revoked on ", plain(l, row->revoked_at), NULL));
    }
    if (row->has_identity && row->not_after <= mdm_ctx_now(l->ctx)) {
        l->out->since = row->not_after;
        return again(l, apr_pstrcat(p, "Its identity expired on ", plain(l, row->not_after), NULL));
    }
    return NULL;
}

static const char *has_other_topic(looking_t *l)
{
    return l->row->has_topic || !l->row->topic ? NULL
        : apr_pstrcat(l->ctx->pool, "Its push topic is ", l->row->topic, ", and there is no push certificate for it: "
                      "upload the one with this topic, or it cannot be woken", NULL);
}

static const char *has_dead_token(looking_t *l)
{
    const char *reason = l->row->push_reason;

    if (!l->row->dead)
        return NULL;
    l->out->since = l->row->pushed_at;
    return apr_pstrcat(l->ctx->pool, "APNs calls its push token dead (", reason ? reason : "Unregistered", ") since ",
                       plain(l, l->row->pushed_at), ": it cannot be woken until its next TokenUpdate", NULL);
}

static const char *cannot_be_pushed(looking_t *l)
{
    const mdm_stuck_row_t *row = l->row;

    if (!row->open || !row->attempts || !row->push_due_at)
        return NULL;
    l->out->since = row->open_since;
    return apr_psprintf(l->ctx->pool, "APNs has not taken its push (%s), after %d attempts: it is tried again",
                        row->push_reason ? row->push_reason : "no answer", row->attempts);
}

static const char *is_silent(looking_t *l)
{
    const mdm_stuck_row_t *row = l->row;
    apr_time_t now = mdm_ctx_now(l->ctx);
    const char *heard;

    if (!row->open || row->pushed_at <= row->heard_at || !row->push_reason || strcmp(row->push_reason, "Success")
        || (now - row->pushed_at < GRACE && row->repushes < REPUSHED))
        return NULL;
    l->out->since = row->heard_at;
    heard = row->heard_at ? apr_pstrcat(l->ctx->pool, "since ", plain(l, row->heard_at), NULL) : "ever";
    return apr_psprintf(l->ctx->pool, "It was woken on %s and was not heard of %s: it is off, without network, or "
                        "not managed any more; %" APR_INT64_T_FMT " commands wait for it", plain(l, row->pushed_at),
                        heard, row->open);
}

static const char *is_locked(looking_t *l)
{
    if (!l->row->not_now)
        return NULL;
    l->out->since = l->row->open_since;
    return apr_psprintf(l->ctx->pool, "It has answered NotNow to %s: most likely it is locked; it is asked again when "
                        "it comes by itself, or is woken", l->row->not_now);
}

/* Who is reached has no row for a moment only, until the fan-out comes. */
static int is_its_turn_to_come(looking_t *l, const mdm_rollout_t *rollout, const mdm_stuck_profile_t *p)
{
    mdm_assignment_t a = { 0 };
    int i;

    a.profile = p->profile;
    a.rollout_step = p->step;
    a.rollout_state = MDM_ROLLOUT_RUNNING;
    if (p->excluded || mdm_rollout_is_reached(rollout, &a, l->row->enrollment))
        return 0;
    for (i = 0; i < l->row->profiles->nelts; i++) {
        const mdm_stuck_profile_t *other = &APR_ARRAY_IDX(l->row->profiles, i, mdm_stuck_profile_t);

        if (other->excluded && !strcmp(other->name, p->name))
            return 0;
    }
    return 1;
}

static const char *waits_for_turn(looking_t *l, const mdm_stuck_profile_t *p)
{
    apr_pool_t *pool = l->ctx->pool;
    mdm_rollout_t rollout;
    const char *where;

    if (mdm_rollout_of(&rollout, l->ctx, p->rollout) != APR_SUCCESS) {
        mdm_ctx_clear(l->ctx);
        return NULL;
    }
    if (!is_its_turn_to_come(l, &rollout, p))
        return NULL;
    l->out->since = p->since;
    where = apr_psprintf(pool, "the rollout of profile %s (assignment %" APR_INT64_T_FMT "), which has reached %d %% "
                         "of the devices, step %d of %d", p->name, p->assignment,
                         rollout.steps[p->step < rollout.count ? p->step : rollout.count - 1], p->step + 1,
                         rollout.count);
    if (p->stopped)
        return apr_pstrcat(pool, "It waits for its turn in ", where, " and has stopped there: ",
                           p->text ? p->text : "no reason given", NULL);
    if (p->held || !p->next_at)
        return apr_pstrcat(pool, "It waits for its turn in ", where, " and is held there until somebody advances it",
                           NULL);
    return apr_pstrcat(pool, "It waits for its turn in ", where, "; the next step comes on ", plain(l, p->next_at),
                       NULL);
}

static const char *waits(looking_t *l)
{
    const mdm_stuck_row_t *row = l->row;
    const char *text = NULL;
    int i;

    if (row->open)
        return NULL;
    if (row->held)
        return apr_psprintf(l->ctx->pool, "%" APR_INT64_T_FMT " commands wait for the approval of a second person",
                            row->held);
    if (row->starts_at)
        return apr_pstrcat(l->ctx->pool, "Its next command is not to go out before ", plain(l, row->starts_at), NULL);
    for (i = 0; !text && i < row->profiles->nelts && APR_ARRAY_IDX(row->profiles, i, mdm_stuck_profile_t).waits; i++)
        text = waits_for_turn(l, &APR_ARRAY_IDX(row->profiles, i, mdm_stuck_profile_t));
    return text;
}

static const char *has_failed(looking_t *l)
{
    apr_pool_t *pool = l->ctx->pool;
    const mdm_stuck_profile_t *p = NULL;
    const char *next;
    int i;

    for (i = 0; i < l->row->profiles->nelts && (!p || p->waits); i++)
        p = &APR_ARRAY_IDX(l->row->profiles, i, mdm_stuck_profile_t);
    if (!p || p->waits)
        return NULL;
    l->out->since = p->since;
    next = p->next_at ? apr_pstrcat(pool, "; it is tried again after ", plain(l, p->next_at), NULL)
        : p->state == MDM_DESIRED_FAILED ? "; it is not tried again until the profile changes" : "";
    if (p->state == MDM_DESIRED_BLOCKED)
        return apr_pstrcat(pool, "Profile ", p->name, " cannot be sent: ", p->text, NULL);
    if (p->state == MDM_DESIRED_DRIFTED)
        return apr_pstrcat(pool, "Profile ", p->name, " is ", mdm_drift_name(p->drift), " there", next, NULL);
    return apr_pstrcat(pool, "Profile ", p->name, " has failed: ", p->text ? p->text : "no reason given", next, NULL);
}

static const struct {
    mdm_stuck_e reason;
    const char *name;
    reason_fn *look;
    int idle;                         /* holds also when nothing waits for it */
} reasons[] = {
    { MDM_STUCK_LEFT, "left", has_left, 1 },
    { MDM_STUCK_IDENTITY, "identity", has_no_identity, 1 },
    { MDM_STUCK_TOPIC, "topic", has_other_topic, 1 },
    { MDM_STUCK_TOKEN, "token", has_dead_token, 1 },
    { MDM_STUCK_PUSH, "push", cannot_be_pushed, 0 },
    { MDM_STUCK_SILENT, "silent", is_silent, 0 },
    { MDM_STUCK_NOT_NOW, "not_now", is_locked, 0 },
    { MDM_STUCK_WAITING, "waiting", waits, 1 },
    { MDM_STUCK_ERROR, "error", has_failed, 0 },
};

#define REASONS (sizeof(reasons) / sizeof(reasons[0]))

const char *mdm_stuck_name(mdm_stuck_e reason)
{
    return reason > MDM_STUCK_NOT && reason <= MDM_STUCK_ERROR ? reasons[reason - 1].name : NULL;
}

static int look(mdm_stuck_t *out, mdm_ctx_t *ctx, const mdm_site_t *site, const mdm_stuck_row_t *row)
{
    static const mdm_stuck_t none;
    looking_t l = { ctx, site, row, out };
    apr_size_t i;

    *out = none;
    out->enrollment_id = row->enrollment_id;
    for (i = 0; i < REASONS && !out->text; i++) {
        if (reasons[i].idle || is_wanted(&l))
            out->text = reasons[i].look(&l);
        out->reason = out->text ? reasons[i].reason : MDM_STUCK_NOT;
    }
    return out->text != NULL;
}

apr_status_t mdm_stuck_find(apr_array_header_t **out, mdm_store_t *st, const mdm_site_t *site,
                            const apr_int64_t *enrollments, int count)
{
    apr_array_header_t *rows;
    apr_status_t rv = mdm_store_stuck(&rows, st, enrollments, count);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->nelts, sizeof(mdm_stuck_t));
    for (i = 0; i < rows->nelts; i++) {
        mdm_stuck_t found;

        if (look(&found, st->ctx, site, APR_ARRAY_IDX(rows, i, mdm_stuck_row_t *)))
            APR_ARRAY_PUSH(*out, mdm_stuck_t) = found;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_stuck_one(mdm_stuck_t *out, mdm_store_t *st, const mdm_site_t *site, apr_int64_t enrollment)
{
    static const mdm_stuck_t none;
    apr_array_header_t *found;
    apr_status_t rv = mdm_stuck_find(&found, st, site, &enrollment, 1);

    *out = rv == APR_SUCCESS && found->nelts ? APR_ARRAY_IDX(found, 0, mdm_stuck_t) : none;
    return rv;
}
