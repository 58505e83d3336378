/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Activation Lock taken off by its bypass code: what an administrator sends is passed on to Apple with the topic's push
 * certificate, and Apple's answer passed back.
 */
#ifndef MDM_ESCROW_UNLOCK_H
#define MDM_ESCROW_UNLOCK_H

#include "mdm_fetch.h"
#include "mdm_site.h"
#include "mdm_store.h"

#define MDM_ESCROW_UNLOCK_FORM_MAX 16384

/**
 * Ask Apple, and wait.
 * @param form application/x-www-form-urlencoded with topic, serial, productType, escrowKey, orgName, guid and,
 *             if known, imei, imei2, meid; the first field of a name counts, others are passed over
 * @return MDM_EINPUT naming the field that is missing or malformed; MDM_ENOTFOUND without a push certificate for the
 *         topic; MDM_EHTTP, MDM_EDB
 */
apr_status_t mdm_escrow_unlock(mdm_fetched_t *answer, mdm_store_t *st, const mdm_site_t *site, mdm_bytes_t form,
                               const char *actor, const char *source);

#endif
