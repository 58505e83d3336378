/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mdmctl request: SCEP requests that wait for an administrator (MDMSCEPApproval manual), and his word on them.
 */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_request.h"
#include "mdmctl.h"

#define USAGE "... request list [--state pending|approved|denied|issued] | approve ID | deny ID"
#define PAGE 500

static int list(mdmctl_t *m, mdm_store_t *st, mdm_request_state_e state)
{
    apr_array_header_t *page;
    apr_int64_t cursor = 0;
    apr_status_t rv;
    int i;

    do {
        if ((rv = mdm_store_request_list(&page, st, state, cursor, PAGE)) != APR_SUCCESS)
            return mdmctl_fail(m, rv);
        for (i = 0; i < page->nelts; i++) {
            const mdm_request_t *r = APR_ARRAY_IDX(page, i, mdm_request_t *);

            printf("%s  %-8s  %s  %s  %s  %s\n", apr_psprintf(m->ctx->pool, "%" APR_INT64_T_FMT, r->id),
                   mdm_request_state_name(r->state), mdmctl_time(r->created_at, m->ctx->pool),
                   r->source_ip ? r->source_ip : "-", r->user ? r->user : "-", r->subject);
            cursor = r->id;
        }
    } while (page->nelts == PAGE);
    return MDMCTL_OK;
}

static int decide(mdmctl_t *m, mdm_store_t *st, apr_int64_t id, mdm_request_state_e state)
{
    mdm_request_t *request;
    apr_status_t rv = mdm_request_decide(&request, st, id, state, "mdmctl", NULL);

    if (rv != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("%s: %s\n", request->subject, state == MDM_REQUEST_APPROVED
           ? "approved, the client gets its certificate when it asks next" : "denied");
    return MDMCTL_OK;
}

int mdmctl_request(mdmctl_t *m, int argc, const char **argv)
{
    const char *name = mdmctl_option(&argc, argv, "--state");
    mdm_request_state_e state = mdm_request_state_of(name);
    apr_int64_t id = argc == 2 ? mdm_request_id(argv[1]) : 0;
    int is_list = argc == 1 && !strcmp(argv[0], "list"), approves = id && !strcmp(argv[0], "approve");
    mdm_store_t *st;
    apr_status_t rv;

    if ((name && !state) || (!is_list && !approves && !(id && !strcmp(argv[0], "deny"))))
        return mdmctl_usage(USAGE);
    if ((rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    if (is_list)
        return list(m, st, state);
    return decide(m, st, id, approves ? MDM_REQUEST_APPROVED : MDM_REQUEST_DENIED);
}
