/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of LDAP directories (RFC 4511) over OpenLDAP's libldap: bind, search in pages (RFC 2696), read one entry.
 * TLS is always verified, referrals are not followed. It ends within a second when its caller's process stops; only an
 * address that does not answer at all may hold it for up to four. A connection belongs to one thread.
 */
#ifndef MDM_LDAP_H
#define MDM_LDAP_H

#include <apr_tables.h>

#include "mdm_bytes.h"
#include "mdm_ctx.h"

/** Entries per page. */
#define MDM_LDAP_PAGE 500
/** Values of one attribute of one entry that are kept; more are an error. */
#define MDM_LDAP_VALUES_MAX 200000

typedef struct mdm_ldap_t mdm_ldap_t;

/** What an LDAP URL says (RFC 4516), as AuthLDAPURL has it: ldap://HOST[:PORT]/BASE?ATTRIBUTE?SCOPE?FILTER. */
typedef struct mdm_ldap_url_t {
    const char *uri;              /* ldap://HOST:PORT or ldaps://HOST:PORT */
    int tls;                      /* ldaps */
    const char *base;
    const char *attribute;        /* of the login; "uid" */
    int one_level;                /* scope: one; else sub */
    const char *filter;           /* "(objectClass=*)" */
} mdm_ldap_url_t;

typedef struct mdm_ldap_config_t {
    const char *uri;
    int start_tls;                /* TLS on an ldap: connection, before the bind */
    const char *bind_dn;          /* NULL: nobody */
    const char *password;
    const char *ca_file;          /* PEM; NULL: libldap's own, or the system's */
    apr_interval_time_t timeout;  /* for which it waits for the next piece of an answer */
    int (*stopping)(void *baton); /* whether to end; asked several times a second, by another thread too */
    int (*look)(void *baton);     /* the same by the caller's own thread alone, each half second and with each entry */
    void *baton;
} mdm_ldap_config_t;

typedef struct mdm_ldap_entry_t {
    const char *dn;
    int count;
    const apr_array_header_t *const *values;   /* for each attribute asked for: const char *, texts alone, in order */
} mdm_ldap_entry_t;

/** Take an entry of a search. It lives in ctx->pool. @return what ends the search when it is not APR_SUCCESS */
typedef apr_status_t mdm_ldap_entry_fn(void *baton, const mdm_ldap_entry_t *entry);

/** Read a URL. @return MDM_EINPUT */
apr_status_t mdm_ldap_url(mdm_ldap_url_t *out, mdm_ctx_t *ctx, const char *text);

/**
 * Connect and bind; closed with ctx->pool.
 * @return MDM_EHTTP naming the directory when it cannot be reached or trusted; MDM_EDENIED when it refuses the bind;
 *         MDM_ECONFIG when the CA file cannot be read; APR_EINTR when the process stops
 */
apr_status_t mdm_ldap_open(mdm_ldap_t **out, mdm_ctx_t *ctx, const mdm_ldap_config_t *config);

/** Close before ctx->pool goes. */
void mdm_ldap_close(mdm_ldap_t *ldap);

/**
 * Search below url->base. An entry with more values than the directory hands out at once (Active Directory's ranges)
 * is completed.
 * @param also a filter that has to hold beside url->filter, or NULL
 * @param attributes ends with NULL; each place of a name that is there twice gets its values
 * @return MDM_EHTTP when it breaks off, or a range does not go on where the one before has ended: entries have been
 *         handed out, but not all; MDM_ETOOBIG; APR_EINTR
 */
apr_status_t mdm_ldap_search(mdm_ldap_t *ldap, const mdm_ldap_url_t *url, const char *also,
                             const char *const *attributes, mdm_ldap_entry_fn *take, void *baton);

/**
 * Read one entry.
 * @return MDM_ENOTFOUND when there is none of this name, as far as the directory tells; MDM_EDENIED when we may not see
 *         it, or it lives in another directory
 */
apr_status_t mdm_ldap_read(const mdm_ldap_entry_t **out, mdm_ldap_t *ldap, const char *dn,
                           const char *const *attributes);

/** A distinguished name in the form in which equal names are equal texts (RFC 4514, lower case). NULL: it is none */
const char *mdm_ldap_dn(const char *dn, apr_pool_t *p);

#endif
