/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the unit programs of the push engine: an engine on an SQLite database, and the mock of APNs it pushes
 * to. Time is the engine's own and stands still until a test moves it on.
 */
#ifndef PUSH_FIXTURE_H
#define PUSH_FIXTURE_H

#include "apns_mock.h"
#include "database.h"
#include "mdm_push.h"

typedef struct push_fixture_t {
    mdm_ctx_t *ctx, *engine_ctx;
    mdm_store_t *store;
    apns_mock_t mock;
    mdm_http_t *http;
    mdm_push_t *push;
    int rate;                      /* of the engines to be made */
    int database_fails;            /* the engine gets no store */
    int opened, closed;            /* stores lent to the engine */
    char *log_text;                /* its log, warnings and worse */
} push_fixture_t;

extern push_fixture_t fx;

void fixture_setup(void);
void fixture_teardown(void);

/** An engine that pushes to `url`; the other one uploads the mock's certificate and pushes to the mock. */
void fixture_make_engine_at(const char *url);
void fixture_make_engine(void);

/** Store a push certificate of MOCK_TOPIC. @param not_after 0: tomorrow */
void fixture_upload(mdm_bytes_t certificate, mdm_bytes_t key, apr_time_t not_after);

/**
 * Enroll devices 0 to count - 1 ("DEVICE-<n>", token deadbeef..., magic "MAGIC-<n>")
 * and want a push for each.
 */
void fixture_enroll(int count);

/** Want a push for a device now; the other one for many, as work of a transaction (baton: int *count). */
void fixture_want_one(int device);
apr_status_t fixture_want_some(void *baton, mdm_db_t *db);

/** Run the engine until it has nothing more to do at this time; let time pass. */
void fixture_run(void);
void fixture_pass(apr_interval_time_t time);

/** Tell the mock how to answer. */
void fixture_rule(const char *json);

mdm_push_counts_t fixture_counts(void);

/** How many pushes the mock has had. */
int fixture_mock_pushes(void);

/** A row of mdm_push must be "due|attempts|owner|reason"; how far in the future it is due. */
void fixture_assert_row(int device, const char *expected);
apr_interval_time_t fixture_due_in(int device);

/** Run a suite's one test case with the fixture. @return the exit code of the program */
int fixture_main(Suite *suite, TCase *tests);

#endif
