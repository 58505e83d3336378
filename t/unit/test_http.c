/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTPS client against the mock of APNs, nghttpd and peers that misbehave: what is sent, that connections
 * are reused or not, and how each failure ends.
 */
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>

#include "http_fixture.h"

START_TEST(test_push)
{
    outcome_t outcome;
    mdm_http_request_t request;

    start_mock("", 10);
    request = push_request(&outcome);
    send_one(&outcome, request);
    ck_assert_msg(outcome.status == 200, "%d %s %s", outcome.status, outcome.error, outcome.body);
    ck_assert_str_eq(request.headers[5] + strlen("apns-id: "), outcome.apns_id);
    ck_assert_int_eq(outcome.retry_after, -1);
    assert_sent("token", "ab007fc1");
    assert_sent("magic", "MAGIC-1");
    assert_sent("topic", MOCK_TOPIC);
    assert_sent("body", "{\"mdm\":\"MAGIC-1\"}");
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "violations"), 0);
}
END_TEST

START_TEST(test_one_connection_for_many)
{
    outcome_t outcomes[200];
    mdm_http_request_t request;
    int i;

    start_mock("", 200);
    push_one(&outcomes[0]);
    rule("{\"status\":200,\"delay\":0.5,\"default\":true}");
    for (i = 0; i < 200; i++) {
        request = push_request(&outcomes[i]);
        ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    }
    ck_assert_int_eq(mdm_http_pending(http), 200);
    ck_assert_int_eq(mdm_http_start(http, &request), MDM_ETOOBIG);
    run_all();
    for (i = 0; i < 200; i++)
        ck_assert_msg(outcomes[i].status == 200, "%d: %s", i, outcomes[i].error);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 1);
    ck_assert_int_gt(apns_mock_stat(&mock, http_ctx, "max_streams_seen"), 150);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "violations"), 0);
}
END_TEST

START_TEST(test_few_streams_allowed)
{
    outcome_t outcomes[50];
    mdm_http_request_t request;
    int i;

    start_mock("--max-concurrent-streams 2", 50);
    for (i = 0; i < 50; i++) {
        request = push_request(&outcomes[i]);
        ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    }
    run_all();
    for (i = 0; i < 50; i++)
        ck_assert_msg(outcomes[i].status == 200, "%d: %s", i, outcomes[i].error);
    ck_assert_int_le(apns_mock_stat(&mock, http_ctx, "max_streams_seen"), 2);
    ck_assert_int_le(apns_mock_stat(&mock, http_ctx, "connections_opened"), 2);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "violations"), 0);
}
END_TEST

START_TEST(test_refusals)
{
    outcome_t outcome;

    start_mock("", 10);
    rule("[{\"reason\":\"Unregistered\",\"timestamp\":1700000000},"
         "{\"reason\":\"TooManyRequests\",\"retry_after\":7},{\"reason\":\"InternalServerError\"}]");
    push_one(&outcome);
    ck_assert_int_eq(outcome.status, 410);
    oracle_has(outcome.body, "Unregistered");
    oracle_has(outcome.body, "1700000000000");
    push_one(&outcome);
    ck_assert_int_eq(outcome.status, 429);
    ck_assert_int_eq(outcome.retry_after, 7);
    push_one(&outcome);
    ck_assert_int_eq(outcome.status, 500);
    push_one(&outcome);
    ck_assert_int_eq(outcome.status, 200);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 1);
}
END_TEST

START_TEST(test_big_answer_is_cut)
{
    outcome_t outcome;

    start_mock("", 10);
    rule(apr_psprintf(http_ctx->pool, "{\"status\":500,\"body\":\"%0*d\"}", 16000, 7));
    push_one(&outcome);
    ck_assert_int_eq(outcome.status, 500);
    ck_assert_uint_eq(outcome.body_len, 4096);
    push_one(&outcome);
    ck_assert_msg(outcome.status == 200, "%s", outcome.error);
}
END_TEST

