/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory's thread, lent by mod_watchdog: "_mdm_directory_" is a singleton, so one child of the machine runs it;
 * among several machines a job of the database decides. It holds a gate while it works, and looks several times a
 * second whether the child stops. The directives are read and the password is taken in the parent.
 */
#include <pthread.h>
#include <string.h>

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_strings.h>

#include "mdm_file.h"
#include "mdm_person.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_directory.h"
#include "mod_mdm_log.h"
#include "mod_mdm_worker.h"

#define NAME "_mdm_directory_"

/* Written in post_config, in the parent; children inherit them. */
static const apr_array_header_t *all_sites;

/* Of this child: held while the thread works. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static volatile apr_uint32_t gate_open;

typedef struct {
    apr_pool_t *pool;
    apr_array_header_t *directories;      /* mdm_directory_t * */
} runner_t;

/* Of the thread: made at its first turn, gone with its last. */
static runner_t *runner;

/* ---- directives */

static int is_loopback(const char *uri)
{
    const char *host = strstr(uri, "://") + 3;

    return !strncmp(host, "127.", 4) || !strncmp(host, "localhost:", 10) || !strncmp(host, "[::1]", 5);
}

const char *mdm_directory_set_url(cmd_parms *cmd, void *dummy, const char *text, const char *security)
{
    mdm_conf_t *conf = mdm_config_of(cmd->server);
    mdm_ctx_t *ctx = mdm_ctx_create(cmd->temp_pool, NULL);
    mdm_ldap_url_t url;

    (void)dummy;
    if (mdm_ldap_url(&url, ctx, text) != APR_SUCCESS)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", ctx->detail, NULL);
    conf->directory_url = text;
    conf->directory_security = MDM_DIRECTORY_TLS;
    if (security && !ap_cstr_casecmp(security, "starttls"))
        conf->directory_security = MDM_DIRECTORY_STARTTLS;
    else if (security && !ap_cstr_casecmp(security, "plain"))
        conf->directory_security = MDM_DIRECTORY_PLAIN;
    else if (security)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", security, "' is none of starttls, plain", NULL);
    if (url.tls && security)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ldaps: is TLS already, leave out '", security, "'", NULL);
    if (!url.tls && !security && !is_loopback(url.uri))
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": the password and all that is read would go in the clear: use "
                           "ldaps:, or add starttls (or plain, where the network is safe)", NULL);
    return NULL;
}

const char *mdm_directory_set_bind(cmd_parms *cmd, void *dummy, const char *dn, const char *file)
{
    mdm_conf_t *conf = mdm_config_of(cmd->server);

    (void)dummy;
    if (!*dn || !mdm_ldap_dn(dn, cmd->temp_pool))
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", dn, "' is no distinguished name", NULL);
    if (!(conf->directory_password_file = ap_server_root_relative(cmd->pool, file)))
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": invalid file path ", file, NULL);
    conf->directory_bind_dn = dn;
    return NULL;
}

const char *mdm_directory_add_attribute(cmd_parms *cmd, void *dummy, const char *name, const char *ldap)
{
    mdm_conf_t *conf = mdm_config_of(cmd->server);
    mdm_ctx_t *ctx = mdm_ctx_create(cmd->temp_pool, NULL);
    mdm_directory_attribute_t *attribute;
    int i;

    (void)dummy;
    if (!strcmp(name, "mail"))
        name = "email";
    if (strcmp(name, "display_name") && strcmp(name, "email") && strcmp(name, "disabled")
        && mdm_person_check_name(ctx, name) != APR_SUCCESS)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", ctx->detail, NULL);
    if (!*ldap || strspn(ldap, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(ldap))
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", ldap, "' is no name of an LDAP attribute", NULL);
    for (i = 0; conf->directory_attributes && i < conf->directory_attributes->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(conf->directory_attributes, i, mdm_directory_attribute_t).name, name))
            return apr_pstrcat(cmd->pool, cmd->cmd->name, ": ", name, " is there twice", NULL);
    }
    if (!conf->directory_attributes)
        conf->directory_attributes = apr_array_make(cmd->pool, 8, sizeof(*attribute));
    attribute = apr_array_push(conf->directory_attributes);
    attribute->name = name;
    attribute->ldap = ldap;
    return NULL;
}

