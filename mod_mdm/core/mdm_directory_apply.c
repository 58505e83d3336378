/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From memory into the tables: persons, those who are gone, groups. Each step is a transaction that is right by itself,
 * so a run that ends half-way is completed by the next. Runs in the directory's thread.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_directory_parts.h"
#include "mdm_group.h"
#include "mdm_store_change.h"
#include "mdm_store_status.h"

#define STEP 256
#define MANY 10                       /* fewer than so many may go without a question */

static const mdm_person_by_t by = { "directory", "directory", NULL };

typedef struct {
    mdm_directory_run_t *run;
    mdm_store_t *st;
    const char *const *logins;        /* of this step */
    int count;
    mdm_directory_group_t *group;
    int leaving, disabled;
} step_t;

static apr_status_t check_stop(mdm_directory_run_t *run)
{
    return run->look && run->look(run->baton) ? mdm_fail(run->ctx, APR_EINTR, "the server stops") : APR_SUCCESS;
}

/* ---- persons */

/* One record that becomes too large keeps nobody else from being written. */
static apr_status_t write_singly(mdm_directory_run_t *run, mdm_store_t *st, mdm_person_change_t *changes, int count)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    mdm_ctx_clear(run->ctx);
    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        if ((rv = mdm_person_save(st, &changes[i], 1, &by)) == MDM_ETOOBIG) {
            if (run->notes->nelts < MDM_DIRECTORY_NAMES)
                APR_ARRAY_PUSH(run->notes, const char *) = apr_pstrdup(run->ctx->pool, run->ctx->detail);
            mdm_ctx_clear(run->ctx);
            changes[i].made = changes[i].changed = 0;
            rv = APR_SUCCESS;
        }
    }
    return rv;
}

static apr_status_t write_persons(mdm_directory_run_t *run, mdm_store_t *st)
{
    mdm_person_change_t *changes = (mdm_person_change_t *)run->changes->elts;
    int count = run->changes->nelts, done, i;
    apr_status_t rv = APR_SUCCESS;

    for (done = 0; rv == APR_SUCCESS && done < count; done += STEP) {
        int n = count - done < STEP ? count - done : STEP;

        if ((rv = check_stop(run)) == APR_SUCCESS)
            rv = mdm_person_save(st, changes + done, n, &by);
        if (rv == MDM_ETOOBIG)
            rv = write_singly(run, st, changes + done, n);
        for (i = done; rv == APR_SUCCESS && i < done + n; i++) {
            run->made += changes[i].made;
            run->changed += changes[i].changed && !changes[i].made;
        }
    }
    return rv;
}

