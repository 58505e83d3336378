/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private key that stays in a PKCS#11 token, named by a pkcs11: URI (RFC 7512). It is reached through
 * OpenSSL: a provider that serves the scheme, else the engine "pkcs11". A token opened before fork() cannot
 * be used after it: httpd's parent only names the key, and each child opens it for itself.
 */
#ifndef MDM_PKI_TOKEN_H
#define MDM_PKI_TOKEN_H

#include "mdm_pki.h"

typedef struct mdm_token_t mdm_token_t;

/**
 * The URI when `text` (a directive's value, the contents of a key file) is one and nothing else; else NULL.
 */
const char *mdm_token_uri(mdm_ctx_t *ctx, mdm_bytes_t text);

/**
 * Name a key, opening nothing.
 * @param pin user PIN, a line end after it does not count; it must live as long as the token. Empty: none
 * @return MDM_ECONFIG when the URI carries the PIN itself: it would be seen in logs
 */
apr_status_t mdm_token_new(mdm_token_t **token, mdm_ctx_t *ctx, const char *uri, mdm_bytes_t pin);

/** The key, which can do nothing until mdm_token_open has been called in this process. */
const mdm_key_t *mdm_token_key(const mdm_token_t *token);

/**
 * Log in and find the key; it is closed with ctx->pool. @return MDM_ECONFIG with the reason, never with the PIN
 */
apr_status_t mdm_token_open(mdm_token_t *token, mdm_ctx_t *ctx);

#endif