/* What the brackets tell; the rest the directory refuses. */
static int is_filter(const char *text)
{
    int depth = 0;

    if (*text != '(' || text[strlen(text) - 1] != ')' || !strpbrk(text, "=<>~"))
        return 0;
    for (; *text; text++) {
        depth += (*text == '(') - (*text == ')');
        if (depth < 0 || (!depth && text[1]))
            return 0;
    }
    return !depth;
}

const char *mdm_directory_set_disabled(cmd_parms *cmd, void *dummy, const char *filter)
{
    (void)dummy;
    if (!is_filter(filter))
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", filter, "' is no LDAP filter, such as "
                           "(userAccountControl:1.2.840.113556.1.4.803:=2)", NULL);
    mdm_config_of(cmd->server)->directory_disabled_filter = filter;
    return NULL;
}

const char *mdm_directory_set_limit(cmd_parms *cmd, void *dummy, const char *percent, const char *count)
{
    mdm_conf_t *conf = mdm_config_of(cmd->server);
    char *end, *rest = "";
    apr_int64_t most = apr_strtoi64(percent, &end, 10), least = count ? apr_strtoi64(count, &rest, 10) : MDM_UNSET;

    (void)dummy;
    if (!*percent || *end || most < 1 || most > 100)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", percent, "' is not a number of percent, 1 to 100", NULL);
    if (count && (!*count || *rest || least < 1 || least > 1000000))
        return apr_pstrcat(cmd->pool, cmd->cmd->name, ": '", count, "' is not a number from 1 to 1000000", NULL);
    conf->directory_limit_percent = (int)most;
    conf->directory_limit_count = (int)least;
    return NULL;
}

static apr_status_t load_password(const char **out, mdm_ctx_t *ctx, const char *file)
{
    mdm_bytes_t bytes;
    apr_status_t rv = mdm_file_read_secret(&bytes, ctx, file);

    if (rv != APR_SUCCESS)
        return rv;
    while (bytes.len && strchr("\r\n", bytes.data[bytes.len - 1]))
        ((char *)bytes.data)[--bytes.len] = '\0';
    /* A directory takes a name without a password for nobody, and says yes. */
    if (!bytes.len || memchr(bytes.data, '\0', bytes.len))
        return mdm_fail(ctx, MDM_ECONFIG, "MDMDirectoryBind %s is empty, or no text: put the password in it", file);
    *out = (const char *)bytes.data;
    return APR_SUCCESS;
}

apr_status_t mdm_directory_load(mdm_site_t *site, mdm_ctx_t *ctx, const mdm_conf_t *conf)
{
    mdm_directory_site_t *directory;
    apr_status_t rv;

    if (!conf->directory_url)
        return APR_SUCCESS;
    directory = apr_pcalloc(ctx->pool, sizeof(*directory));
    if ((rv = mdm_ldap_url(&directory->url, ctx, conf->directory_url)) != APR_SUCCESS)
        return rv;
    directory->start_tls = conf->directory_security == MDM_DIRECTORY_STARTTLS;
    directory->bind_dn = conf->directory_bind_dn;
    directory->ca_file = conf->directory_ca_file;
    directory->attributes = conf->directory_attributes;
    directory->interval = conf->directory_interval;
    directory->disable_missing = conf->directory_disable;
    directory->disabled_filter = conf->directory_disabled_filter;
    directory->nested = conf->directory_nested;
    directory->limit_percent = conf->directory_limit_percent;
    directory->limit_count = conf->directory_limit_count;
    site->directory = directory;
    return conf->directory_bind_dn ? load_password(&directory->password, ctx, conf->directory_password_file)
                                   : APR_SUCCESS;
}

/* ---- the thread */

