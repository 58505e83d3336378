/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's message: who it says it is, and whether its certificate may say so. Shared
 * by check-in and connect.
 */
#ifndef MDM_DEVICE_H
#define MDM_DEVICE_H

#include "mdm_plist.h"
#include "mdm_site.h"
#include "mdm_store.h"

/** Who calls, as the transport has proven it, and how. */
typedef struct mdm_caller_t {
    const char *fingerprint;        /* SHA-256 of the certificate */
    const char *source;             /* client address */
    const apr_table_t *url_params;  /* of the request's URL, decoded; NULL or empty: none */
    const char *trace_id;           /* 16 hex digits that name this request in events and to other servers */
    /** The certificate itself, DER in `p`: asked for only when the fingerprint is not known. */
    apr_status_t (*certificate)(mdm_bytes_t *der, mdm_ctx_t *ctx, void *baton);
    void *baton;
} mdm_caller_t;

/** One message, parsed. */
typedef struct mdm_device_t {
    const mdm_plist_t *message;
    mdm_bytes_t body;               /* the message as it came */
    const mdm_caller_t *caller;
    const char *fingerprint;        /* caller's */
    const char *source;             /* caller's */
    const char *enrollment_id;      /* of the channel that speaks */
    const char *device_id;          /* of its device channel: the same for a device */
    const char *type;               /* as mdm_enrollment_t.type */
    const char *user_short_name, *user_long_name;
} mdm_device_t;

/**
 * Parse a body and form the ids as NanoMDM does: UDID, UDID:UserID, UDID:UserShortName (Shared iPad),
 * EnrollmentID, EnrollmentID:EnrollmentUserID. Ids of devices have no colon; an identifier that is no string is
 * refused, whether the id needs it or not; what a check-in message says of the device is strings of a bounded length.
 * @return MDM_EPLIST, MDM_EINPUT
 */
apr_status_t mdm_device_read(mdm_device_t **device, mdm_ctx_t *ctx, mdm_bytes_t body, const mdm_caller_t *caller);

/**
 * The data of a key that a message may lack: none then. Memory stays the message's.
 * @return MDM_EINPUT when the key is something else than data
 */
apr_status_t mdm_device_data(mdm_bytes_t *data, mdm_ctx_t *ctx, const mdm_device_t *device, const char *key);

/** What a device's message (Authenticate) tells of the device, into `e`; memory stays the message's. */
void mdm_device_describe(mdm_enrollment_t *e, const mdm_plist_t *message);

/**
 * Whether the certificate of a message is ours, in force, and bound to the enrollment that speaks. Each
 * refusal is logged as a warning here, with who and why.
 * @param row     from mdm_store_connect for this message
 * @param unbound nonzero: a certificate that is bound to nobody yet will do (Authenticate)
 * @return MDM_EDENIED
 */
apr_status_t mdm_device_judge(mdm_ctx_t *ctx, const mdm_device_t *device, const mdm_connect_row_t *row,
                              int unbound);

/** Refuse a message: log who and why, and return MDM_EDENIED. */
apr_status_t mdm_device_refuse(mdm_ctx_t *ctx, const mdm_device_t *device, const char *why);

#endif
