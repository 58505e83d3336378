/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocking HTTP client against a small server in Python: what is sent, what is taken of an answer, and how each
 * failure ends.
 */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "apns_mock.h"
#include "mdm_fetch.h"

/* Answers as the path says; /echo tells the request: its line, its headers in lower case, the client's subject. */
static const char server[] =
    "import socket,ssl,sys,time\n"
    "c=None\n"
    "if sys.argv[1:]:\n"
    "    c=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain('server.pem','server.key')\n"
    "    c.load_verify_locations('client.pem'); c.verify_mode=ssl.CERT_REQUIRED\n"
    "s=socket.create_server(('127.0.0.1',0)); print(s.getsockname()[1],flush=True)\n"
    "def serve(t):\n"
    "    data=b''\n"
    "    while b'\\r\\n\\r\\n' not in data: data+=t.recv(65536)\n"
    "    head,body=data.split(b'\\r\\n\\r\\n',1); lines=head.decode().split('\\r\\n')\n"
    "    h={k.lower():v for k,v in (l.split(': ',1) for l in lines[1:] if ': ' in l)}\n"
    "    while len(body)<int(h.get('content-length',0)): body+=t.recv(65536)\n"
    "    path=lines[0].split()[1].split('?')[0]\n"
    "    answers={'/redirect':b'HTTP/1.1 302 Found\\r\\nLocation: /echo\\r\\nContent-Length: 2\\r\\n\\r\\nno',\n"
    "      '/early':b'HTTP/1.1 103 Early Hints\\r\\nX-Early: 1\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\nX-Late:  two \\r\\n'\n"
    "               b'Set-Cookie: a\\r\\nSet-Cookie: b\\r\\nContent-Length: 0\\r\\n\\r\\n',\n"
    "      '/big':b'HTTP/1.1 200 OK\\r\\n\\r\\n'+b'x'*100000,\n"
    "      '/said-big':b'HTTP/1.1 200 OK\\r\\nContent-Length: 100000000\\r\\n\\r\\n'+b'x'*100000,\n"
    "      '/headers':b'HTTP/1.1 200 OK\\r\\n'+b'X-More: '+b'y'*80000+b'\\r\\n\\r\\n',\n"
    "      '/many':b'HTTP/1.1 200 OK\\r\\n'+b'X-More: yyyyyyyyyyyyyyyyyyyyyyyy\\r\\n'*4000+b'\\r\\n',\n"
    "      '/cut':b'HTTP/1.1 200 OK\\r\\nContent-Length: 100\\r\\n\\r\\nonly this',\n"
    "      '/500':b'HTTP/1.1 500 Oh\\r\\nContent-Type: text/x\\r\\nContent-Length: 3\\r\\n\\r\\nbad',\n"
    "      '/nonsense':b'hello\\r\\n\\r\\n'}\n"
    "    if path=='/silence': time.sleep(60)\n"
    "    who=str(t.getpeercert()['subject']) if c else ''\n"
    "    echo=('\\n'.join([lines[0]]+sorted('%s: %s'%i for i in h.items())+[who,''])).encode()+body\n"
    "    t.sendall(answers.get(path) or b'HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n'%len(echo)+echo)\n"
    "while True:\n"
    "    t=None\n"
    "    try:\n"
    "        t=s.accept()[0]\n"
    "        t=c.wrap_socket(t,server_side=True) if c else t\n"
    "        serve(t)\n"
    "    except (OSError,ValueError): pass\n"
    "    finally:\n"
    "        if t: t.close()\n";

static mdm_ctx_t *ctx;
static const char *base;
static mdm_fetched_t answer;

static void setup(void)
{
    ctx = oracle_start();
    signal(SIGPIPE, SIG_IGN);
    /* Whoever obeyed them would not get anywhere. */
    setenv("http_proxy", "http://127.0.0.1:9", 1);
    setenv("https_proxy", "http://127.0.0.1:9", 1);
}

static void teardown(void)
{
    apns_mock_stop();
    oracle_end();
}

