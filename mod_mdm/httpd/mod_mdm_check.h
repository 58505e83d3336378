/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of the check that every start and `httpd -t` make. Parent only.
 */
#ifndef MOD_MDM_CHECK_H
#define MOD_MDM_CHECK_H

#include "mod_mdm_config.h"

/**
 * What is wrong with the database's directives, as far as can be told without opening it: none set, or a
 * SQLite file whose folder is missing or closed to httpd's children.
 * @param directive which directive to change; @param remedy what to do
 * @return a sentence, or NULL when nothing is wrong
 */
const char *mdm_check_database(const char **directive, const char **remedy, apr_pool_t *p);

/**
 * What is doubtful about them: a PostgreSQL server in the network, and nothing that ends the wait for it.
 * @return a sentence, or NULL
 */
const char *mdm_check_database_limits(apr_pool_t *p);

#endif
