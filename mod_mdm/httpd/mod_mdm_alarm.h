/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last request that failed by our own fault (database down, disk full, CA expired), remembered over all
 * children, so that the status page of any of them shows what otherwise only the error log tells.
 */
#ifndef MOD_MDM_ALARM_H
#define MOD_MDM_ALARM_H

#include "mod_mdm_config.h"

/** post_config: make the shared memory in p. @return APR's code */
apr_status_t mdm_alarm_create(apr_pool_t *p);

/** Remember a failure; any process and thread, never blocks. */
void mdm_alarm_raise(apr_time_t at, const char *text);

/** The last failure within `span` before `now`; NULL when there is none. @param at when it was */
const char *mdm_alarm_last(apr_time_t *at, apr_time_t now, apr_interval_time_t span, apr_pool_t *p);

#endif
