/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rollouts. The steps themselves are numbers in the assignment; what they mean for an enrollment is asked at each look
 * of the fan-out. Called by the fan-out's worker and by request threads; of two who move a rollout one does.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_json.h"
#include "mdm_json_plist.h"
#include "mdm_nearest.h"
#include "mdm_rollout.h"
#include "mdm_store.h"

#define HOLD_MAX (365 * apr_time_from_sec(86400))
#define PARTS 10000               /* the shares of enrollments are counted in */
#define ALERTS_MAX 10
#define FAILED "failed on "       /* how the reason begins when failures stopped it */
#define SINCE "since"             /* a member of the text in the table alone */

/* ---- reading */

static apr_status_t read_hold(apr_interval_time_t *hold, mdm_ctx_t *ctx, const json_t *json)
{
    const char *text = json_string_value(json);

    *hold = text ? mdm_time_span(text) : 0;
    if (json && !json_is_null(json) && (*hold <= 0 || *hold > HOLD_MAX))
        return mdm_fail(ctx, MDM_EINPUT, "rollout.hold must be the time between two steps, such as 30min, 12h or 7d, "
                        "a year at most; leave it out to take each step yourself");
    return APR_SUCCESS;
}

static apr_status_t read_steps(mdm_rollout_t *out, mdm_ctx_t *ctx, const json_t *steps)
{
    size_t i, n = json_array_size(steps);

    out->count = 0;
    for (i = 0; i < n && n <= MDM_ROLLOUT_STEPS_MAX; i++) {
        const json_t *step = json_array_get(steps, i);
        json_int_t percent = json_integer_value(step);

        if (!json_is_integer(step) || percent < 1 || percent > 100 || (i && percent <= out->steps[i - 1]))
            break;
        out->steps[out->count++] = (int)percent;
    }
    if (!n || (size_t)out->count != n || out->steps[out->count - 1] != 100)
        return mdm_fail(ctx, MDM_EINPUT, "rollout.steps must be a list of growing percentages that ends with 100, "
                        "such as [1, 5, 20, 100], %d at most", MDM_ROLLOUT_STEPS_MAX);
    return APR_SUCCESS;
}

apr_status_t mdm_rollout_read(mdm_rollout_t *out, mdm_ctx_t *ctx, const json_t *json)
{
    const json_t *stop_at = json_object_get(json, "stop_at");
    const char *key;
    const json_t *value;
    apr_status_t rv;

    if (!json_is_object(json))
        return mdm_fail(ctx, MDM_EINPUT, "rollout must be an object with steps, hold and stop_at, not %s",
                        json ? mdm_json_kind(json) : "missing");
    json_object_foreach((json_t *)json, key, value) {
        if (strcmp(key, "steps") && strcmp(key, "hold") && strcmp(key, "stop_at"))
            return mdm_fail(ctx, MDM_EINPUT, "rollout has no member %s: it has steps, hold and stop_at",
                            mdm_nearest_shown(key, ctx->pool));
    }
    out->stop_at = json_is_integer(stop_at) ? (int)json_integer_value(stop_at) : -1;
    if (stop_at && !json_is_null(stop_at)
        && (!json_is_integer(stop_at) || json_integer_value(stop_at) < 0 || json_integer_value(stop_at) > 99))
        return mdm_fail(ctx, MDM_EINPUT, "rollout.stop_at must be a percentage from 0 to 99; more failures stop it");
    out->since = 0;
    rv = read_steps(out, ctx, json_object_get(json, "steps"));
    return rv == APR_SUCCESS ? read_hold(&out->hold, ctx, json_object_get(json, "hold")) : rv;
}

apr_status_t mdm_rollout_of(mdm_rollout_t *out, mdm_ctx_t *ctx, const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    apr_time_t since = json_integer_value(json_object_get(json, SINCE));
    apr_status_t rv;

    json_object_del(json, SINCE);
    rv = mdm_rollout_read(out, ctx, json);
    out->since = since;
    json_decref(json);
    return rv;
}

