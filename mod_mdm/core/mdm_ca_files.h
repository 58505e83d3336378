/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mdm_ca.c and mdm_ca_next.c share: new keys, and files written in the right order. Nobody else
 * includes it.
 */
#ifndef MDM_CA_FILES_H
#define MDM_CA_FILES_H

#include "mdm_ca.h"

/**
 * A new key, or that of a token, and what goes into its file: PEM, or the URI.
 * @return MDM_ECRYPTO, MDM_ECONFIG
 */
apr_status_t mdm_ca_new_key(const mdm_key_t **key, mdm_bytes_t *contents, mdm_ctx_t *ctx, const char *uri,
                            mdm_bytes_t pin);

/** Write the key, then the certificate. */
apr_status_t mdm_ca_write(mdm_ctx_t *ctx, const char *cert_file, const char *key_file, const mdm_cert_t *cert,
                          mdm_bytes_t key);

#endif
