/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check-in endpoint (Apple: CheckInURL): all its messages.
 */
#ifndef MDM_CHECKIN_H
#define MDM_CHECKIN_H

#include "mdm_declarative.h"
#include "mdm_device.h"

typedef struct mdm_checkin_answer_t {
    apr_int64_t enrollment;     /* who spoke */
    int wake;                   /* a wake-up is due now: tell the worker */
    mdm_bytes_t body;           /* of the answer; empty for most */
    const char *content_type;   /* of `body`; NULL: a property list */
    const mdm_declarative_t *declarative; /* or NULL: give the store back, then ask it */
} mdm_checkin_answer_t;

/**
 * Take a check-in message; everything is stored in one transaction before this returns.
 * @return APR_SUCCESS: answer 200 with answer->body; MDM_EGONE for UserAuthenticate: this user is not
 *         managed; MDM_EPLIST, MDM_EINPUT (also unknown message types), MDM_EDENIED, MDM_ENOTFOUND, MDM_ECONFIG,
 *         MDM_EDB
 */
apr_status_t mdm_checkin_handle(mdm_checkin_answer_t *answer, mdm_store_t *st, const mdm_site_t *site,
                                mdm_bytes_t body, const mdm_caller_t *caller);

#endif
