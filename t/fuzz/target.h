/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fuzz targets of parsers that need no keys have in common: a pool for each input, and what a refusal has to be.
 */
#ifndef MDM_FUZZ_TARGET_H
#define MDM_FUZZ_TARGET_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "mdm_ctx.h"
#include "mdm_plist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void check(int holds)
{
    if (!holds)
        abort();
}

/** A context in a pool of its own, which the caller destroys. */
static inline mdm_ctx_t *target_ctx(void)
{
    static apr_pool_t *root;
    apr_pool_t *pool;

    if (!root) {
        check(apr_initialize() == APR_SUCCESS && apr_pool_create(&root, NULL) == APR_SUCCESS);
        mdm_plist_init();
    }
    check(apr_pool_create(&pool, root) == APR_SUCCESS);
    return mdm_ctx_create(pool, NULL);
}

/** What was refused is told in a sentence; the context is as new then. */
static inline void check_refusal(mdm_ctx_t *ctx, apr_status_t rv)
{
    check(rv == MDM_EINPUT || rv == MDM_EPLIST || rv == MDM_ETOOBIG || rv == MDM_ENOTFOUND);
    check(ctx->detail && *ctx->detail && ctx->status == rv);
    mdm_ctx_clear(ctx);
}

/** Cut the first part off `rest`, up to `end`; all of it when there is none. */
static inline mdm_bytes_t target_cut(mdm_bytes_t *rest, const char *end)
{
    apr_size_t len = strlen(end), at = 0;
    mdm_bytes_t part = *rest;

    while (at + len <= rest->len && memcmp(rest->data + at, end, len))
        at++;
    if (at + len > rest->len) {
        rest->data += rest->len;
        rest->len = 0;
        return part;
    }
    part.len = at;
    rest->data += at + len;
    rest->len -= at + len;
    return part;
}

#endif
