/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is in rule and directory groups. One look at a group and an enrollment (weigh) serves the settling of a few, the
 * sweep of all and the preview, so that they cannot differ. Only differences are written. In the transaction of the
 * caller, any thread; nothing is kept between calls.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_group.h"
#include "mdm_json.h"
#include "mdm_store_change.h"
#include "mdm_store_status.h"
#include "mdm_store_subject.h"

#define TOLD 20                   /* of those who leave a group at once, so many are named */

/* A group as it is asked. */
typedef struct {
    apr_int64_t id;
    const char *name;
    const mdm_rule_t *rule;       /* NULL: a directory group */
    const char *directory;
} asked_t;

/* What was found of one enrollment and one group. */
typedef struct {
    int joins, leaves, rewrite;
    const char *reason;
} verdict_t;

static int is_managed(const mdm_subject_t *s)
{
    return s->state == MDM_STATE_ENROLLED || s->state == MDM_STATE_MISSING;
}

static void fill_values(mdm_rule_values_t *v, const mdm_subject_t *s, apr_hash_t *facts, int attributes, apr_pool_t *p)
{
    memset(v, 0, sizeof(*v));
    v->login = s->login;
    v->known = s->known;
    v->display_name = s->display_name;
    v->email = s->email;
    v->disabled = s->disabled;
    v->columns[MDM_RULE_ENROLLMENT_ID] = s->enrollment_id;
    v->columns[MDM_RULE_TYPE] = s->type;
    v->columns[MDM_RULE_STATE] = mdm_state_name(s->state);
    v->columns[MDM_RULE_SERIAL_NUMBER] = s->serial_number;
    v->columns[MDM_RULE_MODEL] = s->model;
    v->columns[MDM_RULE_MODEL_NAME] = s->model_name;
    v->columns[MDM_RULE_PRODUCT_NAME] = s->product_name;
    v->columns[MDM_RULE_DEVICE_NAME] = s->device_name;
    v->columns[MDM_RULE_OS_VERSION] = s->os_version;
    v->columns[MDM_RULE_BUILD_VERSION] = s->build_version;
    v->columns[MDM_RULE_IMEI] = s->imei;
    v->facts = facts ? apr_hash_get(facts, &s->device, sizeof(s->device)) : NULL;
    if (attributes && s->attributes)
        v->attributes = mdm_json_own(json_loads(s->attributes, JSON_REJECT_DUPLICATES, NULL), p);
}

/* Whether `s` belongs to `group`, and what is to be done about it. `reason` of a member goes out with the verdict. */
static void weigh(verdict_t *out, const asked_t *group, const mdm_subject_t *s, const mdm_rule_values_t *values,
                  apr_pool_t *scratch, apr_pool_t *p)
{
    int belongs = is_managed(s) && (group->rule ? mdm_rule_holds(group->rule, values, scratch) : s->listed);

    memset(out, 0, sizeof(*out));
    out->joins = belongs && !s->member;
    out->leaves = !belongs && s->member;
    if (!belongs && !out->leaves)
        return;
    if (!is_managed(s))
        out->reason = apr_psprintf(scratch, "because it is %s", mdm_state_name(s->state));
    else if (group->rule)
        out->reason = mdm_rule_reason(group->rule, values, scratch);
    else
        out->reason = apr_psprintf(scratch, "because %s is %sin %s", s->login ? s->login : "nobody",
                                   belongs ? "" : "not ", group->directory);
    out->rewrite = belongs && s->member && (!s->reason || strcmp(s->reason, out->reason));
    out->reason = out->joins || out->leaves || out->rewrite ? apr_pstrdup(p, out->reason) : NULL;
}

/* How to ask a group. @return 0 when it is to be left as it is, which is logged when something is wrong with it */
static int prepare(asked_t *out, mdm_store_t *st, const mdm_group_t *group)
{
    mdm_ctx_t *ctx = st->ctx;
    mdm_rule_t *rule = NULL;
    apr_status_t rv = APR_SUCCESS;

    memset(out, 0, sizeof(*out));
    out->id = group->id;
    out->name = group->name;
    out->directory = group->directory;
    if (group->kind == MDM_GROUP_DIRECTORY)
        return group->synced_at && group->directory;
    if (group->kind != MDM_GROUP_RULE)
        return 0;
    rv = mdm_rule_read(&rule, ctx, mdm_bytes_of(group->rule));
    out->rule = rule;
    if (rv == APR_SUCCESS)
        return 1;
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(1020) "the rule of the group %s cannot be read, so "
            "its members stay as they are: %s; write it anew", group->name, mdm_ctx_detail(ctx, rv));
    mdm_ctx_clear(ctx);
    return 0;
}

