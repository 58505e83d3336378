/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Online certificate status (RFC 6960): reading requests of strangers and signing answers. A request may ask
 * for several certificates; who issued them is found among the CAs given. Any thread; knows no database.
 */
#ifndef MDM_PKI_OCSP_H
#define MDM_PKI_OCSP_H

#include <apr_tables.h>

#include "mdm_pki.h"

#define MDM_OCSP_MAX_BYTES 16384
#define MDM_OCSP_MAX_CERTIFICATES 16

typedef struct mdm_ocsp_request_t mdm_ocsp_request_t;

/**
 * Read a request: DER alone, at most 16 kB and 16 certificates, a nonce of 1 to 32 octets or none, no critical
 * extension but that. A signature of the requestor is passed over.
 * @param cas mdm_cert_t *: who may have issued what is asked for
 * @return MDM_EINPUT
 */
apr_status_t mdm_ocsp_read(mdm_ocsp_request_t **request, mdm_ctx_t *ctx, mdm_bytes_t der,
                           const apr_array_header_t *cas);

/** How many certificates it asks for: at least 1. */
int mdm_ocsp_count(const mdm_ocsp_request_t *request);

/** The index in `cas` of the issuer of certificate i, -1 when it is none of them. */
int mdm_ocsp_issuer(const mdm_ocsp_request_t *request, int i);

/** Its serial number as mdm_cert_serial writes it; NULL when no certificate can have such a number. */
const char *mdm_ocsp_serial(const mdm_ocsp_request_t *request, int i);

int mdm_ocsp_has_nonce(const mdm_ocsp_request_t *request);

typedef enum { MDM_OCSP_UNKNOWN = 0, MDM_OCSP_GOOD, MDM_OCSP_REVOKED } mdm_ocsp_status_e;

typedef struct mdm_ocsp_status_t {
    mdm_ocsp_status_e status;
    apr_time_t revoked_at;
    const char *reason;           /* as mdm_crl_reason knows them */
} mdm_ocsp_status_t;

/**
 * Answer a request, signed by a CA itself (SHA-256), with the nonce it came with.
 * @param statuses one for each certificate asked for
 * @return MDM_ECRYPTO
 */
apr_status_t mdm_ocsp_answer(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_ocsp_request_t *request,
                             const mdm_ocsp_status_t *statuses, const mdm_cert_t *ca, const mdm_key_t *ca_key,
                             apr_time_t this_update, apr_time_t next_update);

typedef enum {
    MDM_OCSP_MALFORMED_REQUEST = 1, MDM_OCSP_INTERNAL_ERROR = 2, MDM_OCSP_TRY_LATER = 3
} mdm_ocsp_error_e;

/** The unsigned answer that says only this; static bytes. */
mdm_bytes_t mdm_ocsp_error(mdm_ocsp_error_e error);

#endif
