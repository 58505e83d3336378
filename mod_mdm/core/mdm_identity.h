/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities of other CAs (MDMIdentityCAFile), as devices that come from another server have them; and which
 * enrolled device shows a certificate outside of MDM's messages (MDMDeviceAuth).
 */
#ifndef MDM_IDENTITY_H
#define MDM_IDENTITY_H

#include "mdm_device.h"

/**
 * After a refusal (MDM_EDENIED), outside of its transaction: when a certificate in force was used for a device it is
 * not bound to, that is an event, "identity.refused". Certificates that are not known, or have ended, make none.
 * @return MDM_EDENIED with the same text; MDM_EDB when the event could not be stored
 */
apr_status_t mdm_identity_refused(mdm_store_t *st, const mdm_device_t *device);

/**
 * Right after mdm_store_connect, with its arguments: a certificate that is not known, but of one of
 * site->identity_cas, becomes known. With Authenticate it is then like a fresh one of our own, unless an identity of
 * ours is in force for the device; with other messages it becomes the first identity of an enrollment that has
 * none, if site->retroactive_identity. Runs no statement for a known certificate, or without such CAs.
 * @param row read anew when the certificate has become known
 * @return MDM_EDENIED, logged
 */
apr_status_t mdm_identity_meet(mdm_connect_row_t **row, mdm_store_t *st, const mdm_site_t *site,
                               const mdm_device_t *device, const char *answered_uuid, int skip_notnow);

/**
 * Which enrolled device holds the certificate. One statement.
 * @return MDM_EDENIED when the certificate is not known, not bound, not in force, or the device is not enrolled
 */
apr_status_t mdm_identity_device(const char **enrollment_id, mdm_store_t *st, const char *fingerprint);

/** The issuer of a certificate whose CA is not known: an imported one. */
#define MDM_IDENTITY_ISSUER_UNKNOWN "unknown"

/**
 * Make a certificate of another CA known, under a serial number that is free here. Up to two statements.
 * @param row    what was stored; memory is st->ctx->pool's
 * @param issuer fingerprint of its CA, or MDM_IDENTITY_ISSUER_UNKNOWN: never NULL, which would be our oldest CA
 */
apr_status_t mdm_identity_record(mdm_certificate_t *row, mdm_store_t *st, const mdm_cert_t *cert, const char *issuer,
                                 apr_int64_t enrollment);

#endif