/* ---- who leaves: a member has its reason beside it, and whoever has left has it in the audit trail alone */

typedef struct {
    int count;
    const char *enrollment_id, *reason;   /* of the first */
    const char *names;
} leaving_t;

static void note_leave(leaving_t *l, const mdm_subject_t *s, const char *reason, apr_pool_t *p)
{
    if (!l->count++) {
        l->enrollment_id = s->enrollment_id;
        l->reason = reason;
    }
    if (l->count <= TOLD)
        l->names = apr_pstrcat(p, l->names ? l->names : "", l->names ? "; " : "", s->enrollment_id, " ", reason, NULL);
}

/* One event for all, so that it costs the same however many leave. */
static apr_status_t tell_leaves(mdm_store_t *st, const asked_t *group, const leaving_t *l)
{
    if (!l->count)
        return APR_SUCCESS;
    if (l->count == 1)
        return mdm_store_event(st, "group.left", NULL, NULL, l->enrollment_id, group->name, l->reason);
    return mdm_store_event(st, "group.left", NULL, NULL, NULL, group->name, apr_psprintf(st->ctx->pool, "%d: %s%s",
                           l->count, l->names, l->count > TOLD ? "; ..." : ""));
}

/* ---- a page of enrollments against one group */

typedef struct {
    asked_t group;
    apr_array_header_t *subjects;     /* mdm_subject_t */
    verdict_t *verdicts;              /* as many */
} page_t;

static apr_status_t look(page_t *page, mdm_store_t *st, apr_int64_t after)
{
    const apr_array_header_t *names = page->group.rule ? mdm_rule_facts(page->group.rule) : NULL;
    apr_hash_t *facts = NULL;
    apr_pool_t *scratch;
    apr_status_t rv = mdm_store_subject_page(&page->subjects, st, page->group.id, after);
    int i;

    if (rv == APR_SUCCESS && names)
        rv = mdm_store_subject_facts(&facts, st, page->subjects, (const char *const *)names->elts, names->nelts);
    if (rv != APR_SUCCESS)
        return rv;
    page->verdicts = apr_palloc(st->ctx->pool, sizeof(verdict_t) * (apr_size_t)(page->subjects->nelts + 1));
    apr_pool_create(&scratch, st->ctx->pool);
    for (i = 0; i < page->subjects->nelts; i++) {
        const mdm_subject_t *s = &APR_ARRAY_IDX(page->subjects, i, mdm_subject_t);
        mdm_rule_values_t values;

        apr_pool_clear(scratch);
        fill_values(&values, s, facts, page->group.rule && mdm_rule_wants_attributes(page->group.rule), scratch);
        weigh(&page->verdicts[i], &page->group, s, &values, scratch, st->ctx->pool);
    }
    apr_pool_destroy(scratch);
    return APR_SUCCESS;
}

static apr_status_t write_page(const page_t *page, mdm_group_sweep_t *sweep, mdm_store_t *st)
{
    apr_pool_t *p = st->ctx->pool;
    apr_array_header_t *puts = apr_array_make(p, 64, sizeof(mdm_member_row_t));
    apr_array_header_t *drops = apr_array_make(p, 64, sizeof(apr_int64_t));
    apr_array_header_t *moved = apr_array_make(p, 64, sizeof(apr_int64_t));
    leaving_t leaving = { 0, NULL, NULL, NULL };
    apr_status_t rv;
    int i;

    for (i = 0; i < page->subjects->nelts; i++) {
        const mdm_subject_t *s = &APR_ARRAY_IDX(page->subjects, i, mdm_subject_t);
        apr_int64_t enrollment = s->enrollment;
        const verdict_t *v = &page->verdicts[i];

        if (v->joins || v->rewrite) {
            mdm_member_row_t row = { page->group.id, enrollment, v->reason };

            APR_ARRAY_PUSH(puts, mdm_member_row_t) = row;
        }
        if (v->leaves) {
            APR_ARRAY_PUSH(drops, apr_int64_t) = enrollment;
            note_leave(&leaving, s, v->reason, p);
        }
        if (v->joins || v->leaves)
            APR_ARRAY_PUSH(moved, apr_int64_t) = enrollment;
        sweep->joined += v->joins;
        sweep->left += v->leaves;
    }
    rv = mdm_store_member_put(st, (const mdm_member_row_t *)puts->elts, puts->nelts);
    if (rv == APR_SUCCESS)
        rv = mdm_store_member_drop(st, page->group.id, (const apr_int64_t *)drops->elts, drops->nelts);
    if (rv == APR_SUCCESS)
        rv = tell_leaves(st, &page->group, &leaving);
    return rv == APR_SUCCESS ? mdm_store_recheck_many(st, (const apr_int64_t *)moved->elts, moved->nelts) : rv;
}

