/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database connection of APR DBD with every driver's quirks behind it: lazily prepared statements that heal
 * after a reconnect or a schema change, NULLs, row counts, transactions that know when they failed. Only
 * mdm_db.c includes apr_dbd.h. A connection belongs to one thread at a time.
 */
#ifndef MDM_DB_H
#define MDM_DB_H

#include "mdm_bytes.h"
#include "mdm_ctx.h"
#include "mdm_sql.h"

struct apr_dbd_t;
struct apr_dbd_driver_t;

typedef struct mdm_db_t mdm_db_t;

typedef enum { MDM_DB_UNSET = 0, MDM_DB_SQLITE3, MDM_DB_PGSQL } mdm_db_kind_e;

/** Rows of a SELECT: every value copied into the pool; NULL is NULL on every driver. */
typedef struct mdm_rows_t {
    int count, columns;
    const char **values;            /* row-major */
} mdm_rows_t;

#define MDM_ROW(rows, r, c) ((rows)->values[(r) * (rows)->columns + (c)])

/**
 * Make this process ready for databases: APR's drivers, and the mutex on which its writers to SQLite queue.
 * Once per process, before threads: child_init, mdmctl, tests.
 */
apr_status_t mdm_db_init(apr_pool_t *process_pool);

/**
 * Wrap an open connection for the time of `ctx`.
 * @param connection_pool lives exactly as long as the connection: prepared statements are remembered there,
 *        so that the next wrap of the same connection finds them
 * @return MDM_ECONFIG for a driver we do not know
 */
apr_status_t mdm_db_wrap(mdm_db_t **db, mdm_ctx_t *ctx, const struct apr_dbd_driver_t *driver,
                         struct apr_dbd_t *handle, apr_pool_t *connection_pool);

/** Open a connection of our own (mdmctl, tests). @param driver "sqlite3" or "pgsql"; closed with ctx->pool */
apr_status_t mdm_db_open(mdm_db_t **db, mdm_ctx_t *ctx, const char *driver, const char *params);

/** The connection goes to somebody else: from now on statements through this wrap fail with MDM_EDB. */
void mdm_db_retire(mdm_db_t *db);

mdm_db_kind_e mdm_db_kind(const mdm_db_t *db);

/**
 * From now on results and failures go to another context: long work keeps its memory within bounds by one for each
 * step. Never inside a transaction.
 * @return the context until now, to which the caller goes back before that of the step ends
 */
mdm_ctx_t *mdm_db_use(mdm_db_t *db, mdm_ctx_t *ctx);

/** What the store notes at the connection: which schema was found there, and when. */
typedef struct {
    int version;
    apr_time_t at;
} mdm_db_mark_t;

/** The note; all 0 at first, and when the session may be another or the schema has changed. */
mdm_db_mark_t *mdm_db_mark(mdm_db_t *db);

/**
 * Tell a new database, outside any transaction, what it has to remember itself (SQLite: WAL).
 * @return MDM_EDB
 */
apr_status_t mdm_db_settle(mdm_db_t *db);

/** Statements run through this wrap since it was made or counted anew (BEGIN, COMMIT and PRAGMA not counted). */
int mdm_db_statements(const mdm_db_t *db);

/** What was run so far was for the connection, not for who asked for it: count from zero. */
void mdm_db_count_anew(mdm_db_t *db);

/**
 * Run a SELECT. Outside a transaction a failure is healed once (connection checked, statements prepared
 * again).
 * @param args texts for the placeholders in order, NULL for SQL NULL; as many as the statement has
 * @return MDM_EDB; MDM_ECONFLICT inside a transaction, which will be retried as a whole: hand it on
 */
apr_status_t mdm_db_select(mdm_rows_t **rows, mdm_db_t *db, mdm_stmt_e stmt, const char *const *args);

/** Run an INSERT, UPDATE or DELETE. @param affected may be NULL; errors as mdm_db_select */
apr_status_t mdm_db_exec(int *affected, mdm_db_t *db, mdm_stmt_e stmt, const char *const *args);

/** Run a script of statements, each ended by a semicolon at the end of a line (schema files). */
apr_status_t mdm_db_script(mdm_db_t *db, const char *sql);

/**
 * Run `work` in one transaction, and run the whole again (at most 8 times, with growing, jittered pauses)
 * when it lost against another; 3 times when it fails in the same way and no other is to blame. `work` must have no
 * effect outside the database until this function returns success. Nested calls join the outer transaction.
 * @return what `work` returned; MDM_EDB when all attempts lost, or the commit failed: then nothing is stored, unless
 *         it was the answer to the commit that was lost. What is asked once more has to bear that
 */
typedef apr_status_t mdm_db_work_fn(void *baton, mdm_db_t *db);
apr_status_t mdm_db_transact(mdm_db_t *db, mdm_db_work_fn *work, void *baton);

#endif
