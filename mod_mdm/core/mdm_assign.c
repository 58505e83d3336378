/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Saving of assignments. What two profiles would fight for is found by a preview before anything is written, and the
 * write is one transaction. Of two saves at a time, on whatever node, the later one looks again at what there is then;
 * the preview of thousands of enrollments keeps nobody out of the database meanwhile. Called by the API.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_assign.h"
#include "mdm_json.h"
#include "mdm_store.h"
#include "mdm_store_group.h"
#include "mdm_store_profile.h"

#define TRIES 4                   /* with others saving between the look and the write */

typedef struct {
    mdm_store_t *st;
    mdm_assignment_t *assignment; /* new, or as the last look has read it and `change` would have it */
    const mdm_assign_actor_t *actor;
    apr_int64_t id;
    const json_t *change;         /* NULL: it is new */
    const char *known;            /* mark of the last save that the look has seen */
    int alone;                    /* look while nobody else can save */
    const apr_array_header_t *warnings;           /* out */
} save_t;

static const char *target_text(const mdm_assignment_t *a, apr_pool_t *p)
{
    return apr_psprintf(p, "%s%s %s", a->exclude ? "not for " : "", mdm_assignment_kind_name(a->kind),
                        a->target_name ? a->target_name : a->target);
}

static apr_status_t note(mdm_store_t *st, const char *kind, const mdm_assignment_t *a, const mdm_assign_actor_t *actor)
{
    apr_pool_t *p = st->ctx->pool;
    apr_status_t rv = mdm_store_event(st, kind, actor->actor, actor->source_ip, NULL, a->profile_name,
                                      target_text(a, p));

    if (rv == APR_SUCCESS)
        rv = mdm_store_change_add(st, MDM_CHANGE_PROFILE, apr_psprintf(p, "%" APR_INT64_T_FMT, a->profile),
                                  actor->actor);
    return rv;
}

/* ---- saving */

static apr_status_t find_double(mdm_store_t *st, const mdm_assignment_t *a)
{
    apr_array_header_t *list;
    apr_status_t rv = mdm_store_assignment_of_target(&list, st, a->kind, a->target);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < list->nelts; i++) {
        const mdm_assignment_t *other = APR_ARRAY_IDX(list, i, const mdm_assignment_t *);

        if (other->profile == a->profile)
            return mdm_fail(st->ctx, MDM_EEXIST, "nothing was saved: the profile %s is assigned to %s already, by "
                            "assignment %" APR_INT64_T_FMT ": change or delete that one", other->profile_name,
                            target_text(other, st->ctx->pool), other->id);
    }
    return rv;
}

/* Somebody else was first. */
static apr_status_t look_again(const save_t *s)
{
    return s->alone ? MDM_ECONFLICT : MDM_EGONE;
}

static apr_status_t put(save_t *s)
{
    const mdm_assignment_t *a = s->assignment;
    apr_status_t rv;

    if (s->change) {
        rv = mdm_store_assignment_update(s->st, a);
        if (rv == MDM_ENOTFOUND)          /* its rollout has moved since the look, or it is gone */
            return look_again(s);
        return rv == APR_SUCCESS ? note(s->st, "assignment.changed", a, s->actor) : rv;
    }
    if ((rv = find_double(s->st, a)) != APR_SUCCESS)
        return rv;
    /* it may have been archived since it was read, and the group deleted; neither must be before this is stored */
    rv = mdm_store_profile_hold(s->st, a->profile, a->profile_name);
    if (rv == APR_SUCCESS && a->kind == MDM_ASSIGNMENT_GROUP
        && (rv = mdm_store_group_stays(s->st, apr_atoi64(a->target))) == MDM_ENOTFOUND)
        return mdm_fail(s->st->ctx, rv, "nothing was saved: there is no group %s any more", a->target_name);
    if (rv == APR_SUCCESS)
        rv = mdm_store_assignment_insert(s->st, a);
    return rv == APR_SUCCESS ? note(s->st, "assignment.created", a, s->actor) : rv;
}

static apr_status_t find_tie(mdm_store_t *st, const mdm_assignment_t *a, const mdm_preview_t *preview)
{
    if (!preview->ties || a->exclude)
        return APR_SUCCESS;
    return mdm_fail(st->ctx, MDM_EEXIST, "nothing was saved: %s (%" APR_INT64_T_FMT " enrollments): give one of "
                    "the assignments a higher priority, or exclude them", preview->tie, preview->ties);
}

