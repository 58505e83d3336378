/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices answer, made into facts: single values by name (DeviceInformation, SecurityInfo, ...), lists of items
 * (profiles, certificates, applications, updates, ...), and secrets for safe keeping. Called in the transaction of the
 * device's answer, any thread.
 */
#ifndef MDM_FACTS_H
#define MDM_FACTS_H

#include "mdm_device.h"

/**
 * Take the answer to a command in. An answer without news writes only when it was seen; a RequestType that says
 * nothing of the device writes nothing. What cannot be read is logged and left out: the answer itself is kept anyway. A
 * ProfileList is compared with what should hold (mdm_drift.h), a new system is a reason to ask for one, and facts that
 * groups or profiles look at have the enrollment looked at again.
 * @param row     of this message: enrollment, answered, answered_type; `next` may become a ProfileList
 * @return MDM_EDB
 */
apr_status_t mdm_facts_take(mdm_store_t *st, const mdm_site_t *site, mdm_connect_row_t *row,
                            const mdm_device_t *device);

/** Whether an acknowledged command of this RequestType has anything for mdm_facts_take. No statement. */
int mdm_facts_wanted(const char *request_type);

#endif
