/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one SELECT of a device's message: what it needs of identity, enrollment and queue.
 */
#ifndef MDM_STORE_CONNECT_H
#define MDM_STORE_CONNECT_H

#include "mdm_store_enrollment.h"
#include "mdm_store_queue.h"

/** Everything one device message needs, from one SELECT by certificate fingerprint and enrollment id. */
typedef struct mdm_connect_row_t {
    int certificate_known;        /* the fingerprint is in our table; the next six are about it */
    const char *serial;
    apr_int64_t bound_to;         /* enrollment id, 0 = none */
    apr_time_t not_after, revoked_at;
    const char *replaced_by;
    const char *certificate_user;
    apr_int64_t certificate_session;  /* mdm_session_t.id, 0 = none */
    apr_int64_t enrollment;       /* 0: no such enrollment_id; the next four are about it */
    apr_int64_t parent;
    mdm_state_e state;
    apr_int64_t last_seen_at;
    const char *certificate;      /* fingerprint of its current identity */
    int has_notnow;               /* some open command was answered NotNow in an earlier or this session */
    apr_int64_t answered;         /* id of the open command that `answered_uuid` names, 0: not open here */
    apr_int64_t answered_id;      /* id of the command that `answered_uuid` names, open here or not; 0: unknown */
    const char *answered_type;    /* its RequestType */
    mdm_delivery_e answered_delivery;
    apr_int64_t next;             /* id of the command to serve, 0: nothing */
    const char *next_uuid;
    const char *next_body;        /* the bytes enqueued: XML text */
    mdm_delivery_e next_delivery;
    const char *next_type;        /* its RequestType */
    int next_outlived;            /* it was ordered before the device enrolled anew */
    int has_work;                 /* something waits that may go out now */
    const char *auth_token;       /* sha256 of the AuthToken that a user's messages have to bear, or NULL */
} mdm_connect_row_t;

/**
 * The one SELECT of the connect path.
 * @param answered_uuid CommandUUID just answered: never offered as next; NULL on Idle
 * @param skip_notnow   nonzero: offer only commands not marked NotNow
 */
apr_status_t mdm_store_connect(mdm_connect_row_t **out, mdm_store_t *st, const char *fingerprint,
                               const char *enrollment_id, const char *answered_uuid, int skip_notnow);

/** The same for check-in messages, which fetch no command: of the queue it tells has_work alone. */
apr_status_t mdm_store_checkin(mdm_connect_row_t **out, mdm_store_t *st, const char *fingerprint,
                               const char *enrollment_id);

#endif
