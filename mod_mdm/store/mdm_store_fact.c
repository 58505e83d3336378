/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts and items. Rows that change are deleted and written anew, many per statement, in the order of their names,
 * so that two answers of one device wait for each other instead of locking each other out. Called in the
 * transaction of a device's answer and by the API, any thread; decides nothing about what a fact is.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_store_fact.h"
#include "mdm_store_row.h"

/* Rows per statement, as sql/queries.sql has them. */
#define FACT_ROWS 15
#define FACT_COLUMNS 5
#define ITEM_ROWS 10
#define ITEM_COLUMNS 7

static apr_status_t open_command(const char **command, mdm_store_t *st, const char *sealed, const char *id)
{
    mdm_bytes_t body;
    apr_status_t rv = mdm_row_unseal(&body, st, sealed, "mdm_command.body", id);

    if (rv == APR_SUCCESS)
        *command = (const char *)body.data;
    return rv;
}

apr_status_t mdm_store_facts_known(apr_array_header_t **out, const char **command, mdm_store_t *st,
                                   apr_int64_t enrollment, const char *source, apr_int64_t command_id)
{
    const char *args[] = { mdm_row_text(st, command_id), mdm_row_text(st, enrollment), source };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FACT_KNOWN, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *command = NULL;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_fact_t));
    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++) {
        mdm_fact_t *fact;

        if (!MDM_ROW(rows, r, 0)) {
            rv = open_command(command, st, MDM_ROW(rows, r, 1), args[0]);
            continue;
        }
        fact = apr_array_push(*out);
        memset(fact, 0, sizeof(*fact));
        fact->name = MDM_ROW(rows, r, 0);
        fact->value = MDM_ROW(rows, r, 1);
    }
    return rv;
}

apr_status_t mdm_store_items_known(apr_array_header_t **out, const char **command, mdm_store_t *st,
                                   apr_int64_t enrollment, const char *kind, apr_int64_t command_id)
{
    const char *args[] = { mdm_row_text(st, command_id), mdm_row_text(st, enrollment), kind };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_ITEM_KNOWN, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *command = NULL;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_item_t));
    for (r = 0; rv == APR_SUCCESS && r < rows->count; r++) {
        mdm_item_t *item;

        if (!MDM_ROW(rows, r, 0)) {
            rv = open_command(command, st, MDM_ROW(rows, r, 1), args[0]);
            continue;
        }
        item = apr_array_push(*out);
        memset(item, 0, sizeof(*item));
        item->identifier = MDM_ROW(rows, r, 0);
        item->name = MDM_ROW(rows, r, 1);
        item->version = MDM_ROW(rows, r, 2);
        item->detail = MDM_ROW(rows, r, 3);
    }
    return rv;
}

/* Values on their way into statements of many rows. */
typedef struct {
    mdm_store_t *st;
    mdm_stmt_e stmt;
    const char *args[FACT_ROWS * FACT_COLUMNS];
    int rows, columns, filled;
} batch_t;

static apr_status_t flush(batch_t *b)
{
    int i;

    if (!b->filled)
        return APR_SUCCESS;
    for (i = b->filled * b->columns; i < b->rows * b->columns; i++)
        b->args[i] = b->args[i - b->columns];
    b->filled = 0;
    return mdm_db_exec(NULL, b->st->db, b->stmt, b->args);
}

static apr_status_t add(batch_t *b, const char *const *row)
{
    memcpy(b->args + b->filled * b->columns, row, sizeof(*row) * (apr_size_t)b->columns);
    return ++b->filled == b->rows ? flush(b) : APR_SUCCESS;
}

static apr_status_t delete_named(mdm_store_t *st, mdm_stmt_e stmt, const char **args, int head,
                                 const apr_array_header_t *names)
{
    apr_status_t rv = APR_SUCCESS;
    int done, n;

    for (done = 0; rv == APR_SUCCESS && done < names->nelts; done += n) {
        n = names->nelts - done < MDM_ROW_CHUNK ? names->nelts - done : MDM_ROW_CHUNK;
        mdm_row_chunk(args + head, (const char *const *)names->elts + done, n);
        rv = mdm_db_exec(NULL, st->db, stmt, args);
    }
    return rv;
}

static int compare_facts(const void *a, const void *b)
{
    return strcmp(((const mdm_fact_t *)a)->name, ((const mdm_fact_t *)b)->name);
}

