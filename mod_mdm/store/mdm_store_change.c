/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks and changes. A mark is named by the call that made it, so that who has looked takes away exactly what he saw.
 * Rows are marked and taken away in the order of enrollments: nodes then wait for each other, never in a circle.
 * Called in any thread; knows nothing of groups and profiles.
 */
#include "mdm_store_change.h"
#include "mdm_store_queue.h"
#include "mdm_store_row.h"

#define SETTLE_LOOK apr_time_from_msec(10)
#define SETTLE_MOST apr_time_from_sec(2)

apr_status_t mdm_store_recheck(mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);
    const char *args[] = { mdm_row_text(st, mdm_id_next()), id, id };

    return mdm_db_exec(NULL, st->db, STMT_RECHECK, args);
}

apr_status_t mdm_store_recheck_many(mdm_store_t *st, const apr_int64_t *enrollments, int count)
{
    const char *args[1 + MDM_ROW_CHUNK];
    apr_status_t rv = APR_SUCCESS;
    int done, i;

    for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_ROW_CHUNK) {
        args[0] = mdm_row_text(st, mdm_id_next());
        for (i = 0; i < MDM_ROW_CHUNK; i++)
            args[1 + i] = done + i < count ? mdm_row_text(st, enrollments[done + i]) : NULL;
        rv = mdm_db_exec(NULL, st->db, STMT_RECHECK_MANY, args);
    }
    return rv;
}

apr_status_t mdm_store_recheck_ids(mdm_store_t *st, const char *const *enrollment_ids, int count)
{
    const char *args[1 + MDM_ROW_CHUNK];
    mdm_row_names_t ids;
    apr_status_t rv = APR_SUCCESS;
    int done;

    mdm_row_names(&ids, st, enrollment_ids, count);
    for (done = 0; rv == APR_SUCCESS && done < ids.count; done += MDM_ROW_CHUNK) {
        args[0] = mdm_row_text(st, mdm_id_next());
        mdm_row_chunk(args + 1, ids.names + done, ids.count - done);
        rv = mdm_db_exec(NULL, st->db, STMT_RECHECK_IDS, args);
    }
    return rv;
}

apr_status_t mdm_store_recheck_channels(mdm_store_t *st, const apr_int64_t *devices, int count,
                                        const apr_int64_t *seen, int seen_count)
{
    const char *args[1 + 2 * MDM_ROW_CHUNK] = { mdm_row_text(st, mdm_id_next()) };
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++) {
        args[1 + i] = i < count ? mdm_row_text(st, devices[i]) : NULL;
        /* nobody is not in a list with a NULL in it */
        args[1 + MDM_ROW_CHUNK + i] = i < seen_count ? mdm_row_text(st, seen[i]) : "0";
    }
    return mdm_db_exec(NULL, st->db, STMT_RECHECK_CHANNELS, args);
}

apr_status_t mdm_store_recheck_user(mdm_store_t *st, const char *login)
{
    const char *args[] = { mdm_row_text(st, mdm_id_next()), login, login };

    return mdm_db_exec(NULL, st->db, STMT_RECHECK_USER, args);
}

apr_status_t mdm_store_recheck_users(mdm_store_t *st, const char *const *logins, int count)
{
    const char *args[1 + 2 * MDM_ROW_CHUNK];
    apr_status_t rv = APR_SUCCESS;
    int done;

    for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_ROW_CHUNK) {
        args[0] = mdm_row_text(st, mdm_id_next());
        mdm_row_chunk(args + 1, logins + done, count - done);
        mdm_row_chunk(args + 1 + MDM_ROW_CHUNK, logins + done, count - done);
        rv = mdm_db_exec(NULL, st->db, STMT_RECHECK_USERS, args);
    }
    return rv;
}

apr_status_t mdm_store_recheck_facts(mdm_store_t *st, apr_int64_t enrollment, const char *const *names, int count)
{
    const char *id = mdm_row_text(st, enrollment), *args[3 + MDM_ROW_CHUNK] = { NULL, id, id };
    apr_status_t rv = APR_SUCCESS;
    int done;

    for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_ROW_CHUNK) {
        args[0] = mdm_row_text(st, mdm_id_next());
        mdm_row_chunk(args + 3, names + done, count - done);
        rv = mdm_db_exec(NULL, st->db, STMT_RECHECK_FACTS, args);
    }
    return rv;
}

apr_status_t mdm_store_recheck_members(mdm_store_t *st, apr_int64_t group)
{
    const char *args[] = { mdm_row_text(st, mdm_id_next()), mdm_row_text(st, group) };

    return mdm_db_exec(NULL, st->db, STMT_RECHECK_MEMBERS, args);
}

