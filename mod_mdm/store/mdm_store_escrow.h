/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets that devices hand over for safe keeping, sealed: bypass codes, recovery keys, the unlock token. Called by
 * core/mdm_facts.h and core/mdm_delivery.h, and by the API for an administrator who says why in the audit trail.
 */
#ifndef MDM_STORE_ESCROW_H
#define MDM_STORE_ESCROW_H

#include "mdm_store_base.h"

typedef struct mdm_escrow_t {
    const char *kind;             /* "ActivationLockBypassCode", ... */
    const char *value;            /* text; binary values are base64; NULL in lists */
    apr_time_t stored_at;
} mdm_escrow_t;

/** Keep a secret in the place of an older one. @param changed 0: it was there already. Up to two statements. */
apr_status_t mdm_store_escrow_put(int *changed, mdm_store_t *st, apr_int64_t enrollment, const char *kind,
                                  const char *value);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_escrow_get(mdm_escrow_t **out, mdm_store_t *st, apr_int64_t enrollment, const char *kind);
/** What is kept, without the values. Array of mdm_escrow_t. */
apr_status_t mdm_store_escrow_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t enrollment);

/** The unlock token of an enrollment. @return MDM_ENOTFOUND without a detail when it has given none */
apr_status_t mdm_store_unlock_token(mdm_bytes_t *token, mdm_store_t *st, apr_int64_t enrollment);

#endif
