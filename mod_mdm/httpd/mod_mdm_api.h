/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrators' API: mod_mdm_api.c signs in and dispatches, mod_mdm_api_nano.c serves NanoMDM's routes, and each
 * of the other mod_mdm_api_*.c what the first part of its routes names. Request threads only.
 */
#ifndef MOD_MDM_API_H
#define MOD_MDM_API_H

#include <jansson.h>

#include "mod_mdm_config.h"
#include "mdm_store.h"

/** One API request. */
typedef struct mdm_api_t {
    request_rec *r;
    const mdm_conf_t *conf;
    mdm_ctx_t *ctx;
    mdm_store_t *st;            /* opened by mdm_api_store */
    const char *actor;          /* who asks */
    const char *path;           /* behind the route's prefix, percent-decoded */
} mdm_api_t;

/** Whether a browser sends this request for a page of another web site (Origin, Sec-Fetch-Site). */
int mdm_api_is_foreign(const request_rec *r);

/** Open the store into api->st. */
apr_status_t mdm_api_store(mdm_api_t *api);

/** Send JSON, tab-indented, and drop the reference. */
int mdm_api_json(mdm_api_t *api, int status, json_t *json);

/**
 * Send {"error": the failure's sentence} with `status`; 503 and Retry-After when the database is away, 429 and
 * Retry-After when a queue is full, 413 for what is too large.
 */
int mdm_api_error(mdm_api_t *api, int status, apr_status_t rv);

/** Wake-ups by enrollment id, ids in order: mdm_push_target_t. *failed counts the distinct ids with a problem. */
json_t *mdm_api_targets(const apr_array_header_t *targets, int *failed, apr_pool_t *p);

/** A query parameter, percent-decoded; NULL when absent. */
const char *mdm_api_query(mdm_api_t *api, const char *name);

/**
 * A query parameter that is a number.
 * @param out left as it is when the parameter is absent
 * @return MDM_EINPUT when it is no decimal number from `least` to `most`
 */
apr_status_t mdm_api_number(int *out, mdm_api_t *api, const char *name, int least, int most);

/** How many a list has at most: the query parameter "limit", 1 to 1000; 100 when absent. @return MDM_EINPUT */
apr_status_t mdm_api_limit(int *limit, mdm_api_t *api);

/**
 * That an object of the body has no members beside those known.
 * @param where names the object in the failure's sentence; NULL: the body itself
 * @param known in the order in which the sentence lists them, NULL at the end
 * @return MDM_EINPUT
 */
apr_status_t mdm_api_members(mdm_api_t *api, const char *where, json_t *json, const char *const *known);

/** RFC 3339 in UTC; NULL for 0. */
const char *mdm_api_time(apr_time_t at, apr_pool_t *p);

int mdm_api_pushcert(mdm_api_t *api);     /* PUT, GET v1/pushcert */
int mdm_api_pushcerts(mdm_api_t *api);    /* GET v1/pushcerts */
int mdm_api_escrow_unlock(mdm_api_t *api); /* POST v1/escrowkeyunlock */
int mdm_api_push(mdm_api_t *api);         /* v1/push/<ids> */
/** Profiles go out encrypted unless the caller says no; an unlock token that is missing is added. */
apr_status_t mdm_api_delivery(mdm_command_t *command, mdm_api_t *api);
/** All that the user "micromdm" may ask for; routes by the whole path. */
int mdm_api_micromdm(mdm_api_t *api);
int mdm_api_enqueue(mdm_api_t *api);      /* v1/enqueue/<ids> */
int mdm_api_enrollments(mdm_api_t *api);  /* GET v1/enrollments[/<id>[/queue]] */
int mdm_api_enrollments_query(mdm_api_t *api); /* POST v1/enrollments/query */
/** v1/enrollments/<id>/facts, items and escrow. @return whether it was one of them */
int mdm_api_facts(int *answer, mdm_api_t *api);
/** v1/enrollments/<id>/profiles and profiles/check. @return whether it was one of them */
int mdm_api_states(int *answer, mdm_api_t *api);
int mdm_api_profile_devices(mdm_api_t *api, const char *name); /* GET v1/profiles/<name>/devices */
int mdm_api_assignments(mdm_api_t *api);  /* v1/assignments[/preview|/<id>[/advance|/stop|/resume]] */
int mdm_api_changes(mdm_api_t *api);      /* GET v1/changes[/<id>] */
int mdm_api_webhooks(mdm_api_t *api);     /* GET v1/webhooks */
int mdm_api_requests(mdm_api_t *api);     /* v1/requests[/<id>[/approve|/deny]] */
int mdm_api_commands(mdm_api_t *api);     /* POST v1/commands; GET v1/commands/types[/<RequestType>], <uuid> */
int mdm_api_command(mdm_api_t *api);      /* GET v1/commands/<uuid>, for mdm_api_commands */
/** DELETE v1/commands/<uuid>, POST v1/commands/<uuid>/approve and /deny. @return whether it was one of them */
int mdm_api_command_verb(int *answer, mdm_api_t *api);
int mdm_api_commands_held(mdm_api_t *api); /* GET v1/commands?state=held */
int mdm_api_queue_clear(mdm_api_t *api, const char *enrollment_id);
int mdm_api_groups(mdm_api_t *api);       /* v1/groups[/<name>[/members[/<enrollment id>]|/preview]] */
/** Members that tell how a command was ordered and decided. */
void mdm_api_command_members(json_t *json, const mdm_command_t *command, apr_pool_t *p);
/** How many enrollments are in which state. */
apr_status_t mdm_api_command_counts(json_t **out, mdm_api_t *api, const mdm_command_t *command);
int mdm_api_payloads(mdm_api_t *api);     /* GET v1/payloads[/<PayloadType>] */
int mdm_api_directory(mdm_api_t *api);    /* GET v1/directory; POST v1/directory/sync */
int mdm_api_users(mdm_api_t *api);        /* v1/users[/<login>]; POST v1/users/import */
int mdm_api_certificates(mdm_api_t *api); /* GET v1/certificates[/<serial>[.pem]]; POST .../<serial>/revoke */
int mdm_api_profiles(mdm_api_t *api);     /* v1/profiles[/<name>[/check|/download|/versions[/<n>[/diff|/restore]]]] */
int mdm_api_secrets(mdm_api_t *api);      /* v1/secrets[/<name>] */
int mdm_api_invitations(mdm_api_t *api);  /* GET, POST v1/invitations; GET, DELETE v1/invitations/<id> */

#endif
