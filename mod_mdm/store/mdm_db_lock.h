/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of SQLite's writers. APR's driver holds one mutex of the whole process while SQLite waits for a
 * locked file, and sleeps 100 ms at a time when it gives up: readers would stand still with the waiting
 * writer. So writers wait here before they begin: threads of a process on a mutex, processes on an advisory
 * lock of a file beside the database. Used by mdm_db.c alone, in any thread.
 */
#ifndef MDM_DB_LOCK_H
#define MDM_DB_LOCK_H

#include <apr_pools.h>
#include <apr_time.h>

typedef struct mdm_db_lock_t mdm_db_lock_t;

/** Make the mutex of this process; once per process, before threads. */
apr_status_t mdm_db_lock_init(apr_pool_t *process_pool);

/** When root is about to make a database: make its file empty, for the owner of its folder. */
void mdm_db_lock_make_database(const char *database, apr_pool_t *p);

/**
 * Open the lock file of a database (its path with "-writer" behind it, owner and mode as the database's or
 * its folder's); closed with `p`, never removed.
 * @return an APR error when it can be neither opened nor created
 */
apr_status_t mdm_db_lock_open(mdm_db_lock_t **lock, const char *database, apr_pool_t *p);

/** Wait for the turn to write. @return APR_TIMEUP when it did not come within `most` */
apr_status_t mdm_db_lock_take(mdm_db_lock_t *lock, apr_interval_time_t most);

void mdm_db_lock_give(mdm_db_lock_t *lock);

#endif
