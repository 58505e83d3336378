/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The newest CRL of each CA certificate, and what goes into the next one. Called by mdm-crl, GetCRL and mdmctl.
 */
#ifndef MDM_STORE_CRL_H
#define MDM_STORE_CRL_H

#include "mdm_store_base.h"

typedef struct mdm_crl_row_t {
    const char *issuer;           /* fingerprint of the CA certificate */
    apr_int64_t number;
    int stale;                    /* something was revoked since */
    apr_time_t this_update, next_update;
    mdm_bytes_t der;
} mdm_crl_row_t;

/** @return MDM_ENOTFOUND when there is none yet */
apr_status_t mdm_store_crl_get(mdm_crl_row_t **out, mdm_store_t *st, const char *issuer);
/**
 * Keep a CRL in place of number - 1 (inserted when number is 1), no longer stale.
 * @return MDM_EEXIST when another node was quicker
 */
apr_status_t mdm_store_crl_put(mdm_store_t *st, const mdm_crl_row_t *crl);
/** Something was revoked: all CRLs are stale. Call in the transaction that revokes. */
apr_status_t mdm_store_crl_stale(mdm_store_t *st);

typedef struct mdm_revoked_t {
    const char *serial;           /* hex */
    apr_time_t at;
    const char *reason;           /* as mdm_certificate_t.revoked_reason */
} mdm_revoked_t;

/** Revoked and not expired certificates of an issuer. Array of mdm_revoked_t. */
apr_status_t mdm_store_crl_entries(apr_array_header_t **out, mdm_store_t *st, const char *issuer);

#endif