static apr_status_t log_changes(mdm_store_t *st, const char *enrollment, const char *now,
                                const apr_array_header_t *changes)
{
    batch_t log = { st, STMT_FACT_LOG, { NULL }, FACT_ROWS, FACT_COLUMNS, 0 };
    apr_status_t rv = APR_SUCCESS;
    int i;

    for (i = 0; rv == APR_SUCCESS && i < changes->nelts; i++) {
        const mdm_fact_t *fact = &APR_ARRAY_IDX(changes, i, mdm_fact_t);
        const char *row[] = { NULL, enrollment, fact->name, fact->value, now };

        if (fact->unlogged)
            continue;
        row[0] = mdm_row_text(st, mdm_id_next());
        rv = add(&log, row);
    }
    return rv == APR_SUCCESS ? flush(&log) : rv;
}

apr_status_t mdm_store_facts_change(mdm_store_t *st, apr_int64_t enrollment, const char *source,
                                    const apr_array_header_t *changes)
{
    const char *id = mdm_row_text(st, enrollment), *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    apr_array_header_t *sorted = apr_array_copy(st->ctx->pool, changes);
    apr_array_header_t *names = apr_array_make(st->ctx->pool, changes->nelts, sizeof(const char *));
    batch_t facts = { st, STMT_FACT_INSERT, { NULL }, FACT_ROWS, FACT_COLUMNS, 0 };
    const char *args[1 + MDM_ROW_CHUNK] = { id };
    apr_status_t rv;
    int i;

    qsort(sorted->elts, (size_t)sorted->nelts, sizeof(mdm_fact_t), compare_facts);
    for (i = 0; i < sorted->nelts; i++)
        APR_ARRAY_PUSH(names, const char *) = APR_ARRAY_IDX(sorted, i, mdm_fact_t).name;
    rv = delete_named(st, STMT_FACT_DELETE, args, 1, names);
    for (i = 0; rv == APR_SUCCESS && i < sorted->nelts; i++) {
        const mdm_fact_t *fact = &APR_ARRAY_IDX(sorted, i, mdm_fact_t);
        const char *row[] = { id, fact->name, fact->value, source, now };

        if (fact->value)
            rv = add(&facts, row);
    }
    if (rv == APR_SUCCESS)
        rv = flush(&facts);
    return rv == APR_SUCCESS ? log_changes(st, id, now, sorted) : rv;
}

static int compare_items(const void *a, const void *b)
{
    return strcmp(((const mdm_item_t *)a)->identifier, ((const mdm_item_t *)b)->identifier);
}

apr_status_t mdm_store_items_change(mdm_store_t *st, apr_int64_t enrollment, const char *kind,
                                    const apr_array_header_t *changes)
{
    const char *id = mdm_row_text(st, enrollment), *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    apr_array_header_t *sorted = apr_array_copy(st->ctx->pool, changes);
    apr_array_header_t *names = apr_array_make(st->ctx->pool, changes->nelts, sizeof(const char *));
    batch_t items = { st, STMT_ITEM_INSERT, { NULL }, ITEM_ROWS, ITEM_COLUMNS, 0 };
    const char *args[2 + MDM_ROW_CHUNK] = { id, kind };
    apr_status_t rv;
    int i;

    qsort(sorted->elts, (size_t)sorted->nelts, sizeof(mdm_item_t), compare_items);
    for (i = 0; i < sorted->nelts; i++) {
        if (!APR_ARRAY_IDX(sorted, i, mdm_item_t).is_new)
            APR_ARRAY_PUSH(names, const char *) = APR_ARRAY_IDX(sorted, i, mdm_item_t).identifier;
    }
    rv = delete_named(st, STMT_ITEM_DELETE, args, 2, names);
    for (i = 0; rv == APR_SUCCESS && i < sorted->nelts; i++) {
        const mdm_item_t *item = &APR_ARRAY_IDX(sorted, i, mdm_item_t);
        const char *row[] = { id, kind, item->identifier, item->name, item->version, item->detail, now };

        if (item->detail)
            rv = add(&items, row);
    }
    return rv == APR_SUCCESS ? flush(&items) : rv;
}

apr_status_t mdm_store_facts_seen(mdm_store_t *st, apr_int64_t enrollment, const char *source)
{
    const char *args[] = { mdm_row_text(st, enrollment), source, mdm_row_text(st, mdm_ctx_now(st->ctx)) };

    return mdm_db_exec(NULL, st->db, STMT_FACT_SEEN, args);
}

