/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mdmctl certificate: the copies of all certificates that the CA has issued, and their revocation.
 */
#include <stdio.h>
#include <string.h>

#include "mdm_crl.h"
#include "mdmctl.h"

#define USAGE "... certificate list | show SERIAL | revoke SERIAL [--reason REASON]"
#define PAGE 500

static int list(mdmctl_t *m, mdm_store_t *st)
{
    apr_array_header_t *page;
    const mdm_certificate_t *last = NULL;
    apr_status_t rv;
    int i;

    do {
        if ((rv = mdm_store_certificate_list(&page, st, last, PAGE)) != APR_SUCCESS)
            return mdmctl_fail(m, rv);
        for (i = 0; i < page->nelts; i++) {
            const mdm_certificate_t *c = APR_ARRAY_IDX(page, i, mdm_certificate_t *);

            printf("%s  %-8s  until %s  %s  %s\n", c->serial, mdm_certificate_state(c, mdm_ctx_now(m->ctx)),
                   mdmctl_time(c->not_after, m->ctx->pool), c->user ? c->user : "-", c->subject);
            last = c;
        }
    } while (page->nelts == PAGE);
    return MDMCTL_OK;
}

static int show(mdmctl_t *m, mdm_store_t *st, const char *serial)
{
    apr_pool_t *p = m->ctx->pool;
    mdm_certificate_t *c;
    apr_status_t rv = mdm_store_certificate_by_serial(&c, st, mdm_crl_serial(m->ctx, serial));

    if (rv != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("Serial:      %s\nState:       %s\nSubject:     %s\nUser:        %s\nIssued:      %s\n"
           "Not before:  %s\nNot after:   %s\nFingerprint: %s\n",
           c->serial, mdm_certificate_state(c, mdm_ctx_now(m->ctx)), c->subject,
           c->user ? c->user : "-", mdmctl_time(c->issued_at, p), mdmctl_time(c->not_before, p),
           mdmctl_time(c->not_after, p), c->fingerprint);
    if (c->revoked_at)
        printf("Revoked:     %s, %s\n", mdmctl_time(c->revoked_at, p),
               c->revoked_reason ? c->revoked_reason : "no reason");
    if (c->replaced_by)
        printf("Replaced by: %s\n", c->replaced_by);
    fputs(c->pem, stdout);
    return MDMCTL_OK;
}

static int revoke_one(mdmctl_t *m, mdm_store_t *st, const char *serial, const char *reason)
{
    apr_status_t rv = mdm_crl_revoke(st, serial, reason, "mdmctl", NULL);

    if (rv != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("%s is revoked: its device is refused from now on\n", serial);
    return MDMCTL_OK;
}

int mdmctl_certificate(mdmctl_t *m, int argc, const char **argv)
{
    const char *reason = mdmctl_option(&argc, argv, "--reason");
    mdm_store_t *st;
    apr_status_t rv;
    int is_list = argc == 1 && !strcmp(argv[0], "list");
    int is_show = argc == 2 && !strcmp(argv[0], "show");

    if (!is_list && !is_show && !(argc == 2 && !strcmp(argv[0], "revoke")))
        return mdmctl_usage(USAGE);
    if ((rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    if (is_list)
        return list(m, st);
    return is_show ? show(m, st, argv[1]) : revoke_one(m, st, argv[1], reason);
}
