/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mod_mdm remembers: records, and functions to get and change them. One function is one statement unless it says
 * otherwise; none starts a transaction by itself unless it says so: callers group them with mdm_db_transact.
 * Times are microseconds since 1970 UTC, 0 = never. Texts are NULL when absent. Results live in ctx->pool.
 * Secrets go in and come out in the clear and are sealed in the tables (mdm_seal).
 */
#ifndef MDM_STORE_H
#define MDM_STORE_H

#include <apr_tables.h>

#include "mdm_db.h"
#include "mdm_seal.h"

#define MDM_SCHEMA_VERSION 1

/** A store for the time of one context: cheap to make, never shared between threads. */
typedef struct mdm_store_t {
    mdm_ctx_t *ctx;
    mdm_db_t *db;
    const mdm_seal_t *seal;
} mdm_store_t;

/* ---- meta (mdm_store_meta.c) */

/** The schema version of the database; 0 when it has no tables of ours. Never heals, never writes. */
apr_status_t mdm_store_version(int *version, mdm_store_t *st);

/** Create all tables (one transaction) and the meta rows. @return MDM_EEXIST when they are there */
apr_status_t mdm_store_init(mdm_store_t *st);

/** Bring an older database to MDM_SCHEMA_VERSION, step by step, each step one transaction. */
apr_status_t mdm_store_upgrade(mdm_store_t *st);

/**
 * Make sure the database fits this program; looked up once per connection. An empty SQLite database is initialised.
 * @return MDM_ESCHEMA with the mdmctl command that mends it
 */
apr_status_t mdm_store_ready(mdm_store_t *st);

/* ---- certificates and challenges (mdm_store_certificate.c, mdm_store_challenge.c) */

typedef struct mdm_certificate_t {
    const char *fingerprint;      /* SHA-256 hex of the DER: the key of the table */
    const char *serial;           /* hex, unique */
    const char *subject;
    const char *pem;
    apr_time_t not_before, not_after, issued_at;
    apr_int64_t enrollment;       /* id of the device enrollment it is bound to, 0 = not yet */
    const char *user;             /* login of the person it was issued for */
    const char *request_sha256;   /* of the SCEP message that asked for it: recognises a retry */
    apr_time_t revoked_at;
    const char *revoked_reason;
    const char *replaced_by;      /* fingerprint of its successor */
} mdm_certificate_t;

apr_status_t mdm_store_certificate_insert(mdm_store_t *st, const mdm_certificate_t *certificate);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_certificate_by_fingerprint(mdm_certificate_t **out, mdm_store_t *st, const char *fingerprint);
apr_status_t mdm_store_certificate_by_serial(mdm_certificate_t **out, mdm_store_t *st, const char *serial);
apr_status_t mdm_store_certificate_by_request(mdm_certificate_t **out, mdm_store_t *st, const char *request_sha256);
/** Newest first, at most `limit`, issued before `before` (0: from the newest). Array of mdm_certificate_t *, no PEM. */
apr_status_t mdm_store_certificate_list(apr_array_header_t **out, mdm_store_t *st, apr_time_t before, int limit);
/** Bind an unbound certificate to an enrollment. @return MDM_ENOTFOUND when it is bound already or unknown */
apr_status_t mdm_store_certificate_bind(mdm_store_t *st, const char *fingerprint, apr_int64_t enrollment);
/** Mark all other unreplaced certificates of the enrollment as replaced by this one. */
apr_status_t mdm_store_certificate_supersede(mdm_store_t *st, apr_int64_t enrollment, const char *fingerprint);
/** @return MDM_ENOTFOUND when there is no such serial or it is revoked already */
apr_status_t mdm_store_certificate_revoke(mdm_store_t *st, const char *serial, const char *reason);
/** Revoke all certificates of an enrollment. */
apr_status_t mdm_store_certificate_revoke_all(mdm_store_t *st, apr_int64_t enrollment, const char *reason);

typedef struct mdm_challenge_t {
    const char *sha256;           /* hex of the challenge text: the text itself is never stored */
    const char *kind;             /* "scep" */
    const char *user;             /* login, or NULL when an administrator made it */
    const char *common_name;      /* the request's CN must be this; NULL: any */
    apr_time_t created_at, expires_at, used_at;
} mdm_challenge_t;

apr_status_t mdm_store_challenge_insert(mdm_store_t *st, const mdm_challenge_t *challenge);
/**
 * Use a challenge up: one conditional UPDATE (unused, not expired, CN fits), then its row. Call inside the transaction
 * that stores what it pays for. @return MDM_EDENIED when it is unknown, used, expired or for another CN
 */
