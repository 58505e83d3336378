/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCSP responder (RFC 6960) over our own table of certificates: of every CA of the site, signed by that
 * CA. Called by mdm-ocsp, any thread. Garbage costs neither a statement nor a signature.
 */
#ifndef MDM_OCSP_H
#define MDM_OCSP_H

#include "mdm_pki_ocsp.h"
#include "mdm_site.h"
#include "mdm_store.h"

typedef struct mdm_ocsp_reply_t {
    mdm_bytes_t der;
    int has_nonce;                /* it is for this one request */
    apr_time_t this_update, next_update;
} mdm_ocsp_reply_t;

/** Read a request. @return MDM_EINPUT: answer mdm_ocsp_error(MDM_OCSP_MALFORMED_REQUEST) */
apr_status_t mdm_ocsp_open(mdm_ocsp_request_t **request, mdm_ctx_t *ctx, const mdm_site_t *site, mdm_bytes_t der);

/**
 * Answer it: a statement for each certificate of ours, and one signature by the CA that issued the first of
 * them. What another CA issued is unknown to that CA.
 * @return MDM_EDB, MDM_ECRYPTO
 */
apr_status_t mdm_ocsp_handle(mdm_ocsp_reply_t *reply, mdm_store_t *st, const mdm_site_t *site,
                             const mdm_ocsp_request_t *request);

#endif