static apr_status_t find_missing(mdm_directory_run_t *run, mdm_store_t *st)
{
    apr_array_header_t *known;
    apr_status_t rv = mdm_store_user_synced(&known, st);
    int found = run->changes->nelts, i;

    if (rv != APR_SUCCESS)
        return rv;
    for (i = 0; i < known->nelts; i++) {
        const char *login = APR_ARRAY_IDX(known, i, const char *);

        if (!apr_hash_get(run->by_login, login, APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(run->missing, const char *) = login;
    }
    if (run->confirmed || !run->missing->nelts)
        return APR_SUCCESS;
    if (!found || (run->missing->nelts >= MANY && run->missing->nelts > known->nelts / 2))
        return mdm_fail(run->ctx, MDM_EINPUT, "nothing was changed: of %d users %d are not found in the directory any "
                        "more. Are base and filter of MDMDirectoryURL right, and may MDMDirectoryBind read all? If it "
                        "is true, POST {\"confirm\": true} to v1/directory/sync", known->nelts, run->missing->nelts);
    return APR_SUCCESS;
}

static apr_status_t lose_step(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    mdm_person_change_t *changes = apr_palloc(s->st->ctx->pool, sizeof(*changes) * (apr_size_t)s->count);
    apr_status_t rv = mdm_store_user_lost(s->st, s->logins, s->count);
    int i;

    (void)db;
    s->disabled = 0;
    for (i = 0; rv == APR_SUCCESS && i < s->count; i++) {
        changes[i] = mdm_person_change(s->logins[i]);
        changes[i].disabled = 1;
        rv = mdm_store_event(s->st, "user.missing", by.actor, NULL, NULL, s->logins[i], "not found in the directory "
                             "any more");
    }
    if (rv != APR_SUCCESS || !s->run->site->disable_missing)
        return rv;
    rv = mdm_person_write(s->st, changes, s->count, &by);
    for (i = 0; rv == APR_SUCCESS && i < s->count; i++)
        s->disabled += changes[i].changed;
    return rv;
}

static apr_status_t lose_persons(mdm_directory_run_t *run, mdm_store_t *st)
{
    const char *const *logins = (const char *const *)run->missing->elts;
    int count = run->missing->nelts, done;
    apr_status_t rv = APR_SUCCESS;

    for (done = 0; rv == APR_SUCCESS && done < count; done += STEP) {
        step_t step = { run, st, logins + done, count - done < STEP ? count - done : STEP, NULL, 0, 0 };

        if ((rv = check_stop(run)) == APR_SUCCESS)
            rv = mdm_db_transact(st->db, lose_step, &step);
        run->disabled += rv == APR_SUCCESS ? step.disabled : 0;
    }
    return rv;
}

/* ---- groups */

/*
 * Members of a group that is read for the first time do not count before its last step, which has everybody looked at.
 * Nor do those of one that has become another entry meanwhile: the next run puts them right.
 */
static apr_status_t group_step(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    const mdm_group_t *group = s->group->group;
    apr_status_t rv = s->leaving ? mdm_store_directory_leave(s->st, group->id, s->logins, s->count)
                                 : mdm_store_directory_join(s->st, group->id, s->logins, s->count);

    (void)db;
    return rv == APR_SUCCESS && group->synced_at ? mdm_store_recheck_users(s->st, s->logins, s->count) : rv;
}

static apr_status_t move(mdm_directory_run_t *run, mdm_store_t *st, mdm_directory_group_t *group,
                         const apr_array_header_t *logins, int leaving)
{
    const char *const *names = (const char *const *)logins->elts;
    apr_status_t rv = APR_SUCCESS;
    int done;

    for (done = 0; rv == APR_SUCCESS && done < logins->nelts; done += STEP) {
        step_t step = { run, st, names + done, logins->nelts - done < STEP ? logins->nelts - done : STEP, group,
                        leaving, 0 };

        if ((rv = check_stop(run)) == APR_SUCCESS)
            rv = mdm_db_transact(st->db, group_step, &step);
    }
    return rv;
}

static const char *moves_text(const mdm_directory_group_t *group, apr_pool_t *p)
{
    const apr_array_header_t *lists[] = { group->joined, group->left };
    const char *text = apr_psprintf(p, "%d joined, %d left:", group->joined->nelts, group->left->nelts);
    int i, j;

    for (i = 0; i < 2; i++) {
        for (j = 0; j < lists[i]->nelts && j < MDM_DIRECTORY_NAMES / 5; j++)
            text = apr_pstrcat(p, text, i ? " -" : " +", APR_ARRAY_IDX(lists[i], j, const char *), NULL);
        if (lists[i]->nelts > j)
            text = apr_pstrcat(p, text, i ? " -..." : " +...", NULL);
    }
    return text;
}

static apr_status_t close_step(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    const mdm_directory_group_t *group = s->group;
    apr_status_t rv = mdm_group_synced(s->st, group->group);

    (void)db;
    if (rv != APR_SUCCESS || (!group->joined->nelts && !group->left->nelts))
        return rv;
    return mdm_store_event(s->st, "directory.group", by.actor, NULL, NULL, group->group->name,
                           moves_text(group, s->st->ctx->pool));
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
        if (!apr_hash_get(group->logins, login, APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(group->left, const char *) = login;
    }
    for (hi = apr_hash_first(run->ctx->pool, group->logins); rv == APR_SUCCESS && hi; hi = apr_hash_next(hi)) {
        const char *login = apr_hash_this_key(hi);

        if (!apr_hash_get(had, login, APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(group->joined, const char *) = login;
    }
    if (rv == APR_SUCCESS && !run->confirmed && members->nelts >= MANY && !apr_hash_count(group->logins)) {
        group->error = apr_psprintf(run->ctx->pool, "all %d members would leave: POST {\"confirm\": true} to "
                                    "v1/directory/sync if that is true", members->nelts);
        apr_array_clear(group->left);
    }
    return rv;
}

static int compare_logins(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static apr_status_t write_group(mdm_directory_run_t *run, mdm_store_t *st, mdm_directory_group_t *group)
{
    step_t step = { run, st, NULL, 0, group, 0, 0 };
    apr_status_t rv;

    if (group->error || (rv = compare(run, st, group)) != APR_SUCCESS || group->error)
        return group->error ? APR_SUCCESS : rv;
    qsort(group->joined->elts, (size_t)group->joined->nelts, sizeof(const char *), compare_logins);
    if ((rv = move(run, st, group, group->joined, 0)) == APR_SUCCESS
        && (rv = move(run, st, group, group->left, 1)) == APR_SUCCESS)
        rv = mdm_db_transact(st->db, close_step, &step);
    if (rv == MDM_ENOTFOUND) {
        group->error = "the group was changed meanwhile";
        mdm_ctx_clear(run->ctx);
        return APR_SUCCESS;
    }
    return rv;
}

apr_status_t mdm_directory_apply(mdm_directory_run_t *run, mdm_store_t *st)
{
    apr_status_t rv = find_missing(run, st);
    int i;

    if (rv != APR_SUCCESS || (rv = write_persons(run, st)) != APR_SUCCESS
        || (rv = lose_persons(run, st)) != APR_SUCCESS || (rv = mdm_store_user_seen(st)) != APR_SUCCESS)
        return rv;
    for (i = 0; rv == APR_SUCCESS && i < run->groups->nelts; i++)
        rv = write_group(run, st, &APR_ARRAY_IDX(run->groups, i, mdm_directory_group_t));
    return rv;
}
