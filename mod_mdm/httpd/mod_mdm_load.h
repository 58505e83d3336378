/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of mdm_config_load: the CAs of a site, its RA and its signer of profiles. Parent only, but for
 * mdm_load_child.
 */
#ifndef MOD_MDM_LOAD_H
#define MOD_MDM_LOAD_H

#include "mod_mdm_config.h"

#define MDM_LOAD_PEM_MAX (1024 * 1024)

struct ssl_ctx_st;

/** Read a key in PEM out of a secret file; failures name the directive. @return MDM_ECONFIG */
apr_status_t mdm_load_key(mdm_key_t **key, mdm_ctx_t *ctx, const char *directive, const char *file);

/**
 * The present CA, and the next one when it is in MDMStateDir; a subordinate CA's chain joins site->trust.
 * Keys in tokens are tried out in a process of their own, and opened by the children.
 */
apr_status_t mdm_load_authorities(mdm_site_t *site, mdm_ctx_t *ctx, mdm_conf_t *conf);

/** MDMSCEPRAFile; after mdm_load_authorities. */
apr_status_t mdm_load_ra(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf);

/** MDMProfileSignerFile, else the host's TLS certificate, else the CA; after mdm_load_authorities. */
apr_status_t mdm_load_signer(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf);

/** mod_ssl's hook init_server: note the TLS context of a host, from which mdm_load_signer takes. */
int mdm_load_tls(server_rec *s, apr_pool_t *p, int is_proxy, struct ssl_ctx_st *tls);

/** In each child, before its threads: open the keys that are in tokens. */
void mdm_load_child(apr_pool_t *p, server_rec *main_server);

#endif
