/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wanted wake-ups, one row per enrollment. A wish has a number: wanting what is wanted already keeps it,
 * wanting after a claim makes a new one and takes the row away from the claimer, so that the claimer's report
 * about the old wish changes nothing. A claim moves due_at to the end of the lease: a row whose claimer died
 * is simply due again. Wishes come from the API and the connect path, claims from the worker; any process,
 * any machine.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_store_enrollment.h"
#include "mdm_store_push.h"
#include "mdm_store_row.h"

#define TOKEN "mdm_enrollment.push_token"
#define MAGIC "mdm_enrollment.push_magic"

/* Both numbers in a UUID of version 8 (RFC 9562): each wish has its own, and the same at every try. */
static const char *apns_id_of(mdm_store_t *st, const char *enrollment, const char *wish)
{
    apr_uint64_t id = (apr_uint64_t)apr_atoi64(enrollment), number = (apr_uint64_t)apr_atoi64(wish);

    return apr_psprintf(st->ctx->pool, "%08x-%04x-8%03x-%04x-%012" APR_UINT64_T_HEX_FMT, (unsigned)(id >> 31),
                        (unsigned)(id >> 15 & 0xffff), (unsigned)(id >> 3 & 0xfff),
                        (unsigned)(0x8000 | (id & 7) << 11 | (number >> 48 & 0x7ff)), number & 0xffffffffffff);
}

static const char *state_problem(mdm_state_e state)
{
    switch (state) {
    case MDM_STATE_ENROLLED:
        return NULL;
    case MDM_STATE_LEFT:
        return "the enrollment has left management (CheckOut)";
    case MDM_STATE_WIPED:
        return "the device was wiped";
    case MDM_STATE_MISSING:
        return "the device is missing (silent for long, and its push token is dead): waits for its next TokenUpdate";
    case MDM_STATE_UNMANAGED:
        return "the device was configured without management";
    default:
        return "the enrollment is not complete: waits for the device's TokenUpdate";
    }
}

/* columns: enrollment_id, id, state, topic, has certificate, is dead, wish, last_reason */
static void judge(mdm_push_target_t *target, mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    target->enrollment = mdm_row_number(rows, r, 1);
    target->problem = state_problem((mdm_state_e)mdm_row_number(rows, r, 2));
    if (!target->problem && !mdm_row_number(rows, r, 4))
        target->problem = apr_psprintf(st->ctx->pool, "no push certificate for the topic %s: upload it",
                                       MDM_ROW(rows, r, 3) ? MDM_ROW(rows, r, 3) : "(none)");
    if (!target->problem && mdm_row_number(rows, r, 5))
        target->problem = apr_psprintf(st->ctx->pool, "push token is dead (%s): waits for the device's next "
                                       "TokenUpdate", MDM_ROW(rows, r, 7) ? MDM_ROW(rows, r, 7) : "Unregistered");
    if (!target->problem)
        target->apns_id = apns_id_of(st, MDM_ROW(rows, r, 1), MDM_ROW(rows, r, 6));
}

static apr_status_t want_chunk(apr_hash_t *judged, mdm_store_t *st, const char *due_at, const char *const *names,
                               int count)
{
    const char *args[4 + MDM_ROW_CHUNK] = { due_at, due_at, due_at, due_at };
    mdm_rows_t *rows;
    apr_status_t rv;
    int r;

    mdm_row_chunk(args + 4, names, count);
    rv = due_at ? mdm_db_exec(NULL, st->db, STMT_PUSH_WANT, args) : APR_SUCCESS;
    if (rv == APR_SUCCESS)
        rv = mdm_db_select(&rows, st->db, STMT_PUSH_TARGETS, args + 4);
    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++) {
        mdm_push_target_t *target = apr_pcalloc(st->ctx->pool, sizeof(*target));

        judge(target, st, rows, r);
        apr_hash_set(judged, MDM_ROW(rows, r, 0), APR_HASH_KEY_STRING, target);
    }
    return rv;
}

