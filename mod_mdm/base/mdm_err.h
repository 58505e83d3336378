/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status codes of mod_mdm, beside APR's own. Every function of the core returns apr_status_t;
 * the border (httpd/mod_mdm_io.c, ctl/) turns a code into an HTTP status or an exit code, in one table.
 */
#ifndef MDM_ERR_H
#define MDM_ERR_H

#include <apr_errno.h>

#define MDM_E_START   (APR_OS_START_USERERR + 4200)

#define MDM_EPLIST    (MDM_E_START + 1)   /* not a property list we accept */
#define MDM_EINPUT    (MDM_E_START + 2)   /* well formed, but a value is missing or wrong */
#define MDM_ECMS      (MDM_E_START + 3)   /* not CMS, or a signature or envelope that does not hold */
#define MDM_EDENIED   (MDM_E_START + 4)   /* the caller is not who it has to be */
#define MDM_ENOTFOUND (MDM_E_START + 5)   /* no such object */
#define MDM_EEXIST    (MDM_E_START + 6)   /* the object is already there */
#define MDM_ETOOBIG   (MDM_E_START + 7)   /* over a size or count limit */
#define MDM_EDB       (MDM_E_START + 8)   /* the database did not answer or refused a statement */
#define MDM_ECONFLICT (MDM_E_START + 9)   /* lost against another transaction; the whole may be retried */
#define MDM_ESCHEMA   (MDM_E_START + 10)  /* the database is of another version than this program */
#define MDM_ECONFIG   (MDM_E_START + 11)  /* a directive, file or set-up step is missing or wrong */
#define MDM_ECRYPTO   (MDM_E_START + 12)  /* OpenSSL failed where it should not */
#define MDM_EHTTP     (MDM_E_START + 13)  /* an HTTP peer could not be reached or answered nonsense */
#define MDM_EGONE     (MDM_E_START + 14)  /* was there once, and is over for good */
#define MDM_EFULL     (MDM_E_START + 15)  /* no room now; the same can be asked again when there is */

/**
 * The name of a code, for logs ("MDM_EDENIED"); APR's and unknown codes give "APR".
 * @return a static string
 */
const char *mdm_err_name(apr_status_t rv);

#endif
