/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the LDAP client share. For wire/mdm_ldap*.c alone.
 */
#ifndef MDM_LDAP_WAIT_H
#define MDM_LDAP_WAIT_H

#include <ldap.h>

#include "mdm_ldap.h"

struct mdm_ldap_t {
    mdm_ctx_t *ctx;
    mdm_ldap_config_t config;
    LDAP *ld;                     /* NULL: closed */
};

typedef struct mdm_ldap_guard_t mdm_ldap_guard_t;

/** Limit what is done with l->ld, which is new, until mdm_ldap_guard_end. @return NULL: there is no thread for it */
mdm_ldap_guard_t *mdm_ldap_guard_start(mdm_ldap_t *l, apr_interval_time_t limit);

/** @param cut out: the time was over, or the process stops. @return whether there was a connection */
int mdm_ldap_guard_end(mdm_ldap_guard_t *guard, int *cut);

int mdm_ldap_is_stopping(const mdm_ldap_config_t *config);

/** Note a failure in libldap's words and the directory's. @return MDM_EHTTP, MDM_EDENIED, MDM_ENOTFOUND */
apr_status_t mdm_ldap_fail(mdm_ldap_t *l, int code, const char *what);

/** What a description of an attribute ("member;range=0-1499") says of the part of the list that comes with it. */
typedef struct mdm_ldap_range_t {
    apr_size_t name_len;          /* of the attribute's name, with a language or the like */
    int given;                    /* 0: no range, this is all */
    long first, last;             /* last -1: to the end */
} mdm_ldap_range_t;

/** @return MDM_EINPUT when it has a range that is none; any thread */
apr_status_t mdm_ldap_range(mdm_ldap_range_t *out, const char *description);

/** Wait for the next message of an operation. @param message to be freed by ldap_msgfree */
apr_status_t mdm_ldap_wait(LDAPMessage **message, mdm_ldap_t *l, int id, const char *what);

#endif
