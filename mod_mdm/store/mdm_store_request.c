/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP requests that wait for an administrator. Called by SCEP, the API and mdmctl, any thread; rows stay
 * until the same key asks anew. The request itself is sealed: the challenge is in it.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_store_request.h"
#include "mdm_store_row.h"

#define COLUMN_CSR "mdm_request.csr"

static const char *const names[] = { "unset", "pending", "approved", "denied", "issued" };

#define NAMES ((int)(sizeof(names) / sizeof(names[0])))

const char *mdm_request_state_name(mdm_request_state_e state)
{
    return (int)state > 0 && (int)state < NAMES ? names[state] : names[0];
}

mdm_request_state_e mdm_request_state_of(const char *name)
{
    int i;

    for (i = 1; name && i < NAMES; i++) {
        if (!strcmp(names[i], name))
            return (mdm_request_state_e)i;
    }
    return MDM_REQUEST_UNSET;
}

static mdm_request_t *from_row(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_request_t *request = apr_pcalloc(st->ctx->pool, sizeof(*request));

    request->id = mdm_row_number(rows, r, 0);
    request->transaction_id = MDM_ROW(rows, r, 1);
    request->key_sha256 = MDM_ROW(rows, r, 2);
    request->state = (mdm_request_state_e)mdm_row_number(rows, r, 3);
    request->subject = MDM_ROW(rows, r, 4);
    request->request_sha256 = MDM_ROW(rows, r, 5);
    request->user = MDM_ROW(rows, r, 6);
    request->challenge = MDM_ROW(rows, r, 7);
    request->session = mdm_row_number(rows, r, 8);
    request->enrollment = mdm_row_number(rows, r, 9);
    request->certificate = MDM_ROW(rows, r, 10);
    request->source_ip = MDM_ROW(rows, r, 11);
    request->created_at = mdm_row_number(rows, r, 12);
    request->decided_at = mdm_row_number(rows, r, 13);
    request->decided_by = MDM_ROW(rows, r, 14);
    return request;
}

static apr_status_t get(mdm_request_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    mdm_bytes_t csr;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "there is no such request");
    *out = from_row(st, rows, 0);
    rv = mdm_row_unseal(&csr, st, MDM_ROW(rows, 0, 15), COLUMN_CSR, mdm_row_text(st, (*out)->id));
    (*out)->csr_pem = (const char *)csr.data;
    return rv;
}

apr_status_t mdm_store_request_insert(mdm_store_t *st, const mdm_request_t *request)
{
    const char *id = mdm_row_text(st, request->id), *csr;
    apr_status_t rv = mdm_row_seal(&csr, st, mdm_bytes_of(request->csr_pem), COLUMN_CSR, id);
    const char *args[] = {
        id, request->transaction_id, request->key_sha256, mdm_row_text(st, request->state), request->subject,
        request->request_sha256, csr, request->user, request->challenge, mdm_row_text(st, request->session),
        mdm_row_text(st, request->enrollment), request->certificate, request->source_ip,
        mdm_row_text(st, request->created_at), mdm_row_text(st, request->decided_at), request->decided_by
    };

    return rv == APR_SUCCESS ? mdm_db_exec(NULL, st->db, STMT_REQUEST_INSERT, args) : rv;
}

apr_status_t mdm_store_request_get(mdm_request_t **out, mdm_store_t *st, apr_int64_t id)
{
    const char *args[] = { mdm_row_text(st, id) };

    return get(out, st, STMT_REQUEST_GET, args);
}

apr_status_t mdm_store_request_by_transaction(mdm_request_t **out, mdm_store_t *st, const char *transaction_id,
                                              const char *key_sha256)
{
    const char *args[] = { transaction_id, key_sha256 };

    return get(out, st, STMT_REQUEST_BY_TRANSACTION, args);
}

apr_status_t mdm_store_request_list(apr_array_header_t **out, mdm_store_t *st, mdm_request_state_e state,
                                    apr_int64_t cursor, int limit)
{
    const char *args[] = { mdm_row_text(st, state), mdm_row_text(st, cursor), mdm_row_text(st, limit) };
    mdm_rows_t *rows;
    apr_status_t rv = state == MDM_REQUEST_UNSET
                    ? mdm_db_select(&rows, st->db, STMT_REQUEST_LIST, args + 1)
                    : mdm_db_select(&rows, st->db, STMT_REQUEST_LIST_STATE, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_request_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_request_t *) = from_row(st, rows, r);
    return APR_SUCCESS;
}

apr_status_t mdm_store_request_decide(mdm_store_t *st, apr_int64_t id, mdm_request_state_e state,
                                      const char *actor)
{
    const char *args[] = { mdm_row_text(st, state), mdm_row_text(st, mdm_ctx_now(st->ctx)), actor,
                           mdm_row_text(st, id) };
    apr_status_t rv = mdm_row_change(st, STMT_REQUEST_DECIDE, args);

    return rv != MDM_ENOTFOUND ? rv : mdm_fail(st->ctx, rv, "there is no such request that is pending");
}

apr_status_t mdm_store_request_issued(mdm_store_t *st, apr_int64_t id, const char *fingerprint)
{
    const char *args[] = { fingerprint, mdm_row_text(st, id) };
    apr_status_t rv = mdm_row_change(st, STMT_REQUEST_ISSUED, args);

    return rv != MDM_ENOTFOUND ? rv : mdm_fail(st->ctx, rv, "there is no such request that is approved");
}

apr_status_t mdm_store_request_forget(mdm_store_t *st, apr_int64_t id)
{
    const char *args[] = { mdm_row_text(st, id) };

    return mdm_db_exec(NULL, st->db, STMT_REQUEST_FORGET, args);
}