static apr_status_t check(save_t *s)
{
    mdm_store_t *st = s->st;
    const mdm_assignment_t *a = s->assignment;
    mdm_preview_request_t request = { 0 };
    const apr_array_header_t *single;
    mdm_catalog_t *catalog;
    mdm_preview_t *preview;
    apr_status_t rv = mdm_catalog_load(&catalog, st);

    request.what = MDM_PREVIEW_ASSIGNMENT;
    request.assignment = a;
    if (rv == APR_SUCCESS)
        rv = mdm_catalog_put(catalog, st, a);
    if (rv == APR_SUCCESS)
        rv = mdm_catalog_single(&single, catalog, st, a->profile,
                                a->version ? a->version : mdm_catalog_profile(catalog, a->profile)->version);
    if (rv != APR_SUCCESS)
        return rv;
    /* all enrollments matter only when somebody could stand in its way */
    if (mdm_catalog_cluster(catalog, &a->profile, 1)->nelts == 1)
        request.looks = MDM_JUDGE_LOOKS;
    if ((rv = mdm_preview_run(&preview, st, &request)) != APR_SUCCESS)
        return rv;
    s->warnings = preview->warnings;
    return find_tie(st, a, preview);
}

apr_status_t mdm_assign_foresee(const char **refusal, mdm_store_t *st, const mdm_preview_request_t *request,
                                const mdm_preview_t *preview)
{
    const mdm_assignment_t *a = request->assignment;
    apr_status_t rv = APR_SUCCESS;

    *refusal = NULL;
    if (request->what != MDM_PREVIEW_ASSIGNMENT)
        return APR_SUCCESS;
    if (!a->created_at)
        rv = find_double(st, a);
    if (rv == APR_SUCCESS)
        rv = find_tie(st, a, preview);
    if (rv != MDM_EEXIST)
        return rv;
    *refusal = apr_pstrdup(st->ctx->pool, mdm_ctx_detail(st->ctx, rv));
    mdm_ctx_clear(st->ctx);
    return APR_SUCCESS;
}

static apr_status_t look(save_t *s)
{
    apr_status_t rv = mdm_store_assignment_saved(&s->known, s->st);

    if (rv != APR_SUCCESS)
        return rv;
    rv = s->change ? mdm_assign_read_change(&s->assignment, s->st, s->id, s->change)
         : find_double(s->st, s->assignment);
    return rv == APR_SUCCESS ? check(s) : rv;
}

static apr_status_t save(void *baton, mdm_db_t *db)
{
    save_t *s = baton;
    apr_status_t rv = APR_SUCCESS;

    (void)db;
    if (s->alone)
        rv = mdm_store_assignment_saved(&s->known, s->st);
    if (rv == APR_SUCCESS)
        rv = mdm_store_assignment_save(s->st, s->known);
    if (rv == MDM_ENOTFOUND)
        return look_again(s);
    if (rv == APR_SUCCESS && s->alone)
        rv = look(s);
    return rv == APR_SUCCESS ? put(s) : rv;
}

static apr_status_t look_and_save(const apr_array_header_t **warnings, save_t *s)
{
    int tries;
    apr_status_t rv;

    for (tries = 0;; tries++) {
        s->alone = tries == TRIES;
        if (!s->alone && (rv = look(s)) != APR_SUCCESS)
            return rv;
        rv = mdm_db_transact(s->st->db, save, s);
        *warnings = s->warnings;
        if (rv != MDM_EGONE)
            return rv;
    }
}

apr_status_t mdm_assign_save(const apr_array_header_t **warnings, mdm_store_t *st, mdm_assignment_t *assignment,
                             const mdm_assign_actor_t *actor)
{
    save_t s = { st, assignment, actor, 0, NULL, NULL, 0, NULL };

    assignment->id = mdm_id_next();
    assignment->created_by = actor->actor;
    return look_and_save(warnings, &s);
}

apr_status_t mdm_assign_change(const apr_array_header_t **warnings, mdm_store_t *st, apr_int64_t id,
                               const json_t *change, const mdm_assign_actor_t *actor)
{
    save_t s = { st, NULL, actor, id, change, NULL, 0, NULL };

    return look_and_save(warnings, &s);
}

static apr_status_t drop(void *baton, mdm_db_t *db)
{
    save_t *s = baton;
    mdm_assignment_t *a;
    apr_status_t rv = mdm_store_assignment_get(&a, s->st, s->id);

    (void)db;
    if (rv == APR_SUCCESS)
        rv = mdm_store_assignment_delete(s->st, s->id);
    return rv == APR_SUCCESS ? note(s->st, "assignment.deleted", a, s->actor) : rv;
}

apr_status_t mdm_assign_delete(mdm_store_t *st, apr_int64_t id, const mdm_assign_actor_t *actor)
{
    save_t s = { st, NULL, actor, id, NULL, NULL, 0, NULL };

    return mdm_db_transact(st->db, drop, &s);
}
