/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outbox of events for webhooks. Rows are put in by the check-in and connect paths, taken and ended by the
 * worker of any process and machine: claimed with a lease. Of one sink and channel only the oldest row is ever
 * given out; `channel` is any number that is the same for the same enrollment id.
 */
#ifndef MDM_STORE_WEBHOOK_H
#define MDM_STORE_WEBHOOK_H

#include "mdm_store_base.h"

typedef struct mdm_webhook_row_t {
    apr_int64_t id, channel;
    const char *sink, *topic;
    mdm_bytes_t body;             /* sealed in the table */
    apr_time_t created_at;
    int attempts;                 /* failed ones so far */
} mdm_webhook_row_t;

/** Put an event in; due now. `id`, `created_at` and `attempts` of `row` are not looked at. */
apr_status_t mdm_store_webhook_put(mdm_store_t *st, const mdm_webhook_row_t *row);

/** How many TokenUpdates an enrollment has had since it enrolled; 0: unknown. */
apr_status_t mdm_store_webhook_tally(int *tally, mdm_store_t *st, apr_int64_t enrollment);

/**
 * Claim due rows of a sink for `owner` until `lease_until`: one UPDATE, one SELECT. A row that does not open is
 * logged and ended.
 * @param rows array of mdm_webhook_row_t
 */
apr_status_t mdm_store_webhook_claim(apr_array_header_t **rows, mdm_store_t *st, const char *sink, const char *owner,
                                     apr_time_t lease_until, int limit);
/** When the next row of a sink is due, whether it may go then or not; 0: there is none. */
apr_status_t mdm_store_webhook_next_due(apr_time_t *due_at, mdm_store_t *st, const char *sink);
/** Delivered, or given up: the rows go, unless another has claimed them. Chunked. */
apr_status_t mdm_store_webhook_done(mdm_store_t *st, const char *owner, const apr_int64_t *ids, int count);
/** Not delivered: due again at `due_at`, and so are those that wait behind it. Two statements. */
apr_status_t mdm_store_webhook_failed(mdm_store_t *st, const char *owner, const mdm_webhook_row_t *row,
                                      apr_time_t due_at, const char *error);
/** Give back the claims of `owner`. */
apr_status_t mdm_store_webhook_release(mdm_store_t *st, const char *sink, const char *owner);

/** Drop what was put in before `created_before` and is nobody's. @param dropped how many */
apr_status_t mdm_store_webhook_expire(int *dropped, mdm_store_t *st, const char *sink, apr_time_t created_before);
/** The time before which rows have to go so that `most` are left; 0: there are not so many. */
apr_status_t mdm_store_webhook_crowd(apr_time_t *created_at, mdm_store_t *st, const char *sink, int most);
/** The next sink after `after` ("": the first) in order of name that has rows; NULL: none. */
apr_status_t mdm_store_webhook_next_sink(const char **sink, mdm_store_t *st, const char *after);
/** Drop the rows of a sink that were due before `due_before`: nobody sends them any more. */
apr_status_t mdm_store_webhook_forget(int *dropped, mdm_store_t *st, const char *sink, apr_time_t due_before);

typedef struct mdm_webhook_status_t {
    apr_int64_t waiting;
    apr_time_t oldest;            /* 0: nothing waits */
    const char *last_error;       /* of those that wait, or NULL */
} mdm_webhook_status_t;

/** What waits for a sink. Two statements. */
apr_status_t mdm_store_webhook_status(mdm_webhook_status_t *status, mdm_store_t *st, const char *sink);

#endif
