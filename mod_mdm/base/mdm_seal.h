/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets at rest: AES-256-GCM under a key that is not in the database. A sealed value is a text
 * "1:<key id>:<base64 of nonce, ciphertext and tag>"; it opens only with the same key and the same associated
 * text, so that a value copied to another row or column does not open. A sealer is read-only after its making
 * and may be shared by threads.
 */
#ifndef MDM_SEAL_H
#define MDM_SEAL_H

#include "mdm_bytes.h"
#include "mdm_ctx.h"

#define MDM_SEAL_KEY_LEN 32

typedef struct mdm_seal_t mdm_seal_t;

/**
 * Read the sealing key from a secret file (64 hex digits and a line end) made by mdm_seal_create. The
 * sealer lives in, and is cleansed with, ctx->pool.
 * @return MDM_ECONFIG naming the file when it is missing, open to others or malformed
 */
apr_status_t mdm_seal_read(mdm_seal_t **seal, mdm_ctx_t *ctx, const char *file);

/** Make a new random key in `file`, mode 0600. @return MDM_EEXIST when the file is there */
apr_status_t mdm_seal_create(mdm_ctx_t *ctx, const char *file);

/** Seal `plain`. @param where associated text "column:row"; @return MDM_ECRYPTO */
apr_status_t mdm_seal(const char **sealed, mdm_ctx_t *ctx, const mdm_seal_t *seal, mdm_bytes_t plain,
                      const char *where);

/**
 * Open a sealed value; the plain bytes are NUL-terminated beyond their length.
 * @return MDM_ECRYPTO when the key, the place or the text is not the one it was sealed with
 */
apr_status_t mdm_unseal(mdm_bytes_t *plain, mdm_ctx_t *ctx, const mdm_seal_t *seal, const char *sealed,
                        const char *where);

/**
 * HMAC-SHA256 under the sealing key, for values that must be stable on this site and meaningless elsewhere.
 */
apr_status_t mdm_seal_mac(unsigned char out[MDM_SHA256_LEN], const mdm_seal_t *seal, mdm_bytes_t data);

#endif
