/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invitations by the hash of their token. Made and revoked by the API and mdmctl, used by the enrollment
 * pages in any thread; a token itself never comes here.
 */
#include <apr_strings.h>

#include "mdm_store_invitation.h"
#include "mdm_store_row.h"

apr_status_t mdm_store_invitation_insert(mdm_store_t *st, const mdm_invitation_t *i)
{
    const char *args[] = {
        mdm_row_text(st, i->id), i->sha256, i->created_by, i->user, i->serial_number,
        mdm_row_text(st, i->uses_left), mdm_row_text(st, i->uses), mdm_row_text(st, i->created_at),
        mdm_row_text(st, i->expires_at), mdm_row_text(st, i->revoked_at)
    };

    return mdm_db_exec(NULL, st->db, STMT_INVITATION_INSERT, args);
}

static mdm_invitation_t *read_row(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_invitation_t *i = apr_pcalloc(st->ctx->pool, sizeof(*i));

    i->id = mdm_row_number(rows, r, 0);
    i->sha256 = MDM_ROW(rows, r, 1);
    i->created_by = MDM_ROW(rows, r, 2);
    i->user = MDM_ROW(rows, r, 3);
    i->serial_number = MDM_ROW(rows, r, 4);
    i->uses_left = (int)mdm_row_number(rows, r, 5);
    i->uses = (int)mdm_row_number(rows, r, 6);
    i->created_at = mdm_row_number(rows, r, 7);
    i->expires_at = mdm_row_number(rows, r, 8);
    i->revoked_at = mdm_row_number(rows, r, 9);
    return i;
}

static apr_status_t get_one(mdm_invitation_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *arg)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, &arg);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no such invitation");
    *out = read_row(st, rows, 0);
    return APR_SUCCESS;
}

apr_status_t mdm_store_invitation_get(mdm_invitation_t **out, mdm_store_t *st, apr_int64_t id)
{
    return get_one(out, st, STMT_INVITATION_GET, mdm_row_text(st, id));
}

apr_status_t mdm_store_invitation_by_sha256(mdm_invitation_t **out, mdm_store_t *st, const char *sha256)
{
    return get_one(out, st, STMT_INVITATION_BY_SHA256, sha256);
}

apr_status_t mdm_store_invitation_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t cursor,
                                       int limit)
{
    const char *args[] = { mdm_row_text(st, cursor ? cursor : APR_INT64_MAX), mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_INVITATION_LIST, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_invitation_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_invitation_t *) = read_row(st, rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_invitation_use(mdm_store_t *st, apr_int64_t id)
{
    const char *args[] = { mdm_row_text(st, id), mdm_row_text(st, mdm_ctx_now(st->ctx)) };
    apr_status_t rv = mdm_row_change(st, STMT_INVITATION_USE, args);

    return rv == MDM_ENOTFOUND ? MDM_EGONE : rv;
}

apr_status_t mdm_store_invitation_revoke(mdm_store_t *st, apr_int64_t id)
{
    const char *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, id) };

    return mdm_row_change(st, STMT_INVITATION_REVOKE, args);
}
