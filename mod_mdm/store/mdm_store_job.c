/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs and their leases. Called by the housekeeper of any node; a claim is one conditional UPDATE, so of two who try
 * one gets it. Knows nothing of what the jobs do.
 */
#include "mdm_store_job.h"
#include "mdm_store_row.h"

#include <apr_strings.h>

apr_status_t mdm_store_job_claim(mdm_job_t **out, mdm_store_t *st, const char *name, const char *owner,
                                 apr_interval_time_t lease)
{
    apr_time_t at = mdm_ctx_now(st->ctx);
    const char *now = mdm_row_text(st, at);
    const char *claim[] = { owner, mdm_row_text(st, at + lease), name, now, now, owner };
    mdm_rows_t *rows;
    int claimed = 0;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_JOB_GET, &name);

    *out = NULL;
    if (rv == APR_SUCCESS && !rows->count)
        rv = mdm_db_exec(NULL, st->db, STMT_JOB_OPEN, &name);
    else if (rv == APR_SUCCESS && mdm_row_number(rows, 0, 0) > at)
        return APR_SUCCESS;
    if (rv == APR_SUCCESS)
        rv = mdm_db_exec(&claimed, st->db, STMT_JOB_CLAIM, claim);
    if (rv == APR_SUCCESS && claimed) {
        mdm_job_t *job = apr_pcalloc(st->ctx->pool, sizeof(*job));

        job->name = name;
        job->owner = owner;
        job->position = rows->count ? MDM_ROW(rows, 0, 3) : NULL;
        *out = job;
    }
    return rv;
}

apr_status_t mdm_store_job_renew(mdm_store_t *st, const mdm_job_t *job, apr_interval_time_t lease)
{
    const char *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx) + lease), job->name, job->owner };
    int renewed = 0;
    apr_status_t rv = mdm_db_exec(&renewed, st->db, STMT_JOB_RENEW, args);

    if (rv == APR_SUCCESS && !renewed)
        return mdm_fail(st->ctx, MDM_EGONE, "somebody else does the job %s by now", job->name);
    return rv;
}

apr_status_t mdm_store_job_await(mdm_store_t *st, const char *name)
{
    mdm_rows_t *rows;

    return mdm_db_kind(st->db) != MDM_DB_PGSQL ? APR_SUCCESS
           : mdm_db_select(&rows, st->db, STMT_JOB_AWAIT_PGSQL, &name);
}

apr_status_t mdm_store_job_advance(mdm_store_t *st, const mdm_job_t *job, apr_time_t due_at, const char *position)
{
    const char *args[] = { mdm_row_text(st, due_at), position, job->name, job->owner };

    return mdm_db_exec(NULL, st->db, STMT_JOB_ADVANCE, args);
}
