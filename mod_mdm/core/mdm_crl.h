/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The revocation list of a CA, and what brings a certificate onto it. Called by mdm-crl, SCEP's GetCRL, the
 * API, mdmctl and the device's handlers; any thread.
 */
#ifndef MDM_CRL_H
#define MDM_CRL_H

#include "mdm_authority.h"
#include "mdm_store.h"

/**
 * The CRL of `authority` in DER. One statement while the kept one is fresh: nothing was revoked since, and
 * half of its life is ahead. Else it is signed anew and numbered, in one transaction; of two nodes that do so
 * at once one wins and both hand out its CRL. Certificates that name no issuer count to the oldest authority.
 * @return MDM_EDB, MDM_ECRYPTO
 */
apr_status_t mdm_crl_get(mdm_bytes_t *der, mdm_store_t *st, const mdm_site_t *site,
                         const mdm_authority_t *authority);

/** The same with number and times; out->der is the DER. */
apr_status_t mdm_crl_get_row(mdm_crl_row_t **out, mdm_store_t *st, const mdm_site_t *site,
                             const mdm_authority_t *authority);

/** A serial number as people write it, upper case or parted by colons, in the form of the table. */
const char *mdm_crl_serial(mdm_ctx_t *ctx, const char *text);

/**
 * Revoke one certificate for an administrator: row, stale CRLs and event in one transaction.
 * @param reason a name of RFC 5280 (5.3.1); NULL: unspecified
 * @return MDM_EINPUT for a reason that is none, MDM_ENOTFOUND, MDM_EEXIST when it is revoked already
 */
apr_status_t mdm_crl_revoke(mdm_store_t *st, const char *serial, const char *reason, const char *actor,
                            const char *source);

/* Whom the event of a revocation names. */
typedef struct mdm_crl_cause_t {
    apr_int64_t enrollment;
    const char *enrollment_id;
    const char *actor, *source;
} mdm_crl_cause_t;

/**
 * Revoke all that an enrollment has got, because it ended. Call in the transaction that ends it.
 * @param reason a name of RFC 5280
 */
apr_status_t mdm_crl_revoke_enrollment(mdm_store_t *st, const mdm_crl_cause_t *cause, const char *reason);

/**
 * A device uses the identity `fingerprint`: its others are superseded, and revoked for that reason. Call in
 * the transaction of its TokenUpdate; one statement when there is no other.
 */
apr_status_t mdm_crl_supersede(mdm_store_t *st, const mdm_crl_cause_t *cause, const char *fingerprint);

#endif
