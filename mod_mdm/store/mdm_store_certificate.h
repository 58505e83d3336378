/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy of each certificate the CA issued, and the challenges that pay for them. Called by SCEP, by the
 * judge of device identities and by mdmctl.
 */
#ifndef MDM_STORE_CERTIFICATE_H
#define MDM_STORE_CERTIFICATE_H

#include "mdm_store_base.h"

typedef struct mdm_certificate_t {
    const char *fingerprint;      /* SHA-256 hex of the DER: the key of the table */
    const char *serial;           /* hex, unique */
    const char *subject;
    const char *pem;
    apr_time_t not_before, not_after, issued_at;
    apr_int64_t enrollment;       /* id of the device enrollment it is bound to, 0 = not yet */
    const char *user;             /* login of the person it was issued for */
    const char *request_sha256;   /* of the SCEP message that asked for it: recognises a retry */
    apr_time_t revoked_at;
    const char *revoked_reason;
    const char *replaced_by;      /* fingerprint of its successor */
    const char *issuer;           /* fingerprint of the CA certificate that issued it */
    const char *challenge;        /* sha256 of the challenge that paid for it; NULL: a renewal by SCEP */
    apr_int64_t session;          /* mdm_session_t.id of the person's enrollment, 0: none */
    const char *enrollment_id;    /* of `enrollment`: only from the list, the search and by serial number */
} mdm_certificate_t;

/** One word: valid, expired, revoked, or replaced, which is revoked for its successor. */
const char *mdm_certificate_state(const mdm_certificate_t *certificate, apr_time_t now);

apr_status_t mdm_store_certificate_insert(mdm_store_t *st, const mdm_certificate_t *certificate);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_certificate_by_fingerprint(mdm_certificate_t **out, mdm_store_t *st,
                                                  const char *fingerprint);
apr_status_t mdm_store_certificate_by_serial(mdm_certificate_t **out, mdm_store_t *st, const char *serial);
apr_status_t mdm_store_certificate_by_request(mdm_certificate_t **out, mdm_store_t *st,
                                              const char *request_sha256);
/**
 * Newest first, at most `limit`. Array of mdm_certificate_t *, no PEM.
 * @param after the last one of the page before (its issued_at and fingerprint); NULL: from the newest
 */
apr_status_t mdm_store_certificate_list(apr_array_header_t **out, mdm_store_t *st,
                                        const mdm_certificate_t *after, int limit);
/** The same for those whose serial begins with `text`, whose subject contains it or whose user it is. */
apr_status_t mdm_store_certificate_search(apr_array_header_t **out, mdm_store_t *st,
                                          const mdm_certificate_t *after, int limit, const char *text);
/**
 * How many renewals by SCEP were issued since then: to the enrollment of this certificate, or, while it is bound to
 * none, to its subject.
 */
apr_status_t mdm_store_certificate_renewals(int *count, mdm_store_t *st, const mdm_certificate_t *certificate,
                                            apr_time_t since);
/** Bind an unbound certificate to an enrollment. @return MDM_ENOTFOUND when it is bound already or unknown */
apr_status_t mdm_store_certificate_bind(mdm_store_t *st, const char *fingerprint, apr_int64_t enrollment);
/**
 * Mark all other unreplaced certificates of the enrollment as replaced by this one, and as revoked for that.
 * @param count how many there were
 */
apr_status_t mdm_store_certificate_supersede(int *count, mdm_store_t *st, apr_int64_t enrollment,
                                             const char *fingerprint);
/*
 * To revoke is more than these statements: core/mdm_crl.h does it.
 */
/** @return MDM_ENOTFOUND when there is no such serial or it is revoked already */
apr_status_t mdm_store_certificate_revoke(mdm_store_t *st, const char *serial, const char *reason);
/** Revoke all certificates of an enrollment. @param count how many were not revoked yet */
apr_status_t mdm_store_certificate_revoke_all(int *count, mdm_store_t *st, apr_int64_t enrollment,
                                              const char *reason);

typedef struct mdm_challenge_t {
    const char *sha256;           /* hex of the challenge text: the text itself is never stored */
    const char *kind;             /* MDM_CHALLENGE_... of core/mdm_challenge.h */
    const char *user;             /* login, or NULL when an administrator made it */
    const char *common_name;      /* the request's CN must be this; NULL: any */
    apr_time_t created_at, expires_at, used_at;
    apr_int64_t invitation;       /* mdm_invitation_t.id that led to it, 0: none */
    apr_int64_t session;          /* mdm_session_t.id it belongs to, 0: none */
    apr_int64_t enrollment;       /* the device enrollment whose identity it renews, 0: a new one */
} mdm_challenge_t;

apr_status_t mdm_store_challenge_insert(mdm_store_t *st, const mdm_challenge_t *challenge);
/**
 * Use a challenge up: one conditional UPDATE (unused, not expired, CN fits), then its row. Call inside the
 * transaction that stores what it pays for. @return MDM_EDENIED when it is unknown, used, expired or for
 * another CN
 */
apr_status_t mdm_store_challenge_use(mdm_challenge_t **out, mdm_store_t *st, const char *kind,
                                     const char *sha256, const char *common_name);
/** A challenge, used or not. @return MDM_ENOTFOUND, also when it has been forgotten since */
apr_status_t mdm_store_challenge_get(mdm_challenge_t **out, mdm_store_t *st, const char *sha256);
/** Forget at most 256 challenges that expired before `before`, used or not. */
apr_status_t mdm_store_challenge_prune(mdm_store_t *st, apr_time_t before);

#endif
