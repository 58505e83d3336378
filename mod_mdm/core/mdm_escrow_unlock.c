/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Activation Lock taken off by its bypass code, through Apple's service. Called by the API in a request thread, which
 * waits. The code is never logged nor kept: the audit trail tells the serial number, the topic and Apple's status.
 */
#include <string.h>

#include <apr_escape.h>
#include <apr_strings.h>

#include "mdm_escrow_unlock.h"

#define VALUE_MAX 1024
#define FIELDS_MAX 64
#define ANSWER_MAX (1024 * 1024)
#define TIMEOUT apr_time_from_sec(30)

enum { TOPIC, SERIAL, PRODUCT_TYPE, ESCROW_KEY, ORG_NAME, GUID, REQUIRED, IMEI = REQUIRED, IMEI2, MEID, FIELDS };

static const char *const names[FIELDS] = {
    "topic", "serial", "productType", "escrowKey", "orgName", "guid", "imei", "imei2", "meid"
};
static const int in_query[] = { SERIAL, PRODUCT_TYPE, IMEI, IMEI2, MEID };
static const int in_form[] = { ORG_NAME, GUID, ESCROW_KEY };

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: too long, a broken escape, a control character, or not UTF-8. */
static const char *decode(const char *from, apr_size_t len, apr_pool_t *p)
{
    char *text = apr_palloc(p, len + 1), *to = text;
    mdm_bytes_t bytes = { (unsigned char *)text, 0 };
    apr_size_t i;

    for (i = 0; i < len; i++) {
        int high = -1, low = -1;

        if (from[i] != '%') {
            *to++ = from[i] == '+' ? ' ' : from[i];
            continue;
        }
        if (len - i > 2) {
            high = hex_digit(from[i + 1]);
            low = hex_digit(from[i + 2]);
        }
        if (high < 0 || low < 0)
            return NULL;
        *to++ = (char)(high * 16 + low);
        i += 2;
    }
    *to = '\0';
    bytes.len = (apr_size_t)(to - text);
    for (i = 0; i < bytes.len; i++) {
        if (bytes.data[i] < 0x20 || bytes.data[i] == 0x7f)
            return NULL;
    }
    return bytes.len <= VALUE_MAX && mdm_utf8_valid(bytes) ? text : NULL;
}

static int field_of(const char *at, apr_size_t len)
{
    int i;

    for (i = 0; i < FIELDS; i++) {
        if (strlen(names[i]) == len && !memcmp(names[i], at, len))
            return i;
    }
    return -1;
}

static apr_status_t read_form(const char **values, mdm_ctx_t *ctx, mdm_bytes_t form)
{
    const char *at = apr_pstrmemdup(ctx->pool, (const char *)form.data, form.len);
    int count, i;

    if (form.len > MDM_ESCROW_UNLOCK_FORM_MAX || strlen(at) != form.len)
        return mdm_fail(ctx, MDM_EINPUT, "the body is not a form of at most %d bytes", MDM_ESCROW_UNLOCK_FORM_MAX);
    for (count = 0; *at; count++) {
        apr_size_t len = strcspn(at, "&"), name = strcspn(at, "=&");
        int field = field_of(at, name);

        if (count == FIELDS_MAX)
            return mdm_fail(ctx, MDM_EINPUT, "the form has over %d fields", FIELDS_MAX);
        if (field >= 0 && !values[field]) {
            values[field] = name < len ? decode(at + name + 1, len - name - 1, ctx->pool) : "";
            if (!values[field])
                return mdm_fail(ctx, MDM_EINPUT, "the field %s is malformed or over %d bytes", names[field], VALUE_MAX);
        }
        at += len + (at[len] == '&');
    }
    for (i = 0; i < REQUIRED; i++) {
        if (!values[i] || !*values[i])
            return mdm_fail(ctx, MDM_EINPUT, "the field %s is missing", names[i]);
    }
    return APR_SUCCESS;
}

static const char *encode(const char *const *values, const int *fields, apr_size_t count, apr_pool_t *p)
{
    const char *text = "";
    apr_size_t i;

    for (i = 0; i < count; i++) {
        if (values[fields[i]] && *values[fields[i]])
            text = apr_pstrcat(p, text, *text ? "&" : "", names[fields[i]], "=",
                               apr_pescape_urlencoded(p, values[fields[i]]), NULL);
    }
    return text;
}

static apr_status_t ask(mdm_fetched_t *answer, mdm_ctx_t *ctx, const mdm_site_t *site, const mdm_push_topic_t *topic,
                        const char *const *values)
{
    static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
    const char *url = site->escrow_key_unlock_url, *body = encode(values, in_form, COUNT(in_form), ctx->pool);
    mdm_fetch_t request = { 0 };
    apr_status_t rv;

    request.method = "POST";
    request.url = apr_pstrcat(ctx->pool, url, strchr(url, '?') ? "&" : "?",
                              encode(values, in_query, COUNT(in_query), ctx->pool), NULL);
    request.headers = headers;
    request.body = mdm_bytes_of(body);
    request.client_pem = mdm_bytes_of(topic->certificate_pem);
    request.client_key_pem = topic->key_pem;
    request.ca_pem = site->apns_ca_pem;
    request.timeout = TIMEOUT;
    request.answer_max = ANSWER_MAX;
    rv = mdm_fetch(answer, ctx, &request);
    mdm_cleanse((char *)body, strlen(body));
    /* Too long an answer is Apple's fault, not the caller's. */
    return rv == MDM_ETOOBIG ? MDM_EHTTP : rv;
}

typedef struct {
    mdm_store_t *st;
    const char *actor, *source, *serial, *detail;
} audit_t;

static apr_status_t audit(void *baton, mdm_db_t *db)
{
    audit_t *a = baton;

    (void)db;
    return mdm_store_event(a->st, "escrowkey.unlock", a->actor, a->source, NULL, a->serial, a->detail);
}

apr_status_t mdm_escrow_unlock(mdm_fetched_t *answer, mdm_store_t *st, const mdm_site_t *site, mdm_bytes_t form,
                               const char *actor, const char *source)
{
    mdm_ctx_t *ctx = st->ctx;
    const char *values[FIELDS] = { NULL };
    audit_t a = { st, actor, source, NULL, NULL };
    mdm_push_topic_t *topic;
    apr_status_t rv = read_form(values, ctx, form), noted;

    if (rv != APR_SUCCESS || (rv = mdm_store_push_topic_get(&topic, st, values[TOPIC])) != APR_SUCCESS)
        return rv;
    rv = ask(answer, ctx, site, topic, values);
    mdm_cleanse((char *)values[ESCROW_KEY], strlen(values[ESCROW_KEY]));
    a.serial = values[SERIAL];
    a.detail = rv != APR_SUCCESS ? apr_psprintf(ctx->pool, "%s: no answer", values[TOPIC])
                                 : apr_psprintf(ctx->pool, "%s: HTTP %d", values[TOPIC], answer->status);
    noted = mdm_db_transact(st->db, audit, &a);
    /* What Apple has done is done: its answer goes back all the same. */
    mdm_log(ctx, MDM_LOG_MARK, noted == APR_SUCCESS ? MDM_LOG_NOTICE : MDM_LOG_ERR, 0, MDMNO(0934) "%s asked to unlock "
            "the device %s: %s%s", actor, a.serial, a.detail, noted == APR_SUCCESS ? "" : "; not in the audit trail");
    return rv;
}
