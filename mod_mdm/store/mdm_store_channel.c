/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices and user channels leave beside their push tokens. Called by the check-in in any thread. The bootstrap
 * token unlocks a Mac's disk: it is sealed like the unlock token, and leaves only to the device that brought it.
 */
#include "mdm_store_channel.h"
#include "mdm_store_row.h"

#define BOOTSTRAP "mdm_enrollment.bootstrap_token"

apr_status_t mdm_store_bootstrap_token_set(mdm_store_t *st, apr_int64_t id, mdm_bytes_t token)
{
    const char *args[] = { NULL, mdm_row_text(st, id) };
    apr_status_t rv = token.len ? mdm_row_seal(&args[0], st, token, BOOTSTRAP, args[1]) : APR_SUCCESS;

    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_BOOTSTRAP_TOKEN_SET, args) : rv;
}

apr_status_t mdm_store_bootstrap_token_get(mdm_bytes_t *token, mdm_store_t *st, apr_int64_t id)
{
    const char *row = mdm_row_text(st, id);
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_BOOTSTRAP_TOKEN_GET, &row);

    return rv == APR_SUCCESS ? mdm_row_unseal(token, st, rows->count ? MDM_ROW(rows, 0, 0) : NULL, BOOTSTRAP, row)
                             : rv;
}

apr_status_t mdm_store_auth_token_set(mdm_store_t *st, apr_int64_t id, const char *sha256)
{
    const char *args[] = { sha256, mdm_row_text(st, id) };

    return mdm_db_exec(NULL, st->db, STMT_AUTH_TOKEN_SET, args);
}

apr_status_t mdm_store_awaiting_configuration_set(mdm_store_t *st, apr_int64_t id, int awaiting)
{
    const char *args[] = { awaiting ? "1" : "0", mdm_row_text(st, id) };

    return mdm_db_exec(NULL, st->db, STMT_AWAITING_CONFIGURATION_SET, args);
}