apr_status_t mdm_store_challenge_use(mdm_challenge_t **out, mdm_store_t *st, const char *kind, const char *sha256,
                                     const char *common_name);

/* ---- enrollments (mdm_store_enrollment.c) */

typedef enum {
    MDM_STATE_UNSET = 0,
    MDM_STATE_PENDING,            /* Authenticate came, TokenUpdate not yet */
    MDM_STATE_ENROLLED,
    MDM_STATE_LEFT,               /* CheckOut */
    MDM_STATE_WIPED               /* EraseDevice acknowledged */
} mdm_state_e;

/** "pending", "enrolled", "left", "wiped". */
const char *mdm_state_name(mdm_state_e state);

typedef struct mdm_enrollment_t {
    apr_int64_t id;
    const char *enrollment_id;    /* UDID, UDID:UserID, EnrollmentID, ... as NanoMDM forms them */
    const char *type;             /* "Device", "User", "Shared iPad", "User Enrollment (Device)", "User Enrollment" */
    apr_int64_t parent;           /* id of the device enrollment of a user channel; 0 for a device */
    mdm_state_e state;
    const char *user;             /* login of the person who enrolled it */
    const char *certificate;      /* fingerprint of the current identity */
    const char *topic;
    const char *serial_number, *model, *model_name, *device_name, *product_name, *os_version, *build_version;
    const char *imei, *meid;
    const char *user_short_name, *user_long_name;
    int token_update_tally;
    apr_time_t created_at, enrolled_at, left_at, last_seen_at;
    const char *last_ip;
} mdm_enrollment_t;

/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_enrollment_get(mdm_enrollment_t **out, mdm_store_t *st, const char *enrollment_id);
/** After `cursor` in order of enrollment_id (NULL: from the start), at most `limit`. Array of mdm_enrollment_t *. */
apr_status_t mdm_store_enrollment_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor, int limit);
apr_status_t mdm_store_enrollment_insert(mdm_store_t *st, const mdm_enrollment_t *enrollment);
/** Authenticate: pending, facts and certificate of `enrollment` replaced; tally 0 and tokens forgotten. By id. */
apr_status_t mdm_store_enrollment_authenticate(mdm_store_t *st, const mdm_enrollment_t *enrollment);
/** Pending again for all user channels of a device, tokens forgotten. */
apr_status_t mdm_store_enrollment_reset_users(mdm_store_t *st, apr_int64_t device);

typedef struct mdm_tokens_t {
    const char *topic;
    mdm_bytes_t push_token;
    const char *push_magic;
    mdm_bytes_t unlock_token;     /* no bytes: keep the stored one */
    const char *certificate;      /* fingerprint that sent it */
} mdm_tokens_t;

/** TokenUpdate: enrolled, tokens replaced, tally + 1, enrolled_at set if it was not enrolled. By id. */
apr_status_t mdm_store_enrollment_token_update(mdm_store_t *st, apr_int64_t id, const mdm_tokens_t *tokens);
/** Left or wiped, with all user channels when it is a device; tokens forgotten. */
apr_status_t mdm_store_enrollment_close(mdm_store_t *st, apr_int64_t id, mdm_state_e state);
/** last_seen_at and last_ip, never backwards. */
apr_status_t mdm_store_enrollment_seen(mdm_store_t *st, apr_int64_t id, apr_time_t at, const char *ip);

/* ---- the device's request (mdm_store_connect.c) */

/** Everything one device message needs, from one SELECT by certificate fingerprint and enrollment id. */
typedef struct mdm_connect_row_t {
    int certificate_known;        /* the fingerprint is in our table; the next five are about it */
    const char *serial;
    apr_int64_t bound_to;         /* enrollment id, 0 = none */
    apr_time_t not_after, revoked_at;
    const char *replaced_by;
    const char *certificate_user;
    apr_int64_t enrollment;       /* 0: no such enrollment_id; the next five are about it */
    apr_int64_t parent;
    mdm_state_e state;
    apr_int64_t last_seen_at;
    int has_notnow;               /* some open command was answered NotNow in an earlier or this session */
    apr_int64_t answered;         /* id of the open command that `answered_uuid` names, 0: not open here */
    const char *answered_type;    /* its RequestType */
    apr_int64_t next;             /* id of the command to serve, 0: nothing */
    const char *next_uuid;
    const char *next_body;        /* the bytes enqueued: XML text */
} mdm_connect_row_t;

