/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets of devices. Opened only for the one who may have them: the caller writes the audit trail. Called in any
 * thread; never logs a value.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_store_escrow.h"
#include "mdm_store_row.h"

#define VALUE "mdm_escrow.value"

static const char *row_of(mdm_store_t *st, const char *enrollment, const char *kind)
{
    return apr_pstrcat(st->ctx->pool, enrollment, ":", kind, NULL);
}

/* NULL when there is none. */
static apr_status_t find(mdm_escrow_t **out, mdm_store_t *st, const char *const *args)
{
    mdm_escrow_t *e = apr_pcalloc(st->ctx->pool, sizeof(*e));
    mdm_bytes_t value;
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_ESCROW_GET, args);

    *out = NULL;
    if (rv != APR_SUCCESS || !rows->count)
        return rv;
    rv = mdm_row_unseal(&value, st, MDM_ROW(rows, 0, 0), VALUE, row_of(st, args[0], args[1]));
    if (rv != APR_SUCCESS)
        return rv;
    e->kind = args[1];
    e->value = (const char *)value.data;
    e->stored_at = mdm_row_number(rows, 0, 1);
    *out = e;
    return APR_SUCCESS;
}

apr_status_t mdm_store_escrow_put(int *changed, mdm_store_t *st, apr_int64_t enrollment, const char *kind,
                                  const char *value)
{
    const char *args[] = { mdm_row_text(st, enrollment), kind, NULL, mdm_row_text(st, mdm_ctx_now(st->ctx)) };
    mdm_escrow_t *kept;
    apr_status_t rv = find(&kept, st, args);

    if (rv == MDM_ECRYPTO) {
        /* sealed with a key that is gone: the new value replaces what nobody can read */
        mdm_ctx_clear(st->ctx);
        kept = NULL;
        rv = APR_SUCCESS;
    }
    *changed = rv == APR_SUCCESS && !(kept && mdm_equal(kept->value, value));
    if (!*changed)
        return rv;
    rv = mdm_row_seal(&args[2], st, mdm_bytes_of(value), VALUE, row_of(st, args[0], kind));
    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_ESCROW_PUT, args) : rv;
}

apr_status_t mdm_store_escrow_get(mdm_escrow_t **out, mdm_store_t *st, apr_int64_t enrollment, const char *kind)
{
    const char *args[] = { mdm_row_text(st, enrollment), kind };
    apr_status_t rv = find(out, st, args);

    return rv == APR_SUCCESS && !*out ? mdm_fail(st->ctx, MDM_ENOTFOUND, "no %s is kept for this enrollment", kind)
                                      : rv;
}

apr_status_t mdm_store_escrow_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_ESCROW_LIST, &id);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_escrow_t));
    for (r = 0; r < rows->count; r++) {
        mdm_escrow_t e = { MDM_ROW(rows, r, 0), NULL, mdm_row_number(rows, r, 1) };

        APR_ARRAY_PUSH(*out, mdm_escrow_t) = e;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_store_unlock_token(mdm_bytes_t *token, mdm_store_t *st, apr_int64_t enrollment)
{
    const char *id = mdm_row_text(st, enrollment);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_UNLOCK_TOKEN, &id);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count || !MDM_ROW(rows, 0, 0))
        return MDM_ENOTFOUND;
    return mdm_row_unseal(token, st, MDM_ROW(rows, 0, 0), "mdm_enrollment.unlock_token", id);
}
