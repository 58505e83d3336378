/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One MDM site: what a virtual host's directives and key files amount to. Made once in the parent (or by
 * mdmctl), read-only from then on, shared by all threads. The core takes all its settings from here.
 */
#ifndef MDM_SITE_H
#define MDM_SITE_H

#include "mdm_cms.h"
#include "mdm_pki.h"
#include "mdm_scep.h"
#include "mdm_seal.h"

/* A CA of the site. Its not_before is also the date from which it issues. */
typedef struct mdm_authority_t {
    const mdm_cert_t *cert;
    const mdm_key_t *key;
    mdm_bytes_t der;
    const char *fingerprint;
} mdm_authority_t;

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

    const apr_array_header_t *authorities; /* mdm_authority_t *, the next one last; core/mdm_authority.h */
    const mdm_cert_t *ra;               /* decrypts and signs for SCEP in the CA's place; NULL: the CA does */
    const mdm_key_t *ra_key;
    const char *crl_url, *ocsp_url;     /* named in the certificates issued, or NULL */
    apr_interval_time_t crl_lifetime;
    unsigned scep_legacy;               /* MDM_SCEP_LEGACY_... */
    int scep_manual;                    /* requests wait for an administrator */
    int scep_any_signer;                /* PKCSReq may be signed by another key than the request's */
    const char *enroll_url;             /* of the mdm-enroll Location, no slash at the end */
    const apr_array_header_t *device_cas; /* mdm_cert_t *: who vouches for Profile Service answers; may be empty */
    const apr_array_header_t *configuration; /* mdm_plist_t *: payloads of an OTA-only site; NULL: MDM */
    mdm_cipher_e profile_cipher;        /* MDM_CIPHER_UNSET: profiles are not encrypted */
    apr_interval_time_t renew_before;   /* 0: a third of the certificate's lifetime */
    apr_interval_time_t invitation_lifetime;
    const mdm_cert_t *signer;           /* signs profiles */
    const mdm_key_t *signer_key;
    const apr_array_header_t *signer_chain; /* mdm_cert_t *, or NULL */
    const apr_array_header_t *trust;    /* mdm_cert_t *: CAs for devices to trust, may be empty */
    const mdm_seal_t *seal;
} mdm_site_t;

#endif
