/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks of visits. Called by the thread of a process that flushes them, never in a request.
 */
#include <stdlib.h>

#include "mdm_store_enrollment.h"
#include "mdm_store_mark.h"
#include "mdm_store_queue.h"

/* Few enough that nobody waits long for a row of them, enough that a commit for each costs little. */
#define MARKS_AT_ONCE 250
/* One may have lost against others; the next one tells whether the database is there at all. */
#define FAILURES_MAX 2

typedef struct {
    mdm_store_t *st;
    const mdm_mark_t *marks;
    int count;
} some_t;

static apr_status_t write_some(void *baton, mdm_db_t *db)
{
    const some_t *some = baton;
    apr_status_t rv = APR_SUCCESS;
    int i;

    (void)db;
    for (i = 0; i < some->count && rv == APR_SUCCESS; i++) {
        const mdm_mark_t *m = &some->marks[i];

        rv = mdm_store_enrollment_seen(some->st, m->enrollment, m->at, m->ip);
        if (rv == APR_SUCCESS && m->command)
            rv = mdm_store_queue_sent(some->st, m->enrollment, m->command, m->at);
    }
    return rv;
}

static int compare_marks(const void *a, const void *b)
{
    apr_int64_t one = ((const mdm_mark_t *)a)->enrollment, other = ((const mdm_mark_t *)b)->enrollment;

    return one < other ? -1 : one > other;
}

apr_status_t mdm_store_marks_write(int *lost, mdm_store_t *st, apr_array_header_t *marks)
{
    apr_status_t result = APR_SUCCESS;
    int at, failures = 0;

    qsort(marks->elts, (size_t)marks->nelts, sizeof(mdm_mark_t), compare_marks);
    *lost = 0;
    for (at = 0; at < marks->nelts; at += MARKS_AT_ONCE) {
        int left = marks->nelts - at;
        some_t some = { st, &APR_ARRAY_IDX(marks, at, mdm_mark_t), left < MARKS_AT_ONCE ? left : MARKS_AT_ONCE };
        apr_status_t rv = failures < FAILURES_MAX ? mdm_db_transact(st->db, write_some, &some) : result;

        if (rv == APR_SUCCESS) {
            failures = 0;
            continue;
        }
        result = rv;
        failures++;
        *lost += some.count;
    }
    return result;
}
