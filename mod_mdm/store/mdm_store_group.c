/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups and their members. Called by the API and by core/mdm_group.c in any thread; who may be in a group is not
 * decided here.
 */
#include <string.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_store_group.h"
#include "mdm_store_row.h"

/* Rows per statement, as sql/queries.people.sql has them. */
#define PUT_ROWS 32
#define PUT_COLUMNS 3

static const char *const kinds[] = { "unset", "static", "rule", "directory" };

const char *mdm_group_kind_name(mdm_group_kind_e kind)
{
    return kind <= MDM_GROUP_DIRECTORY ? kinds[kind] : kinds[MDM_GROUP_UNSET];
}

mdm_group_kind_e mdm_group_kind_of(const char *name)
{
    int kind;

    for (kind = MDM_GROUP_STATIC; kind <= MDM_GROUP_DIRECTORY; kind++) {
        if (!strcmp(kinds[kind], name))
            return (mdm_group_kind_e)kind;
    }
    return MDM_GROUP_UNSET;
}

apr_status_t mdm_store_group_insert(int *made, mdm_store_t *st, const mdm_group_t *group)
{
    const char *args[] = { mdm_row_text(st, group->id), group->name, group->created_by,
                           mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, group->kind), group->rule,
                           group->directory };

    return mdm_db_exec(made, st->db, STMT_GROUP_INSERT, args);
}

apr_status_t mdm_store_group_update(mdm_store_t *st, const mdm_group_t *group)
{
    const char *args[] = { group->rule, group->directory, group->changed_by, mdm_row_text(st, group->changed_at),
                           mdm_row_text(st, group->synced_at), mdm_row_text(st, group->id) };

    return mdm_row_change(st, STMT_GROUP_UPDATE, args);
}

/* A transaction of SQLite has locked everything already. */
apr_status_t mdm_store_group_hold(mdm_store_t *st, apr_int64_t group, const char *directory)
{
    const char *args[] = { mdm_row_text(st, group), directory };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, mdm_db_kind(st->db) == MDM_DB_PGSQL ? STMT_GROUP_HOLD_PGSQL
                                                                                      : STMT_GROUP_HOLD, args);

    if (rv == APR_SUCCESS && !rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "the group is gone, or of another entry of the directory");
    return rv;
}

apr_status_t mdm_store_group_synced(mdm_store_t *st, apr_int64_t group, const char *directory)
{
    const char *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, group), directory };

    return mdm_row_change(st, STMT_GROUP_SYNCED, args);
}

static mdm_group_t *read_group(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_group_t *group = apr_pcalloc(st->ctx->pool, sizeof(*group));

    group->id = mdm_row_number(rows, r, 0);
    group->name = MDM_ROW(rows, r, 1);
    group->created_by = MDM_ROW(rows, r, 2);
    group->created_at = mdm_row_number(rows, r, 3);
    group->members = mdm_row_number(rows, r, 4);
    group->kind = (mdm_group_kind_e)mdm_row_number(rows, r, 5);
    group->rule = MDM_ROW(rows, r, 6);
    group->directory = MDM_ROW(rows, r, 7);
    group->changed_by = MDM_ROW(rows, r, 8);
    group->changed_at = mdm_row_number(rows, r, 9);
    group->synced_at = mdm_row_number(rows, r, 10);
    group->moving = mdm_row_number(rows, r, 11) != 0;
    return group;
}

static apr_status_t get_group(mdm_group_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *by)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, &by);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no group %s", by);
    *out = read_group(st, rows, 0);
    return APR_SUCCESS;
}

apr_status_t mdm_store_group_get(mdm_group_t **out, mdm_store_t *st, const char *name)
{
    return get_group(out, st, STMT_GROUP_GET, name);
}

apr_status_t mdm_store_group_by_id(mdm_group_t **out, mdm_store_t *st, apr_int64_t id)
{
    return get_group(out, st, STMT_GROUP_BY_ID, mdm_row_text(st, id));
}

/* A transaction of SQLite has locked everything already. */
apr_status_t mdm_store_group_lock(mdm_group_t **out, mdm_store_t *st, const char *name)
{
    return get_group(out, st, mdm_db_kind(st->db) == MDM_DB_PGSQL ? STMT_GROUP_LOCK_PGSQL : STMT_GROUP_GET, name);
}

