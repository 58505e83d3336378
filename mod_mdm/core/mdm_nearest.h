/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The known name that a mistyped one is closest to, for messages. Any thread.
 */
#ifndef MDM_NEAREST_H
#define MDM_NEAREST_H

#include <apr_pools.h>

typedef struct mdm_nearest_t {
    const char *wanted, *best;    /* NULL: none is close enough */
    int distance;
} mdm_nearest_t;

/** Start with the name that is not known; then try all that are. */
mdm_nearest_t mdm_nearest_of(const char *wanted);
void mdm_nearest_try(mdm_nearest_t *nearest, const char *name);

/** "; did you mean NAME?", or "" when none is close. */
const char *mdm_nearest_hint(const mdm_nearest_t *nearest, apr_pool_t *p);

/** A name out of a request, cut so that a message stays short. */
const char *mdm_nearest_shown(const char *name, apr_pool_t *p);

#endif
