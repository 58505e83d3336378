/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identity that a web server shows in its TLS handshakes, borrowed to sign profiles: what a browser
 * trusts here, a device trusts there. Called by the parent while it loads a site.
 */
#ifndef MDM_PKI_TLS_H
#define MDM_PKI_TLS_H

#include "mdm_pki.h"

struct ssl_ctx_st;

/**
 * Certificate, key and intermediates (mdm_cert_t *, without the root where that is told apart) of a TLS
 * server context; of several RSA is preferred, then EC. They hold references of their own, so they live in
 * ctx->pool.
 * @return MDM_ENOTFOUND without a detail when the context has no RSA or EC certificate with its key
 */
apr_status_t mdm_tls_identity(mdm_cert_t **cert, mdm_key_t **key, apr_array_header_t **chain, mdm_ctx_t *ctx,
                              struct ssl_ctx_st *tls);

#endif