static apr_int64_t last_of(const page_t *page)
{
    return APR_ARRAY_IDX(page->subjects, page->subjects->nelts - 1, mdm_subject_t).enrollment;
}

apr_status_t mdm_group_sweep(mdm_group_sweep_t *sweep, mdm_store_t *st)
{
    page_t page = { { 0, NULL, NULL, NULL }, NULL, NULL };
    mdm_group_t *group;
    apr_status_t rv = mdm_store_group_by_id(&group, st, sweep->group);

    sweep->looked = sweep->joined = sweep->left = 0;
    sweep->done = 1;
    if (rv == MDM_ENOTFOUND) {
        mdm_ctx_clear(st->ctx);
        return APR_SUCCESS;
    }
    if (rv != APR_SUCCESS || !prepare(&page.group, st, group))
        return rv;
    if ((rv = look(&page, st, sweep->position)) != APR_SUCCESS)
        return rv;
    sweep->looked = page.subjects->nelts;
    sweep->done = page.subjects->nelts < MDM_SUBJECT_PAGE;
    if (page.subjects->nelts)
        sweep->position = last_of(&page);
    return write_page(&page, sweep, st);
}

/* ---- previews */

static void name_moves(mdm_group_preview_t *preview, const page_t *page, apr_pool_t *p)
{
    int i;

    for (i = 0; i < page->subjects->nelts; i++) {
        const mdm_subject_t *s = &APR_ARRAY_IDX(page->subjects, i, mdm_subject_t);
        const verdict_t *v = &page->verdicts[i];
        mdm_group_move_t move = { NULL, NULL, v->joins };

        preview->looked++;
        preview->joins += v->joins;
        preview->leaves += v->leaves;
        preview->stays += s->member && !v->leaves;
        if ((!v->joins && !v->leaves) || s->enrollment <= preview->after)
            continue;
        if (preview->moves->nelts == preview->limit) {
            preview->more = 1;
            continue;
        }
        move.enrollment_id = apr_pstrdup(p, s->enrollment_id);
        move.reason = apr_pstrdup(p, v->reason);
        APR_ARRAY_PUSH(preview->moves, mdm_group_move_t) = move;
    }
}

static apr_status_t tell_moves(const mdm_group_preview_t *preview, const page_t *page)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; preview->moved && rv == APR_SUCCESS && i < page->subjects->nelts; i++) {
        const verdict_t *v = &page->verdicts[i];

        if (v->joins || v->leaves)
            rv = preview->moved(preview->baton, APR_ARRAY_IDX(page->subjects, i, mdm_subject_t).enrollment, v->joins);
    }
    return rv;
}

apr_status_t mdm_group_preview(mdm_group_preview_t *preview, mdm_store_t *st)
{
    /* rows of the database go to the pool of its context: each page gets one of its own, so that memory is bounded */
    apr_pool_t *whole = st->ctx->pool, *p;
    page_t page = { { preview->group, NULL, preview->rule, NULL }, NULL, NULL };
    apr_int64_t position = 0;
    apr_status_t rv;
    int more;

    preview->looked = preview->joins = preview->leaves = preview->stays = 0;
    preview->moves = apr_array_make(whole, 16, sizeof(mdm_group_move_t));
    preview->more = 0;
    apr_pool_create(&p, whole);
    do {
        apr_pool_clear(p);
        st->ctx->pool = p;
        rv = look(&page, st, position);
        st->ctx->pool = whole;
        if (rv != APR_SUCCESS)
            return rv;
        name_moves(preview, &page, whole);
        if ((rv = tell_moves(preview, &page)) != APR_SUCCESS)
            return rv;
        more = page.subjects->nelts == MDM_SUBJECT_PAGE;
        if (more)
            position = last_of(&page);
    } while (more);
    apr_pool_destroy(p);
    return APR_SUCCESS;
}

