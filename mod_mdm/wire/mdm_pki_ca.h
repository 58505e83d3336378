/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the life of a CA needs beyond issuing identities: what a certificate may be used for, an RA, a CA that
 * comes in a PKCS#12 file or with a passphrase. Called by mdmctl and by the parent.
 */
#ifndef MDM_PKI_CA_H
#define MDM_PKI_CA_H

#include "mdm_pki.h"

#define MDM_USE_SIGN    1   /* digitalSignature */
#define MDM_USE_DECRYPT 2   /* keyEncipherment */

/** Whether keyUsage allows all of `uses` (MDM_USE_...); a certificate without keyUsage allows everything. */
int mdm_cert_allows(const mdm_cert_t *cert, int uses);

/** Whether the certificate's key is RSA of 2048 to 8192 bits, as SCEP clients need it. */
int mdm_cert_is_rsa(const mdm_cert_t *cert);

/** The only organizationName of the subject, UTF-8, or NULL. */
const char *mdm_cert_organization(mdm_ctx_t *ctx, const mdm_cert_t *cert);

/** What an RA certificate shall be. */
typedef struct mdm_ra_t {
    const mdm_key_t *key;
    const mdm_cert_t *ca;
    const mdm_key_t *ca_key;
    const char *organization;        /* or NULL */
    const char *common_name;
    apr_interval_time_t lifetime;    /* cut to the CA's own end */
} mdm_ra_t;

/**
 * Make the certificate of an RA: CA:FALSE, keyUsage digitalSignature + keyEncipherment.
 * @return MDM_EINPUT, MDM_ECONFIG as mdm_cert_make_ca and mdm_cert_issue
 */
apr_status_t mdm_cert_make_ra(mdm_cert_t **cert, mdm_ctx_t *ctx, const mdm_ra_t *how);

/** As mdm_key_from_pem, but the key may be encrypted. @return MDM_EINPUT, also for a wrong password */
apr_status_t mdm_key_from_encrypted_pem(mdm_key_t **key, mdm_ctx_t *ctx, mdm_bytes_t pem,
                                        mdm_bytes_t password);

/**
 * Open a PKCS#12 file: its only key, and its certificates, that of the key first. Files that old programs
 * made with RC2 or DES are not read.
 * @param certs array of mdm_cert_t *
 * @return MDM_EINPUT, also for a wrong password
 */
apr_status_t mdm_pkcs12_read(mdm_key_t **key, apr_array_header_t **certs, mdm_ctx_t *ctx, mdm_bytes_t der,
                             mdm_bytes_t password);

#endif
