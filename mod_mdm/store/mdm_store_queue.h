/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands, the open queue of each enrollment, and the results that stay. Called by the API and the connect
 * path.
 */
#ifndef MDM_STORE_QUEUE_H
#define MDM_STORE_QUEUE_H

#include "mdm_store_base.h"

/** How a stored body becomes what the device gets: core/mdm_delivery.h. */
typedef enum {
    MDM_DELIVERY_AS_IS = 0,       /* byte for byte */
    MDM_DELIVERY_ENCRYPT,         /* InstallProfile: encrypted to the device, signed by the site */
    MDM_DELIVERY_RENEWAL,         /* InstallProfile: a new enrollment profile, made for each fetch */
    MDM_DELIVERY_UNLOCK_TOKEN,    /* ClearPasscode: with the unlock token of the device that asks */
    MDM_DELIVERY_RETURN_TO_SERVICE, /* EraseDevice: its ReturnToService filled with what the device needs to return */
    MDM_DELIVERY_PROFILE,         /* InstallProfile: built from what should hold for the device at this moment */
    MDM_DELIVERY_PROFILE_REMOVAL, /* RemoveProfile: of what should not be there any more */
    MDM_DELIVERY_PROFILE_LIST     /* ProfileList: to see what is there */
} mdm_delivery_e;

/** Whether a command waits for a second person; the numbers are in the tables. */
typedef enum {
    MDM_APPROVAL_NONE = 0,        /* none is needed */
    MDM_APPROVAL_WANTED,          /* held until somebody decides */
    MDM_APPROVAL_GIVEN,
    MDM_APPROVAL_DENIED
} mdm_approval_e;

typedef struct mdm_command_t {
    apr_int64_t id;               /* time-ordered: also the order of the queue */
    const char *uuid;             /* CommandUUID, unique */
    const char *request_type;
    const char *body;             /* the plist as enqueued, UTF-8 text; sealed in the table */
    const char *created_by;       /* API user */
    apr_time_t created_at;
    mdm_delivery_e delivery;
    apr_time_t not_before;        /* 0: at once */
    apr_time_t not_after;         /* 0: never */
    int priority;
    mdm_approval_e approval;
    const char *decided_by;
    apr_time_t decided_at;
    const char *orderer;          /* created_by as it was sealed; read only, NULL: it cannot be read */
    const char *supersede_key;
    const char *idempotency_key;  /* of created_by */
    const char *request_sha256;   /* of the request that came with it */
    const char *note;             /* why, in the words of who ordered it */
} mdm_command_t;

/**
 * One statement; another when it is refused. When somebody else inserts the same at this moment, this waits for him.
 * @return MDM_EEXIST when the CommandUUID or the idempotency key is taken: no failure of the transaction
 */
apr_status_t mdm_store_command_insert(mdm_store_t *st, const mdm_command_t *command);
/** The command of an actor with this idempotency key. @return MDM_ENOTFOUND without a detail */
apr_status_t mdm_store_command_by_key(mdm_command_t **out, mdm_store_t *st, const char *created_by,
                                      const char *idempotency_key);
/** Ids of the enrollments that a command was queued for, in order of bytes. Array of const char *. */
apr_status_t mdm_store_command_enrollments(apr_array_header_t **out, mdm_store_t *st, apr_int64_t command);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_command_get(mdm_command_t **out, mdm_store_t *st, const char *uuid);

#define MDM_QUEUE_CHUNK 64          /* enrollments per statement */

/** So many open commands, or so many names, in one step of the housekeeper. */
#define MDM_QUEUE_STEP 500

/** The earliest times at which something starts and ends; 0: none. One statement, by index. */
apr_status_t mdm_store_queue_edges(apr_time_t *start, apr_time_t *end, mdm_store_t *st);
/** What has come into its time waits no longer, and its devices' wake-up is wanted. @param more 1: call again */
apr_status_t mdm_store_queue_start(int *started, int *more, mdm_store_t *st);
/** What is over its time ends with the status "Expired", MDM_QUEUE_STEP at most. */
apr_status_t mdm_store_queue_expire(int *expired, mdm_store_t *st);
/** Forget results that ended before this time, MDM_QUEUE_STEP at most. */
apr_status_t mdm_store_result_prune(int *pruned, mdm_store_t *st, apr_time_t before);
/**
 * Forget commands made before this time that no queue and no result names any more, among the MDM_QUEUE_STEP next to
 * `cursor`. @param next where to go on, 0: at the end
 */
apr_status_t mdm_store_command_prune(int *pruned, apr_int64_t *next, mdm_store_t *st, apr_int64_t cursor,
                                     apr_time_t before);

