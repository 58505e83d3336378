/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a device needs to return to service by itself after an erase: one dictionary for the command EraseDevice and
 * for the check-in message ReturnToService.
 */
#ifndef MDM_RETURN_TO_SERVICE_H
#define MDM_RETURN_TO_SERVICE_H

#include "mdm_plist.h"
#include "mdm_site.h"
#include "mdm_store.h"

/**
 * Make the dictionary: Enabled, WiFiProfileData when the site has such a profile, MDMProfileData when it gives one
 * (return_to_service_profile): a fresh enrollment profile for the person of this device and for this device alone, and
 * BootstrapToken when the device has left one. Up to three statements, one of which writes (the challenge).
 * @param enrollment_id of the device channel
 * @return MDM_ENOTFOUND, MDM_ECONFIG when there is no push certificate to enroll for, MDM_ECRYPTO, MDM_EDB
 */
apr_status_t mdm_return_to_service_make(mdm_plist_t **dict, mdm_store_t *st, const mdm_site_t *site,
                                        const char *enrollment_id);

#endif
