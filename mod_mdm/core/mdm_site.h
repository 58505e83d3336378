/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One MDM site: what a virtual host's directives and key files amount to. Made once in the parent (or by
 * mdmctl), read-only from then on, shared by all threads. The core takes all its settings from here.
 */
#ifndef MDM_SITE_H
#define MDM_SITE_H

#include "mdm_pki.h"
#include "mdm_seal.h"

typedef struct mdm_site_t {
    const char *server_url;             /* https://host[:port], no slash at the end */
    const char *organization;
    const char *profile_identifier;     /* PayloadIdentifier of the enrollment profile */
    const char *scep_url, *checkin_url, *connect_url;
    int sign_message;                   /* SignMessage of the MDM payload */
    int access_rights;
    const char *push_topic;             /* of new enrollments; NULL: the newest uploaded certificate's */
    apr_interval_time_t identity_lifetime, challenge_lifetime;
    apr_interval_time_t notnow_retry;   /* wake-up after a NotNow */
    apr_interval_time_t push_expiration; /* how long APNs keeps a push for a sleeping device */
    const char *apns_url;               /* no slash at the end */
    mdm_bytes_t apns_ca_pem;            /* empty: the system's CAs */

    const mdm_cert_t *ca;
    const mdm_key_t *ca_key;
    mdm_bytes_t ca_der;
    const mdm_cert_t *signer;           /* signs profiles */
    const mdm_key_t *signer_key;
    const apr_array_header_t *signer_chain; /* mdm_cert_t *, or NULL */
    const apr_array_header_t *trust;    /* mdm_cert_t *: CAs for devices to trust, may be empty */
    const mdm_seal_t *seal;
} mdm_site_t;

#endif
