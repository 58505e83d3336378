/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets and versions of profiles that do not open: sealed with another key, or damaged. That one was found is written
 * beside it, so that of all who come upon it one tells it. Called by core/mdm_unreadable.h.
 */
#ifndef MDM_STORE_UNREADABLE_H
#define MDM_STORE_UNREADABLE_H

#include "mdm_store_base.h"

typedef struct mdm_unreadable_t {
    const char *secret;           /* NULL: it is a version of a profile */
    apr_int64_t profile;
    const char *name;             /* of the profile; in a list only */
    int number;                   /* generation, version */
    const char *why;              /* it does not open, without any value; not in a list */
    int noted, first;             /* in the database; this look was the first to do so */
} mdm_unreadable_t;

/** Note one. One statement. @param first whether nobody has before */
apr_status_t mdm_store_unreadable_note(int *first, mdm_store_t *st, const mdm_unreadable_t *one);

/** It opens after all. One statement. @return MDM_ENOTFOUND without a detail when somebody else has said so */
apr_status_t mdm_store_unreadable_forget(mdm_store_t *st, const mdm_unreadable_t *one);

/** Those noted that are in use, at most `limit`. Array of mdm_unreadable_t. One statement. */
apr_status_t mdm_store_unreadable_list(apr_array_header_t **out, mdm_store_t *st, int limit);

#endif
