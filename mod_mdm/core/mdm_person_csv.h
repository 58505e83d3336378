/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Persons from a file of comma-separated values (RFC 4180): the first line names the columns, "login" is one of them,
 * "display_name", "email" and "disabled" are known, any other is an attribute. An empty field takes the value away (of
 * "disabled": leaves it); columns that the file does not have stay as they are. Any thread.
 */
#ifndef MDM_PERSON_CSV_H
#define MDM_PERSON_CSV_H

#include "mdm_person.h"

#define MDM_PERSON_CSV_BYTES_MAX (16 * 1024 * 1024)
#define MDM_PERSON_CSV_ROWS_MAX 100000
#define MDM_PERSON_CSV_COLUMNS_MAX 64

typedef struct mdm_person_csv_report_t {
    int made, changed, unchanged;
} mdm_person_csv_report_t;

/**
 * Read a file. UTF-8, with or without a byte order mark; lines end in LF or CRLF; empty lines are passed over.
 * @param changes array of mdm_person_change_t, each login once, in the order of the file
 * @return MDM_EINPUT, MDM_ETOOBIG naming the line, and the column where there is one
 */
apr_status_t mdm_person_csv_read(apr_array_header_t **changes, mdm_ctx_t *ctx, mdm_bytes_t file);

/** Read a file and save what it says, in one transaction: all of it or nothing. Errors as above, and MDM_EDB. */
apr_status_t mdm_person_csv_import(mdm_person_csv_report_t *report, mdm_store_t *st, mdm_bytes_t file,
                                   const mdm_person_by_t *by);

#endif
