/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load generator that shows a client certificate on each connection, which the common ones cannot. Usage:
 *     load PORT SCRIPT UNIT SECONDS ROUNDS
 * Opens every connection of the script (TLS 1.3, HTTP/1.1 kept alive) to 127.0.0.1:PORT, prints "ready",
 * waits for a line on standard input, then sends: each connection one request at a time, round and round
 * through its requests, until SECONDS have passed or each has made ROUNDS rounds (0: no such limit). UNIT
 * requests are a unit of work, which is timed as one and never left half done. Prints the figures as one line
 * of JSON. A request that is to carry the CommandUUID of the answer before, when that named none, ends its
 * connection: there is nothing left to do on it. Started by bench.py.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "load.h"

#define INPUT_FIRST 16384
#define INPUT_MAX (64U << 20)
#define PATIENCE_MS 60000       /* for one answer */

typedef struct {
    const load_lane_t *lane;
    SSL *ssl;
    char *input;
    size_t got, room;
    size_t head_len, body_len;  /* of the answer that arrives; head_len 0: not known yet */
    int status, at, in_unit, rounds, over, closing;
    uint64_t sent_at, unit_started;
    char uuid[LOAD_UUID_LEN + 1];
} connection_t;

static struct {
    uint64_t requests, body_bytes, failed, dry, last_answer, deadline;
    int unit, rounds_max, open, epoll;
} run;

void load_die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("load: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static int open_socket(int port)
{
    struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                 .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct timeval patience = { PATIENCE_MS / 1000, 0 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *)&where, sizeof(where)) != 0)
        load_die("cannot connect to 127.0.0.1:%d: %s", port, strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return fd;
}

static void connect_lane(connection_t *c, const load_lane_t *lane, SSL_CTX *tls, int port)
{
    memset(c, 0, sizeof(*c));
    c->lane = lane;
    c->room = INPUT_FIRST;
    c->input = malloc(c->room);
    c->ssl = SSL_new(tls);
    if (!c->input || !c->ssl)
        load_die("out of memory");
    if (lane->certificate
        && (SSL_use_certificate_file(c->ssl, lane->certificate, SSL_FILETYPE_PEM) != 1
            || SSL_use_PrivateKey_file(c->ssl, lane->key, SSL_FILETYPE_PEM) != 1))
        load_die("cannot use %s with %s", lane->certificate, lane->key);
    SSL_set_fd(c->ssl, open_socket(port));
    if (SSL_connect(c->ssl) != 1)
        load_die("no TLS with 127.0.0.1:%d: %s", port, ERR_reason_error_string(ERR_get_error()));
}

static void end(connection_t *c)
{
    if (c->over)
        return;
    c->over = 1;
    run.open--;
    epoll_ctl(run.epoll, EPOLL_CTL_DEL, SSL_get_fd(c->ssl), NULL);
    SSL_shutdown(c->ssl);
    close(SSL_get_fd(c->ssl));
}

static void fail(connection_t *c, const char *why)
{
    unsigned long code = ERR_get_error();

    if (!run.failed++)
        fprintf(stderr, "load: %s, request %d of its connection: %s\n", why, c->at + 1,
                code ? ERR_reason_error_string(code) : strerror(errno));
    end(c);
}

/* Version 4 in form; the process id keeps runs apart, the counter the requests of a run. */
static void fill_fresh(char *at)
{
    static uint64_t counter;
    char text[LOAD_UUID_LEN + 1];

    counter++;
    snprintf(text, sizeof(text), "%08X-%04X-4000-8000-%012llX", (unsigned)(load_now() >> 20),
             (unsigned)getpid() & 0xffffU, (unsigned long long)counter & 0xffffffffffffULL);
    memcpy(at, text, LOAD_UUID_LEN);
}

static void send_next(connection_t *c)
{
    load_request_t *request = &c->lane->requests[c->at];

    if (request->reply && !c->uuid[0]) {
        run.dry++;
        end(c);
        return;
    }
    if (request->fresh)
        fill_fresh(request->fresh);
    if (request->reply)
        memcpy(request->reply, c->uuid, LOAD_UUID_LEN);
    c->got = c->head_len = c->body_len = 0;
    c->sent_at = load_now();
    if (c->in_unit == 0)
        c->unit_started = c->sent_at;
    if (SSL_write(c->ssl, request->bytes, (int)request->len) != (int)request->len)
        fail(c, "cannot send");
}

static void find_uuid(connection_t *c)
{
    static const char key[] = "<key>CommandUUID</key>", open[] = "<string>";
    char *end_of_input = c->input + c->got;
    char *at = memmem(c->input + c->head_len, c->body_len, key, sizeof(key) - 1);

    c->uuid[0] = '\0';
    at = at ? memmem(at, (size_t)(end_of_input - at), open, sizeof(open) - 1) : NULL;
    if (!at || (size_t)(end_of_input - at) < sizeof(open) - 1 + LOAD_UUID_LEN)
        return;
    memcpy(c->uuid, at + sizeof(open) - 1, LOAD_UUID_LEN);
    c->uuid[LOAD_UUID_LEN] = '\0';
}

