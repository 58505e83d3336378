/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollment sessions: from a person's sign-in to the device's own "done". The browser holds a random
 * cookie, the store its SHA-256. Called by the enrollment pages and by the check-in, any thread.
 */
#ifndef MDM_SESSION_H
#define MDM_SESSION_H

#include "mdm_person.h"
#include "mdm_site.h"
#include "mdm_store.h"

/**
 * A person whom somebody has vouched for: a password, Apache's own sign-in, or an invitation for them
 * alone.
 */
typedef struct mdm_sign_in_t {
    const char *user;                       /* login */
    const char *source;                     /* client address */
    const mdm_invitation_t *invitation;     /* that brought the person here; NULL: none */
    const char *terms;                      /* text that was accepted; NULL: none was asked for */
    mdm_person_change_t *person;            /* what is said of the person, out: whether it is new; or NULL */
    mdm_session_method_e method;
    apr_interval_time_t lifetime;           /* microseconds from now */
} mdm_sign_in_t;

/**
 * Open a session: takes a use of the invitation, stores the session, what is new of the person, and the events of
 * sign-in and terms. One transaction.
 * @param cookie  43 characters of base64url (256 random bits), new each time; never logged
 * @return MDM_EGONE, with a sentence for the visitor, when the invitation is over; MDM_EDENIED when the person is
 *         disabled; MDM_ECRYPTO, MDM_EDB
 */
apr_status_t mdm_session_open(const char **cookie, mdm_session_t **session, mdm_store_t *st,
                              const mdm_sign_in_t *sign_in);

/** The session of a cookie. @return MDM_ENOTFOUND for none (also a NULL cookie), and when it has expired */
apr_status_t mdm_session_find(mdm_session_t **session, mdm_store_t *st, const char *cookie);

/**
 * The first profile of a session, by its method: the enrollment profile, or the Profile Service's. It may be
 * fetched again until the device has used it.
 * @return MDM_EDENIED when the session has gone further; MDM_ECONFIG, MDM_ECRYPTO, MDM_EDB
 */
apr_status_t mdm_session_profile(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                                 const mdm_session_t *session);

/**
 * The device with this identity may enroll: it is the only one of its session, no other than the one that
 * has answered the Profile Service, and no other than the session's invitation names. Inside the caller's
 * transaction.
 * @param id            of the session that the identity's certificate names
 * @param fingerprint   of that certificate
 * @param device_id     as mdm_device_t.device_id
 * @param serial_number as the device reports it, or NULL
 * @return MDM_EDENIED when it may not
 */
apr_status_t mdm_session_admit(mdm_store_t *st, apr_int64_t id, const char *fingerprint, const char *device_id,
                               const char *serial_number);

#endif