/* ---- who is in which step */

/* Equal bits in, equal bits out, and every bit in moves half of those out. */
static apr_uint64_t mix(apr_uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ULL;
    return x ^ x >> 32;
}

int mdm_rollout_is_reached(const mdm_rollout_t *rollout, const mdm_assignment_t *a, apr_int64_t enrollment)
{
    int step = a->rollout_step < rollout->count ? a->rollout_step : rollout->count - 1;
    apr_uint64_t part = mix(mix((apr_uint64_t)enrollment) ^ (apr_uint64_t)a->profile) % PARTS;

    return a->rollout_state == MDM_ROLLOUT_DONE || part < (apr_uint64_t)(rollout->steps[step] * (PARTS / 100));
}

/* ---- steps */

static void settle(mdm_assignment_t *a, const mdm_rollout_t *rollout, apr_time_t now)
{
    int last = a->rollout_step >= rollout->count - 1;

    a->rollout_state = last ? MDM_ROLLOUT_DONE : rollout->hold ? MDM_ROLLOUT_RUNNING : MDM_ROLLOUT_HELD;
    a->rollout_at = last || !rollout->hold ? 0 : now + rollout->hold;
    a->rollout_reason = NULL;
}

void mdm_rollout_begin(mdm_assignment_t *a, const mdm_rollout_t *rollout, int version, apr_time_t now)
{
    if (a->rollout_state == MDM_ROLLOUT_DONE)
        a->rollout_from = a->rollout_version;
    a->rollout_version = version;
    a->rollout_step = 0;
    settle(a, rollout, now);
}

/* What has failed until now does not count any more. */
static void pardon(mdm_assignment_t *a, apr_time_t now, apr_pool_t *p)
{
    json_t *json = mdm_json_own(json_loads(a->rollout, 0, NULL), p);

    json_object_set_new(json, SINCE, json_integer(now));
    a->rollout = mdm_json_compact(json, p);
}

void mdm_rollout_begin_anew(mdm_assignment_t *a, mdm_rollout_t *rollout, int version, apr_time_t now, apr_pool_t *p)
{
    mdm_rollout_begin(a, rollout, version, now);
    rollout->since = now;
    pardon(a, now, p);
}

apr_status_t mdm_rollout_restart(mdm_store_t *st, apr_int64_t profile, int current, int anew)
{
    apr_array_header_t *list;
    apr_status_t rv = mdm_store_assignment_list(&list, st, profile, 0, APR_INT32_MAX);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < list->nelts; i++) {
        mdm_assignment_t *a = APR_ARRAY_IDX(list, i, mdm_assignment_t *);
        int version = a->version ? a->version : current;
        mdm_rollout_t rollout;

        if (!a->rollout || (!anew && version == a->rollout_version))
            continue;
        if ((rv = mdm_rollout_of(&rollout, st->ctx, a->rollout)) != APR_SUCCESS)
            return rv;
        if (anew)
            mdm_rollout_begin_anew(a, &rollout, version, mdm_ctx_now(st->ctx), st->ctx->pool);
        else
            mdm_rollout_begin(a, &rollout, version, mdm_ctx_now(st->ctx));
        rv = mdm_store_assignment_update(st, a);
        if (rv == MDM_ENOTFOUND)
            rv = MDM_ECONFLICT;
    }
    return rv;
}

typedef struct {
    mdm_store_t *st;
    mdm_assignment_t *assignment;
    const char *kind, *actor, *source_ip, *detail;    /* of the event */
    int change;                   /* whom it reaches is another now */
} move_t;

static apr_status_t move(void *baton, mdm_db_t *db)
{
    move_t *m = baton;
    mdm_store_t *st = m->st;
    apr_status_t rv = mdm_store_assignment_update(st, m->assignment);

    (void)db;
    if (rv == APR_SUCCESS)
        rv = mdm_store_event(st, m->kind, m->actor, m->source_ip, NULL, m->assignment->profile_name, m->detail);
    if (rv == APR_SUCCESS && m->change)
        rv = mdm_store_change_add(st, MDM_CHANGE_PROFILE,
                                  apr_psprintf(st->ctx->pool, "%" APR_INT64_T_FMT, m->assignment->profile), m->actor);
    return rv;
}