apr_status_t mdm_store_group_stays(mdm_store_t *st, apr_int64_t id)
{
    const char *args[] = { mdm_row_text(st, id) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, mdm_db_kind(st->db) == MDM_DB_PGSQL ? STMT_GROUP_STAYS_PGSQL
                                                                                    : STMT_GROUP_BY_ID, args);

    return rv == APR_SUCCESS && !rows->count ? MDM_ENOTFOUND : rv;
}

static apr_status_t list_groups(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_group_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_group_t *) = read_group(st, rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_group_kept(apr_array_header_t **out, mdm_store_t *st)
{
    return list_groups(out, st, STMT_GROUP_KEPT, NULL);
}

apr_status_t mdm_store_group_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit)
{
    const char *args[] = { cursor ? cursor : "", mdm_row_text(st, limit) };

    return list_groups(out, st, STMT_GROUP_LIST, args);
}

apr_status_t mdm_store_group_profiles(apr_array_header_t **out, mdm_store_t *st, apr_int64_t group, int limit)
{
    const char *args[] = { mdm_row_text(st, group), mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_GROUP_PROFILES, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(const char *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, const char *) = MDM_ROW(rows, r, 0);
    return APR_SUCCESS;
}

apr_status_t mdm_store_group_watch(mdm_store_t *st, apr_int64_t group, const apr_array_header_t *facts)
{
    const char *args[] = { NULL, mdm_row_text(st, group) };
    apr_status_t rv = mdm_db_exec(NULL, st->db, STMT_GROUP_WATCH_CLEAR, args + 1);
    int i;

    for (i = 0; rv == APR_SUCCESS && i < facts->nelts; i++) {
        args[0] = APR_ARRAY_IDX(facts, i, const char *);
        rv = mdm_db_exec(NULL, st->db, STMT_GROUP_WATCH, args);
    }
    return rv;
}

apr_status_t mdm_store_group_delete(mdm_store_t *st, apr_int64_t group)
{
    /* the group first: who writes members holds on to it, so that none can come after */
    static const mdm_stmt_e steps[] = { STMT_GROUP_DELETE, STMT_MEMBER_CLEAR, STMT_GROUP_WATCH_CLEAR,
                                        STMT_GROUP_DIRECTORY_CLEAR };
    const char *id = mdm_row_text(st, group);
    apr_status_t rv = APR_SUCCESS;
    apr_size_t i;

    for (i = 0; rv == APR_SUCCESS && i < sizeof(steps) / sizeof(steps[0]); i++)
        rv = mdm_db_exec(NULL, st->db, steps[i], &id);
    return rv;
}

static apr_status_t find_unknown(apr_array_header_t *unknown, mdm_store_t *st, const char *const *ids,
                                 const char *const *names, int count)
{
    apr_hash_t *known = apr_hash_make(st->ctx->pool);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_MEMBER_KNOWN, ids);
    int i;

    if (rv != APR_SUCCESS)
        return rv;
    for (i = 0; i < rows->count; i++)
        apr_hash_set(known, MDM_ROW(rows, i, 0), APR_HASH_KEY_STRING, "");
    for (i = 0; i < count; i++) {
        if (!apr_hash_get(known, names[i], APR_HASH_KEY_STRING))
            APR_ARRAY_PUSH(unknown, const char *) = names[i];
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_member_add(apr_array_header_t **unknown, mdm_store_t *st, apr_int64_t group, const char *reason,
                                  const char *const *enrollment_ids, int count)
{
    const char *args[3 + MDM_ROW_CHUNK] = { mdm_row_text(st, group), reason, mdm_row_text(st, mdm_ctx_now(st->ctx)) };
    mdm_row_names_t ids;
    apr_status_t rv = APR_SUCCESS;
    int done, n;

    mdm_row_names(&ids, st, enrollment_ids, count);
    *unknown = apr_array_make(st->ctx->pool, 1, sizeof(const char *));
    for (done = 0; rv == APR_SUCCESS && done < ids.count; done += n) {
        n = ids.count - done < MDM_ROW_CHUNK ? ids.count - done : MDM_ROW_CHUNK;
        mdm_row_chunk(args + 3, ids.names + done, n);
        rv = mdm_db_exec(NULL, st->db, STMT_MEMBER_ADD, args);
        if (rv == APR_SUCCESS)
            rv = find_unknown(*unknown, st, args + 3, ids.names + done, n);
    }
    return rv;
}

apr_status_t mdm_store_member_remove(mdm_store_t *st, apr_int64_t group, const char *enrollment_id)
{
    const char *args[] = { mdm_row_text(st, group), enrollment_id };

    return mdm_row_change(st, STMT_MEMBER_REMOVE, args);
}

apr_status_t mdm_store_member_clear(mdm_store_t *st, apr_int64_t group)
{
    const char *id = mdm_row_text(st, group);

    return mdm_db_exec(NULL, st->db, STMT_MEMBER_CLEAR, &id);
}

apr_status_t mdm_store_member_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t group, const char *cursor,
                                   int limit)
{
    const char *args[] = { mdm_row_text(st, group), cursor, mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_MEMBER_LIST, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_member_t));
    for (r = 0; r < rows->count; r++) {
        mdm_member_t *member = apr_array_push(*out);

        member->enrollment_id = MDM_ROW(rows, r, 0);
        member->reason = MDM_ROW(rows, r, 1);
        member->added_at = mdm_row_number(rows, r, 2);
        member->state = (mdm_state_e)mdm_row_number(rows, r, 3);
    }
    return APR_SUCCESS;
}

