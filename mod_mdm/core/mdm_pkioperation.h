/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SCEP server's decisions (RFC 8894): what we can do, which certificate we hand out, and who gets one.
 */
#ifndef MDM_PKIOPERATION_H
#define MDM_PKIOPERATION_H

#include "mdm_scep.h"
#include "mdm_site.h"
#include "mdm_store.h"

/** The answer to GetCACaps (RFC 8894 3.5.2): one keyword a line. */
const char *mdm_pkioperation_caps(const mdm_site_t *site, apr_time_t now, apr_pool_t *p);

/**
 * The answer to GetCACert (RFC 8894 4.2.1): the present CA, or RA and CA.
 * @param type its Content-Type
 * @return MDM_ECRYPTO
 */
apr_status_t mdm_pkioperation_ca(mdm_bytes_t *der, const char **type, mdm_ctx_t *ctx, const mdm_site_t *site);

/** The answer to GetNextCACert (RFC 8894 4.7.1). @return MDM_ENOTFOUND when there is none, MDM_ECRYPTO */
apr_status_t mdm_pkioperation_next_ca(mdm_bytes_t *der, mdm_ctx_t *ctx, const mdm_site_t *site);

/**
 * Answer a PKIOperation: issue for PKCSReq with a good challenge (or let it wait for an administrator), or for
 * RenewalReq and PKCSReq signed by a certificate of ours that is in force, with the same subject; CertPoll for
 * what waits; GetCert for one's own certificate; GetCRL. Everything is stored before the answer exists; the very
 * same message gets the very same certificate again.
 * @param message 64 kB at most, BER or DER
 * @param source  client address, for the audit trail
 * @param reply   a signed CertRep, also for refusals
 * @return APR_SUCCESS when there is a reply to send with HTTP 200; MDM_EINPUT when none can be
 *         built; MDM_EDB; MDM_ECONFIG when the CA is out of date
 */
apr_status_t mdm_pkioperation_handle(mdm_bytes_t *reply, mdm_store_t *st, const mdm_site_t *site,
                                     mdm_bytes_t message, const char *source);

#endif