static int is_over(const connection_t *c, uint64_t now)
{
    return (run.deadline && now >= run.deadline) || (run.rounds_max && c->rounds >= run.rounds_max);
}

/* The answer is there. */
static void answered(connection_t *c)
{
    uint64_t now = load_now();

    run.requests++;
    run.body_bytes += c->body_len;
    run.last_answer = now;
    load_note_status(c->status);
    find_uuid(c);
    if (++c->at == c->lane->count) {
        c->at = 0;
        c->rounds++;
    }
    if (++c->in_unit == run.unit) {
        c->in_unit = 0;
        load_note_unit(now - c->unit_started);
    }
    if (c->closing || (c->in_unit == 0 && is_over(c, now)))
        end(c);
    else
        send_next(c);
}

/* Returns 0 when the head is not one this program can take. */
static int read_head(connection_t *c, const char *stop)
{
    const char *line, *length = NULL;

    c->input[c->got] = '\0';
    c->head_len = (size_t)(stop + 4 - c->input);
    if (sscanf(c->input, "HTTP/1.1 %d", &c->status) != 1)
        return 0;
    for (line = strstr(c->input, "\r\n"); line && line < stop; line = strstr(line + 2, "\r\n")) {
        if (!strncasecmp(line + 2, "Content-Length:", 15))
            length = line + 17;
        else if (!strncasecmp(line + 2, "Connection: close", 17))
            c->closing = 1;
    }
    if (!length && c->status != 204 && c->status != 304)
        return 0;
    c->body_len = length ? strtoul(length, NULL, 10) : 0;
    return c->body_len < INPUT_MAX;
}

static void make_room(connection_t *c)
{
    if (c->room - c->got > INPUT_FIRST / 2)
        return;
    c->room *= 2;
    c->input = realloc(c->input, c->room);
    if (!c->input)
        load_die("out of memory");
}

/* Take what has come; an answer that is complete is followed by the next request. */
static void receive(connection_t *c)
{
    while (!c->over) {
        const char *stop;
        int n;

        make_room(c);
        n = SSL_read(c->ssl, c->input + c->got, (int)(c->room - c->got - 1));
        if (n <= 0) {
            if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ)
                fail(c, n ? "no answer" : "closed before the answer");
            return;
        }
        c->got += (size_t)n;
        if (!c->head_len) {
            stop = memmem(c->input, c->got, "\r\n\r\n", 4);
            if (stop && !read_head(c, stop)) {
                fail(c, "an answer that is none");
                return;
            }
        }
        if (c->head_len && c->got >= c->head_len + c->body_len)
            answered(c);
        if (!c->over && !SSL_pending(c->ssl))
            return;
    }
}

static void watch(connection_t *c)
{
    struct epoll_event event = { .events = EPOLLIN, .data = { .ptr = c } };

    if (epoll_ctl(run.epoll, EPOLL_CTL_ADD, SSL_get_fd(c->ssl), &event) != 0)
        load_die("epoll: %s", strerror(errno));
}

static void go(connection_t *connections, int count)
{
    struct epoll_event events[64];
    int i, n;

    for (i = 0; i < count; i++)
        send_next(&connections[i]);
    while (run.open) {
        n = epoll_wait(run.epoll, events, 64, PATIENCE_MS);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            load_die("no answer within %d s", PATIENCE_MS / 1000);
        for (i = 0; i < n; i++)
            receive(events[i].data.ptr);
    }
}

static SSL_CTX *make_tls(void)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    if (!tls || SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1)
        load_die("no TLS 1.3");
    /* session tickets wake a connection without an answer: then SSL_read is to come back, not to wait */
    SSL_CTX_clear_mode(tls, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    return tls;
}

static void wait_for_start(void)
{
    char line[16];

    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        exit(1);
}

int main(int argc, char **argv)
{
    load_script_t script;
    connection_t *connections;
    SSL_CTX *tls;
    uint64_t start;
    int i;

    if (argc != 6)
        load_die("usage: load PORT SCRIPT UNIT SECONDS ROUNDS");
    signal(SIGPIPE, SIG_IGN);
    load_script_read(&script, argv[2]);
    tls = make_tls();
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    run.unit = atoi(argv[3]);
    run.rounds_max = atoi(argv[5]);
    connections = calloc((size_t)script.count, sizeof(*connections));
    for (i = 0; i < script.count; i++) {
        connect_lane(&connections[i], &script.lanes[i], tls, atoi(argv[1]));
        watch(&connections[i]);
    }
    run.open = script.count;
    wait_for_start();
    start = run.last_answer = load_now();
    if (atof(argv[4]) > 0)
        run.deadline = start + (uint64_t)(atof(argv[4]) * 1e9);
    go(connections, script.count);
    load_print((double)(run.last_answer - start) / 1e9, run.requests, run.body_bytes, run.failed, run.dry);
    return 0;
}
