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
    apr_status_t rv = mdm_directory_weigh(run, st);

    if (rv != APR_SUCCESS || (rv = write_persons(run, st)) != APR_SUCCESS
        || (rv = lose_persons(run, st)) != APR_SUCCESS || (rv = mdm_store_user_seen(st)) != APR_SUCCESS)
        return rv;
    return mdm_directory_apply_groups(run, st);
}
