/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line beside the module: what a site's administrator does as root on the machine. One file per
 * noun; each function gets what follows its noun and returns an exit code: 0 done, 1 failed (one sentence on
 * standard error), 2 wrong usage.
 */
#ifndef MDMCTL_H
#define MDMCTL_H

#include "mdm_store.h"

#define MDMCTL_OK 0
#define MDMCTL_FAILED 1
#define MDMCTL_USAGE 2

typedef struct mdmctl_t {
    mdm_ctx_t *ctx;
    const char *state_dir;      /* --state-dir, NULL when not given */
    const char *driver, *params; /* of --database DRIVER:PARAMS, NULL when not given */
} mdmctl_t;

/** Open the database and read the sealing key. @param check nonzero: refuse a database of another version */
apr_status_t mdmctl_store(mdm_store_t **st, mdmctl_t *m, int check);

/** Say what failed on standard error; returns MDMCTL_FAILED. */
int mdmctl_fail(mdmctl_t *m, apr_status_t rv);

/** Say how a command is written on standard error; returns MDMCTL_USAGE. */
int mdmctl_usage(const char *usage);

/** Take "--name VALUE" out of the words. @return the value; NULL when it is not there */
const char *mdmctl_option(int *argc, const char **argv, const char *name);

/** Read a time such as "1h" or "365d" into microseconds. @return 0 when it is none */
apr_interval_time_t mdmctl_lifetime(const char *text);

/** "2026-01-31 12:00:00" in UTC; "-" for 0. */
const char *mdmctl_time(apr_time_t at, apr_pool_t *p);

int mdmctl_ca(mdmctl_t *m, int argc, const char **argv);
int mdmctl_certificate(mdmctl_t *m, int argc, const char **argv);
int mdmctl_challenge(mdmctl_t *m, int argc, const char **argv);
int mdmctl_db(mdmctl_t *m, int argc, const char **argv);
int mdmctl_invitation(mdmctl_t *m, int argc, const char **argv);
int mdmctl_nanomdm(mdmctl_t *m, int argc, const char **argv);
int mdmctl_push(mdmctl_t *m, int argc, const char **argv);
int mdmctl_request(mdmctl_t *m, int argc, const char **argv);
int mdmctl_user(mdmctl_t *m, int argc, const char **argv);

#endif