/* @param due NULL: nothing is wanted */
static apr_status_t want(apr_array_header_t **targets, mdm_store_t *st, const char *due,
                         const char *const *enrollment_ids, int count)
{
    apr_hash_t *judged = apr_hash_make(st->ctx->pool);
    mdm_row_names_t ids;
    apr_status_t rv = APR_SUCCESS;
    int i, n;

    mdm_row_names(&ids, st, enrollment_ids, count);
    for (i = 0; rv == APR_SUCCESS && i < ids.count; i += n) {
        n = ids.count - i < MDM_ROW_CHUNK ? ids.count - i : MDM_ROW_CHUNK;
        rv = want_chunk(judged, st, due, ids.names + i, n);
    }
    if (rv != APR_SUCCESS)
        return rv;
    *targets = apr_array_make(st->ctx->pool, count, sizeof(mdm_push_target_t));
    for (i = 0; i < count; i++) {
        const mdm_push_target_t *found = apr_hash_get(judged, enrollment_ids[i], APR_HASH_KEY_STRING);
        mdm_push_target_t *target = apr_array_push(*targets);

        if (found)
            *target = *found;
        else
            target->problem = "no such enrollment";
        target->enrollment_id = enrollment_ids[i];
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_push_want(apr_array_header_t **targets, mdm_store_t *st, apr_time_t due_at,
                                 const char *const *enrollment_ids, int count)
{
    return want(targets, st, mdm_row_text(st, due_at), enrollment_ids, count);
}

apr_status_t mdm_store_push_want_all(mdm_store_t *st, apr_time_t due_at, const char *const *enrollment_ids, int count)
{
    const char *due = mdm_row_text(st, due_at), *args[4 + MDM_ROW_CHUNK] = { due, due, due, due };
    mdm_row_names_t ids;
    apr_status_t rv = APR_SUCCESS;
    int done;

    mdm_row_names(&ids, st, enrollment_ids, count);
    for (done = 0; rv == APR_SUCCESS && done < ids.count; done += MDM_ROW_CHUNK) {
        mdm_row_chunk(args + 4, ids.names + done, ids.count - done);
        rv = mdm_db_exec(NULL, st->db, STMT_PUSH_WANT, args);
    }
    return rv;
}

apr_status_t mdm_store_push_targets(apr_array_header_t **targets, mdm_store_t *st, const char *const *enrollment_ids,
                                    int count)
{
    return want(targets, st, NULL, enrollment_ids, count);
}

apr_status_t mdm_store_push_want_one(mdm_store_t *st, apr_int64_t enrollment, apr_time_t due_at)
{
    const char *due = mdm_row_text(st, due_at);
    const char *args[] = { due, due, due, due, mdm_row_text(st, enrollment) };

    return mdm_db_exec(NULL, st->db, STMT_PUSH_WANT_ONE, args);
}

/* columns: enrollment, enrollment_id, topic, push_token, push_magic, wish, attempts, wanted_at, token_at, repushes, has
 * work */
static apr_status_t read_job(mdm_push_job_t *job, mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    const char *row = MDM_ROW(rows, r, 0);
    mdm_bytes_t magic;
    apr_status_t rv = mdm_row_unseal(&job->token, st, MDM_ROW(rows, r, 3), TOKEN, row);

    if (rv == APR_SUCCESS)
        rv = mdm_row_unseal(&magic, st, MDM_ROW(rows, r, 4), MAGIC, row);
    if (rv != APR_SUCCESS)
        return rv;
    job->enrollment = mdm_row_number(rows, r, 0);
    job->enrollment_id = MDM_ROW(rows, r, 1);
    job->topic = MDM_ROW(rows, r, 2);
    job->magic = (const char *)magic.data;
    job->apns_id = apns_id_of(st, row, MDM_ROW(rows, r, 5));
    job->attempts = (int)mdm_row_number(rows, r, 6);
    job->due_at = mdm_row_number(rows, r, 7);
    job->token_at = mdm_row_number(rows, r, 8);
    job->repushes = (int)mdm_row_number(rows, r, 9);
    return APR_SUCCESS;
}

/* One token that does not open must not stop the others: it stays claimed and comes again when the lease ends. */
static void read_jobs(apr_array_header_t *jobs, mdm_store_t *st, const mdm_rows_t *rows)
{
    int had_detail = st->ctx->detail != NULL, r;

    for (r = 0; r < rows->count; r++) {
        mdm_push_job_t job = { 0 };
        apr_status_t rv;

        if (!mdm_row_number(rows, r, 10))
            continue;
        rv = read_job(&job, st, rows, r);
        if (rv == APR_SUCCESS)
            APR_ARRAY_PUSH(jobs, mdm_push_job_t) = job;
        else {
            mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_ERR, rv, MDMNO(0401) "no push for %s: %s", MDM_ROW(rows, r, 1),
                    mdm_ctx_detail(st->ctx, rv));
            if (!had_detail)
                mdm_ctx_clear(st->ctx);
        }
    }
}

/* Fill up the list of enrollments that ends a statement's arguments. */
static void put_ids(const char **args, mdm_store_t *st, const apr_int64_t *enrollments, int count)
{
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++)
        args[i] = i < count ? mdm_row_text(st, enrollments[i]) : NULL;
}

