/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles of the library on their way out: an install is made of what should hold for the device at this moment, with
 * the secrets of this moment, so a phone that was off for a month gets the newest and nothing else. Called by the
 * delivery (mdm_delivery.h), any thread. Nothing of a profile is logged.
 */
#ifndef MDM_DELIVERY_PROFILE_H
#define MDM_DELIVERY_PROFILE_H

#include "mdm_device.h"

/**
 * The body of row->next, an InstallProfile: rendered, named by its content, encrypted to the device (not for user
 * channels, whose process has not the device's key) and signed by the site. What is handed out is written down.
 * @return MDM_EGONE when it is not the present command about its profile any more, or cannot be rendered: then the row
 *         is blocked, with the reason
 */
apr_status_t mdm_delivery_profile(mdm_bytes_t *body, mdm_store_t *st, const mdm_site_t *site,
                                  const mdm_device_t *device, const mdm_connect_row_t *row);

/** The body of row->next, a RemoveProfile, as it is stored. @return MDM_EGONE when it is not wanted any more */
apr_status_t mdm_delivery_profile_removal(mdm_bytes_t *body, mdm_store_t *st, const mdm_connect_row_t *row);

#endif
