/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The company's directory: its directives, and the thread that synchronises, one in one child of the machine. Requests
 * and the worker never wait for it.
 */
#ifndef MOD_MDM_DIRECTORY_H
#define MOD_MDM_DIRECTORY_H

#include "mdm_directory.h"
#include "mod_mdm_config.h"

/* Directives. @return a sentence for configtest, or NULL */
const char *mdm_directory_set_url(cmd_parms *cmd, void *dummy, const char *url, const char *security);
const char *mdm_directory_set_bind(cmd_parms *cmd, void *dummy, const char *dn, const char *file);
const char *mdm_directory_add_attribute(cmd_parms *cmd, void *dummy, const char *name, const char *ldap);
const char *mdm_directory_set_disabled(cmd_parms *cmd, void *dummy, const char *filter);
const char *mdm_directory_set_limit(cmd_parms *cmd, void *dummy, const char *percent, const char *count);

/** Put the directory's settings together and read the password, as root in the parent. @return MDM_ECONFIG */
apr_status_t mdm_directory_load(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf);

/** post_config, before mod_watchdog's: register the thread when a site has a directory. @return OK, or an error */
int mdm_directory_post_config(const apr_array_header_t *sites, apr_pool_t *p, server_rec *s);

/** child_init, after the worker's. */
void mdm_directory_child_init(apr_pool_t *pchild);

/** child_stopping: the thread comes to its end within seconds. */
void mdm_directory_child_stopping(apr_pool_t *pchild, int graceful);

#endif