apr_status_t mdm_store_facts_columns(mdm_store_t *st, apr_int64_t enrollment, const mdm_fact_columns_t *c)
{
    const char *args[] = { c->device_name, c->product_name, c->model, c->model_name, c->os_version, c->build_version,
                           c->imei, c->serial_number, mdm_row_text(st, enrollment) };

    return mdm_db_exec(NULL, st->db, STMT_FACT_COLUMNS, args);
}

apr_status_t mdm_store_facts_forget_source(mdm_store_t *st, apr_int64_t enrollment, const char *source)
{
    const char *args[] = { mdm_row_text(st, enrollment), source };

    return mdm_db_exec(NULL, st->db, STMT_FACT_FORGET_SOURCE, args);
}

apr_status_t mdm_store_facts_forget(mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment), *args[] = { id, id };
    apr_status_t rv = mdm_db_exec(NULL, st->db, STMT_FACT_FORGET, args);

    if (rv == APR_SUCCESS)
        rv = mdm_db_exec(NULL, st->db, STMT_ITEM_FORGET, args);
    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_FACT_FORGET_SEEN, args) : rv;
}

apr_status_t mdm_store_facts_prune(int *pruned, mdm_store_t *st, apr_time_t before, int limit)
{
    const char *args[] = { "0", mdm_row_text(st, limit), mdm_row_text(st, before) };

    return mdm_db_exec(pruned, st->db, STMT_FACT_PRUNE, args);
}

apr_status_t mdm_store_facts_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t enrollment,
                                  const char *cursor, int limit)
{
    const char *args[] = { mdm_row_text(st, enrollment), cursor ? cursor : "", mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FACT_LIST, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_fact_t));
    for (r = 0; r < rows->count; r++) {
        mdm_fact_t fact = { MDM_ROW(rows, r, 0), MDM_ROW(rows, r, 1), MDM_ROW(rows, r, 2),
                            mdm_row_number(rows, r, 3), 0 };

        APR_ARRAY_PUSH(*out, mdm_fact_t) = fact;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_fact_get(mdm_fact_t **out, mdm_store_t *st, apr_int64_t enrollment, const char *name)
{
    const char *args[] = { mdm_row_text(st, enrollment), name };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FACT_GET, args);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return MDM_ENOTFOUND;
    *out = apr_pcalloc(st->ctx->pool, sizeof(**out));
    (*out)->name = name;
    (*out)->value = MDM_ROW(rows, 0, 0);
    (*out)->source = MDM_ROW(rows, 0, 1);
    (*out)->changed_at = mdm_row_number(rows, 0, 2);
    return APR_SUCCESS;
}

apr_status_t mdm_store_facts_sources(apr_array_header_t **out, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FACT_SOURCES, &id);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_fact_t));
    for (r = 0; r < rows->count; r++) {
        mdm_fact_t fact = { NULL, NULL, MDM_ROW(rows, r, 0), mdm_row_number(rows, r, 1), 0 };

        APR_ARRAY_PUSH(*out, mdm_fact_t) = fact;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_facts_history(apr_array_header_t **out, apr_int64_t *last, mdm_store_t *st,
                                     apr_int64_t enrollment, const char *name, apr_int64_t before, int limit)
{
    const char *args[] = { mdm_row_text(st, enrollment), name, mdm_row_text(st, before > 0 ? before : APR_INT64_MAX),
                           mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_FACT_HISTORY, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_fact_t));
    for (r = 0; r < rows->count; r++) {
        mdm_fact_t fact = { name, MDM_ROW(rows, r, 1), NULL, mdm_row_number(rows, r, 2), 0 };

        APR_ARRAY_PUSH(*out, mdm_fact_t) = fact;
    }
    *last = rows->count ? mdm_row_number(rows, rows->count - 1, 0) : 0;
    return APR_SUCCESS;
}

apr_status_t mdm_store_items_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t enrollment,
                                  const char *kind, const char *cursor, int limit)
{
    const char *args[] = { mdm_row_text(st, enrollment), kind, cursor ? cursor : "", mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_ITEM_LIST, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_item_t));
    for (r = 0; r < rows->count; r++) {
        mdm_item_t item = { MDM_ROW(rows, r, 0), MDM_ROW(rows, r, 1), MDM_ROW(rows, r, 2), MDM_ROW(rows, r, 3),
                            mdm_row_number(rows, r, 4), 0 };

        APR_ARRAY_PUSH(*out, mdm_item_t) = item;
    }
    return APR_SUCCESS;
}
