/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's threads, lent by mod_watchdog. "_mdm_worker_" is a singleton: every child has the thread, one child
 * of the machine gets to run it, and another takes over when that child ends. It stays in its callback until the
 * child stops, waiting for APNs, the wake-up pipe, the next due push or renewal. "_mdm_seen_" runs in each child. Both
 * hold a gate while they work; a child that stops closes it before its pools, and with them the database, go.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <mod_watchdog.h>

#include "mdm_fanout.h"
#include "mdm_housekeeper.h"
#include "mdm_push.h"
#include "mdm_pushcert_watch.h"
#include "mdm_renewal.h"
#include "mdm_webhook.h"
#include "mod_mdm_dbd.h"
#include "mod_mdm_log.h"
#include "mod_mdm_seen.h"
#include "mod_mdm_worker.h"

#define WORKER "_mdm_worker_"
#define SEEN "_mdm_seen_"
#define CONCURRENCY 200            /* pushes under way per site */
#define WEBHOOK_CONCURRENCY 20     /* events under way per receiver */
#define SLICE apr_time_from_sec(1) /* at most so long without a look whether the child stops */

/* Written in post_config, in the parent; children inherit them. */
static const apr_array_header_t *all_sites;
static server_rec *main_server;
static int wake_pipe[2] = { -1, -1 };

/* Of this child: held while the threads work. Not of a pool: a late thread may still come and look. */
static pthread_mutex_t worker_gate = PTHREAD_MUTEX_INITIALIZER, seen_gate = PTHREAD_MUTEX_INITIALIZER;
static volatile apr_uint32_t gate_open;

/* One site in the worker. */
typedef struct {
    const mdm_conf_t *conf;
    mdm_push_t *push;
    mdm_renewer_t *renewer;
    mdm_fanout_t *fanout;
    mdm_housekeeper_t *housekeeper;
    mdm_pushcert_watch_t *watch;
    mdm_webhook_t *webhook;
} worker_site_t;

typedef struct {
    apr_pool_t *pool;
    mdm_ctx_t *ctx;
    mdm_http_t *http, *webhook_http;
    apr_array_header_t *sites;   /* worker_site_t */
} worker_t;

static int is_stopping(void)
{
    int state = AP_MPMQ_RUNNING;

    return !apr_atomic_read32(&gate_open)
        || (ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING);
}

/* The child's pools are not for its threads: under prefork their allocator has no lock. */
apr_pool_t *mdm_worker_pool(void)
{
    apr_allocator_t *allocator;
    apr_pool_t *p;

    if (apr_allocator_create(&allocator) != APR_SUCCESS)
        return NULL;
    if (apr_pool_create_ex(&p, NULL, NULL, allocator) != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return NULL;
    }
    apr_allocator_owner_set(allocator, p);
    apr_pool_tag(p, "mdm_worker");
    return p;
}

/* ---- the pushes and the renewals */

static apr_status_t open_store(mdm_store_t **st, mdm_ctx_t *ctx, void *baton)
{
    return mdm_dbd_open(st, ctx, baton);
}

static void close_store(mdm_store_t *st, void *baton)
{
    mdm_dbd_close(st, baton);
}

static mdm_renewer_t *make_renewer(mdm_ctx_t *ctx, mdm_conf_t *conf)
{
    mdm_renewer_config_t config = { open_store, close_store, conf, conf->site };

    return mdm_renewer_create(ctx, &config);
}

static mdm_webhook_t *make_webhook(worker_t *worker, mdm_ctx_t *ctx, mdm_conf_t *conf, const char *owner)
{
    mdm_webhook_config_t config = { open_store, close_store, conf, conf->site, owner, WEBHOOK_CONCURRENCY };
    mdm_webhook_t *webhook = NULL;

    (void)mdm_webhook_create(&webhook, ctx, worker->webhook_http, &config);
    return webhook;
}

static mdm_housekeeper_t *make_housekeeper(mdm_ctx_t *ctx, mdm_conf_t *conf, const char *owner)
{
    mdm_housekeeper_config_t config = { open_store, close_store, conf, conf->site, owner };

    return mdm_housekeeper_create(ctx, &config);
}

