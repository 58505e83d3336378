/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A limit for the making of a connection: libldap waits for a TLS handshake without end, whatever its time-outs are. A
 * thread beside it takes the socket's other side away when the time is over or the process stops; libldap then fails as
 * with a peer that has gone. Lives for the time of one bind.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include "mdm_ldap_wait.h"

#define LOOK apr_time_from_msec(200)

struct mdm_ldap_guard_t {
    const mdm_ldap_config_t *config;
    struct ldap_conncb callback;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t over;
    apr_time_t end;
    int fd;                       /* -1: there is none, or not any more */
    int connected, done, cut;
};

static int connected(LDAP *ld, Sockbuf *sb, LDAPURLDesc *url, struct sockaddr *address, struct ldap_conncb *callback)
{
    mdm_ldap_guard_t *guard = callback->lc_arg;
    int fd = -1;

    (void)ld;
    (void)url;
    (void)address;
    ber_sockbuf_ctrl(sb, LBER_SB_OPT_GET_FD, &fd);
    pthread_mutex_lock(&guard->lock);
    guard->fd = fd;
    guard->connected = 1;
    pthread_mutex_unlock(&guard->lock);
    return 0;
}

/* Before libldap closes it: the number may be another file's soon. */
static void closing(LDAP *ld, Sockbuf *sb, struct ldap_conncb *callback)
{
    mdm_ldap_guard_t *guard = callback->lc_arg;

    (void)ld;
    (void)sb;
    pthread_mutex_lock(&guard->lock);
    guard->fd = -1;
    pthread_mutex_unlock(&guard->lock);
}

static void wait_a_little(mdm_ldap_guard_t *guard)
{
    apr_time_t at = apr_time_now() + LOOK;
    struct timespec until = { (time_t)apr_time_sec(at), (long)apr_time_usec(at) * 1000 };

    (void)pthread_cond_timedwait(&guard->over, &guard->lock, &until);
}

static void *watch(void *guardv)
{
    mdm_ldap_guard_t *guard = guardv;

    pthread_mutex_lock(&guard->lock);
    while (!guard->done) {
        wait_a_little(guard);
        if (guard->done || guard->cut || guard->fd < 0)
            continue;
        if (apr_time_now() >= guard->end || mdm_ldap_is_stopping(guard->config)) {
            shutdown(guard->fd, SHUT_RDWR);
            guard->cut = 1;
        }
    }
    pthread_mutex_unlock(&guard->lock);
    return NULL;
}

mdm_ldap_guard_t *mdm_ldap_guard_start(mdm_ldap_t *l, apr_interval_time_t limit)
{
    mdm_ldap_guard_t *guard = apr_pcalloc(l->ctx->pool, sizeof(*guard));
    sigset_t all, before;
    int failed;

    guard->config = &l->config;
    guard->callback.lc_add = connected;
    guard->callback.lc_del = closing;
    guard->callback.lc_arg = guard;
    guard->end = apr_time_now() + limit;
    guard->fd = -1;
    pthread_mutex_init(&guard->lock, NULL);
    pthread_cond_init(&guard->over, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&guard->thread, NULL, watch, guard);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return NULL;
    ldap_set_option(l->ld, LDAP_OPT_CONNECT_CB, &guard->callback);
    return guard;
}

int mdm_ldap_guard_end(mdm_ldap_guard_t *guard, int *cut)
{
    pthread_mutex_lock(&guard->lock);
    guard->done = 1;
    *cut = guard->cut;
    pthread_cond_signal(&guard->over);
    pthread_mutex_unlock(&guard->lock);
    pthread_join(guard->thread, NULL);
    return guard->connected;
}
