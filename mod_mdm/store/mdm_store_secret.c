/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Named secrets. Called by the API, the fan-out and the delivery, any thread. Values are sealed for their name and
 * generation; nothing here logs.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_store_row.h"
#include "mdm_store_secret.h"

#define COLUMN "mdm_secret.value"

static const mdm_bytes_t nothing;

static const char *row_name(mdm_store_t *st, const char *name, int generation)
{
    return apr_psprintf(st->ctx->pool, "%s:%d", name, generation);
}

static apr_status_t read_secrets(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_secret_t));
    for (r = 0; r < rows->count; r++) {
        mdm_secret_t *secret = apr_array_push(*out);

        secret->name = MDM_ROW(rows, r, 0);
        secret->generation = (int)mdm_row_number(rows, r, 1);
        secret->created_by = MDM_ROW(rows, r, 2);
        secret->created_at = mdm_row_number(rows, r, 3);
        secret->retired_at = mdm_row_number(rows, r, 4);
        secret->profiles = (int)mdm_row_number(rows, r, 5);
    }
    return APR_SUCCESS;
}

static apr_status_t none(mdm_store_t *st, const char *name)
{
    return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no secret %s", name);
}

apr_status_t mdm_store_secret_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit)
{
    const char *args[] = { cursor ? cursor : "", mdm_row_text(st, limit) };

    return read_secrets(out, st, STMT_SECRET_LIST, args);
}

apr_status_t mdm_store_secret_generations(apr_array_header_t **out, mdm_store_t *st, const char *name)
{
    apr_status_t rv = read_secrets(out, st, STMT_SECRET_GENERATIONS, &name);

    return rv == APR_SUCCESS && !(*out)->nelts ? none(st, name) : rv;
}

/* One that does not open is there all the same, without a value: the others are to be had. */
static apr_status_t open_value(mdm_bytes_t *value, apr_array_header_t *closed, mdm_store_t *st, const char *sealed,
                               const char *name, int generation)
{
    apr_status_t rv = mdm_row_unseal(value, st, sealed, COLUMN, row_name(st, name, generation));
    mdm_unreadable_t *one;

    if (rv != MDM_ECRYPTO || !closed)
        return rv;
    one = apr_array_push(closed);
    memset(one, 0, sizeof(*one));
    one->secret = name;
    one->number = generation;
    one->why = apr_pstrdup(st->ctx->pool, mdm_ctx_detail(st->ctx, rv));
    mdm_ctx_clear(st->ctx);
    *value = nothing;
    return APR_SUCCESS;
}

/* Those of at most MDM_ROW_CHUNK names, into the hash. @param generation of the last one; may be NULL */
static apr_status_t read_values(apr_hash_t *values, apr_array_header_t *closed, int *generation, mdm_store_t *st,
                                const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_SECRET_VALUES, args);
    int r;

    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++) {
        mdm_bytes_t *value = apr_palloc(st->ctx->pool, sizeof(*value));
        const char *name = MDM_ROW(rows, r, 0);
        int number = (int)mdm_row_number(rows, r, 1);

        if (generation)
            *generation = number;
        rv = open_value(value, closed, st, MDM_ROW(rows, r, 2), name, number);
        apr_hash_set(values, name, APR_HASH_KEY_STRING, value);
    }
    return rv;
}

apr_status_t mdm_store_secret_values(apr_hash_t **out, apr_array_header_t **closed, mdm_store_t *st,
                                     const char *const *names, int count)
{
    const char *args[MDM_ROW_CHUNK];
    apr_status_t rv = APR_SUCCESS;
    int done, n;

    *out = apr_hash_make(st->ctx->pool);
    *closed = apr_array_make(st->ctx->pool, 1, sizeof(mdm_unreadable_t));
    for (done = 0; rv == APR_SUCCESS && done < count; done += n) {
        n = count - done < MDM_ROW_CHUNK ? count - done : MDM_ROW_CHUNK;
        mdm_row_chunk(args, names + done, n);
        rv = read_values(*out, *closed, NULL, st, args);
    }
    return rv;
}

apr_status_t mdm_store_secret_value(mdm_bytes_t *value, int *generation, mdm_store_t *st, const char *name)
{
    apr_hash_t *values = apr_hash_make(st->ctx->pool);
    const char *args[MDM_ROW_CHUNK];
    const mdm_bytes_t *found;
    apr_status_t rv;

    mdm_row_chunk(args, &name, 1);
    if ((rv = read_values(values, NULL, generation, st, args)) != APR_SUCCESS)
        return rv;
    if (!(found = apr_hash_get(values, name, APR_HASH_KEY_STRING)))
        return none(st, name);
    *value = *found;
    return APR_SUCCESS;
}

apr_status_t mdm_store_secret_hold(int *held, mdm_store_t *st, const char *const *names, int count)
{
    const char *args[MDM_ROW_CHUNK];
    apr_status_t rv = APR_SUCCESS;
    int done, n, some;

    *held = 0;
    for (done = 0; rv == APR_SUCCESS && done < count; done += n) {
        n = count - done < MDM_ROW_CHUNK ? count - done : MDM_ROW_CHUNK;
        mdm_row_chunk(args, names + done, n);
        rv = mdm_db_exec(&some, st->db, STMT_SECRET_HOLD, args);
        *held += rv == APR_SUCCESS ? some : 0;
    }
    return rv;
}

apr_status_t mdm_store_secret_put(int *generation, mdm_store_t *st, const char *name, mdm_bytes_t value,
                                  const char *created_by)
{
    const char *retire[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)), name };
    const char *insert[] = { name, NULL, NULL, created_by, retire[0] };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_SECRET_LAST, &name);

    if (rv != APR_SUCCESS)
        return rv;
    *generation = rows->count ? (int)mdm_row_number(rows, 0, 0) + 1 : 1;
    insert[1] = mdm_row_text(st, *generation);
    rv = mdm_row_seal(&insert[2], st, value, COLUMN, row_name(st, name, *generation));
    if (rv == APR_SUCCESS)
        rv = mdm_db_exec(NULL, st->db, STMT_SECRET_RETIRE, retire);
    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_SECRET_INSERT, insert) : rv;
}

apr_status_t mdm_store_secret_delete(mdm_store_t *st, const char *name)
{
    apr_status_t rv = mdm_row_change(st, STMT_SECRET_DELETE, &name);

    return rv == MDM_ENOTFOUND ? none(st, name) : rv;
}

apr_status_t mdm_store_secret_uses(apr_array_header_t **out, mdm_store_t *st, const char *name)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_SECRET_USES, &name);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_secret_use_t));
    for (r = 0; r < rows->count; r++) {
        mdm_secret_use_t *use = apr_array_push(*out);

        use->profile = mdm_row_number(rows, r, 0);
        use->name = MDM_ROW(rows, r, 1);
        use->version = (int)mdm_row_number(rows, r, 2);
        use->current = use->version == (int)mdm_row_number(rows, r, 3);
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_secret_enrollments(int *count, mdm_store_t *st, const char *name)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_SECRET_ENROLLMENTS, &name);

    *count = rv == APR_SUCCESS && rows->count ? (int)mdm_row_number(rows, 0, 0) : 0;
    return rv;
}
