/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the unit programs of the push path: the mock of APNs (t/sim/apns) as a program of its own, and its
 * control port. Needs the folder of oracle.h. One mock a test.
 */
#ifndef APNS_MOCK_H
#define APNS_MOCK_H

#include <jansson.h>

#include "oracle.h"

#define MOCK_TOPIC "com.apple.mgmt.External.test"

typedef struct apns_mock_t {
    const char *url;
    mdm_bytes_t ca;                /* to trust */
    mdm_bytes_t certificate, key;  /* of MOCK_TOPIC, trusted by the mock */
    int control_port;
} apns_mock_t;

/**
 * Make a push CA and a certificate, start the mock, wait until it is ready.
 * @param options for the command line
 */
void apns_mock_start(apns_mock_t *mock, mdm_ctx_t *ctx, const char *options);

/** Stop it, when it runs. */
void apns_mock_stop(void);

/** Another certificate of a topic, by the CA the mock trusts. */
void apns_mock_certificate(mdm_bytes_t *certificate, mdm_bytes_t *key, const char *topic, const char *name);

/** One request to the control port; the caller owns the reference. @param body JSON or NULL: GET */
json_t *apns_mock_control(const apns_mock_t *mock, mdm_ctx_t *ctx, const char *path, const char *body);

/** A figure of GET /stats. */
int apns_mock_stat(const apns_mock_t *mock, mdm_ctx_t *ctx, const char *name);

/** Start a program in the folder and wait for the first line of its output. Stopped by apns_mock_stop. */
const char *apns_mock_spawn(mdm_ctx_t *ctx, const char *command);

#endif
