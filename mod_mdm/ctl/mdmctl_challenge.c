/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mdmctl challenge: hand out one-time SCEP challenges, for devices that no person enrolls.
 */
#include <stdio.h>
#include <string.h>

#include "mdm_challenge.h"
#include "mdmctl.h"

#define USAGE "... challenge new [--subject CN] [--lifetime 1h]"

int mdmctl_challenge(mdmctl_t *m, int argc, const char **argv)
{
    const char *common_name = mdmctl_option(&argc, argv, "--subject");
    const char *lifetime_text = mdmctl_option(&argc, argv, "--lifetime");
    apr_interval_time_t lifetime = mdmctl_lifetime(lifetime_text ? lifetime_text : "1h");
    const char *text;
    mdm_store_t *st;
    apr_status_t rv;

    if (argc != 1 || strcmp(argv[0], "new") || !lifetime)
        return mdmctl_usage(USAGE);
    if ((rv = mdmctl_store(&st, m, 1)) != APR_SUCCESS
        || (rv = mdm_challenge_new(&text, st, NULL, common_name, lifetime)) != APR_SUCCESS)
        return mdmctl_fail(m, rv);
    puts(text);
    return MDMCTL_OK;
}
