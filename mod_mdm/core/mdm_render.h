/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renderings of profiles for many enrollments: each version is read and opened once, each secret once, and what is the
 * same for everybody is rendered once. Used by the fan-out, previews and the delivery; belongs to one thread.
 */
#ifndef MDM_RENDER_H
#define MDM_RENDER_H

#include "mdm_effect.h"
#include "mdm_store_unreadable.h"
#include "mdm_template.h"

typedef struct mdm_render_t mdm_render_t;

/** One that keeps what it reads in st->ctx->pool, as long as the secrets it has read may count as the present ones. */
mdm_render_t *mdm_render_create(mdm_store_t *st);

/** What a save of another value of this secret would do: it has one that nobody has seen yet. */
void mdm_render_pretend(mdm_render_t *render, const char *secret);

/** A version that is not saved yet, with this body. Statements as mdm_render_template. */
apr_status_t mdm_render_put(mdm_render_t *render, mdm_store_t *st, apr_int64_t profile, int version, mdm_bytes_t body);

/** Secrets and versions found so far that do not open. Array of mdm_unreadable_t. */
apr_array_header_t *mdm_render_closed(mdm_render_t *render);

/**
 * The template of a version. When it is new one statement for it and one for its secrets.
 * @return MDM_ENOTFOUND, also with the reason when it does not open or cannot be read
 */
apr_status_t mdm_render_template(const mdm_template_t **out, mdm_render_t *render, mdm_store_t *st,
                                 apr_int64_t profile, int version);

/**
 * What renderings of these templates need of some enrollments: users, and those facts that the templates look at.
 * @param all mdm_effect_of_t, MDM_QUEUE_CHUNK at most
 * @param out array of mdm_values_t, one for each
 */
apr_status_t mdm_render_values(apr_array_header_t **out, mdm_render_t *render, mdm_store_t *st,
                               const apr_array_header_t *all);

/**
 * The PayloadUUID of a version for somebody.
 * @param values  NULL will do for a template that depends on nobody
 * @param missing set instead of `uuid`: why it cannot be rendered
 */
apr_status_t mdm_render_uuid(const char **uuid, const char **missing, mdm_render_t *render, mdm_store_t *st,
                             apr_int64_t profile, int version, const mdm_values_t *values);

/** The whole profile. @return MDM_ENOTFOUND with the reason when it cannot be rendered */
apr_status_t mdm_render_profile(mdm_plist_t **out, const char **uuid, mdm_render_t *render, mdm_store_t *st,
                                apr_int64_t profile, int version, const mdm_values_t *values);

#endif