/**
 * The one SELECT of the connect path.
 * @param answered_uuid CommandUUID just answered: never offered as next; NULL on Idle
 * @param skip_notnow   nonzero: offer only commands not marked NotNow
 */
apr_status_t mdm_store_connect(mdm_connect_row_t **out, mdm_store_t *st, const char *fingerprint,
                               const char *enrollment_id, const char *answered_uuid, int skip_notnow);

/* ---- commands, queue, results (mdm_store_command.c, mdm_store_queue.c) */

typedef struct mdm_command_t {
    apr_int64_t id;               /* time-ordered: also the order of the queue */
    const char *uuid;             /* CommandUUID, unique */
    const char *request_type;
    const char *body;             /* the plist as enqueued, UTF-8 text; sealed in the table */
    const char *created_by;       /* API user */
    apr_time_t created_at;
} mdm_command_t;

/** @return MDM_EEXIST when the CommandUUID is taken (decided by looking, not by driver codes) */
apr_status_t mdm_store_command_insert(mdm_store_t *st, const mdm_command_t *command);
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_command_get(mdm_command_t **out, mdm_store_t *st, const char *uuid);

#define MDM_QUEUE_CHUNK 64

/**
 * Queue a command for the enrollments named, MDM_QUEUE_CHUNK ids per statement. Enrollments must have sent TokenUpdate
 * once and be enrolled.
 * @param refused array of const char * (enrollment ids): unknown or not enrolled, or named twice
 */
apr_status_t mdm_store_queue_add(apr_array_header_t **refused, mdm_store_t *st, apr_int64_t command, int priority,
                                 const char *const *enrollment_ids, int count);

typedef struct mdm_queue_item_t {
    const char *uuid, *request_type, *enrollment_id;
    const char *state;            /* "queued", "sent", "notnow"; of a result: its Status */
    apr_time_t queued_at, sent_at, finished_at;
    int tries;
    const char *error_chain;      /* JSON, results only */
    const char *response;         /* raw plist text, results only, NULL in lists */
} mdm_queue_item_t;

/** Open commands of an enrollment in the order they will be served. Array of mdm_queue_item_t *. */
apr_status_t mdm_store_queue_list(apr_array_header_t **out, mdm_store_t *st, const char *enrollment_id, int limit);
/** Open and finished states of a command, by enrollment_id after `cursor`. Array of mdm_queue_item_t *. */
apr_status_t mdm_store_command_states(apr_array_header_t **out, mdm_store_t *st, const char *uuid, const char *cursor,
                                      int limit);

typedef struct mdm_result_t {
    apr_int64_t enrollment, command;
    const char *status;           /* Acknowledged, Error, CommandFormatError */
    const char *error_chain;      /* JSON or NULL */
    const char *response;         /* raw plist text, sealed in the table */
} mdm_result_t;

/**
 * Finish a command: its open row goes, its result row comes (two statements, or one when there is no open row).
 * @param finished 1 when this call did it, 0 when it was not open any more
 */
apr_status_t mdm_store_queue_finish(int *finished, mdm_store_t *st, const mdm_result_t *result);
/** Mark NotNow: tries + 1. */
apr_status_t mdm_store_queue_notnow(mdm_store_t *st, apr_int64_t enrollment, apr_int64_t command);
/** A new session of the device: NotNow marks are taken off. */
apr_status_t mdm_store_queue_new_session(mdm_store_t *st, apr_int64_t enrollment);
/** The command went out at this time (written in batches, later). */
apr_status_t mdm_store_queue_sent(mdm_store_t *st, apr_int64_t enrollment, apr_int64_t command, apr_time_t at);
/**
 * End all open commands of an enrollment and of its user channels without an answer: each gets a result row with the
 * status "Cancelled" and `reason` as its error chain.
 */
apr_status_t mdm_store_queue_cancel(mdm_store_t *st, apr_int64_t enrollment, const char *reason);
/** The newest result of a RequestType for an enrollment. @return MDM_ENOTFOUND */
apr_status_t mdm_store_result_latest(mdm_queue_item_t **out, mdm_store_t *st, const char *enrollment_id,
                                     const char *request_type);

/* ---- push (mdm_store_push.c) */

typedef struct mdm_push_topic_t {
    const char *topic;
    const char *certificate_pem;
    mdm_bytes_t key_pem;          /* only from mdm_store_push_topic_get; sealed in the table */
    apr_time_t not_before, not_after, uploaded_at;
    int generation;               /* + 1 at each upload: a sender knows that its copy is stale */
} mdm_push_topic_t;

