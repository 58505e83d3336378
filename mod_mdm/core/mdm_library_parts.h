/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what an administrator sends to a profile that can be stored; for the files of mdm_library alone.
 */
#ifndef MDM_LIBRARY_PARTS_H
#define MDM_LIBRARY_PARTS_H

#include "mdm_library.h"

/**
 * Read a .mobileconfig, without a signature that is around it.
 * @return MDM_EPLIST, MDM_EINPUT when it is no configuration profile or its payloads are encrypted
 */
apr_status_t mdm_library_open(mdm_plist_t **tree, mdm_ctx_t *ctx, mdm_bytes_t bytes);

/**
 * Bring a profile into the form that is stored: no top-level PayloadUUID, keys in order, what is missing of
 * identifiers, UUIDs and versions filled in (the same for the same identifier). Changes the tree.
 * @return MDM_EINPUT when a payload has no type, is one that only this server makes, or has the UUID of another
 */
apr_status_t mdm_library_normalise(mdm_plist_t *tree, mdm_ctx_t *ctx, const char *identifier);

/**
 * The text of a profile in the form that is stored.
 * @return MDM_ETOOBIG when nobody could read it again; as mdm_plist_write
 */
apr_status_t mdm_library_write(mdm_bytes_t *text, mdm_ctx_t *ctx, const mdm_plist_t *tree);

/**
 * Whether a new profile may have this PayloadIdentifier.
 * @return MDM_EINPUT when it is none, or in the room of the enrollment profile
 */
apr_status_t mdm_library_identifier(mdm_ctx_t *ctx, const mdm_site_t *site, const char *name, const char *identifier);

/** The identifier that a profile of this name has of itself. */
const char *mdm_library_own_identifier(const mdm_site_t *site, const char *name, apr_pool_t *p);

/**
 * Hold a profile in its stored form against tables, names and secrets; secrets it names are kept from being deleted
 * until the transaction ends, unless `dry`.
 * @param findings set, also when it is refused
 * @return MDM_EINPUT
 */
apr_status_t mdm_library_judge(apr_array_header_t **findings, mdm_store_t *st, const mdm_plist_t *tree,
                               const mdm_template_t *t, int dry);

/** Whether the secrets of a template are all there, and are base64 where it takes them as data. */
apr_status_t mdm_library_secrets(mdm_store_t *st, const mdm_template_t *t, int dry);

/**
 * The template of a stored version.
 * @param out NULL when it does not open or cannot be read: that is told where it is to be handed out
 */
apr_status_t mdm_library_template(mdm_template_t **out, mdm_store_t *st, apr_int64_t profile, int version);

/** The column mdm_profile_version.detail: JSON. */
const char *mdm_library_detail(mdm_ctx_t *ctx, const mdm_plist_t *tree, const mdm_template_t *t,
                               const apr_array_header_t *findings);

#endif
