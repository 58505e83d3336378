/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's name in httpd's tables, for the files of httpd/. mod_mdm.c declares the module itself and says so
 * with MDM_DECLARES_MODULE, because declaring it already names its log index.
 */
#ifndef MOD_MDM_H
#define MOD_MDM_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

extern module AP_MODULE_DECLARE_DATA mdm_module;

#ifndef MDM_DECLARES_MODULE
APLOG_USE_MODULE(mdm);
#endif

#endif