START_TEST(test_lost_connections)
{
    static const char *const actions[] = { "goaway", "answer-goaway", "close", "reset" };
    outcome_t outcome;
    int i;

    start_mock("", 10);
    push_one(&outcome);
    for (i = 0; i < 4; i++) {
        rule(apr_psprintf(http_ctx->pool, "{\"status\":200,\"action\":\"%s\"}", actions[i]));
        push_one(&outcome);
        ck_assert_msg(outcome.status == 200, "%s: %s", actions[i], outcome.error);
        /* sent once more, not again and again */
        rule(apr_psprintf(http_ctx->pool, "{\"status\":200,\"times\":20,\"action\":\"%s\"}", actions[i]));
        push_one(&outcome);
        ck_assert_msg(outcome.status == (i == 1 ? 200 : 0), "%s: %s", actions[i], outcome.error);
        json_decref(apns_mock_control(&mock, http_ctx, "/clear", "{\"answers\":true}"));
        push_one(&outcome);
        ck_assert_msg(outcome.status == 200, "after %s: %s", actions[i], outcome.error);
    }
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "violations"), 0);
}
END_TEST

START_TEST(test_goaway_amid_many)
{
    outcome_t outcomes[100];
    mdm_http_request_t request;
    int i, answered = 0;

    start_mock("", 100);
    push_one(&outcomes[0]);
    rule("[{\"status\":200,\"times\":40},{\"status\":200,\"action\":\"goaway\"}]");
    for (i = 0; i < 100; i++) {
        request = push_request(&outcomes[i]);
        ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    }
    run_all();
    for (i = 0; i < 100; i++)
        answered += outcomes[i].status == 200;
    ck_assert_int_ge(answered, 40);
    push_one(&outcomes[0]);
    ck_assert_msg(outcomes[0].status == 200, "%s", outcomes[0].error);
    ck_assert_int_le(apns_mock_stat(&mock, http_ctx, "connections_opened"), 3);
}
END_TEST

START_TEST(test_silence_drops_the_connection)
{
    mdm_http_request_t request;
    outcome_t outcome;

    start_mock("", 10);
    push_one(&outcome);
    rule("{\"status\":200,\"action\":\"silence\"}");
    request = push_request(&outcome);
    request.timeout = apr_time_from_msec(300);
    send_one(&outcome, request);
    ck_assert_int_eq(outcome.status, 0);
    ck_assert_str_ne(outcome.error, "");
    push_one(&outcome);
    ck_assert_msg(outcome.status == 200, "%s", outcome.error);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 2);
}
END_TEST

START_TEST(test_slow_stream_keeps_the_connection)
{
    outcome_t slow, outcome;
    mdm_http_request_t request;

    start_mock("", 10);
    push_one(&outcome);
    rule("{\"status\":200,\"action\":\"silence\"}");
    request = push_request(&slow);
    request.timeout = apr_time_from_msec(500);
    ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    ck_assert_int_eq(mdm_http_run(http, 0, -1), APR_SUCCESS);
    json_decref(apns_mock_control(&mock, http_ctx, "/pushes?wait=2", NULL));
    push_one(&outcome);
    ck_assert_int_eq(outcome.status, 200);
    ck_assert_int_eq(slow.done, 1);
    ck_assert_int_eq(slow.status, 0);
    push_one(&outcome);
    ck_assert_int_eq(outcome.status, 200);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 1);
}
END_TEST

