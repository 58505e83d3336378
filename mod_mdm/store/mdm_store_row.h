/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small change between records and rows, for the files of the store alone: numbers as texts and back, sealed
 * columns, lists of enrollment ids cut into statements. Any thread.
 */
#ifndef MDM_STORE_ROW_H
#define MDM_STORE_ROW_H

#include "mdm_store_base.h"

/** A number as an argument of a statement. */
const char *mdm_row_text(mdm_store_t *st, apr_int64_t number);

/** A column as a number; NULL is 0. */
apr_int64_t mdm_row_number(const mdm_rows_t *rows, int r, int c);

/** Of the one who approved a command, which is sealed in one file and opened in another. */
#define MDM_COLUMN_APPROVER "mdm_command.approver"

/**
 * Seal a value for `column` ("table.column") of the row named `row`.
 * @return MDM_ECONFIG when the store has no sealing key
 */
apr_status_t mdm_row_seal(const char **sealed, mdm_store_t *st, mdm_bytes_t plain, const char *column,
                          const char *row);

/** Open such a value; NULL gives no bytes. */
apr_status_t mdm_row_unseal(mdm_bytes_t *plain, mdm_store_t *st, const char *sealed, const char *column,
                            const char *row);

/** Run a statement that has to change a row. @return MDM_ENOTFOUND without a detail when it changed none */
apr_status_t mdm_row_change(mdm_store_t *st, mdm_stmt_e stmt, const char *const *args);

/* How many ids a statement with a list takes: the 64 of sql/queries*.sql. */
#define MDM_ROW_CHUNK 64

/** Distinct texts in order, so that statements of several processes lock rows in the same order. */
typedef struct mdm_row_names_t {
    const char **names;
    int count;
    apr_array_header_t *twice;      /* const char *: those given more than once */
} mdm_row_names_t;

void mdm_row_names(mdm_row_names_t *out, mdm_store_t *st, const char *const *names, int count);

/** Fill the 64 places of a list from `names`; places beyond `count` become NULL. */
void mdm_row_chunk(const char **args, const char *const *names, int count);

#endif