static void start_server(const char *scheme)
{
    const char *program = getenv("MDM_PYTHON");
    int port;

    oracle_write("server.py", mdm_bytes_of(server));
    port = atoi(apns_mock_spawn(ctx, apr_pstrcat(ctx->pool, program && *program ? program : "/usr/bin/python3",
                                                 " server.py", strcmp(scheme, "https") ? "" : " tls", NULL)));
    base = apr_psprintf(ctx->pool, "%s://127.0.0.1:%d", scheme, port);
}

static mdm_fetch_t request(const char *method, const char *path)
{
    mdm_fetch_t made = { 0 };

    made.method = method;
    made.url = apr_pstrcat(ctx->pool, base, path, NULL);
    made.timeout = apr_time_from_sec(20);
    made.answer_max = 65536;
    mdm_ctx_clear(ctx);
    memset(&answer, 0, sizeof(answer));
    return made;
}

static const char *fetch_text(const mdm_fetch_t *r)
{
    apr_status_t rv = mdm_fetch(&answer, ctx, r);

    ck_assert_msg(rv == APR_SUCCESS, "%s", mdm_ctx_detail(ctx, rv));
    return apr_pstrmemdup(ctx->pool, (const char *)answer.body.data, answer.body.len);
}

static void fails(const mdm_fetch_t *r, apr_status_t expected, const char *words)
{
    apr_status_t rv;

    mdm_ctx_clear(ctx);
    rv = mdm_fetch(&answer, ctx, r);
    ck_assert_msg(rv == expected, "%s: %s", r->url, mdm_ctx_detail(ctx, rv));
    oracle_has(mdm_ctx_detail(ctx, rv), words);
    ck_assert_ptr_null(strstr(mdm_ctx_detail(ctx, rv), "secret"));
}

START_TEST(test_what_is_sent)
{
    static const char *const headers[] = { "X-One: 1", "Content-Type: text/a", NULL };
    mdm_fetch_t r;
    const char *text;

    start_server("http");
    r = request("GET", "/echo?a=b%20c");
    text = fetch_text(&r);
    oracle_has(text, "GET /echo?a=b%20c HTTP/1.1\n");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_int_eq(oracle_count(text, "content-"), 0);
    r = request("POST", "/echo");
    r.headers = headers;
    r.body = mdm_bytes_of("body of it");
    text = fetch_text(&r);
    oracle_has(text, "POST /echo");
    oracle_has(text, "\ncontent-length: 10\n");
    oracle_has(text, "\ncontent-type: text/a\n");
    oracle_has(text, "\nx-one: 1\n");
    oracle_has(text, "\nbody of it");
    r = request("PUT", "/echo");
    r.body.data = memset(apr_palloc(ctx->pool, 30000), 0, 30000);
    r.body.len = 30000;
    text = fetch_text(&r);
    oracle_has(text, "PUT /echo");
    oracle_has(text, "\ncontent-length: 30000\n");
    ck_assert_int_eq(oracle_count(text, "content-type"), 0);
    ck_assert_int_eq(oracle_count(text, "expect"), 0);
    r = request("POST", "/echo");
    text = fetch_text(&r);
    oracle_has(text, "POST /echo");
    oracle_has(text, "\ncontent-length: 0\n");
}
END_TEST

START_TEST(test_what_is_taken)
{
    mdm_fetch_t r;

    start_server("http");
    r = request("GET", "/redirect");
    ck_assert_str_eq(fetch_text(&r), "no");
    ck_assert_int_eq(answer.status, 302);
    ck_assert_str_eq(apr_table_get(answer.headers, "location"), "/echo");
    r = request("GET", "/early");
    ck_assert_str_eq(fetch_text(&r), "");
    ck_assert_ptr_null(apr_table_get(answer.headers, "X-Early"));
    ck_assert_str_eq(apr_table_get(answer.headers, "X-Late"), "two");
    ck_assert_str_eq(apr_table_getm(ctx->pool, answer.headers, "Set-Cookie"), "a,b");
    r = request("PUT", "/500");
    ck_assert_str_eq(fetch_text(&r), "bad");
    ck_assert_int_eq(answer.status, 500);
    r = request("GET", "/big");
    r.answer_max = 100000;
    ck_assert_uint_eq(strlen(fetch_text(&r)), 100000);
}
END_TEST

