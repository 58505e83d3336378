/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does not open. Called by the fan-out, the delivery and the status page, any thread.
 */
#include <string.h>

#include "mdm_store_row.h"
#include "mdm_store_unreadable.h"

#define SECRET 1                  /* of STMT_UNREADABLE */

apr_status_t mdm_store_unreadable_note(int *first, mdm_store_t *st, const mdm_unreadable_t *one)
{
    const char *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)),
                           one->secret ? one->secret : mdm_row_text(st, one->profile), mdm_row_text(st, one->number) };

    return mdm_db_exec(first, st->db, one->secret ? STMT_SECRET_UNREADABLE : STMT_PROFILE_VERSION_UNREADABLE, args);
}

apr_status_t mdm_store_unreadable_forget(mdm_store_t *st, const mdm_unreadable_t *one)
{
    const char *args[] = { one->secret ? one->secret : mdm_row_text(st, one->profile), mdm_row_text(st, one->number) };

    return mdm_row_change(st, one->secret ? STMT_SECRET_READABLE : STMT_PROFILE_VERSION_READABLE, args);
}

apr_status_t mdm_store_unreadable_list(apr_array_header_t **out, mdm_store_t *st, int limit)
{
    const char *args[] = { mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_UNREADABLE, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_unreadable_t));
    for (r = 0; r < rows->count; r++) {
        mdm_unreadable_t *one = apr_array_push(*out);

        memset(one, 0, sizeof(*one));
        if (mdm_row_number(rows, r, 0) == SECRET)
            one->secret = MDM_ROW(rows, r, 1);
        else
            one->name = MDM_ROW(rows, r, 1);
        one->profile = mdm_row_number(rows, r, 2);
        one->number = (int)mdm_row_number(rows, r, 3);
    }
    return APR_SUCCESS;
}
