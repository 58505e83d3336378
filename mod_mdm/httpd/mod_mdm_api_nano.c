/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NanoMDM's routes, with its status codes and JSON members in its order. Unlike NanoMDM no call
 * waits for APNs: a wake-up is stored, its apns-id is chosen here and sent to APNs as such, and
 * that is what push_result tells.
 */
#include <apr_strings.h>

#include "mdm_command.h"
#include "mdm_json.h"
#include "mdm_pushcert.h"
#include "mod_mdm_api.h"
#include "mod_mdm_io.h"
#include "mod_mdm_worker.h"

#define NO_IDS "no ids: name enrollments in the path, separated by commas"

static const char *const pushcert_methods[] = { "PUT", "GET", NULL };

/* What enqueue and push answer with. */
typedef struct {
    const apr_array_header_t *targets;     /* mdm_push_target_t, or NULL */
    int no_push;
    const char *push_error, *command_error;
    const mdm_command_t *command;
} outcome_t;

static int compare_targets(const void *a, const void *b)
{
    return strcmp((*(const mdm_push_target_t *const *)a)->enrollment_id,
                  (*(const mdm_push_target_t *const *)b)->enrollment_id);
}

json_t *mdm_api_targets(const apr_array_header_t *targets, int *failed, apr_pool_t *p)
{
    const mdm_push_target_t **sorted = apr_palloc(p, sizeof(*sorted) * (apr_size_t)(targets->nelts + 1));
    json_t *json = json_object();
    int i;

    *failed = 0;
    for (i = 0; i < targets->nelts; i++)
        sorted[i] = &APR_ARRAY_IDX(targets, i, mdm_push_target_t);
    qsort(sorted, (size_t)targets->nelts, sizeof(*sorted), compare_targets);
    for (i = 0; i < targets->nelts; i++) {
        const mdm_push_target_t *t = sorted[i];

        if (i && !strcmp(t->enrollment_id, sorted[i - 1]->enrollment_id))
            continue;
        *failed += t->problem ? 1 : 0;
        json_object_set_new(json, t->enrollment_id,
                            t->problem ? json_pack("{s:s}", "push_error", t->problem)
                                       : json_pack("{s:s}", "push_result", t->apns_id));
    }
    return json;
}

static int answer(mdm_api_t *api, const outcome_t *o, int http_status)
{
    json_t *json = json_object();
    int failed = 0;

    if (o->targets && o->targets->nelts) {
        json_object_set_new(json, "status", mdm_api_targets(o->targets, &failed, api->r->pool));
        if (!http_status)
            http_status = !failed ? HTTP_OK
                : failed == o->targets->nelts ? HTTP_INTERNAL_SERVER_ERROR : HTTP_MULTI_STATUS;
    }
    if (o->no_push)
        json_object_set_new(json, "no_push", json_true());
    mdm_json_set_text(json, "push_error", o->push_error);
    mdm_json_set_text(json, "command_error", o->command_error);
    if (o->command) {
        mdm_json_set_text(json, "command_uuid", o->command->uuid);
        mdm_json_set_text(json, "request_type", o->command->request_type);
    }
    return mdm_api_json(api, http_status ? http_status : HTTP_OK, json);
}

/*
 * A failure of the whole call; the sentence goes into `*member`. A full queue is 500 as all that was not queued: 413
 * would say that it never can be, and NanoMDM's clients read the sentence with 500.
 */
static int answer_failure(mdm_api_t *api, outcome_t *o, const char **member, apr_status_t rv)
{
    int status = mdm_io_log_failure(api->r, api->ctx, rv);

    *member = mdm_ctx_reason(api->ctx, rv);
    if (status == HTTP_SERVICE_UNAVAILABLE)
        apr_table_setn(api->r->err_headers_out, "Retry-After", "30");
    else if (status != HTTP_REQUEST_ENTITY_TOO_LARGE)
        status = HTTP_INTERNAL_SERVER_ERROR;
    return answer(api, o, status);
}

/* "AllowEncodedSlashes NoDecode" leaves %2F as the only octets that are still encoded. */
static const char *with_slashes(const char *text, apr_pool_t *p)
{
    char *result = apr_pstrdup(p, text), *to = result;

    for (; *text; to++) {
        int encoded = text[0] == '%' && text[1] == '2' && (text[2] == 'F' || text[2] == 'f');

        *to = encoded ? '/' : *text;
        text += encoded ? 3 : 1;
    }
    *to = '\0';
    return result;
}

/* Every comma separates; nothing is trimmed; empty pieces are ids, too. NULL when there is no id at all. */
static const char *const *split_ids(int *count, mdm_api_t *api)
{
    apr_array_header_t *ids = apr_array_make(api->r->pool, 64, sizeof(const char *));
    const char *at = with_slashes(api->path, api->r->pool), *comma;

    *count = 0;
    if (!*at)
        return NULL;
    while ((comma = strchr(at, ',')) != NULL) {
        APR_ARRAY_PUSH(ids, const char *) = apr_pstrmemdup(api->r->pool, at, (apr_size_t)(comma - at));
        at = comma + 1;
    }
    APR_ARRAY_PUSH(ids, const char *) = at;
    *count = ids->nelts;
    return (const char *const *)ids->elts;
}

static int push_ids(mdm_api_t *api, const char *const *ids, int count)
{
    outcome_t o = { NULL, 0, NULL, NULL, NULL };
    apr_array_header_t *targets;
    apr_status_t rv = mdm_api_store(api);

    if (rv == APR_SUCCESS && !ids)
        rv = mdm_fail(api->ctx, MDM_EINPUT, NO_IDS);
    if (rv == APR_SUCCESS)
        rv = mdm_command_wake(&targets, api->st, ids, count);
    if (rv != APR_SUCCESS)
        return answer_failure(api, &o, &o.push_error, rv);
    mdm_worker_wake();
    o.targets = targets;
    return answer(api, &o, 0);
}

