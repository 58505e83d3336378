/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second person. Called where commands are ordered, decided about and handed out, any thread. Bodies are never
 * logged.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_approval.h"
#include "mdm_command.h"
#include "mdm_person.h"

typedef struct {
    mdm_store_t *st;
    const mdm_command_t *command;
    const char *enrollment_id, *source;
} hold_t;

int mdm_approval_needed(const mdm_site_t *site, const char *request_type)
{
    const apr_array_header_t *types = site ? site->approvals : NULL;
    int i;

    for (i = 0; types && i < types->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(types, i, const char *), request_type))
            return 1;
    }
    return 0;
}

apr_status_t mdm_approval_may_decide(mdm_ctx_t *ctx, const mdm_command_t *command, const char *actor, int approve)
{
    mdm_command_t *sealed;
    apr_status_t rv;

    if (!approve && !command->orderer)
        return APR_SUCCESS;
    if (!command->orderer)
        return mdm_fail(ctx, MDM_EDENIED, "who ordered the command %s cannot be told any more: deny it, and order it "
                        "again", command->uuid);
    if (mdm_person_is_same(command->orderer, actor, ctx->pool))
        return mdm_fail(ctx, MDM_EDENIED, "%s ordered this command: another person has to decide. All who use the API "
                        "key are one person; let Apache tell people apart (docs/operations.md)", command->orderer);
    if (!approve)
        return APR_SUCCESS;
    if ((rv = mdm_command_read(&sealed, ctx, mdm_bytes_of(command->body))) != APR_SUCCESS)
        return rv;
    if (strcmp(sealed->request_type, command->request_type) || strcmp(sealed->uuid, command->uuid))
        return mdm_fail(ctx, MDM_EDENIED, "the command %s is %s %s in truth, and was %s only in the database: somebody "
                        "has changed its row; deny it", command->uuid, sealed->request_type, sealed->uuid,
                        command->request_type);
    return APR_SUCCESS;
}

apr_status_t mdm_approval_check(mdm_command_t *held, mdm_store_t *st, const mdm_site_t *site,
                                const mdm_connect_row_t *row)
{
    mdm_command_people_t people;
    mdm_command_t *command;
    apr_status_t rv;

    /* what a renewal hands out is made by this server, whatever its row says */
    if (!site->approvals || row->next_delivery == MDM_DELIVERY_RENEWAL)
        return APR_SUCCESS;
    if ((rv = mdm_command_read(&command, st->ctx, mdm_bytes_of(row->next_body))) != APR_SUCCESS)
        return rv;
    if (!mdm_approval_needed(site, command->request_type))
        return APR_SUCCESS;
    if ((rv = mdm_store_command_people(&people, st, row->next)) != APR_SUCCESS)
        return rv;
    if (!people.orderer)
        return mdm_fail(st->ctx, MDM_EGONE, "it needs a second person (MDMApproval), and who ordered it cannot be told "
                        "any more: order it again");
    if (people.approver && !mdm_person_is_same(people.approver, people.orderer, st->ctx->pool))
        return APR_SUCCESS;
    *held = *command;
    held->id = row->next;
    held->created_by = people.orderer;
    held->note = people.note;
    return mdm_fail(st->ctx, MDM_EDENIED, "no second person has approved it (MDMApproval)");
}

static apr_status_t hold(void *baton, mdm_db_t *db)
{
    hold_t *h = baton;
    const mdm_command_t *c = h->command;
    apr_status_t rv = mdm_store_command_hold(h->st, c->id, c->created_by, c->request_type);

    (void)db;
    return rv != APR_SUCCESS ? rv
           : mdm_store_event(h->st, "command.held", c->created_by, h->source, h->enrollment_id, c->uuid,
                             apr_pstrcat(h->st->ctx->pool, c->request_type, ", when a device asked for it",
                                         c->note ? ": " : NULL, c->note, NULL));
}

apr_status_t mdm_approval_hold(mdm_store_t *st, const mdm_command_t *held, const char *enrollment_id,
                               const char *source)
{
    hold_t h = { st, held, enrollment_id, source };
    apr_status_t rv = mdm_db_transact(st->db, hold, &h);

    if (rv == APR_SUCCESS)
        mdm_log(st->ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(0888) "%s %s was about to go out to %s without a second "
                "person's approval: it is held, for all its devices. Either MDMApproval came after the order, or "
                "somebody has written to the database", held->request_type, held->uuid, enrollment_id);
    return rv;
}
