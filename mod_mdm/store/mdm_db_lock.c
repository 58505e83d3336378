/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of SQLite's writers, for mdm_db.c: any thread of a child, and mdmctl. The kernel gives a lock
 * back when its holder dies. A lock is held for one transaction, never across two.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE                 /* locks that belong to an open file, not to the process */
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <apr_version.h>

#include "mdm_db_lock.h"

#define POLL_FIRST 100              /* microseconds between two looks at a lock, growing to POLL_MOST */
#define POLL_MOST 800

/* Two bytes of the file. Who holds the turnstile is next: nobody can overtake him at the pen. */
enum { TURNSTILE = 0, PEN = 1 };

struct mdm_db_lock_t {
    int fd;
};

static apr_thread_mutex_t *writers;

static apr_status_t close_lock(void *baton)
{
    close(((mdm_db_lock_t *)baton)->fd);
    return APR_SUCCESS;
}

static apr_status_t forget_mutex(void *baton)
{
    (void)baton;
    writers = NULL;
    return APR_SUCCESS;
}

apr_status_t mdm_db_lock_init(apr_pool_t *process_pool)
{
    unsigned int flags = APR_THREAD_MUTEX_DEFAULT;
    apr_status_t rv;

    if (writers)
        return APR_SUCCESS;
#if APR_VERSION_AT_LEAST(1, 7, 0)
    flags |= APR_THREAD_MUTEX_TIMED;
#endif
    rv = apr_thread_mutex_create(&writers, flags, process_pool);
    if (rv == APR_SUCCESS)
        apr_pool_cleanup_register(process_pool, NULL, forget_mutex, apr_pool_cleanup_null);
    return rv;
}

/* Root makes the file for the users that have the database, not for itself. */
static void give_to_owner(int fd, const char *database, apr_pool_t *p)
{
    struct stat st;

    if (stat(database, &st) == 0) {
        if (fchmod(fd, st.st_mode & 0666) != 0)
            return;
    }
    else {
        const char *slash = strrchr(database, '/');

        if (stat(slash ? apr_pstrmemdup(p, database, slash - database + 1) : ".", &st) != 0)
            return;
    }
    if (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
        return;
}

void mdm_db_lock_make_database(const char *database, apr_pool_t *p)
{
    const char *slash = strrchr(database, '/');
    struct stat folder;
    int fd;

    if (geteuid() != 0 || stat(slash ? apr_pstrmemdup(p, database, slash - database + 1) : ".", &folder) != 0)
        return;
    fd = open(database, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return;
    /* not given away: then it is root's, as it would have been without us */
    if (fchown(fd, folder.st_uid, folder.st_gid) != 0)
        fchmod(fd, 0600);
    close(fd);
}

apr_status_t mdm_db_lock_open(mdm_db_lock_t **lock, const char *database, apr_pool_t *p)
{
    const char *file = apr_pstrcat(p, database, "-writer", NULL);
    mdm_db_lock_t *made = apr_palloc(p, sizeof(*made));

    made->fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (made->fd >= 0)
        give_to_owner(made->fd, database, p);
    else if (errno == EEXIST)
        made->fd = open(file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (made->fd < 0)
        return errno;
    apr_pool_cleanup_register(p, made, close_lock, apr_pool_cleanup_null);
    *lock = made;
    return APR_SUCCESS;
}

static apr_status_t take_mutex(apr_interval_time_t most)
{
    if (!writers)
        return APR_SUCCESS;
#if APR_VERSION_AT_LEAST(1, 7, 0)
    return apr_thread_mutex_timedlock(writers, most);
#else
    (void)most;
    return apr_thread_mutex_lock(writers);
#endif
}

static int set_lock(int fd, int byte, int type)
{
#ifdef F_OFD_SETLK
    struct flock range = { 0 };

    range.l_type = (short)type;
    range.l_whence = SEEK_SET;
    range.l_start = byte;
    range.l_len = 1;
    return fcntl(fd, F_OFD_SETLK, &range);
#else
    /* one lock for both: right, but a process that writes much can overtake the others */
    if (byte == TURNSTILE)
        return 0;
    return flock(fd, (type == F_UNLCK ? LOCK_UN : LOCK_EX) | LOCK_NB);
#endif
}

static apr_status_t wait_for(mdm_db_lock_t *lock, int byte, apr_time_t end)
{
    apr_interval_time_t pause = POLL_FIRST;

    while (set_lock(lock->fd, byte, F_WRLCK) != 0) {
        if (errno != EWOULDBLOCK && errno != EACCES && errno != EINTR)
            return errno;
        if (apr_time_now() >= end)
            return APR_TIMEUP;
        apr_sleep(pause);
        pause = pause * 2 < POLL_MOST ? pause * 2 : POLL_MOST;
    }
    return APR_SUCCESS;
}

apr_status_t mdm_db_lock_take(mdm_db_lock_t *lock, apr_interval_time_t most)
{
    apr_time_t end = apr_time_now() + most;
    apr_status_t rv = take_mutex(most);

    if (rv != APR_SUCCESS)
        return rv;
    rv = wait_for(lock, TURNSTILE, end);
    if (rv == APR_SUCCESS) {
        rv = wait_for(lock, PEN, end);
        set_lock(lock->fd, TURNSTILE, F_UNLCK);
    }
    if (rv != APR_SUCCESS && writers)
        apr_thread_mutex_unlock(writers);
    return rv;
}

void mdm_db_lock_give(mdm_db_lock_t *lock)
{
    set_lock(lock->fd, PEN, F_UNLCK);
    if (writers)
        apr_thread_mutex_unlock(writers);
}
