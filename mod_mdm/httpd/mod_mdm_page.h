/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports as HTML. Every text is escaped here, at output; results live in p. No httpd calls, any thread.
 */
#ifndef MOD_MDM_PAGE_H
#define MOD_MDM_PAGE_H

#include <apr_pools.h>
#include <jansson.h>

/** The whole status page of a report (mdm_status_report). */
const char *mdm_page_status(apr_pool_t *p, const json_t *report);

/** Its figures alone, without a page around, for mod_status. */
const char *mdm_page_section(apr_pool_t *p, const json_t *report);

/** The page of one enrollment (mdm_status_enrollment). */
const char *mdm_page_enrollment(apr_pool_t *p, const char *organization, const json_t *enrollment);

#endif
