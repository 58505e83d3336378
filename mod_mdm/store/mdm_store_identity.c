/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who shows a certificate, for requests that are no messages of MDM; and the first identity of an enrollment.
 */
#include "mdm_store_identity.h"
#include "mdm_store_row.h"

apr_status_t mdm_store_identity(mdm_identity_row_t **out, mdm_store_t *st, const char *fingerprint)
{
    mdm_identity_row_t *row = apr_pcalloc(st->ctx->pool, sizeof(*row));
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_IDENTITY, &fingerprint);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "the certificate is not known");
    row->not_after = mdm_row_number(rows, 0, 0);
    row->revoked_at = mdm_row_number(rows, 0, 1);
    row->replaced_by = MDM_ROW(rows, 0, 2);
    row->enrollment_id = MDM_ROW(rows, 0, 3);
    row->state = (mdm_state_e)mdm_row_number(rows, 0, 4);
    *out = row;
    return APR_SUCCESS;
}

apr_status_t mdm_store_identity_associate(mdm_store_t *st, apr_int64_t enrollment, const char *fingerprint)
{
    const char *args[] = { fingerprint, mdm_row_text(st, enrollment) };

    return mdm_row_change(st, STMT_IDENTITY_ASSOCIATE, args);
}
