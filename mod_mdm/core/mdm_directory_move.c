/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who joins and who leaves the groups of the directory. A step moves some of them, and in the same transaction tells of
 * them and keeps what has been done, so that none of it is lost with a run that ends half-way. Runs in the directory's
 * thread.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_directory_parts.h"
#include "mdm_group.h"
#include "mdm_store_change.h"
#include "mdm_store_status.h"

#define STEP 256

typedef struct {
    mdm_directory_run_t *run;
    mdm_store_t *st;
    mdm_directory_group_t *group;
    const char *const *joins, *const *leaves;   /* of this step */
    int join_count, leave_count;
    int joins_done, leaves_done;                /* of the group, before it */
    int last;
} move_t;

static const char *add_names(apr_pool_t *p, const char *text, const char *sign, const char *const *names, int count)
{
    int i;

    for (i = 0; i < count && i < MDM_DIRECTORY_NAMES / 5; i++)
        text = apr_pstrcat(p, text, " ", sign, names[i], NULL);
    return i < count ? apr_pstrcat(p, text, " ", sign, "...", NULL) : text;
}

static apr_status_t tell(const move_t *m)
{
    apr_pool_t *p = m->st->ctx->pool;
    const char *text = apr_psprintf(p, "%d joined, %d left:", m->join_count, m->leave_count);

    text = add_names(p, text, "+", m->joins, m->join_count);
    text = add_names(p, text, "-", m->leaves, m->leave_count);
    return mdm_store_event(m->st, "directory.group", "directory", NULL, NULL, m->group->group->name, text);
}

/* Nobody is written to a group that is gone by now, or of another entry: the last step finds it out by itself. */
static apr_status_t write_moves(const move_t *m)
{
    apr_int64_t id = m->group->group->id;
    apr_status_t rv = m->last ? APR_SUCCESS : mdm_store_group_hold(m->st, id, m->group->group->directory);

    if (rv == APR_SUCCESS)
        rv = mdm_store_directory_join(m->st, id, m->joins, m->join_count);
    return rv == APR_SUCCESS ? mdm_store_directory_leave(m->st, id, m->leaves, m->leave_count) : rv;
}

/*
 * Members of a group that is read for the first time do not count before its last step, which has everybody looked at.
 * Nor do those of one that has become another entry meanwhile: the next run puts them right.
 */
static apr_status_t mark_moved(const move_t *m)
{
    apr_status_t rv = APR_SUCCESS;

    if (m->group->group->synced_at && (rv = mdm_store_recheck_users(m->st, m->joins, m->join_count)) == APR_SUCCESS)
        rv = mdm_store_recheck_users(m->st, m->leaves, m->leave_count);
    return rv == APR_SUCCESS && m->last ? mdm_group_synced(m->st, m->group->group) : rv;
}

static apr_status_t move_step(void *baton, mdm_db_t *db)
{
    move_t *m = baton;
    apr_status_t rv = write_moves(m);

    (void)db;
    if (rv == APR_SUCCESS)
        rv = mark_moved(m);
    if (rv != APR_SUCCESS || !(m->join_count + m->leave_count))
        return rv;
    m->group->joins_done = m->joins_done + m->join_count;
    m->group->leaves_done = m->leaves_done + m->leave_count;
    rv = tell(m);
    return rv == APR_SUCCESS ? mdm_directory_keep(m->run, m->st) : rv;
}

/* Those who join first, then those who leave. */
static move_t next_move(mdm_directory_run_t *run, mdm_store_t *st, mdm_directory_group_t *group)
{
    move_t m = { run, st, group, NULL, NULL, 0, 0, group->joins_done, group->leaves_done, 0 };
    int joining = group->joined->nelts - m.joins_done, leaving = group->left->nelts - m.leaves_done;

    m.joins = (const char *const *)group->joined->elts + m.joins_done;
    m.leaves = (const char *const *)group->left->elts + m.leaves_done;
    m.join_count = joining < STEP ? joining : STEP;
    m.leave_count = leaving < STEP - m.join_count ? leaving : STEP - m.join_count;
    m.last = m.join_count == joining && m.leave_count == leaving;
    return m;
}

static apr_status_t move(mdm_directory_run_t *run, mdm_store_t *st, mdm_directory_group_t *group)
{
    apr_status_t rv;
    move_t m;

    do {
        m = next_move(run, st, group);
        if ((rv = mdm_directory_check(run)) == APR_SUCCESS)
            rv = mdm_db_transact(st->db, move_step, &m);
    } while (rv == APR_SUCCESS && !m.last);
    if (rv != APR_SUCCESS) {
        group->joins_done = m.joins_done;
        group->leaves_done = m.leaves_done;
    }
    return rv;
}

static int compare_logins(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static apr_status_t compare(mdm_directory_run_t *run, mdm_store_t *st, mdm_directory_group_t *group)
{
    apr_hash_t *had = apr_hash_make(run->ctx->pool);
    apr_array_header_t *members;
    apr_hash_index_t *hi;
    apr_status_t rv = mdm_store_directory_members(&members, st, group->group->id);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < members->nelts; i++) {
        const char *login = APR_ARRAY_IDX(members, i, const char *);

        apr_hash_set(had, login, APR_HASH_KEY_STRING, login);
        if ((!group->note || run->confirmed) && !apr_hash_get(group->logins, login, APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(group->left, const char *) = login;
    }
    for (hi = apr_hash_first(run->ctx->pool, group->logins); rv == APR_SUCCESS && hi; hi = apr_hash_next(hi)) {
        const char *login = apr_hash_this_key(hi);

        if (!apr_hash_get(had, login, APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(group->joined, const char *) = login;
    }
    if (rv == APR_SUCCESS && mdm_directory_is_too_much(run, group->left->nelts, members->nelts))
        group->error = apr_psprintf(run->ctx->pool, "%d of %d members would leave: POST {\"confirm\": true} to "
                                    "v1/directory/sync if that is true; MDMDirectoryLimit says how many go unasked",
                                    group->left->nelts, members->nelts);
    qsort(group->joined->elts, (size_t)group->joined->nelts, sizeof(const char *), compare_logins);
    return rv;
}

static apr_status_t write_group(mdm_directory_run_t *run, mdm_store_t *st, mdm_directory_group_t *group)
{
    apr_status_t rv = APR_SUCCESS;

    if (group->error || (rv = compare(run, st, group)) != APR_SUCCESS || group->error)
        return group->error ? APR_SUCCESS : rv;
    group->begun = 1;
    if ((rv = move(run, st, group)) != MDM_ENOTFOUND)
        return rv;
    group->error = "the group was changed meanwhile";
    mdm_ctx_clear(run->ctx);
    return APR_SUCCESS;
}

apr_status_t mdm_directory_apply_groups(mdm_directory_run_t *run, mdm_store_t *st)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < run->groups->nelts; i++)
        rv = write_group(run, st, &APR_ARRAY_IDX(run->groups, i, mdm_directory_group_t));
    return rv;
}
