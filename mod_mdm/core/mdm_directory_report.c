/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run of the synchronisation did, as JSON for the API and as a sentence for the log and the audit
 * trail; and what runs that broke off had done.
 */
#include <apr_strings.h>

#include "mdm_directory_parts.h"
#include "mdm_json.h"

#define KEPT "directory.kept"
#define KEPT_MAX 5                    /* runs that broke off one after the other, the newest */

static json_t *names(const apr_array_header_t *texts, int count)
{
    json_t *list = json_array();
    int i;

    for (i = 0; i < count && i < MDM_DIRECTORY_NAMES; i++)
        json_array_append_new(list, json_string(APR_ARRAY_IDX(texts, i, const char *)));
    return list;
}

static json_t *group_json(const mdm_directory_group_t *group)
{
    json_t *json = json_object();

    mdm_json_set_text(json, "name", group->group->name);
    mdm_json_set_text(json, "directory", group->group->directory);
    mdm_json_set_text(json, "error", group->error);
    mdm_json_set_text(json, "note", group->note);
    if (group->error)
        return json;
    json_object_set_new(json, "members", json_integer(apr_hash_count(group->logins)));
    json_object_set_new(json, "unknown", json_integer(group->unknown));
    json_object_set_new(json, "joined", json_integer(group->joins_done));
    json_object_set_new(json, "left", json_integer(group->leaves_done));
    json_object_set_new(json, "joins", names(group->joined, group->joins_done));
    json_object_set_new(json, "leaves", names(group->left, group->leaves_done));
    return json;
}

static json_t *users_json(const mdm_directory_run_t *run)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "found", run->changes->nelts, "new", run->made,
                     "changed", run->changed, "missing", run->lost, "disabled", run->disabled, "enabled", run->enabled,
                     "skipped", run->skipped, "missing_logins", names(run->missing, run->lost));
}

static json_t *report_json(const mdm_directory_run_t *run)
{
    apr_pool_t *p = run->ctx->pool;
    json_t *json = mdm_json_object(p), *groups = json_array();
    int i;

    json_object_set_new(json, "run", json_integer(run->id));
    mdm_json_set_text(json, "at", mdm_time_text(run->started, p));
    json_object_set_new(json, "seconds", json_real((double)(apr_time_as_msec(mdm_ctx_now(run->ctx) - run->started))
                                                   / 1000));
    mdm_json_set_text(json, "requested_by", run->requested_by);
    json_object_set_new(json, "users", users_json(run));
    for (i = 0; i < run->groups->nelts; i++) {
        const mdm_directory_group_t *group = &APR_ARRAY_IDX(run->groups, i, mdm_directory_group_t);

        if (group->begun || group->error)
            json_array_append_new(groups, group_json(group));
    }
    json_object_set_new(json, "groups", groups);
    json_object_set_new(json, "notes", names(run->notes, run->notes->nelts));
    return json;
}

const char *mdm_directory_report(const mdm_directory_run_t *run)
{
    json_t *json = report_json(run);

    if (run->broken_off)
        json_object_set(json, "broken_off", run->broken_off);
    return mdm_json_compact(json, run->ctx->pool);
}

/* ---- what is kept for the report of the next run */

apr_status_t mdm_directory_keep(const mdm_directory_run_t *run, mdm_store_t *st)
{
    json_t *json = mdm_json_object(st->ctx->pool), *reports = json_array();

    if (run->broken_off)
        json_array_extend(reports, run->broken_off);
    json_array_append(reports, report_json(run));
    while (json_array_size(reports) > KEPT_MAX)
        json_array_remove(reports, 0);
    json_object_set_new(json, "reports", reports);
    return mdm_store_directory_note_put(st, KEPT, mdm_json_compact(json, st->ctx->pool));
}

apr_status_t mdm_directory_kept(json_t **reports, mdm_store_t *st)
{
    const char *text;
    json_t *json;
    apr_status_t rv = mdm_store_directory_note_get(&text, st, KEPT);

    *reports = NULL;
    if (rv == APR_SUCCESS && text && (rv = mdm_json_read(&json, st->ctx, mdm_bytes_of(text))) == APR_SUCCESS)
        *reports = json_object_get(json, "reports");
    return rv;
}

apr_status_t mdm_directory_kept_end(mdm_store_t *st)
{
    return mdm_store_directory_note_put(st, KEPT, "");
}

static int errors_of(const mdm_directory_run_t *run)
{
    int n = 0, i;

    for (i = 0; i < run->groups->nelts; i++)
        n += APR_ARRAY_IDX(run->groups, i, mdm_directory_group_t).error != NULL;
    return n;
}

static void count_moves(int *joined, int *left, const mdm_directory_run_t *run)
{
    int i;

    *joined = *left = 0;
    for (i = 0; i < run->groups->nelts; i++) {
        const mdm_directory_group_t *group = &APR_ARRAY_IDX(run->groups, i, mdm_directory_group_t);

        *joined += group->joins_done;
        *left += group->leaves_done;
    }
}

int mdm_directory_moved(const mdm_directory_run_t *run)
{
    int joined, left, i, fresh = 0;

    count_moves(&joined, &left, run);
    for (i = 0; i < run->groups->nelts; i++)
        fresh |= !APR_ARRAY_IDX(run->groups, i, mdm_directory_group_t).group->synced_at;
    return run->made || run->changed || run->disabled || run->enabled || joined || left || fresh;
}

const char *mdm_directory_sentence(const mdm_directory_run_t *run)
{
    int joined, left;

    count_moves(&joined, &left, run);
    return apr_psprintf(run->ctx->pool, "%d users found, %d new, %d changed, %d missing, %d disabled; %d groups, %d "
                        "joined, %d left, %d with an error", run->changes->nelts, run->made, run->changed,
                        run->lost, run->disabled, run->groups->nelts, joined, left, errors_of(run));
}