/**
 * End open rows of a command that were not sent, with the status "Cancelled". Two statements at most.
 * @param enrollment_id of this enrollment only; NULL: of all
 * @param reason        JSON
 */
apr_status_t mdm_store_command_cancel(int *cancelled, mdm_store_t *st, apr_int64_t command, const char *enrollment_id,
                                      const char *reason);
/** The same for all that waits for one enrollment. */
apr_status_t mdm_store_queue_clear(int *cancelled, mdm_store_t *st, const char *enrollment_id, const char *reason);

typedef struct mdm_queue_unsent_t {
    apr_int64_t command;
    const char *uuid, *enrollment_id;
} mdm_queue_unsent_t;

/** What waits of all that somebody ordered and was not handed out, by command. Array of mdm_queue_unsent_t. */
apr_status_t mdm_store_queue_unsent_by(apr_array_header_t **out, mdm_store_t *st, const char *created_by);
/** Enrollments that were sent this command and have not answered. Array of const char *. */
apr_status_t mdm_store_command_sent(apr_array_header_t **out, mdm_store_t *st, apr_int64_t command, int limit);
/** CommandUUIDs that an enrollment was sent and has not answered. Array of const char *. */
apr_status_t mdm_store_queue_sent_list(apr_array_header_t **out, mdm_store_t *st, const char *enrollment_id, int limit);
/**
 * Decide about a command that waits for approval. Who approves is sealed, bound to the command.
 * @return MDM_ENOTFOUND when it does not wait (any more)
 */
apr_status_t mdm_store_command_decide(mdm_store_t *st, apr_int64_t id, mdm_approval_e approval, const char *by);

/** Who is behind a command; what is not there is NULL. */
typedef struct mdm_command_people_t {
    const char *orderer, *approver;   /* from what is sealed; NULL also when it does not open */
    const char *created_by;           /* who ordered it as the row says: nothing may depend on it */
    const char *note;
} mdm_command_people_t;

/** Who ordered a command, who approved it, and why; all NULL when there is no such command. One statement. */
apr_status_t mdm_store_command_people(mdm_command_people_t *people, mdm_store_t *st, apr_int64_t id);
/** Whatever the rows say: this command waits for approval, for all its enrollments. Two statements. */
apr_status_t mdm_store_command_hold(mdm_store_t *st, apr_int64_t id, const char *orderer, const char *request_type);
/** An approved command may be handed out. @param released to so many enrollments */
apr_status_t mdm_store_queue_release(int *released, mdm_store_t *st, apr_int64_t command);

typedef struct mdm_state_count_t {
    const char *state;            /* as mdm_queue_item_t.state */
    apr_int64_t count;
} mdm_state_count_t;

/** Devices of one command that are alike. */
typedef struct mdm_device_kind_t {
    const char *type;             /* of the enrollment that the command is for, which may be a user's channel */
    const char *product_name, *os_version;    /* NULL: unknown */
    int supervised;               /* 1, 0, or -1: unknown */
    const char *enrollment_id;    /* one of them */
    apr_int64_t count;
} mdm_device_kind_t;

/** What kinds of devices a command is open for. Array of mdm_device_kind_t; one statement. */
apr_status_t mdm_store_command_kinds(apr_array_header_t **out, mdm_store_t *st, apr_int64_t command);

/** How many enrollments a command is in which state for. Array of mdm_state_count_t. */
apr_status_t mdm_store_command_counts(apr_array_header_t **out, mdm_store_t *st, apr_int64_t command);

/** Commands that wait for approval, after the id `cursor`; no bodies. Array of mdm_command_t *. */
apr_status_t mdm_store_command_held(apr_array_header_t **out, mdm_store_t *st, apr_int64_t cursor, int limit);

/** What enrollments can be named by. */
typedef enum { MDM_TARGETS_SERIAL = 0, MDM_TARGETS_USER, MDM_TARGETS_GROUP } mdm_targets_e;

/**
 * The enrolled enrollments that serial numbers, users or groups stand for; device channels alone, but for groups.
 * One statement per MDM_QUEUE_CHUNK names.
 * @param ids     array of const char * to which their enrollment ids are added
 * @param missing array of const char * to which names without any enrollment are added
 */
apr_status_t mdm_store_targets(apr_array_header_t *ids, apr_array_header_t *missing, mdm_store_t *st,
                               mdm_targets_e kind, const char *const *names, int count);

/**
 * Queue a command, with its times, priority and approval, for the enrollments named.
 * @param limit   so many commands may be open per enrollment; 0: any number
 * @param refused array of const char * (enrollment ids): unknown or not enrolled, or named twice
 * @param full    array of const char * (enrollment ids): their limit is reached
 */
