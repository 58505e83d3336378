/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that hold keys, and files beside them. Secret files must belong to the user that reads them (root in
 * the parent) and be closed to group and others. Called in the parent process and by mdmctl only; children
 * never open these files.
 */
#ifndef MDM_FILE_H
#define MDM_FILE_H

#include "mdm_bytes.h"
#include "mdm_ctx.h"

/**
 * Check that `file` is a regular file, owned by the effective user or root, without any right for group or
 * others. Reads nothing.
 * @return MDM_ECONFIG with a sentence that names the file and the chmod or chown to do
 */
apr_status_t mdm_file_check_secret(mdm_ctx_t *ctx, const char *file);

/** Read a secret file of at most 64 kB, after mdm_file_check_secret; cleansed with ctx->pool. */
apr_status_t mdm_file_read_secret(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *file);

/** Read any file of at most `max` bytes. @return MDM_ECONFIG when missing, unreadable or larger */
apr_status_t mdm_file_read(mdm_bytes_t *out, mdm_ctx_t *ctx, const char *file, apr_size_t max);

/**
 * Create a file with the given contents, durable before the return; never replaces one.
 * @param secret nonzero: mode 0600, else 0644
 * @return MDM_EEXIST when it is already there
 */
apr_status_t mdm_file_create(mdm_ctx_t *ctx, const char *file, mdm_bytes_t contents, int secret);

/** Give a file a second name, durable before the return. @return MDM_EEXIST when that name is taken */
apr_status_t mdm_file_link(mdm_ctx_t *ctx, const char *file, const char *name);

/** Rename a file, in place of what has that name, durable before the return. */
apr_status_t mdm_file_rename(mdm_ctx_t *ctx, const char *file, const char *name);

#endif
