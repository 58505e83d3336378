/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Push certificates on their way in, and which topics are in use. Called by the mdm-api handler, any thread, and by
 * mdmctl. Never lets a topic in unasked that would strand enrolled devices, except for an import.
 */
#include <string.h>

#include <apr_strings.h>

#include "mdm_pki.h"
#include "mdm_pushcert.h"

#define TOPIC_PREFIX "com.apple.mgmt."

typedef struct {
    mdm_store_t *st;
    const mdm_push_topic_t *topic;
    const char *actor, *source, *serial;
} upload_t;

/* "-----END X----------BEGIN Y-----": files glued together lose the line break that PEM needs. */
static mdm_bytes_t unglue(mdm_bytes_t pem, apr_pool_t *p)
{
    static const char glue[] = "----------";
    const char *text = apr_pstrmemdup(p, (const char *)pem.data, pem.len), *at;
    /* One line break more for every five bytes at most. */
    char *result = apr_palloc(p, pem.len + pem.len / 5 + 1), *to = result;

    while ((at = strstr(text, glue)) != NULL) {
        apr_size_t len = (apr_size_t)(at - text) + 5;

        memcpy(to, text, len);
        to[len] = '\n';
        to += len + 1;
        text += len;
    }
    strcpy(to, text);
    return mdm_bytes_of(result);
}

static int ends_with(const char *text, apr_size_t len, const char *end)
{
    apr_size_t wanted = strlen(end);

    return len >= wanted && !memcmp(text + len - wanted, end, wanted);
}

/* A block of another kind is a wrong file, such as the request in the place of the certificate. */
static apr_status_t check_kinds(mdm_ctx_t *ctx, mdm_bytes_t pem)
{
    static const char begin[] = "-----BEGIN ", dashes[] = "-----";
    const char *at = apr_pstrmemdup(ctx->pool, (const char *)pem.data, pem.len), *end;

    while ((at = strstr(at, begin)) != NULL) {
        at += sizeof(begin) - 1;
        if ((end = strstr(at, dashes)) == NULL)
            break;
        if ((end - at != 11 || memcmp(at, "CERTIFICATE", 11))
            && !ends_with(at, (apr_size_t)(end - at), "PRIVATE KEY"))
            return mdm_fail(ctx, MDM_EINPUT, "the PEM text has a block that is neither a CERTIFICATE nor a PRIVATE "
                            "KEY: send only the push certificate and its key");
    }
    return APR_SUCCESS;
}

static apr_status_t check(mdm_push_topic_t *topic, const char **serial, mdm_ctx_t *ctx, mdm_bytes_t pem)
{
    apr_array_header_t *certs;
    mdm_cert_t *cert;
    mdm_key_t *key;
    apr_status_t rv;

    if ((rv = check_kinds(ctx, pem)) != APR_SUCCESS
        || (rv = mdm_certs_from_pem(&certs, ctx, pem)) != APR_SUCCESS
        || (rv = mdm_key_from_pem(&key, ctx, pem)) != APR_SUCCESS)
        return rv;
    cert = APR_ARRAY_IDX(certs, certs->nelts - 1, mdm_cert_t *);
    if (!mdm_cert_has_key(cert, key))
        return mdm_fail(ctx, MDM_EINPUT, "the key does not belong to the certificate");
    topic->topic = mdm_cert_uid(ctx, cert);
    if (!topic->topic || strncmp(topic->topic, TOPIC_PREFIX, strlen(TOPIC_PREFIX)))
        return mdm_fail(ctx, MDM_EINPUT, "the certificate's subject has no UID that starts with " TOPIC_PREFIX
                        ": it is not an MDM push certificate");
    topic->not_before = mdm_cert_not_before(cert);
    topic->not_after = mdm_cert_not_after(cert);
    if (topic->not_after <= mdm_ctx_now(ctx))
        return mdm_fail(ctx, MDM_EINPUT, "the certificate has expired: renew it with the same Apple Account");
    *serial = mdm_cert_serial(ctx, cert);
    if ((rv = mdm_cert_to_pem(&topic->certificate_pem, ctx, cert)) != APR_SUCCESS)
        return rv;
    return mdm_key_to_pem(&topic->key_pem, ctx, key);
}

static apr_status_t work(void *baton, mdm_db_t *db)
{
    upload_t *u = baton;
    apr_status_t rv = mdm_store_push_topic_put(u->st, u->topic);

    (void)db;
    if (rv != APR_SUCCESS)
        return rv;
    return mdm_store_event(u->st, "pushcert.stored", u->actor, u->source, NULL, u->topic->topic, u->serial);
}

static apr_status_t keep(mdm_push_topic_t *topic, upload_t *upload)
{
    mdm_ctx_t *ctx = upload->st->ctx;
    apr_status_t rv;

    topic->uploaded_at = mdm_ctx_now(ctx);
    if ((rv = mdm_db_transact(upload->st->db, work, upload)) != APR_SUCCESS)
        return rv;
    mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_NOTICE, 0, MDMNO(0250) "push certificate for %s stored by %s",
            topic->topic, upload->actor);
    return APR_SUCCESS;
}

