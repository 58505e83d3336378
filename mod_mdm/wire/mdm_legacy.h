/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single DES for old SCEP clients (MDMSCEPLegacy des): OpenSSL's legacy provider, in a library context of its
 * own, so that nothing else in the process can come to use it. The party's private key goes there too: one
 * that cannot leave its own provider (PKCS#11) opens no such message. For mdm_scep_*.c only.
 */
#ifndef MDM_LEGACY_H
#define MDM_LEGACY_H

#include "mdm_cms_ossl.h"

/** Parse once more what mdm_cms_parse has taken, bound to that context. @return MDM_ECRYPTO, MDM_EINPUT */
apr_status_t mdm_legacy_parse(CMS_ContentInfo **cms, mdm_ctx_t *ctx, mdm_bytes_t bytes);

/** As mdm_cms_envelop, by single DES. @return MDM_ECRYPTO */
apr_status_t mdm_legacy_envelop(mdm_bytes_t *der, mdm_ctx_t *ctx, mdm_bytes_t content,
                                const mdm_cert_t *recipient);

#endif
