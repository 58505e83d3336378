/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What devices have said of themselves: single facts with their history, lists of items, and when each kind of
 * answer came last. Called by core/mdm_facts.h in the transaction of an answer, and by the API.
 */
#ifndef MDM_STORE_FACT_H
#define MDM_STORE_FACT_H

#include "mdm_store_base.h"

typedef struct mdm_fact_t {
    const char *name;
    const char *value;            /* JSON; NULL: it goes */
    const char *source;           /* RequestType it came with */
    apr_time_t changed_at;
    int unlogged;                 /* no history: it changes all the time, or is private */
} mdm_fact_t;

typedef struct mdm_item_t {
    const char *identifier, *name, *version;
    const char *detail;           /* JSON; NULL: the item goes */
    apr_time_t changed_at;
    int is_new;                   /* no row to replace */
} mdm_item_t;

/** The facts of a source, array of mdm_fact_t, and the plist of the command that was answered (0: none; NULL then). */
apr_status_t mdm_store_facts_known(apr_array_header_t **out, const char **command, mdm_store_t *st,
                                   apr_int64_t enrollment, const char *source, apr_int64_t command_id);
/** The items of a kind, array of mdm_item_t, and the plist of the command. */
apr_status_t mdm_store_items_known(apr_array_header_t **out, const char **command, mdm_store_t *st,
                                   apr_int64_t enrollment, const char *kind, apr_int64_t command_id);

/**
 * Write changed facts and their history: up to three statements for every 15 of them, none for none.
 * @param changes array of mdm_fact_t, each name once; changed_at is set here
 */
apr_status_t mdm_store_facts_change(mdm_store_t *st, apr_int64_t enrollment, const char *source,
                                    const apr_array_header_t *changes);
/** Write changed items, array of mdm_item_t, each identifier once: one statement for 64 gone or 10 written. */
apr_status_t mdm_store_items_change(mdm_store_t *st, apr_int64_t enrollment, const char *kind,
                                    const apr_array_header_t *changes);
/** An answer of this source came now. */
apr_status_t mdm_store_facts_seen(mdm_store_t *st, apr_int64_t enrollment, const char *source);

/** What an enrollment's own columns take over from facts; NULL: as it was. */
typedef struct mdm_fact_columns_t {
    const char *device_name, *product_name, *model, *model_name, *os_version, *build_version, *imei;
    const char *serial_number;    /* only where none is known */
} mdm_fact_columns_t;

apr_status_t mdm_store_facts_columns(mdm_store_t *st, apr_int64_t enrollment, const mdm_fact_columns_t *columns);

/** The facts of one source go, without a trace in the history. */
apr_status_t mdm_store_facts_forget_source(mdm_store_t *st, apr_int64_t enrollment, const char *source);
/** Facts, items and times of an enrollment and its user channels go; history and escrow stay. Three statements. */
apr_status_t mdm_store_facts_forget(mdm_store_t *st, apr_int64_t enrollment);
/** The oldest `limit` entries of the history go as far as they are from before `before`. */
apr_status_t mdm_store_facts_prune(int *pruned, mdm_store_t *st, apr_time_t before, int limit);

/** At most `limit` facts after the name `cursor` (NULL: from the start). Array of mdm_fact_t. */
apr_status_t mdm_store_facts_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t enrollment,
                                  const char *cursor, int limit);
/** One fact. @return MDM_ENOTFOUND without a detail */
apr_status_t mdm_store_fact_get(mdm_fact_t **out, mdm_store_t *st, apr_int64_t enrollment, const char *name);
/** Sources and when they were seen last: array of mdm_fact_t with source and changed_at. */
apr_status_t mdm_store_facts_sources(apr_array_header_t **out, mdm_store_t *st, apr_int64_t enrollment);
/** Values of a fact, newest first, those before the entry `before` (0: from the newest); array of mdm_fact_t. */
apr_status_t mdm_store_facts_history(apr_array_header_t **out, apr_int64_t *last, mdm_store_t *st,
                                     apr_int64_t enrollment, const char *name, apr_int64_t before, int limit);
/** At most `limit` items after the identifier `cursor` (NULL: from the start). Array of mdm_item_t. */
apr_status_t mdm_store_items_list(apr_array_header_t **out, mdm_store_t *st, apr_int64_t enrollment,
                                  const char *kind, const char *cursor, int limit);

#endif