apr_status_t mdm_store_push_topic_put(mdm_store_t *st, const mdm_push_topic_t *topic);   /* 2 statements at most */
/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_push_topic_get(mdm_push_topic_t **out, mdm_store_t *st, const char *topic);
/** All topics, newest upload first, without keys. Array of mdm_push_topic_t *. */
apr_status_t mdm_store_push_topic_list(apr_array_header_t **out, mdm_store_t *st);

/** Why an enrollment cannot be woken now, for the API; NULL reason: it can. */
typedef struct mdm_push_target_t {
    const char *enrollment_id;
    apr_int64_t enrollment;       /* 0: unknown */
    const char *problem;          /* sentence, or NULL */
    const char *apns_id;          /* lower-case UUID of the wake-up wanted now; NULL with a problem */
} mdm_push_target_t;

/**
 * Want a wake-up at `due_at` for the enrollments named, chunked. Rows are one per enrollment, so wishes coalesce: an
 * earlier due_at wins, attempts start again. The apns_id is derived from (enrollment, wish).
 * @param targets array of mdm_push_target_t, one per id, in the order given
 */
apr_status_t mdm_store_push_want(apr_array_header_t **targets, mdm_store_t *st, apr_time_t due_at,
                                 const char *const *enrollment_ids, int count);
/** The same for one enrollment by id; used after NotNow and TokenUpdate. Nothing is reported. */
apr_status_t mdm_store_push_want_one(mdm_store_t *st, apr_int64_t enrollment, apr_time_t due_at);

typedef struct mdm_push_job_t {
    apr_int64_t enrollment;
    const char *enrollment_id;
    const char *topic;
    mdm_bytes_t token;
    apr_time_t token_at;          /* when the device last sent this token (its newest TokenUpdate); 0: unknown */
    const char *magic;
    const char *apns_id;
    int attempts;                 /* failed ones so far */
    apr_time_t due_at;
} mdm_push_job_t;

/**
 * Claim due wake-ups for `owner` until `lease_until`: one UPDATE, one SELECT. A claimed row is nobody else's until then.
 * @param jobs array of mdm_push_job_t
 */
apr_status_t mdm_store_push_claim(apr_array_header_t **jobs, mdm_store_t *st, const char *owner, apr_time_t lease_until,
                                  int limit);
/** When the next unclaimed wake-up is due; 0: none. */
apr_status_t mdm_store_push_next_due(apr_time_t *due_at, mdm_store_t *st);
/** Sent: nothing is wanted any more, unless somebody has wanted again since the claim. Chunked; ids of enrollments. */
apr_status_t mdm_store_push_done(mdm_store_t *st, const char *owner, const apr_int64_t *enrollments, int count);
/** Not sent: due again at `due_at` (0: not wanted any more), attempts + 1, with APNs' or our reason. */
apr_status_t mdm_store_push_failed(mdm_store_t *st, const char *owner, apr_int64_t enrollment, apr_time_t due_at,
                                   const char *reason);
/** The token is dead: nothing is wanted until the next TokenUpdate. */
apr_status_t mdm_store_push_dead(mdm_store_t *st, const char *owner, apr_int64_t enrollment, const char *reason);

/** Give back all claims of `owner`, so that others need not wait for their leases to end: a sender that stops. */
apr_status_t mdm_store_push_release(mdm_store_t *st, const char *owner);

/* ---- events and figures (mdm_store_event.c, mdm_store_status.c) */

/** Append to the audit trail. @param kind dotted word such as "enrollment.enrolled"; others may be NULL */
apr_status_t mdm_store_event(mdm_store_t *st, const char *kind, const char *actor, const char *source_ip,
                             const char *enrollment_id, const char *object, const char *detail);

typedef struct mdm_count_t {
    const char *name;
    apr_int64_t count;
} mdm_count_t;

typedef struct mdm_figures_t {
    apr_array_header_t *enrollments;   /* mdm_count_t by state name and type */
    apr_array_header_t *open_commands; /* mdm_count_t by age: "under 1 hour", "1 hour to 1 day", "1 to 7 days", "over 7 days" */
    apr_array_header_t *pushes;        /* mdm_count_t by last reason ("Success", "Unregistered", ...) */
    apr_int64_t pushes_due;            /* wanted and due now */
    apr_array_header_t *certificates;  /* mdm_count_t by days left: "expired", "under 30 days", "30 to 90 days", "over 90 days", "revoked" */
    apr_array_header_t *topics;        /* mdm_push_topic_t * */
} mdm_figures_t;

/** The figures of the status page: a fixed number of statements. */
apr_status_t mdm_store_figures(mdm_figures_t **out, mdm_store_t *st);

#endif
