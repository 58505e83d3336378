/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarative management by another server (MDMDeclarativeURL): the device's message is passed on, its answer handed
 * back. In two steps, so that no database connection is held while the other server is waited for.
 */
#ifndef MDM_DECLARATIVE_H
#define MDM_DECLARATIVE_H

#include "mdm_device.h"

#define MDM_DECLARATIVE_TYPE "application/json"

/** One question for the other server. */
typedef struct mdm_declarative_t {
    const char *path;               /* below the site's declarative_url, no slash at the start, safe in a URL */
    const char *endpoint;           /* as the device wrote it */
    mdm_bytes_t data;               /* JSON of the device, or empty */
    const char *enrollment_id, *type, *parent_id, *trace_id;
} mdm_declarative_t;

/**
 * Read a DeclarativeManagement message. @return MDM_EINPUT for an Endpoint that is none; MDM_ENOTFOUND when the site
 * has no such server
 */
apr_status_t mdm_declarative_read(mdm_declarative_t **out, mdm_ctx_t *ctx, const mdm_site_t *site,
                                  const mdm_device_t *device);

/**
 * Ask, and wait up to half a minute.
 * @param json the answer for the device; may be empty
 * @return MDM_ENOTFOUND when a declaration is gone, which the device then drops; MDM_EHTTP for any other failure
 */
apr_status_t mdm_declarative_ask(mdm_bytes_t *json, mdm_ctx_t *ctx, const mdm_site_t *site,
                                 const mdm_declarative_t *question);

#endif
