/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small change between records and rows. Called by the files of the store, in any thread; keeps nothing.
 */
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_store_row.h"

const char *mdm_row_text(mdm_store_t *st, apr_int64_t number)
{
    return apr_psprintf(st->ctx->pool, "%" APR_INT64_T_FMT, number);
}

apr_int64_t mdm_row_number(const mdm_rows_t *rows, int r, int c)
{
    const char *text = MDM_ROW(rows, r, c);

    return text ? apr_atoi64(text) : 0;
}

apr_status_t mdm_row_seal(const char **sealed, mdm_store_t *st, mdm_bytes_t plain, const char *column,
                          const char *row)
{
    if (!st->seal)
        return mdm_fail(st->ctx, MDM_ECONFIG, "%s needs the sealing key", column);
    return mdm_seal(sealed, st->ctx, st->seal, plain, apr_pstrcat(st->ctx->pool, column, ":", row, NULL));
}

apr_status_t mdm_row_unseal(mdm_bytes_t *plain, mdm_store_t *st, const char *sealed, const char *column,
                            const char *row)
{
    plain->data = NULL;
    plain->len = 0;
    if (!sealed)
        return APR_SUCCESS;
    if (!st->seal)
        return mdm_fail(st->ctx, MDM_ECONFIG, "%s needs the sealing key", column);
    return mdm_unseal(plain, st->ctx, st->seal, sealed, apr_pstrcat(st->ctx->pool, column, ":", row, NULL));
}

apr_status_t mdm_row_change(mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    int affected = 0;
    apr_status_t rv = mdm_db_exec(&affected, st->db, stmt, args);

    return rv == APR_SUCCESS && !affected ? MDM_ENOTFOUND : rv;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void mdm_row_names(mdm_row_names_t *out, mdm_store_t *st, const char *const *names, int count)
{
    const char *reported = NULL;
    int i;

    out->names = apr_palloc(st->ctx->pool, sizeof(*names) * (apr_size_t)(count + 1));
    if (count)
        memcpy(out->names, names, sizeof(*names) * (apr_size_t)count);
    out->twice = apr_array_make(st->ctx->pool, 1, sizeof(const char *));
    out->count = 0;
    qsort(out->names, (size_t)count, sizeof(*names), compare_names);
    for (i = 0; i < count; i++) {
        const char *last = out->count ? out->names[out->count - 1] : NULL;

        if (!last || strcmp(out->names[i], last))
            out->names[out->count++] = out->names[i];
        else if (last != reported) {
            APR_ARRAY_PUSH(out->twice, const char *) = last;
            reported = last;
        }
    }
}

void mdm_row_chunk(const char **args, const char *const *names, int count)
{
    int i;

    for (i = 0; i < MDM_ROW_CHUNK; i++)
        args[i] = i < count ? names[i] : NULL;
}