apr_status_t mdm_store_recheck_due(apr_array_header_t **out, mdm_store_t *st, int limit)
{
    const char *args[] = { mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_RECHECK_DUE, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_recheck_t));
    for (r = 0; r < rows->count; r++) {
        mdm_recheck_t *mark = apr_array_push(*out);

        mark->enrollment = mdm_row_number(rows, r, 0);
        mark->since = mdm_row_number(rows, r, 1);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_recheck_done(mdm_store_t *st, const mdm_recheck_t *marks, int count)
{
    const char *args[2 * MDM_ROW_CHUNK];
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++) {
        args[i] = i < count ? mdm_row_text(st, marks[i].enrollment) : NULL;
        args[MDM_ROW_CHUNK + i] = i < count ? mdm_row_text(st, marks[i].since) : NULL;
    }
    return mdm_db_exec(NULL, st->db, STMT_RECHECK_DONE, args);
}

apr_status_t mdm_store_recheck_forget(mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment), *args[] = { id, id };

    return mdm_db_exec(NULL, st->db, STMT_RECHECK_FORGET, args);
}

apr_status_t mdm_store_change_add(mdm_store_t *st, const char *kind, const char *object, const char *actor)
{
    const char *args[] = { mdm_row_text(st, mdm_id_next()), kind, object, actor,
                           mdm_row_text(st, mdm_ctx_now(st->ctx)) };

    return mdm_db_exec(NULL, st->db, STMT_CHANGE_INSERT, args);
}

static apr_status_t list_changes(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_change_t *));
    for (r = 0; r < rows->count; r++) {
        mdm_change_t *change = apr_pcalloc(st->ctx->pool, sizeof(*change));

        change->id = mdm_row_number(rows, r, 0);
        change->kind = MDM_ROW(rows, r, 1);
        change->object = MDM_ROW(rows, r, 2);
        change->actor = MDM_ROW(rows, r, 3);
        change->created_at = mdm_row_number(rows, r, 4);
        change->position = mdm_row_number(rows, r, 5);
        change->looked = mdm_row_number(rows, r, 6);
        change->changed = mdm_row_number(rows, r, 7);
        change->finished_at = mdm_row_number(rows, r, 8);
        change->name = MDM_ROW(rows, r, 9);
        APR_ARRAY_PUSH(*out, mdm_change_t *) = change;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_change_next(mdm_change_t **out, mdm_store_t *st)
{
    apr_array_header_t *changes;
    apr_status_t rv = list_changes(&changes, st, STMT_CHANGE_NEXT, NULL);

    if (rv == APR_SUCCESS)
        *out = changes->nelts ? APR_ARRAY_IDX(changes, 0, mdm_change_t *) : NULL;
    return rv;
}

apr_status_t mdm_store_change_settle(mdm_store_t *st)
{
    apr_time_t end = apr_time_now() + SETTLE_MOST;
    apr_int64_t next = 0, oldest;
    mdm_rows_t *rows;
    apr_status_t rv;

    if (mdm_db_kind(st->db) != MDM_DB_PGSQL)
        return APR_SUCCESS;
    for (;;) {
        if ((rv = mdm_db_select(&rows, st->db, STMT_CHANGE_WRITERS_PGSQL, NULL)) != APR_SUCCESS)
            return rv;
        oldest = mdm_row_number(rows, 0, 0);
        if (!next)
            next = mdm_row_number(rows, 0, 1);
        if (oldest >= next || apr_time_now() >= end)
            return APR_SUCCESS;
        apr_sleep(SETTLE_LOOK);
    }
}

apr_status_t mdm_store_change_move(mdm_store_t *st, const mdm_change_t *change, apr_int64_t from)
{
    const char *args[] = { mdm_row_text(st, change->position), mdm_row_text(st, change->looked),
                           mdm_row_text(st, change->changed), mdm_row_text(st, change->finished_at),
                           mdm_row_text(st, change->id), mdm_row_text(st, from) };

    return mdm_row_change(st, STMT_CHANGE_MOVE, args);
}

apr_status_t mdm_store_change_get(mdm_change_t **out, mdm_store_t *st, apr_int64_t id)
{
    const char *args[] = { mdm_row_text(st, id) };
    apr_array_header_t *changes;
    apr_status_t rv = list_changes(&changes, st, STMT_CHANGE_GET, args);

    if (rv == APR_SUCCESS && !changes->nelts)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no change %s", args[0]);
    if (rv == APR_SUCCESS)
        *out = APR_ARRAY_IDX(changes, 0, mdm_change_t *);
    return rv;
}

apr_status_t mdm_store_change_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t cursor, int limit)
{
    const char *args[] = { mdm_row_text(st, cursor ? cursor : APR_INT64_MAX), mdm_row_text(st, limit) };

    return list_changes(out, st, STMT_CHANGE_LIST, args);
}

apr_status_t mdm_store_change_backlog(apr_int64_t *changes, apr_int64_t *rechecks, mdm_store_t *st)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_CHANGE_BACKLOG, NULL);

    if (rv == APR_SUCCESS) {
        *changes = mdm_row_number(rows, 0, 0);
        *rechecks = mdm_row_number(rows, 0, 1);
    }
    return rv;
}

apr_status_t mdm_store_change_prune(int *pruned, mdm_store_t *st, apr_time_t before)
{
    const char *args[] = { mdm_row_text(st, before), mdm_row_text(st, MDM_QUEUE_STEP) };

    return mdm_db_exec(pruned, st->db, STMT_CHANGE_PRUNE, args);
}