static mdm_fanout_t *make_fanout(mdm_ctx_t *ctx, mdm_conf_t *conf, const char *owner)
{
    mdm_fanout_config_t config = { open_store, close_store, conf, conf->site, owner };

    return mdm_fanout_create(ctx, &config);
}

static apr_status_t add_site(worker_t *worker, mdm_conf_t *conf, const char *owner)
{
    worker_site_t *site = apr_array_push(worker->sites);
    mdm_push_config_t config = { 0 };
    mdm_ctx_t *ctx = mdm_ctx_create(worker->pool, mdm_log_for_server(conf->server, worker->pool));
    apr_status_t rv;

    config.open = open_store;
    config.close = close_store;
    config.baton = conf;
    config.owner = owner;
    config.base_url = conf->site->apns_url;
    config.ca_pem = conf->site->apns_ca_pem;
    config.expiration = conf->site->push_expiration;
    config.interval = conf->push_interval;
    config.concurrency = CONCURRENCY;
    config.retry_first = conf->site->push_retry_first;
    config.retry_max = conf->site->push_retry_max;
    config.rate = conf->site->push_rate;
    site->conf = conf;
    site->renewer = make_renewer(ctx, conf);
    site->fanout = make_fanout(ctx, conf, owner);
    site->housekeeper = make_housekeeper(ctx, conf, owner);
    site->watch = mdm_pushcert_watch_create(ctx, open_store, close_store, conf);
    site->webhook = make_webhook(worker, ctx, conf, owner);
    rv = mdm_push_create(&site->push, ctx, worker->http, &config);
    if (rv != APR_SUCCESS) {
        apr_array_pop(worker->sites);
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(0620) "no pushes: %s", mdm_ctx_detail(ctx, rv));
    }
    return rv;
}

const char *mdm_worker_owner(apr_pool_t *p)
{
    char host[APRMAXHOSTLEN + 1] = "";

    (void)apr_gethostname(host, sizeof(host), p);
    return apr_psprintf(p, "%.60s:%ld:%.8s", host, (long)getpid(), mdm_uuid_random(p));
}

/* Events go by a client of their own, so that pushes keep their few connections and events have theirs. */
static apr_status_t make_clients(worker_t *worker)
{
    int receivers = 0, i;
    apr_status_t rv = mdm_http_create(&worker->http, worker->ctx, 1, CONCURRENCY * all_sites->nelts);

    for (i = 0; i < all_sites->nelts; i++) {
        const apr_array_header_t *webhooks = APR_ARRAY_IDX(all_sites, i, mdm_conf_t *)->webhooks;

        receivers += webhooks ? webhooks->nelts : 0;
    }
    if (rv != APR_SUCCESS)
        return rv;
    return mdm_http_create(&worker->webhook_http, worker->ctx, WEBHOOK_CONCURRENCY,
                           WEBHOOK_CONCURRENCY * (receivers + 1));
}

static worker_t *make_worker(void)
{
    apr_pool_t *p = mdm_worker_pool();
    worker_t *worker;
    const char *owner;
    apr_status_t rv;
    int i;

    if (!p)
        return NULL;
    worker = apr_pcalloc(p, sizeof(*worker));
    worker->pool = p;
    worker->ctx = mdm_ctx_create(p, mdm_log_for_server(main_server, p));
    worker->sites = apr_array_make(p, all_sites->nelts, sizeof(worker_site_t));
    rv = make_clients(worker);
    if (rv != APR_SUCCESS) {
        mdm_log(worker->ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(0621) "no pushes: %s",
                mdm_ctx_detail(worker->ctx, rv));
        apr_pool_destroy(p);
        return NULL;
    }
    owner = mdm_worker_owner(p);
    for (i = 0; i < all_sites->nelts; i++)
        (void)add_site(worker, APR_ARRAY_IDX(all_sites, i, mdm_conf_t *), owner);
    mdm_log(worker->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0622) "push worker %s starts for %d site(s)", owner,
            worker->sites->nelts);
    return worker;
}