apr_status_t mdm_store_queue_place(apr_array_header_t **refused, apr_array_header_t **full, mdm_store_t *st,
                                   const mdm_command_t *command, int limit, const char *const *enrollment_ids,
                                   int count);

/**
 * End commands with this supersede_key that wait for the same enrollments as `command` and were not sent: each gets a
 * result row with the status "Superseded". Two statements; one when there are none.
 */
apr_status_t mdm_store_queue_supersede(int *ended, mdm_store_t *st, const mdm_command_t *command);

/**
 * Queue a command for the enrollments named, MDM_QUEUE_CHUNK ids per statement. Enrollments must have sent
 * TokenUpdate once and be enrolled.
 * @param refused array of const char * (enrollment ids): unknown or not enrolled, or named twice
 */
apr_status_t mdm_store_queue_add(apr_array_header_t **refused, mdm_store_t *st, apr_int64_t command,
                                 int priority, const char *const *enrollment_ids, int count);

typedef struct mdm_queue_item_t {
    const char *uuid, *request_type, *enrollment_id;
    const char *state;            /* "queued", "scheduled", "held", "sent", "notnow"; of a result: its Status */
    apr_time_t queued_at, sent_at, finished_at;
    int tries;
    const char *error_chain;      /* JSON, results only */
    const char *response;         /* raw plist text, results only */
    apr_time_t not_before, not_after; /* open ones of an enrollment only */
    int priority;
} mdm_queue_item_t;

/** Open commands of an enrollment in the order they will be served. Array of mdm_queue_item_t *. */
apr_status_t mdm_store_queue_list(apr_array_header_t **out, mdm_store_t *st, const char *enrollment_id,
                                  int limit);
/**
 * Open and finished states of a command, in the order in which the enrollments were made, after the
 * enrollment_id `cursor` (NULL: from the start). Array of mdm_queue_item_t *.
 */
apr_status_t mdm_store_command_states(apr_array_header_t **out, mdm_store_t *st, const char *uuid,
                                      const char *cursor, int limit);

typedef struct mdm_result_t {
    apr_int64_t enrollment, command;
    const char *status;           /* Acknowledged, Error, CommandFormatError */
    const char *error_chain;      /* JSON or NULL */
    const char *response;         /* raw plist text, sealed in the table */
} mdm_result_t;

/**
 * Finish a command: its open row goes, its result row comes, both or neither (one statement in PostgreSQL; in SQLite
 * two, or one when there is no open row, in a transaction that is made here unless there is one).
 * @param finished 1 when this call did it, 0 when it was not open any more
 */
apr_status_t mdm_store_queue_finish(int *finished, mdm_store_t *st, const mdm_result_t *result);
/**
 * The true answer to a command that had been cancelled, superseded or expired since the device got it takes the place
 * of that status; not across enrollments. One statement.
 * @param replaced 1 when there was such a row
 */
apr_status_t mdm_store_result_late(int *replaced, mdm_store_t *st, const mdm_result_t *result);
/** Mark NotNow: tries + 1. */
apr_status_t mdm_store_queue_notnow(mdm_store_t *st, apr_int64_t enrollment, apr_int64_t command);
/** A new session of the device: NotNow marks are taken off. */
apr_status_t mdm_store_queue_new_session(mdm_store_t *st, apr_int64_t enrollment);
/** The command went out at this time (written in batches, later). */
apr_status_t mdm_store_queue_sent(mdm_store_t *st, apr_int64_t enrollment, apr_int64_t command,
                                  apr_time_t at);
/**
 * End all open commands of an enrollment and of its user channels without an answer: each gets a result row
 * with the status "Cancelled" and `reason` (JSON) as its error chain; an erase that went out and was not answered is
 * assumed done, and its row says so. Two statements; one when nothing is open.
 */
apr_status_t mdm_store_queue_cancel(mdm_store_t *st, apr_int64_t enrollment, const char *reason);
/** The newest result of a RequestType for an enrollment. @return MDM_ENOTFOUND */
apr_status_t mdm_store_result_latest(mdm_queue_item_t **out, mdm_store_t *st, const char *enrollment_id,
                                     const char *request_type);
/** Open a sealed response of mdm_result; for the files of the store. NULL stays NULL. No statement. */
apr_status_t mdm_store_response_open(const char **response, mdm_store_t *st, const char *sealed,
                                     const char *enrollment, const char *command);
/** The result of a command for an enrollment, with its response. @return MDM_ENOTFOUND */
apr_status_t mdm_store_result_get(mdm_queue_item_t **out, mdm_store_t *st, const char *uuid,
                                  const char *enrollment_id);

#endif
