/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities beside the connect path: who shows a certificate, and the first identity of an enrollment that came
 * without one. Called by core/mdm_identity.c.
 */
#ifndef MDM_STORE_IDENTITY_H
#define MDM_STORE_IDENTITY_H

#include "mdm_store_enrollment.h"

/** A certificate and the device it is bound to. */
typedef struct mdm_identity_row_t {
    apr_time_t not_after, revoked_at;
    const char *replaced_by;
    const char *enrollment_id;    /* NULL: bound to none */
    mdm_state_e state;
} mdm_identity_row_t;

/** @return MDM_ENOTFOUND when no such certificate is known */
apr_status_t mdm_store_identity(mdm_identity_row_t **out, mdm_store_t *st, const char *fingerprint);

/** Give an enrollment without an identity its first one. @return MDM_ENOTFOUND when it has one, or is not there */
apr_status_t mdm_store_identity_associate(mdm_store_t *st, apr_int64_t enrollment, const char *fingerprint);

#endif
