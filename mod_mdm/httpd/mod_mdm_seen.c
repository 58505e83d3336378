/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks of visits. Request threads note, a watchdog thread of the same process flushes; two tables take
 * turns, so that noting never waits for the database.
 */
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>

#include "mdm_store_mark.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_log.h"
#include "mod_mdm_seen.h"

/* Beyond so many devices between two flushes, further ones are not noted. */
#define MARKS_MAX 20000
#define IP_MAX 46

typedef struct {
    apr_int64_t enrollment;
    const mdm_conf_t *conf;
} who_t;

typedef struct {
    who_t key;
    apr_time_t at;
    char ip[IP_MAX];
    apr_int64_t command;       /* the last one handed out, 0: none */
} mark_t;

typedef struct {
    apr_pool_t *pool;
    apr_hash_t *marks;         /* who_t -> mark_t */
} table_t;

static apr_thread_mutex_t *lock;
static table_t tables[2];
static int current;

static void table_clear(table_t *t)
{
    apr_pool_clear(t->pool);
    t->marks = apr_hash_make(t->pool);
}

static apr_status_t forget(void *unused)
{
    (void)unused;
    lock = NULL;
    return APR_SUCCESS;
}

void mdm_seen_init(apr_pool_t *p)
{
    int i;

    for (i = 0; i < 2; i++) {
        apr_allocator_t *allocator;

        if (apr_allocator_create(&allocator) != APR_SUCCESS
            || apr_pool_create_ex(&tables[i].pool, p, NULL, allocator) != APR_SUCCESS)
            return;
        apr_allocator_owner_set(allocator, tables[i].pool);
        table_clear(&tables[i]);
    }
    if (apr_thread_mutex_create(&lock, APR_THREAD_MUTEX_DEFAULT, p) != APR_SUCCESS)
        lock = NULL;
    apr_pool_cleanup_register(p, NULL, forget, apr_pool_cleanup_null);
}

void mdm_seen_note(const mdm_conf_t *conf, apr_int64_t enrollment, apr_time_t at, const char *ip,
                   apr_int64_t command)
{
    who_t key;
    table_t *t;
    mark_t *m;

    if (!lock || apr_thread_mutex_lock(lock) != APR_SUCCESS)
        return;
    memset(&key, 0, sizeof(key));
    key.enrollment = enrollment;
    key.conf = conf;
    t = &tables[current];
    m = apr_hash_get(t->marks, &key, sizeof(key));
    if (!m && apr_hash_count(t->marks) < MARKS_MAX) {
        m = apr_pcalloc(t->pool, sizeof(*m));
        m->key = key;
        apr_hash_set(t->marks, &m->key, sizeof(m->key), m);
    }
    if (m) {
        m->at = at;
        apr_cpystrn(m->ip, ip, sizeof(m->ip));
        if (command)
            m->command = command;
    }
    apr_thread_mutex_unlock(lock);
}

static table_t *swap(void)
{
    table_t *full;

    apr_thread_mutex_lock(lock);
    full = &tables[current];
    current = !current;
    apr_thread_mutex_unlock(lock);
    return full;
}

static apr_array_header_t *marks_of(const table_t *table, const mdm_conf_t *conf, apr_pool_t *p)
{
    apr_array_header_t *marks = apr_array_make(p, (int)apr_hash_count(table->marks), sizeof(mdm_mark_t));
    apr_hash_index_t *i;

    for (i = apr_hash_first(p, table->marks); i; i = apr_hash_next(i)) {
        const mark_t *m = apr_hash_this_val(i);

        if (m->key.conf == conf)
            APR_ARRAY_PUSH(marks, mdm_mark_t) = (mdm_mark_t){ m->key.enrollment, m->at, m->ip, m->command };
    }
    return marks;
}

static void flush_site(const table_t *table, const mdm_conf_t *conf, apr_pool_t *p)
{
    mdm_ctx_t *ctx = mdm_ctx_create(p, mdm_log_for_server(conf->server, p));
    apr_array_header_t *marks = marks_of(table, conf, p);
    mdm_store_t *st;
    int lost = marks->nelts;
    apr_status_t rv = mdm_dbd_open(&st, ctx, conf);

    if (rv == APR_SUCCESS) {
        rv = mdm_store_marks_write(&lost, st, marks);
        mdm_dbd_close(st, conf);
    }
    if (rv != APR_SUCCESS)
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0130) "last-seen times of %d devices were not written: %s",
                lost, mdm_ctx_detail(ctx, rv));
}

void mdm_seen_flush(apr_pool_t *p)
{
    apr_array_header_t *confs = apr_array_make(p, 2, sizeof(const mdm_conf_t *));
    apr_hash_index_t *i;
    table_t *full;
    int n;

    if (!lock || !apr_hash_count(tables[current].marks))
        return;
    full = swap();
    for (i = apr_hash_first(p, full->marks); i; i = apr_hash_next(i)) {
        const mark_t *m = apr_hash_this_val(i);

        for (n = 0; n < confs->nelts && APR_ARRAY_IDX(confs, n, const mdm_conf_t *) != m->key.conf; n++)
            ;
        if (n == confs->nelts)
            APR_ARRAY_PUSH(confs, const mdm_conf_t *) = m->key.conf;
    }
    for (n = 0; n < confs->nelts; n++)
        flush_site(full, APR_ARRAY_IDX(confs, n, const mdm_conf_t *), p);
    table_clear(full);
}