static const char *step_text(const mdm_assignment_t *a, const mdm_rollout_t *rollout, apr_pool_t *p)
{
    return apr_psprintf(p, "assignment %" APR_INT64_T_FMT ": step %d of %d, %d %%", a->id, a->rollout_step + 1,
                        rollout->count, rollout->steps[a->rollout_step]);
}

static int has_failed(mdm_assignment_t *a, const mdm_rollout_t *rollout, apr_int64_t reached, apr_int64_t failed,
                      apr_pool_t *p)
{
    /* A new secret is rolled out among those who have the version already: only so many have come. */
    if (a->rollout_from == a->rollout_version && a->rollout_step < rollout->count)
        reached = (reached * rollout->steps[a->rollout_step] + 99) / 100;
    if (rollout->stop_at < 0 || !failed || failed * 100 <= reached * rollout->stop_at)
        return 0;
    a->rollout_state = MDM_ROLLOUT_STOPPED;
    a->rollout_at = 0;
    a->rollout_reason = apr_psprintf(p, FAILED "%" APR_INT64_T_FMT " of %" APR_INT64_T_FMT " devices, more than "
                                     "%d %%", failed, reached, rollout->stop_at);
    return 1;
}

/*
 * Each rollout is looked at when it moves and now and then between: a failure need not wait for the next step. One that
 * somebody changes meanwhile has its next look later.
 */
static apr_status_t look(int *moved, mdm_store_t *st, mdm_assignment_t *a)
{
    move_t m = { st, a, "rollout.stopped", NULL, NULL, NULL, 0 };
    apr_time_t now = mdm_ctx_now(st->ctx);
    apr_int64_t reached, failed;
    mdm_rollout_t rollout;
    apr_status_t rv = mdm_rollout_of(&rollout, st->ctx, a->rollout);

    if (rv == APR_SUCCESS)
        rv = mdm_store_assignment_tally(&reached, &failed, st, a, rollout.since);
    if (rv != APR_SUCCESS)
        return rv;
    if (has_failed(a, &rollout, reached, failed, st->ctx->pool))
        m.detail = apr_psprintf(st->ctx->pool, "assignment %" APR_INT64_T_FMT ": %s", a->id, a->rollout_reason);
    else if (a->rollout_at && a->rollout_at <= now) {
        a->rollout_step++;
        settle(a, &rollout, now);
        m.kind = "rollout.step";
        m.detail = step_text(a, &rollout, st->ctx->pool);
        m.change = 1;
    }
    else
        return APR_SUCCESS;
    rv = mdm_db_transact(st->db, move, &m);
    if (rv == MDM_ENOTFOUND)
        return APR_SUCCESS;
    if (rv != APR_SUCCESS)
        return rv;
    *moved += m.change;
    if (m.change)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(1070) "rollout of %s: %s", a->profile_name, m.detail);
    else
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(1071) "rollout of %s has stopped: %s",
                a->profile_name, m.detail);
    return APR_SUCCESS;
}

apr_status_t mdm_rollout_turn(int *moved, mdm_store_t *st)
{
    apr_array_header_t *list;
    apr_status_t rv = mdm_store_assignment_rollouts(&list, st);
    int i;

    *moved = 0;
    for (i = 0; rv == APR_SUCCESS && i < list->nelts; i++)
        rv = look(moved, st, APR_ARRAY_IDX(list, i, mdm_assignment_t *));
    return rv;
}

