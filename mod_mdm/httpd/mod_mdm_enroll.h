/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One visit to an enrollment page: what the URL asks for, how the visitor came, and the answers that all of
 * the pages share. For the files of the enrollment pages alone; any request thread.
 */
#ifndef MOD_MDM_ENROLL_H
#define MOD_MDM_ENROLL_H

#include "mdm_invitation.h"
#include "mdm_session.h"
#include "mod_mdm_config.h"

#define MDM_ENROLL_COOKIE "__Secure-mdm-session"

typedef enum {
    MDM_ENROLL_NOWHERE = 0,
    MDM_ENROLL_LANDING,           /* <enroll> */
    MDM_ENROLL_INVITATION,        /* <enroll>/i/TOKEN */
    MDM_ENROLL_PROFILE,           /* <enroll>/profile */
    MDM_ENROLL_STATUS,            /* <enroll>/status */
    MDM_ENROLL_DEVICE             /* <enroll>/device */
} mdm_enroll_place_e;

typedef enum {
    MDM_ENROLL_CLOSED = 0,        /* nobody can say who the visitor is */
    MDM_ENROLL_BY_PASSWORD,       /* MDMAuthProvider */
    MDM_ENROLL_BY_APACHE,         /* r->user */
    MDM_ENROLL_BY_INVITATION      /* for the person it names */
} mdm_enroll_way_e;

typedef struct mdm_visit_t {
    request_rec *r;
    const mdm_conf_t *conf;
    mdm_ctx_t *ctx;
    mdm_store_t *st;              /* NULL until somebody needs it */
    mdm_enroll_place_e place;
    mdm_enroll_way_e way;
    const char *base;             /* path of the Location */
    const char *token;            /* of the invitation in the URL */
    mdm_invitation_t *invitation; /* it stands for, or NULL */
} mdm_visit_t;

/** Answer with a page of mod_mdm_enroll_page.h and the headers that go with it. */
int mdm_enroll_send(mdm_visit_t *v, int status, const char *html);

/** Answer with a short explanation. @param again nonzero: with a link to the start */
int mdm_enroll_message(mdm_visit_t *v, int status, const char *title, const char *text, int again);

/** Answer a failure of the core: logged once, told without what the database says. */
int mdm_enroll_fail(mdm_visit_t *v, apr_status_t rv);

/** Open the store, once. */
apr_status_t mdm_enroll_store(mdm_visit_t *v);

/**
 * Give the store back before browsers and directories are waited for; mdm_enroll_store opens it again. A provider of
 * passwords may take a database connection of its own.
 */
void mdm_enroll_rest(mdm_visit_t *v);

/** The method of new sessions at this Location. */
mdm_session_method_e mdm_enroll_method(const mdm_visit_t *v);

/* mod_mdm_enroll_form.c: the sign-in, shown and posted */

/** Show the form. @param login typed before, or NULL; @param notice what went wrong, or NULL */
int mdm_enroll_form(mdm_visit_t *v, int status, const char *login, const char *notice);

/** Take the posted form: opens a session and sends the browser to its progress. */
int mdm_enroll_post(mdm_visit_t *v);

/** Open a session for a person; the answer to come sets its cookie, in place of any the browser had. */
apr_status_t mdm_enroll_open(mdm_session_t **session, mdm_visit_t *v, const char *user);

/** What the sign-in says of the person. @return NULL when it says nothing */
mdm_person_change_t *mdm_enroll_said(const mdm_visit_t *v, const char *user);

#endif