START_TEST(test_what_is_too_much)
{
    static const char *const paths[] = { "/big", "/said-big", "/many" };
    mdm_fetch_t r;

    start_server("http");
    r = request("GET", apr_pstrcat(ctx->pool, paths[_i], "?secret", NULL));
    r.answer_max = _i == 2 ? 65536 : 99999;
    fails(&r, MDM_ETOOBIG, "127.0.0.1");
    r = request("GET", "/headers");
    ck_assert_int_ne(mdm_fetch(&answer, ctx, &r), APR_SUCCESS);
}
END_TEST

START_TEST(test_what_is_no_answer)
{
    static const char *const injected[] = { "X-One: 1\r\nX-Two: 2", NULL };
    apr_time_t before;
    mdm_fetch_t r;

    start_server("http");
    r = request("GET", "/cut?secret");
    fails(&r, MDM_EHTTP, "127.0.0.1");
    r = request("GET", "/nonsense?secret");
    fails(&r, MDM_EHTTP, "127.0.0.1");
    r = request("GET", "/echo");
    r.headers = injected;
    fails(&r, MDM_EHTTP, "cannot be set up");
    r = request("GET", "");
    r.url = "file:///etc/passwd";
    fails(&r, MDM_EHTTP, "");
    r.url = "http://127.0.0.1:1/secret?secret";
    fails(&r, MDM_EHTTP, "127.0.0.1");
    r.url = "https://name.invalid/secret?secret";
    fails(&r, MDM_EHTTP, "name.invalid");
    before = apr_time_now();
    r = request("GET", "/silence?secret");
    r.timeout = apr_time_from_msec(200);
    fails(&r, MDM_EHTTP, "127.0.0.1");
    ck_assert_int_lt(apr_time_now() - before, apr_time_from_sec(10));
}
END_TEST

START_TEST(test_tls)
{
    mdm_fetch_t r;

    oracle_run("openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.pem -days 30 "
               "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 && "
               "openssl req -x509 -newkey rsa:2048 -nodes -keyout client.key -out client.pem -days 30 "
               "-subj /CN=client");
    start_server("https");
    r = request("GET", "/echo");
    r.ca_pem = oracle_read("server.pem");
    r.client_pem = oracle_read("client.pem");
    r.client_key_pem = oracle_read("client.key");
    oracle_has(fetch_text(&r), "(('commonName', 'client'),)");
    r.client_pem.len = r.client_key_pem.len = 0;
    fails(&r, MDM_EHTTP, "127.0.0.1");
    r.client_pem = oracle_read("client.pem");
    r.client_key_pem = oracle_read("server.key");
    fails(&r, MDM_EHTTP, "127.0.0.1");
    r.client_key_pem = oracle_read("client.key");
    r.ca_pem = oracle_read("client.pem");
    fails(&r, MDM_EHTTP, "certificate");
    r.ca_pem.len = 0;
    fails(&r, MDM_EHTTP, "certificate");
    r.ca_pem = oracle_read("server.pem");
    r.url = apr_pstrcat(ctx->pool, "https://localhost", strrchr(base, ':'), "/echo", NULL);
    fails(&r, MDM_EHTTP, "localhost");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fetch");
    TCase *tests = tcase_create("fetch");
    SRunner *runner;
    int failed;

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_what_is_sent);
    tcase_add_test(tests, test_what_is_taken);
    tcase_add_loop_test(tests, test_what_is_too_much, 0, 3);
    tcase_add_test(tests, test_what_is_no_answer);
    tcase_add_test(tests, test_tls);
    suite_add_tcase(suite, tests);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
