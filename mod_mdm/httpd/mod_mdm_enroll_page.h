/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of an enrollment as HTML: made for a phone, without script or anything else to fetch, light or
 * dark as the device is. Pure functions of their arguments, any thread.
 */
#ifndef MOD_MDM_ENROLL_PAGE_H
#define MOD_MDM_ENROLL_PAGE_H

#include <apr_pools.h>

#include "mdm_store_session.h"

typedef struct mdm_enroll_form_t {
    const char *organization;
    const char *action;           /* URL path that the form is posted to */
    const char *token;            /* that shows it is our form */
    const char *login;            /* typed before, or decided; NULL: none yet */
    int login_fixed;              /* the login is decided */
    int password;                 /* a password is asked for */
    const char *terms;            /* text to accept, NULL: none */
    const char *terms_sha256;
    const char *notice;           /* what went wrong, or NULL */
    int managed;                  /* the device will be managed, not only set up */
} mdm_enroll_form_t;

/** Who are you, and do you accept? */
const char *mdm_enroll_page_form(const mdm_enroll_form_t *form, apr_pool_t *p);

/** How far the enrollment has come; shows itself anew until it is done. @param base path of the Location */
const char *mdm_enroll_page_progress(const char *organization, const char *base, const mdm_session_t *session,
                                     apr_pool_t *p);

/** A short explanation. @param href of a link below it, or NULL; @param label of that link */
const char *mdm_enroll_page_message(const char *organization, const char *title, const char *text,
                                    const char *href, const char *label, apr_pool_t *p);

/** The Content-Security-Policy of these pages: their own style, their own form, nothing else. */
const char *mdm_enroll_page_policy(apr_pool_t *p);

#endif