/* ---- a few enrollments against all groups */

typedef struct {
    mdm_store_t *st;
    apr_array_header_t *groups;       /* asked_t, in the order of ids */
    apr_array_header_t **drops;       /* for each group, apr_int64_t: enrollments to take out; NULL: none */
    leaving_t *leaving;               /* for each group */
    apr_array_header_t *subjects;     /* mdm_subject_t */
    apr_hash_t *facts, *members, *listed;
    apr_array_header_t *puts;         /* mdm_member_row_t */
    apr_array_header_t *changed;      /* apr_int64_t */
    int attributes;
} settling_t;

/* What a pair of a group and an enrollment is found by. */
typedef struct {
    apr_int64_t group, enrollment;
} pair_t;

static apr_status_t ask_groups(settling_t *t, apr_array_header_t *names)
{
    apr_array_header_t *kept;
    apr_status_t rv = mdm_store_group_kept(&kept, t->st);
    apr_hash_t *seen = apr_hash_make(t->st->ctx->pool);
    int i, n;

    for (i = 0; rv == APR_SUCCESS && i < kept->nelts; i++) {
        const apr_array_header_t *facts;
        asked_t group;

        if (!prepare(&group, t->st, APR_ARRAY_IDX(kept, i, mdm_group_t *)))
            continue;
        APR_ARRAY_PUSH(t->groups, asked_t) = group;
        if (!group.rule)
            continue;
        t->attributes |= mdm_rule_wants_attributes(group.rule);
        facts = mdm_rule_facts(group.rule);
        for (n = 0; n < facts->nelts; n++) {
            const char *name = APR_ARRAY_IDX(facts, n, const char *);

            if (!apr_hash_get(seen, name, APR_HASH_KEY_STRING))
                APR_ARRAY_PUSH(names, const char *) = name;
            apr_hash_set(seen, name, APR_HASH_KEY_STRING, name);
        }
    }
    return rv;
}

static apr_status_t read_members(settling_t *t, const apr_int64_t *enrollments, int count)
{
    apr_pool_t *p = t->st->ctx->pool;
    apr_array_header_t *rows;
    apr_status_t rv = mdm_store_member_kept(&rows, t->st, enrollments, count);
    int i;

    t->members = apr_hash_make(p);
    for (i = 0; rv == APR_SUCCESS && i < rows->nelts; i++) {
        const mdm_member_row_t *row = &APR_ARRAY_IDX(rows, i, mdm_member_row_t);
        pair_t pair = { row->group, row->enrollment };

        apr_hash_set(t->members, apr_pmemdup(p, &pair, sizeof(pair)), sizeof(pair), row);
    }
    return rv;
}

/* "17:anna": which logins the directory has in which of its groups. */
static const char *listing(apr_int64_t group, const char *login, apr_pool_t *p)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT ":%s", group, login);
}

static apr_status_t read_listed(settling_t *t)
{
    apr_pool_t *p = t->st->ctx->pool;
    apr_array_header_t *rows;
    apr_status_t rv;
    int i, wanted = 0;

    t->listed = apr_hash_make(p);
    for (i = 0; i < t->groups->nelts; i++)
        wanted |= !APR_ARRAY_IDX(t->groups, i, asked_t).rule;
    if (!wanted)
        return APR_SUCCESS;
    rv = mdm_store_subject_listed(&rows, t->st, t->subjects);
    for (i = 0; rv == APR_SUCCESS && i < rows->nelts; i++) {
        const mdm_listed_t *row = &APR_ARRAY_IDX(rows, i, mdm_listed_t);

        apr_hash_set(t->listed, listing(row->group, row->login, p), APR_HASH_KEY_STRING, "");
    }
    return rv;
}

