/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SCEP server's decisions (RFC 8894): what we can do, which certificate we hand out, and who gets one.
 */
#ifndef MDM_PKIOPERATION_H
#define MDM_PKIOPERATION_H

#include "mdm_scep.h"
#include "mdm_site.h"
#include "mdm_store.h"

/** The answer to GetCACaps (RFC 8894 3.5.2): one keyword a line. A static text. */
const char *mdm_pkioperation_caps(void);

/**
 * Answer a PKIOperation: issue for PKCSReq with a good challenge, or for RenewalReq and PKCSReq signed by a
 * certificate of ours that is in force, with the same subject. Everything is stored before the answer exists;
 * the very same message gets the very same certificate again.
 * @param message 64 kB at most, BER or DER
 * @param source  client address, for the audit trail
 * @param reply   a signed CertRep, also for refusals
 * @return APR_SUCCESS when there is a reply to send with HTTP 200; MDM_EINPUT when none can be
 *         built; MDM_EDB; MDM_ECONFIG when the CA is out of date
 */
apr_status_t mdm_pkioperation_handle(mdm_bytes_t *reply, mdm_store_t *st, const mdm_site_t *site,
                                     mdm_bytes_t message, const char *source);

#endif
