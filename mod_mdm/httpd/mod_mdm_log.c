/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log sink of the border: core lines go to ap_log_rerror or ap_log_error under this module's index, so
 * that "LogLevel mdm:debug" governs them. Any thread.
 */
#include "mod_mdm_log.h"

static void request_write(const mdm_log_t *log, mdm_log_level_e level, const char *file, int line,
                          apr_status_t rv, const char *text)
{
    ap_log_rerror(file, line, APLOG_MODULE_INDEX, (int)level, rv > MDM_E_START ? 0 : rv,
                  (request_rec *)log->baton, "%s", text);
}

static int request_wants(const mdm_log_t *log, mdm_log_level_e level)
{
    request_rec *r = log->baton;

    return APLOG_R_MODULE_IS_LEVEL(r, APLOG_MODULE_INDEX, (int)level);
}

static void server_write(const mdm_log_t *log, mdm_log_level_e level, const char *file, int line,
                         apr_status_t rv, const char *text)
{
    ap_log_error(file, line, APLOG_MODULE_INDEX, (int)level, rv > MDM_E_START ? 0 : rv,
                 (server_rec *)log->baton, "%s", text);
}

static int server_wants(const mdm_log_t *log, mdm_log_level_e level)
{
    server_rec *s = log->baton;

    return APLOG_MODULE_IS_LEVEL(s, APLOG_MODULE_INDEX, (int)level);
}

static const mdm_log_t *make(void *baton, apr_pool_t *p,
                             void (*write)(const mdm_log_t *, mdm_log_level_e, const char *, int,
                                           apr_status_t, const char *),
                             int (*wants)(const mdm_log_t *, mdm_log_level_e))
{
    mdm_log_t *log = apr_palloc(p, sizeof(*log));

    log->write = write;
    log->wants = wants;
    log->baton = baton;
    return log;
}

const mdm_log_t *mdm_log_for_request(request_rec *r, apr_pool_t *p)
{
    return make(r, p, request_write, request_wants);
}

const mdm_log_t *mdm_log_for_server(server_rec *s, apr_pool_t *p)
{
    return make(s, p, server_write, server_wants);
}
