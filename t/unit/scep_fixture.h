/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs t/unit/test_scep*.c start from: a CA, a client with a self-signed certificate, and a
 * maker set to a request that is right in all parts. A test changes one part and says what must come of it.
 */
#ifndef SCEP_FIXTURE_H
#define SCEP_FIXTURE_H

#include "mdm_pki_ossl.h"
#include "mdm_scep.h"
#include "oracle.h"
#include "scep_maker.h"

#define NONCE "0123456789abcdef"

extern mdm_ctx_t *ctx;
extern mdm_key_t *ca_key;
extern mdm_cert_t *ca;
extern EVP_PKEY *key;
extern X509 *self;
extern maker_t maker;
extern mdm_scep_request_t *request;
extern mdm_scep_fail_info_e fail_info;

/* Check's checked fixture. */
void scep_start(void);
void scep_end(void);

/** The message that the maker makes now. */
mdm_bytes_t message(void);

/** Open it; sets request and fail_info. */
apr_status_t open_bytes(mdm_bytes_t bytes);

/** What open_bytes tells mdm_scep_open; scep_start sets the CA alone and nothing old. */
extern mdm_scep_server_t server;

/** Put other contents into the envelope. */
void contents(maker_bytes_t content);

/** The maker's message must open. */
void opens(void);

/** The maker's message must be refused in a signed reply with this failInfo. */
void fails(int expected);

/** The bytes must be refused without a reply. */
void is_no_message(mdm_bytes_t bytes);

/** Issue a certificate for the request. */
mdm_cert_t *issue(void);

/** Have the command line open a reply by `party`.pem: reply.der, env.der, in.der are its layers. */
void open_reply(mdm_bytes_t der, const char *party);

/** Write files of the test's folder. */
void write_key(const char *name, EVP_PKEY *private);
void write_cert(const char *name, X509 *cert);

/**
 * Issue, reply, and have the command line open the reply; out.pem holds what was in it.
 * @return what was issued
 */
mdm_cert_t *reply(void);

#endif
