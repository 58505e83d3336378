/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the property list reader and writer: whatever is read must be written, read again as the
 * same tree, and written again as the same bytes. Built with libFuzzer, or with t/fuzz/replay.c for "make
 * check".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mdm_plist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int same_bytes(mdm_bytes_t a, mdm_bytes_t b)
{
    return a.len == b.len && (!a.len || memcmp(a.data, b.data, a.len) == 0);
}

static int same_item(const mdm_plist_t *a, const mdm_plist_t *b)
{
    int same_key = !a->key == !b->key && (!a->key || strcmp(a->key, b->key) == 0);

    return same_key && a->type == b->type && a->count == b->count && same_bytes(a->bytes, b->bytes)
        && a->integer == b->integer && a->real == b->real && a->date == b->date;
}

static int same_tree(const mdm_plist_t *a, const mdm_plist_t *b)
{
    const mdm_plist_t *x, *y;

    if (!same_item(a, b))
        return 0;
    for (x = a->first, y = b->first; x && y; x = x->next, y = y->next) {
        if (!same_tree(x, y))
            return 0;
    }
    return !x && !y;
}

static void check(int holds)
{
    if (!holds)
        abort();
}

static void round_trip(mdm_ctx_t *ctx, mdm_bytes_t text)
{
    mdm_plist_t *tree, *again;
    mdm_bytes_t first, second;
    apr_status_t rv = mdm_plist_read(&tree, ctx, text);

    if (rv != APR_SUCCESS) {
        check((rv == MDM_EPLIST || rv == MDM_ETOOBIG) && ctx->detail && ctx->status == rv);
        return;
    }
    check(!ctx->detail);
    check(mdm_plist_write(&first, ctx, tree) == APR_SUCCESS);
    /* Escapes and indentation may lengthen a text beyond the limit for reading. */
    if (first.len > MDM_PLIST_MAX_BYTES)
        return;
    check(mdm_plist_read(&again, ctx, first) == APR_SUCCESS);
    check(same_tree(tree, again));
    check(mdm_plist_write(&second, ctx, again) == APR_SUCCESS);
    check(same_bytes(first, second));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    mdm_bytes_t text = { data, size };
    apr_pool_t *pool;

    if (!root) {
        check(apr_initialize() == APR_SUCCESS);
        check(apr_pool_create(&root, NULL) == APR_SUCCESS);
        mdm_plist_init();
    }
    check(apr_pool_create(&pool, root) == APR_SUCCESS);
    round_trip(mdm_ctx_create(pool, NULL), text);
    apr_pool_destroy(pool);
    return 0;
}
