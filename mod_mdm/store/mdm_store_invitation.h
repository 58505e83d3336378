/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invitations to enroll, by the hash of the token in their URL. Called by the enrollment pages, the API and
 * mdmctl.
 */
#ifndef MDM_STORE_INVITATION_H
#define MDM_STORE_INVITATION_H

#include "mdm_store_base.h"

typedef struct mdm_invitation_t {
    apr_int64_t id;
    const char *sha256;           /* hex of the token: the token itself is never stored */
    const char *created_by;
    const char *user;             /* login of the person it is for; NULL: whoever signs in */
    const char *serial_number;    /* of the device it is for; NULL: any */
    int uses_left, uses;
    apr_time_t created_at, expires_at, revoked_at;
} mdm_invitation_t;

apr_status_t mdm_store_invitation_insert(mdm_store_t *st, const mdm_invitation_t *invitation);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_invitation_get(mdm_invitation_t **out, mdm_store_t *st, apr_int64_t id);
/** Whatever its state. @return MDM_ENOTFOUND */
apr_status_t mdm_store_invitation_by_sha256(mdm_invitation_t **out, mdm_store_t *st, const char *sha256);
/** At most `limit` before the id `cursor` (0: from the newest), newest first. */
apr_status_t mdm_store_invitation_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t cursor,
                                       int limit);
/**
 * Take one use: one conditional UPDATE (uses left, not expired, not revoked).
 * @return MDM_EGONE when there is none to take
 */
apr_status_t mdm_store_invitation_use(mdm_store_t *st, apr_int64_t id);
/** @return MDM_ENOTFOUND when there is none, or it is revoked already */
apr_status_t mdm_store_invitation_revoke(mdm_store_t *st, apr_int64_t id);

#endif