static apr_status_t open_store(mdm_store_t **st, mdm_ctx_t *ctx, void *baton)
{
    return mdm_dbd_open(st, ctx, baton);
}

static void close_store(mdm_store_t *st, void *baton)
{
    mdm_dbd_close(st, baton);
}

static int is_stopping(void *baton)
{
    int state = AP_MPMQ_RUNNING;

    (void)baton;
    return !apr_atomic_read32(&gate_open)
        || (ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING);
}

static void wake_worker(void *baton)
{
    (void)baton;
    mdm_worker_wake();
}

static mdm_directory_t *make_directory(apr_pool_t *p, mdm_conf_t *conf, const char *owner)
{
    mdm_directory_config_t config = { open_store, close_store, is_stopping, wake_worker, conf, conf->site->directory,
                                      owner, conf->push_interval };

    return mdm_directory_create(mdm_ctx_create(p, mdm_log_for_server(conf->server, p)), &config);
}

static runner_t *make_runner(void)
{
    apr_pool_t *p = mdm_worker_pool();
    runner_t *made;
    int i;

    if (!p)
        return NULL;
    made = apr_pcalloc(p, sizeof(*made));
    made->pool = p;
    made->directories = apr_array_make(p, all_sites->nelts, sizeof(mdm_directory_t *));
    for (i = 0; i < all_sites->nelts; i++) {
        mdm_conf_t *conf = APR_ARRAY_IDX(all_sites, i, mdm_conf_t *);
        mdm_directory_t *directory = conf->site->directory ? make_directory(p, conf, mdm_worker_owner(p)) : NULL;

        if (directory)
            APR_ARRAY_PUSH(made->directories, mdm_directory_t *) = directory;
    }
    return made;
}

static void turn(void)
{
    int i;

    if (!runner && !(runner = make_runner()))
        return;
    for (i = 0; i < runner->directories->nelts && !is_stopping(NULL); i++)
        (void)mdm_directory_turn(APR_ARRAY_IDX(runner->directories, i, mdm_directory_t *));
}

static apr_status_t callback(int state, void *data, apr_pool_t *p)
{
    (void)data;
    (void)p;
    /* The thread may be earlier than child_init, and later than the pools: then the gate is shut. */
    if (state != AP_WATCHDOG_STATE_RUNNING || !apr_atomic_read32(&gate_open))
        return APR_SUCCESS;
    pthread_mutex_lock(&gate);
    if (apr_atomic_read32(&gate_open))
        turn();
    pthread_mutex_unlock(&gate);
    return APR_SUCCESS;
}

int mdm_directory_post_config(const apr_array_header_t *sites, apr_pool_t *p, server_rec *s)
{
    apr_status_t rv;
    int i, any = 0;

    all_sites = NULL;
    for (i = 0; i < sites->nelts; i++)
        any |= APR_ARRAY_IDX(sites, i, mdm_conf_t *)->site->directory != NULL;
    if (!any)
        return OK;
    all_sites = sites;
    rv = mdm_worker_watchdog(NAME, 1, apr_time_from_sec(1), callback, p);
    if (rv == APR_SUCCESS)
        return OK;
    ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, MDMNO(1006) "mod_watchdog gives no thread for the directory: is it "
                 "loaded?");
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* Runs before anything of the child's pool goes: waits for the thread's present work. */
static apr_status_t leave_child(void *unused)
{
    (void)unused;
    apr_atomic_set32(&gate_open, 0);
    pthread_mutex_lock(&gate);
    if (runner)
        apr_pool_destroy(runner->pool);
    runner = NULL;
    pthread_mutex_unlock(&gate);
    return APR_SUCCESS;
}

void mdm_directory_child_init(apr_pool_t *pchild)
{
    if (!all_sites)
        return;
    apr_pool_pre_cleanup_register(pchild, NULL, leave_child);
    apr_atomic_set32(&gate_open, 1);
}

void mdm_directory_child_stopping(apr_pool_t *pchild, int graceful)
{
    (void)pchild;
    (void)graceful;
    apr_atomic_set32(&gate_open, 0);
}
