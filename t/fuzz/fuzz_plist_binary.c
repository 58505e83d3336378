/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of binary property lists: an input is what follows the magic. Whatever is read must be written as
 * XML, and the XML read and written again must be the same bytes. Built with libFuzzer, or with t/fuzz/replay.c
 * for "make check", where each seed is also tried cut off at every length and with every byte changed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mdm_plist.h"

#define MAGIC "bplist00"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void round_trip(mdm_ctx_t *ctx, mdm_bytes_t bytes)
{
    mdm_plist_t *tree, *again;
    mdm_bytes_t first, second;
    apr_status_t rv = mdm_plist_read(&tree, ctx, bytes);

    if (rv != APR_SUCCESS) {
        check((rv == MDM_EPLIST || rv == MDM_ETOOBIG) && ctx->detail && ctx->status == rv);
        return;
    }
    check(!ctx->detail);
    rv = mdm_plist_text_of(&first, ctx, bytes, tree);
    if (rv == MDM_ETOOBIG)
        return;
    check(rv == APR_SUCCESS && mdm_plist_read(&again, ctx, first) == APR_SUCCESS);
    check(mdm_plist_write(&second, ctx, again) == APR_SUCCESS);
    check(first.len == second.len && !memcmp(first.data, second.data, first.len));
}

static void one_input(const uint8_t *data, size_t size)
{
    static apr_pool_t *root;
    unsigned char *copy = malloc(size + sizeof(MAGIC) - 1);
    mdm_bytes_t bytes = { copy, size + sizeof(MAGIC) - 1 };
    apr_pool_t *pool;

    check(copy != NULL);
    memcpy(copy, MAGIC, sizeof(MAGIC) - 1);
    memcpy(copy + sizeof(MAGIC) - 1, data, size);
    if (!root) {
        check(apr_initialize() == APR_SUCCESS);
        check(apr_pool_create(&root, NULL) == APR_SUCCESS);
        mdm_plist_init();
    }
    check(apr_pool_create(&pool, root) == APR_SUCCESS);
    round_trip(mdm_ctx_create(pool, NULL), bytes);
    apr_pool_destroy(pool);
    free(copy);
}

#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    one_input(data, size);
    return 0;
}
#else
#define MUTATED_MAX 600

/* Every prefix, and every byte with each of eight other values. */
static void neighbours(const uint8_t *data, size_t size)
{
    static const uint8_t masks[] = { 0x01, 0x02, 0x08, 0x10, 0x30, 0x80, 0xf0, 0xff };
    uint8_t *copy = malloc(size + 1);
    size_t i, k;

    check(copy != NULL);
    memcpy(copy, data, size);
    for (i = 0; i < size; i++) {
        one_input(data, i);
        for (k = 0; k < sizeof(masks); k++) {
            copy[i] = data[i] ^ masks[k];
            one_input(copy, size);
        }
        copy[i] = data[i];
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    one_input(data, size);
    if (size <= MUTATED_MAX)
        neighbours(data, size);
    return 0;
}
#endif
