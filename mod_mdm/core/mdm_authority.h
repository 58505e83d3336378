/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CAs of a site. Usually there is one; around a roll-over there are two: the present one, and the next,
 * which issues from its notBefore on. Both are trusted all the time. Any thread, no statement.
 */
#ifndef MDM_AUTHORITY_H
#define MDM_AUTHORITY_H

#include "mdm_site.h"

/** The CA that issues at `now`: the newest whose notBefore has come. Never NULL. */
const mdm_authority_t *mdm_authority_present(const mdm_site_t *site, apr_time_t now);

/** The CA that will issue after it; NULL when no roll-over is prepared. */
const mdm_authority_t *mdm_authority_next(const mdm_site_t *site, apr_time_t now);

/** By the fingerprint of its certificate; NULL when it is not of this site. */
const mdm_authority_t *mdm_authority_find(const mdm_site_t *site, const char *fingerprint);

/**
 * Whom SCEP clients may address, the one to use now first: the RA, or the present CA; then, around a roll-over,
 * the others. Lives in p.
 */
mdm_scep_server_t mdm_authority_scep_server(const mdm_site_t *site, apr_time_t now, apr_pool_t *p);

#endif
