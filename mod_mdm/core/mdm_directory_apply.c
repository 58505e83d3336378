/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From memory into the tables: persons, and those who are gone. Each step is a transaction that is right by itself, and
 * keeps what the run has done so far, so a run that ends half-way is completed and reported by the next. Runs in the
 * directory's thread.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_directory_parts.h"
#include "mdm_store_status.h"

#define STEP 256

static const mdm_person_by_t by = { "directory", "directory", NULL };

typedef struct {
    mdm_directory_run_t *run;
    mdm_store_t *st;
    mdm_person_change_t *changes;     /* of this step */
    const char *const *logins;        /* the same, of those who are lost */
    int count;
    int made, changed, disabled, enabled, lost; /* of the run, before it */
} step_t;

apr_status_t mdm_directory_check(mdm_directory_run_t *run)
{
    return run->look && run->look(run->baton) ? mdm_fail(run->ctx, APR_EINTR, "the server stops, or another took over")
                                              : APR_SUCCESS;
}

int mdm_directory_is_too_much(const mdm_directory_run_t *run, int leaving, int all)
{
    return !run->confirmed && leaving >= run->site->limit_count
        && (apr_int64_t)leaving * 100 > (apr_int64_t)all * run->site->limit_percent;
}

static step_t step_of(mdm_directory_run_t *run, mdm_store_t *st, int count)
{
    step_t s = { run, st, NULL, NULL, count, run->made, run->changed, run->disabled, run->enabled, run->lost };

    return s;
}

/* A transaction may be tried again: what the run had before a step counts, not what its attempts have left. */
static apr_status_t count_step(step_t *s, const mdm_person_change_t *changes, int lost)
{
    mdm_directory_run_t *run = s->run;
    int i;

    run->made = s->made;
    run->changed = s->changed;
    run->disabled = s->disabled;
    run->enabled = s->enabled;
    run->lost = s->lost + lost;
    for (i = 0; changes && i < s->count; i++) {
        run->made += changes[i].made;
        run->changed += changes[i].changed && !changes[i].made && !lost;
        run->disabled += changes[i].turned > 0;
        run->enabled += changes[i].turned < 0;
    }
    return lost || run->made != s->made || run->changed != s->changed ? mdm_directory_keep(run, s->st) : APR_SUCCESS;
}

/* ---- persons */

static apr_status_t person_step(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    apr_status_t rv = mdm_person_write(s->st, s->changes, s->count, &by);

    (void)db;
    return rv == APR_SUCCESS ? count_step(s, s->changes, 0) : rv;
}

static apr_status_t write_some(mdm_directory_run_t *run, mdm_store_t *st, mdm_person_change_t *changes, int count)
{
    step_t step = step_of(run, st, count);
    apr_status_t rv;

    step.changes = changes;
    if ((rv = mdm_db_transact(st->db, person_step, &step)) != APR_SUCCESS) {
        step.count = 0;
        (void)count_step(&step, NULL, 0);
    }
    return rv;
}

/* One record that becomes too large keeps nobody else from being written. */
static apr_status_t write_singly(mdm_directory_run_t *run, mdm_store_t *st, mdm_person_change_t *changes, int count)
{
    apr_status_t rv = APR_SUCCESS;
    int i;

    mdm_ctx_clear(run->ctx);
    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        if ((rv = write_some(run, st, &changes[i], 1)) == MDM_ETOOBIG) {
            if (run->notes->nelts < MDM_DIRECTORY_NAMES)
                APR_ARRAY_PUSH(run->notes, const char *) = apr_pstrdup(run->ctx->pool, run->ctx->detail);
            mdm_ctx_clear(run->ctx);
            rv = APR_SUCCESS;
        }
    }
    return rv;
}

static apr_status_t write_persons(mdm_directory_run_t *run, mdm_store_t *st)
{
    mdm_person_change_t *changes = (mdm_person_change_t *)run->changes->elts;
    int count = run->changes->nelts, done;
    apr_status_t rv = APR_SUCCESS;

    for (done = 0; rv == APR_SUCCESS && done < count; done += STEP) {
        int n = count - done < STEP ? count - done : STEP;

        if ((rv = mdm_directory_check(run)) == APR_SUCCESS)
            rv = write_some(run, st, changes + done, n);
        if (rv == MDM_ETOOBIG)
            rv = write_singly(run, st, changes + done, n);
    }
    return rv;
}

