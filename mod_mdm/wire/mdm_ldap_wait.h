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

/** Note a failure in libldap's words and the directory's. @return MDM_EHTTP, MDM_EDENIED, MDM_ENOTFOUND */
apr_status_t mdm_ldap_fail(mdm_ldap_t *l, int code, const char *what);

/** Wait for the next message of an operation. @param message to be freed by ldap_msgfree */
apr_status_t mdm_ldap_wait(LDAPMessage **message, mdm_ldap_t *l, int id, const char *what);

#endif
