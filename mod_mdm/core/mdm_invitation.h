/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invitations to enroll: a URL with a random token that opens the enrollment page a number of times until a
 * date, for anyone, for one person or for one device. The store knows a token by its SHA-256 only, so a lost
 * URL is replaced, never shown again. Any thread.
 */
#ifndef MDM_INVITATION_H
#define MDM_INVITATION_H

#include "mdm_store.h"

#define MDM_INVITATION_TOKEN_LEN 22
#define MDM_INVITATION_USES_MAX 1000000

/**
 * Make and store an invitation, and note it as an event. One transaction.
 * @param token      22 characters of base64url (128 random bits); never logged
 * @param invitation in: created_by, user, serial_number, uses (empty texts count as NULL); out: all the rest
 * @param lifetime   microseconds from now, at most ten years
 * @param source     address of the client that asked, or NULL
 * @return MDM_EINPUT for a text, number or lifetime out of range; MDM_ECRYPTO, MDM_EDB
 */
apr_status_t mdm_invitation_make(const char **token, mdm_store_t *st, mdm_invitation_t *invitation,
                                 apr_interval_time_t lifetime, const char *source);

/** The URL to hand out: enroll_url "/i/" token. */
const char *mdm_invitation_url(const char *enroll_url, const char *token, apr_pool_t *p);

/**
 * The invitation behind a token that a visitor brought, when it is in force. Takes no use.
 * @return MDM_ENOTFOUND for what is no token of this site, MDM_EGONE when it is revoked, used up or expired;
 *         both with a sentence for the visitor
 */
apr_status_t mdm_invitation_open(mdm_invitation_t **invitation, mdm_store_t *st, const char *token);

/**
 * Take one use, inside the transaction that stores what comes of it.
 * @return MDM_EGONE, with a sentence for the visitor, when there is none left to take
 */
apr_status_t mdm_invitation_take(mdm_store_t *st, apr_int64_t id);

/**
 * Revoke an invitation, and note it as an event. One transaction. What it led to before stays.
 * @return MDM_ENOTFOUND, MDM_EGONE when it is revoked already
 */
apr_status_t mdm_invitation_revoke(mdm_store_t *st, apr_int64_t id, const char *actor, const char *source);

/** "valid", "revoked", "used up" or "expired" at `now`. */
const char *mdm_invitation_state(const mdm_invitation_t *invitation, apr_time_t now);

#endif
