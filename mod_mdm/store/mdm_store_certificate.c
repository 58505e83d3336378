/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy of each certificate the CA issued. Called by SCEP, by the judge of identities, by the check-in and
 * by mdmctl; rows are never deleted.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_store_certificate.h"
#include "mdm_store_row.h"

static mdm_certificate_t *from_row(mdm_store_t *st, const mdm_rows_t *rows, int r)
{
    mdm_certificate_t *c = apr_pcalloc(st->ctx->pool, sizeof(*c));

    c->fingerprint = MDM_ROW(rows, r, 0);
    c->serial = MDM_ROW(rows, r, 1);
    c->subject = MDM_ROW(rows, r, 2);
    c->not_before = mdm_row_number(rows, r, 3);
    c->not_after = mdm_row_number(rows, r, 4);
    c->issued_at = mdm_row_number(rows, r, 5);
    c->enrollment = mdm_row_number(rows, r, 6);
    c->user = MDM_ROW(rows, r, 7);
    c->request_sha256 = MDM_ROW(rows, r, 8);
    c->revoked_at = mdm_row_number(rows, r, 9);
    c->revoked_reason = MDM_ROW(rows, r, 10);
    c->replaced_by = MDM_ROW(rows, r, 11);
    c->pem = MDM_ROW(rows, r, 12);
    c->issuer = MDM_ROW(rows, r, 13);
    c->challenge = MDM_ROW(rows, r, 14);
    c->session = mdm_row_number(rows, r, 15);
    if (rows->columns > 16)
        c->enrollment_id = MDM_ROW(rows, r, 16);
    return c;
}

static apr_status_t get(mdm_certificate_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *what,
                        const char *key)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, &key);

    if (rv != APR_SUCCESS)
        return rv;
    if (!rows->count)
        return mdm_fail(st->ctx, MDM_ENOTFOUND, "no certificate with %s %s", what, key);
    *out = from_row(st, rows, 0);
    return APR_SUCCESS;
}

static apr_status_t list(apr_array_header_t **out, mdm_store_t *st, mdm_stmt_e stmt, const char *const *args)
{
    mdm_rows_t *rows;
    apr_status_t rv = mdm_db_select(&rows, st->db, stmt, args);
    int r;

    if (rv != APR_SUCCESS)
        return rv;
    *out = apr_array_make(st->ctx->pool, rows->count, sizeof(mdm_certificate_t *));
    for (r = 0; r < rows->count; r++)
        APR_ARRAY_PUSH(*out, mdm_certificate_t *) = from_row(st, rows, r);
    return APR_SUCCESS;
}

/* The text for LIKE, its own wildcards escaped. */
static const char *pattern(mdm_store_t *st, const char *text)
{
    char *escaped = apr_palloc(st->ctx->pool, 2 * strlen(text) + 1), *to = escaped;

    for (; *text; text++) {
        if (strchr("%_!", *text))
            *to++ = '!';
        *to++ = *text;
    }
    *to = '\0';
    return escaped;
}

const char *mdm_certificate_state(const mdm_certificate_t *c, apr_time_t now)
{
    return c->replaced_by ? "replaced" : c->revoked_at ? "revoked" : c->not_after <= now ? "expired" : "valid";
}

apr_status_t mdm_store_certificate_insert(mdm_store_t *st, const mdm_certificate_t *c)
{
    const char *args[] = {
        c->fingerprint, c->serial, c->subject, mdm_row_text(st, c->not_before),
        mdm_row_text(st, c->not_after), mdm_row_text(st, c->issued_at), mdm_row_text(st, c->enrollment),
        c->user, c->request_sha256, mdm_row_text(st, c->revoked_at), c->revoked_reason, c->replaced_by, c->pem,
        c->issuer, c->challenge, mdm_row_text(st, c->session)
    };

    return mdm_db_exec(NULL, st->db, STMT_CERTIFICATE_INSERT, args);
}

apr_status_t mdm_store_certificate_by_fingerprint(mdm_certificate_t **out, mdm_store_t *st,
                                                  const char *fingerprint)
{
    return get(out, st, STMT_CERTIFICATE_BY_FINGERPRINT, "fingerprint", fingerprint);
}

