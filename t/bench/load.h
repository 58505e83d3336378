/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator of the benchmark: what its files share. A script names connections, each with a client
 * certificate and its requests; all connections run in one thread over epoll, only ever to 127.0.0.1.
 */
#ifndef MDM_BENCH_LOAD_H
#define MDM_BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#define LOAD_UUID_LEN 36
/* Places in a request that are overwritten before each sending, without a change of length. */
#define LOAD_MARK_NEW "NNNNNNNN-NNNN-NNNN-NNNN-NNNNNNNNNNNN"        /* a UUID nobody has used */
#define LOAD_MARK_REPLY "RRRRRRRR-RRRR-RRRR-RRRR-RRRRRRRRRRRR"      /* the CommandUUID of the last answer */

typedef struct {
    char *bytes;
    size_t len;
    char *fresh, *reply;        /* where the marks are, in bytes; NULL: there is none */
} load_request_t;

typedef struct {
    const char *certificate, *key;      /* PEM files; NULL: no client certificate */
    load_request_t *requests;
    int count;
} load_lane_t;

typedef struct {
    load_lane_t *lanes;
    int count;
} load_script_t;

/**
 * Read a script: lines "connection CERTIFICATE KEY" ("-" for none) and "request LENGTH", the latter followed
 * by so many bytes and a line end. Ends the program with a message when the file is not a script.
 */
void load_script_read(load_script_t *script, const char *path);

/** Say what is wrong and end the program. */
void load_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* ---- figures */

/** Times in nanoseconds on a monotonic clock. */
uint64_t load_now(void);

/** Note a unit of work that took so many nanoseconds. */
void load_note_unit(uint64_t nanoseconds);

/** Note an answer with this status. */
void load_note_status(int status);

/** Print all figures as one line of JSON. */
void load_print(double seconds, uint64_t requests, uint64_t body_bytes, uint64_t failed, uint64_t dry);

#endif
