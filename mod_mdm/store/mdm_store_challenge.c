/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-time challenges by their hash. Made at enrollment or by mdmctl, used up by SCEP; the text of a
 * challenge never comes here.
 */
#include <apr_strings.h>

#include "mdm_store_certificate.h"
#include "mdm_store_row.h"

apr_status_t mdm_store_challenge_insert(mdm_store_t *st, const mdm_challenge_t *c)
{
    const char *args[] = {
        c->sha256, c->kind, c->user, c->common_name, mdm_row_text(st, c->created_at),
        mdm_row_text(st, c->expires_at), mdm_row_text(st, c->used_at), mdm_row_text(st, c->invitation),
        mdm_row_text(st, c->session), mdm_row_text(st, c->enrollment)
    };

    return mdm_db_exec(NULL, st->db, STMT_CHALLENGE_INSERT, args);
}

apr_status_t mdm_store_challenge_get(mdm_challenge_t **out, mdm_store_t *st, const char *sha256)
{
    mdm_challenge_t *c = apr_pcalloc(st->ctx->pool, sizeof(*c));
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_CHALLENGE_GET, &sha256);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "no such challenge");
    c->sha256 = MDM_ROW(rows, 0, 0);
    c->kind = MDM_ROW(rows, 0, 1);
    c->user = MDM_ROW(rows, 0, 2);
    c->common_name = MDM_ROW(rows, 0, 3);
    c->created_at = mdm_row_number(rows, 0, 4);
    c->expires_at = mdm_row_number(rows, 0, 5);
    c->used_at = mdm_row_number(rows, 0, 6);
    c->invitation = mdm_row_number(rows, 0, 7);
    c->session = mdm_row_number(rows, 0, 8);
    c->enrollment = mdm_row_number(rows, 0, 9);
    *out = c;
    return APR_SUCCESS;
}

apr_status_t mdm_store_challenge_use(mdm_challenge_t **out, mdm_store_t *st, const char *kind,
                                     const char *sha256, const char *common_name)
{
    const char *now = mdm_row_text(st, mdm_ctx_now(st->ctx));
    const char *args[] = { now, sha256, kind, now, common_name };
    apr_status_t rv = mdm_row_change(st, STMT_CHALLENGE_USE, args);

    if (rv == MDM_ENOTFOUND)
        return mdm_fail(st->ctx, MDM_EDENIED,
                        "the challenge is unknown, used, expired or for another common name");
    return rv == APR_SUCCESS ? mdm_store_challenge_get(out, st, sha256) : rv;
}

apr_status_t mdm_store_challenge_prune(mdm_store_t *st, apr_time_t before)
{
    const char *args[] = { mdm_row_text(st, before) };

    return mdm_db_exec(NULL, st->db, STMT_CHALLENGE_PRUNE, args);
}