static int listening_port(int *fd)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);

    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(*fd, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(*fd, 5), 0);
    ck_assert_int_eq(getsockname(*fd, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

/* A server that takes connections and says nothing at all: every request ends in its time, others go on. */
START_TEST(test_silence_before_tls)
{
    outcome_t silent[3], outcome;
    mdm_http_request_t request;
    int fd, i;

    start_mock("", 10);
    for (i = 0; i < 3; i++) {
        request = push_request(&silent[i]);
        request.url = apr_psprintf(http_ctx->pool, "https://127.0.0.1:%d/3/device/ab", listening_port(&fd));
        request.timeout = apr_time_from_msec(400);
        ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    }
    request = push_request(&outcome);
    ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    run_all();
    for (i = 0; i < 3; i++) {
        ck_assert_int_eq(silent[i].status, 0);
        oracle_has(silent[i].error, "no answer within");
    }
    ck_assert_msg(outcome.status == 200, "%s", outcome.error);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 1);
}
END_TEST

/* The server cuts the connection while nothing is under way: the next request notices nothing. */
START_TEST(test_cut_at_rest)
{
    outcome_t outcome;
    int i;

    start_mock("", 10);
    push_one(&outcome);
    for (i = 0; i < 2; i++) {
        json_decref(apns_mock_control(&mock, http_ctx, i ? "/goaway" : "/drop", "{}"));
        push_one(&outcome);
        ck_assert_msg(outcome.status == 200, "%s", outcome.error);
    }
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 3);
}
END_TEST

START_TEST(test_other_certificate_other_connection)
{
    mdm_bytes_t certificate, key;
    mdm_http_request_t request;
    outcome_t outcome;

    start_mock("", 10);
    push_one(&outcome);
    apns_mock_certificate(&certificate, &key, MOCK_TOPIC, "renewed");
    request = push_request(&outcome);
    request.client_pem = certificate;
    request.client_key_pem = key;
    send_one(&outcome, request);
    ck_assert_msg(outcome.status == 200, "%s", outcome.error);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 2);
    push_one(&outcome);
    ck_assert_int_eq(outcome.status, 200);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 2);
    mdm_http_forget_connections(http);
    push_one(&outcome);
    ck_assert_msg(outcome.status == 200, "%s", outcome.error);
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 3);
}
END_TEST

START_TEST(test_many_certificates)
{
    mdm_http_request_t request;
    outcome_t outcome;
    int i;

    start_mock("", 2);
    for (i = 0; i < 6; i++) {
        mdm_bytes_t certificate, key;

        apns_mock_certificate(&certificate, &key, MOCK_TOPIC, apr_psprintf(http_ctx->pool, "c%d", i));
        request = push_request(&outcome);
        request.client_pem = certificate;
        request.client_key_pem = key;
        send_one(&outcome, request);
        ck_assert_msg(outcome.status == 200, "%d: %s", i, outcome.error);
    }
    ck_assert_int_eq(apns_mock_stat(&mock, http_ctx, "connections_opened"), 6);
}
END_TEST

static int closed_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

START_TEST(test_no_connection)
{
    mdm_http_request_t request;
    outcome_t outcome;

    start_mock("", 10);
    request = push_request(&outcome);
    request.url = apr_psprintf(http_ctx->pool, "https://127.0.0.1:%d/3/device/ab", closed_port());
    send_one(&outcome, request);
    ck_assert_int_eq(outcome.status, 0);
    oracle_has(outcome.error, "connect");
    request = push_request(&outcome);
    request.ca_pem = mock.certificate;
    send_one(&outcome, request);
    ck_assert_int_eq(outcome.status, 0);
    oracle_has(outcome.error, "certificate");
    request = push_request(&outcome);
    request.client_pem.len = request.client_key_pem.len = 0;
    send_one(&outcome, request);
    ck_assert_int_eq(outcome.status, 0);
    request = push_request(&outcome);
    request.url = "http://127.0.0.1/";
    ck_assert_int_eq(mdm_http_start(http, &request), MDM_EINPUT);
    ck_assert_int_eq(mdm_http_pending(http), 0);
    push_one(&outcome);
    ck_assert_msg(outcome.status == 200, "%s", outcome.error);
}
END_TEST

static void make_server_certificate(void)
{
    oracle_run("openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.pem -days 30 "
               "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1");
}