apr_status_t mdm_store_certificate_by_serial(mdm_certificate_t **out, mdm_store_t *st, const char *serial)
{
    return get(out, st, STMT_CERTIFICATE_BY_SERIAL, "serial number", serial);
}

apr_status_t mdm_store_certificate_by_request(mdm_certificate_t **out, mdm_store_t *st,
                                              const char *request_sha256)
{
    return get(out, st, STMT_CERTIFICATE_BY_REQUEST, "request", request_sha256);
}

apr_status_t mdm_store_certificate_list(apr_array_header_t **out, mdm_store_t *st,
                                        const mdm_certificate_t *after, int limit)
{
    const char *before = mdm_row_text(st, after ? after->issued_at : APR_INT64_MAX);
    const char *args[] = { before, before, after ? after->fingerprint : "", mdm_row_text(st, limit) };

    return list(out, st, STMT_CERTIFICATE_LIST, args);
}

apr_status_t mdm_store_certificate_search(apr_array_header_t **out, mdm_store_t *st,
                                          const mdm_certificate_t *after, int limit, const char *text)
{
    const char *before = mdm_row_text(st, after ? after->issued_at : APR_INT64_MAX);
    const char *escaped = pattern(st, text);
    const char *args[] = {
        before, before, after ? after->fingerprint : "", apr_pstrcat(st->ctx->pool, escaped, "%", NULL),
        apr_pstrcat(st->ctx->pool, "%", escaped, "%", NULL), text, mdm_row_text(st, limit)
    };

    return list(out, st, STMT_CERTIFICATE_SEARCH, args);
}

apr_status_t mdm_store_certificate_renewals(int *count, mdm_store_t *st, const mdm_certificate_t *c,
                                            apr_time_t since)
{
    const char *bound[] = { mdm_row_text(st, c->enrollment), mdm_row_text(st, since) };
    const char *unbound[] = { bound[1], c->subject };
    mdm_rows_t *rows;
    apr_status_t rv = c->enrollment ? mdm_db_select(&rows, st->db, STMT_CERTIFICATE_RENEWALS, bound)
                                    : mdm_db_select(&rows, st->db, STMT_CERTIFICATE_RENEWALS_UNBOUND, unbound);

    if (rv == APR_SUCCESS)
        *count = (int)mdm_row_number(rows, 0, 0);
    return rv;
}

apr_status_t mdm_store_certificate_bind(mdm_store_t *st, const char *fingerprint, apr_int64_t enrollment)
{
    const char *args[] = { mdm_row_text(st, enrollment), fingerprint };
    apr_status_t rv = mdm_row_change(st, STMT_CERTIFICATE_BIND, args);

    return rv != MDM_ENOTFOUND ? rv : mdm_fail(st->ctx, rv, "certificate %s is unknown or bound to an "
                                               "enrollment", fingerprint);
}

apr_status_t mdm_store_certificate_supersede(int *count, mdm_store_t *st, apr_int64_t enrollment,
                                             const char *fingerprint)
{
    const char *args[] = { fingerprint, mdm_row_text(st, mdm_ctx_now(st->ctx)), mdm_row_text(st, enrollment),
                           fingerprint };

    return mdm_db_exec(count, st->db, STMT_CERTIFICATE_SUPERSEDE, args);
}

apr_status_t mdm_store_certificate_revoke(mdm_store_t *st, const char *serial, const char *reason)
{
    const char *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)), reason, serial };
    apr_status_t rv = mdm_row_change(st, STMT_CERTIFICATE_REVOKE, args);

    return rv != MDM_ENOTFOUND ? rv : mdm_fail(st->ctx, rv, "no certificate with serial number %s that is "
                                               "not revoked already", serial);
}

apr_status_t mdm_store_certificate_revoke_all(int *count, mdm_store_t *st, apr_int64_t enrollment,
                                              const char *reason)
{
    const char *args[] = { mdm_row_text(st, mdm_ctx_now(st->ctx)), reason, mdm_row_text(st, enrollment) };

    return mdm_db_exec(count, st->db, STMT_CERTIFICATE_REVOKE_ALL, args);
}
