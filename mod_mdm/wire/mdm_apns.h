/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MDM push of Apple's Push Notification service: how a request looks and what an answer means
 * (apns-push-type mdm). Formats only; sending is mdm_http's, deciding core/mdm_push's. Any thread.
 */
#ifndef MDM_APNS_H
#define MDM_APNS_H

#include "mdm_http.h"

#define MDM_APNS_URL "https://api.push.apple.com"

typedef enum {
    MDM_APNS_UNSET = 0,
    MDM_APNS_SENT,             /* accepted by APNs: the wake-up is done as far as we can know */
    MDM_APNS_RETRY,            /* try again later: 429, 5xx, no answer */
    MDM_APNS_TOKEN_DEAD,       /* 410, or a token of another environment or topic: wait for a TokenUpdate */
    MDM_APNS_TOPIC_BAD,        /* the certificate or topic is refused: nothing of this topic will go */
    MDM_APNS_BUG               /* APNs refuses the form of our request: no retry */
} mdm_apns_outcome_e;

typedef struct mdm_apns_push_t {
    const char *base_url;        /* MDM_APNS_URL or a stand-in, without a slash at the end */
    const char *topic;
    mdm_bytes_t token;           /* device token as the device gave it */
    const char *magic;           /* PushMagic */
    const char *apns_id;         /* lower-case UUID that names this push */
    apr_time_t expires_at;       /* 0: APNs keeps nothing */
} mdm_apns_push_t;

typedef struct mdm_apns_result_t {
    mdm_apns_outcome_e outcome;
    int status;                     /* HTTP status, 0: no answer */
    const char *reason;             /* APNs' reason word, "Success", or the transport's error; in ctx->pool */
    apr_time_t token_dead_since;    /* 410 only, else 0 */
    apr_interval_time_t retry_after; /* 0: not said */
} mdm_apns_result_t;

/**
 * Fill url, headers, body and timeout of `request`; memory is ctx->pool's.
 * @return MDM_EINPUT for an empty token
 */
apr_status_t mdm_apns_build(mdm_http_request_t *request, mdm_ctx_t *ctx, const mdm_apns_push_t *push);

/** Judge an answer by status and reason; unknown reasons by the status' class. */
void mdm_apns_judge(mdm_apns_result_t *result, mdm_ctx_t *ctx, const mdm_http_answer_t *answer);

#endif
