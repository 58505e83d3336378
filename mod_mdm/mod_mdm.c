/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front door: the module record and its hooks. Everything behind them is in httpd/ (what httpd hands us)
 * and below (what an MDM server does).
 */
#include "mod_mdm.h"

#include <ap_mmn.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_status.h>
#include <mpm_common.h>

#include "mod_mdm_alarm.h"
#include "mod_mdm_auth.h"
#include "mod_mdm_config.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_directory.h"
#include "mod_mdm_handlers.h"
#include "mod_mdm_io.h"
#include "mod_mdm_rate.h"
#include "mod_mdm_redact.h"
#include "mod_mdm_load.h"
#include "mod_mdm_seen.h"
#include "mod_mdm_worker.h"

#if !AP_MODULE_MAGIC_AT_LEAST(20120211, 110)
#error "mod_mdm needs httpd 2.4.49 or later"
#endif

static const struct {
    const char *name;
    int (*handle)(request_rec *r, const mdm_conf_t *conf);
} handlers[] = {
    { "mdm-connect", mdm_handle_connect },
    { "mdm-checkin", mdm_handle_checkin },
    { "mdm-scep", mdm_handle_scep },
    { "mdm-enroll", mdm_handle_enroll },
    { "mdm-crl", mdm_handle_crl },
    { "mdm-ocsp", mdm_handle_ocsp },
    { "mdm-api", mdm_handle_api },
    { "mdm-migration", mdm_handle_migration },
    { "mdm-status", mdm_handle_status },
};

#define HANDLERS (sizeof(handlers) / sizeof(handlers[0]))

static int is_ours(const char *handler)
{
    return handler && !strncmp(handler, "mdm-", 4);
}

static int handle(request_rec *r)
{
    const mdm_conf_t *conf;
    apr_size_t i;
    int answer;

    if (!is_ours(r->handler))
        return DECLINED;
    for (i = 0; i < HANDLERS && strcmp(handlers[i].name, r->handler); i++)
        ;
    if (i == HANDLERS)
        return DECLINED;
    conf = mdm_config_of(r->server);
    if (!conf->site) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      MDMNO(0001) "SetHandler %s in a virtual host without MDMEngine On", r->handler);
        return HTTP_NOT_FOUND;
    }
    answer = handlers[i].handle(r, conf);
    mdm_dbd_release(r);
    return answer;
}

/* SetHandler keeps its argument as an expression, a constant one as a rule. */
static const char *handler_of(request_rec *r)
{
    const core_dir_config *dir = ap_get_core_module_config(r->per_dir_config);
    const char *err = NULL;

    return dir->expr_handler ? ap_expr_str_exec(r, dir->expr_handler, &err) : dir->handler;
}

static int location_is_ours(request_rec *r)
{
    return is_ours(handler_of(r));
}

/*
 * A Location with a sign-in page of its own has to be reached by those who have not signed in yet. What its
 * Require lines say of anybody has been said before; what they say of a person, the page asks them.
 */
static int let_sign_in(request_rec *r)
{
    const mdm_dir_conf_t *dir = mdm_config_dir(r);
    const char *handler = dir->auth_providers ? handler_of(r) : NULL;

    return handler && !strcmp(handler, "mdm-enroll") ? OK : DECLINED;
}

/*
 * Our Locations are no files: looking for some would cost system calls, and refuse long lists of ids in a
 * URL. What is known of the Location here is not when files are mapped, so the request bears a mark.
 */
static int translate_name(request_rec *r)
{
    if (!location_is_ours(r))
        return DECLINED;
    r->filename = apr_pstrdup(r->pool, "/");
    ap_set_module_config(r->request_config, &mdm_module, r->filename);
    return OK;
}

static int map_to_storage(request_rec *r)
{
    return ap_get_module_config(r->request_config, &mdm_module) ? OK : DECLINED;
}

static int pre_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp)
{
    (void)plog;
    (void)ptemp;
    return mdm_rate_register(p) == APR_SUCCESS ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static int check_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    return mdm_config_check(p, plog, ptemp, s);
}

static int post_config(apr_pool_t *p, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const apr_array_header_t *sites;
    apr_status_t rv;
    int i;

    (void)plog;
    (void)ptemp;
    /* httpd reads its configuration twice at a start; keys are only read for the pass that will serve. */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    sites = mdm_config_sites(s, p);
    for (i = 0; i < sites->nelts; i++) {
        if (mdm_config_load(APR_ARRAY_IDX(sites, i, mdm_conf_t *), p) != APR_SUCCESS)
            return HTTP_INTERNAL_SERVER_ERROR;
    }
    if (sites->nelts == 0)
        return OK;
    if (mdm_alarm_create(p) != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     MDMNO(0002) "no shared memory: the status page will not show past failures");
    if ((rv = mdm_rate_create(p, s)) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s,
                     MDMNO(0786) "no shared memory or mutex to count failed sign-ins in");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    ap_add_version_component(p, "mod_mdm/" MDM_VERSION);
    if (mdm_directory_post_config(sites, p, s) != OK)
        return HTTP_INTERNAL_SERVER_ERROR;
    return mdm_worker_post_config(sites, p, s);
}

static void child_init(apr_pool_t *p, server_rec *s)
{
    mdm_load_child(p, s);
    mdm_db_init(p);
    mdm_seen_init(p);
    if (mdm_rate_child_init(p) != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, MDMNO(0787) "no mutex to count failed sign-ins with");
    mdm_worker_child_init(p, s);
    mdm_directory_child_init(p);
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const before_watchdog[] = { "mod_watchdog.c", NULL };
    /* mod_ssl reads the web server's certificate in its own post_config, and hands it to our hook. */
    static const char *const after_ssl[] = { "mod_ssl.c", NULL };
    /* Our threads ask mod_dbd for connections as soon as our child_init has run. */
    static const char *const after_dbd[] = { "mod_dbd.c", NULL };
    static const char *const after_authz[] = { "mod_authz_core.c", NULL };

    ap_hook_optional_fn_retrieve(mdm_dbd_retrieve, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, after_ssl, before_watchdog, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, after_dbd, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_stopping(mdm_worker_child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_stopping(mdm_directory_child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_read_request(mdm_redact_request, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_post_read_request(mdm_auth_strip, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_log_transaction(mdm_redact_log, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_translate_name(translate_name, NULL, NULL, APR_HOOK_LAST);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_check_access(mdm_auth_location, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_access_ex(let_sign_in, after_authz, NULL, APR_HOOK_REALLY_LAST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
    /* Debian ships no header that declares this hook of mod_ssl. */
    apr_optional_hook_add("init_server", (void (*)(void))mdm_load_tls, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(ap, status_hook, mdm_status_section, NULL, NULL, APR_HOOK_MIDDLE);
    (void)p;
}

module AP_MODULE_DECLARE_DATA mdm_module = {
    STANDARD20_MODULE_STUFF,
    mdm_config_dir_create,
    mdm_config_dir_merge,
    mdm_config_server_create,
    mdm_config_server_merge,
    mdm_config_commands,
    register_hooks,
    0
};
