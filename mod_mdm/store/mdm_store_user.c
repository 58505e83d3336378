/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Persons and the groups of the directory. Called in any thread; knows nothing of where a person comes from.
 */
#include <string.h>

#include "mdm_store_row.h"
#include "mdm_store_user.h"

static mdm_user_t *read_user(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_user_t *user = apr_pcalloc(st->ctx->pool, sizeof(*user));

    user->login = MDM_ROW(rows, r, 0);
    user->display_name = MDM_ROW(rows, r, 1);
    user->email = MDM_ROW(rows, r, 2);
    user->attributes = MDM_ROW(rows, r, 3);
    user->source = MDM_ROW(rows, r, 4);
    user->disabled = mdm_row_number(rows, r, 5) != 0;
    user->created_at = mdm_row_number(rows, r, 6);
    user->changed_at = mdm_row_number(rows, r, 7);
    user->synced_at = mdm_row_number(rows, r, 8);
    user->disabled_by = MDM_ROW(rows, r, 9);
    return user;
}

static void read_users(apr_hash_t *by_login, mdm_store_t *st, const mdm_rows_t *rows)
{
    int r;

    for (r = 0; r < rows->count; r++) {
        mdm_user_t *user = read_user(st, rows, r);

        apr_hash_set(by_login, user->login, APR_HASH_KEY_STRING, user);
    }
}

static apr_status_t get_many(apr_hash_t **by_login, mdm_store_t *st, mdm_stmt_e stmt, const char *const *logins,
                             int count)
{
    const char *args[MDM_ROW_CHUNK];
    mdm_row_names_t names;
    mdm_rows_t *rows;
    apr_status_t rv;
    int done;

    *by_login = apr_hash_make(st->ctx->pool);
    mdm_row_names(&names, st, logins, count);
    for (done = 0; done < names.count; done += MDM_ROW_CHUNK) {
        mdm_row_chunk(args, names.names + done, names.count - done);
        if ((rv = mdm_db_select(&rows, st->db, stmt, args)) != APR_SUCCESS)
            return rv;
        read_users(*by_login, st, rows);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_user_get_many(apr_hash_t **by_login, mdm_store_t *st, const char *const *logins, int count)
{
    return get_many(by_login, st, STMT_USER_MANY, logins, count);
}

/* A transaction of SQLite has locked everything already. */
apr_status_t mdm_store_user_lock_many(apr_hash_t **by_login, mdm_store_t *st, const char *const *logins, int count)
{
    return get_many(by_login, st, mdm_db_kind(st->db) == MDM_DB_PGSQL ? STMT_USER_MANY_PGSQL : STMT_USER_MANY, logins,
                    count);
}

apr_status_t mdm_store_user_alike(apr_hash_t **by_login, mdm_store_t *st, const char *login,
                                  const char *const folded[MDM_USER_FOLDED], int lock)
{
    int by_rows = lock && mdm_db_kind(st->db) == MDM_DB_PGSQL;
    const char *args[] = { folded[0], folded[1], folded[2], login };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, by_rows ? STMT_USER_ALIKE_PGSQL : STMT_USER_ALIKE, args);

    if (rv != APR_SUCCESS)
        return rv;
    *by_login = apr_hash_make(st->ctx->pool);
    read_users(*by_login, st, rows);
    return APR_SUCCESS;
}

apr_status_t mdm_store_user_get(mdm_user_t **out, mdm_store_t *st, const char *login)
{
    apr_hash_t *users;
    apr_status_t rv = mdm_store_user_get_many(&users, st, &login, 1);

    if (rv == APR_SUCCESS && !(*out = apr_hash_get(users, login, APR_HASH_KEY_STRING)))
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no user %s", login);
    return rv;
}

apr_status_t mdm_store_user_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit,
                                 int disabled)
{
    const char *args[] = { mdm_row_text(st, disabled), cursor ? cursor : "", mdm_row_text(st, limit) };
    int all = disabled < 0, r;
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, all ? STMT_USER_LIST : STMT_USER_LIST_DISABLED, args + all);

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_user_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_user_t *) = read_user(st, rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_user_insert(int *made, mdm_store_t *st, const mdm_user_t *user)
{
    const char *args[] = {
        user->login, user->display_name, user->email, user->attributes, user->source, user->disabled ? "1" : "0",
        mdm_row_text(st, user->created_at), mdm_row_text(st, user->changed_at), mdm_row_text(st, user->synced_at),
        user->disabled_by
    };

    return mdm_db_exec(made, st->db, STMT_USER_INSERT, args);
}

apr_status_t mdm_store_user_update(mdm_store_t *st, const mdm_user_t *user)
{
    const char *args[] = {
        user->display_name, user->email, user->attributes, user->source, user->disabled ? "1" : "0",
        mdm_row_text(st, user->changed_at), mdm_row_text(st, user->synced_at), user->disabled_by, user->login
    };

    return mdm_row_change(st, STMT_USER_UPDATE, args);
}

static apr_status_t list_logins(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(const char *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, const char *) = MDM_ROW(rows, r, 0);
    return APR_SUCCESS;
}

apr_status_t mdm_store_user_seen(mdm_store_t *st)
{
    const char *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)) };

    return mdm_db_exec(NULL, st->db, STMT_USER_SEEN, args);
}

