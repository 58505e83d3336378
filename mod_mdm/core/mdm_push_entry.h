/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One claimed wake-up on its way, and lists of them. Private to mdm_push*.c and the worker's thread.
 */
#ifndef MDM_PUSH_ENTRY_H
#define MDM_PUSH_ENTRY_H

#include "mdm_push.h"

typedef struct mdm_push_entry_t mdm_push_entry_t;
typedef struct mdm_push_topic_state_t mdm_push_topic_state_t;

/* The entries of one claim: they share its pool, which goes with the last of them. */
typedef struct mdm_push_batch_t {
    apr_pool_t *pool;
    apr_time_t lease_until;
    int entries;
    int newest;                      /* goes before what was claimed earlier */
} mdm_push_batch_t;

struct mdm_push_entry_t {
    mdm_push_entry_t *next;
    mdm_push_t *push;
    mdm_push_batch_t *batch;
    mdm_push_topic_state_t *topic;
    const mdm_push_job_t *job;
    int under_way;
    int superseded;                  /* a newer wish of the same enrollment is in the ready list */
    mdm_push_entry_t *successor;     /* a newer wish that came while this was under way */
    mdm_apns_outcome_e outcome;      /* what to write down: SENT, TOKEN_DEAD; else failed, due again at due_at */
    apr_time_t due_at;               /* 0: never */
    const char *reason;
};

typedef struct mdm_push_entries_t {
    mdm_push_entry_t *first, *last;
    int count;
} mdm_push_entries_t;

/** Append, put at the head, take from the head (NULL: empty). */
void mdm_push_entries_add(mdm_push_entries_t *entries, mdm_push_entry_t *entry);
void mdm_push_entries_put_back(mdm_push_entries_t *entries, mdm_push_entry_t *entry);
mdm_push_entry_t *mdm_push_entries_take(mdm_push_entries_t *entries);

/** Done with an entry that is in no list. */
void mdm_push_entry_free(mdm_push_entry_t *entry);

#endif
