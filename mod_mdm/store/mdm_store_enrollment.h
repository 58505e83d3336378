/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrollments: devices and their user channels, from Authenticate to CheckOut. Called by the check-in and the
 * API.
 */
#ifndef MDM_STORE_ENROLLMENT_H
#define MDM_STORE_ENROLLMENT_H

#include "mdm_store_base.h"

typedef enum {
    MDM_STATE_UNSET = 0,
    MDM_STATE_PENDING,            /* Authenticate came, TokenUpdate not yet */
    MDM_STATE_ENROLLED,
    MDM_STATE_LEFT,               /* CheckOut */
    MDM_STATE_WIPED,              /* EraseDevice acknowledged */
    MDM_STATE_UNMANAGED,          /* got its configuration over the air, without MDM: nobody can reach it */
    MDM_STATE_MISSING             /* silent, and APNs calls its token dead: presumed gone, until it speaks up */
} mdm_state_e;

/** "pending", "enrolled", "left", "wiped", "unmanaged", "missing". */
const char *mdm_state_name(mdm_state_e state);

typedef struct mdm_enrollment_t {
    apr_int64_t id;
    const char *enrollment_id;    /* UDID, UDID:UserID, EnrollmentID, ... as NanoMDM forms them */
    const char *type;             /* "Device", "User", "Shared iPad", "User Enrollment (Device)" or
                                     "User Enrollment" */
    apr_int64_t parent;           /* id of the device enrollment of a user channel; 0 for a device */
    mdm_state_e state;
    const char *user;             /* login of the person who enrolled it */
    const char *certificate;      /* fingerprint of the current identity */
    const char *topic;
    const char *serial_number, *model, *model_name, *device_name, *product_name, *os_version, *build_version;
    const char *imei, *meid;
    const char *user_short_name, *user_long_name;
    int token_update_tally;
    int awaiting_configuration;   /* holds still in Setup Assistant until it is told to go on */
    apr_time_t created_at, enrolled_at, left_at, last_seen_at;
    const char *last_ip;
    apr_time_t silent_since;      /* last sign of life of one that counts as silent; 0: it speaks */
    const char *pem;              /* the current identity itself, where a query asks for it; else NULL */
} mdm_enrollment_t;

/** @return MDM_ENOTFOUND */
apr_status_t mdm_store_enrollment_get(mdm_enrollment_t **out, mdm_store_t *st, const char *enrollment_id);
/** At most `limit` after `cursor` (NULL: from the start) by enrollment_id. Array of mdm_enrollment_t *. */
apr_status_t mdm_store_enrollment_list(apr_array_header_t **out, mdm_store_t *st, const char *cursor,
                                       int limit);

/** Which enrollments are asked for. Lists are JSON arrays of texts; "[]": whichever. */
typedef struct {
    const char *ids, *serials, *user_short_names, *types;
    int enabled;                  /* 1: those that are enrolled, 0: all others, -1: whichever */
    const char *cursor;           /* after this enrollment_id; NULL: from the start */
    int limit, offset;
    int with_certificate;
} mdm_enrollment_query_t;

/**
 * Those by enrollment_id, a user channel with the serial number of its device. Looks at all enrollments unless `ids`
 * names some: for people. One statement. Array of mdm_enrollment_t *.
 */
apr_status_t mdm_store_enrollment_query(apr_array_header_t **out, mdm_store_t *st, const mdm_enrollment_query_t *query);
/** The `limit` newest, newest first. Array of mdm_enrollment_t *. */
apr_status_t mdm_store_enrollment_newest(apr_array_header_t **out, mdm_store_t *st, int limit);
/** With its row in mdm_push: two statements. */
apr_status_t mdm_store_enrollment_insert(mdm_store_t *st, const mdm_enrollment_t *enrollment);
/**
 * Authenticate: pending, facts and certificate of `enrollment` replaced; tally 0 and tokens forgotten; out of all rule
 * and directory groups, with its user channels. By id; three statements.
 */
apr_status_t mdm_store_enrollment_authenticate(mdm_store_t *st, const mdm_enrollment_t *enrollment);
/** The same for one that has not enrolled anew: it stays in groups, and destructive orders that wait go out still. */
apr_status_t mdm_store_enrollment_replace(mdm_store_t *st, const mdm_enrollment_t *enrollment);
/**
 * Pending again for all user channels of a device, tokens forgotten, and of the person who enrolls the device now.
 * One statement when it has none, else two. @param user login, or NULL when nobody has signed in
 */
apr_status_t mdm_store_enrollment_reset_users(mdm_store_t *st, apr_int64_t device, const char *user);

/**
 * A device that has been configured without MDM, by enrollment_id, with the identity it used: MDM_STATE_UNMANAGED
 * and the facts of `enrollment`, out of all rule and directory groups, unless it is pending or enrolled, which stays as
 * it is. Up to five statements; call it in a transaction.
 * @param enrollment its id and state are set: of the row there was, or of the new one
 */
apr_status_t mdm_store_enrollment_unmanaged(mdm_store_t *st, mdm_enrollment_t *enrollment);

typedef struct mdm_tokens_t {
    const char *topic;
    mdm_bytes_t push_token;
    const char *push_magic;
    mdm_bytes_t unlock_token;     /* no bytes: keep the stored one */
    const char *certificate;      /* fingerprint that sent it */
    int awaiting_configuration;
} mdm_tokens_t;

/** TokenUpdate: enrolled, tokens replaced, tally + 1, enrolled_at set if it was not enrolled. By id. */
apr_status_t mdm_store_enrollment_token_update(mdm_store_t *st, apr_int64_t id, const mdm_tokens_t *tokens);
/**
 * Left, wiped or missing, with all user channels when it is a device; tokens forgotten, but of a missing one only those
 * for pushes, since it may return; one that is left or wiped is out of all rule and directory groups. Two statements,
 * three for those.
 */
apr_status_t mdm_store_enrollment_close(mdm_store_t *st, apr_int64_t id, mdm_state_e state);
/** What another server counted and when it heard of it last, for an enrollment that comes from there. */
apr_status_t mdm_store_enrollment_imported(mdm_store_t *st, apr_int64_t id, int token_update_tally,
                                           apr_time_t last_seen_at);
/** last_seen_at and last_ip, never backwards. */
apr_status_t mdm_store_enrollment_seen(mdm_store_t *st, apr_int64_t id, apr_time_t at, const char *ip);

#endif
