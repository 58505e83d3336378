/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Over-the-air enrollment, Apple's Profile Service: the profile that asks a device what it is, and its two
 * signed answers. Called by the enrollment pages and by POST <enroll>/device, any thread.
 */
#ifndef MDM_OTA_H
#define MDM_OTA_H

#include "mdm_site.h"
#include "mdm_store.h"

/**
 * Phase 1: the "Profile Service" payload for a session that has signed in, with a one-time challenge bound to
 * its person, invitation and session; the session moves to OFFERED. It may be fetched again until the device
 * has answered; each copy has a challenge of its own.
 * @param der signed by the site's profile signer
 * @return MDM_EDENIED when the session has gone further, MDM_ECONFIG, MDM_ECRYPTO, MDM_EDB
 */
apr_status_t mdm_ota_first_profile(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                                   const mdm_session_t *session);

/** What a device's answer led to. */
typedef struct mdm_ota_answer_t {
    mdm_bytes_t profile;          /* signed; the next one to install */
    const char *user;             /* login of the person whose device it is */
    int phase;                    /* 2 or 3 */
    int delivered_before;         /* phase 3 once more: no profile, send the device to the page */
} mdm_ota_answer_t;

/**
 * Phases 2 and 3: a device's signed answer. Its signer decides which it is: an identity that SCEP issued for
 * a session is phase 3, someone vouched for by site->device_cas is phase 2. Facts, challenge, state and event
 * are stored in one transaction.
 * @param message CMS SignedData with a property list inside, at most 64 kB
 * @param source  client address
 * @return MDM_EINPUT, MDM_EPLIST, MDM_ECMS for what is no such answer; MDM_EDENIED when the signer, the
 * challenge or the device is not the expected one; MDM_ECONFIG, MDM_ECRYPTO, MDM_EDB
 */
apr_status_t mdm_ota_answer(mdm_ota_answer_t *answer, mdm_store_t *st, const mdm_site_t *site,
                            mdm_bytes_t message, const char *source);

#endif
