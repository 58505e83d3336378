/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enrollment profile: a configuration profile with the CAs to trust, a SCEP payload and an MDM payload.
 */
#ifndef MDM_PROFILE_H
#define MDM_PROFILE_H

#include "mdm_site.h"
#include "mdm_store.h"

/**
 * Make an enrollment profile for a person: a fresh challenge is stored, bound to the person and to the
 * subject that the profile asks for; the rest is a function of the site, so that a newer profile
 * replaces an older one in place.
 * @param der  signed by the site's profile signer (CMS SignedData)
 * @param user login of the person, as Apache authenticated it
 * @return MDM_ECONFIG when there is no push certificate to enroll for, MDM_EDB, MDM_ECRYPTO
 */
apr_status_t mdm_profile_enrollment(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                                    const char *user);

#endif
