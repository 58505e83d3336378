/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checking a person by the site's own means: httpd's authentication providers for the password, the
 * Location's Require lines for the right to enroll; and the guard of forms against posts that other sites
 * make. Called by the enrollment pages, any request thread.
 */
#ifndef MOD_MDM_SIGNIN_H
#define MOD_MDM_SIGNIN_H

#include "mdm_bytes.h"
#include "mod_mdm_config.h"

typedef enum {
    MDM_SIGNIN_UNSET = 0,
    MDM_SIGNIN_GRANTED,           /* r->user is the person */
    MDM_SIGNIN_WRONG,             /* password or login */
    MDM_SIGNIN_FORBIDDEN,         /* the Location's Require lines do not let this person enroll */
    MDM_SIGNIN_UNAVAILABLE,       /* nobody could say: a directory is down, a provider is missing */
    MDM_SIGNIN_LIMITED            /* too many failures: *wait */
} mdm_signin_e;

/**
 * Check login and password within MDMSignInLimit. Whether an account exists shows neither in the result nor
 * in the time a failure takes.
 * @param wait of MDM_SIGNIN_LIMITED
 */
mdm_signin_e mdm_signin_check(apr_interval_time_t *wait, request_rec *r, const mdm_conf_t *conf,
                              const char *login, const char *password);

/** A field of a posted form (application/x-www-form-urlencoded); NULL when it is missing or no UTF-8 text. */
char *mdm_signin_field(mdm_bytes_t form, const char *name, apr_pool_t *p);

/** A cookie's value; NULL when the browser sent none. */
const char *mdm_signin_cookie(request_rec *r, const char *name);

/**
 * Set a cookie that no script and no other site can use. @param path of the Location; @param age in seconds
 */
void mdm_signin_set_cookie(request_rec *r, const char *name, const char *value, const char *path, int age);

/**
 * The token that a form of this browser has to carry, made of a random cookie that is set when there is none.
 * @return NULL when OpenSSL fails
 */
const char *mdm_signin_form_token(request_rec *r, const mdm_conf_t *conf, const char *path);

/** Whether a posted form is one of ours, sent by the browser that got it. @param token from the form */
int mdm_signin_form_is_ours(request_rec *r, const mdm_conf_t *conf, const char *path, const char *token);

#endif
