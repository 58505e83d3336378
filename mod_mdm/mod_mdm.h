/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's name in httpd's tables, for mod_mdm.c and the files of httpd/: with it their log lines obey
 * "LogLevel mdm:...".
 */
#ifndef MOD_MDM_H
#define MOD_MDM_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

extern module AP_MODULE_DECLARE_DATA mdm_module;

APLOG_USE_MODULE(mdm);

#endif
