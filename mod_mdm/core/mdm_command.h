/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands: take one from an administrator, queue it for enrollments, ask for their wake-up.
 */
#ifndef MDM_COMMAND_H
#define MDM_COMMAND_H

#include "mdm_site.h"
#include "mdm_store.h"

/**
 * Read a command plist as NanoMDM takes it: CommandUUID and Command.RequestType are
 * looked at, the bytes are kept.
 * @return MDM_EPLIST, MDM_EINPUT
 */
apr_status_t mdm_command_read(mdm_command_t **command, mdm_ctx_t *ctx, mdm_bytes_t body);

/** Whom a command is for. Members may be empty or NULL; who is named twice is meant once. */
typedef struct mdm_targets_t {
    apr_array_header_t *ids;        /* const char *: enrollment ids */
    apr_array_header_t *serials;    /* const char *: serial numbers of devices */
    apr_array_header_t *users;      /* const char *: all devices of these persons */
    apr_array_header_t *groups;     /* const char *: names of groups */
} mdm_targets_t;

/** How a command is queued. All zero: now, for ever, as NanoMDM does. */
typedef struct mdm_command_order_t {
    apr_time_t not_before;          /* 0: now */
    apr_time_t not_after;           /* 0: never; destructive ones end by site->destructive_lifetime then */
    int priority;                   /* higher first, -100 to 100 */
    const char *supersede_key;      /* older commands with this key that have not gone out yet end; NULL: none */
    const char *idempotency_key;    /* of the actor; NULL: none */
    const char *request_sha256;     /* of the request, with idempotency_key */
    const char *note;               /* why, for the record; NULL: not said */
    int no_push;
    const char *actor;              /* who asks */
    const char *source;             /* address */
} mdm_command_order_t;

/** What became of it. */
typedef struct mdm_command_outcome_t {
    const mdm_command_t *command;   /* an earlier one, when `repeated` */
    int repeated;                   /* the idempotency_key had been used: nothing was done now */
    int held;                       /* it waits for a second person (MDMApproval) */
    apr_array_header_t *targets;    /* mdm_push_target_t, one per enrollment; NULL: no push now */
    apr_array_header_t *enrollments; /* const char *: enrollment ids it was queued for, in order of bytes */
} mdm_command_outcome_t;

/**
 * Store a command and queue it for all its targets, in one transaction: all or nothing.
 * @return MDM_EEXIST when the CommandUUID is taken, or the idempotency key by another request; MDM_EINPUT naming the
 *         targets that cannot have it, or an empty selection; MDM_EFULL when a queue is full (site->queue_limit);
 *         MDM_EDB
 */
apr_status_t mdm_command_order(mdm_command_outcome_t *outcome, mdm_store_t *st, const mdm_site_t *site,
                               mdm_command_t *command, const mdm_targets_t *targets, const mdm_command_order_t *order);

/** Whether a RequestType erases, locks, unlocks, removes or restarts: it expires, and is never superseded. */
int mdm_command_is_destructive(const char *request_type);

/**
 * Store a command, queue it for all the enrollments named and want their wake-up, in one
 * transaction: all or nothing. An id that is given twice is refused.
 * @param targets array of mdm_push_target_t, one per id in the order given; NULL when `wake` is 0 or it is held
 * @param site    what it says of approval, expiry and limits holds; NULL: nothing of that
 * @param actor   who asks, for the record
 * @return MDM_EEXIST when the CommandUUID is taken; MDM_EINPUT naming the enrollments that cannot
 *         have it; MDM_EFULL as above; MDM_EDB
 */
apr_status_t mdm_command_enqueue(apr_array_header_t **targets, mdm_store_t *st, const mdm_site_t *site,
                                 mdm_command_t *command, const char *const *enrollment_ids, int count, int wake,
                                 const char *actor);

/** Want a wake-up now, in a transaction of its own; targets as above. */
apr_status_t mdm_command_wake(apr_array_header_t **targets, mdm_store_t *st,
                              const char *const *enrollment_ids, int count);

#endif
