/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two clients of one thread in one wait: the worker's, one for pushes and one for events. libcurl waits for the
 * sockets of one client and for any others that it is told of. Holds nothing.
 */
#include <sys/select.h>

#include <curl/curl.h>

#include "mdm_http_slot.h"

/* So many sockets of the second, and so long while it has requests under way. */
#define BOTH_MAX 256
#define BOTH_WAIT apr_time_from_msec(100)

/* The sockets a client waits for, into `fds`. Those select() cannot name are left out: the wait is short for them. */
static unsigned sockets_of(struct curl_waitfd *fds, const mdm_http_t *http)
{
    fd_set reads, writes, errors;
    unsigned n = mdm_http_link_fds(fds, BOTH_MAX, http);
    int most = -1, fd;

    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_ZERO(&errors);
    if (curl_multi_fdset(http->multi, &reads, &writes, &errors, &most) != CURLM_OK)
        return n;
    for (fd = 0; fd <= most && n < BOTH_MAX; fd++) {
        int in = FD_ISSET(fd, &reads), out = FD_ISSET(fd, &writes);

        if (!in && !out)
            continue;
        fds[n].fd = fd;
        fds[n].events = (short)((in ? CURL_WAIT_POLLIN : 0) | (out ? CURL_WAIT_POLLOUT : 0));
        fds[n++].revents = 0;
    }
    return n;
}

static void wait_both(mdm_http_t *http, mdm_http_t *second, apr_interval_time_t wait, int wake_fd)
{
    struct curl_waitfd fds[2 * BOTH_MAX + 1];
    unsigned n = sockets_of(fds, second);
    long most = -1;

    wait = wait > BOTH_WAIT ? BOTH_WAIT : wait;
    (void)curl_multi_timeout(second->multi, &most);
    if (most >= 0 && apr_time_from_msec(most) < wait)
        wait = apr_time_from_msec(most);
    n += mdm_http_link_fds(fds + n, BOTH_MAX, http);
    if (wake_fd >= 0) {
        fds[n].fd = wake_fd;
        fds[n].events = CURL_WAIT_POLLIN;
        fds[n++].revents = 0;
    }
    /* A failure comes again in mdm_http_run, which tells it. */
    (void)curl_multi_poll(http->multi, fds, n, (int)apr_time_as_msec(wait), NULL);
}

apr_status_t mdm_http_run_both(mdm_http_t *http, mdm_http_t *second, apr_interval_time_t wait, int wake_fd)
{
    int pending = mdm_http_pending(second) + mdm_http_pending(http);
    apr_status_t rv;

    if (!mdm_http_pending(second))
        return mdm_http_run(http, wait, wake_fd);
    rv = mdm_http_run(second, 0, -1);
    if (rv == APR_SUCCESS)
        rv = mdm_http_run(http, 0, -1);
    if (rv != APR_SUCCESS || mdm_http_pending(second) + mdm_http_pending(http) != pending || wait <= 0)
        return rv;
    wait_both(http, second, wait, wake_fd);
    rv = mdm_http_run(second, 0, -1);
    return rv == APR_SUCCESS ? mdm_http_run(http, 0, -1) : rv;
}