/* ---- members that nobody puts in by hand */

static void put_numbers(const char **args, mdm_store_t *st, const apr_int64_t *numbers, int count)
{
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++)
        args[i] = i < count ? mdm_row_text(st, numbers[i]) : NULL;
}

apr_status_t mdm_store_member_kept(apr_array_header_t **out, mdm_store_t *st, const apr_int64_t *enrollments,
                                   int count)
{
    const char *args[MDM_ROW_CHUNK];
    mdm_rows_t *rows;
    apr_status_t rv;
    int r;

    put_numbers(args, st, enrollments, count);
    if ((rv = mdm_db_select(&rows, st->db, STMT_MEMBER_KEPT, args)) != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_member_row_t));
    for (r = 0; r < rows->count; r++) {
        mdm_member_row_t *row = apr_array_push(*out);

        row->group = mdm_row_number(rows, r, 0);
        row->enrollment = mdm_row_number(rows, r, 1);
        row->reason = MDM_ROW(rows, r, 2);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_member_put(mdm_store_t *st, const mdm_member_row_t *rows, int count)
{
    mdm_stmt_e stmt = mdm_db_kind(st->db) == MDM_DB_PGSQL ? STMT_MEMBER_PUT_PGSQL : STMT_MEMBER_PUT;
    const char *args[1 + PUT_ROWS * PUT_COLUMNS] = { mdm_row_text(st, mdm_ctx_now(st->ctx)) };
    apr_status_t rv = APR_SUCCESS;
    int done, i;

    for (done = 0; rv == APR_SUCCESS && done < count; done += PUT_ROWS) {
        for (i = 0; i < PUT_ROWS; i++) {
            const char **to = args + 1 + i * PUT_COLUMNS;
            const mdm_member_row_t *row = done + i < count ? &rows[done + i] : NULL;

            to[0] = row ? mdm_row_text(st, row->group) : NULL;
            to[1] = row ? mdm_row_text(st, row->enrollment) : NULL;
            to[2] = row ? row->reason : NULL;
        }
        rv = mdm_db_exec(NULL, st->db, stmt, args);
    }
    return rv;
}

apr_status_t mdm_store_member_drop(mdm_store_t *st, apr_int64_t group, const apr_int64_t *enrollments, int count)
{
    const char *args[1 + MDM_ROW_CHUNK] = { mdm_row_text(st, group) };
    apr_status_t rv = APR_SUCCESS;
    int done;

    for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_ROW_CHUNK) {
        put_numbers(args + 1, st, enrollments + done, count - done);
        rv = mdm_db_exec(NULL, st->db, STMT_MEMBER_DROP, args);
    }
    return rv;
}
