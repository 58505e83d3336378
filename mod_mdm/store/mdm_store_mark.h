/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks of visits, written many at a time by one thread of each process, all processes about the same time.
 */
#ifndef MDM_STORE_MARK_H
#define MDM_STORE_MARK_H

#include "mdm_store_base.h"

typedef struct mdm_mark_t {
    apr_int64_t enrollment;
    apr_time_t at;
    const char *ip;
    apr_int64_t command;          /* the last one handed out then, 0: none */
} mdm_mark_t;

/**
 * Write marks, some hundred in a transaction of their own and in the order of their enrollments, so that processes
 * which write marks of the same ones do no more than wait for each other. A transaction that fails loses its own marks
 * only; after two in a row the rest is not tried.
 * @param marks array of mdm_mark_t, sorted here
 * @param lost  how many were not written
 * @return MDM_EDB when marks were lost
 */
apr_status_t mdm_store_marks_write(int *lost, mdm_store_t *st, apr_array_header_t *marks);

#endif
