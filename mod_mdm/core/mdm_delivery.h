/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the stored body of a queued command becomes what a device gets. Called by the connect path, any thread.
 */
#ifndef MDM_DELIVERY_H
#define MDM_DELIVERY_H

#include "mdm_device.h"

/**
 * The body of row->next for the device that asks. MDM_DELIVERY_AS_IS: the stored bytes. MDM_DELIVERY_ENCRYPT:
 * the profile in it is encrypted to the certificate that made this request and signed by the site, if it is
 * one that can be read and the channel is a device's; a signature of its own goes. MDM_DELIVERY_RENEWAL: an
 * enrollment profile with a challenge of its own, made now and sealed likewise. MDM_DELIVERY_UNLOCK_TOKEN: the
 * unlock token that this enrollment has given is added, with an event; there is none: MDM_EGONE.
 * MDM_DELIVERY_RETURN_TO_SERVICE: what its ReturnToService lacks is added, with an event (mdm_return_to_service.h).
 * @return MDM_EINPUT, MDM_EPLIST, MDM_ECONFIG, MDM_EGONE when this command can never be delivered;
 *         MDM_ECRYPTO, MDM_EDB
 */
apr_status_t mdm_delivery_make(mdm_bytes_t *body, mdm_store_t *st, const mdm_site_t *site,
                               const mdm_device_t *device, const mdm_connect_row_t *row);

#endif