apr_status_t mdm_store_user_lost(mdm_store_t *st, const char *const *logins, int count)
{
    const char *args[MDM_ROW_CHUNK];
    apr_status_t rv = APR_SUCCESS;
    int done;

    for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_ROW_CHUNK) {
        mdm_row_chunk(args, logins + done, count - done);
        rv = mdm_db_exec(NULL, st->db, STMT_USER_LOST, args);
    }
    return rv;
}

apr_status_t mdm_store_directory_members(apr_array_header_t **out, mdm_store_t *st, apr_int64_t group)
{
    const char *args[] = { mdm_row_text(st, group) };

    return list_logins(out, st, STMT_DIRECTORY_MEMBERS, args);
}

apr_status_t mdm_store_directory_join(mdm_store_t *st, apr_int64_t group, const char *const *logins, int count)
{
    const char *args[] = { mdm_row_text(st, group), NULL, mdm_row_text(st, mdm_ctx_now(st->ctx)) };
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < count; i++) {
        args[1] = logins[i];
        rv = mdm_db_exec(NULL, st->db, STMT_DIRECTORY_JOIN, args);
    }
    return rv;
}

apr_status_t mdm_store_directory_leave(mdm_store_t *st, apr_int64_t group, const char *const *logins, int count)
{
    const char *args[1 + MDM_ROW_CHUNK] = { mdm_row_text(st, group) };
    apr_status_t rv = APR_SUCCESS;
    int done;

    for (done = 0; rv == APR_SUCCESS && done < count; done += MDM_ROW_CHUNK) {
        mdm_row_chunk(args + 1, logins + done, count - done);
        rv = mdm_db_exec(NULL, st->db, STMT_DIRECTORY_LEAVE, args);
    }
    return rv;
}

apr_status_t mdm_store_directory_note_get(const char **out, mdm_store_t *st, const char *name)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_META_GET, &name);

    if (rv == APR_SUCCESS)
        *out = rows->count && *MDM_ROW(rows, 0, 0) ? MDM_ROW(rows, 0, 0) : NULL;
    return rv;
}

apr_status_t mdm_store_directory_note_put(mdm_store_t *st, const char *name, const char *value)
{
    const char *args[] = { name, value };

    return mdm_db_exec(NULL, st->db, STMT_META_PUT, args);
}

apr_status_t mdm_store_directory_job(mdm_directory_job_t *out, mdm_store_t *st)
{
    const char *name = MDM_DIRECTORY_JOB;
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_JOB_GET, &name);

    out->due_at = rv == APR_SUCCESS && rows->count ? mdm_row_number(rows, 0, 0) : 0;
    out->running = rv == APR_SUCCESS && rows->count && mdm_row_number(rows, 0, 2) > mdm_ctx_now(st->ctx);
    return rv;
}

apr_status_t mdm_store_directory_ask(mdm_store_t *st, const char *position)
{
    const char *name = MDM_DIRECTORY_JOB, *args[] = { position, name, mdm_row_text(st, mdm_ctx_now(st->ctx)) };
    apr_status_t rv = mdm_db_exec(NULL, st->db, STMT_JOB_OPEN, &name);

    if (rv == APR_SUCCESS)
        rv = mdm_row_change(st, STMT_DIRECTORY_ASK, args);
    return rv == MDM_ENOTFOUND ? mdm_fail(st->ctx, MDM_EEXIST, "a synchronisation is under way") : rv;
}
