/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in identity CA's files: ca.pem, ca.key and seal.key in a state folder. Made by
 * mdmctl; read by httpd's parent.
 */
#ifndef MDM_CA_H
#define MDM_CA_H

#include "mdm_ctx.h"

/**
 * Make the folder (mode 0700) if need be, and in it each of the three files that is
 * missing; none is ever replaced.
 * @param lifetime of the CA certificate, microseconds
 * @return MDM_EEXIST when all three are there already; MDM_ECONFIG naming the file when one cannot
 *         be made, or when the CA's certificate is there without its key or the other way round
 */
apr_status_t mdm_ca_init(mdm_ctx_t *ctx, const char *state_dir, const char *organization,
                         apr_interval_time_t lifetime);

#endif