/* @return how many of those who were found before would become disabled */
static int count_disabling(const mdm_directory_run_t *run, const apr_array_header_t *known,
                           const apr_array_header_t *disabled)
{
    apr_hash_t *enabled = apr_hash_make(run->ctx->pool);
    int n = 0, i;

    for (i = 0; i < known->nelts; i++)
        apr_hash_set(enabled, APR_ARRAY_IDX(known, i, const char *), APR_HASH_KEY_STRING, "");
    for (i = 0; i < disabled->nelts; i++)
        apr_hash_set(enabled, APR_ARRAY_IDX(disabled, i, const char *), APR_HASH_KEY_STRING, NULL);
    for (i = 0; i < run->changes->nelts; i++) {
        const mdm_person_change_t *change = &APR_ARRAY_IDX(run->changes, i, mdm_person_change_t);

        n += change->disabled == 1 && apr_hash_get(enabled, change->login, APR_HASH_KEY_STRING) != NULL;
    }
    return n;
}

static apr_status_t find_missing(mdm_directory_run_t *run, mdm_store_t *st)
{
    apr_array_header_t *known, *disabled;
    apr_status_t rv = mdm_store_user_synced(&known, st);
    int found = run->changes->nelts, missing, disabling, i;

    if (rv != APR_SUCCESS || (rv = mdm_store_user_synced_disabled(&disabled, st)) != APR_SUCCESS)
        return rv;
    for (i = 0; i < known->nelts; i++) {
        const char *login = APR_ARRAY_IDX(known, i, const char *);

        if (!apr_hash_get(run->by_login, login, APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(run->missing, const char *) = login;
    }
    missing = run->missing->nelts;
    disabling = count_disabling(run, known, disabled);
    if ((!found && missing && !run->confirmed) || mdm_directory_is_too_much(run, missing + disabling, known->nelts))
        return mdm_fail(run->ctx, MDM_EINPUT, "nothing was changed: of %d users %d are not found in the directory any "
                        "more and %d would be disabled. Are base and filter of MDMDirectoryURL and "
                        "MDMDirectoryDisabled right, and may MDMDirectoryBind read all? If it is true, POST "
                        "{\"confirm\": true} to v1/directory/sync; MDMDirectoryLimit says how much goes unasked",
                        known->nelts, missing, disabling);
    return APR_SUCCESS;
}

static apr_status_t tell_lost(step_t *s)
{
    apr_status_t rv = mdm_store_user_lost(s->st, s->logins, s->count);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < s->count; i++)
        rv = mdm_store_event(s->st, "user.missing", by.actor, NULL, NULL, s->logins[i], "not found in the directory "
                             "any more");
    return rv;
}

static apr_status_t lose_step(void *baton, mdm_db_t *db)
{
    step_t *s = baton;
    mdm_person_change_t *changes = NULL;
    apr_status_t rv = tell_lost(s);
    int i;

    (void)db;
    if (rv == APR_SUCCESS && s->run->site->disable_missing) {
        changes = apr_palloc(s->st->ctx->pool, sizeof(*changes) * (apr_size_t)s->count);
        for (i = 0; i < s->count; i++) {
            changes[i] = mdm_person_change(s->logins[i]);
            changes[i].disabled = 1;
        }
        rv = mdm_person_write(s->st, changes, s->count, &by);
    }
    return rv == APR_SUCCESS ? count_step(s, changes, s->count) : rv;
}

static apr_status_t lose_persons(mdm_directory_run_t *run, mdm_store_t *st)
{
    int count = run->missing->nelts, done;
    apr_status_t rv = APR_SUCCESS;

    for (done = 0; rv == APR_SUCCESS && done < count; done += STEP) {
        step_t step = step_of(run, st, count - done < STEP ? count - done : STEP);

        step.logins = (const char *const *)run->missing->elts + done;
        if ((rv = mdm_directory_check(run)) == APR_SUCCESS)
            rv = mdm_db_transact(st->db, lose_step, &step);
        if (rv != APR_SUCCESS) {
            step.count = 0;
            (void)count_step(&step, NULL, 0);
        }
    }
    return rv;
}

apr_status_t mdm_directory_apply(mdm_directory_run_t *run, mdm_store_t *st)
{
    apr_status_t rv = find_missing(run, st);

    if (rv != APR_SUCCESS || (rv = write_persons(run, st)) != APR_SUCCESS
        || (rv = lose_persons(run, st)) != APR_SUCCESS || (rv = mdm_store_user_seen(st)) != APR_SUCCESS)
        return rv;
    return mdm_directory_apply_groups(run, st);
}
