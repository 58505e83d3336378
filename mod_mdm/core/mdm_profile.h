/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration profiles: made as trees here, then sealed (encrypted to one device, signed by the site).
 * Payload UUIDs are a function of the site: a newer profile replaces an older one in place. Any thread.
 */
#ifndef MDM_PROFILE_H
#define MDM_PROFILE_H

#include "mdm_plist.h"
#include "mdm_site.h"
#include "mdm_store.h"

/** For whom a profile with an identity is, and what its one-time challenge is bound to. */
typedef struct mdm_profile_request_t {
    const char *user;             /* login of the person */
    const char *common_name;      /* that the identity has to have; NULL: a random one */
    apr_int64_t session, invitation;
    apr_int64_t enrollment;       /* the device enrollment whose identity it renews, 0: a new one */
    const char *topic;            /* of a renewal, which must not change it; NULL: the site's */
} mdm_profile_request_t;

/**
 * The enrollment profile: the CAs to trust, a SCEP payload with a fresh challenge (stored), an MDM payload.
 * @param root not yet signed: for mdm_profile_seal_for
 * @return MDM_ECONFIG when there is no push certificate to enroll for, MDM_EDB, MDM_ECRYPTO
 */
apr_status_t mdm_profile_enrollment(mdm_plist_t **root, mdm_store_t *st, const mdm_site_t *site,
                                    const mdm_profile_request_t *request);

/** A profile with the CAs and a SCEP payload only: phase 2 of the Profile Service. As above, no topic. */
apr_status_t mdm_profile_identity(mdm_plist_t **root, mdm_store_t *st, const mdm_site_t *site,
                                  const mdm_profile_request_t *request);

/** A profile with the payloads of site->configuration, which must not be NULL. No statement. */
apr_status_t mdm_profile_configuration(mdm_plist_t **root, mdm_ctx_t *ctx, const mdm_site_t *site);

/** A payload of the site's with nothing in it. Its identifier is the site's, with `suffix` unless NULL. */
mdm_plist_t *mdm_profile_payload(const mdm_site_t *site, const char *type, const char *suffix,
                                 const char *name, apr_pool_t *p);

/**
 * Make the file a device installs: signed by the site's signer and, when there is a recipient and the site
 * encrypts (profile_cipher), with its payloads readable by the recipient's key alone.
 * @param root is not changed; a root without an array of payloads (Profile Service) is only signed
 * @param recipient certificate of the device, or NULL
 * @return MDM_EINPUT when the recipient's key cannot be encrypted to, MDM_EPLIST, MDM_ECRYPTO
 */
apr_status_t mdm_profile_seal_for(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_site_t *site,
                                  const mdm_plist_t *root, const mdm_cert_t *recipient);

/**
 * Read a profile that was made elsewhere; a signature around it is taken off and not judged.
 * @param root NULL when it is no property list with an array of payloads, or its payloads are encrypted
 */
void mdm_profile_open(mdm_plist_t **root, mdm_ctx_t *ctx, mdm_bytes_t bytes);

#endif
