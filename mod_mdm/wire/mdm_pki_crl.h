/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate revocation lists (RFC 5280 section 5) over OpenSSL, and the reasons of a revocation. Same input,
 * same list. Any thread.
 */
#ifndef MDM_PKI_CRL_H
#define MDM_PKI_CRL_H

#include <apr_tables.h>

#include "mdm_pki.h"

/** The CRLReason of a name of RFC 5280 5.3.1 ("keyCompromise"); -1 for any other text. */
int mdm_crl_reason(const char *name);

/** What may be given as a reason here, for messages; certificateHold is not: nothing takes it back. */
#define MDM_CRL_REASONS "unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, " \
    "cessationOfOperation, privilegeWithdrawn or aACompromise"

typedef struct mdm_crl_entry_t {
    const char *serial;           /* hex */
    apr_time_t at;
    const char *reason;           /* a name as above; others and "unspecified" are left out (RFC 5280 5.3.1) */
} mdm_crl_entry_t;

typedef struct mdm_crl_how_t {
    const mdm_cert_t *ca;
    const mdm_key_t *ca_key;
    apr_int64_t number;
    apr_time_t this_update, next_update;
    const apr_array_header_t *entries; /* mdm_crl_entry_t, kept in this order */
} mdm_crl_how_t;

/** Make and sign: version 2, SHA-256, cRLNumber, authorityKeyIdentifier. @return MDM_ECRYPTO */
apr_status_t mdm_crl_make(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_crl_how_t *how);

#endif
