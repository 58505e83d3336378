/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers behind SetHandler mdm-...: one function each, named in the table of mod_mdm.c. Any request
 * thread; each returns what an httpd handler returns.
 */
#ifndef MOD_MDM_HANDLERS_H
#define MOD_MDM_HANDLERS_H

#include "mod_mdm_config.h"

/* mod_mdm_device.c: PUT, as Apple's devices do */
int mdm_handle_checkin(request_rec *r, const mdm_conf_t *conf);
int mdm_handle_connect(request_rec *r, const mdm_conf_t *conf);

/* mod_mdm_scep.c: GET and POST, RFC 8894 */
int mdm_handle_scep(request_rec *r, const mdm_conf_t *conf);

/* mod_mdm_enroll.c: GET by an authenticated person */
int mdm_handle_enroll(request_rec *r, const mdm_conf_t *conf);

/* mod_mdm_ota.c: POST by a device, below the mdm-enroll Location */
int mdm_ota_handle(request_rec *r, const mdm_conf_t *conf);

/* mod_mdm_crl.c: GET, the revocation list of a CA */
int mdm_handle_crl(request_rec *r, const mdm_conf_t *conf);

/* mod_mdm_ocsp.c: GET and POST, RFC 6960 */
int mdm_handle_ocsp(request_rec *r, const mdm_conf_t *conf);

/* mod_mdm_api.c: v1/..., version */
int mdm_handle_api(request_rec *r, const mdm_conf_t *conf);

/* mod_mdm_migration.c: check-in messages by an administrator */
int mdm_handle_migration(request_rec *r, const mdm_conf_t *conf);

/* mod_mdm_status.c: GET, HTML, ?auto, ?json */
int mdm_handle_status(request_rec *r, const mdm_conf_t *conf);

/* mod_mdm_status.c: our section of mod_status' page; a status_hook */
int mdm_status_section(request_rec *r, int flags);

#endif