void mdm_rollout_alerts(json_t *alerts, mdm_store_t *st)
{
    apr_array_header_t *list;
    int i;

    if (mdm_store_assignment_stopped(&list, st, ALERTS_MAX) != APR_SUCCESS)
        return;
    for (i = 0; i < list->nelts; i++) {
        const mdm_assignment_t *a = APR_ARRAY_IDX(list, i, const mdm_assignment_t *);

        /* whoever stops one himself knows */
        if (!a->rollout_reason || strncmp(a->rollout_reason, FAILED, strlen(FAILED)))
            continue;
        json_array_append_new(alerts, json_string(apr_psprintf(st->ctx->pool, "The rollout of the profile %s has "
                              "stopped: %s. Save a new version, or go on with POST v1/assignments/%" APR_INT64_T_FMT
                              "/resume", a->profile_name, a->rollout_reason, a->id)));
    }
}

/* ---- what an administrator says */

static apr_status_t refuse(mdm_store_t *st, const mdm_assignment_t *a, const char *what)
{
    return mdm_fail(st->ctx, MDM_EEXIST, "assignment %" APR_INT64_T_FMT " is not changed: its rollout is %s; %s", a->id,
                    mdm_rollout_state_name(a->rollout_state), what);
}

static apr_status_t apply(move_t *m, const mdm_rollout_t *rollout, mdm_rollout_action_e action)
{
    mdm_assignment_t *a = m->assignment;
    apr_pool_t *p = m->st->ctx->pool;
    apr_time_t now = mdm_ctx_now(m->st->ctx);
    int under_way = a->rollout_state == MDM_ROLLOUT_RUNNING || a->rollout_state == MDM_ROLLOUT_HELD;

    if (action == MDM_ROLLOUT_ADVANCE) {
        if (!under_way)
            return refuse(m->st, a, a->rollout_state == MDM_ROLLOUT_STOPPED ? "resume it first"
                          : "there is no next step");
        a->rollout_step++;
        settle(a, rollout, now);
        m->kind = "rollout.step";
        m->change = 1;
    }
    else if (action == MDM_ROLLOUT_STOP) {
        if (!under_way)
            return refuse(m->st, a, "there is nothing to stop");
        a->rollout_state = MDM_ROLLOUT_STOPPED;
        a->rollout_at = 0;
        a->rollout_reason = apr_psprintf(p, "stopped by %s", m->actor);
        m->kind = "rollout.stopped";
    }
    else {
        if (a->rollout_state != MDM_ROLLOUT_STOPPED)
            return refuse(m->st, a, "only a stopped one can be resumed");
        settle(a, rollout, now);
        pardon(a, now, p);
        m->kind = "rollout.resumed";
    }
    m->detail = step_text(a, rollout, p);
    return APR_SUCCESS;
}

typedef struct {
    mdm_store_t *st;
    apr_int64_t id;
    mdm_rollout_action_e action;
    const char *actor, *source_ip;
} act_t;

static apr_status_t act(void *baton, mdm_db_t *db)
{
    act_t *t = baton;
    move_t m = { t->st, NULL, NULL, t->actor, t->source_ip, NULL, 0 };
    mdm_rollout_t rollout;
    apr_status_t rv = mdm_store_assignment_get(&m.assignment, t->st, t->id);

    if (rv != APR_SUCCESS)
        return rv;
    if (!m.assignment->rollout)
        return mdm_fail(t->st->ctx, MDM_EEXIST, "assignment %" APR_INT64_T_FMT " has no rollout and holds for all at "
                        "once: give it one with PATCH first", t->id);
    if ((rv = mdm_rollout_of(&rollout, t->st->ctx, m.assignment->rollout)) != APR_SUCCESS
        || (rv = apply(&m, &rollout, t->action)) != APR_SUCCESS)
        return rv;
    rv = move(&m, db);
    return rv == MDM_ENOTFOUND ? MDM_ECONFLICT : rv;
}

apr_status_t mdm_rollout_act(mdm_store_t *st, apr_int64_t assignment, mdm_rollout_action_e action, const char *actor,
                             const char *source_ip)
{
    act_t t = { st, assignment, action, actor, source_ip };

    return mdm_db_transact(st->db, act, &t);
}