static void drop(settling_t *t, int group, const mdm_subject_t *s, const char *reason)
{
    apr_pool_t *p = t->st->ctx->pool;

    if (!t->drops[group])
        t->drops[group] = apr_array_make(p, 4, sizeof(apr_int64_t));
    APR_ARRAY_PUSH(t->drops[group], apr_int64_t) = s->enrollment;
    note_leave(&t->leaving[group], s, reason, p);
}

/* One enrollment in all groups. */
static void settle_one(settling_t *t, mdm_subject_t *s, apr_pool_t *scratch)
{
    apr_pool_t *p = t->st->ctx->pool;
    mdm_rule_values_t values;
    int i, moved = 0;

    fill_values(&values, s, t->facts, t->attributes, p);
    for (i = 0; i < t->groups->nelts; i++) {
        const asked_t *group = &APR_ARRAY_IDX(t->groups, i, asked_t);
        pair_t pair = { group->id, s->enrollment };
        const mdm_member_row_t *row = apr_hash_get(t->members, &pair, sizeof(pair));
        verdict_t v;

        apr_pool_clear(scratch);
        s->member = row != NULL;
        s->reason = row ? row->reason : NULL;
        s->listed = !group->rule && s->login
            && apr_hash_get(t->listed, listing(group->id, s->login, scratch), APR_HASH_KEY_STRING);
        weigh(&v, group, s, &values, scratch, p);
        moved |= v.joins || v.leaves;
        if (v.joins || v.rewrite) {
            mdm_member_row_t put = { group->id, s->enrollment, v.reason };

            APR_ARRAY_PUSH(t->puts, mdm_member_row_t) = put;
        }
        if (v.leaves)
            drop(t, i, s, v.reason);
    }
    if (moved)
        APR_ARRAY_PUSH(t->changed, apr_int64_t) = s->enrollment;
}

static apr_status_t settle_all(settling_t *t)
{
    apr_pool_t *p = t->st->ctx->pool, *scratch;
    apr_status_t rv;
    int i;

    t->drops = apr_pcalloc(p, sizeof(*t->drops) * (apr_size_t)t->groups->nelts);
    t->leaving = apr_pcalloc(p, sizeof(*t->leaving) * (apr_size_t)t->groups->nelts);
    apr_pool_create(&scratch, p);
    for (i = 0; i < t->subjects->nelts; i++)
        settle_one(t, &APR_ARRAY_IDX(t->subjects, i, mdm_subject_t), scratch);
    apr_pool_destroy(scratch);
    rv = mdm_store_member_put(t->st, (const mdm_member_row_t *)t->puts->elts, t->puts->nelts);
    for (i = 0; rv == APR_SUCCESS && i < t->groups->nelts; i++) {
        const asked_t *group = &APR_ARRAY_IDX(t->groups, i, asked_t);

        if (!t->drops[i])
            continue;
        rv = mdm_store_member_drop(t->st, group->id, (const apr_int64_t *)t->drops[i]->elts, t->drops[i]->nelts);
        if (rv == APR_SUCCESS)
            rv = tell_leaves(t->st, group, &t->leaving[i]);
    }
    return rv;
}

apr_status_t mdm_group_settle(apr_array_header_t **changed, mdm_store_t *st, const apr_int64_t *enrollments, int count)
{
    settling_t t = { st, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0 };
    apr_array_header_t *names = apr_array_make(st->ctx->pool, 8, sizeof(const char *));
    apr_status_t rv;

    t.groups = apr_array_make(st->ctx->pool, 8, sizeof(asked_t));
    t.puts = apr_array_make(st->ctx->pool, 8, sizeof(mdm_member_row_t));
    *changed = t.changed = apr_array_make(st->ctx->pool, 8, sizeof(apr_int64_t));
    rv = ask_groups(&t, names);
    if (rv != APR_SUCCESS || !t.groups->nelts || !count)
        return rv;
    rv = mdm_store_subject_many(&t.subjects, st, enrollments, count);
    if (rv == APR_SUCCESS)
        rv = mdm_store_subject_facts(&t.facts, st, t.subjects, (const char *const *)names->elts, names->nelts);
    if (rv == APR_SUCCESS)
        rv = read_members(&t, enrollments, count);
    if (rv == APR_SUCCESS)
        rv = read_listed(&t);
    return rv == APR_SUCCESS ? settle_all(&t) : rv;
}
