/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the unit programs of keys, certificates, CMS and SCEP: a folder of its own, and the openssl command
 * line that judges what our code made. One folder a process, removed at its end.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "mdm_bytes.h"
#include "mdm_ctx.h"

/** Make the folder and the pool of this test; call at the start of each. */
mdm_ctx_t *oracle_start(void);

/** Remove both; call at the end of each. */
void oracle_end(void);

/** Write a file into the folder. */
void oracle_write(const char *name, mdm_bytes_t bytes);

/** Read a file of the folder; fails the test when it is missing. */
mdm_bytes_t oracle_read(const char *name);

/**
 * Run a shell command in the folder; its output, both streams, without regard to the exit code in *status.
 */
const char *oracle_try(int *status, const char *command);

/** As oracle_try, and the exit code must be 0. */
const char *oracle_run(const char *command);

/** Fails the test unless `text` has `part` in it. */
void oracle_has(const char *text, const char *part);

/** How often `part` is in `text`. */
int oracle_count(const char *text, const char *part);

#endif
