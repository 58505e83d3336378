/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payloads of configuration profiles made elsewhere (.mobileconfig): what a site without MDM gives to its
 * devices. Called while the configuration is loaded and checked, in the parent.
 */
#ifndef MDM_PAYLOADS_H
#define MDM_PAYLOADS_H

#include <apr_tables.h>

#include "mdm_bytes.h"
#include "mdm_ctx.h"

#define MDM_PAYLOADS_FILE_MAX (4 * 1024 * 1024)

/**
 * Append the payload dictionaries of one profile. A signature around it is taken off and not judged: the file
 * is the administrator's.
 * @param payloads array of mdm_plist_t *
 * @param file     names it in the failure's sentence
 * @return MDM_ECONFIG when it is no configuration profile, has no payloads, is encrypted, or when a payload
 * lacks type, identifier or UUID, is one that only this server makes (MDM), or has the UUID of another
 */
apr_status_t mdm_payloads_read(apr_array_header_t *payloads, mdm_ctx_t *ctx, const char *file,
                               mdm_bytes_t bytes);

#endif