/* @return whether anybody has called */
static int drain_wake_ups(void)
{
    char bytes[512];
    ssize_t n;
    int woken = 0;

    while ((n = read(wake_pipe[0], bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR))
        woken |= n > 0;
    return woken;
}

static void turn(worker_t *worker)
{
    apr_time_t now, next = apr_time_now() + SLICE;
    int woken = drain_wake_ups(), called = woken, i;
    apr_status_t rv;

    for (i = 0; i < worker->sites->nelts; i++) {
        const worker_site_t *site = &APR_ARRAY_IDX(worker->sites, i, worker_site_t);
        apr_time_t edge = mdm_housekeeper_turn(site->housekeeper, &woken);
        apr_time_t renewal = mdm_renewer_turn(site->renewer, &woken);
        apr_time_t fanout = mdm_fanout_turn(site->fanout, called, &woken), push = mdm_push_turn(site->push, woken);
        apr_time_t event = mdm_webhook_turn(site->webhook, woken);

        (void)mdm_pushcert_watch_turn(site->watch);
        next = renewal < next ? renewal : next;
        next = edge < next ? edge : next;
        next = fanout < next ? fanout : next;
        next = push < next ? push : next;
        next = event < next ? event : next;
    }
    now = apr_time_now();
    rv = mdm_http_run_both(worker->http, worker->webhook_http, next > now ? next - now : 0, wake_pipe[0]);
    if (rv != APR_SUCCESS) {
        struct pollfd wake = { wake_pipe[0], POLLIN, 0 };

        mdm_log(worker->ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(0623) "%s", mdm_ctx_detail(worker->ctx, rv));
        (void)poll(&wake, 1, 1000);
    }
}

static void run_worker(void)
{
    worker_t *worker = make_worker();
    int i;

    if (!worker)
        return;
    while (!is_stopping())
        turn(worker);
    for (i = 0; i < worker->sites->nelts; i++) {
        const worker_site_t *site = &APR_ARRAY_IDX(worker->sites, i, worker_site_t);

        mdm_push_stop(site->push);
        mdm_webhook_stop(site->webhook);
    }
    mdm_log(worker->ctx, MDM_LOG_MARK, MDM_LOG_INFO, 0, MDMNO(0624) "push worker ends");
    apr_pool_destroy(worker->pool);
}

/* ---- what mod_watchdog calls */

static apr_status_t worker_callback(int state, void *data, apr_pool_t *p)
{
    (void)data;
    (void)p;
    /* The thread may be earlier than child_init, and later than the pools: then the gate is shut. */
    if (state != AP_WATCHDOG_STATE_RUNNING || !apr_atomic_read32(&gate_open))
        return APR_SUCCESS;
    pthread_mutex_lock(&worker_gate);
    if (apr_atomic_read32(&gate_open))
        run_worker();
    pthread_mutex_unlock(&worker_gate);
    return APR_SUCCESS;
}

static void flush_seen(void)
{
    apr_pool_t *p = mdm_worker_pool();

    if (!p)
        return;
    mdm_seen_flush(p);
    apr_pool_destroy(p);
}

static apr_status_t seen_callback(int state, void *data, apr_pool_t *p)
{
    (void)data;
    (void)p;
    if (state != AP_WATCHDOG_STATE_RUNNING || !apr_atomic_read32(&gate_open))
        return APR_SUCCESS;
    pthread_mutex_lock(&seen_gate);
    if (apr_atomic_read32(&gate_open))
        flush_seen();
    pthread_mutex_unlock(&seen_gate);
    return APR_SUCCESS;
}

static apr_interval_time_t seen_interval(const apr_array_header_t *sites)
{
    apr_interval_time_t least = 0;
    int i;

    for (i = 0; i < sites->nelts; i++) {
        apr_interval_time_t interval = APR_ARRAY_IDX(sites, i, mdm_conf_t *)->last_seen_interval;

        if (!least || interval < least)
            least = interval;
    }
    return least < AP_WD_TM_SLICE ? AP_WD_TM_SLICE : least;
}

apr_status_t mdm_worker_watchdog(const char *name, int singleton, apr_interval_time_t interval,
                                 ap_watchdog_callback_fn_t *callback, apr_pool_t *p)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get_instance = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    apr_status_t rv;

    if (!get_instance || !add)
        return APR_ENOTIMPL;
    rv = get_instance(&watchdog, name, 0, singleton, p);
    return rv == APR_SUCCESS ? add(watchdog, interval, NULL, callback) : rv;
}

