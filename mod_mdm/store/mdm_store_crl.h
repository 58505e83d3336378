/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newest CRL of each CA certificate, and what goes into the next one. Called by core/mdm_crl.c alone.
 */
#ifndef MDM_STORE_CRL_H
#define MDM_STORE_CRL_H

#include "mdm_store_base.h"

typedef struct mdm_crl_row_t {
    const char *issuer;           /* fingerprint of the CA certificate */
    apr_int64_t number;           /* 0: none was made yet */
    int stale;                    /* something was revoked since */
    apr_time_t this_update, next_update;
    mdm_bytes_t der;
} mdm_crl_row_t;

/** @return MDM_ENOTFOUND when there is no row yet */
apr_status_t mdm_store_crl_get(mdm_crl_row_t **out, mdm_store_t *st, const char *issuer);
/**
 * Make the row of an issuer, number 0, unless it is there. Waits for those who revoke at the time, and they
 * for this transaction: with no row of the issuer yet, they meet at one that is nobody's.
 */
apr_status_t mdm_store_crl_open(mdm_store_t *st, const char *issuer);
/**
 * Lock the row of an issuer for the successor of `number`, and take it for fresh: what is revoked from here on
 * marks it stale after this transaction. First of all in the transaction that makes the successor.
 * @return MDM_EEXIST when another node was quicker
 */
apr_status_t mdm_store_crl_claim(mdm_store_t *st, const char *issuer, apr_int64_t number);
/** Keep the successor in the row claimed. */
apr_status_t mdm_store_crl_put(mdm_store_t *st, const mdm_crl_row_t *crl);
/** Something was revoked: all CRLs are stale. Call in the transaction that revokes. Mostly one statement. */
apr_status_t mdm_store_crl_stale(mdm_store_t *st);

typedef struct mdm_revoked_t {
    const char *serial;           /* hex */
    apr_time_t at;
    const char *reason;           /* as mdm_certificate_t.revoked_reason */
} mdm_revoked_t;

/**
 * Revoked certificates of an issuer that end after `not_after`, by time and serial. Array of mdm_revoked_t.
 * @param issuer NULL: those that name none, from before it was noted
 */
apr_status_t mdm_store_crl_entries(apr_array_header_t **out, mdm_store_t *st, const char *issuer,
                                   apr_time_t not_after);

#endif