/* Repetitions without work: the device has been here meanwhile. */
static apr_status_t drop(mdm_store_t *st, const char *owner, const mdm_rows_t *rows)
{
    const char *args[1 + MDM_ROW_CHUNK] = { owner };
    apr_int64_t ids[MDM_ROW_CHUNK];
    apr_status_t rv = APR_SUCCESS;
    int n = 0, r;

    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++) {
        if (!mdm_row_number(rows, r, 10))
            ids[n++] = mdm_row_number(rows, r, 0);
        if (!n || (n < MDM_ROW_CHUNK && r + 1 < rows->count))
            continue;
        put_ids(args + 1, st, ids, n);
        rv = mdm_db_exec(NULL, st->db, STMT_PUSH_DROP, args);
        n = 0;
    }
    return rv;
}

apr_status_t mdm_store_push_claim(apr_array_header_t **jobs, mdm_store_t *st, const char *owner, apr_time_t lease_until,
                                  int limit, int newest)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx)), *until = mdm_row_text(st, lease_until);
    const char *lease = mdm_row_text(st, mdm_id_next());
    const char *take[] = { until, owner, lease, now, mdm_row_text(st, limit), now };
    const char *taken[] = { now, now, until, owner, lease };
    mdm_rows_t *rows;
    int affected = 0;
    apr_status_t rv = mdm_db_exec(&affected, st->db, newest ? STMT_PUSH_CLAIM_NEWEST : STMT_PUSH_CLAIM, take);

    *jobs = apr_array_make(st->ctx->pool, affected + 1, sizeof(mdm_push_job_t));
    if (rv == APR_SUCCESS && affected)
        rv = mdm_db_select(&rows, st->db, STMT_PUSH_CLAIMED, taken);
    if (rv == APR_SUCCESS && affected)
        read_jobs(*jobs, st, rows);
    if (rv == APR_SUCCESS && affected)
        rv = drop(st, owner, rows);
    return rv;
}

apr_status_t mdm_store_push_next_due(apr_time_t *due_at, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_PUSH_NEXT_DUE, NULL);

    if (rv == APR_SUCCESS)
        *due_at = rows->count ? mdm_row_number(rows, 0, 0) : 0;
    return rv;
}

apr_status_t mdm_store_push_done(mdm_store_t *st, const char *owner, const apr_int64_t *enrollments, int count,
                                 apr_time_t again_at, int repushes)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *args[6 + MDM_ROW_CHUNK] = { now, now, mdm_row_text(st, again_at), mdm_row_text(st, repushes), now,
                                            owner };
    apr_status_t rv = APR_SUCCESS;
    int done;

    for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_ROW_CHUNK) {
        put_ids(args + 6, st, enrollments + done, count - done);
        rv = mdm_db_exec(NULL, st->db, STMT_PUSH_DONE, args);
    }
    return rv;
}

apr_status_t mdm_store_push_failed(mdm_store_t *st, const char *owner, apr_int64_t enrollment, apr_time_t due_at,
                                   const char *reason)
{
    const char *args[] = { mdm_row_text(st, due_at), mdm_row_text(st, mdm_ctx_now(st->ctx)), reason,
                           mdm_row_text(st, enrollment), owner };

    return mdm_db_exec(NULL, st->db, STMT_PUSH_FAILED, args);
}

apr_status_t mdm_store_push_dead(mdm_store_t *st, const char *owner, apr_int64_t enrollment, const char *reason)
{
    const char *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)), reason, mdm_row_text(st, enrollment), owner };

    return mdm_db_exec(NULL, st->db, STMT_PUSH_DEAD, args);
}

apr_status_t mdm_store_push_release(mdm_store_t *st, const char *owner)
{
    return mdm_db_exec(NULL, st->db, STMT_PUSH_RELEASE, &owner);
}
