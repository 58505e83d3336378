/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollment sessions: one person's way from the sign-in to an enrolled device, and what the device said of
 * itself on the way (Apple's Profile Service). Called by the enrollment pages, SCEP, the check-in, the API
 * and the status page.
 */
#ifndef MDM_STORE_SESSION_H
#define MDM_STORE_SESSION_H

#include "mdm_store_base.h"

/** Only ever grows. */
typedef enum {
    MDM_SESSION_UNSET = 0,
    MDM_SESSION_SIGNED_IN,        /* the person is known, and has accepted the terms */
    MDM_SESSION_OFFERED,          /* the first profile went out */
    MDM_SESSION_DESCRIBED,        /* phase 2: the device said what it is */
    MDM_SESSION_IDENTIFIED,       /* SCEP issued the session's identity */
    MDM_SESSION_DELIVERED,        /* phase 3: the final profile went out */
    MDM_SESSION_DONE              /* the device's own message: TokenUpdate; without MDM the phase 3 request */
} mdm_session_state_e;

/** "signed-in", "offered", "described", "identified", "delivered", "done". */
const char *mdm_session_state_name(mdm_session_state_e state);

typedef enum {
    MDM_SESSION_METHOD_UNSET = 0,
    MDM_SESSION_DIRECT,           /* one profile with SCEP and MDM */
    MDM_SESSION_PROFILE_SERVICE   /* over the air, in three phases */
} mdm_session_method_e;

/** What a device reports in the Profile Service; NULL: not reported. At most 255 bytes each. */
typedef struct mdm_device_facts_t {
    const char *udid, *serial_number, *imei, *meid, *iccid;
    const char *product;          /* model, "iPhone15,2" */
    const char *version;          /* build of the system */
    const char *device_name;
} mdm_device_facts_t;

typedef struct mdm_session_t {
    apr_int64_t id;
    const char *sha256;           /* hex of the browser's cookie: the cookie itself is never stored */
    mdm_session_state_e state;
    mdm_session_method_e method;
    const char *user;             /* login */
    apr_int64_t invitation;       /* 0: none */
    const char *common_name;      /* of the phase 2 identity: random, unique */
    const char *certificate;      /* fingerprint of that identity, once SCEP has issued it */
    apr_int64_t enrollment;       /* once known, else 0 */
    const char *source_ip;
    apr_time_t created_at, changed_at, expires_at;
    mdm_device_facts_t facts;
} mdm_session_t;

apr_status_t mdm_store_session_insert(mdm_store_t *st, const mdm_session_t *session);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_session_get(mdm_session_t **out, mdm_store_t *st, apr_int64_t id);
/** @return MDM_ENOTFOUND, also when it has expired */
apr_status_t mdm_store_session_by_sha256(mdm_session_t **out, mdm_store_t *st, const char *sha256);
/** The newest session of an enrollment that reported facts. @return MDM_ENOTFOUND */
apr_status_t mdm_store_session_of_enrollment(mdm_session_t **out, mdm_store_t *st, apr_int64_t enrollment);
/**
 * Forward to `state`. @return MDM_ENOTFOUND when the session is not in `from` (MDM_SESSION_UNSET: in any
 * earlier state): somebody was there first
 */
apr_status_t mdm_store_session_advance(mdm_store_t *st, apr_int64_t id, mdm_session_state_e from,
                                       mdm_session_state_e state);
/** Phase 2: keep the facts. */
apr_status_t mdm_store_session_describe(mdm_store_t *st, apr_int64_t id, const mdm_device_facts_t *facts);
/**
 * SCEP issued this identity for the session: kept, state IDENTIFIED when it was DESCRIBED (of a direct
 * enrollment: OFFERED). Without effect once the final profile is DELIVERED: what SCEP issues then is not
 * the session's.
 */
apr_status_t mdm_store_session_identify(mdm_store_t *st, apr_int64_t id, const char *fingerprint);
/** The device's own word: DONE, for this enrollment (0: none). Only the first counts. */
apr_status_t mdm_store_session_done(mdm_store_t *st, apr_int64_t id, apr_int64_t enrollment);

/** Forget sessions that led to no enrollment and ended before `before`: the oldest, at most 64. */
apr_status_t mdm_store_session_prune(mdm_store_t *st, apr_time_t before);

#endif
