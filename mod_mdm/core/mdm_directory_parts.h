/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of the synchronisation, on its way from the directory to the tables. For core/mdm_directory*.c alone.
 */
#ifndef MDM_DIRECTORY_PARTS_H
#define MDM_DIRECTORY_PARTS_H

#include <apr_hash.h>

#include "mdm_directory.h"
#include "mdm_person.h"
#include "mdm_store_group.h"

#define MDM_DIRECTORY_USERS_MAX 200000
#define MDM_DIRECTORY_NAMES 100       /* logins that a report names, and notes */

/* A group of kind directory. */
typedef struct mdm_directory_group_t {
    const mdm_group_t *group;
    const char *dn;                   /* as mdm_ldap_dn; NULL: it is none */
    apr_hash_t *logins;               /* who the directory has in it: login -> login */
    int seen;                         /* the directory knows it */
    int unknown;                      /* members that are none of the persons */
    const char *note;                 /* why nobody leaves unconfirmed: a group within it could not be read; or NULL */
    const char *error;                /* why its members stay as they are, or NULL */
    apr_array_header_t *joined, *left;          /* const char *: logins */
    int joins_done, leaves_done;      /* how many of those are written */
    int begun;                        /* it has been compared */
} mdm_directory_group_t;

typedef struct mdm_directory_run_t {
    mdm_ctx_t *ctx;
    const mdm_directory_site_t *site;
    int (*stopping)(void *baton);     /* any thread */
    int (*look)(void *baton);         /* the same, and keeps the lease */
    void *baton;
    const char *requested_by;         /* NULL: by schedule */
    int confirmed;
    apr_time_t started;
    apr_int64_t id;                   /* tells runs apart */
    apr_array_header_t *groups;       /* mdm_directory_group_t */
    json_t *broken_off;               /* reports of the runs before that did not come to their end; NULL: none */

    /* what was found */
    apr_array_header_t *changes;      /* mdm_person_change_t */
    apr_hash_t *by_login, *by_dn;     /* login -> login; as mdm_ldap_dn -> login */
    apr_array_header_t *notes;        /* const char *: entries and values that were passed over, the first of them */
    int skipped;                      /* entries */

    /* what was changed */
    int made, changed, disabled, enabled;
    apr_array_header_t *missing;      /* const char *: logins not found any more */
    int lost;                         /* how many of those are written */
} mdm_directory_run_t;

/** Fetch everything. @return MDM_EHTTP, MDM_EDENIED, MDM_ECONFIG, MDM_ETOOBIG, APR_EINTR: nothing may be written */
apr_status_t mdm_directory_fetch(mdm_directory_run_t *run);

/** The groups' part of it, once the persons are known. */
apr_status_t mdm_directory_fetch_groups(mdm_directory_run_t *run, mdm_ldap_t *ldap);

/**
 * Find out who is missing, and count what users would lose or become. Writes nothing; one statement for every 1000
 * users.
 * @return MDM_EINPUT with all that is too much, when that is not confirmed
 */
apr_status_t mdm_directory_weigh(mdm_directory_run_t *run, mdm_store_t *st);

/** Write what is new. @return MDM_EINPUT when it would take away too much and is not confirmed; MDM_EDB, APR_EINTR */
apr_status_t mdm_directory_apply(mdm_directory_run_t *run, mdm_store_t *st);

/** The groups' part of it, after the persons. */
apr_status_t mdm_directory_apply_groups(mdm_directory_run_t *run, mdm_store_t *st);

/** @return APR_EINTR when the server stops, or another node has taken over */
apr_status_t mdm_directory_check(mdm_directory_run_t *run);

/** Whether so many of so many are too many to go without a word. */
int mdm_directory_is_too_much(const mdm_directory_run_t *run, int leaving, int all);

/**
 * Keep what has been written so far for the report of the next run, should this one not come to its end. Called within
 * the transaction that writes it. One statement.
 */
apr_status_t mdm_directory_keep(const mdm_directory_run_t *run, mdm_store_t *st);

/** Read what runs before have kept. @param reports an array of st->ctx->pool, or NULL */
apr_status_t mdm_directory_kept(json_t **reports, mdm_store_t *st);

/** It is in a report now, or of no interest. Within the transaction of the report. */
apr_status_t mdm_directory_kept_end(mdm_store_t *st);

/** Whether anything was written that devices may have to follow. */
int mdm_directory_moved(const mdm_directory_run_t *run);

/** The run as JSON text, and in a sentence. */
const char *mdm_directory_report(const mdm_directory_run_t *run);
const char *mdm_directory_sentence(const mdm_directory_run_t *run);

#endif
