/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS over a connected socket that never blocks, for mdm_http_link.c: the client's side, by OpenSSL, TLS 1.2 or newer,
 * ALPN "h2". Private to mdm_http*.c and their thread.
 */
#ifndef MDM_HTTP_TLS_H
#define MDM_HTTP_TLS_H

#include "mdm_bytes.h"
#include "mdm_ctx.h"

typedef struct mdm_http_tls_t mdm_http_tls_t;

/**
 * Prepare for a server named `host` (or an address): the certificate and key to show (PEM, may be empty), the CAs to
 * trust (PEM; empty: the system's). Nothing of them is kept by reference.
 * @return MDM_ECRYPTO when a certificate or key cannot be used
 */
apr_status_t mdm_http_tls_create(mdm_http_tls_t **tls, mdm_ctx_t *ctx, const char *host, mdm_bytes_t cert_pem,
                                 mdm_bytes_t key_pem, mdm_bytes_t ca_pem);

/** Speak over this socket, which stays the caller's. */
apr_status_t mdm_http_tls_attach(mdm_http_tls_t *tls, mdm_ctx_t *ctx, int fd);

/** @return 1 when done, 0 when the socket has to be waited for, -1 when it failed: see mdm_http_tls_error */
int mdm_http_tls_handshake(mdm_http_tls_t *tls);

/** @return how many octets; 0 when the socket has to be waited for, -1 at the end: see mdm_http_tls_error */
int mdm_http_tls_read(mdm_http_tls_t *tls, unsigned char *data, int room);
int mdm_http_tls_write(mdm_http_tls_t *tls, const unsigned char *data, int len);

/** Whether the handshake waits for room in the socket, not for octets. */
int mdm_http_tls_wants_write(const mdm_http_tls_t *tls);

/** Whether the server chose HTTP/2. */
int mdm_http_tls_is_h2(const mdm_http_tls_t *tls);

/** Why the last call failed; never NULL. */
const char *mdm_http_tls_error(const mdm_http_tls_t *tls);

/** Tell the server goodbye, without waiting. */
void mdm_http_tls_end(mdm_http_tls_t *tls);

#endif
