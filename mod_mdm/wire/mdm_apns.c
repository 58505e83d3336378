/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MDM push of Apple's Push Notification service: requests built, answers judged. Called by the push
 * engine in the worker's thread, but pure: no state, no network, no log.
 */
#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <jansson.h>

#include "mdm_apns.h"

#define REQUEST_TIMEOUT apr_time_from_sec(30)
#define REASON_MAX 64
#define TOKEN_MAX 256
#define MAGIC_MAX 2048

static const struct {
    const char *reason;
    mdm_apns_outcome_e outcome;
} reasons[] = {
    { "BadDeviceToken", MDM_APNS_TOKEN_DEAD },
    { "DeviceTokenNotForTopic", MDM_APNS_TOKEN_DEAD },
    { "Unregistered", MDM_APNS_TOKEN_DEAD },
    { "ExpiredToken", MDM_APNS_TOKEN_DEAD },
    { "TopicDisallowed", MDM_APNS_TOPIC_BAD },
    { "BadTopic", MDM_APNS_TOPIC_BAD },
    { "MissingTopic", MDM_APNS_TOPIC_BAD },
    { "BadCertificate", MDM_APNS_TOPIC_BAD },
    { "BadCertificateEnvironment", MDM_APNS_TOPIC_BAD },
    { "Forbidden", MDM_APNS_TOPIC_BAD },
    { "IdleTimeout", MDM_APNS_RETRY },
    { "TooManyRequests", MDM_APNS_RETRY },
    { "InternalServerError", MDM_APNS_RETRY },
    { "ServiceUnavailable", MDM_APNS_RETRY },
    { "Shutdown", MDM_APNS_RETRY },
};

/* A value that can stand in a header field: it may come from a device. */
static int is_field_value(const char *text, apr_size_t max)
{
    apr_size_t i;

    if (!text || !text[0])
        return 0;
    for (i = 0; text[i]; i++) {
        if (i == max || text[i] <= ' ' || text[i] > '~')
            return 0;
    }
    return 1;
}

static const char *json_escape(const char *text, apr_pool_t *p)
{
    char *out = apr_palloc(p, 6 * strlen(text) + 1), *at = out;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            *at++ = '\\';
            *at++ = (char)c;
        }
        else if (c < 0x20) {
            at += apr_snprintf(at, 7, "\\u%04x", c);
        }
        else {
            *at++ = (char)c;
        }
    }
    *at = '\0';
    return out;
}

static apr_status_t check_push(mdm_ctx_t *ctx, const mdm_apns_push_t *push)
{
    if (!push->token.len || push->token.len > TOKEN_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "a push token of %" APR_SIZE_T_FMT " bytes cannot be pushed to",
                        push->token.len);
    if (!is_field_value(push->topic, 256))
        return mdm_fail(ctx, MDM_EINPUT, "the push topic is empty or holds characters no topic has");
    if (!push->magic || !push->magic[0] || strlen(push->magic) > MAGIC_MAX)
        return mdm_fail(ctx, MDM_EINPUT, "the PushMagic is empty or too long");
    if (push->apns_id && !is_field_value(push->apns_id, 64))
        return mdm_fail(ctx, MDM_EINPUT, "the apns-id is not a UUID");
    return APR_SUCCESS;
}

apr_status_t mdm_apns_build(mdm_http_request_t *request, mdm_ctx_t *ctx, const mdm_apns_push_t *push)
{
    apr_status_t rv = check_push(ctx, push);
    const char **headers, *body, *token;
    int n = 0;

    if (rv != APR_SUCCESS)
        return rv;
    headers = apr_pcalloc(ctx->pool, 7 * sizeof(*headers));
    headers[n++] = apr_pstrcat(ctx->pool, "apns-topic: ", push->topic, NULL);
    headers[n++] = "apns-push-type: mdm";
    headers[n++] = "apns-priority: 10";
    headers[n++] = apr_psprintf(ctx->pool, "apns-expiration: %" APR_INT64_T_FMT,
                                (apr_int64_t)apr_time_sec(push->expires_at));
    headers[n++] = "content-type: application/json";
    if (push->apns_id)
        headers[n++] = apr_pstrcat(ctx->pool, "apns-id: ", push->apns_id, NULL);
    request->headers = headers;
    token = mdm_hex_encode(push->token, ctx->pool);
    request->url = apr_pstrcat(ctx->pool, push->base_url, "/3/device/", token, NULL);
    body = apr_pstrcat(ctx->pool, "{\"mdm\":\"", json_escape(push->magic, ctx->pool), "\"}", NULL);
    request->body = mdm_bytes_of(body);
    request->timeout = REQUEST_TIMEOUT;
    return APR_SUCCESS;
}

/* Only words are taken over: the reason is stored and shown. */
static const char *clean_reason(const char *text, apr_pool_t *p)
{
    apr_size_t i;

    if (!text || !text[0])
        return NULL;
    for (i = 0; text[i]; i++) {
        if (i == REASON_MAX || !apr_isalnum(text[i]))
            return NULL;
    }
    return apr_pstrdup(p, text);
}

static void read_body(mdm_apns_result_t *result, mdm_ctx_t *ctx, mdm_bytes_t body)
{
    json_t *root = body.len ? json_loadb((const char *)body.data, body.len, 0, NULL) : NULL;
    json_int_t dead_since = json_integer_value(json_object_get(root, "timestamp"));

    result->reason = clean_reason(json_string_value(json_object_get(root, "reason")), ctx->pool);
    if (result->status == 410 && dead_since > 0 && dead_since < APR_INT64_MAX / 1000)
        result->token_dead_since = apr_time_from_msec(dead_since);
    json_decref(root);
}

static mdm_apns_outcome_e judge_class(int status)
{
    if (status == 410)
        return MDM_APNS_TOKEN_DEAD;
    if (status == 401 || status == 403)
        return MDM_APNS_TOPIC_BAD;
    if (status == 408 || status == 429)
        return MDM_APNS_RETRY;
    return status >= 400 && status < 500 ? MDM_APNS_BUG : MDM_APNS_RETRY;
}

static mdm_apns_outcome_e judge(int status, const char *reason)
{
    apr_size_t i;

    /* 429 and 5xx are about the moment and 410 about the token, whatever word comes with them. */
    if (!reason || status == 410 || status == 429 || status >= 500)
        return judge_class(status);
    for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (!strcmp(reasons[i].reason, reason))
            return reasons[i].outcome;
    }
    return judge_class(status);
}

void mdm_apns_judge(mdm_apns_result_t *result, mdm_ctx_t *ctx, const mdm_http_answer_t *answer)
{
    memset(result, 0, sizeof(*result));
    result->status = answer->status;
    if (!answer->status) {
        result->outcome = MDM_APNS_RETRY;
        result->reason = apr_pstrdup(ctx->pool, answer->error ? answer->error : "no answer");
        return;
    }
    if (answer->status >= 200 && answer->status < 300) {
        result->outcome = MDM_APNS_SENT;
        result->reason = "Success";
        return;
    }
    read_body(result, ctx, answer->body);
    result->outcome = judge(answer->status, result->reason);
    if (!result->reason)
        result->reason = apr_psprintf(ctx->pool, "HTTP%d", answer->status);
    if (answer->retry_after > 0)
        result->retry_after = apr_time_from_sec(answer->retry_after > 86400 ? 86400 : answer->retry_after);
}
