/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands on their way in. Called by the mdm-api handler, any thread; the network is the worker's business.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_command.h"
#include "mdm_plist.h"

#define UUID_MAX 127
#define REQUEST_TYPE_MAX 63
#define REFUSED_SHOWN 5

typedef struct {
    mdm_store_t *st;
    mdm_command_t *command;
    const char *const *ids;
    int count, wake;
    apr_array_header_t *targets;
} enqueue_t;

apr_status_t mdm_command_read(mdm_command_t **command, mdm_ctx_t *ctx, mdm_bytes_t body)
{
    mdm_command_t *c = apr_pcalloc(ctx->pool, sizeof(*c));
    mdm_plist_t *root;
    apr_status_t rv = mdm_plist_read(&root, ctx, body);

    if (rv != APR_SUCCESS)
        return rv;
    c->uuid = mdm_plist_get_string(root, "CommandUUID");
    c->request_type = mdm_plist_get_string(mdm_plist_get(root, "Command"), "RequestType");
    if (!c->uuid || !*c->uuid || !c->request_type || !*c->request_type)
        return mdm_fail(ctx, MDM_EINPUT, "the command lacks CommandUUID or Command.RequestType");
    if (strlen(c->uuid) > UUID_MAX || strlen(c->request_type) > REQUEST_TYPE_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "CommandUUID is longer than %d or RequestType longer than %d bytes",
                        UUID_MAX, REQUEST_TYPE_MAX);
    if ((rv = mdm_plist_text_of(&body, ctx, body, root)) != APR_SUCCESS)
        return rv;
    c->body = apr_pstrmemdup(ctx->pool, (const char *)body.data, body.len);
    *command = c;
    return APR_SUCCESS;
}

static apr_status_t refuse(mdm_ctx_t *ctx, const apr_array_header_t *refused)
{
    const char *names = "";
    int i;

    for (i = 0; i < refused->nelts && i < REFUSED_SHOWN; i++)
        names = apr_pstrcat(ctx->pool, names, i ? ", " : "", APR_ARRAY_IDX(refused, i, const char *), NULL);
    return mdm_fail(ctx, MDM_EINPUT, "nothing was queued: not enrolled, unknown or named twice: %s%s (%d of "
                    "them)", names, refused->nelts > REFUSED_SHOWN ? ", ..." : "", refused->nelts);
}

static apr_status_t enqueue(void *baton, mdm_db_t *db)
{
    enqueue_t *e = baton;
    apr_array_header_t *refused;
    apr_status_t rv;

    (void)db;
    e->command->id = mdm_id_next();
    if ((rv = mdm_store_command_insert(e->st, e->command)) != APR_SUCCESS
        || (rv = mdm_store_queue_add(&refused, e->st, e->command->id, 0, e->ids, e->count)) != APR_SUCCESS)
        return rv;
    if (refused && refused->nelts)
        return refuse(e->st->ctx, refused);
    return e->wake ? mdm_store_push_want(&e->targets, e->st, mdm_ctx_now(e->st->ctx), e->ids, e->count)
                   : APR_SUCCESS;
}

apr_status_t mdm_command_enqueue(apr_array_header_t **targets, mdm_store_t *st, mdm_command_t *command,
                                 const char *const *enrollment_ids, int count, int wake, const char *actor)
{
    enqueue_t e = { st, command, enrollment_ids, count, wake, NULL };
    apr_status_t rv;

    command->created_by = actor;
    command->created_at = mdm_ctx_now(st->ctx);
    rv = mdm_db_transact(st->db, enqueue, &e);
    *targets = e.targets;
    if (rv == APR_SUCCESS)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0240) "%s %s queued for %d enrollments by %s",
                command->request_type, command->uuid, count, actor);
    return rv;
}

static apr_status_t wake(void *baton, mdm_db_t *db)
{
    enqueue_t *e = baton;

    (void)db;
    return mdm_store_push_want(&e->targets, e->st, mdm_ctx_now(e->st->ctx), e->ids, e->count);
}

apr_status_t mdm_command_wake(apr_array_header_t **targets, mdm_store_t *st,
                              const char *const *enrollment_ids, int count)
{
    enqueue_t e = { st, NULL, enrollment_ids, count, 1, NULL };
    apr_status_t rv = mdm_db_transact(st->db, wake, &e);

    *targets = e.targets;
    return rv;
}