static const char one_answer[] =
    "import socket,ssl,sys\n"
    "c=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain('server.pem','server.key')\n"
    "if sys.argv[1:]: c.set_alpn_protocols(sys.argv[1:])\n"
    "s=socket.create_server(('127.0.0.1',0)); print(s.getsockname()[1],flush=True)\n"
    "while True:\n"
    "    try:\n"
    "        t=c.wrap_socket(s.accept()[0],server_side=True); t.recv(9000)\n"
    "        t.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n'); t.recv(9000); t.close()\n"
    "    except OSError: pass\n";

START_TEST(test_http1_is_no_answer)
{
    static const char *const protocols[] = { "http/1.1", "", "h2" };
    const char *program = getenv("MDM_PYTHON");
    mdm_http_request_t request;
    outcome_t outcome;
    int port;

    make_server_certificate();
    oracle_write("one_answer.py", mdm_bytes_of(one_answer));
    port = atoi(apns_mock_spawn(http_ctx, apr_pstrcat(http_ctx->pool,
                                                 program && *program ? program : "/usr/bin/python3",
                                                 " one_answer.py ", protocols[_i], NULL)));
    mock.url = apr_psprintf(http_ctx->pool, "https://127.0.0.1:%d", port);
    mock.certificate.len = mock.key.len = 0;
    ck_assert_int_eq(mdm_http_create(&http, http_ctx, 1, 2), APR_SUCCESS);
    request = push_request(&outcome);
    request.ca_pem = oracle_read("server.pem");
    send_one(&outcome, request);
    ck_assert_int_eq(outcome.status, 0);
    if (_i < 2)
        oracle_has(outcome.error, "HTTP/2 is needed");
}
END_TEST

static const char plain_answer[] =
    "import socket\n"
    "s=socket.create_server(('127.0.0.1',0)); print(s.getsockname()[1],flush=True)\n"
    "while True:\n"
    "    try:\n"
    "        t=s.accept()[0]; t.recv(9000)\n"
    "        t.sendall(b'HTTP/1.1 418 No\\r\\nRetry-After: 9\\r\\nContent-Length: 9000\\r\\n\\r\\n'+b'x'*9000)\n"
    "        t.recv(9000); t.close()\n"
    "    except OSError: pass\n";

static int python_server(const char *name, const char *text, const char *argument)
{
    const char *program = getenv("MDM_PYTHON");

    oracle_write(name, mdm_bytes_of(text));
    program = program && *program ? program : "/usr/bin/python3";
    return atoi(apns_mock_spawn(http_ctx, apr_pstrcat(http_ctx->pool, program, " ", name, " ", argument, NULL)));
}

static void prepare_any(outcome_t *outcome, mdm_http_request_t *request, const char *url)
{
    static const char *const headers[] = { "Content-Type: application/json", NULL };

    memset(outcome, 0, sizeof(*outcome));
    memset(request, 0, sizeof(*request));
    request->url = url;
    request->headers = headers;
    request->body = mdm_bytes_of("{}");
    request->timeout = apr_time_from_sec(10);
    request->any_version = 1;
    request->done = note;
    request->baton = outcome;
}

/* For webhooks: HTTP without TLS, and answers of any length. */
START_TEST(test_any_version_without_tls)
{
    static const char *const refused[] = { "ftp://127.0.0.1/", "file:///etc/hostname", "HTTP", "" };
    mdm_http_request_t request;
    outcome_t outcome;
    const char *url;
    size_t i;

    url = apr_psprintf(http_ctx->pool, "http://127.0.0.1:%d/x", python_server("plain.py", plain_answer, ""));
    ck_assert_int_eq(mdm_http_create(&http, http_ctx, 1, 2), APR_SUCCESS);
    prepare_any(&outcome, &request, url);
    send_one(&outcome, request);
    ck_assert_msg(outcome.status == 418, "%d %s", outcome.status, outcome.error);
    ck_assert_uint_eq(outcome.body_len, 4096);
    ck_assert_int_eq(outcome.retry_after, 9);
    request.any_version = 0;
    ck_assert_int_eq(mdm_http_start(http, &request), MDM_EINPUT);
    request.any_version = 1;
    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        request.url = refused[i];
        ck_assert_int_eq(mdm_http_start(http, &request), MDM_EINPUT);
    }
    ck_assert_int_eq(mdm_http_pending(http), 0);
}
END_TEST