int mdm_api_push(mdm_api_t *api)
{
    mdm_bytes_t ignored;
    int count;
    const char *const *ids = split_ids(&count, api);
    apr_status_t rv = mdm_io_body(&ignored, api->ctx, api->r, MDM_LIMIT_DEFAULT);

    if (rv != APR_SUCCESS)
        return mdm_io_fail(api->r, api->ctx, rv);
    return push_ids(api, ids, count);
}

apr_status_t mdm_api_delivery(mdm_command_t *command, mdm_api_t *api)
{
    const char *encrypt = mdm_api_query(api, "encrypt");

    if (encrypt && strcmp(encrypt, "yes") && strcmp(encrypt, "no"))
        return mdm_fail(api->ctx, MDM_EINPUT, "the encrypt parameter is neither yes nor no");
    if (!strcmp(command->request_type, "InstallProfile") && !(encrypt && !strcmp(encrypt, "no")))
        command->delivery = MDM_DELIVERY_ENCRYPT;
    /* delivered as it is when it has a token already */
    if (!strcmp(command->request_type, "ClearPasscode"))
        command->delivery = MDM_DELIVERY_UNLOCK_TOKEN;
    return APR_SUCCESS;
}

static int enqueue_command(mdm_api_t *api, mdm_bytes_t body, const char *const *ids, int count, int no_push)
{
    outcome_t o = { NULL, no_push, NULL, NULL, NULL };
    apr_array_header_t *targets = NULL;
    mdm_command_t *command;
    apr_status_t rv;

    if (!body.len)
        rv = mdm_fail(api->ctx, MDM_EINPUT, "no command in the body, and no push wanted");
    else if ((rv = mdm_command_read(&command, api->ctx, body)) == APR_SUCCESS)
        o.command = command;
    else
        o.no_push = 0;          /* NanoMDM speaks of the push only after it could read the command */
    if (rv == APR_SUCCESS)
        rv = mdm_api_delivery(command, api);
    if (rv == APR_SUCCESS && (rv = mdm_api_store(api)) == APR_SUCCESS)
        rv = mdm_command_enqueue(&targets, api->st, api->conf->site, command, ids, count, !no_push, api->actor);
    if (rv != APR_SUCCESS)
        return answer_failure(api, &o, &o.command_error, rv);
    if (!no_push)
        mdm_worker_wake();
    o.targets = targets;
    return answer(api, &o, 0);
}

int mdm_api_enqueue(mdm_api_t *api)
{
    const char *no_push = mdm_api_query(api, "nopush");
    mdm_bytes_t body;
    int count;
    const char *const *ids = split_ids(&count, api);
    apr_status_t rv = mdm_io_body(&body, api->ctx, api->r, MDM_LIMIT_DEFAULT);

    if (rv != APR_SUCCESS)
        return mdm_io_fail(api->r, api->ctx, rv);
    if (!ids) {
        outcome_t o = { NULL, 0, NULL, NULL, NULL };

        return answer_failure(api, &o, &o.command_error, mdm_fail(api->ctx, MDM_EINPUT, NO_IDS));
    }
    if (!body.len && !(no_push && *no_push))
        return push_ids(api, ids, count);
    return enqueue_command(api, body, ids, count, no_push && *no_push);
}

static int answer_topic(mdm_api_t *api, const mdm_push_topic_t *topic)
{
    return mdm_api_json(api, HTTP_OK,
                        json_pack("{s:s, s:s}", "not_after", mdm_api_time(topic->not_after, api->r->pool),
                                  "topic", topic->topic));
}

static int get_pushcert(mdm_api_t *api)
{
    const char *name = mdm_api_query(api, "topic");
    mdm_push_topic_t *topic;
    apr_status_t rv;

    if (!name || !*name)
        return mdm_api_error(api, HTTP_BAD_REQUEST,
                             mdm_fail(api->ctx, MDM_EINPUT, "the topic parameter is missing"));
    if ((rv = mdm_api_store(api)) == APR_SUCCESS)
        rv = mdm_store_push_topic_get(&topic, api->st, name);
    if (rv == MDM_ENOTFOUND)
        mdm_fail(api->ctx, rv, "there is no push certificate for this topic");
    /* NanoMDM says 500 for an unknown topic; its callers may rely on it. */
    return rv == APR_SUCCESS ? answer_topic(api, topic) : mdm_api_error(api, HTTP_INTERNAL_SERVER_ERROR, rv);
}

int mdm_api_pushcert(mdm_api_t *api)
{
    mdm_pushcert_upload_t upload = { { NULL, 0 }, mdm_api_query(api, "confirm"), api->conf->site->push_topic,
                                     api->actor, api->r->useragent_ip };
    mdm_push_topic_t *topic;
    apr_status_t rv;
    int sent;

    if (!mdm_io_method(&sent, api->r, pushcert_methods))
        return sent;
    if (api->r->method_number == M_GET)
        return get_pushcert(api);
    if ((rv = mdm_io_body(&upload.pem, api->ctx, api->r, MDM_LIMIT_SCEP)) == APR_SUCCESS
        && (rv = mdm_api_store(api)) == APR_SUCCESS)
        rv = mdm_pushcert_upload(&topic, api->st, &upload);
    if (rv != APR_SUCCESS)
        return mdm_api_error(api, rv == MDM_EINPUT ? HTTP_BAD_REQUEST : rv == MDM_EEXIST ? HTTP_CONFLICT
                             : HTTP_INTERNAL_SERVER_ERROR, rv);
    mdm_worker_wake();
    return answer_topic(api, topic);
}
