/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mock of APNs for the unit programs; see apns_mock.h. Test code only.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <check.h>

#include "apns_mock.h"

#define SPAWNED_MAX 8

static pid_t spawned[SPAWNED_MAX];
static int spawned_count;

const char *apns_mock_spawn(mdm_ctx_t *ctx, const char *command)
{
    const char *folder = oracle_run("pwd");
    char *line = apr_pcalloc(ctx->pool, 4096);
    int ends[2];
    FILE *output;
    pid_t pid;

    ck_assert_int_lt(spawned_count, SPAWNED_MAX);
    ck_assert_int_eq(pipe(ends), 0);
    command = apr_psprintf(ctx->pool, "cd '%.*s' && exec %s", (int)strcspn(folder, "\n"), folder, command);
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    ck_assert_int_gt(pid, 0);
    spawned[spawned_count++] = pid;
    close(ends[1]);
    output = fdopen(ends[0], "r");
    /* The stream stays open: the program may have more to say. */
    ck_assert_msg(fgets(line, 4096, output) != NULL, "no output from: %s", command);
    return line;
}

static const char *python(void)
{
    const char *program = getenv("MDM_PYTHON");

    return program && *program ? program : "/usr/bin/python3";
}

void apns_mock_certificate(mdm_bytes_t *certificate, mdm_bytes_t *key, const char *topic, const char *name)
{
    char command[1024];

    snprintf(command, sizeof(command), "openssl req -newkey rsa:2048 -nodes -keyout %s.key -out %s.csr "
             "-subj '/UID=%s/CN=%s' && openssl x509 -req -in %s.csr -CA push-ca.pem -CAkey push-ca.key "
             "-set_serial 0x%08x -days 30 -out %s.pem", name, name, topic, name, name,
             (unsigned int)rand() + 1, name);
    oracle_run(command);
    snprintf(command, sizeof(command), "%s.pem", name);
    *certificate = oracle_read(command);
    snprintf(command, sizeof(command), "%s.key", name);
    *key = oracle_read(command);
}

void apns_mock_start(apns_mock_t *mock, mdm_ctx_t *ctx, const char *options)
{
    const char *source = getenv("MDM_SRCDIR"), *line;
    char *here = realpath(source && *source ? source : ".", NULL);
    json_t *ready;

    oracle_run("openssl req -x509 -newkey rsa:2048 -nodes -keyout push-ca.key -out push-ca.pem -days 30 "
               "-subj '/CN=Push Test CA'");
    apns_mock_certificate(&mock->certificate, &mock->key, MOCK_TOPIC, "push");
    line = apns_mock_spawn(ctx, apr_psprintf(ctx->pool, "%s '%s/t/sim/apns' --client-ca push-ca.pem "
                                             "--copy-ca apns-ca.pem %s", python(), here, options));
    free(here);
    ready = json_loads(line, 0, NULL);
    ck_assert_msg(ready != NULL, "the mock says: %s", line);
    mock->url = apr_psprintf(ctx->pool, "https://127.0.0.1:%d",
                             (int)json_integer_value(json_object_get(ready, "port")));
    mock->control_port = (int)json_integer_value(json_object_get(ready, "control_port"));
    mock->ca = oracle_read("apns-ca.pem");
    json_decref(ready);
}

void apns_mock_stop(void)
{
    while (spawned_count) {
        kill(spawned[--spawned_count], SIGTERM);
        waitpid(spawned[spawned_count], NULL, 0);
    }
}

static int control_connection(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

json_t *apns_mock_control(const apns_mock_t *mock, mdm_ctx_t *ctx, const char *path, const char *body)
{
    apr_size_t room = 16 * 1024 * 1024, len = 0;
    char *answer = malloc(room);
    const char *request, *start;
    int fd = control_connection(mock->control_port);
    json_t *root;
    ssize_t n;

    request = apr_psprintf(ctx->pool, "%s %s HTTP/1.1\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
                           body ? "POST" : "GET", path, body ? (int)strlen(body) : 0, body ? body : "");
    ck_assert_int_eq(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    while ((n = read(fd, answer + len, room - len - 1)) > 0)
        len += (apr_size_t)n;
    close(fd);
    answer[len] = '\0';
    start = strstr(answer, "\r\n\r\n");
    ck_assert_msg(start && !strncmp(answer, "HTTP/1.1 200", 12), "the mock answers: %.400s", answer);
    root = json_loads(start, 0, NULL);
    ck_assert_ptr_nonnull(root);
    free(answer);
    return root;
}

int apns_mock_stat(const apns_mock_t *mock, mdm_ctx_t *ctx, const char *name)
{
    json_t *stats = apns_mock_control(mock, ctx, "/stats", NULL), *value = json_object_get(stats, name);
    int count = json_is_array(value) ? (int)json_array_size(value) : (int)json_integer_value(value);

    if (json_is_array(value) && count)
        ck_abort_msg("%s: %s", name, json_dumps(value, 0));
    json_decref(stats);
    return count;
}
