/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups and their members. Called by the API in any thread; who may be in a group is not decided here.
 */
#include <apr_hash.h>
#include <apr_strings.h>

#include "mdm_store_group.h"
#include "mdm_store_row.h"

apr_status_t mdm_store_group_insert(int *made, mdm_store_t *st, const mdm_group_t *group)
{
    const char *args[] = { mdm_row_text(st, group->id), group->name, group->created_by,
                           mdm_row_text(st, mdm_ctx_now(st->ctx)) };

    return mdm_db_exec(made, st->db, STMT_GROUP_INSERT, args);
}

static mdm_group_t *read_group(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_group_t *group = apr_pcalloc(st->ctx->pool, sizeof(*group));

    group->id = mdm_row_number(rows, r, 0);
    group->name = MDM_ROW(rows, r, 1);
    group->created_by = MDM_ROW(rows, r, 2);
    group->created_at = mdm_row_number(rows, r, 3);
    group->members = mdm_row_number(rows, r, 4);
    return group;
}

apr_status_t mdm_store_group_get(mdm_group_t **out, mdm_store_t *st, const char *name)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_GROUP_GET, &name);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no group %s", name);
    *out = read_group(st, rows, 0);
    return APR_SUCCESS;
}

apr_status_t mdm_store_group_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit)
{
    const char *args[] = { cursor ? cursor : "", mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_GROUP_LIST, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_group_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_group_t *) = read_group(st, rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_group_delete(mdm_store_t *st, apr_int64_t group)
{
    const char *id = mdm_row_text(st, group);
    apr_status_t rv = mdm_db_exec(NULL, st->db, STMT_MEMBER_CLEAR, &id);

    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_GROUP_DELETE, &id) : rv;
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
