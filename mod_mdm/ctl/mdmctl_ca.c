/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mdmctl ca: make the identity CA and the sealing key of a site.
 */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "mdm_ca.h"
#include "mdmctl.h"

#define USAGE "--state-dir DIR ca init [--organization NAME] [--days 3650]"

int mdmctl_ca(mdmctl_t *m, int argc, const char **argv)
{
    const char *organization = mdmctl_option(&argc, argv, "--organization");
    const char *days = mdmctl_option(&argc, argv, "--days");
    apr_interval_time_t lifetime = mdmctl_lifetime(apr_pstrcat(m->ctx->pool, days ? days : "3650", "d",
                                                               NULL));
    apr_status_t rv;

    if (argc != 1 || strcmp(argv[0], "init") || !lifetime)
        return mdmctl_usage(USAGE);
    if (!m->state_dir)
        return mdmctl_fail(m, mdm_fail(m->ctx, MDM_ECONFIG, "say where: --state-dir DIR (MDMStateDir)"));
    rv = mdm_ca_init(m->ctx, m->state_dir, organization, lifetime);
    if (rv != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("%s: ca.pem, ca.key and seal.key are there; keep a copy of the folder in a safe place\n",
           m->state_dir);
    return MDMCTL_OK;
}
