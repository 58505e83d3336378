/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connect endpoint (Apple: ServerURL): a device reports and is given its next command.
 */
#ifndef MDM_CONNECT_H
#define MDM_CONNECT_H

#include "mdm_device.h"

typedef struct mdm_connect_answer_t {
    mdm_bytes_t body;           /* the command (core/mdm_delivery.h); empty: nothing to do */
    apr_int64_t enrollment;     /* who was here */
    apr_int64_t command;        /* id of the command handed out, 0: none */
    int wake;                   /* events wait for the worker, also after a failure */
} mdm_connect_answer_t;

/**
 * Take a report and find the next command. Idle with nothing queued is one statement and writes
 * nothing; a report is stored before this returns. A report about a command that is not open (repeated,
 * unknown) changes nothing.
 * @return MDM_EPLIST, MDM_EINPUT, MDM_EDENIED, MDM_EDB
 */
apr_status_t mdm_connect_handle(mdm_connect_answer_t *answer, mdm_store_t *st, const mdm_site_t *site,
                                mdm_bytes_t body, const mdm_caller_t *caller);

#endif
