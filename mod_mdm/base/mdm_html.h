/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for HTML pages. Called by the pages of the httpd floor for every value that is not a constant of ours.
 */
#ifndef MDM_HTML_H
#define MDM_HTML_H

#include <apr_pools.h>

/**
 * `text` as it may stand between tags or within a quoted attribute: & < > " ' become references, what is
 * not UTF-8 and control characters other than tab and line feed become U+FFFD. NULL gives "". Not for
 * scripts, styles or URLs.
 */
const char *mdm_html_escape(const char *text, apr_pool_t *p);

#endif
