/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was here and what was handed out, gathered in memory and written by time: these marks are
 * worth no statement in a device's request, and losing the last seconds of them in a crash loses
 * nothing that was promised.
 */
#ifndef MOD_MDM_SEEN_H
#define MOD_MDM_SEEN_H

#include "mod_mdm_config.h"

/** child_init: make this process' table; freed with p. */
void mdm_seen_init(apr_pool_t *p);

/** Note a visit; any request thread. @param command id of the command handed out, 0: none */
void mdm_seen_note(const mdm_conf_t *conf, apr_int64_t enrollment, apr_time_t at, const char *ip,
                   apr_int64_t command);

/**
 * Write what has been gathered, and forget it; what the database does not take is dropped after one log line
 * for each site. Called from one thread of the process at a time, never from a request.
 */
void mdm_seen_flush(apr_pool_t *p);

#endif
