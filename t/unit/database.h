/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the unit programs of the store: an empty database per test, SQLite in a temporary folder or a schema of
 * a private PostgreSQL server, and the databases' own command lines as witnesses of what is really stored.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include <check.h>

#include "mdm_store.h"

/* The number of loops of a looped test: one per kind of database. */
#define DATABASES 2

/**
 * Run a suite beside a PostgreSQL server (t/with-postgresql runs this program again when there is none yet).
 * @return the exit code
 */
int database_main(Suite *suite, char **argv);

/** Make the empty database of this test. @param loop the _i of a looped test: 0 SQLite, 1 PostgreSQL */
void database_start(int loop);

void database_end(void);

/** A connection of its own to the database of this test, with tables of ours when they were made. */
mdm_store_t *database_open(apr_pool_t *pool);

/** The same with the tables made. */
mdm_store_t *database_ready(apr_pool_t *pool);

/** Run SQL with sqlite3 or psql: what it prints, columns parted by '|'. Fails the test when that fails. */
const char *database_sql(const char *sql);

/** Driver and parameters, as mdmctl's --database takes them. */
const char *database_driver(void);
const char *database_params(void);

/** The pool of this test. */
apr_pool_t *database_pool(void);

/** The folder of this test. */
const char *database_folder(void);

#endif
