/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of commands written as JSON. What is taken must be a command that is read as one with the same type and
 * UUID, be the same when it is made again, and have its warnings. Built with libFuzzer, or with t/fuzz/replay.c for
 * "make check".
 */
#include "mdm_command.h"
#include "mdm_command_json.h"
#include "mdm_json.h"
#include "mdm_plist_json.h"
#include "target.h"

#define UUID "fuzz <&> \xc3\xbc"

static void use(mdm_ctx_t *ctx, const mdm_command_t *command, const json_t *json)
{
    const mdm_command_type_t *type = mdm_command_type(command->request_type);
    mdm_command_t *read, *again;
    mdm_plist_t *tree;
    apr_array_header_t *warnings;
    int i;

    check(type && !strcmp(command->uuid, UUID) && command->body);
    check(mdm_command_read(&read, ctx, mdm_bytes_of(command->body)) == APR_SUCCESS);
    check(!strcmp(read->uuid, command->uuid) && !strcmp(read->request_type, command->request_type));
    check(mdm_command_from_json(&again, ctx, json, UUID) == APR_SUCCESS && !strcmp(again->body, command->body)
          && again->delivery == command->delivery);
    check(mdm_plist_read(&tree, ctx, mdm_bytes_of(command->body)) == APR_SUCCESS);
    check(mdm_plist_to_json_text(tree, ctx->pool) != NULL);
    warnings = mdm_command_lacks(type, json, 0, ctx->pool);
    for (i = 0; warnings && i < warnings->nelts; i++)
        check(mdm_utf8_valid(mdm_bytes_of(APR_ARRAY_IDX(warnings, i, const char *))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mdm_bytes_t text = { data, size };
    mdm_ctx_t *ctx = target_ctx();
    mdm_command_t *command;
    json_t *json;
    apr_status_t rv = mdm_json_read(&json, ctx, text);

    if (rv == APR_SUCCESS)
        rv = mdm_command_from_json(&command, ctx, json, UUID);
    if (rv != APR_SUCCESS)
        check_refusal(ctx, rv);
    else
        use(ctx, command, json);
    apr_pool_destroy(ctx->pool);
    return 0;
}
