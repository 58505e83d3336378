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

/* What a network user of a Mac is answered (UserAuthenticate). */
typedef enum {
    MDM_USER_AUTHENTICATE_DECLINE = 0,  /* 410: not managed */
    MDM_USER_AUTHENTICATE_ZERO_LENGTH,  /* managed without a password */
    MDM_USER_AUTHENTICATE_DIGEST        /* managed after a password of user_digests */
} mdm_user_authenticate_e;

/* A receiver of events. */
typedef struct mdm_webhook_sink_t {
    const char *id;                     /* derived from the URL: names it in the database */
    const char *url;
    apr_array_header_t *topics;         /* const char *, as "mdm.Connect"; NULL: all */
} mdm_webhook_sink_t;

/* How long a destructive command waits where the site says nothing (MDMDestructiveLifetime). */
#define MDM_DESTRUCTIVE_LIFETIME apr_time_from_sec(90 * 86400)

#define MDM_ESCROW_KEY_UNLOCK_URL "https://deviceservices-external.apple.com/deviceservicesworkers/escrowKeyUnlock"

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

    mdm_user_authenticate_e user_authenticate;
    mdm_bytes_t user_digests;           /* an htdigest file */
    const char *declarative_url;        /* no slash at the end; NULL: no declarative management */
    mdm_bytes_t declarative_key;        /* HMAC of what is sent; empty: none */
    mdm_bytes_t declarative_answer_key; /* HMAC demanded of the answers; empty: none */
    const mdm_key_t *get_token_key;     /* NULL: no tokens for Managed Apple Accounts */
    const char *get_token_server_uuid;
    mdm_bytes_t return_to_service_wifi; /* a profile, or empty */
    int return_to_service_profile;      /* an enrollment profile goes along */
    apr_interval_time_t signature_tolerance;
    int signature_sha1;
    const apr_array_header_t *identity_cas; /* mdm_cert_t *: other CAs of device identities; NULL: none */
    int retroactive_identity;
    apr_interval_time_t history_lifetime, destructive_lifetime;
    const apr_array_header_t *approvals; /* const char *: RequestTypes that need a second person; NULL: none */
    int queue_limit;                    /* open commands of an enrollment, 0: no limit */
    const apr_array_header_t *profile_retry; /* apr_interval_time_t: waits before each remedy; NULL: no remedies */
    apr_interval_time_t profile_check;  /* every device lists its profiles once in this time; 0: never */
    apr_interval_time_t push_retry_first, push_retry_max, silent_after;
    int push_rate;                      /* pushes per second and topic, 0: no limit */
    const apr_array_header_t *webhooks; /* mdm_webhook_sink_t; NULL: none */
    mdm_bytes_t webhook_key;            /* empty: events are not signed */
    apr_interval_time_t webhook_lifetime;
    const char *escrow_key_unlock_url;
    const struct mdm_directory_site_t *directory; /* NULL: none; core/mdm_directory.h */
} mdm_site_t;

#endif
