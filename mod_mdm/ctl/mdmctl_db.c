/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mdmctl db: look at, make and upgrade the tables.
 */
#include <stdio.h>
#include <string.h>

#include "mdmctl.h"

#define USAGE "... db status | init | upgrade"

static int status(mdmctl_t *m, int version)
{
    if (version == MDM_SCHEMA_VERSION)
        printf("schema version %d: up to date\n", version);
    else if (!version)
        printf("schema version 0, no tables yet: run mdmctl ... db init\n");
    else if (version < MDM_SCHEMA_VERSION)
        printf("schema version %d, this program needs %d: run mdmctl ... db upgrade\n", version,
               MDM_SCHEMA_VERSION);
    else
        printf("schema version %d is newer than this program's %d: install the newer mod_mdm\n", version,
               MDM_SCHEMA_VERSION);
    (void)m;
    return version == MDM_SCHEMA_VERSION ? MDMCTL_OK : MDMCTL_FAILED;
}

static int done(mdmctl_t *m, apr_status_t rv)
{
    if (rv != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    printf("schema version %d: up to date\n", MDM_SCHEMA_VERSION);
    return MDMCTL_OK;
}

int mdmctl_db(mdmctl_t *m, int argc, const char **argv)
{
    mdm_store_t *st;
    apr_status_t rv;
    int version;

    if (argc != 1 || (strcmp(argv[0], "status") && strcmp(argv[0], "init") && strcmp(argv[0], "upgrade")))
        return mdmctl_usage(USAGE);
    if ((rv = mdmctl_store(&st, m, 0)) != APR_SUCCESS
        || (rv = mdm_store_version(&version, st)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    if (!strcmp(argv[0], "status"))
        return status(m, version);
    return done(m, strcmp(argv[0], "init") ? mdm_store_upgrade(st) : mdm_store_init(st));
}
