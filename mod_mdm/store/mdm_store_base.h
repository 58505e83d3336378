/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every family of the store shares: the store itself, and the version of its tables. mdm_store.h says
 * the rules that hold for all of them.
 */
#ifndef MDM_STORE_BASE_H
#define MDM_STORE_BASE_H

#include <apr_tables.h>

#include "mdm_db.h"
#include "mdm_seal.h"

#define MDM_SCHEMA_VERSION 5

/** A store for the time of one context: cheap to make, never shared between threads. */
typedef struct mdm_store_t {
    mdm_ctx_t *ctx;
    mdm_db_t *db;
    const mdm_seal_t *seal;
} mdm_store_t;

/** The schema version of the database; 0 when it has no tables of ours. Never heals, never writes. */
apr_status_t mdm_store_version(int *version, mdm_store_t *st);

/** Create all tables (one transaction) and the meta rows. @return MDM_EEXIST when they are there */
apr_status_t mdm_store_init(mdm_store_t *st);

/** Bring an older database to MDM_SCHEMA_VERSION, step by step, each step one transaction. */
apr_status_t mdm_store_upgrade(mdm_store_t *st);

/**
 * Make sure the database fits this program; looked up once per connection, and again every half minute. An empty SQLite
 * database is initialised.
 * @return MDM_ESCHEMA with the mdmctl command that mends it
 */
apr_status_t mdm_store_ready(mdm_store_t *st);

#endif
