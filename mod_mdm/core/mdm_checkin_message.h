/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One check-in message on its way through the check-in, and what each kind of message does: for the files
 * mdm_checkin*.c alone. All of it runs in the transaction that mdm_checkin_handle starts.
 */
#ifndef MDM_CHECKIN_MESSAGE_H
#define MDM_CHECKIN_MESSAGE_H

#include "mdm_declarative.h"
#include "mdm_device.h"

typedef struct mdm_message_t {
    mdm_store_t *st;
    const mdm_site_t *site;
    const mdm_device_t *device;
    const mdm_connect_row_t *row;
    apr_int64_t enrollment;             /* row's, or the one that the message has made */
    int wake;                           /* out: a wake-up is due */
    const mdm_plist_t *answer;          /* out: property list to answer with; NULL: nothing */
    mdm_declarative_t *declarative;     /* out: what another server has to be asked */
} mdm_message_t;

/** The text of a key of the message, or NULL. */
const char *mdm_message_text(const mdm_message_t *m, const char *key);

/** Whether a user channel speaks. */
int mdm_message_is_user(const mdm_message_t *m);

/** Note an event of the enrollment that speaks. */
apr_status_t mdm_message_event(mdm_message_t *m, const char *kind, const char *detail);

/** A pending enrollment, made of what the message tells. */
void mdm_message_describe(mdm_enrollment_t *e, const mdm_message_t *m);

/* The messages, one function each. */
typedef apr_status_t mdm_message_fn(mdm_message_t *m);

mdm_message_fn mdm_checkin_authenticate, mdm_checkin_token_update, mdm_checkin_check_out;
mdm_message_fn mdm_checkin_user_authenticate;
mdm_message_fn mdm_checkin_set_bootstrap_token, mdm_checkin_get_bootstrap_token;
mdm_message_fn mdm_checkin_get_token, mdm_checkin_return_to_service, mdm_checkin_declarative;

/**
 * Begin a user channel that is not there yet or has ended: pending, below the device's enrollment, whose certificate it
 * shares. Sets m->enrollment. One that is live stays as it is. @return MDM_EDENIED when the device is not enrolled
 */
apr_status_t mdm_checkin_open_channel(mdm_message_t *m);

/**
 * Whether the certificate of an Authenticate may take over an enrollment that is in force; a refusal is logged.
 * @return MDM_EDENIED
 */
apr_status_t mdm_checkin_may_take_over(mdm_message_t *m, const mdm_enrollment_t *old);

#endif
