/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open queue and the results. Enqueuing is set-based: the cost of a device is an index entry or two, one
 * commit for all. Finishing runs in the transaction of the device's answer. Called in any thread.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_store_queue.h"
#include "mdm_store_row.h"

#define RESPONSE "mdm_result.response"
#define ASSUMED_DONE "\"the device had got it and enrolled anew or left without an answer: assumed done\""

/* Who of a chunk was not reached, and why? One more SELECT, only when somebody was not. */
static apr_status_t find_refused(apr_array_header_t *refused, apr_array_header_t *full, mdm_store_t *st,
                                 const char *command, const char *const *names, int count)
{
    const char *args[1 + MDM_ROW_CHUNK] = { command };
    apr_hash_t *enrolled = apr_hash_make(st->ctx->pool);
    mdm_rows_t *rows;
    apr_status_t rv;
    int i;

    mdm_row_chunk(args + 1, names, count);
    if ((rv = mdm_db_select(&rows, st->db, STMT_QUEUE_REACHED, args)) != APR_SUCCESS)
        return rv;
    for (i = 0; i < rows->count; i++) {
        apr_hash_set(enrolled, MDM_ROW(rows, i, 0), APR_HASH_KEY_STRING, "");
        if (!mdm_row_number(rows, i, 1))
            APR_ARRAY_PUSH(full, const char *) = MDM_ROW(rows, i, 0);
    }
    for (i = 0; i < count; i++) {
        if (!apr_hash_get(enrolled, names[i], APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(refused, const char *) = names[i];
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_queue_place(apr_array_header_t **refused, apr_array_header_t **full, mdm_store_t *st,
                                   const mdm_command_t *c, int limit, const char *const *enrollment_ids, int count)
{
    const char *args[6 + MDM_ROW_CHUNK + 1] = {
        mdm_row_text(st, c->id), mdm_row_text(st, c->priority), mdm_row_text(st, mdm_ctx_now(st->ctx)),
        mdm_row_text(st, c->not_before), mdm_row_text(st, c->not_after),
        c->approval == MDM_APPROVAL_WANTED ? "1" : "0"
    };
    mdm_row_names_t ids;
    apr_status_t rv = APR_SUCCESS;
    int done, n;

    args[6 + MDM_ROW_CHUNK] = mdm_row_text(st, limit > 0 ? limit - 1 : APR_INT32_MAX);
    mdm_row_names(&ids, st, enrollment_ids, count);
    *refused = ids.twice;
    *full = apr_array_make(st->ctx->pool, 1, sizeof(const char *));
    for (done = 0; rv == APR_SUCCESS && done < ids.count; done += n) {
        int affected = 0;

        n = ids.count - done < MDM_ROW_CHUNK ? ids.count - done : MDM_ROW_CHUNK;
        mdm_row_chunk(args + 6, ids.names + done, n);
        rv = mdm_db_exec(&affected, st->db, STMT_QUEUE_ADD, args);
        if (rv == APR_SUCCESS && affected != n)
            rv = find_refused(*refused, *full, st, args[0], ids.names + done, n);
    }
    return rv;
}

apr_status_t mdm_store_queue_add(apr_array_header_t **refused, mdm_store_t *st, apr_int64_t command,
                                 int priority, const char *const *enrollment_ids, int count)
{
    mdm_command_t c = { 0 };
    apr_array_header_t *full;

    c.id = command;
    c.priority = priority;
    return mdm_store_queue_place(refused, &full, st, &c, 0, enrollment_ids, count);
}

apr_status_t mdm_store_queue_supersede(int *ended, mdm_store_t *st, const mdm_command_t *c)
{
    const char *id = mdm_row_text(st, c->id);
    const char *args[] = { apr_psprintf(st->ctx->pool, "\"a newer command took its place: %s\"", c->uuid),
                           mdm_row_text(st, mdm_ctx_now(st->ctx)), id, c->supersede_key };
    apr_status_t rv = mdm_db_exec(ended, st->db, STMT_QUEUE_SUPERSEDE_RESULTS, args);

    return rv == APR_SUCCESS && *ended ? mdm_db_exec(NULL, st->db, STMT_QUEUE_SUPERSEDE, &id) : rv;
}

static const char *result_row(mdm_store_t *st, const char *enrollment, const char *command)
{
    return apr_pstrcat(st->ctx->pool, enrollment, ":", command, NULL);
}

static apr_status_t seal_response(const char **sealed, mdm_store_t *st, const mdm_result_t *result)
{
    *sealed = NULL;
    return !result->response ? APR_SUCCESS
           : mdm_row_seal(sealed, st, mdm_bytes_of(result->response), RESPONSE,
                          result_row(st, mdm_row_text(st, result->enrollment), mdm_row_text(st, result->command)));
}

typedef struct {
    const char *command, *enrollment, *status, *error_chain, *response, *at;
    int *finished;
} finish_t;

static apr_status_t finish_in_two(void *baton, mdm_db_t *db)
{
    const finish_t *f = baton;
    const char *key[] = { f->command, f->enrollment };
    const char *args[] = { f->enrollment, f->status, f->error_chain, f->response, f->at, f->command };
    apr_status_t rv = mdm_db_exec(f->finished, db, STMT_QUEUE_FINISH, key);

    return rv == APR_SUCCESS && *f->finished ? mdm_db_exec(NULL, db, STMT_RESULT_INSERT, args) : rv;
}

apr_status_t mdm_store_queue_finish(int *finished, mdm_store_t *st, const mdm_result_t *result)
{
    finish_t f = { mdm_row_text(st, result->command), mdm_row_text(st, result->enrollment), result->status,
                   result->error_chain, NULL, mdm_row_text(st, mdm_ctx_now(st->ctx)), finished };
    const char *args[] = { f.command, f.enrollment, f.status, f.error_chain, NULL, f.at };
    apr_status_t rv = seal_response(&f.response, st, result);

    if (rv != APR_SUCCESS)
        return rv;
    if (mdm_db_kind(st->db) != MDM_DB_PGSQL)
        return mdm_db_transact(st->db, finish_in_two, &f);
    args[4] = f.response;
    return mdm_db_exec(finished, st->db, STMT_QUEUE_FINISH_PGSQL, args);
}

apr_status_t mdm_store_result_late(int *replaced, mdm_store_t *st, const mdm_result_t *result)
{
    const char *response;
    apr_status_t rv = seal_response(&response, st, result);

    if (rv == APR_SUCCESS) {
        const char *args[] = { result->status, result->error_chain, response, mdm_row_text(st, mdm_ctx_now(st->ctx)),
                               mdm_row_text(st, result->command), mdm_row_text(st, result->enrollment) };

        rv = mdm_db_exec(replaced, st->db, STMT_RESULT_LATE, args);
    }
    return rv;
}

apr_status_t mdm_store_queue_notnow(mdm_store_t *st, apr_int64_t enrollment, apr_int64_t command)
{
    const char *args[] = { mdm_row_text(st, command), mdm_row_text(st, enrollment) };

    return mdm_db_exec(NULL, st->db, STMT_QUEUE_NOTNOW, args);
}

apr_status_t mdm_store_queue_new_session(mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);

    return mdm_db_exec(NULL, st->db, STMT_QUEUE_NEW_SESSION, &id);
}

apr_status_t mdm_store_queue_sent(mdm_store_t *st, apr_int64_t enrollment, apr_int64_t command, apr_time_t at)
{
    const char *args[] = { mdm_row_text(st, at), mdm_row_text(st, command), mdm_row_text(st, enrollment) };

    return mdm_db_exec(NULL, st->db, STMT_QUEUE_SENT, args);
}

apr_status_t mdm_store_queue_cancel(mdm_store_t *st, apr_int64_t enrollment, const char *reason)
{
    const char *id = mdm_row_text(st, enrollment), *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *result[] = { ASSUMED_DONE, reason, now, id, id }, *both[] = { id, id };
    int cancelled = 0;
    apr_status_t rv = mdm_db_exec(&cancelled, st->db, STMT_QUEUE_CANCEL_RESULTS, result);

    /* only rows that have their result by now: what came in between stays open */
    return rv == APR_SUCCESS && cancelled ? mdm_db_exec(NULL, st->db, STMT_QUEUE_CANCEL, both) : rv;
}

apr_status_t mdm_store_response_open(const char **response, mdm_store_t *st, const char *sealed,
                                     const char *enrollment, const char *command)
{
    mdm_bytes_t bytes;
    apr_status_t rv = mdm_row_unseal(&bytes, st, sealed, RESPONSE, result_row(st, enrollment, command));

    *response = (const char *)bytes.data;
    return rv;
}

static apr_status_t get_result(mdm_queue_item_t **out, mdm_store_t *st, mdm_stmt_e stmt,
                               const char *const *args, const char *enrollment_id)
{
    mdm_queue_item_t *item = apr_pcalloc(st->ctx->pool, sizeof(*item));
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "no result of %s %s", args[0], args[1]);
    item->enrollment_id = enrollment_id;
    item->uuid = MDM_ROW(rows, 0, 2);
    item->request_type = MDM_ROW(rows, 0, 3);
    item->state = MDM_ROW(rows, 0, 4);
    item->queued_at = mdm_row_number(rows, 0, 5);
    item->finished_at = mdm_row_number(rows, 0, 6);
    item->error_chain = MDM_ROW(rows, 0, 7);
    *out = item;
    return mdm_store_response_open(&item->response, st, MDM_ROW(rows, 0, 8), MDM_ROW(rows, 0, 0),
                                   MDM_ROW(rows, 0, 1));
}

apr_status_t mdm_store_result_latest(mdm_queue_item_t **out, mdm_store_t *st, const char *enrollment_id,
                                     const char *request_type)
{
    const char *args[] = { enrollment_id, request_type };

    return get_result(out, st, STMT_RESULT_LATEST, args, enrollment_id);
}

apr_status_t mdm_store_result_get(mdm_queue_item_t **out, mdm_store_t *st, const char *uuid,
                                  const char *enrollment_id)
{
    const char *args[] = { uuid, enrollment_id };

    return get_result(out, st, STMT_RESULT_GET, args, enrollment_id);
}