apr_status_t mdm_pushcert_list(apr_array_header_t **out, mdm_store_t *st)
{
    apr_array_header_t *topics, *used, *list;
    apr_status_t rv;
    int i, j;

    if ((rv = mdm_store_push_topic_list(&topics, st)) != APR_SUCCESS
        || (rv = mdm_store_topic_devices(&used, st)) != APR_SUCCESS)
        return rv;
    list = apr_array_make(st->ctx->pool, topics->nelts + used->nelts, sizeof(mdm_pushcert_t));
    for (i = 0; i < topics->nelts; i++) {
        mdm_pushcert_t *p = apr_array_push(list);

        p->certificate = APR_ARRAY_IDX(topics, i, mdm_push_topic_t *);
        p->topic = p->certificate->topic;
        p->devices = 0;
    }
    for (i = 0; i < used->nelts; i++) {
        const mdm_topic_devices_t *u = &APR_ARRAY_IDX(used, i, mdm_topic_devices_t);
        mdm_pushcert_t *p = NULL;

        for (j = 0; j < topics->nelts && !p; j++)
            p = strcmp(APR_ARRAY_IDX(list, j, mdm_pushcert_t).topic, u->topic)
                ? NULL : &APR_ARRAY_IDX(list, j, mdm_pushcert_t);
        if (!p) {
            p = apr_array_push(list);
            p->topic = u->topic;
            p->certificate = NULL;
        }
        p->devices = u->devices;
    }
    *out = list;
    return APR_SUCCESS;
}

/* Apple's renewals always end later: this is most likely the file of the year before. */
static apr_status_t admit_renewal(mdm_ctx_t *ctx, const mdm_push_topic_t *topic, const mdm_push_topic_t *present)
{
    if (!present || topic->not_after >= present->not_after)
        return APR_SUCCESS;
    return mdm_fail(ctx, MDM_EEXIST, "the certificate for %s is older than the one that is stored: it ends on %s, that "
                    "one on %s; upload the newest, or confirm the topic to go back to this one", topic->topic,
                    mdm_time_plain(topic->not_after, "-", ctx->pool),
                    mdm_time_plain(present->not_after, "-", ctx->pool));
}

static apr_status_t admit(mdm_store_t *st, const mdm_push_topic_t *topic, const char *confirm)
{
    mdm_ctx_t *ctx = st->ctx;
    const char *others = NULL;
    apr_array_header_t *list;
    apr_int64_t devices = 0;
    apr_status_t rv;
    int i;

    if (confirm && !strcmp(confirm, topic->topic))
        return APR_SUCCESS;
    if ((rv = mdm_pushcert_list(&list, st)) != APR_SUCCESS)
        return rv;
    for (i = 0; i < list->nelts; i++) {
        const mdm_pushcert_t *p = &APR_ARRAY_IDX(list, i, mdm_pushcert_t);

        if (!strcmp(p->topic, topic->topic))
            return admit_renewal(ctx, topic, p->certificate);
        if (p->devices)
            others = others ? apr_pstrcat(ctx->pool, others, ", ", p->topic, NULL) : p->topic;
        devices += p->devices;
    }
    if (!devices)
        return APR_SUCCESS;
    return mdm_fail(ctx, MDM_EEXIST, "the certificate is for the new topic %s, but %" APR_INT64_T_FMT " enrolled "
                    "device%s only to %s and would be stranded once that certificate ends: renew the old one at Apple "
                    "instead of making a new one, or confirm the new topic to have both", topic->topic, devices,
                    devices == 1 ? " listens" : "s listen", others);
}

static void warn_configured(mdm_ctx_t *ctx, const mdm_push_topic_t *topic, const char *configured)
{
    if (configured && strcmp(configured, topic->topic))
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_WARNING, 0, MDMNO(0930) "the push certificate is for %s, but MDMPushTopic "
                "is %s: new enrollments do not use it", topic->topic, configured);
}

apr_status_t mdm_pushcert_upload(mdm_push_topic_t **stored, mdm_store_t *st, const mdm_pushcert_upload_t *how)
{
    mdm_ctx_t *ctx = st->ctx;
    mdm_push_topic_t *topic = apr_pcalloc(ctx->pool, sizeof(*topic));
    upload_t upload = { st, topic, how->actor, how->source, NULL };
    apr_status_t rv = check(topic, &upload.serial, ctx, unglue(how->pem, ctx->pool));

    if (rv != APR_SUCCESS || (rv = admit(st, topic, how->confirm)) != APR_SUCCESS
        || (rv = keep(topic, &upload)) != APR_SUCCESS)
        return rv;
    warn_configured(ctx, topic, how->configured);
    *stored = topic;
    return APR_SUCCESS;
}

apr_status_t mdm_pushcert_store(mdm_push_topic_t **stored, mdm_store_t *st, mdm_bytes_t pem,
                                const char *actor, const char *source)
{
    mdm_ctx_t *ctx = st->ctx;
    mdm_push_topic_t *topic = apr_pcalloc(ctx->pool, sizeof(*topic));
    upload_t upload = { st, topic, actor, source, NULL };
    apr_status_t rv = check(topic, &upload.serial, ctx, unglue(pem, ctx->pool));

    if (rv != APR_SUCCESS || (rv = keep(topic, &upload)) != APR_SUCCESS)
        return rv;
    *stored = topic;
    return APR_SUCCESS;
}
