/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kept CRLs by their issuer. A row's lock is what makes nodes take turns: whoever makes a CRL claims it
 * first, whoever revokes marks it last. Any thread.
 */
#include <apr_strings.h>

#include "mdm_store_crl.h"
#include "mdm_store_row.h"

/* An issuer that no CA is: its row is there before and after all others. */
#define NOBODY ""

apr_status_t mdm_store_crl_get(mdm_crl_row_t **out, mdm_store_t *st, const char *issuer)
{
    mdm_crl_row_t *crl = apr_pcalloc(st->ctx->pool, sizeof(*crl));
    mdm_rows_t *rows;
    const char *der;
    apr_status_t rv = mdm_db_select(&rows, st->db, STMT_CRL_GET, &issuer);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return MDM_ENOTFOUND;
    crl->issuer = MDM_ROW(rows, 0, 0);
    crl->number = mdm_row_number(rows, 0, 1);
    crl->stale = (int)mdm_row_number(rows, 0, 2);
    crl->this_update = mdm_row_number(rows, 0, 3);
    crl->next_update = mdm_row_number(rows, 0, 4);
    der = MDM_ROW(rows, 0, 5);
    *out = crl;
    return der && *der ? mdm_base64_decode(&crl->der, der, strlen(der), st->ctx->pool) : APR_SUCCESS;
}

apr_status_t mdm_store_crl_open(mdm_store_t *st, const char *issuer)
{
    const char *nobody[] = { NOBODY, "0" };
    apr_status_t rv = mdm_db_exec(NULL, st->db, STMT_CRL_OPEN, nobody);

    if (rv == APR_SUCCESS)
        rv = mdm_db_exec(NULL, st->db, STMT_CRL_CLAIM, nobody);
    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_CRL_OPEN, &issuer) : rv;
}

apr_status_t mdm_store_crl_claim(mdm_store_t *st, const char *issuer, apr_int64_t number)
{
    const char *args[] = { issuer, mdm_row_text(st, number) };
    apr_status_t rv = mdm_row_change(st, STMT_CRL_CLAIM, args);

    return rv == MDM_ENOTFOUND ? MDM_EEXIST : rv;
}

apr_status_t mdm_store_crl_put(mdm_store_t *st, const mdm_crl_row_t *crl)
{
    const char *args[] = {
        mdm_row_text(st, crl->number), mdm_row_text(st, crl->this_update), mdm_row_text(st, crl->next_update),
        mdm_base64_encode(crl->der, st->ctx->pool), crl->issuer
    };

    return mdm_db_exec(NULL, st->db, STMT_CRL_PUT, args);
}

/* Without any row, the first CRL may be in the making: then its maker's row of nobody is what to wait for. */
apr_status_t mdm_store_crl_stale(mdm_store_t *st)
{
    const char *nobody = NOBODY;
    int rows = 0;
    apr_status_t rv = mdm_db_exec(&rows, st->db, STMT_CRL_STALE, NULL);

    if (rv != APR_SUCCESS || rows)
        return rv;
    rv = mdm_db_exec(NULL, st->db, STMT_CRL_OPEN, &nobody);
    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_CRL_STALE, NULL) : rv;
}

apr_status_t mdm_store_crl_entries(apr_array_header_t **out, mdm_store_t *st, const char *issuer,
                                   apr_time_t not_after)
{
    const char *args[] = { issuer, mdm_row_text(st, not_after) };
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, issuer ? STMT_CRL_ENTRIES : STMT_CRL_ENTRIES_UNNAMED,
                                    issuer ? args : args + 1);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_revoked_t));
    for (r = 0; r < rows->count; r++) {
        mdm_revoked_t *revoked = &APR_ARRAY_PUSH(*out, mdm_revoked_t);

        revoked->serial = MDM_ROW(rows, r, 0);
        revoked->at = mdm_row_number(rows, r, 1);
        revoked->reason = MDM_ROW(rows, r, 2);
    }
    return APR_SUCCESS;
}