/* ---- the pipe */

static apr_status_t close_pipe(void *unused)
{
    (void)unused;
    close(wake_pipe[0]);
    close(wake_pipe[1]);
    wake_pipe[0] = wake_pipe[1] = -1;
    return APR_SUCCESS;
}

int mdm_worker_post_config(const apr_array_header_t *sites, apr_pool_t *p, server_rec *s)
{
    apr_status_t rv;

    all_sites = sites;
    main_server = s;
    if (pipe2(wake_pipe, O_NONBLOCK | O_CLOEXEC) != 0) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, errno, s, MDMNO(0625) "cannot make the worker's wake-up pipe");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    apr_pool_cleanup_register(p, NULL, close_pipe, apr_pool_cleanup_null);
    rv = mdm_worker_watchdog(WORKER, 1, AP_WD_TM_SLICE, worker_callback, p);
    if (rv == APR_SUCCESS)
        rv = mdm_worker_watchdog(SEEN, 0, seen_interval(sites), seen_callback, p);
    if (rv != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, MDMNO(0626) "mod_watchdog gives no thread for pushes: is it "
                     "loaded?");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

void mdm_worker_wake(void)
{
    ssize_t n;

    do
        n = write(wake_pipe[1], "w", 1);
    while (n < 0 && errno == EINTR);
}

/* ---- the child */

static void shut_gate(void)
{
    /* The byte ends the worker's wait, when it waits in this child. */
    if (apr_atomic_xchg32(&gate_open, 0))
        mdm_worker_wake();
}

/* Runs before anything of the child's pool goes: waits for the threads' present work, writes the last marks. */
static apr_status_t leave_child(void *unused)
{
    (void)unused;
    shut_gate();
    pthread_mutex_lock(&worker_gate);
    pthread_mutex_unlock(&worker_gate);
    pthread_mutex_lock(&seen_gate);
    flush_seen();
    pthread_mutex_unlock(&seen_gate);
    return APR_SUCCESS;
}

/* prefork makes its child's pool without a lock; with our threads beside it, it needs one. */
static apr_status_t lock_allocator(apr_pool_t *pchild)
{
    apr_allocator_t *allocator = apr_pool_allocator_get(pchild);
    apr_thread_mutex_t *mutex;
    apr_status_t rv;

    if (!allocator || apr_allocator_mutex_get(allocator))
        return APR_SUCCESS;
    rv = apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    if (rv == APR_SUCCESS)
        apr_allocator_mutex_set(allocator, mutex);
    return rv;
}

void mdm_worker_child_init(apr_pool_t *pchild, server_rec *s)
{
    mdm_ctx_t *ctx;
    apr_status_t rv;

    if (!all_sites || !all_sites->nelts)
        return;
    ctx = mdm_ctx_create(pchild, mdm_log_for_server(s, pchild));
    rv = lock_allocator(pchild);
    if (rv == APR_SUCCESS)
        rv = mdm_http_global_init(ctx);
    if (rv != APR_SUCCESS) {
        mdm_log(ctx, MDM_LOG_MARK, MDM_LOG_ERR, 0, MDMNO(0627) "no pushes from this child: %s",
                mdm_ctx_detail(ctx, rv));
        return;
    }
    apr_pool_pre_cleanup_register(pchild, NULL, leave_child);
    apr_atomic_set32(&gate_open, 1);
}

void mdm_worker_child_stopping(apr_pool_t *pchild, int graceful)
{
    (void)pchild;
    (void)graceful;
    shut_gate();
}
