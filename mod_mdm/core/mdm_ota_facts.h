/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The property list of a device's answer. For core/mdm_ota.c, after the signature has been found to hold;
 * pure, any thread.
 */
#ifndef MDM_OTA_FACTS_H
#define MDM_OTA_FACTS_H

#include "mdm_plist.h"
#include "mdm_store_session.h"

/**
 * Read what a device says of itself.
 * @param facts     UDID always, the rest as far as it is there; at most 255 bytes each
 * @param challenge sent back as text or data; NULL when there is none, or none that is text
 * @return MDM_EPLIST, MDM_ETOOBIG; MDM_EINPUT when it is no dictionary, has no UDID, or a fact is not such a
 * text
 */
apr_status_t mdm_ota_read(mdm_device_facts_t *facts, const char **challenge, mdm_ctx_t *ctx,
                          mdm_bytes_t content);

#endif