/* One connection each: what stands in the path, unescaped, is the Retry-After. */
static const char dated_answer[] =
    "import email.utils, socket, time, urllib.parse\n"
    "s=socket.create_server(('127.0.0.1',0)); print(s.getsockname()[1],flush=True)\n"
    "while True:\n"
    "    try:\n"
    "        t=s.accept()[0]; what=t.recv(9000).split()[1].decode()[1:]\n"
    "        when=urllib.parse.unquote(what) if not what.startswith('in') else "
    "email.utils.formatdate(time.time()+int(what[2:]), usegmt=True)\n"
    "        t.sendall(b'HTTP/1.1 503 No\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\nRetry-After: '"
    "+when.encode()+b'\\r\\n\\r\\n'); t.close()\n"
    "    except OSError: pass\n";

static const struct { const char *path; int least, most; } waits[] = {
    { "in90", 85, 90 }, { "in999999", 86400, 86400 }, { "in-60", -1, -1 },
    { "Sunday,%2006-Nov-94%2008:49:37%20GMT", -1, -1 }, { "soon", -1, -1 }, { "0", -1, -1 }, { "-5", -1, -1 },
    { "120", 120, 120 }
};

/* RFC 9110 section 10.2.3: seconds or a date; what is past or cannot be read says nothing. */
START_TEST(test_retry_after_by_date)
{
    int port = python_server("dated.py", dated_answer, "");
    mdm_http_request_t request;
    outcome_t outcome;

    ck_assert_int_eq(mdm_http_create(&http, http_ctx, 1, 2), APR_SUCCESS);
    prepare_any(&outcome, &request, apr_psprintf(http_ctx->pool, "http://127.0.0.1:%d/%s", port, waits[_i].path));
    send_one(&outcome, request);
    ck_assert_msg(outcome.status == 503, "%d %s", outcome.status, outcome.error);
    ck_assert_int_ge(outcome.retry_after, waits[_i].least);
    ck_assert_int_le(outcome.retry_after, waits[_i].most);
}
END_TEST

/* HTTP/1.1 over TLS, whose certificate has to be good all the same: without a CA here, by the system's. */
START_TEST(test_any_version_over_tls)
{
    static const char *const protocols[] = { "http/1.1", "" };
    mdm_http_request_t request;
    outcome_t outcome;
    const char *url;

    make_server_certificate();
    url = apr_psprintf(http_ctx->pool, "https://127.0.0.1:%d/x", python_server("one.py", one_answer, protocols[_i]));
    ck_assert_int_eq(mdm_http_create(&http, http_ctx, 1, 2), APR_SUCCESS);
    prepare_any(&outcome, &request, url);
    send_one(&outcome, request);
    ck_assert_int_eq(outcome.status, 0);
    oracle_has(outcome.error, "certificate");
    prepare_any(&outcome, &request, url);
    request.ca_pem = oracle_read("server.pem");
    send_one(&outcome, request);
    ck_assert_msg(outcome.status == 200, "%d %s", outcome.status, outcome.error);
}
END_TEST

START_TEST(test_nghttpd)
{
    mdm_http_request_t request;
    outcome_t outcome;
    int port = closed_port(), i;

    make_server_certificate();
    oracle_run("mkdir -p htdocs/3/device && echo hello > htdocs/3/device/ab007fc1");
    apns_mock_spawn(http_ctx, apr_psprintf(http_ctx->pool, "stdbuf -oL nghttpd -v -a 127.0.0.1 -d htdocs %d server.key "
                                      "server.pem", port));
    mock.url = apr_psprintf(http_ctx->pool, "https://127.0.0.1:%d", port);
    mock.certificate.len = mock.key.len = 0;
    ck_assert_int_eq(mdm_http_create(&http, http_ctx, 1, 2), APR_SUCCESS);
    for (i = 0; i < 3; i++) {
        request = push_request(&outcome);
        request.ca_pem = oracle_read("server.pem");
        if (i == 2)
            request.url = apr_pstrcat(http_ctx->pool, mock.url, "/3/device/00", NULL);
        send_one(&outcome, request);
        ck_assert_msg(outcome.status == (i < 2 ? 200 : 404), "%d %s", outcome.status, outcome.error);
    }
}
END_TEST

