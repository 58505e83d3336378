/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many sign-ins have failed for an account and from an address, counted in shared memory over all
 * children. An attempt is counted as failed before it is made, so that many at once do not slip through
 * together; a good one is taken back.
 */
#ifndef MOD_MDM_RATE_H
#define MOD_MDM_RATE_H

#include "mod_mdm_config.h"

/* What an attempt is counted under: keyed hashes, no names. */
typedef struct mdm_rate_keys_t {
    apr_uint64_t account, address;
} mdm_rate_keys_t;

/** pre_config: announce the mutex, so that the directive Mutex can name it ("mdm-sign-in"). */
apr_status_t mdm_rate_register(apr_pool_t *pconf);

/** post_config: shared memory, mutex and hash key, in p. */
apr_status_t mdm_rate_create(apr_pool_t *p, server_rec *s);

/** child_init. */
apr_status_t mdm_rate_child_init(apr_pool_t *p);

/** @param login as typed; @param address of the client: of IPv6 only the network (64 bits) counts */
apr_status_t mdm_rate_keys(mdm_rate_keys_t *keys, const mdm_conf_t *conf, const char *login,
                           const char *address, apr_pool_t *p);

/**
 * Count an attempt.
 * @return 0, or how long to wait because MDMSignInLimit is reached: then nothing was counted, and the
 *         password must not be looked at
 */
apr_interval_time_t mdm_rate_take(const mdm_conf_t *conf, const mdm_rate_keys_t *keys, apr_time_t now);

/** Take an attempt back that was no failure. @param granted nonzero: the account's failures are forgotten */
void mdm_rate_give_back(const mdm_conf_t *conf, const mdm_rate_keys_t *keys, apr_time_t now, int granted);

#endif
