/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the status codes, for log lines and the command line. Pure; any thread.
 */
#include "mdm_err.h"

static const char *const names[] = {
    "MDM_EPLIST", "MDM_EINPUT", "MDM_ECMS", "MDM_EDENIED", "MDM_ENOTFOUND", "MDM_EEXIST", "MDM_ETOOBIG",
    "MDM_EDB", "MDM_ECONFLICT", "MDM_ESCHEMA", "MDM_ECONFIG", "MDM_ECRYPTO", "MDM_EHTTP", "MDM_EGONE",
    "MDM_EFULL",
};

const char *mdm_err_name(apr_status_t rv)
{
    if (rv <= MDM_E_START || rv - MDM_E_START > (apr_status_t)(sizeof(names) / sizeof(names[0])))
        return "APR";
    return names[rv - MDM_E_START - 1];
}