START_TEST(test_wake_fd)
{
    apr_time_t before;
    int ends[2];

    ck_assert_int_eq(mdm_http_create(&http, http_ctx, 1, 2), APR_SUCCESS);
    ck_assert_int_eq(pipe(ends), 0);
    before = apr_time_now();
    ck_assert_int_eq(mdm_http_run(http, apr_time_from_msec(80), ends[0]), APR_SUCCESS);
    ck_assert_int_ge(apr_time_now() - before, apr_time_from_msec(79));
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    before = apr_time_now();
    ck_assert_int_eq(mdm_http_run(http, apr_time_from_sec(20), ends[0]), APR_SUCCESS);
    ck_assert_int_lt(apr_time_now() - before, apr_time_from_sec(5));
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* Descriptors of internet sockets that a program started from here would inherit. */
static int inherited_sockets(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;

    while ((entry = readdir(dir)) != NULL) {
        int fd = atoi(entry->d_name), domain = 0;
        socklen_t len = sizeof(domain);

        if (entry->d_name[0] != '.' && !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len)
            && domain != AF_UNIX && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
            count++;
    }
    closedir(dir);
    return count;
}

START_TEST(test_end_with_requests_under_way)
{
    mdm_http_request_t request;
    apr_pool_t *subpool;
    mdm_ctx_t *own;
    outcome_t outcome;

    apns_mock_start(&mock, http_ctx, "");
    apr_pool_create(&subpool, http_ctx->pool);
    own = mdm_ctx_create(subpool, NULL);
    ck_assert_int_eq(mdm_http_create(&http, own, 1, 2), APR_SUCCESS);
    push_one(&outcome);
    ck_assert_int_eq(inherited_sockets(), 0);
    rule("{\"status\":200,\"action\":\"silence\"}");
    request = push_request(&outcome);
    ck_assert_int_eq(mdm_http_start(http, &request), APR_SUCCESS);
    ck_assert_int_eq(mdm_http_run(http, 0, -1), APR_SUCCESS);
    apr_pool_destroy(subpool);
    ck_assert_int_eq(outcome.done, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http");
    TCase *tests = tcase_create("http");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_push);
    tcase_add_test(tests, test_one_connection_for_many);
    tcase_add_test(tests, test_few_streams_allowed);
    tcase_add_test(tests, test_refusals);
    tcase_add_test(tests, test_big_answer_is_cut);
    tcase_add_test(tests, test_lost_connections);
    tcase_add_test(tests, test_goaway_amid_many);
    tcase_add_test(tests, test_silence_drops_the_connection);
    tcase_add_test(tests, test_slow_stream_keeps_the_connection);
    tcase_add_test(tests, test_silence_before_tls);
    tcase_add_test(tests, test_cut_at_rest);
    tcase_add_test(tests, test_other_certificate_other_connection);
    tcase_add_test(tests, test_many_certificates);
    tcase_add_test(tests, test_no_connection);
    tcase_add_loop_test(tests, test_http1_is_no_answer, 0, 3);
    tcase_add_test(tests, test_any_version_without_tls);
    tcase_add_loop_test(tests, test_retry_after_by_date, 0, sizeof(waits) / sizeof(waits[0]));
    tcase_add_loop_test(tests, test_any_version_over_tls, 0, 2);
    tcase_add_test(tests, test_nghttpd);
    tcase_add_test(tests, test_wake_fd);
    tcase_add_test(tests, test_end_with_requests_under_way);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
