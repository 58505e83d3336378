/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronisation with the company's directory, on a schedule: persons with their attributes, and who is in which of
 * the groups of kind directory. First all of it is fetched; only when the directory has answered everything is anything
 * written, in small transactions, each of which leaves what was found so far. One node of all runs it. Runs in a thread
 * of its own, which may wait for the network.
 */
#ifndef MDM_DIRECTORY_H
#define MDM_DIRECTORY_H

#include <jansson.h>

#include "mdm_ldap.h"
#include "mdm_store_user.h"

/** An attribute of users, and that of the directory it comes from. */
typedef struct mdm_directory_attribute_t {
    const char *name, *ldap;
} mdm_directory_attribute_t;

/** The directory of a site, as the directives have it. */
typedef struct mdm_directory_site_t {
    mdm_ldap_url_t url;
    int start_tls;
    const char *bind_dn, *password, *ca_file;
    const apr_array_header_t *attributes;   /* mdm_directory_attribute_t; may be NULL */
    apr_interval_time_t interval;
    int disable_missing;                    /* who is not found any more is disabled */
    const char *disabled_filter;            /* whom it finds is disabled; NULL: none */
    int nested;                             /* members of groups within groups count */
    int limit_percent, limit_count;         /* more than so many percent, and at least so many, do not go unasked */
} mdm_directory_site_t;

typedef struct mdm_directory_config_t {
    apr_status_t (*open)(mdm_store_t **st, mdm_ctx_t *ctx, void *baton);
    void (*close)(mdm_store_t *st, void *baton);
    int (*stopping)(void *baton);           /* any thread */
    void (*changed)(void *baton);           /* something was marked: the fan-out may look */
    void *baton;
    const mdm_directory_site_t *site;
    const char *owner;                      /* of this process, for leases */
    apr_interval_time_t look;               /* how often it is looked whether a run is due or asked for */
} mdm_directory_config_t;

typedef struct mdm_directory_t mdm_directory_t;

mdm_directory_t *mdm_directory_create(mdm_ctx_t *ctx, const mdm_directory_config_t *config);

/** Synchronise when it is due, here and now. @return when to call again */
apr_time_t mdm_directory_turn(mdm_directory_t *d);

/**
 * Ask for a run soon.
 * @param confirm nonzero: also when it takes away most of what there is
 * @return MDM_EEXIST when one is under way
 */
apr_status_t mdm_directory_ask(mdm_store_t *st, const char *actor, int confirm);

/**
 * What the last runs did, for the API. The caller owns it: "running", "next_at", "report", "failure" and "broken_off"
 * where there is one.
 */
apr_status_t mdm_directory_show(json_t **out, mdm_store_t *st);

#endif
